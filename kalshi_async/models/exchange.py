"""The exchange itself: is it open, when does it open, how fresh is account data."""

from __future__ import annotations

from datetime import datetime

from ._base import ABSENT, Model


class ExchangeIndexStatus(Model):
    """State of one shard of the exchange."""

    exchange_index: int
    description: str = ABSENT
    exchange_active: bool = ABSENT
    trading_active: bool = ABSENT
    intra_exchange_transfers_active: bool = ABSENT


class ExchangeStatus(Model):
    """Whether the exchange answers at all, and whether orders are taken."""

    exchange_active: bool = ABSENT
    trading_active: bool = ABSENT
    intra_exchange_transfers_active: bool | None = None
    exchange_estimated_resume_time: datetime | None = None
    exchange_index_statuses: list[ExchangeIndexStatus] | None = None


class DailySchedule(Model):
    """One session of a day; both times are ``HH:MM`` in New York."""

    open_time: str = ABSENT
    close_time: str = ABSENT


class WeeklySchedule(Model):
    """Sessions of each weekday, valid from ``start_time`` to ``end_time``."""

    start_time: datetime = ABSENT
    end_time: datetime = ABSENT
    monday: list[DailySchedule] = ABSENT
    tuesday: list[DailySchedule] = ABSENT
    wednesday: list[DailySchedule] = ABSENT
    thursday: list[DailySchedule] = ABSENT
    friday: list[DailySchedule] = ABSENT
    saturday: list[DailySchedule] = ABSENT
    sunday: list[DailySchedule] = ABSENT


class MaintenanceWindow(Model):
    """A span in which the exchange may be down."""

    start_datetime: datetime = ABSENT
    end_datetime: datetime = ABSENT


class ExchangeSchedule(Model):
    """Standard hours and planned maintenance."""

    standard_hours: list[WeeklySchedule] = ABSENT
    maintenance_windows: list[MaintenanceWindow] = ABSENT


class UserDataTimestamp(Model):
    """Up to when balance, orders, fills and positions as read from the exchange are complete."""

    as_of_time: datetime = ABSENT
