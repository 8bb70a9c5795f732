"""The pipeline: order, gate, deadline, what errors know, hooks and counters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import anyio
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kalshi_async import (
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    Event,
    KalshiError,
    RequestSent,
    RequestTimeoutError,
    Response,
    ResponseReceived,
    RetryPolicy,
    Throttled,
)
from kalshi_async._auth import Signer
from kalshi_async._decode import object_decoder
from kalshi_async._ratelimit import Limiter
from kalshi_async._transport import Transport
from kalshi_async._wire import Request
from kalshi_async.models.account import AccountLimits
from tests.pipeline.helpers import READ, SIGNED, WRITE, both_backends, flat, make_transport
from tests.support import ScriptedHTTP, answer, in_virtual_time


async def get(transport: Transport, **options: object) -> Response:
    return await transport.call(READ, path={"ticker": "A"}, **options)  # type: ignore[arg-type]


def signer(clock: Callable[[], float]) -> Signer:
    return Signer("key-id", Ed25519PrivateKey.generate(), clock)


# -- order


def test_a_timestamp_is_made_after_all_waiting() -> None:
    async def main() -> None:
        http = ScriptedHTTP(latency=5)
        transport = make_transport(
            http, limits=flat(1, 10), signer=signer(anyio.current_time), max_in_flight=1
        )
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(transport.call, SIGNED)
        stamps = [int(headers["KALSHI-ACCESS-TIMESTAMP"]) for headers in http.headers]
        assert stamps == [round(at * 1000) for at in http.times]
        assert stamps[-1] >= 20_000

    in_virtual_time(main)


def test_each_attempt_pays_and_signs_anew() -> None:
    async def main() -> None:
        http = ScriptedHTTP(answer(status=503), answer(status=503), answer())
        limiter = Limiter(flat(1, 100))
        transport = make_transport(
            http,
            limiter=limiter,
            signer=signer(anyio.current_time),
            retry=RetryPolicy(first=4, longest=4),
        )
        before = limiter._queues["read"].bucket.tokens(anyio.current_time())
        await transport.call(SIGNED)
        left = limiter._queues["read"].bucket.tokens(anyio.current_time())
        assert left == pytest.approx(before - 30 + anyio.current_time())
        stamps = [headers["KALSHI-ACCESS-TIMESTAMP"] for headers in http.headers]
        signatures = [headers["KALSHI-ACCESS-SIGNATURE"] for headers in http.headers]
        assert stamps == [str(int(at * 1000)) for at in http.times]
        assert len(set(stamps)) == len(set(signatures)) == 3

    in_virtual_time(main)


def test_a_back_off_holds_no_place_at_the_gate() -> None:
    async def main() -> None:
        http = ScriptedHTTP(answer(status=503), answer())
        transport = make_transport(
            http, max_in_flight=1, retry=RetryPolicy(first=100, longest=100), seed=3
        )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(get, transport)
            await anyio.wait_all_tasks_blocked()
            await get(transport)
            assert anyio.current_time() < 1
        assert anyio.current_time() > 1

    in_virtual_time(main)


@both_backends
@pytest.mark.parametrize("most", [1, 3, 64])
def test_the_gate_bounds_what_is_inside_the_library(backend: str, most: int) -> None:
    async def main() -> None:
        http = ScriptedHTTP()
        transport = make_transport(http, max_in_flight=most)
        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(get, transport)
        assert http.most_in_flight == most
        assert "0 active, 0 queued" in repr(transport)

    anyio.run(main, backend=backend)


# -- deadline


def test_a_deadline_bounds_the_wait_for_tokens() -> None:
    async def main() -> None:
        http = ScriptedHTTP()
        transport = make_transport(http, limits=flat(1, 10))
        await get(transport)
        start = anyio.current_time()
        with pytest.raises(DeadlineExceededError) as caught:
            await get(transport, deadline=2.5)
        error = caught.value
        assert anyio.current_time() - start == pytest.approx(2.5)
        assert (error.attempts, error.may_have_reached_server) == (0, False)
        assert error.elapsed == pytest.approx(2.5)
        assert error.__cause__ is None
        assert error.operation == "GetMarket"
        assert "2.5 s" in str(error)

    in_virtual_time(main)


def test_a_deadline_bounds_the_wait_at_the_gate_and_the_tokens_go_back() -> None:
    async def main() -> None:
        limiter = Limiter(flat(1000, 1000))
        transport = make_transport(ScriptedHTTP(latency=60), limiter=limiter, max_in_flight=1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(get, transport)
            await anyio.wait_all_tasks_blocked()
            before = limiter._queues["read"].bucket.tokens(anyio.current_time())
            with pytest.raises(DeadlineExceededError) as caught:
                await get(transport, deadline=0.001)
            assert (caught.value.attempts, caught.value.may_have_reached_server) == (0, False)
            assert anyio.current_time() == pytest.approx(0.001)
            after = limiter._queues["read"].bucket.tokens(anyio.current_time())
            assert after == pytest.approx(before + 1)
            assert "1 active, 0 queued" in repr(transport)

    in_virtual_time(main)


def test_a_deadline_bounds_the_send() -> None:
    async def main() -> None:
        http = ScriptedHTTP(latency=60)
        transport = make_transport(http)
        with pytest.raises(DeadlineExceededError) as caught:
            await get(transport, deadline=3)
        assert anyio.current_time() == pytest.approx(3)
        assert (caught.value.attempts, caught.value.may_have_reached_server) == (1, True)
        assert http.in_flight == 0

    in_virtual_time(main)


def test_a_deadline_bounds_the_back_off() -> None:
    async def main() -> None:
        refused = ConnectionFailedError("refused")
        http = ScriptedHTTP(refused, latency=0.5)
        transport = make_transport(http, retry=RetryPolicy(9, first=1000, longest=1000))
        with pytest.raises(DeadlineExceededError) as caught:
            await get(transport, deadline=2)
        assert anyio.current_time() == pytest.approx(2)
        assert caught.value.__cause__ is refused
        assert (caught.value.attempts, caught.value.may_have_reached_server) == (1, False)
        assert "not sent" in str(caught.value)

    in_virtual_time(main)


def test_a_deadline_error_remembers_that_an_earlier_attempt_may_have_arrived() -> None:
    async def main() -> None:
        http = ScriptedHTTP(ConnectionLostError("cut"), ConnectionFailedError("refused"))
        transport = make_transport(http, retry=RetryPolicy(99, first=0.1, longest=1))
        with pytest.raises(DeadlineExceededError) as caught:
            await get(transport, deadline=5)
        assert isinstance(caught.value.__cause__, ConnectionFailedError)
        assert caught.value.may_have_reached_server
        assert caught.value.attempts == len(http.requests) > 2

    in_virtual_time(main)


def test_the_default_deadline_can_be_switched_off_for_a_call() -> None:
    async def main() -> None:
        transport = make_transport(ScriptedHTTP(latency=60), deadline=1)
        with pytest.raises(DeadlineExceededError):
            await get(transport)
        await get(transport, deadline=None)
        await get(transport.view(deadline=100))

    in_virtual_time(main)


@pytest.mark.parametrize("name", ["timeout", "deadline"])
@pytest.mark.parametrize("wrong", [0, -1, float("nan"), True, "5"])
async def test_impossible_times_are_refused(name: str, wrong: object) -> None:
    http = ScriptedHTTP()
    with pytest.raises(ConfigurationError, match=f"{name} is .*expected seconds above 0"):
        await get(make_transport(http), **{name: wrong})
    assert not http.requests


# -- what errors know


@pytest.mark.parametrize(
    ("failures", "arrived"),
    [
        ([ConnectionFailedError("a"), ConnectionFailedError("b")], False),
        ([ConnectionLostError("a"), ConnectionFailedError("b")], True),
        ([ConnectionFailedError("a"), RequestTimeoutError("b")], True),
        ([ConnectionFailedError("a"), answer(status=503)], True),
        ([answer(status=302, location="https://elsewhere.example/")], True),
    ],
)
async def test_whether_a_request_may_have_arrived(
    failures: list[Exception | Response], arrived: bool
) -> None:
    transport = make_transport(ScriptedHTTP(*failures), retry=RetryPolicy(len(failures), 0, 0))
    with pytest.raises(KalshiError) as caught:
        await get(transport)
    assert caught.value.may_have_reached_server is arrived
    assert caught.value.attempts == len(failures)


async def test_an_unreadable_answer_did_arrive() -> None:
    transport = make_transport(ScriptedHTTP(answer(b"<html>")))
    response = await get(transport)
    with pytest.raises(DecodeError) as caught:
        transport.decode_object(READ, object_decoder(AccountLimits), response)
    assert caught.value.may_have_reached_server
    assert caught.value.operation == "GetMarket"


async def test_a_signed_operation_needs_a_key() -> None:
    http = ScriptedHTTP()
    with pytest.raises(ConfigurationError, match="needs a key"):
        await make_transport(http).call(SIGNED)
    assert not http.requests


async def test_a_closed_transport_refuses() -> None:
    http = ScriptedHTTP()
    transport = make_transport(http)
    await get(transport)
    await transport.aclose()
    assert http.closed
    with pytest.raises(ClientClosedError):
        await get(transport)


def test_closing_ends_calls_that_still_wait() -> None:
    """A call that waits for tokens or before a retry opens no new pool after the close."""

    async def main() -> None:
        made: list[ScriptedHTTP] = []

        def make() -> ScriptedHTTP:
            made.append(ScriptedHTTP(answer(status=503)))
            return made[-1]

        transport = make_transport(ScriptedHTTP(), retry=RetryPolicy(first=9, longest=9))
        transport._shared._make_http = make

        async def closed_on() -> None:
            with pytest.raises(ClientClosedError) as caught:
                await get(transport)
            assert caught.value.may_have_reached_server

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(closed_on)
            await anyio.wait_all_tasks_blocked()
            await transport.aclose()
        assert len(made) == 1
        assert made[0].closed
        assert len(made[0].requests) == 1

    in_virtual_time(main)


# -- hooks and counters


def test_events_and_counters() -> None:
    events: list[Event] = []

    async def main() -> None:
        transport = make_transport(
            ScriptedHTTP(answer({"a": 1}), latency=0.5), limits=flat(10, 10), hooks=[events.append]
        )
        await get(transport)
        await get(transport)
        stats = transport.telemetry.stats
        assert (stats.calls, stats.attempts, stats.responses) == (2, 2, {200: 2})
        assert stats.bytes_received == 2 * len(b'{"a":1}')
        assert stats.throttled == 1
        assert stats.throttled_seconds == pytest.approx(0.5)

    in_virtual_time(main)
    kinds = [type(event) for event in events]
    assert kinds == [RequestSent, ResponseReceived, Throttled, RequestSent, ResponseReceived]
    assert isinstance(events[1], ResponseReceived)
    assert events[1].elapsed == pytest.approx(0.5)
    assert isinstance(events[2], Throttled)
    assert events[2].bucket == "read"


@pytest.mark.parametrize("status", [200, 404, 503])
async def test_a_raising_hook_breaks_nothing(status: int, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Event] = []

    def broken(event: Event) -> None:
        raise RuntimeError("hook")

    transport = make_transport(ScriptedHTTP(answer(status=status)), hooks=[broken, seen.append])
    if status == 200:
        await get(transport)
    else:
        with pytest.raises(KalshiError):
            await get(transport)
    assert transport.telemetry.stats.hook_errors == len(seen) > 1
    assert "0 active" in repr(transport)
    assert "failed" in caplog.text


async def test_a_view_adds_hooks_and_shares_counters_and_pool() -> None:
    base: list[Event] = []
    more: list[Event] = []
    http = ScriptedHTTP()
    transport = make_transport(http, hooks=[base.append])
    view = transport.view(timeout=1.5, hooks=(more.append,))
    await get(view)
    await get(transport)
    assert (len(base), len(more)) == (4, 2)
    assert http.timeouts == [1.5, 10]
    assert transport.telemetry.stats.calls == 2


async def test_a_custom_adapter_sees_request_headers_and_timeout() -> None:
    class Adapter:
        async def send(
            self, request: Request, headers: Mapping[str, str], timeout: float | None
        ) -> Response:
            assert request.method == "POST"
            assert request.body == b'{"a":1}'
            assert headers["content-type"] == "application/json"
            assert timeout is None
            return Response(200, {}, b"{}")

        async def aclose(self) -> None: ...

    await make_transport(Adapter()).call(WRITE, body={"a": 1}, timeout=None)
