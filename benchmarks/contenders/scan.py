"""One contender reads a list: throughput, or event-loop stops, or growth of resident memory."""

from __future__ import annotations

import argparse
import asyncio
import gc
from collections.abc import Sequence
from itertools import pairwise
from time import perf_counter

from ._probe import Stopwatch, emit, resident_bytes, watching
from ._scanners import PAGE, SCANNERS, Scanner

_WARM_PAGES = 3
_STRETCH = 0.25


async def throughput(scan: Scanner, pages: int, seconds: float) -> dict[str, float]:
    """Passes over the whole list for about `seconds`; seconds a page.

    `fast` is the lower quartile over stretches of at least a quarter of a second, the same for a
    quick contender and a slow one, so that a machine with fast and slow phases favours neither.
    """
    stretches: list[float] = []
    read = 0
    begin = perf_counter()
    watch = Stopwatch()
    while not stretches or perf_counter() - begin < seconds:
        stretches += seconds_a_page(await _pass(scan, pages), _STRETCH)
        read += pages
    figures = watch.figures()
    return {
        "fast": sorted(stretches)[len(stretches) // 4],
        "mean": figures["wall"] / read,
        "cpu": figures["cpu"] / read,
    }


async def _pass(scan: Scanner, pages: int) -> list[float]:
    marks = [perf_counter()]
    _demand(await scan(pages, lambda: marks.append(perf_counter())), pages)
    marks[-1] = perf_counter()  # what follows the last market is part of the pass
    return marks


def seconds_a_page(marks: Sequence[float], least: float) -> list[float]:
    """Mean seconds a page in each stretch of whole pages that lasts `least` seconds or more.

    `marks` are the instants of the start and of the end of each page. What is left at the end
    belongs to the last stretch.
    """
    bounds = [0]
    for index, mark in enumerate(marks):
        if mark - marks[bounds[-1]] >= least:
            bounds.append(index)
    if len(bounds) > 1:
        bounds[-1] = len(marks) - 1
    else:
        bounds.append(len(marks) - 1)
    return [(marks[end] - marks[start]) / (end - start) for start, end in pairwise(bounds)]


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


async def run(given: argparse.Namespace) -> dict[str, float]:
    """Open the contender, warm it up (not before the memory pass) and measure."""
    async with SCANNERS[given.contender](given.url) as scan:
        if given.what == "memory":
            return await memory(scan, given.pages)
        await scan(min(_WARM_PAGES, given.pages), _ignore)
        if given.what == "stops":
            return await stops(scan, given.pages)
        return await throughput(scan, given.pages, given.seconds)


def main() -> None:
    """Command line of the contender process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["throughput", "stops", "memory"])
    parser.add_argument("contender", choices=SCANNERS)
    parser.add_argument("--url", required=True)
    parser.add_argument("--pages", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=0)
    emit(asyncio.run(run(parser.parse_args())))


if __name__ == "__main__":
    main()
