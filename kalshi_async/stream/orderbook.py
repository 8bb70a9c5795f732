"""A live order book: maintained from snapshots and changes, exact, silent while it may be wrong.

Sizes are kept in two forms. A ``Decimal`` takes some 120 bytes, an integer 32; but adding to an
integer would mean to convert each change, which costs half as much again. So a size at rest is an
integer of hundredths, becomes a ``Decimal`` when its level changes, and goes back when many have.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, localcontext
from functools import partial
from typing import Final, NamedTuple

from .. import models
from .._errors import InvalidRequestError
from .._interning import shared_prices
from .._stream_errors import BookError, StaleBookError
from ..models.orderbook import Level, Side

NO_SNAPSHOT: Final = "no snapshot yet"
"""Why a book is stale before its first snapshot."""

_DIGITS: Final = 28
# Not the caller's context: whoever lowers its precision would round our sizes. What 28 digits, 27
# of them after the point, cannot hold raises Inexact instead of being rounded.
_EXACT: Final = Context(prec=_DIGITS, Emin=0, Emax=_DIGITS - 1, traps=[Inexact, InvalidOperation])
# Holds any sum of sizes, and any size times a price, of which _EXACT holds the parts.
_WIDE: Final = Context(prec=4 * _DIGITS, traps=[Inexact, InvalidOperation])
_ONE: Final = Decimal(1)
_TWO: Final = Decimal(2)
_NOTHING: Final = Decimal(0)
_HUNDREDTH: Final = Decimal("0.01")
_ENDLESS: Final = Decimal("Infinity")
_MOST_DECIMALS: Final = 32
_MOST_INSERTED: Final = 64

_add = _EXACT.add
_multiply = _EXACT.multiply
_plus = _EXACT.plus
_make_level = partial(tuple.__new__, Level)  # Level._make, without a call of Python
_exhaust = deque[object](maxlen=0).extend
_scaleb = _EXACT.scaleb
_same_quantum = _HUNDREDTH.same_quantum

Levels = Iterable[tuple[Decimal, Decimal]]
"""Price in dollars and contracts of each level, in any order; a size of 0 is no level."""

_Size = Decimal | int  # contracts, or hundredths of contracts


class LevelDifference(NamedTuple):
    """A price at which two books differ: contracts in ours and in theirs, 0 for no level."""

    side: Side
    price: Decimal
    ours: Decimal
    theirs: Decimal


class _Half:
    """The bids of one side: sizes by price, and the prices in order."""

    __slots__ = ("decimals", "frozen", "inserted", "prices", "sizes")

    def __init__(self, sizes: dict[Decimal, _Size], prices: list[Decimal]) -> None:
        self.sizes = sizes
        self.prices = prices
        self.decimals = self.inserted = 0
        self.frozen: tuple[Level, ...] | None = None

    def size(self, price: Decimal) -> Decimal:
        held = self.sizes.get(price, _NOTHING)
        return held if isinstance(held, Decimal) else _multiply(held, _HUNDREDTH)

    def levels(self) -> tuple[Level, ...]:
        if self.frozen is None:
            self.frozen = tuple(self.made_levels())
        return self.frozen

    def made_levels(self) -> Iterator[Level]:
        held = map(self.sizes.__getitem__, self.prices)
        sizes = [_multiply(size, _HUNDREDTH) if type(size) is int else size for size in held]
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
            self.sizes = _at_rest(self.sizes.items())
            self.decimals = self.inserted = 0


class _State:
    """What a book and the views of it share."""

    __slots__ = ("clock", "no", "reason", "ticker", "version", "yes")

    def __init__(self, ticker: str) -> None:
        self.ticker = ticker
        self.yes = _Half({}, [])
        self.no = _Half({}, [])
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
        return _EXACT.subtract(_ONE, prices[-1]) if prices else None

    @property
    def best_no_ask(self) -> Decimal | None:
        """The lowest price at which NO can be bought: 1 minus the best YES bid."""
        prices = self._read().yes.prices
        return _EXACT.subtract(_ONE, prices[-1]) if prices else None

    @property
    def spread(self) -> Decimal | None:
        """Ask minus bid in dollars (the same for YES and NO); None where one is missing."""
        bid, ask = self.best_yes_bid, self.best_yes_ask
        return None if bid is None or ask is None else _WIDE.subtract(ask, bid)

    @property
    def mid(self) -> Decimal | None:
        """The middle between YES bid and YES ask in dollars; None where one is missing."""
        bid, ask = self.best_yes_bid, self.best_yes_ask
        if bid is None or ask is None:
            return None
        return _WIDE.divide(_WIDE.add(bid, ask), _TWO)

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
        with localcontext(_WIDE):
            return frozen.depth(side, levels)

    def size_at(self, side: Side, price: Decimal | str) -> Decimal:
        """Contracts bid for ``side`` at exactly ``price`` dollars; 0 where there are none."""
        state = self._read()
        if type(price) is Decimal and price.is_finite() and side in ("yes", "no"):
            return (state.yes if side == "yes" else state.no).size(price)
        with localcontext(_WIDE):
            return self.snapshot().size_at(side, price)

    def cost(self, side: Side, count: Decimal | int | str) -> Decimal:
        """Dollars to buy ``count`` contracts of ``side`` at once, without fees."""
        frozen = self.snapshot()
        try:
            with localcontext(_WIDE):
                return frozen.cost(side, count)
        except Inexact:
            raise InvalidRequestError(
                f"count is {_short(Decimal(count))}; expected contracts of at most {_DIGITS} digits"
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
            ask = f"{_EXACT.subtract(_ONE, best)} x {no.size(best)}"
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
                size = _add(_multiply(held, _HUNDREDTH) if resting else held, delta)
            fits = size >= _NOTHING and delta.is_finite()
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

    def _misfit(self, half: _Half, side: str, price: Decimal, delta: Decimal) -> BookError:
        """Why a change does not fit."""
        if not _fit((price,), _NOTHING, _ONE):
            problem = f"{_short(price)} is no price; {_PRICE}"
        elif not _fit((delta,), -_ENDLESS, _ENDLESS):
            problem = f"{_short(delta)} is no change of a size; {_SIZE}"
        else:
            problem = (
                f"{half.size(price)} contracts are bid for {side} at {price}, which cannot change "
                f"by {delta}: a size is never negative, and has at most {_DIGITS} digits"
            )
        return BookError(self._state.ticker, problem)

    def _half(self, side: str, levels: Levels) -> _Half:
        """The checked bids of one side."""
        ticker = self._state.ticker
        try:
            pairs = [(price, size) for price, size in levels]
        except (TypeError, ValueError):
            raise BookError(ticker, f"the {side} levels are no pairs of price and size") from None
        for problem, numbers, highest in (
            (f"{side} price {{}}; {_PRICE}", [price for price, _ in pairs], _ONE),
            (
                f"{side} level of {{}} contracts; {_SIZE}, 0 or more",
                [size for _, size in pairs],
                _ENDLESS,
            ),
        ):
            if not _fit(numbers, _NOTHING, highest):
                wrong = next(each for each in numbers if not _fit((each,), _NOTHING, highest))
                raise BookError(ticker, problem.format(_short(wrong)))
        sizes = _at_rest(pairs)
        if len(sizes) < len(pairs):
            raise BookError(ticker, f"two {side} levels have one price; expected one for each")
        if not all(sizes.values()):
            sizes = {price: size for price, size in sizes.items() if size}
        shared = shared_prices()
        sizes = {shared.get(price, price): size for price, size in sizes.items()}
        return _Half(sizes, sorted(sizes))


_PRICE: Final = f"expected dollars from 0 to 1, as a Decimal of at most {_DIGITS} digits"
_SIZE: Final = f"expected contracts, as a finite Decimal of at most {_DIGITS} digits"


def _first_size(price: Decimal, delta: Decimal) -> Decimal:
    """The size of a level that there was not; a decimal exception where there can be none."""
    if not (price.is_finite() and _NOTHING <= _plus(price) <= _ONE):
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


def _at_rest(levels: Iterable[tuple[Decimal, _Size]]) -> dict[Decimal, _Size]:
    """Levels whose sizes are hundredths wherever that is exact."""
    return {price: size if isinstance(size, int) else _hundredths(size) for price, size in levels}


def _hundredths(size: Decimal) -> _Size:
    try:
        whole = size if _same_quantum(size) else _EXACT.quantize(size, _HUNDREDTH)
        return int(_scaleb(whole, _TWO))
    except DecimalException:  # finer than hundredths, or too large for them
        return size


def level_differences(
    ours: models.OrderBook, theirs: models.OrderBook
) -> tuple[LevelDifference, ...]:
    """Where two books of one market differ: YES before NO, prices ascending."""
    found = []
    side: Side
    for side, own, other in (("yes", ours.yes, theirs.yes), ("no", ours.no, theirs.no)):
        here, there = dict(own), dict(other)
        for price in sorted(here.keys() | there.keys()):
            pair = here.get(price, _NOTHING), there.get(price, _NOTHING)
            if pair[0] != pair[1]:
                found.append(LevelDifference(side, price, *pair))
    return tuple(found)


def _short(value: object) -> str:
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
