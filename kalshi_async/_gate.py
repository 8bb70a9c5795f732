"""How many requests are under way at once; who waits enters by priority, then in order."""

from __future__ import annotations

import heapq
from itertools import count

import anyio

from ._operations import Priority


class Gate:
    """A door of so many places.

    ``enter`` and ``leave`` go together: ``leave`` hands the place on, to the waiter of the smallest
    priority and, among equals, to the one who came first.

    Args:
        places: How many may be inside.
    """

    def __init__(self, places: int) -> None:
        self.places = places
        self.inside = 0
        self._waiting: list[tuple[int, int, _Turn]] = []
        self._order = count()
        self._gone = 0

    @property
    def queued(self) -> int:
        """How many wait."""
        return len(self._waiting) - self._gone

    def try_enter(self) -> bool:
        """Take a place if there is one."""
        if self.inside < self.places:
            self.inside += 1
            return True
        return False

    async def enter(self, priority: Priority) -> None:
        """Wait for a place. Cancelling is safe: a place that was just handed over goes on."""
        if self.try_enter():
            return
        turn = _Turn()
        heapq.heappush(self._waiting, (int(priority), next(self._order), turn))
        try:
            await turn.event.wait()
        except BaseException:
            if turn.given:
                self.leave()
            else:  # it stays in the queue until it comes up: taking it out would be slow
                turn.gone = True
                self._gone += 1
            raise

    def leave(self) -> None:
        """Give the place to whoever is next, or free it."""
        while self._waiting:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.gone:
                turn.given = True
                turn.event.set()
                return
            self._gone -= 1
        self.inside -= 1


class _Turn:
    __slots__ = ("event", "given", "gone")

    def __init__(self) -> None:
        self.event = anyio.Event()
        self.given = False
        self.gone = False
