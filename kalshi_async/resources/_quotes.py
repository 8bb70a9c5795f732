"""``client.communications.quotes``: answering requests for quotes."""

from __future__ import annotations

from typing import Unpack, get_args

from .._amounts import Price
from .._operations import (
    ACCEPT_QUOTE,
    ACCEPT_RFQ_QUOTE,
    CONFIRM_QUOTE,
    CONFIRM_RFQ_QUOTE,
    CREATE_QUOTE,
    DELETE_QUOTE,
    DELETE_RFQ_QUOTE,
    GET_QUOTE,
    GET_QUOTES,
    GET_RFQ_QUOTE,
)
from .._pagination import Paginator
from ..models.communications import CreatedQuote, Quote, UserFilter
from ..models.orderbook import Side
from ._base import CallOptions, Resource, deprecated
from ._bodies import flag, given, needed_flag
from ._checks import Timestamp, between, bounded, identifier, optional, word
from ._rfq_requests import bids, side


class Quotes(Resource):
    """Quotes on RFQs: made by one account, accepted by the requester, confirmed by the maker.

    Cancelling a read is safe; of a write, an error or a cancellation after sending leaves open
    whether it was carried out (``may_have_reached_server`` tells): look at the quote's ``status``.
    """

    def list(
        self,
        *,
        min_ts: Timestamp | None = None,
        max_ts: Timestamp | None = None,
        limit: int | None = None,
        status: str | None = None,
        quote_creator_user_id: str | None = None,
        user_filter: UserFilter | None = None,
        rfq_user_filter: UserFilter | None = None,
        rfq_creator_user_id: str | None = None,
        rfq_creator_subtrader_id: str | None = None,
        rfq_id: str | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Quote]:
        """Quotes that you made or that were made on your RFQs, page by page, newest first.

        Args:
            min_ts: Only those made at or after this time: Unix seconds or an aware datetime.
            max_ts: Only those made at or before this time.
            limit: Quotes a page, 1 to 500; the exchange's default is 500.
            status: ``"open"``, ``"accepted"``, ``"confirmed"``, ``"executed"`` or
                ``"cancelled"``.
            quote_creator_user_id: Only of this maker; the exchange has deprecated it for
                ``user_filter``.
            user_filter: ``"self"``: only those that you made.
            rfq_user_filter: ``"self"``: only those on your RFQs.
            rfq_creator_user_id: Only on RFQs of this account; the exchange has deprecated it for
                ``rfq_user_filter``.
            rfq_creator_subtrader_id: Only on RFQs of this subtrader (clearing members).
            rfq_id: Only on this RFQ.
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is out of range, unknown, empty or naive; nothing is
                sent.
        """
        subtrader_id = optional("rfq_creator_subtrader_id", rfq_creator_subtrader_id)
        own = get_args(UserFilter)
        query = {
            **between("min_ts", min_ts, "max_ts", max_ts),
            "limit": bounded("limit", limit, 1, 500),
            "status": optional("status", status),
            "quote_creator_user_id": optional("quote_creator_user_id", quote_creator_user_id),
            "user_filter": word("user_filter", user_filter, own),
            "rfq_user_filter": word("rfq_user_filter", rfq_user_filter, own),
            "rfq_creator_user_id": optional("rfq_creator_user_id", rfq_creator_user_id),
            "rfq_creator_subtrader_id": subtrader_id,
            "rfq_id": optional("rfq_id", rfq_id),
        }
        return self._list(
            GET_QUOTES,
            Quote,
            options,
            key="quotes",
            query=query,
            cursor=cursor,
            max_pages=max_pages,
        )

    async def get(self, rfq_id: str, quote_id: str, **options: Unpack[CallOptions]) -> Quote:
        """One quote on an RFQ; only its maker and the requester can look at it.

        Raises:
            NotFoundError: There is no such quote for you.
        """
        return await self._object(
            GET_RFQ_QUOTE, Quote, options, key="quote", path=_path(rfq_id, quote_id)
        )

    async def create(
        self,
        *,
        rfq_id: str,
        yes_bid: Price,
        no_bid: Price,
        rest_remainder: bool,
        post_only: bool | None = None,
        subaccount: int | None = None,
        **options: Unpack[CallOptions],
    ) -> CreatedQuote:
        """Answer an RFQ. Your earlier open quote on it is cancelled, so sending it twice leaves
        one; the ids differ.

        Args:
            rfq_id: The RFQ, of another account.
            yes_bid: Dollars you bid for a YES contract; ``"0"`` declines that side.
            no_bid: Dollars you bid for a NO contract; ``"0"`` declines that side.
            rest_remainder: Whether what is left unfilled rests on the book.
            post_only: Whether your side of the trade must not take from the book.
            subaccount: Trade with this subaccount; 0 when left out.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: No price in dollars, both 0, a float, an empty id; nothing is sent.
            NotFoundError: There is no such RFQ.
            BadRequestError: It is closed or your own, or a price is not on the market's grid.
        """
        body = {
            "rfq_id": identifier("rfq_id", rfq_id),
            **bids(yes_bid, no_bid),
            "rest_remainder": needed_flag("rest_remainder", rest_remainder),
            **given(
                {
                    "post_only": flag("post_only", post_only),
                    "subaccount": bounded("subaccount", subaccount, 0, None),
                }
            ),
        }
        return await self._object(CREATE_QUOTE, CreatedQuote, options, body=body)

    async def delete(self, rfq_id: str, quote_id: str, **options: Unpack[CallOptions]) -> None:
        """Withdraw a quote of your own that is not confirmed yet.

        Sending it twice does no harm: the second is refused.

        Raises:
            NotFoundError: There is no such quote for you.
            BadRequestError: It is confirmed, executed or cancelled already, or it is not yours.
        """
        await self._done(DELETE_RFQ_QUOTE, options, path=_path(rfq_id, quote_id))

    async def accept(
        self, rfq_id: str, quote_id: str, *, accepted_side: Side, **options: Unpack[CallOptions]
    ) -> None:
        """Accept one of the two bids of a quote on your RFQ.

        The maker then has to confirm within the exchange's window, else the quote lapses. Sending
        it twice trades once: the second is refused.

        Args:
            rfq_id: Your RFQ.
            quote_id: The quote.
            accepted_side: Which bid: with ``"yes"`` you sell YES at the quote's ``yes_bid``, with
                ``"no"`` you sell NO at its ``no_bid`` (which is to buy YES at $1 less).
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: Another side, an empty id; nothing is sent.
            NotFoundError: There is no such quote for you.
            BadRequestError: The quote is not open, or another one is accepted already.
        """
        body = {"accepted_side": side("accepted_side", accepted_side)}
        await self._done(ACCEPT_RFQ_QUOTE, options, path=_path(rfq_id, quote_id), body=body)

    async def confirm(self, rfq_id: str, quote_id: str, **options: Unpack[CallOptions]) -> None:
        """Confirm a quote of your own that was accepted: it trades when the exchange's execution
        timer is over. Sending it twice trades once: the second is refused.

        Raises:
            NotFoundError: There is no such quote for you.
            BadRequestError: It is not accepted, or one of the two cannot pay (it is cancelled
                then).
        """
        await self._done(CONFIRM_RFQ_QUOTE, options, path=_path(rfq_id, quote_id), body={})

    # By the quote's id alone: the forms that the exchange is about to retire.

    async def get_unscoped(self, quote_id: str, **options: Unpack[CallOptions]) -> Quote:
        """``get`` without the RFQ's id. Deprecated by the exchange: warns."""
        deprecated("communications.quotes.get_unscoped", "communications.quotes.get")
        return await self._object(GET_QUOTE, Quote, options, key="quote", path=_unscoped(quote_id))

    async def delete_unscoped(self, quote_id: str, **options: Unpack[CallOptions]) -> None:
        """``delete`` without the RFQ's id. Deprecated by the exchange: warns."""
        deprecated("communications.quotes.delete_unscoped", "communications.quotes.delete")
        await self._done(DELETE_QUOTE, options, path=_unscoped(quote_id))

    async def accept_unscoped(
        self, quote_id: str, *, accepted_side: Side, **options: Unpack[CallOptions]
    ) -> None:
        """``accept`` without the RFQ's id. Deprecated by the exchange: warns."""
        deprecated("communications.quotes.accept_unscoped", "communications.quotes.accept")
        body = {"accepted_side": side("accepted_side", accepted_side)}
        await self._done(ACCEPT_QUOTE, options, path=_unscoped(quote_id), body=body)

    async def confirm_unscoped(self, quote_id: str, **options: Unpack[CallOptions]) -> None:
        """``confirm`` without the RFQ's id. Deprecated by the exchange: warns."""
        deprecated("communications.quotes.confirm_unscoped", "communications.quotes.confirm")
        await self._done(CONFIRM_QUOTE, options, path=_unscoped(quote_id), body={})


def _path(rfq_id: str, quote_id: str) -> dict[str, str]:
    return {
        "rfq_id": identifier("rfq_id", rfq_id),
        "quote_id": identifier("quote_id", quote_id),
    }


def _unscoped(quote_id: str) -> dict[str, str]:
    return {"quote_id": identifier("quote_id", quote_id)}
