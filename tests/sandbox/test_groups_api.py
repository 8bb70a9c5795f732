"""Order groups over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from .desk import FAR, NOT_FOUND, UNKNOWN, Desk, desk_on, named, order, place

CHANGES = ("ResetOrderGroup", "TriggerOrderGroup", "DeleteOrderGroup", "UpdateOrderGroupLimit")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_on(tmp_path) as found:
        yield found


def of(group_id: str) -> dict[str, Any]:
    return {"names": {"order_group_id": group_id}}


async def created(desk: Desk, limit: str = "10.00", **fields: Any) -> str:
    body = await desk.maker.ok("CreateOrderGroup", {"contracts_limit_fp": limit, **fields})
    group_id: str = body["order_group_id"]
    return group_id


async def changed(desk: Desk, name: str, group_id: str, status: int = 200, **params: Any) -> Any:
    body = {"contracts_limit": 5} if name == "UpdateOrderGroupLimit" else None
    response = await desk.maker.send(name, body, **of(group_id), **params)
    assert response.status_code == status, response.text
    return response.json()


async def test_a_group_is_made_and_shown(desk: Desk) -> None:
    body = await desk.maker.ok("CreateOrderGroup", {"contracts_limit": 12})
    assert body == {
        "exchange_index": 0,
        "order_group_id": body["order_group_id"],
        "subaccount": 0,
    }
    placed = await place(desk.maker, order_group_id=body["order_group_id"])
    shown = await desk.maker.ok("GetOrderGroup", **of(body["order_group_id"]))
    assert shown == {
        "contracts_limit_fp": "12.00",
        "exchange_index": 0,
        "is_auto_cancel_enabled": True,
        "orders": [placed["order_id"]],
    }
    listed = await desk.maker.ok("GetOrderGroups")
    assert [group["id"] for group in listed["order_groups"]] == [body["order_group_id"]]
    facts = (await desk.maker.ok("GetOrder", **named(placed["order_id"])))["order"]
    assert facts["order_group_id"] == body["order_group_id"]


async def test_reaching_the_limit_cancels_and_stops_the_group_until_it_is_reset(
    desk: Desk,
) -> None:
    group = await created(desk)
    for price in ("0.50", "0.49"):
        await place(desk.maker, "bid", price, "8", order_group_id=group)
    outside = await place(desk.maker, "bid", "0.48", "8")
    taken = await place(desk.taker, "ask", "0.40", "12", time_in_force="immediate_or_cancel")
    # 8 at 0.50 and 2 at 0.49 reach the limit of 10; the rest meets the order outside the group.
    assert (taken["fill_count"], taken["average_fill_price"]) == ("12.00", "0.4950")
    shown = await desk.maker.ok("GetOrderGroup", **of(group))
    assert (shown["is_auto_cancel_enabled"], shown["orders"]) == (False, [])
    body = await desk.maker.refused("CreateOrderV2", 400, order(order_group_id=group))
    assert body["error"]["code"] == "order_group_triggered"
    assert await changed(desk, "ResetOrderGroup", group) == {}
    again = await place(desk.maker, order_group_id=group)
    shown = await desk.maker.ok("GetOrderGroup", **of(group))
    assert (shown["is_auto_cancel_enabled"], shown["orders"]) == (True, [again["order_id"]])
    resting = await desk.maker.ok("GetOrders", status="resting")
    assert {item["order_id"] for item in resting["orders"]} == {
        again["order_id"],
        outside["order_id"],
    }


async def test_the_limit_counts_the_last_15_seconds(desk: Desk) -> None:
    group = await created(desk)
    await place(desk.maker, "bid", "0.50", "30", order_group_id=group)
    for _ in range(2):
        taken = await place(desk.taker, "ask", "0.50", "9", time_in_force="immediate_or_cancel")
        assert taken["fill_count"] == "9.00"
        desk.exchange.advance(16)
    assert (await desk.maker.ok("GetOrderGroup", **of(group)))["is_auto_cancel_enabled"]


async def test_a_trigger_by_hand_and_a_lower_limit(desk: Desk) -> None:
    group = await created(desk, "50.00")
    await place(desk.maker, order_group_id=group)
    assert await changed(desk, "TriggerOrderGroup", group) == {}
    assert (await desk.maker.ok("GetOrderGroup", **of(group)))["orders"] == []
    await changed(desk, "ResetOrderGroup", group)
    await place(desk.maker, "bid", "0.50", "20", order_group_id=group)
    await place(desk.taker, "ask", "0.50", "7")
    assert await changed(desk, "UpdateOrderGroupLimit", group) == {}
    shown = await desk.maker.ok("GetOrderGroup", **of(group))
    assert (shown["contracts_limit_fp"], shown["is_auto_cancel_enabled"]) == ("5.00", False)
    assert shown["orders"] == []


async def test_a_deleted_group_takes_its_orders_along(desk: Desk) -> None:
    group = await created(desk)
    placed = await place(desk.maker, order_group_id=group)
    assert await changed(desk, "DeleteOrderGroup", group) == {}
    assert (await desk.maker.ok("GetOrder", **named(placed["order_id"])))["order"][
        "status"
    ] == "canceled"
    assert await desk.maker.refused("GetOrderGroup", 404, **of(group)) == NOT_FOUND
    await desk.maker.refused("CreateOrderV2", 404, order(order_group_id=group))


@pytest.mark.parametrize(
    "body",
    [{}, {"contracts_limit": 0}, {"contracts_limit": "5"}, {"contracts_limit": 1_000_001},
     {"contracts_limit_fp": 5}, {"contracts_limit_fp": "0.50"}, {"contracts_limit_fp": "-1"},
     {"contracts_limit": 5, "contracts_limit_fp": "6.00"}, {"contracts_limit": 5.5}, []],
)  # fmt: skip
async def test_refused_limits(desk: Desk, body: Any) -> None:
    await desk.maker.refused("CreateOrderGroup", 400, body)
    group = await created(desk)
    await desk.maker.refused("UpdateOrderGroupLimit", 400, body, **of(group))
    assert (await desk.maker.ok("GetOrderGroup", **of(group)))["contracts_limit_fp"] == "10.00"


async def test_both_ways_of_naming_a_limit_may_agree(desk: Desk) -> None:
    body = {"contracts_limit": 5, "contracts_limit_fp": "5.00"}
    group = (await desk.maker.ok("CreateOrderGroup", body))["order_group_id"]
    assert (await desk.maker.ok("GetOrderGroup", **of(group)))["contracts_limit_fp"] == "5.00"


@pytest.mark.parametrize("name", CHANGES)
async def test_changes_find_only_groups_of_their_own(desk: Desk, name: str) -> None:
    await desk.maker.ok("CreateSubaccount", {})
    group, sub = await created(desk), await created(desk, subaccount=1)
    far = await created(desk, exchange_index=2)
    assert await changed(desk, name, UNKNOWN, 404) == NOT_FOUND
    assert await changed(desk, name, sub, 404) == NOT_FOUND
    assert await changed(desk, name, far, 404) == NOT_FOUND
    desk.maker, desk.taker = desk.taker, desk.maker
    assert await changed(desk, name, group, 404) == NOT_FOUND
    desk.maker, desk.taker = desk.taker, desk.maker
    await changed(desk, name, sub, subaccount=1)
    await changed(desk, name, far, exchange_index=2)


async def test_lists_show_every_subaccount_or_one(desk: Desk) -> None:
    await desk.maker.ok("CreateSubaccount", {})
    group, sub = await created(desk), await created(desk, subaccount=1)

    async def listed(**params: Any) -> list[str]:
        body = await desk.maker.ok("GetOrderGroups", **params)
        return [item["id"] for item in body["order_groups"]]

    assert await listed() == [group, sub]
    assert await listed(subaccount=0) == [group]
    assert await listed(subaccount=1) == [sub]
    await desk.maker.ok("GetOrderGroup", **of(sub))
    await desk.maker.refused("GetOrderGroup", 404, subaccount=0, **of(sub))
    await desk.maker.refused("CreateOrderV2", 404, order(order_group_id=sub))
    await desk.maker.refused("CreateOrderGroup", 400, {"contracts_limit": 1, "subaccount": 9})


async def test_everything_answered_is_in_the_contract(desk: Desk) -> None:
    group = await created(desk, exchange_index=2)
    await place(desk.maker, ticker=FAR, order_group_id=group)
    for name in ("TriggerOrderGroup", "ResetOrderGroup"):
        await desk.maker.ok(name, {}, exchange_index=2, **of(group))
    limit = {"contracts_limit_fp": "7.00"}
    await desk.maker.ok("UpdateOrderGroupLimit", limit, exchange_index=2, **of(group))
    await desk.maker.ok("GetOrderGroup", **of(group))
    await desk.maker.ok("GetOrderGroups")
    await desk.maker.ok("DeleteOrderGroup", exchange_index=2, **of(group))
    broken = await desk.maker.send("ResetOrderGroup", content=b"{", **of(group))
    assert broken.status_code == 400
    assert len(desk.maker.check()) == 8
