"""The life of markets as trading time passes: they open, close, are determined, and settle.

Markets that nobody traded only change in the catalog; those the engine knows go through it and pay
out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from random import Random
from typing import TYPE_CHECKING

import msgspec

from .._catalog import states
from .._catalog.loading import LoadedMarket
from .._catalog.market import Market
from .._catalog.moving import Move
from .._combos import combo_market
from .._events import Event, MarketChanged
from .._floor import HOUSE
from .._records import (
    ACTIVE,
    CLOSED,
    DETERMINED,
    FINALIZED,
    INACTIVE,
    INITIALIZED,
    MarketState,
    NewOrder,
)
from .._text import HOUR, MINUTE, SECOND, parse_time
from .._units import ONE
from .listing import TICK, listing_of, outcome_of
from .schedule import FAR, Schedule, settlement_seconds
from .showing import Shown, fields_of, patched, settlement_timer

if TYPE_CHECKING:
    from .._exchange import Exchange

_STATUS = {
    states.ACTIVE: ACTIVE,
    states.CLOSED: CLOSED,
    states.DETERMINED: DETERMINED,
    states.FINALIZED: FINALIZED,
}
_FIELDS = msgspec.json.Decoder(dict[str, object])
_RESULT_AFTER = 5 * MINUTE


class Life:
    """What happens to the markets of one exchange without anybody's doing."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._catalog, self._engine = exchange.catalog, exchange.engine
        self._shift = exchange.shift
        self._schedule = Schedule(exchange.catalog.generated)
        # Markets with a time of their own, loaded or determined by hand: (when, ticker, new status)
        # in catalog time.
        self._single: list[tuple[int, str, str]] = []
        self._winners: dict[str, str | None] = {}
        self._positions: dict[str, int] = {}
        for market in exchange.catalog.loaded.markets.values():
            self._plan(market)
        for state in exchange.engine.markets.values():
            self._follow(state)
        heapify(self._single)
        exchange.listen(self._heard)

    def __repr__(self) -> str:
        return (
            f"<Life: next change at {self.next}, {len(self._single)} markets with their own time>"
        )

    @property
    def next(self) -> int:
        """The trading time before which `advance` has nothing to do."""
        single = self._single[0][0] if self._single else FAR
        return min(self._schedule.next, single) + self._shift

    def advance(self, now: int) -> None:
        """Do everything that is due by `now` (trading time, microseconds)."""
        instant = now - self._shift
        while self._schedule.next <= instant or (self._single and self._single[0][0] <= instant):
            self._events(instant, now)
            while self._single and self._single[0][0] <= instant:
                when, ticker, status = heappop(self._single)
                self._step(ticker, status, when, now)

    # Generated events

    def _events(self, instant: int, now: int) -> None:
        if self._schedule.next > instant:
            return
        steps = self._schedule.take(instant)
        if not steps:
            return
        generated = self._catalog.generated
        generated.move([Move(position, state, when) for when, position, state in steps])
        live: dict[int, list[str]] = {}
        for ticker, market in self._engine.markets.items():
            if market.status != FINALIZED and ticker not in self._catalog.loaded.markets:
                position = self._position(market.event_ticker)
                if position is not None:
                    live.setdefault(position, []).append(ticker)
        for _, position, state in steps:
            if position in live:
                self._event_step(position, live[position], _STATUS[state], now)

    def _position(self, event_ticker: str) -> int | None:
        known = self._positions.get(event_ticker)
        if known is None:
            known = self._catalog.generated.position(event_ticker)
            if known is not None:
                self._positions[event_ticker] = known
        return known

    def _event_step(self, position: int, tickers: Sequence[str], status: str, now: int) -> None:
        values: Mapping[str, int] = {}
        if status == DETERMINED:
            event = self._catalog.generated.event_at(position)
            seeded = self._catalog.generated.outcomes(position)
            decided = {
                ticker: state.value
                for ticker in seeded
                if (state := self._engine.markets.get(ticker)) and state.value >= 0
            }
            drawn = {ticker: value * TICK for ticker, value in seeded.items()}
            values = agreed(drawn, decided, exclusive=event.series.exclusive)
            # A result given by hand can turn round what the seed says of its siblings.
            tickers = [t for t in seeded if t in tickers or values[t] != drawn[t]]
        for ticker in tickers:
            self._act(ticker, status, values.get(ticker, -1), now)

    def _act(self, ticker: str, status: str, value: int, now: int) -> None:
        """Bring a market that trades to a later status; one that is there already stays."""
        engine = self._engine
        state = engine.market(ticker, now)
        if state is None:
            return
        if status == ACTIVE and state.status == INITIALIZED:
            engine.resume_market(ticker, now)
            self._quote(ticker, now)
        elif status == CLOSED and state.status in (INITIALIZED, ACTIVE, INACTIVE):
            if state.closes <= now:
                engine.close_market(ticker, now)
        elif status == DETERMINED and state.value < 0:
            engine.determine(ticker, value, now)
        elif status == FINALIZED and state.status == DETERMINED:
            engine.settle(ticker, now)

    def _quote(self, ticker: str, now: int) -> None:
        """The quotes a market opens with."""
        listing = listing_of(self._catalog, ticker, self._shift, now)
        self._engine.open_account(HOUSE, house=True)
        for bid, price, count in listing.quotes if listing and self._engine.trading else ():
            new = NewOrder(user_id=HOUSE, ticker=ticker, bid=bid, price=price, count=count)
            self._engine.place(new, now)

    # Markets with a time of their own

    def _plan(self, market: LoadedMarket) -> None:
        """Schedule the next change of a loaded market, as far as it lies ahead."""
        now = self._catalog.now
        if market.word in ("open", "paused") and market.close > now:
            self._single.append((market.close, market.ticker, CLOSED))
        elif market.word == "unopened":
            opens = parse_time(_FIELDS.decode(market.raw).get("open_time"))
            if now < opens < market.close:
                self._single.append((opens, market.ticker, ACTIVE))

    def _follow(self, state: MarketState) -> None:
        """Schedule what follows for a market that was changed by hand, or that members made."""
        if state.status == DETERMINED and state.updated:
            when = state.determined - self._shift + self._timer(state.ticker) * SECOND
            heappush(self._single, (when, state.ticker, FINALIZED))
        elif combo_market(self._exchange, state.ticker) is not None and state.value < 0:
            when = state.closes - self._shift + 3 * HOUR + 15 * MINUTE
            heappush(self._single, (when, state.ticker, DETERMINED))

    def _heard(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, MarketChanged) and event.kind in ("created", "determined"):
                self._follow(event.market)

    def _timer(self, ticker: str) -> int:
        listed = self._catalog.market(ticker) or combo_market(self._exchange, ticker)
        if isinstance(listed, LoadedMarket):
            return settlement_timer(fields_of(listed.raw))
        return settlement_seconds(listed.event.series.kind) if isinstance(listed, Market) else 1800

    def _step(self, ticker: str, status: str, when: int, now: int) -> None:
        market = self._catalog.loaded.markets.get(ticker)
        known = ticker in self._engine.markets
        if market is None:
            if known:
                self._act(ticker, status, self._combo_value(ticker, now), now)
            return
        value = self._loaded_value(market) if status in (DETERMINED, FINALIZED) else -1
        if known:
            self._act(ticker, status, value, now)
        move_loaded(market, status, value, when)
        after = self._after(market, status, when)
        if after is not None:
            heappush(self._single, (after[0], ticker, after[1]))

    def _after(self, market: LoadedMarket, status: str, when: int) -> tuple[int, str] | None:
        if status == ACTIVE:
            return max(market.close, when), CLOSED
        fields = fields_of(market.raw)
        if status == CLOSED:
            raw = fields.get("expected_expiration_time")
            expected = parse_time(msgspec.json.decode(raw)) if raw is not None else 0
            return max(expected, when) + _RESULT_AFTER, DETERMINED
        if status == DETERMINED:
            return when + settlement_timer(fields) * SECOND, FINALIZED
        return None

    # Results

    def _loaded_value(self, market: LoadedMarket) -> int:
        """The recorded result, else one drawn from the seed, weighted with the last price."""
        state = self._engine.markets.get(market.ticker)
        if state is not None and state.value >= 0:
            return state.value
        recorded = outcome_of(_FIELDS.decode(market.raw))
        if recorded is not None:
            return recorded
        event = self._catalog.event(market.event_ticker)
        dice = Random(f"{self._exchange.seed}/{market.event_ticker}")  # noqa: S311 - reproducible
        if event is None or not event.exclusive:
            dice.seed(f"{self._exchange.seed}/{market.ticker}")
            return ONE if dice.random() * ONE < self._last(market.ticker) else 0
        if event.ticker not in self._winners:
            weights = {member.ticker: self._last(member.ticker) for member in event.markets}
            decided = {
                ticker: state.value
                for ticker in weights
                if (state := self._engine.markets.get(ticker)) and state.value >= 0
            }
            self._winners[event.ticker] = drawn_winner(weights, decided, dice.random)
        return ONE if self._winners[event.ticker] == market.ticker else 0

    def _last(self, ticker: str) -> int:
        state = self._engine.markets.get(ticker)
        if state is None:
            listing = listing_of(self._catalog, ticker, self._shift, 0)
            state = listing.market if listing else None
        return state.last if state else 0

    def _combo_value(self, ticker: str, now: int) -> int:
        """A combo that members made pays what its legs pay, multiplied."""
        market = combo_market(self._exchange, ticker)
        if market is None or market.event.combo is None:
            return -1
        value = ONE
        for leg in market.event.combo.legs:
            state = self._engine.markets.get(leg.market_ticker)
            worth = state.value if state else -1
            if worth < 0:
                position = self._catalog.generated.position(leg.event_ticker)
                outcomes = {} if position is None else self._catalog.generated.outcomes(position)
                worth = outcomes.get(leg.market_ticker, 0) * TICK
            value = value * (worth if leg.side == "yes" else ONE - worth) // ONE
        return value


def agreed(
    drawn: Mapping[str, int], decided: Mapping[str, int], *, exclusive: bool
) -> dict[str, int]:
    """The values of an event's markets: those decided by hand stand, and in an exclusive event the
    others leave room for them, so that there is one winner still.
    """
    values = {**drawn, **decided}
    if not exclusive or ONE not in drawn.values() or all(drawn[t] == v for t, v in decided.items()):
        return values
    open_ = [ticker for ticker in sorted(drawn) if ticker not in decided]
    won = any(decided.values())
    winner = next((ticker for ticker in open_ if drawn[ticker] == ONE), open_[0] if open_ else "")
    for ticker in open_:
        values[ticker] = ONE if ticker == winner and not won else 0
    return values


def drawn_winner(
    weights: Mapping[str, int], decided: Mapping[str, int], dice: Callable[[], float]
) -> str | None:
    """The market that wins an exclusive event, drawn by weight among those without a result; None
    when one has won already, or none of those that are known wins.
    """
    if any(decided.values()):
        return None
    left = {ticker: weight for ticker, weight in sorted(weights.items()) if ticker not in decided}
    # Weights that do not make up a dollar leave a chance that the winner is not among them.
    drawn = dice() * max(sum(left.values()), 0 if decided else ONE)
    for ticker, weight in left.items():
        drawn -= weight
        if drawn < 0:
            return ticker
    return None


def move_loaded(market: LoadedMarket, status: str, value: int, when: int) -> None:
    """Change a recorded market that nobody trades, in the catalog's time."""
    fields = fields_of(market.raw)
    if status == ACTIVE:
        fields["status"] = msgspec.Raw(b'"active"')
        market.raw = msgspec.json.encode(fields)
    else:
        shown = Shown(status=status, value=value, settled=when, updated=when)
        market.raw = patched(fields, shown)
    market.word = states.WORD_OF_STATUS[status]
    market.updated = when
    if status == FINALIZED:
        market.settled = when
