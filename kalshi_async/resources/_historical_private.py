"""What ``client.historical`` has of the account: its fills, orders and positions of long ago."""

from __future__ import annotations

from typing import Unpack

from .._operations import (
    GET_HISTORICAL_FILLS,
    GET_HISTORICAL_ORDERS,
    GET_HISTORICAL_POSITIONS,
)
from .._pagination import Paginator
from ..models.orders import Order
from ..models.portfolio import Fill, MarketPosition
from ._base import CallOptions, Resource
from ._checks import Timestamp, between, bounded, optional
from ._position_pages import PositionPaginator, position_page


class HistoricalPrivate(Resource):
    """The account's own past, before the cutoff. Needs a key; cancelling any call is safe."""

    def fills(
        self,
        *,
        ticker: str | None = None,
        min_ts: Timestamp | None = None,
        max_ts: Timestamp | None = None,
        limit: int | None = None,
        subaccount: int | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Fill]:
        """The account's fills before the cutoff, newest first, page by page.

        Args:
            ticker: Only of this market.
            min_ts: Only from then on (Unix seconds or an aware datetime).
            max_ts: Only until then.
            limit: Fills a page, 1 to 1,000; the exchange's default is 100.
            subaccount: Of this subaccount; left out, of all.
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is out of range, empty or naive; nothing is sent.
        """
        query = {
            "ticker": optional("ticker", ticker),
            **between("min_ts", min_ts, "max_ts", max_ts),
            "limit": bounded("limit", limit, 1, 1000),
            "subaccount": bounded("subaccount", subaccount, 0, None),
        }
        return self._list(
            GET_HISTORICAL_FILLS,
            Fill,
            options,
            key="fills",
            query=query,
            cursor=cursor,
            max_pages=max_pages,
        )

    def orders(
        self,
        *,
        ticker: str | None = None,
        min_ts: Timestamp | None = None,
        max_ts: Timestamp | None = None,
        limit: int | None = None,
        subaccount: int | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Order]:
        """The account's orders that ended before the cutoff; arguments are those of ``fills``.

        Raises:
            InvalidRequestError: An argument is out of range, empty or naive; nothing is sent.
        """
        query = {
            "ticker": optional("ticker", ticker),
            **between("min_ts", min_ts, "max_ts", max_ts),
            "limit": bounded("limit", limit, 1, 1000),
            "subaccount": bounded("subaccount", subaccount, 0, None),
        }
        return self._list(
            GET_HISTORICAL_ORDERS,
            Order,
            options,
            key="orders",
            query=query,
            cursor=cursor,
            max_pages=max_pages,
        )

    def positions(
        self,
        *,
        ticker: str | None = None,
        event_ticker: str | None = None,
        limit: int | None = None,
        subaccount: int | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> PositionPaginator:
        """The account's positions that settled before the cutoff, page by page.

        Arguments and pages are those of ``portfolio.positions``.

        Raises:
            InvalidRequestError: An argument is out of range or empty; nothing is sent.
        """
        query = {
            "ticker": optional("ticker", ticker),
            "event_ticker": optional("event_ticker", event_ticker),
            "limit": bounded("limit", limit, 1, 1000),
            "subaccount": bounded("subaccount", subaccount, 0, None),
        }
        fetch = self._page_fetcher(
            GET_HISTORICAL_POSITIONS,
            MarketPosition,
            options,
            key="market_positions",
            query=query,
            finish=position_page,
        )
        return PositionPaginator(fetch, cursor=cursor, max_pages=max_pages)
