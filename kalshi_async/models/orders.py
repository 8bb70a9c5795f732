"""Orders: what the exchange says of them, and what it answers to placing and changing them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from ._base import ABSENT, Model, wire_names

Action = Literal["buy", "sell"]
BookSide = Literal["bid", "ask"]
"""A bid buys YES (or sells NO), an ask sells YES (or buys NO); both in YES prices."""

OrderType = Literal["limit", "market"]
TimeInForce = Literal["good_till_canceled", "immediate_or_cancel", "fill_or_kill"]
SelfTradePrevention = Literal["taker_at_cross", "maker"]
OrderStatusFilter = Literal["resting", "canceled", "executed"]


class Order(
    Model,
    kw_only=True,
    rename=wire_names(
        dollars=[
            "yes_price",
            "no_price",
            "taker_fill_cost",
            "maker_fill_cost",
            "taker_fees",
            "maker_fees",
        ],
        counts=["fill_count", "remaining_count", "initial_count"],
    ),
):
    """An order of this account.

    ``book_side`` is where it stands (``bid`` or ``ask``), ``outcome_side`` what it gains exposure
    to. Prices, costs and fees are dollars; counts are contracts.
    """

    __legacy_probes__ = ("yes_price", "remaining_count")

    action: str | None = None
    book_side: str = ABSENT
    cancel_order_on_pause: bool | None = None
    client_order_id: str = ABSENT
    created_time: datetime | None = None
    exchange_index: int | None = None
    expiration_time: datetime | None = None
    fill_count: Decimal = ABSENT
    initial_count: Decimal = ABSENT
    last_update_time: datetime | None = None
    maker_fees: Decimal = ABSENT
    maker_fill_cost: Decimal = ABSENT
    no_price: Decimal = ABSENT
    order_group_id: str | None = None
    order_id: str
    outcome_side: str = ABSENT
    remaining_count: Decimal = ABSENT
    self_trade_prevention_type: str | None = None
    side: str | None = None
    status: str = ABSENT
    subaccount_number: int | None = None
    taker_fees: Decimal = ABSENT
    taker_fill_cost: Decimal = ABSENT
    ticker: str = ABSENT
    type: str = ABSENT
    user_id: str = ABSENT
    yes_price: Decimal = ABSENT

    @property
    def is_resting(self) -> bool:
        """Whether it is on the book."""
        return self.status == "resting"


class PlacedOrder(Model):
    """An order that the exchange has taken.

    Attributes:
        order_id: The exchange's id.
        client_order_id: The caller's id, or the one that was made up for it.
        fill_count: Contracts filled so far; right after placing, those filled at once.
        remaining_count: Contracts that rest on the book.
        average_fill_price: Dollars a contract in YES prices, where anything was filled.
        average_fee_paid: Dollars a contract, where anything was filled.
        ts_ms: When the exchange took it, in Unix milliseconds.
        ticker: Its market.
        subaccount: Its subaccount; None for the primary.
        recovered: The answer to placing it was lost: it was found among the account's orders, as
            it stood then.
    """

    order_id: str
    client_order_id: str | None = None
    fill_count: Decimal = ABSENT
    remaining_count: Decimal = ABSENT
    average_fill_price: Decimal | None = None
    average_fee_paid: Decimal | None = None
    ts_ms: int = ABSENT
    ticker: str | None = None
    subaccount: int | None = None
    recovered: bool = False


class OrderError(Model):
    """Why the exchange refused one item of a batch."""

    code: str | None = None
    message: str | None = None
    details: str | None = None
    service: str | None = None


class PlacedOrderItem(Model):
    """One item of the answer to a batch of placements: an order, or why there is none."""

    order_id: str | None = None
    client_order_id: str | None = None
    fill_count: Decimal | None = None
    remaining_count: Decimal | None = None
    average_fill_price: Decimal | None = None
    average_fee_paid: Decimal | None = None
    ts_ms: int | None = None
    error: OrderError | None = None

    def placed(self) -> PlacedOrder:
        """The order that it tells of; only for an item with an ``order_id``."""
        return PlacedOrder(
            order_id=self.order_id or "",
            client_order_id=self.client_order_id,
            fill_count=ABSENT if self.fill_count is None else self.fill_count,
            remaining_count=ABSENT if self.remaining_count is None else self.remaining_count,
            average_fill_price=self.average_fill_price,
            average_fee_paid=self.average_fee_paid,
            ts_ms=ABSENT if self.ts_ms is None else self.ts_ms,
        )


class PlacedBatch(Model):
    """The answer to a batch of placements."""

    orders: list[PlacedOrderItem] = ABSENT


class CanceledOrderItem(Model):
    """One item of the answer to a batch of cancellations."""

    order_id: str
    client_order_id: str | None = None
    reduced_by: Decimal = ABSENT
    ts_ms: int | None = None
    error: OrderError | None = None


class CanceledBatch(Model):
    """The answer to a batch of cancellations."""

    orders: list[CanceledOrderItem] = ABSENT


class CanceledOrder(Model):
    """An order that was taken off the book.

    ``reduced_by`` is how many contracts were still resting, ``ts_ms`` when, in Unix milliseconds.
    ``recovered``: the answer to cancelling it was lost, and the order found to be cancelled.
    """

    order_id: str
    client_order_id: str | None = None
    reduced_by: Decimal = ABSENT
    ts_ms: int = ABSENT
    recovered: bool = False


class AmendedOrder(Model):
    """An order after it was amended; fields as in ``PlacedOrder``."""

    order_id: str
    client_order_id: str | None = None
    remaining_count: Decimal | None = None
    fill_count: Decimal | None = None
    average_fill_price: Decimal | None = None
    average_fee_paid: Decimal | None = None
    ts_ms: int = ABSENT
    recovered: bool = False


class DecreasedOrder(Model):
    """An order after it was made smaller; ``ts_ms`` in Unix milliseconds.

    ``recovered``: the answer was lost, and the order found to be of the size wanted.
    """

    order_id: str
    client_order_id: str | None = None
    remaining_count: Decimal = ABSENT
    ts_ms: int = ABSENT
    recovered: bool = False


class QueuePosition(Model, rename=wire_names(counts=["queue_position"])):
    """How many contracts stand before one order at its price."""

    queue_position: Decimal = ABSENT


class OrderQueuePosition(Model, rename=wire_names(counts=["queue_position"])):
    """``QueuePosition``, with the order and the market that it belongs to."""

    order_id: str
    market_ticker: str = ABSENT
    queue_position: Decimal = ABSENT
