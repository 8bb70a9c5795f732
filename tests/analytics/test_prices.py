"""Prices: conversions, complements, what a quote implies, and grids."""

from __future__ import annotations

import decimal
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import InvalidRequestError, _grid
from kalshi_async.analytics import prices
from kalshi_async.models import Market, PriceRange

from .amounts import cents, chances, ticks

ONE = Decimal(1)
TAPERED = (
    PriceRange(start=Decimal(0), end=Decimal("0.1"), step=Decimal("0.001")),
    PriceRange(start=Decimal("0.1"), end=Decimal("0.9"), step=Decimal("0.01")),
    PriceRange(start=Decimal("0.9"), end=Decimal(1), step=Decimal("0.001")),
)
# A grid that is another one from the other side.
LOPSIDED = (
    PriceRange(start=Decimal(0), end=Decimal("0.1"), step=Decimal("0.001")),
    PriceRange(start=Decimal("0.1"), end=Decimal(1), step=Decimal("0.05")),
)
# Ranges that end between two of their steps.
RAGGED = (
    PriceRange(start=Decimal(0), end=Decimal("0.5"), step=Decimal("0.03")),
    PriceRange(start=Decimal("0.5"), end=Decimal(1), step=Decimal("0.07")),
)
GRIDS = st.sampled_from([None, TAPERED, LOPSIDED, RAGGED])


@given(st.integers(1, 99))
def test_cents_and_dollars(cents: int) -> None:
    assert prices.from_cents(cents) == Decimal(cents) / 100
    assert prices.to_cents(prices.from_cents(cents)) == cents


def test_a_price_between_two_cents_is_not_cents() -> None:
    with pytest.raises(InvalidRequestError, match="between 62 and 63 cents"):
        prices.to_cents("0.625")


@given(ticks())
def test_complements(price: Decimal) -> None:
    other = prices.complement(price)
    assert 0 < other < 1
    assert price + other == 1
    assert prices.complement(other) == price


@given(ticks(), ticks())
def test_what_a_quote_implies_lies_in_it_and_is_the_complement_of_the_other_sides(
    first: Decimal, second: Decimal
) -> None:
    bid, ask = sorted((first, second))
    implied = prices.implied_probability(bid, ask)
    assert bid <= implied <= ask
    other = prices.implied_probability(ONE - ask, ONE - bid)
    assert implied + other == 1
    assert prices.spread(bid, ask) == ask - bid == prices.spread(ONE - ask, ONE - bid)
    assert prices.mid(bid, ask) + prices.mid(ONE - ask, ONE - bid) == 1
    assert bid <= prices.mid(bid, ask) <= ask


def test_a_quote() -> None:
    assert prices.mid("0.61", "0.64") == Decimal("0.625")
    assert prices.implied_probability("0.61", "0.63") == Decimal("0.617647058824")
    assert prices.spread("0.61", "0.63") == Decimal("0.02")


@given(st.lists(cents(), min_size=1, max_size=12))
def test_what_all_outcomes_imply_adds_up_to_1(asks: list[Decimal]) -> None:
    implied = prices.implied_probabilities(asks)
    assert abs(sum(implied) - 1) < Decimal("1e-11")
    assert [asks.index(ask) for ask in sorted(asks)] == [
        implied.index(each) for each in sorted(implied)
    ]


@given(GRIDS, ticks())
def test_the_next_prices_are_neighbours(
    grid: tuple[PriceRange, ...] | None, price: Decimal
) -> None:
    there = prices.ticks(grid)
    above, below = prices.next_up(price, grid), prices.next_down(price, grid)
    assert above == min((each for each in there if each > price), default=None)
    assert below == max((each for each in there if each < price), default=None)
    assert prices.on_grid(price, grid) == (price in there)


@given(GRIDS, ticks(), st.sampled_from(["buy", "sell"]), st.sampled_from(["yes", "no"]))
def test_a_limit_is_on_the_grid_and_never_crossed(
    grid: tuple[PriceRange, ...] | None, limit: Decimal, action: str, side: str
) -> None:
    found = prices.limit(limit, action=action, side=side, grid=grid)  # type: ignore[arg-type]
    there = prices.ticks(grid)
    takes = there if side == "yes" else [ONE - each for each in there]
    within = [each for each in takes if (each <= limit if action == "buy" else each >= limit)]
    best = max if action == "buy" else min
    assert found == best(within, default=None)


@given(GRIDS, chances(), st.sampled_from(["buy", "sell"]), st.sampled_from(["yes", "no"]))
def test_nobody_trades_beyond_what_he_believes(
    grid: tuple[PriceRange, ...] | None, chance: Decimal, action: str, side: str
) -> None:
    found = prices.from_probability(chance, action=action, side=side, grid=grid)  # type: ignore[arg-type]
    worth = chance if side == "yes" else ONE - chance
    there = prices.ticks(grid)
    takes = there if side == "yes" else [ONE - each for each in there]
    within = [each for each in takes if (each <= worth if action == "buy" else each >= worth)]
    assert found == (max if action == "buy" else min)(within, default=None)


def test_an_estimate_may_be_a_float() -> None:
    assert prices.from_probability(0.6173, action="buy") == Decimal("0.61")
    assert prices.from_probability(0.6173, action="sell") == Decimal("0.62")
    assert prices.from_probability(0.6173, action="buy", side="no") == Decimal("0.38")
    assert prices.from_probability("0.001", action="buy") is None
    with pytest.raises(InvalidRequestError, match="probability"):
        prices.from_probability(1.5, action="buy")
    with pytest.raises(InvalidRequestError, match="side"):
        prices.from_probability("0.5", action="buy", side="both")  # type: ignore[arg-type]


@given(GRIDS)
def test_the_grid_of_the_other_side_is_mirrored(grid: tuple[PriceRange, ...] | None) -> None:
    other = prices.mirrored(grid)
    assert prices.ticks(other) == tuple(sorted(ONE - each for each in prices.ticks(grid)))
    assert prices.ticks(prices.mirrored(other)) == prices.ticks(grid)


def test_a_market_tells_its_grid() -> None:
    market = Market(ticker="KX-A", price_ranges=list(TAPERED))
    assert prices.next_up("0.05", market) == Decimal("0.051")
    assert prices.next_up("0.05", Market(ticker="KX-A")) == Decimal("0.06")
    assert prices.limit("0.0555", action="buy", grid=market) == Decimal("0.055")
    assert prices.limit("0.005", action="buy") is None
    assert prices.limit("0.995", action="sell") is None


def test_the_ends_of_a_grid_are_no_prices() -> None:
    assert _grid.at_most(ONE, prices.CENTS) == Decimal("0.99")
    assert _grid.at_least(Decimal(0), prices.CENTS) == Decimal("0.01")


def test_what_the_caller_has_set_for_decimals_decides_nothing() -> None:
    known = prices.implied_probability("0.6123", "0.6321"), prices.ticks(TAPERED)
    with decimal.localcontext(decimal.Context(prec=2, traps=[decimal.Inexact])):
        assert prices.implied_probability("0.6123", "0.6321") == known[0]
        assert prices.mid("0.6123", "0.6320") == Decimal("0.62215")
        assert prices.ticks(TAPERED) == known[1]
        assert prices.limit("0.0557", action="buy", grid=TAPERED) == Decimal("0.055")


@pytest.mark.parametrize("bad", ["0", "1", "NaN", 0.5, 62, None, "0.00001", "x" * 100])
def test_what_is_no_price(bad: object) -> None:
    for ask in (
        prices.to_cents,
        prices.complement,
        lambda price: prices.mid(price, "0.5"),
        lambda price: prices.implied_probability("0.5", price),
        lambda price: prices.implied_probabilities(["0.5", price]),
        prices.next_up,
        lambda price: prices.limit(price, action="buy"),
    ):
        with pytest.raises(InvalidRequestError):
            ask(bad)  # type: ignore[operator]


def test_other_bad_input() -> None:
    with pytest.raises(InvalidRequestError, match="whole cents, 1 to 99"):
        prices.from_cents(100)
    with pytest.raises(InvalidRequestError, match="action"):
        prices.limit("0.5", action="hold")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match="side"):
        prices.limit("0.5", action="buy", side="maybe")  # type: ignore[arg-type]
    for asks in ([], "0.5"):
        with pytest.raises(InvalidRequestError, match="one price for each outcome"):
            prices.implied_probabilities(asks)
