"""What a ticker says: series, date, strike, outcome, and which of its parts nobody can read.

    KXFED-26MAR19                          series, date
    KXBTC-26MAR14-100000                   series, date, strike
    KXWTIH-26JUN1102-T91.89                series, date, hour, strike with its prefix
    KXMLBGAME-26AUG081505ATLNYY-NYY        series, date, time, participants, outcome
    KXMLBHIT-26JUN111310AZMIA-AZKMARTE4-2  ... outcome and strike

A ticker is a name, not a record: the fields of the market (`event_ticker`, `floor_strike`,
`close_time`) decide what it trades. What has more than one reading is kept as text, never guessed.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from .._amounts import shown
from .._errors import InvalidRequestError
from ._series_prefixes import SERIES_PREFIXES, SeriesPrefix

__all__ = ["SERIES_PREFIXES", "SeriesPrefix", "Ticker", "build", "describe", "parse"]

_LONGEST = 128
_SHAPE = re.compile(r"(?=[0-9]*[A-Z])[A-Z0-9]+(?:-[A-Z0-9.]+)*")
_DAY = re.compile(r"([0-9]{2})([A-Z]{3})([0-9]{2})(.*)")
_PERIOD = re.compile(r"[0-9]{2}(?:([A-Z]{3})|Q[1-4])?")
_H_CLOCK = re.compile(r"H([0-9]+)")
# Digits right after the day are a clock when they are HH alone or HHMM; any other number of them
# could as well begin the name of a team.
_TAIL = re.compile(r"([0-9]{4})?([A-Z][A-Z0-9]*)?|([0-9]{2})")
_NUMBER = re.compile(r"([TB]?)([0-9]+(?:\.[0-9]+)?|\.[0-9]+)")
_PREFIXES = ("T", "B")
_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}

# The demo exchange writes this series 11JUN26H0210 where Kalshi's documentation has 26JAN25H2150.
_EITHER_ORDER = frozenset({"KXQUICKSETTLE"})
_FIRST_YEAR = 2021  # the exchange opened then


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticker:
    """A ticker and what it says. ``str(ticker)`` is the text that was parsed.

    Attributes:
        text: The whole.
        series: Its series ticker: the part before the first hyphen.
        event: The event ticker; None for a series. Unless ``parse`` was told the event, series and
            next part are taken for it.
        market: What follows the event in the ticker of a market. None says only that nothing does:
            the market of an event that has just one may bear the event's own ticker.
        date: The day that a part YYMMMDD names, in years 2000 to 2099; games and expirations bear
            the date in Eastern time, which may not be the day of ``close_time`` in UTC. Dates in
            the suffix of a market are left in ``outcome``.
        time: The clock after the date (HH, HHMM or HHHMM with a literal H). Without a zone, since
            the ticker names none; recorded markets show Eastern time, daylight saving included.
        period: What stands for a date where no day is named: a year (``"26"``, always 20YY), a
            quarter (``"26Q1"``) or a month (``"26MAR"``).
        participants: Letters right after the date and the clock, ``"ATLNYY"``: in games the codes
            of the two sides, undivided, for codes differ in length.
        outcome: The part of the market suffix that is no number: ``"NYY"``, ``"AZKMARTE4"``.
        strike: The number that ends the market suffix, as written. It need not be the market's
            strike: "2 or more hits" is written 2 with a floor strike of 1.5, and a bare number may
            be an ordinal or a minute.
        strike_prefix: ``"T"`` (written for thresholds), ``"B"`` (for ranges, with a number inside
            them) or ``""``; None without a strike.
        combo: Whether it is a multivariate one (series ``KXMVE…``), whose ids say nothing.
        unparsed: The parts without a single sure reading, in their order.
    """

    text: str
    series: str
    event: str | None = None
    market: str | None = None
    date: dt.date | None = None
    time: dt.time | None = None
    period: str | None = None
    participants: str | None = None
    outcome: str | None = None
    strike: Decimal | None = None
    strike_prefix: str | None = None
    combo: bool = False
    unparsed: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


def describe(series: str) -> SeriesPrefix | None:
    """What a well-known series is about; None for any other.

    Only the exact series counts: KXBTCD begins with KXBTC and is another series, and nothing in
    the name tells it from a part of KXBTC.

    Args:
        series: A series ticker, such as ``parse(text).series``.
    """
    return SERIES_PREFIXES.get(series) if isinstance(series, str) else None


def parse(text: str, *, event: str | None = None) -> Ticker:
    """Reads the ticker of a series, an event or a market.

    Args:
        text: The ticker, as the exchange writes it.
        event: The market's ``event_ticker``, where it is known. Without it the event is taken to
            end with the second part, as nearly all do; some go on (``KXNFLWINS-IND-25B-T8``).

    Raises:
        InvalidRequestError: No ticker by its shape (capital letters, digits and dots between
            single hyphens, at most 128 characters); a date that is on no calendar; or a market
            that is not in ``event``.
    """
    _check_shape(text)
    series, *parts = text.split("-")
    size = 1 if event is None else _event_size(text, event)
    head, suffix = parts[:size], parts[size:]
    combo = series.startswith("KXMVE")
    when = _read_event(text, series, head[0]) if head else _Event()
    # The ids of combos are hexadecimal: now and then one would pass for a number.
    tail = _Suffix() if combo else _read_suffix(suffix, when.participants)
    return Ticker(
        text=text,
        series=series,
        event=event or (f"{series}-{head[0]}" if head else None),
        market="-".join(suffix) or None,
        date=when.date,
        time=when.time,
        period=when.period,
        participants=when.participants,
        outcome=tail.outcome,
        strike=tail.strike,
        strike_prefix=tail.prefix,
        combo=combo,
        unparsed=(*when.unparsed, *head[1:], *(suffix if combo else ())),
    )


def build(
    series: str,
    date: dt.date | None = None,
    time: dt.time | None = None,
    participants: str | None = None,
    strike: Decimal | str | int | None = None,
    strike_prefix: str = "",
    outcome: str | None = None,
    *,
    period: str | None = None,
    hour_only: bool = False,
) -> str:
    """Writes a ticker that ``parse`` reads back into these very parts.

    Args:
        series: The series ticker.
        date: The day, in years 2000 to 2099.
        time: The clock of the event, in Eastern time; whole minutes, without a zone.
        participants: Codes of the two sides, together.
        strike: A number; its digits are written as they are (``"4.00"`` stays 4.00).
        strike_prefix: ``"T"``, ``"B"`` or ``""``. A negative strike needs one.
        outcome: The name of an outcome.
        period: Instead of a date: ``"26"``, ``"26Q1"`` or ``"26MAR"``.
        hour_only: Writes 14:00 as 14, as hourly series do, not as 1400.

    Raises:
        InvalidRequestError: A part that has no place in a ticker, or parts that would be read
            otherwise once they are written together.
    """
    for name, part in (
        ("series", series),
        ("participants", participants),
        ("outcome", outcome),
        ("period", period),
    ):
        if part is not None and (not isinstance(part, str) or not part):
            raise InvalidRequestError(f"{name} is {shown(part)}; expected text that is not empty")
    number = None if strike is None else _strike(strike, strike_prefix)
    if date is not None and period is not None:
        raise InvalidRequestError("date and period are both given; a ticker has one of them")
    if date is None and (time is not None or participants is not None):
        raise InvalidRequestError("time and participants stand after a date: pass date= as well")
    if date is None and period is None and (number is not None or outcome is not None):
        raise InvalidRequestError("strike and outcome stand after an event: pass date= or period=")
    stem = period or ""
    if date is not None:
        clock = "" if time is None else _clock_text(time, hour_only)
        stem = f"{_date_text(date)}{clock}{participants or ''}"
    tail = None if number is None else f"{strike_prefix}{number:f}"
    text = "-".join(part for part in (series, stem, outcome, tail) if part)
    read = parse(text)
    prefix = None if number is None else strike_prefix
    wanted = (series, date, time, period, participants, outcome, number, prefix, ())
    if wanted != _parts(read):
        raise InvalidRequestError(
            f"these parts make {shown(text)}, which would be read as something else: {read!r}"
        )
    return text


class _Event(NamedTuple):
    """What the second part of a ticker says."""

    date: dt.date | None = None
    time: dt.time | None = None
    period: str | None = None
    participants: str | None = None
    unparsed: tuple[str, ...] = ()


class _Suffix(NamedTuple):
    """What the parts after the event say."""

    outcome: str | None = None
    strike: Decimal | None = None
    prefix: str | None = None


def _check_shape(text: str) -> None:
    if not isinstance(text, str):
        raise InvalidRequestError(
            f"ticker is a {type(text).__name__}; expected text such as 'KXFED-26MAR19'"
        )
    if len(text) > _LONGEST:
        raise InvalidRequestError(
            f"ticker has {len(text)} characters; expected {_LONGEST} at the most"
        )
    if _SHAPE.fullmatch(text):
        return
    hint = "; it is in lower case" if _SHAPE.fullmatch(text.upper()) else ""
    raise InvalidRequestError(
        f"ticker is {shown(text)}; expected capital letters, digits and dots between single "
        f"hyphens, such as 'KXBTC-26MAR14-100000'{hint}"
    )


def _event_size(text: str, event: str) -> int:
    """How many parts after the series belong to the event."""
    if isinstance(event, str) and event and (text == event or text.startswith(f"{event}-")):
        return event.count("-")
    raise InvalidRequestError(
        f"event is {shown(event)}; expected the ticker that {shown(text)} begins with"
    )


def _read_event(text: str, series: str, part: str) -> _Event:
    found = _DAY.fullmatch(part)
    month = _MONTHS.get(found[2]) if found else None
    if found is None or month is None:
        period = _PERIOD.fullmatch(part)
        if period and (period[1] is None or period[1] in _MONTHS):
            return _Event(period=part)
        return _Event(unparsed=(part,))
    first, last, tail = int(found[1]), int(found[3]), found[4]
    date = _calendar(first, month, last)
    if series in _EITHER_ORDER and _H_CLOCK.fullmatch(tail):
        days = {date, _calendar(last, month, first)} - {None}
        likely = [day for day in days if day and day.year >= _FIRST_YEAR]
        if days and len(likely) != 1:
            return _Event(unparsed=(part,))
        date = likely[0] if likely else None
    if date is None:
        raise InvalidRequestError(
            f"ticker is {shown(text)}; {part[:7]} is no day of the calendar "
            "(expected YYMMMDD, such as 26MAR19)"
        )
    return _read_tail(date, tail)


def _read_tail(date: dt.date, tail: str) -> _Event:
    if not tail:
        return _Event(date)
    literal = _H_CLOCK.fullmatch(tail)
    if literal:
        time = _clock(literal[1]) if len(literal[1]) == 4 else None
        return _Event(date, time, unparsed=() if time else (tail,))
    found = _TAIL.fullmatch(tail)
    if found is None:
        return _Event(date, unparsed=(tail,))
    digits = found[1] or found[3]
    time = _clock(digits) if digits else None
    if digits and time is None:
        return _Event(date, unparsed=(tail,))
    return _Event(date, time, participants=found[2])


def _read_suffix(parts: list[str], participants: str | None) -> _Suffix:
    if not parts:
        return _Suffix()
    found = _NUMBER.fullmatch(parts[-1])
    if found is None or (found[1] and _is_side(parts, participants)):
        return _Suffix("-".join(parts))
    prefix, number, before = found[1], Decimal(found[2]), parts[:-1]
    # KXGDP-25APR30-T-1.5: the hyphen is the sign of the number.
    if not prefix and before and before[-1] in _PREFIXES:
        prefix, number = before.pop(), number.copy_negate()
    return _Suffix("-".join(before) or None, number, prefix)


def _is_side(parts: list[str], participants: str | None) -> bool:
    """Whether a suffix such as T1 is one of the two sides: a team bears that name."""
    if participants is None or len(parts) > 1:
        return False
    return participants.startswith(parts[0]) or participants.endswith(parts[0])


def _calendar(year: int, month: int, day: int) -> dt.date | None:
    """The day in a year of two digits; None where that month has no such day."""
    try:
        return dt.date(2000 + year, month, day)
    except ValueError:
        return None


def _clock(digits: str) -> dt.time | None:
    """HH or HHMM; None where it is no time of day."""
    hour, minute = int(digits[:2]), int(digits[2:] or 0)
    return dt.time(hour, minute) if hour < 24 and minute < 60 else None


def _parts(read: Ticker) -> tuple[object, ...]:
    return (
        read.series,
        read.date,
        read.time,
        read.period,
        read.participants,
        read.outcome,
        read.strike,
        read.strike_prefix,
        read.unparsed,
    )


def _date_text(date: dt.date) -> str:
    # A datetime is a date as well, but its day depends on a zone.
    if isinstance(date, dt.datetime) or not isinstance(date, dt.date):
        raise InvalidRequestError(f"date is a {type(date).__name__}; expected datetime.date")
    if not 2000 <= date.year <= 2099:
        raise InvalidRequestError(f"date is {date}; tickers have room for years 2000 to 2099")
    return f"{date.year % 100:02d}{_NAMES[date.month - 1]}{date.day:02d}"


def _clock_text(time: dt.time, hour_only: bool) -> str:
    if not isinstance(time, dt.time):
        raise InvalidRequestError(f"time is a {type(time).__name__}; expected datetime.time")
    if time.tzinfo or time.second or time.microsecond or (hour_only and time.minute):
        finest = "hours" if hour_only else "minutes"
        raise InvalidRequestError(f"time is {time}; expected whole {finest} without a zone")
    return f"{time.hour:02d}" if hour_only else f"{time.hour:02d}{time.minute:02d}"


def _strike(strike: Decimal | str | int, prefix: str) -> Decimal:
    if isinstance(strike, bool) or not isinstance(strike, Decimal | str | int):
        raise InvalidRequestError(
            f"strike is a {type(strike).__name__}; expected text, a Decimal or an integer"
        )
    if prefix not in ("", *_PREFIXES):
        raise InvalidRequestError(f"strike_prefix is {shown(prefix)}; expected 'T', 'B' or ''")
    try:
        # Long digit strings take time to read, and no ticker has room for them.
        number = Decimal(strike) if not isinstance(strike, str) or len(strike) < 40 else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or not _writable(number):
        raise InvalidRequestError(
            f"strike is {shown(strike)}; expected a number of less than 40 digits, such as '4.25'"
        )
    if number.is_signed() and not prefix:
        raise InvalidRequestError(
            "a negative strike needs strike_prefix 'T' or 'B' before its sign"
        )
    return number


def _writable(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return abs(number.adjusted()) < 40 and isinstance(exponent, int) and abs(exponent) < 40
