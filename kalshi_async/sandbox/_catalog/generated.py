"""The generated catalog: look-ups and ordered, filtered listings over the drawn columns."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .._text import DAY, digest, ticker_date
from . import states
from .draw import Columns, cutoff, draw
from .market import Combo, Event, Leg, Market, updated_time
from .query import Key, MarketQuery
from .series import SERIES, Kind
from .strikes import event_ticker

_COLLECTIONS = 15
_COMBO_KINDS = [number for number, series in enumerate(SERIES) if series.kind is Kind.COMBO]


@dataclass(frozen=True, slots=True)
class Collection:
    """Events that combos of one series may be made of."""

    ticker: str
    series: str
    events: tuple[Event, ...]


class Generated:
    """Events and markets drawn from a seed; a market becomes an object only while it is looked
    at.
    """

    def __init__(self, seed: int, markets: int, now: int) -> None:
        self.now = now
        self.markets = markets
        self.cutoff = cutoff(now)
        drawn = draw(seed, markets, now)
        self.columns: Columns = drawn.columns
        self._by_hash, self._hashes = _hash_index(drawn.tickers)
        self._index(drawn.tickers)
        self.event_at = lru_cache(maxsize=4096)(self._event_at)
        self._pool = tuple(event for ticker in drawn.pool if (event := self.event(ticker)))
        self.collections = tuple(
            self._collection(number) for number in range(_COLLECTIONS if self._pool else 0)
        )

    def __len__(self) -> int:
        return len(self.columns.key)

    def _index(self, tickers: list[str]) -> None:
        """Positions by series and by filter word; the closed ones in order of their close."""
        columns = self.columns
        self.by_series = [array("I") for _ in SERIES]
        self.by_word: dict[str, array[int]] = {
            word: array("I") for word in dict.fromkeys(states.WORDS)
        }
        words = [self.by_word[word] for word in states.WORDS]
        for position, (number, state) in enumerate(zip(columns.series, columns.state, strict=True)):
            self.by_series[number].append(position)
            words[state].append(position)
        for word in states.BY_CLOSE:
            self.by_word[word] = self._ordered_by_close(self.by_word[word], tickers)
        combos = frozenset(_COMBO_KINDS)
        live = [
            position
            for position, (number, state) in enumerate(
                zip(columns.series, columns.state, strict=True)
            )
            if number not in combos and state != states.ARCHIVED
        ]
        self.events_by_close = self._ordered_by_close(live, tickers)

    def _ordered_by_close(self, positions: Sequence[int], tickers: list[str]) -> array[int]:
        by_ticker = sorted(positions, key=tickers.__getitem__, reverse=True)
        return array("I", sorted(by_ticker, key=self.columns.close.__getitem__, reverse=True))

    # Single objects

    def _event_at(self, position: int) -> Event:
        columns = self.columns
        key, close = columns.key[position], columns.close[position]
        series = SERIES[columns.series[position]]
        return Event(
            key=key,
            ticker=event_ticker(series, key, close),
            series=series,
            state=columns.state[position],
            count=columns.count[position],
            created=columns.created[position],
            close=close,
            settled=columns.settled[position],
            now=self.now,
            combo=self._combo(series.ticker, key) if series.kind is Kind.COMBO else None,
        )

    def position(self, ticker: str) -> int | None:
        """Where the event with this ticker stands in creation order."""
        hashed = hash(ticker)
        at = bisect_left(self._hashes, hashed)
        while at < len(self._hashes) and self._hashes[at] == hashed:
            position = self._by_hash[at]
            if self.event_at(position).ticker == ticker:
                return position
            at += 1
        return None

    def event(self, ticker: str) -> Event | None:
        """The event with this ticker."""
        position = self.position(ticker)
        return None if position is None else self.event_at(position)

    def market(self, ticker: str) -> Market | None:
        """The market with this ticker."""
        for candidate in (ticker.rpartition("-")[0], ticker):
            event = self.event(candidate) if candidate else None
            for market in event.markets if event else ():
                if market.ticker == ticker:
                    return market
        return None

    # Combos

    def _collection(self, number: int) -> Collection:
        series = SERIES[_COMBO_KINDS[number % len(_COMBO_KINDS)]].ticker
        ticker = f"{series}-{ticker_date(self.now - number * DAY)}"
        chosen = [self._pool[(number * 3 + step) % len(self._pool)] for step in range(6)]
        return Collection(ticker, series, tuple(dict.fromkeys(chosen)))

    def _combo(self, series: str, key: int) -> Combo:
        own = [collection for collection in self.collections if collection.series == series]
        collection = own[key % len(own)]
        events = collection.events
        raw = digest(key, 0xD, 16)
        legs = []
        for number in range(min(2 + raw[0] % 4, len(events))):
            event = events[(raw[1] + number) % len(events)]
            market = event.markets[raw[2 + number] % len(event.markets)]
            side = "yes" if raw[8 + number] < 220 else "no"
            fair = market.strike.fair if side == "yes" else 1000 - market.strike.fair
            legs.append(Leg(event.ticker, market.ticker, market.strike.name, side, fair))
        return Combo(collection.ticker, tuple(legs))

    # Listings

    def select(self, query: MarketQuery, after: Key | None) -> Iterator[Market]:
        """Markets that match, in listing order, from behind `after`."""
        order = query.order
        for position in self._candidates(query, after):
            event = self.event_at(position)
            instant = event.close if order == "close" else event.created
            for market in event.markets:
                if after is None or (instant, market.ticker) < after:
                    yield market

    def events(self, after: Key | None, series: str | None) -> Iterator[Event]:
        """Live events without combos, latest close first, from behind `after`."""
        close = self.columns.close
        start = 0
        if after is not None:
            start = bisect_left(
                self.events_by_close, -after[0], key=lambda position: -close[position]
            )
        for at in range(start, len(self.events_by_close)):
            position = self.events_by_close[at]
            if series is None or SERIES[self.columns.series[position]].ticker == series:
                event = self.event_at(position)
                if after is None or (event.close, event.ticker) < after:
                    yield event

    def combo_events(self, after: Key | None) -> Iterator[Event]:
        """Live events of combos, newest first, from behind `after`."""
        columns = self.columns
        combos = frozenset(_COMBO_KINDS)
        start = 0
        if after is not None:
            start = bisect_left(columns.created, -after[0], key=int.__neg__)
        for position in range(start, len(self)):
            if columns.series[position] in combos and columns.state[position] != states.ARCHIVED:
                event = self.event_at(position)
                if after is None or (event.created, event.ticker) < after:
                    yield event

    def _candidates(self, query: MarketQuery, after: Key | None) -> Iterator[int]:
        columns = self.columns
        times = columns.close if query.order == "close" else columns.created
        sequence = self._sequence(query)
        if query.events is not None:
            start = 0
        else:
            window = query.close if query.order == "close" else query.created
            upper = min(window.high, after[0]) if after else window.high
            start = bisect_left(sequence, -upper, key=lambda position: -times[position])
        for at in range(start, len(sequence)):
            position = sequence[at]
            if query.events is None and times[position] < window.low:
                return
            if self._matches(query, position):
                yield position

    def _sequence(self, query: MarketQuery) -> Sequence[int]:
        """The shortest ordered list of positions that holds every match."""
        times = self.columns.close if query.order == "close" else self.columns.created
        if query.events is not None:
            found = [at for ticker in query.events if (at := self.position(ticker)) is not None]
            return sorted(found, key=lambda at: (times[at], self.event_at(at).ticker), reverse=True)
        if query.order != "close" and query.series is not None:
            numbers = [
                number for number, series in enumerate(SERIES) if series.ticker == query.series
            ]
            return self.by_series[numbers[0]] if numbers else ()
        return self.by_word[query.word] if query.word else range(len(self))

    def _matches(self, query: MarketQuery, position: int) -> bool:
        columns = self.columns
        state = columns.state[position]
        if query.word is None:
            if state == states.ARCHIVED:
                return False
        elif states.WORDS[state] != query.word:
            return False
        series = SERIES[columns.series[position]]
        if query.series is not None and series.ticker != query.series:
            return False
        if query.combos is not None and query.combos != (series.kind is Kind.COMBO):
            return False
        return (
            columns.created[position] in query.created
            and columns.close[position] in query.close
            and (query.settled.everything or columns.settled[position] in query.settled)
            and (query.updated.everything or self.updated(position) in query.updated)
        )

    def updated(self, position: int) -> int:
        """When the markets at this position last changed."""
        columns = self.columns
        return updated_time(
            columns.key[position],
            columns.state[position],
            columns.created[position],
            columns.close[position],
            columns.settled[position],
            self.now,
        )


def _hash_index(tickers: list[str]) -> tuple[array[int], array[int]]:
    """Positions sorted by the hash of their ticker, and the hashes: a map that costs 12 bytes an
    entry.
    """
    hashes = array("q", map(hash, tickers))
    order = array("I", sorted(range(len(tickers)), key=hashes.__getitem__))
    return order, array("q", map(hashes.__getitem__, order))
