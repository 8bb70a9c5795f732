"""One order, or a batch of them, placed exactly once.

The same request may go out several times: its client_order_id makes the exchange take it once.
What is not known after that is looked up; what cannot be found out in time is said.
"""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import msgspec
from anyio.lowlevel import checkpoint_if_cancelled

from .._decode import object_decoder
from .._errors import (
    BadRequestError,
    DeadlineExceededError,
    DecodeError,
    KalshiError,
    OrderExistsError,
    OrderStatusUnknown,
)
from .._operations import BATCH_CREATE_ORDERS, CREATE_ORDER
from .._options import INHERIT
from .._trail import Trail
from .._transport import Transport
from ..models.orders import PlacedBatch, PlacedOrder
from ..resources._base import CallOptions
from ._answers import Ticket, as_placed, complete, is_another, recovered, sort_out
from ._desk import Desk, Result, Watcher
from ._request import WireOrder

_placed_decoder = object_decoder(PlacedOrder)
_batch_decoder = object_decoder(PlacedBatch)


class Placement:
    """Places orders for one view of a client.

    Args:
        transport: The view's pipeline.
        desk: What all views share.
        watchers: Told of every placement.
    """

    def __init__(
        self, transport: Transport, desk: Desk, watchers: tuple[Watcher, ...] = ()
    ) -> None:
        self._transport = transport
        self._desk = desk
        self._watchers = watchers

    async def place(
        self, order: WireOrder, options: CallOptions, begun: list[Ticket] | None = None
    ) -> PlacedOrder:
        """Place an order, and do not come back before it is known whether it was.

        ``begun`` receives its ticket, for a caller that must know on the way how far it got.

        Raises:
            OrderStatusUnknown: Out of time, or cancelled, and nobody but the exchange knows.
            JournalError: The intent could not be written; nothing was sent.
            KalshiError: It was certainly not placed.
        """
        await checkpoint_if_cancelled()  # else the first await might be in the middle of sending
        body = msgspec.json.encode(order)
        until = self._until(options)
        await self._intend([(order, body)], until)
        ticket = Ticket(order, Trail(), self._desk.wall_clock(), until)
        if begun is not None:
            begun.append(ticket)
        self._begin(ticket)
        try:
            return await self._send(ticket, body, options)
        except KalshiError as exc:
            ticket.result = exc
            raise
        except (Exception, anyio.get_cancelled_exc_class()) as exc:
            if ticket.in_question:
                ticket.result = self._unknown(ticket, _reason(exc))
                raise ticket.result from exc
            raise
        finally:
            self._end(ticket)

    async def place_batch(
        self,
        orders: Sequence[WireOrder],
        options: CallOptions,
        results: dict[str, Result],
        begun: list[Ticket] | None = None,
    ) -> None:
        """Place orders in one request.

        ``results`` receives how each ended, by client_order_id; when cancelled, of those that had
        been sent. ``begun`` receives their tickets before.

        Raises:
            JournalError: The intents could not be written; nothing was sent.
            DeadlineExceededError: They were not written in time; nothing was sent.
        """
        await checkpoint_if_cancelled()
        bodies = [msgspec.json.encode(order) for order in orders]
        until = self._until(options)
        await self._intend(list(zip(orders, bodies, strict=True)), until)
        trail = Trail()
        started = self._desk.wall_clock()
        tickets = [Ticket(order, trail, started, until) for order in orders]
        if begun is not None:
            begun += tickets
        for ticket in tickets:
            self._begin(ticket)
        try:
            await self._send_batch(tickets, bodies, options)
        except (Exception, anyio.get_cancelled_exc_class()) as exc:
            for ticket in tickets:
                if ticket.result is None and ticket.in_question:
                    ticket.result = self._unknown(ticket, _reason(exc))
            raise
        finally:
            for ticket in tickets:
                self._end(ticket)
                if ticket.result is not None:
                    results[ticket.order.client_order_id] = ticket.result

    async def look_up(self, ticket: Ticket, sent: float, why: str) -> PlacedOrder | None:
        """Find an order that was sent and never heard of; None once it is proved not to be there.

        Args:
            ticket: What was sent; looked for until ``ticket.until``.
            sent: By when its last request had left, on the event loop's clock.
            why: What is the matter, for the error.

        Raises:
            OrderStatusUnknown: Still unknown.
        """
        order, desk = ticket.order, self._desk
        sent = max(sent, desk.doubts.get(order.client_order_id, sent))
        found = await desk.finder.search(
            ticket.wanted, sent=sent, until=ticket.until, exists=ticket.exists
        )
        another = found.order is not None and is_another(ticket, found.order)
        if found.order is not None and not another:
            placed = as_placed(found.order)
            self._tell(order, placed)
            return placed
        if found.absent or another:  # an id that another order has can never be placed
            desk.absent(order.client_order_id)
            self._tell(order, None)
            return None
        raise self._unknown(ticket, why, sent) from found.trouble

    async def _send(self, ticket: Ticket, body: bytes, options: CallOptions) -> PlacedOrder:
        transport, trail = self._transport, ticket.trail
        try:
            response = await transport.call(
                CREATE_ORDER, body=msgspec.Raw(body), trail=trail, **_left(options, ticket.until)
            )
            ticket.taken = True
            placed = transport.decode_object(CREATE_ORDER, _placed_decoder, response)
            ticket.result = placed = complete(placed, ticket.order)
        except KalshiError as exc:
            ticket.result = placed = await self._find_out(ticket, exc)
        return placed

    async def _send_batch(
        self, tickets: list[Ticket], bodies: list[bytes], options: CallOptions
    ) -> None:
        transport, trail = self._transport, tickets[0].trail
        body = {"orders": [msgspec.Raw(body) for body in bodies]}
        try:
            response = await transport.call(
                BATCH_CREATE_ORDERS,
                body=body,
                trail=trail,
                items=len(tickets),
                **_left(options, tickets[0].until),
            )
            answer = transport.decode_object(BATCH_CREATE_ORDERS, _batch_decoder, response)
        except DecodeError as exc:
            trail.doubtful = True  # it was carried out, for all that can be told
            await self._find_out_all([(ticket, exc) for ticket in tickets])
        except BadRequestError as exc:
            if trail.unknown or len(tickets) == 1:
                await self._find_out_all([(ticket, exc) for ticket in tickets])
            else:  # one of them, or their number, spoils it for all
                await self._send_singly(tickets, bodies, options)
        except KalshiError as exc:
            await self._find_out_all([(ticket, exc) for ticket in tickets])
        else:
            await self._find_out_all(sort_out(tickets, answer.orders or ()))

    async def _send_singly(
        self, tickets: list[Ticket], bodies: list[bytes], options: CallOptions
    ) -> None:
        async def one(ticket: Ticket, body: bytes) -> None:
            ticket.trail = Trail()
            try:
                await self._send(ticket, body, options)
            except KalshiError as exc:
                ticket.result = exc

        async with anyio.create_task_group() as tasks:
            for ticket, body in zip(tickets, bodies, strict=True):
                tasks.start_soon(one, ticket, body)

    async def _find_out_all(self, failed: list[tuple[Ticket, KalshiError]]) -> None:
        async def one(ticket: Ticket, error: KalshiError) -> None:
            try:
                ticket.result = await self._find_out(ticket, error)
            except KalshiError as exc:
                ticket.result = exc

        # What needs no look is known at once, also if the looks of the others are cancelled.
        doubtful = []
        for ticket, error in failed:
            if self._in_question(ticket, error):
                doubtful.append((ticket, error))
            else:
                ticket.result = error
        if not doubtful:
            return
        async with anyio.create_task_group() as tasks:
            for ticket, error in doubtful:
                tasks.start_soon(one, ticket, error)

    async def _find_out(self, ticket: Ticket, error: KalshiError) -> PlacedOrder:
        """What became of an order whose placement ended in an error.

        Raises:
            OrderStatusUnknown: Not known in time.
            KalshiError: It was certainly not placed.
        """
        if not self._in_question(ticket, error):
            raise error
        ended = anyio.current_time()
        patience = ended + self._desk.certainty.patience
        found = await self._desk.finder.search(
            ticket.wanted,
            sent=ended,
            until=patience if ticket.until is None else min(patience, ticket.until),
            exists=ticket.exists,
        )
        if found.order is not None:
            return recovered(ticket, found.order, error)
        if found.absent:
            error.outcome_unknown = False
            error.add_note("the order was looked for, and is proved not to have been placed")
        elif ticket.unknown or ticket.before:
            why = error.summary
            raise self._unknown(ticket, why, ended) from found.trouble or error
        raise error

    def _in_question(self, ticket: Ticket, error: KalshiError) -> bool:
        """Whether the order may be there although its placement ended in an error."""
        ticket.exists = ticket.taken or isinstance(error, OrderExistsError)
        ticket.before = self._desk.in_doubt(ticket.order.client_order_id)
        return ticket.in_question

    def _unknown(self, ticket: Ticket, why: str, ended: float | None = None) -> OrderStatusUnknown:
        """The error that says that only the exchange knows."""
        order = ticket.order
        sent = anyio.current_time() if ended is None else ended
        self._desk.doubt(order.client_order_id, sent)
        error = OrderStatusUnknown(
            f"whether {order.client_order_id} ({order.side} {order.count} at {order.price} in "
            f"{order.ticker}) was placed is not known: {why}; await error.resolve() to find out"
        )
        error.operation = CREATE_ORDER.name
        error.attempts = ticket.trail.attempts
        error.elapsed = self._desk.wall_clock() - ticket.started
        error.client_order_id, error.ticker = order.client_order_id, order.ticker
        error.sent = msgspec.to_builtins(order)
        error.sent_at = ticket.trail.sent_at

        async def resolve(deadline: float | None) -> PlacedOrder | None:
            ticket.until = None if deadline is None else anyio.current_time() + deadline
            return await self.look_up(ticket, sent, why)

        error._resolver = resolve
        return error

    def _until(self, options: CallOptions) -> float | None:
        return self._transport.until(options.get("deadline", INHERIT))

    async def _intend(self, orders: list[tuple[WireOrder, bytes]], until: float | None) -> None:
        """Write down what is about to be sent, in time."""
        if until is None or self._desk.journal is None:
            await self._desk.intend(orders)
            return
        with anyio.move_on_after(until - anyio.current_time()):
            await self._desk.intend(orders)
            return
        error = DeadlineExceededError("not written to the journal in time; nothing was sent")
        error.operation = CREATE_ORDER.name
        raise error

    def _begin(self, ticket: Ticket) -> None:
        for watcher in self._watchers:
            watcher.placing(ticket.order)

    def _end(self, ticket: Ticket) -> None:
        name = ticket.order.client_order_id
        self._desk.ended(name)
        if ticket.result is None and ticket.in_question:
            ticket.result = self._unknown(ticket, "interrupted")
        elif ticket.result is None:
            self._desk.not_sent(name)
        self._tell(ticket.order, ticket.result)

    def _tell(self, order: WireOrder, result: Result | None) -> None:
        telemetry = self._transport.telemetry
        if isinstance(result, OrderStatusUnknown):
            telemetry.order_unknown(result)
        elif isinstance(result, PlacedOrder) and result.recovered:
            telemetry.order_recovered(order.client_order_id, result.order_id, result.ticker)
        if result is not None:
            self._desk.settle(order.client_order_id, result)
        for watcher in self._watchers:
            watcher.ended(order, result)


def _left(options: CallOptions, until: float | None) -> CallOptions:
    """The options of a call that has what is left of the deadline.

    Raises:
        DeadlineExceededError: Nothing is left.
    """
    if until is None:
        return options
    left = until - anyio.current_time()
    if left <= 0:
        raise DeadlineExceededError("the deadline was over before the order was sent")
    return {**options, "deadline": round(left, 3) or left}  # it is named in messages


def _reason(error: BaseException) -> str:
    """Why a placement broke off: a cancellation, or what nobody foresaw."""
    return f"it failed with {error!r}" if isinstance(error, Exception) else "cancelled"
