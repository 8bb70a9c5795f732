"""Handlers for FCMs: subtraders and their limits, and orders, fills and positions by subtrader.

Every one of them is 403 for an account that is not an FCM.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from .._call import Call, Handler, rendered
from .._engine import Engine
from .._errors import bad_request, invalid_field, not_found
from .._fcm import FcmMembers, Subtrader
from .._fcm_risk import move_position
from .._records import SHARDS, Fill, Order, Position
from .._text import time_text
from .._units import ONE, count_text, money_text, price_text
from . import cursor as _cursor
from .bodies import Body
from .portfolio import history_page
from .shapes import event_position_shape, market_position_shape, order_shape

_STATUSES = ("resting", "canceled", "executed")
T = TypeVar("T")


def _members(call: Call) -> FcmMembers:
    """The FCMs, for one of them; 403 for everybody else."""
    members = call.exchange.room(FcmMembers)
    members.member(call.user_id)
    return members


def _asked(call: Call, *, required: bool = False) -> Subtrader | None:
    """The subtrader a query names; a key that is locked to one of them means that one."""
    members, asked = _members(call), call.params.text("subtrader_id")
    locked = None if call.key is None else call.key.subaccount
    bound = None if locked is None else members.trading_in(call.user_id, locked)
    if asked is None:
        if bound is None and required:
            raise invalid_field(call.params.operation, "subtrader_id", "required")
        return bound
    found = members.find(call.user_id, asked)
    if locked not in (None, found.subaccount):
        raise not_found()
    return found


# Subtraders


async def list_subtraders(call: Call) -> object:
    return {
        "subtraders": [
            {
                "subtrader_id": found.subtrader_id,
                "exchange_indices": list(range(SHARDS)),
                "trading_blocked": False,
                "fcm_trading_blocked": False,
                "propagation_pending": False,
            }
            for found in _members(call).subtraders(call.user_id)
        ]
    }


async def create_subtrader(call: Call) -> object:
    members = _members(call)
    body = Body.read(call.body, "CreateFCMSubtraderRequest")
    suffix = body.needed("subtrader_suffix", body.text)
    return {"subtrader_id": members.create(call.user_id, suffix).subtrader_id}


async def get_cap(call: Call) -> object:
    found = _asked(call, required=True)
    if found is None or found.cap is None:
        raise not_found()
    used = _members(call).utilization(found, call.exchange.now())
    return {
        "subtrader_id": found.subtrader_id,
        "limit": money_text(found.cap),
        "executed_utilization": money_text(used.executed),
        "resting_order_utilization": money_text(used.resting),
        # An order is matched or rests before its request is answered: none is ever under way.
        "pending_order_utilization": money_text(0),
        "cap_date": used.day,
    }


async def update_cap(call: Call) -> object:
    members = _members(call)
    body = Body.read(call.body, "UpdateFCMEventContractDailyCapRequest")
    subtrader_id = body.needed("subtrader_id", body.text)
    limit = body.needed("limit", body.money)
    if limit < 0:
        raise bad_request("limit must not be below 0")
    members.set_cap(call.user_id, subtrader_id, limit)
    return {}


async def delete_cap(call: Call) -> object:
    found = _asked(call, required=True)
    if found is not None:
        _members(call).set_cap(call.user_id, found.subtrader_id, None)
    return {}


async def get_blocked_categories(call: Call) -> object:
    found = _asked(call, required=True)
    return {"categories": [] if found is None else found.blocked}


async def update_blocked_categories(call: Call) -> object:
    members = _members(call)
    body = Body.read(call.body, "UpdateFCMSubtraderBlockedCategoriesRequest")
    subtrader_id = body.needed("subtrader_id", body.text)
    category = body.needed("category", body.text)
    blocked = bool(body.needed("blocked", body.flag))
    return {"categories": members.block(call.user_id, subtrader_id, category, blocked)}


# Orders, fills and positions


async def get_orders(call: Call) -> object:
    found = _asked(call)
    params, after = call.params, call.params.after()
    limit, window = params.limit(100, 1000, least=1), params.window("min_ts", "max_ts")
    ticker, event_ticker = params.text("ticker"), params.text("event_ticker")
    client_ids, status = params.comma("client_order_ids"), params.choice("status", _STATUSES)
    markets = call.exchange.engine.markets

    def wanted(order: Order) -> bool:
        return (
            (found is None or order.subaccount == found.subaccount)
            and ticker in (None, order.ticker)
            and event_ticker in (None, markets[order.ticker].event_ticker)
            and (client_ids is None or order.client_order_id in client_ids)
            and status in (None, order.status)
            and order.created in window
            and (after is None or (order.created, order.order_id) < after)
        )

    orders = [order for order in call.trader.orders.values() if wanted(order)]
    orders.sort(key=lambda order: (order.created, order.order_id), reverse=True)
    last = orders[limit - 1] if len(orders) > limit else None
    return {
        "cursor": _cursor.encode(last.created, last.order_id) if last else "",
        "orders": await rendered(orders[:limit], order_shape),
    }


async def get_fills(call: Call) -> object:
    members, window = _members(call), call.params.window("min_ts", "max_ts")
    bound = _asked(call)

    def wanted(fill: Fill) -> bool:
        return fill.time in window and (bound is None or fill.subaccount == bound.subaccount)

    def shape(fill: Fill) -> object:
        return _fill_shape(fill, members.trading_in(call.user_id, fill.subaccount))

    shown, cursor = await history_page(call, call.trader.fills, wanted, shape, 100)
    return {"cursor": cursor, "fills": shown}


def _fill_shape(fill: Fill, subtrader: Subtrader | None) -> dict[str, object]:
    """An `FcmFill`: of the two sides of the match, the one that is the member's own."""
    side = "taker" if fill.is_taker else "maker"
    shown: dict[str, object] = {
        "fill_id": fill.trade_id,
        "exchange_index": fill.shard,
        "ticker": fill.ticker,
        "taker_outcome_side": "yes" if fill.bid is fill.is_taker else "no",
        "count_fp": count_text(fill.count),
        "yes_price_dollars": price_text(fill.price),
        "created_time": time_text(fill.time),
        f"{side}_order_id": fill.order_id,
        f"{side}_fee_cost": money_text(fill.fee),
    }
    if subtrader is not None:
        shown[f"{side}_subtrader_id"] = subtrader.subtrader_id
    return shown


async def get_positions(call: Call) -> object:
    found = _asked(call)
    params, after = call.params, call.params.after()
    limit = params.limit(100, 1000, least=1)
    ticker, event_ticker = params.text("ticker"), params.text("event_ticker")
    status = params.choice("settlement_status", ("all", "unsettled", "settled")) or "unsettled"
    counted = params.comma("count_filter") or ()
    if not set(counted) <= {"position", "total_traded"}:
        raise invalid_field(params.operation, "count_filter", "oneof")

    def wanted(position: Position) -> bool:
        return (
            (found is None or position.subaccount == found.subaccount)
            and ticker in (None, position.ticker)
            and event_ticker in (None, position.event_ticker)
            and status in ("all", "settled" if position.settled else "unsettled")
        )

    chosen = [position for position in call.trader.positions.values() if wanted(position)]
    summed = [
        position
        for position in _by_market(chosen)
        if not counted
        or ("position" in counted and position.count)
        or ("total_traded" in counted and position.traded)
    ]
    behind = "" if after is None else after[1]
    rest = [position for position in summed if position.ticker > behind]
    shown = rest[:limit]
    events: dict[str, list[Position]] = {}
    for position in shown:
        events.setdefault(position.event_ticker, []).append(position)
    more = len(rest) > limit
    return {
        "cursor": _cursor.encode(shown[-1].updated, shown[-1].ticker) if more else "",
        "market_positions": [market_position_shape(position) for position in shown],
        "event_positions": [event_position_shape(name, held) for name, held in events.items()],
    }


def _by_market(positions: Iterable[Position]) -> Sequence[Position]:
    """One position a market, ticker ascending: the sum over the subtraders that hold it."""
    summed: dict[str, Position] = {}
    for position in positions:
        total = summed.get(position.ticker)
        if total is None:
            total = summed[position.ticker] = Position(
                user_id=position.user_id,
                subaccount=position.subaccount,
                ticker=position.ticker,
                event_ticker=position.event_ticker,
                shard=position.shard,
            )
        total.count += position.count
        total.cost += position.cost
        total.traded += position.traded
        total.realized += position.realized
        total.fees += position.fees
        total.volume += position.volume
        total.updated = max(total.updated, position.updated)
    return sorted(summed.values(), key=lambda position: position.ticker)


async def transfer_position(call: Call) -> object:
    members = _members(call)
    body = Body.read(call.body, "CreateFCMPositionTransferRequest")
    source_id = body.needed("source_subtrader_id", body.text)
    target_id = body.needed("target_subtrader_id", body.text)
    ticker = body.needed("market_ticker", body.text)
    count = body.needed("position_centicount", body.integer)
    price = body.needed("price_centicents", lambda name: body.integer(name, least=0, most=ONE))
    if not count:
        raise bad_request("position_centicount must not be 0")
    source = members.find(call.user_id, source_id)
    market = call.exchange.do(lambda engine, now: engine.market(ticker, now))
    if market is None:
        raise not_found()
    if market.status not in ("active", "inactive", "closed"):
        raise bad_request(f"the market is {market.status}: its positions are settled")
    target = members.target(call.user_id, target_id)

    def move(engine: Engine, now: int) -> str:
        move_position(
            engine,
            engine.trader(call.user_id),
            market,
            source=source.subaccount,
            target=target.subaccount,
            count=count,
            price=price,
            now=now,
        )
        return engine.new_id()

    return {"position_transfer_id": call.exchange.do(move)}


HANDLERS: dict[str, Handler] = {
    "CreateFCMPositionTransfer": transfer_position,
    "CreateFCMSubtrader": create_subtrader,
    "DeleteFCMEventContractDailyCap": delete_cap,
    "GetFCMEventContractDailyCap": get_cap,
    "GetFCMFills": get_fills,
    "GetFCMOrders": get_orders,
    "GetFCMPositions": get_positions,
    "GetFCMSubtraderBlockedCategories": get_blocked_categories,
    "ListFCMSubtraders": list_subtraders,
    "UpdateFCMEventContractDailyCap": update_cap,
    "UpdateFCMSubtraderBlockedCategories": update_blocked_categories,
}
