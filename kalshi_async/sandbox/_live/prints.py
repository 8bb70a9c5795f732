"""The trades made here, newest first, as many as there is room for."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter
from dataclasses import dataclass

from .._catalog.query import Key, Window
from .._handlers.shapes import trade_shape
from .._records import Trade

MOST = 100_000


@dataclass(frozen=True, slots=True)
class Print:
    """A trade on the public tape."""

    trade: Trade

    @property
    def time(self) -> int:
        """When it took place, in Unix microseconds."""
        return self.trade.time

    @property
    def trade_id(self) -> str:
        """Its identifier."""
        return self.trade.trade_id

    @property
    def key(self) -> Key:
        """Its place on the tape."""
        return self.trade.time, self.trade.trade_id

    def json(self) -> dict[str, object]:
        """The object as the exchange sends it."""
        return trade_shape(self.trade)


class Prints:
    """The newest trades, oldest first, in all and by market: never more than `most`."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._all: list[Trade] = []
        self._by_ticker: dict[str, list[Trade]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(self, trade: Trade) -> None:
        """Append a trade; the oldest go when there is no room."""
        if len(self._all) >= self._most:
            self._drop_oldest()
        own = self._by_ticker.setdefault(trade.ticker, [])
        for trades in (self._all, own):
            if trades and trade.time < trades[-1].time:  # the clock was set back
                insort(trades, trade, key=_time)
            else:
                trades.append(trade)

    def _drop_oldest(self) -> None:
        # Some at a time, so that moving the rest up costs little a trade.
        number = max(self._most // 16, 1)
        for ticker, count in Counter(trade.ticker for trade in self._all[:number]).items():
            own = self._by_ticker[ticker]
            del own[:count]
            if not own:
                del self._by_ticker[ticker]
        del self._all[:number]

    def newest(
        self, ticker: str | None, window: Window, after: Key | None, block: bool | None, limit: int
    ) -> list[Print]:
        """Trades inside the window, newest first: those of the microsecond of `after`, and `limit`
        more behind it. `block` chooses block trades, or all others.
        """
        trades = self._all if ticker is None else self._by_ticker.get(ticker, [])
        upper = min(window.high, after[0]) if after else window.high
        found: list[Print] = []
        for at in range(bisect_right(trades, upper, key=_time) - 1, -1, -1):
            trade = trades[at]
            if trade.time < window.low or limit <= 0:
                break
            if block is None or trade.block is block:
                found.append(Print(trade))
                limit -= after is None or trade.time < after[0]
        return found


def _time(trade: Trade) -> int:
    return trade.time
