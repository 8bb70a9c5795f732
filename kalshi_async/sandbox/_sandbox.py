"""The embedded exchange: its life and the surface tests and tools work with."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import logging
import os
import stat
import tempfile
import time
from asyncio import to_thread
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from aiohttp import web

from ._auth import Account, Credentials, KeyType, make_key
from ._catalog import Catalog
from ._draw import default_now
from ._faults import Faults
from ._limits import Limits, tier_named
from ._operations import API_ROOT
from ._server import DROPPED, Server, http_logger
from ._text import to_micros

if TYPE_CHECKING:
    from kalshi_async import KalshiClient

logger = logging.getLogger("kalshi_async.sandbox")
MOST_MARKETS = 1_000_000
# Two thousand ids fit into one request line, as the contract allows.
_LONGEST_LINE = 1 << 18


class SandboxError(OSError):
    """The embedded exchange could not start; the message says why and what to do."""


class Sandbox:
    """A running embedded exchange. Start one with ``async with Sandbox.serve(...) as exchange``."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        seed: int,
        tier: str | None,
        faults: Faults,
        key_type: KeyType,
        clock: Callable[[], float],
        timer: Callable[[], float],
    ) -> None:
        self._seed, self._tier, self._timer = seed, tier, timer
        self._server = Server(
            catalog, tier=tier_named(tier), clock=clock, timer=timer, faults=faults
        )
        self._names = Random(f"accounts/{seed}")  # noqa: S311 - reproducible, not secret
        self._credentials = self.add_account(tier=tier, key_type=key_type)
        self._key_path: Path | None = None
        self._runner: web.AppRunner | None = None
        self._address = ""

    @classmethod
    def serve(
        cls,
        *,
        seed: int = 7,
        markets: int = 2_000,
        load: Iterable[str | Path] = (),
        port: int = 0,
        host: str = "127.0.0.1",
        tier: str | None = "basic",
        faults: Faults | None = None,
        now: datetime | None = None,
        key_type: KeyType = "ed25519",
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
    ) -> Serving:
        """An embedded exchange for ``async with``, in the running event loop.

        `markets` is the number generated from `seed` (0 to 1,000,000), `load` names files and
        folders of recorded ones. `now` is the instant the catalog is looked at (default: one
        derived from the seed); signatures and the Date header follow `clock`, token buckets
        follow `timer`. `tier` None switches the rate limits off. `port` 0 picks a free one.

        Raises ValueError for bad options, LoadError for files that cannot be loaded,
        SandboxError for an address that cannot be bound; the last two when entering. Cancelling
        while it starts leaves nothing behind.
        """
        if not 0 <= markets <= MOST_MARKETS:
            raise ValueError(f"markets={markets} must be between 0 and {MOST_MARKETS:,}")
        if not 0 <= port <= 65_535:
            raise ValueError(f"port={port} must be between 0 (any free one) and 65535")
        tier_named(tier)
        paths = (load,) if isinstance(load, str | Path) else tuple(load)
        instant = default_now(seed) if now is None else to_micros(now)

        def build() -> Sandbox:
            catalog = Catalog(seed=seed, markets=markets, now=instant, paths=paths)
            return cls(
                catalog=catalog,
                seed=seed,
                tier=tier,
                faults=faults or Faults(seed=seed),
                key_type=key_type,
                clock=clock,
                timer=timer,
            )

        return Serving(build, host, port)

    # What clients connect with

    @property
    def base_url(self) -> str:
        """The REST root, such as ``http://127.0.0.1:43127/trade-api/v2``."""
        return f"http://{self._address}{API_ROOT}"

    @property
    def ws_url(self) -> str:
        """The address of the WebSocket."""
        return f"ws://{self._address}/trade-api/ws/v2"

    @property
    def api_key_id(self) -> str:
        """The key id of the first account; the same for the same seed."""
        return self._credentials.api_key_id

    @property
    def private_key_pem(self) -> bytes:
        """The private key of the first account, made at the start."""
        return self._credentials.private_key_pem

    @property
    def private_key_path(self) -> Path:
        """The same key in a file only its owner can read; written when asked for, removed at the
        end.
        """
        if self._key_path is None:
            handle, name = tempfile.mkstemp(prefix="kalshi-sandbox-", suffix=".pem")
            self._key_path = Path(name)
            with os.fdopen(handle, "wb") as file:
                file.write(self.private_key_pem)
            self._key_path.chmod(stat.S_IRUSR | stat.S_IWUSR)
        return self._key_path

    def client(self, **options: object) -> KalshiClient:
        """A client of this exchange with the key of its first account; `options` go to
        `KalshiClient`.
        """
        from kalshi_async import KalshiClient

        chosen: dict[str, object] = {
            "environment": "sandbox",
            "base_url": self.base_url,
            "ws_url": self.ws_url,
            "api_key_id": self.api_key_id,
            "private_key": self.private_key_pem,
        }
        return KalshiClient(**cast("dict[str, Any]", chosen | options))

    def add_account(
        self, *, tier: str | None = "same", key_type: KeyType = "ed25519"
    ) -> Credentials:
        """A further account with buckets of its own; tier "same" is the tier of the exchange.

        Raises ValueError for an unknown tier or key type.
        """
        named = self._tier if tier == "same" else tier
        key_id = str(UUID(int=self._names.getrandbits(128), version=4))
        credentials, public_key = make_key(key_id, key_type)
        limits = Limits(tier_named(named), self._timer)
        self._server.accounts[key_id] = Account(credentials, public_key, limits)
        return credentials

    # What tests look at and turn

    @property
    def catalog(self) -> Catalog:
        """What is listed."""
        return self._server.catalog

    @property
    def faults(self) -> Faults:
        """What goes wrong; assign another to change it while running."""
        return self._server.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._server.faults = faults

    @property
    def clock_skew(self) -> float:
        """Seconds the clock of the exchange is ahead of the wall clock; assignable."""
        return self._server.clock_skew

    @clock_skew.setter
    def clock_skew(self, seconds: float) -> None:
        self._server.clock_skew = seconds

    @property
    def requests(self) -> Counter[tuple[str, int]]:
        """How often each (operation, status) was answered; status 0 is a connection
        closed without an answer.
        """
        return self._server.requests

    def __repr__(self) -> str:
        answered = self.requests.total() - sum(
            count for (_, status), count in self.requests.items() if status == DROPPED
        )
        state = self.base_url if self._address else "not serving"
        return (
            f"<Sandbox {state}: {len(self.catalog):,} markets, seed {self._seed}, "
            f"tier {self._tier or 'unlimited'}, {len(self._server.accounts)} accounts, "
            f"{answered} requests answered>"
        )

    # Its life

    async def _start(self, host: str, port: int) -> None:
        if not _is_loopback(host):
            logger.warning("the sandbox listens on %s: other machines can reach it", host)
        runner = web.AppRunner(
            self._server.application(),
            access_log=None,
            logger=http_logger,
            handle_signals=False,
            shutdown_timeout=0.1,
            max_line_size=_LONGEST_LINE,
        )
        await runner.setup()
        self._runner = runner
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await self._stop()
            raise SandboxError(_cannot_bind(host, port, error)) from error
        name, bound = runner.addresses[0][:2]
        # An address that stands for every interface is one to listen on, not one to connect to.
        name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)  # noqa: S104
        self._address = f"[{name}]:{bound}" if ":" in name else f"{name}:{bound}"

    async def _stop(self) -> None:
        if self._key_path is not None:
            with contextlib.suppress(FileNotFoundError):
                self._key_path.unlink()
            self._key_path = None
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()


class Serving:
    """The async context manager of `Sandbox.serve`."""

    def __init__(self, build: Callable[[], Sandbox], host: str, port: int) -> None:
        self._build, self._host, self._port = build, host, port
        self._sandbox: Sandbox | None = None

    async def __aenter__(self) -> Sandbox:
        # A million markets take seconds to draw: the caller's loop goes on meanwhile.
        sandbox = await to_thread(self._build)
        try:
            await sandbox._start(self._host, self._port)
        except BaseException:
            await sandbox._stop()
            raise
        self._sandbox = sandbox
        return sandbox

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._sandbox is not None:
            await self._sandbox._stop()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _cannot_bind(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken: choose another, or port 0 for any free one"
    if error.errno == errno.EACCES:
        return (
            f"port {port} on {host} needs more rights: choose one above 1023, or 0 for any free one"
        )
    return f"cannot listen on {host} port {port}: {error.strerror or error}"
