"""Instruments of the contenders: wall and processor time, event-loop stops, resident memory."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time


@dataclass
class LoopWatch:
    """The longest stretch, in seconds, in which the event loop got round to nothing else.

    A callback reschedules itself for the next turn of the loop, so the distance of two calls is the
    length of one turn. It costs processor time: never measure throughput while it runs.
    """

    longest: float = 0.0
    turns: int = 0
    _last: float = 0.0
    _running: bool = False

    def start(self) -> None:
        """Watch the running loop from now on."""
        self._loop = asyncio.get_running_loop()
        self._running = True
        self._last = perf_counter()
        self._loop.call_soon(self._tick)

    def stop(self) -> None:
        """Watch no more; the turn in progress is not counted."""
        self._running = False

    def _tick(self) -> None:
        if not self._running:
            return
        now = perf_counter()
        self.longest = max(self.longest, now - self._last)
        self._last = now
        self.turns += 1
        self._loop.call_soon(self._tick)


@asynccontextmanager
async def watching() -> AsyncIterator[LoopWatch]:
    """Watch the loop for the length of the block."""
    watch = LoopWatch()
    watch.start()
    try:
        await asyncio.sleep(0)
        yield watch
    finally:
        watch.stop()


@dataclass
class Stopwatch:
    """Wall seconds and processor seconds (all threads of this process) since it was made."""

    def __post_init__(self) -> None:
        self._wall = perf_counter()
        self._cpu = process_time()

    def figures(self) -> dict[str, float]:
        """`wall` and `cpu`, in seconds."""
        return {"cpu": process_time() - self._cpu, "wall": perf_counter() - self._wall}


def best_of(work: Callable[[], object], *, seconds: float) -> dict[str, float]:
    """Repeat `work` for about `seconds`, at least three times: median and best seconds a call."""
    work()
    taken: list[float] = []
    end = perf_counter() + seconds
    while len(taken) < 3 or perf_counter() < end:
        begin = perf_counter()
        work()
        taken.append(perf_counter() - begin)
    taken.sort()
    return {"median": taken[len(taken) // 2], "best": taken[0], "calls": float(len(taken))}


def resident_bytes() -> int:
    """Resident memory now; where the system does not tell, the peak so far."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize()
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


def emit(figures: dict[str, float]) -> None:
    """Print the figures as the one line that the benchmark reads."""
    print(json.dumps(figures), flush=True)
