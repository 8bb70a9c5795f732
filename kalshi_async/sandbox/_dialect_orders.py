"""Placing and cancelling orders in the words of the older API: action, side, type, whole cents.

An order there buys or sells YES or NO. Both outcomes share one book, so buying NO at q is selling
YES at 1 - q, and `yes_price` names the price of YES whichever side the order is for: buying NO with
``yes_price`` 62 pays 38 cents.
"""

from __future__ import annotations

import msgspec

from ._call import Call, Handler
from ._dialect import add_order
from ._engine import Engine
from ._errors import not_found
from ._handlers.bodies import Body, BodyError
from ._handlers.orders import new_order
from ._handlers.shapes import canceled_shape, order_shape
from ._records import FOK, GTC, IOC, TAKER_AT_CROSS, NewOrder, Order
from ._units import CONTRACT, ONE, count_text, price_text

_CENT = ONE // 100
_SCHEMA = "CreateOrderRequest"
_MOST = 1_000_000_000


class Words(msgspec.Struct, frozen=True):
    """What an order is in the older words. `price` is the YES price in cents, None for a market
    order without a bound.
    """

    action: str
    side: str
    type: str
    price: int | None

    @property
    def bid(self) -> bool:
        """Whether it buys YES, which selling NO does as well."""
        return (self.action == "buy") is (self.side == "yes")


def read_words(body: Body) -> Words:
    """The words of a request.

    Raises:
        BodyError: 400 for a field that is missing, mistyped or out of its range.
    """
    words = Words(
        action=body.needed("action", body.choice("buy", "sell")),
        side=body.needed("side", body.choice("yes", "no")),
        type=body.needed("type", body.choice("limit", "market")),
        price=_yes_cents(body),
    )
    if words.type == "limit" and words.price is None:
        raise BodyError("a limit order needs yes_price or no_price, in cents from 1 to 99")
    return words


def _yes_cents(body: Body) -> int | None:
    yes = body.integer("yes_price", least=1, most=99, go="int")
    no = body.integer("no_price", least=1, most=99, go="int")
    if yes is not None and no is not None:
        raise BodyError("give yes_price or no_price, not both")
    return yes if no is None else 100 - no


def todays_body(body: Body, words: Words) -> Body:
    """The request as today's API takes it. A market order is one that never rests; its price is set
    when it meets the book.

    Raises:
        BodyError: as `read_words`.
    """
    count = body.needed("count", lambda name: body.integer(name, least=1, most=_MOST, go="int"))
    price = 1 if words.price is None else words.price
    in_force = body.choice(GTC, IOC, FOK)("time_in_force")
    if words.type == "market" and in_force == GTC:
        raise BodyError(f"a market order cannot rest: leave time_in_force out, or make it {FOK}")
    return Body(
        _SCHEMA,
        {
            "ticker": body.text("ticker"),
            "side": "bid" if words.bid else "ask",
            "count": count_text(count * CONTRACT),
            "price": price_text(price * _CENT),
            "time_in_force": in_force or (IOC if words.type == "market" else GTC),
            "self_trade_prevention_type": TAKER_AT_CROSS,
            "client_order_id": body.text("client_order_id"),
            "expiration_time": body.integer("expiration_ts", least=0),
            "post_only": body.flag("post_only"),
            "order_group_id": body.text("order_group_id"),
            "subaccount": body.subaccount(),
        },
    )


def worst_price(levels: list[tuple[int, int]], count: int) -> int | None:
    """The price of the last level that `count` reaches; `levels` are (price, count), best first.
    None when there are none.
    """
    for price, size in levels:
        count -= size
        if count <= 0:
            return price
    return levels[-1][0] if levels else None


def priced(new: NewOrder, words: Words, engine: Engine, now: int) -> NewOrder:
    """The order with the YES price it may trade at.

    A market order goes as deep into the book as its count takes it: a limit further off would ask
    for more money than it can cost. With nothing to trade against it ends unfilled at any price.

    Raises:
        ApiError: 404 for an unknown ticker.
    """
    if words.type == "limit":
        return new
    if engine.market(new.ticker, now) is None:
        raise not_found()
    book = engine.book(new.ticker)
    price = worst_price(book.levels(not new.bid) if book else [], new.count)
    if price is None:
        price = _CENT if new.bid else ONE - _CENT
    elif words.price is not None:
        price = min(price, new.price) if new.bid else max(price, new.price)
    return msgspec.structs.replace(new, price=price)


def shown(order: Order, words: Words | None = None) -> dict[str, object]:
    """An order with the older fields; one just placed goes by the words of its request."""
    shape = order_shape(order)
    if words is not None:
        shape |= {"action": words.action, "side": words.side, "type": words.type}
    add_order(shape)
    return shape


async def create_order(call: Call) -> object:
    """POST /portfolio/orders: ``{"order": {...}}``."""
    body = Body.read(call.body, _SCHEMA)
    words = read_words(body)
    new = new_order(call, todays_body(body, words))

    def place(engine: Engine, now: int) -> Order:
        return engine.place(priced(new, words, engine, now), now)

    return {"order": shown(call.exchange.do(place), words)}


async def cancel_order(call: Call) -> object:
    """DELETE /portfolio/orders/{order_id}: ``{"order": {...}, "reduced_by": 3, ...}``."""
    user_id, order_id = call.user_id, call.path["order_id"]
    locked = None if call.key is None else call.key.subaccount

    def cancel(engine: Engine, now: int) -> tuple[Order, int]:
        return engine.cancel(user_id, order_id, now, subaccount=locked)

    order, count = call.exchange.do(cancel)
    return {
        "order": shown(order),
        "reduced_by": count // CONTRACT,
        "reduced_by_fp": canceled_shape(order, count)["reduced_by"],
    }


# By method and path below the API root: these are none of today's operations.
HANDLERS: dict[tuple[str, str], Handler] = {
    ("POST", "/portfolio/orders"): create_order,
    ("DELETE", "/portfolio/orders/{order_id}"): cancel_order,
}
