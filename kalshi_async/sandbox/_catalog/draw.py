"""Drawing the events of a generated catalog from a seed, into compact columns."""

from __future__ import annotations

from array import array
from bisect import bisect
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate
from random import Random

from .._text import DAY, HOUR, MINUTE, SECOND, to_micros
from . import states
from .series import INDEX, SERIES, Kind
from .strikes import ANCHORS, BTC_ANCHOR, FED_ANCHOR, event_ticker

HISTORY = 60 * DAY
_COUNTS = {
    Kind.LADDER: (3, 6),
    Kind.BRACKET: (4, 6),
    Kind.WINNER: (4, 8),
    Kind.GAME: (2, 2),
    Kind.COMBO: (1, 1),
}
# Most listed markets are open; the rest shows every other state.
_STATE_WEIGHTS = (0.06, 0.70, 0.02, 0.02, 0.02, 0.005, 0.005, 0.12, 0.05)
_POOL = 48


def cutoff(now: int) -> int:
    """Markets settled before this instant are only in the historical lists."""
    return (now - HISTORY) // DAY * DAY


def default_now(seed: int) -> int:
    """The instant a catalog is looked at when none is given: early in March 2026, from the seed."""
    start = to_micros(datetime(2026, 3, 2, 14, tzinfo=UTC))
    return start + Random(seed).randrange(7 * 24 * 60) * MINUTE  # noqa: S311 - reproducible, not secret


@dataclass(slots=True)
class Columns:
    """One value an event, newest event first; `first` has one more, the number of markets."""

    key: array[int] = field(default_factory=lambda: array("Q"))
    series: array[int] = field(default_factory=lambda: array("B"))
    state: array[int] = field(default_factory=lambda: array("B"))
    count: array[int] = field(default_factory=lambda: array("B"))
    created: array[int] = field(default_factory=lambda: array("q"))
    close: array[int] = field(default_factory=lambda: array("q"))
    settled: array[int] = field(default_factory=lambda: array("q"))


@dataclass(slots=True)
class Drawn:
    """The columns, the event tickers in the same order, and the events that combos take legs
    from.
    """

    columns: Columns
    tickers: list[str]
    pool: tuple[str, ...]


def draw(seed: int, markets: int, now: int) -> Drawn:
    """A catalog with exactly `markets` markets in the live list, and a twentieth more that are
    only in the historical ones; the same arguments draw the same catalog.
    """
    return _sorted(*_Drawing(seed, now).run(markets))


class _Drawing:
    def __init__(self, seed: int, now: int) -> None:
        self.random = Random(seed * 2 + 1)  # noqa: S311 - reproducible, not secret
        self.now = now
        self.columns = Columns()
        self.tickers: list[str] = []
        self.pool: list[str] = []
        self._seen: set[str] = set()
        self._series = list(accumulate(series.weight for series in SERIES))
        self._states = list(accumulate(_STATE_WEIGHTS))

    def run(self, markets: int) -> tuple[Columns, list[str], tuple[str, ...]]:
        left = markets
        for key, series, close in self._anchors():
            left -= self._add(key, series, states.ACTIVE, self.now - 20 * DAY - key, close, 0, left)
        game = INDEX["KXMLBGAME"]
        plan = [(game, state) for state in (states.ACTIVE, *range(9))]
        plan += [(number, states.ACTIVE) for number in range(len(SERIES))]
        for number, state in plan:
            left -= self._draw_listed(number, state, left)
        random, by_series, by_state = self.random.random, self._series, self._states
        while left > 0:
            number = bisect(by_series, random() * by_series[-1])
            left -= self._draw_listed(number, bisect(by_state, random() * by_state[-1]), left)
        return self.columns, self.tickers, tuple(self.pool)

    def _anchors(self) -> list[tuple[int, int, int]]:
        """Key, series and close of the events every catalog has; they stay open whenever `now`
        is.
        """
        fed = max(to_micros(datetime(2026, 3, 19, 18, tzinfo=UTC)), self.now + 7 * DAY)
        btc = max(to_micros(datetime(2026, 3, 14, 22, tzinfo=UTC)), self.now + 2 * DAY)
        return [(FED_ANCHOR, INDEX["KXFED"], fed), (BTC_ANCHOR, INDEX["KXBTC"], btc)]

    def _draw_listed(self, number: int, state: int, left: int) -> int:
        """Draw an event; how many markets that adds to the live list."""
        added = self._draw(number, state, left)
        return 0 if state == states.ARCHIVED else added

    def _draw(self, number: int, state: int, left: int) -> int:
        if left <= 0:
            return 0
        # Combos are made of open events, so they are open themselves.
        if SERIES[number].kind is Kind.COMBO and (not self.pool or state > states.INACTIVE):
            number = INDEX["KXMLBGAME"]
        for _ in range(6):
            added = self._try(number, state, left)
            if added:
                return added
        # Dates of rare series run out in a large catalog; games never do.
        number = INDEX["KXMLBGAME"]
        while not (added := self._try(number, state, left)):
            pass
        return added

    def _try(self, number: int, state: int, left: int) -> int:
        key = self.random.getrandbits(64)
        if key in ANCHORS:
            return 0
        created, close, settled = self._times(number, state)
        return self._add(key, number, state, created, close, settled, left)

    def _add(
        self, key: int, number: int, state: int, created: int, close: int, settled: int, left: int
    ) -> int:
        if left <= 0:
            return 0
        series = SERIES[number]
        ticker = event_ticker(series, key, close)
        if ticker in self._seen:
            return 0
        self._seen.add(ticker)
        low, high = (4, 4) if key in ANCHORS else _COUNTS[series.kind]
        count = min(low + (key >> 4) % (high - low + 1), left)
        columns = self.columns
        columns.key.append(key)
        columns.series.append(number)
        columns.state.append(state)
        columns.count.append(count)
        columns.created.append(created)
        columns.close.append(close)
        columns.settled.append(settled)
        self.tickers.append(ticker)
        if (
            series.kind is Kind.GAME
            and state == states.ACTIVE
            and count == 2
            and len(self.pool) < _POOL
        ):
            self.pool.append(ticker)
        return count

    def _times(self, number: int, state: int) -> tuple[int, int, int]:
        """Creation, close and settlement of an event in this state."""
        random, now = self.random, self.now
        life = int((0.5 + random.random() * 14) * DAY)
        settled = 0
        if state <= states.INACTIVE:
            age = min(random.expovariate(1 / 12), 380.0) if state else random.random() * 2
            created = now - int(age * DAY) - 90 * MINUTE
            ahead = int(random.expovariate(1 / 10) * DAY) + 2 * HOUR
            close = _round_up(now + ahead + (DAY if state == states.INITIALIZED else 0), number)
            return created, close, settled
        if state == states.FINALIZED:
            back = int((0.1 + random.random() * 56) * DAY)
        elif state == states.ARCHIVED:
            back = int((63 + random.random() * 90) * DAY)
        else:
            back = int((0.2 + random.random() * 5 * (state - states.CLOSED + 1)) * HOUR)
        close = _round_up(now - back, number)
        if close >= now:
            close = (now - back) // MINUTE * MINUTE
        if state >= states.FINALIZED:
            settled = min(close + 5 * MINUTE + int(random.random() * 2 * HOUR), now - MINUTE)
            settled = max(settled, close + SECOND)
        return close - life, close, settled


def _round_up(instant: int, number: int) -> int:
    """Closing times are round: the next hour, or the next five minutes of a game."""
    grain = 5 * MINUTE if SERIES[number].kind is Kind.GAME else HOUR
    return (instant // grain + 1) * grain


def _sorted(columns: Columns, tickers: list[str], pool: tuple[str, ...]) -> Drawn:
    """Newest first, each event created at an instant of its own."""
    created = columns.created
    order = sorted(range(len(created)), key=created.__getitem__, reverse=True)
    latest = None
    for position in order:
        if latest is not None and created[position] >= latest:
            created[position] = latest - 1
        latest = created[position]

    def by_order(column: array[int]) -> array[int]:
        return array(column.typecode, map(column.__getitem__, order))

    arranged = Columns(
        key=by_order(columns.key),
        series=by_order(columns.series),
        state=by_order(columns.state),
        count=by_order(columns.count),
        created=by_order(columns.created),
        close=by_order(columns.close),
        settled=by_order(columns.settled),
    )
    return Drawn(arranged, [tickers[position] for position in order], pool)
