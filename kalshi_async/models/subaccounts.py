"""Subaccounts: up to 63 beside the primary one, which is number 0."""

from __future__ import annotations

from decimal import Decimal

from ._base import ABSENT, Model


class SubaccountBalance(Model, kw_only=True):
    """The free money of a subaccount on one shard, in dollars; ``updated_ts`` is Unix seconds."""

    balance: Decimal = ABSENT
    exchange_index: int = ABSENT
    subaccount_number: int
    updated_ts: int = ABSENT


class SubaccountNettingConfig(Model, kw_only=True):
    """Whether YES and NO positions of a subaccount in one market net."""

    enabled: bool = ABSENT
    exchange_index: int = ABSENT
    subaccount_number: int


class SubaccountTransfer(Model, kw_only=True):
    """Money moved between two subaccounts: ``amount_cents`` whole cents, at Unix seconds."""

    amount_cents: int = ABSENT
    created_ts: int = ABSENT
    exchange_index: int = ABSENT
    from_subaccount: int = ABSENT
    to_subaccount: int = ABSENT
    transfer_id: str
