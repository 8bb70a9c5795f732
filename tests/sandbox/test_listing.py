"""Pages and filters of lists over a real socket."""

from __future__ import annotations

from typing import Any

import pytest

from kalshi_async.sandbox._catalog.states import WORD_OF_STATUS
from kalshi_async.sandbox._handlers import cursor as _cursor
from kalshi_async.sandbox._text import parse_time

from .conftest import Api


@pytest.mark.parametrize(
    ("path", "name", "params"),
    [
        ("/markets", "markets", {"limit": 37}),
        ("/markets", "markets", {"limit": 7, "status": "closed"}),
        ("/markets", "markets", {"limit": 11, "status": "settled"}),
        ("/markets", "markets", {"limit": 13, "series_ticker": "KXMLBGAME"}),
        ("/markets", "markets", {"limit": 17, "mve_filter": "only"}),
        ("/events", "events", {"limit": 19}),
        ("/events/multivariate", "events", {"limit": 19}),
        ("/events/fee_changes", "event_fee_changes", {"limit": 4}),
        ("/markets/trades", "trades", {"limit": 97}),
        ("/markets/trades", "trades", {"limit": 23, "ticker": "KXFED-26MAR19"}),
        ("/historical/trades", "trades", {"limit": 7}),
        ("/historical/markets", "markets", {"limit": 5}),
        ("/milestones", "milestones", {"limit": 9}),
        ("/structured_targets", "structured_targets", {"page_size": 31}),
        ("/multivariate_event_collections", "multivariate_contracts", {"limit": 2}),
        ("/incentive_programs", "incentive_programs", {"limit": 3}),
    ],
)
async def test_pages_are_complete_and_repeat_nothing(
    api: Api, path: str, name: str, params: dict[str, Any]
) -> None:
    size_name = "page_size" if "page_size" in params else "limit"
    cursor = "next_cursor" if name == "incentive_programs" else "cursor"
    small = await api.pages(path, name, cursor, **params)
    most = {"events": 200, "milestones": 500, "multivariate_contracts": 200}.get(name, 1000)
    large = await api.pages(path, name, cursor, **(params | {size_name: most}))
    assert small == large
    assert len(small) > params[size_name]
    assert len({str(item) for item in small}) == len(small)


async def test_the_catalog_is_covered_by_live_and_historical_lists(api: Api) -> None:
    live = await api.pages("/markets", "markets", limit=1000)
    old = await api.pages("/historical/markets", "markets", limit=1000)
    assert len(live) == 600
    assert len(old) > 0
    assert len({market["ticker"] for market in live + old}) == len(live) + len(old)


async def test_a_status_filter_selects_its_states(api: Api) -> None:
    everything = await api.pages("/markets", "markets", limit=1000)
    for word in ("unopened", "open", "paused", "closed", "settled"):
        found = await api.pages("/markets", "markets", limit=1000, status=word)
        expected = [m for m in everything if WORD_OF_STATUS[m["status"]] == word]
        assert {m["ticker"] for m in found} == {m["ticker"] for m in expected}
        assert found


async def test_a_garbage_cursor_restarts_at_the_first_page(api: Api) -> None:
    first = await api.get("/markets", limit=5)
    for cursor in ("garbage", "!!!", "CgYI", "\N{SNOWMAN}", "A" * 500):
        assert await api.get("/markets", limit=5, cursor=cursor) == first


async def test_created_windows_tile_the_open_markets(api: Api) -> None:
    everything = await api.pages("/markets", "markets", limit=1000, status="open")
    now = api.exchange.catalog.now // 1_000_000
    found: list[str] = []
    edge = now - 400 * 86_400
    for end in (now - 30 * 86_400, now - 10 * 86_400, now - 2 * 86_400, now + 1):
        page = await api.pages(
            "/markets",
            "markets",
            limit=1000,
            status="open",
            min_created_ts=edge,
            max_created_ts=end - 1,
        )
        found += [market["ticker"] for market in page]
        edge = end - 1
    assert set(found) == {market["ticker"] for market in everything}


async def test_created_bounds_are_inclusive_on_the_microsecond(api: Api) -> None:
    market = (await api.get("/markets", limit=1))["markets"][0]
    created = parse_time(market["created_time"])
    floor = created // 1_000_000

    async def has(**bounds: int) -> bool:
        found = await api.get("/markets", limit=1000, **bounds)
        return market["ticker"] in {item["ticker"] for item in found["markets"]}

    assert await has(min_created_ts=floor)
    assert not await has(min_created_ts=floor + 1)
    assert await has(max_created_ts=floor + 1)
    assert await has(max_created_ts=floor) is (created % 1_000_000 == 0)


@pytest.mark.parametrize(
    ("bounds", "name", "extra"),
    [
        (("min_close_ts", "max_close_ts"), "close_time", {"status": "closed"}),
        (("min_close_ts", "max_close_ts"), "close_time", {}),
        (("min_settled_ts", "max_settled_ts"), "settlement_ts", {"status": "settled"}),
        (("min_updated_ts", "max_updated_ts"), "updated_time", {"mve_filter": "exclude"}),
    ],
)
async def test_time_windows(
    api: Api, bounds: tuple[str, str], name: str, extra: dict[str, str]
) -> None:
    everything = await api.pages("/markets", "markets", limit=1000, **extra)
    times = sorted(parse_time(market[name]) for market in everything if name in market)
    low, high = times[len(times) // 4] // 1_000_000, times[len(times) * 3 // 4] // 1_000_000 + 1
    window = {bounds[0]: low, bounds[1]: high}
    found = await api.pages("/markets", "markets", limit=1000, **window, **extra)
    expected = {
        market["ticker"]
        for market in everything
        if name in market and low * 1_000_000 <= parse_time(market[name]) <= high * 1_000_000
    }
    assert {market["ticker"] for market in found} == expected
    assert 0 < len(expected) < len(everything)


async def test_filters_by_event_series_and_tickers(api: Api) -> None:
    event = await api.get("/markets", event_ticker="KXFED-26MAR19")
    assert [market["ticker"] for market in event["markets"]] == [
        "KXFED-26MAR19-T4.50",
        "KXFED-26MAR19-T4.25",
        "KXFED-26MAR19-T4.00",
        "KXFED-26MAR19",
    ]
    series = await api.get("/markets", series_ticker="KXBTC", limit=1000)
    assert {market["ticker"].split("-")[0] for market in series["markets"]} == {"KXBTC"}
    named = await api.get("/markets", tickers="KXFED-26MAR19,UNKNOWN,KXBTC-26MAR14-100000")
    assert {m["ticker"] for m in named["markets"]} == {"KXFED-26MAR19", "KXBTC-26MAR14-100000"}
    none = await api.get("/markets", series_ticker="KXUNKNOWN")
    assert none == {"cursor": "", "markets": []}


@pytest.mark.parametrize(
    "params",
    [
        {"status": "open,closed"},
        {"status": "active"},
        {"status": "closed", "min_created_ts": 1},
        {"status": "open", "max_close_ts": 1},
        {"status": "open", "min_settled_ts": 1},
        {"min_updated_ts": 1, "status": "open"},
        {"min_updated_ts": 1, "series_ticker": "KXFED", "mve_filter": "exclude"},
        {"min_updated_ts": 1, "mve_filter": "only"},
        {"min_created_ts": 1, "min_close_ts": 1},
    ],
)
async def test_illegal_filters_are_refused(api: Api, params: dict[str, Any]) -> None:
    body = await api.refused("/markets", 400, **params)
    assert body["error"]["code"] == "bad_request"
    assert body["error"]["details"]


@pytest.mark.parametrize(
    ("path", "params", "words"),
    [
        ("/markets", {"limit": 1001}, ("GetMarkets", "'Limit'", "lte")),
        ("/markets", {"limit": -1}, ("GetMarkets", "'Limit'", "gte")),
        ("/markets", {"limit": "ten"}, ("GetMarkets", "integer")),
        ("/markets", {"min_created_ts": "9" * 30}, ("GetMarkets", "integer")),
        ("/markets", {"mve_filter": "some"}, ("GetMarkets", "oneof")),
        ("/events", {"limit": 201}, ("GetEvents", "lte")),
        ("/events", {"limit": 0}, ("GetEvents", "gte")),
        ("/events", {"with_nested_markets": "maybe"}, ("GetEvents", "true or false")),
        ("/milestones", {}, ("GetMilestones", "required")),
        ("/milestones", {"limit": 5, "minimum_start_date": "soon"}, ("RFC 3339",)),
        ("/markets/orderbooks", {}, ("GetMarketOrderbooks", "required")),
        ("/markets/orderbooks", {"tickers": ["A"] * 101}, ("GetMarketOrderbooks", "max")),
        ("/markets/KXFED-26MAR19/orderbook", {"depth": 101}, ("GetMarketOrderbook", "lte")),
        ("/markets/candlesticks", {"start_ts": 1, "end_ts": 2, "period_interval": 5}, ("oneof",)),
        ("/markets/candlesticks", {"start_ts": 1, "end_ts": 2}, ("required",)),
        ("/live_data/batch", {}, ("GetLiveDatas", "required")),
    ],
)
async def test_wrong_parameters_name_operation_and_rule(
    api: Api, path: str, params: dict[str, Any], words: tuple[str, ...]
) -> None:
    body = await api.refused(path, 400, **params)
    assert list(body) == ["msg"]
    assert body["msg"].startswith("Parameter validation failed for ")
    assert all(word in body["msg"] for word in words)


async def test_limit_zero_is_the_default(api: Api) -> None:
    assert await api.get("/markets", limit=0) == await api.get("/markets", limit=100)
    assert len((await api.get("/markets"))["markets"]) == 100


async def test_events_filter_by_status_series_close_and_tickers(api: Api) -> None:
    everything = await api.pages("/events", "events", limit=200, with_nested_markets="true")
    for word in ("unopened", "open", "closed", "settled"):
        found = await api.pages("/events", "events", limit=200, status=word)
        expected = {
            event["event_ticker"]
            for event in everything
            if word in {WORD_OF_STATUS[market["status"]] for market in event["markets"]}
        }
        assert {event["event_ticker"] for event in found} == expected
    closes = sorted(parse_time(event["markets"][0]["close_time"]) for event in everything)
    middle = closes[len(closes) // 2] // 1_000_000
    late = await api.pages("/events", "events", limit=200, min_close_ts=middle)
    assert len(late) == sum(close >= middle * 1_000_000 for close in closes)
    named = await api.get("/events", tickers="KXFED-26MAR19,UNKNOWN")
    assert [event["event_ticker"] for event in named["events"]] == ["KXFED-26MAR19"]


async def test_history_is_only_under_historical(api: Api) -> None:
    old = (await api.get("/historical/markets", limit=1))["markets"][0]["ticker"]
    await api.refused(f"/markets/{old}", 404)
    assert (await api.get(f"/historical/markets/{old}"))["market"]["ticker"] == old
    await api.refused("/historical/markets/KXFED-26MAR19", 404)
    event = (await api.get(f"/historical/markets/{old}"))["market"]["event_ticker"]
    shown = await api.get(f"/events/{event}", with_nested_markets="true")
    assert shown["event"]["markets"] == shown["markets"] == []
    cutoff = parse_time((await api.get("/historical/cutoff"))["market_settled_ts"])
    for trade in await api.pages("/historical/trades", "trades", limit=1000):
        assert parse_time(trade["created_time"]) < cutoff
    for trade in await api.pages("/markets/trades", "trades", limit=1000):
        assert parse_time(trade["created_time"]) >= cutoff


async def test_trades_are_newest_first_and_filtered_by_time(api: Api) -> None:
    trades = await api.pages("/markets/trades", "trades", limit=500)
    times = [parse_time(trade["created_time"]) for trade in trades]
    assert times == sorted(times, reverse=True)
    middle = times[len(times) // 2] // 1_000_000
    recent = await api.pages("/markets/trades", "trades", limit=500, min_ts=middle)
    assert len(recent) == sum(time >= middle * 1_000_000 for time in times)
    own = [trade for trade in trades if trade["ticker"] == "KXFED-26MAR19"]
    assert own == await api.pages("/markets/trades", "trades", limit=500, ticker="KXFED-26MAR19")
    assert (await api.get("/markets/trades", is_block_trade="true"))["trades"] == []
    assert (await api.get("/markets/trades", ticker="UNKNOWN"))["trades"] == []


async def test_long_lists_of_identifiers_fit_into_a_request(api: Api) -> None:
    targets = await api.pages("/structured_targets", "structured_targets", page_size=2000)
    wanted = [target["id"] for target in targets[:20]]
    padding = [f"{number:036}" for number in range(1500)]
    found = await api.get("/structured_targets", ids=padding + wanted)
    assert [target["id"] for target in found["structured_targets"]] == wanted


async def test_unknown_things_are_not_found(api: Api) -> None:
    unknown = {"error": {"code": "not_found", "message": "not found"}}
    span = {"start_ts": 1, "end_ts": 2, "period_interval": 1}
    for path, params in [
        ("/markets/UNKNOWN", {}),
        ("/events/UNKNOWN", {}),
        ("/events/UNKNOWN/metadata", {}),
        ("/series/UNKNOWN", {}),
        ("/series/KXFED/markets/UNKNOWN/candlesticks", span),
        ("/series/WRONG/markets/KXFED-26MAR19/candlesticks", span),
        ("/milestones/UNKNOWN", {}),
        ("/structured_targets/UNKNOWN", {}),
        ("/live_data/milestone/UNKNOWN", {}),
        ("/live_data/events/UNKNOWN", {}),
        ("/multivariate_event_collections/UNKNOWN", {}),
        ("/historical/markets/UNKNOWN", {}),
        ("/historical/trades", {"ticker": "UNKNOWN"}),
        ("/unknown", {}),
    ]:
        assert await api.refused(path, 404, **params) == unknown, path
    book = await api.get("/markets/UNKNOWN/orderbook")
    assert book == {"orderbook_fp": {"no_dollars": [], "yes_dollars": []}}


async def test_cursors_have_the_form_of_the_exchange(api: Api) -> None:
    page = await api.get("/markets", limit=3)
    last = page["markets"][-1]
    assert _cursor.decode(page["cursor"]) == (parse_time(last["created_time"]), last["ticker"])
