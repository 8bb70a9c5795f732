"""``client.account``: the request budget."""

from __future__ import annotations

from typing import Unpack

from .._operations import GET_ACCOUNT_LIMITS, GET_ENDPOINT_COSTS
from ..models.account import AccountLimits, EndpointCosts
from ._base import CallOptions, Resource


class Account(Resource):
    """The account's request budget. Cancelling any call is safe."""

    async def limits(self, **options: Unpack[CallOptions]) -> AccountLimits:
        """The account's tier and token buckets (tokens a second, and capacity).

        Reading them changes nothing; ``client.limits.sync()`` adopts them.

        Raises:
            ConfigurationError: The client has no credentials.
            AuthenticationError: The exchange refused them.
        """
        return await self._object(GET_ACCOUNT_LIMITS, AccountLimits, options)

    async def endpoint_costs(self, **options: Unpack[CallOptions]) -> EndpointCosts:
        """What operations cost in tokens, where that differs from the default. Public."""
        return await self._object(GET_ENDPOINT_COSTS, EndpointCosts, options)
