"""The fees of a market: its rates, and the rounding of one fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from .. import _amounts
from .._amounts import MOST, Count, Price, context, shown
from .._errors import InvalidRequestError, UnknownFeeTypeError
from ..models.orders import Action
from ..orders._terms import one_of
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
_MANY = int(MOST)
_MOST_MULTIPLIER = Decimal(1000)
_FINEST_MULTIPLIER = Decimal("1E-20")
_times = EXACT.multiply
_ceiling = context(60, ROUND_CEILING).quantize


TakerTerms = tuple[Decimal, Decimal, Decimal]
"""What taking costs at a price, in dollars a contract and before any rounding: the fee; price and
fee; what a contract that wins pays beyond these.
"""


class Terms(dict[Decimal, TakerTerms]):
    """The terms of takers by price, of which there are 9,999, reckoned when first asked for.

    Only for Decimals that are numbers: a float of the same value would be found too. ``at`` takes
    whatever a caller gives.
    """

    def __init__(self, multiplier: Decimal) -> None:
        super().__init__()
        self._scale = _times(multiplier, RATE)

    def at(self, price: Price) -> TakerTerms:
        """The terms at a price, checked."""
        if type(price) is Decimal and price.is_finite():
            return self[price]
        return self[_amounts.price("price", price)]

    def __missing__(self, price: Decimal) -> TakerTerms:
        given = _amounts.price("price", price)
        against = EXACT.subtract(ONE, given)
        # One price has several forms (0.5, 0.50), and what is kept for it must have one.
        rate = EXACT.normalize(_times(self._scale, _times(given, against)))
        cost = EXACT.normalize(EXACT.add(given, rate))
        self[price] = found = rate, cost, EXACT.subtract(ONE, cost)
        return found


terms_of = lru_cache(maxsize=64)(Terms)
"""The terms at a multiplier, shared by all schedules that have it."""


class _WithTerms:
    """What a schedule looks up and is no part of what it is: copies and encodings leave it out."""

    __slots__ = ("terms",)

    terms: Terms


@dataclass(frozen=True, slots=True)
class FeeSchedule(_WithTerms):
    """The fees of a market.

    Attributes:
        fee_type: ``"quadratic"``, ``"quadratic_with_maker_fees"`` or
            ``"quadratic_with_combo_maker_fees"``.
        multiplier: What scales all fees; 0 where they are waived.
        series: The series it belongs to, for messages.
        step: Dollars in whose multiples cash moves: 0.0001, or 0.01 behind a broker.

    Raises:
        UnknownFeeTypeError: A fee type whose formula is not known; the series is named.
        InvalidRequestError: No text for a fee type, a multiplier that is no exact number from 0 to
            1,000, or another step.
    """

    fee_type: str = "quadratic"
    multiplier: Decimal = ONE
    series: str | None = None
    step: Decimal = STEP

    def __post_init__(self) -> None:
        if not isinstance(self.fee_type, str):
            raise InvalidRequestError(
                f"fee_type is {shown(self.fee_type)}; expected one of {', '.join(MAKER_SHARES)}"
            )
        if self.fee_type not in MAKER_SHARES:
            raise UnknownFeeTypeError(self.fee_type, self.series)
        object.__setattr__(self, "multiplier", checked_multiplier(self.multiplier))
        object.__setattr__(self, "step", _checked_step(self.step))
        object.__setattr__(self, "terms", terms_of(self.multiplier))

    def __reduce__(self) -> tuple[object, ...]:
        return FeeSchedule, (self.fee_type, self.multiplier, self.series, self.step)

    @property
    def maker_share(self) -> Decimal:
        """What a maker pays of a taker's fee: 0, 0.25 or 0.5."""
        return MAKER_SHARES[self.fee_type]

    def taker_rate(self, price: Price) -> Decimal:
        """Dollars a contract that a taker pays at a price, before any rounding.

        Raises:
            InvalidRequestError: No price.
        """
        return self.terms.at(price)[0]

    def maker_rate(self, price: Price) -> Decimal:
        """Dollars a contract that a maker pays at a price, before any rounding.

        Raises:
            InvalidRequestError: No price.
        """
        return EXACT.normalize(_times(self.maker_share, self.taker_rate(price)))

    def rate(self, price: Price, *, maker: bool = False) -> Decimal:
        """``maker_rate`` or ``taker_rate``."""
        return self.maker_rate(price) if maker else self.taker_rate(price)

    def cost(self, price: Price, *, maker: bool = False) -> Decimal:
        """Dollars a contract with its unrounded fee: the chance of winning at which it is fair.

        Raises:
            InvalidRequestError: No price.
        """
        if not maker:
            return self.terms.at(price)[1]
        return EXACT.normalize(EXACT.add(self.maker_rate(price), Decimal(price)))

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
        terms = self.terms
        if type(price) is Decimal and price.is_finite():
            rate = terms[price][0]
        else:
            rate = terms.at(price)[0]
        # The common case: whole contracts at $0.0001 move whole steps, so that one rounding does.
        if type(count) is int and 0 < count < _MANY and action == "buy" and self.step is STEP:
            return _ceiling(_times(rate, count), STEP)
        return self._charged(rate, count, price, action)

    def maker(self, count: Count, price: Price, action: Action = "buy") -> Decimal:
        """What one fill costs its maker in dollars; otherwise like ``taker``."""
        return self._charged(self.maker_rate(price), count, price, action)

    def fee(
        self, count: Count, price: Price, *, maker: bool = False, action: Action = "buy"
    ) -> Decimal:
        """``maker`` or ``taker``."""
        return self.maker(count, price, action) if maker else self.taker(count, price, action)

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
            smallest: Contracts of the smallest fill to reckon with; all are its multiples, but for
                what ``count`` has beyond one.

        Raises:
            InvalidRequestError: No count or price, or ``smallest`` is not above 0.
        """
        rate = self.rate(price, maker=maker)
        exact, least = contracts("count", count), contracts("smallest", smallest)
        fills, odd = up(EXACT.divide(exact, least), ONE), EXACT.remainder(exact, least)
        # Cash that moves in whole steps leaves one rounding to be given back at most: the
        # accumulator never holds a whole step. Cash that does not may be rounded at each fill.
        roundings = ONE if rate else ZERO
        if not self._is_whole(least, price):
            roundings = fills
        elif not self._is_whole(odd, price):
            roundings = EXACT.add(roundings, ONE)
        fee = _times(rate, exact)
        if rate:
            fee = EXACT.fma(fills, FEE_STEP, fee)
        return EXACT.fma(roundings, self.step, fee)

    def _charged(self, rate: Decimal, count: Count, price: Price, action: Action) -> Decimal:
        """A rate by a count, rounded as one fill is."""
        check_action(action)
        exact = contracts("count", count)
        trading = up(_times(rate, exact), FEE_STEP)
        cash = _times(Decimal(price), exact)
        fee = EXACT.add(trading, rounding(cash, trading, action, self.step))
        return fee if EXACT.remainder(fee, self.step) else up(fee, self.step)

    def _is_whole(self, count: Decimal, price: Price) -> bool:
        """Whether so many contracts move cash in whole steps."""
        return not EXACT.remainder(_times(count, Decimal(price)), self.step)


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


def checked_fees(fees: FeeSchedule) -> FeeSchedule:
    """The fees of a market; refuse what is none."""
    if not isinstance(fees, FeeSchedule):
        raise InvalidRequestError(
            f"fees is {shown(fees)}; expected a FeeSchedule, such as fees.STANDARD"
        )
    return fees


def check_action(action: object) -> None:
    """Refuse what is neither ``"buy"`` nor ``"sell"``."""
    one_of("action", action, _ACTIONS)


def checked_multiplier(value: Decimal | int | str) -> Decimal:
    """A fee multiplier, exactly: so long that no fee is ever rounded where it must not be."""
    exact = _amounts.number("multiplier", value, 'a number of 0 or more, such as "1"')
    if not 0 <= exact <= _MOST_MULTIPLIER or exact != EXACT.quantize(exact, _FINEST_MULTIPLIER):
        raise InvalidRequestError(
            f"multiplier is {shown(value)}; expected 0 to 1,000, with at most 20 decimals"
        )
    return EXACT.normalize(exact)


def _checked_step(value: Decimal) -> Decimal:
    """The very constant: of another form of the same number (0.010) not all digits would count."""
    if isinstance(value, Decimal) and value.is_finite() and value in _STEPS:
        return _STEPS[_STEPS.index(value)]
    raise InvalidRequestError(
        f"step is {shown(value)}; expected Decimal('0.0001'), or Decimal('0.01') for an account "
        "behind a broker"
    )


STANDARD: Final = FeeSchedule()
"""Takers pay the standard rate, makers nothing."""

FREE: Final = FeeSchedule(multiplier=ZERO)
"""Nobody pays."""
