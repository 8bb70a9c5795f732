"""Which failures are tried again, how often, and after how long."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import anyio
import pytest

from kalshi_async import (
    APIError,
    AttemptFailed,
    ConfigurationError,
    ConnectionFailedError,
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    Event,
    InvalidRequestError,
    KalshiError,
    Operation,
    PaginationError,
    RequestTimeoutError,
    Retrying,
    RetryPolicy,
)
from kalshi_async._errors import ErrorBody, api_error
from kalshi_async._retry import retry_after, worth_retrying
from tests.pipeline.helpers import AT_ONCE, NEVER, READ, WRITE, both_backends, make_transport
from tests.support import ScriptedHTTP, answer, in_virtual_time


def status(code: int) -> APIError:
    return api_error(code, ErrorBody(message="no"))


ALWAYS = [ConnectionFailedError("x"), status(429)]
READS_ONLY = [
    *map(status, (500, 502, 503, 504)),
    ConnectionLostError("x"),
    RequestTimeoutError("x"),
]
NOTHING = [
    *map(status, (400, 401, 403, 404, 409, 410, 418, 501, 505)),
    status(200),
    DecodeError("x"),
    PaginationError("x"),
    InvalidRequestError("x"),
    ConfigurationError("x"),
    DeadlineExceededError("x"),
    ValueError("x"),
    KeyboardInterrupt(),
]


@pytest.mark.parametrize("operation", [READ, WRITE])
def test_what_is_tried_again(operation: Operation) -> None:
    safe = operation is READ
    assert all(worth_retrying(operation, error) for error in ALWAYS)
    assert all(worth_retrying(operation, error) is safe for error in READS_ONLY)
    assert not any(worth_retrying(operation, error) for error in NOTHING)


def test_bounds_double_up_to_the_longest() -> None:
    policy = RetryPolicy(first=0.25, longest=3)
    assert [policy.bound(attempt) for attempt in range(1, 7)] == [0.25, 0.5, 1, 2, 3, 3]
    assert policy.bound(100_000) == 3


@pytest.mark.parametrize(
    "wrong",
    [{"max_attempts": 0}, {"first": -1}, {"first": 2, "longest": 1}],
)
def test_impossible_policies_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match="expected"):
        RetryPolicy(**wrong)  # type: ignore[arg-type]


async def run_waits(policy: RetryPolicy, seed: int) -> tuple[list[float], list[float]]:
    """The announced waits and the pauses that were really made between failing attempts."""
    announced: list[float] = []
    times = [anyio.current_time()]

    async def attempt() -> None:
        times.append(anyio.current_time())
        raise status(503)

    with pytest.raises(APIError):
        await retry_after(
            status(503),
            attempt,
            operation=READ,
            policy=policy,
            rng=random.Random(seed),
            on_retry=lambda wait, error: announced.append(wait),
        )
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    return announced, pauses


def test_full_jitter_by_the_seed() -> None:
    policy = RetryPolicy(max_attempts=7, first=0.25, longest=4)
    all_waits = []
    for seed in range(30):
        waits, pauses = in_virtual_time(lambda seed=seed: run_waits(policy, seed))
        assert len(waits) == 6
        assert pauses == pytest.approx(waits)
        rng = random.Random(seed)
        assert waits == [rng.uniform(0, policy.bound(n)) for n in range(1, 7)]
        all_waits.append(waits)
    last = [waits[-1] for waits in all_waits]
    assert min(last) < 1  # full jitter: from 0,
    assert max(last) > 3  # up to the bound


@both_backends
def test_success_after_failures(backend: str) -> None:
    events: list[Event] = []

    async def main() -> None:
        http = ScriptedHTTP(
            answer(status=503), ConnectionFailedError("down"), answer(status=429), answer({"a": 1})
        )
        transport = make_transport(http, hooks=[events.append])
        response = await transport.call(READ, path={"ticker": "A"})
        assert response.body == b'{"a":1}'
        assert len(http.requests) == 4
        stats = transport.telemetry.stats
        assert (stats.calls, stats.attempts, stats.retries) == (1, 4, 3)
        assert (stats.rate_limited, stats.failures) == (1, 0)
        assert stats.responses == {503: 1, 429: 1, 200: 1}

    anyio.run(main, backend=backend)
    retrying = [event for event in events if isinstance(event, Retrying)]
    assert [event.attempt for event in retrying] == [1, 2, 3]
    failed = [event for event in events if isinstance(event, AttemptFailed)]
    assert [event.error.__class__.__name__ for event in failed] == [
        "ServerError",
        "ConnectionFailedError",
        "RateLimitError",
    ]


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_attempts_are_counted_and_the_last_error_is_raised_as_itself(attempts: int) -> None:
    async def main() -> None:
        errors = [ConnectionLostError(f"number {n}") for n in range(1, attempts + 1)]
        http = ScriptedHTTP(*errors)
        transport = make_transport(http, retry=RetryPolicy(attempts, first=1, longest=1))
        with pytest.raises(ConnectionLostError) as caught:
            await transport.call(READ, path={"ticker": "A"})
        assert caught.value is errors[-1]
        assert caught.value.attempts == attempts == len(http.requests)
        assert caught.value.operation == "GetMarket"
        assert caught.value.elapsed == pytest.approx(anyio.current_time())
        assert f"{attempts} attempt" in str(caught.value)
        assert transport.telemetry.stats.failures == 1

    in_virtual_time(main)


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 410])
async def test_refusals_are_not_tried_again(code: int) -> None:
    http = ScriptedHTTP(answer({"error": {"code": "no"}}, code), answer())
    with pytest.raises(APIError) as caught:
        await make_transport(http).call(READ, path={"ticker": "A"})
    assert (caught.value.status, len(http.requests)) == (code, 1)


@pytest.mark.parametrize(
    ("failure", "requests"),
    [
        (lambda: answer(status=503), 1),
        (lambda: ConnectionLostError("x"), 1),
        (lambda: RequestTimeoutError("x"), 1),
        (lambda: ConnectionFailedError("x"), 2),
        (lambda: answer(status=429), 2),
    ],
)
async def test_a_write_is_sent_again_only_when_it_was_not_carried_out(
    failure: Callable[[], object], requests: int
) -> None:
    http = ScriptedHTTP(failure(), answer())  # type: ignore[arg-type]
    transport = make_transport(http)
    if requests == 2:
        await transport.call(WRITE, body={"a": 1})
    else:
        with pytest.raises(KalshiError) as caught:
            await transport.call(WRITE, body={"a": 1})
        assert caught.value.may_have_reached_server
    assert len(http.requests) == requests


async def test_one_attempt_means_one() -> None:
    http = ScriptedHTTP(answer(status=429), answer())
    with pytest.raises(APIError):
        await make_transport(http, retry=NEVER).call(READ, path={"ticker": "A"})
    assert len(http.requests) == 1


async def test_an_error_of_another_kind_passes_through_unchanged() -> None:
    bug = ZeroDivisionError("in the adapter")
    http = ScriptedHTTP(answer(status=503), bug)
    with pytest.raises(ZeroDivisionError) as caught:
        await make_transport(http, retry=AT_ONCE).call(READ, path={"ticker": "A"})
    assert caught.value is bug


@both_backends
def test_nothing_of_the_retry_library_shows(backend: str) -> None:
    async def main() -> None:
        http = ScriptedHTTP(answer(status=503))
        with pytest.raises(APIError) as caught:
            await make_transport(http).call(READ, path={"ticker": "A"})
        chain: list[BaseException] = []
        link: BaseException | None = caught.value
        while link is not None:
            chain.append(link)
            link = link.__cause__ or link.__context__
        assert not [error for error in chain if type(error).__module__.startswith("tenacity")]

    anyio.run(main, backend=backend)
