"""Trading shows in the public lists, over a real socket and in the shapes of the contract."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kalshi_async.sandbox import Sandbox
from kalshi_async.sandbox._text import parse_time

from .conftest import Api
from .digest_check import CONTRACT
from .members import Member

FED, SIBLING = "KXFED-26MAR19", "KXFED-26MAR19-T4.25"


@pytest.fixture
async def member(exchange: Sandbox) -> AsyncIterator[Member]:
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        yield Member(exchange, http, exchange.add_account())


async def place(member: Member, side: str, price: str, count: str, ticker: str = FED) -> Any:
    return await member.ok(
        "CreateOrderV2",
        {
            "ticker": ticker,
            "side": side,
            "price": price,
            "count": count,
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "taker_at_cross",
        },
    )


async def test_a_trade_shows_everywhere_at_once(api: Api, member: Member) -> None:
    before = (await api.get(f"/markets/{FED}"))["market"]
    await place(member, "bid", "0.63", "10")
    await place(member, "bid", "0.62", "2.50")
    after = (await api.get(f"/markets/{FED}"))["market"]
    assert after["last_price_dollars"] == "0.6300"
    assert float(after["volume_fp"]) == float(before["volume_fp"]) + 10
    assert (after["yes_bid_dollars"], after["yes_bid_size_fp"]) == ("0.6200", "2.50")
    assert abs(parse_time(after["updated_time"]) / 1e6 - time.time()) < 60
    listed = await api.get("/markets", tickers=FED)
    assert listed["markets"] == [after]
    event = await api.get(f"/events/{FED}")
    assert after in event["markets"]
    nested = await api.get("/events", tickers=FED, with_nested_markets="true")
    assert after in nested["events"][0]["markets"]
    book = (await api.get(f"/markets/{FED}/orderbook"))["orderbook_fp"]
    assert book["yes_dollars"][-1] == ["0.6200", "2.50"]
    several = await api.get("/markets/orderbooks", tickers=[FED, SIBLING])
    assert several["orderbooks"][0] == {"orderbook_fp": book, "ticker": FED}
    trade = (await api.get("/markets/trades", limit=1))["trades"][0]
    assert (trade["ticker"], trade["count_fp"]) == (FED, "10.00")
    assert trade in (await api.get("/markets/trades", limit=1, is_block_trade="false"))["trades"]
    assert (await api.get("/markets/trades", is_block_trade="true"))["trades"] == []
    now = int(time.time())
    span = {"start_ts": now - 60, "end_ts": now + 120, "period_interval": 1}
    candles = await api.get(f"/series/KXFED/markets/{FED}/candlesticks", **span)
    assert candles["candlesticks"][-1]["price"]["close_dollars"] == "0.6300"
    assert sum(float(candle["volume_fp"]) for candle in candles["candlesticks"]) == 10
    batch = await api.get("/markets/candlesticks", market_tickers=FED, **span)
    assert batch["markets"][0]["candlesticks"] == candles["candlesticks"]
    of_event = await api.get(f"/series/KXFED/events/{FED}/candlesticks", **span)
    at = of_event["market_tickers"].index(FED)
    assert of_event["market_candlesticks"][at] == candles["candlesticks"]


async def test_the_life_of_a_market_shows_in_the_lists(api: Api, exchange: Sandbox) -> None:
    async def words() -> list[str]:
        found = []
        for word in ("open", "paused", "closed", "settled"):
            page = await api.pages("/markets", "markets", limit=200, status=word)
            if FED in {market["ticker"] for market in page}:
                found.append(word)
        return found

    assert await words() == ["open"]
    exchange.pause(FED)
    assert await words() == ["paused"]
    exchange.resume(FED)
    assert await words() == ["open"]
    exchange.close(FED)
    assert await words() == ["closed"]
    exchange.settle(FED, "yes")
    assert await words() == ["settled"]
    market = (await api.get(f"/markets/{FED}"))["market"]
    assert (market["status"], market["result"]) == ("finalized", "yes")
    everything = await api.pages("/markets", "markets", limit=150)
    assert len({item["ticker"] for item in everything}) == len(everything) == 600
    settled = await api.get("/events", tickers=FED, status="settled")
    assert [event["event_ticker"] for event in settled["events"]] == [FED]


async def test_time_that_passes_shows_in_the_lists(api: Api, exchange: Sandbox) -> None:
    ahead = await api.pages("/markets", "markets", status="unopened")
    exchange.advance(2 * 86_400)
    assert (await api.get("/markets", status="unopened"))["markets"] == []
    opened = (await api.get(f"/markets/{ahead[0]['ticker']}"))["market"]
    assert opened["status"] in ("active", "closed", "determined", "finalized")
    found = await api.pages("/markets", "markets", limit=170)
    assert len({market["ticker"] for market in found}) == len(found) == 600


async def test_the_status_of_the_exchange(api: Api, exchange: Sandbox, member: Member) -> None:
    def trading(body: Any) -> set[bool]:
        shards = body["exchange_index_statuses"]
        return {body["trading_active"], *(shard["trading_active"] for shard in shards)}

    assert trading(await api.get("/exchange/status")) == {True}
    exchange.pause()
    status = await api.get("/exchange/status")
    assert trading(status) == {False}
    assert status["exchange_active"] is status["intra_exchange_transfers_active"] is True
    exchange.resume()
    assert trading(await api.get("/exchange/status")) == {True}
    await place(member, "bid", "0.10", "1")
    before = time.time()
    as_of = parse_time((await api.get("/exchange/user_data_timestamp"))["as_of_time"])
    assert abs(as_of / 1e6 - before) < 60


async def test_everything_live_is_as_the_contract_says(
    api: Api, exchange: Sandbox, member: Member
) -> None:
    await place(member, "bid", "0.63", "10")
    exchange.settle(SIBLING, "0.25")
    exchange.close("KXFED-26MAR19-T4.00")
    exchange.advance(12 * 3600)
    now = int(time.time()) + 12 * 3600
    span = {"start_ts": now - 86_400, "end_ts": now, "period_interval": 60}
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("GetMarket", f"/markets/{FED}", {}),
        ("GetMarket", f"/markets/{SIBLING}", {}),
        ("GetMarkets", "/markets", {"limit": 1000}),
        ("GetMarkets", "/markets", {"status": "settled"}),
        ("GetMarkets", "/markets", {"status": "closed"}),
        ("GetMarketOrderbook", f"/markets/{FED}/orderbook", {}),
        ("GetTrades", "/markets/trades", {}),
        ("GetEvents", "/events", {"with_nested_markets": "true"}),
        ("GetEvent", f"/events/{FED}", {}),
        ("GetMultivariateEvents", "/events/multivariate", {"with_nested_markets": "true"}),
        ("GetMarketCandlesticks", f"/series/KXFED/markets/{FED}/candlesticks", span),
        ("GetExchangeStatus", "/exchange/status", {}),
        ("GetUserDataTimestamp", "/exchange/user_data_timestamp", {}),
    ]
    for name, path, params in requests:
        body = await api.get(path, **params)
        assert not list(CONTRACT.problems(name, body)), name
    scalar = (await api.get(f"/markets/{SIBLING}"))["market"]
    assert (scalar["result"], scalar["settlement_value_dollars"]) == ("scalar", "0.2500")


async def test_trades_and_candles_survive_a_restart(tmp_path: Path) -> None:
    async def serve(*, trade: bool) -> tuple[Any, ...]:
        state = tmp_path / "state"
        async with (
            Sandbox.serve(seed=7, markets=60, tier=None, state=state) as exchange,
            httpx.AsyncClient(trust_env=False, verify=False) as http,
        ):
            api = Api(exchange, http)
            if trade:
                member = Member(exchange, http, exchange.add_account())
                await place(member, "bid", "0.63", "10")
                await place(member, "ask", "0.61", "4")
            market = (await api.get(f"/markets/{FED}"))["market"]
            trades = (await api.get("/markets/trades", limit=5))["trades"]
            book = await api.get(f"/markets/{FED}/orderbook")
            now = parse_time(market["updated_time"]) // 1_000_000
            span = {"start_ts": now, "end_ts": now + 59, "period_interval": 1}
            candles = await api.get(f"/series/KXFED/markets/{FED}/candlesticks", **span)
            volume = [(c["end_period_ts"], c["volume_fp"]) for c in candles["candlesticks"][:1]]
            return market, trades, book, volume

    before = await serve(trade=True)
    assert await serve(trade=False) == before
    assert before[1][0]["count_fp"] == "4.00"
