"""Every operation answers over a real socket, with bodies that the contract describes."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

import httpx

from kalshi_async.sandbox._operations import OPERATIONS

from .conftest import Api, signed
from .digest_check import CONTRACT


def test_every_public_operation_of_the_contract_is_served() -> None:
    public = {
        (name, facts["method"], facts["path"])
        for name, facts in CONTRACT.operations.items()
        if not facts["auth"]
    }
    served = {
        (operation.name, operation.method, operation.path)
        for operation in OPERATIONS
        if operation.public
    }
    assert served == public


async def requests(api: Api) -> list[tuple[str, str, dict[str, Any]]]:
    """One or more requests for each operation, with identifiers taken from the exchange itself."""
    game = (await api.get("/events", series_ticker="KXMLBGAME", with_nested_markets="true"))[
        "events"
    ][0]
    ticker = game["markets"][0]["ticker"]
    event = game["event_ticker"]
    milestone = (await api.get("/milestones", limit=1))["milestones"][0]
    target = (await api.get("/structured_targets"))["structured_targets"][0]["id"]
    old = (await api.get("/historical/markets"))["markets"][0]
    collections = await api.get("/multivariate_event_collections")
    collection = collections["multivariate_contracts"][0]["collection_ticker"]
    now = api.exchange.catalog.now // 1_000_000
    span = {"start_ts": now - 86_400 * 3, "end_ts": now, "period_interval": 60}
    old_span = {
        "start_ts": now - 86_400 * 200,
        "end_ts": now - 86_400 * 50,
        "period_interval": 1440,
    }
    return [
        ("GetExchangeStatus", "/exchange/status", {}),
        ("GetExchangeSchedule", "/exchange/schedule", {}),
        ("GetUserDataTimestamp", "/exchange/user_data_timestamp", {}),
        ("GetAccountEndpointCosts", "/account/endpoint_costs", {}),
        ("GetSeriesFeeChanges", "/series/fee_changes", {"show_historical": "true"}),
        (
            "GetSeriesList",
            "/series",
            {"include_volume": "true", "include_product_metadata": "true"},
        ),
        ("GetSeries", "/series/KXFED", {"include_volume": "true"}),
        (
            "GetMarketCandlesticks",
            "/series/KXFED/markets/KXFED-26MAR19/candlesticks",
            span | {"include_latest_before_start": "true"},
        ),
        ("GetMarketCandlesticksByEvent", f"/series/KXMLBGAME/events/{event}/candlesticks", span),
        ("GetTrades", "/markets/trades", {}),
        ("GetTrades", "/markets/trades", {"ticker": "KXFED-26MAR19"}),
        (
            "GetMarketOrderbooks",
            "/markets/orderbooks",
            {"tickers": [ticker, "KXFED-26MAR19", "NO"]},
        ),
        (
            "BatchGetMarketCandlesticks",
            "/markets/candlesticks",
            span | {"market_tickers": f"KXFED-26MAR19,{ticker}"},
        ),
        ("GetMarkets", "/markets", {"limit": 1000}),
        ("GetMarkets", "/markets", {"status": "settled"}),
        ("GetMarket", f"/markets/{ticker}", {}),
        ("GetMarketOrderbook", f"/markets/{ticker}/orderbook", {}),
        ("GetMarketOrderbook", "/markets/UNKNOWN/orderbook", {}),
        ("GetMultivariateEvents", "/events/multivariate", {"with_nested_markets": "true"}),
        ("GetEventFeeChanges", "/events/fee_changes", {}),
        ("GetEvents", "/events", {"with_nested_markets": "true", "with_milestones": "true"}),
        ("GetEvent", f"/events/{event}", {}),
        ("GetEvent", f"/events/{event}", {"with_nested_markets": "true"}),
        ("GetEventMetadata", f"/events/{event}/metadata", {}),
        ("GetTagsForSeriesCategories", "/search/tags_by_categories", {}),
        ("GetFiltersForSports", "/search/filters_by_sport", {}),
        ("GetLiveDatas", "/live_data/batch", {"milestone_ids": [milestone["id"], "unknown"]}),
        ("GetLiveDataByMilestone", f"/live_data/milestone/{milestone['id']}", {}),
        ("GetLiveData", f"/live_data/{milestone['type']}/milestone/{milestone['id']}", {}),
        ("GetGameStats", f"/live_data/milestone/{milestone['id']}/game_stats", {}),
        ("GetEventLiveData", f"/live_data/events/{event}", {"range": "1W"}),
        ("GetWeatherIndex", "/live_data/weather/nyc", {"last_sec": 600, "detailed": "true"}),
        ("GetWeatherIndexCalibrations", "/live_data/weather/chi/calibrations", {}),
        ("GetStructuredTargets", "/structured_targets", {"page_size": 2000}),
        ("GetStructuredTarget", f"/structured_targets/{target}", {}),
        ("GetMilestones", "/milestones", {"limit": 500}),
        ("GetMilestone", f"/milestones/{milestone['id']}", {}),
        ("GetMultivariateEventCollections", "/multivariate_event_collections", {"limit": 200}),
        ("GetMultivariateEventCollection", f"/multivariate_event_collections/{collection}", {}),
        ("GetIncentivePrograms", "/incentive_programs", {"limit": 1000}),
        ("GetHistoricalCutoff", "/historical/cutoff", {}),
        ("GetTradesHistorical", "/historical/trades", {}),
        ("GetHistoricalMarkets", "/historical/markets", {"limit": 1000}),
        ("GetHistoricalMarket", f"/historical/markets/{old['ticker']}", {}),
        (
            "GetMarketCandlesticksHistorical",
            f"/historical/markets/{old['ticker']}/candlesticks",
            old_span,
        ),
    ]


async def test_every_public_operation_answers(api: Api) -> None:
    asked = await requests(api)
    for _, path, params in asked:
        body = await api.get(path, **params)
        assert isinstance(body, dict)
        assert body
    assert {name for name, _, _ in asked} == {
        operation.name for operation in OPERATIONS if operation.public
    }


async def test_every_body_is_valid_by_the_contract(api: Api) -> None:
    problems = []
    for name, path, params in await requests(api):
        problems += CONTRACT.problems(name, await api.get(path, **params))
    assert not problems, problems[:20]


async def test_lists_that_hold_something_are_not_empty(api: Api) -> None:
    for name, path, params in await requests(api):
        body = await api.get(path, **params)
        lists = [value for value in body.values() if isinstance(value, list)]
        if lists and name != "GetEvent":
            assert any(lists), (name, path)


async def test_account_limits_need_a_key_and_tell_the_tier(api: Api) -> None:
    exchange = api.exchange
    path = "/trade-api/v2/account/limits"
    expert = exchange.add_account(tier="expert")
    response = await api.http.get(
        exchange.base_url + "/account/limits", headers=signed(expert, "GET", path)
    )
    assert response.status_code == 200
    assert response.json() == {
        "grants": [],
        "read": {"bucket_capacity": 1800, "refill_rate": 600},
        "usage_tier": "expert",
        "write": {"bucket_capacity": 1800, "refill_rate": 600},
    }
    refused = await api.refused("/account/limits", 401)
    assert refused["error"]["code"] == "token_authentication_failure"


async def test_recorded_shapes_of_limits_and_costs(shared: Path) -> None:
    import json

    from kalshi_async.sandbox import Sandbox

    recorded = shared / "recorded" / "2026-06-demo"
    async with (
        Sandbox.serve(markets=0, tier="basic") as exchange,
        httpx.AsyncClient(trust_env=False, verify=False) as http,
    ):
        path = "/trade-api/v2/account/limits"
        credentials = exchange.add_account()
        limits = await http.get(
            exchange.base_url + "/account/limits", headers=signed(credentials, "GET", path)
        )
        assert limits.json() == json.loads((recorded / "account__limits.json").read_text())
        costs = (await http.get(exchange.base_url + "/account/endpoint_costs")).json()
        # Cancelling everything came after the recording.
        cancel_all = {
            "cost": 2,
            "method": "DELETE",
            "path": "/trade-api/v2/portfolio/events/orders",
        }
        costs["endpoint_costs"].remove(cancel_all)
        assert costs == json.loads((recorded / "account__endpoint_costs.json").read_text())


WORDS = (
    "-1", "0", "1", "60", "1772700000", "9223372036854775807", "-9223372036854775808", "1e3", "²",
    "true", "open", "closed", "only", "KXFED-26MAR19", "A,,B", "\x00", "\N{SNOWMAN}", "x" * 3000,
    "9999-12-31T23:59:59Z", "0001-01-01", "CgYI8JHtswkSDktYRVJVUFRTVVBFUi0w",
)  # fmt: skip
NAMES = (
    "limit", "cursor", "status", "tickers", "ticker", "event_ticker", "series_ticker", "mve_filter",
    "min_created_ts", "max_close_ts", "min_ts", "start_ts", "end_ts", "period_interval", "depth",
    "market_tickers", "ids", "page_size", "type", "from", "to", "last_sec", "range", "category",
    "minimum_start_date", "min_updated_ts", "milestone_ids", "with_nested_markets",
)  # fmt: skip
PATHS = ("KXFED-26MAR19", "KXFED", "KXMLBGAME", "nyc", "%20", "a%2Fb", "%00", "%E2%98%83")


async def test_nonsense_is_refused_or_answered_but_never_a_failure(api: Api) -> None:
    random = Random(20)
    for operation in [operation for operation in OPERATIONS if not operation.writes] * 12:
        path = re.sub(r"\{\w+\}", lambda _: random.choice(PATHS), operation.path)
        params = {name: random.choice(WORDS) for name in random.sample(NAMES, 6)}
        response = await api.raw(path, **params)
        assert response.status_code in (200, 400, 401, 404), (path, params, response.text)
        assert isinstance(response.json(), dict)
