"""Windows of creation time: how a long list is read by several cursors at once. Pure.

A list is covered by windows of ``created_time``; each window is read from its first page to its
last by one cursor, so that nothing depends on the order in which the exchange lists. A window whose
first page shows that it is long is cut into pieces before it is read. Neighbouring windows overlap
by a second, because it is not documented on which side of a bound a market falls; what was created
near a bound is told apart by ticker.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

EPOCH = 1_609_459_200
"""2021-01-01 in Unix seconds: nothing on the exchange is older."""

LONG = 8
"""Pages above which a window is cut; the page that showed it is read again, so not for less."""

PIECE = 4
"""Pages that a piece should have."""

_CREATED = b'"created_time":"'
_SAMPLES = 16


@dataclass(frozen=True, slots=True)
class Window:
    """Objects created from ``start`` to ``end`` (Unix seconds, None: open), from ``cursor`` on."""

    start: int | None = None
    end: int | None = None
    cursor: str | None = None

    def covers(self, created: float | None) -> bool:
        """Whether an object of this creation time belongs here; one of unknown time may."""
        if created is None:
            return True
        second = math.floor(created)
        return (self.start is None or self.start <= second) and (
            self.end is None or second <= self.end
        )

    def at(self, cursor: str) -> Window:
        """The same window, further on."""
        return replace(self, cursor=cursor)


def sample_times(body: bytes) -> list[float]:
    """Creation times (Unix seconds) from the ends of a page and places in between.

    They only guide where to cut: which object belongs where is decided by its own time. (Decoding
    a large page for this would stop the event loop; the text cannot stand inside a JSON string,
    where its quotes would be escaped.)
    """
    last = body.rfind(_CREATED)
    starts = range(0, max(last, 1), max(last // _SAMPLES, 1))
    places = {body.find(_CREATED, start) for start in starts} | {last}
    times = []
    for place in sorted(places - {-1}):
        start = place + len(_CREATED)
        end = body.find(b'"', start, start + 40)
        try:
            times.append(datetime.fromisoformat(body[start:end].decode()).timestamp())
        except ValueError:
            continue
    return times


def estimate_pages(window: Window, oldest: float, newest: float) -> float:
    """About how many pages a window has, if its first spans ``oldest`` to ``newest`` seconds."""
    start = EPOCH if window.start is None else window.start
    end = newest if window.end is None else window.end
    width = max(end - start, 0.0)
    return width / max(newest - oldest, 1.0)


def cut(window: Window, oldest: float, newest: float, most: int) -> list[Window]:
    """The pieces to read instead of a long window; just the window where it is short or narrow.

    The newest piece has the density of the first page, each older one is wider by the same factor:
    an exchange lists more now than it did. At most ``most`` pieces.
    """
    pages = estimate_pages(window, oldest, newest)
    start = EPOCH if window.start is None else window.start
    end = math.ceil(newest if window.end is None else window.end)
    if pages <= LONG or end - start < 4 or most < 2:
        return [window]
    pieces = min(most, max(2, math.ceil(pages / PIECE)))
    widths = _growing_widths(end - start, max(newest - oldest, 1.0) * PIECE, pieces)
    bounds: list[int] = []
    edge = float(end)
    for width in widths[:-1]:
        edge -= width
        bound = math.floor(edge)
        if start + 1 < bound < (bounds[-1] if bounds else end) - 1:
            bounds.append(bound)
    windows = []
    upper = window.end
    for bound in bounds:
        windows.append(Window(bound, upper))
        upper = bound + 1
    windows.append(Window(window.start, upper))
    return windows if len(windows) > 1 else [window]


def _growing_widths(total: float, first: float, pieces: int) -> list[float]:
    """``pieces`` widths that sum to ``total``, from ``first`` up by a constant factor."""
    if first * pieces >= total:
        return [total / pieces] * pieces
    low, high = 1.0, 2.0

    def covered(factor: float) -> float:
        return first * sum(factor**index for index in range(pieces))

    while covered(high) < total:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if covered(middle) < total else (low, middle)
    return [first * high**index for index in range(pieces)]


class Seams:
    """Knows what was delivered near the bounds between windows, so that nothing comes twice."""

    def __init__(self, bounds: Iterable[int] = (), delivered: Iterable[str] = ()) -> None:
        self.bounds = set(bounds)
        self.delivered = set(delivered)
        self._near: set[int] = set()
        for bound in self.bounds:
            self._near.update(_neighbourhood(bound))

    def add(self, windows: Sequence[Window]) -> None:
        """Note the bounds between the pieces of a window."""
        for window in windows[:-1]:
            if window.start is not None:
                self.bounds.add(window.start)
                self._near.update(_neighbourhood(window.start))

    def is_near(self, created: float | None) -> bool:
        """Whether an object of this creation time may come from two windows."""
        return bool(self._near) and (created is None or math.floor(created) in self._near)

    def first_time(self, ticker: str, created: float | None) -> bool:
        """Whether an object is to be delivered; remembers it where it may come again."""
        if not self._near and not self.delivered:
            return True
        if ticker in self.delivered:
            return False
        if self.is_near(created):
            self.delivered.add(ticker)
        return True


def _neighbourhood(bound: int) -> range:
    return range(bound - 1, bound + 3)
