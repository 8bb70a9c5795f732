"""Cancelling, amending and decreasing orders that rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Unpack, get_args

import anyio

from .._amounts import Count, Price, count, count_or_zero, count_text
from .._decode import object_decoder
from .._errors import DecodeError, InvalidRequestError, KalshiError, NotFoundError
from .._operations import (
    AMEND_ORDER,
    CANCEL_ALL_ORDERS,
    CANCEL_ORDER,
    DECREASE_ORDER,
    Operation,
    Retry,
)
from .._options import INHERIT
from .._trail import Trail
from ..models.orders import (
    AmendedOrder,
    BookSide,
    CanceledOrder,
    DecreasedOrder,
    Order,
)
from ..resources._base import CallOptions
from ..resources._checks import bounded
from ._lists import OrderLists
from ._targets import (
    OrderLike,
    Target,
    found_amended,
    found_canceled,
    found_decreased,
    is_as,
    price_of,
    proves_gone,
    target,
    total_of,
)
from ._terms import checked_client_order_id, expiration_seconds, one_of, stated_price

if TYPE_CHECKING:
    from ._desk import Desk

_Shows = Callable[[Order], bool]

# To a size, not by one: a second time changes nothing more.
_DECREASE_TO = replace(DECREASE_ORDER, retry=Retry.REPEATABLE)
_canceled = object_decoder(CanceledOrder)
_amended = object_decoder(AmendedOrder)
_decreased = object_decoder(DecreasedOrder)


class OrderChanges(OrderLists):
    """What changes orders that rest.

    A change whose answer is lost is sent again where a second time does no more than the first;
    ``error.outcome_unknown`` says where that could not settle it. Cancelling a call is safe, but a
    change that had been sent may still be carried out.
    """

    _desk: Desk

    async def cancel(
        self,
        order_id: OrderLike,
        *,
        market_ticker: str | None = None,
        subaccount: int | None = None,
        exchange_index: int | None = None,
        **options: Unpack[CallOptions],
    ) -> CanceledOrder:
        """Take an order off the book. It overtakes waiting placements in the rate limit.

        Args:
            order_id: The order: its id, or as the exchange told of it. An id alone is looked for
                on shard 0, unless ``market_ticker`` or ``exchange_index`` says where.
            market_ticker: Its market.
            subaccount: Its subaccount; left out, the primary.
            exchange_index: Its shard.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Returns:
            How many contracts were taken off. ``recovered`` where the answer was lost and the order
            was then found to be cancelled.

        Raises:
            NotFoundError: It does not rest: cancelled or executed before, or never there.
        """
        return await self._cancel(
            target(order_id, market_ticker, subaccount),
            bounded("exchange_index", exchange_index, 0, None),
            options,
            Trail(),
        )

    async def _cancel(
        self, wanted: Target, exchange_index: int | None, options: CallOptions, trail: Trail
    ) -> CanceledOrder:
        """``cancel``; a ``trail`` that is doubtful already tells of an attempt before."""
        until = self._until(options)
        try:
            response = await self._transport.call(
                CANCEL_ORDER,
                path={"order_id": wanted.order_id},
                query={
                    "subaccount": wanted.subaccount,
                    "exchange_index": exchange_index,
                    "market_ticker": wanted.ticker,
                },
                trail=trail,
                **options,
            )
            canceled = self._transport.decode_object(CANCEL_ORDER, _canceled, response)
        except (NotFoundError, DecodeError) as exc:
            doubtful = trail.doubtful or isinstance(exc, DecodeError)
            canceled = await self._gone(wanted, until, exc, doubtful=doubtful)
        self._off_the_book(wanted.order_id)
        return canceled

    async def _gone(
        self, wanted: Target, until: float | None, error: KalshiError, *, doubtful: bool
    ) -> CanceledOrder:
        """The cancellation of an order that is gone, if an attempt whose answer was lost did it.

        Raises:
            KalshiError: ``error``; with ``outcome_unknown`` where that cannot be told.
        """
        if doubtful:
            order = await self._look(wanted.order_id, until, lambda seen: not seen.is_resting)
            if order is not None and order.status == "canceled":
                return found_canceled(order)
            error.outcome_unknown = order is None
        if proves_gone(error, wanted):
            self._off_the_book(wanted.order_id)
        raise error

    def _off_the_book(self, order_id: str) -> None:
        """Told of every order that certainly rests no more."""

    async def cancel_all(
        self, *, subaccount: int | None = None, **options: Unpack[CallOptions]
    ) -> None:
        """Take all orders off the book: of one subaccount, or, left out, of all.

        Orders that are being placed meanwhile may come to rest afterwards.
        """
        query = {"subaccount": bounded("subaccount", subaccount, 0, None)}
        await self._done(CANCEL_ALL_ORDERS, options, query=query)

    async def amend(
        self,
        order_id: OrderLike,
        *,
        count: Count | None = None,
        price: Price | None = None,
        yes_price: int | None = None,
        no_price: int | None = None,
        ticker: str | None = None,
        book_side: BookSide | None = None,
        client_order_id: str | None = None,
        updated_client_order_id: str | None = None,
        expiration: int | datetime | None = None,
        subaccount: int | None = None,
        exchange_index: int | None = None,
        **options: Unpack[CallOptions],
    ) -> AmendedOrder:
        """Change the price or the size of a resting order; it may trade at once.

        Only a smaller size or another expiration keeps its place in the queue.

        Args:
            order_id: The order. Given as an ``Order`` (from ``get`` or ``list``), what is not to
                change can be left out; else count, price, ticker and ``book_side`` are needed.
            count: Contracts in all: those filled already and those that are to rest.
            price: The YES price in dollars.
            yes_price: The YES price in cents, instead.
            no_price: The NO price in cents, instead.
            ticker: Its market.
            book_side: The side on which it stands, which cannot change.
            client_order_id: Its present id, for the exchange to compare.
            updated_client_order_id: Its id from now on.
            expiration: When it ends: Unix seconds or an aware datetime.
            subaccount: Its subaccount; left out, the primary.
            exchange_index: Its shard.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            NotFoundError: It does not rest.
            BadRequestError: The exchange refuses the change; the order is as before.
            KalshiError: With ``outcome_unknown`` where only the exchange knows.
        """
        if book_side is not None:
            one_of("book_side", book_side, get_args(BookSide))
        wanted = target(order_id, ticker, subaccount)
        body: dict[str, object] = {
            "ticker": wanted.ticker,
            "side": book_side or (wanted.order.book_side if wanted.order else None),
            "price": price_of(wanted.order, stated_price(price, yes_price, no_price)),
            "count": total_of(wanted.order, count),
        }
        missing = [name for name, value in body.items() if value is None]
        if missing:
            raise InvalidRequestError(
                f"{', '.join(missing).replace('side', 'book_side')} missing; give them, or the "
                "order itself as orders.get returns it"
            )
        more: dict[str, object] = {
            "client_order_id": checked_client_order_id("client_order_id", client_order_id),
            "updated_client_order_id": checked_client_order_id(
                "updated_client_order_id", updated_client_order_id
            ),
            "expiration_time": expiration_seconds(expiration),
            "exchange_index": bounded("exchange_index", exchange_index, 0, None),
        }
        body |= {name: value for name, value in more.items() if value is not None}
        return await self._amend(wanted, body, options)

    async def _amend(
        self, wanted: Target, body: dict[str, object], options: CallOptions
    ) -> AmendedOrder:
        trail = Trail()
        until = self._until(options)
        try:
            response = await self._transport.call(
                AMEND_ORDER,
                path={"order_id": wanted.order_id},
                query={"subaccount": wanted.subaccount},
                body=body,
                trail=trail,
                **options,
            )
            return self._transport.decode_object(AMEND_ORDER, _amended, response)
        except KalshiError as exc:
            if not _in_doubt(trail, exc):
                raise
            order = await self._look(wanted.order_id, until, lambda seen: is_as(seen, body))
            if order is None:
                exc.outcome_unknown = True
                raise
            return found_amended(order)

    async def decrease(
        self,
        order_id: OrderLike,
        *,
        reduce_by: Count | None = None,
        reduce_to: Count | None = None,
        market_ticker: str | None = None,
        subaccount: int | None = None,
        exchange_index: int | None = None,
        **options: Unpack[CallOptions],
    ) -> DecreasedOrder:
        """Make a resting order smaller; it keeps its place in the queue.

        Args:
            order_id: The order: its id, or as the exchange told of it.
            reduce_by: Contracts to take off. Not sent again after a lost answer
                (``error.outcome_unknown``), since it would take them off twice.
            reduce_to: Contracts that are to remain; 0 cancels it. Sent again where needed.
            market_ticker: Its market, which tells the exchange the shard.
            subaccount: Its subaccount; left out, the primary.
            exchange_index: Its shard.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: Both or neither of reduce_by and reduce_to; nothing is sent.
            NotFoundError: It does not rest.
        """
        if (reduce_by is None) == (reduce_to is None):
            raise InvalidRequestError("give either reduce_by or reduce_to")
        wanted = target(order_id, market_ticker, subaccount)
        body: dict[str, object] = {"market_ticker": wanted.ticker} if wanted.ticker else {}
        if exchange_index is not None:
            body["exchange_index"] = bounded("exchange_index", exchange_index, 0, None)
        size: Decimal | None = None
        if reduce_by is not None:
            body["reduce_by"] = count_text(count("reduce_by", reduce_by))
        elif reduce_to is not None:
            size = count_or_zero("reduce_to", reduce_to)
            body["reduce_to"] = count_text(size)
        return await self._decrease(wanted, body, size, options)

    async def _decrease(
        self,
        wanted: Target,
        body: dict[str, object],
        size: Decimal | None,
        options: CallOptions,
    ) -> DecreasedOrder:
        trail = Trail()
        until = self._until(options)
        operation: Operation = DECREASE_ORDER if size is None else _DECREASE_TO
        try:
            response = await self._transport.call(
                operation,
                path={"order_id": wanted.order_id},
                query={"subaccount": wanted.subaccount},
                body=body,
                trail=trail,
                **options,
            )
            return self._transport.decode_object(operation, _decreased, response)
        except KalshiError as exc:
            if not _in_doubt(trail, exc):
                raise
            if size is None:
                exc.outcome_unknown = True
                raise
            # A second time is refused where the first was carried out.
            order = await self._look(
                wanted.order_id,
                until,
                lambda seen: seen.remaining_count == size and seen.status != "executed",
            )
            if order is None:
                exc.outcome_unknown = True
                raise
            return found_decreased(order)

    async def _look(self, order_id: str, until: float | None, settled: _Shows) -> Order | None:
        """The order once it shows what was hoped for; None if it does not within the patience."""
        certainty = self._desk.certainty
        longest = certainty.patience
        if until is not None:
            longest = min(longest, until - anyio.current_time())
        looks = 0
        with anyio.move_on_after(longest):
            while True:
                try:
                    order = await self.get(order_id, deadline=None)
                except KalshiError:
                    order = None
                if order is not None and settled(order):
                    return order
                await anyio.sleep(certainty.pause(looks))
                looks += 1
        return None

    def _until(self, options: CallOptions) -> float | None:
        return self._transport.until(options.get("deadline", INHERIT))


def _in_doubt(trail: Trail, error: KalshiError) -> bool:
    """Whether a change that ended in an error, or in an answer nobody can read, may stand."""
    return trail.unknown or isinstance(error, DecodeError)
