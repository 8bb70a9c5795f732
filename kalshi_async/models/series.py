"""Series: templates from which recurring events are made."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from ._base import ABSENT, JsonObject, Model, wire_names


class SettlementSource(Model):
    """Where the outcome is read."""

    name: str | None = None
    url: str | None = None


class Series(Model, rename=wire_names(counts=["volume"])):
    """A family of events on the same question.

    ``fee_multiplier`` scales the fees of all its markets. ``volume`` (contracts) is sent only when
    asked for with ``include_volume``, ``product_metadata`` only where its option is set.
    """

    ticker: str
    frequency: str = ABSENT
    title: str = ABSENT
    category: str = ABSENT
    categories: list[str] = ABSENT
    tags: list[str] | None = ABSENT
    settlement_sources: list[SettlementSource] | None = ABSENT
    contract_url: str = ABSENT
    contract_terms_url: str = ABSENT
    product_metadata: JsonObject | None = None
    fee_type: str = ABSENT
    fee_multiplier: Decimal = ABSENT
    additional_prohibitions: list[str] | None = ABSENT
    volume: Decimal | None = None
    last_updated_ts: datetime | None = None
    exchange_index: int | None = None


class SeriesFeeChange(Model):
    """A change of a series' fees, in force from ``scheduled_ts``."""

    id: str
    series_ticker: str = ABSENT
    fee_type: str = ABSENT
    fee_multiplier: Decimal = ABSENT
    scheduled_ts: datetime = ABSENT
