"""``client.historical``: what settled before the cutoff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar, Unpack, overload

import msgspec

from .._decode import Page
from .._operations import (
    GET_HISTORICAL_CANDLESTICKS,
    GET_HISTORICAL_CUTOFF,
    GET_HISTORICAL_MARKET,
    GET_HISTORICAL_MARKETS,
    GET_HISTORICAL_TRADES,
)
from .._pagination import Paginator
from ..models.candlesticks import HistoricalCandlestick, PeriodInterval
from ..models.historical import HistoricalCutoff
from ..models.markets import Market
from ..models.trades import Trade
from ._base import CallOptions
from ._checks import (
    Timestamp,
    between,
    bounded,
    candle_span,
    comma,
    identifier,
    optional,
    word,
)
from ._historical_private import HistoricalPrivate

S = TypeVar("S", bound=msgspec.Struct)


class Historical(HistoricalPrivate):
    """Markets settled before the cutoff, and their data; cancelling any call is safe.

    Public, but for ``fills``, ``orders`` and ``positions``: what the account did in them.
    """

    async def cutoff(self, **options: Unpack[CallOptions]) -> HistoricalCutoff:
        """Where live data begin: older markets, trades and orders are found only here."""
        return await self._object(GET_HISTORICAL_CUTOFF, HistoricalCutoff, options)

    @overload
    def markets(
        self,
        *,
        limit: int | None = None,
        tickers: str | Sequence[str] | None = None,
        event_ticker: str | None = None,
        series_ticker: str | None = None,
        mve_filter: Literal["exclude"] | None = None,
        schema: None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Market]: ...
    @overload
    def markets(
        self,
        *,
        limit: int | None = None,
        tickers: str | Sequence[str] | None = None,
        event_ticker: str | None = None,
        series_ticker: str | None = None,
        mve_filter: Literal["exclude"] | None = None,
        schema: type[S],
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[S]: ...
    def markets(
        self,
        *,
        limit: int | None = None,
        tickers: str | Sequence[str] | None = None,
        event_ticker: str | None = None,
        series_ticker: str | None = None,
        mve_filter: Literal["exclude"] | None = None,
        schema: type[S] | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Market] | Paginator[S]:
        """Settled markets, page by page.

        Args:
            limit: Markets a page, up to 1,000; the exchange's default is 100.
            tickers: Only these markets.
            event_ticker: Only markets of this event.
            series_ticker: Only markets of this series.
            mve_filter: ``"exclude"`` leaves out combos.
            schema: A smaller struct to decode instead of ``Market``.
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is out of range, unknown or empty; nothing is sent.
        """
        query = {
            "limit": bounded("limit", limit, 0, 1000),
            "tickers": comma("tickers", tickers),
            "event_ticker": optional("event_ticker", event_ticker),
            "series_ticker": optional("series_ticker", series_ticker),
            "mve_filter": word("mve_filter", mve_filter, ("exclude",)),
        }
        return self._list(
            GET_HISTORICAL_MARKETS,
            Market,
            options,
            key="markets",
            query=query,
            schema=schema,
            cursor=cursor,
            max_pages=max_pages,
        )

    async def market(self, ticker: str, **options: Unpack[CallOptions]) -> Market:
        """One settled market.

        Raises:
            NotFoundError: There is no such market before the cutoff.
        """
        return await self._object(
            GET_HISTORICAL_MARKET,
            Market,
            options,
            key="market",
            path={"ticker": identifier("ticker", ticker)},
        )

    @overload
    def trades(
        self,
        *,
        ticker: str | None = None,
        min_ts: Timestamp | None = None,
        max_ts: Timestamp | None = None,
        limit: int | None = None,
        is_block_trade: bool | None = None,
        schema: None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Trade]: ...
    @overload
    def trades(
        self,
        *,
        ticker: str | None = None,
        min_ts: Timestamp | None = None,
        max_ts: Timestamp | None = None,
        limit: int | None = None,
        is_block_trade: bool | None = None,
        schema: type[S],
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[S]: ...
    def trades(
        self,
        *,
        ticker: str | None = None,
        min_ts: Timestamp | None = None,
        max_ts: Timestamp | None = None,
        limit: int | None = None,
        is_block_trade: bool | None = None,
        schema: type[S] | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Trade] | Paginator[S]:
        """Trades before the cutoff, newest first; the arguments are those of ``markets.trades``.

        Raises:
            InvalidRequestError: An argument is out of range, empty or naive; nothing is sent.
        """
        query = {
            "limit": bounded("limit", limit, 0, 1000),
            "ticker": optional("ticker", ticker),
            **between("min_ts", min_ts, "max_ts", max_ts),
            "is_block_trade": is_block_trade,
        }
        return self._list(
            GET_HISTORICAL_TRADES,
            Trade,
            options,
            key="trades",
            query=query,
            schema=schema,
            cursor=cursor,
            max_pages=max_pages,
        )

    async def candlesticks(
        self,
        ticker: str,
        *,
        start_ts: Timestamp,
        end_ts: Timestamp,
        period_interval: PeriodInterval,
        **options: Unpack[CallOptions],
    ) -> Page[HistoricalCandlestick]:
        """The candlesticks of a settled market that end between two times, oldest first.

        Args:
            ticker: The market.
            start_ts: Unix seconds or an aware datetime.
            end_ts: Unix seconds or an aware datetime.
            period_interval: Minutes a candle: 1, 60 or 1440.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: Start after end, no such period, a naive datetime; nothing is sent.
            NotFoundError: There is no such market before the cutoff.
        """
        return await self._list(
            GET_HISTORICAL_CANDLESTICKS,
            HistoricalCandlestick,
            options,
            key="candlesticks",
            path={"ticker": identifier("ticker", ticker)},
            query=candle_span(start_ts, end_ts, period_interval),
        )
