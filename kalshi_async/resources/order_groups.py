"""``client.order_groups``: a limit on how much may match, and a kill switch."""

from __future__ import annotations

from typing import Unpack

from .. import _amounts
from .._amounts import Count
from .._decode import Page
from .._errors import InvalidRequestError
from .._operations import (
    CREATE_ORDER_GROUP,
    DELETE_ORDER_GROUP,
    GET_ORDER_GROUP,
    GET_ORDER_GROUPS,
    RESET_ORDER_GROUP,
    TRIGGER_ORDER_GROUP,
    UPDATE_ORDER_GROUP_LIMIT,
)
from ..models.order_groups import CreatedOrderGroup, OrderGroup, OrderGroupDetails
from ._base import CallOptions, Resource
from ._bodies import given
from ._checks import bounded, identifier


class OrderGroups(Resource):
    """Orders that stop together: those placed with the group's id as ``order_group_id``.

    At most ``contracts_limit`` contracts of a group match in any 15 seconds. When they have, the
    group is hit: the exchange cancels all its orders and refuses new ones until ``reset()``.
    ``trigger()`` does the same at once: the kill switch.

    A group lives in one subaccount and on one shard, that of its markets: changing it needs the
    same ``subaccount`` and ``exchange_index`` that it was made with, both 0 when left out.

    Cancelling a read is safe; of a write, an error or a cancellation after sending leaves open
    whether it was carried out (``may_have_reached_server`` tells): look at the group.
    """

    async def list(
        self, *, subaccount: int | None = None, **options: Unpack[CallOptions]
    ) -> Page[OrderGroup]:
        """All groups in one page.

        Args:
            subaccount: Only those of this subaccount.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: ``subaccount`` is out of range; nothing is sent.
        """
        return await self._list(
            GET_ORDER_GROUPS,
            OrderGroup,
            options,
            key="order_groups",
            query={"subaccount": bounded("subaccount", subaccount, 0, None)},
        )

    async def get(
        self, order_group_id: str, *, subaccount: int | None = None, **options: Unpack[CallOptions]
    ) -> OrderGroupDetails:
        """One group with the ids of its resting orders.

        Raises:
            InvalidRequestError: An empty id, ``subaccount`` out of range; nothing is sent.
            NotFoundError: There is no such group (in that subaccount).
        """
        return await self._object(
            GET_ORDER_GROUP,
            OrderGroupDetails,
            options,
            path=_path(order_group_id),
            query={"subaccount": bounded("subaccount", subaccount, 0, None)},
        )

    async def create(
        self,
        *,
        contracts_limit: Count,
        subaccount: int | None = None,
        exchange_index: int | None = None,
        **options: Unpack[CallOptions],
    ) -> CreatedOrderGroup:
        """A new group. Sending it twice makes two; an empty one does no harm.

        Args:
            contracts_limit: How many contracts may match in any 15 seconds, 1 or more.
            subaccount: Whose orders it is for; 0 when left out.
            exchange_index: The shard of its markets; 0 when left out.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: A limit below 1 or a float, another argument out of range; nothing
                is sent.
        """
        limit = {"contracts_limit_fp": _limit(contracts_limit)}
        body = limit | given(_place(subaccount, exchange_index))
        return await self._object(CREATE_ORDER_GROUP, CreatedOrderGroup, options, body=body)

    async def delete(
        self,
        order_group_id: str,
        *,
        subaccount: int | None = None,
        exchange_index: int | None = None,
        **options: Unpack[CallOptions],
    ) -> None:
        """Delete a group and cancel its orders. Sending it twice does no harm: the second finds no
        such group.

        Raises:
            InvalidRequestError: An empty id, a number out of range; nothing is sent.
            NotFoundError: There is no such group in that subaccount on that shard.
        """
        await self._done(
            DELETE_ORDER_GROUP,
            options,
            path=_path(order_group_id),
            query=_place(subaccount, exchange_index),
        )

    async def reset(
        self,
        order_group_id: str,
        *,
        subaccount: int | None = None,
        exchange_index: int | None = None,
        **options: Unpack[CallOptions],
    ) -> None:
        """Start a group's count anew, so that it takes orders again after a hit.

        Repeating it is safe and done where an outcome is unclear, but a hit in between is undone
        as well.

        Raises:
            InvalidRequestError: An empty id, a number out of range; nothing is sent.
            NotFoundError: There is no such group in that subaccount on that shard.
        """
        await self._done(
            RESET_ORDER_GROUP,
            options,
            path=_path(order_group_id),
            query=_place(subaccount, exchange_index),
            body={},
        )

    async def trigger(
        self,
        order_group_id: str,
        *,
        subaccount: int | None = None,
        exchange_index: int | None = None,
        **options: Unpack[CallOptions],
    ) -> None:
        """The kill switch: cancel all orders of a group and refuse new ones until ``reset()``.

        It overtakes placements that wait for the rate limit. Repeating it is safe and done where
        an outcome is unclear.

        Raises:
            InvalidRequestError: An empty id, a number out of range; nothing is sent.
            NotFoundError: There is no such group in that subaccount on that shard.
        """
        await self._done(
            TRIGGER_ORDER_GROUP,
            options,
            path=_path(order_group_id),
            query=_place(subaccount, exchange_index),
            body={},
        )

    async def set_limit(
        self,
        order_group_id: str,
        *,
        contracts_limit: Count,
        subaccount: int | None = None,
        exchange_index: int | None = None,
        **options: Unpack[CallOptions],
    ) -> None:
        """Another limit; one that the last 15 seconds have reached already hits the group.

        Repeating it is safe and done where an outcome is unclear.

        Args:
            order_group_id: The group.
            contracts_limit: How many contracts may match in any 15 seconds, 1 or more.
            subaccount: The group's subaccount; 0 when left out.
            exchange_index: The group's shard; 0 when left out.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: A limit below 1 or a float, another argument out of range; nothing
                is sent.
            NotFoundError: There is no such group in that subaccount on that shard.
        """
        await self._done(
            UPDATE_ORDER_GROUP_LIMIT,
            options,
            path=_path(order_group_id),
            query=_place(subaccount, exchange_index),
            body={"contracts_limit_fp": _limit(contracts_limit)},
        )


def _path(order_group_id: str) -> dict[str, str]:
    return {"order_group_id": identifier("order_group_id", order_group_id)}


def _place(subaccount: int | None, exchange_index: int | None) -> dict[str, int | None]:
    """Where a group lives."""
    return {
        "subaccount": bounded("subaccount", subaccount, 0, None),
        "exchange_index": bounded("exchange_index", exchange_index, 0, None),
    }


def _limit(contracts_limit: Count) -> str:
    limit = _amounts.count("contracts_limit", contracts_limit)
    if limit < 1:
        raise InvalidRequestError(f"contracts_limit is {limit}; expected 1 contract or more")
    return _amounts.count_text(limit)
