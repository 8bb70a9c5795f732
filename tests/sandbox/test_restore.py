"""An exchange put together again from its state file cannot be told from the one before."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_async.sandbox._engine import Engine
from kalshi_async.sandbox._errors import ApiError
from kalshi_async.sandbox._events import Event
from kalshi_async.sandbox._groups import allowance
from kalshi_async.sandbox._holdings import Trader
from kalshi_async.sandbox._kept import ORDER, TRADE
from kalshi_async.sandbox._records import Order, Trade
from kalshi_async.sandbox._state import StateError, Store

from . import test_engine_money as money
from .engines import engine, levels, place
from .hosts import Host, restarted, unused

SECOND = 1_000_000


def picture(exchange: Engine, now: int) -> object:
    """Everything that can be observed of an engine, in the order in which it is kept."""
    return {
        "markets": list(exchange.markets.values()),
        "books": {
            ticker: [
                (price, side.levels[price].count, list(side.levels[price].orders))
                for side in (book.bids, book.asks)
                for price in side.prices
            ]
            for ticker, book in exchange.books.items()
        },
        "traders": [of_trader(trader, now) for trader in exchange.traders.values()],
        "expiring": {
            (due, order_id)
            for due, order_id, user_id in exchange.expiring
            if order_id in exchange.traders[user_id].resting
            and exchange.traders[user_id].resting[order_id].expiration == due
        },
        "engine": (exchange.priority, exchange.fees, exchange.paid_in, exchange.trading),
    }


def of_trader(trader: Trader, now: int) -> object:
    for group in trader.groups.values():
        allowance(group, now)  # forgets matches that no longer count
    return {
        "user": (trader.user_id, trader.house, trader.subaccounts),
        # An order that is refused leaves an empty wallet behind in which nobody takes an interest.
        "wallets": [wallet for wallet in trader.wallets.values() if wallet.cash],
        "positions": list(trader.positions.items()),
        "orders": list(trader.orders.values()),
        "resting": list(trader.resting),
        "client ids": list(trader.client_ids.items()),
        "history": (trader.fills, trader.settlements, trader.payments, trader.transfers),
        "groups": list(trader.groups.values()),
        "interests": {
            key: (interest.position, interest.reserved, interest.bids.counts, interest.asks.counts)
            for key, interest in trader.interests.items()
            if interest.position.volume or interest.reserved
        },
    }


# Commands beyond those of the money test: names that change, dealers of the house, pauses.
more = st.one_of(
    st.tuples(st.just("rename"), money.users, money.picks, st.integers(0, 6)),
    st.tuples(st.just("name"), money.users, money.sides, money.prices, st.integers(0, 6)),
    st.tuples(st.just("dealer"), money.sides, money.prices, st.integers(1, 900), st.booleans()),
    st.tuples(st.just("dealer off"), money.picks),
    st.tuples(st.just("group"), money.users, st.booleans()),
    st.tuples(st.just("subaccount"), money.users),
    st.tuples(st.sampled_from(["pause", "resume"])),
    st.tuples(st.sampled_from(["pause M", "resume M"])),
)
scripts = st.lists(
    st.one_of(money.placements, money.placements, money.others, more), min_size=15, max_size=50
)


def run(exchange: Engine, command: tuple, now: int) -> object:
    kind, *args = command
    if kind in ("group", "reset", "place") and not exchange.traders[args[0]].groups:
        return exchange.create_group(args[0], 1500, now)
    if kind in ("rename", "dealer off"):
        user_id, pick = (args[0], args[1]) if kind == "rename" else ("dealer", args[0])
        resting = list(exchange.traders[user_id].resting.values())
        if not resting:
            return None
        order = resting[pick % len(resting)]
        if kind == "dealer off":
            return exchange.cancel("dealer", order.order_id, now)
        return exchange.amend(
            user_id,
            order.order_id,
            now,
            ticker=order.ticker,
            bid=order.bid,
            price=order.price,
            count=order.initial,
            updated_client_order_id=f"name-{args[2]}",
            expiration=now + 9 * SECOND,
        )
    if kind == "name":
        user_id, side, price, number = args
        return place(exchange, user_id, side, price, 3, now=now, client_order_id=f"name-{number}")
    if kind == "dealer":
        side, price, count, rests = args
        how = "good_till_canceled" if rests else "immediate_or_cancel"
        return place(exchange, "dealer", side, price, count / 100, now=now, time_in_force=how)
    if kind == "group":
        user_id, new = args
        if new:
            return exchange.create_group(user_id, 700, now)
        return exchange.delete_group(user_id, [*exchange.traders[user_id].groups][-1], now)
    if kind == "subaccount":
        return exchange.create_subaccount(args[0], now)
    if kind in ("pause", "resume"):
        return (exchange.pause if kind == "pause" else exchange.resume)(now)
    if kind in ("pause M", "resume M"):
        return (exchange.pause_market if kind == "pause M" else exchange.resume_market)("M", now)
    return money.run(exchange, command, now)


def step(host: Host, command: tuple, now: int) -> tuple[object, list[Event]]:
    """What one command comes to: its result or refusal, and the events."""
    host.engine.advance(now)
    try:
        result = run(host.engine, command, now)
    except ApiError as error:
        result = error.status, error.body
    return result, host.deliver()


def opened(path: Path) -> Host:
    """The exchange of the money test and a dealer of the house, in a new file."""
    host = Host(unused(money.build()), Store.open(path, {}))
    exchange = host.engine
    for user_id in "abc":
        exchange.open_account(user_id)
        exchange.deposit(user_id, 25 * SECOND, 0)
        exchange.create_subaccount(user_id, 0)
        exchange.transfer(user_id, 5 * SECOND, 0, to_subaccount=1)
        exchange.create_group(user_id, 1500, 0)
    exchange.open_account("dealer", house=True)
    for ticker in "MN":
        exchange.market(ticker, 0)
    host.deliver()
    return host


@settings(max_examples=30)
@given(scripts, scripts)
def test_what_is_restored_equals_what_was_and_goes_on_the_same_way(
    tmp_path_factory: pytest.TempPathFactory, before: list[tuple], after: list[tuple]
) -> None:
    path = tmp_path_factory.mktemp("state") / "exchange.db"
    first = opened(path)
    now = SECOND
    for command in before:
        now += command[1] * SECOND if command[0] == "wait" else 1000
        step(first, command, now)
    first.close()

    second = restarted(first, path)
    assert picture(second.engine, now) == picture(first.engine, now)
    assert second.ids.made == first.ids.made
    money.check(second.engine)

    # The first goes on as if nothing had happened.
    for command in after:
        now += command[1] * SECOND if command[0] == "wait" else 1000
        assert step(second, command, now) == step(first, command, now)
    second.close()
    third = restarted(second, path)
    assert picture(third.engine, now) == picture(first.engine, now)
    third.close()


# Beside the engine


def bare(path: Path, *, wall: int = 0) -> Host:
    return Host(unused(engine()), Store.open(path, {}), wall=wall)


def test_time_goes_on_and_never_back(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    host = bare(path, wall=1_000)
    host.shift, host.advanced = 77, 30
    host.close()
    host = bare(path, wall=5_000)
    assert (host.shift, host.now()) == (77, 5_030)
    host.close()
    # The wall clock was set back: the exchange goes on from the latest time it knew.
    host = bare(path, wall=2_000)
    assert host.now() == 5_030
    host.close()


def test_a_jump_in_time_is_kept_though_nothing_happened_by_it(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    host = bare(path)
    host.advanced = 3_600 * SECOND
    host.close()
    host = bare(path)
    assert host.advanced == 3_600 * SECOND
    host.close()


def test_identifiers_are_not_made_twice(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    host = bare(path)
    used = {host.ids() for _ in range(3)}
    host.close()
    host = bare(path)
    assert host.ids() not in used
    host.close()


def test_an_amended_order_keeps_its_new_place_in_the_queue(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    host = opened(path)
    exchange = host.engine
    first = place(exchange, "a", "bid", 2000, 3, now=1, ticker="M")
    second = place(exchange, "b", "bid", 2000, 1, now=2, ticker="M")
    bigger = {"ticker": "M", "bid": True, "price": 2000, "count": 400}
    exchange.amend("a", first.order_id, 3, **bigger)
    host.deliver()
    host.close()
    host = restarted(host, path)
    queue = host.engine.books["M"].bids.levels[2000].orders
    assert list(queue) == [second.order_id, first.order_id]
    host.close()


def test_wallets_keep_their_order(tmp_path: Path) -> None:
    """Money of other shards is drawn on in the order of the wallets."""
    path = tmp_path / "x.db"
    host = opened(path)
    with pytest.raises(ApiError):
        place(host.engine, "c", "bid", 5000, 400, now=1, ticker="N", shard=2)
    for shard in (1, 2):
        host.engine.deposit("c", SECOND, 2, shard=shard)
    host.deliver()
    host.close()
    again = restarted(host, path)
    assert list(again.engine.traders["c"].wallets) == list(host.engine.traders["c"].wallets)
    again.close()


def test_an_order_expires_when_it_was_to_expire(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    host = opened(path)
    expiring = place(host.engine, "a", "bid", 2000, 3, now=1, ticker="N", expiration=50)
    host.deliver()
    host.close()
    host = restarted(host, path)
    found = host.engine.traders["a"].orders[expiring.order_id]
    host.engine.advance(49)
    assert found.status == "resting"
    host.engine.advance(50)
    assert (found.status, found.reason) == ("canceled", "ExpiryCancel")
    host.close()


def test_trading_stays_paused(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    host = bare(path)
    host.engine.pause(1)
    host.deliver()
    host.close()
    host = bare(path)
    assert not host.engine.trading
    host.close()


async def test_nothing_is_written_when_nothing_happens(tmp_path: Path) -> None:
    host = bare(tmp_path / "x.db")
    recorder = host.recorder
    assert recorder is not None
    await recorder.durable()
    commits = recorder._store.commits
    host.wall += SECOND
    await recorder.durable()
    assert recorder._store.commits == commits
    host.close()


def test_the_tape_is_kept_and_cut_to_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.db"
    host = opened(path)
    for number in range(1, 6):
        place(host.engine, "a", "bid", 5000, number, now=number, ticker="N")
        place(host.engine, "b", "ask", 5000, number, now=number, ticker="N")
        host.deliver()
    host.close()
    monkeypatch.setattr("kalshi_async.sandbox._recorder.MOST_TRADES", 2)
    for _ in range(2):
        host = restarted(host, path)
        assert host.recorder is not None
        assert [trade.count for trade in host.recorder.kept(TRADE, Trade)] == [400, 500]
        host.close()


def test_what_is_kept_beside_the_engine(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    trade = Trade(trade_id="t", ticker="M", price=1, count=1, taker_bid=True, time=1)
    host = bare(path)
    assert host.recorder is not None
    host.recorder.keep("note", "a", trade)
    host.recorder.keep("note", "b", trade)
    host.recorder.keep("note", "a", None)
    host.close()
    host = bare(path)
    assert host.recorder is not None
    assert host.recorder.kept("note", Trade) == [trade]
    assert host.recorder.kept("other", Trade) == []
    host.close()


def test_the_house_keeps_only_what_rests(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    host = opened(path)
    for number in range(1, 5):
        resting = place(host.engine, "dealer", "bid", 2000, 1, now=number)
        host.deliver()
        host.engine.cancel("dealer", resting.order_id, number)
        host.deliver()
    place(host.engine, "dealer", "ask", 4900, 3, now=9, time_in_force="immediate_or_cancel")
    host.deliver()
    host.close()
    store = Store.open(path, {})
    assert {order.user_id for order in store.load(ORDER, Order)} == {"house"}
    store.close()


def test_a_file_with_pieces_missing_is_refused_and_let_go(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    host = opened(path)
    place(host.engine, "a", "bid", 2000, 1, now=1)
    host.deliver()
    host.close()
    store = Store.open(path, {})
    store.delete("engine/market", "M")
    store.close()
    with pytest.raises(StateError, match="names 'M' and does not hold it"):
        restarted(host, path)
    Store.open(path, {}).close()


def test_an_interrupted_first_start_leaves_an_exchange_that_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    Store.open(path, {}).close()
    host = opened(path)
    place(host.engine, "a", "bid", 2000, 1, now=1)
    host.deliver()
    host.close()
    again = restarted(host, path)
    assert levels(again.engine) == levels(host.engine)
    again.close()
