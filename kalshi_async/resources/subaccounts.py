"""``client.subaccounts``: parts of the account with money and positions of their own."""

from __future__ import annotations

from typing import Unpack
from uuid import UUID

from .._decode import Page
from .._errors import InvalidRequestError
from .._operations import (
    CREATE_SUBACCOUNT,
    GET_SUBACCOUNT_BALANCES,
    GET_SUBACCOUNT_NETTING,
    GET_SUBACCOUNT_TRANSFERS,
    TRANSFER_BETWEEN_SUBACCOUNTS,
    UPDATE_SUBACCOUNT_NETTING,
)
from .._pagination import Paginator
from ..models._base import Model
from ..models.subaccounts import SubaccountBalance, SubaccountNettingConfig, SubaccountTransfer
from ._base import CallOptions, Resource
from ._bodies import given, needed_flag, uuid_text, whole
from ._checks import bounded


class _CreateAnswer(Model):
    subaccount_number: int


class Subaccounts(Resource):
    """Subaccounts by number; 0 is the primary one. Needs a key of the whole account.

    Cancelling a read is safe. A write that was sent before it was cancelled may be carried out
    (``error.may_have_reached_server`` tells).
    """

    async def create(
        self, *, exchange_index: int | None = None, **options: Unpack[CallOptions]
    ) -> int:
        """Open a further subaccount; returns its number.

        A repeat opens another one, so that only what certainly did not arrive is sent again by
        itself. Cancelled after sending, it may be open all the same; ``balances()`` tells.

        Raises:
            InvalidRequestError: ``exchange_index`` is out of range; nothing is sent.
            BadRequestError: The account has as many as it may have.
        """
        body = given({"exchange_index": bounded("exchange_index", exchange_index, 0, None)})
        answer = await self._object(CREATE_SUBACCOUNT, _CreateAnswer, options, body=body)
        return answer.subaccount_number

    async def balances(self, **options: Unpack[CallOptions]) -> Page[SubaccountBalance]:
        """The free money of each subaccount on each shard."""
        return await self._list(
            GET_SUBACCOUNT_BALANCES, SubaccountBalance, options, key="subaccount_balances"
        )

    async def netting(self, **options: Unpack[CallOptions]) -> Page[SubaccountNettingConfig]:
        """Whether the positions of each subaccount net."""
        return await self._list(
            GET_SUBACCOUNT_NETTING, SubaccountNettingConfig, options, key="netting_configs"
        )

    async def set_netting(
        self, *, subaccount_number: int, enabled: bool, **options: Unpack[CallOptions]
    ) -> None:
        """Let the positions of a subaccount net, or not. Repeating it changes nothing more.

        Raises:
            InvalidRequestError: No subaccount number, or neither True nor False; nothing is sent.
            BadRequestError: There is no such subaccount.
        """
        body = {
            "subaccount_number": whole("subaccount_number", subaccount_number, 0),
            "enabled": needed_flag("enabled", enabled),
        }
        await self._done(UPDATE_SUBACCOUNT_NETTING, options, body=body)

    async def transfer(
        self,
        *,
        client_transfer_id: str | UUID,
        from_subaccount: int,
        to_subaccount: int,
        amount_cents: int,
        exchange_index: int | None = None,
        **options: Unpack[CallOptions],
    ) -> None:
        """Move free money from one subaccount to another.

        Safe to repeat with the same ``client_transfer_id``: what was moved before is refused as a
        ``ConflictError``. Only what certainly did not arrive is sent again by itself. Cancelled
        after sending, the money may have moved; ``transfers()`` tells.

        Args:
            client_transfer_id: A UUID of the caller's, ``uuid.uuid4()``, a new one a transfer.
            from_subaccount: Where the money is.
            to_subaccount: Where it goes.
            amount_cents: Whole cents.
            exchange_index: The shard on which it happens; the exchange's default is 0.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is out of range, no UUID, or source and target are
                the same; nothing is sent.
            ConflictError: This ``client_transfer_id`` was used before.
        """
        given_id = uuid_text("client_transfer_id", client_transfer_id)
        if given_id is None:
            raise InvalidRequestError("client_transfer_id is None; expected a new uuid.uuid4()")
        if from_subaccount == to_subaccount:
            raise InvalidRequestError(
                f"from_subaccount and to_subaccount are both {from_subaccount!r}; "
                "expected two subaccounts"
            )
        body = given(
            {
                "client_transfer_id": given_id,
                "from_subaccount": whole("from_subaccount", from_subaccount, 0),
                "to_subaccount": whole("to_subaccount", to_subaccount, 0),
                "amount_cents": whole("amount_cents", amount_cents, 1),
                "exchange_index": bounded("exchange_index", exchange_index, 0, None),
            }
        )
        await self._done(TRANSFER_BETWEEN_SUBACCOUNTS, options, body=body)

    def transfers(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[SubaccountTransfer]:
        """Money moved between subaccounts, newest first, page by page.

        ``limit`` is transfers a page, 1 to 1,000; the exchange's default is 100.

        Raises:
            InvalidRequestError: ``limit`` is out of range; nothing is sent.
        """
        return self._list(
            GET_SUBACCOUNT_TRANSFERS,
            SubaccountTransfer,
            options,
            key="transfers",
            query={"limit": bounded("limit", limit, 1, 1000)},
            cursor=cursor,
            max_pages=max_pages,
        )
