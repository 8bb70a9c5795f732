"""Tasks that wait for threads: without a hand-over for each, on asyncio and on trio."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import cast

import anyio

Home = Callable[[Callable[[], object]], object]
"""Runs a function on an event loop; callable from any thread."""


class Waiter:
    """A task that waits for a thread. Made by the task; woken by its event loop."""

    __slots__ = ("_event", "_future", "error", "home")

    def __init__(self) -> None:
        self.error: Exception | None = None
        # On asyncio a future, at a tenth of the price of an event.
        self._future: asyncio.Future[None] | None = None
        self._event: anyio.Event | None = None
        loop = _asyncio_loop()
        if loop is not None:
            self.home: Home = loop.call_soon_threadsafe
            self._future = loop.create_future()
        else:
            self.home = _trio_home()
            self._event = anyio.Event()

    async def wait(self) -> None:
        """Until the thread is done with it; raises what it found. Safe to cancel."""
        if self._future is not None:
            await self._future
        elif self._event is not None:
            await self._event.wait()
        if self.error is not None:
            raise self.error

    def wake(self) -> None:
        """Let the task go on; on its event loop only."""
        if self._event is not None:
            self._event.set()
        elif self._future is not None and not self._future.done():
            self._future.set_result(None)


def wake(waiters: Iterable[Waiter]) -> None:
    """Wake all who wait, with one call to each event loop; callable from any thread."""
    homes: dict[Home, list[Waiter]] = {}
    for waiter in waiters:
        homes.setdefault(waiter.home, []).append(waiter)
    for home, neighbours in homes.items():
        try:
            home(partial(_wake_all, neighbours))
        except RuntimeError:
            # The event loop has ended, and who waited with it.
            continue


def _wake_all(waiters: list[Waiter]) -> None:
    for waiter in waiters:
        waiter.wake()


def _asyncio_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop, if the caller is a task of asyncio (in a guest run both may be there)."""
    try:
        return None if asyncio.current_task() is None else asyncio.get_running_loop()
    except RuntimeError:
        return None


def _trio_home() -> Home:
    # Trio is there if a task runs on it, and needed only then.
    trio = importlib.import_module("trio.lowlevel")
    return cast("Home", trio.current_trio_token().run_sync_soon)
