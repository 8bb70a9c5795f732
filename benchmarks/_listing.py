"""A market list of any size as ready bytes, in the shape and density of the exchange's own.

Pure: no I/O and no clock. A template of a few thousand markets is rendered once; pages are slices
of it, and lists longer than the template repeat it with the ticker and the creation time of each
market patched in place, so that a million distinct markets cost the memory of the template alone.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

MAX_LIMIT = 1_000
DEFAULT_LIMIT = 100

_NEWEST = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_NEWEST_US = int(_NEWEST.timestamp()) * 1_000_000
_SPAN_US = 300 * 86_400 * 1_000_000
_YOUNGEST_US = 60 * 1_000_000 + 733_307
_MARKETS_AN_EVENT = 4
_TICKER_DIGITS = 7
_TIME_WIDTH = len("2026-11-20T12:00:00.000000Z")

_SERIES = (
    ("KXHIGHNY", "the highest temperature recorded in Central Park", "degrees"),
    ("KXFEDRATE", "the upper bound of the federal funds target range", "percent"),
    ("KXBTCDAY", "the reference price of bitcoin at the end of the day", "dollars"),
    ("KXNBAPTS", "the points scored by the visiting team's leading player", "points"),
    ("KXJOBLESSW", "initial jobless claims in the weekly release", "claims"),
)
_SECONDARY = (
    "The outcome is the source agency's first publication for the stated period; later revisions "
    "change nothing."
)


@dataclass(frozen=True)
class Query:
    """One `GET /markets`, as far as a list of open markets is concerned.

    `min_created_ts` and `max_created_ts` are Unix seconds, both inclusive. `start` is the position
    that a cursor named, or None for the first page.
    """

    limit: int = DEFAULT_LIMIT
    start: int | None = None
    min_created_ts: int | None = None
    max_created_ts: int | None = None


@dataclass
class Listing:
    """`size` open markets, newest first, rendered from a template of at most `template` markets."""

    size: int
    template: int = 20_000
    _text: memoryview = field(init=False, repr=False)
    _offsets: list[int] = field(init=False, repr=False)
    _ticker_at: list[int] = field(init=False, repr=False)
    _created_at: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"a listing needs at least one market, got size={self.size}")
        self.template = min(self.template, self.size)
        text = bytearray()
        self._offsets, self._ticker_at, self._created_at = [], [], []
        for index in range(self.template):
            body = json.dumps(market(index, self.created(index)), separators=(",", ":")).encode()
            begin = len(text)
            self._offsets.append(begin)
            head = b'"ticker":"'
            self._ticker_at.append(
                begin + body.index(b'"', body.index(head) + len(head)) - _TICKER_DIGITS
            )
            head = b'"created_time":"'
            self._created_at.append(begin + body.index(head) + len(head))
            text += body + b","
        self._offsets.append(len(text))
        self._text = memoryview(bytes(text))

    def age_us(self, index: int) -> int:
        """Microseconds between the newest instant and market `index`; never falls with `index`.

        Cubic, so that most markets are young as on the exchange; the markets of one event share it.
        """
        events = (self.size - 1) // _MARKETS_AN_EVENT + 1
        event = index // _MARKETS_AN_EVENT + 1
        return int(_YOUNGEST_US + _SPAN_US * event**3 // events**3)

    def created(self, index: int) -> str:
        """The creation time of market `index` as the exchange writes it."""
        return _rfc3339(self.age_us(index))

    def ticker(self, index: int) -> str:
        """The ticker of market `index`."""
        return _ticker(index % self.template, index)

    def window(self, query: Query) -> tuple[int, int]:
        """First and one past the last position of the markets that `query`'s time bounds admit."""
        every = range(self.size)
        start, stop = 0, self.size
        if query.max_created_ts is not None:
            start = bisect_left(
                every, _NEWEST_US - query.max_created_ts * 1_000_000, key=self.age_us
            )
        if query.min_created_ts is not None:
            stop = bisect_right(
                every, _NEWEST_US - query.min_created_ts * 1_000_000, key=self.age_us
            )
        return start, max(start, stop)

    def page(self, query: Query) -> list[bytes | memoryview]:
        """The body of the answer to `query`, in pieces to be written one after another."""
        start, stop = self.window(query)
        if query.start is not None:
            start = min(max(start, query.start), stop)
        end = min(stop, start + max(1, min(query.limit, MAX_LIMIT)))
        cursor = f"k{end:09d}" if end < stop else ""
        head = f'{{"cursor":"{cursor}","markets":['.encode()
        return [head, *self._rendered(start, end), b"]}"]

    def _rendered(self, start: int, end: int) -> Sequence[bytes | memoryview]:
        pieces: list[bytes | memoryview] = []
        while start < end:
            offset = start % self.template
            count = min(end - start, self.template - offset)
            pieces.append(self._slice(start, offset, count))
            start += count
        if pieces:
            pieces[-1] = pieces[-1][:-1]
        return pieces

    def _slice(self, index: int, offset: int, count: int) -> bytes | memoryview:
        begin = self._offsets[offset]
        text = self._text[begin : self._offsets[offset + count]]
        if self.size == self.template:
            return text
        patched = bytearray(text)
        for step in range(count):
            at = self._ticker_at[offset + step] - begin
            patched[at : at + _TICKER_DIGITS] = b"%07d" % (index + step)
            at = self._created_at[offset + step] - begin
            patched[at : at + _TIME_WIDTH] = self.created(index + step).encode()
        return memoryview(patched)


def start_of(cursor: str) -> int | None:
    """The position a cursor names; None for an empty or unknown one, which starts over."""
    digits = cursor[1:]
    return int(digits) if cursor.startswith("k") and digits.isdigit() else None


def market(index: int, created: str) -> dict[str, object]:
    """One open market with every field that it carries on the wire, about 1.8 KB of JSON."""
    series, subject, unit = _SERIES[index // _MARKETS_AN_EVENT % len(_SERIES)]
    event = f"{series}-26DEC{index // _MARKETS_AN_EVENT % 28 + 1:02d}"
    strike = 20 + index * 7 % 900 / 2
    bid = 1 + index * 37 % 97
    close = _NEWEST + timedelta(days=11 + index % 60, minutes=index % 7 * 5)
    volume = index * 7_919 % 4_000_000
    outcome = f"{strike:g} {unit} or above"
    return {
        "can_close_early": True,
        "close_time": _stamp(close),
        "created_time": created,
        "early_close_condition": "This market closes early once the outcome has been published.",
        "event_ticker": event,
        "exchange_index": 0,
        "expected_expiration_time": _stamp(close + timedelta(hours=1)),
        "expiration_time": _stamp(close + timedelta(days=7)),
        "expiration_value": "",
        "floor_strike": strike,
        "fractional_trading_enabled": True,
        "last_price_dollars": _cents(bid),
        "latest_expiration_time": _stamp(close + timedelta(days=7)),
        "liquidity_dollars": "0.0000",
        "market_type": "binary",
        "no_ask_dollars": _cents(100 - bid),
        "no_bid_dollars": _cents(99 - bid),
        "no_sub_title": f"Below {strike:g} {unit}",
        "notional_value_dollars": "1.0000",
        "occurrence_datetime": _stamp(close),
        "open_interest_fp": _count(volume // 3),
        "open_time": created,
        "previous_price_dollars": _cents(max(1, bid - 2)),
        "previous_yes_ask_dollars": _cents(max(2, bid - 1)),
        "previous_yes_bid_dollars": _cents(max(1, bid - 2)),
        "price_level_structure": "linear_cent",
        "price_ranges": [{"end": "1.0000", "start": "0.0000", "step": "0.0100"}],
        "response_price_units": "usd_cent",
        "result": "",
        "rules_primary": (
            f"If {subject} is at least {strike:g} {unit} on {close:%b %d, %Y}, as reported by the "
            "source agency, then the market resolves to Yes."
        ),
        "rules_secondary": _SECONDARY,
        "settlement_bounds_type": "default",
        "settlement_timer_seconds": 1800,
        "status": "active",
        "strike_type": "greater_or_equal",
        "ticker": _ticker(index, index),
        "title": f"Will {subject} be {outcome} on {close:%b %d}?",
        "updated_time": created,
        "volume_24h_fp": _count(volume // 11),
        "volume_fp": _count(volume),
        "yes_ask_dollars": _cents(bid + 1),
        "yes_ask_size_fp": _count(index * 613 % 900_000),
        "yes_bid_dollars": _cents(bid),
        "yes_bid_size_fp": _count(index * 311 % 900_000),
        "yes_sub_title": outcome,
    }


def _ticker(template_index: int, index: int) -> str:
    series = _SERIES[template_index // _MARKETS_AN_EVENT % len(_SERIES)][0]
    day = template_index // _MARKETS_AN_EVENT % 28 + 1
    return f"{series}-26DEC{day:02d}-T{index:0{_TICKER_DIGITS}d}"


def _cents(price: int) -> str:
    return f"{price // 100}.{price % 100:02d}00"


def _count(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _rfc3339(age_us: int) -> str:
    moment = _NEWEST - timedelta(microseconds=age_us)
    return f"{moment.isoformat(timespec='microseconds')[:26]}Z"
