"""A WebSocket server on loopback that does exactly what a script says, down to the byte."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio

from kalshi_async import KalshiClient
from kalshi_async.stream import Reconnect, Stream, StreamEvent
from tests.core.keys import KEY_ID, ed_key
from tests.support import ScriptedHTTP

WS_PATH = "/trade-api/ws/v2"
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
GUARD = 10.0
"""Seconds after which a test that hangs fails instead."""

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Gone(Exception):  # noqa: N818 - no error: how most conversations end
    """The client closed, or left."""


def ws_frame(opcode: int, payload: bytes, *, fin: bool = True, reserved: int = 0) -> bytes:
    """A frame as a server sends it."""
    head = bytes([(0x80 if fin else 0) | reserved | opcode])
    if len(payload) < 126:
        size = bytes([len(payload)])
    elif len(payload) < 1 << 16:
        size = bytes([126]) + struct.pack(">H", len(payload))
    else:
        size = bytes([127]) + struct.pack(">Q", len(payload))
    return head + size + payload


def text(message: object) -> bytes:
    """A message as one text frame."""
    return ws_frame(TEXT, json.dumps(message).encode())


def close_frame(code: int = 1000, reason: str = "") -> bytes:
    return ws_frame(CLOSE, struct.pack(">H", code) + reason.encode())


def snapshot(ticker: str, seq: int, *, sid: int = 1, yes: str = "10.00") -> dict[str, Any]:
    """A book with one bid on each side."""
    msg = {
        "market_ticker": ticker,
        "yes_dollars_fp": [["0.40", yes]],
        "no_dollars_fp": [["0.50", "5.00"]],
    }
    return {"type": "orderbook_snapshot", "sid": sid, "seq": seq, "msg": msg}


def delta(ticker: str, seq: int, *, sid: int = 1, change: str = "1.00") -> dict[str, Any]:
    """A change of the YES bid of ``snapshot``."""
    msg = {"market_ticker": ticker, "price_dollars": "0.40", "delta_fp": change, "side": "yes"}
    return {"type": "orderbook_delta", "sid": sid, "seq": seq, "msg": msg}


def trade(number: int, seq: int, *, sid: int = 1, ticker: str = "A") -> dict[str, Any]:
    """A trade that is told from others by its id."""
    msg = {"market_ticker": ticker, "trade_id": f"t-{number}"}
    return {"type": "trade", "sid": sid, "seq": seq, "msg": msg}


class Peer:
    """One connection, seen from the server.

    Attributes:
        number: From 1.
        headers: Of the request, names in lower case.
        target: What was asked for.
        commands: Every command that came.
        pings: How many pings came; ``pinged`` has one item for each.
        sids: How many subscriptions were agreed to.
    """

    def __init__(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.number, self._reader, self._writer = number, reader, writer
        self.headers: dict[str, str] = {}
        self.target = ""
        self.commands: list[dict[str, Any]] = []
        self.pings = self.sids = 0
        self.pinged: asyncio.Queue[None] = asyncio.Queue()
        self.answers_pings = True

    async def read_request(self) -> None:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self.target = head[0].split()[1]
        fields = (line.partition(":") for line in head[1:] if line)
        self.headers = {name.lower(): value.strip() for name, _, value in fields}

    async def raw(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def accept(self, *frames: bytes, more: str = "", **headers: str) -> None:
        """Agree to the handshake; ``frames`` leave in the same piece, ``more`` are header lines."""
        key = self.headers["sec-websocket-key"] + _GUID
        accepted = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        await self.raw(
            http_head(
                "101 Switching Protocols",
                Upgrade="websocket",
                Connection="Upgrade",
                Sec_WebSocket_Accept=accepted,
                **headers,
            ).replace(b"\r\n", f"\r\n{more}".encode(), 1)
            + b"".join(frames)
        )

    async def refuse(self, status: str, body: bytes = b"", **headers: str) -> None:
        sized = {"Content_Length": str(len(body)), "Connection": "close", **headers}
        await self.raw(http_head(status, **sized) + body)

    async def say(self, *messages: object) -> None:
        await self.raw(b"".join(map(text, messages)))

    async def receive(self) -> tuple[int, bytes]:
        """The next frame from the client: opcode and payload."""
        try:
            opcode, size = await self._reader.readexactly(2)
            size &= 0x7F
            if size > 125:
                form = ">H" if size == 126 else ">Q"
                (size,) = struct.unpack(form, await self._reader.readexactly(struct.calcsize(form)))
            mask = await self._reader.readexactly(4)
            payload = await self._reader.readexactly(size)
        except (EOFError, ConnectionError):
            raise Gone from None
        key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        return opcode & 0xF, (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")

    async def command(self) -> dict[str, Any]:
        """The next command; raises ``Gone`` when the client closes."""
        while True:
            opcode, payload = await self.receive()
            if opcode == PING:
                self.pings += 1
                self.pinged.put_nowait(None)
                if self.answers_pings:
                    await self.raw(ws_frame(PONG, payload))
            elif opcode == CLOSE:
                with suppress(ConnectionError):
                    await self.raw(ws_frame(CLOSE, payload))
                raise Gone
            elif opcode in (TEXT, BINARY):
                found: dict[str, Any] = json.loads(payload)
                self.commands.append(found)
                return found

    async def agree(self, *frames: object) -> dict[str, Any]:
        """Wait for a ``subscribe``, agree to it, and say ``frames``; returns the command."""
        command = await self.command()
        assert command["cmd"] == "subscribe", command
        self.sids += 1
        (channel,) = command["params"]["channels"]
        reply = {"channel": channel, "sid": self.sids}
        await self.say({"type": "subscribed", "id": command["id"], "msg": reply}, *frames)
        return command

    async def ok(self, command: Mapping[str, Any], seq: int, *frames: object) -> None:
        """Agree to an ``update_subscription``."""
        reply = {"type": "ok", "id": command["id"], "sid": command["params"]["sid"], "seq": seq}
        await self.say(reply, *frames)

    async def listen(self) -> None:
        """Note commands and answer pings until the client leaves."""
        while True:
            await self.command()

    async def hang_up(self) -> None:
        """End the connection as TCP ends them, without a word."""
        self._writer.close()

    def reset(self) -> None:
        """Break the connection off at once."""
        self._writer.transport.abort()


def http_head(status: str, **headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


Script = Callable[[Peer], Awaitable[None]]


class Hostile:
    """The server: one script a connection, the last one for all that follow.

    Attributes:
        url: Where to connect.
        peers: Every connection that there was.
    """

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts
        self._tasks: set[asyncio.Task[Any]] = set()
        self._failed: list[BaseException] = []
        self.peers: list[Peer] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        peer = Peer(len(self.peers) + 1, reader, writer)
        self.peers.append(peer)
        try:
            # Cancelled by `end` alone; asyncio would log it.
            with suppress(Gone, EOFError, ConnectionError, asyncio.CancelledError):
                await peer.read_request()
                await self._scripts[min(peer.number, len(self._scripts)) - 1](peer)
        except Exception as exc:  # noqa: BLE001 - told when the server ends
            self._failed.append(exc)
        finally:
            writer.close()

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._failed:
            raise self._failed[0]


@asynccontextmanager
async def hostile(*scripts: Script) -> AsyncIterator[Hostile]:
    """A server that runs; what goes wrong in a script is raised at its end."""
    made = Hostile(*scripts)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, limit=1 << 20)
    made.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}{WS_PATH}"
    try:
        with anyio.fail_after(GUARD):
            yield made
    finally:
        server.close()
        await made.end()


def client_of(server: Hostile, **options: Any) -> KalshiClient:
    """A client whose streams go to the server, and whose REST calls find nothing."""
    return KalshiClient(
        api_key_id=KEY_ID,
        private_key=ed_key(),
        base_url=server.url.replace("ws:", "http:").replace("/ws/", "/"),
        ws_url=server.url,
        limits=None,
        **{"http": ScriptedHTTP(), **options},
    )


def stream_of(client: KalshiClient, **options: Any) -> Stream:
    """A stream that loses no time over connecting again."""
    return client.stream(**{"reconnect": Reconnect(base=0.001, cap=0.01), **options})


@asynccontextmanager
async def streaming(*scripts: Script, **options: Any) -> AsyncIterator[tuple[Hostile, Stream]]:
    """A server and an open stream to it."""
    async with hostile(*scripts) as server, client_of(server) as client:
        async with stream_of(client, **options) as stream:
            yield server, stream


async def until(events: AsyncIterator[StreamEvent], *kinds: type) -> Any:
    """The next event of one of these kinds."""
    async for event in events:
        if isinstance(event, kinds):
            return event
    raise AssertionError("events never end")
