"""What waits to be sent to one connection: bounded, in order, with the faults asked for."""

from __future__ import annotations

from asyncio import Event, Transport
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from anyio import sleep

from .._faults import Faults
from .subscription import Frame

# Bytes of data that pile up behind a reader who does not keep pace before it is given up, and how
# many times as much may come at one go: an exchange whose clock is advanced says a lot at once.
MOST_UNREAD = 4 << 20
_AT_ONCE = 8
# Bytes waiting before no further command is read.
_FULL = 1 << 20
# Bytes handed to the transport at a time, so that a slow reader is noticed.
_CHUNK = 1 << 18
GOING_AWAY, POLICY_VIOLATION = 1001, 1008


class End(NamedTuple):
    """How the exchange ends a connection: with a close code, or (None) without any."""

    code: int | None
    reason: str = ""


class _Pause(NamedTuple):
    seconds: float


class Outbox:
    """The frames of one connection on their way out. `put` and `answer` never wait; `send` does.

    A connection that lets more than `most_unread` bytes of data pile up is told, in place of them,
    that its subscriptions ended (`overflow` makes those frames), and ends.
    """

    def __init__(
        self,
        faults: Callable[[], Faults],
        overflow: Callable[[], Iterable[Frame]],
        *,
        most_unread: int = MOST_UNREAD,
    ) -> None:
        self._faults, self._overflow, self.most_unread = faults, overflow, most_unread
        self._items: list[bytes | _Pause | End] = []
        self._unread = self._waiting = 0
        self._stuck = False
        self._filled, self._emptied = Event(), Event()
        self.ended = Event()
        self.final: End | None = None

    def __repr__(self) -> str:
        state = "ended" if self.final else "open"
        return f"<Outbox {state}: {len(self._items)} frames, {self._waiting} bytes waiting>"

    def put(self, channel: str, payload: bytes) -> None:
        """Queue a data frame."""
        if self.final:
            return
        self._unread += len(payload)
        if self._unread > self.most_unread * (1 if self._stuck else _AT_ONCE):
            self._give_up()
        else:
            self._append(channel, payload)

    def answer(self, frames: Iterable[Frame]) -> None:
        """Queue what answers a command; `ready` holds the next command back if it is much."""
        if not self.final:
            for channel, payload in frames:
                self._append(channel, payload)

    def end(self, code: int, reason: str) -> None:
        """Close the connection after what is queued."""
        if not self.final:
            self._finish(End(code, reason))

    async def ready(self) -> None:
        """Return when the next command may be read."""
        while self._waiting > _FULL and not self.final:
            # Waiting for an event that is set returns at once: nobody else would get a turn.
            self._emptied.clear()
            await self._emptied.wait()

    def _append(self, channel: str, payload: bytes) -> None:
        faults = self._faults()
        if faults.frames_quiet:
            self._queue(payload)
            return
        fault = faults.frame(channel)
        if fault.delay:
            self._items.append(_Pause(fault.delay))
        if fault.reset:
            self._finish(End(None))
        elif fault.close is not None:
            self._finish(End(fault.close))
        elif not fault.drop:
            self._queue(payload)
            if fault.duplicate:
                self._queue(payload)

    def _queue(self, payload: bytes) -> None:
        self._items.append(payload)
        self._waiting += len(payload)
        self._filled.set()

    def _give_up(self) -> None:
        self._items = [payload for _, payload in self._overflow()]
        self._finish(End(POLICY_VIOLATION, "too much unread data"))

    def _finish(self, end: End) -> None:
        if self.final is None:
            self._items.append(end)
            self.final = end
            for event in (self._filled, self._emptied, self.ended):
                event.set()

    async def send(
        self,
        transport: Transport,
        drain: Callable[[], Awaitable[None]],
        durable: Callable[[], Awaitable[None]],
    ) -> None:
        """Write what is queued, for as long as nothing ends the connection. Frames are written
        whole, many at a time: the socket, not the frame, is what costs. What they tell of is
        `durable` first.

        Raises ConnectionError when the other end is gone, and what `durable` raises. Cancelling is
        safe between frames.
        """
        while True:
            await self._filled.wait()
            items, self._items = self._items, []
            self._unread = self._waiting = 0
            self._filled.clear()
            await durable()
            parts: list[bytes] = []
            size = 0
            for item in items:
                if isinstance(item, bytes):
                    parts += (_head(len(item)), item)
                    size += len(item)
                    if size < _CHUNK:
                        continue
                await self._write(transport, drain, parts)
                parts, size = [], 0
                if isinstance(item, _Pause):
                    await sleep(item.seconds)
                elif isinstance(item, End):
                    return
            await self._write(transport, drain, parts)
            self._emptied.set()

    async def _write(
        self, transport: Transport, drain: Callable[[], Awaitable[None]], parts: list[bytes]
    ) -> None:
        if transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        if parts:
            transport.write(b"".join(parts))
            self._stuck = True
            await drain()
            self._stuck = False


def _head(size: int) -> bytes:
    """The header of a whole, unmasked text frame (RFC 6455, 5.2)."""
    if size < 126:
        return bytes((0x81, size))
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")
