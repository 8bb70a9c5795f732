"""Packages: legs that together pay at least a known amount, and how many of them are worth buying.

Walking the books is done in integers, far finer than any price or fee: contracts in steps of 0.01,
dollars in 1e-12 a contract and so in 1e-14 a step.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from itertools import accumulate
from typing import Literal

from .._amounts import MOST, total
from ..models.orderbook import Side
from ..models.orders import TimeInForce
from ..orders._request import OrderRequest
from ._exact import CONTRACT_STEP, EXACT, ONE, QUOTIENT_DOWN, ZERO, up
from ._schedule import STEP, FeeSchedule
from .fees import OrderFees

PackageKind = Literal["crossed", "all_yes", "all_no", "monotone", "covering"]

DOLLAR = 10**12
"""A dollar a contract, in the unit of the walk."""

_FINE = Decimal(DOLLAR)
_PER_STEP = Decimal(100)
_MOST_STEPS = 10**14


@dataclass(frozen=True, slots=True)
class Leg:
    """One order of a package: buying one side of one market.

    Attributes:
        market: The ticker.
        side: ``"yes"`` or ``"no"``.
        count: Contracts.
        limit: The worst price in dollars that is paid for one of them, of that side.
        cost: Dollars for all of them at the prices of the book, without fees.
        fees: Dollars in fees if each level of the book is one fill.
        worst_fees: The most that the fees can be, in however many fills.
    """

    market: str
    side: Side
    count: Decimal
    limit: Decimal
    cost: Decimal
    fees: Decimal
    worst_fees: Decimal


@dataclass(frozen=True, slots=True)
class Package:
    """Legs that pay more than they cost whatever happens, if all of them fill.

    See ``arbitrage`` for what that means.

    Attributes:
        kind: Why it pays: ``"crossed"``, ``"all_yes"``, ``"all_no"``, ``"monotone"`` or
            ``"covering"``.
        event: The event's ticker.
        legs: What to buy: the same count of each.
        count: Contracts of each leg.
        payout: The dollars that all legs together pay at least.
        returned: Of these, what the exchange pays back as soon as all legs are held.
    """

    kind: PackageKind
    event: str
    legs: tuple[Leg, ...]
    count: Decimal
    payout: Decimal
    returned: Decimal = ZERO

    @property
    def cost(self) -> Decimal:
        """Dollars for all legs at the prices of the books, without fees."""
        return total(leg.cost for leg in self.legs)

    @property
    def fees(self) -> Decimal:
        """Dollars in fees if each level of a book is one fill."""
        return total(leg.fees for leg in self.legs)

    @property
    def worst_fees(self) -> Decimal:
        """The most dollars that the fees can be, in however many fills."""
        return total(leg.worst_fees for leg in self.legs)

    @property
    def profit(self) -> Decimal:
        """The dollars that are gained at least: payout less cost less worst fees."""
        return EXACT.subtract(self.payout, self.capital)

    @property
    def capital(self) -> Decimal:
        """The dollars that must be there when the orders go out: cost and worst fees."""
        return EXACT.add(self.cost, self.worst_fees)

    @property
    def tied_up(self) -> Decimal:
        """What is left of ``capital`` in the package until settlement; 0 where more came back."""
        return max(EXACT.subtract(self.capital, self.returned), ZERO)

    @property
    def return_on_capital(self) -> Decimal:
        """``profit`` as a share of ``capital``; rounded down at the 28th digit."""
        return QUOTIENT_DOWN.divide(self.profit, self.capital)

    def requests(self, time_in_force: TimeInForce = "fill_or_kill") -> list[OrderRequest]:
        """The legs as orders for ``orders.place_many``, each with a new client_order_id.

        The legs are separate orders: one can fail while the others fill. See the remarks on that
        in ``arbitrage``. Calling this twice makes two sets of orders: both would be placed.

        Args:
            time_in_force: ``"fill_or_kill"``: a leg fills whole or not at all.

        Raises:
            InvalidRequestError: No such time in force.
        """
        return [
            OrderRequest(
                leg.market,
                action="buy",
                side=leg.side,
                count=leg.count,
                price=leg.limit,
                time_in_force=time_in_force,
            )
            for leg in self.legs
        ]


class Costs(dict[Decimal, "int | None"]):
    """What taking a bid costs per contract, worst fees included, by the bid's price.

    A bid at b offers the other side at 1 - b. None for what is no price. (A dict, because screening
    looks up two prices of each market.)
    """

    def __init__(self, schedule: FeeSchedule, smallest: Decimal) -> None:
        super().__init__()
        self.schedule, self.smallest = schedule, smallest
        self.fixed: dict[Decimal, int] = {}
        """What comes on top once for all contracts at a price."""

    def __missing__(self, bid: Decimal) -> int | None:
        if not (bid.is_finite() and 0 < bid < 1) or EXACT.remainder(bid, STEP):
            return None  # not kept: there is no end of what is no price
        ask = EXACT.subtract(ONE, bid)
        # Worst fees grow evenly with every smallest fill; the rest is there from the first on.
        first = self.schedule.worst(self.smallest, ask, smallest=self.smallest)
        second = self.schedule.worst(
            EXACT.add(self.smallest, self.smallest), ask, smallest=self.smallest
        )
        growth = EXACT.subtract(second, first)
        slope = up(EXACT.divide(EXACT.multiply(growth, _FINE), self.smallest), ONE)
        self[bid] = unit = int(EXACT.multiply(ask, _FINE)) + int(slope)
        rest = EXACT.multiply(EXACT.subtract(first, growth), _FINE)
        self.fixed[bid] = int(EXACT.multiply(up(rest, ONE), _PER_STEP))
        return unit


@lru_cache(maxsize=64)
def costs_of(schedule: FeeSchedule, smallest: Decimal) -> Costs:
    """The costs under a fee schedule; kept, since few schedules serve many markets."""
    return Costs(schedule, smallest)


class Ladder:
    """The offers of one side of one market, cheapest first.

    Attributes:
        depth: Steps of 0.01 contract on offer in all.
        ends: The same up to each level.
        legs: Legs that were made of it, by their steps.
    """

    __slots__ = ("_asks", "_cheapest", "_fixed", "_spent", "_units", "depth", "ends", "legs")

    def __init__(self, bids: Sequence[tuple[Decimal, Decimal]], costs: Costs) -> None:
        self.ends: list[int] = []
        self.legs: dict[int, Leg] = {}
        self._asks: list[Decimal] = []
        self._units: list[int] = []
        self._fixed: list[int] = []
        self._spent = [0]
        end = spent = 0
        for bid, size in sorted(bids, reverse=True):
            unit, steps = costs[bid], _steps_of(size, end)
            if unit is None or steps <= 0:
                continue
            end += steps
            spent += steps * unit + costs.fixed[bid]
            self.ends.append(end)
            self._asks.append(EXACT.subtract(ONE, bid))
            self._units.append(unit)
            self._fixed.append(costs.fixed[bid])
            self._spent.append(spent)
        self.depth = end
        # Dearer contracts can cost less with their fees: where cash is never rounded.
        cheapest = accumulate(reversed(self._units), min)
        self._cheapest = list(cheapest)[::-1]

    def spent(self, steps: int) -> int:
        """What so many steps cost, worst fees included."""
        level = bisect_left(self.ends, steps)
        before = self.ends[level - 1] if level else 0
        return self._spent[level] + self._fixed[level] + (steps - before) * self._units[level]

    def next_unit(self, steps: int) -> int:
        """What a contract costs at least after so many steps; there must be more."""
        return self._cheapest[bisect_left(self.ends, steps + 1)]

    def fills(self, steps: int) -> list[tuple[Decimal, Decimal]]:
        """(count, price) at each level that so many steps take."""
        found, left, before = [], steps, 0
        for end, ask in zip(self.ends, self._asks, strict=True):
            taken = min(left, end - before)
            found.append((EXACT.multiply(Decimal(taken), CONTRACT_STEP), ask))
            left, before = left - taken, end
            if not left:
                break
        return found


def _steps_of(size: Decimal, before: int) -> int:
    """Whole steps in a size, as many as an order can still hold after those before."""
    whole = min(size, MOST).quantize(CONTRACT_STEP, ROUND_FLOOR, EXACT)
    return min(int(EXACT.multiply(whole, _PER_STEP)), _MOST_STEPS - before)


def best_together(ladders: Sequence[Ladder], most: int | None) -> int:
    """How many steps of all ladders gain most where each set pays a dollar; 0 where none does."""
    depth = min(ladder.depth for ladder in ladders)
    depth = depth if most is None else min(depth, most)
    best, chosen = 0, 0
    for steps in _breaks(ladders, depth):
        gain = steps * DOLLAR - sum(ladder.spent(steps) for ladder in ladders)
        if gain > best:
            best, chosen = gain, steps
        if steps == depth or sum(ladder.next_unit(steps) for ladder in ladders) >= DOLLAR:
            break
    return chosen


def best_subset(ladders: Sequence[Ladder], most: int | None) -> tuple[int, list[int]]:
    """(steps, which ladders) that gain most where all but one of the chosen pay a dollar.

    Each leg adds a dollar less its cost, and one dollar is lost for all: so a leg belongs to the
    best package exactly where it is worth its own price over the whole count.
    """
    depth = max(ladder.depth for ladder in ladders)
    depth = depth if most is None else min(depth, most)
    best, chosen = 0, (0, list[int]())
    for steps in _breaks(ladders, depth):
        gains = {
            number: steps * DOLLAR - ladder.spent(steps)
            for number, ladder in enumerate(ladders)
            if ladder.depth >= steps
        }
        worth = [number for number, gain in gains.items() if gain > 0]
        gain = sum(gains[number] for number in worth) - steps * DOLLAR
        if gain > best:
            best, chosen = gain, (steps, worth)
        deeper = (each.next_unit(steps) for each in ladders if each.depth > steps)
        if sum(max(DOLLAR - unit, 0) for unit in deeper) <= DOLLAR:
            break
    return chosen


def _breaks(ladders: Sequence[Ladder], depth: int) -> list[int]:
    """Counts at which a ladder comes to its next level: between two of them gain is a line."""
    ends = {end for ladder in ladders for end in ladder.ends if end < depth}
    return sorted(ends | ({depth} if depth > 0 else set()))


def make_leg(market: str, side: Side, ladder: Ladder, steps: int, costs: Costs) -> Leg:
    """One leg of so many steps, with its exact cost and fees; kept, since packages share legs."""
    known = ladder.legs.get(steps)
    if known is not None:
        return known
    fills = ladder.fills(steps)
    charged = OrderFees(costs.schedule)
    for count, price in fills:
        charged.fill(count, price)
    leg = ladder.legs[steps] = Leg(
        market=market,
        side=side,
        count=total(count for count, _ in fills),
        limit=fills[-1][1],
        cost=total(EXACT.multiply(count, price) for count, price in fills),
        fees=charged.total,
        worst_fees=total(
            costs.schedule.worst(count, price, smallest=costs.smallest) for count, price in fills
        ),
    )
    return leg
