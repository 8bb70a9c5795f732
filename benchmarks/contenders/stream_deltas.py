"""One contender takes the changes of one book whenever it is asked to."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from benchmarks._loops import keep_to_core, run_on

from ._probe import Stopwatch, emit
from .stream_takers import TAKERS, TICKER, Book, Contender, Place, right_books


async def once(contender: Contender, place: Place, deltas: int, right: Book) -> dict[str, float]:
    """Connect, then subscribe and take them all: seconds a message from the subscription to the
    last of them, of the clock and of the processor. The book must be right in the end.
    """
    last = deltas + 1
    async with contender.opened(place) as taker:
        watch = Stopwatch()
        taken = await taker.take(last)
        figures = {name: spent / deltas for name, spent in watch.figures().items()}
        if taker.book() != right:
            raise SystemExit(f"after {taken:,} of {last:,} updates the book is wrong")
    return figures | {"taken": taken}


async def run(given: argparse.Namespace) -> None:
    """Once for each line on standard input, after once for warming up."""
    contender, place = TAKERS[given.contender], Place(given.address, given.key)
    right = (await right_books(given.address))[TICKER]
    await once(contender, place, given.deltas, right)
    emit({})
    while await asyncio.to_thread(sys.stdin.readline):
        emit(await once(contender, place, given.deltas, right))


def main() -> None:
    """Command line of the contender process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("contender", choices=TAKERS)
    parser.add_argument("--address", required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--deltas", type=int, required=True, help="how many the server sends")
    parser.add_argument("--core", type=int, help="keep to this core")
    given = parser.parse_args()
    keep_to_core(given.core)
    run_on(TAKERS[given.contender].loop, run(given))


if __name__ == "__main__":
    main()
