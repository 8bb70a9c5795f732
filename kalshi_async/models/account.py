"""The account's request budget, what each operation costs, and the way to a larger budget."""

from __future__ import annotations

from decimal import Decimal

from ._base import ABSENT, Model, wire_names


class BucketLimit(Model):
    """A token bucket: ``refill_rate`` tokens a second, at most ``bucket_capacity`` of them."""

    refill_rate: int = ABSENT
    bucket_capacity: int = ABSENT


class ApiUsageLevelGrant(Model):
    """A usage level granted to the account.

    ``expires_ts`` is in Unix seconds, None where the grant does not expire.
    """

    exchange_instance: str = ABSENT
    level: str = ABSENT
    expires_ts: int | None = None
    source: str = ABSENT


class AccountLimits(Model):
    """The budgets of the account, shared by all its keys and processes."""

    usage_tier: str = ABSENT
    read: BucketLimit = ABSENT
    write: BucketLimit = ABSENT
    grants: list[ApiUsageLevelGrant] = ABSENT


class EndpointTokenCost(Model):
    """Tokens that one request costs; ``path`` is full, with ``:name`` placeholders."""

    method: str = ABSENT
    path: str = ABSENT
    cost: int = ABSENT


class EndpointCosts(Model):
    """Costs that differ from ``default_cost`` tokens a request."""

    default_cost: int = ABSENT
    endpoint_costs: list[EndpointTokenCost] = ABSENT


class VolumeGoal(Model, rename=wire_names(counts=["earn_volume_goal", "keep_volume_goal"])):
    """Contracts of 30 days that earn a usage level, and those that keep it."""

    earn_volume_goal: Decimal = ABSENT
    keep_volume_goal: Decimal = ABSENT
    level: str = ABSENT


class VolumeProgress(Model, rename=wire_names(counts=["trailing_30d_volume"])):
    """Contracts traded in the last 30 days, and the goals; ``computed_ts`` is Unix seconds."""

    computed_ts: int = ABSENT
    goals: list[VolumeGoal] = ABSENT
    trailing_30d_volume: Decimal = ABSENT
