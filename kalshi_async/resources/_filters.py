"""The filters of the two long lists, as their list methods and their scans take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, Unpack, get_args

from .._wire import QueryValue
from ..models.events import EventStatusFilter
from ..models.markets import MarketStatusFilter, MveFilter
from ._checks import Family, Timestamp, comma, market_times, optional, status_word, timestamp, word


class MarketFilters(TypedDict, total=False):
    """Filters of ``GET /markets``; see ``Markets.list``."""

    event_ticker: str | None
    series_ticker: str | None
    min_created_ts: Timestamp | None
    max_created_ts: Timestamp | None
    min_updated_ts: Timestamp | None
    max_updated_ts: Timestamp | None
    min_close_ts: Timestamp | None
    max_close_ts: Timestamp | None
    min_settled_ts: Timestamp | None
    max_settled_ts: Timestamp | None
    status: MarketStatusFilter | None
    tickers: str | Sequence[str] | None
    mve_filter: MveFilter | None


class EventFilters(TypedDict, total=False):
    """Filters of ``GET /events``; see ``Events.list``."""

    with_nested_markets: bool | None
    status: EventStatusFilter | None
    series_ticker: str | None
    tickers: str | Sequence[str] | None
    min_close_ts: Timestamp | None
    min_updated_ts: Timestamp | None


def market_query(**filters: Unpack[MarketFilters]) -> dict[str, QueryValue]:
    """The query of ``GET /markets``, checked.

    Raises:
        InvalidRequestError: The exchange would refuse the filters.
    """
    chosen = status_word(filters.get("status"), get_args(MarketStatusFilter))
    combos = word("mve_filter", filters.get("mve_filter"), get_args(MveFilter))
    others = {
        "event_ticker": optional("event_ticker", filters.get("event_ticker")),
        "series_ticker": optional("series_ticker", filters.get("series_ticker")),
        "tickers": comma("tickers", filters.get("tickers")),
    }
    families = (
        Family(
            "created",
            filters.get("min_created_ts"),
            filters.get("max_created_ts"),
            ("unopened", "open"),
        ),
        Family("updated", filters.get("min_updated_ts"), filters.get("max_updated_ts"), ()),
        Family("close", filters.get("min_close_ts"), filters.get("max_close_ts"), ("closed",)),
        Family(
            "settled", filters.get("min_settled_ts"), filters.get("max_settled_ts"), ("settled",)
        ),
    )
    times = market_times(chosen, families, others, combos)
    return {"status": chosen, "mve_filter": combos, **others, **times}


def event_query(**filters: Unpack[EventFilters]) -> dict[str, QueryValue]:
    """The query of ``GET /events``, checked.

    Raises:
        InvalidRequestError: An argument is unknown or empty.
    """
    return {
        "with_nested_markets": filters.get("with_nested_markets"),
        "status": status_word(filters.get("status"), get_args(EventStatusFilter)),
        "series_ticker": optional("series_ticker", filters.get("series_ticker")),
        "tickers": comma("tickers", filters.get("tickers")),
        "min_close_ts": timestamp("min_close_ts", filters.get("min_close_ts")),
        "min_updated_ts": timestamp("min_updated_ts", filters.get("min_updated_ts")),
    }
