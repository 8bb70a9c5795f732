"""The generated catalog as trading time passes: events that change their state."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import states
from .generated import Generated
from .market import Event, open_time
from .series import SERIES
from .strikes import event_ticker

# Up to this many positions are cheaper taken out, or put in, one by one than all in one.
_FEW, _MANY = 100, 4_000


@dataclass(frozen=True, slots=True)
class Move:
    """An event that is in another state since an instant (microseconds, of the catalog's time)."""

    position: int
    state: int
    at: int


class Moving(Generated):
    """As `Generated`, and its events can `move`. Everything is in the catalog's own time.

    Listings under way, also in another thread, go on over what they started with.
    """

    def __init__(self, seed: int, markets: int, now: int) -> None:
        self._moved: dict[int, tuple[int, int]] = {}
        super().__init__(seed, markets, now)

    @property
    def moved(self) -> Mapping[int, tuple[int, int]]:
        """(the drawn state, when it changed last) of each position that moved."""
        return self._moved

    def move(self, moves: Sequence[Move]) -> None:
        """Let events change their state; later moves of the same event come later."""
        columns = self.columns
        before: dict[int, str] = {}
        for move in moves:
            position = move.position
            drawn = columns.state[position]
            before.setdefault(position, states.WORDS[drawn])
            self._moved[position] = self._moved.get(position, (drawn, 0))[0], move.at
            columns.state[position] = move.state
            if move.state == states.FINALIZED:
                columns.settled[position] = move.at
        self.event_at.cache_clear()
        self._relist(before)

    def outcomes(self, position: int) -> dict[str, int]:
        """What each market of an event is worth in the end, in ticks, by its ticker."""
        event = super()._event_at(position)
        if not states.decided(event.state):
            event = self._in_state(event, states.DETERMINED)
        return {market.ticker: market.settlement for market in event.markets}

    def updated(self, position: int) -> int:
        """When the markets at this position last changed."""
        moved = self._moved.get(position)
        return super().updated(position) if moved is None else moved[1]

    def _event_at(self, position: int) -> Event:
        while True:
            state = self.columns.state[position]
            event = super()._event_at(position)
            moved = self._moved.get(position)
            if moved is not None:
                drawn, event.updated = moved
                event.open = open_time(event.key, drawn, event.created, self.now)
                if drawn == states.INITIALIZED:
                    _forget_trades(event)
            # A listing in another thread must not leave an outdated event in the cache.
            if self.columns.state[position] == state:
                return event

    @staticmethod
    def _in_state(event: Event, state: int) -> Event:
        return Event(
            key=event.key,
            ticker=event.ticker,
            series=event.series,
            state=state,
            count=event.count,
            created=event.created,
            close=event.close,
            settled=event.settled,
            now=event.now,
            combo=event.combo,
        )

    def _relist(self, before: Mapping[int, str]) -> None:
        """Put moved positions under their new word, in new columns."""
        leaving: dict[str, list[int]] = {}
        coming: dict[str, list[int]] = {}
        for position, word in before.items():
            after = states.WORDS[self.columns.state[position]]
            if after != word:
                leaving.setdefault(word, []).append(position)
                coming.setdefault(after, []).append(position)
        for word in leaving.keys() | coming.keys():
            self.by_word[word] = self._relisted(word, leaving.get(word, []), coming.get(word, []))

    def _relisted(self, word: str, leaving: list[int], coming: list[int]) -> array[int]:
        by_close = word in states.BY_CLOSE
        found = self.by_word[word][:]
        if len(leaving) > _FEW:
            gone = set(leaving)
            found = array("I", [position for position in found if position not in gone])
        else:
            for position in leaving:
                del found[
                    self._place(found, position) if by_close else bisect_left(found, position)
                ]
        if len(coming) > _MANY:
            found.extend(coming)
            ordered = sorted(found, key=self._closing, reverse=True) if by_close else sorted(found)
            return array("I", ordered)
        for position in coming:
            if by_close:
                found.insert(self._place(found, position), position)
            else:
                insort(found, position)
        return found

    def _place(self, found: array[int], position: int) -> int:
        """Where a position is, or belongs, in a column by close."""
        close = self.columns.close
        when = -close[position]
        low = bisect_left(found, when, key=lambda other: -close[other])
        high = bisect_right(found, when, low, key=lambda other: -close[other])
        own = self._closing(position)
        while low < high:
            middle = (low + high) // 2
            if self._closing(found[middle]) > own:
                low = middle + 1
            else:
                high = middle
        return low

    def _closing(self, position: int) -> tuple[int, str]:
        """The place of an event in lists by close, which are descending."""
        columns = self.columns
        close = columns.close[position]
        return close, event_ticker(SERIES[columns.series[position]], columns.key[position], close)


def _forget_trades(event: Event) -> None:
    """A market that opened while trading time passed was not traded before."""
    for market in event.markets:
        market.last = market.previous = market.previous_bid = market.previous_ask = 0
        market.volume = market.volume_24h = market.open_interest = market.trade_count = 0
