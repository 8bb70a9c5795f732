"""Arbitrage: legs of one event that pay more than they cost whatever happens, if all of them fill.

``find`` looks through the books of one event for five kinds of packages:

``crossed``
    YES and NO of one market for less than 1 together: they pay 1.
``all_yes``
    YES of all markets of an event of which at least one surely pays. *Mutually exclusive* means at
    most one; that at least one pays must follow from strikes that leave no value out
    (``less`` 10, ``between`` 10 and 20, ``greater`` 20), or be said: ``exhaustive=True``.
``all_no``
    NO of k markets of which at most one pays YES: they pay k - 1. The best subset is taken. With
    collateral return (``collateral_return_type`` ``"MECNET"``) the exchange pays these k - 1 back
    at once. Also NO of two markets whose strikes have no value in common.
``monotone``
    YES of a market and NO of another whose values are all among those of the first: "above 10" and
    "above 20". One of the two pays.
``covering``
    YES of two markets that leave no value out: "below 20" and "above 10".

A package that is none costs more than one that is missed. So strikes count only between markets
that speak of the same number: all that they say must be equal once the strikes are taken out of the
texts, and what the texts say of the number must prove the same as the strikes. Where a doubt is
left (unreadable strikes, a price on its way through a month, strikes that overlap in an event said
to be mutually exclusive, a book that is crossed or does not belong to the market, a market that is
not open), there is no package.

What is not certain all the same:

* The books are a moment old, and the legs are separate orders. Where one fails (its offers are
  gone) the others are a bet: sell them again, or buy the missing leg at a worse price. Placing the
  thinnest leg first, alone, limits that; ``place_many(..., on_error="cancel_placed")`` does not
  help, since a filled leg cannot be cancelled.
* A void or disputed market may settle at another value than 0 or 1. A guarantee then holds where
  these values fit together as the outcomes do: ``all_no`` needs YES values that add up to at most
  1, ``all_yes`` at least 1, ``monotone`` a wider market that is worth no less than the narrower.
* Packages of one event may need the same offers; ``disjoint=True`` takes of those only the best.

In use::

    event = await kalshi.events.get("KXFED-26MAR19")
    fees = await FeeSchedules(kalshi).of(event)
    tickers = [market.ticker for market in event.markets]
    books = {book.ticker: book for book in await kalshi.markets.orderbooks(tickers=tickers)}
    for package in arbitrage.find(event, books, fees=fees, disjoint=True):
        outcomes = await kalshi.orders.place_many(package.requests())
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from .. import _amounts
from .._amounts import Count, Money
from .._errors import InvalidRequestError
from ..models.events import Event
from ..models.markets import Market
from ..models.orderbook import Level, OrderBook, Side
from ._exact import EXACT, ONE, ZERO, contracts
from ._kinds import Candidate, Offer, Search, offer, takes_part
from ._packages import (
    DOLLAR,
    Costs,
    Ladder,
    Leg,
    Package,
    PackageKind,
    best_subset,
    best_together,
    costs_of,
    make_leg,
)
from ._schedule import FREE, FeeSchedule
from ._strikes import checked_resolution, family, span

__all__ = ["Fees", "Leg", "Package", "PackageKind", "find", "not_understood", "promising"]

Fees = FeeSchedule | Mapping[str, FeeSchedule]
"""The fees of all markets, or of each by its ticker; a market without fees takes no part."""

_NO_BID = ZERO
_OTHER_STRIKES = (None, "", "functional", "custom", "structured")
_RETURNS_COLLATERAL = "MECNET"
_STEPS = Decimal(100)
_ONE_PIECE = Decimal(10**11)
"""A smallest fill that makes worst fees no higher than any other: nothing is rounded twice."""


def find(
    event: Event,
    books: Mapping[str, OrderBook],
    *,
    fees: Fees,
    exhaustive: bool | None = None,
    resolution: Decimal | str | int | None = None,
    min_profit: Money = "0.01",
    max_count: Count | None = None,
    smallest: Count = "0.01",
    disjoint: bool = False,
) -> list[Package]:
    """The packages in the books of one event, the most profitable first.

    Each has the count at which the guaranteed profit, after the worst fees, is highest.

    Args:
        event: An event with its markets (``with_nested_markets=True``), all of them: those of
            other states too.
        books: Order books by market ticker, read at about the same time. A market without a book,
            or with an empty side, gives no leg there.
        fees: The fees of the markets: ``FeeSchedules`` knows them.
        exhaustive: True: one of the event's markets surely pays. None: where the strikes prove it.
            False: never.
        resolution: The number that the event is about only takes multiples of this ("1" for whole
            degrees, "0.01" for cents): then "10 to 19" and "20 to 29" leave nothing out.
        min_profit: Dollars that a package must gain at least.
        max_count: Contracts of each leg at most.
        smallest: Contracts of the smallest fill to reckon with in the worst fees.
        disjoint: Leave out packages that need a side of a market that a better one needs.

    Raises:
        InvalidRequestError: The event has no markets with it, or an argument is of the wrong type
            or impossible. Books that are empty, one-sided or odd are no error.
    """
    _check(event, books, exhaustive)
    least = _amounts.money_or_zero("min_profit", min_profit)
    most = None if max_count is None else _steps("max_count", max_count)
    fill = contracts("smallest", smallest)
    offers = [
        _from_book(market, event, books[market.ticker], costs)
        for market, costs in _markets(event, fees, fill)
        if market.ticker in books
    ]
    search = Search(
        event,
        [each for each in offers if each is not None],
        exhaustive=exhaustive,
        resolution=checked_resolution(resolution),
    )
    ladders: dict[tuple[str, Side], Ladder] = {}
    found = [_package(event, each, ladders, most) for each in search.candidates()]
    worth = [each for each in found if each is not None and 0 < each.profit >= least]
    worth.sort(key=_rank)
    return _without_overlap(worth) if disjoint else worth


def promising(
    event: Event,
    *,
    fees: Fees = FREE,
    exhaustive: bool | None = None,
    resolution: Decimal | str | int | None = None,
    within: Money = 0,
) -> tuple[str, ...]:
    """The tickers whose books are worth reading, going by the best prices in the event itself.

    Cheap: for screening a list before reading books. Sizes are not looked at.

    Args:
        event: An event with its markets.
        fees: As for ``find``; left out, none are counted.
        exhaustive: As for ``find``.
        resolution: As for ``find``.
        within: How many dollars a package may cost more than it pays: prices in a list are some
            seconds old.

    Raises:
        InvalidRequestError: As from ``find``.
    """
    _check(event, {}, exhaustive)
    slack = _amounts.money_or_zero("within", within)
    search = Search(
        event,
        [
            _from_market(market, costs)
            for market, costs in _markets(event, fees, _ONE_PIECE)
            if takes_part(market, event)
        ],
        exhaustive=exhaustive,
        resolution=checked_resolution(resolution),
        within=int(EXACT.multiply(Decimal(slack), Decimal(DOLLAR))),
    )
    return tuple(
        dict.fromkeys(each.market.ticker for found in search.candidates() for each, _ in found.legs)
    )


def not_understood(event: Event) -> tuple[str, ...]:
    """The tickers of markets whose strikes say nothing: unreadable, or of an unknown type.

    Such markets take part only in packages that need no strikes.

    Raises:
        InvalidRequestError: As from ``find``.
    """
    _check(event, {}, None)
    return tuple(
        market.ticker
        for market in event.markets or ()
        if (span(market) is None if family(market) else market.strike_type not in _OTHER_STRIKES)
    )


def _check(event: object, books: object, exhaustive: object) -> None:
    if not isinstance(event, Event):
        raise InvalidRequestError(f"event is a {type(event).__name__}; expected an Event")
    if event.markets is None:
        raise InvalidRequestError(
            f"event {event.event_ticker} has no markets with it; read it with events.get, or with "
            "with_nested_markets=True"
        )
    if not isinstance(books, Mapping):
        raise InvalidRequestError(
            f"books is a {type(books).__name__}; expected order books by market ticker"
        )
    if exhaustive not in (None, True, False):
        raise InvalidRequestError(f"exhaustive is {exhaustive!r}; expected True, False or None")


def _markets(event: Event, fees: Fees, smallest: Decimal) -> list[tuple[Market, Costs]]:
    """Each market of an event once, with its costs; those without fees are left out, and those
    that the event lists twice with different contents.
    """
    held = {market.ticker: market for market in event.markets or ()}
    if len(held) < len(event.markets or ()):
        for market in event.markets or ():
            if market != held.get(market.ticker, market):
                del held[market.ticker]
    markets = held.values()
    if isinstance(fees, FeeSchedule):
        costs = costs_of(fees, smallest)
        return [(market, costs) for market in markets]
    if not isinstance(fees, Mapping):
        raise InvalidRequestError(
            f"fees is a {type(fees).__name__}; expected a FeeSchedule, or one by market ticker"
        )
    found = []
    for market in markets:
        schedule = fees.get(market.ticker)
        if isinstance(schedule, FeeSchedule):
            found.append((market, costs_of(schedule, smallest)))
        elif schedule is not None:
            raise InvalidRequestError(
                f"fees of {market.ticker} is a {type(schedule).__name__}; expected a FeeSchedule"
            )
    return found


def _from_book(market: Market, event: Event, book: object, costs: Costs) -> Offer | None:
    if not isinstance(book, OrderBook):
        raise InvalidRequestError(
            f"the book of {market.ticker} is a {type(book).__name__}; expected an OrderBook"
        )
    if book.ticker not in (None, market.ticker) or not takes_part(market, event):
        return None
    yes, no = _best(book.yes, market.ticker), _best(book.no, market.ticker)
    return offer(market, costs, yes, no, book)


def _from_market(market: Market, costs: Costs) -> Offer:
    return offer(
        market, costs, _bid(market.yes_bid, market.no_ask), _bid(market.no_bid, market.yes_ask)
    )


def _bid(bid: Decimal | None, ask: Decimal | None) -> Decimal:
    """A side's best bid, told by itself or by what the other side is offered for."""
    if bid is None and ask is not None and ask.is_finite():
        return EXACT.subtract(ONE, ask)
    return _NO_BID if bid is None else bid


def _steps(name: str, count: Count) -> int:
    return int(EXACT.multiply(contracts(name, count), _STEPS))


def _package(
    event: Event,
    candidate: Candidate,
    known: dict[tuple[str, Side], Ladder],
    most: int | None,
) -> Package | None:
    """The best count of a candidate, as a package; None where none gains."""
    ladders = []
    for each, side in candidate.legs:
        name = each.market.ticker, side
        if name not in known:
            known[name] = _ladder(each, side)
        ladders.append(known[name])
    if candidate.free:
        steps, chosen = best_subset(ladders, most)
    else:
        steps, chosen = best_together(ladders, most), list(range(len(ladders)))
    if not steps:
        return None
    legs = []
    for number in chosen:
        each, side = candidate.legs[number]
        legs.append(make_leg(each.market.ticker, side, ladders[number], steps, each.costs))
    paying = len(legs) - 1 if candidate.kind == "all_no" else 1
    payout = EXACT.multiply(legs[0].count, Decimal(paying))
    returns = candidate.free and event.collateral_return_type == _RETURNS_COLLATERAL
    return Package(
        kind=candidate.kind,
        event=event.event_ticker,
        legs=tuple(legs),
        count=legs[0].count,
        payout=payout,
        returned=payout if returns else ZERO,
    )


def _ladder(each: Offer, side: Side) -> Ladder:
    assert each.book is not None  # noqa: S101 - find makes offers from books only
    bids = each.book.no if side == "yes" else each.book.yes
    levels = [
        (_exact(level[0], each.market.ticker), _exact(level[1], each.market.ticker))
        for level in bids
    ]
    return Ladder([level for level in levels if all(map(Decimal.is_finite, level))], each.costs)


def _best(bids: Sequence[Level], ticker: str) -> Decimal:
    best = _exact(bids[-1][0], ticker) if bids else _NO_BID
    return best if best.is_finite() else _NO_BID


def _exact(value: object, ticker: str) -> Decimal:
    if type(value) is Decimal:
        return value
    raise InvalidRequestError(
        f"the book of {ticker} holds {value!r}, a {type(value).__name__}; expected levels of "
        "Decimal prices and sizes"
    )


def _rank(package: Package) -> tuple[Decimal, str, tuple[str, ...]]:
    return (package.profit.copy_negate(), package.kind, tuple(leg.market for leg in package.legs))


def _without_overlap(packages: list[Package]) -> list[Package]:
    taken: set[tuple[str, Side]] = set()
    kept = []
    for package in packages:
        needs = {(leg.market, leg.side) for leg in package.legs}
        if not needs & taken:
            taken |= needs
            kept.append(package)
    return kept
