"""Trends: what candles and trades say, exactly, in any order, with and without polars."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from datetime import timedelta
from decimal import Context, localcontext
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_async import InvalidRequestError
from kalshi_async.analytics import trend as tr
from kalshi_async.models.candlesticks import (
    Candlestick,
    MarketCandlesticks,
    PriceDistribution,
)
from kalshi_async.models.trades import Trade

from .trend_rows import CLOSES, START, TRADES, D, candle, candles, trade

# ---------------------------------------------------------------------------- changes


def test_changes_are_exact_and_add_up() -> None:
    rows = candles("0.50", "0.53", "0.5299", "0.48")
    found = tr.changes(rows)
    assert found == (D("0.03"), D("-0.0001"), D("-0.0499"))
    assert sum(found) == D("-0.02")
    assert tr.changes(reversed(rows)) == found


def test_where_nothing_traded_the_last_price_holds() -> None:
    rows = [candle(0, "0.50"), candle(1, None, previous="0.50"), candle(2, None), candle(3, "0.60")]
    assert tr.changes(rows) == (0, 0, D("0.10"))


def test_a_move_over_missing_candles_is_no_change_of_one_period() -> None:
    rows = [candle(0, "0.20"), candle(1, "0.22"), candle(5, "0.80"), candle(6, "0.81")]
    assert tr.changes(rows) == (D("0.02"), D("0.01"))
    told = [*rows[:2], candle(5, "0.80", previous="0.75"), rows[3]]
    assert tr.changes(told) == (D("0.02"), D("0.05"), D("0.01"))
    assert tr.trend(rows).gaps == 3


def test_the_middle_needs_both_sides() -> None:
    rows = [
        candle(0, bid="0.40", ask="0.50"),
        candle(1, bid="0.42", ask="0.51"),
        candle(2, bid="0.00", ask="0.51"),
        candle(3, bid="0.42", ask="1.00"),
        candle(4, bid="0.30", ask="0.40"),
        candle(5, bid="0.31", ask="0.40"),
    ]
    assert tr.changes(rows, of="mid") == (D("0.015"), D("0.005"))
    assert tr.changes(rows) == (0,) * 5


def test_logarithms_are_those_of_the_changes() -> None:
    rows = candles("0.50", "0.55", "0.90")
    assert tr.log_returns(rows) == pytest.approx([math.log(0.55 / 0.5), math.log(0.9 / 0.55)])
    odds = tr.log_odds_changes(rows)
    assert odds == pytest.approx([math.log(0.55 / 0.45), math.log(9) - math.log(0.55 / 0.45)])
    mirrored = tr.log_odds_changes(candles("0.50", "0.45", "0.10"))
    assert mirrored == pytest.approx([-each for each in odds])


# ---------------------------------------------------------------------------- volatility


def test_volatility_is_the_deviation_of_the_changes_scaled_by_time() -> None:
    rows = [candle(hour, close, length=3600) for hour, close in enumerate(("0.5", "0.6", "0.5"))]
    found = tr.volatility(rows)
    assert found.per_period == pytest.approx(statistics.stdev([0.1, -0.1]))
    assert (found.changes, found.period) == (2, timedelta(hours=1))
    assert found.per_day == pytest.approx(found.per_period * math.sqrt(24))
    assert found.per_year == pytest.approx(found.per_period * math.sqrt(24 * 365))


def test_volatility_needs_two_changes() -> None:
    with pytest.raises(InvalidRequestError, match="tell 1 changes"):
        tr.volatility(candles("0.50", "0.60"))
    assert tr.trend(candles("0.50", "0.60")).volatility is None
    assert tr.volatility(candles("0.50", "0.50", "0.50")).per_period == 0


# ---------------------------------------------------------------------------- spread


def test_the_spread_leaves_out_what_is_missing_and_counts_it() -> None:
    rows = [
        candle(0, bid="0.40", ask="0.45"),
        candle(1, bid="0.40", ask="0.50"),
        candle(2, bid="0.00", ask="0.50"),
        candle(6, bid="0.40", ask="0.41"),
    ]
    found = tr.time_weighted_spread(rows)
    assert (found.periods, found.one_sided, found.gaps) == (3, 1, 3)
    assert found.mean == Context(prec=28).divide(D("0.16"), D(3))
    with pytest.raises(InvalidRequestError, match="no candle closed with a bid and an ask"):
        tr.time_weighted_spread([candle(0, bid="0.00")])


def test_days_of_23_and_25_hours_are_days() -> None:
    hours = (0, 24, 47, 71, 96, 168)
    rows = [candle(hour, f"0.5{index}", length=3600) for index, hour in enumerate(hours)]
    found = tr.trend(rows)
    assert (found.period, found.gaps) == (timedelta(days=1), 2)
    assert len(tr.changes(rows)) == 4
    short = tr.trend([candle(0, length=3600), candle(23, length=3600)])
    assert (short.period, short.gaps) == (timedelta(days=1), 0)


def test_candles_of_two_lengths_are_refused() -> None:
    rows = [candle(minute, length=3600) for minute in range(4)]
    rows.append(candle(1, length=1860))
    with pytest.raises(InvalidRequestError, match="1860 s apart, which is no multiple of their 60"):
        tr.changes(rows)


def test_the_length_of_a_sparse_series_can_be_told() -> None:
    rows = [candle(0), candle(60), candle(180)]
    assert tr.trend(rows).gaps == 1  # looks like hours
    told = tr.trend(rows, period_interval=1)
    assert (told.gaps, told.period) == (178, timedelta(minutes=1))
    with pytest.raises(InvalidRequestError, match="period_interval is 5; expected 1, 60 or 1440"):
        tr.trend(rows, period_interval=5)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------- trades


def test_vwap_and_profile() -> None:
    rows = [
        trade(1, "0.6200", "10.00"), trade(2, "0.6250", "2.50", "no"), trade(3, "0.6000", "0.01"),
        trade(4, "0.6290", "4.00", None, taker_side="no"), trade(5, "0.70", "1.00", None),
    ]  # fmt: skip
    dollars = D("6.2") + D("1.5625") + D("0.006") + D("2.516") + D("0.70")
    assert tr.vwap(rows) == Context(prec=28).divide(dollars, D("17.51"))
    found = tr.volume_profile(rows)
    assert [(each.price, each.count, each.taker_yes, each.taker_no) for each in found.levels] == [
        (D("0.60"), D("0.01"), D("0.01"), 0),
        (D("0.62"), D("16.50"), D("10"), D("6.5")),
        (D("0.70"), D("1"), 0, 0),
    ]
    assert (found.total, found.taker_yes, found.taker_no) == (D("17.51"), D("10.01"), D("6.5"))
    assert found.point_of_control.price == D("0.62")
    assert [each.price for each in tr.volume_profile(rows, "0.0025").levels] == [
        D("0.6"), D("0.62"), D("0.625"), D("0.6275"), D("0.7"),
    ]  # fmt: skip


def test_the_value_area_grows_to_its_busier_neighbour() -> None:
    counts = {"0.10": "5", "0.20": "20", "0.30": "40", "0.40": "20", "0.50": "15"}
    found = tr.volume_profile([trade(i, *pair) for i, pair in enumerate(counts.items())], "0.10")
    area = found.value_area()
    assert (area.low, area.high, area.count) == (D("0.2"), D("0.4"), 80)
    assert found.value_area("0.5") == tr.ValueArea(D("0.3"), D("0.4"), D(60))
    assert found.value_area("1") == tr.ValueArea(D("0.1"), D("0.5"), D(100))
    for share in (0.7, "0", "1.5", "x"):
        with pytest.raises(InvalidRequestError, match="share is"):
            found.value_area(share)  # type: ignore[arg-type]


def test_the_approximate_vwap_weighs_the_means_of_candles() -> None:
    rows = [candle(0, "0.50", volume="10"), candle(1, None), candle(2, "0.60", volume="30")]
    assert tr.approximate_vwap(rows) == D("0.575")
    with pytest.raises(InvalidRequestError, match="nothing traded"):
        tr.approximate_vwap([candle(0, None)])


# ---------------------------------------------------------------------------- the summary


def test_a_trend_sums_up() -> None:
    rows = [
        candle(0, None, previous="0.48"),
        candle(1, "0.50", high="0.55", low="0.41", volume="2.50"),
        candle(3, "0.52", high="0.52", low="0.50", volume="7.00"),
    ]
    deals = [trade(1, "0.50", "2.50"), trade(2, "0.52", "7.00"), trade(2, "0.52", "7.00")]
    found = tr.trend([*rows, rows[1]], deals)
    assert (found.ticker, found.period) == ("KXA-1", timedelta(minutes=1))
    assert (found.start.timestamp(), found.end.timestamp()) == (START, START + 180)
    assert (found.first, found.last, found.change) == (D("0.48"), D("0.52"), D("0.04"))
    assert (found.high, found.low, found.volume) == (D("0.55"), D("0.41"), D("9.50"))
    assert (found.candles, found.trades, found.gaps, found.duplicates) == (3, 2, 1, 2)
    assert found.vwap == tr.vwap(deals)
    assert found.profile is not None
    assert found.profile.total == D("9.50")
    assert found.spread is not None
    assert found.spread.mean == D("0.02")
    points = [(0, 0.48), (1 / 1440, 0.50), (3 / 1440, 0.52)]
    expected = statistics.linear_regression(*zip(*points, strict=True)).slope
    assert found.slope == pytest.approx(expected)


def test_a_trend_without_trades_or_prices() -> None:
    found = tr.trend(candles("0.50", "0.60"))
    assert (found.ticker, found.vwap, found.profile, found.trades) == (None, None, None, 0)
    quiet = candles(None, None, None)
    with pytest.raises(InvalidRequestError, match=r'no candle tells a price .* try of="mid"'):
        tr.trend(quiet)
    assert tr.changes(quiet) == ()
    middle = tr.trend(quiet, of="mid")
    assert (middle.high, middle.low, middle.slope) == (D("0.5"), D("0.5"), 0)


def test_the_fuller_of_two_candles_counts() -> None:
    early, late = candle(1, "0.55", volume="3"), candle(1, "0.57", volume="8")
    for rows in ([candle(0), early, late], [late, candle(0), early]):
        found = tr.trend(rows)
        assert (found.last, found.volume, found.duplicates) == (D("0.57"), D("18"), 1)


def test_recorded_candles_have_a_trend(shared: Path) -> None:
    raw = (shared / "recorded/2026-08-production/candlesticks_mlb.json").read_bytes()
    for body in msgspec.json.decode(raw)["markets"].values():
        found = tr.trend(msgspec.convert(body["candlesticks"], list[Candlestick], strict=False))
        assert (found.candles, found.gaps, found.unpriced, found.duplicates) == (16, 0, 0, 0)
        assert found.spread == tr.TimeWeightedSpread(D("0.01"), 16, 0, 0)
        assert found.change == sum(
            tr.changes(msgspec.convert(body["candlesticks"], list[Candlestick], strict=False))
        )


# ---------------------------------------------------------------------------- bad input


def bad(name: str, value: object) -> list[Candlestick]:
    price = PriceDistribution(**{name: value})  # type: ignore[arg-type]
    return [candle(0), msgspec.structs.replace(candle(1), price=price)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "there are 0 candlesticks"),
        ([candle(0)], "there are 1 candlesticks with different ends; expected 2"),
        ([candle(0), candle(0)], "there are 1 candlesticks with different ends"),
        (7, "candles is a int; expected candlesticks"),
        ("KXA", "candles is a str"),
        ([candle(0), {}], r"candles\[1\] is a dict; expected a Candlestick"),
        ([MarketCandlesticks(market_ticker="A")], "pass the candlesticks of one market"),
        (bad("close", 0.5), r"candles\[1\]: close is 0.5, a float; expected a finite Decimal"),
        (bad("close", D("NaN")), "expected a finite Decimal"),
        (bad("close", D("1E-400")), "expected dollars between 0 and 1"),
        (bad("close", D("0." + "9" * 27)), "expected dollars between 0 and 1"),
        (bad("high", D("-0.1")), "high is -0.1; expected dollars between 0 and 1"),
        (bad("previous", D(62)), "previous is 62; expected dollars"),
        ([candle(0), candle(1, volume="-1")], "volume is -1; expected 0 to 1,000,000,000,000"),
        ([Candlestick(end_period_ts=10**18), candle(0)], "expected Unix seconds"),
        ([Candlestick(end_period_ts=0.5), candle(0)], "expected Unix seconds"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_series_of_candles_is_refused(rows: object, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        tr.trend(rows)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "there are no trades"),
        (iter([]), "there are no trades"),
        (None, "trades is a NoneType; expected trades"),
        ([candle(0)], r"trades\[0\] is a Candlestick; expected a Trade"),
        ([trade(1, "0.5"), trade(2, "0.5", ticker="KXB")], r"several markets \(KXA-1, KXB\)"),
        ([trade(1, "0.5", yes_price=0.5)], r"trades\[0\] \(t1\): yes_price is 0.5"),
        ([trade(1, "0.5", yes_price=None)], "yes_price is None"),
        ([trade(1, "0.5", count=D("NaN"))], "count is NaN"),
        ([trade(1, "0.5", count=D("sNaN"))], "count is sNaN"),
        ([trade(1, "0.5", "0")], "count is 0"),
        ([trade(1, "1")], "yes_price 1; expected dollars above 0 and below 1"),
    ],
)
def test_what_are_no_trades_is_refused(rows: object, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        tr.vwap(rows)  # type: ignore[arg-type]


def test_other_bad_arguments_are_refused() -> None:
    for step in ("0", "1", 0.01, "0.00001"):
        with pytest.raises(InvalidRequestError, match="step is"):
            tr.volume_profile([trade(1, "0.5")], step)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match="of is 'last'; expected"):
        tr.changes(candles("0.5", "0.6"), of="last")  # type: ignore[arg-type]


# ---------------------------------------------------------------------------- whatever they are


@settings(max_examples=50)
@given(CLOSES, st.randoms(use_true_random=False), st.sets(st.integers(0, 11)))
def test_order_and_repeats_change_nothing(
    closes: Sequence[str | None], random: object, again: set[int]
) -> None:
    rows = candles("0.40", *closes)
    expected = tr.trend(rows)
    mixed = [*rows, *(rows[index] for index in again if index < len(rows))]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    found = tr.trend(mixed)
    assert found.duplicates == len(mixed) - len(rows)
    for name in ("first", "last", "change", "high", "low", "slope", "volatility", "volume", "gaps"):
        assert getattr(found, name) == getattr(expected, name), name
    assert sum(tr.changes(rows)) == found.change
    assert found.low <= min(found.first, found.last) <= found.high


@settings(max_examples=50)
@given(TRADES)
def test_the_vwap_is_right_to_its_last_digit(rows: list[Trade]) -> None:
    exact = sum(Fraction(each.yes_price) * Fraction(each.count) for each in rows) / sum(
        Fraction(each.count) for each in rows
    )
    found = tr.vwap(rows)
    assert abs(Fraction(found) - exact) <= exact / 10**27
    assert min(each.yes_price for each in rows) <= found <= max(each.yes_price for each in rows)
    profile = tr.volume_profile(rows, "0.05")
    assert Fraction(profile.total) == sum(Fraction(each.count) for each in rows)
    assert all(low.price < high.price for low, high in pairwise(profile.levels))
    area = profile.value_area()
    assert area.low <= profile.point_of_control.price <= area.high
    assert Fraction(area.count) >= Fraction(profile.total) * Fraction(7, 10)


@settings(max_examples=25)
@given(CLOSES, TRADES)
def test_the_callers_decimal_context_changes_nothing(
    closes: Sequence[str | None], rows: list[Trade]
) -> None:
    series = candles("0.4321", *closes)
    expected = tr.trend(series, rows), tr.changes(series, of="mid"), tr.approximate_vwap(series)
    with localcontext(Context(prec=3)):
        found = tr.trend(series, rows), tr.changes(series, of="mid"), tr.approximate_vwap(series)
    assert found == expected
