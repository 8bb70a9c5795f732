"""Handlers that list orders, and tell what trades before them.

A subaccount that is left out means all of them to the lists, the primary one to queue positions; a
key that is locked to a subaccount means that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from .._call import Call, Handler, page, rendered
from .._catalog.query import Key, Window
from .._errors import not_found
from .._records import CANCELED, EXECUTED, RESTING, Order
from .._units import count_text
from . import cursor as _cursor
from .portfolio import asked_shard, asked_subaccount
from .shapes import order_shape, queue_shape


async def get_orders(call: Call) -> object:
    params = call.params
    status = params.choice("status", (RESTING, CANCELED, EXECUTED))
    events, shard = params.comma("event_ticker"), asked_shard(call)
    markets, cutoff = call.exchange.engine.markets, call.exchange.cutoff

    def wanted(order: Order) -> bool:
        if status not in (None, order.status) or shard not in (None, order.shard):
            return False
        if events is not None:
            market = markets.get(order.ticker)
            if market is None or market.event_ticker not in events:
                return False
        return not _historical(order, cutoff)

    return await _listing(call, wanted)


async def get_historical_orders(call: Call) -> object:
    cutoff = call.exchange.cutoff
    return await _listing(call, lambda order: _historical(order, cutoff))


def _historical(order: Order, cutoff: int) -> bool:
    return order.updated < cutoff and order.status != RESTING


async def _listing(call: Call, wanted: Callable[[Order], bool]) -> object:
    params = call.params
    ticker, window = params.text("ticker"), params.window("min_ts", "max_ts")
    subaccount = asked_subaccount(call, None)
    limit = params.limit(100, 1000, least=1)
    found = (
        order
        for order in newest_first(call.trader.orders.values(), window, params.after())
        if ticker in (None, order.ticker)
        and subaccount in (None, order.subaccount)
        and wanted(order)
    )
    orders, more = await page(call, found, limit)
    cursor = _cursor.encode(orders[-1].created, orders[-1].order_id) if more else ""
    return {"cursor": cursor, "orders": await rendered(orders, order_shape)}


def newest_first(orders: Iterable[Order], window: Window, after: Key | None) -> Iterator[Order]:
    """The orders created inside the window, newest first, from behind `after`. They come oldest
    first, and those of the same microsecond keep their order.
    """
    # A copy: orders are placed while a page is being collected.
    for order in reversed(list(orders)):
        if order.created < window.low:
            return
        if after is not None:
            time, order_id = after
            if order.created == time and order.order_id == order_id:
                after = None
            if order.created >= time:
                continue
            # The cursor names no order of its time: what is older comes next.
            after = None
        if order.created in window:
            yield order


async def get_order(call: Call) -> object:
    return {"order": order_shape(_visible(call, call.trader.orders))}


async def get_queue_position(call: Call) -> object:
    engine = call.exchange.engine
    order = _visible(call, engine.trader(call.user_id).resting)
    return {"queue_position_fp": count_text(engine.queue_position(order))}


def _visible(call: Call, orders: Mapping[str, Order]) -> Order:
    order = orders.get(call.path["order_id"])
    locked = None if call.key is None else call.key.subaccount
    if order is None or locked not in (None, order.subaccount):
        raise not_found()
    return order


async def get_queue_positions(call: Call) -> object:
    tickers, event = call.params.comma("market_tickers"), call.params.text("event_ticker")
    subaccount = asked_subaccount(call, 0)
    engine = call.exchange.engine
    return {
        "queue_positions": [
            queue_shape(order, engine.queue_position(order))
            for order in engine.trader(call.user_id).resting.values()
            if order.subaccount == subaccount
            and (tickers is None or order.ticker in tickers)
            and event in (None, engine.markets[order.ticker].event_ticker)
        ]
    }


HANDLERS: dict[str, Handler] = {
    "GetHistoricalOrders": get_historical_orders,
    "GetOrder": get_order,
    "GetOrderQueuePosition": get_queue_position,
    "GetOrderQueuePositions": get_queue_positions,
    "GetOrders": get_orders,
}
