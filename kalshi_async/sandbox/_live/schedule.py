"""When the markets of a catalog change their state, in the catalog's own time."""

from __future__ import annotations

from array import array
from heapq import heapify, heappop, heappush

from .._catalog import states
from .._catalog.market import open_time
from .._catalog.moving import Moving
from .._catalog.series import SERIES, Kind
from .._text import HOUR, MINUTE, SECOND

FAR = 1 << 62
# Nothing happens to a drawn event earlier than this after the instant the catalog shows.
QUIET = MINUTE
_NEXT = {
    states.INITIALIZED: states.ACTIVE,
    states.ACTIVE: states.CLOSED,
    states.INACTIVE: states.CLOSED,
    states.CLOSED: states.DETERMINED,
    states.DETERMINED: states.FINALIZED,
    states.DISPUTED: states.FINALIZED,
    states.AMENDED: states.FINALIZED,
}


def settlement_seconds(kind: Kind) -> int:
    """Seconds from determination to settlement of a generated market, as its object says."""
    return 60 if kind is Kind.GAME else 1800


class Schedule:
    """The changes ahead of generated events: the closes of open ones in a sorted column, everything
    else in a heap, where what follows from a change is put when it happens.
    """

    def __init__(self, generated: Moving) -> None:
        self._generated = generated
        self._closing = array("I")
        self._at = 0
        self._later: list[tuple[int, int, int]] = []
        self._built = False

    @property
    def next(self) -> int:
        """When something happens next, at the earliest."""
        if not self._built:
            return self._generated.now + QUIET
        close = self._next_close()
        return min(close, self._later[0][0]) if self._later else close

    def _next_close(self) -> int:
        if self._at >= len(self._closing):
            return FAR
        return self._generated.columns.close[self._closing[self._at]]

    def take(self, instant: int) -> list[tuple[int, int, int]]:
        """(when, position, new state) of everything until `instant`, in the order of time; what
        follows from it comes in the same list.
        """
        if not self._built:
            self._build()
        found: list[tuple[int, int, int]] = []
        while True:
            close = self._next_close()
            if self._later and self._later[0][0] <= min(close, instant):
                when, position, state = heappop(self._later)
            elif close <= instant:
                when, position, state = close, self._closing[self._at], states.CLOSED
                self._at += 1
            else:
                return found
            found.append((when, position, state))
            if state in _NEXT:
                after = _NEXT[state]
                heappush(self._later, (max(self._due(position, state), when), position, after))

    def _build(self) -> None:
        generated, columns = self._generated, self._generated.columns
        trading = generated.by_word["open"] + generated.by_word["paused"]
        self._closing = array("I", sorted(trading, key=columns.close.__getitem__))
        for word in ("unopened", "closed"):
            for position in generated.by_word[word]:
                state = columns.state[position]
                self._later.append((self._due(position, state), position, _NEXT[state]))
        heapify(self._later)
        self._built = True

    def _due(self, position: int, state: int) -> int:
        """When an event leaves this state."""
        generated, columns = self._generated, self._generated.columns
        if state == states.INITIALIZED:
            created = columns.created[position]
            return open_time(columns.key[position], state, created, generated.now)
        close = columns.close[position]
        if state in (states.ACTIVE, states.INACTIVE):
            return close
        kind, key = SERIES[columns.series[position]].kind, columns.key[position]
        expected = close + 3 * HOUR if kind is Kind.GAME else close
        # The result comes some minutes after it is expected, also for what the catalog lists as
        # closed: its own present is the earliest time for that.
        result = max(expected, generated.now) + (1 + key % 10) * MINUTE
        if state == states.CLOSED:
            return result
        wait = settlement_seconds(kind) * SECOND
        # Disputes take longer.
        return result + wait + (HOUR if state != states.DETERMINED else 0)
