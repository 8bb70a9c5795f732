"""Arithmetic that is exact whatever decimal context the caller has set."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from .. import _amounts
from .._amounts import CENT, EXACT, ONE, ZERO, shown
from .._errors import InvalidRequestError

__all__ = [
    "CENT",
    "CONTRACT_STEP",
    "EXACT",
    "ONE",
    "QUOTIENT",
    "QUOTIENT_DOWN",
    "QUOTIENT_UP",
    "ZERO",
    "Probability",
    "contracts",
    "probability",
    "share",
    "up",
]

QUOTIENT: Final = _amounts.context(28)
"""For quotients, which must end somewhere: to the nearest."""

QUOTIENT_DOWN: Final = _amounts.context(28, ROUND_FLOOR)
"""The same, rounded down."""

QUOTIENT_UP: Final = _amounts.context(28, ROUND_CEILING)
"""The same, rounded up."""

CONTRACT_STEP: Final = CENT

Probability = Decimal | str | float
"""A chance between 0 and 1. An estimate, not money: a float is taken at its shortest decimal."""


def up(amount: Decimal, step: Decimal) -> Decimal:
    """The lowest multiple of a step (a power of ten) that is not below an amount."""
    return amount.quantize(step, ROUND_CEILING, EXACT)


def contracts(name: str, value: _amounts.Count) -> Decimal:
    """A number of contracts above 0 as a Decimal; see ``_amounts.count``."""
    amount = _amounts.count(name, value)
    return amount if type(amount) is Decimal else Decimal(amount)


def probability(name: str, value: Probability) -> Decimal:
    """A probability between 0 and 1, both included.

    Raises:
        InvalidRequestError: No number, or out of range.
    """
    # Of a Decimal no more than this needs to be asked; all else is looked at closely.
    if type(value) is Decimal and value.is_finite() and ZERO <= value <= ONE:
        return value
    exact = repr(float(value)) if isinstance(value, float) else value
    chance = _amounts.number(name, exact, 'a probability between 0 and 1, such as "0.62"')
    if not ZERO <= chance <= ONE:
        hint = ""
        if ONE < chance <= 100:
            hint = f"; for {chance:.6g} % pass {format(EXACT.multiply(chance, CENT), '.6g')!r}"
        raise InvalidRequestError(f"{name} is {shown(value)}; expected 0 to 1{hint}")
    return chance


def share(name: str, value: Probability) -> Decimal:
    """A share above 0 and up to 1."""
    number = probability(name, value)
    if not number:
        raise InvalidRequestError(f"{name} is {shown(value)}; expected more than 0, up to 1")
    return number
