"""``rekko.markets`` and ``rekko.analyses``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, Unpack

from .._operations import Operation
from .._wire import QueryValue
from ..resources._base import CallOptions
from ..resources._checks import bounded, identifier, optional
from . import _checks as check
from . import _operations as ops
from ._base import Calls
from .models import (
    Analysis,
    AnalysisRun,
    AnalysisStatus,
    Consensus,
    Execution,
    Listing,
    Market,
    PricePoint,
    RekkoModel,
    Resolution,
)

M = TypeVar("M", bound=RekkoModel)


class _OfMarkets(Calls):
    """Calls about one market, whose answers need not say which."""

    async def _about(
        self,
        operation: Operation,
        model: type[M],
        place: Mapping[str, str],
        options: CallOptions,
        query: Mapping[str, QueryValue] | None = None,
    ) -> M:
        """Call an operation on ``place``, the values of its path."""
        return await self._object(operation, model, options, path=place, query=query, facts=place)


class Markets(_OfMarkets):
    """Markets of all platforms in one form.

    Platforms are ``"kalshi"``, ``"polymarket"``, ``"robinhood"``, ``"coinbase"``; others are sent
    as they are. Every method takes ``timeout=`` (one attempt) and ``deadline=`` (the whole call) in
    seconds; cancelling is safe.
    """

    async def list(
        self,
        *,
        source: str | None = None,
        query: str | None = None,
        limit: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Listing[Market]:
        """Markets that match.

        Args:
            source: Only of this platform.
            query: Only with these words.
            limit: How many at most, 1 to 100; Rekko's default is 30.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: A filter is empty or out of range; nothing is sent.
        """
        return await self._listing(
            ops.LIST_MARKETS,
            Market,
            "markets",
            options,
            query={
                "source": optional("source", source),
                "query": optional("query", query),
                "limit": check.limit(limit),
            },
        )

    async def get(self, platform: str, market_id: str, **options: Unpack[CallOptions]) -> Market:
        """One market.

        Raises:
            NotFoundError: There is no such platform or market.
        """
        place = check.market_path(platform, market_id)
        return await self._about(ops.GET_MARKET, Market, place, options)

    async def history(
        self,
        platform: str,
        market_id: str,
        *,
        period: str | None = None,
        max_points: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Listing[PricePoint]:
        """Past prices, oldest first as Rekko sends them.

        Args:
            platform: The market's platform.
            market_id: The market.
            period: ``"48h"``, ``"7d"`` (Rekko's default) or ``"30d"``.
            max_points: How many points at most; Rekko's default is 48.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: Another period, or no points; nothing is sent.
            NotFoundError: There is no such market.
        """
        return await self._listing(
            ops.MARKET_HISTORY,
            PricePoint,
            "points",
            options,
            path=check.market_path(platform, market_id),
            query={
                "period": check.period(period),
                "max_points": bounded("max_points", max_points, 1, None),
            },
        )

    async def resolution(
        self, platform: str, market_id: str, **options: Unpack[CallOptions]
    ) -> Resolution:
        """When and how it is decided, and what time costs until then."""
        place = check.market_path(platform, market_id)
        return await self._about(ops.MARKET_RESOLUTION, Resolution, place, options)

    async def execution(
        self, platform: str, market_id: str, **options: Unpack[CallOptions]
    ) -> Execution:
        """How to trade it: spread, expected slippage, the order that Rekko would place."""
        place = check.market_path(platform, market_id)
        return await self._about(ops.MARKET_EXECUTION, Execution, place, options)

    async def consensus(
        self,
        platform: str,
        market_id: str,
        *,
        period: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Consensus:
        """The probability across platforms, over ``period`` (``"48h"``, ``"7d"``, ``"30d"``)."""
        place = check.market_path(platform, market_id)
        query = {"period": check.period(period)}
        return await self._about(ops.MARKET_CONSENSUS, Consensus, place, options, query)


class Analyses(_OfMarkets):
    """Analyses call by call; ``rekko.analyze`` does all of it in one."""

    async def list(
        self, *, limit: int | None = None, **options: Unpack[CallOptions]
    ) -> Listing[Analysis]:
        """Past analyses, at most ``limit`` (1 to 100). Cancelling is safe."""
        return await self._listing(
            ops.LIST_ANALYSES, Analysis, "analyses", options, query={"limit": check.limit(limit)}
        )

    async def start(
        self, platform: str, market_id: str, **options: Unpack[CallOptions]
    ) -> AnalysisRun:
        """Start a run, which takes 30 to 90 s at Rekko.

        A second start is a second run, and is billed: only what certainly was not carried out is
        sent again by itself. Cancelled after sending, the run may go on all the same.

        Raises:
            NotFoundError: There is no such market.
            PlanRequiredError: The key's plan has no analyses.
            QuotaExceededError: The plan's analyses are used up.
            DecodeError: The answer names no run.
        """
        place = check.market_path(platform, market_id)
        return await self._about(ops.ANALYZE, AnalysisRun, place, options)

    async def status(
        self, platform: str, market_id: str, analysis_id: str, **options: Unpack[CallOptions]
    ) -> AnalysisStatus:
        """How far a run has got. Cancelling is safe.

        Raises:
            NotFoundError: There is no such run.
        """
        place = check.market_path(platform, market_id)
        place["analysis_id"] = identifier("analysis_id", analysis_id)
        return await self._about(ops.ANALYSIS_STATUS, AnalysisStatus, place, options)

    async def get(self, platform: str, market_id: str, **options: Unpack[CallOptions]) -> Analysis:
        """The newest analysis of a market. Cancelling is safe.

        Raises:
            NotFoundError: There is no such market, or no analysis of it yet.
        """
        place = check.market_path(platform, market_id)
        return await self._about(ops.ANALYSIS, Analysis, place, options)
