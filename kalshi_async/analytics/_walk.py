"""Buying one side of a market level by level: how much is best, how much can be paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from ._exact import EXACT, ONE, QUOTIENT_DOWN, ZERO
from ._schedule import FeeSchedule

Cap = Literal["edge", "stake", "depth", "limit", "max_count"]
"""What a size ended at; see ``sizing.Bet``."""


class Offer(NamedTuple):
    """Contracts to be had at a price; ``size`` None for as many as one wants."""

    price: Decimal
    size: Decimal | None


@dataclass(frozen=True, slots=True)
class Bought:
    """What a number of contracts costs, from the cheapest on; ``last`` is the dearest price."""

    count: Decimal
    cost: Decimal
    fee: Decimal
    worst_fee: Decimal
    last: Decimal | None

    @property
    def worst_outlay(self) -> Decimal:
        """The most that it takes, in however many fills."""
        return EXACT.add(self.cost, self.worst_fee)


class Walk:
    """Offers of one side, taken in their order.

    Args:
        offers: Cheapest first.
        fees: The fees of the market.
        maker: Whether the order rests.
        smallest: Contracts of the smallest fill to reckon with.
    """

    def __init__(
        self, offers: Sequence[Offer], fees: FeeSchedule, *, maker: bool, smallest: Decimal
    ) -> None:
        self._offers, self._fees, self._maker = offers, fees, maker
        self._smallest = smallest

    def best(self, chance: Decimal, purse: Decimal, most: Decimal) -> tuple[Decimal, Cap]:
        """The count at which the logarithm of the purse grows fastest, and what ended it.

        With W in the purse if the bet wins and L if it loses, one more contract at cost c is worth
        having while q (1 - c) / W > (1 - q) c / L. At one level that holds for the first
        (q (1 - c) L - (1 - q) c W) / (c (1 - c)) contracts.
        """
        won, lost, count = purse, purse, ZERO
        against = EXACT.subtract(ONE, chance)
        for price, size in self._offers:
            cost = self._fees.cost(price, maker=self._maker)
            gain = EXACT.subtract(ONE, cost)
            worth = EXACT.subtract(
                EXACT.multiply(EXACT.multiply(chance, gain), lost),
                EXACT.multiply(EXACT.multiply(against, cost), won),
            )
            if worth <= ZERO:
                return count, "edge"
            wanted = QUOTIENT_DOWN.divide(worth, EXACT.multiply(cost, gain))
            taken, cap = _least(wanted, size, EXACT.subtract(most, count))
            count = EXACT.add(count, taken)
            if cap is not None:
                return count, cap
            lost = EXACT.subtract(lost, EXACT.multiply(taken, cost))
            won = EXACT.add(won, EXACT.multiply(taken, gain))
        return count, "depth"

    def affordable(self, count: Decimal, purse: Decimal, step: Decimal) -> Bought:
        """The most of ``count`` contracts, in whole steps, that a purse pays in any case."""
        low, high = 0, int(EXACT.divide_int(count, step))
        bought = self.bought(EXACT.multiply(step, high))
        if bought.worst_outlay <= purse:
            return bought
        while high - low > 1:
            middle = (low + high) // 2
            if self.bought(EXACT.multiply(step, middle)).worst_outlay <= purse:
                low = middle
            else:
                high = middle
        return self.bought(EXACT.multiply(step, low))

    def bought(self, count: Decimal) -> Bought:
        """What so many contracts cost. There must be as many."""
        left, cost, fee, worst, last = count, ZERO, ZERO, ZERO, None
        for price, size in self._offers:
            if not left:
                break
            taken = left if size is None else min(left, size)
            if not taken:
                continue
            cost = EXACT.fma(taken, price, cost)
            fee = EXACT.add(fee, self._fees.fee(taken, price, maker=self._maker))
            worst = EXACT.add(
                worst, self._fees.worst(taken, price, maker=self._maker, smallest=self._smallest)
            )
            left, last = EXACT.subtract(left, taken), price
        return Bought(count, cost, fee, worst, last)


def _least(wanted: Decimal, size: Decimal | None, room: Decimal) -> tuple[Decimal, Cap | None]:
    """How many are taken of a level, and why no more of the next; None to go on there."""
    if room <= wanted and (size is None or room <= size):
        return room, "max_count"
    if size is None or wanted <= size:
        return wanted, "edge"
    return size, None
