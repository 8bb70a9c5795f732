"""Exact text for prices, counts, times and identifiers, and the hash everything generated comes
from.

Prices are whole ticks of $0.001 (0..1000), counts are hundredths of a contract, times are Unix
microseconds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b, shake_128

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

PRICE_BYTES = tuple(b"%d.%03d0" % divmod(tick, 1000) for tick in range(1001))
PRICE = tuple(text.decode() for text in PRICE_BYTES)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATES: dict[int, bytes] = {}
_MINUTES: dict[int, bytes] = {}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def count_bytes(hundredths: int) -> bytes:
    """A contract count with its two decimals: 1234 is ``12.34``."""
    return b"%d.%02d" % divmod(hundredths, 100) if hundredths else b"0.00"


def _date_bytes(day: int) -> bytes:
    text = _DATES.get(day)
    if text is None:
        if len(_DATES) > 20_000:
            _DATES.clear()
        text = (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%d").encode()
        _DATES[day] = text
    return text


def time_bytes(micros: int) -> bytes:
    """RFC 3339 in UTC; the fraction is written only where there is one, as the exchange does."""
    minute, rest = divmod(micros, MINUTE)
    head = _MINUTES.get(minute)
    if head is None:
        if len(_MINUTES) > 50_000:
            _MINUTES.clear()
        day, of_day = divmod(minute, 1440)
        head = _MINUTES[minute] = b"%sT%02d:%02d:" % (_date_bytes(day), *divmod(of_day, 60))
    if not rest:
        return head + b"00Z"
    second, fraction = divmod(rest, SECOND)
    return b"%s%02d.%06dZ" % (head, second, fraction) if fraction else b"%s%02dZ" % (head, second)


def time_text(micros: int) -> str:
    """As `time_bytes`, as text."""
    return time_bytes(micros).decode()


def to_micros(moment: datetime) -> int:
    """Unix microseconds of an aware datetime; a naive one is a ValueError."""
    if moment.tzinfo is None:
        raise ValueError(
            f"now={moment!r} has no time zone; give an aware datetime, e.g. with tzinfo=UTC"
        )
    return (moment - _EPOCH) // timedelta(microseconds=1)


def parse_time(text: object) -> int:
    """Unix microseconds of an RFC 3339 text, 0 for anything that is not one."""
    if not isinstance(text, str):
        return 0
    try:
        moment = datetime.fromisoformat(text)
        return to_micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return 0


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime of Unix microseconds."""
    return _EPOCH + timedelta(microseconds=micros)


def ticker_date(micros: int) -> str:
    """The date as tickers write it: ``26MAR19``."""
    year, month, day = _date_bytes(micros // DAY).split(b"-")
    return f"{year[2:].decode()}{_MONTHS[int(month) - 1]}{day.decode()}"


def digest(key: int, salt: int, size: int = 32) -> bytes:
    """Reproducible random bytes for one thing of the catalog."""
    return blake2b(
        key.to_bytes(8, "little") + salt.to_bytes(4, "little"), digest_size=size
    ).digest()


def stream(key: int, salt: int, size: int) -> bytes:
    """As `digest`, of any size."""
    return shake_128(key.to_bytes(8, "little") + salt.to_bytes(4, "little")).digest(size)


def uuid_text(raw: bytes) -> str:
    """Sixteen bytes in the shape of a UUID."""
    text = raw[:16].hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"


def named_uuid(name: str) -> str:
    """The UUID that always belongs to this name."""
    return uuid_text(blake2b(name.encode(), digest_size=16).digest())
