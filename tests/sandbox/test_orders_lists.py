"""Batches, lists of orders, keys that are locked, and the older endpoints, over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kalshi_async.sandbox import Sandbox
from kalshi_async.sandbox._catalog.query import Window
from kalshi_async.sandbox._handlers.order_lists import newest_first
from kalshi_async.sandbox._handlers.orders import LEGACY, largest_batch
from kalshi_async.sandbox._operations import API_ROOT
from kalshi_async.sandbox._records import Order

from .conftest import signed
from .desk import (
    FAR,
    FIRST,
    SECOND,
    UNKNOWN,
    Desk,
    desk_on,
    named,
    open_subaccount,
    order,
    place,
    quiet_markets,
)
from .members import Member


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_on(tmp_path) as found:
        yield found


# Batches


async def test_a_batch_answers_item_by_item(desk: Desk) -> None:
    await place(desk.taker, "ask", "0.60", "3")
    wanted = [
        order("bid", "0.60", "5", client_order_id="a"),
        order("bid", "0.505", client_order_id="b"),
        order("bid", "0.40", client_order_id="a"),
        order("bid", "0.5", client_order_id="c"),
        order(ticker="KXNOWHERE-1"),
        order("bid", "0.30", client_order_id="d"),
    ]
    items = (await desk.maker.ok("BatchCreateOrdersV2", {"orders": wanted}))["orders"]
    codes = [item["error"]["code"] if item.get("error") else None for item in items]
    assert codes == [
        None, "invalid_price", "order_already_exists", "bad_request", "not_found", None,
    ]  # fmt: skip
    assert [item["client_order_id"] for item in items] == ["a", "b", "a", "c", None, "d"]
    assert (items[0]["fill_count"], items[0]["remaining_count"]) == ("3.00", "2.00")
    assert items[0]["average_fill_price"] == "0.6000"
    assert "order_id" not in items[1]
    ids = [items[0]["order_id"], UNKNOWN, items[5]["order_id"], items[0]["order_id"]]
    canceled = (
        await desk.maker.ok(
            "BatchCancelOrdersV2", {"orders": [{"order_id": order_id} for order_id in ids]}
        )
    )["orders"]
    assert [item["order_id"] for item in canceled] == ids
    assert [item["reduced_by"] for item in canceled] == ["2.00", "0.00", "10.00", "0.00"]
    assert [bool(item.get("error")) for item in canceled] == [False, True, False, True]
    assert canceled[1]["error"] == {"code": "not_found", "message": "not found"}
    desk.maker.check()


@pytest.mark.parametrize("name", ["BatchCreateOrdersV2", "BatchCancelOrdersV2"])
@pytest.mark.parametrize(
    "body", [{}, {"orders": None}, {"orders": []}, {"orders": {}}, {"orders": ["a"]}, []]
)
async def test_a_batch_must_be_a_list_of_orders(desk: Desk, name: str, body: Any) -> None:
    await desk.maker.refused(name, 400, body)


async def test_a_batch_that_cannot_be_read_places_nothing(desk: Desk) -> None:
    body = await desk.maker.refused(
        "BatchCreateOrdersV2", 400, {"orders": [order(), order() | {"count": 1}]}
    )
    assert body["details"].endswith("BatchCreateOrdersV2Request.orders.count of type string")
    assert (await desk.maker.ok("GetOrders"))["orders"] == []


async def test_a_batch_has_a_largest_size(tmp_path: Path) -> None:
    assert [largest_batch(capacity) for capacity in (100, 900, 28_800)] == [20, 90, 2880]
    serving = Sandbox.serve(markets=20, load=quiet_markets(tmp_path), tier="advanced")
    async with serving as exchange, httpx.AsyncClient(trust_env=False, verify=False) as http:
        member = Member(exchange, http, exchange.add_account())
        orders = [{"order_id": UNKNOWN} for _ in range(91)]
        body = await member.refused("BatchCancelOrdersV2", 400, {"orders": orders})
        assert "at most 90" in body["error"]["details"]
        # 91 items at 2 tokens are paid for even so: 10 more placements fit, 82 do not.
        many = {"orders": [order(count="1") for _ in range(82)]}
        assert (await member.send("BatchCreateOrdersV2", many)).status_code == 429
        few = {"orders": many["orders"][:10]}
        assert len((await member.ok("BatchCreateOrdersV2", few))["orders"]) == 10


# Lists


async def test_lists_are_filtered_and_paginated(desk: Desk) -> None:
    maker = desk.maker
    batch = {"orders": [order("bid", f"0.{10 + number}") for number in range(20)]}
    same = [item["order_id"] for item in (await maker.ok("BatchCreateOrdersV2", batch))["orders"]]
    second = (await place(maker, ticker=SECOND))["order_id"]
    far = (await place(maker, ticker=FAR))["order_id"]
    await maker.ok("CancelOrderV2", **named(same[4]))
    newest = [far, second, *reversed(same)]

    async def found(**params: Any) -> list[str]:
        return [item["order_id"] for item in await maker.pages("GetOrders", "orders", **params)]

    for limit in (1, 7, 22, 1000):
        assert await found(limit=limit) == newest
    assert await found(status="canceled") == [same[4]]
    assert len(await found(status="resting", limit=5)) == 21
    assert await found(ticker=SECOND) == [second]
    assert await found(event_ticker="KXFAR-26") == [far]
    assert await found(event_ticker="KXFAR-26,KXDESK-26", limit=9) == newest
    assert await found(event_ticker="KXNONE") == []
    assert await found(exchange_index=2) == [far]
    now = int(time.time())
    assert await found(min_ts=now - 600, max_ts=now + 600) == newest
    assert await found(min_ts=now + 600) == []
    assert await found(max_ts=now - 600) == []
    # There is no filter by client_order_id, and a cursor of something else starts anew.
    assert await found(client_order_id="none") == newest
    garbage = await maker.ok("GetOrders", cursor="garbage", limit=3)
    assert [item["order_id"] for item in garbage["orders"]] == newest[:3]
    assert (await desk.taker.ok("GetOrders")) == {"cursor": "", "orders": []}
    for wrong in ({"limit": 1001}, {"status": "open"}, {"min_ts": "now"}, {"subaccount": "x"}):
        assert (await maker.send("GetOrders", **wrong)).status_code == 400


async def test_ended_orders_become_history(desk: Desk) -> None:
    placed = [(await place(desk.maker))["order_id"] for _ in range(3)]
    for order_id in placed[:2]:
        await desk.maker.ok("CancelOrderV2", **named(order_id))

    async def listed(name: str, **params: Any) -> list[str]:
        return [item["order_id"] for item in await desk.maker.pages(name, "orders", **params)]

    assert await listed("GetHistoricalOrders") == []
    assert await listed("GetOrders") == placed[::-1]
    exchange = desk.exchange._exchange
    # As if the exchange had been started long after the orders ended.
    exchange.shift += exchange.catalog.now - exchange.catalog.cutoff + 3600 * 1_000_000
    assert await listed("GetHistoricalOrders", limit=1) == placed[1::-1]
    assert await listed("GetHistoricalOrders", ticker=SECOND) == []
    assert await listed("GetOrders") == placed[2:]


def test_a_page_goes_on_behind_its_cursor_whatever_became_of_it() -> None:
    def made(number: int, created: int) -> Order:
        return Order(
            order_id=str(number), user_id="u", subaccount=0, ticker="A", shard=0,
            client_order_id="", bid=True, price=5000, initial=1, remaining=1, time_in_force="",
            self_trade="", created=created, updated=created, priority=number,
        )  # fmt: skip

    orders = [made(number, number // 3 * 10) for number in range(9)]
    everything = Window()
    newest = list(newest_first(orders, everything, None))
    assert newest == orders[::-1]
    for at, one in enumerate(newest):
        after = (one.created, one.order_id)
        assert list(newest_first(orders, everything, after)) == newest[at + 1 :]
    older = [one for one in newest if one.created < 10]
    assert list(newest_first(orders, everything, (10, "unknown"))) == older
    assert list(newest_first(orders, Window(10, 10), None)) == newest[3:6]


async def test_orders_are_their_owners_alone(desk: Desk) -> None:
    placed = await place(desk.maker)
    for name in ("GetOrder", "GetOrderQueuePosition"):
        await desk.taker.refused(name, 404, **named(placed["order_id"]))
        await desk.taker.refused(name, 404, **named(UNKNOWN))
    assert (await desk.taker.ok("GetOrderQueuePositions")) == {"queue_positions": []}
    change = {"ticker": FIRST, "side": "bid", "price": "0.51", "count": "1"}
    await desk.taker.refused("AmendOrderV2", 404, change, **named(placed["order_id"]))
    await desk.taker.refused(
        "DecreaseOrderV2", 404, {"reduce_by": "1"}, **named(placed["order_id"])
    )


async def test_trading_that_is_paused_cancels_only(desk: Desk) -> None:
    kept = await place(desk.maker)
    dropped = await place(desk.maker, cancel_order_on_pause=True)
    desk.exchange.pause()
    body = await desk.maker.refused("CreateOrderV2", 409, order())
    assert body["error"]["code"] == "trading_is_paused"
    await desk.maker.refused("CancelOrderV2", 404, **named(dropped["order_id"]))
    await desk.maker.ok("CancelOrderV2", **named(kept["order_id"]))
    desk.exchange.resume()
    desk.exchange.close(FIRST)
    body = await desk.maker.refused("CreateOrderV2", 400, order())
    assert body["error"]["code"] == "MARKET_NOT_ACTIVE"


# Keys and older endpoints


async def test_a_locked_key_trades_for_its_subaccount_only(desk: Desk) -> None:
    maker = desk.maker
    primary = (await place(maker))["order_id"]
    for _ in range(2):
        await open_subaccount(maker)
    second = (await place(maker, subaccount=2))["order_id"]
    keys = desk.exchange._exchange.directory.keys
    keys[maker.credentials.api_key_id].subaccount = 1
    own = await place(maker)
    assert (await maker.ok("GetOrder", **named(own["order_id"])))["order"]["subaccount_number"] == 1
    for other in (0, 2):
        body = await maker.refused("CreateOrderV2", 403, order(subaccount=other))
        assert body["error"]["code"] == "forbidden"
        await maker.refused("GetOrders", 403, subaccount=other)
        await maker.refused("CancelAllOrders", 403, subaccount=other)
        await maker.refused("CancelOrderV2", 403, subaccount=other, **named(primary))
    for order_id in (primary, second):
        await maker.refused("GetOrder", 404, **named(order_id))
        await maker.refused("CancelOrderV2", 404, **named(order_id))
    batch = {"orders": [order(subaccount=2), order("bid", "0.30", subaccount=1)]}
    items = (await maker.ok("BatchCreateOrdersV2", batch))["orders"]
    assert [item["error"]["code"] for item in items if item.get("error")] == ["forbidden"]
    assert len((await maker.ok("GetOrders"))["orders"]) == 2
    await maker.ok("CancelAllOrders")
    keys[maker.credentials.api_key_id].subaccount = None
    left = (await maker.ok("GetOrders", status="resting"))["orders"]
    assert {item["order_id"] for item in left} == {primary, second}


@pytest.mark.parametrize(("method", "path"), LEGACY)
async def test_the_older_writes_are_gone(desk: Desk, method: str, path: str) -> None:
    full = API_ROOT + path.format(order_id=UNKNOWN)
    response = await desk.maker.http.request(
        method,
        desk.exchange.base_url.removesuffix(API_ROOT) + full,
        headers=signed(desk.maker.credentials, method, full),
        content=json.dumps({"ticker": FIRST}),
    )
    assert response.status_code == 410
    assert response.json()["error"]["code"] == "deprecated_v1_order_endpoint"
