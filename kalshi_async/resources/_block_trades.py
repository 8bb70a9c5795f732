"""``client.communications.block_trades``: trades that two accounts negotiated elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import Unpack

from .._operations import ACCEPT_BLOCK_TRADE, GET_BLOCK_TRADE_PROPOSALS, PROPOSE_BLOCK_TRADE
from .._pagination import Paginator
from ..models.block_trades import BlockTradeProposal, ProposedBlockTrade
from ..models.orderbook import Side
from ._base import CallOptions, Resource
from ._bodies import whole
from ._checks import bounded, identifier, optional
from ._rfq_requests import acceptor, instant, parties, party, side

_HIGHEST_PRICE = 9_999
_LARGEST_COUNT = 2**63 - 1


class BlockTrades(Resource):
    """Proposals of block trades: one party proposes, the other accepts, which executes the trade.

    Cancelling a read is safe; of a write, an error or a cancellation after sending leaves open
    whether it was carried out (``may_have_reached_server`` tells): look at ``list()``.
    """

    def list(
        self,
        *,
        market_ticker: str | None = None,
        limit: int | None = None,
        status: str | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[BlockTradeProposal]:
        """Proposals that you are a party of, page by page, newest first.

        Args:
            market_ticker: Only on this market.
            limit: Proposals a page, 1 to 100; the exchange's default is 100.
            status: Only those with this status.
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is out of range or empty; nothing is sent.
        """
        query = {
            "market_ticker": optional("market_ticker", market_ticker),
            "limit": bounded("limit", limit, 1, 100),
            "status": optional("status", status),
        }
        return self._list(
            GET_BLOCK_TRADE_PROPOSALS,
            BlockTradeProposal,
            options,
            key="block_trade_proposals",
            query=query,
            cursor=cursor,
            max_pages=max_pages,
        )

    async def propose(
        self,
        *,
        buyer_user_id: str,
        seller_user_id: str,
        market_ticker: str,
        price_centi_cents: int,
        centicount: int,
        maker_side: Side,
        expiration_ts: str | datetime,
        buyer_subtrader_id: str | None = None,
        buyer_subaccount: int | None = None,
        seller_subtrader_id: str | None = None,
        seller_subaccount: int | None = None,
        **options: Unpack[CallOptions],
    ) -> ProposedBlockTrade:
        """Propose a trade as its buyer or its seller, which accepts it on your side.

        Sending it twice makes two proposals, and the other party could accept both: after an
        unclear outcome look at ``list()`` first.

        Args:
            buyer_user_id: The account that buys YES.
            seller_user_id: The account that sells YES.
            market_ticker: The market.
            price_centi_cents: The YES price in hundredths of a cent, 1 to 9,999: $0.40 is 4,000.
            centicount: The size in hundredths of a contract: 25 contracts are 2,500.
            maker_side: Whose order counts as resting: ``"yes"`` the buyer's, ``"no"`` the
                seller's.
            expiration_ts: Until when it can be accepted: an aware datetime or RFC 3339 text.
            buyer_subtrader_id: The buyer's subtrader (clearing members).
            buyer_subaccount: The buyer's subaccount, 0 to 63.
            seller_subtrader_id: The seller's subtrader (clearing members).
            seller_subaccount: The seller's subaccount, 0 to 63.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is out of range, empty or naive, or buyer and seller
                are the same account; nothing is sent.
            BadRequestError: The market is unknown or not trading, the price is not on its grid, or
                the time is over.
            PermissionDeniedError: You are neither buyer nor seller.
        """
        body = {
            **parties(
                party("buyer", buyer_user_id, buyer_subtrader_id, buyer_subaccount),
                party("seller", seller_user_id, seller_subtrader_id, seller_subaccount),
            ),
            "market_ticker": identifier("market_ticker", market_ticker),
            "price_centi_cents": whole("price_centi_cents", price_centi_cents, 1, _HIGHEST_PRICE),
            "centicount": whole("centicount", centicount, 1, _LARGEST_COUNT),
            "maker_side": side("maker_side", maker_side),
            "expiration_ts": instant("expiration_ts", expiration_ts),
        }
        return await self._object(PROPOSE_BLOCK_TRADE, ProposedBlockTrade, options, body=body)

    async def accept(
        self,
        block_trade_proposal_id: str,
        *,
        subtrader_id: str | None = None,
        subaccount: int | None = None,
        **options: Unpack[CallOptions],
    ) -> None:
        """Accept a proposal that names you; the second acceptance executes the trade.

        Sending it twice trades once: the second is refused.

        Args:
            block_trade_proposal_id: The proposal.
            subtrader_id: Trade for this subtrader (clearing members).
            subaccount: Trade with this subaccount, 0 to 63.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: Both a subtrader and a subaccount, an empty id; nothing is sent.
            NotFoundError: There is no such proposal for you.
            BadRequestError: It is no longer pending, you have accepted it already, or one of the
                two cannot pay (it stays open to another try then).
        """
        proposal_id = identifier("block_trade_proposal_id", block_trade_proposal_id)
        await self._done(
            ACCEPT_BLOCK_TRADE,
            options,
            path={"block_trade_proposal_id": proposal_id},
            body=acceptor(subtrader_id, subaccount),
        )
