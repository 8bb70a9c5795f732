"""The plan of many orders: each exactly once, over runs that were killed or lost answers."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kalshi_async.orders import Certainty
from kalshi_async.sandbox import Faults, Sandbox

from ..cli.runner import clean_environment
from .loading import FOLDER, load

example = load("place_many")

# Places the plan against the exchange of the environment and is killed with orders on their way:
# the exchange has taken them, and the answers do not come.
KILLED = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
import place_many
from kalshi_async import KalshiClient

async def main():
    async with KalshiClient.from_env(limits=None, journal=sys.argv[2], timeout=30.0) as kalshi:
        print("placing", flush=True)
        await place_many.carry_out(kalshi, place_many.plan("ladder", place_many.TICKERS))

asyncio.run(main())
"""


@asynccontextmanager
async def exchange_with(faults: Faults) -> AsyncIterator[Sandbox]:
    async with Sandbox.serve(seed=7, tier=None, faults=faults) as exchange:
        yield exchange


def on_the_book(exchange: Sandbox) -> list[str]:
    """The client_order_ids that the exchange itself has, each as often as it has it."""
    orders = exchange.engine.traders[exchange.user_id].orders.values()
    return [order.client_order_id for order in orders]


def ladder() -> list[str]:
    requests = example.plan("ladder", example.TICKERS)
    return sorted(one.client_order_id for one in requests if "greedy" not in one.client_order_id)


async def test_an_unknown_outcome_is_resolved(capsys: pytest.CaptureFixture[str]) -> None:
    faults = Faults(seed=7, read_lag=0.5)
    for operation in ("CreateOrderV2", "BatchCreateOrdersV2"):
        faults.on(operation, drop=True, processed=True)
    # Lists trail by more than the client is willing to wait for: it cannot find what it placed.
    hasty = Certainty(lag=0.5, patience=0.05)
    async with exchange_with(faults) as exchange:
        async with exchange.client(limits=None, certainty=hasty) as kalshi:
            requests = example.plan("ladder", example.TICKERS)
            there = await example.carry_out(kalshi, requests)
        assert sorted(on_the_book(exchange)) == ladder()
    assert sorted(order.client_order_id for order in there) == ladder()
    resolved = [line for line in capsys.readouterr().out.splitlines() if line.endswith(": placed")]
    assert resolved


async def test_what_a_killed_run_left_open_is_settled_and_nothing_is_placed_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = tmp_path / "orders.db"
    async with exchange_with(Faults(seed=7).on("*", times=1000, delay_answer=30.0)) as exchange:
        await kill_amid_placing(exchange, journal)
        exchange.faults = Faults(seed=7)
        sure = Certainty(lag=0.0, grace=0.0)  # a dead process on this machine sends no more
        async with exchange.client(limits=None, journal=journal, certainty=sure) as kalshi:
            await kalshi.exchange.status()  # by now what was in the sockets has been read
            before = set(on_the_book(exchange))
            await example.settle(kalshi)
            settled = capsys.readouterr().out.splitlines()
            await example.carry_out(kalshi, example.plan("ladder", example.TICKERS))
        assert sorted(on_the_book(exchange)) == ladder()
    said = [line.removeprefix("from the last run: ").split() for line in settled]
    assert {name for name, *words in said if "not" not in words} == before
    assert not {name for name, *words in said if "not" in words} & before
    assert len(before) >= 5


async def kill_amid_placing(exchange: Sandbox, journal: Path) -> None:
    """Run the plan in another process and kill it once the exchange has taken some orders."""
    env = clean_environment(
        KALSHI_ENV="sandbox",
        KALSHI_BASE_URL=exchange.base_url,
        KALSHI_API_KEY_ID=exchange.api_key_id,
        KALSHI_PRIVATE_KEY_PATH=str(exchange.private_key_path),
    )
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-c", KILLED, str(FOLDER), str(journal)], env=env, stdout=PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"placing\n"
    async with asyncio.timeout(30):
        while len(on_the_book(exchange)) < 5:  # noqa: ASYNC110 - the exchange tells nobody
            await asyncio.sleep(0.01)
    process.kill()
    await process.communicate()
