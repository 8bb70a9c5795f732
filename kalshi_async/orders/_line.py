"""Who waits, who is under way, and what is ready to be given out. No I/O, no clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")
OutcomeT = TypeVar("OutcomeT")


@dataclass(slots=True, eq=False)
class Job(Generic[ItemT, OutcomeT]):
    """One item on its way through a line.

    Attributes:
        index: Its place in the input.
        item: What is to be done.
        key: Two of the same key are never under way together.
        alone: It is never taken together with others.
        outcome: How it ended.
    """

    index: int
    item: ItemT
    key: str
    alone: bool = False
    outcome: OutcomeT | None = None


class Line(Generic[ItemT, OutcomeT]):
    """A bounded line of jobs.

    A job waits, is taken and under way, ends, and its outcome is given out: in the order in which
    jobs end, or with ``ordered`` in the order in which they came.

    Args:
        places: How many may wait or be under way.
        most_open: How many may have come in whose outcomes were not given out; None for any number.
    """

    def __init__(self, places: int, most_open: int | None = None) -> None:
        self.places = places
        self.most_open = most_open
        self.ordered = False
        self.pulled = 0
        self.given = 0
        self.under_way = 0
        self.waiting: deque[Job[ItemT, OutcomeT]] = deque()
        self._parked: dict[str, deque[Job[ItemT, OutcomeT]]] = {}
        self._parked_count = 0
        self._keys: set[str] = set()
        self._ready: deque[OutcomeT] = deque()
        self._early: dict[int, OutcomeT] = {}
        self._next = 0

    @property
    def full(self) -> bool:
        """Whether outcomes must be given out before more may come in."""
        return self.most_open is not None and self.pulled - self.given >= self.most_open

    @property
    def room(self) -> bool:
        """Whether one more may come in."""
        at_hand = self.under_way + len(self.waiting) + self._parked_count
        return at_hand < self.places and not self.full

    @property
    def at_hand(self) -> int:
        """How many wait."""
        return len(self.waiting) + self._parked_count

    @property
    def idle(self) -> bool:
        """Whether nobody waits and nothing is under way."""
        return not self.under_way and not self.waiting and not self._parked_count

    def add(self, job: Job[ItemT, OutcomeT]) -> None:
        """Take a job in."""
        self.pulled += 1
        if job.key in self._keys:
            self._parked.setdefault(job.key, deque()).append(job)
            self._parked_count += 1
        else:
            self._keys.add(job.key)
            self.waiting.append(job)

    def take(self, most: int) -> list[Job[ItemT, OutcomeT]]:
        """The next ones that may go together, at most so many; they are under way now."""
        waiting, taken = self.waiting, list[Job[ItemT, OutcomeT]]()
        while waiting and len(taken) < most and not (taken and waiting[0].alone):
            taken.append(waiting.popleft())
            if taken[0].alone:
                break
        self.under_way += len(taken)
        return taken

    def end(self, job: Job[ItemT, OutcomeT], outcome: OutcomeT) -> None:
        """One that was under way has ended; the next of its key moves up."""
        self.under_way -= 1
        parked = self._parked.get(job.key)
        if parked is None:
            self._keys.discard(job.key)
        else:
            self.waiting.appendleft(parked.popleft())
            self._parked_count -= 1
            if not parked:
                del self._parked[job.key]
        self._put(job, outcome)

    def give_up(self) -> list[Job[ItemT, OutcomeT]]:
        """Let go of all that wait, in the order in which they came; each is to be ``drop``ped."""
        waiting = [*self.waiting, *(job for parked in self._parked.values() for job in parked)]
        for job in self.waiting:
            self._keys.discard(job.key)
        self.waiting.clear()
        self._parked.clear()
        self._parked_count = 0
        return sorted(waiting, key=lambda job: job.index)

    def drop(self, job: Job[ItemT, OutcomeT], outcome: OutcomeT) -> None:
        """The outcome of one that was given up, or that was never to wait."""
        self._put(job, outcome)

    def give(self) -> OutcomeT | None:
        """The next outcome; None while there is none."""
        if not self._ready:
            return None
        self.given += 1
        return self._ready.popleft()

    def held(self) -> list[OutcomeT]:
        """Outcomes that were not given out."""
        return [*self._ready, *self._early.values()]

    def _put(self, job: Job[ItemT, OutcomeT], outcome: OutcomeT) -> None:
        if not self.ordered:
            self._ready.append(outcome)
            return
        self._early[job.index] = outcome
        while self._next in self._early:
            self._ready.append(self._early.pop(self._next))
            self._next += 1
