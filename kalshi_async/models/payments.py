"""Money that came, went, or moved between the shards of the exchange."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from ._base import ABSENT, Model

ExchangeInstance = Literal["event_contract", "margined"]
"""The part of the exchange that holds money."""

RestingMarginReservation = Literal["none", "max", "sum"]
"""How much of what backs resting orders stays where it is when money is spread anew."""


class Deposit(Model, kw_only=True):
    """Money paid in; amounts are whole cents, times Unix seconds.

    ``finalized_ts`` is None while ``status`` is ``"pending"``.
    """

    amount_cents: int = ABSENT
    created_ts: int = ABSENT
    fee_cents: int = ABSENT
    finalized_ts: int | None = None
    id: str
    status: str = ABSENT
    type: str = ABSENT


class Withdrawal(Model, kw_only=True):
    """Money paid out; fields as in ``Deposit``."""

    amount_cents: int = ABSENT
    created_ts: int = ABSENT
    fee_cents: int = ABSENT
    finalized_ts: int | None = None
    id: str
    status: str = ABSENT
    type: str = ABSENT


class TargetBalanceAllocation(Model, kw_only=True):
    """The share of the free money that one shard is to hold, in percent."""

    exchange_index: int
    percent: int = ABSENT


class TargetAllocation(Model, kw_only=True):
    """How the account wants its free money spread over the shards; no allocations move nothing."""

    allocations: list[TargetBalanceAllocation] = ABSENT
    resting_margin_reservation: str = ABSENT

    @property
    def percents(self) -> dict[int, int]:
        """Exchange index → percent, as ``portfolio.set_target_allocation`` takes them."""
        return {each.exchange_index: each.percent for each in self.allocations}


class ShardTransfer(Model, kw_only=True):
    """Money moved between two shards: ``amount`` in dollars, ``created_ts`` in Unix seconds.

    ``status`` is ``"pending"`` until the money has arrived, then ``"complete"``.
    """

    amount: Decimal = ABSENT
    client_transfer_id: str | None = None
    created_ts: int = ABSENT
    destination: str = ABSENT
    destination_exchange_shard: int = ABSENT
    source: str = ABSENT
    source_exchange_shard: int = ABSENT
    status: str = ABSENT
    transfer_id: str
