"""What happened in one market, minute by minute: the candlesticks of live trading."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .._text import MINUTE

Span = tuple[int, int, int, int]
"""Open, low, high, close."""

# A row: minute, price span (0: no trade), volume, money, bid span, ask span, open interest.
_WIDTH = 16
_PRICE, _VOLUME, _MONEY, _BID, _ASK, _INTEREST = 1, 5, 6, 7, 11, 15
# A week of minutes in each of which something happened, then hours for more than a year.
_MOST_MINUTES = 10_080
_MOST_HOURS = 10_080


@dataclass(frozen=True, slots=True)
class Candle:
    """One period, in the units of the engine: it ends at `end` (Unix seconds)."""

    end: int
    bid: Span
    ask: Span
    price: Span | None
    mean: int
    previous: int | None
    volume: int
    open_interest: int


class Minutes:
    """The minutes of one market since it was activated at `since` (Unix microseconds).

    A minute in which nothing happened takes no room. Beyond a week of eventful minutes the older
    half becomes hours; each of them then counts as the last of its minutes.
    """

    __slots__ = ("_hours", "_last", "_rows", "base_last", "since")

    def __init__(self, since: int, last: int) -> None:
        self.since = since
        self.base_last = last
        self._rows = array("q")
        self._hours = array("q")
        self._last: list[int] = []

    def quote(self, time: int, bid: int, ask: int, interest: int) -> None:
        """The best prices are these from now on (0 and 10000: none)."""
        row = self._row(time, bid, ask, interest)
        _widen(row, _BID, bid)
        _widen(row, _ASK, ask)
        row[_INTEREST] = interest

    def trade(self, time: int, price: int, count: int, interest: int) -> None:
        """A trade took place."""
        row = self._row(time, 0, 10_000, interest)
        if row[_VOLUME]:
            _widen(row, _PRICE, price)
        else:
            row[_PRICE : _PRICE + 4] = [price] * 4
        row[_VOLUME] += count
        row[_MONEY] += price * count
        row[_INTEREST] = interest

    def _row(self, time: int, bid: int, ask: int, interest: int) -> list[int]:
        """The row of this minute. A clock that was set back goes on in the last one."""
        minute = time // MINUTE
        last = self._last
        if last and last[0] >= minute:
            return last
        if last:
            # The quotes of the minute before still stand when the new one begins.
            bid, ask = last[_BID + 3], last[_ASK + 3]
            self._rows.extend(last)
            if len(self._rows) > _MOST_MINUTES * _WIDTH:
                self._fold()
        spans = [0] * 4, [0, 0], [bid] * 4, [ask] * 4
        self._last = [minute, *(value for span in spans for value in span), interest]
        return self._last

    def _fold(self) -> None:
        """Make hours of the older half."""
        half = _MOST_MINUTES // 2 * _WIDTH
        hour = self._rows[half] // 60
        while half < len(self._rows) and self._rows[half] // 60 == hour:
            half += _WIDTH
        for row in _grouped(_cut(self._rows[:half]), 60):
            row[0] = row[0] // 60 * 60 + 59
            self._hours.extend(row)
        del self._rows[:half]
        if len(self._hours) > _MOST_HOURS * _WIDTH:
            del self._hours[: _MOST_HOURS // 2 * _WIDTH]

    # Reading

    def _all(self) -> Iterator[list[int]]:
        yield from _cut(self._hours)
        yield from _cut(self._rows)
        if self._last:
            yield self._last.copy()

    def candles(self, first: int, final: int, minutes: int) -> list[Candle]:
        """A candle for each period from number `first` to `final`; period n is the n-th since 1970
        and ends at n x `minutes`. Periods before the market was activated are left out.
        """
        first = max(first, self.since // MINUTE // minutes + 1)
        found: list[Candle] = []
        known: list[int] | None = None
        price = self.base_last or None
        number = first
        for row in _grouped(self._all(), minutes):
            period = row[0] // minutes + 1
            if period > final:
                break
            while number < period and known is not None:
                found.append(_quiet(number * minutes, known, price))
                number += 1
            if period >= first:
                found.append(_candle(period * minutes, row, price))
                number = period + 1
            known = row
            if row[_VOLUME]:
                price = row[_PRICE + 3]
        while number <= final and known is not None:
            found.append(_quiet(number * minutes, known, price))
            number += 1
        return found

    def volume_since(self, time: int) -> int:
        """What was traded since the minute of `time` began."""
        minute = time // MINUTE
        found = self._last[_VOLUME] if self._last and self._last[0] >= minute else 0
        for at in range(len(self._rows) - _WIDTH, -1, -_WIDTH):
            if self._rows[at] < minute:
                return found
            found += self._rows[at + _VOLUME]
        return found

    def at(self, time: int) -> tuple[int, int, int] | None:
        """Last price, bid and ask at the end of the minute before `time`; None when that is before
        the market was activated. The price is 0 as long as nothing was traded.
        """
        minute = time // MINUTE
        if self.since // MINUTE >= minute:
            return None
        price, bid, ask = self.base_last, 0, 10_000
        for row in self._all():
            if row[0] >= minute:
                break
            price = row[_PRICE + 3] or price
            bid, ask = row[_BID + 3], row[_ASK + 3]
        return price, bid, ask

    def __len__(self) -> int:
        """How many minutes and hours are kept."""
        return (len(self._rows) + len(self._hours) + len(self._last)) // _WIDTH


def _widen(row: list[int], at: int, value: int) -> None:
    if value < row[at + 1]:
        row[at + 1] = value
    if value > row[at + 2]:
        row[at + 2] = value
    row[at + 3] = value


def _cut(rows: array[int]) -> Iterator[list[int]]:
    for at in range(0, len(rows), _WIDTH):
        yield rows[at : at + _WIDTH].tolist()


def _grouped(rows: Iterator[list[int]], minutes: int) -> Iterator[list[int]]:
    """Rows of the same period added up; each keeps the number of its last minute."""
    held: list[int] | None = None
    for row in rows:
        if held is not None and held[0] // minutes == row[0] // minutes:
            _add(held, row)
            continue
        if held is not None:
            yield held
        held = row
    if held is not None:
        yield held


def _add(row: list[int], later: Sequence[int]) -> None:
    """Go on with what happened later in the same period."""
    row[0], row[_INTEREST] = later[0], later[_INTEREST]
    starts = [_BID, _ASK]
    if later[_VOLUME]:
        if row[_VOLUME]:
            starts.append(_PRICE)
        else:
            row[_PRICE : _PRICE + 4] = later[_PRICE : _PRICE + 4]
    for at in starts:
        row[at + 1] = min(row[at + 1], later[at + 1])
        row[at + 2] = max(row[at + 2], later[at + 2])
        row[at + 3] = later[at + 3]
    row[_VOLUME] += later[_VOLUME]
    row[_MONEY] += later[_MONEY]


def _span(row: Sequence[int], at: int) -> Span:
    return row[at], row[at + 1], row[at + 2], row[at + 3]


def _candle(end: int, row: Sequence[int], previous: int | None) -> Candle:
    volume = row[_VOLUME]
    return Candle(
        end=end * 60,
        bid=_span(row, _BID),
        ask=_span(row, _ASK),
        price=_span(row, _PRICE) if volume else None,
        mean=row[_MONEY] // volume if volume else 0,
        previous=previous,
        volume=volume,
        open_interest=row[_INTEREST],
    )


def _quiet(end: int, row: Sequence[int], previous: int | None) -> Candle:
    """A period in which nothing happened: the quotes stand as they were."""
    bid, ask = row[_BID + 3], row[_ASK + 3]
    return Candle(
        end=end * 60,
        bid=(bid,) * 4,
        ask=(ask,) * 4,
        price=None,
        mean=0,
        previous=previous,
        volume=0,
        open_interest=row[_INTEREST],
    )


def joined(first: Candle, second: Candle) -> Candle:
    """Two parts of one period: what the catalog tells of it, then what was traded here."""
    if first.price is None or second.price is None:
        price = second.price or first.price
    else:
        price = _joined(first.price, second.price)
    volume = first.volume + second.volume
    money = first.mean * first.volume + second.mean * second.volume
    return Candle(
        end=second.end,
        bid=_joined(first.bid, second.bid),
        ask=_joined(first.ask, second.ask),
        price=price,
        mean=money // volume if volume else 0,
        previous=first.previous,
        volume=volume,
        open_interest=second.open_interest,
    )


def _joined(first: Span, second: Span) -> Span:
    return first[0], min(first[1], second[1]), max(first[2], second[2]), second[3]
