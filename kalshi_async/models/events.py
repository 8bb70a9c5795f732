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

ForecastPeriodInterval = Literal[0, 1, 60, 1440]
"""Minutes between two points of a forecast; 0 stands for 5 seconds."""


class Event(Model, kw_only=True):
    """A question and, where asked for, its markets.

    ``markets`` is None unless the request asked for them. ``mutually_exclusive``: at most one of
    them resolves YES. The fee overrides, where set, replace the series' fees.
    """

    category: str | None = None
    collateral_return_type: str = ABSENT
    event_ticker: str
    exchange_index: int | None = None
    fee_multiplier_override: Decimal | None = None
    fee_type_override: str | None = None
    last_updated_ts: datetime | None = None
    markets: list[Market] | None = None
    mutually_exclusive: bool = ABSENT
    product_metadata: JsonObject | None = None
    series_ticker: str = ABSENT
    settlement_sources: list[SettlementSource] | None = ABSENT
    strike_date: datetime | None = None
    strike_period: str | None = None
    sub_title: str = ABSENT
    title: str = ABSENT


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


class PercentilePoint(Model):
    """What a percentile forecasts; ``percentile`` is in hundredths of a percent, 5000 the median.

    ``raw_numerical_forecast`` is as computed, ``numerical_forecast`` rounded,
    ``formatted_forecast`` for people to read.
    """

    formatted_forecast: str = ABSENT
    numerical_forecast: Decimal = ABSENT
    percentile: int = ABSENT
    raw_numerical_forecast: Decimal = ABSENT


class ForecastPercentilesPoint(Model):
    """What the prices of an event's markets forecast at ``end_period_ts`` (Unix seconds)."""

    end_period_ts: int = ABSENT
    event_ticker: str = ABSENT
    percentile_points: list[PercentilePoint] = ABSENT
    period_interval: int = ABSENT
