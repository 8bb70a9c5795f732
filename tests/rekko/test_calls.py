"""What each method sends, and what it refuses to send."""

from __future__ import annotations

import decimal
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from kalshi_async import DecodeError, InvalidRequestError, Retry
from kalshi_async.rekko import REKKO_OPERATIONS, Holding, Listing, RekkoClient, Secret
from kalshi_async.rekko import _checks as check
from kalshi_async.rekko._operations import operation_of
from tests.rekko.scripts import asking, refused
from tests.support import answer

Use = Callable[[RekkoClient], Awaitable[object]]
A = "/v1/markets/kalshi/A"

CALLS: list[tuple[Use, str, str, object]] = [
    (lambda r: r.markets.list(), "GET", "/v1/markets", None),
    (
        lambda r: r.markets.list(source="kalshi", query="fed cut", limit=100),
        "GET", "/v1/markets?source=kalshi&query=fed%20cut&limit=100", None,
    ),
    (lambda r: r.markets.get("kalshi", "A"), "GET", A, None),
    (lambda r: r.markets.get("new one", "a/b?c"), "GET", "/v1/markets/new%20one/a%2Fb%3Fc", None),
    (lambda r: r.markets.history("kalshi", "A"), "GET", f"{A}/history", None),
    (
        lambda r: r.markets.history("kalshi", "A", period="30d", max_points=500),
        "GET", f"{A}/history?period=30d&max_points=500", None,
    ),
    (lambda r: r.markets.resolution("kalshi", "A"), "GET", f"{A}/resolution", None),
    (lambda r: r.markets.execution("kalshi", "A"), "GET", f"{A}/execution", None),
    (
        lambda r: r.markets.consensus("kalshi", "A", period="48h"),
        "GET", f"{A}/consensus?period=48h", None,
    ),
    (lambda r: r.analyses.start("kalshi", "A"), "POST", f"{A}/analyze", None),
    (lambda r: r.analyses.status("kalshi", "A", "x"), "GET", f"{A}/analyze/x/status", None),
    (lambda r: r.analyses.get("kalshi", "A"), "GET", f"{A}/analysis", None),
    (lambda r: r.analyses.list(limit=1), "GET", "/v1/analyses?limit=1", None),
    (
        lambda r: r.signals.get(platform="kalshi", market_id="A"),
        "POST", "/v1/signals?wait=true", {"platform": "kalshi", "market_id": "A"},
    ),
    (
        lambda r: r.signals.get(market_query="fed", risk_limit="low"),
        "POST", "/v1/signals?wait=true", {"market_query": "fed", "risk_limit": "low"},
    ),
    (
        lambda r: r.signals.get(market_query="fed", risk_limit=Decimal("0.2")),
        "POST", "/v1/signals?wait=true", {"market_query": "fed", "risk_limit": 0.2},
    ),
    (
        lambda r: r.signals.portfolio(
            market_query="fed", bankroll_usd="1000.50", max_position_pct="0.05",
            portfolio=[Holding("B", "no", 20), Holding("C", "yes", Decimal("0.10"))],
        ),
        "POST", "/v1/signals/portfolio?wait=true",
        {
            "market_query": "fed", "bankroll_usd": 1000.5, "max_position_pct": 0.05,
            "portfolio": [
                {"ticker": "B", "side": "no", "size_usd": 20},
                {"ticker": "C", "side": "yes", "size_usd": 0.1},
            ],
        },
    ),
    (
        lambda r: r.signals.portfolio(market_query="f", bankroll_usd=5, max_position_pct="1"),
        "POST", "/v1/signals/portfolio?wait=true",
        {"market_query": "f", "bankroll_usd": 5, "max_position_pct": 1},
    ),
    (lambda r: r.screen(), "POST", "/v1/screen", {"limit": 30}),
    (
        lambda r: r.screen(market_ids=["A", "B"], platform="kalshi", min_volume_24h=5000,
                           min_score="0.7", limit=2),
        "POST", "/v1/screen",
        {"market_ids": ["A", "B"], "platform": "kalshi", "min_volume_24h": 5000,
         "min_score": 0.7, "limit": 2},
    ),
    (lambda r: r.arbitrage(), "GET", "/v1/arbitrage", None),
    (lambda r: r.arbitrage(min_spread="0.030"), "GET", "/v1/arbitrage?min_spread=0.030", None),
    (
        lambda r: r.arbitrage(min_spread=Decimal("3E-2"), live=True),
        "GET", "/v1/arbitrage/live?min_spread=0.03", None,
    ),
    (
        lambda r: r.correlation(["A", "B"], platform="kalshi", period="7d"),
        "POST", "/v1/correlation",
        {"market_ids": ["A", "B"], "platform": "kalshi", "period": "7d"},
    ),
    (lambda r: r.events.list(featured=True, expand="markets", source="k", category="c", limit=3),
     "GET", "/v1/events?source=k&category=c&featured=true&limit=3&expand=markets", None),
    (lambda r: r.events.trending(limit=3), "GET", "/v1/events/trending?limit=3", None),
    (lambda r: r.events.search("fed & co"), "GET", "/v1/events/search?q=fed%20%26%20co", None),
    (lambda r: r.events.get("fed-march"), "GET", "/v1/events/fed-march", None),
    (lambda r: r.events.markets("fed-march", limit=5), "GET",
     "/v1/events/fed-march/markets?limit=5", None),
    (lambda r: r.calibration(period="90d", category="Economics"), "GET",
     "/v1/calibration?period=90d&category=Economics", None),
    (lambda r: r.performance(), "GET", "/v1/performance", None),
    (
        lambda r: r.trades.report(market_id="A", platform="kalshi", side="yes", size_usd="12.40",
                                  price="0.62"),
        "POST", "/v1/trades/report",
        {"market_id": "A", "platform": "kalshi", "side": "yes", "size_usd": 12.4, "price": 0.62},
    ),
    (lambda r: r.webhooks.list(), "GET", "/v1/webhooks", None),
    (
        lambda r: r.webhooks.create("https://a.example/x?y=1", events=["price_shift", "new"]),
        "POST", "/v1/webhooks",
        {"url": "https://a.example/x?y=1", "events": ["price_shift", "new"]},
    ),
    (
        lambda r: r.webhooks.create("http://127.0.0.1:8000", events=["x"], secret=Secret("hush")),
        "POST", "/v1/webhooks",
        {"url": "http://127.0.0.1:8000", "events": ["x"], "secret": "hush"},
    ),
    (lambda r: r.webhooks.delete("w/1"), "DELETE", "/v1/webhooks/w%2F1", None),
    (lambda r: r.request("get", "/v1/markets", params={"limit": 5}), "GET",
     "/v1/markets?limit=5", None),
    (lambda r: r.request("PUT", "/new", json={"a": Decimal("0.10"), "b": None}), "PUT", "/v1/new",
     {"a": 0.1, "b": None}),
]  # fmt: skip

ANYTHING = answer(
    {
        "analysis_id": "x", "markets": [], "points": [], "analyses": [], "results": [],
        "opportunities": [], "correlations": [], "events": [], "webhooks": [],
    }
)  # fmt: skip
EVENT_WITH_MARKETS = answer({"events": [{"slug": "s"}], "analysis_id": "x", "markets": [],
                             "points": [], "analyses": [], "results": [], "opportunities": [],
                             "correlations": [], "webhooks": []})  # fmt: skip


@pytest.mark.parametrize(("use", "method", "target", "body"), CALLS)
def test_what_is_sent(use: Use, method: str, target: str, body: object) -> None:
    _, http = asking(use, ANYTHING)
    (request,), (headers,) = http.requests, http.headers
    assert request.method == method
    assert request.url == f"https://api.rekko.ai{target}"
    assert (None if request.body is None else json.loads(request.body)) == body
    assert headers["authorization"].startswith("Bearer rk_live_")
    assert ("content-type" in headers) is (body is not None)


def test_every_operation_is_called_by_some_method() -> None:
    used = set()

    async def follow(rekko: RekkoClient) -> None:
        for use, *_ in CALLS:
            await use(rekko)

    asking(follow, ANYTHING, hooks=[lambda event: used.add(event.operation)])
    assert {operation.name for operation in REKKO_OPERATIONS} <= used


def test_numbers_go_out_as_they_were_given() -> None:
    _, http = asking(
        lambda r: r.trades.report(
            market_id="A", platform="kalshi", side="no", size_usd="12.40", price="0.6200"
        ),
        ANYTHING,
    )
    assert b'"size_usd":12.40,"price":0.6200' in (http.requests[0].body or b"")


def test_what_the_answer_leaves_out_is_filled_in() -> None:
    bare = answer({"title": "T"})
    found, _ = asking(lambda r: r.markets.get("kalshi", "A"), bare)
    assert (found.platform, found.market_id) == ("kalshi", "A")
    own = answer({"platform": "KALSHI", "market_id": "a"})
    kept, _ = asking(lambda r: r.markets.get("kalshi", "A"), own)
    assert (kept.platform, kept.market_id) == ("KALSHI", "a")
    signal, _ = asking(lambda r: r.signals.get(platform="kalshi", market_id="A"), bare)
    assert (signal.platform, signal.market_id) == ("kalshi", "A")
    event, _ = asking(lambda r: r.events.get("fed"), bare)
    assert event.slug == "fed"


def test_signals_have_the_time_that_an_analysis_takes() -> None:
    async def both(rekko: RekkoClient) -> None:
        await rekko.signals.get(market_query="fed")
        await rekko.signals.portfolio(market_query="f", bankroll_usd=1, max_position_pct="0.1")
        await rekko.signals.get(market_query="fed", timeout=3)
        await rekko.markets.list()

    for own, expected in ((10, 180), (500, 500), (None, None)):
        _, http = asking(both, ANYTHING, timeout=own)
        assert http.timeouts == [expected, expected, 3, own]


def test_lists_are_sequences() -> None:
    found, _ = asking(lambda r: r.events.list(), EVENT_WITH_MARKETS)
    assert isinstance(found, Listing)
    assert [event.slug for event in found] == ["s"]


REFUSED: list[tuple[Use, str]] = [
    (lambda r: r.markets.list(limit=0), "limit is 0; expected 1 to 100"),
    (lambda r: r.markets.list(limit=101), "limit is 101; expected 1 to 100"),
    (lambda r: r.markets.list(source=""), "source is ''"),
    (lambda r: r.markets.get("", "A"), "platform is ''"),
    (lambda r: r.markets.get("kalshi", ".."), "market_id is '..'"),
    (lambda r: r.markets.history("kalshi", "A", period="1y"), "expected one of 48h, 7d, 30d"),
    (lambda r: r.markets.history("kalshi", "A", max_points=0), "max_points is 0"),
    (lambda r: r.signals.get(), "platform and market_id, or market_query"),
    (lambda r: r.signals.get(platform="kalshi"), "platform and market_id, or market_query"),
    (lambda r: r.signals.get(platform="kalshi", market_query="f"), "give one or the other"),
    (lambda r: r.signals.get(market_query=" "), "market_query is ' '"),
    (lambda r: r.signals.get(market_query="f", risk_limit=""), "risk_limit is ''"),
    (lambda r: r.signals.get(market_query="f", risk_limit=-1), "risk_limit is -1"),
    (lambda r: r.screen(limit=500), "limit is 500"),
    (lambda r: r.screen(market_ids=[]), "market_ids is empty"),
    (lambda r: r.screen(min_volume_24h=-5), "min_volume_24h is -5"),
    (lambda r: r.arbitrage(min_spread="3"), 'for 3 percent pass "0.03"'),
    (lambda r: r.arbitrage(min_spread="-0.1"), "expected a share of 1, 0 to 1"),
    (lambda r: r.correlation([]), "market_ids is empty"),
    (lambda r: r.correlation(["A", ""]), "market_ids is ''"),
    (lambda r: r.events.search(""), "text is ''"),
    (lambda r: r.trades.report(market_id="A", platform="k", side="buy", size_usd=1, price="0.5"),
     "side is 'buy'; expected one of \"yes\", \"no\""),
    (lambda r: r.trades.report(market_id="A", platform="k", side="yes", size_usd=1, price="62"),
     'for 62 cents pass "0.62"'),
    (lambda r: r.webhooks.create("ftp://a", events=["x"]), "url is 'ftp://a'"),
    (lambda r: r.webhooks.create("http://a.example", events=["x"]), "deliveries go over https"),
    (lambda r: r.webhooks.create("https://u:hush@a.example", events=["x"]), "url is no URL"),
    (lambda r: r.webhooks.create("https://[bad", events=["x"]), "url is "),
    (lambda r: r.webhooks.create("https://a", events=[]), "events is empty"),
    (lambda r: r.webhooks.create("https://a", events=["x"], secret=" "), "secret is empty"),
    (lambda r: r.webhooks.delete(""), "webhook_id is ''"),
    (lambda r: r.request("FETCH", "/markets"), "method is 'FETCH'"),
    (lambda r: r.request("GET", "markets"), 'begins with "/"'),
    (lambda r: r.request("GET", "/a/../b"), "segments"),
    (lambda r: r.request("POST", "/a", json=object()), "no JSON form"),
]  # fmt: skip


@pytest.mark.parametrize(("use", "said"), REFUSED)
def test_what_is_not_sent(use: Use, said: str) -> None:
    error, http, _ = refused(use, ANYTHING)
    assert isinstance(error, InvalidRequestError)
    assert said in str(error)
    assert http.requests == []
    assert "hush" not in str(error)


@pytest.mark.parametrize("trap", [decimal.Inexact, decimal.Rounded])
def test_checks_do_not_depend_on_the_callers_context(trap: type[decimal.DecimalException]) -> None:
    with decimal.localcontext() as context:
        context.prec, context.traps[trap] = 2, True
        with pytest.raises(InvalidRequestError, match=r'for 12\.345 percent pass "0\.12345"'):
            check.share("min_spread", "12.345")
        assert check.share("min_spread", "0.12345") == Decimal("0.12345")


@pytest.mark.parametrize("body", [b"", b" ", b"{}"])
def test_a_report_that_is_taken_without_a_word_is_taken(body: bytes) -> None:
    """Reported again, it would count twice."""
    told, http = asking(
        lambda r: r.trades.report(market_id="A", platform="k", side="no", size_usd=1, price="0.5"),
        answer(body, 204),
    )
    assert (told.accepted, len(http.requests)) == (None, 1)
    for use in (lambda r: r.signals.get(market_query="f"), lambda r: r.markets.get("k", "A")):
        error, _, _ = refused(use, answer(body if body == b"" else b" ", 204))
        assert isinstance(error, DecodeError), "there is no signal without one"


def held(size: Any) -> Use:
    return lambda r: r.signals.portfolio(
        market_query="f", bankroll_usd=1, max_position_pct="0.1", portfolio=[size]
    )


@pytest.mark.parametrize("bad", [0.5, float("nan"), "x", "NaN", "1" * 50, True, None, "1e99"])
@pytest.mark.parametrize(
    "use",
    [
        lambda r, v: r.arbitrage(min_spread=v or 0.5),
        lambda r, v: r.screen(min_score=v or 0.5),
        lambda r, v: r.screen(min_volume_24h=v or 0.5),
        lambda r, v: r.signals.portfolio(market_query="f", bankroll_usd=v, max_position_pct="1"),
        lambda r, v: r.signals.portfolio(market_query="f", bankroll_usd=1, max_position_pct=v),
        lambda r, v: held(Holding("A", "yes", v))(r),
        lambda r, v: r.trades.report(
            market_id="A", platform="k", side="no", size_usd=v, price="0.5"
        ),
        lambda r, v: r.trades.report(market_id="A", platform="k", side="no", size_usd=1, price=v),
    ],
)
def test_amounts_are_exact_or_refused(use: Any, bad: object) -> None:
    error, http, _ = refused(lambda r: use(r, bad), ANYTHING)
    assert isinstance(error, InvalidRequestError)
    assert http.requests == []
    if isinstance(bad, float) and bad == bad:
        assert "0.5" in str(error)
        assert "text" in str(error)


@pytest.mark.parametrize("holding", [("A", "yes", 5), {"ticker": "A"}, Holding("A", "buy", 5),
                                     Holding("", "yes", 5), Holding("A", "yes", -1)])  # fmt: skip
def test_holdings_are_checked(holding: object) -> None:
    error, http, _ = refused(held(holding), ANYTHING)
    assert isinstance(error, InvalidRequestError)
    assert http.requests == []


def test_raw_requests_go_by_the_names_of_known_calls() -> None:
    assert operation_of("GET", "/events/trending").name == "RekkoTrendingEvents"
    assert operation_of("GET", "/v1/events/fed").name == "RekkoGetEvent"
    known = operation_of("POST", "/markets/kalshi/A/analyze")
    assert (known.name, known.retry) == ("RekkoAnalyze", Retry.REFUSED)
    assert known.path == "/markets/kalshi/A/analyze"
    new = operation_of("DELETE", "/new")
    assert (new.name, new.retry) == ("Rekko DELETE /new", Retry.REFUSED)
    names = [operation.name for operation in REKKO_OPERATIONS]
    assert len(set(names)) == len(names) == 27
