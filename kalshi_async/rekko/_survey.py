"""Calls over many markets, and over the past: what ``RekkoClient`` offers without a namespace."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Unpack

from .._amounts import Money, money_or_zero
from ..resources._base import CallOptions
from ..resources._checks import identifiers, optional
from . import _checks as check
from . import _operations as ops
from ._base import Calls
from .models import (
    Calibration,
    Correlation,
    Listing,
    Opportunity,
    Performance,
    ScreenedMarket,
)


class Survey(Calls):
    """Calls that only read: cancelling any of them is safe."""

    async def screen(
        self,
        *,
        market_ids: Sequence[str] | None = None,
        platform: str | None = None,
        min_volume_24h: Money | None = None,
        min_score: str | int | Decimal | None = None,
        limit: int = 30,
        **options: Unpack[CallOptions],
    ) -> Listing[ScreenedMarket]:
        """Markets by how promising they are, before anything is analyzed.

        Args:
            market_ids: Only these.
            platform: Only of this platform.
            min_volume_24h: Only with so many dollars traded in a day.
            min_score: Only with this score at least.
            limit: How many at most, 1 to 100.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Returns:
            The markets; ``total`` is how many were looked at.

        Raises:
            InvalidRequestError: An argument is empty, a float, or out of range; nothing is sent.
        """
        volume = min_volume_24h
        fields = {
            "market_ids": None if market_ids is None else identifiers("market_ids", market_ids),
            "platform": optional("platform", platform),
            "min_volume_24h": (None if volume is None else money_or_zero("min_volume_24h", volume)),
            "min_score": None if min_score is None else check.number("min_score", min_score),
            "limit": check.limit(limit),
        }
        return await self._listing(
            ops.SCREEN, ScreenedMarket, "results", options, body=check.body(fields)
        )

    async def arbitrage(
        self,
        *,
        min_spread: check.Share | None = None,
        live: bool = False,
        **options: Unpack[CallOptions],
    ) -> Listing[Opportunity]:
        """The same questions at different prices on different platforms, before fees.

        Args:
            min_spread: Only with this difference at least, 0 to 1 (``"0.03"`` is 3 cents).
            live: Ask the platforms now instead of taking the last survey.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Returns:
            The opportunities; ``as_of`` is when they were seen.

        Raises:
            InvalidRequestError: ``min_spread`` is a float or out of range; nothing is sent.
        """
        spread = None if min_spread is None else check.share("min_spread", min_spread)
        return await self._listing(
            ops.LIVE_ARBITRAGE if live else ops.ARBITRAGE,
            Opportunity,
            "opportunities",
            options,
            query={"min_spread": spread},
        )

    async def correlation(
        self,
        market_ids: Sequence[str],
        *,
        platform: str | None = None,
        period: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Listing[Correlation]:
        """How markets move together, pair by pair, over ``"48h"``, ``"7d"`` or ``"30d"``."""
        fields = {
            "market_ids": identifiers("market_ids", market_ids),
            "platform": optional("platform", platform),
            "period": check.period(period),
        }
        return await self._listing(
            ops.CORRELATION, Correlation, "correlations", options, body=check.body(fields)
        )

    async def calibration(
        self,
        *,
        period: str | None = None,
        category: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Calibration:
        """How often what Rekko called probable came true."""
        query = {"period": optional("period", period), "category": optional("category", category)}
        return await self._object(ops.CALIBRATION, Calibration, options, query=query)

    async def performance(
        self,
        *,
        period: str | None = None,
        category: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Performance:
        """What following Rekko's signals would have brought."""
        query = {"period": optional("period", period), "category": optional("category", category)}
        return await self._object(ops.PERFORMANCE, Performance, options, query=query)
