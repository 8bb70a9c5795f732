"""The market list that the benchmark server sends: shape, pages, windows."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks._listing import Listing, Query, start_of

SMALL = Listing(137, template=40)


def body(listing: Listing, query: Query) -> Any:
    return json.loads(b"".join(listing.page(query)))


def follow(listing: Listing, query: Query) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = body(listing, query)
        found += page["markets"]
        if not page["cursor"]:
            return found
        query = Query(
            query.limit, start_of(page["cursor"]), query.min_created_ts, query.max_created_ts
        )


def created(market: dict[str, Any]) -> float:
    return datetime.fromisoformat(market["created_time"]).timestamp()


EVERY = follow(SMALL, Query(limit=1000))


def test_every_market_is_there_once_newest_first() -> None:
    tickers = [market["ticker"] for market in EVERY]
    assert tickers == [SMALL.ticker(index) for index in range(137)]
    assert len(set(tickers)) == 137
    times = [created(market) for market in EVERY]
    assert times == sorted(times, reverse=True)
    assert len(set(times)) == 35, "four markets of an event share their creation time"


@given(limit=st.integers(1, 60))
def test_pages_of_any_size_join_to_the_whole_list(limit: int) -> None:
    assert follow(SMALL, Query(limit=limit)) == EVERY


@given(
    limit=st.integers(1, 60),
    low=st.integers(0, 136),
    high=st.integers(0, 136),
    shift=st.sampled_from([-1, 0, 1]),
)
def test_a_window_holds_exactly_the_markets_created_in_it(
    limit: int, low: int, high: int, shift: int
) -> None:
    newest, oldest = int(created(EVERY[low])) + shift, int(created(EVERY[high])) + shift
    query = Query(limit, None, min_created_ts=oldest, max_created_ts=newest)
    expected = [market for market in EVERY if oldest <= created(market) <= newest]
    assert follow(SMALL, query) == expected


def test_a_list_as_long_as_its_template_sends_the_template_itself() -> None:
    assert follow(Listing(40, template=40), Query(limit=7)) == follow(
        Listing(40, template=100), Query(limit=1000)
    )


def test_an_unknown_cursor_starts_over() -> None:
    assert start_of("CgwIuKKp") is None
    assert start_of("") is None
    assert body(SMALL, Query(limit=5, start=start_of("rubbish")))["markets"] == EVERY[:5]


def test_an_empty_listing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one market"):
        Listing(0)


def test_a_page_weighs_what_a_page_of_the_exchange_weighs() -> None:
    page = b"".join(Listing(1000).page(Query(limit=1000)))
    assert 1_700_000 < len(page) < 2_200_000


def test_a_market_has_every_field_that_the_contract_requires(shared: Path) -> None:
    contract = json.loads((shared / "contract" / "rest-3.34.0.json").read_text())
    schema = contract["components"]["schemas"]["Market"]
    assert set(schema["required"]) <= set(EVERY[0])
    for name, value in EVERY[0].items():
        allowed = schema["properties"].get(name, {}).get("enum")
        assert allowed is None or value in allowed
