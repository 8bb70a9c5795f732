"""Price-time priority, times in force, and everything an order may ask for."""

from __future__ import annotations

import pytest

from kalshi_async.sandbox._errors import ApiError
from kalshi_async.sandbox._events import BookChanged, OrderChanged, Traded
from kalshi_async.sandbox._records import Listing

from .engines import TAPERED, code, engine, free, levels, market, place

SECOND = 1_000_000


def refused(exchange, *args, **options) -> tuple[int, str]:
    before = levels(exchange), free(exchange, args[0])
    with pytest.raises(ApiError) as caught:
        place(exchange, *args, **options)
    assert (levels(exchange), free(exchange, args[0])) == before
    return code(caught.value)


def test_better_prices_first_and_older_orders_first_within_a_price() -> None:
    exchange = engine()
    first = place(exchange, "a", "ask", 5200, 1)
    second = place(exchange, "a", "ask", 5100, 1)
    third = place(exchange, "b", "ask", 5100, 1)
    taker = place(exchange, "c", "bid", 5200, 2.5)
    assert (second.status, third.status, first.status) == ("executed", "executed", "resting")
    assert first.remaining == 50
    assert [fill.price for fill in exchange.traders["c"].fills] == [5100, 5100, 5200]
    assert taker.status == "executed"
    assert taker.taker_value == 5100 * 200 + 5200 * 50


def test_fills_happen_at_the_resting_price() -> None:
    exchange = engine()
    place(exchange, "a", "bid", 4700, 3)
    taker = place(exchange, "b", "ask", 100, 3)
    assert taker.taker_value == 4700 * 300


def test_what_remains_rests_or_is_cancelled_by_its_time_in_force() -> None:
    exchange = engine()
    place(exchange, "a", "ask", 5000, 1)
    kept = place(exchange, "b", "bid", 5000, 3)
    assert (kept.filled, kept.remaining, kept.status) == (100, 200, "resting")
    ended = place(exchange, "c", "ask", 5000, 5, time_in_force="immediate_or_cancel")
    assert (ended.filled, ended.remaining, ended.status) == (200, 0, "canceled")
    assert levels(exchange) == ([], [])
    nothing = place(exchange, "c", "ask", 5000, 5, time_in_force="immediate_or_cancel")
    assert (nothing.filled, nothing.remaining, nothing.status) == (0, 0, "canceled")


def test_fill_or_kill_is_all_or_nothing_and_spends_its_id() -> None:
    exchange = engine()
    place(exchange, "a", "ask", 5000, 2)
    place(exchange, "a", "ask", 5100, 2)
    order = {"time_in_force": "fill_or_kill", "client_order_id": "x"}
    assert refused(exchange, "b", "bid", 5000, 3, **order) == (
        409,
        "fill_or_kill_insufficient_resting_volume",
    )
    assert refused(exchange, "b", "bid", 5100, 3, **order) == (409, "order_already_exists")
    order["client_order_id"] = "y"
    assert place(exchange, "b", "bid", 5100, 3, **order).status == "executed"


def test_a_client_order_id_is_unique_for_ever_and_per_account() -> None:
    exchange = engine()
    order = place(exchange, "a", "bid", 5000, 1, client_order_id="x")
    exchange.cancel("a", order.order_id, 2)
    assert refused(exchange, "a", "bid", 5000, 1, client_order_id="x") == (
        409,
        "order_already_exists",
    )
    assert place(exchange, "b", "bid", 5000, 1, client_order_id="x").status == "resting"


def test_post_only_never_takes() -> None:
    exchange = engine()
    place(exchange, "a", "ask", 5000, 1)
    with pytest.raises(ApiError) as caught:
        place(exchange, "b", "bid", 5000, 1, post_only=True)
    assert caught.value.status == 400
    assert caught.value.body == {
        "error": {
            "code": "invalid_order",
            "message": "invalid order",
            "details": "post only cross",
        }
    }
    assert place(exchange, "b", "bid", 4900, 1, post_only=True).status == "resting"


def test_reduce_only_closes_at_most_what_is_held() -> None:
    exchange = engine()
    place(exchange, "a", "ask", 5000, 3)
    place(exchange, "b", "bid", 5000, 3)
    place(exchange, "a", "bid", 4900, 10)
    options = {"reduce_only": True, "time_in_force": "immediate_or_cancel"}
    sold = place(exchange, "b", "ask", 4900, 8, **options)
    assert (sold.filled, sold.status, sold.reason) == (300, "canceled", "ReduceOnlyCancel")
    assert exchange.traders["b"].positions[0, "M"].count == 0
    more = place(exchange, "b", "ask", 4900, 1, **options)
    assert (more.filled, more.status) == (0, "canceled")


def test_taker_at_cross_cancels_the_newcomer_where_it_meets_itself() -> None:
    exchange = engine()
    place(exchange, "b", "ask", 5000, 1)
    own = place(exchange, "a", "ask", 5100, 1)
    place(exchange, "b", "ask", 5200, 1)
    taker = place(exchange, "a", "bid", 5200, 3)
    assert (taker.filled, taker.status, taker.reason) == (100, "canceled", "SelfTradeCancel")
    assert own.status == "resting"


def test_maker_prevention_cancels_the_resting_order_and_goes_on() -> None:
    exchange = engine()
    own = place(exchange, "a", "ask", 5100, 1)
    place(exchange, "b", "ask", 5200, 1)
    taker = place(exchange, "a", "bid", 5200, 3, self_trade="maker")
    assert (own.status, own.reason) == ("canceled", "SelfTradeCancel")
    assert (taker.filled, taker.remaining, taker.status) == (100, 200, "resting")


def test_self_trades_are_prevented_across_subaccounts() -> None:
    exchange = engine()
    number = exchange.create_subaccount("a", 1)
    exchange.transfer("a", 10_000_000, 1, to_subaccount=number)
    place(exchange, "a", "ask", 5000, 1, subaccount=number)
    assert place(exchange, "a", "bid", 5000, 1).reason == "SelfTradeCancel"


@pytest.mark.parametrize("price", [0, 10_000, -100, 20_000, 4750, 4701])
def test_prices_off_the_grid_are_refused(price: int) -> None:
    exchange = engine()
    exchange.market("M", 0)
    assert refused(exchange, "a", "bid", price, 1) == (400, "invalid_price")


def test_a_tapered_grid_is_finer_at_its_ends() -> None:
    exchange = engine(market(grid=TAPERED))
    assert place(exchange, "a", "bid", 10, 1).status == "resting"
    assert place(exchange, "a", "bid", 910, 1).status == "resting"
    assert refused(exchange, "a", "bid", 1110, 1) == (400, "invalid_price")
    assert place(exchange, "a", "ask", 9990, 1).status == "resting"


def test_what_cannot_be_paid_for_is_refused() -> None:
    exchange = engine(dollars=10)
    exchange.market("M", 0)
    # 20 at $0.50 cost the ten dollars that are there, but their fee does not fit.
    assert refused(exchange, "a", "bid", 5000, 20) == (400, "insufficient_balance")
    place(exchange, "a", "bid", 5000, 19)
    assert free(exchange, "a") == 500_000
    assert refused(exchange, "a", "ask", 1000, 1) == (400, "insufficient_balance")


def test_holdings_back_the_orders_that_close_them() -> None:
    exchange = engine(dollars=10)
    place(exchange, "b", "ask", 5000, 10)
    place(exchange, "a", "bid", 5000, 10)
    before = free(exchange, "a")
    sell = place(exchange, "a", "ask", 6000, 10)
    assert free(exchange, "a") == before
    # Beyond the holding, the best-priced asks are the backed ones.
    place(exchange, "a", "ask", 9000, 2)
    assert before - free(exchange, "a") == 200 * 1000
    exchange.cancel("a", sell.order_id, 2)
    assert free(exchange, "a") == before


def test_selling_yes_is_buying_no_and_pairs_pay_a_dollar() -> None:
    exchange = engine(dollars=100)
    place(exchange, "a", "bid", 4000, 10)
    place(exchange, "b", "ask", 4000, 10)  # b holds 10 NO at $0.60
    assert exchange.traders["b"].positions[0, "M"].count == -1000
    assert exchange.markets["M"].open_interest == 1000
    place(exchange, "c", "ask", 3000, 10)
    place(exchange, "b", "bid", 3000, 10)  # b buys YES at $0.30: the pair is worth a dollar
    position = exchange.traders["b"].positions[0, "M"]
    assert (position.count, position.cost, position.realized) == (0, 0, 10 * 100_000)
    assert exchange.markets["M"].open_interest == 1000


def test_orders_without_a_shard_draw_on_every_wallet() -> None:
    exchange = engine(market(shard=2), dollars=10)
    exchange.market("M", 0)
    assert refused(exchange, "a", "bid", 5000, 10, shard=2) == (400, "insufficient_balance")
    assert refused(exchange, "a", "bid", 5000, 10, shard=0) == (404, "not_found")
    place(exchange, "a", "bid", 5000, 10)
    # What moves is what the order may come to cost, its fee included.
    assert free(exchange, "a", shard=0) == 10_000_000 - 5_000_000 - 175_000
    assert len(exchange.traders["a"].transfers) == 1


def test_the_smallest_count_is_a_hundredth() -> None:
    exchange = engine()
    place(exchange, "a", "ask", 5000, 0.01)
    assert place(exchange, "b", "bid", 5000, 0.03).filled == 1
    assert refused(exchange, "b", "bid", 5000, 0) == (400, "invalid_order")
    assert refused(exchange, "b", "bid", 5000, -1) == (400, "invalid_order")


def test_orders_expire_at_their_instant() -> None:
    exchange = engine()
    order = place(exchange, "a", "bid", 5000, 1, expiration=5 * SECOND)
    exchange.advance(5 * SECOND - 1)
    assert order.status == "resting"
    exchange.advance(5 * SECOND)
    assert (order.status, order.reason) == ("canceled", "ExpiryCancel")
    late = 6 * SECOND
    assert refused(exchange, "a", "bid", 5000, 1, now=late, expiration=late) == (
        400,
        "invalid_order",
    )


def test_catalog_quotes_are_orders_of_the_house() -> None:
    exchange = engine(
        Listing(market=market(), quotes=((True, 4000, 500), (False, 4200, 300))), dollars=10
    )
    taker = place(exchange, "a", "bid", 4200, 5)
    assert (taker.filled, taker.remaining) == (300, 200)
    assert levels(exchange) == ([(4200, 200), (4000, 500)], [])


def test_the_log_tells_what_happened_in_order() -> None:
    exchange = engine()
    place(exchange, "a", "ask", 5000, 1)
    exchange.drain()
    place(exchange, "b", "bid", 5000, 2, client_order_id="x")
    told = [
        event
        for event in exchange.drain()
        if isinstance(event, BookChanged | Traded | OrderChanged)
    ]
    assert [type(event).__name__ for event in told] == [
        "BookChanged",
        "Traded",
        "OrderChanged",
        "BookChanged",
        "OrderChanged",
    ]
    down, _, _, up, mine = told
    assert isinstance(down, BookChanged)
    assert isinstance(up, BookChanged)
    assert (down.bid, down.price, down.delta, up.bid, up.delta) == (False, 5000, -100, True, 100)
    assert up.clock == down.clock + 1
    assert up.client_order_id == "x"
    assert isinstance(mine, OrderChanged)
    assert mine.new
    assert exchange.drain() == []
