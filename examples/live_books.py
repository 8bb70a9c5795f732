"""Live books and fills over a line that keeps breaking.

The embedded exchange resets one connection in so many frames and leaves others out; the stream
comes back, the books are right again, and no fill is missing or told twice.
"""

from __future__ import annotations

import asyncio

from kalshi_async import KalshiClient
from kalshi_async.sandbox import Activity, Faults, Sandbox
from kalshi_async.stream import FillStream, Reconnect, Stream

TICKER = "KXFED-26MAR19"
ORDERS = 30


async def trade(kalshi: KalshiClient) -> None:
    """Buy a little and sell it again, over REST."""
    for _ in range(ORDERS // 2):
        for action in ("buy", "sell"):
            await kalshi.orders.create(
                TICKER, action=action, side="yes", count=1, type="market", slippage="0.05"
            )


async def listen(fills: FillStream, wanted: set[str]) -> list[str]:
    """The ids of fills, as they come, until all that are wanted are there."""
    heard: list[str] = []
    while not wanted <= set(heard):
        fill = await anext(fills)
        heard.append(fill.trade_id)
    return heard


async def report(stream: Stream) -> None:
    """Say what happens to the connection."""
    counted: dict[str, int] = {}
    async for event in stream.events():
        name = type(event).__name__
        counted[name] = counted.get(name, 0) + 1
        if counted[name] == 1:
            print(f"first {name}")


async def main() -> None:
    """Run it."""
    faults = Faults(seed=7, reset_rate=0.01)
    faults.on_frame("orderbook_delta", rate=0.02, drop=True)
    async with (
        Sandbox.serve(
            seed=7, faults=faults, deposit="5000", activity=Activity(speed=40, markets=20)
        ) as exchange,
        exchange.client(limits=None) as kalshi,
        kalshi.stream(reconnect=Reconnect(base=0.01, cap=0.1)) as stream,
        stream.fills() as fills,
        stream.orderbook(TICKER, conflate=True) as books,
        asyncio.TaskGroup() as tasks,
    ):
        reporter = tasks.create_task(report(stream))
        await trade(kalshi)
        everything = await kalshi.portfolio.fills(limit=1000).collect()
        heard = await listen(fills, {fill.trade_id for fill in everything})
        print(f"{len(heard)} fills heard, {len(set(heard))} different ones")
        (audit,) = await books.audit()
        print(f"the book equals the exchange's: {audit.equal}")
        stats = stream.stats
        print(f"{stats.reconnects} reconnects, {stats.gaps} gaps, {stats.backfilled} backfilled")
        reporter.cancel()


if __name__ == "__main__":
    asyncio.run(main())
