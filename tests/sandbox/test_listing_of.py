"""From the catalog to the market that trades: state, grid, fees and quotes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox._catalog.book import Book, live_json
from kalshi_async.sandbox._catalog.catalog import Catalog
from kalshi_async.sandbox._catalog.draw import default_now
from kalshi_async.sandbox._catalog.query import MarketQuery
from kalshi_async.sandbox._live.listing import grid_named, listing_of, on_grid, quotes_of
from kalshi_async.sandbox._records import Listing
from kalshi_async.sandbox._text import DAY, HOUR, time_text

NOW = default_now(7)
SHIFT = 200 * DAY + 17


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog(seed=7, markets=900, now=NOW)


def listed(catalog: Catalog, ticker: str, at: int = NOW + SHIFT) -> Listing:
    found = listing_of(catalog, ticker, SHIFT, at)
    assert found is not None
    return found


def first(catalog: Catalog, **query: Any) -> Any:
    return next(iter(catalog.markets(MarketQuery(**query))))


def test_quotes_are_the_book_of_the_catalog(catalog: Catalog) -> None:
    for word in ("open", "paused"):
        for market in catalog.markets(MarketQuery(word=word)):
            found = listed(catalog, market.ticker)
            bids = [(price, count) for bid, price, count in found.quotes if bid]
            asks = [(price, count) for bid, price, count in found.quotes if not bid]
            assert live_json(bids, asks) == catalog.book(market.ticker).json()
            assert max(bids, default=(0, 0))[0] < min(asks, default=(10_000, 0))[0]
            assert all(found.market.on_grid(price) for _, price, _ in found.quotes)


def test_state_of_a_generated_market(catalog: Catalog) -> None:
    fed = listed(catalog, "KXFED-26MAR19").market
    own = catalog.market("KXFED-26MAR19")
    assert own is not None
    assert (fed.event_ticker, fed.series_ticker) == ("KXFED-26MAR19", "KXFED")
    assert (fed.status, fed.value, fed.shard) == ("active", -1, 0)
    assert fed.closes == own.close + SHIFT
    assert fed.opens < NOW + SHIFT < fed.closes
    assert fed.grid == ((0, 10_000, 100),)
    assert (fed.last, fed.base_volume, fed.base_volume_24h) == (6200, 4_825_000, 1_284_000)
    assert (fed.base_open_interest, fed.volume, fed.open_interest) == (3_400_000, 0, 0)
    assert (fed.fee_thousandths, fed.maker_quarters) == (1000, 1)


@pytest.mark.parametrize(
    ("series", "shard", "fees", "steps"),
    [
        ("KXUFC", 0, (500, 0), {100}),
        ("KXNBAGAME", 3, (1000, 0), {100}),
        ("KXBTC", 2, (1000, 0), {10, 100}),
        ("KXMVECROSSCATEGORY", 1, (1000, 2), {10}),
    ],
)
def test_shard_fees_and_grid_come_from_the_series(
    catalog: Catalog, series: str, shard: int, fees: tuple[int, int], steps: set[int]
) -> None:
    state = listed(catalog, first(catalog, series=series).ticker).market
    assert state.shard == shard
    assert (state.fee_thousandths, state.maker_quarters) == fees
    assert {step for _, _, step in state.grid} == steps


def test_states_and_results(catalog: Catalog) -> None:
    for market in catalog.markets(MarketQuery()):
        found = listed(catalog, market.ticker)
        shown = json.loads(market.json())
        status = shown["status"]
        state = found.market
        assert state.status == {"disputed": "determined", "amended": "determined"}.get(
            status, status
        )
        value = shown.get("settlement_value_dollars")
        assert state.value == (-1 if value is None else round(float(value) * 10_000))
        assert bool(state.settled) == (status == "finalized")
        if market.word not in ("open", "paused"):
            assert found.quotes == ()


def test_what_is_due_has_happened(catalog: Catalog) -> None:
    ahead = first(catalog, word="unopened").ticker
    state = listed(catalog, ahead).market
    assert state.status == "initialized"
    assert listed(catalog, ahead, state.opens).market.status == "active"
    assert listed(catalog, ahead, state.closes).market.status == "closed"
    fed = listed(catalog, "KXFED-26MAR19").market
    over = listed(catalog, "KXFED-26MAR19", fed.closes)
    assert (over.market.status, over.quotes) == ("closed", ())


def test_unknown_and_archived_markets_do_not_trade(catalog: Catalog) -> None:
    assert listing_of(catalog, "UNKNOWN", 0, NOW) is None
    archived = first(catalog, word="archived")
    assert listing_of(catalog, archived.ticker, 0, NOW) is None


LEVELS = st.lists(st.tuples(st.integers(-3, 1003), st.integers(-100, 5_000)), max_size=12)


@given(LEVELS, LEVELS, st.sampled_from(["linear_cent", "deci_cent", "tapered_deci_cent"]))
def test_whatever_was_recorded_the_quotes_can_rest(
    yes: list[tuple[int, int]], no: list[tuple[int, int]], structure: str
) -> None:
    grid = grid_named(structure)
    found = quotes_of(Book(tuple(yes), tuple(no)), grid)
    bids = [price for bid, price, _ in found if bid]
    asks = [price for bid, price, _ in found if not bid]
    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))
    assert max(bids, default=0) < min(asks, default=10_000)
    assert all(count > 0 and on_grid(grid, price) for _, price, count in found)
    expected = sum(size for tick, size in yes if size > 0 and on_grid(grid, tick * 10))
    assert sum(count for bid, _, count in found if bid) == expected


# Recorded markets


def loaded(folder: Path, *objects: dict[str, Any], ticker: str = "KXA-1") -> Listing:
    (folder / "a.json").write_text(json.dumps(list(objects)))
    catalog = Catalog(seed=1, markets=0, now=NOW, paths=[folder])
    return listed(catalog, ticker)


def market(**fields: Any) -> dict[str, Any]:
    return {
        "ticker": "KXA-1",
        "event_ticker": "KXA",
        "status": "active",
        "created_time": time_text(NOW - DAY),
        "open_time": time_text(NOW - HOUR),
        "close_time": time_text(NOW + DAY),
        "yes_bid_dollars": "0.4700",
        "no_bid_dollars": "0.5100",
        "yes_bid_size_fp": "3.00",
        "yes_ask_size_fp": "7.50",
        "last_price_dollars": "0.4800",
        "volume_fp": "12.50",
        "open_interest_fp": "4.00",
    } | fields


def test_a_recorded_market(tmp_path: Path) -> None:
    ranges = [{"start": "0.0000", "end": "1.0000", "step": "0.0050"}]
    found = loaded(tmp_path, market(price_ranges=ranges, exchange_index=3))
    state = found.market
    assert state.grid == ((0, 10_000, 50),)
    assert found.quotes == ((True, 4700, 300), (False, 4900, 750))
    assert (state.status, state.shard, state.series_ticker) == ("active", 3, "KXA")
    assert (state.opens, state.closes) == (NOW - HOUR + SHIFT, NOW + DAY + SHIFT)
    assert (state.last, state.base_volume, state.base_open_interest) == (4800, 1250, 400)
    assert (state.fee_thousandths, state.maker_quarters) == (1000, 0)


def test_a_market_recorded_in_cents(tmp_path: Path) -> None:
    cents = {"ticker": "KXA-1", "status": "active", "yes_bid": 61, "no_bid": 37, "last_price": 62}
    found = loaded(tmp_path, cents | {"volume": 10, "open_interest": 7, "close_time": "2020"})
    assert found.quotes == ((True, 6100, 100), (False, 6300, 100))
    assert found.market.grid == ((0, 10_000, 100),)
    assert (found.market.last, found.market.base_volume) == (6200, 1000)
    assert found.market.base_open_interest == 700


def test_a_recording_of_the_past_stays_open(tmp_path: Path) -> None:
    state = loaded(tmp_path, market(close_time=time_text(NOW - DAY))).market
    assert (state.status, state.closes) == ("active", 0)


def test_prices_beside_the_cents_need_a_finer_grid(tmp_path: Path) -> None:
    found = loaded(tmp_path, market(yes_bid_dollars="0.4710"))
    assert found.market.grid == ((0, 10_000, 10),)
    assert found.quotes[0] == (True, 4710, 300)


def test_fees_are_those_of_the_recorded_series_and_event(tmp_path: Path) -> None:
    series = {
        "ticker": "KXA",
        "frequency": "daily",
        "fee_type": "quadratic_with_maker_fees",
        "fee_multiplier": 0.5,
    }
    state = loaded(tmp_path, market(), series).market
    assert (state.fee_thousandths, state.maker_quarters) == (500, 1)
    event = {"event_ticker": "KXA", "series_ticker": "KXA", "title": "A"}
    override = {"fee_multiplier_override": 2, "fee_type_override": "quadratic"}
    state = loaded(tmp_path, market(), series, event | override).market
    assert (state.fee_thousandths, state.maker_quarters) == (2000, 0)
    nothing = {"fee_multiplier_override": None, "fee_type_override": None}
    state = loaded(tmp_path, market(), series, event | nothing).market
    assert (state.fee_thousandths, state.maker_quarters) == (500, 1)


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({"result": "yes"}, 10_000),
        ({"result": "no"}, 0),
        ({"result": "scalar", "settlement_value_dollars": "0.2500"}, 2500),
        ({"result": ""}, -1),
    ],
)
def test_recorded_results(tmp_path: Path, fields: dict[str, str], value: int) -> None:
    found = loaded(tmp_path, market(status="determined", **fields))
    assert (found.market.status, found.market.value) == ("determined", value)
    assert found.quotes == ()


def test_everything_recorded_can_trade(shared: Path) -> None:
    catalog = Catalog(seed=1, markets=0, now=NOW, paths=[shared / "recorded"])
    quoted = 0
    for ticker, own in catalog.loaded.markets.items():
        found = listed(catalog, ticker)
        bids = [(price, count) for bid, price, count in found.quotes if bid]
        asks = [(price, count) for bid, price, count in found.quotes if not bid]
        if own.word == "open":
            assert live_json(bids, asks) == catalog.book(ticker).json()
            quoted += bool(found.quotes)
    assert quoted > 20
