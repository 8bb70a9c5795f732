"""Orders over HTTP: placing, cancelling, changing and reading them."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from .desk import (
    FAR,
    FIRST,
    NOT_FOUND,
    SECOND,
    UNKNOWN,
    Desk,
    desk_on,
    named,
    open_subaccount,
    order,
    place,
)

IOC, FOK = "immediate_or_cancel", "fill_or_kill"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_on(tmp_path) as found:
        yield found


async def shown(desk: Desk, order_id: str) -> Any:
    return (await desk.maker.ok("GetOrder", **named(order_id)))["order"]


def levels(desk: Desk, side: str) -> list[tuple[str, str]]:
    return [(str(price), str(count)) for price, count in desk.exchange.book(FIRST)[side]]


async def test_orders_rest_match_and_tell_what_happened(desk: Desk) -> None:
    resting = await place(desk.maker, "ask", "0.60", "10", client_order_id="m/1")
    assert resting.keys() == {
        "order_id", "client_order_id", "fill_count", "remaining_count", "ts_ms",
    }  # fmt: skip
    assert (resting["fill_count"], resting["remaining_count"]) == ("0.00", "10.00")
    assert resting["client_order_id"] == "m/1"
    assert abs(resting["ts_ms"] / 1000 - time.time()) < 60
    taken = await place(desk.taker, "bid", "0.65", "2.5")
    assert (taken["fill_count"], taken["remaining_count"]) == ("2.50", "0.00")
    # Filled at the resting price; 0.07 x 0.6 x 0.4 a contract.
    assert (taken["average_fill_price"], taken["average_fee_paid"]) == ("0.6000", "0.0168")
    assert "client_order_id" not in taken
    left = await shown(desk, resting["order_id"])
    assert (left["status"], left["fill_count_fp"]) == ("resting", "2.50")
    assert (left["remaining_count_fp"], left["initial_count_fp"]) == ("7.50", "10.00")
    assert (left["book_side"], left["outcome_side"]) == ("ask", "no")
    assert (left["yes_price_dollars"], left["no_price_dollars"]) == ("0.6000", "0.4000")
    assert left["maker_fill_cost_dollars"] == "1.000000"
    done = (await desk.taker.ok("GetOrder", **named(taken["order_id"])))["order"]
    assert (done["status"], done["taker_fill_cost_dollars"]) == ("executed", "1.500000")
    assert done["client_order_id"] == ""


async def test_a_client_order_id_is_spent_for_ever(desk: Desk) -> None:
    spent = await place(desk.maker, client_order_id="once")
    await desk.maker.ok("CancelOrderV2", **named(spent["order_id"]))
    again = await desk.maker.refused("CreateOrderV2", 409, order(client_order_id="once"))
    assert again == {"error": {"code": "order_already_exists", "message": "order already exists"}}
    # Unique in an account, not on the exchange.
    await place(desk.taker, client_order_id="once")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"count": 10}, "field CreateOrderV2Request.count of type string"),
        ({"price": 0.5}, "field CreateOrderV2Request.price of type string"),
        ({"ticker": None}, "'Ticker' failed on the 'required' tag"),
        ({"price": ""}, "'Price' failed on the 'required' tag"),
        ({"side": "yes"}, "'Side' failed on the 'oneof' tag"),
        ({"time_in_force": "gtt"}, "'TimeInForce' failed on the 'oneof' tag"),
        ({"self_trade_prevention_type": None}, "'SelfTradePreventionType' failed on the 'req"),
        ({"post_only": "yes"}, "field CreateOrderV2Request.post_only of type bool"),
        ({"expiration_time": "soon"}, "CreateOrderV2Request.expiration_time of type int64"),
        ({"subaccount": 64}, "'Subaccount' failed on the 'lte' tag"),
    ],
)
async def test_unreadable_orders(desk: Desk, fields: dict[str, Any], expected: str) -> None:
    body = await desk.maker.refused("CreateOrderV2", 400, order() | fields)
    assert body["code"] == "bad_request"
    assert expected in body["details"]
    assert levels(desk, "yes") == []


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"ticker": "KXNOWHERE-1"}, 404, "not_found"),
        ({"price": "0.505"}, 400, "invalid_price"),
        ({"price": "0.00"}, 400, "invalid_price"),
        ({"price": "1.00"}, 400, "invalid_price"),
        ({"price": "-0.50"}, 400, "invalid_price"),
        ({"price": "0.5"}, 400, "bad_request"),
        ({"price": "50"}, 400, "bad_request"),
        ({"count": "0"}, 400, "invalid_order"),
        ({"count": "-1"}, 400, "invalid_order"),
        ({"count": "1.005"}, 400, "bad_request"),
        ({"count": "1e3"}, 400, "bad_request"),
        ({"count": "999999999999"}, 400, "insufficient_balance"),
        ({"client_order_id": "a" * 65}, 400, "bad_request"),
        ({"client_order_id": "a b"}, 400, "bad_request"),
        ({"client_order_id": "caf\u00e9"}, 400, "bad_request"),
        ({"expiration_time": 1}, 400, "invalid_order"),
        ({"expiration_time": 4_000_000_000, "time_in_force": IOC}, 400, "invalid_order"),
        ({"post_only": True, "time_in_force": IOC}, 400, "invalid_order"),
        ({"post_only": True, "time_in_force": FOK}, 400, "invalid_order"),
        ({"reduce_only": True}, 400, "invalid_order"),
        ({"subaccount": 7}, 400, "invalid_subaccount"),
        ({"exchange_index": 2}, 404, "not_found"),
        ({"order_group_id": UNKNOWN}, 404, "order_group_not_found"),
        ({"time_in_force": FOK}, 409, "fill_or_kill_insufficient_resting_volume"),
    ],
)
async def test_refused_orders(desk: Desk, fields: dict[str, Any], status: int, code: str) -> None:
    body = await desk.maker.refused("CreateOrderV2", status, order() | fields)
    assert body["error"]["code"] == code
    assert levels(desk, "yes") == []


async def test_post_only_never_takes(desk: Desk) -> None:
    await place(desk.maker, "ask", "0.60")
    body = await desk.taker.refused("CreateOrderV2", 400, order("bid", "0.60", post_only=True))
    assert (body["error"]["code"], body["error"]["details"]) == ("invalid_order", "post only cross")
    assert (await place(desk.taker, "bid", "0.59", post_only=True))["remaining_count"] == "10.00"


async def test_immediate_orders_that_find_nothing(desk: Desk) -> None:
    found = await place(desk.maker, time_in_force=IOC)
    assert (found["fill_count"], found["remaining_count"]) == ("0.00", "0.00")
    reducing = await place(desk.maker, time_in_force=IOC, reduce_only=True)
    assert reducing["remaining_count"] == "0.00"
    mine = await place(desk.maker, "ask", "0.60")
    crossing = await place(desk.maker, "bid", "0.60")
    assert (crossing["fill_count"], crossing["remaining_count"]) == ("0.00", "0.00")
    assert (await shown(desk, crossing["order_id"]))["status"] == "canceled"
    assert (await shown(desk, mine["order_id"]))["status"] == "resting"
    replacing = await place(desk.maker, "bid", "0.60", self_trade_prevention_type="maker")
    assert replacing["remaining_count"] == "10.00"
    assert (await shown(desk, mine["order_id"]))["status"] == "canceled"


async def test_an_order_expires(desk: Desk) -> None:
    until = int(time.time()) + 3600
    placed = await place(desk.maker, expiration_time=until)
    facts = await shown(desk, placed["order_id"])
    assert (facts["status"], facts["expiration_time"] is None) == ("resting", False)
    desk.exchange.advance(3700)
    assert (await shown(desk, placed["order_id"]))["status"] == "canceled"
    assert levels(desk, "yes") == []


async def test_cancelling(desk: Desk) -> None:
    placed = await place(desk.maker, client_order_id="mine")
    assert await desk.taker.refused("CancelOrderV2", 404, **named(placed["order_id"])) == NOT_FOUND
    body = await desk.maker.ok("CancelOrderV2", market_ticker=FIRST, **named(placed["order_id"]))
    assert body.keys() == {"order_id", "client_order_id", "reduced_by", "ts_ms"}
    assert (body["reduced_by"], body["client_order_id"]) == ("10.00", "mine")
    for gone in (placed["order_id"], UNKNOWN):
        assert await desk.maker.refused("CancelOrderV2", 404, **named(gone)) == NOT_FOUND
    facts = await shown(desk, placed["order_id"])
    assert (facts["status"], facts["remaining_count_fp"]) == ("canceled", "0.00")


async def test_a_cancel_looks_at_shard_0_unless_told_otherwise(desk: Desk) -> None:
    first, second = [(await place(desk.maker, ticker=FAR))["order_id"] for _ in range(2)]
    for wrong in ({}, {"exchange_index": 0}, {"market_ticker": FIRST}, {"exchange_index": 3}):
        assert await desk.maker.refused("CancelOrderV2", 404, **named(first), **wrong) == NOT_FOUND
    await desk.maker.ok("CancelOrderV2", exchange_index=2, **named(first))
    await desk.maker.ok("CancelOrderV2", market_ticker=FAR, **named(second))


async def test_cancel_all_means_every_subaccount_or_one(desk: Desk) -> None:
    assert await open_subaccount(desk.maker) == 1
    for fields in ({}, {"subaccount": 1}, {"ticker": FAR}):
        await place(desk.maker, **fields)
    other = await place(desk.taker, "bid", "0.10")
    assert await desk.maker.ok("CancelAllOrders", subaccount=1) is None
    assert len(await resting(desk)) == 2
    await place(desk.maker, subaccount=1)
    assert len(await resting(desk, subaccount=0)) == 2
    assert len(await resting(desk, subaccount=1)) == 1
    assert await desk.maker.ok("CancelAllOrders") is None
    assert await resting(desk) == []
    left = (await desk.taker.ok("GetOrder", **named(other["order_id"])))["order"]
    assert left["status"] == "resting"
    await desk.maker.refused("CancelAllOrders", 400, subaccount=-1)


async def resting(desk: Desk, **params: Any) -> list[Any]:
    found = await desk.maker.ok("GetOrders", status="resting", **params)
    orders: list[Any] = found["orders"]
    return orders


async def test_an_order_of_a_subaccount_is_cancelled_there(desk: Desk) -> None:
    assert await open_subaccount(desk.maker) == 1
    placed = await place(desk.maker, subaccount=1)
    assert (await shown(desk, placed["order_id"]))["subaccount_number"] == 1
    await desk.maker.refused("CancelOrderV2", 404, **named(placed["order_id"]))
    await desk.maker.ok("CancelOrderV2", subaccount=1, **named(placed["order_id"]))


async def test_a_smaller_order_keeps_its_place(desk: Desk) -> None:
    first, second = [(await place(desk.maker, count="10"))["order_id"] for _ in range(2)]
    body = await desk.maker.ok("DecreaseOrderV2", {"reduce_by": "4"}, **named(first))
    assert body["remaining_count"] == "6.00"
    amended = await desk.maker.ok(
        "AmendOrderV2",
        {"ticker": FIRST, "side": "bid", "price": "0.50", "count": "3"},
        **named(first),
    )
    assert (amended["fill_count"], amended["remaining_count"]) == ("0.00", "3.00")
    ahead = await desk.maker.ok("GetOrderQueuePosition", **named(second))
    assert ahead == {"queue_position_fp": "3.00"}
    await desk.maker.ok(
        "AmendOrderV2",
        {"ticker": FIRST, "side": "bid", "price": "0.50", "count": "5"},
        **named(first),
    )
    queue = await desk.maker.ok("GetOrderQueuePositions", market_tickers=f"{FIRST},{SECOND}")
    assert {item["order_id"]: item["queue_position_fp"] for item in queue["queue_positions"]} == {
        first: "10.00",
        second: "0.00",
    }
    nothing = await desk.maker.ok("DecreaseOrderV2", {"reduce_to": "0"}, **named(first))
    assert nothing["remaining_count"] == "0.00"
    await desk.maker.refused("GetOrderQueuePosition", 404, **named(first))


async def test_an_amendment_that_crosses_trades(desk: Desk) -> None:
    await place(desk.taker, "ask", "0.60", "4")
    mine = await place(desk.maker, "bid", "0.50", "10", client_order_id="old")
    changed = await desk.maker.ok(
        "AmendOrderV2",
        {
            "ticker": FIRST, "side": "bid", "price": "0.60", "count": "10",
            "client_order_id": "old", "updated_client_order_id": "new",
        },
        **named(mine["order_id"]),
    )  # fmt: skip
    assert changed["client_order_id"] == "new"
    assert (changed["fill_count"], changed["remaining_count"]) == ("4.00", "6.00")
    assert (changed["average_fill_price"], changed["average_fee_paid"]) == ("0.6000", "0.0168")
    same = await desk.maker.ok(
        "AmendOrderV2",
        {"ticker": FIRST, "side": "bid", "price": "0.60", "count": "10"},
        **named(mine["order_id"]),
    )
    assert same.keys() == {"order_id", "client_order_id", "ts_ms"}


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"ticker": SECOND}, 404, "not_found"),
        ({"side": "ask"}, 400, "invalid_order"),
        ({"price": "0.505"}, 400, "invalid_price"),
        ({"count": "0"}, 400, "invalid_order"),
        ({"client_order_id": "other"}, 400, "invalid_order"),
        ({"updated_client_order_id": "taken"}, 409, "order_already_exists"),
        ({"expiration_time": 1}, 400, "invalid_order"),
        ({"count": "999999999"}, 400, "insufficient_balance"),
    ],
)
async def test_refused_amendments(
    desk: Desk, fields: dict[str, Any], status: int, code: str
) -> None:
    mine = await place(desk.maker, client_order_id="mine")
    await place(desk.maker, "bid", "0.40", client_order_id="taken")
    before = await shown(desk, mine["order_id"])
    wanted = {"ticker": FIRST, "side": "bid", "price": "0.51", "count": "10"} | fields
    body = await desk.maker.refused("AmendOrderV2", status, wanted, **named(mine["order_id"]))
    assert body["error"]["code"] == code
    assert await shown(desk, mine["order_id"]) == before


@pytest.mark.parametrize(
    "wanted",
    [{}, {"reduce_by": "1", "reduce_to": "1"}, {"reduce_by": "0"}, {"reduce_by": "11"},
     {"reduce_to": "-1"}, {"reduce_to": "10"}, {"reduce_by": 1}, []],
)  # fmt: skip
async def test_refused_decreases(desk: Desk, wanted: Any) -> None:
    mine = await place(desk.maker)
    await desk.maker.refused("DecreaseOrderV2", 400, wanted, **named(mine["order_id"]))
    assert levels(desk, "yes") == [("0.5000", "10.00")]


ODD_BODIES = (
    b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"ticker":"\\ud800"}', b"[" * 100_000,
    b'{"orders":' * 50_000, json.dumps(order() | {"price": "9" * 9_000}).encode(),
    json.dumps(order() | {"ticker": "\0" * 300}).encode(),
    json.dumps(order() | {"expiration_time": 2**63}).encode(),
    json.dumps(order() | {"expiration_time": 2**62}).encode(),
    json.dumps(order() | {"exchange_index": -1}).encode(),
)  # fmt: skip


async def test_odd_requests_are_refused_and_change_nothing(desk: Desk) -> None:
    writes = ("CreateOrderV2", "BatchCreateOrdersV2", "BatchCancelOrdersV2")
    changes = ("AmendOrderV2", "DecreaseOrderV2")
    mine = await place(desk.maker)
    for content in ODD_BODIES:
        for name in (*writes, *changes):
            names = {"order_id": mine["order_id"]} if name in changes else None
            response = await desk.maker.send(name, content=content, names=names)
            assert response.status_code in (400, 404), (name, content[:50], response.text)
            assert response.headers["Content-Type"].startswith("application/json")
            assert len(response.content) < 1000
    for order_id in ("a%2F..%2Fb", "%00", "%0D%0AX-Evil:1", "x" * 3000, "%F0%9F%92%A9"):
        await desk.maker.refused("CancelOrderV2", 404, **named(order_id))
        await desk.maker.refused("GetOrder", 404, **named(order_id))
    assert levels(desk, "yes") == [("0.5000", "10.00")]


async def test_everything_answered_is_in_the_contract(desk: Desk) -> None:
    maker = desk.maker
    placed = [(await place(maker, price=f"0.4{digit}"))["order_id"] for digit in range(4)]
    await place(desk.taker, "ask", "0.42", "15")
    change = {"ticker": FIRST, "side": "bid", "price": "0.45", "count": "20"}
    await maker.ok("AmendOrderV2", change, **named(placed[0]))
    await maker.ok("DecreaseOrderV2", {"reduce_by": "2"}, **named(placed[1]))
    await maker.ok("GetOrderQueuePositions", event_ticker="KXDESK-26")
    await maker.ok("GetOrderQueuePosition", **named(placed[1]))
    await maker.ok("GetOrders")
    await maker.ok("GetHistoricalOrders")
    await maker.ok("GetOrder", **named(placed[3]))
    await maker.ok("CancelOrderV2", **named(placed[1]))
    await maker.ok("CancelAllOrders")
    seen = maker.check()
    assert len(seen) == 10
