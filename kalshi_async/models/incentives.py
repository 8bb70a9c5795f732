"""Incentive programs: rewards for resting liquidity and for volume."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from ._base import ABSENT, Model, wire_names

IncentiveStatusFilter = Literal["all", "active", "upcoming", "closed", "paid_out"]
"""What ``incentives.list(status=…)`` takes."""

IncentiveTypeFilter = Literal[
    "all", "liquidity", "volume", "margin_maker_volume", "margin_taker_volume"
]
"""What ``incentives.list(type=…)`` takes."""


class IncentiveProgram(Model, rename=wire_names(counts=["target_size"])):
    """A reward on one market from ``start_date`` to ``end_date``.

    ``period_reward`` is in hundredths of a cent, ``target_size`` in contracts,
    ``discount_factor_bps`` in basis points.
    """

    id: str
    market_id: str = ABSENT
    market_ticker: str = ABSENT
    incentive_type: str = ABSENT
    incentive_description: str = ABSENT
    start_date: datetime = ABSENT
    end_date: datetime = ABSENT
    period_reward: int = ABSENT
    paid_out: bool = ABSENT
    discount_factor_bps: int | None = None
    target_size: Decimal | None = None
    max_reward_per_account: int | None = None
