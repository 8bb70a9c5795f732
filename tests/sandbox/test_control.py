"""The controls of a running sandbox: what they do to every client, and what they refuse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from kalshi_async.sandbox._catalog.query import MarketQuery
from kalshi_async.sandbox._text import SECOND as MICROS

from .desk import FAR, FIRST, SECOND, Desk, desk_on
from .members import place, trade


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_on(tmp_path) as running:
        yield running


async def refused_order(desk: Desk, ticker: str) -> tuple[int, str]:
    """Status and code of an order that should not be accepted."""
    response = await desk.maker.send(
        "CreateOrderV2",
        {
            "ticker": ticker,
            "side": "bid",
            "count": "1",
            "price": "0.1000",
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross",
        },
    )
    return response.status_code, response.json()["error"]["code"]


async def status(desk: Desk, order: dict[str, str]) -> str:
    answer = await desk.maker.ok("GetOrder", names={"order_id": order["order_id"]})
    return str(answer["order"]["status"])


async def test_pausing_the_exchange_refuses_orders_and_lets_cancels_through(desk: Desk) -> None:
    kept = await place(desk.maker, FIRST, "bid", "1", "0.4000")
    halted = await place(desk.maker, FIRST, "bid", "1", "0.3000", cancel_order_on_pause=True)
    desk.exchange.pause()
    assert await refused_order(desk, FIRST) == (409, "trading_is_paused")
    assert (await status(desk, kept), await status(desk, halted)) == ("resting", "canceled")
    assert (await desk.maker.ok("GetExchangeStatus"))["trading_active"] is False
    await desk.maker.ok("CancelOrderV2", names={"order_id": kept["order_id"]}, market_ticker=FIRST)
    desk.exchange.resume()
    assert (await desk.maker.ok("GetExchangeStatus"))["trading_active"] is True
    await place(desk.maker, FIRST, "bid", "1", "0.4000")


async def test_pausing_a_market_leaves_the_others_alone(desk: Desk) -> None:
    desk.exchange.pause(FIRST)
    assert await refused_order(desk, FIRST) == (400, "MARKET_NOT_ACTIVE")
    await place(desk.maker, SECOND, "bid", "1", "0.4000")
    shown = await desk.maker.ok("GetMarket", names={"ticker": FIRST})
    assert shown["market"]["status"] == "inactive"
    desk.exchange.resume(FIRST)
    await place(desk.maker, FIRST, "bid", "1", "0.4000")


async def test_closing_cancels_what_rests(desk: Desk) -> None:
    order = await place(desk.maker, FIRST, "bid", "1", "0.4000")
    desk.exchange.close(FIRST)
    assert await status(desk, order) == "canceled"
    assert await refused_order(desk, FIRST) == (400, "MARKET_NOT_ACTIVE")
    assert desk.exchange.book(FIRST) == {"yes": [], "no": []}
    desk.exchange.close(FIRST)
    with pytest.raises(ValueError, match=f"{FIRST} is closed: it cannot be paused"):
        desk.exchange.pause(FIRST)
    with pytest.raises(ValueError, match=f"{FIRST} is closed: it cannot be opened"):
        desk.exchange.resume(FIRST)


@pytest.mark.parametrize(
    ("outcome", "yes", "no"),
    [
        ("yes", "10", "0"),
        ("no", "0", "10"),
        (Decimal("0.25"), "2.5", "7.5"),
        ("0.9999", "9.999", "0.001"),
        (Decimal("1E+0"), "10", "0"),
    ],
)
async def test_settling_pays_both_sides(
    desk: Desk, outcome: str | Decimal, yes: str, no: str
) -> None:
    await trade(desk.maker, desk.taker, FIRST, "10", "0.4000")
    exchange = desk.exchange
    users = desk.maker.credentials.user_id, desk.taker.credentials.user_id
    assert [exchange.position(user, FIRST) for user in users] == [10, -10]
    assert [exchange.position(user, SECOND) for user in users] == [0, 0]
    before = [exchange.engine.traders[user].wallet(0, 0).cash for user in users]
    exchange.determine(FIRST, outcome)
    assert [exchange.engine.traders[user].wallet(0, 0).cash for user in users] == before
    exchange.settle(FIRST)
    paid = [
        Decimal(exchange.engine.traders[user].wallet(0, 0).cash - cash) / MICROS
        for user, cash in zip(users, before, strict=True)
    ]
    assert paid == [Decimal(yes), Decimal(no)]
    assert [exchange.position(user, FIRST) for user in users] == [0, 0]
    paid_in, there = exchange.money()
    assert paid_in == there
    answer = await desk.maker.ok("GetSettlements")
    assert [item["ticker"] for item in answer["settlements"]] == [FIRST]


async def test_settling_with_an_outcome_determines_first(desk: Desk) -> None:
    desk.exchange.settle(FAR, "yes")
    shown = (await desk.maker.ok("GetMarket", names={"ticker": FAR}))["market"]
    assert (shown["status"], shown["result"]) == ("finalized", "yes")
    for again in (None, "no"):
        with pytest.raises(ValueError, match=f"{FAR} is finalized"):
            desk.exchange.settle(FAR, again)


async def test_what_cannot_be_settled_is_refused(desk: Desk) -> None:
    with pytest.raises(ValueError, match=f"{FIRST} is active: it cannot be settled"):
        desk.exchange.settle(FIRST)
    for outcome in ("maybe", "Yes", "1.0001", "-0.1", "0.00001", Decimal("NaN"), Decimal(2), ""):
        with pytest.raises(ValueError, match="must be 'yes', 'no' or dollars from 0 to 1"):
            desk.exchange.determine(FIRST, outcome)
    # None of it closed the market.
    await place(desk.maker, FIRST, "bid", "1", "0.4000")


@pytest.mark.parametrize("name", ["pause", "resume", "close", "settle"])
async def test_unknown_markets_are_named(desk: Desk, name: str) -> None:
    with pytest.raises(ValueError, match="there is no market 'KXNONE'"):
        getattr(desk.exchange, name)("KXNONE")
    with pytest.raises(ValueError, match="there is no market 'KXNONE'"):
        desk.exchange.determine("KXNONE", "yes")


async def test_advancing_expires_orders_and_leaves_signatures_alone(desk: Desk) -> None:
    now = desk.exchange._exchange.now() // MICROS
    order = await place(desk.maker, FIRST, "bid", "1", "0.4000", expiration_time=now + 3600)
    desk.exchange.advance(3000)
    assert await status(desk, order) == "resting"
    desk.exchange.advance(700.5)
    assert await status(desk, order) == "canceled"
    assert desk.exchange.engine.traders[desk.maker.credentials.user_id].resting == {}
    assert desk.exchange._exchange.now() // MICROS >= now + 3700


async def test_advancing_brings_markets_to_their_end(desk: Desk) -> None:
    exchange = desk.exchange
    listed = exchange.catalog.markets(MarketQuery(word="open", combos=False))
    states = [
        exchange._exchange.do(lambda engine, now, ticker=ticker: engine.market(ticker, now))
        for ticker in [market.ticker for market in listed]
    ]
    soon = min((state for state in states if state.closes), key=lambda state: state.closes)

    async def shown() -> str:
        answer = await desk.maker.ok("GetMarket", names={"ticker": soon.ticker})
        return str(answer["market"]["status"])

    assert await shown() == "active"
    closes = soon.closes
    exchange.advance((closes - exchange._exchange.now()) / MICROS + 0.001)
    assert (await shown(), soon.closes) == ("closed", closes)
    exchange.advance(30 * 86_400)
    assert await shown() == "finalized"
    assert exchange.book(soon.ticker) == {"yes": [], "no": []}
    paid_in, there = exchange.money()
    assert paid_in == there


@pytest.mark.parametrize("seconds", [-1, -0.001, float("nan"), float("inf"), 1e12])
async def test_time_goes_on_only(desk: Desk, seconds: float) -> None:
    before = desk.exchange._exchange.advanced
    with pytest.raises(ValueError, match="must be between 0 and a hundred years"):
        desk.exchange.advance(seconds)
    assert desk.exchange._exchange.advanced == before


async def test_deposits_are_seen_at_once(desk: Desk) -> None:
    user = desk.maker.credentials.user_id
    paid_in, _ = desk.exchange.money()
    desk.exchange.deposit(user, "12.345678")
    desk.exchange.deposit(user, Decimal("0.000002"))
    desk.exchange.deposit(user, "100", exchange_index=2)
    desk.exchange.deposit(user, "-0.34568")
    assert desk.exchange.money() == (paid_in + 112, paid_in + 112)
    answer = await desk.maker.ok("GetBalance")
    assert Decimal(answer["balance_dollars"]) == 11_112


@pytest.mark.parametrize(
    ("dollars", "said"),
    [
        ("ten", "dollars='ten' must be dollars with at most six decimals"),
        ("0.0000001", "must be dollars with at most six decimals"),
        ("", "must be dollars"),
        (Decimal("Infinity"), "must be dollars"),
        (0.1, "dollars=0.1 must be dollars"),
        (None, "dollars=None must be dollars"),
        ("-10000.000001", "insufficient balance"),
    ],
)
async def test_deposits_that_are_none_are_refused(desk: Desk, dollars: str, said: str) -> None:
    before = desk.exchange.money()
    with pytest.raises(ValueError, match=said):
        desk.exchange.deposit(desk.maker.credentials.user_id, dollars)
    assert desk.exchange.money() == before


async def test_deposits_need_an_account_and_a_shard(desk: Desk) -> None:
    with pytest.raises(ValueError, match="cannot deposit 1 for 'nobody'"):
        desk.exchange.deposit("nobody", "1")
    with pytest.raises(ValueError, match="exchange_index=-1 must be 0 or above"):
        desk.exchange.deposit(desk.maker.credentials.user_id, "1", exchange_index=-1)


async def test_the_book_is_the_one_clients_see(desk: Desk) -> None:
    assert desk.exchange.book(FIRST) == {"yes": [], "no": []}
    assert desk.exchange.book("KXNONE") == {"yes": [], "no": []}
    await place(desk.maker, FIRST, "bid", "1.50", "0.4000")
    await place(desk.maker, FIRST, "bid", "2", "0.4100")
    await place(desk.taker, FIRST, "ask", "3", "0.4500")
    await place(desk.taker, FIRST, "ask", "4", "0.5000")
    book = desk.exchange.book(FIRST)
    assert book == {
        "yes": [(Decimal("0.41"), Decimal(2)), (Decimal("0.40"), Decimal("1.5"))],
        "no": [(Decimal("0.55"), Decimal(3)), (Decimal("0.50"), Decimal(4))],
    }
    answer = await desk.maker.ok("GetMarketOrderbook", names={"ticker": FIRST})
    for side in ("yes", "no"):
        told = [
            (Decimal(price), Decimal(count))
            for price, count in answer["orderbook_fp"][f"{side}_dollars"]
        ]
        assert told[::-1] == book[side]


async def test_positions_are_of_a_subaccount(desk: Desk) -> None:
    user = desk.maker.credentials.user_id
    number = (await desk.maker.ok("CreateSubaccount"))["subaccount_number"]
    desk.exchange.engine.transfer(user, 100 * MICROS, 0, to_subaccount=number)
    await trade(desk.taker, desk.maker, FIRST, "2", "0.4000")
    await place(desk.taker, FIRST, "bid", "3", "0.4000")
    await place(desk.maker, FIRST, "ask", "3", "0.4000", subaccount=number)
    assert desk.exchange.position(user, FIRST) == -2
    assert desk.exchange.position(user, FIRST, number) == -3
    assert desk.exchange.position("nobody", FIRST) == 0
