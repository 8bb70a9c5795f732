"""Order groups: orders that stop together."""

from __future__ import annotations

from decimal import Decimal

from ._base import ABSENT, Model, wire_names


class OrderGroup(Model, kw_only=True, rename=wire_names(counts=["contracts_limit"])):
    """A group of orders, of which at most ``contracts_limit`` contracts match in any 15 seconds.

    ``is_auto_cancel_enabled`` is False once it was hit or triggered, until it is reset: its orders
    are cancelled and new ones refused.
    """

    contracts_limit: Decimal | None = None
    exchange_index: int | None = None
    id: str
    is_auto_cancel_enabled: bool = ABSENT


class OrderGroupDetails(Model, kw_only=True, rename=wire_names(counts=["contracts_limit"])):
    """One group with the ids of its resting ``orders``; otherwise as ``OrderGroup``."""

    contracts_limit: Decimal | None = None
    exchange_index: int | None = None
    is_auto_cancel_enabled: bool = ABSENT
    orders: list[str] = ABSENT


class CreatedOrderGroup(Model, kw_only=True):
    """A new group: its id for ``order_group_id=`` of orders, and where it lives."""

    exchange_index: int | None = None
    order_group_id: str
    subaccount: int = ABSENT
