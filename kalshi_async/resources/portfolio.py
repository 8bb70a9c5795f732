"""``client.portfolio``: what the account has and had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack, get_args

from .._operations import (
    GET_BALANCE,
    GET_FILLS,
    GET_POSITIONS,
    GET_RESTING_VALUE,
    GET_SETTLEMENTS,
)
from .._pagination import Paginator
from ..models.portfolio import (
    Balance,
    Fill,
    MarketPosition,
    PositionCountFilter,
    RestingOrderValue,
    Settlement,
    SettlementStatusFilter,
)
from ._base import CallOptions
from ._checks import Timestamp, between, bounded, optional, word
from ._position_pages import PositionPaginator, position_page
from ._private_filters import count_words
from ._shards import Shards


class Portfolio(Shards):
    """Balance, positions, fills, settlements and payments. Needs a key.

    Cancelling a read is safe. A write that was sent before it was cancelled may be carried out
    (``error.may_have_reached_server`` tells).
    """

    async def balance(
        self,
        *,
        subaccount: int | None = None,
        exchange_index: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Balance:
        """The free money and the worth of the positions.

        The exchange limits how often it tells: about once a second for the smaller usage levels.

        Args:
            subaccount: Of this subaccount; the exchange's default is the primary one, 0.
            exchange_index: Only what is on this shard.
            options: ``timeout=`` and ``deadline=`` in seconds.
        """
        return await self._object(
            GET_BALANCE,
            Balance,
            options,
            query={
                "subaccount": bounded("subaccount", subaccount, 0, None),
                "exchange_index": bounded("exchange_index", exchange_index, 0, None),
            },
        )

    def positions(
        self,
        *,
        limit: int | None = None,
        count_filter: PositionCountFilter | Sequence[PositionCountFilter] | None = None,
        settlement_status: SettlementStatusFilter | None = None,
        ticker: str | None = None,
        event_ticker: str | None = None,
        subaccount: int | None = None,
        exchange_index: int | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> PositionPaginator:
        """Positions by market, page by page; each page has ``event_positions`` as well.

        Args:
            limit: Positions a page, 1 to 1,000; the exchange's default is 100.
            count_filter: Only positions in which one of these figures is not zero.
            settlement_status: ``"unsettled"`` (the exchange's default), ``"settled"`` or ``"all"``.
            ticker: Only this market.
            event_ticker: Only markets of this event.
            subaccount: Of this subaccount; the exchange's default is the primary one, 0.
            exchange_index: Only those on this shard.
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is out of range, unknown or empty; nothing is sent.
        """
        status = word("settlement_status", settlement_status, get_args(SettlementStatusFilter))
        query = {
            "limit": bounded("limit", limit, 1, 1000),
            "count_filter": count_words(count_filter),
            "settlement_status": status,
            "ticker": optional("ticker", ticker),
            "event_ticker": optional("event_ticker", event_ticker),
            "subaccount": bounded("subaccount", subaccount, 0, None),
            "exchange_index": bounded("exchange_index", exchange_index, 0, None),
        }
        fetch = self._page_fetcher(
            GET_POSITIONS,
            MarketPosition,
            options,
            key="market_positions",
            query=query,
            finish=position_page,
        )
        return PositionPaginator(fetch, cursor=cursor, max_pages=max_pages)

    def fills(
        self,
        *,
        ticker: str | None = None,
        order_id: str | None = None,
        min_ts: Timestamp | None = None,
        max_ts: Timestamp | None = None,
        limit: int | None = None,
        subaccount: int | None = None,
        exchange_index: int | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Fill]:
        """Fills since the historical cutoff, newest first, page by page.

        Args:
            ticker: Only of this market.
            order_id: Only of this order.
            min_ts: Only from then on (Unix seconds or an aware datetime).
            max_ts: Only until then.
            limit: Fills a page, 1 to 1,000; the exchange's default is 100.
            subaccount: Of this subaccount; left out, of all.
            exchange_index: Only those on this shard.
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is out of range, empty or naive; nothing is sent.
        """
        query = {
            "ticker": optional("ticker", ticker),
            "order_id": optional("order_id", order_id),
            **between("min_ts", min_ts, "max_ts", max_ts),
            "limit": bounded("limit", limit, 1, 1000),
            "subaccount": bounded("subaccount", subaccount, 0, None),
            "exchange_index": bounded("exchange_index", exchange_index, 0, None),
        }
        return self._list(
            GET_FILLS,
            Fill,
            options,
            key="fills",
            query=query,
            cursor=cursor,
            max_pages=max_pages,
        )

    def settlements(
        self,
        *,
        ticker: str | None = None,
        event_ticker: str | None = None,
        min_ts: Timestamp | None = None,
        max_ts: Timestamp | None = None,
        limit: int | None = None,
        subaccount: int | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Settlement]:
        """What markets paid when they settled, newest first, page by page.

        Arguments are those of ``fills``; ``event_ticker`` lets through only markets of this event.

        Raises:
            InvalidRequestError: An argument is out of range, empty or naive; nothing is sent.
        """
        query = {
            "ticker": optional("ticker", ticker),
            "event_ticker": optional("event_ticker", event_ticker),
            **between("min_ts", min_ts, "max_ts", max_ts),
            "limit": bounded("limit", limit, 1, 1000),
            "subaccount": bounded("subaccount", subaccount, 0, None),
        }
        return self._list(
            GET_SETTLEMENTS,
            Settlement,
            options,
            key="settlements",
            query=query,
            cursor=cursor,
            max_pages=max_pages,
        )

    async def resting_order_value(self, **options: Unpack[CallOptions]) -> RestingOrderValue:
        """What the resting orders would cost if all were filled."""
        return await self._object(GET_RESTING_VALUE, RestingOrderValue, options)
