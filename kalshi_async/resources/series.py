"""``client.series``: templates of recurring events."""

from __future__ import annotations

from typing import TypeVar, Unpack, overload

import msgspec

from .._decode import Page
from .._operations import GET_SERIES, GET_SERIES_FEE_CHANGES, GET_SERIES_LIST
from .._pagination import Paginator
from ..models.series import Series, SeriesFeeChange
from ._base import CallOptions, Resource
from ._checks import Timestamp, identifier, optional, timestamp

S = TypeVar("S", bound=msgspec.Struct)


class SeriesResource(Resource):
    """Templates of recurring events. Public; cancelling any call is safe."""

    @overload
    def list(
        self,
        *,
        category: str | None = None,
        tags: str | None = None,
        include_product_metadata: bool | None = None,
        include_volume: bool | None = None,
        min_updated_ts: Timestamp | None = None,
        schema: None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Series]: ...
    @overload
    def list(
        self,
        *,
        category: str | None = None,
        tags: str | None = None,
        include_product_metadata: bool | None = None,
        include_volume: bool | None = None,
        min_updated_ts: Timestamp | None = None,
        schema: type[S],
        **options: Unpack[CallOptions],
    ) -> Paginator[S]: ...
    def list(
        self,
        *,
        category: str | None = None,
        tags: str | None = None,
        include_product_metadata: bool | None = None,
        include_volume: bool | None = None,
        min_updated_ts: Timestamp | None = None,
        schema: type[S] | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Series] | Paginator[S]:
        """All series that match: a single page (unfiltered about 18 MB, 14,000 series).

        Args:
            category: Only this category, e.g. ``"Economics"``.
            tags: Only series with one of these comma-separated tags.
            include_product_metadata: Fill ``product_metadata``.
            include_volume: Fill ``volume``, the contracts traded in all its events.
            min_updated_ts: Only series whose metadata changed after it (Unix seconds or an aware
                datetime).
            schema: A smaller struct to decode instead of ``Series``.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: A filter is empty or a datetime is naive; nothing is sent.
        """
        query = {
            "category": optional("category", category),
            "tags": optional("tags", tags),
            "include_product_metadata": include_product_metadata,
            "include_volume": include_volume,
            "min_updated_ts": timestamp("min_updated_ts", min_updated_ts),
        }
        return self._list(
            GET_SERIES_LIST, Series, options, key="series", query=query, schema=schema
        )

    async def get(
        self,
        series_ticker: str,
        *,
        include_volume: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> Series:
        """One series; with ``include_volume`` also the contracts traded in all its events.

        Raises:
            NotFoundError: There is no such series.
        """
        return await self._object(
            GET_SERIES,
            Series,
            options,
            key="series",
            path={"series_ticker": identifier("series_ticker", series_ticker)},
            query={"include_volume": include_volume},
        )

    async def fee_changes(
        self,
        *,
        series_ticker: str | None = None,
        show_historical: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> Page[SeriesFeeChange]:
        """Scheduled changes of fees, with ``show_historical`` past ones as well."""
        return await self._list(
            GET_SERIES_FEE_CHANGES,
            SeriesFeeChange,
            options,
            key="series_fee_change_arr",
            query={
                "series_ticker": optional("series_ticker", series_ticker),
                "show_historical": show_historical,
            },
        )
