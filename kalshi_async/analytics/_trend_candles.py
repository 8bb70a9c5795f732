"""Candlesticks in order: checked, sorted, counted, and the prices they tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias, get_args

from .._amounts import MOST
from .._errors import InvalidRequestError
from ..models.candlesticks import Candlestick, PeriodInterval
from ._exact import EXACT, ONE, ZERO
from ._trend_frames import CANDLE_COLUMNS, as_frame, bar_rows, check_columns, shown

if TYPE_CHECKING:
    import polars as pl

Candles: TypeAlias = "Iterable[Candlestick] | pl.DataFrame"
"""Candlesticks of one market, in any order, or the frame that ``trend.frame`` makes of them."""

PriceOf = Literal["trade", "mid"]
"""Which price of a period counts: that of its last trade, or the middle of its closing bid and ask.

A period in which nothing traded has the price of the last trade before it.
"""

_HALF: Final = Decimal("0.5")
_LEAST: Final = Decimal("0.000001")
_MOST: Final = Decimal("0.999999")
_DAY: Final = 86_400
_YEAR_10000: Final = 253_402_300_800
_NONE: Final = (None,) * 5
_LENGTHS: Final = (60, 3600, _DAY)


class Bar(NamedTuple):
    """What counts of one candle: prices in dollars, None where there is none; volume in contracts.

    Its fields are, in their order, what ``CANDLE_COLUMNS`` reads from a frame.
    """

    end: int
    close: Decimal | None
    previous: Decimal | None
    high: Decimal | None
    low: Decimal | None
    mean: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    volume: Decimal


@dataclass(frozen=True, slots=True)
class Bars:
    """The candles of a market, oldest first.

    Attributes:
        rows: One a period.
        seconds: Length of a period.
        duplicates: Candles left out because another one ends at the same time.
        steps: Periods from each row to the next: 1, or more where candles are missing.
    """

    rows: tuple[Bar, ...]
    seconds: int
    duplicates: int
    steps: tuple[int, ...]

    @property
    def gaps(self) -> int:
        """Periods without a candle, between the first and the last."""
        return sum(self.steps) - len(self.steps)

    def prices(self, of: PriceOf) -> list[Decimal | None]:
        """The price at the end of each row; None where it is not known."""
        if of == "mid":
            return [_mid(bar) for bar in self.rows]
        found: list[Decimal | None] = []
        for bar, step in zip(self.rows, (0, *self.steps), strict=True):
            carried = found[-1] if step == 1 else None
            found.append(bar.close or bar.previous or carried)
        return found

    def moves(self, of: PriceOf) -> Iterator[tuple[Decimal, Decimal]]:
        """The price before and after each row but the first, where one period lies between.

        After a gap the price before is the candle's own ``previous``: whatever happened in between
        is no change of one period.
        """
        prices = self.prices(of)
        for index, step in enumerate(self.steps):
            before = prices[index] if step == 1 else None
            if before is None and of == "trade":
                before = self.rows[index + 1].previous
            after = prices[index + 1]
            if before is not None and after is not None:
                yield before, after


def read(
    candles: Candles, *, least: int = 1, period_interval: PeriodInterval | None = None
) -> Bars:
    """Candles, or a frame of them, in order.

    Args:
        candles: Of one market, in any order.
        least: How many different ones there must be.
        period_interval: Minutes a candle; None: told from their distances.

    Raises:
        InvalidRequestError: Too few, no candlesticks, a value that is no exact amount, or candles
            of different lengths.
    """
    bars = list(_bars(candles))
    kept: dict[int, Bar] = {}
    for bar in bars:
        known = kept.get(bar.end)
        # A candle that was fetched before its period was over has less volume.
        if known is None or bar.volume >= known.volume:
            kept[bar.end] = bar
    if len(kept) < least:
        raise InvalidRequestError(
            f"there are {len(kept)} candlesticks with different ends; expected {least} or more"
        )
    rows = tuple(kept[end] for end in sorted(kept))
    apart = [later.end - bar.end for bar, later in pairwise(rows)]
    seconds = _length(apart, period_interval)
    steps = tuple(_periods(each, seconds) for each in apart)
    return Bars(rows, seconds, len(bars) - len(rows), steps)


def check_price_of(of: object) -> None:
    """Refuse what is neither ``"trade"`` nor ``"mid"``."""
    if of not in get_args(PriceOf):
        raise InvalidRequestError(f'of is {of!r}; expected "trade" or "mid"')


def _bars(candles: object) -> Iterator[Bar]:
    frame = as_frame(candles)
    if frame is not None:
        check_columns("candles", frame, CANDLE_COLUMNS, CANDLE_COLUMNS[1:])
        for index, row in enumerate(bar_rows(frame)):
            yield _bar(index, *row)
        return
    if not isinstance(candles, Iterable) or isinstance(candles, str | bytes):
        raise InvalidRequestError(
            f"candles is a {type(candles).__name__}; expected candlesticks or a polars.DataFrame "
            "of them (await a request for its page first)"
        )
    for index, candle in enumerate(candles):
        if not isinstance(candle, Candlestick):
            raise InvalidRequestError(
                f"candles[{index}] is a {type(candle).__name__}; expected a Candlestick (of a "
                "batch, pass the candlesticks of one market)"
            )
        price, bid, ask = candle.price, candle.yes_bid, candle.yes_ask
        yield _bar(
            index,
            candle.end_period_ts,
            *((price.close, price.previous, price.high, price.low, price.mean) if price else _NONE),
            bid.close if bid else None,
            ask.close if ask else None,
            candle.volume,
        )


def _bar(index: int, end: object, *values: object) -> Bar:
    """A row whose values were checked."""
    if isinstance(end, bool) or not isinstance(end, int) or not 0 <= end < _YEAR_10000:
        raise InvalidRequestError(
            f"candles[{index}]: {Bar._fields[0]} is {end!r}; expected Unix seconds"
        )
    *prices, volume = values
    close, previous, high, low, mean, bid, ask = (
        _price(index, name, value) for name, value in zip(Bar._fields[1:-1], prices, strict=True)
    )
    contracts = ZERO if volume is None else _exact(index, "volume", volume)
    if not 0 <= contracts <= MOST:
        raise InvalidRequestError(
            f"candles[{index}]: volume is {shown(contracts)}; expected 0 to {MOST:,}"
        )
    return Bar(end, close, previous, high, low, mean, bid, ask, contracts)


def _price(index: int, name: str, value: object) -> Decimal | None:
    """A price; 0 and 1 stand for none, as no bid and no ask do."""
    if value is None:
        return None
    amount = _exact(index, name, value)
    # What is nearer to 0 or 1 has no logarithm as a float.
    if not _LEAST <= amount <= _MOST and amount not in (ZERO, ONE):
        raise InvalidRequestError(
            f"candles[{index}]: {name} is {amount}; expected dollars between 0 and 1"
        )
    return amount if 0 < amount < ONE else None


def _exact(index: int, name: str, value: object) -> Decimal:
    if not isinstance(value, Decimal) or not value.is_finite():
        raise InvalidRequestError(
            f"candles[{index}]: {name} is {shown(value)}; expected a finite Decimal"
        )
    return value


def _mid(bar: Bar) -> Decimal | None:
    if bar.bid is None or bar.ask is None:
        return None
    return EXACT.multiply(EXACT.add(bar.bid, bar.ask), _HALF)


def _length(apart: list[int], period_interval: PeriodInterval | None) -> int:
    """Seconds a period."""
    if period_interval is not None:
        minutes: int = period_interval
        if minutes not in get_args(PeriodInterval):
            raise InvalidRequestError(
                f"period_interval is {period_interval!r}; expected 1, 60 or 1440 minutes"
            )
        return 60 * minutes
    seen = Counter(apart)
    usual = min(seen, key=lambda each: (-seen[each], each), default=_LENGTHS[0])
    # A day on which clocks are put forward has 23 hours.
    return max((each for each in _LENGTHS if each * 23 <= usual * 24), default=_LENGTHS[0])


def _periods(apart: int, seconds: int) -> int:
    """How many periods lie between the ends of two candles."""
    count = round(apart / seconds)
    slack = 3600 if seconds == _DAY else 0
    if not count or abs(apart - count * seconds) > slack:
        raise InvalidRequestError(
            f"candles end {apart} s apart, which is no multiple of their {seconds // 60} minutes; "
            "pass candles of one length (and period_interval, where many are missing)"
        )
    return count
