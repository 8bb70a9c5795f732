"""``rekko.events``."""

from __future__ import annotations

from typing import Unpack

from ..resources._base import CallOptions
from ..resources._checks import identifier, optional
from . import _checks as check
from . import _operations as ops
from ._base import Calls
from .models import Event, Listing, Market


class Events(Calls):
    """Questions with their markets, across platforms. Cancelling any call is safe."""

    async def list(
        self,
        *,
        source: str | None = None,
        category: str | None = None,
        featured: bool | None = None,
        limit: int | None = None,
        expand: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Listing[Event]:
        """Events that match.

        Args:
            source: Only of this platform.
            category: Only of this category.
            featured: Only those that Rekko features, or only the others.
            limit: How many at most, 1 to 100.
            expand: What to send along, such as ``"markets"``.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: A filter is empty or out of range; nothing is sent.
        """
        return await self._listing(
            ops.LIST_EVENTS,
            Event,
            "events",
            options,
            query={
                "source": optional("source", source),
                "category": optional("category", category),
                "featured": featured,
                "limit": check.limit(limit),
                "expand": optional("expand", expand),
            },
        )

    async def trending(
        self,
        *,
        source: str | None = None,
        category: str | None = None,
        limit: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Listing[Event]:
        """Events that gain attention now; filters as in ``list``."""
        query = {
            "source": optional("source", source),
            "category": optional("category", category),
            "limit": check.limit(limit),
        }
        return await self._listing(ops.TRENDING_EVENTS, Event, "events", options, query=query)

    async def search(
        self, text: str, *, limit: int | None = None, **options: Unpack[CallOptions]
    ) -> Listing[Event]:
        """Events about ``text``, at most ``limit`` (1 to 100)."""
        query = {"q": identifier("text", text), "limit": check.limit(limit)}
        return await self._listing(ops.SEARCH_EVENTS, Event, "events", options, query=query)

    async def get(
        self, slug: str, *, expand: str | None = None, **options: Unpack[CallOptions]
    ) -> Event:
        """One event.

        Raises:
            NotFoundError: There is no such event.
        """
        return await self._object(
            ops.GET_EVENT,
            Event,
            options,
            path={"slug": identifier("slug", slug)},
            query={"expand": optional("expand", expand)},
            facts={"slug": slug},
        )

    async def markets(
        self, slug: str, *, limit: int | None = None, **options: Unpack[CallOptions]
    ) -> Listing[Market]:
        """The markets of an event, at most ``limit`` (1 to 100).

        Raises:
            NotFoundError: There is no such event.
        """
        return await self._listing(
            ops.EVENT_MARKETS,
            Market,
            "markets",
            options,
            path={"slug": identifier("slug", slug)},
            query={"limit": check.limit(limit)},
        )
