"""Faults of the whole exchange: what a trader sees of them, and what is true afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from kalshi_async.sandbox import Faults

from .desk import Desk, desk_on, order, place


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_on(tmp_path) as running:
        yield running


@pytest.mark.parametrize("ending", ["drop", "reset"])
async def test_an_order_whose_answer_was_lost_is_there(desk: Desk, ending: str) -> None:
    desk.exchange.faults.on("CreateOrderV2", processed=True, **{ending: True})
    new = order(client_order_id="once")
    with pytest.raises(httpx.TransportError):
        await desk.maker.send("CreateOrderV2", new)
    repeated = await desk.maker.send("CreateOrderV2", new)
    assert repeated.status_code == 409
    assert repeated.json()["error"]["code"] == "order_already_exists"
    orders = (await desk.maker.ok("GetOrders"))["orders"]
    assert [found["client_order_id"] for found in orders] == ["once"]
    assert desk.exchange.requests["CreateOrderV2", 0] == 1


@pytest.mark.parametrize("fault", [{"drop": True}, {"reset": True}, {"status": 503}])
async def test_an_order_that_never_took_effect_can_be_repeated(
    desk: Desk, fault: dict[str, object]
) -> None:
    desk.exchange.faults.on("CreateOrderV2", **fault)  # type: ignore[arg-type]
    new = order(client_order_id="again")
    try:
        assert (await desk.maker.send("CreateOrderV2", new)).status_code == 503
    except httpx.TransportError:
        assert "status" not in fault
    await desk.maker.ok("CreateOrderV2", new)


async def test_a_gateway_can_time_out_on_an_order_that_is_placed(desk: Desk) -> None:
    desk.exchange.faults.on("CreateOrderV2", status=504, processed=True)
    new = order(client_order_id="late")
    assert (await desk.maker.send("CreateOrderV2", new)).status_code == 504
    assert (await desk.maker.send("CreateOrderV2", new)).status_code == 409


async def test_reads_lag_behind_writes(desk: Desk) -> None:
    desk.exchange.faults.read_lag = 60.0
    await place(desk.maker)
    await place(desk.taker, "ask", count="4")
    for name, field in (("GetOrders", "orders"), ("GetFills", "fills")):
        assert (await desk.maker.ok(name))[field] == []
    assert (await desk.maker.ok("GetPositions"))["market_positions"] == []
    assert (await desk.maker.ok("GetBalance"))["balance"] == 1_100_000
    desk.exchange.faults.read_lag = 0.0
    assert (await desk.maker.ok("GetOrders"))["orders"][0]["remaining_count_fp"] == "6.00"
    assert (await desk.maker.ok("GetFills"))["fills"][0]["count_fp"] == "4.00"


async def test_a_single_read_can_be_stale(desk: Desk) -> None:
    desk.exchange.faults = Faults().on("GetOrder", stale=60.0)
    placed = await place(desk.maker)
    path = {"names": {"order_id": placed["order_id"]}}
    assert (await desk.maker.send("GetOrder", **path)).status_code == 404  # type: ignore[arg-type]
    found = await desk.maker.ok("GetOrder", **path)  # type: ignore[arg-type]
    assert found["order"]["status"] == "resting"


async def test_the_exchange_is_gone_for_a_while(desk: Desk) -> None:
    async with desk.exchange.refuse_connections():
        with pytest.raises(httpx.ConnectError):
            await desk.maker.send("GetOrders")
    await desk.maker.ok("GetOrders")
