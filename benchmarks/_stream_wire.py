"""A relay between a client and a server on loopback that can go wrong as networks do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

_PIECE = 1 << 16


@dataclass(eq=False)
class _Pair:
    """One connection, both ends."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    silent: bool = False
    left: int | None = None

    def abort(self) -> None:
        self.client.transport.abort()
        self.server.transport.abort()


class Wire:
    """The relay; `url` is where clients connect. Each fault concerns the connections of the moment.

    Use `relaying`.
    """

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    def __repr__(self) -> str:
        return f"<Wire to {self._target.netloc}: {len(self._pairs)} connections>"

    @property
    def url(self) -> str:
        """The server's address, by way of the relay."""
        return urlunsplit(self._target._replace(netloc=f"127.0.0.1:{self.port}"))

    def silence(self) -> None:
        """Pass nothing on any more, in either direction, until one of them hangs up."""
        for pair in self._pairs:
            pair.silent = True

    def hang_up(self) -> None:
        """End the stream of bytes to the client in order, without a close frame."""
        for pair in self._pairs:
            pair.client.close()

    def cut(self, after: int) -> None:
        """Break off after so many further bytes to the client, most likely amid a frame."""
        for pair in self._pairs:
            pair.left = after

    def accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """Somebody connected."""
        task = asyncio.create_task(self._relay(reader, client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _relay(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            await self._connect(reader, client)
        finally:
            client.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        host, port = self._target.hostname, self._target.port
        try:
            answers, server = await asyncio.open_connection(host, port)
        except OSError:
            return
        pair = _Pair(client, server)
        self._pairs.add(pair)
        ways = [
            asyncio.create_task(self._pass_on(pair, reader, server, counted=False)),
            asyncio.create_task(self._pass_on(pair, answers, client, counted=True)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if ways[1].done():
                client.close()  # what the server said last is still to be read
                with suppress(OSError):
                    await client.wait_closed()
        finally:
            self._pairs.discard(pair)
            for way in ways:
                way.cancel()
            pair.abort()

    async def _pass_on(
        self,
        pair: _Pair,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        *,
        counted: bool,
    ) -> None:
        with suppress(OSError):
            while data := await source.read(_PIECE):
                if pair.silent:
                    continue
                if counted and pair.left is not None:
                    data, pair.left = data[: pair.left], pair.left - len(data)
                    sink.write(data)
                    if pair.left <= 0:
                        await sink.drain()
                        return
                else:
                    sink.write(data)
                await sink.drain()

    async def end(self) -> None:
        """End all connections, those included that are just being accepted."""
        for _ in range(3):
            await asyncio.sleep(0)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


@asynccontextmanager
async def relaying(url: str) -> AsyncIterator[Wire]:
    """A relay to the server at this address, for the length of the block."""
    wire = Wire(url)
    server = await asyncio.start_server(wire.accept, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        await wire.end()
