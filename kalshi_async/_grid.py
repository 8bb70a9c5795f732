"""The prices that a market takes: steps that differ from range to range.

What the caller has set for decimals decides nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext

from ._amounts import EXACT
from ._errors import InvalidRequestError
from .models.markets import PriceRange

CENTS = (PriceRange(start=Decimal(0), end=Decimal(1), step=Decimal("0.01")),)
"""For markets that do not tell theirs: whole cents are on every grid that is known."""

# No grid is finer, and no price.
_FINEST = Decimal("0.0001")


def on_grid(price: Decimal, ranges: Sequence[PriceRange]) -> bool:
    """Whether a price is one that the market takes."""
    with localcontext(EXACT):
        return any(
            part.start <= price <= part.end and not (price - part.start) % part.step
            for part in ranges
        )


def at_most(price: Decimal, ranges: Sequence[PriceRange]) -> Decimal | None:
    """The highest price of the grid that is not above ``price``; None where there is none."""
    found = []
    with localcontext(EXACT):
        for part in ranges:
            each = part.start + (min(price, part.end) - part.start) // part.step * part.step
            each -= part.step if each == 1 else 0  # the ends of the whole are no prices
            if part.start <= each <= price:
                found.append(each)
    return max((each for each in found if 0 < each < 1), default=None)


def at_least(price: Decimal, ranges: Sequence[PriceRange]) -> Decimal | None:
    """The lowest price of the grid that is not below ``price``; None where there is none."""
    found = []
    with localcontext(EXACT):
        for part in ranges:
            steps, more = divmod(max(price, part.start) - part.start, part.step)
            each = part.start + (steps + bool(more)) * part.step
            each += part.step if each == 0 else 0
            if price <= each <= part.end:
                found.append(each)
    return min((each for each in found if 0 < each < 1), default=None)


def above(price: Decimal, ranges: Sequence[PriceRange]) -> Decimal | None:
    """The next price of the grid above ``price``; None where there is none."""
    return at_least(EXACT.add(price, _FINEST), ranges)


def below(price: Decimal, ranges: Sequence[PriceRange]) -> Decimal | None:
    """The next price of the grid below ``price``; None where there is none."""
    return at_most(EXACT.subtract(price, _FINEST), ranges)


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
