"""The limiter: continuous token buckets, first come first served within a priority.

``TokenBucket`` is plain arithmetic with the time passed in; ``Limiter`` decides in plain functions
and waits in one place. The exchange keeps one read and one write bucket for each *account*, so one
limiter belongs to one account: share the client, or its limits, among tasks.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from types import MappingProxyType
from typing import NamedTuple

import anyio

from ._errors import InvalidRequestError
from ._operations import Operation, Priority

HEADROOM_SECONDS = 0.1
"""How much less than the exchange allows is spent in one burst, in seconds of refill.

Requests sent steadily do not arrive steadily: the network bunches them. The rate stays whole.
"""

SOON = 0.02
"""Seconds for which it does not matter whether requests go one by one or together."""

SLOWDOWN = 0.9
RECOVERY_PER_SECOND = 0.01
SLOWEST = 0.1
_TOLERANCE = 1e-6
_TIMER_SECONDS = 0.005
"""No timer is set for less than this: event loops round to whole milliseconds, and one that comes
too early has to be set again and again. The bucket goes on filling meanwhile."""


@dataclass(frozen=True, slots=True)
class BucketLimits:
    """A token bucket: ``rate`` tokens a second, at most ``capacity`` saved up."""

    rate: float
    capacity: float

    def __post_init__(self) -> None:
        if not (0 < self.rate < math.inf and 0 < self.capacity < math.inf):
            raise InvalidRequestError(
                f"rate {self.rate} and capacity {self.capacity}: both must be positive numbers"
            )


class Room(NamedTuple):
    """How many requests, or items of a batch, there are tokens for.

    Attributes:
        now: Without waiting.
        soon: Without waiting for longer than ``SOON``.
        most: In a full bucket.
    """

    now: int
    soon: int
    most: int


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What an account may spend.

    Attributes:
        read: The read bucket.
        write: The write bucket.
        costs: Tokens by operation name, where they differ from ``default_cost``.
        default_cost: Tokens of any other request.
        dedicated: Buckets of single operations, by operation name.
        tier: The usage tier that these limits belong to, where known.
    """

    read: BucketLimits = BucketLimits(100, 100)
    write: BucketLimits = BucketLimits(100, 100)
    costs: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    default_cost: int | None = None
    dedicated: Mapping[str, BucketLimits] = field(
        default_factory=lambda: MappingProxyType({"GetBalance": BucketLimits(10, 10)})
    )
    tier: str | None = None

    @classmethod
    def per_second(cls, reads: float, writes: float | None = None) -> RateLimits:
        """Limits of so many ordinary requests (10 tokens each) a second, one second's burst."""
        write = reads if writes is None else writes
        return cls(BucketLimits(reads * 10, reads * 10), BucketLimits(write * 10, write * 10))

    def cost(self, operation: Operation) -> int:
        """Tokens of one request of an operation (of one item, for a batch)."""
        found = self.costs.get(operation.name)
        if found is not None:
            return found
        return operation.cost if self.default_cost is None else self.default_cost


class TokenBucket:
    """A continuous token bucket, without a clock of its own.

    A request may be taken when the bucket holds its cost; one that costs more than a burst may be
    taken from a full bucket, which then owes the rest. ``penalize`` empties the bucket and slows it
    by a tenth; the slowdown heals by a hundredth of the rate a second.
    """

    def __init__(self, limits: BucketLimits, now: float) -> None:
        self.limits = limits
        self.burst = _burst(limits)
        self._tokens = self.burst
        self._factor = 1.0
        self._updated = now
        self._slowed_at = -math.inf

    def tokens(self, now: float) -> float:
        """Tokens in the bucket; negative while it owes."""
        self._refill(now)
        return self._tokens

    def rate(self, now: float) -> float:
        """Tokens a second that it gains now, the slowdown included."""
        self._refill(now)
        return self.limits.rate * self._factor

    def take(self, cost: float, now: float) -> bool:
        """Take ``cost`` tokens if they are there."""
        self._refill(now)
        if self._tokens + _TOLERANCE < min(cost, self.burst):
            return False
        self._tokens -= cost
        return True

    def give_back(self, cost: float, now: float) -> None:
        """Return tokens that were taken and not spent."""
        self._refill(now)
        self._tokens = min(self.burst, self._tokens + cost)

    def wait(self, cost: float, now: float) -> float:
        """Seconds until ``take(cost)`` succeeds if nobody else takes any."""
        self._refill(now)
        missing = (min(cost, self.burst) - self._tokens) / self.limits.rate
        if missing <= _TOLERANCE / self.limits.rate:
            return 0.0
        factor, heal = self._factor, RECOVERY_PER_SECOND
        healing = (1 - factor) / heal
        gained = factor * healing + heal * healing**2 / 2
        if missing >= gained:
            return healing + missing - gained
        return (math.sqrt(factor**2 + 2 * heal * missing) - factor) / heal

    def penalize(self, sent_at: float, now: float) -> None:
        """The exchange refused a request that was sent at ``sent_at``: its bucket is empty.

        Requests that were already under way at the last slowdown do not slow it again.
        """
        self._refill(now)
        self._tokens = min(self._tokens, 0.0)
        if sent_at > self._slowed_at:
            self._factor = max(SLOWEST, self._factor * SLOWDOWN)
            self._slowed_at = now

    def adopt(self, limits: BucketLimits, now: float) -> None:
        """Go on with other limits; what has been spent stays spent."""
        self._refill(now)
        spent = self.burst - self._tokens
        self.limits = limits
        self.burst = _burst(limits)
        self._tokens = self.burst - spent

    def _refill(self, now: float) -> None:
        elapsed = now - self._updated
        if elapsed <= 0:
            return
        self._updated = now
        factor = self._factor
        if factor >= 1.0:
            gained = elapsed
        else:
            healing = min(elapsed, (1 - factor) / RECOVERY_PER_SECOND)
            gained = factor * healing + RECOVERY_PER_SECOND * healing**2 / 2 + elapsed - healing
            self._factor = min(1.0, factor + RECOVERY_PER_SECOND * healing)
        self._tokens = min(self.burst, self._tokens + gained * self.limits.rate)


def _burst(limits: BucketLimits) -> float:
    return max(limits.capacity - HEADROOM_SECONDS * limits.rate, limits.capacity / 2)


class _Waiter:
    __slots__ = ("cost", "event", "gone", "granted", "key")

    def __init__(self, priority: int, order: int, cost: float) -> None:
        self.key = (priority, order)
        self.cost = cost
        self.event = anyio.Event()
        self.granted = False
        self.gone = False

    def __lt__(self, other: _Waiter) -> bool:
        return self.key < other.key


class _Queue:
    """One bucket and those who wait for it.

    The waiter at the head keeps the time; everybody else sleeps until granted or until they become
    the head. Whoever is awake grants tokens to as many as there are tokens for, in order. Waiters
    that were cancelled stay in the heap until they come up, where they are dropped: the head is
    never one of them.
    """

    def __init__(self, limits: BucketLimits, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._limits = limits
        self._bucket: TokenBucket | None = None
        self._heap: list[_Waiter] = []
        self._order = count()
        self._gone = 0

    @property
    def bucket(self) -> TokenBucket:
        if self._bucket is None:  # made at first use: the clock may need a running event loop
            self._bucket = TokenBucket(self._limits, self._clock())
        return self._bucket

    def room(self, cost: float) -> Room:
        bucket, now = self.bucket, self._clock()
        at_once = 0.0 if self._heap else bucket.tokens(now)
        soon = max(at_once, bucket.rate(now) * SOON)
        return Room(max(0, int(at_once // cost)), int(soon // cost), int(bucket.burst // cost))

    async def acquire(self, cost: float, priority: Priority) -> float:
        """Wait for ``cost`` tokens; returns the seconds waited. Cancelling gives them back."""
        start = self._clock()
        if not self._heap and self.bucket.take(cost, start):
            return 0.0
        waiter = _Waiter(priority, next(self._order), cost)
        self._enter(waiter)
        try:
            while not waiter.granted:
                await self._sleep(waiter)
                self._grant(awake=waiter)
        except BaseException:
            self._leave(waiter)
            raise
        return self._clock() - start

    def _enter(self, waiter: _Waiter) -> None:
        head = self._heap[0] if self._heap else None
        heapq.heappush(self._heap, waiter)
        if head is not None and self._heap[0] is waiter:
            head.event.set()  # no longer the head: stop keeping the time

    async def _sleep(self, waiter: _Waiter) -> None:
        if waiter is not self._heap[0]:
            await waiter.event.wait()
        else:
            wait = self.bucket.wait(waiter.cost, self._clock())
            with anyio.move_on_after(math.ceil(max(wait, _TIMER_SECONDS) * 1000) / 1000):
                await waiter.event.wait()
        if not waiter.granted:
            waiter.event = anyio.Event()

    def _grant(self, awake: _Waiter | None = None) -> None:
        """Hand out what there is, in order, and wake whoever now keeps the time.

        ``awake`` is the waiter that calls: waking it would make it run round and round.
        """
        now = self._clock()
        heap = self._heap
        while heap and self.bucket.take(heap[0].cost, now):
            waiter = heapq.heappop(heap)
            waiter.granted = True
            waiter.event.set()
            self._drop_gone()
        if heap and heap[0] is not awake:
            heap[0].event.set()

    def give_back(self, cost: float) -> None:
        self.bucket.give_back(cost, self._clock())
        self._grant()

    def _leave(self, waiter: _Waiter) -> None:
        if waiter.granted:
            self.bucket.give_back(waiter.cost, self._clock())
        else:
            waiter.gone = True
            self._gone += 1
            self._drop_gone()
        self._grant()

    def _drop_gone(self) -> None:
        while self._heap and self._heap[0].gone:
            heapq.heappop(self._heap)
            self._gone -= 1

    def penalize(self, sent_at: float) -> None:
        self.bucket.penalize(sent_at, self._clock())

    def adopt(self, limits: BucketLimits) -> None:
        self._limits = limits
        if self._bucket is not None:
            self._bucket.adopt(limits, self._clock())
            self._grant()

    def __repr__(self) -> str:
        if self._bucket is None:
            return f"{self._limits.capacity:.0f} tokens at {self._limits.rate:.0f}/s, unused"
        now = self._clock()
        text = (
            f"{self._bucket.tokens(now):.1f} of {self._limits.capacity:.0f} tokens, "
            f"{self._bucket.rate(now):.0f} of {self._limits.rate:.0f}/s"
        )
        waiting = len(self._heap) - self._gone
        return f"{text}, {waiting} waiting" if waiting else text


class Limiter:
    """Paces the requests of one account.

    Args:
        limits: What may be spent; None lets everything through.
        clock: Monotonic seconds.
    """

    def __init__(
        self, limits: RateLimits | None, clock: Callable[[], float] = anyio.current_time
    ) -> None:
        self._clock = clock
        self.limits = limits
        self._queues: dict[str, _Queue] = {}
        if limits is not None:
            self._queues = {
                name: _Queue(bucket, clock) for name, bucket in _buckets(limits).items()
            }

    async def acquire(
        self, operation: Operation, *, priority: Priority | None = None, items: int = 1
    ) -> float:
        """Wait until an operation may be sent; returns the seconds waited.

        Args:
            operation: What is to be sent.
            priority: Overtakes waiters of a larger value; the operation's own when None.
            items: Items of a batch, billed one by one.

        Cancelling is safe: tokens that were taken and not used go back.
        """
        if self.limits is None:
            return 0.0
        cost = self.limits.cost(operation) * items
        rank = operation.priority if priority is None else priority
        return await self._queue(operation).acquire(cost, rank)

    def give_back(self, operation: Operation, *, items: int = 1) -> None:
        """Return the tokens of an operation that was acquired and then not sent."""
        if self.limits is not None:
            self._queue(operation).give_back(self.limits.cost(operation) * items)

    def penalize(self, operation: Operation, sent_at: float) -> None:
        """An answer was 429: empty the operation's bucket for everybody and slow it a tenth."""
        if self.limits is not None:
            self._queue(operation).penalize(sent_at)

    def adopt(self, limits: RateLimits) -> None:
        """Go on with other limits; waiters keep their places."""
        if self.limits is None:
            return
        self.limits = limits
        for name, bucket in _buckets(limits).items():
            if name in self._queues:
                self._queues[name].adopt(bucket)
            else:
                self._queues[name] = _Queue(bucket, self._clock)

    def room(self, operation: Operation) -> Room | None:
        """How many items of a batch there are tokens for; None where none are needed."""
        cost = 0 if self.limits is None else self.limits.cost(operation)
        return self._queue(operation).room(cost) if cost > 0 else None

    def bucket_name(self, operation: Operation) -> str:
        """``"read"``, ``"write"``, or the operation's own name where it has its own bucket."""
        if self.limits is not None and operation.name in self.limits.dedicated:
            return operation.name
        return operation.bucket.value

    def _queue(self, operation: Operation) -> _Queue:
        return self._queues[self.bucket_name(operation)]

    def __repr__(self) -> str:
        if self.limits is None:
            return "<Limiter off>"
        tier = f"{self.limits.tier}, " if self.limits.tier else ""
        parts = [f"{name}: {self._queues[name]!r}" for name in ("read", "write")]
        return f"<Limiter {tier}{' | '.join(parts)}>"


def _buckets(limits: RateLimits) -> dict[str, BucketLimits]:
    return {"read": limits.read, "write": limits.write, **limits.dedicated}
