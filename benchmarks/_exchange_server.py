"""The embedded exchange in a process of its own, kept to one core: ten quiet markets, some accounts
without limits, and orders from within when asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from time import monotonic, process_time
from typing import IO, TypeVar

import msgspec

from kalshi_async.sandbox import Sandbox
from kalshi_async.sandbox._auth import KeyType

from ._flow import CENT, Draw, Flow, draws
from ._process import BenchmarkError, child

T = TypeVar("T", bound=msgspec.Struct)

TICKERS = tuple(f"KXBENCH-26-{letter}" for letter in "ABCDEFGHIJ")
DEPOSIT = "10000000.00"
_FLOW_MEMBERS = 8


class Member(msgspec.Struct):
    """An account to trade with."""

    api_key_id: str
    private_key_pem: str


class Opened(msgspec.Struct):
    """What the process says when it serves."""

    port: int
    members: list[Member]


class Counters(msgspec.Struct):
    """What happened there so far: answers to new orders by status, orders kept, contracts traded in
    hundredths, processor seconds, and whether the money adds up.
    """

    statuses: dict[int, int]
    orders: int
    volume: int
    cpu: float
    balanced: bool


class Flowed(msgspec.Struct):
    """Orders that were placed there: when they began and ended on the machine's monotonic clock,
    and the book of the first market afterwards: count by price, in hundredths of a contract and of
    a cent.
    """

    began: float
    ended: float
    clock: int
    yes: dict[int, int]
    no: dict[int, int]
    cpu: float


class Ask(msgspec.Struct):
    """A line to the process: so many `commands` in the first market, `burst` of them in each turn
    of its event loop; without any, the counters.
    """

    commands: int = 0
    burst: int = 1


class Remote:
    """The process, seen from the one that started it. All calls block."""

    def __init__(self, stdin: IO[str], stdout: IO[str]) -> None:
        self._stdin, self._stdout = stdin, stdout
        self.opened = self._read(Opened)

    def counters(self) -> Counters:
        """What happened so far."""
        self._write(Ask())
        return self._read(Counters)

    def trade(self, commands: int, burst: int) -> Flowed:
        """Let orders be placed, cancelled and amended; returns when they have been."""
        self._write(Ask(commands, burst))
        return self._read(Flowed)

    def _write(self, ask: Ask) -> None:
        self._stdin.write(msgspec.json.encode(ask).decode() + "\n")
        self._stdin.flush()

    def _read(self, type_: type[T]) -> T:
        line = self._stdout.readline()
        if not line:
            raise BenchmarkError("the exchange ended early: see what it printed above")
        return msgspec.json.decode(line, type=type_)


@contextmanager
def remote(
    *, members: int = 1, key_type: KeyType = "ed25519", state: str | Path = ""
) -> Iterator[Remote]:
    """An exchange in a process of its own, on a core that this process then leaves alone.

    Raises BenchmarkError where it does not start.
    """
    mine, its = shared_cores()
    command = [sys.executable, "-m", "benchmarks._exchange_server"]
    command += [f"--members={members}", f"--key-type={key_type}", f"--state={state}"]
    command += [f"--core={its}"]
    with child(command) as pipes:
        keep_to(mine)
        yield Remote(*pipes)


def shared_cores() -> tuple[list[int], int]:
    """(the cores of whoever puts load on the exchange, the core of the exchange), apart where there
    are two or more; -1 where processes cannot be kept to a core.
    """
    if not hasattr(os, "sched_getaffinity"):
        return [], -1
    *others, last = sorted(os.sched_getaffinity(0))
    return others or [last], last


def keep_to(cores: Sequence[int]) -> None:
    """Run on these cores only, where the system can see to it."""
    if cores and min(cores) >= 0 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


def quiet_markets(folder: Path) -> Path:
    """A file of open markets, on a grid of cents, in which nothing rests yet."""
    facts = {
        "status": "active",
        "event_ticker": TICKERS[0].rpartition("-")[0],
        "created_time": "2026-01-01T00:00:00Z",
        "yes_bid_dollars": "0.0000",
        "price_ranges": [{"start": "0.0000", "end": "1.0000", "step": f"0.{CENT:04d}"}],
    }
    path = folder / "quiet.json"
    markets = [{**facts, "ticker": ticker} for ticker in TICKERS]
    path.write_bytes(msgspec.json.encode({"markets": markets}))
    return path


class Served:
    """The exchange, in its own process."""

    def __init__(self, exchange: Sandbox, key_type: KeyType, members: int) -> None:
        self._exchange = exchange
        accounts = [
            exchange.add_account(tier=None, key_type=key_type, deposit=DEPOSIT)
            for _ in range(members)
        ]
        flowing = [
            exchange.add_account(tier=None, deposit=DEPOSIT).user_id for _ in range(_FLOW_MEMBERS)
        ]
        self._flow, self._draws = Flow(flowing, TICKERS[:1]), draws(1)
        self.opened = Opened(
            port=int(exchange.base_url.split(":")[2].partition("/")[0]),
            members=[
                Member(account.api_key_id, account.private_key_pem.decode()) for account in accounts
            ],
        )

    async def answer(self, ask: Ask) -> Counters | Flowed:
        """Do what a line asks for."""
        return await self._traded(ask) if ask.commands else self._counters()

    def _counters(self) -> Counters:
        engine = self._exchange.engine
        paid, there = self._exchange.money()
        answered = self._exchange.requests.items()
        return Counters(
            statuses={status: n for (name, status), n in answered if name == "CreateOrderV2"},
            orders=sum(len(trader.orders) for trader in engine.traders.values()),
            volume=sum(market.volume for market in engine.markets.values()),
            cpu=process_time(),
            balanced=paid == there,
        )

    async def _traded(self, ask: Ask) -> Flowed:
        began, cpu = monotonic(), process_time()
        for start in range(0, ask.commands, ask.burst):
            for draw in islice(self._draws, min(ask.burst, ask.commands - start)):
                self._do(draw)
            await asyncio.sleep(0)
        sides = {
            side: {int(price.scaleb(4)): int(count.scaleb(2)) for price, count in levels}
            for side, levels in self._exchange.book(TICKERS[0]).items()
        }
        clock = self._exchange.engine.markets[TICKERS[0]].clock
        return Flowed(began, monotonic(), clock, sides["yes"], sides["no"], process_time() - cpu)

    def _do(self, draw: Draw) -> None:
        self._exchange._exchange.do(lambda engine, now: self._flow.step(engine, draw, now))


async def serve(given: argparse.Namespace) -> None:
    """Serve, answer a line with a line, end when standard input closes."""
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        path = quiet_markets(Path(folder))
        serving = Sandbox.serve(markets=0, load=[path], tier=None, state=given.state or None)
        async with serving as exchange:
            served = Served(exchange, given.key_type, given.members)
            print(msgspec.json.encode(served.opened).decode(), flush=True)
            while line := await lines.readline():
                answer = await served.answer(msgspec.json.decode(line, type=Ask))
                print(msgspec.json.encode(answer).decode(), flush=True)


def main() -> None:
    """The process of the exchange."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks._exchange_server")
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--key-type", choices=("ed25519", "rsa"), default="ed25519")
    parser.add_argument("--state", default="")
    parser.add_argument("--core", type=int, default=-1)
    given = parser.parse_args()
    keep_to([given.core])
    asyncio.run(serve(given))


if __name__ == "__main__":
    main()
