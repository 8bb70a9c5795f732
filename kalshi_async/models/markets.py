"""Markets: the binary contracts that trade."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal

from ._base import ABSENT, JsonObject, Model, wire_names

MarketStatusFilter = Literal["unopened", "open", "paused", "closed", "settled"]
"""What ``markets.list(status=…)`` takes. An object's own ``status`` uses other words."""

MveFilter = Literal["only", "exclude"]
"""``"exclude"`` leaves out combos (tickers ``KXMVE…``), ``"only"`` returns nothing else."""


class PriceRange(Model):
    """Prices from ``start`` to ``end`` dollars in steps of ``step``."""

    __prices__: ClassVar = ("start", "end", "step")

    end: Decimal = ABSENT
    start: Decimal = ABSENT
    step: Decimal = ABSENT


class MveSelectedLeg(Model, rename=wire_names(dollars=["yes_settlement_value"])):
    """One leg of a combo market."""

    event_ticker: str | None = None
    market_ticker: str | None = None
    side: str | None = None
    yes_settlement_value: Decimal | None = None


class Market(
    Model,
    kw_only=True,
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

    can_close_early: bool = ABSENT
    cap_strike: Decimal | None = None
    close_time: datetime = ABSENT
    created_time: datetime = ABSENT
    custom_strike: JsonObject | None = None
    early_close_condition: str | None = None
    event_ticker: str = ABSENT
    exchange_index: int | None = None
    expected_expiration_time: datetime | None = None
    expiration_time: datetime | None = None
    expiration_value: str = ABSENT
    fee_waiver_expiration_time: datetime | None = None
    floor_strike: Decimal | None = None
    functional_strike: str | None = None
    is_provisional: bool | None = None
    last_price: Decimal = ABSENT
    latest_expiration_time: datetime = ABSENT
    liquidity: Decimal | None = None
    market_type: str = ABSENT
    mve_collection_ticker: str | None = None
    mve_selected_legs: list[MveSelectedLeg] | None = None
    no_ask: Decimal = ABSENT
    no_bid: Decimal = ABSENT
    no_sub_title: str = ABSENT
    notional_value: Decimal = ABSENT
    occurrence_datetime: datetime | None = None
    open_interest: Decimal = ABSENT
    open_time: datetime = ABSENT
    previous_price: Decimal = ABSENT
    previous_yes_ask: Decimal = ABSENT
    previous_yes_bid: Decimal = ABSENT
    price_level_structure: str = ABSENT
    price_ranges: list[PriceRange] = ABSENT
    primary_participant_key: str | None = None
    result: str = ABSENT
    rules_primary: str = ABSENT
    rules_secondary: str = ABSENT
    settlement_bounds_type: str = ABSENT
    settlement_floor: Decimal | None = None
    settlement_timer_seconds: int = ABSENT
    settlement_ts: datetime | None = None
    settlement_value: Decimal | None = None
    status: str = ABSENT
    strike_type: str | None = None
    subtitle: str | None = None
    ticker: str
    title: str | None = None
    updated_time: datetime = ABSENT
    volume_24h: Decimal = ABSENT
    volume: Decimal = ABSENT
    yes_ask: Decimal = ABSENT
    yes_ask_size: Decimal = ABSENT
    yes_bid: Decimal = ABSENT
    yes_bid_size: Decimal = ABSENT
    yes_sub_title: str = ABSENT

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
