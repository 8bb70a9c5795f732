"""The edges of the pipeline: closing amid work, a wrong environment, threads not to be had."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from pathlib import Path
from types import MappingProxyType
from typing import Any

import anyio
import pytest

from kalshi_async import (
    ConfigurationError,
    ConnectionFailedError,
    ConnectionLostError,
    KalshiClient,
    RateLimits,
)
from kalshi_async._http import AiohttpAdapter, HTTPAdapter, HttpxAdapter
from kalshi_async._operations import BATCH_CANCEL_ORDERS, BATCH_CREATE_ORDERS
from kalshi_async._ratelimit import Limiter
from kalshi_async._signing import SigningThreads
from kalshi_async._wire import Request
from kalshi_async.orders import OrderRequest
from tests.orders.venue import KEY, Venue, accepted, place
from tests.pipeline.helpers import Behaviour, Connection, answers, both_backends, http, raw_server

ADAPTERS = ["httpx", "aiohttp"]


def adapter(choice: str) -> HTTPAdapter:
    return HttpxAdapter() if choice == "httpx" else AiohttpAdapter()


def post(base_url: str) -> Request:
    return Request("POST", f"{base_url}/things", "/things", {}, b"{}")


def silent(reached: anyio.Event) -> Behaviour:
    """Reads a request and never answers."""

    async def behave(connection: Connection) -> None:
        await connection.request()
        reached.set()
        await anyio.sleep_forever()

    return behave


class TestClosingAmidRequests:
    @pytest.mark.parametrize("choice", ADAPTERS)
    async def test_one_that_was_sent(self, choice: str) -> None:
        reached = anyio.Event()
        async with raw_server(silent(reached)) as server:
            edge = adapter(choice)

            async def send() -> None:
                with pytest.raises(ConnectionLostError):
                    await edge.send(post(server.base_url), {}, None)

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(send)
                await reached.wait()
                await edge.aclose()

    @both_backends
    def test_one_that_is_only_connecting(
        self, backend: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing is sent after closing, and no socket is left behind."""
        from httpcore import AsyncNetworkBackend
        from httpcore._backends.auto import AutoBackend

        real: Any = AutoBackend.connect_tcp
        assert issubclass(AutoBackend, AsyncNetworkBackend)

        async def main() -> None:
            begun, go_on = anyio.Event(), anyio.Event()

            async def late(*args: Any, **options: Any) -> Any:
                begun.set()
                with anyio.CancelScope(shield=True):
                    await go_on.wait()
                return await real(*args, **options)

            monkeypatch.setattr(AutoBackend, "connect_tcp", late)
            async with raw_server(answers(http())) as server:
                edge = HttpxAdapter()

                async def send() -> None:
                    with pytest.raises(ConnectionLostError, match="together with the client"):
                        await edge.send(post(server.base_url), {}, 10)

                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(send)
                    await begun.wait()
                    await edge.aclose()
                    go_on.set()
                assert server.requests == []
                with pytest.raises(ConnectionFailedError):
                    await edge.send(post(server.base_url), {}, 10)
            gc.collect()  # an open socket would warn

        anyio.run(main, backend=backend)

    async def test_aiohttp_cancels_nobodys_task(self) -> None:
        edge = AiohttpAdapter()
        request = post("http://slow.example:1")
        begun = asyncio.Event()

        async def resolve(*_: object, **__: object) -> list[object]:
            begun.set()
            await asyncio.sleep(1000)
            return []

        connector: Any = edge._open(request.url).connector
        connector._resolver.resolve = resolve
        task = asyncio.create_task(edge.send(request, {}, 10))
        await begun.wait()
        await asyncio.sleep(0)
        await edge.aclose()
        with pytest.raises(ConnectionLostError, match="together with the client"):
            await task

    @pytest.mark.parametrize("choice", ADAPTERS)
    async def test_the_callers_own_cancellation_is_his(self, choice: str) -> None:
        reached = anyio.Event()
        async with raw_server(silent(reached)) as server:
            edge = adapter(choice)
            task = asyncio.create_task(edge.send(post(server.base_url), {}, 10))
            await reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with anyio.move_on_after(0.01) as scope:
                await edge.send(post(server.base_url), {}, 10)
            assert scope.cancelled_caught
            await edge.aclose()

    async def test_the_journal_is_closed_whatever_the_connections_do(self, tmp_path: Path) -> None:
        class Stubborn(Venue):
            async def aclose(self) -> None:
                raise RuntimeError("will not close")

        client = Stubborn(accepted).client(journal=tmp_path / "journal")
        await place(client)
        with pytest.raises(RuntimeError, match="will not close"):
            await client.aclose()
        async with Venue(accepted).client(journal=tmp_path / "journal"):
            pass  # it can be opened again


@both_backends
def test_a_connection_with_a_request_that_failed_is_not_used_again(backend: str) -> None:
    async def main() -> None:
        half_answered = anyio.Event()

        async def half(connection: Connection) -> None:
            await connection.request()
            await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            half_answered.set()
            await anyio.sleep_forever()

        async with raw_server(half, answers(http(b'{"a":1}'))) as server:
            edge = HttpxAdapter()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(edge.send, post(server.base_url), {}, None)
                await half_answered.wait()
                tasks.cancel_scope.cancel()
            assert (len(edge._idle), len(edge._busy)) == (0, 0)
            response = await edge.send(post(server.base_url), {}, 10)
            assert response.body == b'{"a":1}'
            await edge.aclose()

    anyio.run(main, backend=backend)


ENVIRONMENTS = {
    "no port": {"HTTPS_PROXY": "http://user:hunter2@[bad"},
    "no such kind": {"HTTPS_PROXY": "gopher://user:hunter2@proxy.example:1"},
    "no number": {"ALL_PROXY": "http://user:hunter2@proxy.example:many"},
    "nobody": {"HTTPS_PROXY": "http://:1"},
}


@pytest.mark.parametrize("choice", ADAPTERS)
@pytest.mark.parametrize("named", ENVIRONMENTS)
async def test_a_proxy_that_cannot_be_used(
    choice: Any, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was sent, so that nothing is unknown; and a password is not repeated."""
    for name, value in ENVIRONMENTS[named].items():
        monkeypatch.setenv(name, value)
    async with KalshiClient(
        base_url="https://nowhere.invalid/trade-api/v2",
        api_key_id="key",
        private_key=KEY,
        http=choice,
    ) as kalshi:
        with pytest.raises(ConfigurationError, match="proxy that the environment names") as caught:
            await kalshi.orders.place(OrderRequest("T", book_side="bid", count=1, price="0.5"))
    assert not caught.value.outcome_unknown
    assert "hunter2" not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"


@pytest.mark.parametrize("choice", ADAPTERS)
async def test_a_proxy_without_a_scheme(choice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_server(answers(http(b'{"by":"proxy"}'))) as server:
        monkeypatch.setenv("HTTP_PROXY", f"127.0.0.1:{server.port}")
        monkeypatch.setenv("NO_PROXY", "")
        edge = adapter(choice)
        response = await edge.send(post("http://nowhere.invalid"), {}, 10)
        assert response.body == b'{"by":"proxy"}'
        await edge.aclose()


async def test_certificates_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file.pem")
    edge = HttpxAdapter()
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
        await edge.send(post("https://nowhere.invalid"), {}, 10)
    await edge.aclose()


class TestSigningThreads:
    @both_backends
    def test_none_to_be_had(self, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
        real = threading.Thread.start
        refused: list[str] = []

        def start(thread: threading.Thread) -> None:
            if thread.name == "kalshi-sign":
                refused.append(thread.name)
                raise RuntimeError("can't start new thread")
            real(thread)

        async def main() -> None:
            signing = SigningThreads(lambda message: message[::-1])
            with anyio.fail_after(10):
                assert await signing.sign(b"abc") == b"cba"
                monkeypatch.undo()
                assert await signing.sign(b"abcd") == b"dcba"  # now there are
            signing.close()

        monkeypatch.setattr(threading.Thread, "start", start)
        anyio.run(main, backend=backend)
        assert refused

    @both_backends
    def test_fewer_than_wanted(self, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
        real = threading.Thread.start
        started: list[str] = []

        def start(thread: threading.Thread) -> None:
            if thread.name == "kalshi-sign":
                if started:
                    raise RuntimeError("can't start new thread")
                started.append(thread.name)
            real(thread)

        async def main() -> None:
            signing = SigningThreads(lambda message: message[::-1], threads=2)
            with anyio.fail_after(10):
                assert await signing.sign(b"abc") == b"cba"
            signing.close()

        monkeypatch.setattr(threading.Thread, "start", start)
        anyio.run(main, backend=backend)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
    @pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
    def test_a_fork_starts_its_own(self) -> None:
        signing = SigningThreads(lambda message: message[::-1])

        async def sign() -> bool:
            with anyio.move_on_after(10):
                return await signing.sign(b"abc") == b"cba"
            return False

        assert anyio.run(sign)
        child = os.fork()
        if not child:
            os._exit(0 if anyio.run(sign) else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert anyio.run(sign)
        signing.close()


def test_what_costs_nothing_has_room_without_end() -> None:
    limits = RateLimits(costs=MappingProxyType({BATCH_CANCEL_ORDERS.name: 0}))
    limiter = Limiter(limits, clock=lambda: 0.0)
    assert limiter.room(BATCH_CANCEL_ORDERS) is None
    assert limiter.room(BATCH_CREATE_ORDERS) is not None
