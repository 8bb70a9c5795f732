"""Candlesticks: prices, volume and open interest of a market, period by period.

Live candles and those of ``/historical`` differ on the wire and have one face here: a
``HistoricalCandlestick`` is a ``Candlestick``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

from ._base import ABSENT, Model, wire_names

PeriodInterval = Literal[1, 60, 1440]
"""Length of a candle in minutes: a minute, an hour, a day."""


class BidAskDistribution(Model, rename=wire_names(dollars=["open", "low", "high", "close"])):
    """The best bid (or ask) over one period, in dollars."""

    open: Decimal = ABSENT
    low: Decimal = ABSENT
    high: Decimal = ABSENT
    close: Decimal = ABSENT


class PriceDistribution(
    Model,
    rename=wire_names(
        dollars=["open", "low", "high", "close", "mean", "previous", "min", "max"],
    ),
):
    """Trade prices of one period, in dollars.

    All but ``previous`` (the last price before the period) are None where nothing traded.
    """

    open: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    close: Decimal | None = None
    mean: Decimal | None = None
    previous: Decimal | None = None
    min: Decimal | None = None
    max: Decimal | None = None


class Candlestick(Model, rename=wire_names(counts=["volume", "open_interest"])):
    """One period of a market.

    ``end_period_ts`` is the inclusive end in Unix seconds; ``volume`` contracts traded in it,
    ``open_interest`` contracts open at its end.
    """

    __legacy_probes__: ClassVar[tuple[str, ...]] = ("volume",)

    end_period_ts: int
    yes_bid: BidAskDistribution = ABSENT
    yes_ask: BidAskDistribution = ABSENT
    price: PriceDistribution = ABSENT
    volume: Decimal = ABSENT
    open_interest: Decimal = ABSENT


class HistoricalBidAskDistribution(BidAskDistribution, rename={}):
    """``BidAskDistribution`` as ``/historical`` sends it: names without suffix."""

    open: Decimal = ABSENT
    low: Decimal = ABSENT
    high: Decimal = ABSENT
    close: Decimal = ABSENT


class HistoricalPriceDistribution(PriceDistribution, rename={}):
    """``PriceDistribution`` as ``/historical`` sends it; ``min`` and ``max`` are always None."""

    open: Decimal | None = ABSENT
    low: Decimal | None = ABSENT
    high: Decimal | None = ABSENT
    close: Decimal | None = ABSENT
    mean: Decimal | None = ABSENT
    previous: Decimal | None = ABSENT


class HistoricalCandlestick(Candlestick, rename={}):
    """A ``Candlestick`` of a market settled before the historical cutoff."""

    __legacy_probes__: ClassVar[tuple[str, ...]] = ()

    yes_bid: HistoricalBidAskDistribution = ABSENT
    yes_ask: HistoricalBidAskDistribution = ABSENT
    price: HistoricalPriceDistribution = ABSENT
    volume: Decimal = ABSENT
    open_interest: Decimal = ABSENT


class MarketCandlesticks(Model):
    """The candles of one market, as the batch operation returns them."""

    market_ticker: str
    candlesticks: list[Candlestick] = ABSENT


class EventCandlesticks(Model):
    """The candles of all markets of an event.

    ``market_candlesticks[i]`` belongs to ``market_tickers[i]``. ``adjusted_end_ts`` (Unix seconds)
    is earlier than the ``end_ts`` asked for when the answer would have been too large: ask again
    from there.
    """

    market_tickers: list[str] = ABSENT
    market_candlesticks: list[list[Candlestick]] = ABSENT
    adjusted_end_ts: int = ABSENT
