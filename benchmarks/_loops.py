"""Event loops and cores: what a process of a benchmark runs on."""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import Callable, Coroutine
from typing import TypeVar

T = TypeVar("T")

ASYNCIO = "asyncio"
UVLOOP = "uvloop"
FASTEST = UVLOOP if importlib.util.find_spec("uvloop") else ASYNCIO
LOOPS = (ASYNCIO, UVLOOP)


def run_on(loop: str, work: Coroutine[object, object, T]) -> T:
    """Run a coroutine to its end on a new event loop of a kind of `LOOPS`.

    Raises ModuleNotFoundError where uvloop is asked for and is not installed.
    """
    with asyncio.Runner(loop_factory=_factory(loop)) as runner:
        return runner.run(work)


def keep_to_core(core: int | None) -> None:
    """Keep this process to one core; with None, or where the system cannot, to any."""
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def cores() -> list[int]:
    """The cores that this process may use; none where the system does not say."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def _factory(loop: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    if loop == ASYNCIO:
        return None
    import uvloop

    return uvloop.new_event_loop
