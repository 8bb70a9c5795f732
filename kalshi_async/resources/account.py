"""``client.account``: the request budget, and the way to a larger one."""

from __future__ import annotations

from typing import Unpack

from .._decode import Page
from .._operations import (
    GET_ACCOUNT_LIMITS,
    GET_ENDPOINT_COSTS,
    GET_VOLUME_PROGRESS,
    UPGRADE_USAGE_LEVEL,
)
from ..models.account import AccountLimits, EndpointCosts, VolumeProgress
from ._base import CallOptions, Resource


class Account(Resource):
    """The account's request budget. Cancelling any read is safe."""

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

    async def volume_progress(self, **options: Unpack[CallOptions]) -> Page[VolumeProgress]:
        """Contracts traded in the last 30 days, and how many earn or keep each usage level."""
        return await self._list(GET_VOLUME_PROGRESS, VolumeProgress, options, key="volume_progress")

    async def upgrade(self, **options: Unpack[CallOptions]) -> None:
        """Ask for the Advanced usage level, for accounts that place orders through the API.

        ``client.limits.sync()`` adopts the new budget. Safe to repeat: a level the account has is
        granted again. Cancelled after sending, it may be granted all the same; ``limits()`` tells.

        Raises:
            PermissionDeniedError: No recent order of the account came through the API.
        """
        await self._done(UPGRADE_USAGE_LEVEL, options)
