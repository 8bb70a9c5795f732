"""``client.collections``: what combos can be made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack, get_args

from .._operations import CREATE_COLLECTION_MARKET, GET_COLLECTION, GET_COLLECTIONS
from .._pagination import Paginator
from ..models.collections import Collection, CollectionStatusFilter, ComboMarket, TickerPair
from ._base import CallOptions, Resource
from ._bodies import flag, given, legs
from ._checks import bounded, identifier, optional, status_word


class Collections(Resource):
    """Multivariate event collections. Public, but for ``create_market``."""

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

    async def create_market(
        self,
        collection_ticker: str,
        *,
        selected_markets: Sequence[TickerPair],
        with_market_payload: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> ComboMarket:
        """The market of a combo, made where nobody made it before. Needs a key.

        Safe to repeat: the same legs are the same market. Cancelled after sending, it may have been
        made all the same.

        Args:
            collection_ticker: The collection that allows the legs.
            selected_markets: The legs, one market an event.
            with_market_payload: Fill ``ComboMarket.market``.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: No legs, or one that is none; nothing is sent.
            BadRequestError: The collection does not allow these legs, or one no longer trades.
            NotFoundError: There is no such collection.
        """
        body = given(
            {
                "selected_markets": legs("selected_markets", selected_markets),
                "with_market_payload": flag("with_market_payload", with_market_payload),
            }
        )
        return await self._object(
            CREATE_COLLECTION_MARKET,
            ComboMarket,
            options,
            path={"collection_ticker": identifier("collection_ticker", collection_ticker)},
            body=body,
        )
