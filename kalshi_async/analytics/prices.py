"""Prices: cents, dollars and probabilities; both sides of a market; the grids that prices lie on.

A price in dollars is the probability that the market gives: a YES at $0.62 means 62 %. Prices go in
as text or ``Decimal``, strictly between 0 and 1 with at most 4 decimals, and come out as exact
``Decimal``. Every function raises ``InvalidRequestError`` for what is no price.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext

from .. import _amounts, _grid
from .._amounts import Price
from .._errors import InvalidRequestError
from ..models.markets import Market, PriceRange
from ..models.orderbook import Side
from ..models.orders import Action
from ..orders._terms import one_of
from ._exact import EXACT, ONE, ZERO, Probability
from ._exact import probability as checked_probability
from ._schedule import check_action

Grid = Market | Sequence[PriceRange] | None
"""Where the prices of a market lie: the market, its ``price_ranges``, or None for whole cents."""

CENTS: Sequence[PriceRange] = _grid.CENTS
"""The grid of whole cents, 0.01 to 0.99."""

_TWO = Decimal(2)
_HUNDRED = Decimal(100)
_PLACES = Decimal(1).scaleb(-12)


def from_cents(cents: int) -> Decimal:
    """Dollars of whole cents, 1 to 99: 62 is 0.62."""
    return _amounts.cents("cents", cents)


def to_cents(price: Price) -> int:
    """Whole cents of a price: 0.62 is 62.

    Raises:
        InvalidRequestError: No price, or one between two cents; both are named.
    """
    exact = _amounts.price("price", price)
    number = EXACT.multiply(exact, _HUNDRED)
    whole = int(number)
    if number != whole:
        raise InvalidRequestError(
            f"price is {exact:f}, which lies between {whole} and {whole + 1} cents; keep it in "
            "dollars, or round it first"
        )
    return whole


def complement(price: Price) -> Decimal:
    """What the other side costs where this one costs ``price``: 1 - price."""
    return EXACT.subtract(ONE, _amounts.price("price", price))


def spread(bid: Price, ask: Price) -> Decimal:
    """Ask minus bid, in dollars; negative where the book is crossed."""
    low, high = _quote(bid, ask)
    return EXACT.subtract(high, low)


def mid(bid: Price, ask: Price) -> Decimal:
    """The middle between bid and ask, exactly: 5 decimals where it lies between two ticks."""
    low, high = _quote(bid, ask)
    return EXACT.divide(EXACT.add(low, high), _TWO)


def implied_probability(bid: Price, ask: Price) -> Decimal:
    """The probability of YES that its bid and ask imply, with the spread removed.

    Buying both sides costs ask + (1 - bid), which is 1 and the spread; the part of it that YES
    costs is the probability. It lies between bid and ask, and that of NO is the complement. To 12
    decimals.

    Args:
        bid: The best YES bid.
        ask: The best YES ask.

    Raises:
        InvalidRequestError: No prices. A side without orders has none: pass no 0 and no 1 for it.
    """
    low, high = _quote(bid, ask)
    both = EXACT.add(high, EXACT.subtract(ONE, low))
    return EXACT.divide(high, both).quantize(_PLACES, context=EXACT)


def implied_probabilities(asks: Sequence[Price]) -> tuple[Decimal, ...]:
    """The probabilities that the YES asks of outcomes imply, of which exactly one comes true.

    Each ask as a part of their sum, to 12 decimals: what all together cost beyond 1 is removed.

    Raises:
        InvalidRequestError: No asks, or one that is no price.
    """
    if isinstance(asks, str) or not isinstance(asks, Sequence) or not asks:
        raise InvalidRequestError(
            f"asks is {_amounts.shown(asks)}; expected a list of one price for each outcome"
        )
    exact = [_amounts.price(f"asks[{number}]", ask) for number, ask in enumerate(asks)]
    total = _amounts.total(exact)
    return tuple(EXACT.divide(ask, total).quantize(_PLACES, context=EXACT) for ask in exact)


# Grids


def mirrored(grid: Grid) -> tuple[PriceRange, ...]:
    """The grid of NO prices, where ``grid`` is that of YES prices, and the other way round."""
    found = []
    with localcontext(EXACT):
        for part in reversed(_ranges(grid)):
            last = part.start + (part.end - part.start) // part.step * part.step
            found.append(PriceRange(start=ONE - last, end=ONE - part.start, step=part.step))
    return tuple(found)


def on_grid(price: Price, grid: Grid = None) -> bool:
    """Whether a market takes a YES price."""
    return _grid.on_grid(_amounts.price("price", price), _ranges(grid))


def next_up(price: Price, grid: Grid = None) -> Decimal | None:
    """The next price of the grid above a price; None above the highest."""
    return _grid.above(_amounts.price("price", price), _ranges(grid))


def next_down(price: Price, grid: Grid = None) -> Decimal | None:
    """The next price of the grid below a price; None below the lowest."""
    return _grid.below(_amounts.price("price", price), _ranges(grid))


def limit(limit: Price, *, action: Action, side: Side = "yes", grid: Grid = None) -> Decimal | None:
    """The price of the grid that is nearest to a limit and not beyond it.

    Args:
        limit: What the caller pays at most (``"buy"``) or takes at least (``"sell"``), in dollars
            of ``side``.
        action: ``"buy"`` or ``"sell"``.
        side: ``"yes"`` or ``"no"``.
        grid: The market's YES prices, also where ``side`` is ``"no"``.

    Returns:
        Dollars of ``side``; None where no price of the grid is acceptable.

    Raises:
        InvalidRequestError: No price, action or side.
    """
    check_action(action)
    return _acceptable(_amounts.price("limit", limit), action, ranges_of(grid, side))


def from_probability(
    probability: Probability, *, action: Action, side: Side = "yes", grid: Grid = None
) -> Decimal | None:
    """The last price at which one who believes in a probability trades, before fees.

    The price of the grid that is nearest to what the side is worth, and not beyond it: not above it
    to buy, not below it to sell.

    Args:
        probability: Of YES, between 0 and 1; an estimate, so that a float will do.
        action: ``"buy"`` or ``"sell"``.
        side: What is traded: ``"yes"`` or ``"no"``.
        grid: The market's YES prices, also where ``side`` is ``"no"``.

    Returns:
        Dollars of ``side``; None where no price of the grid is acceptable.

    Raises:
        InvalidRequestError: No probability, action or side.
    """
    check_action(action)
    ranges = ranges_of(grid, side)
    chance = checked_probability("probability", probability)
    worth = chance if side == "yes" else EXACT.subtract(ONE, chance)
    return _acceptable(worth, action, ranges)


def ticks(grid: Grid = None) -> tuple[Decimal, ...]:
    """All YES prices of a grid, ascending."""
    found = []
    ranges = _ranges(grid)
    price = _grid.above(ZERO, ranges)
    while price is not None:
        found.append(price)
        price = _grid.above(price, ranges)
    return tuple(found)


def _quote(bid: Price, ask: Price) -> tuple[Decimal, Decimal]:
    return _amounts.price("bid", bid), _amounts.price("ask", ask)


def ranges_of(grid: Grid, side: Side) -> Sequence[PriceRange]:
    """The ranges of the prices of a side."""
    one_of("side", side, ("yes", "no"))
    return _ranges(grid) if side == "yes" else mirrored(grid)


def _acceptable(limit: Decimal, action: Action, ranges: Sequence[PriceRange]) -> Decimal | None:
    return _grid.at_most(limit, ranges) if action == "buy" else _grid.at_least(limit, ranges)


def _ranges(grid: Grid) -> Sequence[PriceRange]:
    """The ranges of a grid; whole cents, which lie on every grid, where they are not told."""
    found = grid.price_ranges if isinstance(grid, Market) else grid
    if not isinstance(found or (), Sequence) or not all(
        isinstance(part, PriceRange) for part in found or ()
    ):
        raise InvalidRequestError(
            f"grid is {_amounts.shown(found)}; expected a Market, its price_ranges, or None for "
            "whole cents"
        )
    return found or _grid.CENTS
