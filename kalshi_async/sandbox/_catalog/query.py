"""What a listing of markets is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._text import SECOND
from . import states

# The place of a market in a listing: (time in microseconds, ticker), both descending.
Key = tuple[int, str]
_FAR = 1 << 62


@dataclass(frozen=True, slots=True)
class Window:
    """An inclusive range of times in microseconds."""

    low: int = -_FAR
    high: int = _FAR

    @classmethod
    def seconds(cls, low: int | None, high: int | None) -> Window:
        """The window between two Unix seconds; None leaves an end open."""
        if low is None and high is None:
            return ALWAYS
        # Anything an int64 second can say lies inside, so the ends stay comparable with a 64-bit
        # column.
        return cls(
            -_FAR if low is None else max(low * SECOND, -_FAR),
            _FAR if high is None else min(high * SECOND, _FAR),
        )

    def __contains__(self, micros: int) -> bool:
        return self.low <= micros <= self.high

    @property
    def everything(self) -> bool:
        """No bound at all."""
        return self.low == -_FAR and self.high == _FAR


ALWAYS = Window()


@dataclass(frozen=True, slots=True)
class MarketQuery:
    """Filters of a market listing; `word` is a status filter, or "archived" for the historical
    lists.
    """

    word: str | None = None
    events: tuple[str, ...] | None = None
    series: str | None = None
    tickers: tuple[str, ...] | None = None
    combos: bool | None = None
    created: Window = field(default=ALWAYS)
    close: Window = field(default=ALWAYS)
    settled: Window = field(default=ALWAYS)
    updated: Window = field(default=ALWAYS)

    @property
    def order(self) -> str:
        """The time listings are ordered by, newest first."""
        return "close" if self.word in states.BY_CLOSE else "created"
