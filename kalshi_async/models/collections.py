"""Multivariate event collections: what combos can be made of."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ._base import ABSENT, Model
from .markets import PriceRange

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
