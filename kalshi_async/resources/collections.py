"""``client.collections``: what combos can be made of."""

from __future__ import annotations

from typing import Unpack, get_args

from .._operations import GET_COLLECTION, GET_COLLECTIONS
from .._pagination import Paginator
from ..models.collections import Collection, CollectionStatusFilter
from ._base import CallOptions, Resource
from ._checks import bounded, identifier, optional, status_word


class Collections(Resource):
    """Multivariate event collections. Public; cancelling any call is safe."""

    def list(
        self,
        *,
        status: CollectionStatusFilter | None = None,
        associated_event_ticker: str | None = None,
        series_ticker: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Collection]:
        """Collections, page by page.

        Args:
            status: Only ``"unopened"``, ``"open"`` or ``"closed"`` ones.
            associated_event_ticker: Only those that this event's markets can be legs of.
            series_ticker: Only those of this series.
            limit: Collections a page, 1 to 200.
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is out of range, unknown or empty; nothing is sent.
        """
        event_ticker = optional("associated_event_ticker", associated_event_ticker)
        query = {
            "status": status_word(status, get_args(CollectionStatusFilter)),
            "associated_event_ticker": event_ticker,
            "series_ticker": optional("series_ticker", series_ticker),
            "limit": bounded("limit", limit, 1, 200),
        }
        return self._list(
            GET_COLLECTIONS,
            Collection,
            options,
            key="multivariate_contracts",
            query=query,
            cursor=cursor,
            max_pages=max_pages,
        )

    async def get(self, collection_ticker: str, **options: Unpack[CallOptions]) -> Collection:
        """One collection.

        Raises:
            NotFoundError: There is no such collection.
        """
        return await self._object(
            GET_COLLECTION,
            Collection,
            options,
            key="multivariate_contract",
            path={"collection_ticker": identifier("collection_ticker", collection_ticker)},
        )
