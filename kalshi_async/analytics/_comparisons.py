"""Comparisons with numbers in the texts of a market: "above $90,000", "82° to 83°", "2+"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from ._exact import EXACT
from ._strikes import Family, Span, between, half_line

_SCALES = {"thousand": 3, "k": 3, "million": 6, "m": 6, "billion": 9, "b": 9, "trillion": 12}
_UNITS = (
    r"°[cf]?|%|(?:thousand|million|billion|trillion|[kmb])\b"
    r"|(?:percent|degrees?|points?|dollars?|cents?|usd|bps)\b"
)
_NUMBER = r"(?:\d+(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"


def _amount(name: str) -> str:
    return (
        rf"(?P<{name}_sign>[-+]?)(?P<{name}_money>[$€£]?)(?P<{name}_minus>-?)"
        rf"(?P<{name}>{_NUMBER})(?P<{name}_units>(?: ?(?:{_UNITS}))*)"
    )


_MORE, _LESS = r"above|over|more|higher|greater", r"below|under|less|fewer|lower"
_COMPARISON = re.compile(
    rf"(?:(?P<before>\b(?:above|below|over|under|between|exactly|at least|at most|up to"
    rf"|(?:greater|less|more|fewer|higher|lower) than(?: or equal to)?)|>=|<=|[<>≥≤]) ?)?"
    rf"{_amount('one')}(?: ?(?P<range>-|to|and) ?{_amount('two')})?"
    rf"(?P<after>\+| (?:or|and) (?:{_MORE}|{_LESS})\b)?"
)
_UP = re.compile(rf"{_MORE}|at least|[>≥+]")
_DOWN = re.compile(rf"{_LESS}|at most|up to|[<≤]")
_INCLUSIVE = re.compile(r"at least|at most|up to|equal|>=|<=|[≥≤]")
_MONTHS = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE_BEFORE = re.compile(rf"\b{_MONTHS}\.? $|[:/]$")
_DATE_AFTER = re.compile(rf"[:/]\d|(?:st|nd|rd|th)\b| ?[ap]\.?m\b| (?:of )?{_MONTHS}\b")
_LONGEST_MONTH = 12


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of a text.

    Attributes:
        value: What it is worth, with its sign and words like "million".
        unit: The last place that it is written to.
        marked: Whether it looks like an amount, not like a count or a date: it has a unit, a
            decimal point or commas.
    """

    value: Decimal
    unit: Decimal
    marked: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """A place of a text that holds an amount, or two.

    Attributes:
        start: Where it begins in the text.
        end: Where it ends.
        amounts: One, or the two ends of a range.
        units: Its units, scales like "million" aside.
        compares: Whether it is more than a number by itself.
        kind: Which range of numbers it names; None for one that it does not name clearly.
        inclusive: Whether the range holds its ends.
        dated: Whether it looks like a part of a date or time.
    """

    start: int
    end: int
    amounts: tuple[Amount, ...]
    units: frozenset[str]
    compares: bool
    kind: Family | None
    inclusive: bool
    dated: bool

    def span(self, scale: int) -> Span:
        """The values that it names, times a power of ten; it has a kind."""
        ends = [EXACT.scaleb(amount.value, scale) for amount in self.amounts]
        if self.kind == "between":
            return between(*ends)
        return half_line(ends[0], above=self.kind == "above", inclusive=self.inclusive)


def comparisons(text: str) -> list[Comparison]:
    """All places of a text, in lower case, that hold numbers."""
    return [_read(found) for found in _COMPARISON.finditer(text)]


def _read(found: re.Match[str]) -> Comparison:
    before, after = found["before"] or "", found["after"] or ""
    last = _units(found["two_units"] or "")
    first = _units(found["one_units"])
    ranged = found["two"] is not None
    scale = _scale_of(first)
    if ranged and not scale:
        scale = _scale_of(last)  # "10 to 20 million"
    amounts = [_number(found, "one", scale, marked=bool(first))]
    money = {found["one_money"]}
    if ranged:
        amounts.append(_number(found, "two", _scale_of(last), marked=True))
        money.add(found["two_money"])
    kind = _kind(before, after, amounts)
    return Comparison(
        start=found.start(),
        end=found.end(),
        amounts=tuple(amounts),
        units=frozenset({*first, *last, *money} - {"", *_SCALES}),
        compares=bool(before or after or ranged),
        kind=kind,
        inclusive=bool(after) or _INCLUSIVE.search(before) is not None,
        dated=not before and not after and _is_dated(found),
    )


def _kind(before: str, after: str, amounts: list[Amount]) -> Family | None:
    if len(amounts) > 1:
        rising = amounts[0].value <= amounts[1].value
        return "between" if rising and before in ("", "between") and not after else None
    if bool(before) is bool(after):
        return None
    words = before or after
    if _UP.search(words):
        return "above"
    return "below" if _DOWN.search(words) else None


def _number(found: re.Match[str], name: str, scale: int, *, marked: bool) -> Amount:
    text = found[name]
    value = Decimal(text.replace(",", ""))
    unit = Decimal((0, (1,), min(-len(text.partition(".")[2]), 0)))
    negative = "-" in (found[f"{name}_sign"], found[f"{name}_minus"])
    # A text of more digits than a context holds is no amount of anything.
    return Amount(
        EXACT.scaleb(value.copy_negate() if negative else value, scale),
        EXACT.scaleb(unit, scale),
        marked or bool(found[f"{name}_money"]) or "," in text or "." in text,
    )


def _units(text: str) -> list[str]:
    return [found.removesuffix("s") for found in re.findall(_UNITS, text)]


def _scale_of(units: list[str]) -> int:
    return sum(_SCALES.get(unit, 0) for unit in units)


def _is_dated(found: re.Match[str]) -> bool:
    text = found.string
    return (
        _DATE_BEFORE.search(text, max(found.start() - _LONGEST_MONTH, 0), found.start()) is not None
        or _DATE_AFTER.match(text, found.end()) is not None
    )
