"""Order books: resting bids of both sides, as the exchange shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .._text import PRICE
from .._units import ONE, count_text, price_text
from .grid import LINEAR_CENT, step_below

Level = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Book:
    """Bids of the yes and the no side, best first: (price in ticks of $0.001, size in
    hundredths).
    """

    yes: tuple[Level, ...] = ()
    no: tuple[Level, ...] = ()

    def json(self, depth: int = 0) -> dict[str, list[list[str]]]:
        """The wire form: ascending, best last; `depth` 0 means every level."""
        return {"yes_dollars": _side(self.yes, depth), "no_dollars": _side(self.no, depth)}


EMPTY = Book()


def live_json(
    bids: Sequence[Level], asks: Sequence[Level], depth: int = 0
) -> dict[str, list[list[str]]]:
    """The wire form of a live book: both sides as (YES price, count) in the units of the engine,
    best first. An ask is shown as a bid of NO.
    """
    if depth:
        bids, asks = bids[:depth], asks[:depth]
    return {
        "yes_dollars": [[price_text(price), count_text(count)] for price, count in reversed(bids)],
        "no_dollars": [
            [price_text(ONE - price), count_text(count)] for price, count in reversed(asks)
        ],
    }


def _side(levels: tuple[Level, ...], depth: int) -> list[list[str]]:
    shown = levels[:depth] if depth else levels
    return [[PRICE[price], count_text(size)] for price, size in reversed(shown)]


def build_book(structure: str, raw: bytes, yes: Level, no: Level) -> Book:
    """A book with the given best bids and further levels behind them; `raw` is 32 random bytes."""
    return Book(_levels(structure, raw[16:24], yes), _levels(structure, raw[24:32], no))


def top_of_book(yes: Level, no: Level) -> Book:
    """A book of which only the best bids are known."""
    return build_book(LINEAR_CENT, bytes(32), yes, no)


def _levels(structure: str, raw: bytes, best: Level) -> tuple[Level, ...]:
    price, size = best
    if price <= 0 or size <= 0:
        return ()
    levels = [best]
    for number in range(raw[0] % 10):
        for _ in range(1 + raw[(number + 1) % 8] % 3):
            price = step_below(structure, price)
        if price <= 0:
            break
        levels.append((price, 100 * (1 + raw[number % 8]) * (number + 2)))
    return tuple(levels)
