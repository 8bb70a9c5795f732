"""The limiter: order, pace, cancellation. Time is virtual wherever it passes."""

from __future__ import annotations

import random
from pathlib import Path

import anyio
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_async import OPERATIONS, BucketLimits, Operation, RateLimits
from kalshi_async._limits import to_rate_limits
from kalshi_async._operations import BY_NAME, Bucket, Priority
from kalshi_async._ratelimit import Limiter
from kalshi_async.models.account import AccountLimits, EndpointCosts
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

    expected = "cancel1 cancel2 order1 order2 read1 read2 scan1 scan2".split()
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
    assert 0.1 < first < 10 / 90  # slowed by a tenth, healing
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
        burst = bucket._burst
        assert start < burst
        assert bucket.tokens(0.0) == pytest.approx(burst - 90 - 10 * granted)
        assert "waiting" not in repr(limiter)

    anyio.run(main, backend=backend)


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


@pytest.mark.parametrize(("rate", "capacity"), [(200, 200), (600, 1800)])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_strict_exchange_is_used_to_the_full_and_never_refuses(
    rate: float, capacity: float, seed: int
) -> None:
    """Half a minute against a bucket that refuses, behind 5 to 100 ms of random latency."""
    seconds = 30.0

    async def main() -> tuple[int, int]:
        rng = random.Random(seed)
        limiter = Limiter(flat(rate, capacity))
        level, updated, served, refused = capacity, 0.0, 0, 0

        async def one() -> None:
            nonlocal level, updated, served, refused
            await limiter.acquire(READ)
            await anyio.sleep(rng.uniform(0.005, 0.1))
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


def test_account_limits_and_costs_become_rate_limits() -> None:
    limits = msgspec.convert(
        {
            "usage_tier": "premier",
            "read": {"refill_rate": 1200, "bucket_capacity": 3600},
            "write": {"refill_rate": 1100, "bucket_capacity": 3300},
            "grants": [],
        },
        AccountLimits,
    )
    costs = msgspec.convert(
        {
            "default_cost": 10,
            "endpoint_costs": [
                {"method": "GET", "path": "/trade-api/v2/markets/:ticker/orderbook", "cost": 3},
                {"method": "get", "path": "/trade-api/v2/markets", "cost": 25},
                {"method": "POST", "path": "/trade-api/v2/markets", "cost": 99},
                {"method": "GET", "path": "/trade-api/v2/no/such/:thing", "cost": 1},
            ],
        },
        EndpointCosts,
    )
    made = to_rate_limits(limits, costs)
    assert made.read == BucketLimits(1200, 3600)
    assert made.write == BucketLimits(1100, 3300)
    assert dict(made.costs) == {"GetMarkets": 25, "GetMarketOrderbook": 3}
    assert (made.default_cost, made.tier, dict(made.dedicated)) == (10, "premier", {})


def test_recorded_account_limits_and_costs(shared: Path) -> None:
    folder = shared / "recorded" / "2026-06-demo"
    limits = msgspec.json.decode((folder / "account__limits.json").read_bytes(), type=AccountLimits)
    raw = (folder / "account__endpoint_costs.json").read_bytes()
    costs = msgspec.json.decode(raw, type=EndpointCosts)
    made = to_rate_limits(limits, costs)
    assert (made.read, made.write) == (BucketLimits(200, 200), BucketLimits(100, 100))
    assert made.tier == "basic"
    assert "GetBalance" in made.dedicated
    templates = {
        (op.method, "/trade-api/v2" + op.path.replace("{", ":").replace("}", "")): op.name
        for op in OPERATIONS
    }
    for listed in msgspec.json.decode(raw)["endpoint_costs"]:
        name = templates.get((listed["method"], listed["path"]))
        if name is not None:
            assert made.cost(BY_NAME[name]) == listed["cost"]
    assert {op.bucket for op in OPERATIONS} <= {Bucket.READ, Bucket.WRITE}
