"""Combo markets that members have made out of the events of a collection.

The same legs in the same collection are always the same market: its ticker comes from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from ._catalog import states
from ._catalog.generated import Collection
from ._catalog.loading import LoadedMarket
from ._catalog.market import Combo, Event, Leg, Market, _combined
from ._catalog.series import COMBO_PREFIX, INDEX, SERIES
from ._catalog.strikes import event_ticker
from ._live.listing import Fees, grid_named
from ._records import ACTIVE, CLOSED, Listing, MarketState
from ._rfq.records import Leg as RfqLeg

if TYPE_CHECKING:
    from ._exchange import Exchange

_FIELDS = msgspec.json.Decoder(dict[str, object])


class KeptCombo(msgspec.Struct, kw_only=True, frozen=True):
    """A made combo as the state file keeps it; `created` is catalog time in microseconds."""

    collection: str
    legs: tuple[tuple[str, str], ...]
    """(market ticker, side) of each leg."""
    created: int


class MadeEvent(Event):
    """The event of a made combo: one market, which nobody has quoted or traded before."""

    @cached_property
    def markets(self) -> tuple[Market, ...]:
        """The one market."""
        if self.combo is None:
            raise ValueError(f"event {self.ticker} has no legs")
        return (_combined(self, self.combo),)


class Combos:
    """The combos made on one exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.events: dict[str, MadeEvent] = {}
        self.markets: dict[str, Market] = {}
        for kept in exchange.kept("combo", KeptCombo):
            legs = _legs(exchange, kept.legs)
            if legs is not None:
                self._add(kept.collection, legs, kept.created)

    def make(self, collection: Collection, chosen: Sequence[tuple[str, str]]) -> Market:
        """The market of these legs, (market ticker, side) in the order of the collection's events;
        new if nobody made it before. Which legs go together has been checked.
        """
        legs = _legs(self._exchange, chosen)
        if legs is None:
            raise ValueError(f"collection {collection.ticker} has no such markets: {chosen}")
        key = _key(collection.ticker, legs)
        ticker = event_ticker(SERIES[INDEX[collection.series]], key, 0)
        found = self.events.get(ticker)
        if found is None:
            created = self._exchange.now() - self._exchange.shift
            found = self._add(collection.ticker, legs, created)
            kept = KeptCombo(collection=collection.ticker, legs=tuple(chosen), created=created)
            self._exchange.keep("combo", ticker, kept)
        return found.markets[0]

    def _add(self, collection: str, legs: Sequence[Leg], created: int) -> MadeEvent:
        series = SERIES[INDEX[collection.rpartition("-")[0]]]
        key = _key(collection, legs)
        closes = [event.close for leg in legs if (event := self._event(leg.event_ticker))]
        event = MadeEvent(
            key=key,
            ticker=event_ticker(series, key, 0),
            series=series,
            state=states.ACTIVE,
            count=1,
            created=created,
            close=max(closes),
            settled=0,
            now=created,
            combo=Combo(collection, tuple(legs)),
        )
        # It can be traded as soon as it is there.
        event.open = created
        self.events[event.ticker] = event
        for market in event.markets:
            self.markets[market.ticker] = market
        return event

    def _event(self, ticker: str) -> Event | None:
        return self._exchange.catalog.generated.event(ticker)


def _legs(exchange: Exchange, chosen: Sequence[tuple[str, str]]) -> list[Leg] | None:
    legs = []
    for ticker, side in chosen:
        market = exchange.catalog.generated.market(ticker)
        if market is None:
            return None
        fair = market.strike.fair if side == "yes" else 1000 - market.strike.fair
        legs.append(Leg(market.event_ticker, ticker, market.strike.name, side, fair))
    return legs


def _key(collection: str, legs: Sequence[Leg]) -> int:
    text = "/".join((collection, *(f"{leg.market_ticker}:{leg.side}" for leg in legs)))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def combo_market(exchange: Exchange, ticker: str) -> Market | None:
    """The made combo with this market ticker, as the catalog would list it."""
    if not ticker.startswith(COMBO_PREFIX):
        return None
    return exchange.room(Combos).markets.get(ticker)


def combo_event(exchange: Exchange, ticker: str) -> Event | None:
    """The event of a made combo."""
    if not ticker.startswith(COMBO_PREFIX):
        return None
    return exchange.room(Combos).events.get(ticker)


def combo_listing(exchange: Exchange, ticker: str) -> Listing | None:
    """A made combo as it starts to trade: an empty book."""
    market = combo_market(exchange, ticker)
    if market is None:
        return None
    event, series = market.event, market.event.series
    fees = Fees.of(series.fee_type, series.fee_multiplier)
    closes = event.close + exchange.shift
    state = MarketState(
        ticker=ticker,
        event_ticker=event.ticker,
        series_ticker=series.ticker,
        shard=series.exchange_index,
        status=ACTIVE if closes > exchange.now() else CLOSED,
        grid=grid_named(series.structure),
        opens=event.open + exchange.shift,
        closes=closes,
        fee_thousandths=fees.thousandths,
        maker_quarters=fees.quarters,
    )
    return Listing(market=state)


def selected_legs(exchange: Exchange, ticker: str) -> tuple[str, tuple[RfqLeg, ...]]:
    """Collection and legs of a combo of any origin; ("", ()) of any other market."""
    if not ticker.startswith(COMBO_PREFIX):
        return "", ()
    market = combo_market(exchange, ticker) or exchange.catalog.market(ticker)
    if isinstance(market, Market) and market.event.combo is not None:
        combo = market.event.combo
        return combo.collection_ticker, tuple(
            RfqLeg(leg.event_ticker, leg.market_ticker, leg.side) for leg in combo.legs
        )
    if isinstance(market, LoadedMarket):
        return _recorded_legs(market.raw)
    return "", ()


def _recorded_legs(raw: bytes) -> tuple[str, tuple[RfqLeg, ...]]:
    fields = _FIELDS.decode(raw)
    try:
        legs = msgspec.convert(fields.get("mve_selected_legs") or [], list[RfqLeg])
    except msgspec.ValidationError:
        return "", ()
    collection = fields.get("mve_collection_ticker")
    return (collection, tuple(legs)) if isinstance(collection, str) and legs else ("", ())
