"""Work that is cancelled at each of its waits, one after the other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

import pytest

Moment = Callable[[Any, Callable[[], object]], None]


def at_once(waits_for: Any, cancel: Callable[[], object]) -> None:
    asyncio.get_running_loop().call_soon(cancel)


def when_woken(waits_for: Any, cancel: Callable[[], object]) -> None:
    if waits_for is None:
        at_once(waits_for, cancel)
    else:
        waits_for.add_done_callback(lambda _: cancel())


def after_turns(waits_for: Any, cancel: Callable[[], object]) -> None:
    raise AssertionError("counted from outside")


class CancelledAt:
    """Awaits work whose task is cancelled at its n-th wait."""

    def __init__(self, work: Coroutine[Any, Any, Any], at: int, moment: Moment) -> None:
        self._work, self._at, self._moment = work, at, moment
        self.reached = False

    def __await__(self) -> Generator[Any, Any, Any]:
        task = asyncio.current_task()
        assert task is not None
        waits, thrown = 0, None
        while True:
            try:
                waits_for = self._work.throw(thrown) if thrown else self._work.send(None)
            except StopIteration as done:
                return done.value
            if waits == self._at:
                self.reached = True
                self._moment(waits_for, task.cancel)
            waits, thrown = waits + 1, None
            try:
                yield waits_for
            except BaseException as exc:  # noqa: BLE001 - handed on
                thrown = exc


async def cancelled(
    work: Coroutine[Any, Any, Any],
    at: int,
    moment: Moment,
    before: Callable[[], Coroutine[Any, Any, Any]] | None = None,
) -> bool:
    """Do work in a task of its own that is cancelled; whether it was not done before.

    Work that was woken by what it waited for may have been done all the same. What is to be done
    ``before`` it, in the same task, is not cancelled.
    """
    begun = asyncio.Event()
    turns = moment is after_turns
    watched = CancelledAt(work, -1 if turns else at, moment)

    async def run() -> None:
        if before is not None:
            await before()
        begun.set()
        await watched

    task = asyncio.create_task(run())
    await begun.wait()
    if turns:
        for _ in range(at):
            await asyncio.sleep(0)
        watched.reached = task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    return watched.reached


def tasks() -> Counter[str]:
    """The tasks that there are, besides those of the server."""
    names = [getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks()]
    return Counter(name for name in names if not name.startswith("Hostile."))


async def nothing_left(before: Counter[str]) -> None:
    """Tasks that were told to end have ended, in a few turns of the loop."""
    for _ in range(20):
        if tasks() == before:
            return
        await asyncio.sleep(0)
    assert tasks() == before


async def each_wait(once: Callable[[int], Awaitable[bool]], moment: Moment, least: int = 1) -> None:
    """Do it again and again, cancelled later each time, until it is done before."""
    at = times = 0
    while await once(at):
        # A turn may be much shorter than what the network needs.
        at, times = at + 1 + (at // 8 if moment is after_turns else 0), times + 1
    assert times >= least, "it never waited"


moments = pytest.mark.parametrize("moment", [at_once, when_woken, after_turns])
