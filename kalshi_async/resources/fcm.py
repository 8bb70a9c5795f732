"""``client.fcm``: for clearing members (FCMs) and their subtraders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack, get_args

from .._errors import InvalidRequestError
from .._operations import (
    GET_FCM_FILLS,
    GET_FCM_ORDERS,
    GET_FCM_POSITIONS,
    TRANSFER_FCM_POSITION,
)
from .._pagination import Paginator
from ..models._base import Model
from ..models.fcm import FcmFill
from ..models.orders import Order, OrderStatusFilter
from ..models.portfolio import MarketPosition, PositionCountFilter, SettlementStatusFilter
from ._base import CallOptions
from ._bodies import whole
from ._checks import Timestamp, between, bounded, comma, identifier, optional, word
from ._position_pages import PositionPaginator, position_page
from ._private_filters import count_words
from ._subtraders import Subtraders

_WHOLE_PRICE = 10_000


class _TransferAnswer(Model):
    position_transfer_id: str


class Fcm(Subtraders):
    """Orders, fills, positions and risk limits of a clearing member's subtraders.

    Every call is a ``PermissionDeniedError`` for an account that is no clearing member. Cancelling
    a read is safe. A write that was sent before it was cancelled may be carried out
    (``error.may_have_reached_server`` tells).
    """

    def orders(
        self,
        *,
        subtrader_id: str | None = None,
        ticker: str | None = None,
        event_ticker: str | None = None,
        client_order_ids: str | Sequence[str] | None = None,
        status: OrderStatusFilter | None = None,
        min_ts: Timestamp | None = None,
        max_ts: Timestamp | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Order]:
        """Orders, newest first, page by page.

        Args:
            subtrader_id: Only those of this subtrader.
            ticker: Only those in this market.
            event_ticker: Only those in markets of this event.
            client_order_ids: Only those that were placed with these ids.
            status: Only ``"resting"``, ``"canceled"`` or ``"executed"`` ones.
            min_ts: Only those made from then on (Unix seconds or an aware datetime).
            max_ts: Only those made until then.
            limit: Orders a page, 1 to 1,000.
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is out of range, unknown or empty; nothing is sent.
        """
        query = {
            "subtrader_id": optional("subtrader_id", subtrader_id),
            "ticker": optional("ticker", ticker),
            "event_ticker": optional("event_ticker", event_ticker),
            "client_order_ids": comma("client_order_ids", client_order_ids),
            "status": word("status", status, get_args(OrderStatusFilter)),
            **between("min_ts", min_ts, "max_ts", max_ts),
            "limit": bounded("limit", limit, 1, 1000),
        }
        return self._list(
            GET_FCM_ORDERS,
            Order,
            options,
            key="orders",
            query=query,
            cursor=cursor,
            max_pages=max_pages,
        )

    def fills(
        self,
        *,
        min_ts: Timestamp | None = None,
        max_ts: Timestamp | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[FcmFill]:
        """Matches of all subtraders, newest first, page by page.

        Args:
            min_ts: Only from then on (Unix seconds or an aware datetime).
            max_ts: Only until then.
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: A naive datetime, or a start after the end; nothing is sent.
        """
        return self._list(
            GET_FCM_FILLS,
            FcmFill,
            options,
            key="fills",
            query=between("min_ts", min_ts, "max_ts", max_ts),
            cursor=cursor,
            max_pages=max_pages,
        )

    def positions(
        self,
        *,
        subtrader_id: str | None = None,
        ticker: str | None = None,
        event_ticker: str | None = None,
        count_filter: PositionCountFilter | Sequence[PositionCountFilter] | None = None,
        settlement_status: SettlementStatusFilter | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> PositionPaginator:
        """Positions by market, of one subtrader or summed up over all, page by page.

        Arguments and pages are those of ``portfolio.positions``.

        Raises:
            InvalidRequestError: An argument is out of range, unknown or empty; nothing is sent.
        """
        status = word("settlement_status", settlement_status, get_args(SettlementStatusFilter))
        query = {
            "subtrader_id": optional("subtrader_id", subtrader_id),
            "ticker": optional("ticker", ticker),
            "event_ticker": optional("event_ticker", event_ticker),
            "count_filter": count_words(count_filter),
            "settlement_status": status,
            "limit": bounded("limit", limit, 1, 1000),
        }
        fetch = self._page_fetcher(
            GET_FCM_POSITIONS,
            MarketPosition,
            options,
            key="market_positions",
            query=query,
            finish=position_page,
        )
        return PositionPaginator(fetch, cursor=cursor, max_pages=max_pages)

    async def transfer_position(
        self,
        *,
        source_subtrader_id: str,
        target_subtrader_id: str,
        market_ticker: str,
        position_centicount: int,
        price_centicents: int,
        **options: Unpack[CallOptions],
    ) -> str:
        """Move a position of a subtrader to the member's error account, at a price.

        A repeat moves as much again, so that only what certainly did not arrive is sent again by
        itself. Cancelled after sending, it may have moved; ``positions()`` tells.

        Args:
            source_subtrader_id: Who gives it.
            target_subtrader_id: Who takes it: a subtrader of the member's error account, its id and
                a suffix.
            market_ticker: The market.
            position_centicount: In units of 0.01 contracts; above 0 moves YES, below 0 NO.
            price_centicents: The YES price in units of $0.0001, 0 to 10,000.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Returns:
            The id of the transfer.

        Raises:
            InvalidRequestError: An argument is empty or out of range, no count at all, or source
                and target are the same; nothing is sent.
        """
        body = {
            **_two_subtraders(source_subtrader_id, target_subtrader_id),
            "market_ticker": identifier("market_ticker", market_ticker),
            "position_centicount": _signed("position_centicount", position_centicount),
            "price_centicents": whole("price_centicents", price_centicents, 0, _WHOLE_PRICE),
        }
        answer = await self._object(TRANSFER_FCM_POSITION, _TransferAnswer, options, body=body)
        return answer.position_transfer_id


def _two_subtraders(source: str, target: str) -> dict[str, str]:
    if source == target:
        raise InvalidRequestError(
            f"source_subtrader_id and target_subtrader_id are both {source!r}; expected two "
            "subtraders"
        )
    return {
        "source_subtrader_id": identifier("source_subtrader_id", source),
        "target_subtrader_id": identifier("target_subtrader_id", target),
    }


def _signed(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not value:
        raise InvalidRequestError(
            f"{name} is {value!r}; expected an integer above 0 (YES) or below 0 (NO)"
        )
    return value
