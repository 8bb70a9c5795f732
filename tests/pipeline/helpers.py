"""What the tests of the pipeline share: a transport, a raw server, a small exchange, a stepper."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio
import pytest
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from kalshi_async import BucketLimits, Operation, RateLimits, RetryPolicy
from kalshi_async._auth import Signer
from kalshi_async._hooks import Hook, Telemetry
from kalshi_async._http import HTTPAdapter
from kalshi_async._operations import BY_NAME, Bucket, Priority, Retry
from kalshi_async._options import Defaults
from kalshi_async._ratelimit import Limiter
from kalshi_async._transport import Transport
from kalshi_async._wire import RequestBuilder

T = TypeVar("T")

BASE_URL = "http://127.0.0.1:1/trade-api/v2"
READ = BY_NAME["GetMarket"]
LIST = BY_NAME["GetMarkets"]
SIGNED = BY_NAME["GetAccountApiLimits"]
WRITE = Operation(
    "PlaceSomething", "POST", "/things", False, Bucket.WRITE, 10, Priority.ORDER, Retry.REFUSED
)
AT_ONCE = RetryPolicy(first=0, longest=0)
NEVER = RetryPolicy(max_attempts=1)

both_backends = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def make_transport(
    http: HTTPAdapter,
    *,
    limits: RateLimits | None = None,
    limiter: Limiter | None = None,
    signer: Signer | None = None,
    timeout: float | None = 10,
    deadline: float | None = None,
    retry: RetryPolicy = AT_ONCE,
    hooks: Iterable[Hook] = (),
    max_in_flight: int = 64,
    seed: int = 1,
) -> Transport:
    return Transport(
        builder=RequestBuilder(BASE_URL, "tests"),
        http=lambda: http,
        limiter=limiter or Limiter(limits),
        signer=signer,
        defaults=Defaults(timeout, deadline, retry),
        telemetry=Telemetry(hooks),
        rng=random.Random(seed),
        max_in_flight=max_in_flight,
    )


def flat(rate: float, capacity: float) -> RateLimits:
    """Limits with the same bucket for reads and writes."""
    return RateLimits(BucketLimits(rate, capacity), BucketLimits(rate, capacity))


class Stepped(Awaitable[T]):
    """Awaits something and calls ``at_step`` just before its ``step``-th suspension."""

    def __init__(self, awaited: Awaitable[T], step: int, at_step: Callable[[], None]) -> None:
        self._awaited = awaited
        self._step = step
        self._at_step = at_step
        self.steps = 0

    def __await__(self) -> Generator[Any, Any, T]:
        inner = self._awaited.__await__()
        resume: Callable[[], Any] = lambda: next(inner)  # noqa: E731
        while True:
            try:
                trap = resume()
            except StopIteration as stop:
                return stop.value
            self.steps += 1
            if self.steps == self._step:
                self._at_step()
            try:
                value = yield trap
            except BaseException as exc:  # noqa: BLE001 - handed on to the awaited
                resume = lambda exc=exc: inner.throw(exc)  # noqa: E731
            else:
                resume = lambda value=value: inner.send(value)  # noqa: E731


# -- a raw HTTP server


class Connection:
    """One accepted connection; a behaviour reads requests from it and writes what it likes."""

    def __init__(self, stream: SocketStream, server: RawServer) -> None:
        self.stream = stream
        self._server = server
        self._buffered = BufferedByteReceiveStream(stream)

    async def request(self) -> bytes:
        """The next request's head; bodies are read and dropped."""
        head = await self._buffered.receive_until(b"\r\n\r\n", 65536)
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                await self._buffered.receive_exactly(int(line.split(b":")[1]))
        self._server.requests.append(head)
        return head

    async def send(self, data: bytes) -> None:
        await self.stream.send(data)


Behaviour = Callable[[Connection], Awaitable[None]]


@dataclass
class RawServer:
    """A TCP server; the n-th connection gets the n-th behaviour, the last one is repeated."""

    behaviours: list[Behaviour]
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    ended: anyio.Event = field(default_factory=anyio.Event)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/trade-api/v2"

    async def handle(self, stream: SocketStream) -> None:
        behaviour = self.behaviours[min(self.connections, len(self.behaviours) - 1)]
        self.connections += 1
        async with stream:
            # the client may go away first
            with suppress(anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError):
                await behaviour(Connection(stream, self))
        self.ended.set()


@asynccontextmanager
async def raw_server(*behaviours: Behaviour) -> AsyncIterator[RawServer]:
    server = RawServer(list(behaviours))
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        server.port = listener.extra(anyio.abc.SocketAttribute.local_port)
        tasks.start_soon(listener.serve, server.handle)
        yield server
        tasks.cancel_scope.cancel()


def http(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> bytes:
    """An HTTP/1.1 answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answers(*whole: bytes) -> Behaviour:
    """Answers the requests of a connection one by one; repeats the last."""

    async def behave(connection: Connection) -> None:
        for index in range(1_000_000):
            await connection.request()
            await connection.send(whole[min(index, len(whole) - 1)])

    return behave


def once(raw: bytes) -> Behaviour:
    """Answers one request and closes."""

    async def behave(connection: Connection) -> None:
        await connection.request()
        await connection.send(raw)

    return behave
