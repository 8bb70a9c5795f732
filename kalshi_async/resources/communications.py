"""``client.communications``: requests for quotes (RFQs) and block trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from .._operations import GET_COMMUNICATIONS_ID
from ..models.communications import CommunicationsId
from ._base import CallOptions, Resource
from ._block_trades import BlockTrades
from ._quotes import Quotes
from ._rfq_batches import RfqBatches
from ._rfqs import Rfqs

if TYPE_CHECKING:
    from .._transport import Transport


class Communications(Resource):
    """Trades between members outside the order book.

    A requester asks (``rfqs.create``), makers answer with bids (``quotes.create``), the requester
    accepts one bid (``quotes.accept``), its maker confirms (``quotes.confirm``), and the exchange
    executes the trade between the two. ``batches`` does the same for many markets at once;
    ``block_trades`` reports trades that were negotiated elsewhere.

    Attributes:
        rfqs: Requests for quotes.
        quotes: The quotes on them.
        batches: Batches of RFQs and of quotes.
        block_trades: Proposals of block trades.
    """

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.rfqs = Rfqs(transport)
        self.quotes = Quotes(transport)
        self.batches = RfqBatches(transport)
        self.block_trades = BlockTrades(transport)

    async def id(self, **options: Unpack[CallOptions]) -> str:
        """The public identifier under which others see this account in RFQs and quotes.

        Cancelling is safe.
        """
        found = await self._object(GET_COMMUNICATIONS_ID, CommunicationsId, options)
        return found.communications_id
