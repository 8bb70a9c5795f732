"""Words to search series by."""

from __future__ import annotations

from ._base import ABSENT, Model


class ScopeList(Model):
    """The scopes ("Games", "Futures", …) that a competition has."""

    scopes: list[str] = ABSENT


class SportFilterDetails(Model):
    """Scopes and competitions of a sport."""

    scopes: list[str] = ABSENT
    competitions: dict[str, ScopeList] = ABSENT


class FiltersBySport(Model):
    """Filters of each sport; ``sport_ordering`` is the order in which Kalshi shows the sports."""

    filters_by_sports: dict[str, SportFilterDetails] = ABSENT
    sport_ordering: list[str] = ABSENT


class TagsByCategories(Model):
    """The tags that series of each category carry."""

    tags_by_categories: dict[str, list[str]] = ABSENT
