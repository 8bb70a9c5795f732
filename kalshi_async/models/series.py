"""Series: templates from which recurring events are made."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from ._base import ABSENT, JsonObject, Model, wire_names


class SettlementSource(Model):
    """Where the outcome is read."""

    name: str | None = None
    url: str | None = None


class Series(Model, kw_only=True, rename=wire_names(counts=["volume"])):
    """A family of events on the same question.

    ``fee_multiplier`` scales the fees of all its markets. ``volume`` (contracts) is sent only when
    asked for with ``include_volume``, ``product_metadata`` only where its option is set.
    """

    additional_prohibitions: list[str] | None = ABSENT
    categories: list[str] = ABSENT
    category: str = ABSENT
    contract_terms_url: str = ABSENT
    contract_url: str = ABSENT
    exchange_index: int | None = None
    fee_multiplier: Decimal = ABSENT
    fee_type: str = ABSENT
    frequency: str = ABSENT
    last_updated_ts: datetime | None = None
    product_metadata: JsonObject | None = None
    settlement_sources: list[SettlementSource] | None = ABSENT
    tags: list[str] | None = ABSENT
    ticker: str
    title: str = ABSENT
    volume: Decimal | None = None


class SeriesFeeChange(Model):
    """A change of a series' fees, in force from ``scheduled_ts``."""

    id: str
    series_ticker: str = ABSENT
    fee_type: str = ABSENT
    fee_multiplier: Decimal = ABSENT
    scheduled_ts: datetime = ABSENT
