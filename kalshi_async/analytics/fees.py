"""Trading fees: the formula, and what is really charged, to the last $0.0001.

A taker pays ``multiplier x 0.07 x count x price x (1 - price)``, a maker a share of that which the
fee type names. Each fill's fee is rounded up to $0.000001; then cash moves in whole steps
($0.0001; $0.01 behind a broker), and what that takes beyond the fee is the rounding fee. Over the
fills of one order an accumulator gives whole steps of it back. There is no fee on settlement.

Source: Kalshi's fee schedule and its API documentation on fee rounding.

    >>> from kalshi_async.analytics import fees
    >>> fees.taker_fee(10, "0.50")
    Decimal('0.1750')
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from .. import _amounts, _grid
from .._amounts import Count, Price
from .._errors import InvalidRequestError
from ..models.orderbook import Side
from ..models.orders import Action
from ..orders._terms import one_of
from . import prices
from ._exact import EXACT, ONE, QUOTIENT_UP, ZERO, contracts, up
from ._schedule import (
    FEE_STEP,
    FREE,
    MAKER_SHARES,
    RATE,
    STANDARD,
    STEP,
    FeeSchedule,
    check_action,
    checked_fees,
    checked_multiplier,
    rounding,
)

__all__ = [
    "FREE",
    "MAKER_SHARES",
    "RATE",
    "STANDARD",
    "STEP",
    "FeeSchedule",
    "FillFee",
    "OrderFees",
    "Position",
    "Role",
    "break_even",
    "exit_price",
    "is_maker",
    "maker_fee",
    "position",
    "taker_fee",
    "taker_fee_per_contract",
]

Role = Literal["maker", "taker"]
"""Whether an order rested in the book (maker) or met one that did (taker)."""


def taker_fee_per_contract(price: Price) -> Decimal:
    """``0.07 x price x (1 - price)`` dollars: the plain formula, without any rounding.

    What an order is really charged is ``taker_fee``.

    Raises:
        InvalidRequestError: No price strictly between 0 and 1 as text or Decimal.
    """
    return STANDARD.taker_rate(price)


def taker_fee(
    count: Count,
    price: Price,
    *,
    multiplier: Decimal | int | str = ONE,
    fee_type: str = "quadratic",
    action: Action = "buy",
    step: Decimal = STEP,
) -> Decimal:
    """What one fill costs its taker, exactly; see ``FeeSchedule.taker``.

    Args:
        count: Contracts, in steps of 0.01.
        price: Dollars a contract, as text or Decimal.
        multiplier: ``fee_multiplier`` of the event's override, else of the series.
        fee_type: Of the event's override, else of the series.
        action: ``"buy"`` or ``"sell"``.
        step: 0.0001, or 0.01 behind a broker.

    Raises:
        InvalidRequestError: No count, price, multiplier, action or step.
        UnknownFeeTypeError: No formula is known for the fee type.
    """
    if multiplier is ONE and step is STEP and fee_type == "quadratic":
        return _standard_taker(count, price, action)
    return FeeSchedule(fee_type, checked_multiplier(multiplier), None, step).taker(
        count, price, action
    )


def maker_fee(
    count: Count,
    price: Price,
    *,
    multiplier: Decimal | int | str = ONE,
    fee_type: str = "quadratic_with_maker_fees",
    action: Action = "buy",
    step: Decimal = STEP,
) -> Decimal:
    """What one fill costs its maker where makers pay, exactly; 0 with ``fee_type="quadratic"``.

    Arguments and errors are those of ``taker_fee``.
    """
    if multiplier is ONE and step is STEP and fee_type == "quadratic_with_maker_fees":
        return _WITH_MAKER_FEES.maker(count, price, action)
    return FeeSchedule(fee_type, checked_multiplier(multiplier), None, step).maker(
        count, price, action
    )


@dataclass(frozen=True, slots=True)
class FillFee:
    """The fee of one fill in dollars: ``fee`` is ``trading + rounding - rebate``, 0 or more."""

    fee: Decimal
    trading: Decimal
    rounding: Decimal
    rebate: Decimal


class OrderFees:
    """The fees of one order, fill by fill, as the exchange charges them.

    Args:
        schedule: The fees of its market.

    Not for several orders: each has an accumulator of its own.
    """

    def __init__(self, schedule: FeeSchedule = STANDARD) -> None:
        self._schedule = checked_fees(schedule)
        self._kept = ZERO
        self.total = ZERO
        """Dollars in fees so far."""

    def fill(
        self, count: Count, price: Price, *, role: Role = "taker", action: Action = "buy"
    ) -> FillFee:
        """Count a fill in, and say what it costs.

        Raises:
            InvalidRequestError: No count, price, role or action; nothing was counted.
        """
        check_action(action)
        schedule, exact = self._schedule, contracts("count", count)
        rate = schedule.rate(price, maker=is_maker(role))
        trading = up(EXACT.multiply(rate, exact), FEE_STEP)
        cash = EXACT.multiply(Decimal(price), exact)
        rounded = rounding(cash, trading, action, schedule.step)
        charged = EXACT.add(trading, rounded)
        kept = EXACT.add(self._kept, rounded)
        steps = EXACT.divide_int(min(kept, charged), schedule.step)
        rebate = EXACT.multiply(steps, schedule.step)
        self._kept = EXACT.subtract(kept, rebate)
        fee = EXACT.subtract(charged, rebate)
        self.total = EXACT.add(self.total, fee)
        return FillFee(fee, trading, rounded, rebate)

    def __repr__(self) -> str:
        return f"<OrderFees {self.total} charged, {self._kept} of rounding kept>"


@dataclass(frozen=True, slots=True)
class Position:
    """Contracts of one side, bought in one fill, in dollars.

    Attributes:
        count: Contracts.
        price: Dollars a contract, of the side bought.
        fee: What the fill costs in fees.
    """

    count: Decimal
    price: Decimal
    fee: Decimal

    @property
    def cost(self) -> Decimal:
        """What the contracts cost, without the fee."""
        return EXACT.multiply(self.count, self.price)

    @property
    def outlay(self) -> Decimal:
        """Cost and fee: what is lost where the other side wins."""
        return EXACT.add(self.cost, self.fee)

    @property
    def break_even(self) -> Decimal:
        """The chance of winning at which holding to settlement gains nothing and loses nothing.

        Above 1 where the fee is more than can be won. Rounded up at the 28th digit.
        """
        return QUOTIENT_UP.divide(self.outlay, self.count)

    def net_payout(self, value: Decimal | str | int = ONE) -> Decimal:
        """Dollars gained (lost: negative) when each contract settles at ``value``, fees counted.

        Args:
            value: What a contract of this side pays: 1 where it wins, 0 where it loses, in
                between where a market settles so.

        Raises:
            InvalidRequestError: ``value`` is not between 0 and 1.
        """
        settled = _amounts.number("value", value, "dollars between 0 and 1")
        if not ZERO <= settled <= ONE:
            raise InvalidRequestError(
                f"value is {_amounts.shown(value)}; expected dollars between 0 and 1"
            )
        return EXACT.subtract(EXACT.multiply(self.count, settled), self.outlay)


def position(
    count: Count, price: Price, *, fees: FeeSchedule = STANDARD, role: Role = "taker"
) -> Position:
    """What buying contracts in one fill costs and can pay; for both roles: ask twice.

    Args:
        count: Contracts.
        price: Dollars a contract, of the side bought.
        fees: The fees of the market.
        role: ``"taker"``, or ``"maker"`` for an order that rests first.

    Raises:
        InvalidRequestError: No count, price or role.
    """
    fee = checked_fees(fees).fee(count, price, maker=is_maker(role))
    return Position(contracts("count", count), _amounts.price("price", price), fee)


def break_even(price: Price, *, fees: FeeSchedule = STANDARD, role: Role = "taker") -> Decimal:
    """The chance at which a contract bought at a price and held to settlement is fair.

    Price and unrounded fee: for a count, rounding included, see ``Position.break_even``.

    Raises:
        InvalidRequestError: No price or role.
    """
    return checked_fees(fees).cost(price, maker=is_maker(role))


def exit_price(
    count: Count,
    price: Price,
    *,
    fees: FeeSchedule = STANDARD,
    role: Role = "taker",
    exit_role: Role = "taker",
    side: Side = "yes",
    grid: prices.Grid = None,
) -> Decimal | None:
    """The lowest price of the grid at which selling all again, in one fill, loses nothing.

    Args:
        count: Contracts.
        price: Dollars a contract that were paid, of the side bought.
        fees: The fees of the market.
        role: In which role they were bought.
        exit_role: In which role they are to be sold.
        side: What was bought: ``"yes"`` or ``"no"``.
        grid: The market, or its ``price_ranges``; whole cents where they are not known.

    Returns:
        Dollars a contract; None where even the highest price of the grid loses.

    Raises:
        InvalidRequestError: No count, price, role, side or grid.
    """
    bought, seller = position(count, price, fees=fees, role=role), is_maker(exit_role)
    ranges = prices.ranges_of(grid, side)
    asked = _grid.at_least(bought.price, ranges)
    while asked is not None:
        fee = fees.fee(count, asked, maker=seller, action="sell")
        if EXACT.subtract(EXACT.multiply(bought.count, asked), fee) >= bought.outlay:
            return asked
        asked = _grid.above(asked, ranges)
    return None


def is_maker(role: Role) -> bool:
    """Whether a role is the maker's; refuse what is no role."""
    one_of("role", role, ("maker", "taker"))
    return role == "maker"


_standard_taker = STANDARD.taker
_WITH_MAKER_FEES = FeeSchedule("quadratic_with_maker_fees")
