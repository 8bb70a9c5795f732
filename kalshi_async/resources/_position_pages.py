"""Pages of positions, which carry the sums by event beside them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Self, cast

from .._decode import Page
from .._pagination import PageIterator, Paginator
from ..models.portfolio import EventPosition, MarketPosition
from ._beside import listed_beside


@dataclass(frozen=True, slots=True)
class PositionPage(Page[MarketPosition]):
    """A page of positions.

    Attributes:
        event_positions: Positions by event, of the events that the page is about.
    """

    event_positions: tuple[EventPosition, ...] = ()


class PositionPaginator(Paginator[MarketPosition]):
    """A ``Paginator`` whose pages are ``PositionPage``."""

    def __await__(self) -> Generator[Any, None, PositionPage]:
        return cast("Generator[Any, None, PositionPage]", super().__await__())

    def pages(self) -> PositionPageIterator:
        """The pages, from the present ``cursor`` on."""
        return PositionPageIterator(self)


class PositionPageIterator(PageIterator[MarketPosition]):
    """What ``PositionPaginator.pages()`` returns."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> PositionPage:
        return cast("PositionPage", await super().__anext__())


def position_page(page: Page[MarketPosition], body: bytes) -> PositionPage:
    """The page with the event positions of its body; what cannot be read there counts as drift."""
    events, drift = listed_beside(EventPosition, "event_positions", body)
    return PositionPage(
        page.items, page.cursor, page.undecoded, (*page.drift, *drift), event_positions=events
    )
