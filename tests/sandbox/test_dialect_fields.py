"""Numbers and fields of the older API, computed from today's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox._dialect import add_book, add_market, add_position, translate
from kalshi_async.sandbox._dialect_orders import worst_price

prices = st.integers(0, 1000).map(lambda tick: Decimal(tick).scaleb(-3))


@given(bid=prices, ask=prices)
def test_cents_never_promise_a_better_price(bid: Decimal, ask: Decimal) -> None:
    shown: dict[str, object] = {
        "yes_bid_dollars": f"{bid:.4f}",
        "yes_ask_dollars": f"{ask:.4f}",
        "no_bid_dollars": f"{1 - ask:.4f}",
        "no_ask_dollars": f"{1 - bid:.4f}",
    }
    add_market(shown)
    yes_bid, yes_ask = shown["yes_bid"], shown["yes_ask"]
    assert isinstance(yes_bid, int)
    assert isinstance(yes_ask, int)
    assert 0 <= bid * 100 - yes_bid < 1
    assert 0 <= yes_ask - ask * 100 < 1
    assert (shown["no_bid"], shown["no_ask"]) == (100 - yes_ask, 100 - yes_bid)


@given(st.dictionaries(st.integers(1, 999), st.integers(1, 100_000), max_size=40))
def test_books_lose_only_fractions(levels: dict[int, int]) -> None:
    side = [
        [f"{Decimal(tick).scaleb(-3):.4f}", f"{Decimal(count).scaleb(-2):.2f}"]
        for tick, count in sorted(levels.items())
    ]
    shown: dict[str, Any] = {"orderbook_fp": {"yes_dollars": side, "no_dollars": None}}
    add_book(shown)
    cents = shown["orderbook"]["yes"]
    assert shown["orderbook"]["no"] == []
    assert [price for price, _ in cents] == sorted({price for price, _ in cents})
    for price, count in cents:
        inside = sum(size for tick, size in levels.items() if tick // 10 == price)
        assert 1 <= price <= 99
        assert count == inside // 100 >= 1
    missing = {tick // 10 for tick in levels} - {price for price, _ in cents} - {0}
    for price in missing:
        assert sum(size for tick, size in levels.items() if tick // 10 == price) < 100


@pytest.mark.parametrize(
    ("held", "cost", "expected"),
    [
        ("10.00", "6.200000", (10, 10, 0, 62)),
        ("-3.50", "1.330000", (-3, 0, 3, 38)),
        ("3.00", "1.995000", (3, 3, 0, 67)),
        ("0.00", "0.000000", (0, 0, 0, 0)),
    ],
)
def test_positions_have_counts_and_an_average_price(
    held: str, cost: str, expected: tuple[int, ...]
) -> None:
    shown: dict[str, object] = {"position_fp": held, "market_exposure_dollars": cost}
    add_position(shown)
    names = ("position", "yes_count", "no_count", "average_price")
    assert tuple(shown[name] for name in names) == expected


def test_recorded_cents_and_unknown_operations_stay() -> None:
    body = {"market": {"yes_bid": 5, "yes_bid_dollars": "0.0610", "status": "active"}}
    translated = translate("GetMarket", body)
    assert translated == {"market": {"yes_bid": 5, "yes_bid_dollars": "0.0610", "status": "open"}}
    assert body["market"]["status"] == "active"
    assert translate("GetExchangeStatus", body) is body


@given(
    st.lists(st.tuples(st.integers(1, 9999), st.integers(1, 500)), max_size=8),
    st.integers(1, 3000),
)
def test_the_worst_price_is_the_last_level_needed(
    levels: list[tuple[int, int]], count: int
) -> None:
    price = worst_price(levels, count)
    reached = 0
    for level, size in levels:
        reached += size
        if reached >= count:
            assert price == level
            return
    assert price == (levels[-1][0] if levels else None)
