"""A live order book: maintained from snapshots and changes, exact, silent while it may be wrong."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from decimal import Decimal, DecimalException, Inexact, InvalidOperation, localcontext
from typing import Final, NamedTuple

from .. import models
from .._errors import InvalidRequestError
from .._interning import shared_prices
from .._stream_errors import BookError, StaleBookError
from ..models.orderbook import Level, Side
from ._book_side import (
    DIGITS,
    ENDLESS,
    EXACT,
    HUNDREDTH,
    NOTHING,
    ONE,
    TWO,
    WIDE,
    BookSide,
    at_rest,
)

NO_SNAPSHOT: Final = "no snapshot yet"
"""Why a book is stale before its first snapshot."""

_add = EXACT.add
_multiply = EXACT.multiply
_plus = EXACT.plus
_exhaust = deque[object](maxlen=0).extend

Levels = Iterable[tuple[Decimal, Decimal]]
"""Price in dollars and contracts of each level, in any order; a size of 0 is no level."""


class LevelDifference(NamedTuple):
    """A price at which two books differ: contracts in ours and in theirs, 0 for no level."""

    side: Side
    price: Decimal
    ours: Decimal
    theirs: Decimal


class _State:
    """What a book and the views of it share."""

    __slots__ = ("clock", "no", "reason", "ticker", "version", "yes")

    def __init__(self, ticker: str) -> None:
        self.ticker = ticker
        self.yes = BookSide({}, [])
        self.no = BookSide({}, [])
        self.version = 0
        self.clock: int | None = None
        self.reason: str | None = NO_SNAPSHOT


class BookView:
    """A face for reading a live book; it shows the book as it is at each reading.

    Prices are dollars, sizes contracts. There are bids only: a bid for NO at ``q`` is an offer of
    YES at ``1 - q``. Unless the view allows it, reading prices or sizes of a stale book raises
    ``StaleBookError``; ``ticker``, ``version``, ``clock``, ``stale``, ``stale_reason`` and ``repr``
    always answer. Answers do not depend on the caller's decimal context.
    """

    __slots__ = ("_allow_stale", "_state")

    def __init__(self, state: _State, *, allow_stale: bool) -> None:
        self._state = state
        self._allow_stale = allow_stale

    @property
    def ticker(self) -> str:
        """The market."""
        return self._state.ticker

    @property
    def version(self) -> int:
        """Grows with each snapshot and each change that was applied."""
        return self._state.version

    @property
    def clock(self) -> int | None:
        """The exchange's clock in the last snapshot; None where it gave none."""
        return self._state.clock

    @property
    def stale(self) -> bool:
        """Whether the book may be out of date."""
        return self._state.reason is not None

    @property
    def stale_reason(self) -> str | None:
        """Why the book may be out of date; None where it is not."""
        return self._state.reason

    @property
    def best_yes_bid(self) -> Decimal | None:
        """The highest price somebody pays for YES, in dollars; None where nobody does."""
        prices = self._read().yes.prices
        return prices[-1] if prices else None

    @property
    def best_no_bid(self) -> Decimal | None:
        """The highest price somebody pays for NO, in dollars; None where nobody does."""
        prices = self._read().no.prices
        return prices[-1] if prices else None

    @property
    def best_yes_ask(self) -> Decimal | None:
        """The lowest price at which YES can be bought: 1 minus the best NO bid."""
        prices = self._read().no.prices
        return EXACT.subtract(ONE, prices[-1]) if prices else None

    @property
    def best_no_ask(self) -> Decimal | None:
        """The lowest price at which NO can be bought: 1 minus the best YES bid."""
        prices = self._read().yes.prices
        return EXACT.subtract(ONE, prices[-1]) if prices else None

    @property
    def spread(self) -> Decimal | None:
        """Ask minus bid in dollars (the same for YES and NO); None where one is missing."""
        bid, ask = self.best_yes_bid, self.best_yes_ask
        return None if bid is None or ask is None else WIDE.subtract(ask, bid)

    @property
    def mid(self) -> Decimal | None:
        """The middle between YES bid and YES ask in dollars; None where one is missing."""
        bid, ask = self.best_yes_bid, self.best_yes_ask
        if bid is None or ask is None:
            return None
        return WIDE.divide(WIDE.add(bid, ask), TWO)

    @property
    def yes(self) -> tuple[Level, ...]:
        """Bids for YES in YES prices, ascending: the best is last."""
        return self._read().yes.levels()

    @property
    def no(self) -> tuple[Level, ...]:
        """Bids for NO in NO prices, ascending: the best is last."""
        return self._read().no.levels()

    def snapshot(self) -> models.OrderBook:
        """The book of now; the levels of a side are made once and kept until that side changes."""
        state = self._read()
        return models.OrderBook(ticker=state.ticker, yes=state.yes.levels(), no=state.no.levels())

    def depth(self, side: Side, levels: int | None = None) -> Decimal:
        """Contracts bid for ``side``, on its best ``levels`` prices or on all of them.

        Arguments and errors of this and the next two are those of ``models.OrderBook``.
        """
        frozen = self.snapshot()
        with localcontext(WIDE):
            return frozen.depth(side, levels)

    def size_at(self, side: Side, price: Decimal | str) -> Decimal:
        """Contracts bid for ``side`` at exactly ``price`` dollars; 0 where there are none."""
        state = self._read()
        if type(price) is Decimal and price.is_finite() and side in ("yes", "no"):
            return (state.yes if side == "yes" else state.no).size(price)
        with localcontext(WIDE):
            return self.snapshot().size_at(side, price)

    def cost(self, side: Side, count: Decimal | int | str) -> Decimal:
        """Dollars to buy ``count`` contracts of ``side`` at once, without fees."""
        frozen = self.snapshot()
        try:
            with localcontext(WIDE):
                return frozen.cost(side, count)
        except Inexact:
            raise InvalidRequestError(
                f"count is {_short(Decimal(count))}; expected contracts of at most {DIGITS} digits"
            ) from None

    def differences(self, other: models.OrderBook) -> tuple[LevelDifference, ...]:
        """Where this book and another of the same market differ: YES before NO, prices ascending.

        Raises:
            InvalidRequestError: ``other`` is the book of another market.
        """
        state = self._read()
        if other.ticker not in (None, state.ticker):
            raise InvalidRequestError(
                f"other is the book of {other.ticker}; expected one of {state.ticker}"
            )
        return level_differences(self.snapshot(), other)

    def _read(self) -> _State:
        state = self._state
        if state.reason is None or self._allow_stale:
            return state
        raise StaleBookError(state.ticker, state.reason)

    def __repr__(self) -> str:
        state = self._state
        yes, no = state.yes, state.no
        bid = ask = "none"
        if yes.prices:
            bid = f"{yes.prices[-1]} x {yes.size(yes.prices[-1])}"
        if no.prices:
            best = no.prices[-1]
            ask = f"{EXACT.subtract(ONE, best)} x {no.size(best)}"
        stale = "" if state.reason is None else f", stale: {state.reason}"
        return (
            f"<{type(self).__name__} {state.ticker}: bid {bid}, ask {ask}, "
            f"{len(yes.prices)} yes and {len(no.prices)} no levels{stale}>"
        )


class OrderBook(BookView):
    """The order book of one market, as its snapshots and changes come in.

    Stale until its first snapshot. Not for use by several threads at once.
    """

    __slots__ = ()

    def __init__(self, ticker: str) -> None:
        super().__init__(_State(ticker), allow_stale=False)

    def view(self, *, allow_stale: bool) -> BookView:
        """A face of this book for reading, which answers while it is stale if that is allowed."""
        return BookView(self._state, allow_stale=allow_stale)

    def sides(self) -> tuple[list[Level], list[Level]]:
        """The bids for YES and those for NO, made anew: unlike ``yes`` and ``no`` nothing is kept
        of them, which takes twice the memory of the book.
        """
        state = self._read()
        return list(state.yes.made_levels()), list(state.no.made_levels())

    def mark_stale(self, reason: str) -> None:
        """Refuse to be read until the next snapshot, for this reason."""
        self._state.reason = reason

    def apply_snapshot(self, yes: Levels, no: Levels, *, clock: int | None = None) -> None:
        """Replace both sides; the book is no longer stale.

        Args:
            yes: The bids for YES, in YES prices.
            no: The bids for NO, in NO prices.
            clock: The exchange's clock, where it gave one.

        Raises:
            BookError: A price outside [0, 1] or given twice, a negative size, or what is no exact
                number. The book is as before.
        """
        state = self._state
        state.yes, state.no = self._half("yes", yes), self._half("no", no)
        state.clock = clock
        state.reason = None
        state.version += 1

    def apply_delta(self, side: str, price: Decimal, delta: Decimal) -> None:
        """Add ``delta`` contracts, negative to take away, to the bids at ``price`` dollars.

        A stale book is changed as well and stays stale; it is for the caller to know whether the
        change belongs to what the book holds.

        Raises:
            BookError: The size would become negative, the price is outside [0, 1], or one of them
                is no exact number. The book is as before.
        """
        state = self._state
        if side == "yes":
            half = state.yes
        elif side == "no":
            half = state.no
        else:
            raise BookError(state.ticker, f'side is {_short(side)}; expected "yes" or "no"')
        try:
            held = half.sizes.get(price)
            resting = type(held) is int
            if held is None:
                size = _first_size(price, delta)
            else:
                size = _add(_multiply(held, HUNDREDTH) if resting else held, delta)
            fits = size >= NOTHING and delta.is_finite()
        except (DecimalException, TypeError, AttributeError):
            fits = False
        if not fits:
            raise self._misfit(half, side, price, delta)
        if held is None:
            if size:
                half.insert(price, size)
        elif size:
            half.sizes[price] = size
            if resting:
                half.count_decimal()
        else:
            half.remove(price)
        half.frozen = None
        state.version += 1

    def _misfit(self, half: BookSide, side: str, price: Decimal, delta: Decimal) -> BookError:
        """Why a change does not fit."""
        if not _fit((price,), NOTHING, ONE):
            problem = f"{_short(price)} is no price; {_PRICE}"
        elif not _fit((delta,), -ENDLESS, ENDLESS):
            problem = f"{_short(delta)} is no change of a size; {_SIZE}"
        else:
            problem = (
                f"{half.size(price)} contracts are bid for {side} at {price}, which cannot change "
                f"by {delta}: a size is never negative, and has at most {DIGITS} digits"
            )
        return BookError(self._state.ticker, problem)

    def _half(self, side: str, levels: Levels) -> BookSide:
        """The checked bids of one side."""
        ticker = self._state.ticker
        try:
            pairs = [(price, size) for price, size in levels]
        except (TypeError, ValueError):
            raise BookError(ticker, f"the {side} levels are no pairs of price and size") from None
        for problem, numbers, highest in (
            (f"{side} price {{}}; {_PRICE}", [price for price, _ in pairs], ONE),
            (
                f"{side} level of {{}} contracts; {_SIZE}, 0 or more",
                [size for _, size in pairs],
                ENDLESS,
            ),
        ):
            if not _fit(numbers, NOTHING, highest):
                wrong = next(each for each in numbers if not _fit((each,), NOTHING, highest))
                raise BookError(ticker, problem.format(_short(wrong)))
        sizes = at_rest(pairs)
        if len(sizes) < len(pairs):
            raise BookError(ticker, f"two {side} levels have one price; expected one for each")
        if not all(sizes.values()):
            sizes = {price: size for price, size in sizes.items() if size}
        shared = shared_prices()
        sizes = {shared.get(price, price): size for price, size in sizes.items()}
        return BookSide(sizes, sorted(sizes))


_PRICE: Final = f"expected dollars from 0 to 1, as a Decimal of at most {DIGITS} digits"
_SIZE: Final = f"expected contracts, as a finite Decimal of at most {DIGITS} digits"


def _first_size(price: Decimal, delta: Decimal) -> Decimal:
    """The size of a level that there was not; a decimal exception where there can be none."""
    if not (price.is_finite() and NOTHING <= _plus(price) <= ONE):
        raise InvalidOperation
    return _plus(delta)


def _fit(numbers: Sequence[Decimal], lowest: Decimal, highest: Decimal) -> bool:
    """Whether all are exact numbers within bounds.

    In calls that run in C: a snapshot of many markets has a million of them.
    """
    try:
        if not all(map(Decimal.is_finite, numbers)):
            return False
        _exhaust(map(_plus, numbers))
        return not numbers or (lowest <= min(numbers) and max(numbers) <= highest)
    except (DecimalException, TypeError):
        return False


def level_differences(
    ours: models.OrderBook, theirs: models.OrderBook
) -> tuple[LevelDifference, ...]:
    """Where two books of one market differ: YES before NO, prices ascending."""
    found = []
    side: Side
    for side, own, other in (("yes", ours.yes, theirs.yes), ("no", ours.no, theirs.no)):
        here, there = dict(own), dict(other)
        for price in sorted(here.keys() | there.keys()):
            pair = here.get(price, NOTHING), there.get(price, NOTHING)
            if pair[0] != pair[1]:
                found.append(LevelDifference(side, price, *pair))
    return tuple(found)


def _short(value: object) -> str:
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
