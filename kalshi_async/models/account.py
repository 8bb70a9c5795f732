"""The account's request budget and what each operation costs."""

from __future__ import annotations

from ._base import ABSENT, Model


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
