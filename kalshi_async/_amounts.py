"""Prices, counts and money as the caller gives them, checked, and as the exchange takes them.

Exact or refused: a float has been rounded before it got here, and a bare integer price could mean
dollars or cents.
"""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation

from ._errors import InvalidRequestError

Price = str | Decimal
"""Dollars a contract, between 0 and 1: ``"0.62"`` or ``Decimal("0.62")``."""

Count = int | str | Decimal
"""Contracts, in steps of 0.01."""

Money = int | str | Decimal
"""Dollars."""

ONE = Decimal(1)
CENT = Decimal("0.01")
_PRICE_STEP = Decimal("0.0001")
_MONEY_STEP = Decimal("0.000001")
_MOST_CONTRACTS = Decimal(10) ** 12
_LONGEST = 40
# What a caller has set for decimals elsewhere decides nothing here.
_EXACT = Context(prec=60)


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
        raise InvalidRequestError(f"{name} is {value!r}; {_dollars_remedy(value)}")
    amount = _number(name, value, 'dollars between 0 and 1, such as "0.62"')
    if not (0 < amount < 1 or (zero and amount == 0)):
        hint = _cents_hint(amount)
        raise InvalidRequestError(
            f"{name} is {_short(amount)}; a price is in dollars, above 0 and below 1{hint}"
        )
    return _stepped(name, amount, _PRICE_STEP, "$0.0001")


def cents(name: str, value: int) -> Decimal:
    """A price given in whole cents, 1 to 99, in dollars.

    Raises:
        InvalidRequestError: No integer, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRequestError(
            f"{name} is {value!r}; expected whole cents, 1 to 99, or price= in dollars as text"
        )
    if not 0 < value < 100:
        raise InvalidRequestError(f"{name} is {value}; expected whole cents, 1 to 99")
    return value * CENT


def count(name: str, value: Count) -> Decimal:
    """A number of contracts above 0, in steps of 0.01.

    Raises:
        InvalidRequestError: A float, none at all, or too fine.
    """
    amount = _amount(name, value, 'contracts, such as 10 or "2.50"')
    if not 0 < amount <= _MOST_CONTRACTS:
        raise InvalidRequestError(f"{name} is {_short(amount)}; expected more than 0 contracts")
    return _stepped(name, amount, CENT, "0.01 contracts")


def count_or_zero(name: str, value: Count) -> Decimal:
    """``count``, where nothing is a number of contracts too."""
    amount = _amount(name, value, 'contracts, such as 10 or "2.50"')
    return amount if amount == 0 else count(name, value)


def money(name: str, value: Money) -> Decimal:
    """An amount of dollars above 0, with at most 6 decimals.

    Raises:
        InvalidRequestError: A float, nothing, or too fine.
    """
    amount = _amount(name, value, 'dollars, such as "25.00"')
    if not 0 < amount <= _MOST_CONTRACTS:
        raise InvalidRequestError(f"{name} is {_short(amount)}; expected more than 0 dollars")
    return _stepped(name, amount, _MONEY_STEP, "$0.000001")


def money_or_zero(name: str, value: Money) -> Decimal:
    """``money``, where nothing is an amount too."""
    amount = _amount(name, value, 'dollars, such as "25.00"')
    return amount if amount == 0 else money(name, value)


def price_text(value: Decimal) -> str:
    """A price for the wire: 4 decimals."""
    return format(value, ".4f")


def count_text(value: Decimal) -> str:
    """A count for the wire: 2 decimals."""
    return format(value, ".2f")


def money_text(value: Decimal) -> str:
    """An amount of dollars for the wire: 2 decimals, up to 6 where they are needed."""
    return format(value if value != value.quantize(CENT) else value.quantize(CENT), "f")


def _amount(name: str, value: Count | Money, expected: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        remedy = (
            f"pass text: {str(value)!r}" if isinstance(value, float) else f"expected {expected}"
        )
        raise InvalidRequestError(f"{name} is {value!r}, a {type(value).__name__}; {remedy}")
    return _number(name, value, expected)


def _number(name: str, value: int | str | Decimal, expected: str) -> Decimal:
    # Long digit strings take time to parse, and no amount has so many.
    if isinstance(value, str) and len(value) > _LONGEST:
        raise InvalidRequestError(f"{name} has {len(value)} characters; expected {expected}")
    try:
        amount = value if isinstance(value, Decimal) else Decimal(value)
    except InvalidOperation:
        raise InvalidRequestError(f"{name} is {value!r}; expected {expected}") from None
    if not amount.is_finite():
        raise InvalidRequestError(f"{name} is {_short(amount)}; expected {expected}")
    return amount


def _stepped(name: str, amount: Decimal, step: Decimal, unit: str) -> Decimal:
    if _EXACT.remainder(amount, step):
        raise InvalidRequestError(f"{name} is {_short(amount)}; it must be a multiple of {unit}")
    return amount


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _dollars_remedy(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100:
        return (
            f'a bare integer could be dollars or cents: pass dollars as text ("{value * CENT}"), '
            f"or yes_price={value} / no_price={value} in cents"
        )
    if isinstance(value, float):
        return f"a float is not exact: pass dollars as text ({str(value)!r}) or a Decimal"
    return 'expected dollars as text ("0.62") or a Decimal'


def _cents_hint(amount: Decimal) -> str:
    if 1 < amount < 100 and amount == amount.to_integral_value():
        return f': for {amount:f} cents pass "{amount * CENT:.2f}"'
    return ""
