"""Handlers of orders: placing, cancelling and changing them.

A subaccount that is left out means all of them to cancel-all, the primary one to everything else; a
key that is locked to a subaccount means that one.
"""

from __future__ import annotations

import re
from copy import copy

from .._call import Call, Handler
from .._engine import Engine
from .._errors import ApiError, bad_request, nested, not_found
from .._fcm import FcmMembers
from .._holdings import Trader
from .._records import (
    FOK,
    GTC,
    IOC,
    MAKER,
    TAKER_AT_CROSS,
    NewOrder,
    Order,
)
from .._text import SECOND
from .._units import count_text
from .bodies import Body, BodyError, acting_subaccount
from .portfolio import asked_shard, asked_subaccount
from .shapes import (
    Shape,
    amended_shape,
    canceled_shape,
    decreased_shape,
    placed_shape,
)

# The writes of the API before bid and ask, all answered by `legacy_order`.
LEGACY: tuple[tuple[str, str], ...] = (
    ("POST", "/portfolio/orders"),
    ("POST", "/portfolio/orders/batched"),
    ("DELETE", "/portfolio/orders/batched"),
    ("DELETE", "/portfolio/orders/{order_id}"),
    ("POST", "/portfolio/orders/{order_id}/amend"),
    ("POST", "/portfolio/orders/{order_id}/decrease"),
)
_CLIENT_ID = re.compile(r"[-\w:+=/]{1,64}", re.ASCII)
# 9999-12-31T23:59:59Z, the last second a timestamp can be written for.
_LAST_SECOND = 253_402_300_799
_SMALLEST_LIMIT = 20


def body_subaccount(call: Call, body: Body) -> int:
    """The subaccount that a body names, else the primary one; 403 when the key may not use it."""
    locked = None if call.key is None else call.key.subaccount
    return acting_subaccount(locked, body.subaccount(), 0) or 0


# Placing


async def create_order(call: Call) -> object:
    new = new_order(call, Body.read(call.body, "CreateOrderV2Request"))
    return placed_shape(call.exchange.do(lambda engine, now: engine.place(new, now)))


async def batch_create_orders(call: Call) -> object:
    wanted = [_item_order(call, item) for item in _batch(call, "BatchCreateOrdersV2Request")]

    def place(engine: Engine, now: int) -> list[Shape]:
        return [_placed_item(engine, *item, now) for item in wanted]

    return {"orders": call.exchange.do(place)}


def new_order(call: Call, body: Body) -> NewOrder:
    """The order that a body asks for. What depends on the market is checked when it is placed.

    Raises:
        ApiError: 400 for what no market would take, 403 for a subaccount the key may not use.
    """
    time_in_force = body.needed("time_in_force", body.choice(GTC, IOC, FOK))
    self_trade = body.choice(TAKER_AT_CROSS, MAKER)
    expiration = body.integer("expiration_time", least=0, most=_LAST_SECOND) or 0
    new = NewOrder(
        user_id=call.user_id,
        ticker=body.needed("ticker", body.text),
        bid=body.needed("side", body.choice("bid", "ask")) == "bid",
        count=body.needed("count", body.count),
        price=body.needed("price", body.price),
        time_in_force=time_in_force,
        self_trade=body.needed("self_trade_prevention_type", self_trade),
        client_order_id=_client_id(body, "client_order_id"),
        subaccount=body_subaccount(call, body),
        post_only=body.flag("post_only") or False,
        reduce_only=body.flag("reduce_only") or False,
        cancel_on_pause=body.flag("cancel_order_on_pause") or False,
        expiration=expiration * SECOND,
        group_id=body.text("order_group_id") or "",
        shard=body.shard(),
    )
    _check_combination(new)
    if call.key is not None and call.key.subaccount is not None:
        call.exchange.room(FcmMembers).check_order(
            call.user_id,
            call.key.subaccount,
            ticker=new.ticker,
            bid=new.bid,
            price=new.price,
            count=new.count,
            now=call.now,
        )
    return new


def _check_combination(new: NewOrder) -> None:
    if new.count <= 0:
        raise _invalid("count must be above zero")
    if new.expiration and new.time_in_force != GTC:
        raise _invalid(f"expiration_time is only for {GTC}")
    if new.post_only and new.time_in_force != GTC:
        raise _invalid(f"post_only cannot be combined with {new.time_in_force}")
    if new.reduce_only and new.time_in_force != IOC:
        raise _invalid(f"reduce_only is only for {IOC}")


def _client_id(body: Body, name: str) -> str:
    value = body.text(name) or ""
    if value and not _CLIENT_ID.fullmatch(value):
        raise bad_request(f"{name} must be at most 64 letters, digits or any of _-:+=/")
    return value


def _invalid(details: str) -> ApiError:
    return nested(400, "invalid_order", details)


# Batches


def _batch(call: Call, schema: str) -> list[Body]:
    """The items of a batch. What cannot be read as such fails as a whole."""
    body = Body.read(call.body, schema)
    items = body.needed("orders", body.objects)
    tokens = 0 if call.account is None else call.account.limits.tier.write_capacity
    limit = largest_batch(tokens)
    if not items:
        raise bad_request("orders is empty: a batch has at least one order")
    if len(items) > limit:
        raise bad_request(f"orders has {len(items)} items: a batch has at most {limit}")
    return items


def largest_batch(write_capacity: int) -> int:
    """How many items a batch of an account may have whose write bucket holds so many tokens."""
    return max(_SMALLEST_LIMIT, write_capacity // 10)


def _item_order(call: Call, item: Body) -> tuple[str | None, NewOrder | ApiError]:
    """(client_order_id, the order or why there is none) of an item."""
    client_order_id = item.text("client_order_id")
    try:
        return client_order_id, new_order(call, item)
    except BodyError:
        raise
    except ApiError as error:
        return client_order_id, error


def _placed_item(
    engine: Engine, client_order_id: str | None, wanted: NewOrder | ApiError, now: int
) -> Shape:
    try:
        if isinstance(wanted, ApiError):
            raise wanted
        return placed_shape(engine.place(wanted, now))
    except ApiError as error:
        return {"client_order_id": client_order_id, "error": _item_error(error)}


def _item_error(error: ApiError) -> object:
    """The error of an item: never nested."""
    return error.body.get("error", error.body)


# Cancelling and changing


class Route:
    """Where a request looks for an order. The shard is 0 unless it names one or the market."""

    __slots__ = ("_shard", "_ticker", "subaccount")

    def __init__(self, subaccount: int | None, ticker: str | None, shard: int | None) -> None:
        self.subaccount = subaccount
        self._ticker = ticker or None
        self._shard = 0 if shard is None and not ticker else shard

    def order(self, trader: Trader, order_id: str) -> Order:
        """The resting order with this id; 404 when it is not where the request looks."""
        order = trader.resting.get(order_id)
        if (
            order is None
            or self.subaccount not in (None, order.subaccount)
            or self._ticker not in (None, order.ticker)
            or self._shard not in (None, order.shard)
        ):
            raise not_found()
        return order


async def cancel_order(call: Call) -> object:
    params, order_id = call.params, call.path["order_id"]
    subaccount = asked_subaccount(call, 0)
    route = Route(subaccount, params.text("market_ticker"), asked_shard(call))
    return call.exchange.do(lambda engine, now: _cancel(engine, call.user_id, order_id, route, now))


def _cancel(engine: Engine, user_id: str, order_id: str, route: Route, now: int) -> Shape:
    route.order(engine.trader(user_id), order_id)
    return canceled_shape(*engine.cancel(user_id, order_id, now, subaccount=route.subaccount))


async def batch_cancel_orders(call: Call) -> object:
    wanted = [_item_cancel(call, item) for item in _batch(call, "BatchCancelOrdersV2Request")]

    def cancel(engine: Engine, now: int) -> list[Shape]:
        return [_canceled_item(engine, call.user_id, *item, now) for item in wanted]

    return {"orders": call.exchange.do(cancel)}


def _item_cancel(call: Call, item: Body) -> tuple[str, Route | ApiError]:
    """(order id, where to look or why not) of an item."""
    order_id = item.needed("order_id", item.text)
    ticker, shard = item.text("market_ticker"), item.shard()
    try:
        return order_id, Route(body_subaccount(call, item), ticker, shard)
    except BodyError:
        raise
    except ApiError as error:
        return order_id, error


def _canceled_item(
    engine: Engine, user_id: str, order_id: str, route: Route | ApiError, now: int
) -> Shape:
    try:
        if isinstance(route, ApiError):
            raise route
        return _cancel(engine, user_id, order_id, route, now)
    except ApiError as error:
        return {"error": _item_error(error), "order_id": order_id, "reduced_by": count_text(0)}


async def cancel_all_orders(call: Call) -> object:
    subaccount = asked_subaccount(call, None)
    call.exchange.do(
        lambda engine, now: engine.cancel_all(call.user_id, now, subaccount=subaccount)
    )
    return None


async def amend_order(call: Call) -> object:
    body = Body.read(call.body, "AmendOrderV2Request")
    order_id, user_id = call.path["order_id"], call.user_id
    ticker = body.needed("ticker", body.text)
    bid = body.needed("side", body.choice("bid", "ask")) == "bid"
    price, count = body.needed("price", body.price), body.needed("count", body.count)
    expiration = body.integer("expiration_time", least=0, most=_LAST_SECOND)
    old_id = _client_id(body, "client_order_id") or None
    new_id = _client_id(body, "updated_client_order_id") or None
    route = Route(asked_subaccount(call, 0), ticker, body.shard())

    def amend(engine: Engine, now: int) -> Shape:
        before = copy(route.order(engine.trader(user_id), order_id))
        after = engine.amend(
            user_id,
            order_id,
            now,
            ticker=ticker,
            bid=bid,
            price=price,
            count=count,
            client_order_id=old_id,
            updated_client_order_id=new_id,
            expiration=None if expiration is None else expiration * SECOND,
            subaccount=route.subaccount,
        )
        return amended_shape(before, after)

    return call.exchange.do(amend)


async def decrease_order(call: Call) -> object:
    body = Body.read(call.body, "DecreaseOrderV2Request")
    order_id, user_id = call.path["order_id"], call.user_id
    by, to = body.count("reduce_by"), body.count("reduce_to")
    subaccount = asked_subaccount(call, 0)
    route = Route(subaccount, body.text("market_ticker"), body.shard())

    def decrease(engine: Engine, now: int) -> Shape:
        route.order(engine.trader(user_id), order_id)
        return decreased_shape(
            engine.decrease(
                user_id, order_id, now, reduce_by=by, reduce_to=to, subaccount=route.subaccount
            )
        )

    return call.exchange.do(decrease)


async def legacy_order(call: Call) -> object:
    raise nested(410, "deprecated_v1_order_endpoint")


HANDLERS: dict[str, Handler] = {
    "AmendOrderV2": amend_order,
    "BatchCancelOrdersV2": batch_cancel_orders,
    "BatchCreateOrdersV2": batch_create_orders,
    "CancelAllOrders": cancel_all_orders,
    "CancelOrderV2": cancel_order,
    "CreateOrderV2": create_order,
    "DecreaseOrderV2": decrease_order,
}
