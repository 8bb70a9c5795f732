"""Running the embedded exchange until a signal ends it, for command lines."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

from ._auth import KeyType
from ._faults import Faults
from ._sandbox import Sandbox


async def run(
    *,
    port: int = 0,
    seed: int = 7,
    markets: int = 2_000,
    load: Iterable[str | Path] = (),
    tier: str | None = "basic",
    faults: Faults | None = None,
    host: str = "127.0.0.1",
    key_type: KeyType = "ed25519",
    deposit: Decimal | str = "10000.00",
    dialect: str | None = None,
    activity: bool = False,
    speed: float = 1.0,
    state: str | Path | None = None,
    now: datetime | Literal["today"] | None = None,
    announce: Callable[[str], None] = print,
) -> None:
    """Serve until SIGTERM or SIGINT, then return; `announce` gets one NAME=value a line once ready.

    The options are those of `Sandbox.serve`, and so is what it raises. Cancelling stops the
    exchange as a signal does.
    """
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    handled: list[signal.Signals] = []
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                loop.add_signal_handler(number, ended.set)
            except NotImplementedError:
                # Windows loops have no signal handlers: there Ctrl-C cancels the caller instead.
                continue
            handled.append(number)
        serving = Sandbox.serve(
            port=port,
            seed=seed,
            markets=markets,
            load=load,
            tier=tier,
            faults=faults,
            host=host,
            key_type=key_type,
            deposit=deposit,
            dialect=dialect,
            activity=activity,
            speed=speed,
            state=state,
            now=now,
        )
        async with serving as exchange:
            for line in environment(exchange):
                announce(line)
            await ended.wait()
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


def environment(exchange: Sandbox) -> list[str]:
    """The settings a client of this exchange reads from its environment, one NAME=value a line."""
    return [
        "KALSHI_ENV=sandbox",
        f"KALSHI_BASE_URL={exchange.base_url}",
        f"KALSHI_WS_URL={exchange.ws_url}",
        f"KALSHI_API_KEY_ID={exchange.api_key_id}",
        f"KALSHI_PRIVATE_KEY_PATH={exchange.private_key_path}",
        f"REKKO_API_URL={exchange.rekko_url}",
        f"REKKO_API_KEY={exchange.rekko_api_key}",
    ]
