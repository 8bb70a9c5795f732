"""Token buckets as the exchange meters requests: tiers, endpoint costs, one bucket for reads,
one for writes, and one for the orders of each further shard.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ._records import SHARDS

DEFAULT_COST = 10
Clock = Callable[[], float]

# (method, path, tokens) of the operations that do not cost the default.
ENDPOINT_COSTS: tuple[tuple[str, str, int], ...] = (
    ("POST", "/account/api_usage_level/upgrade", 30),
    ("GET", "/cfbenchmarks", 150),
    ("GET", "/cfbenchmarks/*endpoint", 150),
    ("POST", "/communications/quotes", 2),
    ("DELETE", "/communications/quotes/:quote_id", 2),
    ("GET", "/margin/balance", 5),
    ("PUT", "/multivariate_event_collections/:collection_ticker/lookup", 2),
    ("DELETE", "/portfolio/events/orders", 2),
    ("DELETE", "/portfolio/events/orders/:order_id", 2),
    ("DELETE", "/portfolio/events/orders/batched", 2),
    ("POST", "/portfolio/orders", 20),
    ("DELETE", "/portfolio/orders/:order_id", 4),
    ("GET", "/portfolio/orders/:order_id", 2),
    ("POST", "/portfolio/orders/:order_id/amend", 20),
    ("POST", "/portfolio/orders/:order_id/decrease", 20),
    ("DELETE", "/portfolio/orders/batched", 4),
    ("POST", "/portfolio/orders/batched", 20),
)
# The same by the paths of operations, whose placeholders stand in braces.
_COSTS = {(method, re.sub(r":(\w+)", r"{\1}", path)): cost for method, path, cost in ENDPOINT_COSTS}


def cost_of(method: str, path: str) -> int:
    """Tokens a request to an operation costs; `path` is as in `Operation.path`."""
    return _COSTS.get((method, path), DEFAULT_COST)


@dataclass(frozen=True, slots=True)
class Tier:
    """Tokens per second and capacities of a usage tier."""

    name: str
    read_rate: int
    read_capacity: int
    write_rate: int
    write_capacity: int


def _tier(name: str, read: int, write: int) -> Tier:
    return Tier(name, read, read * 3, write, write * 3)


TIERS: dict[str, Tier] = {
    tier.name: tier
    for tier in (
        Tier("basic", 200, 200, 100, 100),
        _tier("advanced", 300, 300),
        _tier("expert", 600, 600),
        _tier("premier", 1_200, 1_200),
        _tier("paragon", 2_400, 2_400),
        _tier("prime", 4_800, 4_800),
        _tier("prestige", 12_000, 9_600),
    )
}
_SLOW_BALANCE = ("basic", "advanced")
# What an account is told that no bucket holds back.
UNLIMITED = Tier("unlimited", 1_000_000, 1_000_000, 1_000_000, 1_000_000)


def tier_named(name: str | None) -> Tier:
    """The tier of this name, None for no limits; a ValueError names the tiers there are."""
    if name is None or name == UNLIMITED.name:
        return UNLIMITED
    if name not in TIERS:
        raise ValueError(
            f"unknown tier {name!r}: choose one of {', '.join(TIERS)}, unlimited (or None)"
        )
    return TIERS[name]


class TokenBucket:
    """A continuous token bucket. Holds no clock: every call is told the time in seconds."""

    __slots__ = ("_at", "_tokens", "capacity", "rate")

    def __init__(self, rate: float, capacity: float, at: float) -> None:
        self.rate, self.capacity = rate, capacity
        self._tokens, self._at = float(capacity), at

    def available(self, at: float) -> float:
        """Tokens at this time; a clock that goes backwards adds none."""
        if at > self._at:
            self._tokens = min(self.capacity, self._tokens + (at - self._at) * self.rate)
            self._at = at
        return self._tokens

    def holds(self, cost: float, at: float) -> bool:
        """Whether the tokens are there."""
        # Refilling adds floats: a bucket filled by many small steps must still hold a whole
        # request.
        return self.available(at) + 1e-9 >= cost

    def take(self, cost: float, at: float) -> bool:
        """Take the tokens if they are there; a refusal takes nothing."""
        if not self.holds(cost, at):
            return False
        self._tokens = max(0.0, self._tokens - cost)
        return True


class Limits:
    """The buckets of one account, or of one address without a key: one for reads, and one a shard
    for writes, of which the first is for everything that is not an order of another shard.
    """

    def __init__(self, tier: Tier, clock: Clock) -> None:
        self.tier = tier
        self._clock = clock
        at = clock()
        self.read = TokenBucket(tier.read_rate, tier.read_capacity, at)
        self.writes = [TokenBucket(tier.write_rate, tier.write_capacity, at) for _ in range(SHARDS)]
        # The balance of the lower tiers is read from a bucket of its own: once a second.
        self.balance = TokenBucket(1, 1, at) if tier.name in _SLOW_BALANCE else None

    def admit(self, operation: str, method: str, cost: float, shard: int | None = 0) -> bool:
        """Whether a request may pass; it is paid for if so. `shard` is the exchange index a write
        names, None for an order that is routed by its market: that is billed to every shard.
        """
        if self.tier is UNLIMITED:
            return True
        if operation == "GetBalance" and self.balance is not None:
            return self.balance.take(1, self._clock())
        at = self._clock()
        if method == "GET":
            return self.read.take(cost, at)
        if shard is not None:
            return self.writes[shard if shard < SHARDS else 0].take(cost, at)
        if not all(bucket.holds(cost, at) for bucket in self.writes):
            return False
        return all(bucket.take(cost, at) for bucket in self.writes)

    def run_at(self, tier: Tier) -> None:
        """Go on at another tier; what is in the buckets stays."""
        self.tier = tier
        self.read.rate, self.read.capacity = tier.read_rate, tier.read_capacity
        for bucket in self.writes:
            bucket.rate, bucket.capacity = tier.write_rate, tier.write_capacity

    def __repr__(self) -> str:
        at = self._clock()
        read, write = self.read.available(at), self.writes[0].available(at)
        return f"<Limits {self.tier.name}: read {read:.0f}, write {write:.0f}>"

    def json(self) -> dict[str, object]:
        """The answer of GET /account/limits."""
        tier = self.tier
        return {
            "grants": [],
            "read": {"bucket_capacity": tier.read_capacity, "refill_rate": tier.read_rate},
            "usage_tier": tier.name,
            "write": {"bucket_capacity": tier.write_capacity, "refill_rate": tier.write_rate},
        }
