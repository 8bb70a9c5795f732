"""The limiter against an exchange that refuses whatever its own bucket does not hold."""

from __future__ import annotations

import random
from collections.abc import Callable

import anyio
import pytest

from kalshi_async._ratelimit import Limiter
from tests.pipeline.helpers import READ, flat
from tests.support import in_virtual_time


def jitter(rng: random.Random, now: float) -> float:
    return rng.uniform(0.005, 0.1)


def bunching(rng: random.Random, now: float) -> float:
    """The worst of it: what was sent in a tenth of a second arrives all at once."""
    return 0.1 - now % 0.095


@pytest.mark.parametrize(("rate", "capacity"), [(200, 200), (600, 1800)])
@pytest.mark.parametrize("latency", [jitter, bunching])
def test_a_strict_exchange_is_used_to_the_full_and_never_refuses(
    rate: float, capacity: float, latency: Callable[[random.Random, float], float]
) -> None:
    """Half a minute against a bucket that refuses, behind 5 to 100 ms of random latency."""
    seconds = 30.0

    async def main() -> tuple[int, int]:
        rng = random.Random(1)
        limiter = Limiter(flat(rate, capacity))
        level, updated, served, refused = capacity, 0.0, 0, 0

        async def one() -> None:
            nonlocal level, updated, served, refused
            await limiter.acquire(READ)
            await anyio.sleep(latency(rng, anyio.current_time()))
            now = anyio.current_time()
            level, updated = min(capacity, level + (now - updated) * rate), now
            if level >= 10:
                level -= 10
                served += 1
            else:
                refused += 1

        async def work() -> None:
            while True:
                await one()

        with anyio.move_on_after(seconds):
            async with anyio.create_task_group() as tasks:
                for _ in range(40):
                    tasks.start_soon(work)
        return served, refused

    served, refused = in_virtual_time(main)
    assert refused == 0
    assert served * 10 >= 0.97 * (rate * seconds + capacity)
