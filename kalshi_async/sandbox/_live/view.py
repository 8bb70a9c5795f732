"""What the public sees of markets that trade: objects, listings, books, trades, candlesticks.

Markets nobody traded stay what the catalog says; those the engine knows are laid over it. Dates of
the catalog's own objects are in its time, everything that happens here is in trading time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from heapq import merge
from typing import TYPE_CHECKING

from .._catalog.book import live_json
from .._catalog.catalog import EventEntry, Listed, place
from .._catalog.loading import LoadedMarket
from .._catalog.market import Market
from .._catalog.query import Key, MarketQuery, Window
from .._catalog.states import WORD_OF_STATUS
from .._catalog.tape import Candle as TapeCandle
from .._catalog.tape import Trade as TapeTrade
from .._catalog.tape import behind, candles_of, newest_first, trades_of
from .._combos import Combos, combo_event, combo_market
from .._events import BookChanged, Event, MarketChanged, Traded
from .._kept import TRADE
from .._records import Trade
from .._text import MINUTE
from .listing import TICK, listing_of
from .market import LiveMarket, Renderer
from .minutes import Candle, Minutes, joined
from .prints import Print, Prints
from .showing import NO_ASK, NO_BID

if TYPE_CHECKING:
    from .._exchange import Exchange

AnyTrade = TapeTrade | Print


class LiveMarkets:
    """The live view of one exchange. It listens to the events of its engine from the start."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.catalog, self._engine = exchange.catalog, exchange.engine
        self.shift, self.levels = exchange.shift, exchange.book_levels
        self.prints = Prints()
        self._minutes: dict[str, Minutes] = {}
        self._updated: dict[str, int] = {}
        # Markets whose filter word can be another than the catalog's.
        self._changed: set[str] = set()
        self._renderer = Renderer(self, self.shift, exchange.now())
        self._recall()
        exchange.listen(self.heard)

    def __repr__(self) -> str:
        return (
            f"<LiveMarkets: {len(self._engine.markets)} markets trade, {len(self.prints)} trades, "
            f"{sum(map(len, self._minutes.values()))} minutes kept>"
        )

    # What happens

    def heard(self, events: Sequence[Event]) -> None:
        """Take in the events of a command."""
        moved: dict[str, int] = {}
        for event in events:
            kind = type(event)
            if kind is BookChanged:
                moved[event.ticker] = event.time  # type: ignore[union-attr]
            elif kind is Traded:
                self._print(event.trade)  # type: ignore[union-attr]
            elif isinstance(event, MarketChanged):
                state = event.market
                if event.kind == "created":
                    self._start(state.ticker, event.time)
                else:
                    self._changed.add(state.ticker)
                    self._updated[state.event_ticker] = event.time
                moved[state.ticker] = event.time
        for ticker, time in moved.items():
            self._quoted(ticker, time)

    def _quoted(self, ticker: str, time: int) -> None:
        bid, _, ask, _ = self.top(ticker)
        self._following(ticker, time).quote(time, bid, ask, self._interest(ticker))

    def _print(self, trade: Trade) -> None:
        self.prints.add(trade)
        interest = self._interest(trade.ticker)
        minutes = self._following(trade.ticker, trade.time)
        minutes.trade(trade.time, trade.price, trade.count, interest)
        self._updated[self._engine.markets[trade.ticker].event_ticker] = trade.time

    def _interest(self, ticker: str) -> int:
        state = self._engine.markets[ticker]
        return state.base_open_interest + state.open_interest

    def _following(self, ticker: str, time: int) -> Minutes:
        return self._minutes.get(ticker) or self._start(ticker, time)

    def _start(self, ticker: str, time: int) -> Minutes:
        """Follow a market from its first quotes on."""
        listing = listing_of(self.catalog, ticker, self.shift, time)
        last = listing.market.last if listing else 0
        quotes = listing.quotes if listing else ()
        bid = max((price for bid, price, _ in quotes if bid), default=NO_BID)
        ask = min((price for bid, price, _ in quotes if not bid), default=NO_ASK)
        minutes = self._minutes[ticker] = Minutes(time, last)
        base = listing.market.base_open_interest if listing else 0
        minutes.quote(time, bid, ask, base)
        return minutes

    def _recall(self) -> None:
        """Know again, after a restart, the trades of before."""
        for trade in self._exchange.kept(TRADE, Trade):
            if trade.ticker in self._engine.markets:
                self._print(trade)
        now = self._exchange.now()
        for ticker in self._engine.markets:
            self._quoted(ticker, now)
        self._changed.update(self._engine.markets)

    # Single markets

    def of(self, listed: Listed) -> Listed:
        """A market of the catalog as it is now."""
        state = self._engine.markets.get(listed.ticker)
        return listed if state is None else LiveMarket(self, listed, state)

    def market(self, ticker: str) -> Listed | None:
        """The market with this ticker as it is now, also one that members made."""
        listed = self.listed(ticker)
        return None if listed is None else self.of(listed)

    def listed(self, ticker: str) -> Listed | None:
        """The market with this ticker as it was before anybody traded it."""
        return self.catalog.market(ticker) or combo_market(self._exchange, ticker)

    def market_json(self, listed: Listed) -> bytes:
        """The object of a market as it is now; of one that nobody traded, the catalog's bytes."""
        return self.of(listed).json()

    def word(self, listed: Listed) -> str:
        """The filter word of the state a market is in now."""
        return self.of(listed).word

    def render(self, market: LiveMarket) -> bytes:
        """The object of a market that trades."""
        return self._renderer.render(market, self._exchange.now())

    def minutes(self, ticker: str) -> Minutes | None:
        """What happened in a market by the minute, None when nothing did."""
        return self._minutes.get(ticker)

    # Books

    def book(self, ticker: str, depth: int = 0) -> dict[str, list[list[str]]]:
        """The book of a market in the wire form; `depth` 0 means every level."""
        if ticker in self._engine.markets:
            return live_json(self.levels(ticker, True), self.levels(ticker, False), depth)
        return self.catalog.book(ticker).json(depth)

    def top(self, ticker: str) -> tuple[int, int, int, int]:
        """Best bid and its count, best ask and its count, in the units of the engine."""
        book = self._engine.book(ticker)
        bid = book.best(True) if book else None
        ask = book.best(False) if book else None
        return *(bid or (NO_BID, 0)), *(ask or (NO_ASK, 0))

    # Listings

    def markets(self, query: MarketQuery, after: Key | None = None) -> Iterator[Listed]:
        """Markets that match as they are now, in listing order, from behind `after`."""
        found = self.catalog.markets(query, after)
        others = self._elsewhere(query)
        if not others:
            return map(self.of, found)
        own = [market for ticker in others if (market := self._matching(ticker, query))]
        keyed = sorted(((place(market, query), market) for market in own), key=_first, reverse=True)
        inside = (market for key, market in keyed if after is None or key < after)
        kept = (self.of(market) for market in found if market.ticker not in others)
        return merge(kept, inside, key=lambda market: place(market, query), reverse=True)

    def _elsewhere(self, query: MarketQuery) -> Collection[str]:
        """The markets that may not stand where the catalog lists them, if it does list them."""
        if query.word == "archived":
            return ()
        states = self._engine.markets
        if not (query.settled.everything and query.updated.everything):
            return {ticker for ticker, state in states.items() if state.updated}
        if query.order == "close" or not query.close.everything:
            return set(states)
        made = self._exchange.room(Combos).markets.keys()
        return self._changed.union(made) if query.word else set(made)

    def _matching(self, ticker: str, query: MarketQuery) -> LiveMarket | None:
        state = self._engine.markets.get(ticker)
        if state is None:
            return None
        # Most are turned away here, without making their object.
        if state.updated and (
            query.word not in (None, WORD_OF_STATUS[state.status])
            or not (query.updated.everything or state.updated in query.updated)
        ):
            return None
        if query.events is not None and state.event_ticker not in query.events:
            return None
        listed = self.listed(ticker)
        if listed is None:
            return None
        market = LiveMarket(self, listed, state)
        settled, updated = _instants(listed)
        if market.touched:
            settled, updated = state.settled or settled, state.updated or updated
        return market if self.catalog.fits(market, query, settled, updated) else None

    def event(self, ticker: str) -> EventEntry | None:
        """The event with this ticker, also one that members made."""
        made = combo_event(self._exchange, ticker)
        return self.catalog.event(ticker) if made is None else EventEntry.of(made)

    def combo_events(self, after: Key | None = None) -> Iterator[EventEntry]:
        """Events of combos, newest first, from behind `after`; those that members made as well."""
        made = sorted(
            (event.created, event.ticker, EventEntry.of(event))
            for event in self._exchange.room(Combos).events.values()
        )
        own = [entry for *key, entry in reversed(made) if after is None or tuple(key) < after]
        found = self.catalog.combo_events(after)
        return merge(own, found, key=lambda event: (event.created, event.ticker), reverse=True)

    def event_markets(self, event: EventEntry) -> list[Listed]:
        """The markets of an event as they are now, those only in the historical lists left out."""
        return [self.of(market) for market in event.markets if market.word != "archived"]

    def words(self, event: EventEntry) -> frozenset[str]:
        """The filter words the markets of an event are in now."""
        return frozenset(self.word(market) for market in event.markets)

    def updated(self, event: EventEntry) -> int:
        """When an event or one of its markets changed last."""
        return max(event.updated, self._updated.get(event.ticker, 0))

    # Trades

    def trades(
        self,
        ticker: str | None,
        window: Window,
        after: Key | None,
        limit: int,
        *,
        block: bool | None = None,
        cutoff: int | None = None,
    ) -> Iterator[AnyTrade]:
        """Trades of a market or of all, newest first, from behind `after`: those made here, then
        the catalog's since `cutoff`. Good for a page of `limit`. Building the tape of a large
        catalog takes seconds: see `Tape.build`.
        """
        own = self.prints.newest(ticker, window, after, block, limit + 1)
        past: Iterator[AnyTrade] = iter(())
        if not block:
            past = self._past(ticker, Window(max(window.low, cutoff or 0), window.high), after)
        together = merge(own, past, key=lambda trade: trade.time, reverse=True)
        return behind(together, after)  # type: ignore[arg-type]

    def _past(self, ticker: str | None, window: Window, after: Key | None) -> Iterator[AnyTrade]:
        if ticker is None:
            return self.catalog.tape.newest(window, after)
        market = self.catalog.market(ticker)
        return newest_first(trades_of(market) if isinstance(market, Market) else [], window)

    # Candlesticks

    def candles(
        self, listed: Listed, start: int, end: int, minutes: int, *, lead: bool = False
    ) -> list[Candle]:
        """Candles whose period ends in [start, end] (Unix seconds): the catalog's, then those of
        live trading. `lead` puts the latest one before them first.
        """
        base = listed.listed if isinstance(listed, LiveMarket) else listed
        period = minutes * 60
        first, final = -(-start // period), end // period
        own = self._own_candles(base.ticker, first, final, minutes, lead=lead)
        if not isinstance(base, Market):
            return own
        led = bool(own) and own[0].end < start
        before = [in_units(candle) for candle in candles_of(base, start, end, minutes, lead=lead)]
        if led:
            before = [candle for candle in before if candle.end >= start]
        elif lead and not before and own:
            before = self._latest_past(base, start, minutes)
        if not own or not before:
            return before or own
        found = {candle.end: candle for candle in before}
        for candle in own:
            known = found.get(candle.end)
            found[candle.end] = joined(known, candle) if known else candle
        return [found[end] for end in sorted(found)]

    def _own_candles(
        self, ticker: str, first: int, final: int, minutes: int, *, lead: bool
    ) -> list[Candle]:
        kept, state = self._minutes.get(ticker), self._engine.markets.get(ticker)
        if kept is None or state is None:
            return []
        last = self._exchange.now()
        if state.closes:
            last = min(last, max(state.closes, kept.since))
        latest = -(-last // (minutes * MINUTE))
        if lead:
            first = min(first - 1, latest)
        return kept.candles(first, min(final, latest), minutes)

    def _latest_past(self, market: Market, start: int, minutes: int) -> list[Candle]:
        event = market.event
        period = minutes * 60
        final = -(-min(event.close, event.now) // (period * 1_000_000)) * period
        if final >= start:
            return []
        return [in_units(candle) for candle in candles_of(market, final, final, minutes)]


def in_units(candle: TapeCandle) -> Candle:
    """A candle of the catalog in the units of the engine."""
    return Candle(
        end=candle.end,
        bid=_scaled(candle.bid),
        ask=_scaled(candle.ask),
        price=None if candle.price is None else _scaled(candle.price),
        mean=candle.mean * TICK,
        previous=None if candle.previous is None else candle.previous * TICK,
        volume=candle.volume,
        open_interest=candle.open_interest,
    )


def _scaled(span: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return span[0] * TICK, span[1] * TICK, span[2] * TICK, span[3] * TICK


def _instants(listed: Listed) -> tuple[int, int]:
    """When a market of the catalog was settled and updated."""
    if isinstance(listed, Market):
        return listed.event.settled, listed.event.updated
    if isinstance(listed, LoadedMarket):
        return listed.settled, listed.updated
    return 0, 0


def _first(pair: tuple[Key, LiveMarket]) -> Key:
    return pair[0]
