"""Intents, outcomes, and programs that use a journal in a process of their own."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import anyio
import pytest

import kalshi_async
from kalshi_async.orders._journal import Intent, OrderJournal, Outcome, Status

T = TypeVar("T")
ROOT = Path(kalshi_async.__file__).parents[1]
EXCHANGE = "https://demo-api.kalshi.co/trade-api/v2"

both_backends = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def intent(
    client_order_id: str,
    body: bytes = b'{"count":"10.00"}',
    *,
    exchange: str = EXCHANGE,
    key: str = "key-1",
    created: float = 1000.0,
) -> Intent:
    return Intent(client_order_id, "KXFED-26MAR19", body, exchange, key, created)


def outcome(
    client_order_id: str,
    status: Status = "placed",
    *,
    order_id: str | None = "order-1",
    detail: str = "",
    at: float = 2000.0,
) -> Outcome:
    return Outcome(client_order_id, status, order_id, detail, at)


def run(backend: str, main: Callable[[], Awaitable[T]]) -> T:
    return anyio.run(main, backend=backend)


def ids(intents: list[Intent]) -> list[str]:
    return [intent.client_order_id for intent in intents]


@asynccontextmanager
async def held(journal: OrderJournal) -> AsyncIterator[None]:
    """The journal's thread does nothing during the block: all that is given is one batch."""
    reached, go = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        reached.set()
        go.wait()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(journal._writer.ask, hold)
        await anyio.to_thread.run_sync(reached.wait)
        try:
            yield
        finally:
            go.set()


def program(code: str, *arguments: object, stdin: int | None = None) -> subprocess.Popen[str]:
    """A Python program that has the test's modules."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(code: str, *arguments: object) -> list[str]:
    """What a program printed; it must end well, and say nothing on stderr."""
    with program(code, *arguments) as child:
        out, err = child.communicate(timeout=60)
    if child.returncode or err:
        pytest.fail(f"the program ended with {child.returncode}: {err}")
    return out.splitlines()
