"""Trades of generated markets, newest first, and the candlesticks they add up to."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

from .._text import DAY, MINUTE, PRICE, SECOND, digest, stream, time_text, uuid_text
from .._units import count_text
from . import states
from .generated import Generated
from .grid import FLOOR, step_above, step_below
from .market import Market, traded_event
from .query import Key, Window


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade: microseconds, hundredths of a contract, yes price in ticks of $0.001."""

    time: int
    trade_id: str
    ticker: str
    count: int
    price: int
    taker_yes: bool

    @property
    def key(self) -> Key:
        """Its place on the tape."""
        return self.time, self.trade_id

    def json(self) -> dict[str, object]:
        """The object as the exchange sends it."""
        side = "yes" if self.taker_yes else "no"
        return {
            "count_fp": count_text(self.count),
            "created_time": time_text(self.time),
            "is_block_trade": False,
            "no_price_dollars": PRICE[1000 - self.price],
            "taker_book_side": "bid" if self.taker_yes else "ask",
            "taker_outcome_side": side,
            "taker_side": side,
            "ticker": self.ticker,
            "trade_id": self.trade_id,
            "yes_price_dollars": PRICE[self.price],
        }


@dataclass(frozen=True, slots=True)
class _Group:
    """Trades of one span of time that share a volume: before the last day, and within it."""

    count: int
    volume: int
    low: int
    high: int
    last_price: int
    salt: int

    def times(self, key: int) -> list[int]:
        """When they took place, oldest first."""
        raw = stream(key, self.salt, self.count * 5)
        span, low = self.high - self.low, self.low
        return sorted(
            low + int.from_bytes(raw[at : at + 5], "little") % span for at in range(0, len(raw), 5)
        )


def _groups(market: Market) -> list[_Group]:
    """The older trades and the recent ones, as far as there are any."""
    count, event = market.trade_count, market.event
    if not count:
        return []
    end = min(event.close, event.now) - SECOND
    day_ago = min(max(event.now - DAY, event.open), end)
    recent = market.volume_24h
    older = market.volume - recent
    of_recent = 0 if not recent else count if not older else max(1, count // 2)
    salt = 0x10000 + market.number * 0x400
    found = []
    if older:
        price = market.previous if recent else market.last
        span = event.open, max(day_ago, event.open + count)
        found.append(_Group(count - of_recent, older, *span, price, salt))
    if recent:
        span = day_ago, max(end, day_ago + count)
        found.append(_Group(of_recent, recent, *span, market.last, salt + 0x200))
    return found


def trade_times(market: Market) -> list[int]:
    """When the trades of `trades_of` took place, without the cost of the rest."""
    return [time for group in _groups(market) for time in group.times(market.event.key)]


def trades_of(market: Market) -> list[Trade]:
    """All trades of a market, oldest first; their counts add up to its volume."""
    return [trade for group in _groups(market) for trade in _trades(market, group)]


def _trades(market: Market, group: _Group) -> list[Trade]:
    """The trades of a group; prices walk backwards from its last price."""
    key, structure = market.event.key, market.event.series.structure
    raws = [digest(key, group.salt + 1 + number) for number in range(group.count)]
    counts = _parts(group.volume, [raw[5] + 8 for raw in raws])
    price = group.last_price
    trades = []
    for time, raw, size in zip(reversed(group.times(key)), raws, counts, strict=True):
        trades.append(
            Trade(time, uuid_text(raw[8:24]), market.ticker, size, price, bool(raw[24] & 1))
        )
        drift = raw[25] % 5 - 2
        for _ in range(abs(drift)):
            price = step_above(structure, price) if drift > 0 else step_below(structure, price)
        price = min(max(price, step_above(structure, 0)), step_below(structure, 1000))
    trades.reverse()
    return trades


def _parts(total: int, weights: Sequence[int]) -> list[int]:
    """`total` split by weight into whole hundredths, none of them empty."""
    spare = total - len(weights)
    whole = sum(weights)
    parts = [1 + spare * weight // whole for weight in weights]
    parts[0] += total - sum(parts)
    return parts


class Tape:
    """All trades of the catalog in time order, as compact columns; built when it is first read."""

    def __init__(self, generated: Generated) -> None:
        self._generated = generated
        self._times = array("q")
        self._places = array("Q")
        self._built = False
        self._lock = Lock()
        self._trades_at = lru_cache(maxsize=512)(self._market_trades)

    def build(self) -> None:
        """Collect every trade; seconds of work for a large catalog, so call it in a thread."""
        with self._lock:
            if not self._built:
                self._collect()
                self._built = True

    def _collect(self) -> None:
        times, places = array("q"), array("Q")
        columns = self._generated.columns
        for position, (key, state) in enumerate(zip(columns.key, columns.state, strict=True)):
            if traded_event(key, state):
                for number, market in enumerate(self._generated.event_at(position).markets):
                    place = position << 24 | number << 16
                    own = trade_times(market)
                    times.extend(own)
                    places.extend(range(place, place + len(own)))
        order = sorted(range(len(times)), key=times.__getitem__)
        self._times = array("q", map(times.__getitem__, order))
        self._places = array("Q", map(places.__getitem__, order))

    def newest(self, window: Window, after: Key | None) -> Iterator[Trade]:
        """Trades inside the window, newest first, from behind `after`."""
        self.build()
        upper = min(window.high, after[0]) if after else window.high
        for at in range(bisect_right(self._times, upper) - 1, -1, -1):
            if self._times[at] < window.low:
                return
            yield self._trade(self._places[at])

    def _trade(self, place: int) -> Trade:
        return self._trades_at(place >> 16)[place & 0xFFFF]

    def _market_trades(self, place: int) -> list[Trade]:
        return trades_of(self._generated.event_at(place >> 8).markets[place & 0xFF])


def newest_first(trades: Sequence[Trade], window: Window) -> Iterator[Trade]:
    """One market's trades inside the window, newest first."""
    return (trade for trade in reversed(trades) if trade.time in window)


def behind(trades: Iterator[Trade], after: Key | None) -> Iterator[Trade]:
    """The trades behind a cursor. Trades of the same microsecond keep the order of the tape."""
    if after is None:
        yield from trades
        return
    time, trade_id = after
    held: list[Trade] = []
    for trade in trades:
        if trade.time > time:
            continue
        if trade.time < time:
            # The trade of the cursor is gone: everything older than it is what comes next.
            yield from held
            yield trade
            yield from trades
            return
        held.append(trade)
        if trade.trade_id == trade_id:
            yield from trades
            return


@dataclass(frozen=True, slots=True)
class Candle:
    """One period of a market: quotes and prices in ticks as (open, low, high, close), counts in
    hundredths.
    """

    end: int
    bid: tuple[int, int, int, int]
    ask: tuple[int, int, int, int]
    price: tuple[int, int, int, int] | None
    mean: int
    previous: int | None
    volume: int
    open_interest: int


def candles_of(
    market: Market, start: int, end: int, minutes: int, *, lead: bool = False
) -> list[Candle]:
    """Candles whose period ends in [start, end] (Unix seconds); `lead` puts the one before them
    first.
    """
    event = market.event
    if event.state == states.INITIALIZED:
        return []
    period = minutes * 60
    first_open, last = event.open // SECOND, min(event.close, event.now) // SECOND
    first = max(-(-start // period), first_open // period + 1)
    if lead:
        first = max(first - 1, first_open // period + 1)
    final = min(end // period, -(-last // period))
    trades = trades_of(market)
    times = [trade.time for trade in trades]
    traded = [0]
    for trade in trades:
        traded.append(traded[-1] + trade.count)
    return [
        _candle(market, trades, times, traded, number * period, period)
        for number in range(first, final + 1)
    ]


def _candle(
    market: Market,
    trades: Sequence[Trade],
    times: Sequence[int],
    traded: Sequence[int],
    end: int,
    period: int,
) -> Candle:
    low = bisect_left(times, (end - period) * SECOND)
    high = bisect_left(times, end * SECOND)
    inside = trades[low:high]
    previous = trades[low - 1].price if low else None
    prices = [trade.price for trade in inside]
    volume = traded[high] - traded[low]
    spent = sum(trade.price * trade.count for trade in inside)
    quotes = [_quote(market, previous), *(_quote(market, price) for price in prices)]
    if high == len(trades):
        quotes.append((market.bid, market.ask))
    return Candle(
        end=end,
        bid=_span([bid for bid, _ in quotes]),
        ask=_span([ask for _, ask in quotes]),
        price=_span(prices) if prices else None,
        mean=spent // volume if volume else 0,
        previous=previous,
        volume=volume,
        open_interest=market.open_interest * traded[high] // traded[-1] if traded[-1] else 0,
    )


def _quote(market: Market, price: int | None) -> tuple[int, int]:
    """Bid and ask while the last trade was at this price."""
    if price is None:
        return 0, 1000
    structure = market.event.series.structure
    return step_below(structure, price), step_above(structure, FLOOR[structure][price])


def _span(values: Sequence[int]) -> tuple[int, int, int, int]:
    return values[0], min(values), max(values), values[-1]


def periods(start: int, end: int, minutes: int) -> int:
    """How many periods a request spans."""
    return max(0, (end - start) * SECOND // (minutes * MINUTE) + 1)
