"""An hour of activity in this process, and what memory it takes by the quarter."""

from __future__ import annotations

import argparse
import asyncio
import gc
from collections.abc import Sequence
from time import perf_counter

from kalshi_async.sandbox import Activity, Sandbox
from kalshi_async.sandbox._events import Event, Traded

from ._probe import emit, resident_bytes

# Seconds the clock of the exchange jumps at a time.
STEP = 15
QUARTERS = 4


async def measure(given: argparse.Namespace) -> dict[str, float]:
    """The clock goes on in steps; between two of them the event loop has its turn."""
    activity = Activity(markets=given.markets)
    async with Sandbox.serve(markets=2_000, tier=None, activity=activity) as exchange:
        counted = 0

        def heard(events: Sequence[Event]) -> None:
            nonlocal counted
            counted += sum(isinstance(event, Traded) for event in events)

        stop = exchange._exchange.listen(heard)
        exchange.advance(STEP)
        figures = {"rss_0": _resident(), **_kept(exchange, 0)}
        begin = perf_counter()
        for quarter in range(1, given.quarters + 1):
            for _ in range(round(given.seconds / QUARTERS / STEP)):
                exchange.advance(STEP)
                await asyncio.sleep(0)
            figures |= {f"rss_{quarter}": _resident(), **_kept(exchange, quarter)}
            figures[f"trades_{quarter}"] = counted
            figures[f"wall_{quarter}"] = perf_counter() - begin
        stop()
        paid, there = exchange.money()
        if paid != there:
            raise SystemExit(f"paid in {paid:,}, but there is {there:,}")
    return figures


def _resident() -> int:
    gc.collect()
    return resident_bytes()


def _kept(exchange: Sandbox, quarter: int) -> dict[str, float]:
    """How many things of each kind are kept."""
    engine, live = exchange.engine, exchange._exchange.live
    traders = engine.traders.values()
    kept: dict[str, float] = {
        "prints": len(live.prints),
        "minutes": sum(len(live.minutes(ticker) or ()) for ticker in engine.markets),
        "resting": sum(len(trader.resting) for trader in traders),
        "orders": sum(len(trader.orders) for trader in traders),
        "fills": sum(len(trader.fills) for trader in traders),
        "expiring": len(engine.expiring),
    }
    return {f"{name}_{quarter}": count for name, count in kept.items()}


def main() -> None:
    """Command line of the contender process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3_600, help="of the exchange's clock")
    parser.add_argument("--quarters", type=int, default=QUARTERS, help="how many quarters of that")
    parser.add_argument("--markets", type=int, default=50)
    emit(asyncio.run(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
