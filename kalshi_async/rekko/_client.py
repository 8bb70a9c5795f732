"""The client of the intelligence API: wires the parts together."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

import anyio

from .._config import is_loopback_url
from .._errors import ConfigurationError
from .._hooks import Hook, Telemetry
from .._http import HTTPAdapter, HttpChoice, make_adapter
from .._life import ClientLife
from .._options import INHERIT, Defaults, Inherit
from .._ratelimit import Limiter, RateLimits
from .._retry import RetryPolicy
from .._setup import DEFAULT_TIMEOUT, check_options, checked_hooks
from .._transport import Transport
from .._version import __version__
from .._wire import QueryValue, RequestBuilder, Response
from ..models.secret import Secret
from ..resources._base import CallOptions
from ..resources._checks import identifier
from ._checks import as_json, market_path
from ._endpoints import Webhooks
from ._events import Events
from ._judge import Judge
from ._markets import Analyses, Markets
from ._operations import operation_of
from ._runs import DEFAULT_TIMEOUT as ANALYSIS_TIMEOUT
from ._runs import OnProgress, Runs
from ._settings import (
    API_PREFIX,
    BASE_URL,
    KEY_VARIABLE,
    URL_VARIABLE,
    Bearer,
    checked_key,
    checked_url,
    default_limits,
    environment_settings,
)
from ._signals import Signals, Trades
from ._survey import Survey
from .models import Analysis

if TYPE_CHECKING:
    import httpx

DEFAULT_MAX_IN_FLIGHT = 16


class RekkoOptions(TypedDict, total=False):
    """What ``RekkoClient`` takes; see there."""

    api_key: str | Secret | None
    base_url: str | None
    limits: RateLimits | Inherit | None
    timeout: float | None
    deadline: float | None
    http: HttpChoice | HTTPAdapter | httpx.AsyncClient
    hooks: Iterable[Hook]
    retry: RetryPolicy | Inherit | None
    max_in_flight: int
    rng: random.Random | None


class RekkoClient(Survey, ClientLife):
    """An async client for Rekko, which analyzes markets and recommends trades.

    One client serves all tasks of a process. Use it as ``async with RekkoClient(...) as rekko`` or
    call ``aclose()`` at the end. It runs on asyncio and trio. All settings are checked here;
    nothing is sent before the first call. Every call takes ``timeout=`` (one attempt) and
    ``deadline=`` (the whole call) in seconds; ``analyze`` and ``resume`` only ``timeout=``, for the
    whole wait.

    Besides its own methods: ``markets``, ``analyses``, ``signals``, ``events``, ``trades``,
    ``webhooks``.

    Args:
        api_key: The key. It is shown nowhere, and sent to https and loopback addresses only.
        base_url: Another address than ``https://api.rekko.ai``, with or without ``/v1``.
        limits: What may be spent. Left out: 5 requests/s. A ``RateLimits``: its read bucket, which
            pays for every call (``RateLimits.per_second(2)``). None: no limiter.
        timeout: Seconds for one attempt; None waits for ever. Signals have 180 s at least.
        deadline: Seconds for a whole call, all waiting and retries included; None waits.
        http: As for ``KalshiClient``: ``"auto"``, ``"httpx"``, ``"aiohttp"``, an
            ``httpx.AsyncClient`` of your own (which is not closed), or an ``HTTPAdapter``.
        hooks: Called with every event; see ``kalshi_async.Hook``.
        retry: How often and how patiently to try again; None never does.
        max_in_flight: How many requests may be under way at once; more wait their turn.
        rng: Draws the jitter of all waits.

    Raises:
        ConfigurationError: A setting is wrong or the key is missing; the message says what to do.
    """

    def __init__(
        self,
        api_key: str | Secret | None = None,
        *,
        base_url: str | None = None,
        limits: RateLimits | Inherit | None = INHERIT,
        timeout: float | None = DEFAULT_TIMEOUT,
        deadline: float | None = None,
        http: HttpChoice | HTTPAdapter | httpx.AsyncClient = "auto",
        hooks: Iterable[Hook] = (),
        retry: RetryPolicy | Inherit | None = INHERIT,
        max_in_flight: int = DEFAULT_MAX_IN_FLIGHT,
        rng: random.Random | None = None,
    ) -> None:
        key = checked_key(api_key)
        url = BASE_URL if base_url is None else checked_url(base_url)
        check_options(timeout, deadline, http, max_in_flight)
        rng = rng or random.Random()  # noqa: S311 - jitter, not cryptography
        self._base_url = url
        self._limiter = Limiter(_initial_limits(limits))
        self._telemetry = Telemetry(checked_hooks(hooks))
        transport = Transport(
            builder=RequestBuilder(url + API_PREFIX, f"kalshi-async/{__version__}"),
            http=lambda: make_adapter(http, max_in_flight, direct=is_loopback_url(url)),
            limiter=self._limiter,
            signer=Bearer(key),
            defaults=Defaults(
                timeout, deadline, RetryPolicy() if isinstance(retry, Inherit) else retry
            ),
            telemetry=self._telemetry,
            rng=rng,
            max_in_flight=max_in_flight,
            judge=Judge(key),
        )
        super().__init__(transport)
        self.markets = Markets(transport)
        self.analyses = Analyses(transport)
        self.signals = Signals(transport)
        self.events = Events(transport)
        self.trades = Trades(transport)
        self.webhooks = Webhooks(transport)
        self._runs = Runs(self.analyses, transport.until, rng)

    @classmethod
    def from_env(
        cls, *, env: Mapping[str, str] | None = None, **options: Unpack[RekkoOptions]
    ) -> Self:
        """A client from ``REKKO_API_KEY`` and ``REKKO_API_URL``; options given here win.

        An address that only the environment names must be Rekko's own, or loopback.

        Args:
            env: Where to look instead of ``os.environ``.
            options: Whatever the constructor takes.

        Raises:
            ConfigurationError: A misspelt variable, no key, an address that the key must not be
                sent to; the message says what to do.
        """
        key, url = environment_settings(env)
        if options.get("api_key") is None:
            options["api_key"] = checked_key(key, KEY_VARIABLE)
        if options.get("base_url") is None and url is not None:
            options["base_url"] = checked_url(url, URL_VARIABLE)
        return cls(**options)

    async def analyze(
        self,
        platform: str,
        market_id: str,
        *,
        timeout: float | None = ANALYSIS_TIMEOUT,
        on_progress: OnProgress | None = None,
    ) -> Analysis:
        """Run an analysis and wait for it: 30 to 90 s as a rule.

        Its status is asked for after 2 s, then after growing waits of up to 10 s (longer where
        Rekko asks for it), and a last time when the time is up; what is asked then may take 5 s
        more. Rekko being out of reach meanwhile does not end the waiting, nor does a run that it
        cannot find for half a minute. What is read at the end is the market's newest analysis.

        Args:
            platform: The market's platform, such as ``"kalshi"``.
            market_id: The market.
            timeout: Seconds for all of it; None waits until the run ends.
            on_progress: Called with each ``AnalysisStatus``, the first as soon as the run has
                started, so that its id is known from then on; what it raises ends the waiting.

        Raises:
            AnalysisPendingError: Not complete in time; ``await error.resume()`` goes on waiting.
            AnalysisFailedError: The run failed.
            NotFoundError: There is no such market.
            PlanRequiredError: The key's plan has no analyses.
            QuotaExceededError: The plan's analyses are used up.
            KalshiError: The run could not be started (see ``error.outcome_unknown``), or cannot be
                asked about; a note then tells its id.

        Cancelling is safe. A run that was started goes on at Rekko, and is billed; ``resume`` waits
        for it, and ``analyses.get`` reads its result.
        """
        market_path(platform, market_id)
        return await self._runs.analyze(platform, market_id, timeout, on_progress)

    async def resume(
        self,
        platform: str,
        market_id: str,
        analysis_id: str,
        *,
        timeout: float | None = ANALYSIS_TIMEOUT,
        on_progress: OnProgress | None = None,
    ) -> Analysis:
        """Go on waiting for a run that was started before; nothing is started.

        Args:
            platform: The market's platform.
            market_id: The market.
            analysis_id: The run, as ``AnalysisPendingError`` or ``analyses.start`` told it.
            timeout: Seconds for all of it; None waits until the run ends.
            on_progress: Called with each ``AnalysisStatus``; what it raises ends the waiting.

        Raises:
            AnalysisPendingError: Not complete in time.
            AnalysisFailedError: The run failed.
            NotFoundError: There is no such run.

        Cancelling is safe; the run goes on at Rekko.
        """
        market_path(platform, market_id)
        identifier("analysis_id", analysis_id)
        return await self._runs.resume(platform, market_id, analysis_id, timeout, on_progress)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, QueryValue] | None = None,
        json: object = None,
        **options: Unpack[CallOptions],
    ) -> Response:
        """Any request, paced and retried like every other; the answer as it came.

        What is no GET is sent again only where it certainly was not carried out, or is known to
        change nothing.

        Args:
            method: ``"GET"``, ``"POST"``, ``"PUT"``, ``"DELETE"`` or ``"PATCH"``.
            path: Below ``/v1`` (``"/markets"``), or with it; percent-encoded.
            params: Query parameters; None values are left out.
            json: The body: anything msgspec encodes; Decimals become numbers.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: No such verb, no path, or a body without a JSON form; nothing was
                sent.
            APIError: Rekko answered with an error.
            KalshiError: Anything else.

        Cancelling is safe; what was sent may still be carried out.
        """
        operation = operation_of(method, path)
        body = None if json is None else as_json(json)
        return await self._transport.call(operation, query=params, body=body, **options)

    @property
    def base_url(self) -> str:
        """The address, without ``/v1``."""
        return self._base_url

    async def aclose(self) -> None:
        """Close the connections; later calls raise ``ClientClosedError``. May be called twice."""
        with anyio.CancelScope(shield=True):
            await self._transport.aclose()

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a client cannot be pickled; make one in each process")

    def __repr__(self) -> str:
        return f"<RekkoClient {self._base_url} | {self._transport!r} | {self._limiter!r}>"


def _initial_limits(limits: object) -> RateLimits | None:
    if limits is None or isinstance(limits, RateLimits):
        return limits
    if isinstance(limits, Inherit):
        return default_limits()
    raise ConfigurationError(
        f"limits is {limits!r}; expected a RateLimits such as RateLimits.per_second(5), None for "
        "no limiter, or leave it out"
    )
