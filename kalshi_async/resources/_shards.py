"""Money of ``client.portfolio`` that comes, goes, and lies on the shards of the exchange."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack, get_args
from uuid import UUID

from .._errors import InvalidRequestError
from .._operations import (
    CREATE_SHARD_TRANSFER,
    GET_DEPOSITS,
    GET_SHARD_TRANSFER,
    GET_SHARD_TRANSFERS,
    GET_TARGET_ALLOCATION,
    GET_WITHDRAWALS,
    SET_TARGET_ALLOCATION,
)
from .._pagination import Paginator
from ..models._base import Model
from ..models.payments import (
    Deposit,
    ExchangeInstance,
    RestingMarginReservation,
    ShardTransfer,
    TargetAllocation,
    Withdrawal,
)
from ._base import CallOptions, Resource
from ._bodies import given, needed_word, subaccount, uuid_text, whole
from ._checks import bounded, identifier, word

MAX_ALLOCATIONS = 101
_LAST_SHARD = 100


class _TransferAnswer(Model):
    transfer_id: str


class Shards(Resource):
    """Deposits, withdrawals, and what lies on which shard."""

    def deposits(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Deposit]:
        """Money paid in, newest first, page by page.

        ``limit`` is deposits a page, 1 to 500; the exchange's default is 100.

        Raises:
            InvalidRequestError: ``limit`` is out of range; nothing is sent.
        """
        return self._list(
            GET_DEPOSITS,
            Deposit,
            options,
            key="deposits",
            query={"limit": bounded("limit", limit, 1, 500)},
            cursor=cursor,
            max_pages=max_pages,
        )

    def withdrawals(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Withdrawal]:
        """Money paid out; arguments and errors as for ``deposits``."""
        return self._list(
            GET_WITHDRAWALS,
            Withdrawal,
            options,
            key="withdrawals",
            query={"limit": bounded("limit", limit, 1, 500)},
            cursor=cursor,
            max_pages=max_pages,
        )

    async def target_allocation(self, **options: Unpack[CallOptions]) -> TargetAllocation:
        """How the free money is to be spread over the shards."""
        return await self._object(GET_TARGET_ALLOCATION, TargetAllocation, options)

    async def set_target_allocation(
        self,
        *,
        allocations: Mapping[int, int],
        resting_margin_reservation: RestingMarginReservation | None = None,
        **options: Unpack[CallOptions],
    ) -> None:
        """Have the exchange spread the free money of the primary subaccount over the shards.

        It replaces the allocation in force and is repeated at will. Cancelled after sending, it may
        hold all the same; ``target_allocation()`` tells.

        Args:
            allocations: Exchange index → percent of the free money, 100 in all; an empty mapping
                leaves the money where it is from now on.
            resting_margin_reservation: How much of what backs resting orders stays where it is.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: Percents that are not 100 in all, a shard or a word that does not
                exist; nothing is sent.
        """
        reservation = word(
            "resting_margin_reservation",
            resting_margin_reservation,
            get_args(RestingMarginReservation),
        )
        body = given(
            {
                "allocations": _allocations(allocations),
                "resting_margin_reservation": reservation,
            }
        )
        await self._done(SET_TARGET_ALLOCATION, options, body=body)

    async def transfer_between_shards(
        self,
        *,
        source: ExchangeInstance,
        destination: ExchangeInstance,
        amount: int,
        client_transfer_id: str | UUID | None = None,
        source_exchange_shard: int | None = None,
        destination_exchange_shard: int | None = None,
        source_subaccount: int | None = None,
        destination_subaccount: int | None = None,
        **options: Unpack[CallOptions],
    ) -> str:
        """Move free money to another shard, or to another part of the exchange.

        A repeat moves the money again, unless it carries the same ``client_transfer_id``: that is
        refused as a ``ConflictError``. Only what certainly did not arrive is sent again by itself.
        Cancelled after sending, the money may have moved; ``shard_transfers()`` tells.

        Args:
            source: Where the money is: ``"event_contract"`` or ``"margined"``.
            destination: Where it goes.
            amount: In units of $0.0001: 10,000 is a dollar.
            client_transfer_id: A UUID of the caller's, so that no repeat moves the money twice.
            source_exchange_shard: 0 to 100; the exchange's default is 0.
            destination_exchange_shard: 0 to 100; the exchange's default is 0.
            source_subaccount: The exchange's default is the primary one, 0.
            destination_subaccount: The exchange's default is the primary one, 0.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Returns:
            The transfer's id, for ``shard_transfer()``.

        Raises:
            InvalidRequestError: An argument is out of range or unknown; nothing is sent.
            ConflictError: This ``client_transfer_id`` was used before.
        """
        instances = get_args(ExchangeInstance)
        shards = {
            "source_exchange_shard": source_exchange_shard,
            "destination_exchange_shard": destination_exchange_shard,
        }
        body = given(
            {
                "source": needed_word("source", source, instances),
                "destination": needed_word("destination", destination, instances),
                "amount": whole("amount", amount, 1),
                "client_transfer_id": uuid_text("client_transfer_id", client_transfer_id),
                **{name: bounded(name, at, 0, _LAST_SHARD) for name, at in shards.items()},
                "source_subaccount": subaccount("source_subaccount", source_subaccount),
                "destination_subaccount": subaccount(
                    "destination_subaccount", destination_subaccount
                ),
            }
        )
        answer = await self._object(CREATE_SHARD_TRANSFER, _TransferAnswer, options, body=body)
        return answer.transfer_id

    def shard_transfers(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[ShardTransfer]:
        """Money moved between shards, newest first, page by page.

        ``limit`` is transfers a page, 1 to 500; the exchange's default is 100.

        Raises:
            InvalidRequestError: ``limit`` is out of range; nothing is sent.
        """
        return self._list(
            GET_SHARD_TRANSFERS,
            ShardTransfer,
            options,
            key="transfers",
            query={"limit": bounded("limit", limit, 1, 500)},
            cursor=cursor,
            max_pages=max_pages,
        )

    async def shard_transfer(
        self, transfer_id: str, **options: Unpack[CallOptions]
    ) -> ShardTransfer:
        """One move of money between shards.

        Raises:
            NotFoundError: There is no such transfer.
        """
        return await self._object(
            GET_SHARD_TRANSFER,
            ShardTransfer,
            options,
            key="transfer",
            path={"transfer_id": identifier("transfer_id", transfer_id)},
        )


def _allocations(allocations: Mapping[int, int]) -> list[dict[str, int]]:
    if not isinstance(allocations, Mapping):
        raise InvalidRequestError(
            f"allocations is {allocations!r}; expected a mapping of exchange index to percent, "
            "such as {0: 60, 1: 40}"
        )
    if len(allocations) > MAX_ALLOCATIONS:
        raise InvalidRequestError(
            f"allocations has {len(allocations)} shards; the exchange takes {MAX_ALLOCATIONS} at "
            "most"
        )
    shares = [
        {
            "exchange_index": whole("exchange_index of allocations", shard, 0),
            "percent": whole(f"percent of shard {shard} in allocations", percent, 0, 100),
        }
        for shard, percent in allocations.items()
    ]
    total = sum(share["percent"] for share in shares)
    if shares and total != 100:
        raise InvalidRequestError(f"allocations add up to {total} percent; expected 100")
    return shares
