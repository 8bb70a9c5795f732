"""The generated catalog: determinism, sizes, prices on grids, states, books, trades and candles."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox._catalog import states
from kalshi_async.sandbox._catalog.draw import cutoff, default_now
from kalshi_async.sandbox._catalog.generated import Generated
from kalshi_async.sandbox._catalog.grid import GRIDS, on_grid, price_ranges, step_above, step_below
from kalshi_async.sandbox._catalog.market import Market
from kalshi_async.sandbox._catalog.query import MarketQuery
from kalshi_async.sandbox._catalog.series import SERIES, Kind
from kalshi_async.sandbox._catalog.tape import candles_of, trades_of
from kalshi_async.sandbox._text import DAY, SECOND, from_micros, parse_time, time_text, to_micros


@pytest.fixture(scope="module")
def catalog() -> Generated:
    return Generated(7, 5_000, default_now(7))


def every(catalog: Generated) -> list[Market]:
    archived = catalog.select(MarketQuery(word="archived"), None)
    return [*catalog.select(MarketQuery(), None), *archived]


@pytest.mark.parametrize("size", [0, 1, 5, 49, 50, 51, 200, 3_000])
def test_a_catalog_lists_exactly_the_markets_asked_for(size: int) -> None:
    catalog = Generated(3, size, default_now(3))
    listed = list(catalog.select(MarketQuery(), None))
    assert len(listed) == size
    found = every(catalog)
    assert len({market.ticker for market in found}) == len(found) <= size * 1.3
    assert len(found) > size or size < 200


@given(st.integers(0, 1000), st.integers(50, 120))
def test_what_every_catalog_has(seed: int, size: int) -> None:
    catalog = Generated(seed, size, default_now(seed))
    fed = catalog.market("KXFED-26MAR19")
    assert fed is not None
    assert fed.event_ticker == "KXFED-26MAR19"
    assert fed.event.state == states.ACTIVE
    assert catalog.market("KXFED-26MAR19-T4.25") is not None
    assert catalog.market("KXBTC-26MAR14-100000") is not None
    assert set(catalog.columns.state) == set(range(9))


def test_anchors_stay_open_whenever_now_is() -> None:
    for year in (2024, 2026, 2030):
        now = to_micros(datetime(year, 11, 22, tzinfo=UTC))
        fed = Generated(7, 60, now).market("KXFED-26MAR19")
        assert fed is not None
        assert fed.close > now


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    def rendered(seed: int) -> list[bytes]:
        return [market.json() for market in every(Generated(seed, 400, default_now(1)))]

    assert rendered(5) == rendered(5)
    assert rendered(5) != rendered(6)


def test_listing_is_newest_first_then_ticker_descending(catalog: Generated) -> None:
    keys = [(m.created, m.ticker) for m in catalog.select(MarketQuery(), None)]
    assert keys == sorted(keys, reverse=True)
    for word in ("closed", "settled", "archived"):
        keys = [(m.close, m.ticker) for m in catalog.select(MarketQuery(word=word), None)]
        assert keys == sorted(keys, reverse=True)
        assert keys


def test_most_open_markets_are_young(catalog: Generated) -> None:
    ages = [catalog.now - m.created for m in catalog.select(MarketQuery(word="open"), None)]
    recent = sum(age < 14 * DAY for age in ages)
    assert recent > len(ages) / 2
    per_event = Counter(m.created for m in catalog.select(MarketQuery(), None))
    assert 1.5 < sum(per_event.values()) / len(per_event) < 3


def test_every_market_can_be_looked_up(catalog: Generated) -> None:
    for market in every(catalog):
        found = catalog.market(market.ticker)
        assert found is not None
        assert found.ticker == market.ticker
    for unknown in ("", "-", "KXFED-26MAR19-", "KXFED", "KXFED-26MAR19-T9", "\N{SNOWMAN}"):
        assert catalog.market(unknown) is None


def test_prices_lie_on_the_grid_and_both_sides_agree(catalog: Generated) -> None:
    seen = set()
    for market in every(catalog):
        shown = json.loads(market.json())
        structure = market.event.series.structure
        seen.add(shown["price_level_structure"])
        bid, ask = Decimal(shown["yes_bid_dollars"]), Decimal(shown["yes_ask_dollars"])
        assert Decimal(shown["no_bid_dollars"]) == 1 - ask
        assert Decimal(shown["no_ask_dollars"]) == 1 - bid
        assert bid < ask
        for name in ("yes_bid", "yes_ask", "last_price", "previous_price", "no_bid"):
            tick = int(Decimal(shown[f"{name}_dollars"]) * 1000)
            assert tick in (0, 1000) or on_grid(structure, tick), (market.ticker, name, tick)
        assert (bid == 0) == (shown["yes_bid_size_fp"] == "0.00")
        assert (ask == 1) == (shown["yes_ask_size_fp"] == "0.00")
        assert shown["price_ranges"] == price_ranges(structure)
    assert seen == set(GRIDS)


def test_the_book_begins_with_the_best_prices_of_the_market(catalog: Generated) -> None:
    for market in catalog.select(MarketQuery(word="open"), None):
        book = market.book()
        assert book.yes[:1] == (((market.bid, market.bid_size),) if market.bid else ())
        best_no = ((1000 - market.ask, market.ask_size),) if market.ask < 1000 else ()
        assert book.no[:1] == best_no
        for side in (book.yes, book.no):
            prices = [price for price, _ in side]
            assert prices == sorted(set(prices), reverse=True)
            assert all(on_grid(market.event.series.structure, price) for price in prices)
            assert all(size > 0 for _, size in side)
        shown = book.json()["yes_dollars"]
        assert shown == sorted(shown, key=lambda level: Decimal(level[0]))
        assert book.json(2)["yes_dollars"] == shown[-2:]


def test_exclusive_outcomes_are_priced_together_and_settle_once(catalog: Generated) -> None:
    settled = 0
    for position in range(len(catalog)):
        event = catalog.event_at(position)
        if event.series.exclusive and len(event.markets) > 1:
            assert 950 <= sum(market.strike.fair for market in event.markets) <= 1060
        if not states.decided(event.state):
            assert all(market.settlement == -1 for market in event.markets)
        elif event.series.exclusive and event.count > 1:
            assert sum(market.settlement for market in event.markets) == 1000
            settled += 1
    assert settled > 50


def test_results_and_settlement_values(catalog: Generated) -> None:
    results = Counter()
    for market in every(catalog):
        shown = json.loads(market.json())
        results[shown["status"], shown["result"]] += 1
        decided = shown["status"] in ("determined", "disputed", "amended", "finalized")
        assert ("settlement_value_dollars" in shown) is decided
        assert ("settlement_ts" in shown) is (shown["status"] == "finalized")
        if decided:
            value = {"yes": "1.0000", "no": "0.0000", "scalar": "0.5000"}[shown["result"]]
            assert shown["settlement_value_dollars"] == value
        else:
            assert shown["result"] == ""
    assert {status for status, _ in results} == set(states.NAMES)
    assert results["finalized", "yes"]
    assert results["finalized", "scalar"]


def test_times_are_in_order_and_history_is_split_at_the_cutoff(catalog: Generated) -> None:
    for market in every(catalog):
        event = market.event
        assert event.created < event.open
        assert event.created < event.close
        assert event.created <= event.updated <= catalog.now
        if event.state == states.INITIALIZED:
            assert catalog.now < event.open < event.close
        elif event.state <= states.INACTIVE:
            assert event.open <= catalog.now < event.close
        else:
            assert event.close < catalog.now
        if event.settled:
            assert event.close < event.settled < catalog.now
            assert (event.settled < cutoff(catalog.now)) is (event.state == states.ARCHIVED)


def test_combos_are_made_of_markets_that_exist(catalog: Generated) -> None:
    combos = list(catalog.select(MarketQuery(combos=True), None))
    assert combos
    for market in combos:
        shown = json.loads(market.json())
        assert market.ticker.startswith("KXMVE")
        assert len(shown["mve_selected_legs"]) >= 2
        assert shown["mve_collection_ticker"] in {one.ticker for one in catalog.collections}
        for leg in shown["mve_selected_legs"]:
            found = catalog.market(leg["market_ticker"])
            assert found is not None
            assert found.event_ticker == leg["event_ticker"]
    assert not any(
        market.ticker.startswith("KXMVE")
        for market in catalog.select(MarketQuery(combos=False), None)
    )


def test_trades_add_up_to_the_volume(catalog: Generated) -> None:
    traded = 0
    for market in every(catalog):
        trades = trades_of(market)
        traded += bool(trades)
        assert sum(trade.count for trade in trades) == market.volume
        day_ago = catalog.now - DAY
        assert sum(trade.count for trade in trades if trade.time >= day_ago) == market.volume_24h, (
            market.ticker
        )
        assert market.open_interest <= market.volume
        assert [trade.time for trade in trades] == sorted(trade.time for trade in trades)
        for trade in trades:
            assert trade.count > 0
            assert market.event.open <= trade.time < min(market.close, catalog.now)
            assert on_grid(market.event.series.structure, trade.price)
        if trades:
            assert trades[-1].price == market.last
    assert traded > 500


def test_candles_agree_with_the_trades(catalog: Generated) -> None:
    market = catalog.market("KXFED-26MAR19")
    assert market is not None
    now = catalog.now // SECOND
    candles = candles_of(market, now - 30 * 86_400, now + 86_400, 1440)
    trades = trades_of(market)
    assert sum(candle.volume for candle in candles) == market.volume
    assert [candle.end for candle in candles] == sorted({candle.end for candle in candles})
    assert candles[-1].open_interest == market.open_interest
    assert candles[-1].bid[3] == market.bid
    assert candles[-1].ask[3] == market.ask
    for candle in candles:
        inside = [
            trade.price
            for trade in trades
            if (candle.end - 86_400) * SECOND <= trade.time < candle.end * SECOND
        ]
        if inside:
            shown = (inside[0], min(inside), max(inside), inside[-1])
            assert candle.price == shown
            assert shown[1] <= candle.mean <= shown[2]
        else:
            assert candle.price is None
        assert candle.bid[1] <= candle.bid[0] <= candle.bid[2]


def test_candles_before_the_start_and_outside_the_life(catalog: Generated) -> None:
    market = catalog.market("KXFED-26MAR19")
    assert market is not None
    end = catalog.now // SECOND // 3600 * 3600
    plain = candles_of(market, end - 7200, end, 60)
    lead = candles_of(market, end - 7200, end, 60, lead=True)
    assert lead[1:] == plain
    assert lead[0].end == plain[0].end - 3600
    assert candles_of(market, 0, 1000, 60) == []
    assert candles_of(market, end + 10 * 86_400, end + 20 * 86_400, 60) == []


@pytest.mark.parametrize("structure", GRIDS)
def test_grid_steps(structure: str) -> None:
    inside = [tick for tick in range(1, 1000) if on_grid(structure, tick)]
    for lower, upper in pairwise(inside):
        assert step_above(structure, lower) == upper
        assert step_below(structure, upper) == lower
    assert step_below(structure, inside[0]) == 0
    assert step_above(structure, inside[-1]) == 1000


def test_the_kinds_of_series() -> None:
    assert {series.kind for series in SERIES} == set(Kind)
    for series in SERIES:
        assert "%" not in series.title
        assert all("%" not in name and '"' not in name for _, name in series.names)
        codes = [code for code, _ in series.names]
        assert len(codes) == len(set(codes))


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001 - made aware below
def test_times_survive_their_text(moment: datetime) -> None:
    micros = to_micros(moment.replace(tzinfo=UTC))
    assert parse_time(time_text(micros)) == micros
    assert from_micros(micros) == moment.replace(tzinfo=UTC)
    assert time_text(micros).endswith("Z")
