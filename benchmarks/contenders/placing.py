"""One contender places or cancels orders whenever it is asked to."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, cast

from benchmarks._loops import keep_to_core, run_on

from ._placers import PLACERS, Place, Placer
from ._probe import Stopwatch, emit

if TYPE_CHECKING:
    from ._our_orders import OurPlacer

Taken = dict[str, float]
_WARM_UP = 100


async def create(placer: Placer, number: int) -> Taken:
    """Place `number` orders at once."""
    _demand(await asyncio.gather(*(placer.create() for _ in range(number))), number)
    return {}


async def cancel(placer: Placer, number: int) -> Taken:
    """Cancel `number` orders at once."""
    canceler = cast("OurPlacer", placer)
    _demand(await asyncio.gather(*(canceler.cancel() for _ in range(number))), number)
    return {}


async def place_many(placer: Placer, number: int) -> Taken:
    """Place `number` orders in batches."""
    _demand(await cast("OurPlacer", placer).create_many(number), number)
    return {}


async def cancel_many(placer: Placer, number: int) -> Taken:
    """Cancel `number` orders in batches."""
    _demand(await cast("OurPlacer", placer).cancel_many(number), number)
    return {}


async def one_by_one(placer: Placer, number: int) -> Taken:
    """Place `number` orders, each after the answer to the one before; the median as `p50`."""
    taken = []
    for _ in range(number):
        begin = perf_counter()
        _demand([await placer.create()], 1)
        taken.append(perf_counter() - begin)
    return {"p50": median(taken)}


JOBS: dict[str, Callable[[Placer, int], Awaitable[Taken]]] = {
    "create": create,
    "cancel": cancel,
    "place_many": place_many,
    "cancel_many": cancel_many,
    "one by one": one_by_one,
}


def _demand(ids: Sequence[str], number: int) -> None:
    if len(ids) != number or not all(ids):
        raise SystemExit(f"{number:,} orders were sent, {sum(map(bool, ids)):,} were taken")


async def run(given: argparse.Namespace) -> None:
    """Open the contender; do the job once for each line on standard input.

    Prints seconds an order, of the clock and of the processor.
    """
    job = JOBS[given.job]
    total = given.orders * given.repeat
    async with PLACERS[given.contender].opened(Place(given.url, given.key)) as placer:
        await job(placer, min(given.orders, _WARM_UP))
        emit({})
        while await asyncio.to_thread(sys.stdin.readline):
            if given.drain:
                await place_many(placer, given.drain)
            found: Taken = {}
            watch = Stopwatch()
            for _ in range(given.repeat):
                found |= await job(placer, given.orders)
            figures = {name: figure / total for name, figure in watch.figures().items()}
            emit(figures | found)


def main() -> None:
    """Command line of the contender process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("contender", choices=PLACERS)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--orders", type=int, required=True, help="how many at once")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--drain", type=int, default=0, help="orders first, to spend what is saved")
    parser.add_argument("--core", type=int, help="keep to this core")
    given = parser.parse_args()
    keep_to_core(given.core)
    run_on(PLACERS[given.contender].loop, run(given))


if __name__ == "__main__":
    main()
