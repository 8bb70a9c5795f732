"""Markets: the binary contracts that trade."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from ._base import ABSENT, JsonObject, Model, wire_names

MarketStatusFilter = Literal["unopened", "open", "paused", "closed", "settled"]
"""What ``markets.list(status=…)`` takes. An object's own ``status`` uses other words."""

MveFilter = Literal["only", "exclude"]
"""``"exclude"`` leaves out combos (tickers ``KXMVE…``), ``"only"`` returns nothing else."""


class PriceRange(Model):
    """Prices from ``start`` to ``end`` dollars in steps of ``step``."""

    start: Decimal = ABSENT
    end: Decimal = ABSENT
    step: Decimal = ABSENT


class MveSelectedLeg(Model, rename=wire_names(dollars=["yes_settlement_value"])):
    """One leg of a combo market."""

    event_ticker: str | None = None
    market_ticker: str | None = None
    side: str | None = None
    yes_settlement_value: Decimal | None = None


class Market(
    Model,
    rename=wire_names(
        dollars=[
            "yes_bid",
            "yes_ask",
            "no_bid",
            "no_ask",
            "last_price",
            "previous_yes_bid",
            "previous_yes_ask",
            "previous_price",
            "notional_value",
            "settlement_value",
            "settlement_floor",
            "liquidity",
        ],
        counts=["yes_bid_size", "yes_ask_size", "volume", "volume_24h", "open_interest"],
    ),
):
    """A binary market.

    Prices are dollars between 0 and 1. No bid is ``Decimal("0.0000")``, no ask is
    ``Decimal("1.0000")``. Sizes, volumes and open interest are contracts, in steps of 0.01.
    A valid limit price lies on ``price_ranges``; ``price_level_structure`` is only their label.
    """

    __legacy_probes__ = ("volume",)

    ticker: str
    event_ticker: str = ABSENT
    market_type: str = ABSENT
    title: str | None = None
    subtitle: str | None = None
    yes_sub_title: str = ABSENT
    no_sub_title: str = ABSENT
    created_time: datetime = ABSENT
    updated_time: datetime = ABSENT
    open_time: datetime = ABSENT
    close_time: datetime = ABSENT
    expected_expiration_time: datetime | None = None
    expiration_time: datetime | None = None
    latest_expiration_time: datetime = ABSENT
    settlement_timer_seconds: int = ABSENT
    status: str = ABSENT
    yes_bid: Decimal = ABSENT
    yes_bid_size: Decimal = ABSENT
    yes_ask: Decimal = ABSENT
    yes_ask_size: Decimal = ABSENT
    no_bid: Decimal = ABSENT
    no_ask: Decimal = ABSENT
    last_price: Decimal = ABSENT
    volume: Decimal = ABSENT
    volume_24h: Decimal = ABSENT
    result: str = ABSENT
    can_close_early: bool = ABSENT
    open_interest: Decimal = ABSENT
    notional_value: Decimal = ABSENT
    previous_yes_bid: Decimal = ABSENT
    previous_yes_ask: Decimal = ABSENT
    previous_price: Decimal = ABSENT
    settlement_value: Decimal | None = None
    settlement_ts: datetime | None = None
    settlement_bounds_type: str = ABSENT
    settlement_floor: Decimal | None = None
    expiration_value: str = ABSENT
    occurrence_datetime: datetime | None = None
    fee_waiver_expiration_time: datetime | None = None
    early_close_condition: str | None = None
    strike_type: str | None = None
    floor_strike: Decimal | None = None
    cap_strike: Decimal | None = None
    functional_strike: str | None = None
    custom_strike: JsonObject | None = None
    rules_primary: str = ABSENT
    rules_secondary: str = ABSENT
    mve_collection_ticker: str | None = None
    mve_selected_legs: list[MveSelectedLeg] | None = None
    primary_participant_key: str | None = None
    price_level_structure: str = ABSENT
    price_ranges: list[PriceRange] = ABSENT
    is_provisional: bool | None = None
    exchange_index: int | None = None
    liquidity: Decimal | None = None

    @property
    def is_open(self) -> bool:
        """Whether the market trades now (status ``active``, or ``open`` in older objects)."""
        return self.status in ("active", "open")

    @property
    def spread(self) -> Decimal:
        """YES ask minus YES bid, in dollars."""
        return self.yes_ask - self.yes_bid

    @property
    def mid(self) -> Decimal:
        """The middle between YES bid and YES ask, in dollars."""
        return (self.yes_ask + self.yes_bid) / 2
