"""Everything the exchange lists: the generated catalog and loaded markets behind one set of
look-ups.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from pathlib import Path
from typing import Protocol

import msgspec

from .book import EMPTY, Book
from .loading import Loaded, LoadedMarket, LoadSummary, load
from .market import Event, Market
from .milestones import MilestoneIndex
from .moving import Moving
from .query import Key, MarketQuery
from .render import event_json
from .series import COMBO_PREFIX, SERIES
from .tape import Tape

_SERIES = {series.ticker: series for series in SERIES}


class Listed(Protocol):
    """A market of either origin, as listings and look-ups see it."""

    @property
    def ticker(self) -> str: ...
    @property
    def event_ticker(self) -> str: ...
    @property
    def series_ticker(self) -> str: ...
    @property
    def created(self) -> int: ...
    @property
    def close(self) -> int: ...
    @property
    def word(self) -> str: ...
    def json(self) -> bytes: ...
    def book(self) -> Book: ...


class Catalog:
    """The markets, events and series of one exchange at one instant (`now`, Unix microseconds)."""

    def __init__(
        self, *, seed: int, markets: int, now: int, paths: Iterable[str | Path] = ()
    ) -> None:
        self.now = now
        self.loaded: Loaded = load(paths)
        self.generated = Moving(seed, markets, now)
        self.tape = Tape(self.generated)
        self.milestones = MilestoneIndex(self.generated)
        loaded = self.loaded.markets.values()
        self._by_created = sorted(loaded, key=lambda market: (market.created, market.ticker))
        self._by_close = sorted(loaded, key=lambda market: (market.close, market.ticker))
        self._members: dict[str, list[LoadedMarket]] = {}
        for market in self.loaded.markets.values():
            self._members.setdefault(market.event_ticker, []).append(market)
        self._events_by_close = sorted(
            (
                (self._event_close(ticker), ticker)
                for ticker in self._members.keys() | self.loaded.events.keys()
            ),
            reverse=True,
        )
        self._shadowed = sum(
            self.generated.market(ticker) is not None for ticker in self.loaded.markets
        )

    @property
    def summary(self) -> LoadSummary:
        """What was read from files."""
        return self.loaded.summary

    @property
    def cutoff(self) -> int:
        """Generated markets settled before this instant are only in the historical lists."""
        return self.generated.cutoff

    def __len__(self) -> int:
        """Markets of the live list; those settled before the cutoff come on top."""
        return self.generated.markets + len(self.loaded.markets) - self._shadowed

    def __repr__(self) -> str:
        return f"<Catalog {len(self):,} markets, {len(self.loaded.markets):,} of them loaded>"

    # Markets

    def market(self, ticker: str) -> Listed | None:
        """The market with this ticker; a loaded one hides a generated one of the same ticker."""
        return self.loaded.markets.get(ticker) or self.generated.market(ticker)

    def book(self, ticker: str) -> Book:
        """The order book of a market; empty for an unknown ticker, as on the exchange."""
        market = self.market(ticker)
        return market.book() if market and market.word in ("open", "paused") else EMPTY

    def markets(self, query: MarketQuery, after: Key | None = None) -> Iterator[Listed]:
        """Markets that match, newest first, from behind `after`."""
        if query.tickers is not None:
            yield from self._named(query, after)
            return
        found: Iterator[Listed] = self.generated.select(query, after)
        if self.loaded.markets:
            hidden = self.loaded.markets
            own = self._loaded_matches(query, after)
            kept = (market for market in found if market.ticker not in hidden)
            found = merge(kept, own, key=lambda market: place(market, query), reverse=True)
        yield from found

    def _named(self, query: MarketQuery, after: Key | None) -> Iterator[Listed]:
        tickers = dict.fromkeys(query.tickers or ())
        found = [market for ticker in tickers if (market := self.market(ticker))]
        found = [market for market in found if self._matches(market, query)]
        found.sort(key=lambda market: place(market, query), reverse=True)
        yield from (market for market in found if after is None or place(market, query) < after)

    def _loaded_matches(self, query: MarketQuery, after: Key | None) -> Iterator[LoadedMarket]:
        ordered = self._by_close if query.order == "close" else self._by_created
        end = len(ordered)
        if after is not None:
            end = bisect_left(ordered, after, key=lambda market: place(market, query))
        for at in range(end - 1, -1, -1):
            if self._matches(ordered[at], query):
                yield ordered[at]

    def _matches(self, market: Listed, query: MarketQuery) -> bool:
        if isinstance(market, Market):
            return self.fits(market, query, market.event.settled, market.event.updated)
        if isinstance(market, LoadedMarket):
            return self.fits(market, query, market.settled, market.updated)
        return False

    def fits(self, market: Listed, query: MarketQuery, settled: int, updated: int) -> bool:
        """Whether a market that was settled and updated at these instants is asked for."""
        return (
            (market.word != "archived" if query.word is None else market.word == query.word)
            and (query.events is None or market.event_ticker in query.events)
            and (query.series is None or self.series_of(market) == query.series)
            and (query.combos is None or is_combo(market) == query.combos)
            and (query.tickers is None or market.ticker in query.tickers)
            and market.created in query.created
            and market.close in query.close
            and (query.settled.everything or settled in query.settled)
            and (query.updated.everything or updated in query.updated)
        )

    def series_of(self, market: Listed) -> str:
        """The series of a market: its event's, else the prefix of its ticker."""
        event = self.loaded.events.get(market.event_ticker)
        return event.series_ticker if event else market.series_ticker

    # Events

    def event(self, ticker: str) -> EventEntry | None:
        """The event with this ticker, with all its markets."""
        if ticker in self._members or ticker in self.loaded.events:
            return self._loaded_event(ticker)
        event = self.generated.event(ticker)
        return None if event is None else EventEntry.of(event)

    def events(
        self, after: Key | None = None, *, series: str | None = None
    ) -> Iterator[EventEntry]:
        """Live events without combos, latest close first, from behind `after`."""
        yield from merge(
            self._generated_events(after, series),
            self._loaded_events(after, combos=False, series=series),
            key=lambda event: (event.close, event.ticker),
            reverse=True,
        )

    def combo_events(self, after: Key | None = None) -> Iterator[EventEntry]:
        """Events of combos, newest first, from behind `after`."""
        found = self.generated.combo_events(after)
        yield from merge(
            (EventEntry.of(event) for event in found),
            self._loaded_events(after, combos=True, series=None),
            key=lambda event: (event.created, event.ticker),
            reverse=True,
        )

    def _generated_events(self, after: Key | None, series: str | None) -> Iterator[EventEntry]:
        own = self._members.keys() | self.loaded.events.keys()
        for event in self.generated.events(after, series):
            if event.ticker not in own:
                yield EventEntry.of(event)

    def _loaded_events(
        self, after: Key | None, *, combos: bool, series: str | None
    ) -> Iterator[EventEntry]:
        found = [self._loaded_event(ticker) for _, ticker in self._events_by_close]
        found = [
            event for event in found if event.combo is combos and series in (None, event.series)
        ]
        if combos:
            found.sort(key=lambda event: (event.created, event.ticker), reverse=True)
        for event in found:
            instant = event.created if combos else event.close
            if after is None or (instant, event.ticker) < after:
                yield event

    def _event_close(self, ticker: str) -> int:
        return max((market.close for market in self._members.get(ticker, ())), default=0)

    def _loaded_event(self, ticker: str) -> EventEntry:
        members = sorted(
            self._members.get(ticker, []), key=lambda market: market.ticker, reverse=True
        )
        recorded = self.loaded.events.get(ticker)
        series = recorded.series_ticker if recorded else ticker.partition("-")[0]
        fields: dict[str, object] = (
            dict(recorded.fields) if recorded else _unrecorded(ticker, series, members)
        )
        return EventEntry(
            ticker=ticker,
            series=series,
            created=max((market.created for market in members), default=0),
            close=self._event_close(ticker),
            updated=max((market.updated for market in members), default=0),
            combo=ticker.startswith(COMBO_PREFIX),
            markets=members,
            fields=fields,
        )

    # Series

    def series_tickers(self) -> list[str]:
        """Every series that has an event, loaded ones last."""
        own = [
            series.ticker
            for number, series in enumerate(SERIES)
            if len(self.generated.by_series[number])
        ]
        recorded = {event.series_ticker for event in self.loaded.events.values()} | set(
            self.loaded.series
        )
        recorded |= {self.series_of(market) for market in self.loaded.markets.values()}
        return own + sorted(recorded.difference(own))


class EventEntry:
    """An event of either origin. Times are Unix microseconds."""

    def __init__(
        self,
        *,
        ticker: str,
        series: str,
        created: int,
        close: int,
        updated: int,
        combo: bool,
        markets: Sequence[Listed],
        fields: dict[str, object],
        generated: Event | None = None,
    ) -> None:
        self.ticker, self.series, self.combo = ticker, series, combo
        self.created, self.close, self.updated = created, close, updated
        self.generated = generated
        self._markets, self._fields = markets, fields

    @classmethod
    def of(cls, event: Event) -> EventEntry:
        """The entry of a generated event."""
        return cls(
            ticker=event.ticker,
            series=event.series.ticker,
            created=event.created,
            close=event.close,
            updated=event.updated,
            combo=event.combo is not None,
            markets=(),
            fields={},
            generated=event,
        )

    @property
    def markets(self) -> Sequence[Listed]:
        """Its markets, ticker descending."""
        return self.generated.markets if self.generated else self._markets

    @property
    def exclusive(self) -> bool:
        """Whether at most one of its markets comes true."""
        if self.generated is not None:
            return self.generated.series.exclusive
        raw = self._fields.get("mutually_exclusive")
        return raw is True or (isinstance(raw, msgspec.Raw) and bytes(raw) == b"true")

    def json(self, markets: Iterable[Listed] | None = None) -> dict[str, object]:
        """The object as the exchange sends it, with these markets inside if any are given."""
        fields = self._fields
        if self.generated is not None:
            fields = event_json(self.generated, nested=False)
        if markets is None:
            return fields
        return fields | {"markets": [msgspec.Raw(market.json()) for market in markets]}


def is_combo(market: Listed) -> bool:
    """Whether a market is one of several legs."""
    if isinstance(market, LoadedMarket):
        return market.combo
    return market.ticker.startswith(COMBO_PREFIX)


def place(market: Listed, query: MarketQuery) -> Key:
    """Where a market stands in the listing of a query."""
    return (market.close if query.order == "close" else market.created), market.ticker


def _unrecorded(ticker: str, series: str, members: Sequence[LoadedMarket]) -> dict[str, object]:
    """An event of which only markets were recorded."""
    known = _SERIES.get(series)
    titles = [str(msgspec.json.decode(market.raw).get("title", "")) for market in members[:1]]
    return {
        "category": known.category if known else "",
        "collateral_return_type": "",
        "event_ticker": ticker,
        "mutually_exclusive": False,
        "series_ticker": series,
        "settlement_sources": [],
        "sub_title": "",
        "title": titles[0] if titles else ticker,
    }
