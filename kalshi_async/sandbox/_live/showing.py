"""Market objects that show what has become of a market, in whichever form they were recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import msgspec

from .._records import DETERMINED, FINALIZED
from .._text import parse_time, time_bytes
from .._units import CONTRACT, ONE, count_text, price_text

Fields = dict[str, msgspec.Raw]
_FIELDS = msgspec.json.Decoder(Fields)
_ENCODER = msgspec.json.Encoder()
NO_BID, NO_ASK = 0, ONE


@dataclass(frozen=True, slots=True)
class Shown:
    """What a market object says that changes, in the units of the engine and in the time it is
    shown in. None leaves a field as it was recorded.
    """

    status: str
    bid: int = NO_BID
    ask: int = NO_ASK
    bid_size: int = 0
    ask_size: int = 0
    last: int | None = None
    previous: tuple[int, int, int] | None = None
    volume: int | None = None
    volume_24h: int | None = None
    open_interest: int | None = None
    value: int = -1
    opens: int = 0
    closes: int = 0
    settled: int = 0
    updated: int = 0


def fields_of(raw: bytes) -> Fields:
    """A market object taken apart."""
    return _FIELDS.decode(raw)


def instant_of(fields: Fields, name: str) -> int:
    """A date of a market object in Unix microseconds, 0 without one."""
    return parse_time(msgspec.json.decode(fields[name])) if name in fields else 0


def patched(fields: Fields, shown: Shown) -> bytes:
    """The object with what has changed in it; `fields` stay as they are."""
    found = fields.copy()
    found["status"] = _text(shown.status)
    prices = {
        "yes_bid": shown.bid,
        "yes_ask": shown.ask,
        "no_bid": ONE - shown.ask,
        "no_ask": ONE - shown.bid,
    }
    if shown.last is not None:
        prices["last_price"] = shown.last
    if shown.previous is not None:
        names = ("previous_price", "previous_yes_bid", "previous_yes_ask")
        prices.update(zip(names, shown.previous, strict=True))
    counts = {
        "volume": shown.volume,
        "volume_24h": shown.volume_24h,
        "open_interest": shown.open_interest,
    }
    for name, price in prices.items():
        _put_price(found, name, price)
    for name, count in counts.items():
        if count is not None:
            _put_count(found, name, count)
    found["yes_bid_size_fp"] = _text(count_text(shown.bid_size))
    found["yes_ask_size_fp"] = _text(count_text(shown.ask_size))
    instants = {
        "open_time": shown.opens,
        "close_time": shown.closes,
        "updated_time": shown.updated,
    }
    for name, instant in instants.items():
        if instant:
            found[name] = _time(instant)
    if shown.status in (DETERMINED, FINALIZED):
        _put_outcome(found, shown)
    return _ENCODER.encode(found)


def _put_outcome(found: Fields, shown: Shown) -> None:
    value = shown.value
    found["result"] = _text({ONE: "yes", 0: "no"}.get(value, "scalar"))
    name = found.get("yes_sub_title", _text(""))
    found["expiration_value"] = name if value == ONE else _text("")
    _put_price(found, "settlement_value", value)
    if shown.status == FINALIZED and shown.settled:
        found["settlement_ts"] = _time(shown.settled)


def _put_price(found: Fields, name: str, price: int) -> None:
    found[name + "_dollars"] = _price(price)
    # Objects recorded in the older form carry whole cents as well.
    if name in found:
        found[name] = msgspec.Raw(b"%d" % (price * 100 // ONE))


def _put_count(found: Fields, name: str, count: int) -> None:
    found[name + "_fp"] = _text(count_text(count))
    if name in found:
        found[name] = msgspec.Raw(b"%d" % (count // CONTRACT))


@cache
def _price(price: int) -> msgspec.Raw:
    return _text(price_text(price))


def _text(value: str) -> msgspec.Raw:
    return msgspec.Raw(b'"%s"' % value.encode())


def _time(instant: int) -> msgspec.Raw:
    return msgspec.Raw(b'"%s"' % time_bytes(instant))


def settlement_timer(fields: Mapping[str, msgspec.Raw]) -> int:
    """Seconds from the determination of a recorded market to its settlement."""
    raw = fields.get("settlement_timer_seconds")
    seconds = msgspec.json.decode(raw) if raw is not None else None
    return seconds if isinstance(seconds, int) and seconds >= 0 else 1800
