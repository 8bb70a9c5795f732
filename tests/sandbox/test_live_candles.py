"""Candlesticks of live trading, and how they go on from the catalog's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox._live.minutes import Minutes
from kalshi_async.sandbox._text import DAY, MINUTE, SECOND

from .clocked import Clocked


@pytest.fixture
def on() -> Clocked:
    return Clocked()


def test_candles_tell_of_every_minute(on: Clocked) -> None:
    start = on.seconds() // 60 * 60
    on.order("a", "bid", 6300, 10)
    on.later(60)
    on.later(60)
    on.order("a", "bid", 6200, 5)
    on.order("b", "ask", 6200, 4)
    found = on.live.candles(on.listed(), start + 1, start + 180, 1)
    assert [candle.end for candle in found] == [start + 60, start + 120, start + 180]
    first, quiet, last = found
    assert (first.price, first.volume, first.mean) == ((6300,) * 4, 1000, 6300)
    assert (first.previous, first.bid, first.ask) == (6200, (6100,) * 4, (6300,) * 4)
    assert (quiet.price, quiet.volume, quiet.previous) == (None, 0, 6300)
    assert (quiet.bid, quiet.open_interest) == ((6100,) * 4, 3_401_000)
    assert last.bid == (6100, 6100, 6200, 6200)
    assert (last.price, last.volume, last.open_interest) == ((6200,) * 4, 400, 3_401_400)
    hour = on.live.candles(on.listed(), start - 3600, start + 7200, 60)[-1]
    assert (hour.price, hour.volume) == ((6300, 6200, 6300, 6200), 1400)
    assert hour.mean == (6300 * 1000 + 6200 * 400) // 1400


def test_the_lead_is_the_latest_candle_before(on: Clocked) -> None:
    on.later(30 - on.seconds() % 60)
    start = on.seconds() // 60 * 60
    on.order("a", "bid", 6300, 10)
    on.later(600)
    found = on.live.candles(on.listed(), start + 360, start + 480, 1, lead=True)
    assert [candle.end for candle in found] == [start + 60 * n for n in (5, 6, 7, 8)]
    # Right at the beginning, what came before is the catalog's.
    found = on.live.candles(on.listed(), start + 60, start + 60, 1, lead=True)
    assert len(found) == 2
    assert found[0].end <= on.catalog.now // SECOND + 60
    quiet = on.listed("KXFED-26MAR19-T4.25")
    assert on.live.candles(quiet, start, start + 60, 1, lead=True) == []


def test_what_the_catalog_knows_of_a_period_is_joined() -> None:
    on = Clocked(wall=Clocked(markets=0).catalog.now / SECOND)
    day = on.live.candles(on.listed(), on.seconds() - 86_400, on.seconds() + 86_400, 1440)[-1]
    on.order("a", "bid", 6300, 10)
    after = on.live.candles(on.listed(), on.seconds() - 86_400, on.seconds() + 86_400, 1440)[-1]
    assert after.end == day.end
    assert after.volume == day.volume + 1000
    assert after.price is not None
    assert day.price is not None
    assert (after.price[0], after.price[3]) == (day.price[0], 6300)
    assert after.open_interest == 3_401_000


STEPS = st.tuples(st.integers(0, 200), st.integers(1, 99), st.integers(0, 50))


@given(st.lists(STEPS, max_size=60), st.sampled_from([1, 60, 1440]))
def test_candles_add_up(steps: list[tuple[int, int, int]], minutes: int) -> None:
    start = 1_000 * DAY
    kept = Minutes(start, 5000)
    kept.quote(start, 4900, 5100, 0)
    time, trades = start, []
    for gap, price, count in steps:
        time += gap * 20 * SECOND
        kept.quote(time, price * 100 - 100, price * 100 + 100, 0)
        if count:
            kept.trade(time, price * 100, count, 0)
            trades.append((time, price * 100, count))
    final = -(-(time + 1) // (minutes * MINUTE))
    found = kept.candles(0, final, minutes)
    assert [candle.end for candle in found] == [
        number * minutes * 60 for number in range(start // MINUTE // minutes + 1, final + 1)
    ]
    previous = 5000
    for candle in found:
        inside = [
            trade
            for trade in trades
            if (candle.end - minutes * 60) * SECOND <= trade[0] < candle.end * SECOND
        ]
        prices = [price for _, price, _ in inside]
        assert candle.volume == sum(count for _, _, count in inside)
        assert candle.previous == previous
        if not prices:
            assert candle.price is None
        else:
            assert candle.price == (prices[0], min(prices), max(prices), prices[-1])
            previous = prices[-1]
        assert candle.bid[1] <= min(candle.bid[0], candle.bid[3]) <= candle.bid[2]
    assert kept.volume_since(0) == sum(count for _, _, count in trades)


def test_minutes_become_hours_when_there_are_many() -> None:
    start = 1_000 * DAY
    kept = Minutes(start, 5000)
    for number in range(40_000):
        kept.trade(start + number * MINUTE, 4000 + number % 7, 1, number)
    assert len(kept) < 11_000
    days = kept.candles(0, start // DAY + 40, 1440)
    assert sum(candle.volume for candle in days) == 40_000
    assert days[3].price == (4000 + 3 * 1440 % 7, 4000, 4006, 4000 + (4 * 1440 - 1) % 7)
    recent = kept.candles((start // MINUTE) + 39_990, (start // MINUTE) + 40_000, 1)
    assert [candle.volume for candle in recent] == [1] * 11
