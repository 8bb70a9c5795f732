"""Which exchange a command talks to."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from .. import ConfigurationError, KalshiClient

if TYPE_CHECKING:
    from ..sandbox import Sandbox

T = TypeVar("T")

EMBEDDED = "embedded"
EMBEDDED_TIER = "premier"
DEFAULT_MARKETS = 20_000


@dataclass(frozen=True, slots=True)
class Target:
    """The exchange of a command.

    Attributes:
        env: ``"embedded"``, or an environment by name.
        load: Files and folders of recorded markets, for the embedded exchange.
        markets: How many markets the embedded exchange makes up; None: 20,000, or none beside
            recorded ones.
        seed: What they are made from.
    """

    env: str = EMBEDDED
    load: tuple[Path, ...] = ()
    markets: int | None = None
    seed: int = 7

    @property
    def generated(self) -> int:
        if self.markets is not None:
            return self.markets
        return 0 if self.load else DEFAULT_MARKETS


def make_target(
    env: str | None,
    load: list[Path] | None = None,
    markets: int | None = None,
    seed: int = 7,
) -> Target:
    """The exchange that options and environment name; an embedded one when they name none.

    Raises:
        ConfigurationError: Options of the embedded exchange together with another one.
    """
    named = env or os.environ.get("KALSHI_ENV", "").strip() or None
    if named is None and os.environ.get("KALSHI_BASE_URL", "").strip():
        named = "sandbox"
    if load or markets is not None:
        if env not in (None, EMBEDDED):
            raise ConfigurationError(
                f"--load and --markets fill the embedded exchange; leave them out with --env {env}"
            )
        named = EMBEDDED
    return Target(named or EMBEDDED, tuple(load or ()), markets, seed)


@asynccontextmanager
async def connected(target: Target) -> AsyncIterator[tuple[KalshiClient, Sandbox | None]]:
    """A client of the target; the embedded exchange lives as long as the block."""
    if target.env != EMBEDDED:
        async with KalshiClient.from_env(environment=target.env) as kalshi:
            yield kalshi, None
        return
    from ..sandbox import Sandbox

    serving = Sandbox.serve(
        seed=target.seed, markets=target.generated, load=target.load, tier=EMBEDDED_TIER
    )
    async with serving as exchange, exchange.client(limits="account") as kalshi:
        yield kalshi, exchange


def run_async(main: Callable[[], Coroutine[Any, Any, T]] | Callable[[], Awaitable[T]]) -> T:
    """Run a command's coroutine, on uvloop where it is installed."""
    try:
        import uvloop  # noqa: F401
    except ImportError:
        return anyio.run(main)
    return anyio.run(main, backend_options={"use_uvloop": True})
