"""The subscription to order books."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import anyio

from .._errors import InvalidRequestError, KalshiError
from ._audit import MOST_AT_ONCE, REMOVED, Audit, ReadBooks, audit
from ._channels import ORDERBOOK
from ._leg import BookLeg, Leg
from ._subscription import Carrier, Subscription
from .messages import OrderbookDelta, OrderbookSnapshot
from .orderbook import BookView

BookUpdate = OrderbookSnapshot | OrderbookDelta
"""A whole book, or a change of one level of it; ``delta`` is signed, in contracts."""


class OrderBooks(Subscription[BookUpdate]):
    """Order books of markets: ``async for`` gives what changes, ``book`` what stands.

    Entering it returns when all books stand, or when none came for ``patience`` seconds: ``stale``
    names those that are missing. Iterating begins with a snapshot of each, then come
    the changes, and a snapshot wherever a book had to begin anew. The books are kept up to date as
    frames arrive, whether or not anybody iterates. (Who only reads books subscribes with
    ``conflate=True``: then the changes do not pile up.)
    """

    def __init__(
        self,
        carrier: Carrier,
        read: ReadBooks,
        tickers: Sequence[str],
        *,
        max_queue: int,
        conflate: Callable[[BookUpdate], Hashable] | None,
    ) -> None:
        params: dict[str, object] = {"skip_ticker_ack": True}
        super().__init__(
            carrier, ORDERBOOK, tickers, params, max_queue=max_queue, conflate=conflate
        )
        self._read, self._conflates = read, conflate is not None
        self._settled = asyncio.Event()
        self._auditing = anyio.Lock()
        # Until all books stand nothing is to be told but how they stand then.
        self.put: Callable[[Any], None] = _nowhere
        self._untold: deque[str] = deque()
        self._taken = 0
        # What was in the inbox when the first snapshot of a market was told is part of it.
        self._told: dict[str, int] = {}
        self._told_until = 0

    def _make_leg(self, subjects: Sequence[str]) -> Leg:
        return BookLeg(self._kind, subjects, self._params, self)

    async def _settle(self) -> None:
        """Wait until all books stand, or until no more come: there may be none of a market."""
        await self._all_stand()
        put: Callable[[Any], None] = self._inbox.put
        self.put = put
        for leg in self._legs:
            leg.put = put
        self._untold.extend(self.subjects)

    async def _all_stand(self) -> None:
        left = len(self._waiting())
        while left and not self._closed:
            self._settled.clear()
            with anyio.move_on_after(self._carrier.patience):
                await self._settled.wait()
            before, left = left, len(self._waiting())
            if left >= before:
                return

    def _waiting(self) -> list[str]:
        return [ticker for leg in self._book_legs for ticker in leg.waiting]

    @property
    def _book_legs(self) -> list[BookLeg]:
        return [leg for leg in self._legs if isinstance(leg, BookLeg)]

    def fresh(self) -> None:
        """All books of a leg stand."""
        self._settled.set()

    def _end(self, error: KalshiError) -> None:
        super()._end(error)
        self._settled.set()

    async def add(self, *subjects: str) -> None:
        """See ``Subscription.add``; returns when the books stand, like entering."""
        await super().add(*subjects)
        await self._all_stand()

    async def __anext__(self) -> BookUpdate:
        if not self._opened:
            await self.open()
        if self._untold or self._told:
            return await self._early()
        return await self._inbox.take()

    async def _early(self) -> BookUpdate:
        """The first snapshots, made as they are taken: thousands of them need not wait anywhere."""
        while self._untold:
            ticker = self._untold.popleft()
            leg = self._leg_of(ticker)
            if leg is None or leg.books[ticker].stale:
                continue  # its next snapshot comes by itself
            book = leg.books[ticker]
            if not self._conflates:
                self._told[ticker] = self._told_until = self._taken + len(self._inbox)
            yes, no = book.sides()
            return OrderbookSnapshot(
                received_at=self._carrier.now(),
                seq=leg.next_seq - 1,
                market_ticker=ticker,
                yes=yes or None,
                no=no or None,
            )
        while True:
            update = await self._inbox.take()
            self._taken += 1
            known = self._told.get(update.market_ticker, 0)
            if self._taken >= self._told_until:
                self._told.clear()
            if self._taken > known:
                return update

    def _leg_of(self, ticker: str) -> BookLeg | None:
        return next((leg for leg in self._book_legs if ticker in leg.books), None)

    def book(self, ticker: str, *, allow_stale: bool = False) -> BookView:
        """The live book of a market; the same object changes with it.

        Args:
            ticker: One of the subscription's markets.
            allow_stale: Whether the book is to answer also while it may be out of date. Left out,
                reading it then raises ``StaleBookError``.

        Raises:
            InvalidRequestError: The subscription is not to this market.
        """
        leg = self._leg_of(ticker)
        if leg is not None:
            book = leg.books[ticker]
            return book.view(allow_stale=True) if allow_stale else book
        raise InvalidRequestError(
            f"this subscription has no book of {ticker!r}: it was not subscribed to, or it was "
            "removed"
        )

    @property
    def stale(self) -> tuple[str, ...]:
        """The markets whose books wait for a snapshot."""
        books = [book for leg in self._book_legs for book in leg.books.values()]
        return tuple(book.ticker for book in books if book.stale)

    async def audit(self, *tickers: str, patience: float = 5.0) -> tuple[Audit, ...]:
        """Compare books with what REST shows: whether each passes through that very state.

        A book that differs in two looks is marked stale, and a new snapshot is asked for.

        Args:
            tickers: Of this subscription; left out, all of them.
            patience: Seconds to wait for changes that REST shows and that have not arrived yet.

        Returns:
            For each market whether they agree, and where not.

        Raises:
            InvalidRequestError: The subscription is not to one of these markets.
            KalshiError: REST could not be read.

        Cancelling is safe.
        """
        chosen = tickers or self.subjects
        for ticker in chosen:
            self.book(ticker)
        found: list[Audit] = []
        async with self._auditing:
            for at in range(0, len(chosen), MOST_AT_ONCE):
                part = chosen[at : at + MOST_AT_ONCE]
                there = [ticker for ticker in part if self._leg_of(ticker) is not None]
                gone = [Audit(ticker, stale=REMOVED) for ticker in part if ticker not in there]
                found += gone
                if there:
                    found += await audit(self._book_legs, there, self._read, patience)
        return tuple(found)


def _nowhere(message: object) -> None:
    """Nobody is there to take it yet."""
