"""The subscription to order books."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence

import anyio

from .._errors import InvalidRequestError
from ._audit import MOST_AT_ONCE, Audit, ReadBooks, audit
from ._channels import ORDERBOOK
from ._leg import BookLeg, Leg
from ._subscription import Carrier, Subscription
from .messages import OrderbookDelta, OrderbookSnapshot
from .orderbook import BookView

BookUpdate = OrderbookSnapshot | OrderbookDelta
"""A whole book, or a change of one level of it; ``delta`` is signed, in contracts."""


class OrderBooks(Subscription[BookUpdate]):
    """Order books of markets: ``async for`` gives what changes, ``book`` what stands.

    The books are kept up to date as frames arrive, whether or not anybody iterates. (Who only reads
    books subscribes with ``conflate=True``: then the changes do not pile up.)
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
        self._read = read
        self._settled: asyncio.Event | None = None

    def _make_leg(self, subjects: Sequence[str]) -> Leg:
        return BookLeg(self._kind, subjects, self._params, self)

    async def _settle(self) -> None:
        """Wait until all books stand, or for so long that some may have no snapshot at all."""
        with anyio.move_on_after(self._carrier.patience):
            while not self._closed and any(self._waiting()):
                self._settled = asyncio.Event()
                await self._settled.wait()

    def _waiting(self) -> list[str]:
        return [ticker for leg in self._book_legs for ticker in leg.waiting]

    @property
    def _book_legs(self) -> list[BookLeg]:
        return [leg for leg in self._legs if isinstance(leg, BookLeg)]

    def fresh(self) -> None:
        """All books of a leg stand."""
        if self._settled is not None:
            self._settled.set()

    def book(self, ticker: str, *, allow_stale: bool = False) -> BookView:
        """The live book of a market; the same object changes with it.

        Args:
            ticker: One of the subscription's markets.
            allow_stale: Whether the book is to answer also while it may be out of date. Left out,
                reading it then raises ``StaleBookError``.

        Raises:
            InvalidRequestError: The subscription is not to this market.
        """
        for leg in self._book_legs:
            if ticker in leg.books:
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
        for at in range(0, len(chosen), MOST_AT_ONCE):
            part = chosen[at : at + MOST_AT_ONCE]
            found += await audit(self._book_legs, part, self._read, patience)
        return tuple(found)
