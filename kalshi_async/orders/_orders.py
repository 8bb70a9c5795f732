"""``client.orders``: placing orders exactly once, and all else about orders."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Literal, Unpack

import anyio

from .._amounts import Count, Price
from .._errors import ConfigurationError, DeadlineExceededError, KalshiError
from .._options import INHERIT
from ..models.markets import Market
from ..models.orderbook import OrderBook, Side
from ..models.orders import Action, BookSide, PlacedOrder
from ..resources._base import CallOptions
from ..resources.markets import Markets
from ._bulk import OnError, PlaceMany
from ._bulk_cancel import CancelMany
from ._changes import OrderChanges
from ._desk import Desk, Watcher
from ._placement import Placement
from ._recovery import Recovery, recover
from ._request import OrderRequest, OrderTerms, WireOrder, bounded_price, wire_order
from ._targets import OrderLike

if TYPE_CHECKING:
    from decimal import Decimal

    from .._transport import Transport
    from ._guard import Guard


class OrderOptions(OrderTerms, CallOptions, total=False):
    """The terms of an order (see ``OrderRequest``), and the options of every call."""


class Orders(OrderChanges):
    """The account's orders.

    Every placement carries a client_order_id and is made exactly once: a lost answer is followed
    by the same request, which the exchange takes only once, and by a look at the account's orders.
    """

    def __init__(
        self, transport: Transport, desk: Desk, watchers: tuple[Watcher, ...] = ()
    ) -> None:
        super().__init__(transport)
        self._desk = desk
        self._watchers = watchers
        self._placement = Placement(transport, desk, watchers)

    async def create(
        self,
        ticker: str | Market,
        *,
        count: Count,
        action: Action | None = None,
        side: Side | None = None,
        price: Price | None = None,
        yes_price: int | None = None,
        no_price: int | None = None,
        book_side: BookSide | None = None,
        **options: Unpack[OrderOptions],
    ) -> PlacedOrder:
        """Place one order, exactly once.

        Given the same client_order_id again, it returns the order of the first time.

        Args:
            ticker: The market: its ticker, or a ``Market``, whose price grid is then checked.
            count: Contracts, in steps of 0.01: an int, text or Decimal.
            action: ``"buy"`` or ``"sell"``.
            side: ``"yes"`` or ``"no"``.
            price: Dollars a contract of that side, as text or Decimal; for ``type="market"`` the
                worst that is accepted.
            yes_price: The YES price in cents, instead.
            no_price: The NO price in cents, instead.
            book_side: ``"bid"`` or ``"ask"`` in YES prices, instead of ``action`` and ``side``.
            options: All else that ``OrderRequest`` takes (``type=``, ``time_in_force=``,
                ``post_only=``, ``expiration=``, ``client_order_id=``, …), ``timeout=`` for one
                attempt, and ``deadline=`` for everything, looking for a lost answer included.

        Returns:
            The order as the exchange took it. ``recovered`` where the answer was lost and the
            order was found.

        Raises:
            InvalidRequestError: The order is impossible; nothing was sent.
            OrderStatusUnknown: It was sent, and whether it was placed is known to the exchange
                alone. Also when the call is cancelled after sending.
            JournalError: It could not be written down first; nothing was sent.
            InsufficientBalanceError, PostOnlyCrossError, FillOrKillError, … : It was refused.
            KalshiError: Anything else; it was certainly not placed.

        Cancelling before anything was sent cancels; after that it raises ``OrderStatusUnknown``.
        """
        call = _call_options(options)
        request = OrderRequest(
            ticker,
            action=action,
            side=side,
            count=count,
            price=price,
            yes_price=yes_price,
            no_price=no_price,
            book_side=book_side,
            **options,  # type: ignore[misc]
        )
        return await self._place(request, call)

    async def buy(
        self,
        ticker: str | Market,
        side: Side,
        *,
        count: Count,
        price: Price | None = None,
        **options: Unpack[OrderOptions],
    ) -> PlacedOrder:
        """``create`` with ``action="buy"``."""
        return await self.create(
            ticker, action="buy", side=side, count=count, price=price, **options
        )

    async def sell(
        self,
        ticker: str | Market,
        side: Side,
        *,
        count: Count,
        price: Price | None = None,
        **options: Unpack[OrderOptions],
    ) -> PlacedOrder:
        """``create`` with ``action="sell"``."""
        return await self.create(
            ticker, action="sell", side=side, count=count, price=price, **options
        )

    async def place(self, request: OrderRequest, **options: Unpack[CallOptions]) -> PlacedOrder:
        """``create`` for an order that is there as an ``OrderRequest``."""
        return await self._place(request, options)

    def place_many(
        self,
        requests: Iterable[OrderRequest] | AsyncIterable[OrderRequest],
        *,
        max_in_flight: int = 32,
        batch: Literal["auto"] | None = "auto",
        on_error: OnError = "collect",
        **options: Unpack[CallOptions],
    ) -> PlaceMany:
        """Place many orders, each exactly once; awaited, in a block, or iterated: ``PlaceMany``.

        Two requests of the same client_order_id are placed one after the other.

        Args:
            requests: The orders. An iterable is read as there are places; of an async iterable,
                what has arrived is sent.
            max_in_flight: How many orders may be under way at once.
            batch: ``"auto"`` sends those that are at hand together in one request, where that
                costs no more tokens, as many as there are tokens for; None sends each by itself.
                An order with ``slippage`` always goes by itself, at once after the book was read.
            on_error: ``"collect"`` goes on whatever happens to some. ``"cancel_placed"`` sends
                nothing more once an order was not placed, or may not have been, the source failed,
                or it was cancelled; and cancels the orders that were placed:
                ``PlaceMany.cancellations``.
            options: ``timeout=`` for one attempt and ``deadline=`` for one order, in seconds.

        Raises:
            InvalidRequestError: An argument is impossible; nothing is sent.
        """
        return PlaceMany(
            self,
            requests,
            max_in_flight=max_in_flight,
            batch=batch,
            on_error=on_error,
            options=options,
        )

    def cancel_many(
        self,
        orders: Iterable[OrderLike] | AsyncIterable[OrderLike],
        *,
        subaccount: int | None = None,
        max_in_flight: int = 32,
        batch: Literal["auto"] | None = "auto",
        **options: Unpack[CallOptions],
    ) -> CancelMany:
        """Take many orders off the book; awaited, in a block, or iterated: ``CancelMany``.

        They overtake waiting placements in the rate limit.

        Args:
            orders: Ids, or orders as the exchange told of them; ids alone are looked for on
                shard 0.
            subaccount: Their subaccount, where an order does not tell its own; left out, the
                primary.
            max_in_flight: How many orders may be under way at once.
            batch: ``"auto"`` or None, as for ``place_many``.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is impossible; nothing is sent.
        """
        return CancelMany(
            self,
            orders,
            subaccount=subaccount,
            max_in_flight=max_in_flight,
            batch=batch,
            options=options,
        )

    def guard(self, *, timeout: float = 10.0) -> Guard:
        """These orders within ``async with``: what was placed is cancelled if the block fails.

        Args:
            timeout: Seconds that cancelling may take.
        """
        from ._guard import Guard

        return Guard(self._transport, self._desk, self._watchers, timeout)

    async def recover(self, *, deadline: float | None = None) -> Recovery:
        """Find out what became of every order that a crash left open in the journal.

        Call it at the start of a run, before placing. Nothing is placed by it. Orders that cannot
        be found are looked for until no request of the earlier run can arrive any more: about a
        minute after this client was made.

        Args:
            deadline: Seconds after which what is still open is given back as unknown.

        Raises:
            ConfigurationError: The client has no journal.
            JournalError: The journal cannot be read.

        Cancelling is safe.
        """
        journal = self._desk.journal
        if journal is None:
            raise ConfigurationError("there is no journal to recover from: KalshiClient(journal=…)")
        until = self._transport.until(deadline)
        return await recover(self._placement, self._desk, await journal.open_intents(), until)

    async def _place(self, request: OrderRequest, options: CallOptions) -> PlacedOrder:
        order, options = await self._priced(request, options)
        return await self._placement.place(order, options)

    async def _priced(
        self, request: OrderRequest, options: CallOptions
    ) -> tuple[WireOrder, CallOptions]:
        """The order with its price, and the options with what is left of the deadline.

        Raises:
            InvalidRequestError: There is no price that the caller would accept.
            DeadlineExceededError: No time is left after looking at the book.
        """
        if request.limit is not None:
            return wire_order(request, request.limit), options
        until = self._transport.until(options.get("deadline", INHERIT))
        order = wire_order(request, await self._bound(request, options))
        if until is None:
            return order, options
        left = until - anyio.current_time()
        if left <= 0:
            raise DeadlineExceededError("the deadline was over before the order was sent")
        return order, {**options, "deadline": left}

    async def _bound(self, request: OrderRequest, options: CallOptions) -> Decimal:
        """The YES price at which a market order with slippage stops, from the book as it is."""
        markets, ticker = Markets(self._transport), request.market_ticker
        known: list[Market] = [request.ticker] if isinstance(request.ticker, Market) else []
        books: list[OrderBook] = []
        failures: list[KalshiError] = []

        async def read(what: Callable[[], Awaitable[None]]) -> None:
            try:
                await what()
            except KalshiError as exc:
                failures.append(exc)
                tasks.cancel_scope.cancel()

        async def get_market() -> None:
            known.append(await markets.get(ticker, **options))

        async def get_book() -> None:
            books.append(await markets.orderbook(ticker, **options))

        async with anyio.create_task_group() as tasks:
            if not known:
                tasks.start_soon(read, get_market)
            tasks.start_soon(read, get_book)
        if failures:
            raise failures[0]
        book = books[0]
        best = book.best_yes_ask if request.on_the_bid else book.best_yes_bid
        return bounded_price(request, best, known[0].price_ranges or ())


def _call_options(options: OrderOptions) -> CallOptions:
    """Take the options of the call out of those of the order."""
    call: CallOptions = {}
    if "timeout" in options:
        call["timeout"] = options.pop("timeout")
    if "deadline" in options:
        call["deadline"] = options.pop("deadline")
    return call
