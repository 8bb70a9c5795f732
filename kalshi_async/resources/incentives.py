"""``client.incentives``: rewards for liquidity and volume."""

from __future__ import annotations

from typing import Unpack, get_args

from .._operations import GET_INCENTIVE_PROGRAMS
from .._pagination import Paginator
from ..models.incentives import IncentiveProgram, IncentiveStatusFilter, IncentiveTypeFilter
from ._base import CallOptions, Resource
from ._checks import bounded, optional, word


class Incentives(Resource):
    """Rewards for liquidity and volume. Public; cancelling any call is safe."""

    def list(
        self,
        *,
        status: IncentiveStatusFilter | None = None,
        type: IncentiveTypeFilter | None = None,  # noqa: A002 - the exchange's own name
        incentive_description: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[IncentiveProgram]:
        """Incentive programs, page by page.

        Args:
            status: Only programs in this state; the exchange's default is ``"all"``.
            type: Only programs of this type; the exchange's default is ``"all"``.
            incentive_description: Only programs described so.
            limit: Programs a page, 1 to 10,000; the exchange's default is 100.
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is out of range, unknown or empty; nothing is sent.
        """
        query = {
            "status": word("status", status, get_args(IncentiveStatusFilter)),
            "type": word("type", type, get_args(IncentiveTypeFilter)),
            "incentive_description": optional("incentive_description", incentive_description),
            "limit": bounded("limit", limit, 1, 10_000),
        }
        return self._list(
            GET_INCENTIVE_PROGRAMS,
            IncentiveProgram,
            options,
            key="incentive_programs",
            cursor_key="next_cursor",
            query=query,
            cursor=cursor,
            max_pages=max_pages,
        )
