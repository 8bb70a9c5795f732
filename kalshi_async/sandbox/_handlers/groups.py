"""Handlers of order groups."""

from __future__ import annotations

from collections.abc import Callable

from .._call import Call, Handler
from .._engine import Engine
from .._errors import bad_request, not_found
from .._records import Group
from .._units import CONTRACT
from .bodies import Body
from .orders import body_subaccount
from .portfolio import asked_shard, asked_subaccount
from .shapes import group_detail_shape, group_shape

_MOST = 1_000_000


async def create_group(call: Call) -> object:
    body = Body.read(call.body, "CreateOrderGroupRequest")
    limit, shard = _limit(body), body.shard() or 0
    subaccount = body_subaccount(call, body)
    group = call.exchange.do(
        lambda engine, now: engine.create_group(
            call.user_id, limit, now, subaccount=subaccount, shard=shard
        )
    )
    return {
        "exchange_index": group.shard,
        "order_group_id": group.group_id,
        "subaccount": group.subaccount,
    }


def _limit(body: Body) -> int:
    """The limit of a group, from either of its two fields."""
    whole = body.integer("contracts_limit", least=1, most=_MOST)
    text = body.count("contracts_limit_fp")
    if whole is None and text is None:
        raise bad_request("give contracts_limit or contracts_limit_fp")
    limit = text if text is not None else (whole or 0) * CONTRACT
    if whole is not None and limit != whole * CONTRACT:
        raise bad_request("contracts_limit and contracts_limit_fp differ")
    if not CONTRACT <= limit <= _MOST * CONTRACT:
        raise bad_request(f"contracts_limit_fp must be from 1.00 to {_MOST}.00")
    return limit


async def get_groups(call: Call) -> object:
    subaccount = asked_subaccount(call, None)
    trader = call.exchange.engine.trader(call.user_id)
    return {
        "order_groups": [
            group_shape(group)
            for group in trader.groups.values()
            if subaccount in (None, group.subaccount)
        ]
    }


async def get_group(call: Call) -> object:
    subaccount = asked_subaccount(call, None)
    trader, group = call.exchange.engine.group(call.user_id, call.path["order_group_id"])
    if subaccount not in (None, group.subaccount):
        raise not_found()
    resting = trader.resting.values()
    orders = [order.order_id for order in resting if order.group_id == group.group_id]
    return group_detail_shape(group, orders)


async def delete_group(call: Call) -> object:
    return _change(call, lambda engine, *args: engine.delete_group(*args))


async def reset_group(call: Call) -> object:
    Body.read(call.body, "EmptyResponse", optional=True)
    return _change(call, lambda engine, *args: engine.reset_group(*args))


async def trigger_group(call: Call) -> object:
    Body.read(call.body, "EmptyResponse", optional=True)
    return _change(call, lambda engine, *args: engine.trigger_group(*args))


async def update_limit(call: Call) -> object:
    limit = _limit(Body.read(call.body, "UpdateOrderGroupLimitRequest"))
    return _change(
        call, lambda engine, user, group_id, now: engine.limit_group(user, group_id, limit, now)
    )


def _change(call: Call, command: Callable[[Engine, str, str, int], Group]) -> object:
    """Run a command on the group of the path, which must be of the subaccount and shard that the
    request names, both 0 when left out.
    """
    subaccount = asked_subaccount(call, 0)
    shard = asked_shard(call) or 0
    group_id = call.path["order_group_id"]

    def change(engine: Engine, now: int) -> None:
        _, group = engine.group(call.user_id, group_id)
        if (group.subaccount, group.shard) != (subaccount, shard):
            raise not_found()
        command(engine, call.user_id, group_id, now)

    call.exchange.do(change)
    return {}


HANDLERS: dict[str, Handler] = {
    "CreateOrderGroup": create_group,
    "DeleteOrderGroup": delete_group,
    "GetOrderGroup": get_group,
    "GetOrderGroups": get_groups,
    "ResetOrderGroup": reset_group,
    "TriggerOrderGroup": trigger_group,
    "UpdateOrderGroupLimit": update_limit,
}
