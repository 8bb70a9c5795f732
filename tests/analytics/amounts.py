"""What prices, counts and schedules tests draw from."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from kalshi_async.analytics.fees import MAKER_SHARES, FeeSchedule


def ticks(low: int = 1, high: int = 9_999) -> st.SearchStrategy[Decimal]:
    """Prices of any grid: multiples of $0.0001."""
    return st.integers(low, high).map(lambda tick: Decimal(tick).scaleb(-4))


def cents() -> st.SearchStrategy[Decimal]:
    """Prices in whole cents."""
    return st.integers(1, 99).map(lambda cent: Decimal(cent).scaleb(-2))


def counts(most: int = 100_000) -> st.SearchStrategy[Decimal]:
    """Contracts in steps of 0.01."""
    return st.integers(1, most).map(lambda hundredths: Decimal(hundredths).scaleb(-2))


def chances() -> st.SearchStrategy[Decimal]:
    """Probabilities, both ends included."""
    return st.integers(0, 1_000).map(lambda each: Decimal(each).scaleb(-3))


def schedules() -> st.SearchStrategy[FeeSchedule]:
    """Fees of every known type, with multipliers from nothing to twice the usual."""
    return st.builds(
        FeeSchedule,
        st.sampled_from(sorted(MAKER_SHARES)),
        st.integers(0, 8).map(lambda quarters: Decimal(quarters) / 4),
    )
