"""Public trades."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from ._base import ABSENT, Model, wire_names


class Trade(
    Model, kw_only=True, rename=wire_names(dollars=["yes_price", "no_price"], counts=["count"])
):
    """One trade; ``yes_price`` and ``no_price`` are dollars and add up to 1.

    ``taker_outcome_side`` is what the taker gained exposure to, ``taker_book_side`` where the
    taker's order stood. Trades recorded before April 2026 have only ``taker_side``.
    """

    __legacy_probes__ = ("count", "yes_price")

    count: Decimal = ABSENT
    created_time: datetime = ABSENT
    is_block_trade: bool = ABSENT
    no_price: Decimal = ABSENT
    taker_book_side: str = ABSENT
    taker_outcome_side: str = ABSENT
    taker_side: str | None = None
    ticker: str = ABSENT
    trade_id: str
    yes_price: Decimal = ABSENT
