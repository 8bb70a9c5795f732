"""Price-time priority: which resting orders an incoming one meets, and when it stops."""

from __future__ import annotations

from ._floor import Floor
from ._groups import allowance
from ._records import EXECUTED, TAKER_AT_CROSS, Order, Reason


def match(floor: Floor, taker: Order, now: int) -> Reason:
    """Trade a backed order against the book until nothing more crosses; why it stopped early.

    Fills happen at the resting price. The caller rests or drops what remains.
    """
    opposite = floor.books[taker.ticker].side(not taker.bid)
    trader = floor.traders[taker.user_id]
    own_group = trader.groups.get(taker.group_id)
    while taker.remaining:
        price = opposite.best()
        if price is None or (price > taker.price if taker.bid else price < taker.price):
            return ""
        maker = next(iter(opposite.levels[price].orders.values()))
        if maker.user_id == taker.user_id:
            if taker.self_trade == TAKER_AT_CROSS:
                return "SelfTradeCancel"
            floor.reduce(trader, maker, maker.remaining, now, "SelfTradeCancel")
            continue
        count = min(taker.remaining, maker.remaining)
        for order in (taker, maker):
            group = floor.traders[order.user_id].groups.get(order.group_id)
            if group is not None:
                count = min(count, allowance(group, now))
        floor.trade(taker, maker, price, count, now)
        if taker.remaining and own_group is not None and own_group.triggered:
            return ""
    taker.status = EXECUTED
    return ""


def volume(floor: Floor, taker: Order, now: int) -> int:
    """How much of an order could trade at once, up to its whole size; 0 when the book holds too
    little for what its group lets match. Changes nothing.
    """
    opposite = floor.books[taker.ticker].side(not taker.bid)
    group = floor.traders[taker.user_id].groups.get(taker.group_id)
    wanted = taker.remaining if group is None else min(taker.remaining, allowance(group, now))
    if opposite.within(taker.price) < wanted:
        return 0
    spent: dict[str, int] = {}
    found = 0
    for price in opposite.prices if taker.bid else reversed(opposite.prices):
        if price > taker.price if taker.bid else price < taker.price:
            break
        for maker in opposite.levels[price].orders.values():
            if maker.user_id == taker.user_id:
                if taker.self_trade == TAKER_AT_CROSS:
                    return found
                continue
            found += _left(floor, maker, spent, now)
            if found >= wanted:
                return wanted
    return found


def _left(floor: Floor, maker: Order, spent: dict[str, int], now: int) -> int:
    """How much of a resting order its group still lets match; noted in `spent`."""
    group = floor.traders[maker.user_id].groups.get(maker.group_id)
    if group is None:
        return maker.remaining
    before = spent.get(group.group_id, 0)
    count = max(0, min(maker.remaining, allowance(group, now) - before))
    spent[group.group_id] = before + count
    return count
