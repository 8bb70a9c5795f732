"""The client: wires the parts together."""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal, Self, TypedDict, Unpack

import anyio

from ._auth import Passphrase, Signer
from ._config import (
    SETTINGS,
    Environment,
    config_from_env,
    is_loopback_url,
    make_config,
)
from ._hooks import Hook, Telemetry
from ._http import HTTPAdapter, HttpChoice, make_adapter
from ._life import ClientLife
from ._limits import Limits, adopt_account_limits
from ._operations import Priority
from ._options import INHERIT, Defaults, Inherit
from ._ratelimit import Limiter, RateLimits
from ._raw import billed_items, raw_operation
from ._retry import RetryPolicy
from ._setup import (
    DEFAULT_TIMEOUT,
    check_options,
    checked_hooks,
    initial_limits,
    list_timeout,
    opened_journal,
)
from ._transport import Transport
from ._version import __version__
from ._wire import QueryValue, RequestBuilder, Response
from .orders import Certainty, OrderJournal, Orders
from .orders._desk import Desk
from .orders._finder import Finder
from .orders._lists import OrderLists
from .resources._base import CallOptions
from .resources.account import Account
from .resources.api_keys import ApiKeys
from .resources.collections import Collections
from .resources.communications import Communications
from .resources.events import Events
from .resources.exchange import Exchange
from .resources.fcm import Fcm
from .resources.historical import Historical
from .resources.incentives import Incentives
from .resources.live_data import LiveData
from .resources.markets import Markets
from .resources.milestones import Milestones
from .resources.order_groups import OrderGroups
from .resources.portfolio import Portfolio
from .resources.search import Search
from .resources.series import SeriesResource
from .resources.structured_targets import StructuredTargets
from .resources.subaccounts import Subaccounts

if TYPE_CHECKING:
    import os

    import httpx

    from ._auth import PrivateKey
    from .stream import Reconnect, Stream

DEFAULT_MAX_IN_FLIGHT = 64
DEFAULT_CERTAINTY = Certainty()
_USER_AGENT = f"kalshi-async/{__version__}"


class ClientOptions(TypedDict, total=False):
    """What ``KalshiClient`` takes; see there."""

    environment: str | Environment | None
    api_key_id: str | None
    private_key_path: str | os.PathLike[str] | None
    private_key: str | bytes | PrivateKey | None
    private_key_passphrase: Passphrase | None
    base_url: str | None
    ws_url: str | None
    limits: RateLimits | Literal["account"] | Inherit | None
    timeout: float | None
    deadline: float | None
    http: HttpChoice | HTTPAdapter | httpx.AsyncClient
    hooks: Iterable[Hook]
    journal: str | os.PathLike[str] | OrderJournal | None
    retry: RetryPolicy | Inherit | None
    certainty: Certainty
    max_in_flight: int
    wall_clock: Callable[[], float]
    rng: random.Random | None


class KalshiClient(ClientLife):
    """An async client for Kalshi.

    One client serves all tasks of a process: they share its connections and its rate limit. Use it
    as ``async with KalshiClient(...) as kalshi`` or call ``aclose()`` at the end.

    Without credentials it makes public calls only. All settings are checked here; nothing is sent
    before the first call.

    Args:
        environment: ``"production"`` (the default), ``"demo"`` or ``"sandbox"``.
        api_key_id: Id of the API key.
        private_key_path: PEM file of its private key (RSA or Ed25519).
        private_key: The private key itself: PEM text, PEM bytes, or a key object.
        private_key_passphrase: For an encrypted PEM: text, bytes, or a callable that returns it.
        base_url: REST base URL instead of the environment's own. Naming a host here is what
            allows requests to be signed for it.
        ws_url: WebSocket URL instead of the environment's own.
        limits: What may be spent. Left out: 10 requests/s. ``"account"``: the account's own limits
            and the live costs, read at the first call. A ``RateLimits``: those. None: no limiter.
        timeout: Seconds for one attempt; None waits for ever.
        deadline: Seconds for a whole call, all waiting and retries included; None waits.
        http: ``"auto"`` (aiohttp where it is installed, else httpx), ``"httpx"``, ``"aiohttp"``,
            an ``httpx.AsyncClient`` of your own (which is not closed), or an ``HTTPAdapter``.
        hooks: Called with every event; see ``kalshi_async.Hook``.
        journal: A file in which every order is written down before it is sent, so that
            ``orders.recover()`` can settle it after a crash: its path, or an ``OrderJournal`` of
            your own (which is not closed). It serves one client at a time.
        retry: How often and how patiently to try again; None never does.
        certainty: How long to look for an order whose answer was lost; see ``Certainty``.
        max_in_flight: How many requests may be under way at once; more wait their turn.
        wall_clock: Seconds since the epoch, for timestamps of signatures.
        rng: Draws the jitter of back-offs.

    Raises:
        ConfigurationError: A setting is wrong; the message says which and what to do.
    """

    def __init__(
        self,
        environment: str | Environment | None = None,
        *,
        api_key_id: str | None = None,
        private_key_path: str | os.PathLike[str] | None = None,
        private_key: str | bytes | PrivateKey | None = None,
        private_key_passphrase: Passphrase | None = None,
        base_url: str | None = None,
        ws_url: str | None = None,
        limits: RateLimits | Literal["account"] | Inherit | None = INHERIT,
        timeout: float | None = DEFAULT_TIMEOUT,
        deadline: float | None = None,
        http: HttpChoice | HTTPAdapter | httpx.AsyncClient = "auto",
        hooks: Iterable[Hook] = (),
        journal: str | os.PathLike[str] | OrderJournal | None = None,
        retry: RetryPolicy | Inherit | None = INHERIT,
        certainty: Certainty = DEFAULT_CERTAINTY,
        max_in_flight: int = DEFAULT_MAX_IN_FLIGHT,
        wall_clock: Callable[[], float] = time.time,
        rng: random.Random | None = None,
    ) -> None:
        config = make_config(
            environment=environment,
            api_key_id=api_key_id,
            private_key_path=private_key_path,
            private_key=private_key,
            private_key_passphrase=private_key_passphrase,
            base_url=base_url,
            ws_url=ws_url,
        )
        check_options(timeout, deadline, http, max_in_flight)
        credentials = config.credentials
        signer = None
        if credentials is not None:
            signer = Signer(credentials.api_key_id, credentials.private_key, wall_clock)
        self._config = config
        self._owner = True
        self._signer, self._rng = signer, rng or random.Random()  # noqa: S311 - jitter, not cryptography
        self._limiter = Limiter(initial_limits(limits, signer is not None))
        self._telemetry = Telemetry(checked_hooks(hooks))
        self._transport = Transport(
            builder=RequestBuilder(config.base_url, _USER_AGENT),
            http=lambda: make_adapter(http, max_in_flight, direct=is_loopback_url(config.base_url)),
            limiter=self._limiter,
            signer=signer,
            defaults=Defaults(
                timeout, deadline, RetryPolicy() if isinstance(retry, Inherit) else retry
            ),
            telemetry=self._telemetry,
            rng=self._rng,
            max_in_flight=max_in_flight,
            prepare=adopt_account_limits(self._limiter) if limits == "account" else None,
        )
        opened, self._own_journal = opened_journal(journal)
        self._desk = Desk(
            finder=Finder(
                OrderLists(self._transport.view(deadline=None, timeout=list_timeout(timeout))),
                certainty,
                lambda: 0.0 if signer is None else signer.offset,
            ),
            journal=opened,
            exchange=config.base_url,
            api_key_id=credentials.api_key_id if credentials is not None else "",
            wall_clock=wall_clock,
        )
        self._bind()

    @classmethod
    def from_env(
        cls, *, env: Mapping[str, str] | None = None, **options: Unpack[ClientOptions]
    ) -> Self:
        """A client from ``KALSHI_*`` environment variables; options given here win.

        ``KALSHI_ENV`` (``production`` when unset), ``KALSHI_API_KEY_ID``,
        ``KALSHI_PRIVATE_KEY_PATH`` or ``KALSHI_PRIVATE_KEY``, ``KALSHI_PRIVATE_KEY_PASSPHRASE``,
        ``KALSHI_BASE_URL``, ``KALSHI_WS_URL``. A host that only the environment names must be
        Kalshi's or loopback before anything is signed for it.

        Args:
            env: Where to look instead of ``os.environ``.
            options: Whatever the constructor takes.

        Raises:
            ConfigurationError: A misspelt variable or value, half a credential, a key that cannot
                be read; the message says which and what to do.
        """
        settings = {name: options.pop(name, None) for name in SETTINGS}  # type: ignore[misc]
        config = config_from_env(env, settings)
        known: ClientOptions = {
            "environment": config.environment,
            "base_url": config.base_url,
            "ws_url": config.ws_url,
        }
        if config.credentials is not None:
            known["api_key_id"] = config.credentials.api_key_id
            known["private_key"] = config.credentials.private_key
        return cls(**known, **options)  # type: ignore[misc]

    def _bind(self) -> None:
        """Give every resource this client's transport."""
        transport = self._transport
        self.limits = Limits(transport, self._limiter)
        self.account = Account(transport)
        self.api_keys = ApiKeys(transport)
        self.collections = Collections(transport)
        self.communications = Communications(transport)
        self.events = Events(transport)
        self.exchange = Exchange(transport)
        self.fcm = Fcm(transport)
        self.historical = Historical(transport)
        self.incentives = Incentives(transport)
        self.live_data = LiveData(transport)
        self.markets = Markets(transport)
        self.milestones = Milestones(transport)
        self.order_groups = OrderGroups(transport)
        self.orders = Orders(transport, self._desk)
        self.portfolio = Portfolio(transport)
        self.search = Search(transport)
        self.series = SeriesResource(transport)
        self.structured_targets = StructuredTargets(transport)
        self.subaccounts = Subaccounts(transport)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, QueryValue] | None = None,
        json: object = None,
        **options: Unpack[CallOptions],
    ) -> Response:
        """Any request, signed, paced and retried like every other; the answer as it came.

        For operations that this version does not offer. One that it knows is paced by its own
        cost; any other is taken to cost 10 tokens. What is not a GET is sent again only where it
        certainly was not carried out; ``error.outcome_unknown`` says when that is not known. For
        orders use ``orders.create``, which settles that too.

        Args:
            method: ``"GET"``, ``"POST"``, ``"PUT"``, ``"DELETE"`` or ``"PATCH"``.
            path: Below ``/trade-api/v2`` (``"/portfolio/balance"``), or with it; percent-encoded.
            params: Query parameters; None values are left out, lists repeat their name.
            json: The body: anything msgspec encodes; Decimals become text.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Returns:
            Status, headers and body; ``response.json()`` decodes it.

        Raises:
            InvalidRequestError: No such verb, or no path; nothing was sent.
            APIError: The exchange answered with an error.
            KalshiError: Anything else.

        Cancelling is safe; a write that was sent may still be carried out.
        """
        operation = raw_operation(method, path)
        items = billed_items(operation, json)
        return await self._transport.call(
            operation, query=params, body=json, items=items, **options
        )

    def stream(
        self,
        *,
        heartbeat: float = 10.0,
        patience: float = 10.0,
        verify: float | None = 30.0,
        reconnect: Reconnect | None = None,
        max_queue: int = 10_000,
        max_markets: int = 10_000,
        connect_deadline: float | None = 30.0,
    ) -> Stream:
        """Live data over the exchange's WebSocket; see ``Stream``. Needs a key and asyncio.

        Args:
            heartbeat: Seconds: after so long a ping is sent, which must be answered within as
                long. A consumer for whom reading stands still for 0.8 of it is too slow.
            patience: Seconds after which a command that was not answered makes for a new
                connection, and a snapshot that did not come is asked for again.
            verify: Seconds of silence after which a snapshot is asked for, to see that no change
                of a book was lost; None never does.
            reconnect: How patiently a lost connection is made again; without end by default.
            max_queue: How many messages wait for each consumer at most.
            max_markets: How many markets one connection carries; more make another connection.
            connect_deadline: Seconds until the first connection must stand; None waits.

        Raises:
            ConfigurationError: The client has no key, or an option is out of range.
        """
        from .stream._open import make_stream

        return make_stream(
            self,
            self._config,
            self._signer,
            self._transport.telemetry,
            self._rng,
            user_agent=_USER_AGENT,
            timeout=self._transport.timeout,
            heartbeat=heartbeat,
            patience=patience,
            verify=verify,
            reconnect=reconnect,
            max_queue=max_queue,
            max_markets=max_markets,
            connect_deadline=connect_deadline,
        )

    def with_options(
        self,
        *,
        timeout: float | Inherit | None = INHERIT,
        deadline: float | Inherit | None = INHERIT,
        retry: RetryPolicy | Inherit | None = INHERIT,
        priority: Priority | Inherit | None = INHERIT,
        hooks: Iterable[Hook] = (),
    ) -> Self:
        """This client with other defaults, sharing connections, limiter and counters.

        Args:
            timeout: Seconds for one attempt; None waits for ever.
            deadline: Seconds for a whole call; None waits.
            retry: How often and how patiently to try again; None never does.
            priority: Rank of all calls in the limiter's queue; None: each operation's own.
            hooks: Called in addition to those there are.

        Leaving ``async with`` or ``aclose()`` on the result closes nothing: the pool belongs to
        the client it came from.
        """
        view = copy.copy(self)
        view._owner = False
        view._transport = self._transport.view(
            timeout=timeout,
            deadline=deadline,
            retry=retry,
            priority=priority,
            hooks=checked_hooks(hooks),
        )
        view._bind()
        return view

    @property
    def environment(self) -> Environment:
        """The exchange that this client talks to."""
        return self._config.environment

    async def aclose(self) -> None:
        """Close the connections; later calls raise ``ClientClosedError``. May be called twice.

        A client made by ``with_options`` closes nothing.
        """
        if self._owner:
            with anyio.CancelScope(shield=True):
                try:
                    await self._transport.aclose()
                finally:
                    if self._own_journal and self._desk.journal is not None:
                        await self._desk.journal.aclose()

    def __repr__(self) -> str:
        config = self._config
        signed = "signed" if config.credentials else "public calls only"
        return (
            f"<KalshiClient {config.environment.value} {config.base_url}, {signed} | "
            f"{self._transport!r} | {self._limiter!r}>"
        )
