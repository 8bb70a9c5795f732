"""Many things done at once, an outcome for each: what ``place_many`` and ``cancel_many`` share.

Decisions are plain functions on a ``Line``; tasks live in a group that is open while they do.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Generator,
    Iterable,
    Iterator,
    Sequence,
    Sized,
)
from dataclasses import dataclass
from operator import attrgetter
from types import TracebackType
from typing import Any, Generic, NoReturn, Protocol, Self

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint_if_cancelled

from .._errors import InvalidRequestError, KalshiError
from .._hooks import logger
from ._line import ItemT, Job, Line, OutcomeT

_WINDOW = 4
_AHEAD = 2
CANCELLED = "cancelled before it was sent"
LEFT = "the block was left before it was sent"


class Doing(Protocol):
    """Something on its way to the exchange."""

    @property
    def unknown(self) -> bool:
        """Whether it may have been carried out without an answer."""
        ...

    @property
    def attempts(self) -> int:
        """How many times it was handed to the network."""
        ...


@dataclass(slots=True, eq=False)
class Run(Generic[ItemT, OutcomeT]):
    """Jobs that are carried out together, and how far that got."""

    jobs: list[Job[ItemT, OutcomeT]]
    scope: anyio.CancelScope
    doing: Sequence[Doing] = ()

    @property
    def sent(self) -> bool:
        """Whether anything was handed to the network."""
        return any(each.attempts for each in self.doing)

    @property
    def doubtful(self) -> bool:
        """Whether giving it up now would leave something unknown."""
        return any(each.unknown for each in self.doing)


class Flow(ABC, Generic[ItemT, OutcomeT]):
    """Items from a source, carried out at most so many at once.

    It is used once, in one of three ways: awaited, in an ``async with`` block, or iterated as it
    is. Items come from the source only as there are places for them.
    """

    def __init__(self, source: Iterable[ItemT] | AsyncIterable[ItemT], max_in_flight: int) -> None:
        if type(max_in_flight) is not int or max_in_flight < 1:
            raise InvalidRequestError(f"max_in_flight is {max_in_flight!r}; expected 1 or more")
        self._items: Iterator[ItemT] | None = None
        self._arrivals: AsyncIterator[ItemT] | None = None
        if isinstance(source, AsyncIterable):
            self._arrivals = aiter(source)
        elif isinstance(source, Iterable):
            self._items = iter(source)
        else:
            raise InvalidRequestError(
                f"{type(self).__name__}: expected an iterable or an async iterable, not a "
                f"{type(source).__name__}"
            )
        self._line: Line[ItemT, OutcomeT] = Line(max_in_flight)
        self._kept: list[OutcomeT] | None = [] if isinstance(source, Sized) else None
        self._mode: str | None = None
        self._tasks: TaskGroup | None = None
        self._runs: set[Run[ItemT, OutcomeT]] = set()
        self._reader: anyio.CancelScope | None = None
        self._changed: anyio.Event | None = None
        self._starting = False
        self._sent = False
        self._why: str | None = None
        self._failure: Exception | None = None
        self._raised = False
        self._settled = False

    # -- what is done, and what it means

    @abstractmethod
    def _job(self, index: int, item: ItemT) -> Job[ItemT, OutcomeT]:
        """An item as a job.

        Raises:
            InvalidRequestError: It is nothing of the kind.
        """

    @abstractmethod
    def _most_together(self) -> int:
        """How many jobs may go together now, if there are as many."""

    @abstractmethod
    async def _carry_out(self, run: Run[ItemT, OutcomeT]) -> None:
        """Do the jobs of a run, and say of each that was sent how it ended, also if cancelled."""

    @abstractmethod
    def _not_sent(self, job: Job[ItemT, OutcomeT], why: str) -> OutcomeT:
        """The outcome of a job that was never sent."""

    @abstractmethod
    def _counts(self) -> str:
        """How many ended how."""

    def _ended(self, job: Job[ItemT, OutcomeT], outcome: OutcomeT) -> None:
        """Told of every outcome; ``job.outcome`` is None where it was never sent."""

    async def _settle(self) -> None:
        """Do what is left to do when nothing is under way any more."""

    def _interruption(self, cause: BaseException) -> BaseException:
        """What is raised when the whole is broken off by ``cause``."""
        return cause

    @property
    def _drains(self) -> bool:
        """Whether a stopped flow still reads an iterable to its end."""
        return False

    # -- the three ways

    def __await__(self) -> Generator[Any, Any, list[OutcomeT]]:
        return self._collect().__await__()

    async def _collect(self) -> list[OutcomeT]:
        self._use("await")
        await self._work_through()
        if self._failure is not None:
            self._raise(self._failure)
        return self.outcomes

    async def __aenter__(self) -> Self:
        self._use("async with")
        self._line.most_open = _AHEAD * self._line.places
        self._tasks = await anyio.create_task_group().__aenter__()
        self._start(self._tasks)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._tasks is not None  # noqa: S101 - set by __aenter__
        cancelled = isinstance(exc, anyio.get_cancelled_exc_class())
        self._stop(CANCELLED if cancelled and not self._done else LEFT)
        if cancelled:
            self._tasks.cancel_scope.cancel()
        try:
            # The block's own exception goes on by itself: a task group would wrap it.
            await self._tasks.__aexit__(None, None, None)
        finally:
            self._tasks = None
            await self._settle_once()
        if exc is None and self._failure is not None and not self._raised:
            logger.warning("%r was left before it could raise %r", self, self._failure)

    def __aiter__(self) -> Self:
        if self._mode != "async with":
            self._use("async for", again=True)
        return self

    async def __anext__(self) -> OutcomeT:
        while True:
            if self._why is not None:
                self._pull()
            outcome = self._line.give()
            if outcome is not None:
                if self._tasks is not None:
                    self._wake()
                    self._notify()
                return outcome
            if self._over:
                if self._failure is not None:
                    self._raise(self._failure)
                raise StopAsyncIteration
            if self._mode == "async for":
                await self._work_through()
            else:
                await self._change()

    def ordered(self) -> Self:
        """The same, giving outcomes out in the order of the input.

        An order that takes long then holds up those after it: no more than ``2 * max_in_flight``
        are begun and not given out.
        """
        if self._mode is not None:
            raise InvalidRequestError("say .ordered() before the first outcome is asked for")
        self._line.ordered = True
        return self

    @property
    def outcomes(self) -> list[OutcomeT]:
        """What is known so far, in the order of the input.

        Of a source with a length (a list), everything. Of any other one, which may be endless, what
        the loop has not been given yet.
        """
        known = self._line.held() if self._kept is None else self._kept
        return sorted(known, key=attrgetter("index"))

    def __repr__(self) -> str:
        line = self._line
        return (
            f"<{type(self).__name__} {self._counts()}, {line.under_way} under way, "
            f"{line.at_hand} waiting>"
        )

    # -- reading the source

    def _pull(self) -> None:
        """Take from an iterable what there is room for."""
        line = self._line
        while self._items is not None and line.room:
            try:
                item = next(self._items)
            except StopIteration:
                self._items = None
            except Exception as exc:  # noqa: BLE001 - raised once all outcomes are given out
                self._fail(exc)
            else:
                self._accept(item)

    async def _read(self, arrivals: AsyncIterator[ItemT]) -> None:
        """Take from an async iterable what there is room for, as it comes."""
        self._reader = reader = anyio.CancelScope()
        with reader:
            try:
                while self._arrivals is not None:
                    if self._line.full and self._mode != "async with":
                        return
                    if not self._line.room:
                        await self._change()
                        continue
                    self._accept(await anext(arrivals))
                    self._wake()
            except StopAsyncIteration:
                self._arrivals = None
            except Exception as exc:  # noqa: BLE001 - raised once all outcomes are given out
                self._fail(exc)
            finally:
                self._reader = None
                self._notify()

    def _accept(self, item: ItemT) -> None:
        try:
            job = self._job(self._line.pulled, item)
        except InvalidRequestError as exc:
            self._fail(exc)
            return
        self._line.add(job)
        if self._why is not None:
            self._give_up_waiting(self._why)

    def _fail(self, error: Exception) -> None:
        """Take no more in; ``error`` is raised once all outcomes are given out."""
        if self._failure is None:
            self._failure = error
        self._items = self._arrivals = None
        self._notify()

    # -- working: in tasks of the group that is open

    async def _work_through(self) -> None:
        """Carry out all there is, or a window of it; no task outlives this."""
        try:
            async with anyio.create_task_group() as self._tasks:
                self._start(self._tasks)
        except anyio.get_cancelled_exc_class() as exc:
            self._stop(CANCELLED)
            await self._settle_once()
            self._raise(exc)
        finally:
            self._tasks = None
        if self._why is not None:
            self._pull()
        await self._settle_once()

    def _start(self, tasks: TaskGroup) -> None:
        if self._mode == "async for":
            self._line.most_open = _WINDOW * self._line.places
        self._starting = False
        if self._arrivals is not None:
            tasks.start_soon(self._read, self._arrivals)
        self._wake()

    def _wake(self) -> None:
        """Have one more worker begin, if there is something for it; it wakes the next."""
        self._pull()
        if self._line.waiting and not self._starting and self._tasks is not None:
            self._starting = True
            self._tasks.start_soon(self._work)

    async def _work(self) -> None:
        """Do what comes next, and what comes after that, until nothing waits.

        What has arrived by the time this task runs can go together.
        """
        self._starting = False
        with anyio.CancelScope() as scope:
            while True:
                # A cancellation that became an outcome must not be followed by another order.
                await checkpoint_if_cancelled()
                jobs = self._take()
                if not jobs:
                    break
                self._wake()
                await self._run(Run(jobs, scope))
        if self._why is not None and not self._runs:
            await self._settle_once()

    async def _run(self, run: Run[ItemT, OutcomeT]) -> None:
        self._runs.add(run)
        try:
            await self._carry_out(run)
        except Exception as exc:  # noqa: BLE001 - raised once all outcomes are given out
            self._fail(exc)
            self._stop(f"another failed with {exc!r}")
        finally:
            self._runs.discard(run)
            self._sent = self._sent or run.sent
            for job in run.jobs:
                self._end(job)
            self._notify()

    def _take(self) -> list[Job[ItemT, OutcomeT]]:
        self._pull()
        waiting = self._line.waiting
        return self._line.take(self._most_together() if len(waiting) > 1 else 1)

    def _end(self, job: Job[ItemT, OutcomeT]) -> None:
        outcome = job.outcome
        if outcome is None:
            outcome = self._not_sent(job, self._why or CANCELLED)
        self._line.end(job, outcome)
        self._keep(job, outcome)

    def _keep(self, job: Job[ItemT, OutcomeT], outcome: OutcomeT) -> None:
        if self._kept is not None:
            self._kept.append(outcome)
        self._ended(job, outcome)

    def _stop(self, why: str) -> None:
        """Send nothing more: what was not sent is given up; what was is waited for."""
        if self._why is not None:
            return
        self._why = why
        self._arrivals = None
        if not self._drains:
            self._items = None
        self._give_up_waiting(why)
        for run in self._runs:
            if not run.doubtful:
                run.scope.cancel()
        if self._reader is not None:
            self._reader.cancel()
        self._notify()

    def _give_up_waiting(self, why: str) -> None:
        for job in self._line.give_up():
            outcome = self._not_sent(job, why)
            self._line.drop(job, outcome)
            self._keep(job, outcome)

    async def _settle_once(self) -> None:
        if not self._settled and self._why is not None:
            self._settled = True
            await self._settle()

    # -- small things

    @property
    def _done(self) -> bool:
        """Whether all that the source had has ended."""
        return self._items is None and self._arrivals is None and self._line.idle

    @property
    def _over(self) -> bool:
        """Whether nothing more will come."""
        return self._done and not self._line.held()

    def _use(self, mode: str, *, again: bool = False) -> None:
        if self._mode is not None and not (again and self._mode == mode):
            raise InvalidRequestError(
                f"this {type(self).__name__} was used before ({self._mode}); make another one"
            )
        self._mode = mode

    def _raise(self, cause: BaseException) -> NoReturn:
        self._raised = True
        raised = self._interruption(cause)
        if raised is cause:
            raise cause
        raise raised from cause

    async def _change(self) -> None:
        if self._changed is None:
            self._changed = anyio.Event()
        await self._changed.wait()

    def _notify(self) -> None:
        changed, self._changed = self._changed, None
        if changed is not None:
            changed.set()


def not_sent(why: str) -> KalshiError:
    """The error of what was given up before it was sent."""
    return KalshiError(f"not sent: {why}")
