"""``client.limits``: the account's own limits, live."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import MappingProxyType

from ._config import API_PREFIX
from ._operations import OPERATIONS
from ._ratelimit import BucketLimits, Limiter, RateLimits
from ._transport import Transport
from .models.account import AccountLimits, EndpointCosts
from .resources.account import Account

_BALANCE_BUCKET = {"GetBalance": BucketLimits(10, 10)}
_TIERS_WITH_BALANCE_BUCKET = frozenset({"basic", "advanced"})


class Limits:
    """What the client may spend, and what it has left."""

    def __init__(self, transport: Transport, limiter: Limiter) -> None:
        self._transport = transport
        self._limiter = limiter

    @property
    def current(self) -> RateLimits | None:
        """The limits in force; None when the limiter is off."""
        return self._limiter.limits

    async def sync(self) -> RateLimits:
        """Ask the exchange for the account's limits and the live costs, and pace by them.

        Returns:
            The limits now in force.

        Raises:
            KalshiError: They could not be read; the limits stay as they were.
        """
        return await fetch_and_adopt(self._transport, self._limiter)

    def __repr__(self) -> str:
        return repr(self._limiter)


async def fetch_and_adopt(transport: Transport, limiter: Limiter) -> RateLimits:
    """Read the account's limits and costs; make the limiter keep them."""
    account = Account(transport)
    limits = to_rate_limits(await account.limits(), await account.endpoint_costs())
    limiter.adopt(limits)
    return limits


def adopt_account_limits(limiter: Limiter) -> Callable[[Transport], Awaitable[None]]:
    """What a transport awaits before its first call when ``limits="account"``."""

    async def prepare(transport: Transport) -> None:
        await fetch_and_adopt(transport, limiter)

    return prepare


def to_rate_limits(limits: AccountLimits, costs: EndpointCosts) -> RateLimits:
    """The exchange's two answers as one ``RateLimits``.

    Costs come as method and full path with ``:name`` placeholders. Endpoints that this client does
    not offer are passed over.
    """
    by_endpoint = {
        (cost.method.upper(), _normalized(cost.path)): cost.cost for cost in costs.endpoint_costs
    }
    known = {}
    for operation in OPERATIONS:
        cost = by_endpoint.get((operation.method, _normalized(API_PREFIX + operation.path)))
        if cost is not None:
            known[operation.name] = cost
    tier = limits.usage_tier
    return RateLimits(
        read=BucketLimits(limits.read.refill_rate, limits.read.bucket_capacity),
        write=BucketLimits(limits.write.refill_rate, limits.write.bucket_capacity),
        costs=MappingProxyType(known),
        default_cost=costs.default_cost,
        dedicated=MappingProxyType(_BALANCE_BUCKET if tier in _TIERS_WITH_BALANCE_BUCKET else {}),
        tier=tier,
    )


def _normalized(path: str) -> str:
    """A path whose placeholders, ``:name`` or ``{name}``, all read ``*``."""
    return "/".join("*" if part[:1] in (":", "{") else part for part in path.split("/"))
