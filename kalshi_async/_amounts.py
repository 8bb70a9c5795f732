"""Prices, counts and money as the caller gives them, checked, and as the exchange takes them.

Exact or refused: a float has been rounded before it got here, and a bare integer price could mean
dollars or cents.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import Final

from ._errors import InvalidRequestError

Price = str | Decimal
"""Dollars a contract, between 0 and 1: ``"0.62"`` or ``Decimal("0.62")``."""

Count = int | str | Decimal
"""Contracts, in steps of 0.01."""

Money = int | str | Decimal
"""Dollars."""

ZERO = Decimal(0)
ONE = Decimal(1)
CENT = Decimal("0.01")
_PRICE_STEP = Decimal("0.0001")
_MONEY_STEP = Decimal("0.000001")
_LONGEST = 40
_SHOWN = 60

MOST: Final = Decimal(1_000_000_000_000)
"""No count and no amount of dollars is above it; products of them stay exact."""


def context(prec: int, rounding: str = ROUND_HALF_EVEN) -> Context:
    """A context in which nothing is left to ``decimal.DefaultContext``, which a caller may set."""
    return Context(
        prec=prec,
        rounding=rounding,
        Emin=-999_999,
        Emax=999_999,
        capitals=1,
        clamp=0,
        flags=[],
        traps=[InvalidOperation, DivisionByZero, Overflow],
    )


EXACT: Final = context(60)
"""Wide enough that sums and products of prices, counts and money are never rounded. What a caller
has set for decimals elsewhere decides nothing in it."""


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum, exactly."""
    found = ZERO
    for amount in amounts:
        found = EXACT.add(found, amount)
    return found


def price(name: str, value: Price, *, zero: bool = False) -> Decimal:
    """A price in dollars, strictly between 0 and 1, with at most 4 decimals.

    Args:
        name: What the caller knows it as.
        value: Text or Decimal.
        zero: Whether 0 is a price as well (it stands for none).

    Raises:
        InvalidRequestError: A number of another type, out of range, or too fine.
    """
    if not isinstance(value, str | Decimal):
        raise InvalidRequestError(f"{name} is {shown(value)}; {_dollars_remedy(value)}")
    amount = _number(name, value, 'dollars between 0 and 1, such as "0.62"')
    if not (0 < amount < 1 or (zero and amount == 0)):
        hint = _cents_hint(amount)
        raise InvalidRequestError(
            f"{name} is {shown(amount)}; a price is in dollars, above 0 and below 1{hint}"
        )
    return _stepped(name, amount, _PRICE_STEP, "$0.0001")


def cents(name: str, value: int) -> Decimal:
    """A price given in whole cents, 1 to 99, in dollars.

    Raises:
        InvalidRequestError: No integer, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRequestError(
            f"{name} is {shown(value)}; expected whole cents, 1 to 99, or price= in dollars as text"
        )
    if not 0 < value < 100:
        raise InvalidRequestError(f"{name} is {shown(value)}; expected whole cents, 1 to 99")
    return EXACT.multiply(value, CENT)


def count(name: str, value: Count) -> Decimal:
    """A number of contracts above 0, in steps of 0.01.

    Raises:
        InvalidRequestError: A float, none at all, more than a million millions, or too fine.
    """
    amount = number(name, value, 'contracts, such as 10 or "2.50"')
    _check_range(name, amount, "contracts")
    return _stepped(name, amount, CENT, "0.01 contracts")


def count_or_zero(name: str, value: Count) -> Decimal:
    """``count``, where nothing is a number of contracts too."""
    amount = number(name, value, 'contracts, such as 10 or "2.50"')
    return amount if amount == 0 else count(name, value)


def money(name: str, value: Money) -> Decimal:
    """An amount of dollars above 0, with at most 6 decimals.

    Raises:
        InvalidRequestError: A float, nothing, more than a million millions, or too fine.
    """
    amount = number(name, value, 'dollars, such as "25.00"')
    _check_range(name, amount, "dollars")
    return _stepped(name, amount, _MONEY_STEP, "$0.000001")


def money_or_zero(name: str, value: Money) -> Decimal:
    """``money``, where nothing is an amount too."""
    amount = number(name, value, 'dollars, such as "25.00"')
    return amount if amount == 0 else money(name, value)


def price_text(value: Decimal) -> str:
    """A price for the wire: 4 decimals."""
    return format(value, ".4f")


def count_text(value: Decimal) -> str:
    """A count for the wire: 2 decimals."""
    return format(value, ".2f")


def money_text(value: Decimal) -> str:
    """An amount of dollars for the wire: 2 decimals, up to 6 where they are needed."""
    short = value.quantize(CENT, context=EXACT)
    return format(short if short == value else value, "f")


def shown(value: object) -> str:
    """A value as a message names it: a Decimal as digits, all else as its repr, none very long."""
    try:
        text = str(value) if isinstance(value, Decimal) else repr(value)
    except ValueError:  # an integer of more digits than Python turns into text
        return "an integer of thousands of digits"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def number(name: str, value: Count | Money, expected: str) -> Decimal:
    """An exact finite number: a whole one, text or Decimal.

    Args:
        name: What the caller knows it as.
        value: The number.
        expected: What a message says it should have been.

    Raises:
        InvalidRequestError: A float, a number of another type, no number, or a very long one.
    """
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        remedy = (
            f"pass text: {str(value)!r}" if isinstance(value, float) else f"expected {expected}"
        )
        raise InvalidRequestError(f"{name} is {shown(value)}, a {type(value).__name__}; {remedy}")
    return _number(name, value, expected)


def _number(name: str, value: int | str | Decimal, expected: str) -> Decimal:
    # Long digit strings take time to parse, and no amount has so many.
    if isinstance(value, str) and len(value) > _LONGEST:
        raise InvalidRequestError(f"{name} has {len(value)} characters; expected {expected}")
    try:
        amount = value if isinstance(value, Decimal) else Decimal(value)
    except InvalidOperation:
        raise InvalidRequestError(f"{name} is {shown(value)}; expected {expected}") from None
    if not amount.is_finite():
        raise InvalidRequestError(f"{name} is {shown(amount)}; expected {expected}")
    return amount


def _check_range(name: str, amount: Decimal, unit: str) -> None:
    if not 0 < amount <= MOST:
        raise InvalidRequestError(
            f"{name} is {shown(amount)}; expected more than 0 {unit}, {MOST:,} at most"
        )


def _stepped(name: str, amount: Decimal, step: Decimal, unit: str) -> Decimal:
    # The remainder of what is too small for the context would come out as 0.
    if (amount and amount.adjusted() < step.adjusted()) or EXACT.remainder(amount, step):
        raise InvalidRequestError(f"{name} is {shown(amount)}; it must be a multiple of {unit}")
    return amount


def _dollars_remedy(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100:
        return (
            "a bare integer could be dollars or cents: pass dollars as text "
            f'("{EXACT.multiply(value, CENT)}"), or yes_price={value} / no_price={value} in cents'
        )
    if isinstance(value, float):
        return f"a float is not exact: pass dollars as text ({str(value)!r}) or a Decimal"
    return 'expected dollars as text ("0.62") or a Decimal'


def _cents_hint(amount: Decimal) -> str:
    if 1 < amount < 100 and amount == int(amount):
        return f': for {int(amount)} cents pass "{EXACT.multiply(amount, CENT):.2f}"'
    return ""
