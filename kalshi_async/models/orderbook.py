"""Order books: who bids how much, at which price."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Literal, NamedTuple

from .._amounts import EXACT, shown, total
from .._errors import InvalidRequestError
from ._base import Model

Side = Literal["yes", "no"]
"""The two sides of a binary market."""

_ONE = Decimal(1)
_TWO = Decimal(2)
_NOTHING = Decimal(0)
_CENTS = Decimal(100)
_TICK = Decimal("0.0001")
# So long products of prices and counts are exact.
_DIGITS = 28


class Level(NamedTuple):
    """Contracts bid at one price: ``price`` in dollars, ``size`` in contracts."""

    price: Decimal
    size: Decimal


class OrderBook(Model):
    """The bids of a market at one moment.

    A bid for NO at ``q`` is an offer of YES at ``1 - q``; that is why there are bids only.

    Attributes:
        ticker: The market; None where the source does not say.
        yes: Bids for YES in YES prices, ascending: the best is last.
        no: Bids for NO in NO prices, ascending: the best is last.
    """

    ticker: str | None = None
    yes: tuple[Level, ...] = ()
    no: tuple[Level, ...] = ()

    @property
    def best_yes_bid(self) -> Decimal | None:
        """The highest price somebody pays for YES, in dollars; None where nobody does."""
        return self.yes[-1].price if self.yes else None

    @property
    def best_no_bid(self) -> Decimal | None:
        """The highest price somebody pays for NO, in dollars; None where nobody does."""
        return self.no[-1].price if self.no else None

    @property
    def best_yes_ask(self) -> Decimal | None:
        """The lowest price at which YES can be bought: 1 minus the best NO bid."""
        return EXACT.subtract(_ONE, self.no[-1].price) if self.no else None

    @property
    def best_no_ask(self) -> Decimal | None:
        """The lowest price at which NO can be bought: 1 minus the best YES bid."""
        return EXACT.subtract(_ONE, self.yes[-1].price) if self.yes else None

    @property
    def spread(self) -> Decimal | None:
        """Ask minus bid in dollars (the same for YES and NO); None where one is missing."""
        bid, ask = self.best_yes_bid, self.best_yes_ask
        return None if bid is None or ask is None else EXACT.subtract(ask, bid)

    @property
    def mid(self) -> Decimal | None:
        """The middle between YES bid and YES ask in dollars; None where one is missing."""
        bid, ask = self.best_yes_bid, self.best_yes_ask
        return None if bid is None or ask is None else EXACT.divide(EXACT.add(bid, ask), _TWO)

    def depth(self, side: Side, levels: int | None = None) -> Decimal:
        """Contracts bid for ``side``, on its best ``levels`` prices or on all of them.

        Raises:
            InvalidRequestError: ``side`` is neither ``"yes"`` nor ``"no"``, or ``levels`` is
                negative.
        """
        bids = self._bids(side)
        if levels is not None:
            if levels < 0:
                raise InvalidRequestError(f"levels is {levels}; expected 0 or more, or None")
            bids = bids[max(len(bids) - levels, 0) :]
        return total(level.size for level in bids)

    def size_at(self, side: Side, price: Decimal | str) -> Decimal:
        """Contracts bid for ``side`` at exactly ``price`` dollars; 0 where there are none.

        Raises:
            InvalidRequestError: ``side`` is neither ``"yes"`` nor ``"no"``, or ``price`` is not
                an exact dollar amount (a ``Decimal`` or text such as ``"0.47"``).
        """
        wanted = _exact("price", price, 'dollars as a Decimal or text such as "0.47"')
        return total(level.size for level in self._bids(side) if level.price == wanted)

    def cost(self, side: Side, count: Decimal | int | str) -> Decimal:
        """Dollars to buy ``count`` contracts of ``side`` at once, without fees.

        The opposite bids are taken from the best on, each at 1 minus its price.

        Raises:
            InvalidRequestError: The book does not hold ``count`` contracts, ``count`` is not a
                positive exact number, or ``side`` is neither ``"yes"`` nor ``"no"``.
        """
        wanted = Decimal(count) if type(count) is int else _exact("count", count, "contracts")
        if wanted <= 0:
            raise InvalidRequestError(f"count is {shown(count)}; expected more than 0 contracts")
        if len(wanted.as_tuple().digits) > _DIGITS:
            raise InvalidRequestError(
                f"count is {shown(count)}; expected contracts of at most {_DIGITS} digits"
            )
        offers = self.no if self._bids(side) is self.yes else self.yes
        left, spent = wanted, _NOTHING
        for level in reversed(offers):
            taken = min(left, level.size)
            spent = EXACT.fma(taken, EXACT.subtract(_ONE, level.price), spent)
            left = EXACT.subtract(left, taken)
            if not left:
                return spent
        where = f" of {self.ticker}" if self.ticker else ""
        raise InvalidRequestError(
            f"count is {wanted}, but the book{where} offers only {EXACT.subtract(wanted, left)} "
            f"contracts of {side}; ask for less, or rest an order"
        )

    def _bids(self, side: Side) -> tuple[Level, ...]:
        if side == "yes":
            return self.yes
        if side == "no":
            return self.no
        raise InvalidRequestError(f'side is {side!r}; expected "yes" or "no"')


def _exact(name: str, value: object, expected: str) -> Decimal:
    """A finite number from a Decimal or text; anything else would not be exact."""
    if isinstance(value, Decimal | str):
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            return number
    raise InvalidRequestError(f"{name} is {value!r}; expected {expected}")


class _Sides(Model):
    """Both sides as sent today. No defaults: a side that cannot be read must not look empty."""

    yes_dollars: list[Level] | None
    no_dollars: list[Level] | None

    def __post_init__(self) -> None:
        _check_levels(self.yes_dollars, _ONE)
        _check_levels(self.no_dollars, _ONE)

    def yes(self) -> tuple[Level, ...]:
        return tuple(sorted(self.yes_dollars or ()))

    def no(self) -> tuple[Level, ...]:
        return tuple(sorted(self.no_dollars or ()))


class _CentSides(Model, rename={"yes_cents": "yes", "no_cents": "no"}):
    """Both sides of before the dollar form: whole cents, perhaps with dollar strings beside."""

    yes_cents: list[Level] | None
    no_cents: list[Level] | None
    yes_dollars: list[Level] | None = None
    no_dollars: list[Level] | None = None

    def __post_init__(self) -> None:
        _check_levels(self.yes_cents, _CENTS, whole=True)
        _check_levels(self.no_cents, _CENTS, whole=True)
        _check_levels(self.yes_dollars, _ONE)
        _check_levels(self.no_dollars, _ONE)

    def yes(self) -> tuple[Level, ...]:
        return _from_cents(self.yes_cents, self.yes_dollars)

    def no(self) -> tuple[Level, ...]:
        return _from_cents(self.no_cents, self.no_dollars)


class WireOrderBook(Model):
    """The answer of the order book operation, in either of its forms."""

    orderbook_fp: _Sides | None = None
    orderbook: _CentSides | None = None

    def __post_init__(self) -> None:
        if self.orderbook_fp is None and self.orderbook is None:
            raise ValueError("no order book that can be read under 'orderbook_fp' or 'orderbook'")

    def book(self, ticker: str) -> OrderBook:
        """The book of ``ticker``, sorted."""
        sides = self.orderbook_fp or self.orderbook
        if sides is None:
            return OrderBook(ticker=ticker)
        return OrderBook(ticker=ticker, yes=sides.yes(), no=sides.no())


class WireMarketBook(Model):
    """One book of the operation that returns several."""

    ticker: str
    orderbook_fp: _Sides

    def book(self) -> OrderBook:
        """The book, sorted."""
        return OrderBook(ticker=self.ticker, yes=self.orderbook_fp.yes(), no=self.orderbook_fp.no())


def _check_levels(levels: list[Level] | None, highest: Decimal, *, whole: bool = False) -> None:
    """Raise ValueError (a decoding error to msgspec) for what is no level of a book."""
    for price, size in levels or ():
        legal = price.is_finite() and 0 <= price <= highest and not (whole and price % 1)
        if not (legal and size.is_finite() and size >= 0):
            raise ValueError(f"[{price}, {size}] is no level of an order book")


def _from_cents(cents: list[Level] | None, dollars: list[Level] | None) -> tuple[Level, ...]:
    """The dollar strings where they were sent (they are finer), else the cents in dollars."""
    if dollars is None:
        dollars = [Level((price / _CENTS).quantize(_TICK), size) for price, size in cents or ()]
    return tuple(sorted(dollars))
