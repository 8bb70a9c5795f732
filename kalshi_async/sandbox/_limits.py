"""Token buckets as the exchange meters requests: tiers, endpoint costs, one bucket for reads,
one for writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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

    def take(self, cost: float, at: float) -> bool:
        """Take the tokens if they are there; a refusal takes nothing."""
        # Refilling adds floats: a bucket filled by many small steps must still hold a whole
        # request.
        if self.available(at) + 1e-9 < cost:
            return False
        self._tokens = max(0.0, self._tokens - cost)
        return True


class Limits:
    """The two buckets of one account, or of one address without a key."""

    def __init__(self, tier: Tier, clock: Clock) -> None:
        self.tier = tier
        self._clock = clock
        at = clock()
        self.read = TokenBucket(tier.read_rate, tier.read_capacity, at)
        self.write = TokenBucket(tier.write_rate, tier.write_capacity, at)
        # The balance of the lower tiers is read from a bucket of its own: once a second.
        self.balance = TokenBucket(1, 1, at) if tier.name in _SLOW_BALANCE else None

    def admit(self, operation: str, method: str, cost: float) -> bool:
        """Whether a request may pass; it is paid for if so."""
        if self.tier is UNLIMITED:
            return True
        if operation == "GetBalance" and self.balance is not None:
            return self.balance.take(1, self._clock())
        bucket = self.read if method == "GET" else self.write
        return bucket.take(cost, self._clock())

    def __repr__(self) -> str:
        at = self._clock()
        read, write = self.read.available(at), self.write.available(at)
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
