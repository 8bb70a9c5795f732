"""Every message of every channel through a day of trading, held against the contract."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import httpx
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox import Sandbox
from kalshi_async.sandbox._units import ONE
from kalshi_async.sandbox._ws.messages import orderbook_snapshot
from kalshi_async.sandbox._ws.reference import (
    SOURCES,
    price_digits,
    reference_message,
    reference_price,
)
from kalshi_async.sandbox._ws.server import Sockets
from kalshi_async.sandbox._ws.subscription import CHANNELS

from .members import Member
from .ws_client import Stream, activate, open_tickers, owner, place, stream
from .ws_contract import WsContract

QUARTER = 1_790_000_100_000 // 900_000 * 900_000


async def ask_for_quotes(requester: Member, quoter: Member, ticker: str) -> None:
    """An RFQ that trades, and one that is withdrawn."""
    body = {"market_ticker": ticker, "contracts_fp": "10.00", "rest_remainder": False}
    rfq = (await requester.ok("CreateRFQ", body))["id"]
    quote = {"rfq_id": rfq, "yes_bid": "0.3000", "no_bid": "0.6000", "rest_remainder": False}
    quote_id = (await quoter.ok("CreateQuote", quote))["id"]
    names = {"quote_id": quote_id}
    await requester.ok("AcceptQuote", {"accepted_side": "yes"}, names=names)
    await quoter.ok("ConfirmQuote", {}, names=names)
    requester.exchange.advance(20)
    other = (await requester.ok("CreateRFQ", body))["id"]
    await requester.ok("DeleteRFQ", names={"rfq_id": other})


async def make_combo(member: Member) -> None:
    """A market that nobody made before."""
    answer = await member.ok("GetMultivariateEventCollections", limit=20)
    for collection in answer["multivariate_contracts"]:
        chosen = []
        for event in collection["associated_events"]:
            listed = await member.ok("GetMarkets", event_ticker=event["ticker"], status="open")
            if listed["markets"]:
                market = listed["markets"][0]["ticker"]
                leg = {"market_ticker": market, "event_ticker": event["ticker"], "side": "yes"}
                chosen.append(leg)
        if len(chosen) >= max(2, collection["size_min"]):
            names = {"collection_ticker": collection["collection_ticker"]}
            body = {"selected_markets": chosen[: collection["size_max"]]}
            made = await member.ok("CreateMarketInMultivariateEventCollection", body, names=names)
            activate(member.exchange, made["market_ticker"])
            return
    raise AssertionError("no collection with enough open events")


def trade_all_day(exchange: Sandbox, maker: str, ticker: str) -> None:
    """Orders of every fate in one market, and what happens to groups."""
    user, do = exchange.user_id, exchange._exchange.do
    group = do(lambda engine, now: engine.create_group(user, 10_000, now))
    do(lambda engine, now: engine.limit_group(user, group.group_id, 200, now))
    place(exchange, maker, ticker, bid=False, price=9_500, count=1_000)
    place(exchange, user, ticker, bid=True, price=9_900, count=300_000, group_id=group.group_id)
    do(lambda engine, now: engine.reset_group(user, group.group_id, now))
    order = place(exchange, user, ticker, bid=True, price=100, count=500, client_order_id="mine")
    do(lambda engine, now: engine.decrease(user, order.order_id, now, reduce_by=100))
    do(lambda engine, now: engine.cancel(user, order.order_id, now))
    do(lambda engine, now: engine.delete_group(user, group.group_id, now))


async def follow_everything(line: Stream, tickers: list[str]) -> None:
    for name, channel in CHANNELS.items():
        params = {"market_tickers": tickers} if channel.markets == "required" else {}
        await line.subscribe(
            name, **params, **({channel.indices: ["all"]} if channel.indices else {})
        )


async def test_a_day_of_trading_fits_the_contract(exchange: Sandbox, shared: Path):
    contract = WsContract(shared / "contract" / "websocket-2.0.0.json")
    tickers = open_tickers(exchange, 3)
    maker = exchange.add_account()
    exchange.deposit(exchange.user_id, "100000.00")
    async with (
        httpx.AsyncClient(trust_env=False) as http,
        stream(exchange) as own,
        stream(exchange, maker) as other,
    ):
        requester, quoter = (
            Member(exchange, http, credentials) for credentials in (owner(exchange), maker)
        )
        for line in (own, other):
            await follow_everything(line, tickers)
        trade_all_day(exchange, maker.user_id, tickers[0])
        await ask_for_quotes(requester, quoter, tickers[1])
        await make_combo(requester)
        exchange.pause(tickers[2])
        exchange.resume(tickers[2])
        exchange.settle(tickers[0], "yes")
        exchange.settle(tickers[2], Decimal("0.5"))
        exchange._exchange.room(Sockets).feed.event_fees_changed("KXFED-26", "quadratic", 0.5)
        for line in (own, other):
            for kind in ("cfbenchmarks_value", "cfbenchmarks_value_5hz", "pyth_value"):
                await line.until(kind)
            await line.settle()
    frames = own.frames + other.frames
    assert [problem for frame in frames for problem in contract.problems(frame)] == []
    assert {frame["type"] for frame in frames} >= {
        *("orderbook_snapshot", "orderbook_delta", "ticker", "trade", "fill", "user_order"),
        *("market_position", "market_lifecycle_v2", "multivariate_market_lifecycle"),
        *("event_lifecycle", "event_fee_update", "order_group_updates", "rfq_created"),
        *("quote_created", "quote_accepted", "quote_executed", "rfq_deleted"),
        *("cfbenchmarks_value", "cfbenchmarks_value_5hz", "pyth_value"),
    }
    groups = [msg["event_type"] for msg in own.of("order_group_updates")]
    assert groups == ["created", "limit_updated", "triggered", "reset", "deleted"]
    lives = [(msg["market_ticker"], msg["event_type"]) for msg in own.of("market_lifecycle_v2")]
    assert lives == [
        *((tickers[2], kind) for kind in ("deactivated", "activated")),
        *((tickers[0], kind) for kind in ("close_date_updated", "determined", "settled")),
        *((tickers[2], kind) for kind in ("close_date_updated", "determined", "settled")),
    ]
    assert not other.of("order_group_updates")


async def test_positions_and_fills_add_up(exchange: Sandbox):
    (ticker,) = open_tickers(exchange, 1)
    maker = exchange.add_account()
    async with stream(exchange) as line:
        await line.subscribe("fill", "market_positions", "trade", "user_orders")
        place(exchange, maker.user_id, ticker, bid=False, price=9_800, count=300)
        best = exchange.book(ticker)["no"][0][1]
        count = int(best * 100) + 300
        order = place(exchange, exchange.user_id, ticker, bid=True, price=9_900, count=count)
        await line.settle()
    fills = line.of("fill")
    assert sum(Decimal(fill["count_fp"]) for fill in fills) == Decimal(order.filled) / 100
    assert fills[-1]["post_position_fp"] == line.of("market_position")[-1]["position_fp"]
    assert [fill["trade_id"] for fill in fills] == [done["trade_id"] for done in line.of("trade")]
    (told,) = line.of("user_order")
    assert Decimal(told["fill_count_fp"]) == Decimal(order.filled) / 100
    assert told["status"] == order.status
    fees = sum(Decimal(fill["fee_cost"]) for fill in fills)
    assert Decimal(told["taker_fees_dollars"]) == fees


LEVELS = st.dictionaries(st.integers(1, ONE - 1), st.integers(1, 10_000), max_size=6)


@given(LEVELS, LEVELS, st.booleans())
def test_a_snapshot_shows_bids_of_both_sides_best_last(
    bids: dict[int, int], asks: dict[int, int], yes_price: bool
):
    best_bids = sorted(bids.items(), reverse=True)
    best_asks = sorted(asks.items())
    shown = json.loads(orderbook_snapshot("KX", 3, best_bids, best_asks, yes_price=yes_price))
    yes, no = (
        [
            (Decimal(price) * ONE, Decimal(count) * 100)
            for price, count in shown.pop(f"{side}_dollars_fp", [])
        ]
        for side in ("yes", "no")
    )
    assert shown.keys() == {"market_ticker", "market_id", "clock"}
    assert yes == sorted(bids.items())
    if yes_price:
        assert no == sorted(asks.items(), reverse=True)
    else:
        assert no == sorted((ONE - price, count) for price, count in asks.items())


@given(st.integers(0, 1 << 32), st.sampled_from(["BRTI", "Metal.XAU/USD"]), st.integers(0, 10**13))
def test_reference_prices_are_a_function_of_seed_name_and_instant(seed: int, name: str, at: int):
    price = reference_price(seed, name, at)
    level = {"BRTI": 98_000, "Metal.XAU/USD": 4_100}[name] * 10**8
    assert abs(price - level) < level // 20
    assert reference_price(seed, name, at) == price
    assert abs(reference_price(seed, name, at + 200) - price) < level // 1_000
    assert Decimal(price_digits(price)) * 10**8 == price


def test_averages_cover_the_minute_before_and_the_minute_that_counts():
    def average(offset: int) -> tuple[int, int | None]:
        text = reference_message(7, "cfbenchmarks_value", "BRTI", QUARTER + 1000 * offset)
        msg = json.loads(text)
        last = msg.get("last_60s_windowed_average_15min")
        return msg["avg_60s_data"]["window_size"], last and last["window_size"]

    assert average(-60) == (60, None)
    assert average(-59) == (60, 1)
    assert average(-1) == (60, 59)
    assert average(0) == (60, 60)
    assert average(1) == (60, None)


def test_the_average_is_the_mean_of_the_ticks():
    msg = json.loads(reference_message(7, "cfbenchmarks_value", "BRTI", QUARTER))
    prices = [reference_price(7, "BRTI", QUARTER - 1000 * number) for number in range(60)]
    last = msg["last_60s_windowed_average_15min"]
    assert last["value"] == price_digits(sum(prices) // 60)
    assert json.loads(msg["data"])["value"] == price_digits(prices[0])
    assert {name for source in SOURCES.values() for name in source.names} > {"BRTI"}
