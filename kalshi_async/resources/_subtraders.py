"""Subtraders of ``client.fcm``, and what limits them."""

from __future__ import annotations

from typing import Unpack

from .. import _amounts
from .._amounts import Money
from .._decode import Page
from .._operations import (
    CREATE_FCM_SUBTRADER,
    DELETE_FCM_DAILY_CAP,
    GET_FCM_BLOCKED_CATEGORIES,
    GET_FCM_DAILY_CAP,
    GET_FCM_SUBTRADERS,
    UPDATE_FCM_BLOCKED_CATEGORIES,
    UPDATE_FCM_DAILY_CAP,
)
from ..models._base import Model
from ..models.fcm import FcmDailyCap, FcmSubtrader
from ._base import CallOptions, Resource
from ._bodies import needed_flag
from ._checks import identifier, optional


class _CreateAnswer(Model):
    subtrader_id: str


class _Categories(Model):
    categories: list[str]


class Subtraders(Resource):
    """Those for whom a clearing member clears."""

    async def subtraders(self, **options: Unpack[CallOptions]) -> Page[FcmSubtrader]:
        """All subtraders of the member."""
        return await self._list(GET_FCM_SUBTRADERS, FcmSubtrader, options, key="subtraders")

    async def create_subtrader(
        self, *, subtrader_suffix: str, **options: Unpack[CallOptions]
    ) -> str:
        """Make a subtrader; returns its id, which ends in the suffix.

        Safe to repeat: a suffix in use is refused as a ``ConflictError``. Only what certainly did
        not arrive is sent again by itself. Cancelled after sending, it may have been made;
        ``subtraders()`` tells.

        Raises:
            InvalidRequestError: ``subtrader_suffix`` is empty; nothing is sent.
            ConflictError: There is such a subtrader.
        """
        body = {"subtrader_suffix": identifier("subtrader_suffix", subtrader_suffix)}
        answer = await self._object(CREATE_FCM_SUBTRADER, _CreateAnswer, options, body=body)
        return answer.subtrader_id

    async def blocked_categories(
        self, *, subtrader_id: str, **options: Unpack[CallOptions]
    ) -> list[str]:
        """The categories of series in which a subtrader may not trade.

        Raises:
            InvalidRequestError: ``subtrader_id`` is empty; nothing is sent.
            NotFoundError: The member has no such subtrader.
        """
        answer = await self._object(
            GET_FCM_BLOCKED_CATEGORIES,
            _Categories,
            options,
            query={"subtrader_id": identifier("subtrader_id", subtrader_id)},
        )
        return answer.categories

    async def set_blocked_categories(
        self,
        *,
        subtrader_id: str,
        category: str,
        blocked: bool,
        **options: Unpack[CallOptions],
    ) -> list[str]:
        """Block a category for a subtrader, or open it again; returns all that are blocked then.

        Repeating it changes nothing more. Cancelled after sending, it may hold all the same.

        Raises:
            InvalidRequestError: An argument is empty, or ``blocked`` is neither True nor False;
                nothing is sent.
            NotFoundError: The member has no such subtrader.
        """
        body = {
            "subtrader_id": identifier("subtrader_id", subtrader_id),
            "category": identifier("category", category),
            "blocked": needed_flag("blocked", blocked),
        }
        answer = await self._object(UPDATE_FCM_BLOCKED_CATEGORIES, _Categories, options, body=body)
        return answer.categories

    async def daily_cap(
        self, *, subtrader_id: str | None = None, **options: Unpack[CallOptions]
    ) -> FcmDailyCap:
        """The daily cap of a subtrader, and what is used of it.

        ``subtrader_id`` may be left out where the key is restricted to a subtrader.

        Raises:
            InvalidRequestError: ``subtrader_id`` is empty; nothing is sent.
            NotFoundError: It has no cap, or there is no such subtrader.
        """
        return await self._object(
            GET_FCM_DAILY_CAP,
            FcmDailyCap,
            options,
            query={"subtrader_id": optional("subtrader_id", subtrader_id)},
        )

    async def set_daily_cap(
        self, *, subtrader_id: str, limit: Money, **options: Unpack[CallOptions]
    ) -> None:
        """Cap the premium that a subtrader may put at risk on one day, New York time.

        Repeating it changes nothing more. Cancelled after sending, it may hold all the same.

        Args:
            subtrader_id: The subtrader.
            limit: Dollars; 0 lets it put nothing at risk.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: ``subtrader_id`` is empty, ``limit`` a float or below 0; nothing is
                sent.
            NotFoundError: The member has no such subtrader.
        """
        body = {
            "subtrader_id": identifier("subtrader_id", subtrader_id),
            "limit": _amounts.money_text(_amounts.money_or_zero("limit", limit)),
        }
        await self._done(UPDATE_FCM_DAILY_CAP, options, body=body)

    async def delete_daily_cap(self, *, subtrader_id: str, **options: Unpack[CallOptions]) -> None:
        """Lift the daily cap of a subtrader.

        Safe to repeat; only what certainly did not arrive is sent again by itself. Cancelled after
        sending, it may be lifted all the same.

        Raises:
            InvalidRequestError: ``subtrader_id`` is empty; nothing is sent.
            NotFoundError: The member has no such subtrader.
        """
        query = {"subtrader_id": identifier("subtrader_id", subtrader_id)}
        await self._done(DELETE_FCM_DAILY_CAP, options, query=query)
