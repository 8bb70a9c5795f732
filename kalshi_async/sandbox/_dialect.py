"""The older API beside today's: answers gain integer cents and whole counts, and markets go by the
older words for their state.

The fields of today stay, the state of a market apart. Where a value has no whole cents or contracts
in it, a bid is shown lower and an ask higher than it is, so that whoever trusts the older field can
trade at it; counts and money are cut off, fees rounded up. Sizes below one contract and bids below
one cent are not in the older order book.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import msgspec
from multidict import MultiDict, MultiMapping

from ._holdings import Trader
from ._units import CENT, CONTRACT, ONE, cents, parse_count, parse_money, parse_price

JsonObject = dict[str, object]

_PENNY = ONE // 100
# "determined" is the last state the older API knows: a result stands, paid out or not.
_STATUS = {
    "initialized": "unopened",
    "active": "open",
    "inactive": "paused",
    "disputed": "determined",
    "amended": "determined",
    "finalized": "determined",
}


def translate(operation: str, body: object, trader: Trader | None = None) -> object:
    """The answer of an operation with the older fields added; anything the older API does not know
    passes unchanged.

    `trader` is whose money a balance shows: `total_deposited` is known from it alone.
    """
    changes = _CHANGES.get(operation)
    if changes is None:
        return body
    # Handlers pass on rendered objects; decoding gives plain ones, and a copy that is ours.
    plain = msgspec.json.decode(msgspec.json.encode(body))
    if not isinstance(plain, dict):
        return body
    for change in changes:
        change(plain)
    if operation == "GetBalance":
        add_balance(plain, trader)
    return plain


def translate_query(operation: str, query: MultiMapping[str]) -> MultiMapping[str]:
    """Query parameters as today's handlers know them: ``status=determined`` lists the settled. What
    is determined but not yet paid out is, as today, among the closed.
    """
    if operation not in ("GetMarkets", "GetEvents") or query.get("status") != "determined":
        return query
    changed = MultiDict(query)
    changed["status"] = "settled"
    return changed


# One object each


def add_market(shown: JsonObject) -> None:
    """Cents and whole counts on a market, and the older word for its state."""
    for side in ("yes", "no"):
        _set(shown, f"{side}_bid", _bid_cents(shown.get(f"{side}_bid_dollars")))
        _set(shown, f"{side}_ask", _ask_cents(shown.get(f"{side}_ask_dollars")))
    _set(shown, "last_price", _near_cents(shown.get("last_price_dollars")))
    for name in ("volume", "volume_24h", "open_interest"):
        _set(shown, name, _whole(shown.get(f"{name}_fp")))
    _set(shown, "subtitle", shown.get("yes_sub_title"))
    status = shown.get("status")
    if isinstance(status, str):
        shown["status"] = _STATUS.get(status, status)


def add_book(shown: JsonObject) -> None:
    """``orderbook`` beside ``orderbook_fp``: [cents, count] ascending, best last."""
    today = shown.get("orderbook_fp")
    if isinstance(today, dict):
        sides = {side: _cent_levels(today.get(f"{side}_dollars")) for side in ("yes", "no")}
        shown["orderbook"] = sides


def add_trade(shown: JsonObject) -> None:
    """Cents and a whole count on a trade or a fill."""
    for side in ("yes", "no"):
        _set(shown, f"{side}_price", _near_cents(shown.get(f"{side}_price_dollars")))
    _set(shown, "count", _whole(shown.get("count_fp")))


def add_order(shown: JsonObject) -> None:
    """Cents and whole counts on an order; `count` is what is left of it."""
    for side in ("yes", "no"):
        _set(shown, f"{side}_price", _near_cents(shown.get(f"{side}_price_dollars")))
    for name in ("fill_count", "remaining_count", "initial_count"):
        _set(shown, name, _whole(shown.get(f"{name}_fp")))
    _set(shown, "count", shown.get("remaining_count"))
    for role in ("taker", "maker"):
        _set(shown, f"{role}_fees", _fee_cents(shown.get(f"{role}_fees_dollars")))
        _set(shown, f"{role}_fill_cost", _money_cents(shown.get(f"{role}_fill_cost_dollars")))


def add_position(shown: JsonObject) -> None:
    """The count of either side, and the average price in cents of the side that is held."""
    held = _count(shown.get("position_fp"))
    cost = _money(shown.get("market_exposure_dollars"))
    if held is None or cost is None:
        return
    _set(shown, "position", _toward_zero(held, CONTRACT))
    _set(shown, "yes_count", max(held, 0) // CONTRACT)
    _set(shown, "no_count", max(-held, 0) // CONTRACT)
    size = abs(held)
    # cost / size is a price of $0.0001; half a cent counts as a whole one.
    average = (2 * abs(cost) + size * _PENNY) // (2 * size * _PENNY) if size else 0
    _set(shown, "average_price", average)
    for name in ("market_exposure", "total_traded", "realized_pnl"):
        _set(shown, name, _money_cents(shown.get(f"{name}_dollars")))
    _set(shown, "fees_paid", _fee_cents(shown.get("fees_paid_dollars")))


def add_settlement(shown: JsonObject) -> None:
    """Whole counts and cents of both sides on a settlement."""
    for side in ("yes", "no"):
        _set(shown, f"{side}_count", _whole(shown.get(f"{side}_count_fp")))
        _set(shown, f"{side}_total_cost", _money_cents(shown.get(f"{side}_total_cost_dollars")))


def add_balance(shown: JsonObject, trader: Trader | None) -> None:
    """What can be spent, and what was ever deposited, in cents."""
    _set(shown, "available_balance", shown.get("balance"))
    if trader is not None:
        deposited = sum(max(payment.amount, 0) for payment in trader.payments)
        _set(shown, "total_deposited", cents(deposited))


# Where those objects are

_Change = Callable[[JsonObject], None]


def _inside(name: str, change: _Change) -> _Change:
    """A change of the object, or of each object of the list, under `name`."""

    def apply(holder: JsonObject) -> None:
        found = holder.get(name)
        for item in found if isinstance(found, list) else (found,):
            if isinstance(item, dict):
                change(cast("JsonObject", item))

    return apply


def _unchanged(_shown: JsonObject) -> None:
    """A balance is changed with the trader at hand."""


_markets = _inside("markets", add_market)
_CHANGES: Mapping[str, tuple[_Change, ...]] = {
    "GetMarkets": (_markets,),
    "GetHistoricalMarkets": (_markets,),
    "GetMarket": (_inside("market", add_market),),
    "GetHistoricalMarket": (_inside("market", add_market),),
    "GetEvents": (_inside("events", _markets),),
    "GetMultivariateEvents": (_inside("events", _markets),),
    "GetEvent": (_markets, _inside("event", _markets)),
    "GetMarketOrderbook": (add_book,),
    "GetMarketOrderbooks": (_inside("orderbooks", add_book),),
    "GetTrades": (_inside("trades", add_trade),),
    "GetTradesHistorical": (_inside("trades", add_trade),),
    "GetOrders": (_inside("orders", add_order),),
    "GetOrder": (_inside("order", add_order),),
    "GetFills": (_inside("fills", add_trade),),
    "GetPositions": (_inside("market_positions", add_position),),
    "GetSettlements": (_inside("settlements", add_settlement),),
    "GetBalance": (_unchanged,),
}


# Numbers


def _set(shown: JsonObject, name: str, value: object) -> None:
    """Add a field, unless a recorded object has it already or the value is not known."""
    if value is not None and name not in shown:
        shown[name] = value


def _price(text: object) -> int | None:
    return parse_price(text) if isinstance(text, str) else None


def _count(text: object) -> int | None:
    return parse_count(text) if isinstance(text, str) else None


def _money(text: object) -> int | None:
    return parse_money(text) if isinstance(text, str) else None


def _bid_cents(text: object) -> int | None:
    price = _price(text)
    return None if price is None else price // _PENNY


def _ask_cents(text: object) -> int | None:
    price = _price(text)
    return None if price is None else -(-price // _PENNY)


def _near_cents(text: object) -> int | None:
    price = _price(text)
    return None if price is None else (price + _PENNY // 2) // _PENNY


def _whole(text: object) -> int | None:
    count = _count(text)
    return None if count is None else _toward_zero(count, CONTRACT)


def _money_cents(text: object) -> int | None:
    amount = _money(text)
    return None if amount is None else cents(amount)


def _fee_cents(text: object) -> int | None:
    amount = _money(text)
    return None if amount is None else -(-amount // CENT)


def _toward_zero(value: int, unit: int) -> int:
    return value // unit if value >= 0 else -(-value // unit)


def _cent_levels(levels: object) -> list[list[int]]:
    """Levels of one side by whole cents; the counts within a cent add up."""
    counts: dict[int, int] = {}
    for level in levels if isinstance(levels, list) else ():
        price, count = _bid_cents(level[0]), _count(level[1])
        if price and count:
            counts[price] = counts.get(price, 0) + count
    return [
        [price, counts[price] // CONTRACT] for price in sorted(counts) if counts[price] >= CONTRACT
    ]
