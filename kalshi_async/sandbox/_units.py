"""The whole numbers the engine counts in, and their text on the wire.

A price is a number of $0.0001 (1..9999), a count a number of 0.01 contracts, and an amount of money
a number of $0.000001: price x count is an amount, exactly.
"""

from __future__ import annotations

ONE = 10_000
"""One dollar, as a price."""
CONTRACT = 100
"""One contract, as a count."""
DOLLAR = 1_000_000
"""One dollar, as an amount."""
CENT = 10_000
"""One cent, as an amount."""

_PRICES = tuple(f"{price // ONE}.{price % ONE:04d}" for price in range(ONE + 1))


def price_text(price: int) -> str:
    """A price with its four decimals: 4700 is ``0.4700``."""
    return _PRICES[price]


def count_text(count: int) -> str:
    """A count, with its sign and two decimals: -1250 is ``-12.50``."""
    whole, rest = divmod(abs(count), CONTRACT)
    return f"{'-' if count < 0 else ''}{whole}.{rest:02d}"


def money_text(amount: int) -> str:
    """An amount in dollars, with its sign and six decimals: 12_340_000 is ``12.340000``."""
    whole, rest = divmod(abs(amount), DOLLAR)
    return f"{'-' if amount < 0 else ''}{whole}.{rest:06d}"


def cents(amount: int) -> int:
    """Whole cents of an amount, truncated towards zero as the exchange shows balances."""
    return amount // CENT if amount >= 0 else -(-amount // CENT)


def parse_price(text: str) -> int | None:
    """The price a request names with up to four decimals (``0.47``); None when it is not one.

    The range is not checked: ``1.0000`` is 10000.
    """
    return _parse(text, 4)


def parse_count(text: str) -> int | None:
    """The count a request names with up to two decimals (``10``, ``0.25``); None when not one."""
    return _parse(text, 2)


def parse_money(text: str) -> int | None:
    """The amount a request names with up to six decimals; None when it is not one."""
    return _parse(text, 6)


def _parse(text: str, decimals: int) -> int | None:
    whole, point, rest = text.partition(".")
    sign = 1
    if whole[:1] in ("-", "+"):
        sign = -1 if whole[0] == "-" else 1
        whole = whole[1:]
    if point and not rest:
        return None
    digits = whole + rest
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 24 or not whole:
        return None
    if len(rest) > decimals:
        if rest[decimals:].strip("0"):
            return None
        rest = rest[:decimals]
    return sign * int(whole + rest.ljust(decimals, "0"))
