"""Trades added up by price, and what follows from that: VWAP and volume profile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Final, TypeAlias

from .. import _amounts
from .._amounts import MOST, total
from .._errors import InvalidRequestError
from ..models.trades import Trade
from ._exact import EXACT, ONE, QUOTIENT, ZERO
from ._exact import share as checked_share
from ._trend_frames import TRADE_COLUMNS, as_frame, check_columns, shown, taker_of

if TYPE_CHECKING:
    import polars as pl

Trades: TypeAlias = "Iterable[Trade] | pl.DataFrame"
"""Trades of one market, in any order, or the frame that ``trend.frame`` makes of them."""

Taken = Mapping[tuple[Decimal, str | None], Decimal]
"""YES price and what the taker gained exposure to → contracts."""

_SIDES: Final = ("yes", "no")


@dataclass(frozen=True, slots=True)
class Tally:
    """The trades of one market added up.

    Attributes:
        ticker: The market; None where no trade says.
        trades: How many there are.
        duplicates: How many were left out because another has their ``trade_id``.
        taken: Contracts by price and side of the taker.
    """

    ticker: str | None
    trades: int
    duplicates: int
    taken: Taken

    @property
    def contracts(self) -> Decimal:
        """Contracts of all trades."""
        return total(self.taken.values())

    @property
    def vwap(self) -> Decimal:
        """The mean YES price of a contract, rounded once, at the 28th digit."""
        with localcontext(EXACT):
            dollars = sum((price * count for (price, _), count in self.taken.items()), ZERO)
        return QUOTIENT.divide(dollars, self.contracts)


@dataclass(frozen=True, slots=True)
class ProfileLevel:
    """Contracts traded at YES prices from ``price`` up to the next step.

    ``taker_yes`` and ``taker_no`` are those whose taker gained exposure to YES and to NO; trades
    that do not say are in ``count`` only.
    """

    price: Decimal
    count: Decimal
    taker_yes: Decimal
    taker_no: Decimal


@dataclass(frozen=True, slots=True)
class ValueArea:
    """The prices around the busiest one: ``low`` to ``high`` hold ``count`` contracts."""

    low: Decimal
    high: Decimal
    count: Decimal


@dataclass(frozen=True, slots=True)
class VolumeProfile:
    """Where a market traded.

    Attributes:
        step: Dollars a level.
        levels: Those at which there was a trade, by ascending YES price.
        duplicates: Trades left out because another has their ``trade_id``.
    """

    step: Decimal
    levels: tuple[ProfileLevel, ...]
    duplicates: int

    @property
    def total(self) -> Decimal:
        """Contracts of all levels."""
        return total(level.count for level in self.levels)

    @property
    def taker_yes(self) -> Decimal:
        """Contracts whose taker gained exposure to YES."""
        return total(level.taker_yes for level in self.levels)

    @property
    def taker_no(self) -> Decimal:
        """Contracts whose taker gained exposure to NO."""
        return total(level.taker_no for level in self.levels)

    @property
    def point_of_control(self) -> ProfileLevel:
        """The busiest level; of several the lowest."""
        return max(self.levels, key=lambda level: level.count)

    def value_area(self, share: Decimal | str = "0.70") -> ValueArea:
        """The levels around the busiest one that hold a share of all contracts.

        From the busiest level on, the busier neighbour is taken in (of equals the upper one)
        until the share is reached.

        Raises:
            InvalidRequestError: ``share`` is a float, 0, or not between 0 and 1.
        """
        wanted = EXACT.multiply(_exact_share(share), self.total)
        counts = [level.count for level in self.levels]
        low = high = counts.index(max(counts))
        held = counts[low]
        while held < wanted:
            below = counts[low - 1] if low else None
            above = counts[high + 1] if high + 1 < len(counts) else None
            if above is not None and (below is None or above >= below):
                high, held = high + 1, EXACT.add(held, above)
            elif below is not None:
                low, held = low - 1, EXACT.add(held, below)
        return ValueArea(self.levels[low].price, self.levels[high].price, held)


def tally(trades: Trades) -> Tally:
    """Add trades, or a frame of them, up; the same from both.

    Raises:
        InvalidRequestError: None, no trades, of several markets, or one whose price or count is
            no exact amount.
    """
    added = tally_if_any(trades)
    if added is None:
        raise InvalidRequestError("there are no trades; expected one or more")
    return added


def tally_if_any(trades: Trades) -> Tally | None:
    """``tally``, with None where there are no trades."""
    frame = as_frame(trades)
    added = _add_rows(trades) if frame is None else _add_frame(frame)
    for price, _ in added.taken:
        if not 0 < price < ONE:
            raise InvalidRequestError(
                f"a trade has yes_price {price}; expected dollars above 0 and below 1"
            )
    return added if added.trades else None


def profile_of(added: Tally, step: Decimal | str) -> VolumeProfile:
    """Trades that were added up, by level; see ``trend.volume_profile``."""
    size = _amounts.price("step", step)
    levels: dict[Decimal, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    for (price, side), count in added.taken.items():
        level = levels[EXACT.multiply(EXACT.divide_int(price, size), size)]
        level[0] = EXACT.add(level[0], count)
        if side in _SIDES:
            column = 1 + _SIDES.index(side)
            level[column] = EXACT.add(level[column], count)
    found = tuple(ProfileLevel(price, *levels[price]) for price in sorted(levels))
    return VolumeProfile(size, found, added.duplicates)


def _add_rows(trades: object) -> Tally:
    if not isinstance(trades, Iterable) or isinstance(trades, str | bytes):
        raise InvalidRequestError(
            f"trades is a {type(trades).__name__}; expected trades or a polars.DataFrame of them "
            "(await a request for its page first, or collect all pages into a list)"
        )
    given = list(trades)
    _check_rows(given)
    rows = {trade.trade_id: trade for trade in reversed(given)} if given else {}
    tickers = {trade.ticker for trade in given}
    # A list of counts each, added up at the end: a million additions cost less than as many
    # lookups and assignments.
    counts: defaultdict[tuple[Decimal, str | None], list[Decimal]] = defaultdict(list)
    for trade in rows.values():
        counts[trade.yes_price, taker_of(trade)].append(trade.count)
    taken = {key: total(each) for key, each in counts.items()}
    return Tally(_one_ticker(tickers), len(rows), len(given) - len(rows), taken)


def _check_rows(given: list[object]) -> None:
    for index, trade in enumerate(given):
        if not isinstance(trade, Trade):
            raise InvalidRequestError(
                f"trades[{index}] is a {type(trade).__name__}; expected a Trade"
            )
        price, count = trade.yes_price, trade.count
        # Hashing and adding up come next: a float would hide among equal Decimals.
        if not (isinstance(price, Decimal) and price.is_finite()):
            raise InvalidRequestError(_inexact(index, trade, "yes_price", price))
        if not (isinstance(count, Decimal) and count.is_finite() and 0 < count <= MOST):
            raise InvalidRequestError(_inexact(index, trade, "count", count))


def _inexact(index: int, trade: Trade, name: str, value: object) -> str:
    where = f"trades[{index}] ({trade.trade_id}): {name}"
    return f"{where} is {shown(value)}; expected a finite Decimal above 0"


def _add_frame(frame: pl.DataFrame) -> Tally:
    import polars as pl

    check_columns("trades", frame, TRADE_COLUMNS, ("yes_price", "count"))
    for name in ("trade_id", "yes_price", "count"):
        if frame[name].null_count():
            raise InvalidRequestError(f"column {name!r} of trades has rows without a value")
    if frame.height and not (frame["count"] > 0).all():
        raise InvalidRequestError("column 'count' of trades has a value that is not above 0")
    rows = frame.unique("trade_id", keep="first")
    added = rows.group_by("yes_price", "taker_outcome_side").agg(pl.col("count").sum())
    taken = {(price, side): count for price, side, count in added.iter_rows()}
    tickers = set(frame["ticker"].unique().to_list())
    return Tally(_one_ticker(tickers), rows.height, frame.height - rows.height, taken)


def _one_ticker(tickers: set[str | None]) -> str | None:
    named = sorted(each for each in tickers if each is not None)
    if len(named) > 1:
        raise InvalidRequestError(
            f"trades are of several markets ({named[0]}, {named[1]}{', …' if named[2:] else ''}); "
            "expected those of one"
        )
    return named[0] if named else None


def _exact_share(value: object) -> Decimal:
    if not isinstance(value, str | Decimal):
        raise InvalidRequestError(f'share is {value!r}; expected text or a Decimal, such as "0.70"')
    return checked_share("share", value)
