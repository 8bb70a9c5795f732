"""The figures behind an FCM's risk controls, and moving a position between two subaccounts.

Pure: traders and times come in, amounts come out.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import msgspec

from ._accounts import insufficient_balance
from ._engine import Engine
from ._events import PositionChanged
from ._holdings import Interest, Trader
from ._records import Fill, MarketState
from ._text import from_micros, to_micros
from ._units import ONE

_STANDARD, _DAYLIGHT = timedelta(hours=-5), timedelta(hours=-4)


class NewYorkDay(NamedTuple):
    """A day in New York: its midnight in Unix microseconds and its date (``2026-03-19``)."""

    start: int
    text: str

    @classmethod
    def of(cls, now: int) -> NewYorkDay:
        """The day it is there at this instant."""
        instant = from_micros(now)
        local = (instant + _offset(instant)).date()
        # Clocks change at two in the morning: at midnight the earlier offset still holds.
        midnight = datetime(local.year, local.month, local.day, tzinfo=UTC)
        start = midnight - _offset(midnight - _STANDARD)
        return cls(to_micros(start), local.isoformat())


def _offset(instant: datetime) -> timedelta:
    """New York's offset from UTC: daylight saving time runs from the second Sunday of March to the
    first of November, at 2:00 local time.
    """
    begins = _sunday(instant.year, 3, 8)
    ends = _sunday(instant.year, 11, 1)
    start = datetime(begins.year, begins.month, begins.day, 7, tzinfo=UTC)
    end = datetime(ends.year, ends.month, ends.day, 6, tzinfo=UTC)
    return _DAYLIGHT if start <= instant < end else _STANDARD


def _sunday(year: int, month: int, day: int) -> date:
    """The first Sunday on or after a date."""
    first = date(year, month, day)
    return first + timedelta(days=(6 - first.weekday()) % 7)


def executed_premium(trader: Trader, subaccount: int, since: int) -> int:
    """What fills since then put at risk, less what closing and settling gave back; at least 0."""
    spent = 0
    for fill in reversed(trader.fills):
        if fill.time < since:
            break
        if fill.subaccount == subaccount:
            spent += _premium(fill)
    for settlement in reversed(trader.settlements):
        if settlement.time < since:
            break
        if settlement.subaccount == subaccount:
            spent -= settlement.revenue
    return max(spent, 0)


def _premium(fill: Fill) -> int:
    """What a fill cost in premium; below 0 when it closed more than it opened."""
    signed = fill.count if fill.bid else -fill.count
    before = fill.position - signed
    against = before < 0 if fill.bid else before > 0
    closing = min(fill.count, abs(before)) if against else 0
    pays = fill.price if fill.bid else ONE - fill.price
    return (fill.count - closing) * pays - closing * (ONE - pays)


def move_position(
    engine: Engine,
    trader: Trader,
    market: MarketState,
    *,
    source: int,
    target: int,
    count: int,
    price: int,
    now: int,
) -> None:
    """Book a trade of `count` (above 0: YES moves, below 0: NO) from subaccount to subaccount at
    the YES price, without fee or fill.

    Raises:
        ApiError: 400 when one of the two cannot pay; nothing has changed then.
    """
    buyer, seller = (target, source) if count > 0 else (source, target)
    sides = [(trader.interest(seller, market), False), (trader.interest(buyer, market), True)]
    before = [(msgspec.structs.replace(one.position), one.wallet.reserved) for one, _ in sides]
    held = sum(max(one.position.count, 0) for one, _ in sides)
    changes = []
    for interest, bid in sides:
        changes.append(interest.fill(bid, price, abs(count), now))
        interest.rereserve()
    if any(
        interest.wallet.free + change < 0
        for (interest, _), change in zip(sides, changes, strict=True)
    ):
        for (interest, _), (position, _) in zip(sides, before, strict=True):
            _restore(interest, position)
        raise insufficient_balance()
    market.open_interest += sum(max(one.position.count, 0) for one, _ in sides) - held
    for (interest, _), change in zip(sides, changes, strict=True):
        position = interest.position
        trader.positions.setdefault((position.subaccount, market.ticker), position)
        if change:
            engine.move_cash(interest.wallet, change, "transfer", now)
        engine.emit(PositionChanged(position, now))


def _restore(interest: Interest, earlier: msgspec.Struct) -> None:
    for name in earlier.__struct_fields__:
        setattr(interest.position, name, getattr(earlier, name))
    interest.rereserve()
