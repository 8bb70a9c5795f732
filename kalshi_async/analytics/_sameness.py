"""Whether two markets of an event speak of the same number.

An event may hold ladders of several numbers: hits of one player and hits of another. The strikes
alone do not tell them apart, so everything else must be equal once the strikes are taken out of the
texts. A doubt means no: two different numbers prove nothing about each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from ..models.markets import Market
from ._comparisons import Amount, Comparison, comparisons
from ._exact import EXACT
from ._strikes import Family, Span

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
_SPACES = re.compile(r"\s+")
_DASHES = str.maketrans("\u2012\u2013\u2014\u2212\u2019", "----'")

# What YES asks for stands in these; the others may state the reverse, or something beside it.
_DIRECTED = ("title", "subtitle", "yes_sub_title", "rules_primary")
_REVERSED = "no_sub_title"
# Words of questions about the whole way of a number, which can be in several places on it.
_WAY = re.compile(
    r"\b(?:any|anytime|at some point|ever|every|always|before|prior to|no later than|within|while"
    r"|hit(?:s|ting)?|reach(?:es|ed)?|touch(?:es|ed)?|cross(?:es|ed)?|exceed(?:s|ed)?"
    r"|surpass(?:es|ed)?|dips?|drops?|falls?|rises?|climbs?|go(?:es)?|remains?|stays?|through"
    r"|throughout|entire|continuously|consecutive|during|until"
    r"|in (?:the |this )?(?:week|month|quarter|year|q?\d|jan|feb|mar|apr|may|jun|jul|aug|sep|oct"
    r"|nov|dec)|this (?:week|month|quarter|year)"
    r"|by (?:the (?:end|close|start|time|beginning)|year|eo[dmqwy]|end|close|midnight|noon|tomorrow"
    r"|then|q?\d|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun))"
)
_NOT = re.compile(r"(?:\b(?:not|no|never|nor|neither|cannot|fail(?:s|ing)?)|n't) (?:[a-z]+ ){0,2}$")
_FALLING = re.compile(r"\b(?:dip|drop|fall|sink|declin|decreas|crash|plung|low|down|under|below)")
_RISING = re.compile(r"\b(?:ris|climb|increas|surg|soar|high|up\b|over|above|exceed|surpass)")
_SCALES = (0, 3, 6, 9, 12, -3, -6, -9, -12)
# What follows the last part of a ticker that names more than a strike.
_STRIKE_OF_TICKER = re.compile(r"(.*?)-[A-Z]?-?[0-9.]+")


@dataclass(frozen=True, slots=True)
class Wording:
    """What a market says beside its strikes.

    Attributes:
        key: All that must be equal for two markets to speak of the same number.
        spans: What the texts themselves say of the number, place by place; where the strikes say
            otherwise neither is to be relied on alone.
        clear: Whether a text names the strikes, and none says the opposite.
        single: Whether nothing hints at a number that takes several values, as a price does on its
            way through a month.
    """

    key: tuple[object, ...]
    spans: tuple[Span, ...]
    clear: bool
    single: bool


@dataclass(slots=True)
class _Reading:
    """The texts of a market, taken apart one after the other."""

    market: Market
    family: Family
    spans: list[Span] = field(default_factory=list)
    named: bool = False
    opposed: bool = False

    def take_apart(self, name: str, plain: str) -> tuple[object, ...]:
        """A text without the strikes; what it says of them is kept."""
        parts: list[object] = []
        found = comparisons(plain)
        scales = [self._scale_of(each, name) for each in found]
        # A number by itself may be anything, so it counts only where nothing else names the strike.
        alone = all(scale is None for scale in scales)
        end = 0
        for each, known in zip(found, scales, strict=True):
            scale = self._scale_alone(each) if alone else known
            if scale is None:
                self.opposed |= name in _DIRECTED and self._opposes(each)
                continue
            parts += [plain[end : each.start], scale, each.units, each.compares]
            end = each.end
            if name == _REVERSED:
                continue
            self.named |= name in _DIRECTED
            if each.kind is None:
                falls = _FALLING if self.family == "above" else _RISING
                self.opposed |= name in _DIRECTED and falls.search(plain) is not None
                continue
            self.opposed |= _NOT.search(plain, 0, each.start) is not None
            self.spans.append(each.span(-scale))
        return (*parts, plain[end:])

    def _strikes(self) -> list[Decimal]:
        both = self.market.floor_strike, self.market.cap_strike
        return [strike for strike in both if strike is not None]

    def _scale_of(self, each: Comparison, name: str) -> int | None:
        """The power of ten from the strikes to what a comparison names; None if not the strikes."""
        if each.kind is None or each.dated:
            return None
        if each.kind != self.family and name != _REVERSED:
            return None
        return _scale(each.amounts, self._strikes())

    def _scale_alone(self, each: Comparison) -> int | None:
        """The same of a number by itself that looks like an amount, and is not near but equal."""
        if each.compares or each.dated or not each.amounts[0].marked:
            return None
        scale = _scale(each.amounts, self._strikes(), near=False)
        return scale if self.family != "between" else None

    def _opposes(self, each: Comparison) -> bool:
        """Whether a comparison names a strike, but in another direction or with another sign."""
        if not each.compares or each.dated or self.family == "between":
            return False
        (strike,) = self._strikes()
        return any(amount.value.copy_abs() == strike.copy_abs() for amount in each.amounts)


def wording(market: Market, family: Family) -> Wording:
    """Take the texts of a market apart; its strikes are finite."""
    reading = _Reading(market, family)
    plain = {name: _plain(getattr(market, name) or "") for name in _TEXTS}
    texts = tuple(reading.take_apart(name, text) for name, text in plain.items())
    single = not any(_WAY.search(plain[name]) for name in _DIRECTED)
    # A way begins where its market opens.
    begin = None if single else market.open_time
    fixed = tuple(repr(getattr(market, name)) for name in _EQUAL)
    return Wording(
        key=(_stem(market.ticker), begin, fixed, texts),
        spans=tuple(reading.spans),
        clear=reading.named and not reading.opposed,
        single=single,
    )


def same_number(one: Wording, other: Wording) -> bool:
    """Whether two markets speak of the same number, beyond doubt."""
    return one.clear and other.clear and one.key == other.key


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text.translate(_DASHES).replace("*", "").lower()).strip()


def _stem(ticker: str) -> str:
    """A ticker without its strike: what comes before may name a player."""
    found = _STRIKE_OF_TICKER.fullmatch(ticker)
    return found.group(1) if found else ticker.rpartition("-")[0]


def _scale(
    amounts: Sequence[Amount], strikes: Sequence[Decimal], *, near: bool = True
) -> int | None:
    """The power of ten by which strikes are multiplied in a text.

    The amount next to a strike stands for it too: "4+" for more than 3.5, "81 or above" for more
    than 80.
    """
    if len(amounts) != len(strikes):
        return None
    pairs = list(zip(amounts, strikes, strict=True))
    for scale in _SCALES:
        if all(amount.value == EXACT.scaleb(strike, scale) for amount, strike in pairs):
            return scale
    if near and all(
        EXACT.subtract(amount.value, strike).copy_abs() <= amount.unit for amount, strike in pairs
    ):
        return 0
    return None
