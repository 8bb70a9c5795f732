"""Structured targets: teams, players, places that structured strikes refer to."""

from __future__ import annotations

from datetime import datetime

from ._base import JsonObject, Model


class StructuredTarget(Model):
    """A thing that markets with ``strike_type="structured"`` name in ``custom_strike``."""

    id: str | None = None
    name: str | None = None
    type: str | None = None
    details: JsonObject | None = None
    source_id: str | None = None
    source_ids: dict[str, str] | None = None
    last_updated_ts: datetime | None = None
