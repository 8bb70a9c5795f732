"""Arguments checked before anything is sent: plain functions that return what goes on the wire.

Each raises ``InvalidRequestError`` with the argument's name, what was given, and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from .._amounts import EXACT, MOST, ONE, shown
from .._amounts import number as exact_number
from .._errors import InvalidRequestError
from ..orders._terms import one_of
from ..resources._checks import bounded, identifier

PERIODS = ("48h", "7d", "30d")
MOST_ITEMS = 100

Share = str | Decimal
"""A price, probability or share of 1: ``"0.05"`` or ``Decimal("0.05")``."""

_encoder = msgspec.json.Encoder(decimal_format="number")


def market_path(platform: str, market_id: str) -> dict[str, str]:
    """The path values of a market. Platforms grow in number: any is sent."""
    return {
        "platform": identifier("platform", platform),
        "market_id": identifier("market_id", market_id),
    }


def limit(value: int | None) -> int | None:
    """How many items at most, 1 to 100; None leaves it to Rekko."""
    return bounded("limit", value, 1, MOST_ITEMS)


def period(value: str | None) -> str | None:
    """A period of history; None leaves it to Rekko."""
    if value is None or value in PERIODS:
        return value
    raise InvalidRequestError(f"period is {value!r}; expected one of {', '.join(PERIODS)}")


def share(
    name: str, value: Share, *, low: Decimal = Decimal(0), above_low: bool = False
) -> Decimal:
    """A share of 1, exact.

    Args:
        name: What the caller knows it as.
        value: Text or Decimal.
        low: The least.
        above_low: Whether it must be more than the least.
    """
    amount = exact_number(name, value, 'a share of 1 as text, such as "0.05"')
    if not low <= amount <= ONE or (above_low and amount == low):
        least = f"above {low}" if above_low else f"{low}"
        part = EXACT.scaleb(amount, -2)
        hint = f'; for {amount:f} percent pass "{part:f}"' if 1 < amount <= 100 else ""
        raise InvalidRequestError(
            f"{name} is {shown(amount)}; expected a share of 1, {least} to 1{hint}"
        )
    return amount


def number(name: str, value: str | int | Decimal) -> Decimal:
    """A number of 0 or more, exact."""
    amount = exact_number(name, value, 'a number, such as 70 or "0.7"')
    if not 0 <= amount <= MOST:
        raise InvalidRequestError(f"{name} is {shown(amount)}; expected 0 or more")
    return amount


def side(value: str) -> str:
    """``"yes"`` or ``"no"``."""
    one_of("side", value, ("yes", "no"))
    return value


def body(fields: Mapping[str, object]) -> msgspec.Raw:
    """The JSON of a body: None left out, decimals as numbers."""
    return as_json({name: value for name, value in fields.items() if value is not None})


def as_json(value: object) -> msgspec.Raw:
    """Anything msgspec encodes as JSON, decimals as numbers.

    Raises:
        InvalidRequestError: It has no JSON form.
    """
    try:
        return msgspec.Raw(_encoder.encode(value))
    except (TypeError, ValueError, RecursionError, OverflowError) as exc:
        raise InvalidRequestError(f"the body has no JSON form: {exc}") from None
