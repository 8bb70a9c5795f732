"""Single terms of an order, as the caller puts them and as the exchange reads them."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from .._amounts import EXACT, ONE, Price, cents, price, shown
from .._errors import InvalidRequestError

GTC, IOC, FOK = "good_till_canceled", "immediate_or_cancel", "fill_or_kill"

_CLIENT_ORDER_ID = re.compile(r"[-\w:+=/]{1,64}", re.ASCII)
_MILLISECONDS_FROM = 100_000_000_000


def new_client_order_id() -> str:
    """An id that nobody has used."""
    return str(uuid4())


def checked_client_order_id(name: str, value: str | None) -> str | None:
    """An id that the exchange takes; None stays None.

    Raises:
        InvalidRequestError: Too long, empty, or of other characters.
    """
    if value is None or (isinstance(value, str) and _CLIENT_ORDER_ID.fullmatch(value)):
        return value
    raise InvalidRequestError(
        f"{name} is {value!r}; expected 1 to 64 letters, digits or any of -_:+=/"
    )


def stated_price(
    given: Price | None, yes_price: int | None, no_price: int | None, side: str | None = None
) -> Decimal | None:
    """The YES price in dollars that was stated in one of three ways; None where in none.

    Args:
        given: Dollars: of ``side``, or of YES.
        yes_price: YES cents.
        no_price: NO cents.
        side: What ``given`` is the price of.

    Raises:
        InvalidRequestError: It was stated twice, or is no price.
    """
    named = {"price": given, "yes_price": yes_price, "no_price": no_price}
    stated = [name for name, value in named.items() if value is not None]
    if len(stated) > 1:
        raise InvalidRequestError(f"{' and '.join(stated)} are given; an order has one price")
    if yes_price is not None:
        return cents("yes_price", yes_price)
    if no_price is not None:
        return EXACT.subtract(ONE, cents("no_price", no_price))
    if given is None:
        return None
    amount = price("price", given)
    return EXACT.subtract(ONE, amount) if side == "no" else amount


def expiration_seconds(value: int | datetime | None) -> int | None:
    """When an order ends, in Unix seconds; None stays None.

    Raises:
        InvalidRequestError: No time, a naive datetime, or milliseconds.
    """
    if value is None:
        return None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidRequestError(
                f"expiration={value.isoformat()} has no time zone; expected an aware datetime or "
                "Unix seconds"
            )
        return int(value.timestamp())
    if type(value) is not int or value <= 0:
        raise InvalidRequestError(
            f"expiration is {value!r}; expected Unix seconds or an aware datetime"
        )
    if value >= _MILLISECONDS_FROM:
        raise InvalidRequestError(
            f"expiration is {value}, which looks like milliseconds; expected Unix seconds"
        )
    return value


def one_of(name: str, value: object, words: tuple[str, ...]) -> None:
    """Refuse a word that is not among those allowed.

    Raises:
        InvalidRequestError: It is another.
    """
    if value not in words:
        expected = ", ".join(f'"{word}"' for word in words)
        raise InvalidRequestError(f"{name} is {shown(value)}; expected one of {expected}")
