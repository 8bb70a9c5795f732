"""Those who take messages out of a replay, and how its file waits for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel

from .._inbox import Inbox

logger = logging.getLogger("kalshi_async.stream")

# After so many frames or messages in one go everybody else has a turn.
AT_ONCE = 200


class Reader:
    """Somebody who takes what waits in an inbox.

    Args:
        inbox: What waits.
        too_slow: Called, with seconds, when it is full and nobody is there to take it.
        optional: Whether the file need not wait for it before it has begun to take.
    """

    def __init__(
        self, inbox: Inbox[Any], too_slow: Callable[[float], None], *, optional: bool = False
    ) -> None:
        self.inbox, self.too_slow, self.optional = inbox, too_slow, optional
        self.task: asyncio.Task[Any] | None = None
        self.waits = self.away = False
        self.sleeping: asyncio.Future[None] | None = None

    @property
    def served(self) -> bool:
        """Whether there is something to take, if only an error."""
        return bool(self.inbox) or self.inbox.error is not None

    def rouse(self) -> None:
        """Have it look again, if it sleeps."""
        if self.sleeping is not None and not self.sleeping.done():
            self.sleeping.set_result(None)


class Readers:
    """All readers of one file.

    Args:
        step: Reads on, one entry; None where the file goes on by itself, in real time.
        patience: Seconds to wait for a reader who does not come back; None waits for ever.
    """

    def __init__(self, step: Callable[[], None] | None, patience: float | None) -> None:
        self._step, self._patience = step, patience
        self._all: list[Reader] = []
        self._turns = 0
        self._changed = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Readers: {len(self._all)}>"

    def enter(self, reader: Reader) -> None:
        """A reader who is to be waited for; whoever opened it may be about to have it read."""
        self._all.append(reader)
        if not reader.optional:
            self._belongs(reader)

    def leave(self, reader: Reader) -> None:
        """A reader who takes nothing any more."""
        if reader in self._all:
            self._all.remove(reader)
        self.wake()

    async def fill(self, reader: Reader) -> None:
        """Return when there is something to take, which may be read for it. Cancelling is safe."""
        await self._turn()
        self._belongs(reader)
        reader.waits, reader.away = True, False
        if len(self._all) > 1 and not reader.served:
            self.wake()  # somebody may have been waiting for this task
        try:
            while not reader.served:
                if self._step is None:
                    await self._sleep(reader)
                elif holding := self._holding(reader):
                    await self._wait_for(holding, reader)
                else:
                    self._step()
                    await self._turn()
        finally:
            reader.waits = False

    def _belongs(self, reader: Reader) -> None:
        """It is this task that takes from it."""
        task = asyncio.current_task()
        if task is not None and reader.task is not task:
            reader.task = task
            task.add_done_callback(lambda _: self.wake())

    async def _turn(self) -> None:
        self._turns += 1
        if self._turns % AT_ONCE == 0:
            await anyio.lowlevel.checkpoint()

    def taken(self) -> None:
        """Somebody took a message: others may go on."""
        if self._step is None or len(self._all) > 1:
            self.wake()

    def fail(self, why: BaseException) -> None:
        """Nobody gets anything more but this, behind what waits."""
        for reader in self._all:
            reader.inbox.fail(why)
        self.wake()

    def wake(self) -> None:
        """Have everybody who sleeps look again."""
        self._changed.set()
        for reader in self._all:
            reader.rouse()

    def served(self) -> None:
        """Something was read: wake those it is for, and end those who are full and away."""
        for reader in list(self._all):
            if reader.served:
                reader.rouse()
            if reader.inbox.full and not self._is_there(reader):
                reader.too_slow(0.0)

    async def room(self) -> None:
        """Return when no inbox is full; who does not empty theirs in time is ended."""
        while full := [each for each in self._all if each.inbox.full]:
            with anyio.move_on_after(self._patience) as waiting:
                while any(each.inbox.full and each in self._all for each in full):
                    self._changed = asyncio.Event()
                    await self._changed.wait()
            if waiting.cancelled_caught:
                for reader in full:
                    if reader.inbox.full:
                        reader.too_slow(self._patience or 0.0)

    async def _wait_for(self, holding: list[Reader], reader: Reader) -> None:
        with anyio.move_on_after(self._patience) as waiting:
            await self._sleep(reader)
        if waiting.cancelled_caught:
            logger.warning("%d messages wait for nobody; the replay goes on", len(holding[0].inbox))
            for each in holding:
                each.away = True

    async def _sleep(self, reader: Reader) -> None:
        reader.sleeping = asyncio.get_running_loop().create_future()
        try:
            await reader.sleeping
        finally:
            reader.sleeping = None

    def _holding(self, reader: Reader) -> list[Reader]:
        """The other readers who still have something to take and are there to do so."""
        return [
            each for each in self._all if each is not reader and each.inbox and self._is_there(each)
        ]

    def _is_there(self, reader: Reader) -> bool:
        task = reader.task
        if task is None or task.done() or reader.away:
            return False
        return reader.waits or not any(each.waits and each.task is task for each in self._all)
