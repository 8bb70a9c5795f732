"""Market makers and takers: books, trades and candles move, the same way for the same seed, and
however long that goes on the memory of the exchange has a bound.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pytest

from kalshi_async.sandbox._activity import Activity, activity_of
from kalshi_async.sandbox._catalog.catalog import Catalog
from kalshi_async.sandbox._catalog.draw import default_now
from kalshi_async.sandbox._crowd import snapped
from kalshi_async.sandbox._events import BookChanged, Event, Traded
from kalshi_async.sandbox._exchange import Exchange
from kalshi_async.sandbox._floor import HOUSE
from kalshi_async.sandbox._recorder import Recorder
from kalshi_async.sandbox._records import FINALIZED, Trade
from kalshi_async.sandbox._state import Store
from kalshi_async.sandbox._text import SECOND

from .engines import TAPERED, TENTHS, market, place

START = 1_790_000_000.0
NOW = default_now(7)


class Wall:
    """A clock that is set."""

    def __init__(self) -> None:
        self.seconds = START

    def __call__(self) -> float:
        return self.seconds


class Running:
    """An exchange with a crowd, and everything it told."""

    def __init__(
        self,
        *,
        seed: int = 7,
        markets: int = 400,
        active: int = 5,
        speed: float = 1.0,
        state: Path | None = None,
    ) -> None:
        self.wall = Wall()
        self.trades: list[Trade] = []
        self.changes: list[BookChanged] = []
        self.exchange = Exchange(
            Catalog(seed=seed, markets=markets, now=NOW),
            seed=seed,
            clock=self.wall,
            recorder=None if state is None else Recorder(Store.open(state, {})),
            activity=Activity(markets=active, speed=speed),
        )
        self.exchange.listen(self._heard)

    def _heard(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Traded):
                self.trades.append(event.trade)
            elif isinstance(event, BookChanged):
                self.changes.append(event)

    def run(self, seconds: float, *, step: float) -> Running:
        """Let the wall clock go on, with a look at what is due every `step` seconds."""
        end = self.wall.seconds + seconds
        while self.wall.seconds < end:
            self.wall.seconds = min(self.wall.seconds + step, end)
            self.exchange.tick()
        return self

    def books(self) -> dict[str, tuple[list[tuple[int, int]], list[tuple[int, int]]]]:
        engine = self.exchange.engine
        return {
            name: (book.levels(True), book.levels(False)) for name, book in engine.books.items()
        }

    def sizes(self) -> Counter[str]:
        """How much the engine holds of what could grow."""
        engine = self.exchange.engine
        found = Counter({"expiring": len(engine.expiring), "closing": len(engine.closing)})
        for trader in engine.traders.values():
            found["resting"] += len(trader.resting)
            found["orders"] += len(trader.orders)
            found["history"] += len(trader.fills) + len(trader.payments) + len(trader.settlements)
            found["positions"] += len(trader.positions)
            found["ids"] += len(trader.client_ids)
            found["interests"] += len(trader.interests)
        assert self.exchange.crowd is not None
        found["quotes"] = sum(
            len(quotes)
            for _, _, desk in self.exchange.crowd._desks
            for quotes in desk.quotes.values()
        )
        return found


def test_the_same_seed_gives_the_same_history_whenever_one_looks() -> None:
    often = Running().run(90, step=0.25)
    seldom = Running().run(90, step=45)
    assert len(often.trades) > 50
    assert often.trades == seldom.trades
    assert often.changes == seldom.changes
    assert often.books() == seldom.books()
    other = Running(seed=8).run(90, step=45)
    assert other.trades != often.trades


def test_books_and_trades_move_in_the_chosen_markets_only() -> None:
    running = Running(active=5).run(120, step=10)
    tickers = {change.ticker for change in running.changes}
    assert len(tickers) == 5
    assert {trade.ticker for trade in running.trades} == tickers
    for ticker in tickers:
        state = running.exchange.engine.markets[ticker]
        mine = [trade for trade in running.trades if trade.ticker == ticker]
        assert state.volume == sum(trade.count for trade in mine)
        assert state.last == mine[-1].price
    assert len({(trade.ticker, trade.price) for trade in running.trades}) > 2 * len(tickers)
    times = [change.time for change in running.changes]
    assert times == sorted(times)


def test_candles_say_what_was_traded() -> None:
    running = Running(active=3).run(600, step=30)
    assert running.exchange.now() > START * SECOND
    volume: Counter[str] = Counter()
    for trade in running.trades:
        volume[trade.ticker] += trade.count
    minute = 60 * SECOND
    for ticker, traded in volume.items():
        first = int(START * SECOND) // minute * minute
        minutes = running.exchange.live._minutes[ticker]
        assert minutes.volume_since(first) == traded


def test_speed_is_how_often_somebody_acts() -> None:
    slow = Running(speed=0.5).run(60, step=60)
    fast = Running(speed=5).run(60, step=60)
    assert 5 < len(fast.changes) / len(slow.changes) < 20


def test_crowd_rest_while_trading_is_paused() -> None:
    running = Running().run(30, step=30)
    running.exchange.do(lambda engine, now: engine.pause(now))
    before = len(running.trades)
    running.run(30, step=10)
    assert len(running.trades) == before
    running.exchange.do(lambda engine, now: engine.resume(now))
    running.run(30, step=10)
    assert len(running.trades) > before


def test_a_market_that_ended_is_left_alone() -> None:
    running = Running(active=2).run(10, step=5)
    ticker = running.changes[-1].ticker
    running.exchange.do(lambda engine, now: engine.determine(ticker, 0, now))
    running.exchange.do(lambda engine, now: engine.settle(ticker, now))
    before = len(running.changes)
    running.run(30, step=10)
    assert running.exchange.engine.markets[ticker].status == FINALIZED
    assert {change.ticker for change in running.changes[before:]} - {ticker}
    assert all(change.ticker != ticker for change in running.changes[before:])
    assert repr(running.exchange.crowd) == "<Crowd of 1 markets>"
    held = [key for trader in running.exchange.engine.traders.values() for key in trader.interests]
    assert ticker not in {name for _, name in held}


def test_an_hour_of_activity_takes_no_more_memory_than_a_few_minutes() -> None:
    running = Running(active=12).run(600, step=60)
    early = running.sizes()
    running.trades.clear()
    running.changes.clear()
    running.run(3000, step=60)
    late = running.sizes()
    assert len(running.trades) > 5_000
    assert late["history"] == late["positions"] == late["ids"] == 0
    assert late["quotes"] <= 12 * 12
    # The makers' quotes, orders of at most five minutes, and what the catalog had resting.
    quoted = sum(len(t.resting) for t in running.exchange.engine.traders.values() if t.house)
    assert late["resting"] == late["orders"] == quoted <= 12 * 12 + 12 * 100 + early["resting"]
    assert late["expiring"] <= 12 * 100
    assert late["interests"] <= 12 * 13
    assert late["closing"] <= len(running.exchange.engine.markets)
    assert running.exchange.engine.drain() == []


def test_money_is_conserved_among_crowd_and_a_member() -> None:
    running = Running(active=3)
    engine = running.exchange.engine
    engine.open_account("member")
    running.exchange.do(lambda engine, now: engine.deposit("member", 500 * SECOND, now))
    for number in range(60):
        running.run(2, step=1)
        ticker = running.changes[-1].ticker
        bid, ask = engine.books[ticker].best(True), engine.books[ticker].best(False)
        best = ask if number % 2 else bid
        if best is not None:
            running.exchange.do(
                lambda engine, now, best=best, ticker=ticker, number=number: place(
                    engine,
                    "member",
                    "bid" if number % 2 else "ask",
                    best[0],
                    1,
                    now=now,
                    ticker=ticker,
                    time_in_force="immediate_or_cancel",
                )
            )
    assert engine.traders["member"].fills
    cash = sum(w.cash for trader in engine.traders.values() for w in trader.wallets.values())
    pairs = sum(state.open_interest for state in engine.markets.values())
    assert cash + engine.fees + pairs * 10_000 == engine.paid_in
    assert all(w.cash >= 0 for trader in engine.traders.values() for w in trader.wallets.values())


def test_a_restart_goes_on_with_the_quotes_that_are_there(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    first = Running(active=6, state=state).run(60, step=10)
    quoted = maker_quotes(first)
    assert sum(map(len, quoted.values())) > 40
    asyncio.run(first.exchange.durable())
    first.exchange.end()

    again = Running(active=6, state=state)
    again.wall.seconds = first.wall.seconds
    assert maker_quotes(again) == quoted
    tickers = {change.ticker for change in first.changes}
    again.run(300, step=10)
    assert {change.ticker for change in again.changes} <= tickers
    sizes = again.sizes()
    assert sizes["quotes"] <= 6 * 12
    assert sum(len(orders) for orders in maker_quotes(again).values()) <= 6 * 12
    assert not set(chain(*maker_quotes(again).values())) & set(chain(*quoted.values()))
    again.exchange.end()


def test_a_restart_with_fewer_markets_takes_the_other_quotes_away(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    first = Running(active=6, state=state).run(60, step=10)
    first.exchange.end()
    again = Running(active=2, state=state)
    again.wall.seconds = first.wall.seconds
    again.run(30, step=10)
    assert len({ticker for ticker, _ in maker_quotes(again)}) == 2
    again.exchange.end()


def maker_quotes(running: Running) -> dict[tuple[str, bool], list[str]]:
    """Resting orders of the makers by market and side, oldest first."""
    engine = running.exchange.engine
    assert running.exchange.crowd is not None
    orders = [
        order
        for user_id in running.exchange.crowd._makers
        for order in engine.traders[user_id].resting.values()
    ]
    found: dict[tuple[str, bool], list[str]] = {}
    for order in sorted(orders, key=lambda order: order.priority):
        found.setdefault((order.ticker, order.bid), []).append(order.order_id)
    return found


def test_catalog_quotes_are_not_the_crowd_own() -> None:
    running = Running().run(5, step=5)
    house = running.exchange.engine.traders[HOUSE]
    assert house.house
    assert house.resting
    assert all(not order.expiration for order in house.resting.values())


@pytest.mark.parametrize(
    ("grid", "price", "down", "up"),
    [
        (TENTHS, 4777, 4770, 4780),
        (TAPERED, 995, 990, 1000),
        (TAPERED, 4777, 4700, 4800),
        (TAPERED, 4700, 4700, 4700),
        (TAPERED, 9995, 9990, 10_000),
        (((2000, 8000, 100),), 1500, 0, 0),
    ],
)
def test_prices_are_brought_onto_the_grid(
    grid: tuple[tuple[int, int, int], ...], price: int, down: int, up: int
) -> None:
    state = market(grid=grid)
    assert snapped(state, price, down=True) == down
    assert snapped(state, price, down=False) == up


@pytest.mark.parametrize("speed", [0, -1, 1001, float("nan"), float("inf")])
def test_a_speed_out_of_range_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="speed="):
        activity_of(True, speed)


@pytest.mark.parametrize("markets", [0, 5001])
def test_a_number_of_markets_out_of_range_is_refused(markets: int) -> None:
    with pytest.raises(ValueError, match="markets="):
        activity_of(Activity(markets=markets), 1.0)


@pytest.mark.parametrize(("speed", "markets"), [(1000, 50), (40.1, 50), (2, 2000)])
def test_more_than_the_exchange_can_keep_up_with_is_refused(speed: float, markets: int) -> None:
    with pytest.raises(ValueError, match="more than 2,000 actions a second"):
        activity_of(Activity(speed=speed, markets=markets), 1.0)
    assert activity_of(Activity(speed=1000, markets=2), 1.0) is not None


def test_what_was_asked_for_is_what_there_is() -> None:
    assert activity_of(False, 0) is None
    assert activity_of(True, 3) == Activity(speed=3)
    assert activity_of(Activity(markets=9), 3) == Activity(markets=9)


def test_who_hears_of_an_action_may_use_the_exchange() -> None:
    plain, asking = Running(active=8), Running(active=8)

    def ask(events: Sequence[Event]) -> None:
        if any(isinstance(event, Traded) for event in events):
            asking.exchange.do(lambda engine, now: engine.trading)

    asking.exchange.listen(ask)
    for running in (plain, asking):
        running.run(60, step=20)
        assert running.exchange.crowd is not None
        numbers = sorted(number for _, number, _ in running.exchange.crowd._desks)
        assert numbers == list(range(8))
    assert len(plain.trades) > 20
