"""Pages of events, which may carry the milestones that belong to them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Self, TypeVar, cast

from .._decode import Page
from .._pagination import PageIterator, Paginator
from ..models.milestones import Milestone
from ._beside import listed_beside

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EventPage(Page[T]):
    """A page of events.

    Attributes:
        milestones: Milestones related to its events; empty unless ``with_milestones`` was asked.
    """

    milestones: tuple[Milestone, ...] = ()


class EventPaginator(Paginator[T]):
    """A ``Paginator`` whose pages are ``EventPage``."""

    def __await__(self) -> Generator[Any, None, EventPage[T]]:
        return cast("Generator[Any, None, EventPage[T]]", super().__await__())

    def pages(self) -> EventPageIterator[T]:
        """The pages, from the present ``cursor`` on."""
        return EventPageIterator(self)


class EventPageIterator(PageIterator[T]):
    """What ``EventPaginator.pages()`` returns."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> EventPage[T]:
        return cast("EventPage[T]", await super().__anext__())


def event_page(page: Page[T], body: bytes) -> EventPage[T]:
    """The page as an ``EventPage``, without looking for milestones."""
    return EventPage(page.items, page.cursor, page.undecoded, page.drift)


def event_page_with_milestones(page: Page[T], body: bytes) -> EventPage[T]:
    """The page with the milestones of its body; what cannot be read there counts as drift."""
    milestones, drift = listed_beside(Milestone, "milestones", body)
    return EventPage(
        page.items, page.cursor, page.undecoded, (*page.drift, *drift), milestones=milestones
    )
