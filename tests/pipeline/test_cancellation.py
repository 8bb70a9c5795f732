"""Cancelling a call at each of its suspensions, one after the other: the client stays whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import anyio
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kalshi_async import (
    ConnectionFailedError,
    KalshiClient,
    Page,
    Paginator,
    Priority,
    Response,
    RetryPolicy,
)
from kalshi_async._auth import Signer
from kalshi_async._ratelimit import Limiter
from kalshi_async._transport import Transport
from tests.core.keys import rsa_key
from tests.pipeline.helpers import (
    READ,
    SIGNED,
    Connection,
    Stepped,
    both_backends,
    flat,
    make_transport,
    raw_server,
)
from tests.pipeline.helpers import http as http_answer
from tests.support import ScriptedHTTP, answer, in_virtual_time

Call = Callable[[], Awaitable[object]]


async def cancel_at_each_step(call: Call, check: Callable[[], Awaitable[None]]) -> int:
    """Cancel ``call`` at its 1st, 2nd, … suspension until it gets through; ``check`` each time.

    Returns:
        How many suspensions were cut short.
    """
    for step in range(1, 500):
        with anyio.CancelScope() as scope:
            stepped = Stepped(call(), step, scope.cancel)
            await stepped
        await check()
        if not scope.cancel_called:
            return step - 1
    raise AssertionError("the call never got through")


class Books:
    """A transport on a clock that stands: each token is either there or was sent."""

    def __init__(self, http: ScriptedHTTP, **options: object) -> None:
        self.http = http
        self.limiter = Limiter(flat(1, 100_000), clock=lambda: 0.0)
        self.bucket = self.limiter._queues["read"].bucket
        self.full = self.bucket.tokens(0.0)
        self.transport = make_transport(http, limiter=self.limiter, **options)  # type: ignore[arg-type]

    async def check(self) -> None:
        assert self.http.in_flight == 0
        assert "0 active, 0 queued" in repr(self.transport)
        assert self.bucket.tokens(0.0) == self.full - 10 * len(self.http.requests)
        before = len(self.http.requests)
        with anyio.fail_after(10):
            await self.transport.call(READ, path={"ticker": "B"})
        assert len(self.http.requests) > before


def path(ticker: str) -> dict[str, str | int]:
    return {"ticker": ticker}


@both_backends
@pytest.mark.parametrize("offloads", [False, True], ids=["inline", "thread"])
def test_sign_and_send(backend: str, offloads: bool) -> None:
    async def main() -> int:
        signer = Signer("id", rsa_key() if offloads else Ed25519PrivateKey.generate())
        signer.offloads = offloads
        books = Books(ScriptedHTTP(answer()), signer=signer)
        return await cancel_at_each_step(lambda: books.transport.call(SIGNED), books.check)

    assert anyio.run(main, backend=backend) >= (2 if offloads else 1)


@both_backends
def test_back_off(backend: str) -> None:
    async def main() -> int:
        def fail_every_other(_: object) -> Response:
            return answer(status=503 if len(http.requests) % 2 else 200)

        http = ScriptedHTTP(fail_every_other)
        books = Books(http, retry=RetryPolicy(first=0, longest=0))

        def call() -> Awaitable[object]:
            if len(http.requests) % 2:  # start on a failing one
                http.requests.append(http.requests[-1])
                books.full += 10
            return books.transport.call(READ, path=path("A"))

        return await cancel_at_each_step(call, books.check)

    assert anyio.run(main, backend=backend) >= 3


@both_backends
def test_at_the_gate(backend: str) -> None:
    """Cancelled in the queue of the gate, also in the moment in which the gate opens."""

    async def main() -> None:
        for cancel_first in (True, False):
            opened = anyio.Event()

            async def hold(_: object, opened: anyio.Event = opened) -> Response:
                await opened.wait()
                return answer()

            books = Books(ScriptedHTTP(hold), max_in_flight=1)
            scope = anyio.CancelScope()
            done: list[str] = []

            async def call(
                name: str, scope: anyio.CancelScope, books: Books = books, done: list[str] = done
            ) -> None:
                with scope:
                    await books.transport.call(READ, path=path(name))
                    done.append(name)

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call, "first", anyio.CancelScope())
                await anyio.wait_all_tasks_blocked()
                tasks.start_soon(call, "second", scope)
                await anyio.wait_all_tasks_blocked()
                tasks.start_soon(call, "third", anyio.CancelScope())
                await anyio.wait_all_tasks_blocked()
                assert "1 active, 2 queued" in repr(books.transport)
                if cancel_first:
                    scope.cancel()
                opened.set()
                if not cancel_first:
                    await anyio.lowlevel.checkpoint()
                    scope.cancel()
            assert [name for name in done if name != "second"] == ["first", "third"]
            await books.check()

    anyio.run(main, backend=backend)


def test_in_the_limiters_queue() -> None:
    async def main() -> None:
        limiter = Limiter(flat(10, 10))
        http = ScriptedHTTP(answer())
        transport = make_transport(http, limiter=limiter)
        await transport.call(READ, path=path("A"))

        async def call() -> object:
            return await transport.call(READ, path=path("A"))

        async def check() -> None:
            """The next call gets its tokens in the time it takes to make them."""
            start = anyio.current_time()
            await transport.call(READ, path=path("B"))
            assert anyio.current_time() - start <= 1.0 + 1e-9
            assert "waiting" not in repr(limiter)

        assert await cancel_at_each_step(call, check) >= 2

    in_virtual_time(main)


def test_a_cancelled_scan_call_leaves_its_place_to_orders() -> None:
    async def main() -> None:
        transport = make_transport(ScriptedHTTP(answer()), limits=flat(10, 10))
        await transport.call(READ, path=path("A"))
        async with anyio.create_task_group() as tasks:
            with anyio.move_on_after(0.5):
                await transport.call(READ, path=path("scan"), priority=Priority.SCAN)
            start = anyio.current_time()

            async def order() -> None:
                await transport.call(READ, path=path("order"), priority=Priority.ORDER)

            tasks.start_soon(order)
        assert anyio.current_time() - start == pytest.approx(0.5)

    in_virtual_time(main)


@both_backends
def test_pagination_goes_on_where_it_was_cancelled(backend: str) -> None:
    async def main() -> None:
        async def fetch_from(transport: Transport, cursor: str | None) -> object:
            return await transport.call(READ, path=path(cursor or "0"))

        http = ScriptedHTTP(answer())
        books = Books(http)

        async def fetch(cursor: str | None) -> Page[int]:
            await fetch_from(books.transport, cursor)
            number = int(cursor or 0)
            return Page([number], str(number + 1) if number < 4 else None)

        paginator: Paginator[int] = Paginator(fetch)
        got: list[int] = []

        async def read() -> None:
            async for page in paginator.pages():
                got.extend(page.items)

        await cancel_at_each_step(read, books.check)
        assert got == [0, 1, 2, 3, 4]
        assert paginator.finished

    anyio.run(main, backend=backend)


# -- over real connections

STATUS = b'{"exchange_active": true, "trading_active": true}'


@pytest.mark.parametrize(
    ("choice", "backend"), [("httpx", "asyncio"), ("aiohttp", "asyncio"), ("httpx", "trio")]
)
@pytest.mark.parametrize("fresh", [False, True], ids=["kept alive", "fresh"])
def test_over_a_connection(choice: str, backend: str, fresh: bool) -> None:
    async def slowly(connection: Connection) -> None:
        """The answer in pieces, so that there is more to cancel."""
        raw = http_answer(STATUS)
        while True:
            await connection.request()
            for part in (raw[:30], raw[30:-5], raw[-5:]):
                await connection.send(part)
                await anyio.lowlevel.checkpoint()
            if fresh:
                return

    async def main() -> int:
        async with (
            raw_server(slowly) as server,
            KalshiClient(
                base_url=server.base_url, http=choice, limits=None, max_in_flight=1
            ) as kalshi,
        ):

            async def check() -> None:
                assert "0 active, 0 queued" in repr(kalshi)
                with anyio.fail_after(10):
                    assert (await kalshi.exchange.status()).exchange_active

            return await cancel_at_each_step(kalshi.exchange.status, check)

    assert anyio.run(main, backend=backend) >= 1


@both_backends
def test_a_failed_connection_is_cancelled_in_its_back_off(backend: str) -> None:
    async def main() -> None:
        books = Books(
            ScriptedHTTP(ConnectionFailedError("down"), answer()),
            retry=RetryPolicy(first=1000, longest=1000),
        )
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:

                async def call() -> None:
                    await books.transport.call(READ, path=path("A"))

                tasks.start_soon(call)
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
        await books.check()

    anyio.run(main, backend=backend)


async def test_asyncios_own_timeout() -> None:
    async def forever(_: object) -> Response:
        await anyio.sleep_forever()
        return answer()

    http = ScriptedHTTP(forever, answer())
    books = Books(http)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await books.transport.call(READ, path=path("A"), deadline=100)
    task = asyncio.create_task(books.transport.call(READ, path=path("A")))
    await task
    await books.check()
