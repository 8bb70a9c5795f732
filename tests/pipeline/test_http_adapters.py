"""Both HTTP adapters against a raw server on loopback."""

from __future__ import annotations

import gzip
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import pytest

from kalshi_async import (
    ConfigurationError,
    ConnectionFailedError,
    ConnectionLostError,
    DeadlineExceededError,
    KalshiClient,
    KalshiError,
    RateLimitError,
    Request,
    RequestTimeoutError,
)
from kalshi_async._http import AiohttpAdapter, HTTPAdapter, HttpxAdapter, make_adapter
from tests.pipeline.helpers import AT_ONCE, NEVER, Connection, RawServer, answers, once, raw_server
from tests.pipeline.helpers import http as http_answer

CHOICES = [("httpx", "asyncio"), ("aiohttp", "asyncio"), ("httpx", "trio")]
each_adapter = pytest.mark.parametrize(("choice", "backend"), CHOICES)

Body = Callable[[HTTPAdapter], Coroutine[Any, Any, None]]


def run(choice: str, backend: str, body: Body) -> None:
    async def main() -> None:
        async with adapter(choice) as made:
            await body(made)

    anyio.run(main, backend=backend)


@asynccontextmanager
async def adapter(choice: str) -> AsyncIterator[HTTPAdapter]:
    made: HTTPAdapter = HttpxAdapter() if choice == "httpx" else AiohttpAdapter()
    try:
        yield made
    finally:
        await made.aclose()


def request(server: RawServer, path: str = "/x", method: str = "GET") -> Request:
    return Request(method, server.base_url + path, "/trade-api/v2" + path, {"x-a": "b"})


def reset(connection: Connection) -> None:
    """Make the close of this connection send a reset instead of an orderly end."""
    raw: socket.socket = connection.stream.extra(anyio.abc.SocketAttribute.raw_socket)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@each_adapter
def test_a_plain_answer(choice: str, backend: str) -> None:
    async def body(http: HTTPAdapter) -> None:
        raw = http_answer(b'{"a":1}', "201 Created", "X-Thing: One", "x-OTHER: two")
        async with raw_server(answers(raw)) as server:
            response = await http.send(request(server, "/x%2Fy?a=b%20c"), {"X-Sent": "1"}, 30)
            assert (response.status, response.body) == (201, b'{"a":1}')
            assert response.headers["x-thing"] == "One"
            assert response.headers["x-other"] == "two"
            head = server.requests[0].lower()
            assert head.startswith(b"get /trade-api/v2/x%2fy?a=b%20c http/1.1\r\n")
            assert b"\r\nx-sent: 1" in head

    run(choice, backend, body)


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
)
LARGE = bytes(range(256)) * 12_000  # 3 MB
GOOD = [
    pytest.param(CHUNKED, b"abcde", id="chunked"),
    pytest.param(http_answer(LARGE), LARGE, id="3 MB"),
    pytest.param(
        http_answer(gzip.compress(LARGE), "200 OK", "Content-Encoding: gzip"), LARGE, id="gzip"
    ),
    pytest.param(http_answer(b""), b"", id="empty"),
    pytest.param(b"HTTP/1.1 200 OK\r\n\r\nto the end", b"to the end", id="until closed"),
]


@each_adapter
@pytest.mark.parametrize(("raw", "expected"), GOOD)
def test_whole_bodies(choice: str, backend: str, raw: bytes, expected: bytes) -> None:
    async def body(http: HTTPAdapter) -> None:
        async with raw_server(once(raw)) as server:
            response = await http.send(request(server), {}, 30)
            assert response.body == expected

    run(choice, backend, body)


async def close_at_once(connection: Connection) -> None:
    await connection.request()


async def reset_at_once(connection: Connection) -> None:
    await connection.request()
    reset(connection)


async def reset_mid_body(connection: Connection) -> None:
    await connection.request()
    await connection.send(http_answer(b"x" * 5000)[:-1000])
    reset(connection)


async def close_mid_head(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-")


BROKEN = [
    pytest.param(close_at_once, id="closed before the answer"),
    pytest.param(reset_at_once, id="reset before the answer"),
    pytest.param(close_mid_head, id="closed in the head"),
    pytest.param(reset_mid_body, id="reset in the body"),
    pytest.param(once(http_answer(b"x" * 5000)[:-1000]), id="body too short"),
    pytest.param(once(CHUNKED[:-20]), id="chunks cut off"),
    pytest.param(once(b"\x00\x01garbage\xff\r\n\r\n"), id="garbage"),
    pytest.param(once(b"SSH-2.0-OpenSSH_9.6\r\n"), id="another protocol"),
]
BAD_GZIP = once(http_answer(b"not gzip at all", "200 OK", "Content-Encoding: gzip"))


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@each_adapter
@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("behaviour", BROKEN)
def test_broken_answers_are_lost_connections(
    choice: str, backend: str, behaviour: Callable[[Connection], Any], method: str
) -> None:
    async def body(http: HTTPAdapter) -> None:
        async with raw_server(behaviour, behaviour, answers(http_answer(b"ok"))) as server:
            with pytest.raises(ConnectionLostError, match=r"127\.0\.0\.1:\d+ broke: .") as caught:
                await http.send(request(server, method=method), {"X-Signature": "c2VjcmV0"}, 30)
            assert caught.value.may_have_reached_server
            assert caught.value.__cause__ is not None
            assert "\n" not in str(caught.value)
            assert "c2VjcmV0" not in "".join(map(repr, chain(caught.value)))
            assert len(server.requests) == 1, "a write goes out once"
            while server.connections < 2:
                with pytest.raises(ConnectionLostError):
                    await http.send(request(server, method=method), {}, 30)
            assert (await http.send(request(server), {}, 30)).body == b"ok"

    run(choice, backend, body)


@pytest.mark.parametrize("choice", ["httpx", "aiohttp"])
def test_a_body_that_is_not_compressed_as_it_says(choice: str) -> None:
    async def body(http: HTTPAdapter) -> None:
        async with raw_server(BAD_GZIP, answers(http_answer(b"ok"))) as server:
            with pytest.raises(ConnectionLostError):
                await http.send(request(server), {}, 30)
            assert (await http.send(request(server), {}, 30)).body == b"ok"

    run(choice, "asyncio", body)


@each_adapter
def test_no_connection(choice: str, backend: str) -> None:
    async def body(http: HTTPAdapter) -> None:
        async with raw_server(answers(http_answer())) as server:
            pass  # nobody listens there any more
        with pytest.raises(ConnectionFailedError, match=r"no connection to 127\.0\.0\.1") as caught:
            await http.send(request(server), {}, 30)
        assert not caught.value.may_have_reached_server

    run(choice, backend, body)


@each_adapter
def test_a_trickle_is_bounded_as_a_whole(choice: str, backend: str) -> None:
    async def trickle(connection: Connection) -> None:
        await connection.request()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            await connection.send(b"x")
            await anyio.sleep(0.02)

    async def body(http: HTTPAdapter) -> None:
        async with raw_server(trickle, answers(http_answer(b"ok"))) as server:
            with anyio.fail_after(20), pytest.raises(RequestTimeoutError) as caught:
                await http.send(request(server), {}, 0.25)
            assert "no answer within 0.25 s" in str(caught.value)
            assert caught.value.may_have_reached_server
            assert (await http.send(request(server), {}, 30)).body == b"ok"

    run(choice, backend, body)


@each_adapter
def test_redirects_are_not_followed(choice: str, backend: str) -> None:
    async def body(http: HTTPAdapter) -> None:
        raw = http_answer(b"", "302 Found", "Location: /elsewhere")
        async with raw_server(answers(raw)) as server:
            response = await http.send(request(server), {}, 30)
            assert (response.status, response.headers["location"]) == (302, "/elsewhere")
            assert len(server.requests) == 1

    run(choice, backend, body)


@each_adapter
def test_a_connection_is_used_again(choice: str, backend: str) -> None:
    async def body(http: HTTPAdapter) -> None:
        async with raw_server(answers(http_answer(b"1"), http_answer(b"2"))) as server:
            bodies = [(await http.send(request(server), {}, 30)).body for _ in range(3)]
            assert bodies == [b"1", b"2", b"2"]
            assert server.connections == 1

    run(choice, backend, body)


@each_adapter
def test_a_connection_that_the_server_closed_is_replaced(choice: str, backend: str) -> None:
    async def body(http: HTTPAdapter) -> None:
        async with raw_server(once(http_answer(b"old")), answers(http_answer(b"new"))) as server:
            assert (await http.send(request(server), {}, 30)).body == b"old"
            await server.ended.wait()
            for _ in range(5):  # so that the event loop looks at the socket
                await anyio.lowlevel.checkpoint()
            assert (await http.send(request(server), {}, 30)).body == b"new"
            assert server.connections == 2

    run(choice, backend, body)


@each_adapter
def test_cookies_do_not_travel(choice: str, backend: str) -> None:
    async def body(http: HTTPAdapter) -> None:
        raw = http_answer(b"{}", "200 OK", "Set-Cookie: track=1; Path=/")
        async with raw_server(answers(raw)) as server:
            for _ in range(2):
                await http.send(request(server), {}, 30)
            assert not any(b"cookie:" in head.lower() for head in server.requests)

    run(choice, backend, body)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_callers_own_client(backend: str) -> None:
    async def main() -> None:
        raw = http_answer(b"", "307 Temporary Redirect", "Location: /elsewhere")
        async with (
            raw_server(answers(raw)) as server,
            httpx.AsyncClient(
                follow_redirects=True, headers={"X-Base": "theirs"}, timeout=0.001, auth=("a", "b")
            ) as own,
        ):
            http = make_adapter(own, 10)
            response = await http.send(request(server), {"X-Ours": "1"}, 30)
            assert response.status == 307
            await http.aclose()
            assert not own.is_closed
            head = server.requests[0].lower()
            assert b"x-base: theirs" in head
            assert b"x-ours: 1" in head
            assert b"authorization" not in head
            assert len(server.requests) == 1
            assert "caller's client" in repr(http)

    anyio.run(main, backend=backend)


@pytest.mark.parametrize(("backend", "expected"), [("asyncio", "aiohttp"), ("trio", "httpx")])
def test_choices(backend: str, expected: str) -> None:
    async def main() -> None:
        assert repr(make_adapter("auto", 10)) == expected
        assert repr(make_adapter("httpx", 10)) == "httpx"
        if backend == "trio":
            with pytest.raises(ConfigurationError, match="runs on asyncio only"):
                make_adapter("aiohttp", 10)
        with pytest.raises(ConfigurationError, match="expected 'auto', 'httpx', 'aiohttp'"):
            make_adapter("requests", 10)

    anyio.run(main, backend=backend)


# -- the whole client over both


@asynccontextmanager
async def client(server: RawServer, choice: Any, **options: Any) -> AsyncIterator[KalshiClient]:
    made = KalshiClient(
        base_url=server.base_url, http=choice, limits=None, **{"retry": AT_ONCE, **options}
    )
    async with made:
        yield made


STATUS = b'{"exchange_active": true, "trading_active": false}'


@each_adapter
@pytest.mark.parametrize("failure", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_failure_then_an_answer(choice: str, backend: str, failure: str) -> None:
    async def main() -> None:
        script = answers(http_answer(b'{"error":{"code":"x"}}', failure), http_answer(STATUS))
        async with raw_server(script) as server, client(server, choice) as kalshi:
            status = await kalshi.exchange.status()
            assert (status.exchange_active, status.trading_active) == (True, False)
            assert kalshi.stats.attempts == len(server.requests) == 2
            assert kalshi.stats.retries == 1

    anyio.run(main, backend=backend)


@each_adapter
def test_a_broken_connection_then_an_answer(choice: str, backend: str) -> None:
    async def main() -> None:
        async with (
            raw_server(reset_mid_body, close_at_once, answers(http_answer(STATUS))) as server,
            client(server, choice) as kalshi,
        ):
            assert (await kalshi.exchange.status()).exchange_active
            assert kalshi.stats.failures == 0
            assert len(server.requests) == 3

    anyio.run(main, backend=backend)


@each_adapter
def test_a_deadline_on_the_real_clock(choice: str, backend: str) -> None:
    async def silent(connection: Connection) -> None:
        await connection.request()
        await anyio.sleep_forever()

    async def main() -> None:
        async with raw_server(silent) as server, client(server, choice) as kalshi:
            start = time.monotonic()
            with pytest.raises(DeadlineExceededError) as caught:
                await kalshi.exchange.status(deadline=0.3)
            assert 0.3 <= time.monotonic() - start < 0.8
            assert caught.value.may_have_reached_server
            assert "0 active, 0 queued" in repr(kalshi)

    anyio.run(main, backend=backend)


@each_adapter
def test_errors_keep_their_facts(choice: str, backend: str) -> None:
    async def main() -> None:
        refused = http_answer(b'{"error":{"code":"too_many_requests"}}', "429 Too Many Requests")
        async with (
            raw_server(answers(refused)) as server,
            client(server, choice, retry=NEVER) as kalshi,
        ):
            with pytest.raises(RateLimitError) as caught:
                await kalshi.exchange.status()
            assert (caught.value.code, caught.value.attempts) == ("too_many_requests", 1)
        with pytest.raises(KalshiError, match="closed"):
            await kalshi.exchange.status()

    anyio.run(main, backend=backend)
