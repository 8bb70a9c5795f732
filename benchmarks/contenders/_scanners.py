"""The ways to read a market list to its end: the floor, ours in its variants, the peers.

Each opener takes the server's URL and yields a function that reads up to `pages` pages of 1,000
markets, calls `mark` after each thousand and returns how many it met. Imports are inside the
openers: a process loads its own contender and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ._floor import Markets, Quotes

Mark = Callable[[], None]
Scanner = Callable[[int, Mark], Awaitable[int]]
Opener = Callable[[str], AbstractAsyncContextManager[Scanner]]
Adapter = Literal["aiohttp", "httpx"]

BASE_PATH = "/trade-api/v2"
PAGE = 1_000


@asynccontextmanager
async def floor(url: str) -> AsyncIterator[Scanner]:
    """Raw streams, msgspec, a whole page at a time."""
    from ._floor import decode_markets

    async with _floor(url, decode_markets) as scan:
        yield scan


@asynccontextmanager
async def floor_schema(url: str) -> AsyncIterator[Scanner]:
    """As `floor`, five fields a market."""
    from ._floor import decode_quotes

    async with _floor(url, decode_quotes) as scan:
        yield scan


@asynccontextmanager
async def _floor(url: str, decode: Callable[[bytes], Markets | Quotes]) -> AsyncIterator[Scanner]:
    from ._floor import Connection

    connection = await Connection.open(url)

    async def scan(pages: int, mark: Mark) -> int:
        count, cursor = 0, ""
        for _ in range(pages):
            page = decode(await connection.get(_target(cursor)))
            for _market in page.markets:
                count += 1
            mark()
            cursor = page.cursor
            if not cursor:
                break
        return count

    try:
        yield scan
    finally:
        await connection.aclose()


def ours_list(http: Adapter) -> Opener:
    """`async for market in kalshi.markets.list(...)` over the given HTTP library."""

    @asynccontextmanager
    async def opened(url: str) -> AsyncIterator[Scanner]:
        from kalshi_async import KalshiClient

        async with KalshiClient(base_url=url + BASE_PATH, limits=None, http=http) as kalshi:

            async def scan(pages: int, mark: Mark) -> int:
                count = 0
                async for _market in kalshi.markets.list(limit=PAGE, max_pages=pages):
                    count += 1
                    if not count % PAGE:
                        mark()
                return count

            yield scan

    return opened


def ours_pages(http: Adapter) -> Opener:
    """`async for page in kalshi.markets.list(...).pages()`."""

    @asynccontextmanager
    async def opened(url: str) -> AsyncIterator[Scanner]:
        from kalshi_async import KalshiClient

        async with KalshiClient(base_url=url + BASE_PATH, limits=None, http=http) as kalshi:

            async def scan(pages: int, mark: Mark) -> int:
                count = 0
                async for page in kalshi.markets.list(limit=PAGE, max_pages=pages).pages():
                    for _market in page.items:
                        count += 1
                    mark()
                return count

            yield scan

    return opened


def ours_scan(http: Adapter) -> Opener:
    """`async with kalshi.markets.scan(...)`: shards and prefetch; always reads the whole list."""

    @asynccontextmanager
    async def opened(url: str) -> AsyncIterator[Scanner]:
        from kalshi_async import KalshiClient

        async with KalshiClient(base_url=url + BASE_PATH, limits=None, http=http) as kalshi:

            async def scan(pages: int, mark: Mark) -> int:
                count = 0
                async with kalshi.markets.scan(status="open") as markets:
                    async for _market in markets:
                        count += 1
                        if not count % PAGE:
                            mark()
                return count

            yield scan

    return opened


def ours_schema(http: Adapter) -> Opener:
    """`markets.list(schema=Quote)`: five fields a market."""

    @asynccontextmanager
    async def opened(url: str) -> AsyncIterator[Scanner]:
        import msgspec

        from kalshi_async import KalshiClient

        quote = msgspec.defstruct(
            "Quote",
            [
                ("ticker", str),
                ("yes_bid", Decimal),
                ("yes_ask", Decimal),
                ("volume", Decimal),
                ("close_time", datetime),
            ],
        )

        async with KalshiClient(base_url=url + BASE_PATH, limits=None, http=http) as kalshi:

            async def scan(pages: int, mark: Mark) -> int:
                count = 0
                listing = kalshi.markets.list(limit=PAGE, max_pages=pages, schema=quote)
                async for _market in listing:
                    count += 1
                    if not count % PAGE:
                        mark()
                return count

            yield scan

    return opened


@asynccontextmanager
async def kalshi_sdk(url: str) -> AsyncIterator[Scanner]:
    """kalshi-sdk's own paginating iterator."""
    from kalshi import AsyncKalshiClient, KalshiConfig  # type: ignore[import-not-found,unused-ignore]

    # Its clients refuse plain http unless both hosts are local.
    config = KalshiConfig(
        base_url=url + BASE_PATH, ws_base_url=url.replace("http", "ws", 1) + "/trade-api/ws/v2"
    )
    async with AsyncKalshiClient(config=config) as client:

        async def scan(pages: int, mark: Mark) -> int:
            count = 0
            async for _market in client.markets.list_all(limit=PAGE, max_pages=pages):
                count += 1
                if not count % PAGE:
                    mark()
            return count

        yield scan


@asynccontextmanager
async def kalshi_python_async(url: str) -> AsyncIterator[Scanner]:
    """kalshi-python-async, which leaves the cursor loop to its caller."""
    from kalshi_python_async import ApiClient, Configuration, MarketApi  # type: ignore[import-not-found,unused-ignore]

    async with ApiClient(Configuration(host=url + BASE_PATH)) as client:
        markets = MarketApi(client)

        async def scan(pages: int, mark: Mark) -> int:
            count, cursor = 0, None
            for _ in range(pages):
                page = await markets.get_markets(limit=PAGE, cursor=cursor)
                for _market in page.markets:
                    count += 1
                mark()
                cursor = page.cursor
                if not cursor:
                    break
            return count

        yield scan


@asynccontextmanager
async def idle(url: str) -> AsyncIterator[Scanner]:
    """Nothing: what the machine itself does to an event loop in the time of a scan."""

    async def scan(pages: int, mark: Mark) -> int:
        await asyncio.sleep(0.015 * pages)
        return pages * PAGE

    yield scan


def _target(cursor: str) -> str:
    follow = f"&cursor={cursor}" if cursor else ""
    return f"{BASE_PATH}/markets?limit={PAGE}{follow}"


SCANNERS: dict[str, Opener] = {
    "idle loop": idle,
    "floor": floor,
    "ours": ours_list("aiohttp"),
    "ours, pages()": ours_pages("aiohttp"),
    "ours, scan()": ours_scan("aiohttp"),
    "ours, httpx": ours_list("httpx"),
    "kalshi-sdk": kalshi_sdk,
    "kalshi-python-async": kalshi_python_async,
    "floor, five fields": floor_schema,
    "ours, schema=": ours_schema("aiohttp"),
}
