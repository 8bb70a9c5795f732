"""``markets.scan`` and ``events.scan``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar, Unpack, cast, overload

import msgspec

from .._decode import page_decoder
from .._operations import GET_EVENTS, GET_MARKETS, Operation
from .._scan import Scan, ScanProgress
from .._schema import bind_schema, derived
from .._wire import QueryValue
from ..models.events import Event
from ..models.markets import Market
from ._base import CallOptions, Resource
from ._checks import bounded
from ._filters import EventFilters, MarketFilters, event_query, market_query

S = TypeVar("S", bound=msgspec.Struct)
M = TypeVar("M", bound=msgspec.Struct)

Progress = Callable[[ScanProgress], None]

_SHARDABLE_STATUSES = (None, "unopened", "open")
_OTHER_TIMES = ("close_ts", "settled_ts", "updated_ts")
_TOO_NARROW_TO_SHARD = ("event_ticker", "tickers")


class MarketScanOptions(MarketFilters, CallOptions, total=False):
    """Filters and call options of ``markets.scan``."""


class EventScanOptions(EventFilters, CallOptions, total=False):
    """Filters and call options of ``events.scan``."""


class MarketScans(Resource):
    """The scan of ``client.markets``."""

    @overload
    def scan(
        self,
        *,
        schema: None = None,
        concurrency: int = 6,
        prefetch: int | None = None,
        progress: Progress | None = None,
        resume: Mapping[str, object] | None = None,
        page_size: int = 1000,
        **options: Unpack[MarketScanOptions],
    ) -> Scan[Market]: ...
    @overload
    def scan(
        self,
        *,
        schema: type[S],
        concurrency: int = 6,
        prefetch: int | None = None,
        progress: Progress | None = None,
        resume: Mapping[str, object] | None = None,
        page_size: int = 1000,
        **options: Unpack[MarketScanOptions],
    ) -> Scan[S]: ...
    def scan(
        self,
        *,
        schema: type[S] | None = None,
        concurrency: int = 6,
        prefetch: int | None = None,
        progress: Progress | None = None,
        resume: Mapping[str, object] | None = None,
        page_size: int = 1000,
        **options: Unpack[MarketScanOptions],
    ) -> Scan[Market] | Scan[S]:
        """The whole market list, as fast as the rate limit allows.

            async with kalshi.markets.scan(status="open", mve_filter="exclude") as scan:
                async for market in scan: ...

        Where the filters allow it (``created_ts`` filters go with status ``"open"``,
        ``"unopened"`` or none), the list is cut into windows of creation time that are read by
        several cursors at once, and items come in no particular order. Elsewhere one cursor
        fetches ahead. Either way each market comes once, and the scan queues behind orders and
        single reads in the limiter.

        Args:
            schema: A smaller struct to decode instead of ``Market``. Where it lacks ``ticker`` or
                ``created_time``, items are of a subclass that has them.
            concurrency: Cursors at once.
            prefetch: Pages held ready at most; 2 when None.
            progress: Called after each page has been taken.
            resume: What ``scan.checkpoint()`` of a scan with the same filters returned.
            page_size: Markets a page, up to 1,000.
            options: The filters of ``list``; ``timeout=`` and ``deadline=`` of each request.

        Raises:
            InvalidRequestError: The exchange would refuse the filters, or the checkpoint is not
                one of such a scan; nothing is sent.
        """
        call, filters = _split(options)
        query = market_query(**cast("MarketFilters", filters))
        sharded = query["status"] in _SHARDABLE_STATUSES and not any(
            value is not None
            for name, value in query.items()
            if name in _TOO_NARROW_TO_SHARD
            or name.endswith(("close_ts", "settled_ts", "updated_ts"))
        )
        return _scan(
            self,
            GET_MARKETS,
            Market if schema is None else cast("type[Market]", schema),
            Market,
            "markets",
            needed={"ticker": str, "created_time": datetime},
            query={"limit": bounded("page_size", page_size, 1, 1000), **query},
            sharded=sharded,
            concurrency=concurrency,
            prefetch=prefetch,
            progress=progress,
            resume=resume,
            options=call,
        )


class EventScans(Resource):
    """The scan of ``client.events``."""

    @overload
    def scan(
        self,
        *,
        schema: None = None,
        prefetch: int | None = None,
        progress: Progress | None = None,
        resume: Mapping[str, object] | None = None,
        page_size: int = 200,
        **options: Unpack[EventScanOptions],
    ) -> Scan[Event]: ...
    @overload
    def scan(
        self,
        *,
        schema: type[S],
        prefetch: int | None = None,
        progress: Progress | None = None,
        resume: Mapping[str, object] | None = None,
        page_size: int = 200,
        **options: Unpack[EventScanOptions],
    ) -> Scan[S]: ...
    def scan(
        self,
        *,
        schema: type[S] | None = None,
        prefetch: int | None = None,
        progress: Progress | None = None,
        resume: Mapping[str, object] | None = None,
        page_size: int = 200,
        **options: Unpack[EventScanOptions],
    ) -> Scan[Event] | Scan[S]:
        """The whole event list, fetching ahead while you work; see ``markets.scan``.

        ``GET /events`` has no filter that would cut it into windows, so that one cursor reads it.

        Args:
            schema: A smaller struct to decode instead of ``Event``. Where it lacks
                ``event_ticker``, items are of a subclass that has it.
            prefetch: Pages held ready at most.
            progress: Called after each page has been taken.
            resume: What ``scan.checkpoint()`` of a scan with the same filters returned.
            page_size: Events a page, up to 200.
            options: The filters of ``list``; ``timeout=`` and ``deadline=`` of each request.

        Raises:
            InvalidRequestError: The exchange would refuse the filters, or the checkpoint is not
                one of such a scan; nothing is sent.
        """
        call, filters = _split(options)
        query = event_query(**cast("EventFilters", filters))
        return _scan(
            self,
            GET_EVENTS,
            Event if schema is None else cast("type[Event]", schema),
            Event,
            "events",
            needed={"event_ticker": str},
            query={"limit": bounded("page_size", page_size, 1, 200), **query},
            sharded=False,
            concurrency=1,
            prefetch=prefetch,
            progress=progress,
            resume=resume,
            options=call,
        )


def _scan(
    resource: Resource,
    operation: Operation,
    item: type[M],
    model: type[msgspec.Struct],
    key: str,
    *,
    needed: Mapping[str, type],
    query: Mapping[str, QueryValue],
    sharded: bool,
    concurrency: int,
    prefetch: int | None,
    progress: Progress | None,
    resume: Mapping[str, object] | None,
    options: CallOptions,
) -> Scan[M]:
    kind = item if item is model else bind_schema(_with_fields(item, needed), model)
    return Scan(
        resource._transport,
        operation,
        page_decoder(kind, key),
        query=query,
        identity=next(iter(needed)),
        sharded=sharded,
        concurrency=concurrency,
        prefetch=prefetch,
        progress=progress,
        resume=resume,
        options=options,
    )


def _with_fields(schema: type[M], needed: Mapping[str, type]) -> type[M]:
    """The schema, or a subclass of it with the fields by which a scan tells items apart."""
    if not isinstance(getattr(schema, "__struct_fields__", None), tuple):
        return schema  # bind_schema says what is wrong
    missing: list[tuple[str, Any, Any]] = [
        (name, kind | None, None)
        for name, kind in needed.items()
        if name not in schema.__struct_fields__
    ]
    if not missing:
        return schema
    return cast(
        "type[M]",
        derived(schema, missing, {}),
    )


def _split(options: Mapping[str, Any]) -> tuple[CallOptions, dict[str, Any]]:
    """Call options and filters, told apart by name."""
    call = {name: value for name, value in options.items() if name in CallOptions.__annotations__}
    filters = {name: value for name, value in options.items() if name not in call}
    return cast("CallOptions", call), filters
