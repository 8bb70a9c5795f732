"""Amending, decreasing and cancelling orders, order groups, and trades beside the book."""

from __future__ import annotations

import pytest

from kalshi_async.sandbox._engine import Engine
from kalshi_async.sandbox._records import Order

from .engines import engine, free, levels, market, place, refusal, there

SECOND = 1_000_000


def amend(exchange: Engine, order: Order, now: int = 2, **changes: object) -> Order:
    fields: dict[str, object] = {
        "ticker": order.ticker,
        "bid": order.bid,
        "price": order.price,
        "count": order.filled + order.remaining,
    }
    return exchange.amend(order.user_id, order.order_id, now, **{**fields, **changes})  # type: ignore[arg-type]


def test_smaller_orders_and_other_expirations_keep_their_place() -> None:
    exchange = engine()
    first = place(exchange, "a", "bid", 5000, 10)
    second = place(exchange, "b", "bid", 5000, 10)
    exchange.decrease("a", first.order_id, 2, reduce_by=300)
    assert amend(exchange, first, count=500, expiration=9 * SECOND).remaining == 500
    assert exchange.queue_position(second) == 500
    assert exchange.queue_position(first) == 0
    exchange.advance(9 * SECOND)
    assert first.status == "canceled"
    assert exchange.queue_position(second) == 0


@pytest.mark.parametrize("changes", [{"count": 1100}, {"price": 4900}, {"price": 5100}])
def test_anything_else_loses_the_place(changes: dict[str, int]) -> None:
    exchange = engine()
    first = place(exchange, "a", "bid", 5000, 10)
    second = place(exchange, "b", "bid", 5000, 10)
    amend(exchange, first, **changes)
    assert (first.order_id, first.status) == ("id-4", "resting")
    assert exchange.queue_position(second) == (1000 if changes.get("price") == 5100 else 0)


def test_an_amended_order_may_trade_at_once() -> None:
    exchange = engine()
    place(exchange, "b", "ask", 5200, 4)
    order = place(exchange, "a", "bid", 5000, 10)
    amend(exchange, order, price=5200)
    assert (order.filled, order.remaining, order.initial) == (400, 600, 1000)
    # The count of an amendment is what is filled and what is wanted beyond it.
    amend(exchange, order, count=500)
    assert (order.filled, order.remaining, order.initial) == (400, 100, 500)
    assert refusal(amend, exchange, order, count=400) == (400, "invalid_order")


def test_an_amendment_that_cannot_be_paid_for_leaves_the_order_alone() -> None:
    exchange = engine(dollars=10)
    order = place(exchange, "a", "bid", 5000, 10)
    before = free(exchange, "a")
    assert refusal(amend, exchange, order, count=3000) == (400, "insufficient_balance")
    assert refusal(amend, exchange, order, price=4950) == (400, "invalid_price")
    assert refusal(amend, exchange, order, bid=False) == (400, "invalid_order")
    assert (free(exchange, "a"), levels(exchange)) == (before, ([(5000, 1000)], []))


def test_a_post_only_order_stays_one_when_amended() -> None:
    exchange = engine()
    place(exchange, "b", "ask", 5200, 4)
    order = place(exchange, "a", "bid", 5000, 10, post_only=True)
    assert refusal(amend, exchange, order, price=5200) == (400, "invalid_order")
    assert order.price == 5000


def test_an_amended_client_order_id_is_spent_as_well() -> None:
    exchange = engine()
    place(exchange, "a", "bid", 4000, 1, client_order_id="other")
    order = place(exchange, "a", "bid", 5000, 10, client_order_id="x")
    assert refusal(amend, exchange, order, updated_client_order_id="other") == (
        409,
        "order_already_exists",
    )
    amend(exchange, order, client_order_id="x", updated_client_order_id="y")
    assert order.client_order_id == "y"
    for spent in "xy":
        assert refusal(place, exchange, "a", "bid", 4000, 1, client_order_id=spent)[0] == 409


def test_decreasing_to_nothing_cancels() -> None:
    exchange = engine()
    order = place(exchange, "a", "bid", 5000, 10)
    assert refusal(exchange.decrease, "a", order.order_id, 2, reduce_by=1001)[0] == 400
    assert refusal(exchange.decrease, "a", order.order_id, 2, reduce_to=1001)[0] == 400
    assert refusal(exchange.decrease, "a", order.order_id, 2)[0] == 400
    exchange.decrease("a", order.order_id, 2, reduce_to=0)
    assert (order.status, order.reason) == ("canceled", "Decrease")
    assert free(exchange, "a") == 10_000 * SECOND


def test_cancelled_executed_unknown_and_foreign_orders_are_all_not_found() -> None:
    exchange = engine()
    order = place(exchange, "a", "bid", 5000, 1)
    done = place(exchange, "a", "bid", 5100, 1)
    place(exchange, "b", "ask", 5100, 1)
    assert refusal(exchange.cancel, "b", order.order_id, 2) == (404, "not_found")
    assert exchange.cancel("a", order.order_id, 2) == (order, 100)
    for gone in (order.order_id, done.order_id, "nothing"):
        assert refusal(exchange.cancel, "a", gone, 2) == (404, "not_found")


def test_cancel_all_is_of_one_subaccount_or_of_all() -> None:
    exchange = engine()
    number = exchange.create_subaccount("a", 1)
    exchange.transfer("a", 10 * SECOND, 1, to_subaccount=number)
    mine = place(exchange, "a", "bid", 5000, 1)
    other = place(exchange, "a", "bid", 5000, 1, subaccount=number)
    foreign = place(exchange, "b", "bid", 5000, 1)
    assert exchange.cancel_all("a", 2, subaccount=number) == [other]
    assert exchange.cancel_all("a", 2) == [mine]
    assert levels(exchange) == ([(5000, 100)], [])
    assert foreign.status == "resting"


def test_a_group_matches_no_more_than_its_limit_in_fifteen_seconds() -> None:
    exchange = engine()
    group = exchange.create_group("a", 500, 1)
    first = place(exchange, "a", "bid", 5000, 4, group_id=group.group_id)
    second = place(exchange, "a", "bid", 4900, 4, group_id=group.group_id)
    loose = place(exchange, "a", "bid", 4800, 4)
    taker = place(exchange, "b", "ask", 4800, 8)
    assert (first.filled, second.filled, loose.filled) == (400, 100, 300)
    assert (second.status, group.triggered, taker.status) == ("canceled", True, "executed")
    assert refusal(place, exchange, "a", "bid", 100, 1, group_id=group.group_id) == (
        400,
        "order_group_triggered",
    )
    exchange.reset_group("a", group.group_id, 2)
    again = place(exchange, "a", "bid", 5000, 9, group_id=group.group_id)
    assert again.status == "resting"


def test_a_taker_stops_where_its_group_does() -> None:
    exchange = engine()
    group = exchange.create_group("a", 300, 1)
    place(exchange, "b", "ask", 5000, 8)
    taker = place(exchange, "a", "bid", 5000, 8, group_id=group.group_id)
    assert (taker.filled, taker.status, group.triggered) == (300, "canceled", True)
    assert levels(exchange) == ([], [(5000, 500)])


def test_matches_older_than_fifteen_seconds_no_longer_count() -> None:
    exchange = engine()
    group = exchange.create_group("a", 500, 0)
    place(exchange, "b", "ask", 5000, 20, now=0)
    for now in (0, 15 * SECOND, 30 * SECOND):
        place(exchange, "a", "bid", 5000, 4, now=now, group_id=group.group_id)
        assert not group.triggered
    place(exchange, "a", "bid", 5000, 4, now=45 * SECOND - 1, group_id=group.group_id)
    assert group.triggered


def test_a_fill_or_kill_order_knows_the_limits_of_groups() -> None:
    exchange = engine()
    group = exchange.create_group("b", 300, 0)
    place(exchange, "b", "ask", 5000, 2, group_id=group.group_id)
    place(exchange, "b", "ask", 5000, 2, group_id=group.group_id)
    order = {"time_in_force": "fill_or_kill"}
    assert refusal(place, exchange, "a", "bid", 5000, 4, **order)[0] == 409
    assert place(exchange, "a", "bid", 5000, 3, **order).status == "executed"


def test_deleting_and_limiting_groups() -> None:
    exchange = engine()
    group = exchange.create_group("a", 500, 0)
    order = place(exchange, "a", "bid", 5000, 4, group_id=group.group_id)
    place(exchange, "b", "ask", 5000, 2)
    exchange.limit_group("a", group.group_id, 200, 2)
    assert (group.triggered, order.status) == (True, "canceled")
    exchange.delete_group("a", group.group_id, 3)
    assert refusal(exchange.reset_group, "a", group.group_id, 3) == (404, "not_found")


def test_a_trade_beside_the_book_is_paid_for_like_any_other() -> None:
    exchange = engine(market(maker_quarters=1), dollars=100)
    terms = {
        "maker_user": "a",
        "taker_user": "b",
        "ticker": "M",
        "taker_bid": True,
        "price": 5000,
        "now": 1,
    }
    taker, maker = exchange.cross(**terms, count=10_000)
    assert (taker.filled, maker.filled, maker.status) == (10_000, 10_000, "executed")
    assert exchange.traders["b"].positions[0, "M"].count == 10_000
    assert levels(exchange) == ([], [])
    before = free(exchange, "a"), free(exchange, "b")
    assert refusal(exchange.cross, **terms, count=10_000) == (400, "insufficient_balance")
    assert (free(exchange, "a"), free(exchange, "b")) == before
    assert there(exchange) == exchange.paid_in
