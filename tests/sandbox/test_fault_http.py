"""Faults on real connections: what a client sees of them, and what takes effect."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox._fault_http import FaultyHttp, Lost, pieces
from kalshi_async.sandbox._faults import Faults
from kalshi_async.sandbox._listener import Listener

BODY = b'{"orders": [' + b",".join(b'{"id": %d}' % number for number in range(50)) + b"]}"
OPERATION = "CreateOrderV2"
LONG = 3600.0


class Small:
    """A server of one operation that notes which requests took effect, and how each ended."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.listener = Listener()
        self.edge = FaultyHttp(self.listener)
        self.done: asyncio.Queue[bytes] = asyncio.Queue()
        self.lost = 0
        self.body: bytes | None = BODY
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/orders", self._handle)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, handle_signals=False
        )
        await self._runner.setup()
        await self.listener.start(self._runner, "127.0.0.1", 0)

    async def stop(self) -> None:
        await self.listener.stop()
        await self.edge.stop()
        assert self._runner is not None
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        async def process() -> web.Response:
            self.done.put_nowait(await request.read())
            if self.body is None:
                return web.Response(status=204)
            return web.Response(
                status=201, body=self.body, content_type="application/json", headers={"X-A": "b"}
            )

        def refusal(status: int) -> web.Response:
            return web.Response(status=status, body=b'{"error": {}}')

        fault = self.faults.decide(OPERATION)
        response = await self.edge.answer(fault, request, process, refusal)
        self.lost += isinstance(response, Lost)
        return response

    def took_effect(self) -> list[bytes]:
        found = []
        while not self.done.empty():
            found.append(self.done.get_nowait())
        return found


class Wire:
    """A connection that shows the bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, body: bytes = b"order") -> None:
        head = f"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)
        await self.writer.drain()

    async def head(self) -> dict[str, str]:
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        return fields | {"status": lines[0].split()[1]}

    def close(self) -> None:
        self.writer.close()


@pytest.fixture
async def small(caplog: pytest.LogCaptureFixture) -> AsyncIterator[Small]:
    server = Small()
    await server.start()
    yield server
    await server.stop()
    assert [entry for entry in caplog.records if entry.levelno > logging.INFO] == []


@pytest.fixture
async def wire(small: Small) -> AsyncIterator[Wire]:
    connection = await connect(small)
    yield connection
    connection.close()


async def connect(small: Small) -> Wire:
    return Wire(*await asyncio.open_connection(*small.listener.address))


async def until(reached: Callable[[], bool]) -> None:
    """Let the loop go on until then."""
    while not reached():  # noqa: ASYNC110 - what is waited for sets no event
        await asyncio.sleep(0)


def url(small: Small) -> str:
    host, port = small.listener.address
    return f"http://{host}:{port}/orders"


# Lost answers


@pytest.mark.parametrize("processed", [False, True])
async def test_a_reset_is_a_reset(small: Small, wire: Wire, processed: bool) -> None:
    small.faults.on(OPERATION, reset=True, processed=processed)
    await wire.send()
    with pytest.raises(ConnectionResetError):
        await wire.reader.read()
    assert small.took_effect() == ([b"order"] if processed else [])
    assert small.lost == 1


@pytest.mark.parametrize("processed", [False, True])
async def test_a_drop_is_the_end_of_the_stream(small: Small, wire: Wire, processed: bool) -> None:
    small.faults.on(OPERATION, drop=True, processed=processed)
    await wire.send()
    assert await wire.reader.read() == b""
    assert small.took_effect() == ([b"order"] if processed else [])
    assert small.lost == 1


async def test_a_gateway_gives_up_on_a_request_that_took_effect(small: Small) -> None:
    small.faults.on(OPERATION, status=504, processed=True).on(OPERATION, nth=2, status=503)
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        assert (await http.post(url(small), content=b"a")).status_code == 504
        assert small.took_effect() == [b"a"]
        assert (await http.post(url(small), content=b"b")).status_code == 503
        assert small.took_effect() == []
        answer = await http.post(url(small), content=b"c")
        assert (answer.status_code, answer.content) == (201, BODY)
        assert small.took_effect() == [b"c"]


# Late answers


async def test_a_request_takes_effect_though_its_sender_gave_up(small: Small, wire: Wire) -> None:
    small.faults.on(OPERATION, delay=0.05)
    await wire.send(b"x" * 100_000)
    await until(lambda: small.faults.injected == 1)
    wire.close()
    await wire.writer.wait_closed()
    assert await small.done.get() == b"x" * 100_000


async def test_the_answer_waits_after_the_effect(small: Small, wire: Wire) -> None:
    small.faults.on(OPERATION, delay_answer=LONG)
    await wire.send()
    assert await small.done.get() == b"order"
    await small.edge.stop()
    assert await wire.reader.read() == b""


async def test_requests_that_wait_end_with_the_server(small: Small) -> None:
    small.faults.on(OPERATION, times=5, delay=LONG)
    before = asyncio.all_tasks()
    for _ in range(5):
        connection = await connect(small)
        await connection.send()
        connection.close()
        await connection.writer.wait_closed()
    await until(lambda: small.faults.injected == 5)
    await small.edge.stop()
    await until(lambda: not asyncio.all_tasks() - before)
    assert small.took_effect() == []


# Bodies


@given(st.binary(min_size=1, max_size=300), st.floats(0, 20))
def test_the_pieces_of_a_slow_body_are_the_body(body: bytes, seconds: float) -> None:
    found = pieces(body, seconds)
    assert b"".join(found) == body
    assert all(found)
    assert len(found) == 1 if not seconds else len(found) >= min(2, len(body))
    assert len(found) == len(body) or seconds / len(found) <= 0.05


async def test_a_slow_body_comes_in_full(small: Small) -> None:
    small.faults.on(OPERATION, slow=0.1)
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        for _ in range(2):
            answer = await http.post(url(small), content=b"a")
            assert (answer.status_code, answer.content) == (201, BODY)
            assert answer.headers["X-A"] == "b"
            assert answer.headers["Content-Type"] == "application/json"


async def test_a_slow_body_drips(small: Small, wire: Wire) -> None:
    small.faults.on(OPERATION, slow=LONG)
    await wire.send()
    head = await wire.head()
    assert head["content-length"] == str(len(BODY))
    assert await wire.reader.read(len(BODY)) == BODY[:1]


async def test_a_client_may_hang_up_in_the_middle_of_a_body(small: Small, wire: Wire) -> None:
    small.faults.on(OPERATION, slow=0.1)
    before = asyncio.all_tasks()
    await wire.send()
    await wire.head()
    wire.close()
    await wire.writer.wait_closed()
    await until(lambda: not asyncio.all_tasks() - before)


async def test_a_truncated_body_breaks_off(small: Small, wire: Wire) -> None:
    small.faults.on(OPERATION, times=2, truncate=True)
    await wire.send()
    head = await wire.head()
    assert (head["status"], head["content-length"]) == ("201", str(len(BODY)))
    assert await wire.reader.read() == BODY[: len(BODY) // 2]
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
            await http.post(url(small))
    assert len(small.took_effect()) == 2
    assert small.lost == 0


@pytest.mark.parametrize("body", [None, b"", b"1"])
async def test_of_an_answer_without_a_body_nothing_is_left(small: Small, body: Any) -> None:
    small.faults.on(OPERATION, truncate=True).on(OPERATION, nth=2, slow=0.01)
    small.body = body
    connection = await connect(small)
    await connection.send()
    assert await connection.reader.read() == b""
    assert small.lost == 1
    connection.close()
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        answer = await http.post(url(small))
        assert answer.content == (body or b"")
        assert answer.is_success


# The door


async def test_the_door_closes_and_opens_under_the_same_address(small: Small, wire: Wire) -> None:
    host, port = small.listener.address
    async with small.listener.refused():
        assert small.listener.address == (host, port)
        assert "refusing" in repr(small.listener)
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                await connect(small)
        # A connection from before ends as well.
        assert await wire.reader.read() == b""
        async with small.listener.refused():
            pass
        with pytest.raises(ConnectionRefusedError):
            await connect(small)
    assert "accepting" in repr(small.listener)
    again = await connect(small)
    await again.send()
    assert (await again.head())["status"] == "201"
    again.close()


async def test_nobody_else_gets_the_port_meanwhile(small: Small) -> None:
    async with small.listener.refused():
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(small.listener.address)


async def test_a_request_under_way_is_answered_while_the_door_closes(small: Small) -> None:
    small.faults.on(OPERATION, delay_answer=0.05)
    connection = await connect(small)
    await connection.send()
    await small.done.get()
    async with small.listener.refused():
        assert (await connection.head())["status"] == "201"
        assert await connection.reader.read() == BODY
    connection.close()


async def test_a_request_can_close_the_door_for_a_while(small: Small, wire: Wire) -> None:
    small.faults.on(OPERATION, refuse=0.1)
    await wire.send()
    with pytest.raises(ConnectionResetError):
        await wire.reader.read()
    refused, again = 0, None
    while again is None:
        try:
            again = await connect(small)
        except ConnectionRefusedError:
            refused += 1
    assert refused
    assert small.took_effect() == []
    await again.send()
    assert (await again.head())["status"] == "201"
    again.close()


async def test_the_server_ends_behind_a_closed_door(small: Small, wire: Wire) -> None:
    small.faults.on(OPERATION, refuse=LONG)
    host, port = small.listener.address
    await wire.send()
    with pytest.raises(ConnectionResetError):
        await wire.reader.read()
    await small.listener.stop()
    await small.edge.stop()
    await small.listener.accept()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, port)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((host, port))


async def test_an_address_that_cannot_be_bound_leaves_nothing_behind(small: Small) -> None:
    other = Listener()
    with pytest.raises(RuntimeError, match="not started"):
        _ = other.address
    assert small._runner is not None
    sites = len(small._runner.sites)
    with pytest.raises(OSError, match="in use"):
        await other.start(small._runner, *small.listener.address)
    assert len(small._runner.sites) == sites
    await other.refuse()
    await other.accept()
    assert "not listening" in repr(other)


def test_resets_and_refusals_on_another_event_loop() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def run() -> None:
        small = Small()
        await small.start()
        small.faults.on(OPERATION, reset=True)
        wire = await connect(small)
        await wire.send()
        with pytest.raises(ConnectionResetError):
            await wire.reader.read()
        wire.close()
        async with small.listener.refused():
            with pytest.raises(ConnectionRefusedError):
                await connect(small)
        again = await connect(small)
        await again.send()
        assert (await again.head())["status"] == "201"
        again.close()
        await small.stop()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
