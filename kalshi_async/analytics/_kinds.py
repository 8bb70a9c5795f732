"""Sets of legs whose prices add up to less than they surely pay, found at the best prices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from ..models.events import Event
from ..models.markets import Market
from ..models.orderbook import OrderBook, Side
from ._exact import EXACT, ONE
from ._packages import DOLLAR, Costs, PackageKind
from ._sameness import Wording, same_number, wording
from ._strikes import Span, cover, family, on_steps, span, tile

_BINARY = (None, "binary")
_DEFAULT_BOUNDS = (None, "", "default")
_WHOLE_DOLLAR = (None, Decimal(1))


@dataclass(slots=True, eq=False)
class Offer:
    """What the two sides of one market cost at best, fees included; None where none is offered."""

    market: Market
    costs: Costs
    yes: int | None
    no: int | None
    crossed: bool = False
    book: OrderBook | None = None

    def price(self, side: Side) -> int:
        """What a side costs that is known to be offered."""
        price = self.yes if side == "yes" else self.no
        assert price is not None  # noqa: S101 - candidates hold sides on offer only
        return price


@dataclass(slots=True)
class Candidate:
    """Legs to look at more closely; ``free``: any two or more of them will do."""

    kind: PackageKind
    legs: list[tuple[Offer, Side]]
    free: bool = False


def offer(
    market: Market, costs: Costs, yes_bid: Decimal, no_bid: Decimal, book: OrderBook | None = None
) -> Offer:
    """An offer from the best bids; what is no price counts as none."""
    yes, no = costs[no_bid], costs[yes_bid]
    crossed = yes is not None and no is not None and EXACT.add(yes_bid, no_bid) >= ONE
    return Offer(market, costs, yes, no, crossed, book)


def takes_part(market: Market, event: Event) -> bool:
    """Whether a market of the event is open and pays a dollar for one of its sides."""
    return (
        market.is_open
        and market.market_type in _BINARY
        and market.settlement_bounds_type in _DEFAULT_BOUNDS
        and market.notional_value in _WHOLE_DOLLAR
        and market.event_ticker in (None, event.event_ticker)
    )


@dataclass(slots=True, eq=False)
class _Number:
    """An offer of a market on a number."""

    offer: Offer
    span: Span
    _resolution: Decimal | None
    _wording: Wording | None = field(default=None)

    @property
    def wording(self) -> Wording:
        if self._wording is None:
            named = family(self.offer.market)
            assert named is not None  # noqa: S101 - it has a span
            self._wording = wording(self.offer.market, named)
        return self._wording

    @property
    def said(self) -> list[Span]:
        """Where YES pays by its texts."""
        if self._resolution is None:
            return list(self.wording.spans)
        return [on_steps(each, self._resolution) for each in self.wording.spans]

    def same(self, other: _Number) -> bool:
        return same_number(self.wording, other.wording)

    def holds(self, relation: Callable[[Span, Span], bool], other: _Number) -> bool:
        """Whether the strikes lie so to each other, both are of one number, and it is so in the
        words of their texts too.
        """
        return (
            relation(self.span, other.span)
            and self.same(other)
            and all(map(relation, self.said, other.said))
        )


class Search:
    """Looks for candidates in one event.

    Args:
        event: With its markets.
        offers: Of the markets that take part, each at most once.
        exhaustive: Whether one of the event's markets surely pays; None: where strikes prove it.
        resolution: The step of the number that the event is about.
        within: How much more than they pay the legs may cost, a package.
    """

    def __init__(
        self,
        event: Event,
        offers: Sequence[Offer],
        *,
        exhaustive: bool | None,
        resolution: Decimal | None,
        within: int = 0,
    ) -> None:
        self._event, self._exhaustive, self._resolution = event, exhaustive, resolution
        self._limit = DOLLAR + within
        self._within = within
        self._crossed = [each for each in offers if each.crossed]
        self._offers = [each for each in offers if not each.crossed]
        self._exclusive = event.mutually_exclusive is True
        self._spans: list[_Number] | None = None

    def candidates(self) -> Iterator[Candidate]:
        """All of them, each set of legs once."""
        seen = set()
        for found in self._all():
            legs = frozenset((each.market.ticker, side) for each, side in found.legs)
            if legs not in seen:
                seen.add(legs)
                yield found

    def _all(self) -> Iterator[Candidate]:
        for each in self._crossed:
            # A book that crosses itself is in motion: nothing else is built on it.
            if each.price("yes") + each.price("no") < self._limit:
                yield Candidate("crossed", [(each, "yes"), (each, "no")])
        if len(self._offers) < 2:
            return
        yield from self._all_yes()
        if self._exclusive:
            yield from self._all_no()
        yield from self._pairs()

    def _all_yes(self) -> Iterator[Candidate]:
        if self._exhaustive is False:
            return
        tickers = {market.ticker for market in self._event.markets or ()}
        prices = [each.yes for each in self._offers if each.yes is not None]
        if len(prices) < len(tickers) or sum(prices) >= self._limit:
            return
        if self._exhaustive or self._strikes_exhaust():
            yield Candidate("all_yes", [(each, "yes") for each in self._offers])

    def _strikes_exhaust(self) -> bool:
        numbers = self._numbers()
        if len(numbers) < len(self._offers):
            return False
        # Overlapping strikes of an event said to be exclusive contradict each other.
        holds = tile if self._exclusive else cover
        return (
            holds(each.span for each in numbers)
            and all(each.wording.single and each.same(numbers[0]) for each in numbers)
            and all(map(cover, zip(*(each.said for each in numbers), strict=True)))
        )

    def _all_no(self) -> Iterator[Candidate]:
        legs = [each for each in self._offers if each.no is not None and each.no < DOLLAR]
        worth = sum(DOLLAR - each.price("no") for each in legs)
        if len(legs) > 1 and worth > DOLLAR - self._within and not self._contradicted():
            yield Candidate("all_no", [(each, "no") for each in legs], free=True)

    def _contradicted(self) -> bool:
        """Whether markets said to exclude each other have strikes with values in common.

        Also those without a book, crossed or closed: what they say of the event is as true.
        """
        groups: dict[tuple[object, ...], list[Span]] = {}
        for market in self._event.markets or ():
            named, found = family(market), span(market, self._resolution)
            if named is not None and found is not None:
                groups.setdefault(wording(market, named).key, []).append(found)
        return any(map(_overlap, groups.values()))

    def _pairs(self) -> Iterator[Candidate]:
        """Two markets of the same number, one set of values within, beside or against the other."""
        yes = sorted((each for each in self._offers if each.yes is not None), key=_yes_price)
        no = sorted((each for each in self._offers if each.no is not None), key=_no_price)
        cheap_yes = len(yes) > 1 and _yes_price(yes[0]) + _yes_price(yes[1]) < self._limit
        cheap_no = len(no) > 1 and _no_price(no[0]) + _no_price(no[1]) < self._limit
        cheap_both = bool(yes and no) and _yes_price(yes[0]) + _no_price(no[0]) < self._limit
        if not (cheap_yes or cheap_no or cheap_both):
            return
        numbers = {id(each.offer): each for each in self._numbers()}
        buys = [numbers[id(each)] for each in yes if id(each) in numbers]
        sells = [numbers[id(each)] for each in no if id(each) in numbers]
        if not self._exclusive:
            yield from self._monotone(buys, sells)
            yield from self._apart(sells)
        yield from self._covering(buys)

    def _monotone(self, buys: list[_Number], sells: list[_Number]) -> Iterator[Candidate]:
        for wide in buys:
            left = self._limit - _yes_price(wide.offer)
            for narrow in sells:
                if _no_price(narrow.offer) >= left:
                    break
                if narrow is not wide and narrow.holds(Span.inside, wide):
                    yield Candidate("monotone", [(wide.offer, "yes"), (narrow.offer, "no")])

    def _apart(self, sells: list[_Number]) -> Iterator[Candidate]:
        for place, one in enumerate(sells):
            left = self._limit - _no_price(one.offer)
            for other in sells[place + 1 :]:
                if _no_price(other.offer) >= left:
                    break
                if one.holds(Span.apart, other) and one.wording.single:
                    yield Candidate("all_no", [(one.offer, "no"), (other.offer, "no")])

    def _covering(self, buys: list[_Number]) -> Iterator[Candidate]:
        relation = _tile_both if self._exclusive else _cover_both
        for place, one in enumerate(buys):
            left = self._limit - _yes_price(one.offer)
            for other in buys[place + 1 :]:
                if _yes_price(other.offer) >= left:
                    break
                if one.holds(relation, other) and one.wording.single:
                    yield Candidate("covering", [(one.offer, "yes"), (other.offer, "yes")])

    def _numbers(self) -> list[_Number]:
        if self._spans is None:
            read = ((each, span(each.market, self._resolution)) for each in self._offers)
            self._spans = [
                _Number(each, found, self._resolution) for each, found in read if found is not None
            ]
        return self._spans


def _overlap(spans: Iterable[Span]) -> bool:
    """Whether any two of them have a value in common."""
    ordered = sorted(spans)
    return any(not one.apart(other) for one, other in pairwise(ordered))


def _cover_both(one: Span, other: Span) -> bool:
    return cover((one, other))


def _tile_both(one: Span, other: Span) -> bool:
    return tile((one, other))


def _yes_price(each: Offer) -> int:
    return each.price("yes")


def _no_price(each: Offer) -> int:
    return each.price("no")
