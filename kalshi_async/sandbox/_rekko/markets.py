"""Markets as the intelligence API shows them: the exchange's own, and the same questions on other
venues, whose prices are made up from the seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from .._catalog.query import MarketQuery
from .._catalog.series import INDEX, SERIES
from .._catalog.strikes import ANCHORS, FED_ANCHOR
from .._live.listing import TICK, _count, _price, listing_of
from .._text import HOUR
from .._units import CONTRACT, ONE
from .given import not_found

if TYPE_CHECKING:
    from .._catalog.catalog import Listed
    from .._exchange import Exchange

KALSHI, POLYMARKET, ROBINHOOD, COINBASE = "kalshi", "polymarket", "robinhood", "coinbase"
PLATFORMS = (KALSHI, POLYMARKET, ROBINHOOD, COINBASE)
# Markets that are searched and compared: the whole of an ordinary catalog, a part of a vast one.
_INDEXED = 4_000
# Of each so many questions about one is also asked elsewhere: every other one of a small catalog, a
# few hundred of a vast one, and those that have one venue only.
_QUESTIONS_A_STEP = 300
# Markets indexed between two looks at the event loop.
_SLICE = 50
# A price elsewhere is at most this far off, in $0.0001.
MOST_OFF = 600
# Prices nearer to nothing or a dollar leave no room for another price beside them.
_EDGE = 40
_FIELDS = msgspec.json.Decoder(dict[str, object])


class _Listed(msgspec.Struct, gc=False):
    """What the index takes of a market."""

    title: str | None = None
    yes_sub_title: str | None = None
    volume_24h_fp: object = None
    volume_24h: object = None


_LISTED = msgspec.json.Decoder(_Listed)


@dataclass(frozen=True, slots=True)
class VenueMarket:
    """A market on one venue, now. Prices in $0.0001 (None: there is none), money in cents; `ticker`
    is the exchange's own market of the same question, `closes_in` hours of trading that are left.
    """

    platform: str
    market_id: str
    ticker: str
    event_ticker: str
    series: str
    category: str
    title: str
    outcome: str
    status: str
    bid: int | None
    ask: int | None
    price: int | None
    volume: int
    volume_24h: int
    liquidity: int
    close_time: str | None
    closes_in: float | None
    fee_thousandths: int
    url: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Platform and id."""
        return self.platform, self.market_id

    @property
    def spread(self) -> int | None:
        """Between bid and ask; None unless both are there."""
        return None if self.bid is None or self.ask is None else self.ask - self.bid


@dataclass(frozen=True, slots=True)
class Twin:
    """The same question on another venue: `offset` is what its price is off, `half` half its
    spread, `share` its part of the volume in per cent.
    """

    platform: str
    market_id: str
    ticker: str
    offset: int
    half: int
    share: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A market in the index; `text` is what is searched."""

    ticker: str
    event_ticker: str
    text: str
    volume: int


class Venues:
    """All venues of one exchange. `shifts` is what prices elsewhere were moved by."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._entries: tuple[int, list[Entry]] = (-1, [])
        self._twins: dict[str, list[Twin]] = {}
        self._terms_of: dict[str, tuple[int, int]] = {}
        self._by_id: dict[tuple[str, str], Twin] = {}
        self.shifts: dict[tuple[str, str], int] = {}

    # Single markets

    def market(self, platform: str, market_id: str) -> VenueMarket:
        """A market as it is now; 404 for an unknown platform or market."""
        if platform not in PLATFORMS:
            raise not_found(f"platform {platform!r}: there are {', '.join(PLATFORMS)}")
        found = self.find(platform, market_id)
        if found is None:
            raise not_found(f"market {market_id!r} on {platform}")
        return found

    def find(self, platform: str, market_id: str) -> VenueMarket | None:
        """As `market`, None for an unknown one."""
        if platform == KALSHI:
            listed = self._exchange.live.market(market_id)
            return None if listed is None or listed.word == "archived" else self._own(listed)
        self.twins()
        twin = self._by_id.get((platform, market_id))
        original = None if twin is None else self.find(KALSHI, twin.ticker)
        return None if twin is None or original is None else self._elsewhere(twin, original)

    def anywhere(self, market_id: str, platform: str | None = None) -> VenueMarket | None:
        """The market with this id on the one platform, or on the first that has it."""
        platforms = PLATFORMS if platform is None else (platform,)
        return next((m for each in platforms if (m := self.find(each, market_id))), None)

    def same_question(self, market: VenueMarket) -> list[VenueMarket]:
        """This market and those of the same question, the exchange's own first."""
        own = market if market.platform == KALSHI else self.find(KALSHI, market.ticker)
        if own is None:
            return [market]
        return [own, *(self._elsewhere(twin, own) for twin in self.twins().get(own.ticker, ()))]

    def _own(self, listed: Listed) -> VenueMarket:
        fields = _FIELDS.decode(listed.json())
        ticker = listed.ticker
        bids = self._exchange.book_levels(ticker, True)
        asks = self._exchange.book_levels(ticker, False)
        bid, ask = (bids[0][0] if bids else None), (asks[0][0] if asks else None)
        last = _price(fields, "last_price") or None
        resting = sum(price * count for price, count in bids)
        resting += sum((ONE - price) * count for price, count in asks)
        closes, thousandths = self._terms(ticker)
        close_time = fields.get("close_time")
        return VenueMarket(
            platform=KALSHI,
            market_id=ticker,
            ticker=ticker,
            event_ticker=listed.event_ticker,
            series=listed.series_ticker,
            category=self._category(listed),
            title=str(fields.get("title") or fields.get("yes_sub_title") or ticker),
            outcome=str(fields.get("yes_sub_title") or ""),
            status=listed.word,
            bid=bid,
            ask=ask,
            price=last if bid is None or ask is None else (bid + ask) // 2,
            # A contract is a dollar of notional value.
            volume=_count(fields, "volume"),
            volume_24h=_count(fields, "volume_24h"),
            liquidity=resting // (ONE * CONTRACT // 100),
            close_time=close_time if isinstance(close_time, str) else None,
            closes_in=max(closes - self._exchange.now(), 0) / HOUR if closes else None,
            fee_thousandths=thousandths,
            url=f"https://kalshi.com/markets/{listed.event_ticker.lower()}",
        )

    def _category(self, listed: Listed) -> str:
        if listed.series_ticker in INDEX:
            return SERIES[INDEX[listed.series_ticker]].category
        event = self._exchange.catalog.loaded.events.get(listed.event_ticker)
        raw = None if event is None else event.fields.get("category")
        found = None if raw is None else msgspec.json.decode(raw)
        return found if isinstance(found, str) else ""

    def _terms(self, ticker: str) -> tuple[int, int]:
        """When a market closes on the clock of trading (0: unknown), and its fee multiplier."""
        exchange = self._exchange
        state = exchange.engine.markets.get(ticker)
        if state is not None:
            return state.closes, state.fee_thousandths
        known = self._terms_of.get(ticker)
        if known is None:  # the same until somebody trades it
            listing = listing_of(exchange.catalog, ticker, exchange.shift, exchange.now())
            known = (0, 1000)
            if listing is not None:
                known = listing.market.closes, listing.market.fee_thousandths
            self._terms_of[ticker] = known
        return known

    def _elsewhere(self, twin: Twin, own: VenueMarket) -> VenueMarket:
        moved = twin.offset + self.shifts.get((twin.platform, twin.market_id), 0)
        price = None if own.price is None else min(max(own.price + moved, 2 * TICK), ONE - 2 * TICK)
        quoted = own.status == "open" and price is not None
        return VenueMarket(
            platform=twin.platform,
            market_id=twin.market_id,
            ticker=own.ticker,
            event_ticker=own.event_ticker,
            series=own.series,
            category=own.category,
            title=own.title,
            outcome=own.outcome,
            status=own.status,
            bid=max(price - twin.half, TICK) if quoted and price is not None else None,
            ask=min(price + twin.half, ONE - TICK) if quoted and price is not None else None,
            price=price,
            volume=own.volume * twin.share // 100,
            volume_24h=own.volume_24h * twin.share // 100,
            liquidity=own.liquidity * twin.share // 100,
            close_time=own.close_time,
            closes_in=own.closes_in,
            fee_thousandths=0,
        )

    # Lists

    def open(self, platform: str | None = None) -> Iterator[VenueMarket]:
        """Open markets, the busiest questions first; venues of the same question together."""
        yield from self.of(self.entries(), platform)

    def search(self, query: str, platform: str | None = None) -> Iterator[VenueMarket]:
        """Open markets whose texts have all these words; a market id finds just that one."""
        exact = self.anywhere(query, platform)
        if exact is not None:
            yield exact
            return
        words = query.lower().split()
        found = (entry for entry in self.entries() if all(word in entry.text for word in words))
        yield from self.of(found, platform)

    def of(self, entries: Iterable[Entry], platform: str | None = None) -> Iterator[VenueMarket]:
        """The open markets of these questions on one platform, or on all."""
        for entry in entries:
            if platform is not None and not self._asked_on(platform, entry.ticker):
                continue
            own = self.find(KALSHI, entry.ticker)
            if own is None or own.status != "open":
                continue
            for market in self.same_question(own):
                if platform in (None, market.platform):
                    yield market

    def _asked_on(self, platform: str, ticker: str) -> bool:
        twins = self.twins().get(ticker, ())
        return platform == KALSHI or any(twin.platform == platform for twin in twins)

    def entries(self) -> list[Entry]:
        """The index of open markets, combos left out, busiest first."""
        for _ in self.indexing():
            pass
        return self._entries[1]

    def indexing(self) -> Iterator[None]:
        """Bring the index up to date, a little a step: so that others can be served in between."""
        catalog = self._exchange.catalog
        # What opened or closed since is another list.
        version = len(catalog.generated.moved)
        if version == self._entries[0]:
            return
        found = []
        listed = islice(catalog.markets(MarketQuery(word="open", combos=False)), _INDEXED)
        for number, market in enumerate(listed, 1):
            found.append(_entry(market))
            if market.ticker not in self._twins:
                self._ask_elsewhere(market.ticker)
            if number % _SLICE == 0:
                yield
        self._entries = version, sorted(found, key=lambda entry: (-entry.volume, entry.ticker))

    def event(self, ticker: str) -> list[Entry]:
        """The open markets of an event of the exchange's own, in the index or not."""
        query = MarketQuery(word="open", events=(ticker,), combos=False)
        return [_entry(market) for market in self._exchange.catalog.markets(query)]

    def twins(self) -> dict[str, list[Twin]]:
        """The questions that are also asked elsewhere, by the ticker they have here."""
        self.entries()
        return self._twins

    def _ask_elsewhere(self, ticker: str) -> None:
        """Give a question its twins: whether it has any lies in its name, not in when it is asked
        for.
        """
        catalog, seed = self._exchange.catalog, self._exchange.seed
        step = max(2, min(len(catalog), _INDEXED) // _QUESTIONS_A_STEP)
        number = int.from_bytes(blake2b(f"rekko/{seed}/{ticker}".encode(), digest_size=4).digest())
        if (number % step and ticker != ANCHORS[FED_ANCHOR]) or not self._twinned(ticker):
            return
        self._twins[ticker] = _twins_of(seed, ticker)
        self._by_id |= {(twin.platform, twin.market_id): twin for twin in self._twins[ticker]}

    def _twinned(self, ticker: str) -> bool:
        book = self._exchange.catalog.book(ticker)
        return bool(
            book.yes
            and book.no
            and book.yes[0][0] >= _EDGE
            and book.no[0][0] >= _EDGE
            and book.yes[0][0] + book.no[0][0] > 1000 - 4 * _EDGE
        )


def _entry(listed: Listed) -> Entry:
    fields = _LISTED.decode(listed.json())
    texts = (listed.ticker, fields.title or "", fields.yes_sub_title or "")
    exact = fields.volume_24h_fp
    volume = _count({"volume": fields.volume_24h if exact is None else exact}, "volume")
    return Entry(listed.ticker, listed.event_ticker, " ".join(texts).lower(), volume)


def _twins_of(seed: int, ticker: str) -> list[Twin]:
    """Where else a question is asked, and at what distance: mostly a cent at most, sometimes so
    far away that both sides together cost less than they pay.
    """
    found = []
    for platform, prefix in ((POLYMARKET, "0x"), (ROBINHOOD, "RH")):
        raw = blake2b(f"rekko/{seed}/{platform}/{ticker}".encode(), digest_size=16).digest()
        if platform == ROBINHOOD and raw[0] < 100:
            continue
        distance = MOST_OFF - raw[1] % 4 * 100 if raw[2] < 20 else raw[1] % 3 * 50
        found.append(
            Twin(
                platform=platform,
                market_id=prefix + raw[6:14].hex(),
                ticker=ticker,
                offset=distance if raw[3] & 1 else -distance,
                half=50 * (1 + raw[4] % 3),
                share=20 + raw[5] % 100,
            )
        )
    return found
