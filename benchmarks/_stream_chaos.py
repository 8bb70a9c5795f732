"""A stream amid lost connections and lost frames, and the judge of what it told: the exchange's own
record.

The account trades all the time; what a client was told of its fills, orders and positions is held
against what the exchange has, and so are the books that the client keeps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from random import Random

from kalshi_async.sandbox import Fault, Faults, FrameFault, Sandbox
from kalshi_async.sandbox._crowd import Crowd, snapped
from kalshi_async.sandbox._engine import Engine
from kalshi_async.sandbox._errors import ApiError
from kalshi_async.sandbox._records import GTC, IOC, MAKER, RESTING, NewOrder, Order
from kalshi_async.sandbox._units import CONTRACT
from kalshi_async.stream import (
    BookUpdate,
    FillUpdate,
    MarketPositionUpdate,
    OrderbookDelta,
    TradeUpdate,
    UserOrderUpdate,
)

READ_LAG = 0.4
DROP_RATE = 0.003
"""Of the frames of order books, so many are left out although they are numbered."""
_BOOKS = "orderbook_delta"
_NOTHING = FrameFault()
# Reads of the account with which a client closes its gaps.
_READS = ("GetFills", "GetOrder", "GetOrders", "GetPositions")
_MOST_RESTING = 60


class StreamFaults(Faults):
    """Frames that are left out (order books only: other channels of the account carry no numbers),
    sent twice and late; reads that lag and sometimes fail; ends of connections to order.

    Nothing but the lag happens while `calm`.
    """

    def __init__(self, seed: int, drop_rate: float = DROP_RATE) -> None:
        super().__init__(
            seed=seed,
            read_lag=READ_LAG,
            frame_duplicate_rate=0.01,
            frame_delay_rate=0.003,
            frame_delay=0.05,
        )
        self.on_frame(_BOOKS, rate=drop_rate, drop=True)
        for operation in _READS:
            self.on(operation, rate=0.03, status=503)
        self.struck: Counter[str] = Counter()
        self.calm = True
        self._ending: FrameFault | None = None

    def end(self, fault: FrameFault) -> None:
        """End the connection of the next frame, in its place."""
        self._ending = fault

    @property
    def frames_quiet(self) -> bool:
        """See `Faults`."""
        return self.calm and self._ending is None

    def frame(self, channel: str) -> FrameFault:
        """See `Faults`."""
        if self._ending is not None:
            fault, self._ending = self._ending, None
            return fault
        fault = _NOTHING if self.calm else super().frame(channel)
        self.struck["dropped"] += fault.drop
        self.struck["duplicated"] += fault.duplicate
        self.struck["delayed"] += fault.delay > 0
        return fault

    def decide(self, operation: str) -> Fault:
        """See `Faults`."""
        fault = super().decide(operation)
        if fault.status is None:
            return fault
        if self.calm:
            return Fault(stale=READ_LAG)
        self.struck["reads failed"] += 1
        return fault


class Life:
    """The makers and takers of an exchange, who can be made to rest."""

    def __init__(self, exchange: Sandbox) -> None:
        self._exchange = exchange._exchange
        crowd = self._exchange.crowd
        assert crowd is not None, "the exchange has no activity"
        self._crowd: Crowd = crowd
        self.tickers = [desk.ticker for _, _, desk in crowd._desks]

    def rest(self) -> None:
        """Nobody acts until `go_on`."""
        self._exchange.crowd = None

    def go_on(self) -> None:
        """Everybody acts again, and first catches up."""
        self._exchange.crowd = self._crowd


class Account:
    """Somebody who trades: takes, quotes, cancels; as if orders came over REST, at once."""

    def __init__(self, exchange: Sandbox, user_id: str, tickers: Sequence[str], seed: int) -> None:
        self._exchange, self._user_id = exchange, user_id
        self._tickers, self._dice = tickers, Random(f"{seed}/account")
        self._placed = 0

    def act(self) -> None:
        """One order, or one cancellation. What the exchange refuses is left at that."""
        with suppress(ApiError):
            self._exchange._exchange.do(self._one)

    def touch(self, ticker: str) -> None:
        """Change the book of a market, there and back."""
        with suppress(ApiError):
            self._exchange._exchange.do(lambda engine, now: self._touch(engine, ticker, now))

    def _touch(self, engine: Engine, ticker: str, now: int) -> None:
        market = engine.markets[ticker]
        price = snapped(market, 1, down=False)
        order = engine.place(self._order(ticker, True, price, CONTRACT, GTC), now)
        engine.cancel(self._user_id, order.order_id, now)

    def _one(self, engine: Engine, now: int) -> None:
        dice = self._dice
        resting = engine.traders[self._user_id].resting
        if resting and (len(resting) > _MOST_RESTING or dice.random() < 0.2):
            order_id = dice.choice(list(resting)) if dice.random() < 0.5 else next(iter(resting))
            engine.cancel(self._user_id, order_id, now)
            return
        ticker, bid = dice.choice(self._tickers), dice.random() < 0.5
        market, book = engine.markets[ticker], engine.books[ticker]
        own, other = book.best(bid), book.best(not bid)
        count = dice.randint(1, 9) * CONTRACT
        if other is not None and dice.random() < 0.6:
            engine.place(self._order(ticker, bid, other[0], count, IOC), now)
        elif own is not None:
            away = dice.randint(-100, 200)
            price = snapped(market, own[0] - away if bid else own[0] + away, down=bid)
            engine.place(self._order(ticker, bid, price, count, GTC), now)

    def _order(
        self, ticker: str, bid: bool, price: int, count: int, time_in_force: str
    ) -> NewOrder:
        self._placed += 1
        return NewOrder(
            user_id=self._user_id,
            ticker=ticker,
            bid=bid,
            price=price,
            count=count,
            time_in_force=time_in_force,
            client_order_id=f"{self._user_id[:8]}-{self._placed}",
            self_trade=MAKER,
        )


FillKey = tuple[str, str]
"""The ids of the trade and of the account's order."""


@dataclass
class Told:
    """What the client was told."""

    fills: list[FillKey] = field(default_factory=list)
    orders: dict[str, UserOrderUpdate] = field(default_factory=dict)
    positions: dict[str, MarketPositionUpdate] = field(default_factory=dict)
    trades: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    backwards: int = 0
    trades_again: int = 0
    unnoticed: int = 0
    _clocks: dict[str, int | None] = field(default_factory=dict)

    def fill(self, update: FillUpdate) -> None:
        """A fill was delivered."""
        self.counts["fill"] += 1
        self.fills.append((update.trade_id, update.order_id))

    def order(self, update: UserOrderUpdate) -> None:
        """A state of an order was delivered; none may be older than the one before."""
        self.counts["user_orders"] += 1
        before = self.orders.get(update.order_id)
        self.backwards += before is not None and _progress(update) < _progress(before)
        self.orders[update.order_id] = update

    def position(self, update: MarketPositionUpdate) -> None:
        """A state of a position was delivered."""
        self.counts["market_positions"] += 1
        self.positions[update.market_ticker] = update

    def trade(self, update: TradeUpdate) -> None:
        """A public trade was delivered."""
        self.counts["trade"] += 1
        self.trades_again += update.trade_id in self.trades
        self.trades.add(update.trade_id)

    def book(self, update: BookUpdate) -> None:
        """A book, or a change of one: the exchange counts the changes of each, so that a delivered
        one that does not follow the one before tells of a gap that nobody noticed.
        """
        self.counts[_BOOKS] += 1
        ticker, clock = update.market_ticker, update.clock
        if isinstance(update, OrderbookDelta):
            # A snapshot without one is the client's own: how the book stood when it was taken.
            before = self._clocks.get(ticker, -1)
            self.unnoticed += before is not None and clock != before + 1
        self._clocks[ticker] = clock


def _progress(order: UserOrderUpdate) -> tuple[int, Decimal, bool]:
    return order.last_updated_ts_ms or 0, order.fill_count, order.status != RESTING


@dataclass
class Verdict:
    """How what was told differs from what is; all counts, 0 where nothing is wrong."""

    missing: int = 0
    double: int = 0
    strangers: int = 0
    disordered: int = 0
    orders: int = 0
    positions: int = 0
    books: int = 0

    @property
    def wrong(self) -> int:
        """All of it."""
        parts = (self.missing, self.double, self.strangers, self.disordered)
        return sum(parts) + self.orders + self.positions + self.books


def compared(told: Sequence[FillKey], record: Sequence[FillKey]) -> Verdict:
    """Each fill once, and in the order of the record."""
    places = {key: place for place, key in enumerate(record)}
    once = list(dict.fromkeys(told))
    known = [places[key] for key in once if key in places]
    return Verdict(
        missing=len(places) - len(known),
        double=len(told) - len(once),
        strangers=len(once) - len(known),
        disordered=sum(later < earlier for earlier, later in pairwise(known)),
    )


BookOf = Callable[[str], Mapping[str, Mapping[Decimal, Decimal]] | None]
"""The book that a client keeps of a market: contracts by price for "yes" and "no"; None while it is
stale.
"""


def judge(exchange: Sandbox, told: Told, tickers: Sequence[str], book_of: BookOf) -> Verdict:
    """What the client was told against the exchange's own record of its first account."""
    trader = exchange.engine.traders[exchange.user_id]
    record = [(fill.trade_id, fill.order_id) for fill in trader.fills]
    verdict = compared(told.fills, record)
    verdict.orders = len(told.orders.keys() - trader.orders.keys()) + sum(
        not _same_order(told.orders.get(order.order_id), order) for order in trader.orders.values()
    )
    for (_, ticker), position in trader.positions.items():
        shown = told.positions.get(ticker)
        verdict.positions += shown is None or (
            shown.position,
            shown.realized_pnl,
            shown.fees_paid,
        ) != (_contracts(position.count), _dollars(position.realized), _dollars(position.fees))
    verdict.books = sum(
        book_of(ticker) != {side: dict(levels) for side, levels in exchange.book(ticker).items()}
        for ticker in tickers
    )
    return verdict


def _same_order(told: UserOrderUpdate | None, order: Order) -> bool:
    return told is not None and (
        told.status,
        told.fill_count,
        told.remaining_count,
        told.yes_price,
    ) == (
        order.status,
        _contracts(order.filled),
        _contracts(order.remaining),
        Decimal(order.price).scaleb(-4),
    )


def _contracts(count: int) -> Decimal:
    return Decimal(count).scaleb(-2)


def _dollars(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-6)
