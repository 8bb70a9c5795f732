"""Multivariate event collections: what combos can be made of."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ._base import ABSENT, Model
from .markets import Market, PriceRange

CollectionStatusFilter = Literal["unopened", "open", "closed"]
"""What ``collections.list(status=…)`` takes."""


class AssociatedEvent(Model):
    """An event whose markets may be legs; sizes are numbers of its legs in one combo."""

    ticker: str
    is_yes_only: bool = ABSENT
    size_max: int | None = None
    size_min: int | None = None
    active_quoters: list[str] = ABSENT


class Collection(Model):
    """A multivariate event collection; ``size_min`` and ``size_max`` bound the legs of a combo."""

    collection_ticker: str
    series_ticker: str = ABSENT
    exchange_index: int | None = None
    title: str = ABSENT
    description: str = ABSENT
    open_date: datetime = ABSENT
    close_date: datetime = ABSENT
    associated_events: list[AssociatedEvent] = ABSENT
    associated_event_tickers: list[str] = ABSENT
    is_ordered: bool = ABSENT
    is_single_market_per_event: bool = ABSENT
    is_all_yes: bool = ABSENT
    size_min: int = ABSENT
    size_max: int = ABSENT
    functional_description: str = ABSENT
    price_level_structure: str = ABSENT
    price_ranges: list[PriceRange] = ABSENT


class TickerPair(Model, kw_only=True):
    """A leg to make a combo of: a market of an event, and the side it must end on."""

    event_ticker: str
    market_ticker: str
    side: Literal["yes", "no"]


class ComboMarket(Model, kw_only=True):
    """The market of a combo; ``market`` only where it was asked for."""

    event_ticker: str = ABSENT
    market: Market | None = None
    market_ticker: str
