"""Block trades: negotiated between two accounts, reported to the exchange."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from ._base import ABSENT, Model


class BlockTradeProposal(Model, kw_only=True):
    """A block trade that one party has proposed and both have to accept.

    The buyer buys YES. ``price_centi_cents`` is the YES price in hundredths of a cent,
    ``centicount`` the size in hundredths of a contract: ``price`` and ``count`` are the same in
    dollars and contracts. ``maker_side`` says whose order counts as resting: the buyer's
    (``yes``) or the seller's (``no``).
    """

    buyer_accepted: bool = ABSENT
    buyer_accepted_ts: datetime | None = None
    buyer_order_id: str | None = None
    buyer_subtrader_id: str | None = None
    buyer_user_id: str = ABSENT
    centicount: int = ABSENT
    created_ts: datetime = ABSENT
    executed_ts: datetime | None = None
    expiration_ts: datetime = ABSENT
    id: str
    maker_side: str = ABSENT
    market_ticker: str = ABSENT
    price_centi_cents: int = ABSENT
    proposer_user_id: str = ABSENT
    seller_accepted: bool = ABSENT
    seller_accepted_ts: datetime | None = None
    seller_order_id: str | None = None
    seller_subtrader_id: str | None = None
    seller_user_id: str = ABSENT
    status: str = ABSENT
    updated_ts: datetime = ABSENT

    @property
    def price(self) -> Decimal:
        """The YES price in dollars."""
        return Decimal(self.price_centi_cents).scaleb(-4)

    @property
    def count(self) -> Decimal:
        """The size in contracts."""
        return Decimal(self.centicount).scaleb(-2)


class ProposedBlockTrade(Model):
    """The id of a new proposal."""

    block_trade_proposal_id: str
