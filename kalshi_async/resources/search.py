"""``client.search``: words to search series and sports by."""

from __future__ import annotations

from typing import Unpack

from .._operations import GET_FILTERS_BY_SPORT, GET_TAGS_BY_CATEGORIES
from ..models.search import FiltersBySport, TagsByCategories
from ._base import CallOptions, Resource


class Search(Resource):
    """Words to search series and sports by. Public; cancelling any call is safe."""

    async def tags_by_categories(self, **options: Unpack[CallOptions]) -> TagsByCategories:
        """The tags that series of each category carry."""
        return await self._object(GET_TAGS_BY_CATEGORIES, TagsByCategories, options)

    async def filters_by_sport(self, **options: Unpack[CallOptions]) -> FiltersBySport:
        """Scopes and competitions of each sport."""
        return await self._object(GET_FILTERS_BY_SPORT, FiltersBySport, options)
