"""Markets open, close, are determined and settle as trading time passes."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox._catalog import moving as _moving
from kalshi_async.sandbox._catalog import states
from kalshi_async.sandbox._catalog.catalog import Catalog
from kalshi_async.sandbox._catalog.market import Market
from kalshi_async.sandbox._catalog.moving import Move, Moving
from kalshi_async.sandbox._catalog.query import MarketQuery
from kalshi_async.sandbox._catalog.series import Kind
from kalshi_async.sandbox._combos import Combos
from kalshi_async.sandbox._live.life import agreed, drawn_winner
from kalshi_async.sandbox._live.schedule import Schedule
from kalshi_async.sandbox._text import DAY, HOUR, MINUTE, SECOND, parse_time, time_text
from kalshi_async.sandbox._units import ONE

from .clocked import FED, NOW, Clocked


@pytest.fixture
def on() -> Clocked:
    return Clocked()


def first(on: Clocked, **query: Any) -> Market:
    found = next(iter(on.catalog.markets(MarketQuery(**query))))
    assert isinstance(found, Market)
    return found


def opening_soon(on: Clocked) -> Market:
    return min(
        (market for market in on.catalog.markets(MarketQuery(word="unopened"))),
        key=lambda market: json.loads(market.json())["open_time"],
    )  # type: ignore[return-value]


# Generated markets that nobody trades


def test_the_catalog_goes_through_its_states(on: Clocked) -> None:
    ahead = opening_soon(on)
    on.at(ahead.event.open)
    opened = on.shown(ahead.ticker)
    assert (opened["status"], opened["volume_fp"]) == ("active", "0.00")
    assert opened["open_time"] == time_text(ahead.event.open)
    assert opened["yes_bid_dollars"] != "0.0000" or opened["yes_ask_dollars"] != "1.0000"
    assert on.live.book(ahead.ticker) != {"yes_dollars": [], "no_dollars": []}
    on.at(ahead.close)
    assert on.shown(ahead.ticker)["status"] == "closed"
    assert on.live.book(ahead.ticker) == {"yes_dollars": [], "no_dollars": []}
    on.at(ahead.close + 3 * HOUR + 11 * MINUTE)
    assert on.shown(ahead.ticker)["result"] in ("yes", "no", "scalar")
    on.at(ahead.close + 4 * HOUR)
    settled = on.shown(ahead.ticker)
    assert settled["status"] == "finalized"
    assert parse_time(settled["settlement_ts"]) > ahead.close
    assert on.engine.markets == {}


def test_nothing_happens_in_the_first_minute(on: Clocked) -> None:
    before = [market.json() for market in on.catalog.markets(MarketQuery())]
    on.later(59)
    assert [market.json() for market in on.catalog.markets(MarketQuery())] == before


@pytest.mark.parametrize("days", [0.2, 1, 4, 40])
def test_listings_stay_consistent(days: float) -> None:
    jumped, walked = Clocked(), Clocked()
    jumped.later(days * 86_400)
    for _ in range(20):
        walked.later(days * 86_400 / 20)
    everything = jumped.tickers()
    assert sorted(everything) == sorted(Clocked().tickers())
    found: Counter[str] = Counter()
    for word in ("unopened", "open", "paused", "closed", "settled"):
        markets = list(jumped.live.markets(MarketQuery(word=word)))
        assert all(market.word == word for market in markets)
        found.update(market.ticker for market in markets)
        keys = [
            (market.close if word in states.BY_CLOSE else market.created, market.ticker)
            for market in markets
        ]
        assert keys == sorted(keys, reverse=True)
        # However the time passed, the outcome is the same.
        assert walked.tickers(word=word) == [market.ticker for market in markets]
    assert found == Counter(everything)


def test_the_same_outcome_for_the_same_seed_and_one_winner(on: Clocked) -> None:
    on.later(60 * 86_400)
    again = Clocked()
    again.later(60 * 86_400)
    for event in on.catalog.events():
        if event.generated is None:
            continue
        shown = [json.loads(market.json()) for market in on.live.event_markets(event)]
        results = [market["result"] for market in shown if market["status"] == "finalized"]
        if event.exclusive and results and "scalar" not in results:
            assert results.count("yes") == 1
        other = again.live.event(event.ticker)
        assert other is not None
        assert [json.loads(m.json())["result"] for m in again.live.event_markets(other)] == [
            market["result"] for market in shown
        ]


def test_the_schedule_is_in_order_and_ends() -> None:
    generated = Moving(3, 500, NOW)
    schedule = Schedule(generated)
    assert schedule.next == NOW + MINUTE
    steps = schedule.take(NOW + 500 * DAY)
    assert [when for when, *_ in steps] == sorted(when for when, *_ in steps)
    assert steps[0][0] >= NOW + MINUTE
    path: dict[int, list[int]] = {}
    for _, position, state in steps:
        path.setdefault(position, [generated.columns.state[position]]).append(state)
    full = [states.INITIALIZED, states.ACTIVE, states.CLOSED, states.DETERMINED, states.FINALIZED]
    for passed in path.values():
        assert passed[-1] == states.FINALIZED
        if passed[0] in full:
            assert passed == full[full.index(passed[0]) :]
    assert len(path) == sum(state < states.FINALIZED for state in generated.columns.state)
    assert schedule.take(NOW + 900 * DAY) == []


def test_moving_few_or_many_lists_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Moving(5, 1_500, NOW), Moving(5, 1_500, NOW)
    positions = list(one.by_word["open"])[::3]
    moves = [Move(position, states.CLOSED, NOW + 1) for position in positions]
    one.move(moves)
    for move in moves:
        other.move([move])
    monkeypatch.setattr(_moving, "_MANY", 10)
    many = Moving(5, 1_500, NOW)
    many.move(moves)
    assert many.by_word == one.by_word
    for word in one.by_word:
        assert one.by_word[word] == other.by_word[word], word
    assert len(positions) > 100
    for generated in (one, other):
        generated.move([Move(position, states.FINALIZED, NOW + 2) for position in positions])
    assert one.by_word == other.by_word
    assert not set(positions) & set(one.by_word["closed"])


# Markets that trade


def test_a_market_that_trades_pays_out_by_itself(on: Clocked) -> None:
    on.order("a", "bid", 6300, 100)
    resting = on.order("b", "bid", 1000, 5)
    assert on.engine.markets[FED].open_interest == 10_000
    event = on.catalog.generated.event(FED)
    assert event is not None
    on.at(event.close)
    assert on.shown()["status"] == "closed"
    assert resting.reason == "CloseCancel"
    on.at(event.close + 10 * MINUTE + SECOND)
    state = on.engine.markets[FED]
    assert state.status == "determined"
    assert on.engine.traders["a"].settlements == []
    on.at(event.close + 41 * MINUTE)
    assert state.status == "finalized"
    settlement = on.engine.traders["a"].settlements[0]
    assert (settlement.ticker, settlement.count) == (FED, 10_000)
    assert settlement.revenue == (1_000_000 * 100 if state.value == ONE else 0)
    shown = on.shown()
    assert shown["result"] == ("yes" if state.value == ONE else "no")
    # Markets nobody traded got their results without the engine.
    assert set(on.engine.markets) == {FED}
    assert on.shown("KXFED-26MAR19-T4.25")["status"] == "finalized"


def test_the_engine_agrees_with_the_seed(on: Clocked) -> None:
    for market in list(on.catalog.markets(MarketQuery(word="open")))[:150]:
        on.look(market.ticker)
    quiet = Clocked()
    for one in (on, quiet):
        one.later(60 * 86_400)
    for ticker, state in on.engine.markets.items():
        assert state.status == "finalized"
        assert on.shown(ticker)["result"] == quiet.shown(ticker)["result"], ticker


def test_an_unopened_market_opens_with_its_quotes(on: Clocked) -> None:
    market = opening_soon(on)
    on.look(market.ticker)
    assert on.engine.markets[market.ticker].status == "initialized"
    on.at(market.event.open)
    assert on.engine.markets[market.ticker].status == "active"
    assert on.live.book(market.ticker) == on.catalog.book(market.ticker).json()
    on.order("a", "bid", 9900, 1, market.ticker)
    assert on.live.word(on.listed(market.ticker)) == "open"


def test_a_market_determined_by_hand_settles_after_its_timer(on: Clocked) -> None:
    on.order("a", "bid", 6300, 10)
    on.exchange.do(lambda engine, now: engine.determine(FED, ONE, now))
    on.later(1_799)
    assert on.engine.markets[FED].status == "determined"
    on.later(2)
    assert on.engine.markets[FED].status == "finalized"
    assert on.engine.traders["a"].settlements[0].revenue == 10_000_000


def test_a_result_by_hand_leaves_room_for_one_winner(on: Clocked) -> None:
    game = first(on, word="open", series="KXMLBGAME")
    event = game.event
    for market in event.markets:
        on.look(market.ticker)
    position = on.catalog.generated.position(event.ticker)
    assert position is not None
    seeded = on.catalog.generated.outcomes(position)
    loser = min(seeded, key=lambda ticker: seeded[ticker])
    on.exchange.do(lambda engine, now: engine.determine(loser, ONE, now))
    on.at(event.close + DAY)
    values = {ticker: on.engine.markets[ticker].value for ticker in seeded}
    assert values == {ticker: ONE if ticker == loser else 0 for ticker in seeded}


def test_looking_at_a_determined_market_does_not_settle_it(on: Clocked) -> None:
    event = next(e for e in on.catalog.events() if on.live.words(e) == {"closed"})
    statuses = {}
    for market in event.markets:
        on.look(market.ticker)
        statuses[market.ticker] = json.loads(market.json())["status"]
    on.later(30)
    assert {ticker: on.shown(ticker)["status"] for ticker in statuses} == statuses


def test_a_paused_exchange_opens_markets_without_quotes(on: Clocked) -> None:
    market = opening_soon(on)
    on.look(market.ticker)
    on.exchange.do(lambda engine, now: engine.pause(now))
    on.at(market.event.open)
    assert on.engine.markets[market.ticker].status == "active"


def test_a_combo_that_members_made_is_listed_and_pays_what_its_legs_pay(on: Clocked) -> None:
    collection = on.catalog.generated.collections[0]
    legs = [
        (event.markets[0].ticker, side)
        for event, side in zip(collection.events, ("yes", "no"), strict=False)
    ]
    made = on.exchange.room(Combos).make(collection, legs)
    on.look(made.ticker)
    on.order("a", "bid", 4000, 10, made.ticker)
    on.order("b", "ask", 4000, 10, made.ticker)
    assert on.shown(made.ticker)["last_price_dollars"] == "0.4000"
    assert on.tickers(word="open", combos=True).count(made.ticker) == 1
    assert on.tickers(combos=False).count(made.ticker) == 0
    assert made.event_ticker in [event.ticker for event in on.live.combo_events()]
    on.later(60 * 86_400)
    on.later(1_800)
    state = on.engine.markets[made.ticker]
    assert state.status == "finalized"
    worth = [on.shown(ticker)["settlement_value_dollars"] == "1.0000" for ticker, _ in legs]
    assert state.value == (ONE if worth == [True, False] else 0)
    assert on.tickers(word="settled", combos=True).count(made.ticker) == 1


# Results


VALUES = st.sampled_from([0, ONE])


@given(st.integers(2, 6), st.data())
def test_there_is_never_a_second_winner(size: int, data: st.DataObject) -> None:
    tickers = [f"T{number}" for number in range(size)]
    winner = data.draw(st.sampled_from(tickers))
    drawn = {ticker: ONE if ticker == winner else 0 for ticker in tickers}
    decided = data.draw(st.dictionaries(st.sampled_from(tickers), VALUES))
    found = agreed(drawn, decided, exclusive=True)
    assert {ticker: found[ticker] for ticker in decided} == decided
    winners = [ticker for ticker in tickers if found[ticker]]
    if sum(map(bool, decided.values())) <= 1 and len(decided) < size:
        assert len(winners) == 1
    assert agreed(drawn, decided, exclusive=False) == {**drawn, **decided}


@given(st.dictionaries(st.text("AB", max_size=3), st.integers(0, ONE), max_size=5), st.randoms())
def test_winners_are_drawn_among_the_undecided(weights: dict[str, int], dice: Random) -> None:
    found = drawn_winner(weights, {}, dice.random)
    assert found is None or weights[found] > 0
    if sum(weights.values()) >= ONE:
        assert found is not None
    for ticker in weights:
        assert drawn_winner(weights, {ticker: ONE}, dice.random) is None
        assert drawn_winner(weights, {ticker: 0}, dice.random) != ticker


def test_money_is_conserved_through_a_whole_life(on: Clocked) -> None:
    dice = Random(1)
    tickers = on.tickers(word="open")[:40]
    for _ in range(200):
        side, price = dice.choice(["bid", "ask"]), dice.randrange(5, 95) * 100
        on.order(dice.choice("ab"), side, price, dice.randrange(1, 20), dice.choice(tickers))
        on.later(dice.random() * 30)
    on.later(60 * 86_400)
    assert all(on.engine.markets[ticker].status == "finalized" for ticker in tickers)
    assert sum(len(on.engine.traders[user].settlements) for user in "ab") > 20
    wallets = [w.cash for trader in on.engine.traders.values() for w in trader.wallets.values()]
    assert sum(wallets) + on.engine.fees == on.engine.paid_in
    assert Decimal(sum(wallets)) > 0


def test_an_hour_of_fifty_markets_keeps_little(on: Clocked) -> None:
    dice = Random(2)
    tickers = on.tickers(word="open", combos=False)[:50]
    for minute in range(60):
        for ticker in tickers:
            on.order(dice.choice("ab"), dice.choice(["bid", "ask"]), 5000, 1, ticker)
        on.later(60)
        assert sum(len(on.live.minutes(t) or ()) for t in tickers) <= 50 * (minute + 2)
    assert len(on.live.prints) <= 100_000


def test_kinds_of_events_take_their_time() -> None:
    catalog = Catalog(seed=7, markets=400, now=NOW)
    schedule = Schedule(catalog.generated)
    steps = schedule.take(NOW + 100 * DAY)
    closed = {position: when for when, position, state in steps if state == states.CLOSED}
    result = {position: when for when, position, state in steps if state == states.DETERMINED}
    for position, when in closed.items():
        kind = catalog.generated.event_at(position).series.kind
        expected = 3 * HOUR if kind is Kind.GAME else 0
        assert expected < result[position] - when <= expected + 10 * MINUTE
