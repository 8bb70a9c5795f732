"""Orders to be changed, and what they show of a change whose answer was lost. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .._amounts import Count, count, count_text, price_text
from .._errors import KalshiError, NotFoundError
from ..models.orders import AmendedOrder, CanceledOrder, DecreasedOrder, Order, PlacedOrder
from ..resources._checks import bounded, identifier
from ._terms import expiration_seconds

OrderLike = str | Order | PlacedOrder
"""An order: its ``order_id``, or what the exchange told of it."""


@dataclass(frozen=True, slots=True)
class Target:
    """An order to change, and what is known of it.

    Attributes:
        order_id: The exchange's id.
        ticker: Its market, which tells the exchange the shard.
        subaccount: Its subaccount; None for the primary.
        order: The order itself, where the caller gave it.
        told: Whether the exchange has told all that, so that what it does not find is gone.
    """

    order_id: str
    ticker: str | None = None
    subaccount: int | None = None
    order: Order | None = None
    told: bool = False


def target(
    order: OrderLike, market_ticker: str | None = None, subaccount: int | None = None
) -> Target:
    """What is to be changed; what the caller names wins over what the order says.

    Raises:
        InvalidRequestError: It is no order, or an empty id.
    """
    if market_ticker is not None:
        identifier("market_ticker", market_ticker)
    bounded("subaccount", subaccount, 0, None)
    told = market_ticker is None and subaccount is None
    if isinstance(order, Order):
        own = order.subaccount_number if subaccount is None else subaccount
        return Target(order.order_id, market_ticker or order.ticker, own, order, told)
    if isinstance(order, PlacedOrder):
        own = order.subaccount if subaccount is None else subaccount
        return Target(order.order_id, market_ticker or order.ticker, own, told=told)
    return Target(identifier("order_id", order), market_ticker, subaccount)


def proves_gone(error: KalshiError, wanted: Target) -> bool:
    """Whether a failed cancellation shows that the order rests no more.

    Only the exchange's own 404 does, and only where it was asked for the order where it is: it may
    rest on another shard or in another subaccount.
    """
    return isinstance(error, NotFoundError) and error.code is not None and wanted.told


def price_of(order: Order | None, stated: Decimal | None) -> str | None:
    if stated is None and order is not None:
        stated = order.yes_price
    return None if stated is None else price_text(stated)


def total_of(order: Order | None, given: Count | None) -> str | None:
    if given is not None:
        return count_text(count("count", given))
    return None if order is None else count_text(order.fill_count + order.remaining_count)


def is_as(order: Order, body: dict[str, object]) -> bool:
    """Whether an order is as an amendment asked for."""
    total = order.fill_count + order.remaining_count
    if price_text(order.yes_price) != body["price"] or count_text(total) != body["count"]:
        return False
    name, expiration = body.get("updated_client_order_id"), body.get("expiration_time")
    if name is not None and order.client_order_id != name:
        return False
    return expiration is None or expiration_seconds(order.expiration_time) == expiration


def _milliseconds(order: Order) -> int:
    when = order.last_update_time or order.created_time
    return 0 if when is None else round(when.timestamp() * 1000)


def found_canceled(order: Order) -> CanceledOrder:
    return CanceledOrder(
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        reduced_by=order.initial_count - order.fill_count,
        ts_ms=_milliseconds(order),
        recovered=True,
    )


def found_amended(order: Order) -> AmendedOrder:
    return AmendedOrder(
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        remaining_count=order.remaining_count,
        fill_count=order.fill_count,
        ts_ms=_milliseconds(order),
        recovered=True,
    )


def found_decreased(order: Order) -> DecreasedOrder:
    return DecreasedOrder(
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        remaining_count=order.remaining_count,
        ts_ms=_milliseconds(order),
        recovered=True,
    )
