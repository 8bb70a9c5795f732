"""Reading orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack, get_args

from .._decode import Page
from .._operations import GET_ORDER, GET_ORDERS, GET_QUEUE_POSITION, GET_QUEUE_POSITIONS
from .._pagination import Paginator
from ..models.orders import Order, OrderQueuePosition, OrderStatusFilter, QueuePosition
from ..resources._base import CallOptions, Resource
from ..resources._checks import Timestamp, between, bounded, comma, identifier, optional, word

_MOST = 1000
_STATUSES = get_args(OrderStatusFilter)


class OrderLists(Resource):
    """What reads orders. Cancelling any call is safe."""

    def list(
        self,
        *,
        ticker: str | None = None,
        event_ticker: str | Sequence[str] | None = None,
        min_ts: Timestamp | None = None,
        max_ts: Timestamp | None = None,
        status: OrderStatusFilter | None = None,
        limit: int | None = None,
        subaccount: int | None = None,
        exchange_index: int | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Order]:
        """The account's orders, newest first; those of before the cutoff are in ``historical``.

        Lists may trail the exchange by up to about half a second.

        Args:
            ticker: Only this market.
            event_ticker: Only these events: one, several, or comma-separated.
            min_ts: Placed at this time or later.
            max_ts: Placed at this time or earlier.
            status: ``"resting"``, ``"canceled"`` or ``"executed"``.
            limit: Orders a page, 1 to 1000; the exchange's own choice is 100.
            subaccount: Only this subaccount; left out, all.
            exchange_index: Only this shard.
            cursor: Where to go on.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: A filter is empty or out of range; nothing is sent.
        """
        query = {
            "ticker": optional("ticker", ticker),
            "event_ticker": comma("event_ticker", event_ticker),
            **between("min_ts", min_ts, "max_ts", max_ts),
            "status": word("status", status, _STATUSES),
            "limit": bounded("limit", limit, 1, _MOST),
            "subaccount": bounded("subaccount", subaccount, 0, None),
            "exchange_index": bounded("exchange_index", exchange_index, 0, None),
        }
        return self._list(
            GET_ORDERS,
            Order,
            options,
            key="orders",
            query=query,
            cursor=cursor,
            max_pages=max_pages,
        )

    async def get(self, order_id: str, **options: Unpack[CallOptions]) -> Order:
        """One order.

        Raises:
            NotFoundError: There is no such order, or it is not to be seen yet.
        """
        path = {"order_id": identifier("order_id", order_id)}
        return await self._object(GET_ORDER, Order, options, key="order", path=path)

    async def queue_position(self, order_id: str, **options: Unpack[CallOptions]) -> QueuePosition:
        """How many contracts stand before a resting order at its price.

        Raises:
            NotFoundError: There is no such order on the book.
        """
        path = {"order_id": identifier("order_id", order_id)}
        return await self._object(GET_QUEUE_POSITION, QueuePosition, options, path=path)

    async def queue_positions(
        self,
        *,
        market_tickers: str | Sequence[str] | None = None,
        event_ticker: str | None = None,
        subaccount: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Page[OrderQueuePosition]:
        """The same of all resting orders, in some markets or an event.

        Args:
            market_tickers: One market, several, or comma-separated.
            event_ticker: All markets of this event.
            subaccount: The subaccount; left out, the primary.
            options: ``timeout=`` and ``deadline=`` in seconds.
        """
        return await self._list(
            GET_QUEUE_POSITIONS,
            OrderQueuePosition,
            options,
            key="queue_positions",
            query={
                "market_tickers": comma("market_tickers", market_tickers),
                "event_ticker": optional("event_ticker", event_ticker),
                "subaccount": bounded("subaccount", subaccount, 0, None),
            },
        )
