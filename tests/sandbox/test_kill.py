"""kill -9 in the middle of a burst: what was acknowledged is there after the restart."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from kalshi_async.sandbox import Credentials, Sandbox
from kalshi_async.sandbox._engine import Engine
from kalshi_async.sandbox._records import Order
from kalshi_async.sandbox._units import parse_count, parse_price

from .desk import FAR, FIRST, SECOND, order, quiet_markets
from .engines import there
from .members import Member
from .test_engine_money import check

WORKERS = 8
CHILD = """
import asyncio, json, sys
from tests.sandbox.test_kill import serving

async def main():
    async with serving(*sys.argv[1:]) as (exchange, accounts):
        await exchange._exchange.durable()
        keys = [[key.api_key_id, key.private_key_pem.decode(), key.user_id] for key in accounts]
        print(json.dumps([exchange.base_url, keys]), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@asynccontextmanager
async def serving(state: str, load: str) -> AsyncIterator[tuple[Sandbox, list[Credentials]]]:
    """The exchange of a state file, and its two accounts that trade."""
    async with Sandbox.serve(markets=0, load=[load], tier=None, state=state) as exchange:
        yield exchange, [exchange.add_account(tier=None) for _ in range(2)]


@dataclass
class Promise:
    """What an order was last acknowledged to be."""

    order_id: str
    client_order_id: str
    price: int
    # Of which what was cancelled is no part.
    size: int
    filled: int
    ended: bool
    canceled: bool = False
    # A request about it was under way at the end.
    asked: bool = False


@dataclass
class Burst:
    """Eight workers of two accounts that trade with each other until the exchange is killed."""

    child: subprocess.Popen[str]
    kill_after: int
    acknowledged: int = 0
    promises: dict[str, list[Promise]] = field(default_factory=dict)

    async def run(self, members: list[Member], name: str) -> None:
        async with asyncio.TaskGroup() as workers:
            for number in range(WORKERS):
                dice = Random(f"{name}/{number}")
                workers.create_task(self._work(members[number % len(members)], dice, name))

    async def _work(self, member: Member, dice: Random, name: str) -> None:
        made: list[Promise] = []
        self.promises.setdefault(member.credentials.user_id, [])
        try:
            while True:
                resting = [promise for promise in made if not promise.ended]
                if resting and dice.random() < 0.4:
                    await self._change(member, dice, dice.choice(resting))
                else:
                    promise = await self._place(member, dice, name)
                    made.append(promise)
                    self.promises[member.credentials.user_id].append(promise)
                self.acknowledged += 1
                if self.acknowledged == self.kill_after:
                    self.child.kill()
        except httpx.TransportError:
            assert self.acknowledged >= self.kill_after, "the exchange ended by itself"

    async def _place(self, member: Member, dice: Random, name: str) -> Promise:
        body = order(
            dice.choice(["bid", "ask"]),
            f"0.{dice.randint(40, 60)}",
            str(dice.randint(1, 9)),
            ticker=dice.choice([FIRST, SECOND]),
            time_in_force=dice.choice(["good_till_canceled"] * 3 + ["immediate_or_cancel"]),
            self_trade_prevention_type="maker",
            client_order_id=f"{name}-{dice.getrandbits(64):x}",
        )
        answer = await member.ok("CreateOrderV2", body)
        return Promise(
            answer["order_id"],
            body["client_order_id"],
            parse_price(body["price"]) or 0,
            parse_count(body["count"]) or 0,
            parse_count(answer["fill_count"]) or 0,
            ended=answer["remaining_count"] == "0.00",
        )

    async def _change(self, member: Member, dice: Random, promise: Promise) -> None:
        promise.asked = True
        names = {"order_id": promise.order_id}
        if dice.random() < 0.5:
            response = await member.send("CancelOrderV2", names=names)
            promise.canceled = response.status_code == 200
            promise.ended = True
        else:
            response = await member.send("DecreaseOrderV2", {"reduce_by": "1"}, names=names)
            # Of an order that traded meanwhile there may be nothing left to take.
            promise.ended = (
                response.status_code == 404 or response.json()["remaining_count"] == "0.00"
            )
            promise.size -= 100 * (response.status_code == 200)
        assert response.status_code < 500, response.text
        promise.asked = False


async def life(state: Path, load: Path, name: str, kill_after: int) -> Burst:
    """Start an exchange in a process of its own, trade, and kill it."""
    child = subprocess.Popen(  # noqa: ASYNC220 - to be killed without anybody being told
        [sys.executable, "-c", CHILD, state, load], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    burst = Burst(child, kill_after)
    try:
        base_url, keys = json.loads(await asyncio.to_thread(child.stdout.readline))
        async with httpx.AsyncClient(trust_env=False, verify=False) as http:
            host: Any = SimpleNamespace(base_url=base_url)
            members = [
                Member(host, http, Credentials(key_id, pem.encode(), user_id))
                for key_id, pem, user_id in keys
            ]
            await burst.run(members, name)
    finally:
        child.kill()
        child.communicate()
    assert child.returncode == -9
    return burst


def hold_to(engine: Engine, user_id: str, promise: Promise) -> None:
    """An order is what it was acknowledged to be, or what became of it later."""
    trader = engine.traders[user_id]
    found: Order = trader.orders[promise.order_id]
    assert found.client_order_id == promise.client_order_id
    assert trader.client_ids[promise.client_order_id] == promise.order_id
    assert found.price == promise.price
    assert found.filled >= promise.filled
    if promise.canceled:
        assert found.status == "canceled"
    if promise.ended:
        assert found.status != "resting"
        assert promise.order_id not in trader.resting
    elif not promise.asked:
        assert found.status != "canceled" or found.reason == "SelfTradeCancel"
    if promise.order_id in trader.resting and not promise.asked:
        assert found.filled + found.remaining == promise.size


def books_balance(engine: Engine) -> None:
    """Money is conserved; fills, orders and positions tell the same story."""
    assert there(engine) == engine.paid_in
    check(engine)
    for trader in engine.traders.values():
        filled, held = Counter[str](), Counter[str]()
        for fill in trader.fills:
            filled[fill.order_id] += fill.count
            held[fill.ticker] += fill.count if fill.bid else -fill.count
        assert filled == Counter({id_: found.filled for id_, found in trader.orders.items()})
        assert held == Counter({key[1]: held.count for key, held in trader.positions.items()})


@pytest.mark.parametrize(("seed", "lives"), [(1, 2), (2, 1)])
async def test_what_was_acknowledged_survives_being_killed(
    tmp_path: Path, seed: int, lives: int
) -> None:
    state, load = tmp_path / "exchange.db", quiet_markets(tmp_path)
    dice = Random(seed)
    promises: dict[str, list[Promise]] = {}
    for number in range(lives):
        burst = await life(state, load, f"{seed}-{number}", dice.randint(40, 150))
        for user_id, given in burst.promises.items():
            promises.setdefault(user_id, []).extend(given)
        async with serving(str(state), str(load)) as (exchange, accounts):
            engine = exchange._exchange.engine
            assert {key.user_id for key in accounts} == promises.keys()
            for user_id, given in promises.items():
                for promise in given:
                    hold_to(engine, user_id, promise)
            books_balance(engine)
            # What rested at the kill may go on to trade in the second life.
            for promise in (promise for given in promises.values() for promise in given):
                promise.asked = promise.asked or not promise.ended
    assert sum(map(len, promises.values())) > 40


async def test_a_client_order_id_is_used_for_ever_also_after_a_kill(tmp_path: Path) -> None:
    state, load = tmp_path / "exchange.db", quiet_markets(tmp_path)
    burst = await life(state, load, "once", 20)
    async with serving(str(state), str(load)) as (exchange, accounts):
        async with httpx.AsyncClient(trust_env=False, verify=False) as http:
            for credentials in accounts:
                member = Member(exchange, http, credentials)
                for promise in burst.promises[credentials.user_id]:
                    again = order(client_order_id=promise.client_order_id, ticker=FIRST)
                    refusal = await member.refused("CreateOrderV2", 409, again)
                    assert refusal["error"]["code"] == "order_already_exists"


def test_a_state_file_that_cannot_be_used_is_one_line_at_the_start(tmp_path: Path) -> None:
    state = tmp_path / "exchange.db"
    state.write_text("notes")
    script = (
        "import asyncio, sys\nfrom kalshi_async.sandbox import run\n"
        "try:\n    asyncio.run(run(markets=5, state=sys.argv[1]))\n"
        "except ValueError as error:\n    sys.exit(str(error))"
    )
    child = subprocess.run(
        [sys.executable, "-c", script, state], capture_output=True, text=True, check=False
    )
    assert child.returncode == 1
    assert child.stderr.startswith(f"{state} is not a state file")
    assert FAR not in child.stderr
