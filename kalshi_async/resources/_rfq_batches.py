"""``client.communications.batches``: RFQs that are asked, quoted and accepted together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack, get_args

from .._amounts import Count, Money, Price
from .._decode import Page
from .._operations import (
    ACCEPT_RFQ_BATCH,
    CONFIRM_RFQ_BATCH_QUOTE,
    CREATE_RFQ_BATCH,
    CREATE_RFQ_BATCH_QUOTE,
    DELETE_RFQ_BATCH,
    DELETE_RFQ_BATCH_QUOTE,
    GET_RFQ_BATCH,
    GET_RFQ_BATCH_BEST_QUOTES,
    GET_RFQ_BATCH_QUOTES,
    GET_RFQ_BATCHES,
)
from .._pagination import Paginator
from ..models.communications import UserFilter
from ..models.orderbook import Side
from ..models.rfq_batches import (
    AcceptedRfqBatch,
    CreatedRfqBatchQuote,
    RfqBatch,
    RfqBatchBestQuotes,
    RfqBatchChild,
    RfqBatchQuote,
    RfqBatchQuoteEntry,
    RfqBatchStatus,
)
from ._base import CallOptions, Resource
from ._bodies import flag, given, needed_flag
from ._checks import bounded, identifier, optional, word
from ._rfq_requests import (
    accept_limits,
    account,
    children_of,
    entries,
    limited_text,
    side,
    size,
)

_LONGEST_CLIENT_BATCH_ID = 64


class RfqBatches(Resource):
    """Batches of RFQs. The requester accepts the best bids for one side of all RFQs at once; each
    maker whose bids are among them then confirms its part.

    Cancelling a read is safe; of a write, an error or a cancellation after sending leaves open
    whether it was carried out (``may_have_reached_server`` tells): look at the ``status``.
    """

    def list(
        self,
        *,
        subaccount: int | None = None,
        limit: int | None = None,
        status: RfqBatchStatus | None = None,
        user_filter: UserFilter | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[RfqBatch]:
        """Batches of all accounts, page by page, newest first.

        Args:
            subaccount: Only those of one of your subaccounts.
            limit: Batches a page, 1 to 20; the exchange's default is 20.
            status: ``"open"``, ``"accepted"`` or ``"closed"``.
            user_filter: ``"self"``: only your own.
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is out of range or unknown; nothing is sent.
        """
        query = {
            "subaccount": bounded("subaccount", subaccount, 0, None),
            "limit": bounded("limit", limit, 1, 20),
            "status": word("status", status, get_args(RfqBatchStatus)),
            "user_filter": word("user_filter", user_filter, get_args(UserFilter)),
        }
        return self._list(
            GET_RFQ_BATCHES,
            RfqBatch,
            options,
            key="rfq_batches",
            query=query,
            cursor=cursor,
            max_pages=max_pages,
        )

    async def get(self, rfq_batch_id: str, **options: Unpack[CallOptions]) -> RfqBatch:
        """One batch, of any account, with its RFQs.

        Raises:
            NotFoundError: There is no such batch.
        """
        return await self._object(
            GET_RFQ_BATCH, RfqBatch, options, key="rfq_batch", path=_path(rfq_batch_id)
        )

    async def create(
        self,
        *,
        children: Sequence[RfqBatchChild],
        mve_collection_ticker: str | None = None,
        contracts: Count | None = None,
        target_cost: Money | None = None,
        target_cost_excludes_fees: bool | None = None,
        rest_remainder: bool | None = None,
        replace_existing: bool | None = None,
        obscure_creator_id: bool | None = None,
        client_batch_id: str | None = None,
        subtrader_id: str | None = None,
        subaccount: int | None = None,
        **options: Unpack[CallOptions],
    ) -> RfqBatch:
        """Ask for quotes on 2 to 57 markets at once, whole or not at all.

        Nothing is bound by it: a trade needs acceptance and confirmation. With a
        ``client_batch_id`` sending it twice makes one batch: the second is refused.

        Args:
            children: The RFQs: each a market, or the legs of a combo, with a size of its own where
                it differs from the batch's.
            mve_collection_ticker: The collection that combos are made from.
            contracts: How many contracts of each.
            target_cost: How many dollars to spend on each instead.
            target_cost_excludes_fees: Whether fees come on top of ``target_cost``.
            rest_remainder: Whether what is left unfilled rests on the book.
            replace_existing: Whether it takes the place of your open RFQs on these markets.
            obscure_creator_id: Whether makers see a pseudonym made for this batch.
            client_batch_id: Your own id for it, up to 64 characters, once only.
            subtrader_id: Trade for this subtrader (clearing members).
            subaccount: Trade with this subaccount; 0 when left out.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: A child without a market or a size or with two, a market that is
                named twice, a number of children out of range; nothing is sent.
            BadRequestError: A market is unknown or not trading, or too many RFQs are open.
            ConflictError: You have an open RFQ on one of the markets, or the ``client_batch_id``
                was used before.
        """
        common = size(contracts, target_cost, needed=False)
        collection = optional("mve_collection_ticker", mve_collection_ticker)
        body = {
            "children": children_of(children, collection, sized=bool(common)),
            **common,
            **given(
                {
                    "mve_collection_ticker": collection,
                    "target_cost_excludes_fees": flag(
                        "target_cost_excludes_fees", target_cost_excludes_fees
                    ),
                    "rest_remainder": flag("rest_remainder", rest_remainder),
                    "replace_existing": flag("replace_existing", replace_existing),
                    "obscure_creator_id": flag("obscure_creator_id", obscure_creator_id),
                    "client_batch_id": limited_text(
                        "client_batch_id", client_batch_id, _LONGEST_CLIENT_BATCH_ID
                    ),
                }
            ),
            **account(subtrader_id, subaccount),
        }
        return await self._object(CREATE_RFQ_BATCH, RfqBatch, options, key="rfq_batch", body=body)

    async def delete(self, rfq_batch_id: str, **options: Unpack[CallOptions]) -> None:
        """Withdraw a batch of your own, with its RFQs and all quotes on them.

        Sending it twice does no harm: the second finds it closed.

        Raises:
            NotFoundError: You have no such batch.
            BadRequestError: It is closed already, or a quote of it is confirmed.
        """
        await self._done(DELETE_RFQ_BATCH, options, path=_path(rfq_batch_id))

    async def best_quotes(
        self, rfq_batch_id: str, **options: Unpack[CallOptions]
    ) -> RfqBatchBestQuotes:
        """The best bids for each RFQ of a batch of your own.

        Raises:
            NotFoundError: There is no such batch.
            PermissionDeniedError: It belongs to another account.
        """
        return await self._object(
            GET_RFQ_BATCH_BEST_QUOTES,
            RfqBatchBestQuotes,
            options,
            key="best_quotes",
            path=_path(rfq_batch_id),
        )

    async def accept(
        self,
        rfq_batch_id: str,
        *,
        accepted_side: Side,
        min_bids: Mapping[str, Price],
        client_order_id: str | None = None,
        **options: Unpack[CallOptions],
    ) -> AcceptedRfqBatch:
        """Accept the best bid for one side of every RFQ of your batch, or none.

        The makers then have to confirm within the exchange's window. Sending it twice trades once:
        the second is refused.

        Args:
            rfq_batch_id: Your batch.
            accepted_side: Which bids: with ``"yes"`` you sell YES to the best YES bids, with
                ``"no"`` you sell NO to the best NO bids.
            min_bids: For every RFQ of the batch, by its id, the lowest bid in dollars that you
                accept: ``best_quotes(…)``'s own ``min_bids(side)`` are those just seen.
            client_order_id: What the ids of your orders begin with.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: Another side, a bid that is no price in dollars, too few or too
                many; nothing is sent.
            BadRequestError: ``min_bids`` does not name every RFQ of the batch.
            PermissionDeniedError: The batch belongs to another account.
            ConflictError: It is no longer open, or a best bid is below its limit.
        """
        body = {
            "accepted_side": side("accepted_side", accepted_side),
            "min_bids": accept_limits(min_bids),
            **given({"client_order_id": optional("client_order_id", client_order_id)}),
        }
        return await self._object(
            ACCEPT_RFQ_BATCH, AcceptedRfqBatch, options, path=_path(rfq_batch_id), body=body
        )

    async def quotes(
        self, rfq_batch_id: str, **options: Unpack[CallOptions]
    ) -> Page[RfqBatchQuote]:
        """The batch quotes on a batch: all for the requester, its own for a maker. One page.

        Raises:
            NotFoundError: There is no such batch.
        """
        return await self._list(
            GET_RFQ_BATCH_QUOTES,
            RfqBatchQuote,
            options,
            key="batch_quotes",
            path=_path(rfq_batch_id),
        )

    async def quote(
        self,
        rfq_batch_id: str,
        *,
        quotes: Sequence[RfqBatchQuoteEntry],
        rest_remainder: bool,
        post_only: bool | None = None,
        subaccount: int | None = None,
        **options: Unpack[CallOptions],
    ) -> CreatedRfqBatchQuote:
        """Answer every RFQ of a batch. Your earlier open answer is cancelled, so sending it twice
        leaves one; the ids differ.

        Args:
            rfq_batch_id: The batch, of another account.
            quotes: Your bids, one entry for every RFQ of the batch.
            rest_remainder: Whether what is left unfilled rests on the book.
            post_only: Whether your side of the trades must not take from the book.
            subaccount: Trade with this subaccount; 0 when left out.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: A bid that is no price in dollars, both 0, an RFQ that is named
                twice, too few or too many; nothing is sent.
            NotFoundError: There is no such batch.
            BadRequestError: The batch is your own, an RFQ is missing, or a price is not on its
                market's grid.
            ConflictError: The batch is no longer open.
        """
        body = {
            "quotes": entries(quotes),
            "rest_remainder": needed_flag("rest_remainder", rest_remainder),
            **given(
                {
                    "post_only": flag("post_only", post_only),
                    "subaccount": bounded("subaccount", subaccount, 0, None),
                }
            ),
        }
        return await self._object(
            CREATE_RFQ_BATCH_QUOTE,
            CreatedRfqBatchQuote,
            options,
            path=_path(rfq_batch_id),
            body=body,
        )

    async def delete_quote(
        self, rfq_batch_id: str, batch_quote_id: str, **options: Unpack[CallOptions]
    ) -> None:
        """Withdraw a batch quote of your own that is not confirmed yet.

        Sending it twice does no harm: the second is refused.

        Raises:
            NotFoundError: You have no such batch quote.
            BadRequestError: It is confirmed, executed or cancelled already.
        """
        path = _quote_path(rfq_batch_id, batch_quote_id)
        await self._done(DELETE_RFQ_BATCH_QUOTE, options, path=path)

    async def confirm_quote(
        self, rfq_batch_id: str, batch_quote_id: str, **options: Unpack[CallOptions]
    ) -> None:
        """Confirm what was accepted of a batch quote of your own. Sending it twice trades once:
        the second is refused.

        Raises:
            NotFoundError: You have no such batch quote.
            BadRequestError: It is not accepted, or nothing of it could be executed.
        """
        path = _quote_path(rfq_batch_id, batch_quote_id)
        await self._done(CONFIRM_RFQ_BATCH_QUOTE, options, path=path, body={})


def _path(rfq_batch_id: str) -> dict[str, str]:
    return {"rfq_batch_id": identifier("rfq_batch_id", rfq_batch_id)}


def _quote_path(rfq_batch_id: str, batch_quote_id: str) -> dict[str, str]:
    return {
        **_path(rfq_batch_id),
        "batch_quote_id": identifier("batch_quote_id", batch_quote_id),
    }
