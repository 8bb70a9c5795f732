"""What candlesticks and trades say: changes, volatility, VWAP, volume profile, spread, trend.

Prices are YES prices in dollars. Whatever is money (changes, VWAP, spreads, volumes) is an exact
``Decimal``; statistics (logarithms, volatility, slope) are floats and never belong in an order.

Candlesticks and trades may come in any order, with repeats, as models or as a polars frame (see
``frame``); the figures are the same. polars adds up the trades of a frame, several times as fast as
models are added up; but making a frame of models takes longer than adding them up, so a frame is
worth it where the data come from a file, or are used more than once.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from .._errors import InvalidRequestError
from ..models.candlesticks import Candlestick, PeriodInterval
from ..models.trades import Trade
from . import _trend_candles, _trend_frames, _trend_trades
from ._exact import EXACT, ONE, QUOTIENT, ZERO
from ._trend_candles import Bars, Candles, PriceOf
from ._trend_trades import ProfileLevel, Trades, ValueArea, VolumeProfile

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "Candles",
    "PriceOf",
    "ProfileLevel",
    "TimeWeightedSpread",
    "Trades",
    "Trend",
    "ValueArea",
    "Volatility",
    "VolumeProfile",
    "approximate_vwap",
    "changes",
    "frame",
    "log_odds_changes",
    "log_returns",
    "time_weighted_spread",
    "trend",
    "volatility",
    "volume_profile",
    "vwap",
]

_DAY_SECONDS = 86_400
_YEAR_DAYS = 365


@dataclass(frozen=True, slots=True)
class Volatility:
    """How much a price moves: the standard deviation of its changes, in dollars.

    Attributes:
        per_period: Of the changes of one period.
        changes: How many there were.
        period: The length of a period.
    """

    per_period: float
    changes: int
    period: timedelta

    @property
    def per_day(self) -> float:
        """Scaled to a day: by the square root of the periods in it."""
        return self.per_period * math.sqrt(_DAY_SECONDS / self.period.total_seconds())

    @property
    def per_year(self) -> float:
        """Scaled to 365 days (markets trade on all of them).

        A price between 0 and 1 cannot wander that long: a figure to compare markets by.
        """
        return self.per_day * math.sqrt(_YEAR_DAYS)


@dataclass(frozen=True, slots=True)
class TimeWeightedSpread:
    """The spread in dollars at the ends of periods, each counted for its length.

    Attributes:
        mean: Over ``periods``.
        periods: Those that closed with a bid and an ask.
        one_sided: Those that did not; they are left out.
        gaps: Periods without a candle; they are left out as well.
    """

    mean: Decimal
    periods: int
    one_sided: int
    gaps: int


@dataclass(frozen=True, slots=True)
class Trend:
    """A market over some periods, summed up. Prices in dollars, volume in contracts.

    Attributes:
        ticker: The market; None where no trade says.
        start: End of the first period.
        end: End of the last period.
        period: Length of a period.
        first: The first price that is known.
        last: The last one.
        change: ``last - first``.
        high: The highest price.
        low: The lowest price.
        slope: Dollars a day by which a straight line through the prices rises (least squares);
            None with fewer than 2 prices.
        volatility: None with fewer than 2 changes.
        volume: Contracts traded, as the candles say.
        vwap: Exact, of the trades; None without trades.
        profile: Of the trades, in steps of a cent; None without trades.
        spread: None where no period closed with a bid and an ask.
        candles: How many there are.
        trades: How many there are.
        gaps: Periods without a candle.
        unpriced: Candles that tell no price.
        duplicates: Candles and trades left out as repeats.
    """

    ticker: str | None
    start: datetime
    end: datetime
    period: timedelta
    first: Decimal
    last: Decimal
    change: Decimal
    high: Decimal
    low: Decimal
    slope: float | None
    volatility: Volatility | None
    volume: Decimal
    vwap: Decimal | None
    profile: VolumeProfile | None
    spread: TimeWeightedSpread | None
    candles: int
    trades: int
    gaps: int
    unpriced: int
    duplicates: int


def changes(
    candles: Candles, *, of: PriceOf = "trade", period_interval: PeriodInterval | None = None
) -> tuple[Decimal, ...]:
    """The change of the price in each period after the first, in dollars, exactly.

    Where nothing is missing they add up to the last price less the first. A move that spans
    missing candles is left out, for it is no change of one period; so are periods without a
    price (with ``of="mid"``: those that close one-sided).

    Args:
        candles: Candlesticks of one market, or a frame of them.
        of: ``"trade"`` for the last trade, ``"mid"`` for the middle of the closing bid and ask.
        period_interval: Minutes a candle: 1, 60 or 1440; left out: as their distances tell.

    Raises:
        InvalidRequestError: Fewer than 2 candles, a value that is no exact amount, candles of
            different lengths, or an unknown ``of``.
    """
    bars = _bars(candles, of, period_interval)
    return tuple(EXACT.subtract(after, before) for before, after in bars.moves(of))


def log_returns(
    candles: Candles, *, of: PriceOf = "trade", period_interval: PeriodInterval | None = None
) -> tuple[float, ...]:
    """``ln(after / before)`` of each change; arguments and errors are those of ``changes``."""
    bars = _bars(candles, of, period_interval)
    return tuple(math.log(after) - math.log(before) for before, after in bars.moves(of))


def log_odds_changes(
    candles: Candles, *, of: PriceOf = "trade", period_interval: PeriodInterval | None = None
) -> tuple[float, ...]:
    """The change of ``ln(price / (1 - price))`` in each period.

    The same, but for the sign, for YES and NO, and comparable near 0 and 1, where a cent means
    more. Arguments and errors are those of ``changes``.
    """
    bars = _bars(candles, of, period_interval)
    return tuple(_log_odds(after) - _log_odds(before) for before, after in bars.moves(of))


def volatility(
    candles: Candles, *, of: PriceOf = "trade", period_interval: PeriodInterval | None = None
) -> Volatility:
    """The standard deviation (of a sample: n - 1) of the changes of a price.

    Arguments are those of ``changes``.

    Raises:
        InvalidRequestError: As ``changes``, or fewer than 2 changes are known.
    """
    bars = _bars(candles, of, period_interval)
    found = _volatility(bars, of)
    if found is None:
        known = sum(1 for _ in bars.moves(of))
        raise InvalidRequestError(
            f"candles tell {known} changes of the price from one period to the next; volatility "
            "needs 2 or more"
        )
    return found


def vwap(trades: Trades) -> Decimal:
    """The mean YES price of a traded contract in dollars, rounded once, at the 28th digit.

    Block trades count like others: leave them out before, where they should not.

    Raises:
        InvalidRequestError: No trades, trades of several markets, or a value that is no exact
            amount.
    """
    return _trend_trades.tally(trades).vwap


def approximate_vwap(candles: Candles, *, period_interval: PeriodInterval | None = None) -> Decimal:
    """The mean price of a contract from the candles' own means, which the exchange has rounded.

    Arguments are those of ``changes``.

    Raises:
        InvalidRequestError: As ``changes`` (one candle is enough), or nothing traded.
    """
    bars = _trend_candles.read(candles, period_interval=period_interval)
    traded = [(bar.mean, bar.volume) for bar in bars.rows if bar.mean is not None and bar.volume]
    if not traded:
        raise InvalidRequestError("nothing traded in these candles: they have no mean price")
    with localcontext(EXACT):
        dollars = sum((mean * volume for mean, volume in traded), ZERO)
        contracts = sum((volume for _, volume in traded), ZERO)
    return QUOTIENT.divide(dollars, contracts)


def volume_profile(trades: Trades, step: Decimal | str = "0.01") -> VolumeProfile:
    """Contracts by YES price, and by what the taker gained exposure to.

    Args:
        trades: Trades of one market, or a frame of them.
        step: Dollars a level, in steps of $0.0001.

    Raises:
        InvalidRequestError: As ``vwap``, or no such step.
    """
    return _trend_trades.profile_of(_trend_trades.tally(trades), step)


def time_weighted_spread(
    candles: Candles, *, period_interval: PeriodInterval | None = None
) -> TimeWeightedSpread:
    """The mean spread at the ends of the periods, each counted for its length.

    Raises:
        InvalidRequestError: As ``changes`` (one candle is enough), or no period closed with a bid
            and an ask.
    """
    found = _spread(_trend_candles.read(candles, period_interval=period_interval))
    if found is None:
        raise InvalidRequestError("no candle closed with a bid and an ask: there is no spread")
    return found


def trend(
    candles: Candles,
    trades: Trades = (),
    *,
    of: PriceOf = "trade",
    period_interval: PeriodInterval | None = None,
) -> Trend:
    """Sum up the candles of a market, and its trades where they are given.

    Args:
        candles: Candlesticks of one market, or a frame of them.
        trades: Its trades over the same time, or a frame of them; for VWAP and volume profile.
        of: ``"trade"`` for the last trade, ``"mid"`` for the middle of the closing bid and ask.
        period_interval: Minutes a candle: 1, 60 or 1440; left out: as their distances tell.

    Raises:
        InvalidRequestError: As ``changes`` and ``vwap``, or no candle tells a price. No trades
            at all is fine.
    """
    bars = _bars(candles, of, period_interval)
    told = bars.prices(of)
    prices = [price for price in told if price is not None]
    if not prices:
        raise InvalidRequestError(
            f'no candle tells a price with of="{of}"; try of="{"trade" if of == "mid" else "mid"}"'
        )
    extremes = list(prices)
    if of == "trade":
        extremes += [each for bar in bars.rows for each in (bar.high, bar.low) if each is not None]
    added = _trend_trades.tally_if_any(trades)
    with localcontext(EXACT):
        volume = sum((bar.volume for bar in bars.rows), ZERO)
    return Trend(
        ticker=added.ticker if added else None,
        start=datetime.fromtimestamp(bars.rows[0].end, UTC),
        end=datetime.fromtimestamp(bars.rows[-1].end, UTC),
        period=timedelta(seconds=bars.seconds),
        first=prices[0],
        last=prices[-1],
        change=EXACT.subtract(prices[-1], prices[0]),
        high=max(extremes),
        low=min(extremes),
        slope=_slope(bars, told),
        volatility=_volatility(bars, of),
        volume=volume,
        vwap=added.vwap if added else None,
        profile=_trend_trades.profile_of(added, "0.01") if added else None,
        spread=_spread(bars),
        candles=len(bars.rows),
        trades=added.trades if added else 0,
        gaps=bars.gaps,
        unpriced=len(told) - len(prices),
        duplicates=bars.duplicates + (added.duplicates if added else 0),
    )


def frame(rows: Iterable[Candlestick] | Iterable[Trade]) -> pl.DataFrame:
    """Candlesticks or trades as a polars frame, one row each, amounts exact (``Decimal``).

    Columns have the fields' names, those of a part joined: ``price_close``, ``yes_bid_high``.
    ``taker_outcome_side`` is filled from ``taker_side`` in older trades.

    Raises:
        ImportError: polars is not installed.
        InvalidRequestError: No rows, rows of different kinds, or an amount that is no finite
            Decimal, finer than $0.000001 or 0.01 contracts.
    """
    return _trend_frames.frame_of(rows)


def _bars(candles: Candles, of: PriceOf, period_interval: PeriodInterval | None) -> Bars:
    _trend_candles.check_price_of(of)
    return _trend_candles.read(candles, least=2, period_interval=period_interval)


def _log_odds(price: Decimal) -> float:
    return math.log(price) - math.log(EXACT.subtract(ONE, price))


def _volatility(bars: Bars, of: PriceOf) -> Volatility | None:
    found = [float(EXACT.subtract(after, before)) for before, after in bars.moves(of)]
    if len(found) < 2:
        return None
    return Volatility(statistics.stdev(found), len(found), timedelta(seconds=bars.seconds))


def _spread(bars: Bars) -> TimeWeightedSpread | None:
    spreads = [
        EXACT.subtract(bar.ask, bar.bid)
        for bar in bars.rows
        if bar.bid is not None and bar.ask is not None
    ]
    if not spreads:
        return None
    with localcontext(EXACT):
        total = sum(spreads, ZERO)
    mean = QUOTIENT.divide(total, Decimal(len(spreads)))
    return TimeWeightedSpread(mean, len(spreads), len(bars.rows) - len(spreads), bars.gaps)


def _slope(bars: Bars, told: list[Decimal | None]) -> float | None:
    points = [
        ((bar.end - bars.rows[0].end) / _DAY_SECONDS, float(price))
        for bar, price in zip(bars.rows, told, strict=True)
        if price is not None
    ]
    if len(points) < 2:
        return None
    days, prices = zip(*points, strict=True)
    return statistics.linear_regression(days, prices).slope
