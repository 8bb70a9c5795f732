"""Thousands of whole books over one connection: seconds until all stand, and memory."""

from __future__ import annotations

import argparse
import asyncio
import gc
from pathlib import Path
from time import perf_counter

from benchmarks._loops import keep_to_core
from benchmarks._stream_feed import ticker
from kalshi_async.stream import OrderBooks

from ._probe import emit, resident_bytes
from .stream_takers import Place, client, right_books

# How many markets are subscribed to beforehand, so that what is loaded once is loaded.
_FIRST = 20


async def measure(given: argparse.Namespace) -> dict[str, float]:
    """Subscribe to all, look at some; bytes a market."""
    markets = [ticker(market) for market in range(given.markets)]
    async with client(Place(given.address, given.key)) as kalshi:
        async with kalshi.stream() as stream, stream.orderbook(*markets[:_FIRST]) as books:
            await _take(books, _FIRST)
        before = _settled()
        async with kalshi.stream() as stream:
            begin = perf_counter()
            async with stream.orderbook(*markets, conflate=given.conflate) as books:
                stand = perf_counter() - begin
                stale = len(books.stale)
                waiting = _settled()
                await _take(books, given.markets)
                taken = perf_counter() - begin
                resident = _settled()
                connects = stream.stats.connects
                right = await right_books(given.address)
                equal = sum(
                    dict(books.book(name).yes) == right[name]["yes"]
                    and dict(books.book(name).no) == right[name]["no"]
                    for name in markets
                )
    return {
        "markets": given.markets,
        "equal": equal,
        "stale": stale,
        "connections": connects,
        "seconds": stand,
        "seconds, all taken": taken,
        "bytes": (resident - before) / given.markets,
        "bytes, none taken": (waiting - before) / given.markets,
    }


async def _take(books: OrderBooks, count: int) -> None:
    for _ in range(count):
        await anext(books)


def _settled() -> int:
    gc.collect()
    return resident_bytes()


def main() -> None:
    """Command line of the contender process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--markets", type=int, required=True)
    parser.add_argument("--conflate", action="store_true")
    parser.add_argument("--core", type=int, help="keep to this core")
    given = parser.parse_args()
    keep_to_core(given.core)
    emit(asyncio.run(measure(given)))


if __name__ == "__main__":
    main()
