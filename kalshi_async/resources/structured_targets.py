"""``client.structured_targets``: what structured strikes refer to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from .._operations import GET_STRUCTURED_TARGET, GET_STRUCTURED_TARGETS
from .._pagination import Paginator
from ..models.structured_targets import StructuredTarget
from ._base import CallOptions, Resource
from ._checks import bounded, identifier, identifiers, optional

_MAX_IDS = 2000


class StructuredTargets(Resource):
    """Teams, players, places named by strikes. Public; cancelling any call is safe."""

    def list(
        self,
        *,
        ids: str | Sequence[str] | None = None,
        type: str | None = None,  # noqa: A002 - the exchange's own name
        competition: str | None = None,
        page_size: int | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Paginator[StructuredTarget]:
        """Structured targets, page by page.

        Args:
            ids: Only these, 2,000 at most.
            type: Only this type, e.g. ``"basketball_player"``.
            competition: Only this competition, e.g. ``"NBA"``.
            page_size: Targets a page, 1 to 2,000; the exchange's default is 100.
            cursor: Where to go on; see ``Paginator``.
            max_pages: Stop after so many pages.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: An argument is out of range or empty; nothing is sent.
        """
        query = {
            "ids": None if ids is None else identifiers("ids", ids, _MAX_IDS),
            "type": optional("type", type),
            "competition": optional("competition", competition),
            "page_size": bounded("page_size", page_size, 1, 2000),
        }
        return self._list(
            GET_STRUCTURED_TARGETS,
            StructuredTarget,
            options,
            key="structured_targets",
            query=query,
            cursor=cursor,
            max_pages=max_pages,
        )

    async def get(
        self, structured_target_id: str, **options: Unpack[CallOptions]
    ) -> StructuredTarget:
        """One structured target.

        Raises:
            NotFoundError: There is no such target.
        """
        return await self._object(
            GET_STRUCTURED_TARGET,
            StructuredTarget,
            options,
            key="structured_target",
            path={"structured_target_id": identifier("structured_target_id", structured_target_id)},
        )
