"""The objects of the REST API as they are made from what the exchange keeps."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox._handlers import shapes
from kalshi_async.sandbox._records import Fill, Group, Order, Position, Settlement, Trade

from .digest_check import CONTRACT

NOON = 1_770_000_000_000_000
HOLDING = {"user_id": "u", "subaccount": 2, "ticker": "KXA-1", "event_ticker": "KXA", "shard": 1}


def order(**fields: Any) -> Order:
    facts = {
        "order_id": "o",
        "user_id": "u",
        "subaccount": 2,
        "ticker": "KXA-1",
        "shard": 1,
        "client_order_id": "mine",
        "bid": True,
        "price": 4700,
        "initial": 1000,
        "remaining": 1000,
        "time_in_force": "good_till_canceled",
        "self_trade": "maker",
        "created": NOON,
        "updated": NOON + 1500,
        "priority": 1,
    }
    return Order(**{**facts, **fields})


def fill(**fields: Any) -> Fill:
    facts = {
        "trade_id": "t",
        "order_id": "o",
        "client_order_id": "mine",
        "user_id": "u",
        "subaccount": 2,
        "ticker": "KXA-1",
        "shard": 1,
        "bid": True,
        "price": 4700,
        "count": 250,
        "is_taker": True,
        "fee": 17_500,
        "position": 250,
        "time": NOON,
    }
    return Fill(**{**facts, **fields})


def settlement(**fields: Any) -> Settlement:
    facts = {"value": 10_000, "count": 300, "cost": 1_410_000, "fees": 52_500}
    return Settlement(**{**HOLDING, **facts, "revenue": 3_000_000, "time": NOON, **fields})


def check(schema: str, shape: object) -> None:
    assert CONTRACT.schema_problems(schema, shape) == []


def test_every_object_is_what_the_contract_says() -> None:
    filled = order(
        bid=False, filled=300, taker_filled=100, taker_value=470_000, maker_value=960_000,
        taker_fees=17_500, maker_fees=100, remaining=700, expiration=NOON, group_id="g",
    )  # fmt: skip
    for one in (order(), order(client_order_id=""), filled):
        check("Order", shapes.order_shape(one))
        check("CreateOrderV2Response", shapes.placed_shape(one))
        check("CancelOrderV2Response", shapes.canceled_shape(one, 700))
        check("DecreaseOrderV2Response", shapes.decreased_shape(one))
        check("AmendOrderV2Response", shapes.amended_shape(order(bid=one.bid), one))
        check("OrderQueuePosition", shapes.queue_shape(one, 1234))
    check("Fill", shapes.fill_shape(fill()))
    check("Fill", shapes.fill_shape(fill(bid=False)))
    for bid in (True, False):
        trade = Trade(trade_id="t", ticker="A", price=4700, count=1, taker_bid=bid, time=NOON)
        check("Trade", shapes.trade_shape(trade))
    for value in (0, 3750, 10_000):
        for count in (300, -300, 0):
            one_settled = settlement(value=value, count=count)
            check("Settlement", shapes.settlement_shape(one_settled))
    position = Position(**HOLDING, updated=NOON)
    check("MarketPosition", shapes.market_position_shape(position))
    check("EventPosition", shapes.event_position_shape("KXA", [position]))
    group = Group(group_id="g", user_id="u", subaccount=0, shard=0, limit=1000)
    check("OrderGroup", shapes.group_shape(group))
    check("GetOrderGroupResponse", shapes.group_detail_shape(group, ["o"]))


def test_an_order_that_buys() -> None:
    shape = shapes.order_shape(
        order(filled=300, taker_filled=300, taker_value=1_380_000, taker_fees=52_161, remaining=700)
    )
    assert shape == {
        "action": "buy",
        "book_side": "bid",
        "cancel_order_on_pause": False,
        "client_order_id": "mine",
        "created_time": "2026-02-02T02:40:00Z",
        "exchange_index": 1,
        "expiration_time": None,
        "fill_count_fp": "3.00",
        "initial_count_fp": "10.00",
        "last_update_time": "2026-02-02T02:40:00.001500Z",
        "maker_fees_dollars": "0.000000",
        "maker_fill_cost_dollars": "0.000000",
        "no_price_dollars": "0.5300",
        "order_group_id": None,
        "order_id": "o",
        "outcome_side": "yes",
        "remaining_count_fp": "7.00",
        "self_trade_prevention_type": "maker",
        "side": "yes",
        "status": "resting",
        "subaccount_number": 2,
        "taker_fees_dollars": "0.052161",
        "taker_fill_cost_dollars": "1.380000",
        "ticker": "KXA-1",
        "type": "limit",
        "user_id": "u",
        "yes_price_dollars": "0.4700",
    }


def test_an_order_that_sells_pays_the_price_of_no() -> None:
    shape = shapes.order_shape(
        order(bid=False, filled=300, taker_filled=100, taker_value=470_000, maker_value=960_000)
    )
    assert (shape["book_side"], shape["outcome_side"]) == ("ask", "no")
    assert (shape["action"], shape["side"]) == ("sell", "yes")
    assert shape["taker_fill_cost_dollars"] == "0.530000"
    assert shape["maker_fill_cost_dollars"] == "1.040000"


def test_averages_show_only_where_something_filled() -> None:
    # 43 contracts at 0.24 cost a fee of 0.549024, which is 0.012768 each.
    placed = shapes.placed_shape(
        order(filled=4300, taker_filled=4300, taker_value=10_320_000, taker_fees=549_024)
    )
    assert placed["average_fill_price"] == "0.2400"
    assert placed["average_fee_paid"] == "0.0128"
    assert not {"average_fill_price", "average_fee_paid"} & shapes.placed_shape(order()).keys()
    assert "client_order_id" not in shapes.placed_shape(order(client_order_id=""))


def test_an_amendment_tells_what_it_filled_itself() -> None:
    before = order(filled=100, maker_value=470_000, maker_fees=4400, remaining=900)
    assert shapes.amended_shape(before, before) == {
        "client_order_id": "mine",
        "order_id": "o",
        "ts_ms": (NOON + 1500) // 1000,
    }
    after = order(
        filled=300, taker_filled=200, taker_value=1_000_000, taker_fees=35_000,
        maker_value=470_000, maker_fees=4400, remaining=700,
    )  # fmt: skip
    shape = shapes.amended_shape(before, after)
    assert (shape["fill_count"], shape["remaining_count"]) == ("2.00", "7.00")
    assert (shape["average_fill_price"], shape["average_fee_paid"]) == ("0.5000", "0.0175")
    smaller = shapes.amended_shape(before, order(filled=100, remaining=400))
    assert (smaller["fill_count"], smaller["remaining_count"]) == ("0.00", "4.00")


def test_settlements_have_whole_cents() -> None:
    shape = shapes.settlement_shape(settlement())
    assert (shape["market_result"], shape["value"], shape["revenue"]) == ("yes", 100, 300)
    assert (shape["yes_count_fp"], shape["no_count_fp"]) == ("3.00", "0.00")
    assert (shape["yes_total_cost_dollars"], shape["no_total_cost_dollars"]) == (
        "1.410000",
        "0.000000",
    )
    against = shapes.settlement_shape(settlement(value=0, count=-300))
    assert (against["market_result"], against["no_count_fp"]) == ("no", "3.00")
    assert against["no_total_cost_dollars"] == "1.410000"
    part = shapes.settlement_shape(settlement(value=3750, revenue=1_125_000))
    assert (part["market_result"], part["value"], part["revenue"]) == ("scalar", 37, 112)


def test_positions_add_up_over_the_markets_of_an_event() -> None:
    facts = {**HOLDING, "cost": 470_000, "traded": 1_000_000, "realized": -30_000, "fees": 17_500}
    yes, no = Position(**facts, count=100, volume=300), Position(**facts, count=-200, volume=200)
    assert shapes.market_position_shape(no)["position_fp"] == "-2.00"
    assert shapes.event_position_shape("KXA", [yes, no]) == {
        "event_exposure_dollars": "0.940000",
        "event_ticker": "KXA",
        "fees_paid_dollars": "0.035000",
        "realized_pnl_dollars": "-0.060000",
        "total_cost_dollars": "2.000000",
        "total_cost_shares_fp": "5.00",
    }


@given(
    st.booleans(),
    st.lists(st.tuples(st.integers(1, 9999), st.integers(1, 10_000)), min_size=1, max_size=9),
)
def test_cost_and_mean_price_are_those_of_the_fills(
    bid: bool, fills: list[tuple[int, int]]
) -> None:
    count = sum(size for _, size in fills)
    value = sum(price * size for price, size in fills)
    one = order(bid=bid, filled=count, taker_filled=count, taker_value=value)
    prices = [Decimal(price if bid else 10_000 - price) / 10_000 for price, _ in fills]
    paid = sum(price * size / 100 for price, (_, size) in zip(prices, fills, strict=True))
    assert Decimal(str(shapes.order_shape(one)["taker_fill_cost_dollars"])) == paid
    mean = Decimal(str(shapes.placed_shape(one)["average_fill_price"]))
    assert abs(mean - Decimal(value) / count / 10_000) <= Decimal("0.00005")
