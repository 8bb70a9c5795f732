"""When the markets of a catalog change their state, in the catalog's own time."""

from __future__ import annotations

from array import array
from heapq import heappop, heappush

from . import _states as states
from ._moving import Moving
from ._series import SERIES, Kind
from ._text import HOUR, MINUTE, SECOND

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
    """The changes ahead of generated events: the first of each in a sorted column, later ones in a
    heap as the earlier ones happen.
    """

    def __init__(self, generated: Moving) -> None:
        self._generated = generated
        self._instants = array("q")
        self._positions = array("I")
        self._at = 0
        self._later: list[tuple[int, int, int]] = []
        self._built = False

    @property
    def next(self) -> int:
        """When something happens next, at the earliest."""
        if not self._built:
            return self._generated.now + QUIET
        first = self._instants[self._at] if self._at < len(self._instants) else FAR
        return min(first, self._later[0][0]) if self._later else first

    def take(self, instant: int) -> list[tuple[int, int, int]]:
        """(when, position, new state) of everything until `instant`, in the order of time; what
        follows from it comes in the same list.
        """
        if not self._built:
            self._build()
        found: list[tuple[int, int, int]] = []
        while self.next <= instant:
            if self._later and self._later[0][0] == self.next:
                when, position, state = heappop(self._later)
            else:
                when, position = self._instants[self._at], self._positions[self._at]
                state = _NEXT[self._generated.columns.state[position]]
                self._at += 1
            found.append((when, position, state))
            if state in _NEXT:
                after = _NEXT[state]
                heappush(self._later, (max(self._due(position, state), when), position, after))
        return found

    def _build(self) -> None:
        states_of = self._generated.columns.state
        moving = [position for position, state in enumerate(states_of) if state in _NEXT]
        due = [self._due(position, states_of[position]) for position in moving]
        order = sorted(range(len(moving)), key=due.__getitem__)
        self._instants = array("q", map(due.__getitem__, order))
        self._positions = array("I", map(moving.__getitem__, order))
        self._built = True

    def _due(self, position: int, state: int) -> int:
        """When an event leaves this state."""
        generated, columns = self._generated, self._generated.columns
        if state == states.INITIALIZED:
            return generated.event_at(position).open
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
