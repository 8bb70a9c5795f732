"""Prices of a grid, and where a market order stops: never worse than what the caller accepts."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kalshi_async import InvalidRequestError
from kalshi_async._grid import at_least, at_most, on_grid
from kalshi_async.models.markets import PriceRange
from kalshi_async.orders import OrderRequest
from kalshi_async.orders._request import bounded_price

STEPS = (10, 50, 100)


def dollars(ticks: int) -> Decimal:
    return Decimal(ticks).scaleb(-4)


@st.composite
def grids(draw: st.DrawFn) -> list[PriceRange]:
    """Up to four ranges that follow each other, each with a step that divides it."""
    cuts = sorted(draw(st.sets(st.integers(1, 99), max_size=3)))
    edges = [0, *(cut * 100 for cut in cuts), 10_000]
    return [
        PriceRange(
            start=dollars(low), end=dollars(high), step=dollars(draw(st.sampled_from(STEPS)))
        )
        for low, high in pairwise(edges)
    ]


def prices_of(ranges: list[PriceRange]) -> list[Decimal]:
    """All prices of a grid, found by walking it."""
    found = set()
    for part in ranges:
        each = part.start
        while each <= part.end:
            found.add(each)
            each += part.step
    return sorted(price for price in found if 0 < price < 1)


@given(ranges=grids(), ticks=st.integers(0, 10_000))
def test_the_nearest_prices_are_those_that_walking_the_grid_finds(
    ranges: list[PriceRange], ticks: int
) -> None:
    price, there = dollars(ticks), prices_of(ranges)
    assert at_most(price, ranges) == max((p for p in there if p <= price), default=None)
    assert at_least(price, ranges) == min((p for p in there if p >= price), default=None)
    if 0 < ticks < 10_000:
        assert on_grid(price, ranges) == (price in there)


def taking(action: str, slippage: Decimal) -> OrderRequest:
    return OrderRequest(
        "KX-A",
        action=action,  # type: ignore[arg-type]
        side="yes",
        count=1,
        type="market",
        slippage=slippage,
    )


@given(ranges=grids(), data=st.data(), slippage=st.integers(0, 9_999))
def test_a_bound_is_on_the_grid_and_never_worse_than_accepted(
    ranges: list[PriceRange], data: st.DataObject, slippage: int
) -> None:
    best, away = data.draw(st.sampled_from(prices_of(ranges))), dollars(slippage)
    there = prices_of(ranges)
    buying = bounded_price(taking("buy", away), best, ranges)
    assert buying == max(price for price in there if price <= best + away)
    selling = bounded_price(taking("sell", away), best, ranges)
    assert selling == min(price for price in there if price >= best - away)


def test_selling_no_stands_on_the_bid() -> None:
    order = OrderRequest("KX-A", action="sell", side="no", count=1, type="market", slippage="0.025")
    cents = [PriceRange(start=Decimal(0), end=Decimal(1), step=Decimal("0.01"))]
    assert bounded_price(order, Decimal("0.40"), cents) == Decimal("0.42")


@pytest.mark.parametrize(("action", "word"), [("buy", "asks"), ("sell", "bids")])
def test_nobody_on_the_other_side(action: str, word: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"nobody {word} in KX-A"):
        bounded_price(taking(action, Decimal("0.05")), None, [])


@pytest.mark.parametrize("action", ["buy", "sell"])
def test_no_price_of_the_grid_is_near_enough(action: str) -> None:
    coarse = [PriceRange(start=Decimal(0), end=Decimal(1), step=Decimal("0.01"))]
    with pytest.raises(InvalidRequestError, match="no price on the grid"):
        bounded_price(taking(action, Decimal("0.001")), Decimal("0.455"), coarse)


@given(ticks=st.integers(1, 99), slippage=st.integers(0, 9_999))
@example(ticks=99, slippage=0)
@example(ticks=90, slippage=1_000)
def test_a_grid_that_is_not_known_is_taken_for_cents(ticks: int, slippage: int) -> None:
    best, away = dollars(ticks * 100), dollars(slippage)
    bound = bounded_price(taking("buy", away), best, [])
    assert bound % Decimal("0.01") == 0
    assert best <= bound <= best + away
