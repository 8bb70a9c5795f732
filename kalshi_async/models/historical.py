"""Where live data end and historical data begin."""

from __future__ import annotations

from datetime import datetime

from ._base import ABSENT, Model


class HistoricalCutoff(Model):
    """What is older than these times is found only under ``client.historical``.

    Each is compared with the time in its name: a market's settlement, a trade's creation, an
    order's last update, a position's last update.
    """

    market_settled_ts: datetime = ABSENT
    trades_created_ts: datetime = ABSENT
    orders_updated_ts: datetime = ABSENT
    market_positions_last_updated_ts: datetime | None = None
