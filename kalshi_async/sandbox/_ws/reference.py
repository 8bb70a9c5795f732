"""Reference prices that markets settle on: crypto indices and commodities, made up from the seed.

A price is a pure function of (seed, name, instant): noise on several time scales around a level,
each scale a polyline between points drawn by hash. All of it is whole numbers, so that every
machine finds the same digits. Instants are Unix milliseconds, prices a number of $0.00000001.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import msgspec

_UNIT = 100_000_000
_MILLION = 1_000_000
_MINUTE = 60_000
_QUARTER = 15 * _MINUTE
SECOND_MS, FIFTH_MS = 1000, 200
# (period in ms, how far this scale moves the price, in millionths of it)
_SCALES = (
    (86_400_000, 30_000),
    (3_600_000, 8_000),
    (600_000, 3_000),
    (60_000, 900),
    (5_000, 200),
    (200, 30),
)
_CRYPTO = {
    "BRTI": 98_000,
    "ETHUSD_RTI": 3_900,
    "SOLUSD_RTI": 190,
    "XRPUSD_RTI": 2,
    "DOGEUSD_RTI": 1,
    "BCHUSD_RTI": 520,
    "LTCUSD_RTI": 95,
    "LINKUSD_RTI": 18,
    "AVAXUSD_RTI": 30,
}
_FAST = ("BRTI", "ETHUSD_RTI", "SOLUSD_RTI", "XRPUSD_RTI", "DOGEUSD_RTI")
_COMMODITIES = {
    "Metal.XAU/USD": 4_100,
    "Metal.XAG/USD": 50,
    "Metal.XPT/USD": 1_550,
    "Metal.XPD/USD": 1_400,
    "Metal.Index.GOLD/USD": 4_100,
    "Metal.Index.SILVER/USD": 50,
    "Commodities.Index.PYTHOIL/USD": 64,
    "Commodities.Index.BRENT/USD": 68,
    "Commodities.Index.NATGAS/USD": 4,
    "Commodities.Index.CU/USD": 5,
}
_LEVELS = _CRYPTO | _COMMODITIES
_encode = msgspec.json.Encoder().encode


class Source(NamedTuple):
    """A channel of reference prices: what it lists, and how often each of them comes."""

    names: tuple[str, ...]
    every_ms: int


SOURCES = {
    "cfbenchmarks_value": Source(tuple(_CRYPTO), SECOND_MS),
    "cfbenchmarks_value_5hz": Source(_FAST, FIFTH_MS),
    "pyth_value": Source(tuple(_COMMODITIES), SECOND_MS),
}


def reference_price(seed: int, name: str, instant: int) -> int:
    """The price of something `SOURCES` lists."""
    level = _LEVELS[name] * _UNIT
    moved = 0
    for number, (period, reach) in enumerate(_SCALES):
        cell, into = divmod(instant, period)
        left = _drawn(seed, name, number, cell)
        right = _drawn(seed, name, number, cell + 1)
        moved += reach * (left * (period - into) + right * into) // period
    return level + level * moved // (_MILLION * _MILLION)


@lru_cache(maxsize=1 << 14)
def _drawn(seed: int, name: str, scale: int, cell: int) -> int:
    """A number from -1,000,000 to 1,000,000 that belongs to one point of one scale."""
    raw = blake2b(f"{seed}/{name}/{scale}/{cell}".encode(), digest_size=8).digest()
    return int.from_bytes(raw, "little") % (2 * _MILLION + 1) - _MILLION


@lru_cache(maxsize=256)
def reference_message(seed: int, channel: str, name: str, instant: int) -> bytes:
    """The message of a tick; `instant` is a multiple of how often the channel ticks."""
    price = reference_price(seed, name, instant)
    received = instant + 15 + price % 40
    if channel == "pyth_value":
        return _encode(
            {
                "underlying_ticker": name,
                "value_usd": price_digits(price),
                "source_ts_ms": instant,
                "received_at": received,
            }
        )
    # The index provider's own frame, as text inside the message.
    raw = {"type": "value", "id": name, "value": price_digits(price), "time": instant}
    msg: dict[str, object] = {
        "index_id": name,
        "received_at": received,
        "data": _encode(raw).decode(),
    }
    if channel == "cfbenchmarks_value_5hz":
        return _encode(msg | {"value_usd": price_digits(price), "source_ts_ms": instant})
    msg["avg_60s_data"] = _average(seed, name, instant - _MINUTE, instant)
    past = instant % _QUARTER
    if past == 0 or past > _QUARTER - _MINUTE:
        close = instant if past == 0 else instant - past + _QUARTER
        # The tick that opens the minute is not part of it, the one that closes it is.
        first = close - _MINUTE + SECOND_MS
        msg["last_60s_windowed_average_15min"] = _average(seed, name, first, instant + SECOND_MS)
    return _encode(msg)


def _average(seed: int, name: str, start: int, end: int) -> dict[str, object]:
    """The mean of the ticks of every second from `start` to before `end`."""
    prices = [_ticked(seed, name, instant) for instant in range(start, end, SECOND_MS)]
    return {
        "value": price_digits(sum(prices) // len(prices)),
        "window_size": len(prices),
        "window_start_ts_ms": start,
        "window_end_ts_exclusive": end,
    }


@lru_cache(maxsize=1 << 12)
def _ticked(seed: int, name: str, instant: int) -> int:
    return reference_price(seed, name, instant)


def price_digits(price: int) -> str:
    """A price in dollars with its eight decimals."""
    return f"{price // _UNIT}.{price % _UNIT:08d}"
