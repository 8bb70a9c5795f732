"""Candlesticks and trades as polars frames, and back. polars is imported where it is needed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from .. import _amounts
from .._errors import InvalidRequestError
from ..models.candlesticks import Candlestick
from ..models.trades import Trade

if TYPE_CHECKING:
    import polars as pl

CANDLE_COLUMNS: Final = (
    "end_period_ts",
    "price_close",
    "price_previous",
    "price_high",
    "price_low",
    "price_mean",
    "yes_bid_close",
    "yes_ask_close",
    "volume",
)
"""What a frame of candles must have; others may be there as well."""

TRADE_COLUMNS: Final = ("trade_id", "ticker", "yes_price", "count", "taker_outcome_side")
"""What a frame of trades must have; others may be there as well."""

# As fine as the exchange sends them. polars rounds what is finer, silently: see ``_column``.
_PRICE_SCALE: Final = 6
_COUNT_SCALE: Final = 2
_PRECISION: Final = 38
_BID_ASK: Final = ("open", "low", "high", "close")
_PRICE: Final = (*_BID_ASK, "mean", "previous")


def as_frame(rows: object) -> pl.DataFrame | None:
    """The argument where it is a frame, else None; imports nothing."""
    module = sys.modules.get("polars")
    if module is not None and isinstance(rows, module.LazyFrame):
        raise InvalidRequestError("a LazyFrame has no rows yet; pass its collect()")
    return rows if module is not None and isinstance(rows, module.DataFrame) else None


def check_columns(
    name: str, frame: pl.DataFrame, wanted: Sequence[str], amounts: Sequence[str]
) -> None:
    """Refuse a frame that lacks a column, or whose amounts are not exact.

    Raises:
        InvalidRequestError: Column and remedy are named.
    """
    missing = [each for each in wanted if each not in frame.columns]
    if missing:
        raise InvalidRequestError(
            f"{name} has no column {missing[0]!r}; expected a frame as frame() makes it, with "
            f"{', '.join(wanted)}"
        )
    for each in amounts:
        kind = frame[each].dtype
        if not kind.is_decimal() and frame[each].null_count() < frame.height:
            raise InvalidRequestError(
                f"column {each!r} of {name} is {kind}; expected exact amounts: "
                f"polars.Decimal({_PRECISION}, {_PRICE_SCALE})"
            )


def bar_rows(frame: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    """The rows of a frame of candles: ``CANDLE_COLUMNS`` in their order."""
    yield from frame.select(CANDLE_COLUMNS).iter_rows()


def frame_of(rows: Iterable[Candlestick] | Iterable[Trade]) -> pl.DataFrame:
    """A frame with one row each; see ``trend.frame``."""
    try:
        import polars as pl
    except ImportError as error:
        raise ImportError("frames need polars: pip install 'kalshi-async[data]'") from error
    items = list(rows)
    if not items:
        raise InvalidRequestError("there is nothing to put into a frame, and nothing names columns")
    candles = [each for each in items if isinstance(each, Candlestick)]
    if len(candles) == len(items):
        return pl.DataFrame(_candle_columns(candles))
    trades = [each for each in items if isinstance(each, Trade)]
    if len(trades) == len(items):
        return pl.DataFrame(_trade_columns(trades))
    odd = next((each for each in items if not isinstance(each, Candlestick | Trade)), None)
    kinds = "candlesticks and trades mixed" if odd is None else f"a {type(odd).__name__}"
    raise InvalidRequestError(f"rows hold {kinds}; expected candlesticks only, or trades only")


def _candle_columns(candles: list[Candlestick]) -> list[pl.Series]:
    import polars as pl

    columns = [pl.Series("end_period_ts", [each.end_period_ts for each in candles])]
    for part, names in (("price", _PRICE), ("yes_bid", _BID_ASK), ("yes_ask", _BID_ASK)):
        parts = [getattr(each, part) for each in candles]
        for name in names:
            values = [None if each is None else getattr(each, name) for each in parts]
            columns.append(_column(f"{part}_{name}", values, _PRICE_SCALE))
    columns.append(_column("volume", [each.volume for each in candles], _COUNT_SCALE))
    columns.append(_column("open_interest", [each.open_interest for each in candles], _COUNT_SCALE))
    return columns


def _trade_columns(trades: list[Trade]) -> list[pl.Series]:
    import polars as pl

    def text(name: str, of: Callable[[Trade], str | None]) -> pl.Series:
        return pl.Series(name, [of(each) for each in trades], dtype=pl.String)

    return [
        text("trade_id", lambda each: each.trade_id),
        text("ticker", lambda each: each.ticker),
        pl.Series(
            "created_time",
            [each.created_time for each in trades],
            dtype=pl.Datetime("us", "UTC"),
        ),
        _column("yes_price", [each.yes_price for each in trades], _PRICE_SCALE),
        _column("no_price", [each.no_price for each in trades], _PRICE_SCALE),
        _column("count", [each.count for each in trades], _COUNT_SCALE),
        text("taker_outcome_side", taker_of),
        pl.Series("is_block_trade", [each.is_block_trade for each in trades], dtype=pl.Boolean),
    ]


def shown(value: object) -> str:
    """A value as a message names it: what is no Decimal with its type."""
    kind = "" if isinstance(value, Decimal) else f", a {type(value).__name__}"
    return f"{_amounts.shown(value)}{kind}"


def taker_of(trade: Trade) -> str | None:
    """What the taker gained exposure to; older trades have ``taker_side`` only."""
    return trade.taker_outcome_side or trade.taker_side


def _column(name: str, values: list[Decimal | None], scale: int) -> pl.Series:
    """A column of exact amounts.

    Raises:
        InvalidRequestError: One of them would not stay what it is.
    """
    import polars as pl

    for value in set(values):
        if value is None:
            continue
        whole = isinstance(value, Decimal) and value.is_finite()
        if not whole or int(value.as_tuple().exponent) < -scale:
            raise InvalidRequestError(
                f"{name} is {shown(value)}; expected a finite Decimal with at most {scale} decimals"
            )
    return pl.Series(name, values, dtype=pl.Decimal(_PRECISION, scale))
