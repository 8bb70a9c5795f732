"""Comparing live books with what REST says of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

import anyio

from ..models.orderbook import OrderBook as Snapshot
from ._leg import BookLeg
from .orderbook import LevelDifference, Levels, OrderBook, level_differences

ReadBooks = Callable[[Sequence[str]], Awaitable[Iterable[Snapshot]]]

MOST_AT_ONCE = 100
# A read may show a book of a moment ago: a second one must be wrong as well.
LOOKS = 2
# With those that prove nothing, because the book was stale meanwhile.
MOST_LOOKS = 6
REMOVED = "it was removed"
BEGAN_ANEW = "it began anew whenever it was compared"


@dataclass(frozen=True, slots=True)
class Audit:
    """How a live book compares with that of REST.

    Attributes:
        ticker: The market.
        differences: Where they differ; none where both agree, or where ``stale``.
        stale: Why the live book could not be compared: it was out of date all the time.
    """

    ticker: str
    differences: tuple[LevelDifference, ...] = ()
    stale: str | None = None

    @property
    def equal(self) -> bool:
        """Whether they agree."""
        return not self.differences and self.stale is None


class _Watched(OrderBook):
    """The same book, which also remembers each state that it passes through."""

    __slots__ = ("_changed", "_passed", "interrupted")

    def __init__(self, book: OrderBook, changed: Callable[[], None]) -> None:
        self._state, self._allow_stale = book._state, False
        self._changed = changed
        self.begin()

    def begin(self) -> None:
        """Remember from now on."""
        self._passed: list[Snapshot] = []
        self.interrupted = self.stale
        self._note()

    def mark_stale(self, reason: str) -> None:
        super().mark_stale(reason)
        self.interrupted = True

    def apply_snapshot(self, yes: Levels, no: Levels, *, clock: int | None = None) -> None:
        super().apply_snapshot(yes, no, clock=clock)
        self._note()

    def apply_delta(self, side: str, price: Decimal, delta: Decimal) -> None:
        super().apply_delta(side, price, delta)
        self._note()

    def _note(self) -> None:
        if not self.stale:
            self._passed.append(self.snapshot())
        self._changed()

    def was(self, other: Snapshot) -> bool:
        """Whether it has been like this other book."""
        return any(own.yes == other.yes and own.no == other.no for own in self._passed)

    def nearest(self, other: Snapshot) -> tuple[LevelDifference, ...]:
        """How the most similar state that it was in differs from another book."""
        return min((level_differences(own, other) for own in self._passed), key=len, default=())


async def audit(
    legs: Sequence[BookLeg], tickers: Sequence[str], read: ReadBooks, patience: float
) -> list[Audit]:
    """Compare; a book that differs is marked stale, and its snapshot asked for.

    A live book agrees when it passes through the state that REST shows, from just before the read
    to ``patience`` seconds after it. One that was stale meanwhile proves nothing, and is looked at
    again. Cancelling is safe.
    """
    changed = asyncio.Event()
    with _watched(legs, tickers, changed.set) as books:
        left = dict.fromkeys(tickers, 0)
        differing: dict[str, tuple[LevelDifference, ...]] = {}
        for _ in range(MOST_LOOKS):
            for ticker in left:
                books[ticker].begin()
            seen = {book.ticker or "": book for book in await read(list(left))}
            with anyio.move_on_after(patience):
                while True:
                    changed.clear()
                    for ticker in [name for name in left if _agrees(books, seen, name)]:
                        del left[ticker]
                    if all(books[name].interrupted and not books[name].stale for name in left):
                        break
                    await changed.wait()
            for ticker in [name for name in left if not books[name].interrupted]:
                left[ticker] += 1
                if left[ticker] == LOOKS:
                    del left[ticker]
                    theirs = seen.get(ticker) or Snapshot(ticker=ticker)
                    differing[ticker] = books[ticker].nearest(theirs)
            if not left:
                break
        unproven = {ticker: books[ticker].stale_reason or BEGAN_ANEW for ticker in left}
    for leg in legs:
        if wrong := tuple(name for name in differing if name in leg.books):
            leg.doubt_about(wrong, "it differs from the book that REST shows")
    return [Audit(ticker, differing.get(ticker, ()), unproven.get(ticker)) for ticker in tickers]


def _agrees(books: dict[str, _Watched], seen: dict[str, Snapshot], ticker: str) -> bool:
    return books[ticker].was(seen.get(ticker) or Snapshot(ticker=ticker))


@contextmanager
def _watched(
    legs: Sequence[BookLeg], tickers: Sequence[str], changed: Callable[[], None]
) -> Iterator[dict[str, _Watched]]:
    plain: dict[str, OrderBook] = {}
    watched: dict[str, _Watched] = {}
    for leg in legs:
        for ticker in tickers:
            if ticker in leg.books:
                plain[ticker] = leg.books[ticker]
                leg.books[ticker] = watched[ticker] = _Watched(plain[ticker], changed)
    try:
        yield watched
    finally:
        for leg in legs:
            for ticker, book in watched.items():
                if leg.books.get(ticker) is book:
                    leg.books[ticker] = plain[ticker]
