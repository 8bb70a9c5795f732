"""One contender spends a request budget: paced calls for some seconds, or a scan to its end."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.request import urlopen

from ._probe import emit
from ._scanners import BASE_PATH, PAGE

if TYPE_CHECKING:
    from kalshi_async import RateLimits

_WORKERS = 32


async def ours_paced(given: argparse.Namespace) -> float:
    """Workers that list one market over and over, held back by our limiter alone."""
    from kalshi_async import KalshiClient

    async with KalshiClient(base_url=given.url + BASE_PATH, limits=_limits(given)) as kalshi:

        async def call() -> None:
            await kalshi.markets.list(limit=1)

        return await _spend(call, given.seconds)


async def sdk_paced(given: argparse.Namespace) -> float:
    """The same with kalshi-sdk, which has no limiter; its errors are taken as they come."""
    from kalshi import AsyncKalshiClient, KalshiConfig, KalshiError  # type: ignore[import-not-found,unused-ignore]

    config = KalshiConfig(
        base_url=given.url + BASE_PATH,
        ws_base_url=given.url.replace("http", "ws", 1) + "/trade-api/ws/v2",
    )
    async with AsyncKalshiClient(config=config) as client:

        async def call() -> None:
            try:
                await client.markets.list(limit=1)
            except KalshiError:
                await asyncio.sleep(0)

        return await _spend(call, given.seconds)


async def ours_scan(given: argparse.Namespace) -> float:
    """A sharded scan of the whole list."""
    from kalshi_async import KalshiClient

    async with KalshiClient(base_url=given.url + BASE_PATH, limits=_limits(given)) as kalshi:
        begin = perf_counter()
        found = set()
        async with kalshi.markets.scan(
            status="open", concurrency=given.concurrency, page_size=given.page_size
        ) as markets:
            async for market in markets:
                found.add(market.ticker)
        elapsed = perf_counter() - begin
    if len(found) != given.markets:
        raise SystemExit(f"the scan met {len(found):,} of {given.markets:,} markets")
    return elapsed


async def ours_cursor(given: argparse.Namespace) -> float:
    """One cursor alone."""
    from kalshi_async import KalshiClient

    async with KalshiClient(base_url=given.url + BASE_PATH, limits=_limits(given)) as kalshi:
        begin = perf_counter()
        count = 0
        async for _market in kalshi.markets.list(
            status="open", limit=given.page_size, max_pages=given.markets // given.page_size
        ):
            count += 1
        elapsed = perf_counter() - begin
    if count != given.markets:
        raise SystemExit(f"the cursor met {count:,} of {given.markets:,} markets")
    return elapsed


async def _spend(call: Callable[[], Awaitable[None]], seconds: float) -> float:
    begin = perf_counter()

    async def work() -> None:
        while True:
            await call()

    workers = [asyncio.create_task(work()) for _ in range(_WORKERS)]
    # Returns early only where a worker failed, which gathering then raises.
    await asyncio.wait(workers, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    elapsed = perf_counter() - begin
    for worker in workers:
        worker.cancel()
    for outcome in await asyncio.gather(*workers, return_exceptions=True):
        if not isinstance(outcome, asyncio.CancelledError):
            raise SystemExit(f"a call failed: {outcome!r}")
    return elapsed


def _limits(given: argparse.Namespace) -> RateLimits:
    from kalshi_async import BucketLimits, RateLimits

    return RateLimits(read=BucketLimits(given.rate, given.capacity))


CONTENDERS: dict[str, Callable[[argparse.Namespace], Awaitable[float]]] = {
    "ours": ours_paced,
    "kalshi-sdk": sdk_paced,
    "scan": ours_scan,
    "cursor": ours_cursor,
}


def main() -> None:
    """Command line of the contender process; adds what the server counted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("--url", required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--capacity", type=float, required=True)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--markets", type=int, default=0)
    parser.add_argument("--page-size", type=int, default=PAGE)
    parser.add_argument("--concurrency", type=int, default=8)
    given = parser.parse_args()

    async def run() -> float:
        return await CONTENDERS[given.contender](given)

    elapsed = asyncio.run(run())
    with urlopen(f"{given.url}/stats", timeout=10) as answer:
        counted = json.load(answer)
    emit({"elapsed": elapsed, **{name: float(counted[name] or 0) for name in counted}})


if __name__ == "__main__":
    main()
