"""Wire objects of generated markets and events.

A market is rendered by two byte templates: the event fills in what its markets share, and each
market fills in the rest. Texts that go through the first fill must not hold a percent sign.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import msgspec

from .._text import PRICE_BYTES, count_bytes, time_bytes, time_text
from . import states
from .grid import price_ranges
from .series import Kind, Series

if TYPE_CHECKING:
    from .market import Event, Market

_HEAD = (
    b'{"can_close_early":true,"close_time":"%(close)s","created_time":"%(created)s",%%s'
    b'"early_close_condition":"This market will close and expire early if the event occurs.",'
    b'"event_ticker":"%(event)s","exchange_index":%(shard)d,"expected_expiration_time":"%(expected)s",'
    b'"expiration_time":"%(latest)s","expiration_value":"%%s","last_price_dollars":"%%s",'
    b'"latest_expiration_time":"%(latest)s","liquidity_dollars":"0.0000","market_type":"binary",'
    b'"no_ask_dollars":"%%s","no_bid_dollars":"%%s",'
    b'"no_sub_title":"%%s","notional_value_dollars":"1.0000","occurrence_datetime":"%(expected)s",'
    b'"open_interest_fp":"%%s","open_time":"%(open)s","previous_price_dollars":"%%s",'
    b'"previous_yes_ask_dollars":"%%s","previous_yes_bid_dollars":"%%s",%(grid)s"result":"%%s",'
    b'"rules_primary":"If %%s is the outcome of %(title)s, then the market resolves to Yes.",'
    b'%(rules)s"settlement_bounds_type":"default","settlement_timer_seconds":%(timer)d,%%s'
    b'"status":"%(status)s",'
    b'"ticker":"%%s","title":"%%s","updated_time":"%(updated)s","volume_24h_fp":"%%s",'
    b'"volume_fp":"%%s","yes_ask_dollars":"%%s","yes_ask_size_fp":"%%s","yes_bid_dollars":"%%s","yes_bid_size_fp":"%%s",'
    b'"yes_sub_title":"%%s"}'
)
_STATUS = tuple(name.encode() for name in states.NAMES)


@cache
def _grid_json(structure: str) -> bytes:
    ranges = msgspec.json.encode(price_ranges(structure))
    return b'"price_level_structure":"%s","price_ranges":%s,' % (structure.encode(), ranges)


@cache
def _rules_json(series: Series) -> bytes:
    text = (
        f"The following market refers to {series.title} ({series.category}). The outcome is taken "
        f"from {series.source[0]}, {series.source[1]}, as first published for the stated date; "
        "later revisions do not count. If the event is postponed and takes place within 48 hours "
        "of the time it was scheduled for, the market stays open and resolves on the official "
        "final result. If it is not held within 48 hours, or the source does not publish the "
        "figure by the latest expiration time, the market resolves to the fair market price."
        "\n\nThe market may close early once the outcome is known. Persons with access to "
        "material non-public information about the outcome may not trade it."
    )
    return b'"rules_secondary":%s,' % msgspec.json.encode(text)


def event_titles(event: Event) -> tuple[str, str]:
    """Title and sub-title of an event."""
    series = event.series
    day = time_text(event.close)[:10]
    if series.kind is Kind.COMBO:
        return "Combo", ""
    if series.kind is Kind.GAME and event.markets:
        return event.markets[0].strike.question.removesuffix(" Winner?"), day
    return series.title, f"On {day}"


def market_template(event: Event) -> bytes:
    """What the markets of an event share, with holes for the rest."""
    series = event.series
    return _HEAD % {
        b"close": time_bytes(event.close),
        b"created": time_bytes(event.created),
        b"event": event.ticker.encode(),
        b"shard": series.exchange_index,
        b"expected": time_bytes(event.expected),
        b"latest": time_bytes(event.latest),
        b"open": time_bytes(event.open),
        b"grid": _grid_json(series.structure),
        b"title": event_titles(event)[0].encode(),
        b"rules": _rules_json(series),
        b"timer": 60 if series.kind is Kind.GAME else 1800,
        b"status": _STATUS[event.state],
        b"updated": time_bytes(event.updated),
    }


def market_json(template: bytes, market: Market) -> bytes:
    """The JSON object of a market."""
    strike = market.strike
    name = strike.name.encode()
    result, value, settlement = _outcome(market)
    return template % (
        strike.strike.encode(),
        value,
        PRICE_BYTES[market.last],
        PRICE_BYTES[1000 - market.bid],
        PRICE_BYTES[1000 - market.ask],
        name,
        count_bytes(market.open_interest),
        PRICE_BYTES[market.previous],
        PRICE_BYTES[market.previous_ask],
        PRICE_BYTES[market.previous_bid],
        result,
        name,
        settlement,
        market.ticker.encode(),
        strike.question.encode(),
        count_bytes(market.volume_24h),
        count_bytes(market.volume),
        PRICE_BYTES[market.ask],
        count_bytes(market.ask_size),
        PRICE_BYTES[market.bid],
        count_bytes(market.bid_size),
        name,
    )


def _outcome(market: Market) -> tuple[bytes, bytes, bytes]:
    """Result, expiration value and the settlement fields."""
    if market.settlement < 0:
        return b"", b"", b""
    result = {1000: b"yes", 0: b"no"}.get(market.settlement, b"scalar")
    fields = b'"settlement_value_dollars":"%s",' % PRICE_BYTES[market.settlement]
    if market.event.settled:
        fields = b'"settlement_ts":"%s",%s' % (time_bytes(market.event.settled), fields)
    return result, (market.strike.name.encode() if result == b"yes" else b""), fields


def event_json(event: Event, *, nested: bool) -> dict[str, object]:
    """The object of an event; `nested` puts its markets inside."""
    series = event.series
    title, sub_title = event_titles(event)
    shown: dict[str, object] = {
        "available_on_brokers": series.kind is not Kind.COMBO,
        "category": series.category,
        "collateral_return_type": "MECNET" if series.exclusive else "",
        "event_ticker": event.ticker,
        "exchange_index": series.exchange_index,
        "last_updated_ts": time_text(event.updated),
        "mutually_exclusive": series.exclusive,
        "product_metadata": {"competition": series.competition} if series.competition else {},
        "series_ticker": series.ticker,
        "settlement_sources": [{"name": series.source[0], "url": series.source[1]}],
        "strike_period": "",
        "sub_title": sub_title,
        "title": title,
    }
    if series.kind in (Kind.LADDER, Kind.BRACKET):
        shown["strike_date"] = time_text(event.close)
    if nested:
        # Archived markets are only in the historical lists.
        markets = () if event.state == states.ARCHIVED else event.markets
        shown["markets"] = [msgspec.Raw(market.json()) for market in markets]
    return shown
