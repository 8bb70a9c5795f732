"""The embedded exchange: its life and the surface tests and tools work with."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import tempfile
import time
from asyncio import Task, create_task, sleep, wait
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from aiohttp import web

from ._activity import Activity, activity_of
from ._auth import Credentials, KeyType
from ._catalog.catalog import Catalog
from ._combos import Combos
from ._control import Control, money
from ._exchange import Exchange
from ._faults import Faults
from ._fcm import FcmMembers
from ._handlers.keys import Grants, KeyRing
from ._handlers.subaccounts import Allocations, Netting
from ._limits import tier_named
from ._listener import cannot_bind, is_loopback
from ._members import SCOPES, Members
from ._operations import API_ROOT
from ._options import Options, instant_of, recorder_of
from ._recorder import Recorder
from ._rekko.desk import RekkoDesk, seconds_of
from ._rfq.block_trades import BlockRoom
from ._rfq.communications import Communications
from ._server import DROPPED, SEED, Server, http_logger
from ._serving import Serving

if TYPE_CHECKING:
    from kalshi_async import KalshiClient
    from kalshi_async.rekko import RekkoClient

logger = logging.getLogger("kalshi_async.sandbox")
MOST_MARKETS = 1_000_000
# Two thousand ids fit into one request line, as the contract allows.
_LONGEST_LINE = 1 << 18
_OWNER_ONLY = stat.S_IRUSR | stat.S_IWUSR
# Seconds between two looks at what is due.
_TICK = 0.02


class SandboxError(OSError):
    """The embedded exchange could not start, or something in it failed while it ran; the message
    says why and what to do.
    """


class Sandbox(Control):
    """A running embedded exchange. Start one with ``async with Sandbox.serve(...) as exchange``."""

    def __init__(self, catalog: Catalog, options: Options, recorder: Recorder | None) -> None:
        self._options = options
        self._exchange = Exchange(
            catalog,
            seed=options.seed,
            clock=options.clock,
            recorder=recorder,
            activity=options.activity,
        )
        self._desk = RekkoDesk(
            self._exchange, timer=options.timer, seconds=options.analysis_seconds
        )
        self._server = Server(
            self._exchange,
            desk=self._desk,
            tier=tier_named(options.tier),
            timer=options.timer,
            faults=options.faults,
            dialect=options.dialect,
        )
        self._members = Members(self._exchange, timer=options.timer)
        # What clients did before a restart holds from the start, and is read before the clock runs.
        for room in (
            Allocations,
            BlockRoom,
            Combos,
            Communications,
            FcmMembers,
            Grants,
            KeyRing,
            Netting,
        ):
            self._exchange.room(room)
        self._credentials = self.add_account(tier=options.tier, key_type=options.key_type)
        self._key_path: Path | None = None
        self._runner: web.AppRunner | None = None
        self._clockwork: Task[None] | None = None
        self._clock_error: Exception | None = None
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
        now: datetime | Literal["today"] | None = None,
        key_type: KeyType = "ed25519",
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
        deposit: Decimal | str = "10000.00",
        dialect: str | None = None,
        activity: bool | Activity = False,
        speed: float = 1.0,
        state: str | Path | None = None,
        analysis_seconds: float | tuple[float, float] = (1.0, 1.7),
    ) -> Serving:
        """An embedded exchange for ``async with``, in the running event loop.

        `markets` is the number generated from `seed` (0 to 1,000,000), `load` names files and
        folders of recorded ones. `now` is the instant the catalog is looked at: by default one
        derived from the seed, always the same; "today" makes the dates of markets agree with
        `clock`, which signatures, the Date header and everything that trades follow. Token buckets
        follow `timer`; `tier` None switches the rate limits off. `port` 0 picks a free one. Each
        account starts with `deposit` dollars.

        `dialect` "seed" speaks the API of early 2026 beside today's. `activity` lets seeded market
        makers and takers trade, `speed` times as fast as they would. `state` names a file that
        keeps the exchange: what was acknowledged is there after the next start with the same seed,
        markets and load. Accounts keep their money and keys, `deposit` and `key_type` are for new
        ones; their tier is the one of the present start.

        The intelligence API's stand-in takes `analysis_seconds` of `timer` for an analysis, or
        between two numbers of them; the real one takes 30 to 90.

        Raises ValueError for bad options, LoadError for files that cannot be loaded, StateError for
        a state file that cannot be used, SandboxError for an address that cannot be bound; the last
        three when entering. Cancelling while it starts takes effect once it has started, and
        leaves nothing behind; leaving is never cut short. SandboxError when leaving: something that
        was due while it ran failed.
        """
        if not 0 <= markets <= MOST_MARKETS:
            raise ValueError(f"markets={markets} must be between 0 and {MOST_MARKETS:,}")
        if not 0 <= port <= 65_535:
            raise ValueError(f"port={port} must be between 0 (any free one) and 65535")
        if dialect not in (None, SEED):
            raise ValueError(f"unknown dialect {dialect!r}: choose {SEED!r} or None")
        tier_named(tier)
        paths = (load,) if isinstance(load, str | Path) else tuple(load)
        kept = None if state is None else Path(state)
        instant = instant_of(now, seed, clock, kept)
        options = Options(
            seed=seed,
            markets=markets,
            paths=tuple(Path(path) for path in paths),
            now=instant,
            tier=tier,
            faults=faults or Faults(seed=seed),
            key_type=key_type,
            clock=clock,
            timer=timer,
            deposit=_deposit(deposit),
            dialect=dialect,
            activity=activity_of(activity, speed),
            state=kept,
            analysis_seconds=seconds_of(analysis_seconds),
        )

        def build() -> Sandbox:
            catalog = Catalog(seed=seed, markets=markets, now=instant, paths=paths)
            with contextlib.ExitStack() as undo:
                recorder = recorder_of(catalog, options)
                if recorder is not None:
                    undo.callback(recorder.close)
                sandbox = cls(catalog, options, recorder)
                undo.pop_all()
            return sandbox

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
        """The same key in a file only its owner can read; written when asked for. It lies beside
        the state file and stays; without one it is removed at the end.
        """
        if self._key_path is None:
            if self._options.state is None:
                handle, name = tempfile.mkstemp(prefix="kalshi-sandbox-", suffix=".pem")
            else:
                name = f"{self._options.state.absolute()}.pem"
                Path(name).unlink(missing_ok=True)
                handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
            self._key_path = Path(name)
            with os.fdopen(handle, "wb") as file:
                file.write(self.private_key_pem)
            self._key_path.chmod(_OWNER_ONLY)
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

    @property
    def rekko_url(self) -> str:
        """The root of the intelligence API's stand-in, such as ``http://127.0.0.1:43127``."""
        return f"http://{self._address}"

    @property
    def rekko_api_key(self) -> str:
        """The key of the stand-in; the same for the same seed."""
        return self._desk.api_key

    @property
    def rekko_desk(self) -> RekkoDesk:
        """The stand-in itself: its plan and quota, runs that hang or fail, its webhooks."""
        return self._desk

    def rekko(self, **options: object) -> RekkoClient:
        """A client of the intelligence API's stand-in; `options` go to `RekkoClient`."""
        from kalshi_async.rekko import RekkoClient

        chosen: dict[str, object] = {"api_key": self.rekko_api_key, "base_url": self.rekko_url}
        return RekkoClient(**cast("dict[str, Any]", chosen | options))

    @property
    def user_id(self) -> str:
        """The user id of the first account."""
        return self._credentials.user_id

    def add_account(
        self,
        *,
        tier: str | None = "same",
        key_type: KeyType = "ed25519",
        deposit: Decimal | str | None = None,
        scopes: tuple[str, ...] = SCOPES,
    ) -> Credentials:
        """A further account with buckets and money of its own; tier "same" is the tier of the
        exchange, `deposit` None what every account starts with.

        Raises ValueError for an unknown tier or key type, or a deposit that is not dollars.
        """
        amount = self._options.deposit if deposit is None else _deposit(deposit)
        named = self._options.tier if tier == "same" else tier
        return self._members.open(tier=named, key_type=key_type, amount=amount, scopes=scopes)

    def add_fcm_member(self, user_id: str) -> None:
        """Make an account a futures commission merchant, with subtraders of its own.

        Raises ValueError for an unknown account.
        """
        if user_id not in self._exchange.directory.accounts:
            raise ValueError(f"there is no account {user_id!r}: take Credentials.user_id")
        self._exchange.room(FcmMembers).add(user_id)

    # What tests look at and turn

    @property
    def catalog(self) -> Catalog:
        """What is listed."""
        return self._exchange.catalog

    @property
    def faults(self) -> Faults:
        """What goes wrong; assign another to change it while running."""
        return self._server.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._server.follow(faults)

    def refuse_connections(self) -> AbstractAsyncContextManager[None]:
        """Refuse new connections inside ``async with``; idle ones end, WebSockets go on."""
        return self._server.listener.refused()

    @property
    def clock_skew(self) -> float:
        """Seconds the clock of the exchange is ahead of the wall clock; assignable."""
        return self._exchange.skew

    @clock_skew.setter
    def clock_skew(self, seconds: float) -> None:
        self._exchange.skew = seconds

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
            f"<Sandbox {state}: {len(self.catalog):,} markets, seed {self._options.seed}, "
            f"tier {self._options.tier or 'unlimited'}, "
            f"{len(self._exchange.directory.accounts)} accounts, "
            f"{answered} requests answered>"
        )

    # Its life

    async def _start(self, host: str, port: int) -> None:
        if not is_loopback(host):
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
            await self._server.listener.start(runner, host, port)
        except OSError as error:
            await self._stop()
            raise SandboxError(cannot_bind(host, port, error)) from error
        self._clockwork = create_task(self._run_clock())
        await self._exchange.durable()
        name, bound = self._server.listener.address
        # An address that stands for every interface is one to listen on, not one to connect to.
        name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)  # noqa: S104
        self._address = f"[{name}]:{bound}" if ":" in name else f"{name}:{bound}"

    async def _run_clock(self) -> None:
        """What is due happens when it is due, not when somebody next asks."""
        failing = False
        while True:
            await sleep(_TICK)
            try:
                self._exchange.tick()
                self._exchange.room(Allocations).sweep(self._exchange.now())
                self._server.rekko.tick()
                failing = False
            except Exception as error:
                # What fails once mostly fails at every tick: one report of it is enough.
                if not failing:
                    logger.exception("the clock of the exchange failed")
                failing = True
                self._clock_error = self._clock_error or error

    def _check_clock(self) -> None:
        """Raise SandboxError when something that was due failed while the exchange ran."""
        if self._clock_error is not None:
            raise SandboxError(
                f"something that was due in the exchange failed ({self._clock_error!r}): what came "
                "after it cannot be relied on; please report it with the log"
            ) from self._clock_error

    async def _stop(self) -> None:
        """End everything, each part whatever became of the others. A second call does nothing."""
        async with contextlib.AsyncExitStack() as parts:
            parts.callback(self._exchange.end)
            if self._runner is not None:
                runner, self._runner = self._runner, None
                parts.push_async_callback(runner.cleanup)
            parts.callback(self._forget_key)
            parts.push_async_callback(self._server.stop)
            if self._clockwork is not None:
                clockwork, self._clockwork = self._clockwork, None
                clockwork.cancel()
                await wait([clockwork])

    def _forget_key(self) -> None:
        if self._key_path is not None and self._options.state is None:
            self._key_path.unlink(missing_ok=True)
        self._key_path = None


def _deposit(dollars: Decimal | str) -> int:
    amount = money(dollars, "deposit")
    if amount < 0:
        raise ValueError(f"deposit={dollars!r} must not be negative")
    return amount
