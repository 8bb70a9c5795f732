"""Orders placed and cancelled, alone and together, by the contract: what is sent, what is read."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kalshi_async import APIError, KalshiClient, Request
from kalshi_async.models.orders import Order
from kalshi_async.orders import Canceled, CancelFailed, OrderRequest, Placed, Rejected
from tests.support import ScriptedHTTP
from tests.support import answer as response

from .compare_arguments import exact_fields
from .faces import BY_HAND, FACES
from .facts import OPERATIONS, SCHEMAS
from .samples import answer, full_bodies, keywords, misfits, same

CREATE, PLACE_MANY, CANCEL_MANY = "CreateOrderV2", "BatchCreateOrdersV2", "BatchCancelOrdersV2"
PLACED, CANCELED = f"{PLACE_MANY}Response.orders", f"{CANCEL_MANY}Response.orders"
NAMES = ["first", "second"]
REFUSED = {"code": "a code", "message": "a message", "details": "details", "service": "a service"}


def test_these_are_all_that_are_called_by_hand() -> None:
    assert BY_HAND.keys() == {CREATE, PLACE_MANY, CANCEL_MANY}


def client(http: ScriptedHTTP) -> KalshiClient:
    """A client of a scripted exchange, without limits."""
    return KalshiClient(
        base_url="http://127.0.0.1:1/trade-api/v2",
        api_key_id="key",
        private_key=Ed25519PrivateKey.generate(),
        limits=None,
        http=http,
    )


def full_orders() -> list[dict[str, Any]]:
    """Orders by the wire names of their fields: one that rests and one that does not, both full."""
    sets = full_bodies(CREATE, OPERATIONS[CREATE], SCHEMAS)
    for name, side, values in zip(NAMES, ("bid", "ask"), sets, strict=True):
        resting = "post_only" in values
        values["time_in_force"] = "good_till_canceled" if resting else "immediate_or_cancel"
        values |= {"client_order_id": name, "side": side}
    return sets


def arguments(values: dict[str, Any]) -> dict[str, Any]:
    """An order by the names of the arguments."""
    return keywords(CREATE, OPERATIONS[CREATE], SCHEMAS, values)


def item(schema: str, **changes: object) -> dict[str, Any]:
    """An item of an answer with every field set, but for the error."""
    made: dict[str, Any] = answer(f"${schema}", SCHEMAS)
    return made | {"error": None} | changes


def only_body(http: ScriptedHTTP, name: str) -> Any:
    """What the only request says, which is of the contract's form."""
    (request,) = http.requests
    facts = OPERATIONS[name]
    assert (request.method, request.path) == (facts["method"], f"/trade-api/v2{facts['path']}")
    assert request.url == f"http://127.0.0.1:1{request.path}"
    body = said(request)
    assert misfits(body, {"type": facts["body"]}, SCHEMAS, name) == []
    return body


def said(request: Request) -> Any:
    assert request.body is not None
    return msgspec.json.decode(request.body)


def check_order(sent: dict[str, Any], values: dict[str, Any]) -> None:
    """That an order was sent with all that was given, and nothing else."""
    assert sent.keys() == values.keys()
    for key, value in values.items():
        assert same(value, sent[key]), f"{key}: {value!r} was sent as {sent[key]!r}"


def check_answer(read: msgspec.Struct, told: dict[str, Any]) -> None:
    """That all of an answer was read."""
    for key, value in told.items():
        if key != "error":
            assert same(getattr(read, key), value), key


def test_the_full_orders_leave_nothing_out() -> None:
    sent = {key for values in full_orders() for key in values}
    assert sent == SCHEMAS["CreateOrderV2Request"]["fields"].keys()


@pytest.mark.parametrize("values", full_orders(), ids=NAMES)
async def test_one_order_is_placed(values: dict[str, Any]) -> None:
    told = answer(OPERATIONS[CREATE]["response"], SCHEMAS)
    told |= {"client_order_id": values["client_order_id"]}
    http = ScriptedHTTP(response(told, OPERATIONS[CREATE]["status"]))
    async with client(http) as kalshi:
        placed = await kalshi.orders.create(**arguments(values))
    check_order(only_body(http, CREATE), values)
    check_answer(placed, told)


async def test_many_orders_are_placed_in_one_request() -> None:
    orders = full_orders()
    items = [item(PLACED, client_order_id=name) for name in NAMES]
    http = ScriptedHTTP(response({"orders": items}, OPERATIONS[PLACE_MANY]["status"]))
    async with client(http) as kalshi:
        outcomes = await kalshi.orders.place_many(
            OrderRequest(**arguments(values)) for values in orders
        )
    sent = only_body(http, PLACE_MANY)["orders"]
    for body, values in zip(sent, orders, strict=True):
        check_order(body, values)
    for outcome, told in zip(outcomes, items, strict=True):
        assert isinstance(outcome, Placed)
        check_answer(outcome.order, told)
    assert [outcome.request.client_order_id for outcome in outcomes] == NAMES


async def test_the_least_of_many_orders() -> None:
    required = {key for key, facts in order_fields().items() if facts.get("required")}
    items = [item(PLACED, client_order_id=name) for name in NAMES]
    http = ScriptedHTTP(response({"orders": items}, 201))
    async with client(http) as kalshi:
        await kalshi.orders.place_many(
            OrderRequest("A", book_side="bid", count=1, price="0.5", client_order_id=name)
            for name in NAMES
        )
    sent = only_body(http, PLACE_MANY)["orders"]
    # An order is found again by its name, so that none goes without.
    assert [body.keys() for body in sent] == [required | {"client_order_id"}] * 2


def order_fields() -> dict[str, Any]:
    return exact_fields(SCHEMAS["CreateOrderV2Request"]["fields"])


def full_order(order_id: str) -> Order:
    """An order as the exchange tells of it, with every field set."""
    sample = answer("$Order", SCHEMAS) | {"order_id": order_id, "ticker": f"market of {order_id}"}
    return msgspec.json.decode(msgspec.json.encode(sample), type=Order)


async def test_many_orders_are_cancelled_in_one_request() -> None:
    """Told of as the exchange tells of them: all that is offered goes into each item."""
    items = [item(CANCELED, order_id=name) for name in NAMES]
    http = ScriptedHTTP(response({"orders": items}, OPERATIONS[CANCEL_MANY]["status"]))
    orders = [full_order(name) for name in NAMES]
    async with client(http) as kalshi:
        outcomes = await kalshi.orders.cancel_many(orders)
    sent = only_body(http, CANCEL_MANY)["orders"]
    assert sent == [
        {
            "order_id": order.order_id,
            "market_ticker": order.ticker,
            "subaccount": order.subaccount_number,
        }
        for order in orders
    ]
    schema = f"{CANCEL_MANY}Request.orders"
    offered = {
        key for key in SCHEMAS[schema]["fields"] if f"{schema}.{key}" not in FACES.not_offered
    }
    assert [body.keys() for body in sent] == [offered] * 2
    for outcome, told in zip(outcomes, items, strict=True):
        assert isinstance(outcome, Canceled)
        check_answer(outcome.order, told)
    assert [outcome.order_id for outcome in outcomes] == NAMES


@pytest.mark.parametrize("subaccount", [None, 0, 3])
async def test_many_orders_are_cancelled_by_their_ids(subaccount: int | None) -> None:
    http = ScriptedHTTP(response({"orders": [item(CANCELED, order_id=name) for name in NAMES]}))
    async with client(http) as kalshi:
        await kalshi.orders.cancel_many(NAMES, subaccount=subaccount)
    where = {} if subaccount is None else {"subaccount": subaccount}
    assert only_body(http, CANCEL_MANY) == {
        "orders": [{"order_id": name, **where} for name in NAMES]
    }


async def test_what_an_item_was_refused_for_is_read_whole() -> None:
    """In the contract's form, and with the service that the contract does not tell of."""
    assert REFUSED.keys() == {*SCHEMAS["ErrorResponse"]["fields"], "service"}
    items = [{"client_order_id": name, "error": REFUSED} for name in NAMES]
    http = ScriptedHTTP(response({"orders": items}, 201))
    async with client(http) as kalshi:
        placed = await kalshi.orders.place_many(
            OrderRequest(**arguments(values)) for values in full_orders()
        )
    http = ScriptedHTTP(
        response({"orders": [item(CANCELED, order_id=name, error=REFUSED) for name in NAMES]})
    )
    async with client(http) as kalshi:
        canceled = await kalshi.orders.cancel_many(NAMES)
    for outcome in [*placed, *canceled]:
        assert isinstance(outcome, Rejected | CancelFailed)
        error = outcome.error
        assert isinstance(error, APIError)
        assert {key: getattr(error, key) for key in REFUSED} == REFUSED
