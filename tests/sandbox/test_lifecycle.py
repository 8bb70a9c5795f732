"""Pausing, closing, determining and settling markets."""

from __future__ import annotations

import pytest

from kalshi_async.sandbox._events import MarketChanged

from .engines import engine, free, levels, market, place, refusal, there

SECOND = 1_000_000


def test_a_paused_exchange_takes_no_orders_but_cancels() -> None:
    exchange = engine()
    order = place(exchange, "a", "bid", 5000, 1)
    halted = place(exchange, "a", "bid", 4900, 1, cancel_on_pause=True)
    exchange.pause(2)
    assert (halted.status, halted.reason) == ("canceled", "HaltCancel")
    assert refusal(place, exchange, "a", "bid", 5000, 1) == (409, "trading_is_paused")
    exchange.cancel("a", order.order_id, 3)
    exchange.resume(4)
    assert place(exchange, "a", "bid", 5000, 1).status == "resting"


def test_a_paused_market_takes_no_orders_and_others_do() -> None:
    exchange = engine(market("M"), market("N"))
    halted = place(exchange, "a", "bid", 4900, 1, cancel_on_pause=True)
    other = place(exchange, "a", "bid", 4900, 1, ticker="N", cancel_on_pause=True)
    exchange.pause_market("M", 2)
    assert (halted.status, other.status) == ("canceled", "resting")
    assert refusal(place, exchange, "a", "bid", 5000, 1) == (400, "MARKET_NOT_ACTIVE")
    assert refusal(exchange.pause_market, "M", 2) == (400, "bad_request")
    exchange.resume_market("M", 3)
    assert place(exchange, "a", "bid", 5000, 1).status == "resting"


def test_after_the_close_every_order_is_gone_and_refused() -> None:
    exchange = engine(market(closes=10 * SECOND))
    order = place(exchange, "a", "bid", 5000, 1)
    exchange.advance(10 * SECOND - 1)
    assert order.status == "resting"
    exchange.advance(10 * SECOND)
    assert (order.status, order.reason) == ("canceled", "CloseCancel")
    assert exchange.markets["M"].status == "closed"
    assert levels(exchange) == ([], [])
    assert refusal(place, exchange, "a", "bid", 5000, 1) == (400, "MARKET_NOT_ACTIVE")
    assert refusal(exchange.cancel, "a", order.order_id, 11 * SECOND) == (404, "not_found")


@pytest.mark.parametrize(("value", "yes", "no"), [(10_000, 10, 0), (0, 0, 10), (2500, 2.5, 7.5)])
def test_settlement_pays_every_holder(value: int, yes: float, no: float) -> None:
    exchange = engine()
    place(exchange, "a", "bid", 4000, 10)
    place(exchange, "b", "ask", 4000, 10)
    before = free(exchange, "a"), free(exchange, "b")
    exchange.determine("M", value, 5)
    assert refusal(place, exchange, "c", "bid", 4000, 1) == (400, "MARKET_NOT_ACTIVE")
    exchange.settle("M", 6)
    assert free(exchange, "a") - before[0] == round(yes * SECOND)
    assert free(exchange, "b") - before[1] == round(no * SECOND)
    assert there(exchange) == exchange.paid_in
    (settlement,) = exchange.traders["b"].settlements
    assert (settlement.count, settlement.revenue) == (-1000, round(no * SECOND))
    assert settlement.cost == 6 * SECOND
    position = exchange.traders["b"].positions[0, "M"]
    assert (position.count, position.settled) == (0, True)
    assert position.realized == round(no * SECOND) - 6 * SECOND
    assert refusal(exchange.settle, "M", 7) == (400, "bad_request")
    assert refusal(exchange.determine, "M", 0, 7) == (400, "bad_request")


def test_each_step_is_told_once() -> None:
    exchange = engine()
    exchange.market("M", 0)
    exchange.determine("M", 0, 1)
    exchange.close_market("M", 2)
    exchange.settle("M", 3)
    kinds = [event.kind for event in exchange.drain() if isinstance(event, MarketChanged)]
    assert kinds == ["created", "close_date_updated", "closed", "determined", "settled"]


def test_a_market_that_was_never_open_opens() -> None:
    exchange = engine(market(status="initialized", opens=50, closes=100))
    assert refusal(place, exchange, "a", "bid", 5000, 1) == (400, "MARKET_NOT_ACTIVE")
    exchange.resume_market("M", 10)
    assert place(exchange, "a", "bid", 5000, 1).status == "resting"
    exchange.advance(100)
    assert exchange.markets["M"].status == "closed"


def test_unknown_markets_are_not_found() -> None:
    exchange = engine()
    assert refusal(exchange.pause_market, "X", 1) == (404, "not_found")
    assert refusal(place, exchange, "a", "bid", 5000, 1, ticker="X") == (404, "not_found")
    assert refusal(exchange.determine, "M", 10_001, 1) == (400, "bad_request")
