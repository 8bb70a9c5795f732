"""``client.communications.rfqs``: asking for quotes."""

from __future__ import annotations

from typing import Unpack, get_args

from .._amounts import Count, Money
from .._operations import CREATE_RFQ, DELETE_RFQ, GET_RFQ, GET_RFQS
from .._pagination import Paginator
from ..models.communications import CreatedRfq, Rfq, UserFilter
from ._base import CallOptions, Resource
from ._bodies import flag, given, needed_flag
from ._checks import bounded, identifier, optional, word
from ._rfq_requests import account, size


class Rfqs(Resource):
    """Requests for quotes. Cancelling a read is safe; of a write, an error or a cancellation after
    sending leaves open whether it was carried out (``may_have_reached_server`` tells).
    """

    def list(
        self,
        *,
        event_ticker: str | None = None,
        market_ticker: str | None = None,
        subaccount: int | None = None,
        limit: int | None = None,
        status: str | None = None,
        creator_user_id: str | None = None,
        user_filter: UserFilter | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Rfq]:
        """RFQs of all accounts, page by page, newest first.

        Args:
            event_ticker: Only on markets of this event.
            market_ticker: Only on this market.
            subaccount: Only those of one of your subaccounts.
            limit: RFQs a page, 1 to 100; the exchange's default is 100.
            status: ``"open"`` or ``"closed"``.
            creator_user_id: Only of this account; the exchange has deprecated it for
                ``user_filter``.
            user_filter: ``"self"``: only your own.
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is out of range, unknown or empty; nothing is sent.
        """
        query = {
            "event_ticker": optional("event_ticker", event_ticker),
            "market_ticker": optional("market_ticker", market_ticker),
            "subaccount": bounded("subaccount", subaccount, 0, None),
            "limit": bounded("limit", limit, 1, 100),
            "status": optional("status", status),
            "creator_user_id": optional("creator_user_id", creator_user_id),
            "user_filter": word("user_filter", user_filter, get_args(UserFilter)),
        }
        return self._list(
            GET_RFQS, Rfq, options, key="rfqs", query=query, cursor=cursor, max_pages=max_pages
        )

    async def get(self, rfq_id: str, **options: Unpack[CallOptions]) -> Rfq:
        """One RFQ, of any account.

        Raises:
            NotFoundError: There is no such RFQ.
        """
        return await self._object(
            GET_RFQ, Rfq, options, key="rfq", path={"rfq_id": identifier("rfq_id", rfq_id)}
        )

    async def create(
        self,
        *,
        market_ticker: str,
        rest_remainder: bool,
        contracts: Count | None = None,
        target_cost: Money | None = None,
        target_cost_excludes_fees: bool | None = None,
        obscure_creator_id: bool | None = None,
        replace_existing: bool | None = None,
        subtrader_id: str | None = None,
        subaccount: int | None = None,
        **options: Unpack[CallOptions],
    ) -> CreatedRfq:
        """Ask for quotes on a market; the size is ``contracts`` or ``target_cost``.

        Nothing is bound by it: a trade needs a quote, its acceptance, and the maker's
        confirmation. Sending it twice is refused while the first is open (``ConflictError``), or
        takes its place with ``replace_existing``.

        Args:
            market_ticker: The market; a combo too.
            rest_remainder: Whether what a quote leaves unfilled rests on the book.
            contracts: How many contracts.
            target_cost: How many dollars to spend instead.
            target_cost_excludes_fees: Whether fees come on top of ``target_cost``.
            obscure_creator_id: Whether makers see a pseudonym made for this RFQ.
            replace_existing: Whether it takes the place of your open RFQ on this market.
            subtrader_id: Trade for this subtrader (clearing members).
            subaccount: Trade with this subaccount; 0 when left out.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: No size or two, a float, an empty ticker; nothing is sent.
            BadRequestError: The market is unknown or not trading, or too many RFQs are open.
            ConflictError: You have an open RFQ on this market.
        """
        body = {
            "market_ticker": identifier("market_ticker", market_ticker),
            **size(contracts, target_cost),
            "rest_remainder": needed_flag("rest_remainder", rest_remainder),
            **given(
                {
                    "target_cost_excludes_fees": flag(
                        "target_cost_excludes_fees", target_cost_excludes_fees
                    ),
                    "obscure_creator_id": flag("obscure_creator_id", obscure_creator_id),
                    "replace_existing": flag("replace_existing", replace_existing),
                }
            ),
            **account(subtrader_id, subaccount),
        }
        return await self._object(CREATE_RFQ, CreatedRfq, options, body=body)

    async def delete(self, rfq_id: str, **options: Unpack[CallOptions]) -> None:
        """Withdraw an RFQ of your own and with it all quotes on it.

        Sending it twice does no harm: the second finds it closed.

        Raises:
            NotFoundError: You have no such RFQ.
            BadRequestError: It is closed already, or a quote on it is confirmed.
        """
        await self._done(DELETE_RFQ, options, path={"rfq_id": identifier("rfq_id", rfq_id)})
