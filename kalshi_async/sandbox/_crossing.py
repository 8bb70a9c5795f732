"""Trades that two parties agreed on, beside the book."""

from __future__ import annotations

import msgspec

from ._accounts import Accounts, insufficient_balance
from ._errors import nested, unknown_subaccount
from ._floor import Floor
from ._holdings import Interest, Trader
from ._records import EXECUTED, FOK, MAKER, MarketState, Order


class Party(msgspec.Struct, frozen=True):
    """One side of the trade."""

    user_id: str
    subaccount: int
    client_order_id: str
    bid: bool


def cross(
    floor: Accounts,
    taker: Party,
    maker: Party,
    market: MarketState,
    price: int,
    count: int,
    now: int,
    *,
    block: bool,
) -> tuple[Order, Order]:
    """Trade at a price on the grid in a market that is open: (the taker's order, the maker's).

    Each side pays for the contracts, for its fee and for the open orders that its holding covers no
    more. Raises ApiError when one of them cannot; nothing has changed then.
    """
    if taker.user_id == maker.user_id:
        raise nested(400, "invalid_order", "both sides are the same account")
    traders = [_trader(floor, party) for party in (taker, maker)]
    interests, shorts = [], []
    for party, trader in zip((taker, maker), traders, strict=True):
        interest = trader.interest(party.subaccount, market)
        short = _short(trader, interest, party, price, count, taking=party is taker)
        if floor.lacks(trader, interest.wallet, short, None):
            raise insufficient_balance()
        interests.append(interest)
        shorts.append(short)
    orders = []
    for party, trader, interest, short in zip(
        (taker, maker), traders, interests, shorts, strict=True
    ):
        floor.draw(trader, interest.wallet, short, now)
        order = floor.new_order(
            trader,
            market,
            now,
            bid=party.bid,
            price=price,
            count=count,
            self_trade=MAKER,
            subaccount=party.subaccount,
            client_order_id=party.client_order_id,
            time_in_force=FOK,
        )
        floor.back(trader, order, count)
        trader.remember(order)
        orders.append(order)
    taken, made = orders
    floor.trade(taken, made, price, count, now, block=block, booked=False)
    taken.status = EXECUTED
    traders[0].forget(taken)
    return taken, made


def _trader(floor: Floor, party: Party) -> Trader:
    trader = floor.trader(party.user_id)
    if party.subaccount not in trader.subaccounts:
        raise unknown_subaccount(party.subaccount)
    if party.client_order_id in trader.client_ids:
        raise nested(409, "order_already_exists")
    return trader


def _short(
    trader: Trader,
    interest: Interest,
    party: Party,
    price: int,
    count: int,
    *,
    taking: bool,
) -> int:
    """What a party is short of."""
    if trader.house:
        return 0
    fee = interest.fee(price, count, taking=taking)
    return fee - interest.free_after(party.bid, price, count)
