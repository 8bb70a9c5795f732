"""``client.events``: questions and their markets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, Unpack, get_args, overload

import msgspec

from .._decode import Page
from .._errors import InvalidRequestError
from .._operations import (
    GET_EVENT,
    GET_EVENT_CANDLESTICKS,
    GET_EVENT_FEE_CHANGES,
    GET_EVENT_METADATA,
    GET_EVENTS,
    GET_FORECAST_PERCENTILES,
    GET_MULTIVARIATE_EVENTS,
)
from .._pagination import Paginator
from ..models._base import Model
from ..models.candlesticks import EventCandlesticks, PeriodInterval
from ..models.events import (
    Event,
    EventFeeChange,
    EventMetadata,
    EventStatusFilter,
    ForecastPercentilesPoint,
    ForecastPeriodInterval,
)
from ..models.markets import Market
from ._base import CallOptions
from ._bodies import check_list, whole
from ._checks import (
    Timestamp,
    between,
    bounded,
    candle_span,
    comma,
    identifier,
    optional,
)
from ._event_pages import EventPaginator, event_page, event_page_with_milestones
from ._filters import event_query
from ._scans import EventScans

MAX_PERCENTILES = 10
_LAST_PERCENTILE = 9999

S = TypeVar("S", bound=msgspec.Struct)


class _EventAnswer(Model):
    """An event and, where it does not hold them itself, its markets."""

    event: Event
    markets: list[Market] | None = None


class Events(EventScans):
    """Questions and their markets; cancelling any call is safe.

    Public, but for ``forecast_percentiles``.
    """

    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        with_nested_markets: bool | None = None,
        with_milestones: bool | None = None,
        status: EventStatusFilter | None = None,
        series_ticker: str | None = None,
        tickers: str | Sequence[str] | None = None,
        min_close_ts: Timestamp | None = None,
        min_updated_ts: Timestamp | None = None,
        schema: None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> EventPaginator[Event]: ...
    @overload
    def list(
        self,
        *,
        limit: int | None = None,
        with_nested_markets: bool | None = None,
        with_milestones: bool | None = None,
        status: EventStatusFilter | None = None,
        series_ticker: str | None = None,
        tickers: str | Sequence[str] | None = None,
        min_close_ts: Timestamp | None = None,
        min_updated_ts: Timestamp | None = None,
        schema: type[S],
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> EventPaginator[S]: ...
    def list(
        self,
        *,
        limit: int | None = None,
        with_nested_markets: bool | None = None,
        with_milestones: bool | None = None,
        status: EventStatusFilter | None = None,
        series_ticker: str | None = None,
        tickers: str | Sequence[str] | None = None,
        min_close_ts: Timestamp | None = None,
        min_updated_ts: Timestamp | None = None,
        schema: type[S] | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> EventPaginator[Event] | EventPaginator[S]:
        """Events without combos, page by page.

        Args:
            limit: Events a page, 1 to 200; the exchange's default is 200.
            with_nested_markets: Fill ``Event.markets``.
            with_milestones: Fill ``milestones`` of each page (``async for page in ….pages()``).
            status: Only events with markets in this state.
            series_ticker: Only events of this series.
            tickers: Only these events.
            min_close_ts: Only events with a market that closes then or later (Unix seconds or an
                aware datetime).
            min_updated_ts: Only events whose metadata changed after it.
            schema: A smaller struct to decode instead of ``Event``.
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is out of range, unknown or empty; nothing is sent.
        """
        query = {
            "limit": bounded("limit", limit, 1, 200),
            "with_milestones": with_milestones,
            **event_query(
                with_nested_markets=with_nested_markets,
                status=status,
                series_ticker=series_ticker,
                tickers=tickers,
                min_close_ts=min_close_ts,
                min_updated_ts=min_updated_ts,
            ),
        }
        fetch = self._page_fetcher(
            GET_EVENTS,
            Event,
            options,
            key="events",
            query=query,
            schema=schema,
            finish=event_page_with_milestones if with_milestones else event_page,
        )
        return EventPaginator(fetch, cursor=cursor, max_pages=max_pages)

    async def get(
        self,
        event_ticker: str,
        *,
        exclude_markets: bool | None = None,
        with_nested_markets: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> Event:
        """One event with its markets.

        Args:
            event_ticker: The event.
            exclude_markets: Leave the markets out, for a small answer.
            with_nested_markets: Where the exchange puts the markets on the wire; ``Event.markets``
                has them either way.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            NotFoundError: There is no such event.
        """
        answer = await self._object(
            GET_EVENT,
            _EventAnswer,
            options,
            path={"event_ticker": identifier("event_ticker", event_ticker)},
            query={
                "exclude_markets": exclude_markets,
                "with_nested_markets": with_nested_markets,
            },
        )
        if answer.event.markets is None and answer.markets is not None:
            return msgspec.structs.replace(answer.event, markets=answer.markets)
        return answer.event

    async def metadata(self, event_ticker: str, **options: Unpack[CallOptions]) -> EventMetadata:
        """Pictures, settlement sources and competition of an event.

        Raises:
            NotFoundError: There is no such event.
        """
        return await self._object(
            GET_EVENT_METADATA,
            EventMetadata,
            options,
            path={"event_ticker": identifier("event_ticker", event_ticker)},
        )

    def multivariate(
        self,
        *,
        limit: int | None = None,
        series_ticker: str | None = None,
        collection_ticker: str | None = None,
        tickers: str | Sequence[str] | None = None,
        with_nested_markets: bool | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Event]:
        """Events made of combos, page by page.

        Args:
            limit: Events a page, 1 to 200; the exchange's default is 100.
            series_ticker: Only events of this series.
            collection_ticker: Only events of this collection.
            tickers: Only these events.
            with_nested_markets: Fill ``Event.markets``.
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is out of range or empty; nothing is sent.
        """
        query = {
            "limit": bounded("limit", limit, 1, 200),
            "series_ticker": optional("series_ticker", series_ticker),
            "collection_ticker": optional("collection_ticker", collection_ticker),
            "tickers": comma("tickers", tickers),
            "with_nested_markets": with_nested_markets,
        }
        return self._list(
            GET_MULTIVARIATE_EVENTS,
            Event,
            options,
            key="events",
            query=query,
            cursor=cursor,
            max_pages=max_pages,
        )

    def fee_changes(
        self,
        *,
        event_ticker: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[EventFeeChange]:
        """Scheduled changes of fee overrides (of one event), page by page.

        ``limit`` is changes a page, 1 to 1,000; the exchange's default is 100.

        Raises:
            InvalidRequestError: ``limit`` is out of range; nothing is sent.
        """
        return self._list(
            GET_EVENT_FEE_CHANGES,
            EventFeeChange,
            options,
            key="event_fee_changes",
            query={
                "event_ticker": optional("event_ticker", event_ticker),
                "limit": bounded("limit", limit, 1, 1000),
            },
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
        **options: Unpack[CallOptions],
    ) -> EventCandlesticks:
        """The candlesticks of all markets of an event.

        Args:
            series_ticker: The event's series.
            ticker: The event.
            start_ts: Unix seconds or an aware datetime.
            end_ts: Unix seconds or an aware datetime.
            period_interval: Minutes a candle: 1, 60 or 1440.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: Start after end, no such period, a naive datetime; nothing is sent.
            NotFoundError: There is no such event in that series.
        """
        return await self._object(
            GET_EVENT_CANDLESTICKS,
            EventCandlesticks,
            options,
            path={
                "series_ticker": identifier("series_ticker", series_ticker),
                "ticker": identifier("ticker", ticker),
            },
            query=candle_span(start_ts, end_ts, period_interval),
        )

    async def forecast_percentiles(
        self,
        series_ticker: str,
        ticker: str,
        *,
        percentiles: Sequence[int],
        start_ts: Timestamp,
        end_ts: Timestamp,
        period_interval: ForecastPeriodInterval,
        **options: Unpack[CallOptions],
    ) -> Page[ForecastPercentilesPoint]:
        """What the prices of an event's markets forecast, over time. Needs a key.

        Args:
            series_ticker: The event's series.
            ticker: The event.
            percentiles: One to ten, in hundredths of a percent: 5000 is the median, up to 9999.
            start_ts: Unix seconds or an aware datetime.
            end_ts: Unix seconds or an aware datetime.
            period_interval: Minutes between two points: 1, 60 or 1440; 0 for 5 seconds.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: Start after end, no such period or percentile, a naive datetime;
                nothing is sent.
            NotFoundError: There is no such event in that series.
        """
        return await self._list(
            GET_FORECAST_PERCENTILES,
            ForecastPercentilesPoint,
            options,
            key="forecast_history",
            path={
                "series_ticker": identifier("series_ticker", series_ticker),
                "ticker": identifier("ticker", ticker),
            },
            query={
                "percentiles": _percentiles(percentiles),
                **_needed_span(start_ts, end_ts),
                "period_interval": _forecast_period(period_interval),
            },
        )


def _percentiles(values: Sequence[int]) -> Sequence[int]:
    check_list("percentiles", values, "integers")
    found = [whole("percentiles", value, 0, _LAST_PERCENTILE) for value in values]
    if not 0 < len(found) <= MAX_PERCENTILES:
        raise InvalidRequestError(
            f"percentiles has {len(found)} of them; expected 1 to {MAX_PERCENTILES}"
        )
    return found


def _forecast_period(value: ForecastPeriodInterval) -> int:
    if isinstance(value, bool) or value not in get_args(ForecastPeriodInterval):
        raise InvalidRequestError(
            f"period_interval is {value!r}; expected 1 (a minute), 60 (an hour), 1440 (a day) or "
            "0 (5 seconds)"
        )
    return value


def _needed_span(start_ts: Timestamp, end_ts: Timestamp) -> dict[str, int | None]:
    if start_ts is None or end_ts is None:
        raise InvalidRequestError("start_ts and end_ts are both needed for forecasts")
    return between("start_ts", start_ts, "end_ts", end_ts)
