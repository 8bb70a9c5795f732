"""How old updates are when a consumer holds them; the machine's clock is in each of them."""

from __future__ import annotations

import argparse
from array import array
from collections.abc import Sequence
from pathlib import Path
from time import monotonic_ns

from benchmarks._loops import LOOPS, keep_to_core, run_on
from benchmarks._stream_server import undisturbed
from kalshi_async.stream import OrderbookDelta

from ._probe import Stopwatch, emit
from .stream_takers import TICKER, Place, client


async def measure(given: argparse.Namespace, alone: bool) -> dict[str, float]:
    """Take so many changes; milliseconds, the first tenth left out."""
    number = given.deltas
    ages = array("q", bytes(8 * number))
    async with (
        client(Place(given.address, given.key)) as kalshi,
        kalshi.stream() as stream,
        stream.orderbook(TICKER) as books,
    ):
        watch, taken = Stopwatch(), 0
        async for update in books:
            if type(update) is not OrderbookDelta or update.clock is None:
                continue
            ages[taken] = monotonic_ns() - update.clock
            taken += 1
            if taken == number:
                break
        spent = watch.figures()
        late = stream.stats.pauses
    kept = sorted(ages[number // 10 : taken])
    return {
        "messages": taken,
        "rate": taken / spent["wall"],
        "core": spent["cpu"] / spent["wall"],
        "pauses": late,
        "undisturbed": float(alone),
        **{name: percentile(kept, share) / 1e6 for name, share in SHARES.items()},
    }


SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}


def percentile(ordered: Sequence[int], share: float) -> int:
    """The value that so large a share of all does not exceed."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def main() -> None:
    """Command line of the contender process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--deltas", type=int, required=True, help="how many the server sends")
    parser.add_argument("--loop", choices=LOOPS, default="asyncio")
    parser.add_argument("--core", type=int, help="keep to this core")
    given = parser.parse_args()
    keep_to_core(given.core)
    emit(run_on(given.loop, measure(given, undisturbed())))


if __name__ == "__main__":
    main()
