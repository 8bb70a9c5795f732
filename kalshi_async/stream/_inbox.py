"""What waits for one consumer: bounded by a pause in reading, or by keeping only the newest."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    """Messages between a connection, which puts without waiting, and a consumer, who waits.

    At ``high`` messages ``on_full`` is called, once, and when they are down to a quarter of that
    ``on_drained``: the connection pauses reading in between, so that what is beyond ``high`` is
    what was already in its hands. With ``key``, a message takes the place of an earlier one with
    the same key that was not taken yet, and the inbox is never full.

    Args:
        high: So many messages are enough.
        on_full: Called in ``put``.
        on_drained: Called in ``take`` and ``clear``.
        on_replaced: Called for each message that was replaced.
        key: What a message is about; None keeps them all.
    """

    __slots__ = (
        "__weakref__",
        "_full_with",
        "_high",
        "_items",
        "_key",
        "_low",
        "_newest",
        "_on_drained",
        "_on_full",
        "_on_replaced",
        "_waiting",
        "error",
        "full",
    )

    def __init__(
        self,
        high: int,
        *,
        on_full: Callable[[], None],
        on_drained: Callable[[], None],
        on_replaced: Callable[[], None] = lambda: None,
        key: Callable[[T], Hashable] | None = None,
    ) -> None:
        self._high, self._low = high, high // 4
        self._on_full, self._on_drained = on_full, on_drained
        self._on_replaced, self._key = on_replaced, key
        self._items: deque[Any] = deque()
        self._newest: dict[Hashable, T] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.full = False
        self._full_with = 0
        self.error: BaseException | None = None

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"<Inbox: {len(self._items)} waiting{', full' if self.full else ''}>"

    def put(self, item: T) -> None:
        """Add a message; after ``fail`` it is dropped."""
        if self.error is not None:
            return
        items = self._items
        if self._key is not None:
            self._put_newest(item, self._key(item))
        else:
            items.append(item)
            if len(items) >= self._high and not self.full:
                self.full = True
                self._on_full()
            if self.full:
                self._full_with = len(items)
        if self._waiting:
            self._wake()

    def _put_newest(self, item: T, key: Hashable) -> None:
        if key in self._newest:
            self._on_replaced()
        else:
            self._items.append(key)
        self._newest[key] = item

    def fail(self, error: BaseException) -> None:
        """Let every consumer have this error, once what is waiting was taken."""
        if self.error is None:
            self.error = error
        while self._waiting:
            self._wake()

    def relieve(self) -> bool:
        """Have reading go on if enough was taken since it was full; returns whether.

        Enough is half: then what one read brings on top, each time, stays bounded.
        """
        left = len(self._items)
        if left >= self._high and left > self._full_with // 2:
            return False
        self._drained()
        return True

    def clear(self) -> int:
        """Drop what is waiting; returns how much that was."""
        dropped = len(self._items)
        self._items.clear()
        self._newest.clear()
        self._drained()
        return dropped

    async def take(self) -> T:
        """The oldest message. Raises what ``fail`` was given. Cancelling is safe: a message is only
        taken in the turn in which it is returned.
        """
        items = self._items
        while not items:
            if self.error is not None:
                raise self.error.with_traceback(None)
            await self._wait()
        item = items.popleft()
        if self.full and len(items) <= self._low:
            self._drained()
        return item if self._key is None else self._newest.pop(item)

    def _drained(self) -> None:
        if self.full:
            self.full = False
            self._on_drained()

    async def _wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                # It was this one's turn: the next in line must not sleep through it.
                if self._items and self._waiting:
                    self._wake()
            else:
                with suppress(ValueError):
                    self._waiting.remove(waiter)
            raise

    def _wake(self) -> None:
        waiting = self._waiting
        while waiting:
            waiter = waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
