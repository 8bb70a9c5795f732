"""Views of one market, and of one question on several venues, as the intelligence API shows
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from math import sqrt
from typing import TYPE_CHECKING

from .._live.minutes import Candle
from .._text import DAY, HOUR, SECOND, time_text
from .._units import CONTRACT, ONE
from .drawn import JsonObject, dollars, round4
from .markets import KALSHI, VenueMarket, Venues

if TYPE_CHECKING:
    from .._catalog.catalog import Listed
    from .._exchange import Exchange

# Microseconds, price, contracts in hundredths.
Point = tuple[int, int, int]
PERIODS = ("48h", "7d", "30d")
# (how far back in microseconds, minutes of a candle) of each.
_SPANS = {"48h": (2 * DAY, 60), "7d": (7 * DAY, 60), "30d": (30 * DAY, 1440)}
# What the estimate of slippage is for: a hundred contracts.
_USUAL = 100 * CONTRACT


def history_json(exchange: Exchange, market: VenueMarket, period: str, most: int) -> JsonObject:
    """Prices of a period up to now, oldest first, `most` of them; what was before this exchange
    started is that of the catalog.
    """
    points = list(_points(exchange, market, *_SPANS[period]))
    return {
        "platform": market.platform,
        "market_id": market.market_id,
        "points": [
            {"timestamp": time_text(at), "price": price / ONE, "volume": volume / CONTRACT}
            for at, price, volume in _thinned(points, most)
        ],
        "period": period,
    }


def _thinned(points: Sequence[Point], most: int) -> Iterator[Point]:
    """At most so many points, the last among them; each has the volume since the one before."""
    number = len(points)
    after = 0
    for part in range(1, min(number, most) + 1):
        end = number * part // min(number, most)
        at, price, _ = points[end - 1]
        yield at, price, sum(volume for _, _, volume in points[after:end])
        after = end


def _points(exchange: Exchange, market: VenueMarket, span: int, minutes: int) -> Iterator[Point]:
    own = exchange.live.market(market.ticker)
    if own is None or market.price is None:
        return
    at_home = market.price
    if market.platform != KALSHI:
        # A price elsewhere has always been as far off as it is now.
        here = _mid_of(exchange, own)
        at_home = market.price if here is None else here
    off, now = market.price - at_home, exchange.now()
    for candle in _candles(exchange, own, now, span, minutes):
        price = _closing(candle)
        if price is not None:
            elsewhere = min(max(price + off, 0), ONE)
            yield candle.end * SECOND + exchange.shift, elsewhere, candle.volume
    yield now, market.price, 0


def _mid_of(exchange: Exchange, own: Listed) -> int | None:
    bids, asks = exchange.book_levels(own.ticker, True), exchange.book_levels(own.ticker, False)
    return (bids[0][0] + asks[0][0]) // 2 if bids and asks else None


def _candles(exchange: Exchange, own: Listed, now: int, span: int, minutes: int) -> list[Candle]:
    """Candles before now, dated in the time of the catalog."""
    end = now - exchange.shift
    return exchange.live.candles(own, (end - span) // SECOND, end // SECOND, minutes)


def _closing(candle: Candle) -> int | None:
    if candle.price is not None:
        return candle.price[3]
    if candle.previous is not None:
        return candle.previous
    bid, ask = candle.bid[3], candle.ask[3]
    return (bid + ask) // 2 if bid > 0 and ask < ONE else None


def resolution_json(now: int, market: VenueMarket) -> JsonObject:
    """How soon a market resolves, how, and what a day of waiting is worth."""
    hours = market.closes_in
    days = None if hours is None else max(hours / 24, 1.0)
    theta = None
    if days is not None and market.price is not None:
        # Uncertainty shrinks with the square root of the time that is left.
        doubt = sqrt(market.price / ONE * (1 - market.price / ONE))
        theta = -round4(doubt * (1 - sqrt((days - 1) / days)))
    urgency = "low" if hours is None or hours >= 168 else "medium" if hours >= 24 else "high"
    return {
        "platform": market.platform,
        "market_id": market.market_id,
        "urgency": "none" if market.status in ("closed", "settled") else urgency,
        "mechanism": "pays a dollar if the named source reports it so by the close, else nothing",
        "theta_per_day": theta,
        "resolves_at": None if hours is None else time_text(now + int(hours * HOUR)),
        "hours_left": None if hours is None else round(hours, 2),
    }


def execution_json(exchange: Exchange, market: VenueMarket) -> JsonObject:
    """How to buy YES: by a limit order where the spread is wide, and what slips otherwise."""
    spread, ask = market.spread, market.ask
    levels = _asks(exchange, market)
    paid = _mean_price(levels, _USUAL)
    slipped = None if paid is None or ask is None else round4((paid - ask) / ONE)
    wide = spread is None or spread > 200
    price = market.price if wide else ask
    tight = 0.0 if spread is None else max(0.0, 1 - spread / 1000)
    score = round4(0.5 * tight + 0.5 * min(market.liquidity / 1_000_000, 1.0))
    return {
        "platform": market.platform,
        "market_id": market.market_id,
        "spread": dollars(spread),
        "slippage_estimate": slipped,
        "recommended_order": "limit" if wide else "market",
        "recommended_price": dollars(price),
        "liquidity_score": score,
    }


def _asks(exchange: Exchange, market: VenueMarket) -> Sequence[tuple[int, int]]:
    if market.platform == KALSHI:
        return exchange.book_levels(market.market_id, False)
    return () if market.ask is None else ((market.ask, _USUAL // 2), (market.ask + 100, _USUAL))


def _mean_price(levels: Sequence[tuple[int, int]], count: int) -> float | None:
    """What a contract costs on average; None where fewer are offered."""
    left, spent = count, 0
    for price, size in levels:
        taken = min(size, left)
        left, spent = left - taken, spent + taken * price
        if not left:
            return spent / count
    return None


def consensus_json(venues: Sequence[VenueMarket], period: str) -> JsonObject:
    """One probability out of the prices of all venues, by what was traded on each."""
    priced = [market for market in venues if market.price is not None]
    weights = [market.volume + 1 for market in priced]
    total = sum(weights)
    mean = sum(w * (m.price or 0) for w, m in zip(weights, priced, strict=True))
    shown = [
        {
            "platform": market.platform,
            "market_id": market.market_id,
            "yes_price": dollars(market.price),
            "weight": round4(weight / total),
        }
        for weight, market in zip(weights, priced, strict=True)
    ]
    probability = round4(mean / total / ONE) if priced else None
    return {"probability": probability, "platforms": shown, "period": period}


def arbitrage_json(venues: Venues, least: float, as_of: str) -> JsonObject:
    """Questions whose YES on one venue and NO on another cost less than the dollar they pay, before
    fees; the widest first.
    """
    found: list[tuple[int, JsonObject]] = []
    asked_elsewhere = (entry for entry in venues.entries() if entry.ticker in venues.twins())
    for own in venues.of(asked_elsewhere, KALSHI):
        for buy, sell in permutations(venues.same_question(own), 2):
            if buy.ask is None or sell.bid is None:
                continue
            spread = sell.bid - buy.ask
            if spread > 0 and spread >= least * ONE:
                found.append((spread, _package(buy, sell, spread)))
    found.sort(key=lambda item: -item[0])
    return {"opportunities": [package for _, package in found], "as_of": as_of}


def _package(buy: VenueMarket, sell: VenueMarket, spread: int) -> JsonObject:
    def leg(market: VenueMarket, side: str, price: int | None) -> JsonObject:
        named = {"platform": market.platform, "market_id": market.market_id}
        return {**named, "side": side, "price": dollars(price)}

    against = None if sell.bid is None else ONE - sell.bid
    return {
        "title": buy.title,
        "outcome": buy.outcome,
        "spread": dollars(spread),
        "legs": [leg(buy, "yes", buy.ask), leg(sell, "no", against)],
    }
