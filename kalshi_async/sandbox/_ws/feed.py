"""What happens on the exchange, brought to those who subscribed to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zlib import crc32

import msgspec

from .._catalog.render import event_json
from .._catalog.series import COMBO_PREFIX
from .._combos import combo_market
from .._events import (
    BookChanged,
    Event,
    GroupChanged,
    MarketChanged,
    OrderChanged,
    PositionChanged,
    Traded,
)
from .._exchange import Exchange
from .._records import MarketState, Order, Position
from .._rfq.communications import Communications
from .._rfq.views import communications_id
from .._text import SECOND
from . import messages
from .messages import Quote
from .reference import SOURCES, reference_message
from .subscription import Subscription

# An ordered set: subscribers hear of things in the order in which they subscribed.
_Subscribers = dict[Subscription, None]
# What tells which messages of the communications channel belong together.
_CONVERSATION = ("rfq_batch_id", "rfq_id", "id")


class Feed:
    """The subscribers of one exchange by channel and market, and by account. A message is encoded
    once, whoever gets it; delivering it never waits.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        # By channel and, behind it, a ticker, an account, or "" for what concerns everybody.
        self._subscribers: dict[tuple[str, str], _Subscribers] = {}
        self._tickers: dict[str, str] = {}
        self._quotes: dict[str, Quote] = {}
        room = exchange.room(Communications)
        self._stop = (exchange.listen(self.happened), room.listen(self.communicated))

    def __repr__(self) -> str:
        found = {each for group in self._subscribers.values() for each in group}
        return f"<Feed: {len(found)} subscriptions>"

    def close(self) -> None:
        """Hear of nothing any more."""
        for stop in self._stop:
            stop()

    # Who subscribes to what

    def watch(self, subscription: Subscription, tickers: Iterable[str]) -> None:
        """See `Board.watch`."""
        for place in _places(subscription, tickers):
            self._subscribers.setdefault((subscription.name, place), {})[subscription] = None

    def unwatch(self, subscription: Subscription, tickers: Iterable[str] | None = None) -> None:
        """See `Board.unwatch`."""
        if tickers is not None and _by_account(subscription):
            return
        for place in _places(subscription, subscription.markets if tickers is None else tickers):
            found = self._subscribers.get((subscription.name, place))
            if found is not None and subscription in found:
                del found[subscription]
                if not found:
                    del self._subscribers[subscription.name, place]

    def _interested(self, channel: str, ticker: str = "") -> list[Subscription]:
        """Who hears of a market; of what belongs to none, everybody on the channel."""
        everybody = self._subscribers.get((channel, ""), ())
        named = self._subscribers.get((channel, ticker), ()) if ticker else ()
        return [*named, *everybody]

    def _owners(
        self, channel: str, user_id: str, ticker: str, subaccount: int
    ) -> list[Subscription]:
        found = self._subscribers.get((channel, user_id))
        return [each for each in found if each.concerns(ticker, subaccount)] if found else []

    # What a session asks

    def missing(self, tickers: Sequence[str]) -> list[str]:
        """See `Board.missing`."""
        new = [ticker for ticker in tickers if ticker not in self._exchange.engine.markets]
        if not new:
            self._exchange.tick()
            return []
        return self._exchange.do(
            lambda engine, now: [each for each in new if engine.market(each, now) is None]
        )

    def named(self, market_id: str) -> str | None:
        """See `Board.named`; an id is known once a message has shown it."""
        known = self._exchange.engine.markets
        if len(self._tickers) < len(known):
            self._tickers = {messages.market_id(ticker): ticker for ticker in known}
        return self._tickers.get(market_id)

    def snapshot(self, ticker: str, *, yes_price: bool) -> bytes:
        """See `Board.snapshot`."""
        bids, asks = (self._exchange.book_levels(ticker, bid) for bid in (True, False))
        clock = self._exchange.engine.markets[ticker].clock
        return messages.orderbook_snapshot(ticker, clock, bids, asks, yes_price=yes_price)

    def ticker(self, ticker: str) -> bytes:
        """See `Board.ticker`."""
        quote = self._quotes[ticker] = self._quote(self._exchange.engine.markets[ticker])
        return messages.ticker(ticker, quote, self._exchange.now())

    def indices(self, channel: str) -> Sequence[str]:
        """See `Board.indices`."""
        return SOURCES[channel].names

    def _quote(self, market: MarketState) -> Quote:
        book = self._exchange.engine.book(market.ticker)
        if book is None:
            return Quote.of(market, None, None)
        return Quote.of(market, book.best(True), book.best(False))

    # What happens

    def happened(self, events: Sequence[Event]) -> None:
        """Bring the events of one command to whom they concern."""
        if not self._subscribers:
            self._quotes.clear()
            return
        moved: dict[str, int] = {}
        orders: dict[str, Order] = {}
        positions: dict[int, Position] = {}
        for event in events:
            if isinstance(event, BookChanged):
                moved[event.ticker] = event.time
                self._book_changed(event)
            elif isinstance(event, Traded):
                moved[event.trade.ticker] = event.trade.time
                self._traded(event)
            elif isinstance(event, OrderChanged):
                # The order is as the command left it: one message says so.
                orders[event.order.order_id] = event.order
            elif isinstance(event, PositionChanged):
                positions[id(event.position)] = event.position
            elif isinstance(event, MarketChanged):
                moved[event.market.ticker] = event.time
                self._market_changed(event)
            elif isinstance(event, GroupChanged):
                self._group_changed(event)
        for order in orders.values():
            self._order_changed(order)
        for position in positions.values():
            self._position_changed(position)
        for ticker, time in moved.items():
            self._ticker_changed(ticker, time)

    def _book_changed(self, event: BookChanged) -> None:
        subscribers = self._subscribers.get(("orderbook_delta", event.ticker))
        if not subscribers:
            return
        bodies: dict[bool, bytes] = {}
        for each in subscribers:
            if each.user_id == event.user_id and each.subaccount in (None, event.subaccount):
                body = messages.orderbook_delta(event, yes_price=each.yes_price, own=True)
            elif each.yes_price in bodies:
                body = bodies[each.yes_price]
            else:
                body = messages.orderbook_delta(event, yes_price=each.yes_price, own=False)
                bodies[each.yes_price] = body
            each.deliver(b"orderbook_delta", body)

    def _traded(self, event: Traded) -> None:
        subscribers = self._interested("trade", event.trade.ticker)
        if subscribers:
            _deliver(subscribers, b"trade", messages.trade(event.trade))
        for fill in (event.taker, event.maker):
            owners = self._owners("fill", fill.user_id, fill.ticker, fill.subaccount)
            if owners:
                _deliver(owners, b"fill", messages.fill(fill))

    def _order_changed(self, order: Order) -> None:
        owners = self._owners("user_orders", order.user_id, order.ticker, order.subaccount)
        if owners:
            _deliver(owners, b"user_order", messages.user_order(order))

    def _position_changed(self, position: Position) -> None:
        owners = self._owners(
            "market_positions", position.user_id, position.ticker, position.subaccount
        )
        if owners:
            _deliver(owners, b"market_position", messages.market_position(position))

    def _group_changed(self, event: GroupChanged) -> None:
        group = event.group
        owners = self._owners("order_group_updates", group.user_id, "", group.subaccount)
        if owners:
            body = messages.order_group(group, event.kind, event.time)
            _deliver(owners, b"order_group_updates", body)

    def _ticker_changed(self, ticker: str, time: int) -> None:
        subscribers = self._interested("ticker", ticker)
        if not subscribers:
            # What nobody was told must not count as told when somebody subscribes later.
            self._quotes.pop(ticker, None)
            return
        quote = self._quote(self._exchange.engine.markets[ticker])
        if quote != self._quotes.get(ticker):
            self._quotes[ticker] = quote
            _deliver(subscribers, b"ticker", messages.ticker(ticker, quote, time))

    def _market_changed(self, event: MarketChanged) -> None:
        market, kind = event.market, event.kind
        listed = self._exchange.catalog.market(market.ticker)
        # A market of the catalog is not new when somebody looks at it for the first time.
        if kind == "closed" or (kind == "created" and listed is not None):
            return
        combo = market.ticker.startswith(COMBO_PREFIX)
        channel = "multivariate_market_lifecycle" if combo else "market_lifecycle_v2"
        subscribers = self._interested(channel)
        if not subscribers:
            return
        described: dict[str, object] = {}
        made = combo_market(self._exchange, market.ticker)
        if made is not None and kind == "created":
            described = msgspec.json.decode(made.json(), type=dict[str, object])
            body = messages.event_lifecycle(event_json(made.event, nested=False))
            _deliver(subscribers, b"event_lifecycle", body)
        _deliver(subscribers, channel.encode(), messages.lifecycle(market, kind, described))

    # What does not come from the engine

    def event_fees_changed(
        self, event_ticker: str, fee_type: str | None, multiplier: float | None
    ) -> None:
        """Tell of an event whose fees were set apart from those of its series, or (None, None) no
        longer are.
        """
        subscribers = self._interested("market_lifecycle_v2")
        if subscribers:
            body = messages.event_fee_update(event_ticker, fee_type, multiplier)
            _deliver(subscribers, b"event_fee_update", body)

    def communicated(
        self, kind: str, msg: dict[str, object], user_ids: Iterable[str] | None
    ) -> None:
        """Bring a message about RFQs and quotes to those who may see it (None: everybody)."""
        subscribers = self._interested("communications")
        if not subscribers:
            return
        allowed = None if user_ids is None else frozenset(user_ids)
        named = next((str(msg[name]) for name in _CONVERSATION if msg.get(name)), "")
        body, number = messages.plain(msg), crc32(named.encode())
        for each in subscribers:
            factor, key = each.shard
            if number % factor != key:
                continue
            if allowed is None:
                asked = msg.get("creator_id") == communications_id(each.user_id)
                wanted = asked or not each.own_only
            else:
                wanted = each.user_id in allowed
            if wanted:
                each.deliver(kind.encode(), body)

    def referred(self, subscriptions: Iterable[Subscription], since: int, now: int) -> None:
        """Bring the reference prices of the last tick to those of these subscriptions that follow
        some, if there was a tick after `since`; both are Unix microseconds.
        """
        seed = self._exchange.seed
        for each in subscriptions:
            source = SOURCES.get(each.name)
            if source is None:
                continue
            step = source.every_ms * (SECOND // 1000)
            if now // step == since // step:
                continue
            for name in source.names:
                if each.follows(name):
                    instant = now // step * source.every_ms
                    body = reference_message(seed, each.name, name, instant)
                    each.deliver(each.name.encode(), body)


def _deliver(subscribers: Iterable[Subscription], kind: bytes, body: bytes) -> None:
    for each in subscribers:
        each.deliver(kind, body)


def _by_account(subscription: Subscription) -> bool:
    """Whether its channel is about one account; RFQs are for everybody, or for several."""
    return subscription.channel.private and subscription.name != "communications"


def _places(subscription: Subscription, tickers: Iterable[str] | None) -> Iterable[str]:
    """Where a subscription stands among those of its channel."""
    if _by_account(subscription):
        return (subscription.user_id,)
    return ("",) if subscription.markets is None else tickers or ()
