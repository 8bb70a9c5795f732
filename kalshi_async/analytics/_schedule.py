"""The fees of a market: its rates, and the rounding of one fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from types import MappingProxyType
from typing import Final

from .. import _amounts
from .._amounts import Count, Price
from .._errors import InvalidRequestError, UnknownFeeTypeError
from ..models.orders import Action
from ._exact import CENT, CONTRACT_STEP, EXACT, ONE, ZERO, contracts, up

RATE: Final = Decimal("0.07")
"""What a taker pays for each contract, of price x (1 - price), where the multiplier is 1."""

STEP: Final = Decimal("0.0001")
"""Cash of accounts at the exchange itself moves in these steps; behind a broker in cents."""

MAKER_SHARES: Final[Mapping[str, Decimal]] = MappingProxyType(
    {
        "quadratic": ZERO,
        "quadratic_with_maker_fees": Decimal("0.25"),
        "quadratic_with_combo_maker_fees": Decimal("0.5"),
    }
)
"""What a maker pays of a taker's fee, by fee type. The contract's ``flat`` has no known formula."""

FEE_STEP = Decimal("0.000001")
_STEPS = (STEP, CENT)
_ACTIONS = ("buy", "sell")
_MANY = 10**12
_times = EXACT.multiply


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """The fees of a market.

    Attributes:
        fee_type: ``"quadratic"``, ``"quadratic_with_maker_fees"`` or
            ``"quadratic_with_combo_maker_fees"``.
        multiplier: What scales all fees; 0 where they are waived.
        series: The series it belongs to, for messages.
        step: Dollars in whose multiples cash moves: 0.0001, or 0.01 behind a broker.

    Raises:
        UnknownFeeTypeError: A fee type whose formula is not known; the series is named.
        InvalidRequestError: A multiplier that is negative or no exact number, or another step.
    """

    fee_type: str = "quadratic"
    multiplier: Decimal = ONE
    series: str | None = None
    step: Decimal = STEP
    # By price, of which there are 9,999: what takers pay, and what the contract costs them in all.
    _rates: dict[Decimal, Decimal] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _costs: dict[Decimal, Decimal] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if self.fee_type not in MAKER_SHARES:
            raise UnknownFeeTypeError(self.fee_type, self.series)
        object.__setattr__(self, "multiplier", checked_multiplier(self.multiplier))
        if self.step not in _STEPS or not isinstance(self.step, Decimal):
            raise InvalidRequestError(
                f"step is {self.step!r}; expected Decimal('0.0001'), or Decimal('0.01') for an "
                "account behind a broker"
            )

    @property
    def maker_share(self) -> Decimal:
        """What a maker pays of a taker's fee: 0, 0.25 or 0.5."""
        return MAKER_SHARES[self.fee_type]

    def taker_rate(self, price: Price) -> Decimal:
        """Dollars a contract that a taker pays at a price, before any rounding.

        Raises:
            InvalidRequestError: No price.
        """
        # A float of the same value would be found too, and must be refused.
        if type(price) is Decimal:
            known = self._rates.get(price)
            if known is not None:
                return known
        exact = _amounts.price("price", price)
        rate = EXACT.multiply(EXACT.multiply(self.multiplier, RATE), _variance(exact))
        self._rates[exact] = rate
        return rate

    def maker_rate(self, price: Price) -> Decimal:
        """Dollars a contract that a maker pays at a price, before any rounding.

        Raises:
            InvalidRequestError: No price.
        """
        return EXACT.multiply(self.maker_share, self.taker_rate(price))

    def rate(self, price: Price, *, maker: bool = False) -> Decimal:
        """``maker_rate`` or ``taker_rate``."""
        return self.maker_rate(price) if maker else self.taker_rate(price)

    def cost(self, price: Price, *, maker: bool = False) -> Decimal:
        """Dollars a contract with its unrounded fee: the chance of winning at which it is fair.

        Raises:
            InvalidRequestError: No price.
        """
        if maker:
            return EXACT.add(self.maker_rate(price), Decimal(price))
        if type(price) is Decimal:
            known = self._costs.get(price)
            if known is not None:
                return known
        rate = self.taker_rate(price)
        found = EXACT.add(Decimal(price), rate)
        self._costs[Decimal(price)] = found
        return found

    def taker(self, count: Count, price: Price, action: Action = "buy") -> Decimal:
        """What one fill costs its taker in dollars, before anything is given back.

        Args:
            count: Contracts.
            price: Dollars a contract, of the side that is traded.
            action: ``"buy"`` where cash is paid, ``"sell"`` where it is received: matters only
                where count x price is finer than the step.

        Raises:
            InvalidRequestError: No count, price or action.
        """
        # The common case: whole contracts at $0.0001 move whole steps, so that one rounding does.
        if type(count) is int and type(price) is Decimal and self.step is STEP:
            known = self._rates.get(price)
            if known is not None and 0 < count < _MANY and action in _ACTIONS:
                return _times(known, count).quantize(STEP, ROUND_CEILING, EXACT)
        return self._charged(self.taker_rate(price), count, price, action)

    def maker(self, count: Count, price: Price, action: Action = "buy") -> Decimal:
        """What one fill costs its maker in dollars; otherwise like ``taker``."""
        return self._charged(self.maker_rate(price), count, price, action)

    def fee(
        self, count: Count, price: Price, *, maker: bool = False, action: Action = "buy"
    ) -> Decimal:
        """``maker`` or ``taker``."""
        return self._charged(self.rate(price, maker=maker), count, price, action)

    def worst(
        self,
        count: Count,
        price: Price,
        *,
        maker: bool = False,
        smallest: Decimal = CONTRACT_STEP,
    ) -> Decimal:
        """The most that so many contracts of one order can cost in fees, in however many fills.

        Who rests in the book, and in what sizes, is not known beforehand: the fee of each fill is
        rounded, so that many small fills cost more than a large one.

        Args:
            count: Contracts.
            price: Dollars a contract.
            maker: Whether the order rests.
            smallest: Contracts of the smallest fill to reckon with; all are its multiples.

        Raises:
            InvalidRequestError: No count or price, or ``smallest`` is not above 0.
        """
        exact, least = contracts("count", count), contracts("smallest", smallest)
        rate = self.rate(price, maker=maker)
        fills = up(EXACT.divide(exact, least), ONE)
        # Cash that moves in whole steps leaves one rounding to be given back at most: the
        # accumulator never holds a whole step. Cash that does not may be rounded at each fill.
        whole = not EXACT.remainder(EXACT.multiply(least, Decimal(price)), self.step)
        roundings = fills if not whole else ONE if rate else ZERO
        fee = EXACT.multiply(rate, exact)
        if rate:
            fee = EXACT.fma(fills, FEE_STEP, fee)
        return EXACT.fma(roundings, self.step, fee)

    def _charged(self, rate: Decimal, count: Count, price: Price, action: Action) -> Decimal:
        """A rate by a count, rounded as one fill is."""
        check_action(action)
        exact = contracts("count", count)
        trading = up(EXACT.multiply(rate, exact), FEE_STEP)
        cash = EXACT.multiply(Decimal(price), exact)
        if not EXACT.remainder(cash, self.step):
            return up(trading, self.step)
        return EXACT.add(trading, rounding(cash, trading, action, self.step))


def rounding(cash: Decimal, trading: Decimal, action: Action, step: Decimal) -> Decimal:
    """What aligning the cash of one fill takes beyond its trading fee.

    Args:
        cash: count x price.
        trading: The trading fee, in multiples of $0.000001.
        action: ``"buy"`` pays both, ``"sell"`` receives the one less the other.
        step: Cash moves in its multiples, downwards for the account.
    """
    moved = EXACT.add(cash, trading) if action == "buy" else EXACT.subtract(trading, cash)
    return EXACT.subtract(up(moved, step), moved)


def check_action(action: object) -> None:
    """Refuse what is neither ``"buy"`` nor ``"sell"``."""
    if action not in _ACTIONS:
        raise InvalidRequestError(f'action is {action!r}; expected "buy" or "sell"')


def checked_multiplier(value: Decimal | int | str) -> Decimal:
    """A fee multiplier, exactly: 0 or more."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        remedy = f"pass text: {str(value)!r}" if isinstance(value, float) else 'expected "1"'
        raise InvalidRequestError(f"multiplier is {value!r}; {remedy}")
    try:
        exact = Decimal(value)
    except InvalidOperation:
        exact = Decimal("NaN")
    if not exact.is_finite() or exact < 0:
        raise InvalidRequestError(f"multiplier is {value!r}; expected 0 or more")
    return exact


def _variance(price: Decimal) -> Decimal:
    return EXACT.multiply(price, EXACT.subtract(ONE, price))


STANDARD: Final = FeeSchedule()
"""Takers pay the standard rate, makers nothing."""

FREE: Final = FeeSchedule(multiplier=ZERO)
"""Nobody pays."""
