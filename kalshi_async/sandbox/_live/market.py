"""A market that trades, as listings and look-ups see it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from .._catalog.book import Book
from .._catalog.catalog import Listed
from .._catalog.market import Market
from .._catalog.states import WORD_OF_STATUS
from .._records import ACTIVE, INACTIVE, INITIALIZED, MarketState
from .._units import ONE
from .listing import TICK
from .rolling import Past, day_of
from .showing import NO_ASK, NO_BID, Fields, Shown, fields_of, instant_of, patched

if TYPE_CHECKING:
    from .view import LiveMarkets

TRADABLE = (INITIALIZED, ACTIVE, INACTIVE)
# How many objects taken apart and how many trades of before are kept: some megabytes each.
_KEPT = 2048


@dataclass(frozen=True, slots=True)
class LiveMarket:
    """A listed market with the state the engine has it in. The dates it was listed with stay what
    they were; what happened here is dated in trading time.
    """

    live: LiveMarkets
    listed: Listed
    state: MarketState

    @property
    def ticker(self) -> str:
        """Its ticker."""
        return self.listed.ticker

    @property
    def event_ticker(self) -> str:
        """The event it belongs to."""
        return self.listed.event_ticker

    @property
    def series_ticker(self) -> str:
        """The series it belongs to."""
        return self.listed.series_ticker

    @property
    def created(self) -> int:
        """When it was created, in the catalog's time: its place in listings stays the same."""
        return self.listed.created

    @property
    def touched(self) -> bool:
        """Whether it can have changed: trading was over for a market that was only looked up."""
        return self.state.status in TRADABLE or bool(self.state.updated)

    @property
    def close(self) -> int:
        """When it closes: as listed, unless it was closed at another time."""
        closes = self.state.closes
        if not self.touched or closes in (0, self.listed.close + self.live.shift):
            return self.listed.close
        return closes

    @property
    def word(self) -> str:
        """The filter word of its state."""
        return WORD_OF_STATUS[self.state.status] if self.touched else self.listed.word

    @property
    def updated(self) -> int:
        """When it changed last, 0 for never."""
        return self.state.updated

    def json(self) -> bytes:
        """The object as the exchange sends it."""
        return self.live.render(self) if self.touched else self.listed.json()

    def book(self) -> Book:
        """Its resting bids of both sides."""
        levels = self.live.levels
        return Book(
            tuple((price // TICK, count) for price, count in levels(self.ticker, True)),
            tuple(((ONE - price) // TICK, count) for price, count in levels(self.ticker, False)),
        )


class Renderer:
    """Market objects of markets that trade."""

    def __init__(self, live: LiveMarkets, shift: int, started: int) -> None:
        self._live, self._shift, self._started = live, shift, started
        self._fields = lru_cache(maxsize=_KEPT)(self._take_apart)
        self._past = lru_cache(maxsize=_KEPT)(self._recall)

    def _listed(self, ticker: str) -> Listed:
        listed = self._live.listed(ticker)
        if listed is None:
            raise KeyError(ticker)
        return listed

    def _take_apart(self, ticker: str) -> tuple[Fields, int, int]:
        """The fields of a market, and when it opens and closes by them, in trading time."""
        fields = fields_of(self._listed(ticker).json())
        opens, closes = instant_of(fields, "open_time"), instant_of(fields, "close_time")
        return fields, opens + self._shift, closes + self._shift

    def _recall(self, ticker: str) -> Past | None:
        listed = self._listed(ticker)
        return Past(listed, self._shift) if isinstance(listed, Market) else None

    def render(self, market: LiveMarket, now: int) -> bytes:
        """The object of a market as it is now."""
        state = market.state
        ticker = state.ticker
        bid, bid_size, ask, ask_size = NO_BID, 0, NO_ASK, 0
        if state.status in (ACTIVE, INACTIVE):
            bid, bid_size, ask, ask_size = self._live.top(ticker)
        minutes = self._live.minutes(ticker)
        past = self._past(ticker) if state.base_volume else None
        volume_24h, previous = day_of(state, past, minutes, now, self._started)
        fields, opens, closes = self._fields(ticker)
        return patched(
            fields,
            Shown(
                status=state.status,
                bid=bid,
                ask=ask,
                bid_size=bid_size,
                ask_size=ask_size,
                last=state.last,
                previous=previous,
                volume=state.base_volume + state.volume,
                volume_24h=volume_24h,
                open_interest=state.base_open_interest + state.open_interest,
                value=state.value,
                opens=state.opens if state.opens < opens else 0,
                closes=state.closes if state.closes != closes else 0,
                settled=state.settled,
                updated=state.updated,
            ),
        )
