"""One side of an order book: sizes by price, in exact arithmetic.

Sizes are kept in two forms. A ``Decimal`` takes some 120 bytes, an integer 32; but adding to an
integer would mean to convert each change, which costs half as much again. So a size at rest is an
integer of hundredths, becomes a ``Decimal`` when its level changes, and goes back when many have.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation
from functools import partial
from typing import Final

from ..models.orderbook import Level

DIGITS: Final = 28
# Not the caller's context: whoever lowers its precision would round our sizes. What 28 digits, 27
# of them after the point, cannot hold raises Inexact instead of being rounded.
EXACT: Final = Context(prec=DIGITS, Emin=0, Emax=DIGITS - 1, traps=[Inexact, InvalidOperation])
# Holds any sum of sizes, and any size times a price, of which EXACT holds the parts.
WIDE: Final = Context(prec=4 * DIGITS, traps=[Inexact, InvalidOperation])
ONE: Final = Decimal(1)
TWO: Final = Decimal(2)
NOTHING: Final = Decimal(0)
HUNDREDTH: Final = Decimal("0.01")
ENDLESS: Final = Decimal("Infinity")
_MOST_DECIMALS: Final = 32
_MOST_INSERTED: Final = 64

_multiply = EXACT.multiply
_make_level = partial(tuple.__new__, Level)  # Level._make, without a call of Python
_scaleb = EXACT.scaleb
_same_quantum = HUNDREDTH.same_quantum

Size = Decimal | int  # contracts, or hundredths of contracts


class BookSide:
    """The bids of one side: sizes by price, and the prices in order."""

    __slots__ = ("decimals", "frozen", "inserted", "prices", "sizes")

    def __init__(self, sizes: dict[Decimal, Size], prices: list[Decimal]) -> None:
        self.sizes = sizes
        self.prices = prices
        self.decimals = self.inserted = 0
        self.frozen: tuple[Level, ...] | None = None

    def size(self, price: Decimal) -> Decimal:
        held = self.sizes.get(price, NOTHING)
        return held if isinstance(held, Decimal) else _multiply(held, HUNDREDTH)

    def levels(self) -> tuple[Level, ...]:
        if self.frozen is None:
            self.frozen = tuple(self.made_levels())
        return self.frozen

    def made_levels(self) -> Iterator[Level]:
        held = map(self.sizes.__getitem__, self.prices)
        sizes = [_multiply(size, HUNDREDTH) if type(size) is int else size for size in held]
        return map(_make_level, zip(self.prices, sizes, strict=True))

    def insert(self, price: Decimal, size: Decimal) -> None:
        prices = self.prices
        if not prices or price > prices[-1]:
            prices.append(price)
        else:
            insort(prices, price)
        self.sizes[price] = size
        self.inserted += 1
        self.count_decimal()

    def remove(self, price: Decimal) -> None:
        if type(self.sizes.pop(price)) is Decimal:
            self.decimals -= 1
        prices = self.prices
        if prices[-1] == price:
            prices.pop()
        else:
            del prices[bisect_left(prices, price)]

    def count_decimal(self) -> None:
        """Note that a size became a ``Decimal``; put all to rest when many are.

        Also when many levels were new: a dict in which keys come and go doubles its table.
        """
        self.decimals += 1
        if self.decimals > _MOST_DECIMALS or self.inserted > _MOST_INSERTED:
            self.sizes = at_rest(self.sizes.items())
            self.decimals = self.inserted = 0


def at_rest(levels: Iterable[tuple[Decimal, Size]]) -> dict[Decimal, Size]:
    """Levels whose sizes are hundredths wherever that is exact."""
    return {price: size if isinstance(size, int) else _hundredths(size) for price, size in levels}


def _hundredths(size: Decimal) -> Size:
    try:
        whole = size if _same_quantum(size) else EXACT.quantize(size, HUNDREDTH)
        return int(_scaleb(whole, TWO))
    except DecimalException:  # finer than hundredths, or too large for them
        return size
