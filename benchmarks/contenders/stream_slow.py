"""Consumers that stop: what they are told, and how others on the same connection fare."""

from __future__ import annotations

import argparse
import asyncio
import logging
from time import monotonic

from benchmarks._stream_chaos import Life
from kalshi_async.sandbox import Activity, Sandbox
from kalshi_async.stream import OrderBooks, SlowConsumer, Stream, Subscription, TradeUpdate

from ._probe import emit

MARKETS = 20
_SPEED = 40.0
_QUEUE = 100
# Trades that the consumer who goes on must still get afterwards.
_TRADES = 50


async def stopped(books: OrderBooks) -> dict[str, float]:
    """A consumer that takes one update and then none, until its subscription has ended; after that
    it takes whatever there is, and must be told why no more comes.
    """
    await anext(books)
    began = monotonic()
    while books.subjects:  # noqa: ASYNC110 - it is not to be woken by a message
        await asyncio.sleep(0.01)
    after, taken = monotonic() - began, 0
    try:
        async for _ in books:
            taken += 1
    except SlowConsumer as error:
        return {"told": 1, "told after": after, "dropped": error.dropped, "taken late": taken}
    return {"told": 0}


async def going_on(trades: Subscription[TradeUpdate], until: asyncio.Task[object]) -> int:
    """Take trades until a task is done, and some more; how many came afterwards."""
    after = 0
    async for _ in trades:
        after += until.done()
        if after == _TRADES:
            break
    return after


async def newest(books: OrderBooks, stream: Stream) -> dict[str, float]:
    """Take what waits for a consumer who only wants the newest of each market."""
    waiting = books.waiting
    markets = {(await anext(books)).market_ticker for _ in range(waiting)}
    return {
        "newest waiting": waiting,
        "markets of them": len(markets),
        "replaced": stream.stats.replaced,
    }


async def measure(heartbeat: float) -> dict[str, float]:
    """One who stops, one who stops but only wants the newest, one who goes on."""
    activity = Activity(markets=MARKETS, speed=_SPEED)
    async with Sandbox.serve(tier=None, activity=activity) as exchange:
        tickers = Life(exchange).tickers
        async with (
            exchange.client(limits=None) as kalshi,
            kalshi.stream(heartbeat=heartbeat) as stream,
            stream.orderbook(*tickers, conflate=True) as conflated,
            stream.trades() as trades,
            stream.orderbook(*tickers, max_queue=_QUEUE) as slow,
        ):
            async with asyncio.timeout(20 * heartbeat), asyncio.TaskGroup() as tasks:
                stopping = tasks.create_task(stopped(slow))
                going = tasks.create_task(going_on(trades, stopping))
            stats = stream.stats
            return {
                **stopping.result(),
                **await newest(conflated, stream),
                "trades afterwards": going.result(),
                "markets": len(tickers),
                "heartbeat": heartbeat,
                "gaps": stats.gaps,
                "reconnects": stats.reconnects,
                "pauses": stats.pauses,
            }


def main() -> None:
    """Command line of the contender process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--heartbeat", type=float, default=2.0, help="seconds")
    given = parser.parse_args()
    # What fails here is meant to.
    logging.disable(logging.ERROR)
    emit(asyncio.run(measure(given.heartbeat)))


if __name__ == "__main__":
    main()
