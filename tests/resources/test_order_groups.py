"""Order groups: what is sent, and a hit on the embedded exchange."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from kalshi_async import BadRequestError, InvalidRequestError, NotFoundError
from kalshi_async.resources.order_groups import OrderGroups
from tests.sandbox.desk import FIRST, UNKNOWN

from .accounts import Room, room_on
from .fake import FakeTransport

CREATED = {"order_group_id": "g", "subaccount": 0}
PLACED = ["reset", "trigger", "delete", "set_limit"]


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with room_on(tmp_path) as found:
        yield found


@pytest.mark.parametrize(
    ("limit", "text"),
    [(10, "10.00"), ("2.5", "2.50"), (Decimal(1), "1.00"), (1_000_000, "1000000.00")],
)
async def test_limits_are_sent_as_text(limit, text):
    transport = FakeTransport.answering(CREATED)
    groups = OrderGroups(transport)
    made = await groups.create(contracts_limit=limit)
    assert (made.order_group_id, made.subaccount, made.exchange_index) == ("g", 0, None)
    await groups.set_limit("g", contracts_limit=limit, subaccount=3)
    assert [call.body for call in transport.calls] == [{"contracts_limit_fp": text}] * 2
    assert transport.calls[1].path == "/portfolio/order_groups/g/limit"
    assert transport.calls[1].query == "subaccount=3"


async def test_where_a_group_lives_is_sent_with_every_change():
    transport = FakeTransport.answering(CREATED)
    groups = OrderGroups(transport)
    where = {"subaccount": 0, "exchange_index": 2}
    await groups.create(contracts_limit=1, **where)
    for name in PLACED:
        more = {"contracts_limit": 5} if name == "set_limit" else {}
        await getattr(groups, name)("g/1", **where, **more)
    created, *changes = transport.calls
    assert created.body == {"contracts_limit_fp": "1.00"} | where
    assert {call.query for call in changes} == {"subaccount=0&exchange_index=2"}
    assert [(call.operation.method, call.path, call.body) for call in changes] == [
        ("PUT", "/portfolio/order_groups/g%2F1/reset", {}),
        ("PUT", "/portfolio/order_groups/g%2F1/trigger", {}),
        ("DELETE", "/portfolio/order_groups/g%2F1", None),
        ("PUT", "/portfolio/order_groups/g%2F1/limit", {"contracts_limit_fp": "5.00"}),
    ]


@pytest.mark.parametrize("limit", [0, "0.99", -1, 5.0, None, True, "many", "1.001", "NaN", 10**13])
async def test_impossible_limits_are_not_sent(limit):
    transport = FakeTransport.answering(CREATED)
    with pytest.raises(InvalidRequestError, match="contracts_limit"):
        await OrderGroups(transport).create(contracts_limit=limit)
    with pytest.raises(InvalidRequestError, match="contracts_limit"):
        await OrderGroups(transport).set_limit("g", contracts_limit=limit)
    assert transport.calls == []


@pytest.mark.parametrize("place", [{"subaccount": -1}, {"exchange_index": "0"}])
async def test_places_out_of_range_and_empty_ids_are_not_sent(place):
    transport = FakeTransport.answering(CREATED)
    groups = OrderGroups(transport)
    for name in PLACED:
        more = {"contracts_limit": 5} if name == "set_limit" else {}
        with pytest.raises(InvalidRequestError, match=next(iter(place))):
            await getattr(groups, name)("g", **place, **more)
        with pytest.raises(InvalidRequestError, match="order_group_id"):
            await getattr(groups, name)(" ", **more)
    with pytest.raises(InvalidRequestError, match="order_group_id"):
        await groups.get("")
    with pytest.raises(InvalidRequestError, match="subaccount"):
        await groups.list(subaccount=-1)
    assert transport.calls == []


async def test_groups_are_one_page_whatever_they_lack():
    groups = [
        {"id": "a", "is_auto_cancel_enabled": True},
        {"id": "b", "contracts_limit_fp": "2.00"},
    ]
    page = await OrderGroups(FakeTransport.answering({"order_groups": groups})).list()
    assert [(group.id, group.contracts_limit) for group in page] == [("a", None), ("b", 2)]


async def test_a_hit_cancels_all_and_refuses_until_reset(room: Room):
    groups = room.one.order_groups
    group_id = (await groups.create(contracts_limit="10")).order_group_id
    for price in ("0.50", "0.49"):
        await room.one.place(FIRST, "bid", "8", price, order_group_id=group_id)
    outside = await room.one.place(FIRST, "bid", "8", "0.48")
    shown = await groups.get(group_id)
    assert (shown.contracts_limit, shown.is_auto_cancel_enabled) == (10, True)
    assert set(shown.orders) == set(await room.one.resting()) - {outside}
    await room.other.place(FIRST, "ask", "12", "0.40", time_in_force="immediate_or_cancel")
    hit = await groups.get(group_id, subaccount=0)
    assert (hit.is_auto_cancel_enabled, hit.orders) == (False, [])
    assert await room.one.resting() == [outside]
    with pytest.raises(BadRequestError) as refused:
        await room.one.place(FIRST, "bid", "1", "0.30", order_group_id=group_id)
    assert refused.value.code == "order_group_triggered"
    await groups.reset(group_id)
    again = await room.one.place(FIRST, "bid", "1", "0.30", order_group_id=group_id)
    assert (await groups.get(group_id)).orders == [again]


async def test_the_kill_switch_a_lower_limit_and_deletion(room: Room):
    groups = room.one.order_groups
    group_id = (await groups.create(contracts_limit=50, exchange_index=0)).order_group_id
    await room.one.place(FIRST, "bid", "5", "0.50", order_group_id=group_id)
    await groups.trigger(group_id)
    await groups.trigger(group_id)
    assert await room.one.resting() == []
    await groups.reset(group_id)
    await room.one.place(FIRST, "bid", "20", "0.50", order_group_id=group_id)
    await room.other.place(FIRST, "ask", "7", "0.50")
    await groups.set_limit(group_id, contracts_limit=5)
    (listed,) = await groups.list()
    assert (listed.id, listed.contracts_limit, listed.is_auto_cancel_enabled) == (
        group_id,
        5,
        False,
    )
    await groups.reset(group_id)
    await room.one.place(FIRST, "bid", "5", "0.40", order_group_id=group_id)
    with pytest.raises(NotFoundError):
        await groups.delete(group_id, exchange_index=1)
    await groups.delete(group_id)
    assert await room.one.resting() == []
    assert list(await groups.list(subaccount=0)) == []
    with pytest.raises(NotFoundError):
        await groups.get(UNKNOWN)
