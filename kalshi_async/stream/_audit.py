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
from .orderbook import LevelDifference, OrderBook

ReadBooks = Callable[[Sequence[str]], Awaitable[Iterable[Snapshot]]]

MOST_AT_ONCE = 100
# A read may show a book of a moment ago: a second one must be wrong as well.
LOOKS = 2


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

    __slots__ = ("_changed", "_passed")

    def __init__(self, book: OrderBook, changed: Callable[[], None]) -> None:
        self._state, self._allow_stale = book._state, False
        self._changed = changed
        self._passed: list[Snapshot] = []
        self._note()

    def apply_snapshot(
        self,
        yes: Iterable[tuple[Decimal, Decimal]],
        no: Iterable[tuple[Decimal, Decimal]],
        *,
        clock: int | None = None,
    ) -> None:
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
        """Whether it has been like this other book since it is watched."""
        return any(own.yes == other.yes and own.no == other.no for own in self._passed)


async def audit(
    legs: Sequence[BookLeg], tickers: Sequence[str], read: ReadBooks, patience: float
) -> list[Audit]:
    """Compare; a book that differs is marked stale, and its snapshot asked for.

    A live book agrees when it passes through the state that REST shows, from just before the read
    to ``patience`` seconds after it. Cancelling is safe.
    """
    changed = asyncio.Event()
    with _watched(legs, tickers, changed.set) as books:
        left = dict.fromkeys(tickers)
        seen: dict[str, Snapshot] = {}
        for _ in range(LOOKS):
            seen = {book.ticker or "": book for book in await read(list(left))}
            with anyio.move_on_after(patience):
                while True:
                    changed.clear()
                    for ticker in [name for name in left if _agrees(books, seen, name)]:
                        del left[ticker]
                    if not left:
                        break
                    await changed.wait()
            if not left:
                break
    found = [Audit(ticker) for ticker in tickers if ticker not in left]
    for ticker in left:
        book = books[ticker]
        if book.stale:
            found.append(Audit(ticker, stale=book.stale_reason))
            continue
        found.append(Audit(ticker, book.differences(seen.get(ticker) or Snapshot(ticker=ticker))))
        for leg in legs:
            if ticker in leg.books:
                leg.doubt_about((ticker,), "it differs from the book that REST shows")
    return found


def _agrees(books: dict[str, _Watched], seen: dict[str, Snapshot], ticker: str) -> bool:
    return ticker in seen and books[ticker].was(seen[ticker])


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
