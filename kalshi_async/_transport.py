"""The pipeline: build once → retry [ limiter → gate → sign → send → judge ] → decode.

The limiter is inside the retry, so that each attempt pays its tokens; signing comes after all
waiting, so that timestamps are fresh; the back-off holds no token, no connection, no place.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import anyio

from ._decode import ObjectDecoder, Undecoded
from ._errors import (
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    DeadlineExceededError,
    KalshiError,
    RateLimitError,
)
from ._gate import Gate
from ._hooks import Hook, Telemetry
from ._operations import Operation, Priority, Retry
from ._options import INHERIT, Defaults, Inherit
from ._repair import Drift
from ._retry import RetryPolicy, leaves_doubt, retry_after, worth_retrying
from ._trail import Trail
from ._wire import (
    Authorizer,
    Judge,
    QueryValue,
    Request,
    RequestBuilder,
    Response,
    answered,
    raise_for_error,
)

if TYPE_CHECKING:
    from ._http import HTTPAdapter
    from ._ratelimit import Limiter, Room

T = TypeVar("T")


Prepare = Callable[["Transport"], Awaitable[None]]

_FEW = 2
"""With so many requests under way, signing one more on the event loop keeps nobody waiting."""


@dataclass(slots=True)
class _Call:
    """One call on its way through the pipeline."""

    operation: Operation
    request: Request
    timeout: float | None
    priority: Priority
    items: int
    started: float
    trail: Trail
    clock_corrected: bool = False
    last_error: KalshiError | None = None


class Transport:
    """Sends operations; shared by all resources of a client.

    Args:
        builder: Makes requests.
        http: The HTTP edge, made at the first call.
        limiter: Paces attempts.
        signer: Proves who is calling; None for public calls only.
        defaults: Options of calls that give none.
        telemetry: Counters and hooks.
        rng: Draws the jitter of back-offs.
        max_in_flight: How many requests may be inside the HTTP library at once.
        prepare: Awaited once before the first call, with a view on which it makes its own calls.
        judge: Tells successes from errors.
    """

    def __init__(
        self,
        *,
        builder: RequestBuilder,
        http: Callable[[], HTTPAdapter],
        limiter: Limiter,
        signer: Authorizer | None,
        defaults: Defaults,
        telemetry: Telemetry,
        rng: random.Random,
        max_in_flight: int,
        prepare: Prepare | None = None,
        judge: Judge = raise_for_error,
    ) -> None:
        self._builder = builder
        self._limiter = limiter
        self._signer = signer
        self._judge = judge
        self._defaults = defaults
        self.telemetry = telemetry
        self.timeout = defaults.timeout
        self._rng = rng
        self._shared = _Shared(http, max_in_flight, prepare)
        self._prepares = True

    async def call(
        self,
        operation: Operation,
        *,
        path: Mapping[str, str | int] | None = None,
        query: Mapping[str, QueryValue] | None = None,
        body: object = None,
        timeout: float | Inherit | None = INHERIT,
        deadline: float | Inherit | None = INHERIT,
        priority: Priority | None = None,
        items: int = 1,
        trail: Trail | None = None,
    ) -> Response:
        """Send an operation until it is answered with a success.

        Args:
            operation: What to call.
            path: Values for the path's placeholders.
            query: Query parameters; None values are left out.
            body: JSON body, anything msgspec encodes.
            timeout: Seconds for one attempt, from leaving the gate to the last byte; None waits.
            deadline: Seconds for the whole call, all waiting included; None waits.
            priority: Rank in the limiter's queue instead of the operation's own.
            items: Items of a batch, billed one by one.
            trail: Kept up to date on the way, for a caller that must know how far a call got.

        Raises:
            KalshiError: See ``kalshi_async._errors``; carries attempts and elapsed seconds.

        Cancelling is safe at any time: tokens not spent go back and the connection is dropped. A
        request that was already sent may still be carried out.
        """
        defaults = self._defaults
        limit = self._deadline(deadline)
        self._check(operation)
        if priority is None:
            priority = operation.priority if defaults.priority is None else defaults.priority
        call = _Call(
            operation,
            self._builder.build(operation, path, query, body),
            _seconds("timeout", defaults.timeout if isinstance(timeout, Inherit) else timeout),
            priority,
            items,
            anyio.current_time(),
            Trail() if trail is None else trail,
        )
        self.telemetry.stats.calls += 1
        try:
            if limit is None:
                return await self._run(call)
            with anyio.move_on_after(limit):
                return await self._run(call)
            raise DeadlineExceededError(f"not done within {limit:g} s") from call.last_error
        except KalshiError as exc:
            self.telemetry.stats.failures += 1
            _describe(exc, call)
            raise

    async def _run(self, call: _Call) -> Response:
        if self._prepares and self._shared.prepare is not None:
            await self._shared.prepared(self)
        policy = self._defaults.policy
        try:
            return await self._attempt(call)
        except KalshiError as exc:
            if policy is None or policy.max_attempts == 1:
                raise
            if not worth_retrying(call.operation, exc):
                raise
            first_error = exc
        name = call.operation.name
        return await retry_after(
            first_error,
            lambda: self._attempt(call),
            operation=call.operation,
            policy=policy,
            rng=self._rng,
            on_retry=lambda wait, error: self.telemetry.retrying(
                name, call.trail.attempts, wait, error
            ),
        )

    async def _attempt(self, call: _Call) -> Response:
        """One attempt; a second at once, signed anew, when only the clock was off."""
        try:
            return await self._exchange(call)
        except AuthenticationError as exc:
            if exc.code != "header_timestamp_expired" or not call.clock_corrected:
                raise
            return await self._exchange(call)

    async def _exchange(self, call: _Call) -> Response:
        operation, telemetry, limiter = call.operation, self.telemetry, self._limiter
        trail, gate = call.trail, self._shared.gate
        waited = await limiter.acquire(operation, priority=call.priority, items=call.items)
        if waited:
            telemetry.throttled(operation.name, limiter.bucket_name(operation), waited)
        attempts = trail.attempts
        try:
            await gate.enter(call.priority)
            try:
                headers = await self._headers(call)
                http = self._shared.http
                trail.attempts += 1
                trail.in_flight = True
                telemetry.sent(operation.name, trail.attempts)
                sent_at = anyio.current_time()
                if self._signer is not None:
                    trail.sent_at = self._signer.wall_clock()
                response = await http.send(call.request, headers, call.timeout)
            finally:
                gate.leave()
        except BaseException as exc:
            if trail.attempts == attempts:  # it never reached the network
                limiter.give_back(operation, items=call.items)
            elif isinstance(exc, KalshiError):
                self._note_failure(call, exc)
            raise
        elapsed = anyio.current_time() - sent_at
        telemetry.received(
            operation.name, trail.attempts, response.status, elapsed, len(response.body)
        )
        try:
            self._judge(operation, response)
        except KalshiError as exc:
            if isinstance(exc, RateLimitError) and exc.passing:
                limiter.penalize(operation, sent_at)
            elif isinstance(exc, AuthenticationError):
                self._correct_clock(call, exc, response, trail.sent_at)
            self._note_failure(call, exc)
            raise
        trail.in_flight = False
        response.attempts = trail.attempts
        response.elapsed = anyio.current_time() - call.started
        return response

    async def _headers(self, call: _Call) -> Mapping[str, str]:
        if self._signer is None:
            return call.request.headers
        request, busy = call.request, self._shared.gate.inside > _FEW
        signed = await self._signer.headers_async(request.method, request.path, busy=busy)
        return {**call.request.headers, **signed}

    def _correct_clock(
        self, call: _Call, error: AuthenticationError, response: Response, wall_sent: float
    ) -> None:
        if self._signer is None or error.code != "header_timestamp_expired" or call.clock_corrected:
            return
        offset = self._signer.learn_clock(
            response.headers.get("date"), wall_sent, self._signer.wall_clock()
        )
        if offset is not None:
            call.clock_corrected = True
            self.telemetry.clock_corrected(offset)

    def _note_failure(self, call: _Call, error: KalshiError) -> None:
        trail = call.trail
        trail.in_flight = False
        trail.arrived = trail.arrived or error.may_have_reached_server
        trail.doubtful = trail.doubtful or leaves_doubt(error)
        call.last_error = error
        error.operation = call.operation.name
        error.attempts = trail.attempts
        self.telemetry.failed(call.operation.name, trail.attempts, error)

    def _check(self, operation: Operation) -> None:
        if self._shared.closed:
            error = ClientClosedError("the client is closed; make a new one")
            error.operation = operation.name
            raise error
        if operation.auth and self._signer is None:
            problem = ConfigurationError(
                "this operation needs a key; give api_key_id= and private_key_path=, or use "
                "KalshiClient.from_env()"
            )
            problem.operation = operation.name
            raise problem

    def until(self, deadline: float | Inherit | None = INHERIT) -> float | None:
        """When the deadline of a call that begins now is over, on the event loop's clock.

        Raises:
            ConfigurationError: It is not above 0.
        """
        limit = self._deadline(deadline)
        return None if limit is None else anyio.current_time() + limit

    def batch_room(self, operation: Operation) -> Room | None:
        """How many items of a batch there are tokens for; None without limits."""
        return self._limiter.room(operation)

    def cost(self, operation: Operation) -> int:
        """Tokens of one request (of one item, for a batch); 0 without limits."""
        limits = self._limiter.limits
        return 0 if limits is None else limits.cost(operation)

    def _deadline(self, given: float | Inherit | None) -> float | None:
        limit = self._defaults.deadline if isinstance(given, Inherit) else given
        return _seconds("deadline", limit)

    def decode_object(
        self, operation: Operation, decoder: ObjectDecoder[T], response: Response
    ) -> T:
        """Decode the answer of an operation that returns one object.

        Raises:
            DecodeError: The body is not that object.
        """
        try:
            value, drift = decoder.decode(response.body)
        except KalshiError as exc:
            answered(exc, operation, response)
            raise
        self.note_drift(operation, tuple(drift), ())
        return value

    def note_drift(
        self, operation: Operation, drift: tuple[Drift, ...], undecoded: tuple[Undecoded, ...]
    ) -> None:
        """Count and report what an answer held that could not be read."""
        if drift or undecoded:
            self.telemetry.drifted(operation.name, drift, undecoded)

    def view(
        self,
        *,
        timeout: float | Inherit | None = INHERIT,
        deadline: float | Inherit | None = INHERIT,
        retry: RetryPolicy | Inherit | None = INHERIT,
        priority: Priority | Inherit | None = INHERIT,
        hooks: tuple[Hook, ...] = (),
    ) -> Transport:
        """The same pipeline with other defaults; pool, limiter, signer and counters are shared."""
        old = self._defaults
        view = copy.copy(self)
        view._defaults = Defaults(
            old.timeout if isinstance(timeout, Inherit) else timeout,
            old.deadline if isinstance(deadline, Inherit) else deadline,
            old.policy if isinstance(retry, Inherit) else retry,
            old.priority if isinstance(priority, Inherit) else priority,
        )
        if hooks:
            telemetry = self.telemetry
            view.telemetry = Telemetry((*telemetry.hooks, *hooks), telemetry.stats)
        return view

    @property
    def closed(self) -> bool:
        """Whether the pool has been closed."""
        return self._shared.closed

    async def aclose(self) -> None:
        """Close the pool; calls from now on raise ``ClientClosedError``."""
        await self._shared.aclose()
        if self._signer is not None:
            self._signer.close()

    def __repr__(self) -> str:
        return repr(self._shared)


class _Shared:
    """What all views of a transport have in common, made when first needed."""

    def __init__(
        self, http: Callable[[], HTTPAdapter], max_in_flight: int, prepare: Prepare | None
    ) -> None:
        self._make_http = http
        self._http: HTTPAdapter | None = None
        self.gate = Gate(max_in_flight)
        self.prepare = prepare
        self._preparing = anyio.Lock()
        self._prepare_failure: KalshiError | None = None
        self._prepare_failures = 0
        self.closed = False

    @property
    def http(self) -> HTTPAdapter:
        if self.closed:
            raise ClientClosedError("the client was closed during the call")
        if self._http is None:
            self._http = self._make_http()
        return self._http

    async def prepared(self, transport: Transport) -> None:
        """Prepare once; whoever comes meanwhile waits, and shares a failure. A later call tries."""
        waiting_since = self._prepare_failures
        async with self._preparing:
            if self.prepare is None:
                return
            if self._prepare_failure and self._prepare_failures != waiting_since:
                raise copy.copy(self._prepare_failure)
            view = transport.view()
            view._prepares = False
            try:
                await self.prepare(view)
            except KalshiError as exc:
                self._prepare_failures += 1
                self._prepare_failure = exc
                raise
            self.prepare = None

    async def aclose(self) -> None:
        self.closed = True
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    def __repr__(self) -> str:
        if self.closed:
            return "closed"
        connected = "not connected" if self._http is None else repr(self._http)
        return f"{connected}, {self.gate.inside} active, {self.gate.queued} queued"


def _seconds(name: str, value: float | None) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ConfigurationError(f"{name} is {value!r}; expected seconds above 0, or None")
    return value


def _describe(error: KalshiError, call: _Call) -> None:
    if error.operation not in (None, call.operation.name):
        return  # of a call that this one had to wait for, and already described
    error.operation = call.operation.name
    trail = call.trail
    error.attempts = trail.attempts
    error.elapsed = anyio.current_time() - call.started
    error.may_have_reached_server = trail.arrived or trail.in_flight
    error.outcome_unknown = trail.unknown and call.operation.retry is not Retry.SAFE
