"""``client.exchange``: state and hours of the exchange."""

from __future__ import annotations

from typing import Unpack

from .._operations import GET_EXCHANGE_SCHEDULE, GET_EXCHANGE_STATUS, GET_USER_DATA_TIMESTAMP
from ..models.exchange import ExchangeSchedule, ExchangeStatus, UserDataTimestamp
from ._base import CallOptions, Resource


class Exchange(Resource):
    """State and hours of the exchange. Public; cancelling any call is safe."""

    async def status(self, **options: Unpack[CallOptions]) -> ExchangeStatus:
        """Whether the exchange is up and trading.

        Raises:
            ServerError: The exchange is down; ``error.status`` is 500, 503 or 504.
        """
        return await self._object(GET_EXCHANGE_STATUS, ExchangeStatus, options)

    async def schedule(self, **options: Unpack[CallOptions]) -> ExchangeSchedule:
        """Standard trading hours (New York time) and planned maintenance."""
        return await self._object(GET_EXCHANGE_SCHEDULE, ExchangeSchedule, options, key="schedule")

    async def user_data_timestamp(self, **options: Unpack[CallOptions]) -> UserDataTimestamp:
        """Up to when balances, orders, fills and positions read now are complete."""
        return await self._object(GET_USER_DATA_TIMESTAMP, UserDataTimestamp, options)
