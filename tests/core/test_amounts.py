"""Prices, counts and money from the caller: exact, or refused with a remedy."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import InvalidRequestError
from kalshi_async import _amounts as amounts

PRICES = st.integers(1, 9_999).map(lambda ticks: Decimal(ticks) / 10_000)
COUNTS = st.integers(1, 10**12).map(lambda hundredths: Decimal(hundredths) / 100)


@given(PRICES)
def test_a_price_is_taken_exactly_and_sent_with_four_decimals(price: Decimal) -> None:
    for said in (price, str(price), format(price, ".4f")):
        assert amounts.price("price", said) == price
    text = amounts.price_text(price)
    assert Decimal(text) == price
    assert len(text.partition(".")[2]) == 4


@given(COUNTS)
def test_a_count_is_taken_exactly_and_sent_with_two_decimals(count: Decimal) -> None:
    assert amounts.count("count", str(count)) == amounts.count("count", count) == count
    assert Decimal(amounts.count_text(count)) == count


@given(st.integers(1, 99))
def test_cents_are_dollars(cents: int) -> None:
    assert amounts.cents("yes_price", cents) == Decimal(cents) / 100


@given(st.integers(1, 10**15).map(lambda micros: Decimal(micros) / 1_000_000))
def test_money_keeps_all_its_decimals(dollars: Decimal) -> None:
    text = amounts.money_text(amounts.money("amount", dollars))
    assert Decimal(text) == dollars
    assert 2 <= len(text.partition(".")[2]) <= 6


@pytest.mark.parametrize(
    ("price", "says"),
    [
        (62, 'pass dollars as text ("0.62"), or yes_price=62'),
        (0.62, "a float is not exact: pass dollars as text ('0.62')"),
        (True, "expected dollars"),
        (None, "expected dollars"),
        ("62", 'for 62 cents pass "0.62"'),
        ("0", "above 0 and below 1"),
        ("1.00", "above 0 and below 1"),
        ("-0.5", "above 0 and below 1"),
        ("0.62001", "a multiple of $0.0001"),
        (Decimal("1E-999"), "a multiple of $0.0001"),
        ("nan", "expected dollars"),
        ("Infinity", "expected dollars"),
        ("sixty", "expected dollars"),
        ("", "expected dollars"),
        ("0." + "1" * 10_000, "has 10002 characters"),
    ],
)
def test_what_is_no_price_is_refused_with_a_remedy(price: object, says: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        amounts.price("price", price)  # type: ignore[arg-type]
    assert says in str(caught.value)
    assert str(caught.value).startswith("price ")


@pytest.mark.parametrize(
    ("count", "says"),
    [
        (0, "more than 0"),
        (-1, "more than 0"),
        ("0.00", "more than 0"),
        (1.5, "pass text: '1.5'"),
        (True, "expected contracts"),
        ("0.005", "a multiple of 0.01"),
        (10**20, "more than 0 contracts"),
        pytest.param(10**6_000, "more than 0 contracts", id="huge"),
        (Decimal("1E+999999"), "more than 0"),
        (Decimal("nan"), "expected contracts"),
        ("ten", "expected contracts"),
    ],
)
def test_what_is_no_count_is_refused_with_a_remedy(count: object, says: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        amounts.count("count", count)  # type: ignore[arg-type]
    assert says in str(caught.value)


@pytest.mark.parametrize("cents", [0, 100, -5, 62.0, "62", True])
def test_what_is_no_number_of_cents_is_refused(cents: object) -> None:
    with pytest.raises(InvalidRequestError, match="whole cents, 1 to 99"):
        amounts.cents("yes_price", cents)  # type: ignore[arg-type]


def test_nothing_may_be_a_count_or_a_price_where_it_means_none() -> None:
    assert amounts.price("no_bid", "0", zero=True) == 0
    assert amounts.count_or_zero("reduce_to", 0) == 0
    assert amounts.count_or_zero("reduce_to", "2.5") == Decimal("2.5")
    with pytest.raises(InvalidRequestError):
        amounts.count_or_zero("reduce_to", -1)
    with pytest.raises(InvalidRequestError):
        amounts.money("amount", 0.1)  # type: ignore[arg-type]
