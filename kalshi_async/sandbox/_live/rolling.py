"""What a market shows about the last day: volume, and the prices of a day ago."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import accumulate

from .._catalog.grid import step_above, step_below
from .._catalog.market import Market
from .._catalog.tape import trades_of
from .._records import MarketState
from .._text import DAY
from .listing import TICK
from .minutes import Minutes

Previous = tuple[int, int, int]
"""Last price, bid and ask, in the units of the engine."""


class Past:
    """The trades of a generated market before the exchange started, in trading time."""

    __slots__ = ("_market", "_prices", "_shown", "_sums", "_times")

    def __init__(self, market: Market, shift: int) -> None:
        trades = trades_of(market)
        self._market = market
        self._times = array("q", (trade.time + shift for trade in trades))
        self._prices = array("i", (trade.price for trade in trades))
        self._sums = array("q", accumulate((trade.count for trade in trades), initial=0))
        self._shown = bisect_left(self._times, market.event.now + shift - DAY)

    def volume_since(self, time: int) -> int:
        """What was traded since."""
        return self._sums[-1] - self._sums[bisect_left(self._times, time)]

    def before(self, time: int) -> Previous | None:
        """Prices after the last trade before `time`; None while the catalog shows them."""
        at = bisect_left(self._times, time)
        if at <= self._shown:
            return None
        price, structure = self._prices[at - 1], self._market.event.series.structure
        bid, ask = step_below(structure, price), step_above(structure, price)
        return price * TICK, bid * TICK, ask * TICK


def day_of(
    state: MarketState, past: Past | None, minutes: Minutes | None, now: int, started: int
) -> tuple[int, Previous | None]:
    """Volume of the last 24 hours and the prices of 24 hours ago; None leaves those as recorded.

    `past` is None for a recorded market, of which only its volume of a day is known: it counts
    until the exchange has run for a day since `started`.
    """
    day_ago = now - DAY
    volume = 0 if minutes is None else minutes.volume_since(day_ago)
    known = None if minutes is None else minutes.at(day_ago)
    if past is not None:
        return volume + past.volume_since(day_ago), known or past.before(day_ago)
    if day_ago < started:
        volume += state.base_volume_24h
    return volume, known
