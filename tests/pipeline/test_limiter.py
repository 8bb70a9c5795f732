"""The limiter: order, pace, cancellation. Time is virtual wherever it passes."""

from __future__ import annotations

import asyncio

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_async import Operation, RateLimits
from kalshi_async._operations import Priority
from kalshi_async._ratelimit import Limiter
from tests.pipeline.helpers import READ, WRITE, both_backends, flat
from tests.support import in_virtual_time

BALANCE = Operation("GetBalance", "GET", "/portfolio/balance", True)


def tokens(limiter: Limiter, name: str = "read") -> float:
    queue = limiter._queues[name]
    return queue.bucket.tokens(anyio.current_time())


async def drain(limiter: Limiter, operation: Operation = READ) -> None:
    """Take whole requests until the bucket holds less than one."""
    while tokens(limiter, limiter.bucket_name(operation)) >= 10:
        await limiter.acquire(operation)


def test_an_hour_goes_at_the_rate() -> None:
    async def main() -> int:
        limiter = Limiter(RateLimits.per_second(2))
        done = 0

        async def work() -> None:
            nonlocal done
            while True:
                await limiter.acquire(READ)
                done += 1

        with anyio.move_on_after(3600):
            async with anyio.create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(work)
        return done

    assert in_virtual_time(main) in (7200, 7201)


@both_backends
def test_waiting_costs_no_rounds_of_the_event_loop(backend: str) -> None:
    """Whoever waits sleeps: the waiters' suspensions do not grow with the waiting time."""
    rounds = 0

    async def main() -> None:
        nonlocal rounds
        limiter = Limiter(flat(200, 20))
        queue = limiter._queues["read"]
        grant = queue._grant

        def counted(awake: object = None) -> None:
            nonlocal rounds
            rounds += 1
            grant(awake)  # type: ignore[arg-type]

        queue._grant = counted  # type: ignore[method-assign]
        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(limiter.acquire, READ)

    anyio.run(main, backend=backend)
    assert rounds <= 8 * 4


def test_first_come_first_served_within_a_priority() -> None:
    async def main() -> list[int]:
        limiter = Limiter(flat(100, 100))
        await drain(limiter)
        order: list[int] = []

        async def one(number: int) -> None:
            await limiter.acquire(READ)
            order.append(number)

        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(one, number)
                await anyio.sleep(0.01)
        return order

    assert in_virtual_time(main) == list(range(20))


def test_cancel_overtakes_order_overtakes_read_overtakes_scan() -> None:
    async def main() -> list[str]:
        limiter = Limiter(flat(100, 100))
        await drain(limiter)
        order: list[str] = []

        async def one(priority: Priority | None, number: int) -> None:
            await limiter.acquire(READ, priority=priority)
            rank = Priority.READ if priority is None else priority
            order.append(f"{rank.name.lower()}{number}")

        async with anyio.create_task_group() as tasks:
            for number in (1, 2):
                for priority in (Priority.SCAN, None, Priority.ORDER, Priority.CANCEL):
                    tasks.start_soon(one, priority, number)
                    await anyio.sleep(0.001)
        return order

    expected = ["cancel1", "cancel2", "order1", "order2", "read1", "read2", "scan1", "scan2"]
    assert in_virtual_time(main) == expected


def test_a_cheap_urgent_request_passes_an_expensive_head() -> None:
    async def main() -> tuple[float, float]:
        limiter = Limiter(flat(100, 100))
        await drain(limiter)
        await anyio.sleep(0.3)  # 30 tokens
        waited: dict[str, float] = {}

        async def take(name: str, priority: Priority, items: int) -> None:
            waited[name] = await limiter.acquire(READ, priority=priority, items=items)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(take, "scan", Priority.SCAN, 8)
            await anyio.sleep(0.1)
            tasks.start_soon(take, "order", Priority.ORDER, 1)
        return waited["order"], waited["scan"]

    order, scan = in_virtual_time(main)
    assert order == 0
    assert scan == pytest.approx(0.6)


def test_reads_writes_and_dedicated_buckets_are_separate() -> None:
    async def main() -> None:
        limiter = Limiter(RateLimits())
        assert [limiter.bucket_name(op) for op in (READ, WRITE, BALANCE)] == [
            "read",
            "write",
            "GetBalance",
        ]
        await drain(limiter)
        assert await limiter.acquire(WRITE) == 0
        assert await limiter.acquire(BALANCE) == 0
        assert await limiter.acquire(BALANCE) == pytest.approx(1)
        limiter.adopt(RateLimits(dedicated={}))
        assert limiter.bucket_name(BALANCE) == "read"

    in_virtual_time(main)


def test_batches_are_billed_by_item() -> None:
    async def main() -> None:
        limiter = Limiter(flat(100, 100))
        await limiter.acquire(WRITE, items=7)
        assert tokens(limiter, "write") == 20
        assert await limiter.acquire(WRITE, items=5) == pytest.approx(0.3)
        assert await limiter.acquire(WRITE, items=40) == pytest.approx(0.9)
        assert tokens(limiter, "write") == pytest.approx(-310)

    in_virtual_time(main)


def test_a_429_empties_the_bucket_for_everybody() -> None:
    async def main() -> list[float]:
        limiter = Limiter(flat(100, 100))
        sent_at = anyio.current_time()
        waits: list[float] = []

        async def one() -> None:
            waits.append(await limiter.acquire(READ))

        limiter.penalize(READ, sent_at)
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(one)
        return waits

    first, second, third = in_virtual_time(main)
    assert 0.1 < first < 10 / 90 + 0.001  # slowed by a tenth, healing; in whole milliseconds
    assert second - first == pytest.approx(0.11, abs=0.002)
    assert third - second == pytest.approx(0.11, abs=0.002)


def test_a_429_while_others_wait_delays_them() -> None:
    async def main() -> float:
        limiter = Limiter(flat(100, 100))
        await drain(limiter)
        waits: list[float] = []

        async def one() -> None:
            waits.append(await limiter.acquire(READ))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one)
            await anyio.sleep(0.09)
            limiter.penalize(READ, anyio.current_time())
        return waits[0]

    assert in_virtual_time(main) == pytest.approx(0.09 + 10 / 90, abs=0.001)


def test_adopting_while_others_wait_serves_them_by_the_new_limits() -> None:
    async def main() -> list[float]:
        limiter = Limiter(flat(1, 10))
        await drain(limiter)
        done: list[float] = []

        async def one() -> None:
            await limiter.acquire(READ)
            done.append(anyio.current_time())

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(one)
            await anyio.sleep(1)
            limiter.adopt(flat(1000, 100))
            assert "1000/s" in repr(limiter)
        return done

    done = in_virtual_time(main)
    assert len(done) == 3
    assert max(done) < 1.1


@both_backends
def test_cancelling_a_granted_waiter_gives_its_tokens_back(backend: str) -> None:
    async def main() -> None:
        limiter = Limiter(flat(1, 100), clock=lambda: 0.0)
        bucket = limiter._queues["read"].bucket
        start = bucket.tokens(0.0)
        await limiter.acquire(READ, items=9)
        granted = 0
        scopes = [anyio.CancelScope() for _ in range(4)]

        async def one(scope: anyio.CancelScope) -> None:
            nonlocal granted
            with scope:
                await limiter.acquire(READ)
                granted += 1

        async with anyio.create_task_group() as tasks:
            for scope in scopes:
                tasks.start_soon(one, scope)
            await anyio.wait_all_tasks_blocked()
            limiter.adopt(flat(1, 1000))  # grants all four at once
            scopes[0].cancel()
            scopes[2].cancel()
        burst = bucket.burst
        assert start < burst
        assert bucket.tokens(0.0) == pytest.approx(burst - 90 - 10 * granted)
        assert "waiting" not in repr(limiter)

    anyio.run(main, backend=backend)


async def test_a_task_cancelled_after_it_was_granted_gives_its_tokens_back() -> None:
    """asyncio's own ``Task.cancel()`` can strike between the grant and the waking."""
    limiter = Limiter(flat(1, 100), clock=lambda: 0.0)
    bucket = limiter._queues["read"].bucket
    await limiter.acquire(READ, items=9)
    waiting = [asyncio.create_task(limiter.acquire(READ)) for _ in range(4)]
    await anyio.wait_all_tasks_blocked()
    limiter.adopt(flat(1, 1000))
    waiting[0].cancel()
    waiting[2].cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(result, asyncio.CancelledError) for result in results] == [
        True,
        False,
        True,
        False,
    ]
    assert bucket.tokens(0.0) == pytest.approx(bucket.burst - 90 - 20)
    assert "waiting" not in repr(limiter)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 20),  # arrives, in tenths of a second: when tokens arrive
            st.none() | st.integers(0, 25),  # is cancelled so many tenths later
            st.integers(1, 3),  # items
            st.sampled_from(Priority),
        ),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=60, deadline=None)
def test_cancelled_waiters_cost_nothing_and_nobody_is_stuck(
    waiters: list[tuple[int, int | None, int, Priority]],
) -> None:
    async def main() -> None:
        limiter = Limiter(flat(100, 10_000))
        await limiter.acquire(READ, items=999)  # empty, and far from full during the test
        taken = 0

        async def one(start: int, patience: int | None, items: int, priority: Priority) -> None:
            nonlocal taken
            await anyio.sleep(start / 10)
            with anyio.move_on_after(None if patience is None else patience / 10):
                await limiter.acquire(READ, priority=priority, items=items)
                taken += items * 10

        async with anyio.create_task_group() as tasks:
            for waiter in waiters:
                tasks.start_soon(one, *waiter)
        assert "waiting" not in repr(limiter)
        assert tokens(limiter) == pytest.approx(100 * anyio.current_time() - taken, abs=1e-3)

    in_virtual_time(main)


@given(st.lists(st.tuples(st.sampled_from(Priority), st.booleans()), max_size=16))
@settings(max_examples=60, deadline=None)
def test_the_others_keep_their_order_when_some_are_cancelled(
    waiters: list[tuple[Priority, bool]],
) -> None:
    async def main() -> list[int]:
        limiter = Limiter(flat(100, 100))
        await drain(limiter)
        order: list[int] = []
        scopes = [anyio.CancelScope() for _ in waiters]

        async def one(number: int) -> None:
            with scopes[number]:
                await limiter.acquire(READ, priority=waiters[number][0])
                order.append(number)

        async with anyio.create_task_group() as tasks:
            for number in range(len(waiters)):
                tasks.start_soon(one, number)
                await anyio.sleep(0.001)
            for scope, (_, impatient) in zip(scopes, waiters, strict=True):
                if impatient:
                    scope.cancel()
        return order

    patient = [number for number, (_, impatient) in enumerate(waiters) if not impatient]
    expected = sorted(patient, key=lambda number: (waiters[number][0], number))
    assert in_virtual_time(main) == expected


def test_cancelling_head_and_middle_moves_the_others_up() -> None:
    async def main() -> dict[int, float]:
        limiter = Limiter(flat(100, 100))
        await drain(limiter)
        waits: dict[int, float] = {}
        scopes = [anyio.CancelScope() for _ in range(5)]

        async def one(number: int) -> None:
            with scopes[number]:
                waits[number] = await limiter.acquire(READ)

        async with anyio.create_task_group() as tasks:
            for number in range(5):
                tasks.start_soon(one, number)
                await anyio.sleep(0.001)
            scopes[0].cancel()
            scopes[2].cancel()
        return waits

    waits = in_virtual_time(main)
    assert list(waits) == [1, 3, 4]
    assert waits[1] == pytest.approx(0.099)
    assert waits[4] == pytest.approx(0.296)


def test_repr_is_live() -> None:
    async def main() -> None:
        limiter = Limiter(RateLimits(tier="basic"))
        assert "100 tokens at 100/s, unused" in repr(limiter)
        await limiter.acquire(READ)
        assert repr(limiter).startswith("<Limiter basic, read: 80.0 of 100 tokens, 100 of 100/s")
        limiter.penalize(READ, anyio.current_time())
        assert "read: 0.0 of 100 tokens, 90 of 100/s" in repr(limiter)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(limiter.acquire, READ)
            await anyio.wait_all_tasks_blocked()
            assert "1 waiting" in repr(limiter)

    in_virtual_time(main)
    assert repr(Limiter(None)) == "<Limiter off>"
