"""Carrying out the faults of requests on real connections."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from itertools import pairwise

from aiohttp import web

from ._fault_kinds import NO_FAULT, Fault
from ._listener import Listener

# Pieces of a slow body follow each other this closely, so that a client which only watches the gaps
# between them never gives up.
_DRIP_SECONDS = 0.05
_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Lost(web.Response):
    """Stands for the answer of a request whose connection is gone."""


def reset(transport: asyncio.Transport | None) -> None:
    """End a connection at once with RST, as when a process dies; what was not sent is lost."""
    if transport is None or transport.is_closing():
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        # Closing without lingering makes the operating system send RST in place of FIN.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
    transport.abort()


def pieces(body: bytes, seconds: float) -> list[bytes]:
    """A body of one byte or more, cut into the pieces it is sent in over so many seconds: at least
    two, if it has two bytes and there is time.
    """
    if not seconds:
        return [body]
    number = min(len(body), max(2, math.ceil(seconds / _DRIP_SECONDS) + 1))
    cuts = [len(body) * index // number for index in range(number + 1)]
    return [body[start:end] for start, end in pairwise(cuts)]


class FaultyHttp:
    """Answers requests as their faults say. `listener` is the door that `refuse` closes."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._waiting: set[asyncio.Task[object] | None] = set()

    async def answer(
        self,
        fault: Fault,
        request: web.Request,
        process: Callable[[], Awaitable[web.Response]],
        refusal: Callable[[int], web.Response],
    ) -> web.StreamResponse:
        """The answer to a request, or a `Lost` when its connection was ended.

        `process` does what the request asks for and answers it, `refusal` makes the answer of an
        injected status. A client that gives up while the request waits does not stop it: it takes
        effect all the same, as on a real exchange. Its body may have been read by then, so that
        `process` gets it from ``request.read()`` whatever ``request.can_read_body`` says.
        """
        if fault == NO_FAULT:
            return await process()
        if request.can_read_body:
            # A body can only be read while its sender is connected. One that is not what its
            # headers say is refused when `process` reads it again.
            with contextlib.suppress(web.RequestPayloadError):
                await request.read()
        await self._wait(fault.delay)
        response: web.Response | None = None
        if fault.takes_effect:
            response = await process()
            await self._wait(fault.delay_answer)
        if fault.status is not None:
            response = refusal(fault.status)
        if response is None or fault.lost:
            return await self._lose(fault, request)
        if fault.slow or fault.truncate:
            return await self._drip(fault, request, response)
        return response

    async def stop(self) -> None:
        """End the requests that wait in a fault: whoever sent them may be gone, and nothing else
        would end them.
        """
        waiting = [task for task in self._waiting if task is not None]
        for task in waiting:
            task.cancel()
        if waiting:
            await asyncio.wait(waiting)

    async def _wait(self, seconds: float) -> None:
        if not seconds:
            return
        task = asyncio.current_task()
        self._waiting.add(task)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._waiting.discard(task)

    async def _lose(self, fault: Fault, request: web.Request) -> Lost:
        if fault.drop:
            if request.transport is not None:
                request.transport.close()
            return Lost()
        if not fault.refuse:
            reset(request.transport)
            return Lost()
        async with self._listener.refused():
            # Nobody who was thrown out may get in again before the door is closed.
            reset(request.transport)
            await self._wait(fault.refuse)
        return Lost()

    async def _drip(
        self, fault: Fault, request: web.Request, response: web.Response
    ) -> web.StreamResponse:
        body = response.body if isinstance(response.body, bytes) else b""
        if len(body) < 2:
            # There is no middle to break off at, and nothing to spread.
            await self._wait(fault.slow)
            return await self._lose(Fault(drop=True), request) if fault.truncate else response
        stream = web.StreamResponse(
            status=response.status, reason=response.reason, headers=response.headers
        )
        stream.content_length = len(body)
        sent = body[: len(body) // 2] if fault.truncate else body
        first, *rest = pieces(sent, fault.slow)
        # A client that has had enough hangs up in the middle.
        with contextlib.suppress(ConnectionError):
            await stream.prepare(request)
            await stream.write(first)
            for piece in rest:
                await self._wait(fault.slow / len(rest))
                await stream.write(piece)
            if not fault.truncate:
                await stream.write_eof()
        if fault.truncate and request.transport is not None:
            request.transport.close()
        return stream
