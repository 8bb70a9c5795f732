"""The edge of the WebSocket: handshakes; a reader, a writer and a heartbeat for each socket."""

from __future__ import annotations

import logging
from asyncio import Transport
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

import msgspec
from aiohttp import WSMsgType, web
from anyio import Event, create_task_group, move_on_after, sleep
from anyio.abc import TaskGroup

from .._auth import Key
from .._errors import ApiError, bad_request
from .._exchange import Exchange
from .._fault_http import reset
from .._faults import Faults
from .._state_file import StateError
from .._text import SECOND
from .feed import Feed
from .outbox import GOING_AWAY, MOST_UNREAD, Outbox
from .protocol import Session
from .reference import FIFTH_MS, SECOND_MS, SOURCES
from .subscription import Frame

logger = logging.getLogger("kalshi_async.sandbox")

LONGEST_COMMAND = 1 << 20
HEARTBEAT = 10.0
# Seconds the other end has to read what is left, and again to answer a close frame.
CLOSE_WAIT = 2.0
_MILLISECOND = SECOND // 1000


class Host(Protocol):
    """What the WebSocket needs of the server it is part of."""

    faults: Faults

    @property
    def exchange(self) -> Exchange: ...
    def key_of(self, request: web.Request) -> Key: ...


async def websocket(host: Host, request: web.Request) -> web.StreamResponse:
    """Answer a handshake and serve the connection until it ends."""
    status = host.faults.handshake()
    if status is not None:
        text = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
        return web.Response(status=status, text=text, content_type="text/html")
    try:
        key = host.key_of(request)
        if not web.WebSocketResponse().can_prepare(request):
            raise bad_request("this is a WebSocket: send an upgrade request")
    except ApiError as error:
        body = msgspec.json.encode(error.body)
        return web.Response(status=error.status, body=body, content_type="application/json")
    return await host.exchange.room(Sockets).serve(host, request, key)


async def close_websockets(exchange: Exchange) -> None:
    """Close every connection, each with a close frame, and wait until they are gone or a moment
    has passed.
    """
    await exchange.room(Sockets).close()


class Sockets:
    """The open connections of one exchange. `heartbeat` and `close_wait` are seconds, `most_unread`
    bytes; changing them concerns new connections.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.heartbeat, self.close_wait, self.most_unread = HEARTBEAT, CLOSE_WAIT, MOST_UNREAD
        self.feed = Feed(exchange)
        self._exchange = exchange
        self._open: set[Outbox] = set()
        self._gone = Event()

    def __repr__(self) -> str:
        return f"<Sockets: {len(self._open)} open, {self.feed!r}>"

    def __len__(self) -> int:
        return len(self._open)

    async def close(self) -> None:
        """End every connection; see `close_websockets`."""
        for outbox in self._open:
            outbox.end(GOING_AWAY, "the exchange is shutting down")
        with move_on_after(2 * self.close_wait):
            while self._open:
                self._gone = Event()
                await self._gone.wait()

    async def serve(self, host: Host, request: web.Request, key: Key) -> web.StreamResponse:
        """Serve one connection until it ends."""
        ws = web.WebSocketResponse(
            timeout=self.close_wait, compress=False, max_msg_size=LONGEST_COMMAND
        )
        await ws.prepare(request)
        connection = _Connection(self._exchange, self.feed, ws, request, key, host)
        outbox = connection.outbox
        outbox.most_unread = self.most_unread
        self._open.add(outbox)
        try:
            await connection.run(self.heartbeat, self.close_wait)
        finally:
            connection.session.close()
            self._open.discard(outbox)
            self._gone.set()
        return ws


class _Connection:
    """One socket: commands in, frames out."""

    def __init__(
        self,
        exchange: Exchange,
        feed: Feed,
        ws: web.WebSocketResponse,
        request: web.Request,
        key: Key,
        host: Host,
    ) -> None:
        self._exchange, self._feed, self._ws, self._request = exchange, feed, ws, request
        self.outbox = Outbox(lambda: host.faults, self._overflow)
        self.session = Session(
            feed,
            self.outbox,
            key.user_id,
            subaccount=key.subaccount,
            private=key.allows("read"),
        )
        self._ticking = False

    def _overflow(self) -> Iterable[Frame]:
        return self.session.overflow()

    async def run(self, heartbeat: float, close_wait: float) -> None:
        """Serve until either end closes the connection."""
        transport = self._request.transport
        if transport is None:
            return
        async with create_task_group() as group:
            group.start_soon(self._write, group, transport)
            group.start_soon(self._beat, transport, heartbeat)
            group.start_soon(self._leave, group, close_wait)
            # Pings are answered in between, which fails when the other end is gone.
            with suppress(ConnectionError):
                await self._read(group)
            group.cancel_scope.cancel()
        end = self.outbox.final
        if end is None:
            return
        if end.code is None:
            reset(transport)
            return
        with move_on_after(close_wait):
            await self._ws.close(code=end.code, message=end.reason.encode())
        if not transport.is_closing():
            transport.abort()

    async def _read(self, group: TaskGroup) -> None:
        async for message in self._ws:
            if message.type is WSMsgType.ERROR:
                return
            # Commands are text; bytes are answered like any text that is not a command.
            text = message.data if message.type is WSMsgType.TEXT else ""
            self.outbox.answer(self.session.receive(text, self._exchange.now()))
            if not self._ticking and self._step_ms():
                self._ticking = True
                group.start_soon(self._tick)
            await self.outbox.ready()

    async def _write(self, group: TaskGroup, transport: Transport) -> None:
        try:
            await self.outbox.send(transport, self._request.writer.drain, self._exchange.durable)
        except ConnectionError:
            logger.debug("a WebSocket connection was lost")
        except StateError as error:
            # Nobody is told of what will not be there after a restart.
            logger.warning("a WebSocket connection ends: %s", error)
        group.cancel_scope.cancel()

    async def _leave(self, group: TaskGroup, seconds: float) -> None:
        """Do not wait for ever for somebody to read what is left."""
        await self.outbox.ended.wait()
        await sleep(seconds)
        group.cancel_scope.cancel()

    async def _beat(self, transport: Transport, seconds: float) -> None:
        while True:
            await sleep(seconds)
            # Behind unread data a ping tells nobody anything, and would pile up.
            if not transport.is_closing() and not transport.get_write_buffer_size():
                with suppress(ConnectionError):
                    await self._ws.ping(b"heartbeat")

    def _step_ms(self) -> int:
        """How often it wants reference prices; 0 when it wants none."""
        names = {subscription.name for subscription in self.session.subscriptions.values()}
        if "cfbenchmarks_value_5hz" in names:
            return FIFTH_MS
        return SECOND_MS if names & SOURCES.keys() else 0

    async def _tick(self) -> None:
        """Send reference prices while some are subscribed to."""
        since = self._exchange.now()
        while step := self._step_ms() * _MILLISECOND:
            await sleep((step - since % step) / SECOND)
            now = self._exchange.now()
            self._feed.referred(tuple(self.session.subscriptions.values()), since, now)
            since = now
        self._ticking = False
