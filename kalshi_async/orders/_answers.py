"""What an answer, or a lost one, says of the orders that were to be placed. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import msgspec

from .._errors import (
    DecodeError,
    ErrorBody,
    KalshiError,
    OrderExistsError,
    api_error,
    item_error,
)
from .._operations import BATCH_CREATE_ORDERS, CREATE_ORDER
from .._retry import leaves_doubt
from .._trail import Trail
from ..models.orders import Order, PlacedOrder, PlacedOrderItem
from ._desk import Result
from ._finder import Wanted
from ._request import WireOrder
from ._terms import FOK

SKEW = 60
"""Seconds by which this machine's clock, as far as it is corrected, and the exchange's may differ.
"""


@dataclass(slots=True)
class Ticket:
    """One order on its way.

    Attributes:
        order: What is placed.
        trail: How far its request got; items of a batch share one.
        started: When its placement began, in Unix seconds.
        until: When its deadline is over, on the event loop's clock; None for no deadline.
        skew: Seconds by which ``started`` may be off from the exchange's time.
        exists: The exchange has said that there is an order of this client_order_id.
        taken: The exchange has said that it took this very order.
        before: Another placement of the same order may have been carried out.
        result: How it ended.
    """

    order: WireOrder
    trail: Trail
    started: float
    until: float | None
    skew: int = SKEW
    exists: bool = False
    taken: bool = False
    before: bool = False
    result: Result | None = None

    @property
    def unknown(self) -> bool:
        """Whether this placement may have been carried out."""
        return self.taken or self.trail.unknown

    @property
    def in_question(self) -> bool:
        """Whether an order of its client_order_id may be there, by this placement or another."""
        return self.unknown or self.exists or self.before

    @property
    def attempts(self) -> int:
        """How many times it was handed to the network."""
        return self.trail.attempts

    @property
    def wanted(self) -> Wanted:
        """What to look for. An order of before is looked for however old it is."""
        bounded = self.unknown and not self.before
        since = int(self.started) - self.skew if bounded else None
        return Wanted(self.order.client_order_id, self.order.ticker, self.order.subaccount, since)


def sort_out(
    tickets: list[Ticket], items: Sequence[PlacedOrderItem]
) -> list[tuple[Ticket, KalshiError]]:
    """Give each order its part of a batch's answer; returns those that were not simply placed."""
    by_name = {item.client_order_id: item for item in items if item.client_order_id}
    in_order = len(items) == len(tickets)
    failed: list[tuple[Ticket, KalshiError]] = []
    for place, ticket in enumerate(tickets):
        item = by_name.get(ticket.order.client_order_id)
        if item is None and in_order and items[place].client_order_id is None:
            item = items[place]
        if item is not None and item.error is not None:
            said = item.error
            body = ErrorBody(said.code, said.message, said.details, said.service)
            error = item_error(body)
            if leaves_doubt(error):
                _doubt(ticket)
            failed.append((ticket, _told(error, ticket)))
        elif item is not None and item.order_id is not None:
            ticket.result = complete(item.placed(), ticket.order)
        else:
            _doubt(ticket)
            failed.append((ticket, _told(DecodeError("the answer leaves it out"), ticket)))
    return failed


def _doubt(ticket: Ticket) -> None:
    # Of its own, since the trail is that of the whole batch.
    ticket.trail = replace(ticket.trail, doubtful=True)


def _told(error: KalshiError, ticket: Ticket) -> KalshiError:
    error.operation = BATCH_CREATE_ORDERS.name
    error.attempts = ticket.trail.attempts
    return error


def recovered(ticket: Ticket, found: Order, error: KalshiError) -> PlacedOrder:
    """The answer that was lost, as far as the order itself tells it.

    Raises:
        OrderExistsError: The order is another one, placed before under the same client_order_id.
        FillOrKillError: It was killed.
    """
    order = ticket.order
    if is_another(ticket, found):
        raise _taken_by(found, error)
    if order.time_in_force == FOK and found.status == "canceled" and not found.fill_count:
        code = "fill_or_kill_insufficient_resting_volume"
        killed = api_error(409, ErrorBody(code, "found killed; the answer itself was lost"))
        killed.operation = CREATE_ORDER.name
        raise killed from error
    return as_placed(found)


def is_another(ticket: Ticket, found: Order) -> bool:
    """Whether an order of the account is not the one that was asked for, but has its id."""
    if ticket.taken:  # an id is unique: what has it is what was taken
        return False
    order = ticket.order
    if _differs(found.ticker, order.ticker) or _differs(found.book_side, order.side):
        return True
    other_count = not order.reduce_only and _differs(found.initial_count, Decimal(order.count))
    if not other_count and not _differs(found.yes_price, Decimal(order.price)):
        return False
    # Of a placement whose answer was lost it may be what somebody has amended since.
    return not ((ticket.unknown or ticket.before) and _changed(found))


def _differs(shown: object, asked: object) -> bool:
    """Whether a field has another value; one that the exchange does not show tells nothing."""
    return shown is not None and shown != asked


def _changed(order: Order) -> bool:
    created, updated = order.created_time, order.last_update_time
    return created is None or (updated is not None and updated > created)


def _taken_by(found: Order, error: KalshiError) -> OrderExistsError:
    if isinstance(error, OrderExistsError):
        exists = error
    else:
        body = ErrorBody("order_already_exists", "the client_order_id is that of another order")
        exists = OrderExistsError(409, body)
        exists.operation, exists.attempts = CREATE_ORDER.name, error.attempts
        exists.__cause__ = error
    exists.existing, exists.outcome_unknown = found, False
    return exists


def complete(placed: PlacedOrder, order: WireOrder) -> PlacedOrder:
    """An answer with what only the request tells."""
    set_field = msgspec.structs.force_setattr
    set_field(placed, "ticker", order.ticker)
    set_field(placed, "subaccount", order.subaccount)
    if placed.client_order_id is None:
        set_field(placed, "client_order_id", order.client_order_id)
    return placed


def as_placed(found: Order) -> PlacedOrder:
    """An order of the account, in the form in which placing it is answered."""
    created = found.created_time
    return PlacedOrder(
        order_id=found.order_id,
        client_order_id=found.client_order_id,
        fill_count=found.fill_count,
        remaining_count=found.remaining_count,
        ts_ms=0 if created is None else round(created.timestamp() * 1000),
        ticker=found.ticker,
        subaccount=found.subaccount_number,
        recovered=True,
    )
