"""The prices that a market takes: steps that differ from range to range."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from .._errors import InvalidRequestError
from ..models.markets import PriceRange


def on_grid(price: Decimal, ranges: Sequence[PriceRange]) -> bool:
    """Whether a price is one that the market takes."""
    return any(
        part.start <= price <= part.end and (price - part.start) % part.step == 0 for part in ranges
    )


def at_most(price: Decimal, ranges: Sequence[PriceRange]) -> Decimal | None:
    """The highest price of the grid that is not above ``price``; None where there is none."""
    found = [
        part.start + (min(price, part.end) - part.start) // part.step * part.step
        for part in ranges
        if part.start <= price
    ]
    within = [each for each in found if 0 < each < 1]
    return max(within, default=None)


def at_least(price: Decimal, ranges: Sequence[PriceRange]) -> Decimal | None:
    """The lowest price of the grid that is not below ``price``; None where there is none."""
    found = []
    for part in ranges:
        if part.end >= price:
            missing = max(price, part.start) - part.start
            each = part.start - (-missing // part.step) * part.step
            if each <= part.end:
                found.append(each)
    within = [each for each in found if 0 < each < 1]
    return min(within, default=None)


def check(name: str, price: Decimal, ranges: Sequence[PriceRange], ticker: str) -> None:
    """Refuse a YES price that the market would refuse.

    Raises:
        InvalidRequestError: It is between two prices; they are named.
    """
    if on_grid(price, ranges):
        return
    near = [each for each in (at_most(price, ranges), at_least(price, ranges)) if each is not None]
    named = " and ".join(f"{each:f}" for each in near) or "none at all"
    raise InvalidRequestError(
        f"{name} {price:f} is not on the price grid of {ticker}; its nearest YES prices: {named}"
    )
