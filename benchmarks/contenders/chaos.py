"""Orders through an exchange that fails in every way, one client for all or one killed again and
again; the exchange's record is the judge.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Literal, get_args

import anyio
import msgspec

from benchmarks._chaos import (
    CERTAINTY,
    TIMEOUT,
    Chaos,
    Claim,
    Judgement,
    calm,
    judge,
    plan,
    serving,
    stock,
)
from benchmarks._process import ROOT, child_environment
from kalshi_async import KalshiClient, KalshiError, OrderStatusUnknown, RetryPolicy
from kalshi_async.models.orders import PlacedOrder
from kalshi_async.orders import OrderJournal, OrderRequest
from kalshi_async.orders._journal import Entry
from kalshi_async.orders._outcomes import Placed

from ._probe import emit

Way = Literal["create", "place_many", "singles"]
WAYS = get_args(Way)
WORKERS, LIFE_WORKERS = 64, 16
# Of a hundred orders placed one by one, so many are given up by their caller before long, and so
# many have a deadline that is soon over.
_CANCELLED, _HURRIED = 4, 4
_PATIENT = RetryPolicy(max_attempts=3, first=0.02, longest=0.1)


@dataclass
class Run:
    """What a run came to."""

    judgement: Judgement
    struck: Counter[str]
    seconds: float
    unknown: int = 0
    resolved: int = 0
    kills: int = 0
    recovered: int = 0
    endings: Counter[str] = field(default_factory=Counter)

    def figures(self) -> dict[str, float]:
        """Everything as numbers."""
        judged = self.judgement
        return {
            "orders": judged.orders,
            "there": judged.placed,
            "duplicates": len(judged.duplicates),
            "lost": len(judged.lost),
            "denied": len(judged.denied),
            "strangers": len(judged.strangers),
            "left_unknown": len(judged.unknown),
            "unknown": self.unknown,
            "resolved": self.resolved,
            "kills": self.kills,
            "recovered": self.recovered,
            "seconds": self.seconds,
            **{f"fault {kind}": count for kind, count in sorted(self.struck.items())},
            **{f"ended {ending}": count for ending, count in sorted(self.endings.items())},
        }


def client_options(seed: int) -> dict[str, object]:
    """A client that waits less long than answers are late, and may well not know in the end."""
    return {
        "limits": None,
        "timeout": TIMEOUT,
        "certainty": CERTAINTY,
        "retry": _PATIENT,
        "rng": Random(f"{seed}/jitter"),
    }


# -- one client


async def steady(seed: int, number: int, way: Way = "create") -> Run:
    """Place them all, resolve what is unknown, and be judged."""
    wanted, faults = list(plan(seed, number)), Chaos(seed)
    with tempfile.TemporaryDirectory() as folder:
        async with serving(Path(folder), faults) as exchange:
            stock(exchange)
            start = perf_counter()
            async with exchange.client(**client_options(seed)) as kalshi:
                trader = _Trader(kalshi, seed)
                if way == "create":
                    await trader.one_by_one(wanted)
                else:
                    await trader.together(wanted, batch="auto" if way == "place_many" else None)
            seconds = perf_counter() - start
            await calm(exchange)
            judgement = judge(exchange, exchange.user_id, wanted, trader.claims)
    return Run(
        judgement,
        faults.struck,
        seconds,
        unknown=trader.unknown,
        resolved=trader.resolved,
        endings=trader.endings,
    )


class _Trader:
    """Places orders and remembers what it was told of each."""

    def __init__(self, kalshi: KalshiClient, seed: int) -> None:
        self._kalshi, self._dice = kalshi, Random(f"{seed}/trader")
        self.claims: dict[str, Claim] = {}
        self.endings: Counter[str] = Counter()
        self.unknown = self.resolved = 0

    async def one_by_one(self, wanted: Sequence[OrderRequest]) -> None:
        """`WORKERS` tasks, each with an order at a time."""
        waiting = iter(wanted)

        async def work() -> None:
            for request in waiting:
                await self._place(request)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(WORKERS, len(wanted))):
                tasks.create_task(work())

    async def together(self, wanted: Sequence[OrderRequest], batch: Literal["auto"] | None) -> None:
        """All of them through `place_many`, in batches or one by one."""
        placing = self._kalshi.orders.place_many(wanted, max_in_flight=WORKERS, batch=batch)
        async with asyncio.TaskGroup() as tasks, placing as outcomes:
            async for outcome in outcomes:
                name = str(outcome.request.client_order_id)
                told = outcome.order if isinstance(outcome, Placed) else outcome.error
                if isinstance(told, OrderStatusUnknown):
                    tasks.create_task(self._resolve(name, told))
                else:
                    self._note(name, told)

    async def _place(self, request: OrderRequest) -> None:
        name, drawn = str(request.client_order_id), self._dice.randrange(100)
        soon = self._dice.uniform(0.0, TIMEOUT)
        hurried = _CANCELLED <= drawn < _CANCELLED + _HURRIED
        try:
            with anyio.move_on_after(soon if drawn < _CANCELLED else None) as scope:
                placing = self._kalshi.orders.place(
                    request, deadline=soon + 0.01 if hurried else None
                )
                self._note(name, await placing)
            if scope.cancelled_caught:  # certainly before anything was sent
                self._note(name, None)
        except OrderStatusUnknown as exc:
            await self._resolve(name, exc)
        except KalshiError as exc:
            self._note(name, exc)

    async def _resolve(self, name: str, error: OrderStatusUnknown) -> None:
        self.unknown += 1
        while name not in self.claims:
            try:
                self._note(name, await error.resolve(deadline=10.0))
            except OrderStatusUnknown as exc:
                error = exc
        self.resolved += 1

    def _note(self, name: str, told: PlacedOrder | KalshiError | None) -> None:
        if isinstance(told, PlacedOrder):
            self.claims[name] = Claim("placed", told.order_id, told.fill_count)
            ending = "found" if told.recovered else "placed"
        elif told is None:
            self.claims[name] = Claim("absent")
            ending = "absent"
        else:
            self.claims[name] = Claim("refused")
            ending = type(told).__name__
        self.endings[ending] += 1


# -- a client that is killed


async def killed(seed: int, number: int, kills: int) -> Run:
    """A client with a journal in a process of its own, killed so many times while orders are on
    their way; the next one recovers and goes on. Its journal is held against the exchange.
    """
    dice, wanted = Random(f"{seed}/kills"), list(plan(seed, number))
    # Orders that a life may get through before it ends, so that there is work for all.
    stretch = max(2, number // (kills + 1) - 2 * LIFE_WORKERS)
    lives: list[asyncio.subprocess.Process] = []
    doomed: list[int] = []

    def at_placement(count: int) -> None:
        if doomed and count >= doomed[0]:
            doomed.clear()
            lives[-1].kill()

    faults = Chaos(seed, at_placement)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        exchange = await stack.enter_async_context(serving(folder, faults))
        stock(exchange)
        journal, start = folder / "journal.db", perf_counter()
        words = [exchange.base_url, exchange.api_key_id, str(exchange.private_key_path)]
        words += [str(journal), str(seed), str(number)]
        run = Run(Judgement(number), faults.struck, 0.0)
        while True:
            way = "place_many" if run.kills % 2 else "create"
            if run.kills < kills:
                requests = stretch if way == "create" else stretch // LIFE_WORKERS
                doomed.append(faults.placements + dice.randint(1, max(1, requests)))
            life = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "benchmarks.contenders.chaos",
                "life",
                *words,
                way,
                cwd=ROOT,
                env=child_environment(),
                stdout=asyncio.subprocess.PIPE,
            )
            lives.append(life)
            printed, _ = await life.communicate()
            for line in printed.splitlines():
                told = msgspec.json.decode(line, type=dict[str, int])
                run.recovered += told["recovered"]
                run.unknown += told["unknown"]
                run.resolved += told["unknown"] - told["left"]
            if life.returncode == 0:
                break
            if life.returncode != -9:
                raise SystemExit(f"the client ended with {life.returncode}")
            run.kills += 1
        run.seconds = perf_counter() - start
        await calm(exchange)
        kept = OrderJournal(journal)
        claims = {entry.intent.client_order_id: _claim(entry) for entry in await kept.entries()}
        await kept.aclose()
        run.judgement = judge(exchange, exchange.user_id, wanted, claims)
        run.endings.update(claim.verdict for claim in claims.values())
    return run


def _claim(entry: Entry) -> Claim:
    outcome = entry.outcome
    if outcome is None or outcome.status == "unknown":
        return Claim("unknown")
    if outcome.status == "placed":
        return Claim("placed", outcome.order_id)
    return Claim("refused" if outcome.status == "rejected" else "absent")


async def life(
    base_url: str, api_key_id: str, key: str, journal: str, seed: int, number: int, way: str
) -> None:
    """One life: settle what the last one left open, then place what was never begun."""
    kept = OrderJournal(journal)
    options = client_options(seed)
    try:
        async with KalshiClient(
            base_url=base_url,
            api_key_id=api_key_id,
            private_key_path=key,
            journal=kept,
            **options,  # type: ignore[arg-type]
        ) as kalshi:
            await _recovered(kalshi)
            begun = {entry.intent.client_order_id for entry in await kept.entries()}
            rest = [each for each in plan(seed, number) if each.client_order_id not in begun]
            # What becomes of each is in the journal, or `recover` finds it out.
            if way == "place_many":
                await kalshi.orders.place_many(rest, max_in_flight=LIFE_WORKERS)
            else:
                await _one_by_one(kalshi, rest)
            await _recovered(kalshi)
    finally:
        await kept.aclose()


async def _one_by_one(kalshi: KalshiClient, rest: Sequence[OrderRequest]) -> None:
    waiting = iter(rest)

    async def work() -> None:
        for request in waiting:
            with contextlib.suppress(KalshiError):
                await kalshi.orders.place(request)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(LIFE_WORKERS):
            tasks.create_task(work())


async def _recovered(kalshi: KalshiClient) -> None:
    """Recover, and print at once what came of it: the next moment may be the last."""
    found = await kalshi.orders.recover(deadline=60.0)
    settled = len(found.placed) + len(found.absent)
    told = {"recovered": settled, "unknown": settled + len(found.unknown)}
    print(msgspec.json.encode(told | {"left": len(found.unknown)}).decode(), flush=True)


def main() -> None:
    """Command line of the contender process."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    for name in (*WAYS, "killed"):
        command = commands.add_parser(name)
        command.add_argument("--orders", type=int, default=10_000)
        command.add_argument("--seed", type=int, default=1)
        command.add_argument("--kills", type=int, default=20)
    command = commands.add_parser("life")
    for word in ("base_url", "api_key_id", "key", "journal"):
        command.add_argument(word)
    command.add_argument("seed", type=int)
    command.add_argument("number", type=int)
    command.add_argument("way")
    given = parser.parse_args()
    # What fails here is meant to.
    logging.disable(logging.ERROR)
    if given.command == "life":
        place = (given.base_url, given.api_key_id, given.key, given.journal)
        asyncio.run(life(*place, given.seed, given.number, given.way))
    elif given.command == "killed":
        emit(asyncio.run(killed(given.seed, given.orders, given.kills)).figures())
    else:
        emit(asyncio.run(steady(given.seed, given.orders, given.command)).figures())


if __name__ == "__main__":
    main()
