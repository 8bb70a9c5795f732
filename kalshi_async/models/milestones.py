"""Milestones: dated happenings that events hang on, such as a game or a release."""

from __future__ import annotations

from datetime import datetime

from ._base import ABSENT, JsonObject, Model


class Milestone(Model):
    """A happening with a start; ``details`` has the keys of its ``type``.

    ``source_ids`` maps a data provider to its name for the same happening.
    """

    id: str
    category: str = ABSENT
    type: str = ABSENT
    start_date: datetime = ABSENT
    end_date: datetime | None = None
    related_event_tickers: list[str] = ABSENT
    title: str = ABSENT
    notification_message: str = ABSENT
    source_id: str | None = None
    source_ids: dict[str, str] | None = None
    details: JsonObject = ABSENT
    primary_event_tickers: list[str] = ABSENT
    last_updated_ts: datetime = ABSENT
