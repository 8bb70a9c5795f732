"""Strikes as sets of a number's values: where YES pays, and how such sets lie to each other.

The ends follow Kalshi's words: ``greater`` and ``less`` leave their strike out, the ``…_or_equal``
and both ends of ``between`` take it in.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

from .._errors import InvalidRequestError
from ..models.markets import Market

Cut = tuple[Decimal | int, int]
"""A place between the values of a number: just before a value (0), or just after it (1)."""

Family = Literal["above", "below", "between"]

_LOWEST: Cut = (Decimal("-Infinity"), 0)
_HIGHEST: Cut = (Decimal("Infinity"), 0)
_FAMILIES: dict[str, Family] = {
    "greater": "above",
    "greater_or_equal": "above",
    "less": "below",
    "less_or_equal": "below",
    "between": "between",
}
# What no strike exceeds; without a bound a number of a few characters could fill the memory.
_MOST_PLACES = 30
# Strikes come as binary floating point: more digits are the traces of arithmetic in it, and whether
# 0.30000000000000004 is meant to be above 0.3 nobody knows.
_MOST_DIGITS = 15


class Span(NamedTuple):
    """The values from one cut up to another; never empty."""

    low: Cut
    high: Cut

    def inside(self, other: Span) -> bool:
        """Whether all its values are values of the other too."""
        return other.low <= self.low and self.high <= other.high

    def apart(self, other: Span) -> bool:
        """Whether the two have no value in common."""
        return self.high <= other.low or other.high <= self.low


def family(market: Market) -> Family | None:
    """Which range of numbers its strike type names; None where it names none."""
    return _FAMILIES.get(market.strike_type or "")


def span(market: Market, resolution: Decimal | None = None) -> Span | None:
    """The values at which YES pays; None where the strikes do not say so beyond doubt.

    Args:
        market: Any market.
        resolution: The number only takes multiples of it; spans then hold just these.
    """
    named, low, high = family(market), market.floor_strike, market.cap_strike
    if named is None or (low is None) is (named != "below") or (high is None) is (named != "above"):
        return None
    if not all(strike is None or _readable(strike) for strike in (low, high)):
        return None
    after_low = int(market.strike_type == "greater")
    after_high = int(market.strike_type != "less")
    found = Span(
        _LOWEST if low is None else (low, after_low),
        _HIGHEST if high is None else (high, after_high),
    )
    if resolution is not None:
        found = on_steps(found, resolution)
    return found if found.low < found.high else None


def between(low: Decimal, high: Decimal) -> Span:
    """The values from one up to another, both included."""
    return Span((low, 0), (high, 1))


def half_line(end: Decimal, *, above: bool, inclusive: bool) -> Span:
    """The values on one side of an end, with it or without."""
    if above:
        return Span((end, int(not inclusive)), _HIGHEST)
    return Span(_LOWEST, (end, int(inclusive)))


def on_steps(values: Span, resolution: Decimal) -> Span:
    """The multiples of a resolution among some values; maybe none."""
    return Span(_on_steps(values.low, resolution), _on_steps(values.high, resolution))


def cover(spans: Iterable[Span]) -> bool:
    """Whether every number is in one of them."""
    reach = _LOWEST
    for each in sorted(spans):
        if each.low > reach:
            return False
        reach = max(reach, each.high)
    return reach == _HIGHEST


def tile(spans: Iterable[Span]) -> bool:
    """Whether every number is in exactly one of them."""
    reach = _LOWEST
    for each in sorted(spans):
        if each.low != reach:
            return False
        reach = each.high
    return reach == _HIGHEST


def checked_resolution(value: Decimal | str | int | None) -> Decimal | None:
    """The step of a number as the caller gives it.

    Raises:
        InvalidRequestError: No exact number above 0.
    """
    if value is None:
        return None
    step = Decimal("NaN")
    if isinstance(value, Decimal | str | int) and not isinstance(value, bool):
        with suppress(ArithmeticError):
            step = Decimal(value)
    if not (step.is_finite() and step > 0 and _readable(step)):
        raise InvalidRequestError(
            f"resolution is {value!r}; expected the step of the number that the event is about, as "
            'text or Decimal, such as "0.01" or "1"'
        )
    return step


def _readable(strike: object) -> bool:
    if not isinstance(strike, Decimal) or not strike.is_finite():
        return False
    _, digits, exponent = strike.as_tuple()
    return (
        isinstance(exponent, int)
        and exponent >= -_MOST_PLACES
        and strike.adjusted() <= _MOST_PLACES
        and len("".join(map(str, digits)).strip("0")) <= _MOST_DIGITS
    )


def _on_steps(cut: Cut, resolution: Decimal) -> Cut:
    """A cut as the number of the first step behind it."""
    value, after = cut
    if cut in (_LOWEST, _HIGHEST):
        return cut
    exact = Fraction(value) / Fraction(resolution)
    return (exact.__floor__() + 1 if after else exact.__ceil__(), 0)
