"""Analyses and signals of the stand-in: made-up opinions that agree with themselves, runs on a
timer, and what is refused.
"""

from __future__ import annotations

import decimal
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_async.sandbox._errors import ApiError
from kalshi_async.sandbox._rekko import desk as rekko_desk
from kalshi_async.sandbox._rekko import runs
from kalshi_async.sandbox._rekko.calls import Answer, Waiting
from kalshi_async.sandbox._rekko.desk import seconds_of
from kalshi_async.sandbox._rekko.drawn import (
    HOLD,
    analysis_json,
    bet,
    kelly,
    opinion_of,
    recommendation,
    signal_json,
)
from kalshi_async.sandbox._rekko.markets import KALSHI, VenueMarket
from kalshi_async.sandbox._units import ONE

from .rekko_desks import FED, Desk, elsewhere


@pytest.fixture(scope="module")
def read() -> Desk:
    """For tests that change nothing."""
    return Desk()


# ---------------------------------------------------------------------------- opinions


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    bid=st.integers(1, 997),
    spread=st.integers(1, 300),
    ticker=st.text("ABC-123", min_size=1, max_size=8),
    thousandths=st.sampled_from([0, 500, 1000, 2000]),
)
def test_opinions_agree_with_themselves(
    seed: int, bid: int, spread: int, ticker: str, thousandths: int
) -> None:
    ask = min(bid + spread, 999)
    market = _market(ticker, bid * 10, ask * 10, thousandths)
    opinion = opinion_of(seed, market, market.price or 0, "a-1", "2026-03-05T00:00:00Z")
    shown: Any = analysis_json(seed, opinion)
    exact = {name: Decimal(str(shown[name])) for name in ("probability", "market_price", "edge")}
    assert exact["edge"] == exact["probability"] - exact["market_price"]
    assert 0 < exact["probability"] < 1
    if shown["recommendation"] != HOLD:
        assert (shown["recommendation"] == "buy_yes") is (exact["edge"] > 0)
    scenarios = [Decimal(str(scenario["probability"])) for scenario in shown["scenarios"]]
    assert sum(scenarios) == 1
    assert sum(scenarios[:2]) == exact["probability"]
    assert sum(Decimal(str(factor["weight"])) for factor in shown["key_factors"]) == 1
    assert shown["made_up"] is True
    word, share = bet(opinion)
    assert 0 <= share <= 0.25
    assert word in (HOLD, recommendation(opinion.edge))
    assert (share == 0) is (word == HOLD)
    signal: Any = signal_json(seed, opinion, "s-1", 0.1)
    assert signal["size_pct"] == min(share, 0.1)
    assert signal["risk_rating"] in ("low", "medium", "high")


def _market(ticker: str, bid: int, ask: int, thousandths: int = 1000) -> VenueMarket:
    return VenueMarket(
        platform=KALSHI,
        market_id=ticker,
        ticker=ticker,
        event_ticker="E",
        series="S",
        category="",
        title="Will it?",
        outcome="Yes",
        status="open",
        bid=bid,
        ask=ask,
        price=(bid + ask) // 2,
        volume=0,
        volume_24h=0,
        liquidity=0,
        close_time=None,
        closes_in=None,
        fee_thousandths=thousandths,
    )


def test_kelly_is_the_formula() -> None:
    assert kelly(0.6, 0.5) == pytest.approx(0.2)
    assert kelly(0.99, 0.5) == 0.25
    assert kelly(0.5, 0.5) == 0.0
    assert kelly(0.4, 1.0) == 0.0


def test_some_opinions_say_hold_and_others_both_sides() -> None:
    words = set()
    for number in range(100):
        market = _market(f"KX-{number}", 4900, 5100)
        words.add(recommendation(opinion_of(7, market, 5000, "a", "t").edge))
    assert words == {"hold", "buy_yes", "buy_no"}


# ---------------------------------------------------------------------------- runs


def test_a_run_goes_from_pending_over_running_to_complete() -> None:
    desk = Desk()
    assert desk.refused("RekkoAnalysis", KALSHI, FED) == (404, "no_analysis")
    run = desk.ask("RekkoAnalyze", KALSHI, FED)
    assert run["status"] == "pending"
    seen: list[str] = []
    progress: list[float] = []
    while seen[-1:] != ["complete"]:
        told = desk.ask("RekkoAnalysisStatus", KALSHI, FED, run["analysis_id"])
        seen.append(told["status"])
        progress.append(told["progress"])
        desk.timer += 3
    assert list(dict.fromkeys(seen)) == ["pending", "running", "complete"]
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert 30 <= desk.timer - 3 <= 93
    analysis = desk.ask("RekkoAnalysis", KALSHI, FED)
    assert analysis["analysis_id"] == run["analysis_id"]
    assert analysis["market_price"] == 0.62
    assert desk.ask("RekkoListAnalyses")["analyses"] == [analysis]
    other = ("RekkoAnalysisStatus", KALSHI, f"{FED}-T4.00", run["analysis_id"])
    assert desk.refused(*other) == (404, "not_found")


def test_held_runs_end_when_released_and_failing_ones_say_why() -> None:
    desk = Desk()
    desk.desk.hold(FED)
    held = desk.ask("RekkoAnalyze", KALSHI, FED)["analysis_id"]
    desk.timer += 10_000
    told = desk.ask("RekkoAnalysisStatus", KALSHI, FED, held)
    assert (told["status"], told["progress"]) == ("running", 0.99)
    desk.desk.release(FED)
    assert desk.ask("RekkoAnalysisStatus", KALSHI, FED, held)["status"] == "complete"
    desk.desk.fail(FED, "no sources")
    failed = desk.ask("RekkoAnalyze", KALSHI, FED)["analysis_id"]
    desk.timer += 90
    told = desk.ask("RekkoAnalysisStatus", KALSHI, FED, failed)
    assert (told["status"], told["error"]) == ("failed", "no sources")
    assert desk.ask("RekkoAnalysis", KALSHI, FED)["analysis_id"] == held
    for control in (desk.desk.hold, desk.desk.fail):
        with pytest.raises(ValueError, match="KXNONE"):
            control("KXNONE")


def test_every_venue_is_told_the_same_probability_of_the_same_question() -> None:
    desk = Desk()
    twin = next(market for market in elsewhere(desk) if market.ticker == FED)
    own, theirs = desk.analyzed(), desk.analyzed(twin.market_id, twin.platform)
    assert own["probability"] == theirs["probability"]
    assert theirs["edge"] == pytest.approx(theirs["probability"] - (twin.price or 0) / ONE)


# ---------------------------------------------------------------------------- signals


def test_a_signal_waits_for_a_run_and_then_lives_on_a_fresh_one() -> None:
    desk = Desk()
    asked: dict[str, Any] = {
        "query": {"wait": "true"},
        "body": {"platform": KALSHI, "market_id": FED},
    }
    waiting = desk.ask("RekkoSignal", **asked)
    assert isinstance(waiting, Waiting)
    assert desk.ask("RekkoSignal", **asked).run is waiting.run
    desk.timer += 90
    desk.desk.advance()
    first = desk.ask("RekkoSignal", **asked)
    assert first["edge"] == pytest.approx(first["probability"] - 0.62)
    assert first["analysis_id"] == desk.ask("RekkoAnalysis", KALSHI, FED)["analysis_id"]
    assert len(desk.desk.runs.by_id) == 1
    desk.timer += 601
    assert isinstance(desk.ask("RekkoSignal", **asked), Waiting)
    at_once = desk.ask("RekkoSignal", body={"market_query": "fed cut"})
    assert isinstance(at_once, Answer)
    assert at_once.status == 202
    assert len(desk.desk.runs.by_id) == 2


def test_a_signal_of_a_failed_run_is_an_error() -> None:
    desk = Desk()
    desk.desk.fail(FED)
    asked: dict[str, Any] = {"query": {"wait": "1"}, "body": {"market_query": FED}}
    waiting = desk.ask("RekkoSignal", **asked)
    desk.timer += 90
    desk.desk.advance()
    with pytest.raises(ApiError) as refusal:
        waiting.then()
    assert (refusal.value.status, refusal.value.body["code"]) == (502, "analysis_failed")


def test_a_portfolio_signal_takes_what_is_held_into_account() -> None:
    desk = Desk()
    desk.analyzed()

    def signal(**body: object) -> Any:
        given = {"market_query": FED, "bankroll_usd": "1000", **body}
        return desk.ask("RekkoPortfolioSignal", query={"wait": "true"}, body=given)

    alone = signal()
    assert alone["size_usd"] == pytest.approx(1000 * alone["size_pct"], abs=0.01)
    assert alone["correlated"] == []
    capped = signal(max_position_pct=0.05)
    assert (capped["size_pct"], capped["size_usd"]) == (0.05, 50.0)
    held = {"ticker": f"{FED}-T4.00", "side": "yes", "size_usd": 30}
    beside = signal(max_position_pct=0.05, portfolio=[held, {**held, "ticker": "KXNONE"}])
    assert beside["correlated"] == [f"{FED}-T4.00"]
    assert (beside["size_usd"], beside["portfolio_exposure_usd"]) == (20.0, 60.0)


# ---------------------------------------------------------------------------- limits


def test_the_free_plan_has_no_opinions() -> None:
    desk = Desk()
    desk.desk.plan = "free"
    for name in ("RekkoSignal", "RekkoPortfolioSignal", "RekkoListWebhooks", "RekkoCreateWebhook"):
        assert desk.refused(name) == (402, "plan_required")
    assert desk.refused("RekkoAnalyze", KALSHI, FED) == (402, "plan_required")
    assert desk.ask("RekkoGetMarket", KALSHI, FED)["market_id"] == FED
    desk.desk.plan = "pro"
    assert desk.ask("RekkoAnalyze", KALSHI, FED)["status"] == "pending"
    with pytest.raises(ValueError, match="unknown plan"):
        desk.desk.plan = "gold"


def test_a_quota_is_for_a_day() -> None:
    desk = Desk()
    desk.desk.quota = 1
    desk.analyzed()
    assert desk.refused("RekkoAnalyze", KALSHI, FED) == (429, "quota_exceeded")
    fresh = desk.ask("RekkoSignal", query={"wait": "true"}, body={"market_query": FED})
    assert fresh["analysis_id"]
    desk.wall += 86_400
    assert desk.ask("RekkoAnalyze", KALSHI, FED)["analysis_id"]
    with pytest.raises(ValueError, match="quota=-1"):
        desk.desk.quota = -1


@pytest.mark.parametrize(
    ("name", "path", "asked"),
    [
        ("RekkoListMarkets", (), {"query": {"limit": "0"}}),
        ("RekkoListMarkets", (), {"query": {"limit": "101"}}),
        ("RekkoListMarkets", (), {"query": {"limit": "2.5"}}),
        ("RekkoListMarkets", (), {"query": {"limit": "nan"}}),
        ("RekkoListMarkets", (), {"query": {"source": "nyse"}}),
        ("RekkoMarketHistory", (KALSHI, FED), {"query": {"period": "1h"}}),
        ("RekkoMarketHistory", (KALSHI, FED), {"query": {"max_points": "0"}}),
        ("RekkoMarketConsensus", (KALSHI, FED), {"query": {"period": "soon"}}),
        ("RekkoSearchEvents", (), {}),
        ("RekkoListEvents", (), {"query": {"expand": "perhaps"}}),
        ("RekkoArbitrage", (), {"query": {"min_spread": "-0.1"}}),
        ("RekkoSignal", (), {}),
        ("RekkoSignal", (), {"body": {"market_id": FED}}),
        ("RekkoSignal", (), {"body": {"market_query": 7}}),
        ("RekkoSignal", (), {"body": {"market_query": FED, "risk_limit": "wild"}}),
        ("RekkoSignal", (), {"body": {"market_query": FED, "risk_limit": 2}}),
        ("RekkoPortfolioSignal", (), {"body": {"market_query": FED}}),
        (
            "RekkoPortfolioSignal",
            (),
            {"body": {"market_query": FED, "bankroll_usd": 5, "portfolio": [{"side": "yes"}]}},
        ),
        ("RekkoScreen", (), {"body": {"min_score": 1.5}}),
        ("RekkoScreen", (), {"body": {"market_ids": {"a": 1}}}),
        ("RekkoCorrelation", (), {"body": {"market_ids": [FED]}}),
        ("RekkoReportTrade", (), {"body": {"platform": KALSHI, "market_id": FED}}),
        ("RekkoCreateWebhook", (), {"body": {"url": "ftp://here", "events": ["price_shift"]}}),
        ("RekkoCreateWebhook", (), {"body": {"url": "http://127.0.0.1/", "events": ["boom"]}}),
        ("RekkoCreateWebhook", (), {"body": {"url": "http://127.0.0.1/", "events": []}}),
        ("RekkoCreateWebhook", (), {"body": {"url": "http://8.8.8.8/", "events": ["price_shift"]}}),
    ],
)
def test_what_cannot_be_is_422(read: Desk, name: str, path: tuple[str, ...], asked: Any) -> None:
    assert read.refused(name, *path, **asked) == (422, "invalid_parameter")


@pytest.mark.parametrize("path", [("nyse", FED), (KALSHI, "KXNONE"), ("coinbase", FED)])
def test_unknown_markets_and_platforms_are_404(read: Desk, path: tuple[str, str]) -> None:
    for name in ("RekkoGetMarket", "RekkoMarketHistory", "RekkoAnalyze", "RekkoAnalysis"):
        assert read.refused(name, *path) == (404, "not_found")


@pytest.mark.parametrize("seconds", [-1.0, (3.0, 2.0), float("nan"), 1e9])
def test_times_of_a_run_have_to_be_possible(seconds: Any) -> None:
    with pytest.raises(ValueError, match="analysis_seconds"):
        seconds_of(seconds)


def test_a_made_up_price_can_be_moved_but_no_own_one() -> None:
    desk = Desk()
    twin = Random(1).choice(elsewhere(desk))
    before = desk.ask("RekkoGetMarket", *twin.key)["yes_price"]
    desk.desk.shift_price(*twin.key, "0.02")
    assert desk.ask("RekkoGetMarket", *twin.key)["yes_price"] == pytest.approx(before + 0.02)
    with pytest.raises(ValueError, match="moved by orders"):
        desk.desk.shift_price(KALSHI, FED, "0.02")
    with pytest.raises(ValueError, match="unknown event"):
        desk.desk.announce("earthquake", {})
    desk.desk.shift_price(*twin.key, Decimal(1))
    desk.desk.shift_price(*twin.key, "0.5")
    assert 0 < desk.ask("RekkoGetMarket", *twin.key)["yes_ask"] < 1
    desk.desk.shift_price(*twin.key, Decimal(-1))
    assert desk.ask("RekkoGetMarket", *twin.key)["yes_price"] == pytest.approx(before, abs=0.07)


@pytest.mark.parametrize("dollars", [0.02, 1, "x", "NaN", "2", "-1.1", "0.00001", None, True])
def test_a_price_is_moved_by_exact_dollars(dollars: Any) -> None:
    desk = Desk(markets=50)
    twin = elsewhere(desk)[0]
    with decimal.localcontext() as context:
        context.prec = 1
        with pytest.raises(ValueError, match="text or a Decimal"):
            desk.desk.shift_price(*twin.key, dollars)
        desk.desk.shift_price(*twin.key, "0.0123")
    assert desk.desk.venues.shifts == {twin.key: 123}
    assert desk.desk.take_deliveries() == []


def test_what_is_remembered_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_REMEMBERED", 3)
    monkeypatch.setattr(rekko_desk, "_REMEMBERED", 3)
    desk = Desk(markets=50)
    hook = {"url": "http://127.0.0.1:9/", "events": ["analysis_complete"]}
    desk.ask("RekkoCreateWebhook", body=hook)
    desk.desk.hold(FED)
    held = desk.ask("RekkoAnalyze", KALSHI, FED)["analysis_id"]
    desk.desk.runs.held.clear()
    made = []
    for _ in range(6):
        made.append(desk.analyzed()["analysis_id"])
        desk.desk.take_deliveries()
        told = {"platform": KALSHI, "market_id": FED, "side": "yes", "size_usd": 1, "price": "0.5"}
        desk.ask("RekkoReportTrade", body=told)
    assert len(set(made)) == 6
    assert list(desk.desk.runs.by_id) == [held, *made[-3:]]
    assert len(desk.desk.reports) == 3
    told_of = [msgspec.json.decode(each.body)["data"] for each in desk.desk.deliveries]
    assert [data["analysis_id"] for data in told_of] == made[-3:]
