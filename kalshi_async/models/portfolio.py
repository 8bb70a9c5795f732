"""What the account has and had: balance, positions, fills, settlements."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from ._base import ABSENT, Model, wire_names

SettlementStatusFilter = Literal["unsettled", "settled", "all"]
"""What ``portfolio.positions(settlement_status=…)`` takes."""

PositionCountFilter = Literal["position", "total_traded"]
"""Which of a position's figures must not be zero, for ``portfolio.positions(count_filter=…)``."""


class IndexedBalance(Model, kw_only=True):
    """An amount on one shard, in dollars."""

    balance: Decimal = ABSENT
    exchange_index: int = ABSENT


class Balance(Model, kw_only=True):
    """The account's money.

    ``balance`` and ``portfolio_value`` (what the positions are worth) are whole cents, cut off, as
    the exchange sends them; ``balance_dollars`` is the exact amount. ``updated_ts`` is Unix
    seconds.
    """

    balance: int = ABSENT
    balance_breakdown: list[IndexedBalance] | None = None
    balance_dollars: Decimal = ABSENT
    portfolio_value: int = ABSENT
    updated_ts: int = ABSENT


class RestingOrderValue(Model, kw_only=True):
    """What resting orders would cost if all were filled.

    ``total_resting_order_value`` is whole cents, the breakdown by shard dollars.
    """

    resting_order_value_breakdown: list[IndexedBalance] = ABSENT
    total_resting_order_value: int = ABSENT


class MarketPosition(
    Model,
    kw_only=True,
    rename=wire_names(
        dollars=["fees_paid", "market_exposure", "realized_pnl", "total_traded"],
        counts=["position"],
    ),
):
    """What the account holds of a market: ``position`` above 0 is YES contracts, below 0 is NO.

    ``market_exposure`` is what the holding cost; amounts are dollars.
    """

    __legacy_probes__ = ("market_exposure", "position")

    exchange_index: int = ABSENT
    fees_paid: Decimal = ABSENT
    last_updated_ts: datetime = ABSENT
    market_exposure: Decimal = ABSENT
    position: Decimal = ABSENT
    realized_pnl: Decimal = ABSENT
    ticker: str
    total_traded: Decimal = ABSENT


class EventPosition(
    Model,
    kw_only=True,
    rename=wire_names(
        dollars=["event_exposure", "fees_paid", "realized_pnl", "total_cost"],
        counts=["total_cost_shares"],
    ),
):
    """The positions in an event's markets, summed up. Amounts are dollars, shares contracts."""

    __legacy_probes__ = ("event_exposure", "total_cost_shares")

    event_exposure: Decimal = ABSENT
    event_ticker: str
    fees_paid: Decimal = ABSENT
    realized_pnl: Decimal = ABSENT
    total_cost: Decimal = ABSENT
    total_cost_shares: Decimal = ABSENT


class Fill(
    Model, kw_only=True, rename=wire_names(dollars=["no_price", "yes_price"], counts=["count"])
):
    """A match of one of the account's orders.

    ``yes_price`` and ``no_price`` are dollars and add up to 1. ``book_side`` is where the order
    stood, ``outcome_side`` what it gained exposure to. ``fee_cost`` is dollars, ``ts`` Unix
    seconds.
    """

    __legacy_probes__ = ("count", "yes_price")

    action: str | None = None
    book_side: str = ABSENT
    count: Decimal = ABSENT
    created_time: datetime | None = None
    exchange_index: int = ABSENT
    fee_cost: Decimal = ABSENT
    fill_id: str
    is_taker: bool = ABSENT
    market_ticker: str = ABSENT
    no_price: Decimal = ABSENT
    order_id: str = ABSENT
    outcome_side: str = ABSENT
    side: str | None = None
    subaccount_number: int | None = None
    ticker: str = ABSENT
    trade_id: str = ABSENT
    ts: int | None = None
    yes_price: Decimal = ABSENT


class Settlement(
    Model,
    kw_only=True,
    rename=wire_names(
        dollars=["no_total_cost", "yes_total_cost"], counts=["no_count", "yes_count"]
    ),
):
    """What a market paid when it settled.

    ``revenue`` is whole cents paid to the account, ``value`` whole cents a YES contract (None where
    the exchange does not say); counts are contracts, costs and ``fee_cost`` dollars.
    """

    __legacy_probes__ = ("no_count", "yes_count")

    event_ticker: str = ABSENT
    exchange_index: int = ABSENT
    fee_cost: Decimal = ABSENT
    market_result: str = ABSENT
    no_count: Decimal = ABSENT
    no_total_cost: Decimal = ABSENT
    revenue: int = ABSENT
    settled_time: datetime = ABSENT
    ticker: str
    value: int | None = None
    yes_count: Decimal = ABSENT
    yes_total_cost: Decimal = ABSENT
