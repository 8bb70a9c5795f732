"""``client.markets``: markets, their books, trades and candlesticks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, Unpack, overload

import msgspec

from .._decode import Page
from .._operations import (
    BATCH_GET_MARKET_CANDLESTICKS,
    GET_MARKET,
    GET_MARKET_CANDLESTICKS,
    GET_MARKET_ORDERBOOK,
    GET_MARKET_ORDERBOOKS,
    GET_MARKETS,
    GET_TRADES,
)
from .._pagination import Paginator
from ..models.candlesticks import Candlestick, MarketCandlesticks, PeriodInterval
from ..models.markets import Market, MarketStatusFilter, MveFilter
from ..models.orderbook import OrderBook, WireMarketBook, WireOrderBook
from ..models.trades import Trade
from ._base import CallOptions
from ._checks import (
    MAX_BATCH_MARKETS,
    MAX_ORDERBOOKS,
    Timestamp,
    between,
    bounded,
    candle_span,
    identifier,
    identifiers,
    optional,
)
from ._filters import market_query
from ._scans import MarketScans

S = TypeVar("S", bound=msgspec.Struct)


class Markets(MarketScans):
    """Markets, their books, trades and candlesticks. Public; cancelling any call is safe."""

    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        event_ticker: str | None = None,
        series_ticker: str | None = None,
        min_created_ts: Timestamp | None = None,
        max_created_ts: Timestamp | None = None,
        min_updated_ts: Timestamp | None = None,
        max_updated_ts: Timestamp | None = None,
        min_close_ts: Timestamp | None = None,
        max_close_ts: Timestamp | None = None,
        min_settled_ts: Timestamp | None = None,
        max_settled_ts: Timestamp | None = None,
        status: MarketStatusFilter | None = None,
        tickers: str | Sequence[str] | None = None,
        mve_filter: MveFilter | None = None,
        schema: None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Market]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        event_ticker: str | None = None,
        series_ticker: str | None = None,
        min_created_ts: Timestamp | None = None,
        max_created_ts: Timestamp | None = None,
        min_updated_ts: Timestamp | None = None,
        max_updated_ts: Timestamp | None = None,
        min_close_ts: Timestamp | None = None,
        max_close_ts: Timestamp | None = None,
        min_settled_ts: Timestamp | None = None,
        max_settled_ts: Timestamp | None = None,
        status: MarketStatusFilter | None = None,
        tickers: str | Sequence[str] | None = None,
        mve_filter: MveFilter | None = None,
        schema: type[S],
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[S]: ...
    def list(
        self,
        *,
        limit: int | None = None,
        event_ticker: str | None = None,
        series_ticker: str | None = None,
        min_created_ts: Timestamp | None = None,
        max_created_ts: Timestamp | None = None,
        min_updated_ts: Timestamp | None = None,
        max_updated_ts: Timestamp | None = None,
        min_close_ts: Timestamp | None = None,
        max_close_ts: Timestamp | None = None,
        min_settled_ts: Timestamp | None = None,
        max_settled_ts: Timestamp | None = None,
        status: MarketStatusFilter | None = None,
        tickers: str | Sequence[str] | None = None,
        mve_filter: MveFilter | None = None,
        schema: type[S] | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Market] | Paginator[S]:
        """Markets, page by page, newest first.

        Times are Unix seconds or aware datetimes, and the four pairs exclude each other.

        Args:
            limit: Markets a page, up to 1,000; the exchange's default is 100.
            event_ticker: Only markets of this event.
            series_ticker: Only markets of this series.
            min_created_ts: With ``max_created_ts``; status ``"unopened"``, ``"open"`` or none.
            max_created_ts: See ``min_created_ts``.
            min_updated_ts: With ``max_updated_ts``: when metadata changed (trading does not
                count); no other filter than ``mve_filter="exclude"``.
            max_updated_ts: See ``min_updated_ts``.
            min_close_ts: With ``max_close_ts``; status ``"closed"`` or none.
            max_close_ts: See ``min_close_ts``.
            min_settled_ts: With ``max_settled_ts``; status ``"settled"`` or none.
            max_settled_ts: See ``min_settled_ts``.
            status: One state. (An object's own ``status`` uses other words: ``"active"`` is found
                with ``"open"``, ``"finalized"`` with ``"settled"``.)
            tickers: Only these markets.
            mve_filter: ``"exclude"`` leaves out combos, ``"only"`` returns nothing else.
            schema: A smaller struct to decode instead of ``Market``, with some of its fields.
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: The exchange would refuse the filters; nothing is sent.
        """
        query = market_query(
            event_ticker=event_ticker,
            series_ticker=series_ticker,
            min_created_ts=min_created_ts,
            max_created_ts=max_created_ts,
            min_updated_ts=min_updated_ts,
            max_updated_ts=max_updated_ts,
            min_close_ts=min_close_ts,
            max_close_ts=max_close_ts,
            min_settled_ts=min_settled_ts,
            max_settled_ts=max_settled_ts,
            status=status,
            tickers=tickers,
            mve_filter=mve_filter,
        )
        return self._list(
            GET_MARKETS,
            Market,
            options,
            key="markets",
            query={"limit": bounded("limit", limit, 0, 1000), **query},
            schema=schema,
            cursor=cursor,
            max_pages=max_pages,
        )

    async def get(self, ticker: str, **options: Unpack[CallOptions]) -> Market:
        """One market.

        Raises:
            NotFoundError: There is no such market, or it settled before the historical cutoff
                (then ``client.historical.market`` has it).
        """
        return await self._object(
            GET_MARKET,
            Market,
            options,
            key="market",
            path={"ticker": identifier("ticker", ticker)},
        )

    async def orderbook(
        self, ticker: str, *, depth: int | None = None, **options: Unpack[CallOptions]
    ) -> OrderBook:
        """The bids of a market. An unknown ticker has an empty book, not an error.

        Args:
            ticker: The market.
            depth: Best levels a side, up to 100; 0 or None for all.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: ``depth`` is out of range or ``ticker`` empty; nothing is sent.
            DecodeError: A side of the book cannot be read (it is never shown as empty).
        """
        wire = await self._object(
            GET_MARKET_ORDERBOOK,
            WireOrderBook,
            options,
            path={"ticker": identifier("ticker", ticker)},
            query={"depth": bounded("depth", depth, 0, 100)},
        )
        return wire.book(ticker)

    async def orderbooks(
        self, *, tickers: str | Sequence[str], **options: Unpack[CallOptions]
    ) -> Page[OrderBook]:
        """The books of up to 100 markets; each has its ``ticker``.

        Raises:
            InvalidRequestError: No ticker, an empty one, or more than 100; nothing is sent.
        """
        page = await self._list(
            GET_MARKET_ORDERBOOKS,
            WireMarketBook,
            options,
            key="orderbooks",
            query={"tickers": identifiers("tickers", tickers, MAX_ORDERBOOKS)},
        )
        return Page([wire.book() for wire in page], page.cursor, page.undecoded, page.drift)

    @overload
    def trades(
        self,
        *,
        limit: int | None = None,
        ticker: str | None = None,
        min_ts: Timestamp | None = None,
        max_ts: Timestamp | None = None,
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
        limit: int | None = None,
        ticker: str | None = None,
        min_ts: Timestamp | None = None,
        max_ts: Timestamp | None = None,
        is_block_trade: bool | None = None,
        schema: type[S],
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[S]: ...
    def trades(
        self,
        *,
        limit: int | None = None,
        ticker: str | None = None,
        min_ts: Timestamp | None = None,
        max_ts: Timestamp | None = None,
        is_block_trade: bool | None = None,
        schema: type[S] | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Trade] | Paginator[S]:
        """Public trades, newest first, page by page.

        Args:
            limit: Trades a page, up to 1,000; the exchange's default is 100.
            ticker: Only trades of this market.
            min_ts: Not before this time (Unix seconds or an aware datetime).
            max_ts: Not after this time (Unix seconds or an aware datetime).
            is_block_trade: Only block trades, or only others.
            schema: A smaller struct to decode instead of ``Trade``.
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

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
            GET_TRADES,
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
        series_ticker: str,
        ticker: str,
        *,
        start_ts: Timestamp,
        end_ts: Timestamp,
        period_interval: PeriodInterval,
        include_latest_before_start: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> Page[Candlestick]:
        """The candlesticks of a market that end between ``start_ts`` and ``end_ts``, oldest first.

        Args:
            series_ticker: The market's series.
            ticker: The market.
            start_ts: Unix seconds or an aware datetime.
            end_ts: Unix seconds or an aware datetime.
            period_interval: Minutes a candle: 1, 60 or 1440.
            include_latest_before_start: Put a candle with the last known prices before the first.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: Start after end, no such period, a naive datetime; nothing is sent.
            NotFoundError: There is no such market in that series.
        """
        return await self._list(
            GET_MARKET_CANDLESTICKS,
            Candlestick,
            options,
            key="candlesticks",
            path={
                "series_ticker": identifier("series_ticker", series_ticker),
                "ticker": identifier("ticker", ticker),
            },
            query={
                **candle_span(start_ts, end_ts, period_interval),
                "include_latest_before_start": include_latest_before_start,
            },
        )

    async def candlesticks_batch(
        self,
        *,
        market_tickers: str | Sequence[str],
        start_ts: Timestamp,
        end_ts: Timestamp,
        period_interval: PeriodInterval,
        include_latest_before_start: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> Page[MarketCandlesticks]:
        """The candlesticks of up to 100 markets; the arguments are those of ``candlesticks``.

        Raises:
            InvalidRequestError: As ``candlesticks``, or more than 100 markets; nothing is sent.
        """
        tickers = identifiers("market_tickers", market_tickers, MAX_BATCH_MARKETS)
        return await self._list(
            BATCH_GET_MARKET_CANDLESTICKS,
            MarketCandlesticks,
            options,
            key="markets",
            query={
                "market_tickers": ",".join(tickers),
                **candle_span(start_ts, end_ts, period_interval),
                "include_latest_before_start": include_latest_before_start,
            },
        )
