"""The messages about markets and events themselves: how they come, change and end."""

from __future__ import annotations

from decimal import Decimal

from ..models._base import ABSENT, JsonObject
from ..models.markets import PriceRange
from ._message import MarketMessage, Part, StreamMessage


class LifecyclePriceRange(PriceRange, forbid_unknown_fields=True):
    """Prices from ``start`` to ``end`` dollars in steps of ``step``."""


class LifecycleMetadata(Part, kw_only=True):
    """How a new market is described."""

    name: str = ABSENT
    title: str = ABSENT
    yes_sub_title: str = ABSENT
    no_sub_title: str = ABSENT
    rules_primary: str = ABSENT
    rules_secondary: str = ABSENT
    can_close_early: bool = ABSENT
    event_ticker: str = ABSENT
    expected_expiration_ts: int = ABSENT
    strike_type: str | None = None
    floor_strike: Decimal | None = None
    cap_strike: Decimal | None = None
    custom_strike: JsonObject | None = None


class _Lifecycle(MarketMessage, kw_only=True):
    """What the life of every market consists of."""

    market_ticker: str
    exchange_index: int | None = None
    open_ts: int | None = None
    close_ts: int | None = None
    determination_ts: int | None = None
    settled_ts: int | None = None
    result: str | None = None
    settlement_value: Decimal | None = None
    is_deactivated: bool | None = None
    additional_metadata: LifecycleMetadata | None = None
    event_type: str
    price_level_structure: str | None = None


class MarketLifecycle(_Lifecycle, kw_only=True):
    """What became of a market; which fields are set depends on ``event_type``.

    ``created``, ``activated``, ``deactivated``, ``close_date_updated``, ``determined``,
    ``settled``, ``price_level_structure_updated``, or ``metadata_updated``: then the last five
    fields say what changed. ``settlement_value`` is dollars a YES contract.
    """

    price_ranges: list[LifecyclePriceRange] | None = None
    strike_type: str | None = None
    floor_strike: Decimal | None = None
    cap_strike: Decimal | None = None
    custom_strike: JsonObject | None = None
    yes_sub_title: str | None = None


class MultivariateMarketLifecycle(_Lifecycle, kw_only=True):
    """What became of a combo market; see ``MarketLifecycle``."""


class EventLifecycle(StreamMessage, kw_only=True):
    """A new event; ``strike_date`` is Unix seconds."""

    event_ticker: str
    exchange_index: int = ABSENT
    title: str = ABSENT
    subtitle: str = ABSENT
    collateral_return_type: str = ABSENT
    series_ticker: str = ABSENT
    strike_date: int | None = None
    strike_period: str | None = None


class EventFeeUpdate(StreamMessage, kw_only=True):
    """The fees of an event differ from those of its series now; None in both: no longer."""

    event_ticker: str
    fee_type_override: str | None = ABSENT
    fee_multiplier_override: Decimal | None = ABSENT
