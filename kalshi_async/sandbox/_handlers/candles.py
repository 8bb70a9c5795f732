"""Handlers of candlesticks: one market, several, an event, and the historical form."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Container, Sequence

from .._call import Call
from .._catalog.market import Market
from .._catalog.tape import candles_of, periods
from .._errors import bad_request, invalid_field, not_found
from .._live.minutes import Candle
from .._live.view import in_units
from .._units import count_text, price_text

_PERIODS = (1, 60, 1440)
_MOST_SINGLE = 5_000
_MOST_BATCH = 10_000
_NAMES = ("open", "low", "high", "close")


def period_range(call: Call, allowed: Container[int]) -> tuple[int, int, int]:
    """Start, end and period in minutes, which has to be an allowed one."""
    params = call.params
    start, end = params.needed("start_ts"), params.needed("end_ts")
    minutes = params.needed("period_interval")
    if minutes not in allowed:
        raise invalid_field(params.operation, "period_interval", "oneof")
    if start > end:
        raise bad_request("start_ts must not be after end_ts")
    return start, end, minutes


def _check_size(start: int, end: int, minutes: int, most: int) -> None:
    if periods(start, end, minutes) > most:
        raise bad_request(f"requested time range exceeds {most} candlesticks")


def _span(values: tuple[int, int, int, int] | None, suffix: str) -> dict[str, str | None]:
    shown = zip(_NAMES, values or (None,) * 4, strict=True)
    return {name + suffix: None if value is None else price_text(value) for name, value in shown}


def _json(candle: Candle, suffix: str, count_suffix: str) -> dict[str, object]:
    price = _span(candle.price, suffix)
    price["mean" + suffix] = price_text(candle.mean) if candle.price else None
    price["previous" + suffix] = None if candle.previous is None else price_text(candle.previous)
    return {
        "end_period_ts": candle.end,
        "open_interest" + count_suffix: count_text(candle.open_interest),
        "price": price,
        "volume" + count_suffix: count_text(candle.volume),
        "yes_ask": _span(candle.ask, suffix),
        "yes_bid": _span(candle.bid, suffix),
    }


def _live(candles: Sequence[Candle]) -> list[object]:
    return [_json(candle, "_dollars", "_fp") for candle in candles]


async def get_market_candlesticks(call: Call) -> object:
    start, end, minutes = period_range(call, _PERIODS)
    _check_size(start, end, minutes, _MOST_SINGLE)
    market = call.exchange.live.market(call.path["ticker"])
    if (
        market is None
        or market.word == "archived"
        or call.catalog.series_of(market) != call.path["series_ticker"]
    ):
        raise not_found()
    lead = bool(call.params.flag("include_latest_before_start"))
    candles = call.exchange.live.candles(market, start, end, minutes, lead=lead)
    return {"candlesticks": _live(candles), "ticker": market.ticker}


async def get_historical_candlesticks(call: Call) -> object:
    start, end, minutes = period_range(call, _PERIODS)
    _check_size(start, end, minutes, _MOST_SINGLE)
    market = call.market()
    if market is None or market.word != "archived":
        raise not_found()
    found = candles_of(market, start, end, minutes) if isinstance(market, Market) else []
    candles = [in_units(candle) for candle in found]
    return {"candlesticks": [_json(candle, "", "") for candle in candles], "ticker": market.ticker}


async def get_batch_candlesticks(call: Call) -> object:
    start, end, minutes = period_range(call, _PERIODS)
    tickers = call.params.comma("market_tickers", most=100)
    if not tickers:
        raise invalid_field(call.params.operation, "market_tickers", "required")
    if periods(start, end, minutes) * len(tickers) > _MOST_BATCH:
        raise bad_request(f"requested time range exceeds {_MOST_BATCH} candlesticks")
    lead = bool(call.params.flag("include_latest_before_start"))
    shown = []
    for ticker in dict.fromkeys(tickers):
        market = call.exchange.live.market(ticker)
        if market is not None and market.word != "archived":
            found = call.exchange.live.candles(market, start, end, minutes, lead=lead)
            candles = _live(found)
            shown.append({"candlesticks": candles, "market_ticker": ticker})
            await sleep(0)
    return {"markets": shown}


async def get_event_candlesticks(call: Call) -> object:
    start, end, minutes = period_range(call, _PERIODS)
    event = call.exchange.live.event(call.path["ticker"])
    if event is None or event.series != call.path["series_ticker"]:
        raise not_found()
    markets = call.exchange.live.event_markets(event)
    # A range that would answer more than the most candles is cut, and the answer says where.
    room = _MOST_SINGLE // max(len(markets), 1)
    end = min(end, start + room * minutes * 60)
    candles = []
    for market in markets:
        candles.append(_live(call.exchange.live.candles(market, start, end, minutes)))
        await sleep(0)
    return {
        "adjusted_end_ts": end,
        "market_candlesticks": candles,
        "market_tickers": [market.ticker for market in markets],
    }
