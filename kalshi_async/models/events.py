"""Events: questions in the world, each with one or more markets."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from ._base import ABSENT, JsonObject, Model
from .markets import Market
from .series import SettlementSource

EventStatusFilter = Literal["unopened", "open", "closed", "settled"]
"""What ``events.list(status=…)`` takes: the state of an event's markets."""


class Event(Model):
    """A question and, where asked for, its markets.

    ``markets`` is None unless the request asked for them. ``mutually_exclusive``: at most one of
    them resolves YES. The fee overrides, where set, replace the series' fees.
    """

    event_ticker: str
    series_ticker: str = ABSENT
    sub_title: str = ABSENT
    title: str = ABSENT
    collateral_return_type: str = ABSENT
    mutually_exclusive: bool = ABSENT
    category: str | None = None
    strike_date: datetime | None = None
    strike_period: str | None = None
    markets: list[Market] | None = None
    product_metadata: JsonObject | None = None
    settlement_sources: list[SettlementSource] | None = ABSENT
    last_updated_ts: datetime | None = None
    fee_type_override: str | None = None
    fee_multiplier_override: Decimal | None = None
    exchange_index: int | None = None


class MarketMetadata(Model):
    """How one market of an event is drawn."""

    market_ticker: str
    image_url: str = ABSENT
    color_code: str = ABSENT


class EventMetadata(Model):
    """Pictures, settlement sources and competition of an event."""

    image_url: str = ABSENT
    featured_image_url: str | None = None
    market_details: list[MarketMetadata] = ABSENT
    settlement_sources: list[SettlementSource] = ABSENT
    competition: str | None = None
    competition_scope: str | None = None


class EventFeeChange(Model):
    """A change of an event's fee override, in force from ``scheduled_ts``.

    None in both overrides: from then on the series' fees hold again.
    """

    id: str
    event_ticker: str = ABSENT
    series_ticker: str = ABSENT
    fee_type_override: str | None = ABSENT
    fee_multiplier_override: Decimal | None = ABSENT
    scheduled_ts: datetime = ABSENT
