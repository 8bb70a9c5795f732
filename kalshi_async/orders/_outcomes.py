"""How each of many orders fared."""

from __future__ import annotations

from dataclasses import dataclass

from .._errors import KalshiError, NotFoundError, OrderStatusUnknown
from ..models.orders import CanceledOrder, PlacedOrder
from ._request import OrderRequest


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that the exchange took.

    Attributes:
        request: What was asked for.
        order: What the exchange made of it.
        index: The place of the request in the input, from 0.
    """

    request: OrderRequest
    order: PlacedOrder
    index: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """An order that was certainly not placed: refused, impossible, or never sent.

    Attributes:
        request: What was asked for.
        error: Why not.
        index: The place of the request in the input, from 0.
    """

    request: OrderRequest
    error: KalshiError
    index: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """An order of which the exchange alone knows whether it was placed.

    Attributes:
        request: What was asked for.
        error: What is known; ``await error.resolve()`` finds out.
        index: The place of the request in the input, from 0.
    """

    request: OrderRequest
    error: OrderStatusUnknown
    index: int


Outcome = Placed | Rejected | Unknown
"""How one request of ``place_many`` ended."""


@dataclass(frozen=True, slots=True)
class Canceled:
    """An order that was taken off the book.

    Attributes:
        order_id: The exchange's id.
        order: How much of it was still resting.
        index: The place of the order in the input, from 0.
    """

    order_id: str
    order: CanceledOrder
    index: int


@dataclass(frozen=True, slots=True)
class Gone:
    """An order that did not rest: cancelled or executed before, or never there.

    Attributes:
        order_id: The exchange's id.
        error: What the exchange said.
        index: The place of the order in the input, from 0.
    """

    order_id: str
    error: NotFoundError
    index: int


@dataclass(frozen=True, slots=True)
class CancelFailed:
    """An order that may still rest.

    Attributes:
        order_id: The exchange's id; empty for an order of which it is not known.
        error: What went wrong; ``error.outcome_unknown`` where it may be cancelled all the same.
        index: The place of the order in the input, from 0.
    """

    order_id: str
    error: KalshiError
    index: int


CancelOutcome = Canceled | Gone | CancelFailed
"""How one order of ``cancel_many`` fared."""
