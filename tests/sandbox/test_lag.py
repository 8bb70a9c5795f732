"""Accounts as they were: what the lagged view shows is what was there at the time, and no more."""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_async.sandbox._catalog.catalog import Catalog
from kalshi_async.sandbox._engine import Engine
from kalshi_async.sandbox._errors import ApiError
from kalshi_async.sandbox._exchange import Exchange
from kalshi_async.sandbox._faults import Faults
from kalshi_async.sandbox._holdings import Trader
from kalshi_async.sandbox._lag import LaggedView, TraderView
from kalshi_async.sandbox._records import Listing, NewOrder, Order
from kalshi_async.sandbox._text import SECOND
from kalshi_async.sandbox._units import DOLLAR

from .engines import market

LAG = 5.0
USERS = ("a", "b", "c")


def exchange(clock: SimpleNamespace) -> Exchange:
    """One market, three accounts with money."""
    made = Exchange(Catalog(seed=1, markets=0, now=SECOND), seed=1, clock=lambda: clock.now)
    made.engine._listing = {"M": Listing(market=market())}.get
    for user_id in USERS:
        made.engine.open_account(user_id)
        made.do(lambda engine, now, user_id=user_id: engine.deposit(user_id, 100 * DOLLAR, now))
    return made


def state(trader: TraderView) -> dict[str, Any]:
    """A copy of what handlers read. A wallet without money is as good as none."""
    return {
        "orders": {key: copy(order) for key, order in trader.orders.items()},
        "resting": {key: copy(order) for key, order in trader.resting.items()},
        "positions": {key: copy(position) for key, position in trader.positions.items()},
        "wallets": {key: copy(wallet) for key, wallet in trader.wallets.items() if wallet.cash},
        "fills": list(trader.fills),
        "settlements": list(trader.settlements),
        "payments": list(trader.payments),
        "transfers": list(trader.transfers),
        "subaccounts": set(trader.subaccounts),
    }


class Script:
    """Random commands, with a copy of every account after each."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.clock = SimpleNamespace(now=1_000.0)
        self.exchange = exchange(self.clock)
        self.past: dict[int, dict[str, dict[str, Any]]] = {}
        self.remember()

    def remember(self) -> None:
        traders = self.exchange.engine.traders
        self.past[self.exchange.now()] = {name: state(traders[name]) for name in USERS}

    def step(self) -> None:
        # Now and then two commands share a microsecond.
        self.clock.now += self.random.choice((0, 0.000001, 0.2, 1.5))
        user_id = self.random.choice(USERS)
        command = self.random.choice((self.place,) * 5 + (self.cancel, self.amend, self.money))
        with suppress(ApiError):
            command(user_id)
        self.exchange.tick()
        self.remember()

    def place(self, user_id: str) -> None:
        now, expires = self.exchange.now(), self.random.random() < 0.3
        new = NewOrder(
            user_id=user_id,
            ticker="M",
            bid=self.random.random() < 0.5,
            price=self.random.randrange(4_500, 5_600, 100),
            count=self.random.randrange(100, 2_000, 50),
            time_in_force=self.random.choice(
                ("good_till_canceled", "good_till_canceled", "immediate_or_cancel", "fill_or_kill")
            ),
            expiration=now + SECOND if expires else 0,
        )
        self.exchange.do(lambda engine, now: engine.place(new, now))

    def resting(self, user_id: str) -> list[Order]:
        """One resting order of this account, if it has any."""
        found = list(self.exchange.engine.traders[user_id].resting.values())
        return self.random.sample(found, min(1, len(found)))

    def cancel(self, user_id: str) -> None:
        for order in self.resting(user_id):
            self.exchange.do(partial(self.cancelled, order))

    def cancelled(self, order: Order, engine: Engine, now: int) -> None:
        engine.cancel(order.user_id, order.order_id, now)

    def amend(self, user_id: str) -> None:
        for order in self.resting(user_id):
            self.exchange.do(partial(self.amended, order))

    def amended(self, order: Order, engine: Engine, now: int) -> None:
        engine.amend(
            order.user_id,
            order.order_id,
            now,
            ticker="M",
            bid=order.bid,
            price=self.random.choice((order.price, order.price + 100)),
            count=order.filled + self.random.randrange(50, 3_000, 50),
        )

    def money(self, user_id: str) -> None:
        amount = self.random.randrange(DOLLAR)

        def move(engine: Engine, now: int) -> None:
            number = engine.create_subaccount(user_id, now)
            engine.transfer(user_id, amount, now, to_subaccount=number)

        def withdraw(engine: Engine, now: int) -> None:
            engine.withdraw(user_id, amount, now)

        self.exchange.do(self.random.choice((move, withdraw)))


@given(st.integers(0, 10**9), st.integers(5, 40))
@settings(max_examples=60)
def test_a_view_shows_what_was_there(seed: int, steps: int) -> None:
    script = Script(seed)
    for _ in range(script.random.randrange(10)):
        script.step()
    began = script.exchange.now()
    view = LaggedView(script.exchange)
    view.keep(LAG)
    for number in range(steps):
        script.step()
        if number == steps * 3 // 4:
            script.exchange.do(lambda engine, now: engine.determine("M", 10_000, now))
            script.exchange.do(lambda engine, now: engine.settle("M", now))
            script.remember()
        oldest = max(began, script.exchange.now() - round(LAG * SECOND))
        for time, accounts in script.past.items():
            if time >= oldest:
                for name in USERS:
                    assert state(view.view(name, time)) == accounts[name]


def buy(made: Exchange, user_id: str, *, bid: bool = True, price: int = 5_000) -> Order:
    new = NewOrder(user_id=user_id, ticker="M", bid=bid, price=price, count=1_000)
    return made.do(lambda engine, now: engine.place(new, now))


def test_a_read_lags_behind_an_order_a_fill_and_a_cancel() -> None:
    clock = SimpleNamespace(now=1_000.0)
    made = exchange(clock)
    view = made.room(LaggedView)
    faults = Faults()
    faults.follow_lag(view.keep)
    faults.on("GetOrders", stale=1.0)
    start = made.now()
    clock.now = 1_001.0
    order = buy(made, "a")
    placed = made.now()
    clock.now = 1_002.0
    buy(made, "b", bid=False)
    filled = made.now()
    before, resting, after = (view.view("a", time) for time in (start, placed, filled))
    assert (before.orders, before.fills, before.positions) == ({}, [], {})
    assert before.wallets[0, 0].free == 100 * DOLLAR
    assert resting.orders[order.order_id].remaining == 1_000
    assert resting.resting.keys() == {order.order_id}
    assert resting.wallets[0, 0].free == 95 * DOLLAR
    assert (resting.fills, resting.positions) == ([], {})
    assert after.orders[order.order_id].status == "executed"
    assert not after.resting
    assert [fill.count for fill in after.fills] == [1_000]
    assert after.positions[0, "M"].count == 1_000
    assert view.view("a", filled - 1).orders[order.order_id].status == "resting"


def test_nothing_is_known_from_before_the_lag_was_set() -> None:
    clock = SimpleNamespace(now=1_000.0)
    made = exchange(clock)
    buy(made, "b", bid=False)
    buy(made, "a")
    order = buy(made, "a")
    clock.now = 1_001.0
    view = LaggedView(made)
    view.keep(60)
    clock.now = 1_002.0
    made.do(lambda engine, now: engine.cancel("a", order.order_id, now))
    shown = view.view("a", made.now() - 60 * SECOND)
    assert shown.orders[order.order_id].status == "resting"
    assert (len(shown.orders), len(shown.fills), len(shown.payments)) == (2, 1, 1)


def test_the_past_is_kept_no_longer_than_the_lag() -> None:
    clock = SimpleNamespace(now=1_000.0)
    made = exchange(clock)
    view, others = LaggedView(made), list(made._listeners)
    view.keep(1.0)
    sizes = []
    for _ in range(400):
        clock.now += 0.1
        order = buy(made, "a")
        made.do(lambda engine, now, order=order: engine.cancel("a", order.order_id, now))
        sizes.append(len(view._histories["a"].orders) + len(view._histories["a"].wallets))
    assert max(sizes[20:]) == max(sizes) <= 60
    assert repr(view).startswith("<LaggedView of the last 1 s: ")
    shown = view.view("a", 0)
    assert len(shown.orders) >= 389
    view.keep(0)
    assert view._histories == {}
    assert made._listeners == others
    assert isinstance(view.view("a", 0), Trader)


def test_the_house_and_strangers_have_no_past() -> None:
    clock = SimpleNamespace(now=1_000.0)
    made = exchange(clock)
    made.engine._listing = {"M": Listing(market=market(), quotes=((False, 5_000, 500),))}.get
    view = LaggedView(made)
    view.keep(LAG)
    buy(made, "a")
    assert set(view._histories) == set(USERS)
    assert len(view.view("a", made.now()).fills) == 1
    with pytest.raises(ApiError):
        view.view("nobody", 0)
