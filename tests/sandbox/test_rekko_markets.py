"""Markets and events as the stand-in of the intelligence API shows them, on all venues."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from kalshi_async.sandbox._rekko import markets
from kalshi_async.sandbox._rekko.http import CALLS
from kalshi_async.sandbox._rekko.markets import KALSHI, MOST_OFF, PLATFORMS
from kalshi_async.sandbox._rekko.operations import REKKO_NAMES
from kalshi_async.sandbox._units import ONE

from .rekko_desks import FED, Desk, elsewhere


@pytest.fixture(scope="module")
def read() -> Desk:
    """For tests that change nothing."""
    return Desk()


def test_every_call_is_answered_by_somebody() -> None:
    assert set(CALLS) == REKKO_NAMES


def test_own_markets_are_those_of_the_exchange(read: Desk) -> None:
    shown = read.ask("RekkoGetMarket", KALSHI, FED)
    assert (shown["yes_bid"], shown["yes_ask"], shown["yes_price"]) == (0.61, 0.63, 0.62)
    assert shown["no_price"] == 0.38
    assert shown["volume_24h"] == 12840.0
    assert shown["title"] == "Will the Fed cut rates at the March 2026 meeting?"
    assert "made_up" not in shown


def test_the_same_question_costs_about_the_same_elsewhere(read: Desk) -> None:
    found = elsewhere(read)
    assert {market.platform for market in found} == {"polymarket", "robinhood"}
    for market in found:
        own = read.desk.venues.market(KALSHI, market.ticker)
        assert market.title == own.title
        assert market.price is not None
        assert own.price is not None
        assert abs(market.price - own.price) <= MOST_OFF
        assert market.bid is not None
        assert market.ask is not None
        assert 0 < market.bid < market.price < market.ask < ONE
        assert read.ask("RekkoGetMarket", *market.key)["made_up"] is True
    assert len({market.market_id for market in found}) == len(found)


def test_the_same_seed_makes_up_the_same_and_another_one_does_not() -> None:
    first, again, other = Desk(), Desk(), Desk(seed=8)
    assert elsewhere(first)[0].key == elsewhere(again)[0].key
    body = {"analysis_id": None, "created_at": None}
    made = [desk.analyzed() | body for desk in (first, again, other)]
    assert made[0] == made[1]
    assert made[0]["probability"] != made[2]["probability"]
    assert "seed 8" in made[2]["model"]


def test_the_same_questions_are_asked_elsewhere_whenever_that_is_asked_for() -> None:
    early, late = Desk(), Desk()
    late.wall += 3 * 86_400
    late.exchange.tick()
    twins = [desk.desk.venues.twins() for desk in (early, late)]
    listed = [{entry.ticker for entry in desk.desk.venues.entries()} for desk in (early, late)]
    assert listed[0] != listed[1]
    both = listed[0] & listed[1]
    asked = [{ticker: found[ticker] for ticker in found.keys() & both} for found in twins]
    assert asked[0] == asked[1]
    assert 20 < len(asked[0]) < len(both)


def test_the_index_is_made_a_little_at_a_time() -> None:
    at_once, step_by_step = Desk(), Desk()
    steps = sum(1 for _ in step_by_step.desk.venues.indexing())
    assert steps >= 3
    assert step_by_step.desk.venues.entries() == at_once.desk.venues.entries()
    assert sum(1 for _ in step_by_step.desk.venues.indexing()) == 0


def test_events_beyond_the_index_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markets, "_INDEXED", 5)
    desk = Desk()
    assert FED not in {entry.event_ticker for entry in desk.desk.venues.entries()}
    inside = desk.ask("RekkoEventMarkets", FED.lower())["markets"]
    assert FED in {market["market_id"] for market in inside}


def test_arbitrage_is_there_and_agrees_with_the_prices_of_the_markets(read: Desk) -> None:
    found = read.ask("RekkoArbitrage")["opportunities"]
    assert found
    spreads = [package["spread"] for package in found]
    assert spreads == sorted(spreads, reverse=True)
    for package in found:
        yes, no = package["legs"]
        bought = read.ask("RekkoGetMarket", yes["platform"], yes["market_id"])
        sold = read.ask("RekkoGetMarket", no["platform"], no["market_id"])
        assert yes["price"] == bought["yes_ask"]
        assert no["price"] == pytest.approx(1 - sold["yes_bid"])
        assert bought["question"] == sold["question"]
        assert package["spread"] == pytest.approx(1 - yes["price"] - no["price"])
        assert package["spread"] >= 0.01
    wide = read.ask("RekkoArbitrage", query={"min_spread": "0.03"})["opportunities"]
    assert wide == [package for package in found if package["spread"] >= 0.03]


def test_consensus_weighs_the_venues(read: Desk) -> None:
    found = read.ask("RekkoMarketConsensus", KALSHI, FED)
    prices = [venue["yes_price"] for venue in found["platforms"]]
    assert len(prices) >= 2
    assert min(prices) <= found["probability"] <= max(prices)
    assert sum(venue["weight"] for venue in found["platforms"]) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("period", ["48h", "7d", "30d"])
def test_history_ends_with_the_present_price(read: Desk, period: str) -> None:
    asked = {"period": period, "max_points": "7"}
    points = read.ask("RekkoMarketHistory", KALSHI, FED, query=asked)["points"]
    assert 1 < len(points) <= 7
    times = [point["timestamp"] for point in points]
    assert times == sorted(times)
    assert points[-1]["price"] == 0.62
    all_points = read.ask("RekkoMarketHistory", KALSHI, FED, query={**asked, "max_points": "1000"})
    traded = sum(point["volume"] for point in all_points["points"])
    assert sum(point["volume"] for point in points) == pytest.approx(traded)
    twin = next(market for market in elsewhere(read) if market.ticker == FED)
    theirs = read.ask("RekkoMarketHistory", *twin.key, query=asked)["points"]
    assert theirs[-1]["price"] == pytest.approx((twin.price or 0) / ONE)


def test_resolution_and_execution_speak_of_the_live_market(read: Desk) -> None:
    resolution = read.ask("RekkoMarketResolution", KALSHI, FED)
    assert resolution["hours_left"] > 24
    assert resolution["theta_per_day"] < 0
    execution = read.ask("RekkoMarketExecution", KALSHI, FED)
    assert execution["spread"] == 0.02
    assert execution["slippage_estimate"] == 0
    assert 0 <= execution["liquidity_score"] <= 1


def test_a_search_finds_by_words_or_by_id(read: Desk) -> None:
    found = read.ask("RekkoListMarkets", query={"query": "fed CUT", "source": KALSHI})["markets"]
    assert [market["market_id"] for market in found] == [FED]
    (exact,) = read.ask("RekkoListMarkets", query={"query": FED})["markets"]
    assert exact["market_id"] == FED
    assert read.ask("RekkoListMarkets", query={"source": "coinbase"})["markets"] == []
    some = read.ask("RekkoListMarkets", query={"source": "polymarket", "limit": "3"})["markets"]
    assert [market["platform"] for market in some] == ["polymarket"] * 3


def test_what_closes_is_listed_no_more() -> None:
    desk = Desk()
    before = desk.ask("RekkoListMarkets", query={"query": FED, "source": KALSHI})
    desk.exchange.do(lambda engine, now: engine.close_market(FED, now))
    assert before["markets"][0]["status"] == "open"
    everything = [market.market_id for market in desk.desk.venues.open(KALSHI)]
    assert everything
    assert FED not in everything
    assert desk.refused("RekkoAnalyze", KALSHI, FED) == (422, "invalid_parameter")


def test_events_group_markets(read: Desk) -> None:
    found = read.ask("RekkoListEvents", query={"limit": "100"})["events"]
    assert {event["platform"] for event in found} > {"kalshi", "polymarket"}
    for event in islice(found, 10):
        inside = read.ask("RekkoEventMarkets", event["slug"])["markets"]
        assert len(inside) == event["market_count"]
        assert {market["platform"] for market in inside} == {event["platform"]}
        expanded = read.ask("RekkoGetEvent", event["slug"], query={"expand": "true"})
        assert expanded == event | {"markets": inside}
    economics = read.ask("RekkoListEvents", query={"category": "economics"})["events"]
    assert {event["category"] for event in economics} == {"Economics"}
    trending = read.ask("RekkoTrendingEvents", query={"source": KALSHI})["events"]
    assert trending[0]["volume_24h"] > 0
    (fed, *_) = read.ask("RekkoSearchEvents", query={"q": "fed cut"})["events"]
    assert fed["slug"] == FED.lower()
    featured = read.ask("RekkoListEvents", query={"featured": "true", "limit": "100"})["events"]
    assert 0 < len(featured) <= len(found)
    assert read.refused("RekkoGetEvent", "no-such-event")[0] == 404


def test_screening_keeps_what_was_asked_for(read: Desk) -> None:
    everything = read.ask("RekkoScreen", body={"limit": 100})
    scores = [result["score"] for result in everything["results"]]
    assert scores == sorted(scores, reverse=True)
    assert {result["action"] for result in everything["results"]} >= {"analyze", "watch"}
    some = read.ask("RekkoScreen", body={"min_score": 0.6, "min_volume_24h": 1000, "limit": 100})
    assert all(r["score"] >= 0.6 and r["volume_24h"] >= 1000 for r in some["results"])
    named = read.ask("RekkoScreen", body={"market_ids": [FED, "KXNONE"], "platform": KALSHI})
    assert [result["market_id"] for result in named["results"]] == [FED]
    assert named["not_found"] == ["KXNONE"]


def test_correlations_are_the_same_both_ways(read: Desk) -> None:
    ids = [market.market_id for market in islice(read.desk.venues.open(KALSHI), 6)]
    there = read.ask("RekkoCorrelation", body={"market_ids": ids})["correlations"]
    back = read.ask("RekkoCorrelation", body={"market_ids": ids[::-1]})["correlations"]
    assert len(there) == 15

    def pairs(found: Any) -> dict[frozenset[str], float]:
        return {frozenset((pair["a"], pair["b"])): pair["correlation"] for pair in found}

    assert pairs(there) == pairs(back)
    assert all(-1 <= value <= 1 for value in pairs(there).values())
    unknown = {"market_ids": [FED, "KXNONE"]}
    assert read.refused("RekkoCorrelation", body=unknown) == (404, "not_found")


def test_its_record_says_that_it_is_made_up(read: Desk) -> None:
    calibration = read.ask("RekkoCalibration")
    assert len(calibration["buckets"]) == 10
    assert 0 < calibration["brier_score"] < 0.25
    assert calibration["made_up"] is True
    assert read.ask("RekkoPerformance", query={"period": "90d"})["period"] == "90d"


def test_recorded_markets_are_shown_as_well(shared: Path) -> None:
    folder = shared / "recorded"
    desk = Desk(markets=0, paths=(folder,))
    found = list(desk.desk.venues.open())
    assert found
    for market in found:
        assert market.platform in PLATFORMS
        for price in (market.bid, market.ask, market.price):
            assert price is None or 0 < price < ONE
    priced = next(market for market in found if market.price is not None)
    assert desk.analyzed(priced.market_id)["made_up"] is True
