"""One contender reads a list: on demand, or for event-loop stops, or for resident memory."""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys

from ._probe import Stopwatch, emit, resident_bytes, watching
from ._scanners import PAGE, SCANNERS, Scanner

_WARM_PAGES = 3


async def turns(scan: Scanner, pages: int) -> None:
    """Read the whole list once for each line on standard input, and print what that took."""
    emit({})
    while await asyncio.to_thread(sys.stdin.readline):
        watch = Stopwatch()
        _demand(await scan(pages, _ignore), pages)
        emit({name: figure / pages for name, figure in watch.figures().items()})


async def stops(scan: Scanner, pages: int) -> dict[str, float]:
    """The longest turn of the event loop: in a pass, and in one with the old heap set aside.

    A full garbage collection walks the whole heap of a process, of which pages are the smaller
    part; `gc.freeze()` takes out what was there before, as services do that mind their latency.
    """
    longest = {}
    for name in ("stop", "frozen"):
        async with watching() as watch:
            found = await scan(pages, _ignore)
        _demand(found, pages)
        longest[name] = watch.longest
        gc.collect()
        gc.freeze()
    return longest


async def memory(scan: Scanner, pages: int) -> dict[str, float]:
    """How much resident memory a pass adds at its peak, sampled every 20 ms."""
    gc.collect()
    before = peak = resident_bytes()

    async def sample() -> None:
        nonlocal peak
        while True:
            peak = max(peak, resident_bytes())
            await asyncio.sleep(0.02)

    watch = Stopwatch()
    sampler = asyncio.create_task(sample())
    try:
        found = await scan(pages, _ignore)
    finally:
        sampler.cancel()
    _demand(found, pages)
    peak = max(peak, resident_bytes())
    return {"before": float(before), "growth": float(peak - before), **watch.figures()}


def _ignore() -> None:
    pass


def _demand(found: int, pages: int) -> None:
    if found != pages * PAGE:
        raise SystemExit(f"expected {pages * PAGE:,} markets, met {found:,}")


async def run(given: argparse.Namespace) -> dict[str, float] | None:
    """Open the contender, warm it up (not before the memory pass) and measure."""
    async with SCANNERS[given.contender](given.url) as scan:
        if given.what == "memory":
            return await memory(scan, given.pages)
        await scan(min(_WARM_PAGES, given.pages), _ignore)
        if given.what == "stops":
            return await stops(scan, given.pages)
        return await turns(scan, given.pages)


def main() -> None:
    """Command line of the contender process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["turns", "stops", "memory"])
    parser.add_argument("contender", choices=SCANNERS)
    parser.add_argument("--url", required=True)
    parser.add_argument("--pages", type=int, required=True)
    figures = asyncio.run(run(parser.parse_args()))
    if figures is not None:
        emit(figures)


if __name__ == "__main__":
    main()
