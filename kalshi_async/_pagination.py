"""Lists that come in pages: await one, or iterate over them all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Any, Generic, TypeVar

from anyio.lowlevel import checkpoint

from ._decode import SLICE_BYTES, Page, PageDecoder
from ._errors import InvalidRequestError, KalshiError, PaginationError

T = TypeVar("T")

FetchPage = Callable[[str | None], Awaitable[Page[T]]]


class Paginator(Generic[T]):
    """A list of the exchange, page by page.

    * ``await paginator`` fetches one page (the first, or the one at ``cursor``) as a ``Page``;
    * ``async for item in paginator`` runs over the items of all pages;
    * ``async for page in paginator.pages()`` runs over the pages;
    * ``await paginator.collect(max_items=…)`` returns a list.

    One request at a time, nothing in the background: breaking out of a loop leaves nothing behind,
    and cancelling is safe at each await. The list ends where the exchange sends an empty cursor; an
    empty page with a cursor does not end it.

    When a page fails, the error carries ``cursor``, and so does the paginator: pass it as
    ``cursor=`` to the same method to go on from the page that failed.

    Attributes:
        cursor: Where the next page starts: None before the first and after the last page.
        pages_read: How many pages have been read.
        finished: Whether the last page has been read.
    """

    def __init__(
        self, fetch: FetchPage[T], *, cursor: str | None = None, max_pages: int | None = None
    ) -> None:
        if max_pages is not None and max_pages < 1:
            raise InvalidRequestError(f"max_pages is {max_pages}; expected 1 or more, or None")
        self._fetch = fetch
        self._max_pages = max_pages
        self._seen = {cursor} if cursor else set()
        self.cursor = cursor or None
        self._items: ItemIterator[T] | None = None
        self.pages_read = 0
        self.finished = False

    def __await__(self) -> Generator[Any, None, Page[T]]:
        return self._fetch_page().__await__()

    def __aiter__(self) -> ItemIterator[T]:
        """The items, from where iterating last stopped."""
        if self._items is None:
            self._items = ItemIterator(self.pages())
        return self._items

    def pages(self) -> PageIterator[T]:
        """The pages, from the present ``cursor`` on."""
        return PageIterator(self)

    async def collect(self, max_items: int | None = None) -> list[T]:
        """All items in a list, at most ``max_items``; called again, it goes on after them.

        Raises:
            KalshiError: A page failed; ``error.items`` holds what was read, ``error.cursor`` where
                to go on.
        """
        if max_items is not None and max_items < 0:
            raise InvalidRequestError(f"max_items is {max_items}; expected 0 or more, or None")
        items: list[T] = []
        if max_items == 0:
            return items
        try:
            async for item in self:
                items.append(item)
                if len(items) == max_items:
                    break
        except KalshiError as exc:
            exc.items = items
            raise
        return items

    async def _next_page(self) -> Page[T]:
        """The page at ``cursor``; moves on only when it has been read whole.

        Raises:
            StopAsyncIteration: There are no more pages, or ``max_pages`` were read.
            PaginationError: The exchange sent a cursor for the second time.
        """
        if self.finished or (self._max_pages is not None and self.pages_read >= self._max_pages):
            raise StopAsyncIteration
        page = await self._fetch_page()
        self.pages_read += 1
        self._advance(page)
        return page

    async def _fetch_page(self) -> Page[T]:
        try:
            return await self._fetch(self.cursor)
        except KalshiError as exc:
            exc.cursor = self.cursor
            raise

    def _advance(self, page: Page[T]) -> None:
        if page.cursor is None:
            self.cursor = None
            self.finished = True
            return
        if page.cursor in self._seen:
            error = PaginationError(
                f"the exchange sent cursor {page.cursor!r} a second time after "
                f"{self.pages_read} pages; the list cannot be followed to its end"
            )
            error.cursor = self.cursor
            error.items = page.items
            raise error
        self._seen.add(page.cursor)
        self.cursor = page.cursor

    def __repr__(self) -> str:
        state = "finished" if self.finished else f"next cursor {self.cursor!r}"
        return f"<Paginator {self.pages_read} pages read, {state}>"


class PageIterator(AsyncIterator[Page[T]]):
    """What ``Paginator.pages()`` returns."""

    def __init__(self, paginator: Paginator[T]) -> None:
        self._paginator = paginator

    async def __anext__(self) -> Page[T]:
        return await self._paginator._next_page()


class ItemIterator(AsyncIterator[T]):
    """What ``async for`` over a ``Paginator`` uses."""

    def __init__(self, pages: PageIterator[T]) -> None:
        self._pages = pages
        self._rest: Iterator[T] = iter(())

    async def __anext__(self) -> T:
        while True:
            for item in self._rest:  # the quickest way to take one
                return item
            self._rest = iter((await self._pages.__anext__()).items)


async def decode_paced(decoder: PageDecoder[T], body: bytes) -> Page[T]:
    """A page; a large one in slices, with a look at the event loop after each."""
    if len(body) <= SLICE_BYTES:
        return decoder.decode(body)
    slices = decoder.slices(body)
    await checkpoint()
    for _ in slices:
        await checkpoint()
    return slices.page
