"""Arithmetic that is exact whatever decimal context the caller has set."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation
from typing import Final

from .. import _amounts
from .._errors import InvalidRequestError

EXACT: Final = Context(prec=60)
"""Wide enough that sums and products of prices, counts and money are never rounded."""

QUOTIENT_DOWN: Final = Context(prec=28, rounding=ROUND_FLOOR)
"""For quotients, which must end somewhere: rounded down."""

QUOTIENT_UP: Final = Context(prec=28, rounding=ROUND_CEILING)
"""The same, rounded up."""

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
CENT: Final = Decimal("0.01")
CONTRACT_STEP: Final = CENT

Probability = Decimal | str | float
"""A chance between 0 and 1. An estimate, not money: a float is taken at its shortest decimal."""


def up(amount: Decimal, step: Decimal) -> Decimal:
    """The lowest multiple of a step (a power of ten) that is not below an amount."""
    return amount.quantize(step, ROUND_CEILING, EXACT)


def down(amount: Decimal, step: Decimal) -> Decimal:
    """The highest multiple of a step (a power of ten) that is not above an amount."""
    return amount.quantize(step, ROUND_FLOOR, EXACT)


def contracts(name: str, value: _amounts.Count) -> Decimal:
    """A number of contracts above 0 as a Decimal; see ``_amounts.count``."""
    amount = _amounts.count(name, value)
    return amount if type(amount) is Decimal else Decimal(amount)


def probability(name: str, value: Probability) -> Decimal:
    """A probability between 0 and 1, both included.

    Raises:
        InvalidRequestError: No number, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, Decimal | str | float | int):
        raise InvalidRequestError(
            f'{name} is {value!r}; expected a probability between 0 and 1, such as "0.62"'
        )
    try:
        chance = Decimal(repr(float(value)) if isinstance(value, float) else value)
    except InvalidOperation:
        chance = Decimal("NaN")
    if not chance.is_finite() or not 0 <= chance <= 1:
        hint = ""
        if chance.is_finite() and 1 < chance <= 100:
            hint = f"; for {chance:f} % pass {format(EXACT.multiply(chance, CENT), 'f')!r}"
        raise InvalidRequestError(f"{name} is {value!r}; expected 0 to 1{hint}")
    return chance


def share(name: str, value: Decimal | str | float, *, zero: bool = False) -> Decimal:
    """A share above 0 (or 0 itself, where that makes sense) and up to 1."""
    number = probability(name, value)
    if not number and not zero:
        raise InvalidRequestError(f"{name} is {value!r}; expected more than 0, up to 1")
    return number
