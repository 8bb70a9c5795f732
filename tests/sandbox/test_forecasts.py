"""What the prices of an event forecast: distributions out of chances, and the history of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox import Sandbox
from kalshi_async.sandbox._catalog.draw import default_now
from kalshi_async.sandbox._catalog.forecasts import bounds, forecast, percentile
from kalshi_async.sandbox._catalog.generated import Generated
from kalshi_async.sandbox._catalog.market import Event, Market
from kalshi_async.sandbox._catalog.series import Kind

from .members import Member

NAME = "GetEventForecastPercentilesHistory"


@dataclass
class Analyst:
    member: Member
    ladder: Event
    bracket: Event
    game: Event


@pytest.fixture
async def analyst() -> AsyncIterator[Analyst]:
    serving = Sandbox.serve(seed=7, markets=600, tier=None)
    async with serving as exchange, httpx.AsyncClient(trust_env=False, verify=False) as http:
        generated = exchange.catalog.generated
        found: dict[Kind, Event] = {}
        for at in generated.by_word["open"]:
            event = generated.event_at(at)
            if len(event.markets) > 2 or event.series.kind is Kind.GAME:
                found.setdefault(event.series.kind, event)
        member = Member(exchange, http, exchange.add_account(tier=None))
        yield Analyst(member, found[Kind.LADDER], found[Kind.BRACKET], found[Kind.GAME])


async def history(analyst: Analyst, event: Event, **params: Any) -> Any:
    end = event.now // 1_000_000
    asked = {
        "percentiles": [1000, 5000, 9000],
        "start_ts": end - 6 * 3600,
        "end_ts": end,
        "period_interval": 60,
    }
    names = {"series_ticker": event.series.ticker, "ticker": event.ticker}
    return await analyst.member.ok(NAME, names=names, **asked | params)


async def test_fair_prices_give_back_the_middle_of_the_ladder(analyst: Analyst) -> None:
    event = analyst.ladder
    thresholds = sorted(low for market in event.markets if (low := bounds(market)[0]) is not None)

    def above(limit: float) -> Any:
        def chance(market: Market) -> float | None:
            low = bounds(market)[0]
            return None if low is None else (1.0 if low < limit else 0.0)

        return chance

    for limit in thresholds[1:]:
        curve = forecast(event, above(limit))
        assert curve is not None
        below = max(value for value in thresholds if value < limit)
        assert below <= percentile(curve, 0.5) <= limit


@given(
    chances=st.lists(st.floats(0.01, 0.99), min_size=9, max_size=9),
    shares=st.lists(st.floats(0, 1), min_size=2, max_size=9),
)
def test_percentiles_rise_with_the_share(chances: list[float], shares: list[float]) -> None:
    for kind in ("ladder", "bracket"):
        event = _EVENTS[kind]
        order = {market.ticker: at for at, market in enumerate(event.markets)}
        curve = forecast(event, lambda market, at=order: chances[at[market.ticker] % 9])  # type: ignore[misc]
        assert curve is not None
        assert (curve[0][1], curve[-1][1]) == (0.0, 1.0)
        assert all(low < high and below <= upto for (low, below), (high, upto) in pairwise(curve))
        values = [percentile(curve, share) for share in sorted(shares)]
        assert values == sorted(values)
        assert curve[0][0] <= values[0]
        assert values[-1] <= curve[-1][0]


def _events() -> dict[str, Event]:
    generated = Generated(7, 600, default_now(7))
    found: dict[str, Event] = {}
    for at in range(len(generated)):
        event = generated.event_at(at)
        if len(event.markets) > 2:
            found.setdefault(event.series.kind.value, event)
    return found


_EVENTS = _events()


async def test_a_history_of_forecasts(analyst: Analyst) -> None:
    for event in (analyst.ladder, analyst.bracket):
        shown = (await history(analyst, event))["forecast_history"]
        assert shown
        ends = [point["end_period_ts"] for point in shown]
        assert ends == sorted(set(ends))
        assert all(end % 3600 == 0 for end in ends)
        for point in shown:
            values = [item["raw_numerical_forecast"] for item in point["percentile_points"]]
            assert values == sorted(values)
            assert [item["percentile"] for item in point["percentile_points"]] == [1000, 5000, 9000]
    shortest = await history(
        analyst, analyst.ladder, period_interval=0, start_ts=analyst.ladder.now // 1_000_000 - 60
    )
    assert 12 <= len(shortest["forecast_history"]) <= 13
    assert (await history(analyst, analyst.game))["forecast_history"] == []
    analyst.member.check()


@pytest.mark.parametrize(
    "params",
    [
        {"percentiles": []},
        {"percentiles": [10_000]},
        {"percentiles": ["x"]},
        {"percentiles": list(range(11))},
        {"period_interval": 5},
        {"start_ts": 9_999_999_999},
        {"start_ts": 0},
        {"start_ts": "yesterday"},
    ],
)
async def test_parameters_that_are_refused(analyst: Analyst, params: dict[str, Any]) -> None:
    event = analyst.ladder
    end = event.now // 1_000_000
    asked = {"percentiles": [5000], "start_ts": end - 60, "end_ts": end, "period_interval": 1}
    names = {"series_ticker": event.series.ticker, "ticker": event.ticker}
    await analyst.member.refused(NAME, 400, names=names, **asked | params)
    await analyst.member.refused(NAME, 404, names={**names, "ticker": "UNKNOWN"}, **asked)
