"""Fees, to the last millionth."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox._fees import UNIT, align, maker_fee, taker_fee

from .engines import engine, market, place

prices = st.integers(1, 9999)
counts = st.integers(1, 1_000_000)


@pytest.mark.parametrize(
    ("contracts", "price", "paid"),
    [(1, 5000, 17_500), (1, 9900, 700), (10, 5000, 175_000), (100, 500, 332_500)],
)
def test_the_fee_of_a_taker_as_measured(contracts: int, price: int, paid: int) -> None:
    exchange = engine()
    place(exchange, "a", "ask", price, contracts)
    taken = place(exchange, "b", "bid", price, contracts)
    assert taken.taker_fees == paid
    assert exchange.traders["b"].fills[0].fee == paid
    assert exchange.traders["a"].fills[0].fee == 0


@pytest.mark.parametrize(("contracts", "price", "paid"), [(1, 5000, 4400), (100, 2500, 328_200)])
def test_the_fee_of_a_maker_as_measured(contracts: int, price: int, paid: int) -> None:
    exchange = engine(market(maker_quarters=1))
    made = place(exchange, "a", "ask", price, contracts)
    place(exchange, "b", "bid", price, contracts)
    assert made.maker_fees == paid


@given(prices, counts, st.sampled_from([0, 500, 1000, 2000]), st.sampled_from([0, 1, 2]))
def test_fees_are_the_formula_rounded_up(
    price: int, count: int, thousandths: int, quarters: int
) -> None:
    p, c = Decimal(price) / 10_000, Decimal(count) / 100
    exact = Decimal(thousandths) / 1000 * Decimal("0.07") * c * p * (1 - p) * 1_000_000
    assert taker_fee(thousandths, count, price) == exact.to_integral_value(ROUND_CEILING)
    share = (exact * quarters / 4).to_integral_value(ROUND_CEILING)
    assert maker_fee(thousandths, quarters, count, price) == share


@given(
    st.integers(-(10**12), 10**12),
    st.integers(0, 10**9),
    st.integers(0, UNIT - 1),
    st.integers(0, 10**9),
)
def test_cash_moves_in_whole_units_and_nothing_is_lost(
    change: int, fee: int, accumulated: int, spare: int
) -> None:
    moved, paid, left = align(change, fee, accumulated, spare + UNIT)
    assert moved % UNIT == 0
    assert paid >= 0
    assert moved + paid == change
    assert paid - fee == left - accumulated


def test_the_accumulator_gives_whole_units_back() -> None:
    exchange = engine(market(maker_quarters=1))
    made = place(exchange, "a", "ask", 5000, 10)
    for _ in range(10):
        place(exchange, "b", "bid", 5000, 1)
    # Ten fills of $0.004375 each are $0.04375: the roundings add up to less than one unit.
    assert 43_750 <= made.maker_fees < 43_750 + UNIT
    assert made.rounding == made.maker_fees - 43_750


def test_a_wallet_that_cannot_bear_the_rounding_is_spared_it() -> None:
    assert align(-5001, 3, 0, 0) == (-5004, 3, 0)
    assert align(-5001, 3, 0, 40) == (-5044, 43, 40)
