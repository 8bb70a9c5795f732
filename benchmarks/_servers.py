"""The servers that contenders talk to: one process, raw asyncio protocol, keep-alive HTTP/1.1.

`python -m benchmarks._servers --markets 20000` prints `ready PORT` and serves until its standard
input closes, so that it never outlives the benchmark that started it. Answers are bytes rendered
beforehand, so that a contender waits for itself and not for the server. With `--orders` it
takes every order and every cancellation instead, and nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from time import perf_counter
from urllib.parse import parse_qs, urlsplit

from ._listing import DEFAULT_LIMIT, Listing, Query, start_of
from ._loops import FASTEST, keep_to_core, run_on
from ._process import BenchmarkError, child

BASE_PATH = "/trade-api/v2"
REQUEST_COST = 10
_TOO_MANY = b'{"error":{"code":"too_many_requests","message":"too many requests"}}'
_NOT_FOUND = b'{"error":{"code":"not_found","message":"not found"}}'
_STATUS = b'{"exchange_active":true,"trading_active":true}'
_REASONS = {200: "OK", 201: "Created", 404: "Not Found", 429: "Too Many Requests"}
_ORDERS = f"{BASE_PATH}/portfolio/events/orders"
_ORDER_ID = "2f6e1c3a-8f0b-4d0e-9a51-5b1c2d3e4f50"
_PLACED = (
    f'{{"order_id":"{_ORDER_ID}","fill_count":"0.00","remaining_count":"10.00",'
    '"ts_ms":1795359600000}'
)
_CANCELED = f'{{"order_id":"{_ORDER_ID}","reduced_by":"10.00","ts_ms":1795359600000}}'

Body = Sequence[bytes | memoryview]


@dataclass
class StrictBucket:
    """A continuous token bucket that starts full and forgives nothing. Pure: the time is passed in.

    `rate` is tokens a second and `capacity` tokens. A request that finds too few tokens is refused
    and pays nothing.
    """

    rate: float
    capacity: float
    tokens: float = field(init=False)
    spent: float = 0.0
    refused: int = 0
    _at: float | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.tokens = self.capacity

    def charge(self, cost: float, now: float) -> bool:
        """Take `cost` tokens at the instant `now` (seconds); False where they are not there."""
        if self._at is not None:
            self.tokens = min(self.capacity, self.tokens + (now - self._at) * self.rate)
        self._at = now
        # A hair of slack: the sum of many refills is rounded.
        if self.tokens + 1e-9 < cost:
            self.refused += 1
            return False
        self.tokens -= cost
        self.spent += cost
        return True


@dataclass
class Exchange:
    """What the server knows: its list, its bucket, its latency, and what it has counted."""

    listing: Listing
    bucket: StrictBucket | None = None
    latency: tuple[float, float] = (0.0, 0.0)
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    requests: int = 0
    first_at: float | None = None
    last_at: float | None = None

    def round_trip(self) -> float:
        """Seconds between the arrival of the next request at the network and its answer."""
        low, high = self.latency
        return low if low == high else self.rng.uniform(low, high)

    def answer(self, target: str, now: float) -> tuple[int, Body]:
        """Status and body for a GET of `target`, at the instant `now`."""
        parts = urlsplit(target)
        if parts.path == "/stats":
            return 200, [json.dumps(self.stats()).encode()]
        self.requests += 1
        self.first_at = now if self.first_at is None else self.first_at
        self.last_at = now
        if self.bucket is not None and not self.bucket.charge(REQUEST_COST, now):
            return 429, [_TOO_MANY]
        if parts.path == f"{BASE_PATH}/markets":
            return 200, self.listing.page(parse_query(parts.query))
        if parts.path == f"{BASE_PATH}/exchange/status":
            return 200, [_STATUS]
        return 404, [_NOT_FOUND]

    def stats(self) -> dict[str, float | int | None]:
        """The counters, times in seconds of the server's own clock."""
        return {
            "requests": self.requests,
            "spent": self.bucket.spent if self.bucket else 0.0,
            "refused": self.bucket.refused if self.bucket else 0,
            "first_at": self.first_at,
            "last_at": self.last_at,
        }


def parse_query(text: str) -> Query:
    """The part of a query string that a list of open markets heeds; the rest is ignored."""
    values = {name: found[-1] for name, found in parse_qs(text).items()}

    def number(name: str) -> int | None:
        return int(values[name]) if name in values else None

    limit = number("limit")
    return Query(
        limit=DEFAULT_LIMIT if limit is None else limit,
        start=start_of(values.get("cursor", "")),
        min_created_ts=number("min_created_ts"),
        max_created_ts=number("max_created_ts"),
    )


class Connection(asyncio.Protocol):
    """One client connection: requests without a body, answered in order."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._transport: asyncio.Transport | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._accept(head.split(b" ", 2)[1].decode("ascii"))

    def _accept(self, target: str) -> None:
        wait = self._exchange.round_trip()
        if not wait:
            self._send(*self._exchange.answer(target, perf_counter()))
            return
        # Half of the latency lies before the bucket, so requests reach it out of step.
        asyncio.get_running_loop().call_later(wait / 2, self._arrive, target, wait / 2)

    def _arrive(self, target: str, way_back: float) -> None:
        answer = self._exchange.answer(target, perf_counter())
        asyncio.get_running_loop().call_later(way_back, self._send, *answer)

    def _send(self, status: int, body: Body) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        head = _head(status, sum(len(piece) for piece in body))
        self._transport.writelines([head, *body])


class Desk(asyncio.Protocol):
    """One client connection of a server that takes orders: bytes rendered beforehand, no state.

    A batch is answered with as many items as its body names; those of a cancellation with its ids.
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        received = self._received + data
        while (body_at := received.find(b"\r\n\r\n") + 4) > 3:
            end = body_at + _content_length(received[:body_at])
            if len(received) < end:
                break
            if self._transport is not None:
                self._transport.write(order_answer(received[:body_at], received[body_at:end]))
            received = received[end:]
        self._received = received


def order_answer(head: bytes, body: bytes) -> bytes:
    """The whole answer of the desk to one request."""
    target = head.split(b" ", 2)[1].decode("ascii").partition("?")[0]
    placing = head.startswith(b"POST ")
    if target == f"{_ORDERS}/batched":
        if placing:
            return _placed_batch(body.count(b'"ticker"'))
        return _canceled_batch([item["order_id"] for item in json.loads(body)["orders"]])
    if placing and target == _ORDERS:
        return _whole_answer(201, _PLACED)
    if head.startswith(b"DELETE ") and target.startswith(f"{_ORDERS}/"):
        return _whole_answer(200, _CANCELED)
    return _whole_answer(404, _NOT_FOUND.decode())


@cache
def _placed_batch(items: int) -> bytes:
    return _whole_answer(201, f'{{"orders":[{",".join([_PLACED] * items)}]}}')


def _canceled_batch(order_ids: list[str]) -> bytes:
    items = ",".join(_CANCELED.replace(_ORDER_ID, order_id) for order_id in order_ids)
    body = f'{{"orders":[{items}]}}'
    return _head(200, len(body)) + body.encode()


@cache
def _whole_answer(status: int, body: str) -> bytes:
    return _head(status, len(body)) + body.encode()


def _content_length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest[: rest.index(b"\r")]) if found else 0


def _head(status: int, length: int) -> bytes:
    return (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


async def serve(connection: Callable[[], asyncio.Protocol]) -> None:
    """Serve on a free loopback port, print `ready PORT`, end when standard input closes."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, "127.0.0.1", 0, backlog=1_024)
    ended = asyncio.Event()

    def heard() -> None:
        if not os.read(sys.stdin.fileno(), 65_536):
            ended.set()

    loop.add_reader(sys.stdin.fileno(), heard)
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    await ended.wait()
    loop.remove_reader(sys.stdin.fileno())
    server.close()


@contextmanager
def running(python: str, **options: object) -> Iterator[str]:
    """A server in a process of its own; yields `http://127.0.0.1:PORT`.

    `options` are the command line's, underscores for dashes, True for a switch. Raises
    BenchmarkError if it does not start.
    """
    words = [
        f"--{name.replace('_', '-')}" + ("" if value is True else f"={value}")
        for name, value in options.items()
    ]
    with child([python, "-m", "benchmarks._servers", *words], patience=5) as (_, stdout):
        words = stdout.readline().split()
        if words[:1] != ["ready"]:
            raise BenchmarkError(f"the benchmark server did not start (options: {options})")
        yield f"http://127.0.0.1:{words[1]}"


def main() -> None:
    """The server process."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks._servers", description=__doc__)
    parser.add_argument("--markets", type=int, default=20_000)
    parser.add_argument("--template", type=int, default=20_000, help="distinct rendered markets")
    parser.add_argument("--latency-low", type=float, default=0.0, help="seconds, round trip")
    parser.add_argument("--latency-high", type=float, default=0.0, help="seconds, round trip")
    parser.add_argument("--rate", type=float, default=0.0, help="tokens a second; 0: no limit")
    parser.add_argument("--capacity", type=float, default=0.0, help="tokens")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--orders", action="store_true", help="take orders instead of listing")
    parser.add_argument("--core", type=int, help="keep to this core")
    given = parser.parse_args()
    keep_to_core(given.core)
    if given.orders:
        run_on(FASTEST, serve(Desk))
        return
    exchange = Exchange(
        listing=Listing(given.markets, template=given.template),
        bucket=StrictBucket(given.rate, given.capacity) if given.rate else None,
        latency=(given.latency_low, given.latency_high),
        rng=random.Random(given.seed),
    )
    asyncio.run(serve(lambda: Connection(exchange)))


if __name__ == "__main__":
    main()
