"""How much to bet: the Kelly criterion, after fees, within bankroll, book and price grid.

Kelly's stake makes money grow fastest in the long run for one who knows the probabilities; who
only estimates them stakes a fraction of it (a quarter, a half).

Sources: J. L. Kelly, A New Interpretation of Information Rate (1956); for outcomes that exclude
each other C. Smoczynski and D. Tomkins, An explicit solution to the problem of optimizing the
allocations of a bettor's wealth when wagering on horse races (2010).

    >>> from kalshi_async.analytics import sizing
    >>> round(sizing.kelly(probability="0.60", price="0.50"), 4)
    Decimal('0.1710')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Unpack

from .. import _amounts
from .._amounts import MOST, Count, Money, Price, shown
from .._errors import InvalidRequestError
from ..models.orderbook import OrderBook, Side
from ..orders._request import OrderRequest, OrderTerms
from ..orders._terms import one_of
from . import prices
from ._exact import (
    CONTRACT_STEP,
    EXACT,
    ONE,
    QUOTIENT_DOWN,
    QUOTIENT_UP,
    ZERO,
    Probability,
    contracts,
)
from ._exact import probability as checked_probability
from ._exact import share as _share
from ._schedule import STANDARD, FeeSchedule, checked_fees
from ._walk import Cap, Offer, Walk
from .fees import Role, is_maker

__all__ = ["Bet", "Cap", "kelly", "kelly_exclusive", "size"]

_minus, _over = EXACT.subtract, QUOTIENT_DOWN.divide


def kelly(
    *,
    probability: Probability,
    price: Price,
    side: Side = "yes",
    fees: FeeSchedule = STANDARD,
    role: Role = "taker",
    fraction: Probability = ONE,
) -> Decimal:
    """The share of the bankroll to spend on one side at a price, fees included.

    With cost c, price and unrounded fee, and chance q of winning: (q - c) / (1 - c), times
    ``fraction``; 0 where that is not positive. Never above 1. Rounded down at the 28th digit.

    Args:
        probability: Of YES, also where NO is bought: between 0 and 1.
        price: Dollars a contract of ``side``.
        side: What is bought: ``"yes"`` or ``"no"``.
        fees: The fees of the market.
        role: ``"taker"``, or ``"maker"`` for an order that is to rest.
        fraction: Of Kelly's stake, above 0 and up to 1.

    Raises:
        InvalidRequestError: No probability, price, side, role or fraction.
    """
    # Of a Decimal no more than this needs to be asked; all else is looked at closely.
    if (
        side == "yes"
        and type(probability) is Decimal
        and probability.is_finite()
        and ZERO <= probability <= ONE
    ):
        chance = probability
    else:
        chance = _chance(probability, side)
    part = fraction if fraction is ONE else _share("fraction", fraction)
    if role == "taker":
        terms = fees.terms if type(fees) is FeeSchedule else checked_fees(fees).terms
        if type(price) is Decimal and price.is_finite():
            _, cost, gain = terms[price]
        else:
            _, cost, gain = terms.at(price)
    else:
        cost = checked_fees(fees).cost(price, maker=is_maker(role))
        gain = _minus(ONE, cost)
    if chance <= cost:
        return ZERO
    stake = _over(_minus(chance, cost), gain)
    return stake if part is ONE else QUOTIENT_DOWN.multiply(stake, part)


def kelly_exclusive(
    probabilities: Mapping[str, Probability],
    asks: Mapping[str, Price],
    *,
    fees: FeeSchedule | Mapping[str, FeeSchedule] = STANDARD,
    role: Role = "taker",
    fraction: Probability = ONE,
) -> dict[str, Decimal]:
    """The shares of the bankroll to spend on YES of outcomes of which at most one comes true.

    The exact optimum over all outcomes at once, after fees. What one outcome loses another wins,
    so that even one without an edge of its own may be worth holding. For one outcome: ``kelly``.

    Args:
        probabilities: Of each outcome, by ticker; what they lack of 1 is that none comes true.
        asks: What YES of an outcome costs, by ticker. Outcomes without an ask are not bought.
        fees: The fees of all markets, or of each by ticker.
        role: ``"taker"``, or ``"maker"`` for orders that are to rest.
        fraction: Of Kelly's stakes, above 0 and up to 1.

    Returns:
        A share for each ticker of ``asks``, 0 or more, together at most 1.

    Raises:
        InvalidRequestError: Probabilities of more than 1 together, an ask without a probability,
            a missing fee schedule, or no probability, price, role or fraction.
    """
    for name, given in (("probabilities", probabilities), ("asks", asks)):
        if not isinstance(given, Mapping):
            raise InvalidRequestError(f"{name} is {shown(given)}; expected a dictionary by ticker")
    chances = {
        name: checked_probability(f"probabilities[{name!r}]", p)
        for name, p in probabilities.items()
    }
    total = _amounts.total(chances.values())
    if total > ONE:
        raise InvalidRequestError(
            f"the probabilities add up to {shown(total)}; of outcomes that exclude each other "
            "expected at most 1: divide each by their sum"
        )
    costs = {}
    for name, ask in asks.items():
        if name not in chances:
            raise InvalidRequestError(
                f"asks has {name!r}, which has no probability; give it one, or leave its ask out"
            )
        schedule = _fees_of(fees, name)
        price = _amounts.price(f"asks[{name!r}]", ask)
        costs[name] = schedule.cost(price, maker=is_maker(role))
    reserve = _reserve(chances, costs)
    part = _share("fraction", fraction)
    stakes = {}
    for name, cost in costs.items():
        stake = EXACT.subtract(chances[name], EXACT.multiply(reserve, cost))
        stakes[name] = QUOTIENT_DOWN.multiply(stake, part) if stake > ZERO else ZERO
    return stakes


def _reserve(chances: Mapping[str, Decimal], costs: Mapping[str, Decimal]) -> Decimal:
    """The share of the bankroll that is not spent.

    Outcomes are taken in the order of what a dollar on them wins on average, while that is more
    than the reserve; the reserve is (1 - sum of chances) / (1 - sum of costs) of those taken.
    Rounded up, so that the stakes never add up to more than what is left.
    """
    best_first = sorted(costs, key=lambda name: QUOTIENT_UP.divide(chances[name], costs[name]))
    reserve, spared, unspent = ONE, ONE, ONE
    for name in reversed(best_first):
        if chances[name] <= EXACT.multiply(reserve, costs[name]):
            break
        spared = EXACT.subtract(spared, chances[name])
        unspent = EXACT.subtract(unspent, costs[name])
        # Never by 0: what is worth taking never costs all, or the chances would add up to over 1.
        reserve = QUOTIENT_UP.divide(spared, unspent)
    return reserve


@dataclass(frozen=True, slots=True)
class Bet:
    """How many contracts to buy, and what they cost.

    Attributes:
        side: ``"yes"`` or ``"no"``.
        count: Contracts; 0 where there is nothing to gain.
        limit: The worst price that is paid, in dollars of ``side``; None for no contracts.
        cost: Dollars without fees.
        fee: Dollars in fees where each price is one fill.
        worst_fee: The most in fees, however many fills it takes: who rests in the book, and in
            what sizes, is not known.
        expected: Dollars gained on average, after ``fee``.
        capped_by: What kept it from being larger: ``"edge"`` (further contracts gain nothing, or
            would be staked beyond Kelly's share), ``"stake"`` (the money), ``"depth"`` (the book),
            ``"limit"`` (the caller's price) or ``"max_count"``.
        role: In which role it is reckoned.
    """

    side: Side
    count: Decimal
    limit: Decimal | None
    cost: Decimal
    fee: Decimal
    worst_fee: Decimal
    expected: Decimal
    capped_by: Cap
    role: Role = "taker"

    @property
    def outlay(self) -> Decimal:
        """Cost and fee: what is lost where the other side wins."""
        return EXACT.add(self.cost, self.fee)

    def request(self, ticker: str, **terms: Unpack[OrderTerms]) -> OrderRequest | None:
        """The order that places it; None for no contracts.

        As a taker what is not to be had at once is cancelled; as a maker it rests, and is refused
        rather than take.

        Args:
            ticker: Its market.
            terms: Whatever else ``OrderRequest`` takes.
        """
        if self.limit is None:
            return None
        if self.role == "maker":
            terms.setdefault("post_only", True)
        else:
            terms.setdefault("time_in_force", "immediate_or_cancel")
        return OrderRequest(
            ticker, action="buy", side=self.side, count=self.count, price=self.limit, **terms
        )


def size(
    *,
    probability: Probability,
    bankroll: Money,
    price: Price | None = None,
    book: OrderBook | None = None,
    side: Side = "yes",
    fees: FeeSchedule = STANDARD,
    role: Role = "taker",
    fraction: Probability = ONE,
    max_count: Count | None = None,
    step: Decimal = CONTRACT_STEP,
    smallest: Count = CONTRACT_STEP,
    grid: prices.Grid = None,
) -> Bet:
    """Kelly's stake as contracts to buy, which is never more than the bankroll can pay.

    With a ``book`` it is walked, and each level is bought as long as that makes the bankroll grow
    faster; ``price`` is then the worst to be paid. Without one, all is bought at ``price``.
    A ``fraction`` is staked as if the bankroll were so much smaller.

    Args:
        probability: Of YES, also where NO is bought.
        bankroll: Dollars.
        price: Dollars a contract of ``side``; brought down to the grid where it is between two.
        book: Who offers how much; as a taker only.
        side: What is bought: ``"yes"`` or ``"no"``.
        fees: The fees of the market.
        role: ``"taker"``, or ``"maker"`` for an order that is to rest at ``price``.
        fraction: Of Kelly's stake, above 0 and up to 1.
        max_count: Contracts not to be exceeded; a million millions where it is left out.
        step: Contracts come in its multiples: 0.01, or 1 for whole ones.
        smallest: Contracts of the smallest fill to reckon with in the worst fees.
        grid: The market, or its ``price_ranges``; whole cents where ``price`` is given alone.

    Raises:
        InvalidRequestError: Neither price nor book, a book for a maker, or something that is no
            probability, price, side, role, fraction, amount or count.
    """
    chance, maker = _chance(probability, side), is_maker(role)
    money = Decimal(_amounts.money("bankroll", bankroll))
    purse = EXACT.multiply(money, _share("fraction", fraction))
    most = MOST if max_count is None else contracts("max_count", max_count)
    levels, more = _levels(price, book, side, grid, maker=maker)
    walk = Walk(levels, checked_fees(fees), maker=maker, smallest=contracts("smallest", smallest))
    count, cap = walk.best(chance, purse, most)
    if cap == "depth" and more:
        cap = "limit"
    unit = contracts("step", step)
    whole = walk.affordable(count, purse, unit)
    if whole.count and EXACT.subtract(count, whole.count) >= unit:
        cap = "stake"
    expected = EXACT.subtract(EXACT.multiply(chance, whole.count), EXACT.add(whole.cost, whole.fee))
    if expected <= ZERO:
        return Bet(side, ZERO, None, ZERO, ZERO, ZERO, ZERO, cap if not count else "edge", role)
    return Bet(
        side, whole.count, whole.last, whole.cost, whole.fee, whole.worst_fee, expected, cap, role
    )


def _levels(
    price: Price | None, book: OrderBook | None, side: Side, grid: prices.Grid, *, maker: bool
) -> tuple[list[Offer], bool]:
    """What may be bought, cheapest first, and whether there is more beyond ``price``."""
    if book is None:
        if price is None:
            raise InvalidRequestError("give price=, or book= to walk, or both")
        limit = prices.limit(price, action="buy", side=side, grid=grid)
        return ([], True) if limit is None else ([Offer(limit, None)], False)
    if not isinstance(book, OrderBook):
        raise InvalidRequestError(
            f"book is a {type(book).__name__}; expected models.OrderBook (of a live book: "
            "book.snapshot())"
        )
    if maker:
        raise InvalidRequestError("a maker does not walk the book: give the price to rest at")
    offers = book.no if side == "yes" else book.yes
    # A bid of 0 or 1 dollars is no order.
    bids = [bid for bid in reversed(offers) if ZERO < bid.price < ONE]
    found = [Offer(_minus(ONE, bid.price), bid.size) for bid in bids]
    worst = ONE if price is None else _amounts.price("price", price)
    within = [offer for offer in found if offer.price <= worst]
    return within, len(within) < len(found)


def _chance(probability: Probability, side: Side) -> Decimal:
    """The chance that a side wins."""
    one_of("side", side, ("yes", "no"))
    chance = checked_probability("probability", probability)
    return chance if side == "yes" else _minus(ONE, chance)


def _fees_of(fees: FeeSchedule | Mapping[str, FeeSchedule], name: str) -> FeeSchedule:
    schedule = fees.get(name) if isinstance(fees, Mapping) else fees
    if schedule is None:
        raise InvalidRequestError(f"fees has no schedule for {name!r}; expected one for each ask")
    return checked_fees(schedule)
