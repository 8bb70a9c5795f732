"""Handlers that make a combo market and that tell what the prices of an event forecast."""

from __future__ import annotations

from asyncio import sleep
from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from .._call import Call, Handler
from .._catalog.forecasts import forecast, percentile
from .._catalog.generated import Collection
from .._catalog.market import Event, Market
from .._catalog.tape import Candle, candles_of
from .._combos import Combos
from .._errors import bad_request, invalid_field, not_found, unreadable_field
from .._records import ACTIVE, MarketState
from .bodies import Body
from .candles import period_range

_SHARES = 10_000
_PERIODS = (0, 1, 60, 1440)
_MOST_POINTS = 5_000
_MOST_PERCENTILES = 10
# Seconds of a period that is given as 0 minutes.
_SHORTEST = 5


def find_collection(call: Call, ticker: str) -> Collection:
    """The collection with this ticker, else 404."""
    for collection in call.catalog.generated.collections:
        if collection.ticker == ticker:
            return collection
    raise not_found()


def make_combo(call: Call, collection: Collection, selected: Sequence[Body]) -> Market:
    """The market of the selected legs, new if nobody made it before.

    Raises:
        ApiError: 400 for legs that the collection does not allow or that no longer trade.
    """
    chosen: dict[str, tuple[str, str]] = {}
    for pair in selected:
        event_ticker = pair.needed("event_ticker", pair.text)
        ticker = pair.needed("market_ticker", pair.text)
        side = pair.needed("side", pair.choice("yes", "no"))
        if event_ticker in chosen:
            raise bad_request(f"event {event_ticker[:80]} is selected twice")
        chosen[event_ticker] = (ticker, side)
    known = {event.ticker: event for event in collection.events}
    if not 2 <= len(chosen) <= len(known):
        raise bad_request(f"a combo of {collection.ticker} has 2 to {len(known)} legs")
    for event_ticker, (ticker, _) in chosen.items():
        event = known.get(event_ticker)
        if event is None:
            raise bad_request(f"event {event_ticker[:80]} is not in {collection.ticker}")
        if all(market.ticker != ticker for market in event.markets):
            raise bad_request(f"market {ticker[:80]} is not in event {event_ticker}")
        state = _activated(call, ticker)
        if state is None or state.status != ACTIVE:
            raise bad_request(f"market {ticker[:80]} is not active")
    legs = [chosen[event.ticker] for event in collection.events if event.ticker in chosen]
    made = call.exchange.room(Combos).make(collection, legs)
    # Listed from now on: whoever follows the lifecycle of combos hears of it.
    _activated(call, made.ticker)
    return made


def _activated(call: Call, ticker: str) -> MarketState | None:
    return call.exchange.do(lambda engine, now: engine.market(ticker, now))


async def create_combo(call: Call) -> object:
    body = Body.read(call.body, "CreateMarketInMultivariateEventCollectionRequest")
    collection = find_collection(call, call.path["collection_ticker"])
    selected = body.needed("selected_markets", body.objects)
    market = make_combo(call, collection, selected)
    shown: dict[str, object] = {
        "event_ticker": market.event_ticker,
        "market_ticker": market.ticker,
    }
    if body.flag("with_market_payload"):
        shown["market"] = msgspec.Raw(call.exchange.live.market_json(market))
    return shown


# Forecasts


class _History:
    """The chances of one market over time, from its candles."""

    def __init__(self, candles: Sequence[Candle]) -> None:
        self._ends = [candle.end for candle in candles]
        self._candles = candles

    def at(self, instant: int) -> float | None:
        """The chance at the last candle that ended by then: the middle of the quotes, else the last
        price.
        """
        place = bisect_right(self._ends, instant) - 1
        if place < 0:
            return None
        candle = self._candles[place]
        bid, ask = candle.bid[3], candle.ask[3]
        if 0 < bid < ask < 1000:
            return (bid + ask) / 2000
        price = candle.price[3] if candle.price else candle.previous
        return None if price is None else price / 1000


def _percentiles(call: Call) -> list[int]:
    texts = call.params.repeated("percentiles", most=_MOST_PERCENTILES, required=True)
    found = []
    for text in texts:
        if not (text.isascii() and text.isdecimal()) or len(text) > 9:
            raise unreadable_field(call.params.operation, "percentiles", text, "an integer")
        if int(text) >= _SHARES:
            raise invalid_field(call.params.operation, "percentiles", "lte")
        found.append(int(text))
    return found


async def get_forecast_percentiles(call: Call) -> object:
    shares = _percentiles(call)
    start, end, minutes = period_range(call, _PERIODS)
    period = minutes * 60 or _SHORTEST
    if end // period - (start - 1) // period > _MOST_POINTS:
        raise bad_request(f"requested time range exceeds {_MOST_POINTS} points")
    entry = call.catalog.event(call.path["ticker"])
    if entry is None or entry.series != call.path["series_ticker"]:
        raise not_found()
    event = entry.generated
    if event is None:
        return {"forecast_history": []}
    histories: dict[str, _History] = {}
    for market in event.markets:
        candles = candles_of(market, start, end, minutes or 1, lead=True)
        histories[market.ticker] = _History(candles)
        await sleep(0)
    last = min(end, min(event.close, event.now) // 1_000_000)
    shown = []
    for instant in range(-(-start // period) * period, last + 1, period):
        point = _point(event, histories, instant, shares)
        if point is not None:
            shown.append({**point, "period_interval": minutes})
        if len(shown) % 100 == 0:
            await sleep(0)
    return {"forecast_history": shown}


def _point(
    event: Event, histories: dict[str, _History], instant: int, shares: Sequence[int]
) -> dict[str, object] | None:
    curve = forecast(event, lambda market: histories[market.ticker].at(instant))
    if curve is None:
        return None
    decimals = event.series.decimals
    points = []
    for share in shares:
        value = percentile(curve, share / _SHARES)
        points.append(
            {
                "percentile": share,
                "raw_numerical_forecast": value,
                "numerical_forecast": round(value, decimals),
                "formatted_forecast": f"{value:,.{decimals}f} {event.series.unit}".rstrip(),
            }
        )
    return {
        "event_ticker": event.ticker,
        "end_period_ts": instant,
        "percentile_points": points,
    }


HANDLERS: dict[str, Handler] = {
    "CreateMarketInMultivariateEventCollection": create_combo,
    "GetEventForecastPercentilesHistory": get_forecast_percentiles,
}
