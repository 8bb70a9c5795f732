"""Corners of the engine: exact money at the edge of a purse, groups that reach their limit to the
hundredth, and state that must not grow with time.
"""

from __future__ import annotations

import pytest

from kalshi_async.sandbox._engine import Engine
from kalshi_async.sandbox._events import BookChanged, CashMoved, GroupChanged, OrderChanged
from kalshi_async.sandbox._groups import WINDOW
from kalshi_async.sandbox._records import Order

from .engines import TENTHS, engine, free, levels, market, place, refusal, there

SECOND = 1_000_000


def leave(exchange: Engine, user_id: str, amount: int) -> None:
    """Take money out of an account until so much of it is free."""
    exchange.withdraw(user_id, free(exchange, user_id) - amount, 1)


def solvent(exchange: Engine) -> None:
    """Money is conserved and nobody's free cash is below zero."""
    assert there(exchange) == exchange.paid_in
    for trader in exchange.traders.values():
        for wallet in trader.wallets.values():
            assert trader.house or wallet.free >= 0, wallet


# Money


def test_rounding_leaves_what_the_rest_of_the_order_will_cost() -> None:
    exchange = engine()
    place(exchange, "a", "ask", 5000, 0.01)
    place(exchange, "a", "ask", 5000, 9.99)
    leave(exchange, "b", 5_175_000)  # ten at $0.50 and their fee, to the millionth
    assert place(exchange, "b", "bid", 5000, 10).status == "executed"
    solvent(exchange)


def test_rounding_of_many_small_fills_never_overdraws_a_purse() -> None:
    exchange = engine(market(grid=TENTHS))
    for number in range(50):
        place(exchange, "a", "ask", 4910 + number % 7 * 10, 0.03)
    place(exchange, "a", "ask", 5000, 20)
    leave(exchange, "b", 10_350_000)
    assert place(exchange, "b", "bid", 5000, 20).filled == 2000
    solvent(exchange)


CROSS = {"maker_user": "a", "taker_user": "b", "ticker": "M", "price": 5000, "now": 1}


def test_a_trade_beside_the_book_pays_for_the_orders_it_leaves_uncovered() -> None:
    exchange = engine()
    place(exchange, "a", "ask", 5000, 10)
    place(exchange, "b", "bid", 5000, 10)
    # The holding covers these asks, until it is sold beside the book.
    place(exchange, "b", "ask", 100, 10, post_only=True)
    leave(exchange, "b", 10 * 500_000)
    before = free(exchange, "b"), exchange.traders["b"].wallet(0, 0).reserved
    assert refusal(exchange.cross, **CROSS, taker_bid=False, count=1000) == (
        400,
        "insufficient_balance",
    )
    assert (free(exchange, "b"), exchange.traders["b"].wallet(0, 0).reserved) == before
    solvent(exchange)
    exchange.deposit("b", 75_000, 1)
    exchange.cross(**CROSS, taker_bid=False, count=1000)
    assert free(exchange, "b") == 0
    solvent(exchange)


def test_a_trade_beside_the_book_pays_its_fee_out_of_what_it_brings_in() -> None:
    exchange = engine()
    place(exchange, "a", "ask", 5000, 10)
    place(exchange, "b", "bid", 5000, 10)
    leave(exchange, "b", 0)
    exchange.cross(**CROSS, taker_bid=False, count=1000)
    assert free(exchange, "b") == 10 * 500_000 - 175_000
    solvent(exchange)


def test_a_maker_beside_the_book_needs_no_more_than_its_own_fee() -> None:
    exchange = engine()
    leave(exchange, "a", 10 * 500_000)
    exchange.cross(**CROSS, taker_bid=True, count=1000)
    assert free(exchange, "a") == 0
    solvent(exchange)


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"maker_user": "nobody"}, (404, "not_found")),
        ({"maker_subaccount": 5}, (400, "invalid_subaccount")),
        ({"maker_client_order_id": "x"}, (409, "order_already_exists")),
        ({"count": 10_000_000}, (400, "insufficient_balance")),
    ],
)
def test_a_refused_trade_beside_the_book_changes_nothing(
    changes: dict[str, object], refused: tuple[int, str]
) -> None:
    """Not even money moves between shards."""
    exchange = engine(market(shard=2))
    exchange.market("M", 0)
    exchange.deposit("b", 10_000_000 * SECOND, 1)
    place(exchange, "a", "bid", 100, 1, client_order_id="x")
    exchange.drain()
    terms: dict[str, object] = {**CROSS, "taker_bid": True, "count": 1000, **changes}
    assert refusal(exchange.cross, **terms) == refused
    assert exchange.drain() == []
    assert free(exchange, "b") == 10_010_000 * SECOND
    assert exchange.traders["b"].transfers == []
    solvent(exchange)


def test_a_trade_beside_the_book_tells_of_two_new_orders() -> None:
    exchange = engine()
    exchange.drain()
    taker, maker = exchange.cross(**CROSS, taker_bid=True, count=1000)
    told = [event for event in exchange.drain() if isinstance(event, OrderChanged)]
    assert [(event.order, event.new) for event in told] == [(maker, True), (taker, True)]


@pytest.mark.parametrize("amount", [0, -SECOND])
def test_money_goes_in_and_out_in_amounts_above_zero(amount: int) -> None:
    exchange = engine(dollars=10)
    assert refusal(exchange.withdraw, "a", amount, 1) == (400, "bad_request")
    if amount:
        assert refusal(exchange.deposit, "a", amount, 1) == (400, "bad_request")
    assert free(exchange, "a") == 10 * SECOND


def test_a_repeated_transfer_is_known_however_the_others_came_about() -> None:
    exchange = engine()
    number = exchange.create_subaccount("a", 1)
    first = exchange.transfer("a", 5, 1, to_subaccount=number, client_transfer_id="x")
    exchange.transfer("a", 5, 1, to_subaccount=number)
    again = {"to_subaccount": number, "client_transfer_id": "x"}
    assert refusal(exchange.transfer, "a", 5, 1, **again) == (409, "transfer_already_exists")
    fresh = engine()
    fresh.create_subaccount("a", 1)
    # As a restart does it.
    fresh.traders["a"].transfers.append(first)
    assert refusal(fresh.transfer, "a", 5, 1, **again) == (409, "transfer_already_exists")
    assert fresh.transfer("a", 5, 1, to_subaccount=number, client_transfer_id="y").amount == 5


# Groups


def test_a_taker_that_fills_as_its_group_reaches_the_limit_is_executed() -> None:
    exchange = engine()
    group = exchange.create_group("a", 300, 1)
    place(exchange, "b", "ask", 5000, 8)
    taker = place(exchange, "a", "bid", 5000, 3, group_id=group.group_id)
    assert group.triggered
    assert (taker.filled, taker.remaining, taker.status) == (300, 0, "executed")


def test_an_amended_order_that_fills_as_its_group_reaches_the_limit_is_executed() -> None:
    exchange = engine()
    group = exchange.create_group("a", 300, 1)
    place(exchange, "b", "ask", 5000, 8)
    order = place(exchange, "a", "bid", 4000, 2, group_id=group.group_id)
    other = place(exchange, "a", "bid", 3000, 2, group_id=group.group_id)
    exchange.amend("a", order.order_id, 2, ticker="M", bid=True, price=5000, count=300)
    assert (order.status, order.initial, order.filled) == ("executed", 300, 300)
    assert (other.status, other.remaining) == ("canceled", 0)
    assert exchange.traders["a"].resting == {}
    assert free(exchange, "a") == exchange.traders["a"].wallet(0, 0).cash


def test_a_group_counts_exactly_while_time_goes_by_in_microseconds() -> None:
    exchange = engine()
    group = exchange.create_group("a", 50_000, 0)
    place(exchange, "b", "ask", 5000, 6000, now=0)
    step = 999_983
    for number in range(1, 200):
        order = place(exchange, "a", "bid", 5000, 30, now=number * step, group_id=group.group_id)
        assert order.filled == 3000
        # What counts is at least what was matched in the window, and no more than that of a
        # hundredth of a second before it.
        now = number * step
        times = [other * step for other in range(1, number + 1)]
        least = sum(3000 for time in times if time > now - WINDOW)
        most = sum(3000 for time in times if time > now - WINDOW - SECOND // 100)
        assert least <= sum(count for _, count in group.recent) <= most
    assert not group.triggered


def test_what_a_group_remembers_does_not_grow_with_the_number_of_its_matches() -> None:
    exchange = engine()
    group = exchange.create_group("a", 10**9, 0)
    place(exchange, "b", "ask", 5000, 1000, now=0)
    for number in range(5000):
        place(exchange, "a", "bid", 5000, 0.01, now=number * 100, group_id=group.group_id)
    assert sum(count for _, count in group.recent) == 5000
    assert len(group.recent) <= 51


def test_a_group_without_a_limit_is_none() -> None:
    exchange = engine()
    assert refusal(exchange.create_group, "a", 0, 1) == (400, "bad_request")
    group = exchange.create_group("a", 300, 1)
    assert refusal(exchange.limit_group, "a", group.group_id, 0, 1) == (400, "bad_request")
    assert group.limit == 300


def test_a_group_is_told_to_be_triggered_once() -> None:
    exchange = engine()
    group = exchange.create_group("a", 300, 1)
    exchange.trigger_group("a", group.group_id, 2)
    exchange.limit_group("a", group.group_id, 200, 3)
    kinds = [event.kind for event in exchange.drain() if isinstance(event, GroupChanged)]
    assert kinds == ["created", "triggered", "limit_updated"]


# Time


def test_what_is_due_happens_in_the_order_of_time_and_at_its_instant() -> None:
    exchange = engine(market("M", closes=20 * SECOND), market("N"))
    late = place(exchange, "a", "bid", 5000, 1, expiration=30 * SECOND)
    early = place(exchange, "a", "bid", 5000, 1, expiration=10 * SECOND)
    other = place(exchange, "a", "bid", 5000, 1, ticker="N", expiration=25 * SECOND)
    exchange.drain()
    exchange.advance(60 * SECOND)
    assert (early.reason, early.updated) == ("ExpiryCancel", 10 * SECOND)
    assert (late.reason, late.updated) == ("CloseCancel", 20 * SECOND)
    assert (other.reason, other.updated) == ("ExpiryCancel", 25 * SECOND)
    assert exchange.markets["M"].closes == 20 * SECOND
    times = [event.time for event in exchange.drain() if isinstance(event, BookChanged)]
    assert times == [10 * SECOND, 20 * SECOND, 25 * SECOND]


def test_ended_orders_do_not_wait_for_their_expiration_in_memory() -> None:
    exchange = engine()
    kept = place(exchange, "a", "bid", 5000, 1, expiration=10**12)
    for number in range(5000):
        order = place(exchange, "a", "bid", 4000, 1, now=number, expiration=10**15 + number)
        exchange.cancel("a", order.order_id, number)
    assert len(exchange.expiring) < 2500
    exchange.advance(10**12)
    assert kept.status == "canceled"


def test_amending_an_order_again_and_again_takes_no_memory() -> None:
    exchange = engine()
    order = place(exchange, "a", "bid", 5000, 1, expiration=10**12)
    for number in range(5000):
        exchange.amend(
            "a",
            order.order_id,
            number,
            ticker="M",
            bid=True,
            price=4900 + number % 2 * 100,
            count=100,
            expiration=10**12 + number % 3,
        )
    assert len(exchange.expiring) < 2500
    exchange.advance(order.expiration - 1)
    assert order.status == "resting"
    exchange.advance(order.expiration)
    assert (order.status, order.reason) == ("canceled", "ExpiryCancel")


def test_an_expiration_that_is_taken_back_no_longer_counts() -> None:
    exchange = engine()
    order = place(exchange, "a", "bid", 5000, 1, expiration=10 * SECOND)
    same = {"ticker": "M", "bid": True, "price": 5000, "count": 100}
    exchange.amend("a", order.order_id, 2, **same, expiration=0)
    exchange.advance(20 * SECOND)
    assert order.status == "resting"
    exchange.amend("a", order.order_id, 20 * SECOND, **same, expiration=30 * SECOND)
    exchange.advance(30 * SECOND)
    assert order.status == "canceled"


# Changes of orders


def test_an_amendment_to_a_smaller_size_is_told_once() -> None:
    exchange = engine()
    order = place(exchange, "a", "bid", 5000, 10)
    exchange.drain()
    exchange.amend("a", order.order_id, 2, ticker="M", bid=True, price=5000, count=400)
    told = [type(event).__name__ for event in exchange.drain()]
    assert told == ["BookChanged", "OrderChanged"]
    assert (order.initial, order.remaining, order.reason) == (400, 400, "Amend")


def test_counts_after_a_decrease_an_amendment_and_fills_add_up() -> None:
    exchange = engine()
    order = place(exchange, "a", "bid", 5000, 10)
    place(exchange, "b", "ask", 5000, 2)
    exchange.decrease("a", order.order_id, 2, reduce_to=500)
    assert (order.initial, order.filled, order.remaining) == (1000, 200, 500)
    exchange.amend("a", order.order_id, 3, ticker="M", bid=True, price=5100, count=900)
    assert (order.initial, order.filled, order.remaining) == (900, 200, 700)
    place(exchange, "b", "ask", 5000, 7)
    assert (order.status, order.filled, order.remaining) == ("executed", 900, 0)


@pytest.mark.parametrize("changes", [{"reduce_by": 0}, {"reduce_by": -1}, {"reduce_to": -1}])
def test_a_decrease_that_is_none_is_refused(changes: dict[str, int]) -> None:
    exchange = engine()
    order = place(exchange, "a", "bid", 5000, 10)
    assert refusal(exchange.decrease, "a", order.order_id, 2, **changes) == (400, "invalid_order")
    assert order.remaining == 1000


def resting_sums(exchange: Engine, orders: list[Order]) -> list[int]:
    """Queue positions the slow way: by price, then by priority."""
    side = [order for order in orders if order.status == "resting"]
    side.sort(key=lambda order: (-order.price, order.priority))
    found, ahead = {}, 0
    for order in side:
        found[order.order_id] = ahead
        ahead += order.remaining
    return [found[order.order_id] for order in orders if order.order_id in found]


def test_queue_positions_follow_every_change_of_the_book() -> None:
    exchange = engine()
    orders = [place(exchange, "a", "bid", 5000 + n % 3 * 100, 1 + n) for n in range(12)]

    def check() -> None:
        live = [order for order in orders if order.status == "resting"]
        for _ in range(2):
            assert [exchange.queue_position(order) for order in live] == resting_sums(
                exchange, orders
            )

    check()
    exchange.decrease("a", orders[1].order_id, 2, reduce_by=50)
    check()
    exchange.cancel("a", orders[2].order_id, 2)
    check()
    place(exchange, "b", "ask", 5000, 9)
    check()
    exchange.amend("a", orders[3].order_id, 2, ticker="M", bid=True, price=5200, count=100)
    check()
    orders.append(place(exchange, "a", "bid", 5200, 4))
    check()


def test_pausing_a_market_cancels_in_its_own_book_only() -> None:
    exchange = engine(market("M"), market("N"))
    best = place(exchange, "a", "bid", 5000, 1, cancel_on_pause=True)
    kept = place(exchange, "b", "bid", 5000, 1)
    other = place(exchange, "a", "bid", 5000, 1, ticker="N", cancel_on_pause=True)
    exchange.pause_market("M", 2)
    assert (best.status, kept.status, other.status) == ("canceled", "resting", "resting")
    assert levels(exchange) == ([(5000, 100)], [])


def test_a_fill_or_kill_order_meets_its_own_order_as_its_prevention_says() -> None:
    exchange = engine()
    place(exchange, "b", "ask", 5000, 1)
    own = place(exchange, "a", "ask", 5100, 1)
    place(exchange, "b", "ask", 5200, 2)
    options = {"time_in_force": "fill_or_kill"}
    assert refusal(place, exchange, "a", "bid", 5200, 2, **options)[0] == 409
    assert refusal(place, exchange, "a", "bid", 5200, 4, **options, self_trade="maker")[0] == 409
    assert own.status == "resting"
    taken = place(exchange, "a", "bid", 5200, 3, **options, self_trade="maker")
    assert (taken.status, own.status) == ("executed", "canceled")


def test_every_movement_of_cash_is_told() -> None:
    exchange = engine(market(shard=1))
    place(exchange, "a", "bid", 5000, 10)
    place(exchange, "b", "ask", 5000, 10)
    exchange.cross(**CROSS, taker_bid=True, count=500)
    exchange.determine("M", 10_000, 2)
    exchange.settle("M", 3)
    told: dict[tuple[str, int], int] = {}
    for event in exchange.drain():
        if isinstance(event, CashMoved):
            key = event.user_id, event.shard
            told[key] = told.get(key, 0) + event.amount
    for trader in exchange.traders.values():
        for (_, shard), wallet in trader.wallets.items():
            assert told.get((trader.user_id, shard), 0) == wallet.cash
    solvent(exchange)
