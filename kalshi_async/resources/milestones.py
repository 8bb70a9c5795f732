"""``client.milestones``: dated happenings that events hang on."""

from __future__ import annotations

from datetime import datetime
from typing import Unpack

from .._operations import GET_MILESTONE, GET_MILESTONES
from .._pagination import Paginator
from ..models.milestones import Milestone
from ._base import CallOptions, Resource
from ._checks import Timestamp, bounded, identifier, optional, rfc3339, timestamp


class Milestones(Resource):
    """Dated happenings that events hang on. Public; cancelling any call is safe."""

    def list(
        self,
        *,
        limit: int = 100,
        minimum_start_date: str | datetime | None = None,
        category: str | None = None,
        competition: str | None = None,
        source_id: str | None = None,
        type: str | None = None,  # noqa: A002 - the exchange's own name
        related_event_ticker: str | None = None,
        min_updated_ts: Timestamp | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[Milestone]:
        """Milestones, page by page.

        Args:
            limit: Milestones a page, 1 to 500.
            minimum_start_date: Only those that start then or later: an aware datetime or RFC 3339
                text.
            category: Only this category, e.g. ``"Sports"``.
            competition: Only this competition, e.g. ``"Pro Football"``.
            source_id: Only those that a data provider calls so.
            type: Only this type, e.g. ``"football_game"``.
            related_event_ticker: Only those related to this event.
            min_updated_ts: Only those changed after it (Unix seconds or an aware datetime).
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is out of range, empty or naive; nothing is sent.
        """
        query = {
            "limit": bounded("limit", limit, 1, 500),
            "minimum_start_date": rfc3339("minimum_start_date", minimum_start_date),
            "category": optional("category", category),
            "competition": optional("competition", competition),
            "source_id": optional("source_id", source_id),
            "type": optional("type", type),
            "related_event_ticker": optional("related_event_ticker", related_event_ticker),
            "min_updated_ts": timestamp("min_updated_ts", min_updated_ts),
        }
        return self._list(
            GET_MILESTONES,
            Milestone,
            options,
            key="milestones",
            query=query,
            cursor=cursor,
            max_pages=max_pages,
        )

    async def get(self, milestone_id: str, **options: Unpack[CallOptions]) -> Milestone:
        """One milestone.

        Raises:
            NotFoundError: There is no such milestone.
        """
        return await self._object(
            GET_MILESTONE,
            Milestone,
            options,
            key="milestone",
            path={"milestone_id": identifier("milestone_id", milestone_id)},
        )
