"""What a clearing member (FCM) sees of its subtraders."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from ._base import ABSENT, Model, wire_names


class FcmFill(Model, kw_only=True, rename=wire_names(dollars=["yes_price"], counts=["count"])):
    """A match with the member on at least one side.

    ``yes_price`` and fees are dollars, ``count`` contracts. What belongs to a side that is not the
    member's own is None.
    """

    count: Decimal = ABSENT
    created_time: datetime | None = None
    exchange_index: int = ABSENT
    fill_id: str
    maker_fee_cost: Decimal | None = None
    maker_order_id: str | None = None
    maker_subtrader_id: str | None = None
    taker_fee_cost: Decimal | None = None
    taker_order_id: str | None = None
    taker_outcome_side: str = ABSENT
    taker_subtrader_id: str | None = None
    ticker: str = ABSENT
    yes_price: Decimal = ABSENT


class FcmSubtrader(Model, kw_only=True):
    """One for whom the member clears.

    ``trading_blocked`` tells of a block by the exchange, ``fcm_trading_blocked`` of one by the
    member, ``propagation_pending`` of a change that does not hold on all shards yet.
    """

    exchange_indices: list[int] = ABSENT
    fcm_trading_blocked: bool = ABSENT
    propagation_pending: bool = ABSENT
    subtrader_id: str
    trading_blocked: bool = ABSENT


class FcmDailyCap(Model, kw_only=True):
    """The most premium a subtrader may put at risk on one day, and what is used of it.

    All amounts are dollars; ``cap_date`` is the day in New York, ``"2026-03-19"``.
    """

    cap_date: str = ABSENT
    executed_utilization: Decimal = ABSENT
    limit: Decimal = ABSENT
    pending_order_utilization: Decimal = ABSENT
    resting_order_utilization: Decimal = ABSENT
    subtrader_id: str
