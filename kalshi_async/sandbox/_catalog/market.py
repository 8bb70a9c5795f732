"""One generated event and its markets, derived on demand from what the catalog stores about the
event.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .._text import DAY, HOUR, MINUTE, SECOND, digest
from . import states
from .book import Book, build_book
from .grid import FLOOR, step_above, step_below
from .render import market_json, market_template
from .series import Kind, Series
from .strikes import FED_ANCHOR, Strike, strikes


@dataclass(slots=True, frozen=True)
class Leg:
    """One selected market of a combo; `fair` in ticks."""

    event_ticker: str
    market_ticker: str
    name: str
    side: str
    fair: int


@dataclass(slots=True, frozen=True)
class Combo:
    """What a combo is made of."""

    collection_ticker: str
    legs: tuple[Leg, ...]


@dataclass(slots=True)
class Market:
    """A generated market. Prices in ticks of $0.001 (bid 0 and ask 1000: none), counts in
    hundredths.
    """

    event: Event
    ticker: str
    number: int
    strike: Strike
    raw: bytes
    bid: int = 0
    ask: int = 1000
    bid_size: int = 0
    ask_size: int = 0
    last: int = 0
    previous: int = 0
    previous_bid: int = 0
    previous_ask: int = 0
    volume: int = 0
    volume_24h: int = 0
    open_interest: int = 0
    trade_count: int = 0
    settlement: int = -1

    @property
    def created(self) -> int:
        """Creation time in Unix microseconds."""
        return self.event.created

    @property
    def close(self) -> int:
        """Close time in Unix microseconds."""
        return self.event.close

    @property
    def event_ticker(self) -> str:
        """The event this market belongs to."""
        return self.event.ticker

    @property
    def series_ticker(self) -> str:
        """The series this market belongs to."""
        return self.event.series.ticker

    @property
    def word(self) -> str:
        """The filter word of its state."""
        return states.WORDS[self.event.state]

    def json(self) -> bytes:
        """The object as the exchange sends it."""
        return self.event.render(self)

    def book(self) -> Book:
        """Its resting bids of both sides."""
        return build_book(
            self.event.series.structure,
            self.raw,
            (self.bid, self.bid_size),
            (1000 - self.ask, self.ask_size),
        )


class Event:
    """A generated event. Times are Unix microseconds; `settled` is 0 before settlement."""

    def __init__(
        self,
        *,
        key: int,
        ticker: str,
        series: Series,
        state: int,
        count: int,
        created: int,
        close: int,
        settled: int,
        now: int,
        combo: Combo | None = None,
    ) -> None:
        self.key, self.ticker, self.series, self.state, self.count = (
            key,
            ticker,
            series,
            state,
            count,
        )
        self.created, self.close, self.settled, self.now = created, close, settled, now
        self.combo = combo
        self.open = open_time(key, state, created, now)
        self.updated = updated_time(key, state, created, close, settled, now)

    @property
    def expected(self) -> int:
        """When the outcome is expected to be known."""
        return self.close + 3 * HOUR if self.series.kind is Kind.GAME else self.close

    @property
    def latest(self) -> int:
        """When the markets expire at the latest."""
        return self.close + 7 * DAY

    @cached_property
    def markets(self) -> tuple[Market, ...]:
        """The markets, ticker descending."""
        found = _struck(self) if self.combo is None else [_combined(self, self.combo)]
        found.sort(key=lambda market: market.ticker, reverse=True)
        if self.state != states.INITIALIZED:
            for market in found:
                _price(market)
        if states.decided(self.state):
            _settle(self, found)
        return tuple(found)

    @cached_property
    def _template(self) -> bytes:
        return market_template(self)

    def render(self, market: Market) -> bytes:
        """The JSON object of one of its markets."""
        return market_json(self._template, market)


def open_time(key: int, state: int, created: int, now: int) -> int:
    """When trading opens: minutes after creation, or within a day from now for an unopened
    market.
    """
    if state == states.INITIALIZED:
        return (now // MINUTE + 30 + key % 1400) * MINUTE
    return created + (2 + key % 14) * MINUTE - created % SECOND


def updated_time(key: int, state: int, created: int, close: int, settled: int, now: int) -> int:
    """When the object last changed."""
    if settled:
        return settled + 3 * SECOND + key % SECOND
    since = created if state in (states.INITIALIZED, states.ACTIVE, states.INACTIVE) else close
    # Squared, because most objects changed lately.
    age = (key >> 16) % 1000
    return max(since, now - (now - since) * age * age // 1_000_000 - 1 - key % SECOND)


def traded_event(key: int, state: int) -> bool:
    """Whether anything was traded in this event; most events of a real exchange see no trade."""
    return states.traded(state) and (key < 16 or key >> 56 < 48)


def _struck(event: Event) -> list[Market]:
    return [
        Market(event, event.ticker + strike.suffix, number, strike, digest(event.key, number))
        for number, strike in enumerate(strikes(event.series, event.key, event.count))
    ]


def _combined(event: Event, combo: Combo) -> Market:
    raw = digest(event.key, 0)
    fair = 1000
    for leg in combo.legs:
        fair = fair * leg.fair // 1000
    name = ",".join(f"{leg.side} {leg.name}" for leg in combo.legs)
    strike = Strike(
        f"-{raw[20:26].hex().upper()[:11]}", name, name, _combo_strike(combo), max(fair, 2)
    )
    return Market(event, event.ticker + strike.suffix, 0, strike, raw)


def _combo_strike(combo: Combo) -> str:
    legs = ",".join(
        f'{{"event_ticker":"{leg.event_ticker}","market_ticker":"{leg.market_ticker}","side":"{leg.side}"}}'
        for leg in combo.legs
    )
    events = ",".join(leg.event_ticker for leg in combo.legs)
    sides = ",".join(leg.side for leg in combo.legs)
    tickers = ",".join(leg.market_ticker for leg in combo.legs)
    return (
        f'"strike_type":"custom","custom_strike":{{"Associated Events":"{events}",'
        f'"Associated Market Sides":"{sides}","Associated Markets":"{tickers}",'
        f'"Multivariate Event Ticker":"{combo.collection_ticker}"}},'
        f'"mve_collection_ticker":"{combo.collection_ticker}","mve_selected_legs":[{legs}],'
    )


def _price(market: Market) -> None:
    event, raw = market.event, market.raw
    structure = event.series.structure
    fair = market.strike.fair
    if event.key == FED_ANCHOR and not market.strike.suffix:
        market.bid, market.ask = 610, 630
        market.bid_size, market.ask_size = 125_000, 98_000
        market.last, market.previous = 620, 600
        market.volume, market.volume_24h, market.open_interest = 4_825_000, 1_284_000, 3_400_000
        market.previous_bid, market.previous_ask, market.trade_count = 590, 610, 240
        return
    bid = FLOOR[structure][max(fair - 1 - raw[0] % 24, 0)]
    ask = step_above(structure, max(fair + raw[1] % 12, bid))
    if raw[2] < 10:
        bid = 0
    elif raw[2] > 245:
        ask = 1000
    if states.quoted(event.state):
        market.bid, market.ask = bid, ask
        market.bid_size = _size(raw[3:6]) if bid else 0
        market.ask_size = _size(raw[6:9]) if ask < 1000 else 0
    if traded_event(event.key, event.state) and (event.key < 16 or raw[9] < 224):
        _activity(market, structure, bid, ask)


def _size(raw: bytes) -> int:
    size = (raw[0] + 1) * (raw[1] + 1) // 4 + 1
    # Mostly whole contracts, sometimes fractions, as fractional trading makes them.
    return size * 100 if raw[2] < 200 else size * 100 + raw[2] % 100


def _activity(market: Market, structure: str, bid: int, ask: int) -> None:
    event, raw = market.event, market.raw
    inside = bid if raw[10] & 1 else ask
    market.last = inside if 0 < inside < 1000 else (ask if inside == 0 else bid)
    if not 0 < market.last < 1000:
        market.last = 500
    count = 2 + raw[11] % 7
    if event.key < 16 or event.key % 16 == 0:
        count *= 10
    market.trade_count = count
    market.volume = count * (100 + int.from_bytes(raw[12:14], "little") % 40_000)
    market.open_interest = market.volume * (raw[14] + 1) // 300
    end, day_ago = min(event.close, event.now), event.now - DAY
    if end <= day_ago:
        older = market.volume
    elif event.open >= day_ago:
        older = 0
    else:
        older = market.volume * (40 + raw[15] % 160) // 256
    market.volume_24h = market.volume - older
    if older:
        drift = raw[16] % 61 - 30
        previous = FLOOR[structure][min(max(market.last + drift, 0), 999)]
        market.previous = previous or step_above(structure, 0)
        market.previous_bid = step_below(structure, market.previous)
        market.previous_ask = step_above(structure, market.previous)


def _settle(event: Event, markets: list[Market]) -> None:
    """Results: one winner where outcomes exclude each other, thresholds up to one value on a
    ladder.
    """
    raw = digest(event.key, 0xE, 8)
    if event.series.kind is Kind.GAME and raw[0] < 6:
        for market in markets:
            market.settlement = 500
        return
    if event.series.exclusive:
        winner = _weighted(markets, raw)
        for market in markets:
            market.settlement = 1000 if market is winner else 0
    else:
        for market in markets:
            drawn = int.from_bytes(raw[1:3], "little") % 1000
            market.settlement = 1000 if drawn < market.strike.fair else 0
    if states.decided(event.state):
        for market in markets:
            if market.last:
                market.last = _last_before(event.series.structure, market.settlement)


def _weighted(markets: list[Market], raw: bytes) -> Market:
    drawn = int.from_bytes(raw[1:5], "little") % sum(market.strike.fair for market in markets)
    for market in markets:
        drawn -= market.strike.fair
        if drawn < 0:
            return market
    return markets[-1]


def _last_before(structure: str, settlement: int) -> int:
    return step_below(structure, 1000) if settlement == 1000 else step_above(structure, 0)
