"""Whether two markets of an event speak of the same number.

An event may hold ladders of several numbers: hits of one player and hits of another. The strikes
alone do not tell them apart, so everything else must be equal once the strikes are taken out of the
texts. A doubt means no: two different numbers prove nothing about each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..models.markets import Market
from ._exact import EXACT
from ._strikes import Family

_TEXTS = ("title", "subtitle", "yes_sub_title", "no_sub_title", "rules_primary", "rules_secondary")
_EQUAL = (
    "event_ticker",
    "market_type",
    "custom_strike",
    "functional_strike",
    "primary_participant_key",
    "mve_collection_ticker",
    "mve_selected_legs",
    "close_time",
    "expiration_time",
    "expected_expiration_time",
    "latest_expiration_time",
    "occurrence_datetime",
)
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?|\.\d+")
_SPACES = re.compile(r"\s+")
_DASHES = str.maketrans("\u2012\u2013\u2014\u2212", "----")

# A comparison with numbers (each already a "#"), such as "above $#", "# to #°", "#+".
_AMOUNT = r"[-+]?[$€£]?#(?: ?(?:°[cf]?|%|million\b|billion\b|trillion\b|thousand\b|[kmb]\b))*"
_BEFORE = (
    r"\b(?:above|below|over|under|between|exactly|at least|at most|up to|(?:greater|less|more|fewer"
    r"|higher|lower) than(?: or equal to)?)|>=|<=|[<>≥≤]"
)
_AFTER = r"\+| (?:or|and) (?:above|below|over|under|more|less|fewer|higher|lower|greater)\b"
_COMPARISON = re.compile(
    rf"(?:(?:{_BEFORE}) ?(?:{_AMOUNT})(?: ?(?:-|to|and) ?(?:{_AMOUNT}))?(?:{_AFTER})?"
    rf"|(?:{_AMOUNT}) ?(?:-|to|and) ?(?:{_AMOUNT})"
    rf"|(?:{_AMOUNT})(?:{_AFTER}))"
)
# Words of questions about the whole way of a number, which can be in several places on it.
_WAY = re.compile(
    r"\b(?:any|anytime|ever|every|always|before|hits?|reach(?:es|ed)?|touch(?:es|ed)?|remains?"
    r"|stays?|throughout|entire|continuously|consecutive|during|until"
    r"|by (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|the end|end of|#))"
)
_UPWARD = re.compile(r"above|over|greater|more|higher|at least|[>≥+]")
_DOWNWARD = re.compile(r"below|under|less|fewer|lower|at most|up to|[<≤]")
# What a market asks for in words must not be the reverse of what its strike type says.
_DIRECTED = ("title", "subtitle", "yes_sub_title", "rules_primary")
_SCALES = tuple(Decimal(1).scaleb(places) for places in (3, 6, 9, 12))


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of a text that holds numbers.

    Attributes:
        numbers: Those of one comparison together, else a single one.
        comparison: The comparison with a "#" for each number; empty for a number by itself.
    """

    numbers: tuple[Decimal, ...]
    comparison: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """What a market says beside its strikes.

    Attributes:
        fixed: What must be equal as it is.
        texts: Each text with its numbers taken out.
        numbers: The numbers of each text, place by place.
        own: Of each of these places, whether it holds the market's own strikes.
        clear: Whether a text names the strikes, and none the opposite direction.
        single: Whether nothing hints at a number that takes several values, as a price does on its
            way through a month.
    """

    fixed: tuple[object, ...]
    texts: tuple[str, ...]
    numbers: tuple[tuple[tuple[Decimal, ...], ...], ...]
    own: tuple[tuple[bool, ...], ...]
    clear: bool
    single: bool


def wording(market: Market, family: Family) -> Wording:
    """Take the texts of a market apart; its strikes are finite."""
    strikes = [each for each in (market.floor_strike, market.cap_strike) if each is not None]
    read = {name: _taken_apart(getattr(market, name) or "") for name in _TEXTS}
    own = {
        name: tuple(all(_stands_for(number, strikes) for number in slot.numbers) for slot in slots)
        for name, (_, slots) in read.items()
    }
    reverse = {"above": _DOWNWARD, "below": _UPWARD}.get(family)
    reversed_ = reverse is not None and any(
        is_own and reverse.search(slot.comparison)
        for name in _DIRECTED
        for slot, is_own in zip(read[name][1], own[name], strict=True)
    )
    return Wording(
        fixed=tuple(getattr(market, name) for name in _EQUAL),
        texts=tuple(text for text, _ in read.values()),
        numbers=tuple(tuple(slot.numbers for slot in slots) for _, slots in read.values()),
        own=tuple(own.values()),
        clear=any(map(any, own.values())) and not reversed_,
        single=not any(_WAY.search(read[name][0]) for name in _DIRECTED),
    )


def same_number(one: Wording, other: Wording) -> bool:
    """Whether two markets speak of the same number, beyond doubt."""
    if not (one.clear and other.clear):
        return False
    if one.texts != other.texts or one.fixed != other.fixed:
        return False
    return all(
        left == right or (left_own and right_own)
        for places in zip(one.numbers, other.numbers, one.own, other.own, strict=True)
        for left, right, left_own, right_own in zip(*places, strict=True)
    )


def _taken_apart(text: str) -> tuple[str, tuple[Slot, ...]]:
    """A text with "@" for each comparison and "#" for each other number, and those numbers."""
    plain = _SPACES.sub(" ", text.translate(_DASHES).replace("*", "").lower()).strip()
    plain = plain.replace("#", "no.").replace("@", "at")
    numbers = iter([Decimal(found.replace(",", "")) for found in _NUMBER.findall(plain)])
    marked = _NUMBER.sub("#", plain)
    parts: list[str] = []
    slots: list[Slot] = []
    end = 0
    for match in _COMPARISON.finditer(marked):
        before, comparison = marked[end : match.start()], match.group()
        slots += [Slot((next(numbers),)) for _ in range(before.count("#"))]
        slots.append(Slot(tuple(next(numbers) for _ in range(comparison.count("#"))), comparison))
        parts += [before, "@"]
        end = match.end()
    rest = marked[end:]
    slots += [Slot((number,)) for number in numbers]
    return "".join([*parts, rest]), tuple(slots)


def _stands_for(number: Decimal, strikes: Sequence[Decimal]) -> bool:
    """Whether a number of a text is a strike: as it is, in thousands or millions, or the next
    one to it ("4+" for more than 3.5, "81 or above" for more than 80).
    """
    exponent = number.as_tuple().exponent
    unit = Decimal((0, (1,), exponent if isinstance(exponent, int) else 0))
    sizes = [strike.copy_abs() for strike in strikes]
    return any(EXACT.subtract(number, size).copy_abs() <= unit for size in sizes) or any(
        EXACT.multiply(number, scale) == size for size in sizes for scale in _SCALES
    )
