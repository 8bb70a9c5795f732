"""The ways to take the order book of a market from a stream: the floor, ours, the peer.

Each opener takes where to connect and yields a `Taker`. Imports are inside the openers: a process
loads its own contender and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from benchmarks._loops import ASYNCIO, UVLOOP
from benchmarks._stream_feed import SIDES, ticker
from benchmarks._stream_server import WS_PATH

if TYPE_CHECKING:
    from kalshi_async import KalshiClient
    from kalshi_async.stream import OrderBooks

KEY_ID = "0b5a6a3e-6f0f-4d3b-9f8a-2d9c5c1f7e11"
TICKER = ticker(0)

Book = Mapping[str, Mapping[Decimal, Decimal]]
"""Contracts by price in dollars, for "yes" and "no"."""


@dataclass(frozen=True)
class Place:
    """Where to connect and with what.

    Attributes:
        address: `host:port` of the server.
        key: PEM file of the private key.
    """

    address: str
    key: Path


class Taker(Protocol):
    """One open connection."""

    async def take(self, last: int) -> int:
        """Subscribe and take every update up to the frame with this number; how many those were."""
        ...

    def book(self) -> Book:
        """The book that it has kept."""
        ...


Opener = Callable[[Place], AbstractAsyncContextManager[Taker]]


@dataclass(frozen=True)
class Contender:
    """A way to take, and the event loop that it runs on."""

    opened: Opener
    loop: str = ASYNCIO


@asynccontextmanager
async def floor(place: Place) -> AsyncIterator[Taker]:
    """`async for message in connection` of websockets, msgspec, two dicts; nothing checked."""
    from websockets.asyncio.client import connect

    from .stream_floor import FloorTaker

    async with connect(f"ws://{place.address}{WS_PATH}", proxy=None) as connection:
        yield FloorTaker(connection)


def client(place: Place) -> KalshiClient:
    """Our client, for either loop."""
    from kalshi_async import KalshiClient

    return KalshiClient(
        base_url=f"http://{place.address}/trade-api/v2",
        ws_url=f"ws://{place.address}{WS_PATH}",
        api_key_id=KEY_ID,
        private_key_path=place.key,
        limits=None,
    )


def ours(*, conflate: bool = False) -> Opener:
    """`stream.orderbook(...)`."""

    @asynccontextmanager
    async def opened(place: Place) -> AsyncIterator[Taker]:
        async with client(place) as kalshi, kalshi.stream() as stream:
            yield _Ours(stream.orderbook(TICKER, conflate=conflate))

    return opened


class _Ours:
    def __init__(self, books: OrderBooks) -> None:
        self._books = books

    async def take(self, last: int) -> int:
        count = 0
        async for update in self._books:
            count += 1
            if update.seq == last:
                break
        return count

    def book(self) -> Book:
        book = self._books.book(TICKER)
        return {"yes": dict(book.yes), "no": dict(book.no)}


@asynccontextmanager
async def sdk(place: Place) -> AsyncIterator[Taker]:
    """kalshi-sdk, `subscribe_orderbook_delta`."""
    from kalshi import KalshiAuth, KalshiConfig  # type: ignore[import-not-found,unused-ignore]
    from kalshi.ws import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
        KalshiWebSocket,
    )

    auth = KalshiAuth.from_key_path(KEY_ID, str(place.key))
    config = KalshiConfig(
        base_url=f"http://{place.address}/trade-api/v2",
        ws_base_url=f"ws://{place.address}{WS_PATH}",
    )
    async with KalshiWebSocket(auth=auth, config=config).connect() as session:
        yield _Sdk(session)


class _Sdk:
    def __init__(self, session: object) -> None:
        self._session = session
        self._book: Book = {}

    async def take(self, last: int) -> int:
        stream = await self._session.subscribe_orderbook_delta(  # type: ignore[attr-defined]
            tickers=[TICKER]
        )
        count = 0
        async for message in stream:
            count += 1
            if not self._book:
                # It is documented that these dictionaries go on changing with the book.
                self._book = {"yes": message.msg.yes, "no": message.msg.no}
            if message.seq == last:
                break
        return count

    def book(self) -> Book:
        return self._book


TAKERS: Mapping[str, Contender] = {
    "floor": Contender(floor),
    "ours": Contender(ours()),
    "ours, conflate": Contender(ours(conflate=True)),
    "kalshi-sdk": Contender(sdk),
    "floor, uvloop": Contender(floor, UVLOOP),
    "ours, uvloop": Contender(ours(), UVLOOP),
    "ours, conflate, uvloop": Contender(ours(conflate=True), UVLOOP),
}


async def right_books(address: str) -> dict[str, Book]:
    """The books that the server says are right in the end, by market."""
    import msgspec

    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /books HTTP/1.0\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    listed = msgspec.json.decode(
        answer.partition(b"\r\n\r\n")[2],
        type=dict[str, dict[str, list[tuple[Decimal, Decimal]]]],
    )
    return {market: {side: dict(sides[side]) for side in SIDES} for market, sides in listed.items()}
