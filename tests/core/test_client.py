"""The client: what it owns, what its views share, when it asks for the account's limits."""

from __future__ import annotations

import anyio
import httpx
import pytest

from kalshi_async import (
    INHERIT,
    AuthenticationError,
    BucketLimits,
    ClientClosedError,
    ConfigurationError,
    KalshiClient,
    KalshiError,
    LoggingHook,
    Priority,
    RateLimits,
    Request,
    RequestSent,
    RequestTimeoutError,
    Response,
    RetryPolicy,
)
from tests.support import ScriptedHTTP, answer

from .keys import BASE, KEY_ID, ed_key

STATUS = answer({"exchange_active": True, "trading_active": True})
LIMITS = {
    "usage_tier": "premier",
    "read": {"refill_rate": 1200, "bucket_capacity": 3600},
    "write": {"refill_rate": 1100, "bucket_capacity": 2200},
    "grants": [],
}
COSTS = {
    "default_cost": 10,
    "endpoint_costs": [{"method": "GET", "path": "/trade-api/v2/exchange/status", "cost": 2}],
}


def public(http: object, **options: object) -> KalshiClient:
    return KalshiClient(base_url=BASE, http=http, **{"limits": None, **options})  # type: ignore[arg-type]


def account(http: object, **options: object) -> KalshiClient:
    return public(http, api_key_id=KEY_ID, private_key=ed_key(), **{"limits": "account", **options})


# ---------------------------------------------------------------------------- open and closed


async def test_context_manager_closes_and_closing_twice_is_fine() -> None:
    http = ScriptedHTTP(STATUS)
    async with public(http) as kalshi:
        assert (await kalshi.exchange.status()).exchange_active
        assert not kalshi.closed
        assert not http.closed
    assert http.closed
    assert kalshi.closed
    await kalshi.aclose()
    with pytest.raises(ClientClosedError, match="GetExchangeStatus: the client is closed"):
        await kalshi.exchange.status()
    assert len(http.requests) == 1
    assert "closed" in repr(kalshi)


async def test_an_error_in_the_block_passes_and_closes() -> None:
    http = ScriptedHTTP(STATUS)
    with pytest.raises(ZeroDivisionError):
        async with public(http) as kalshi:
            await kalshi.exchange.status()
            raise ZeroDivisionError
    assert http.closed


async def test_closing_an_unused_client_opens_nothing() -> None:
    async with KalshiClient() as kalshi:
        assert "unused" in repr(kalshi)
        assert "public calls only" in repr(kalshi)
    assert kalshi.closed


async def test_aclose_finishes_in_a_cancelled_scope() -> None:
    class Slow(ScriptedHTTP):
        async def aclose(self) -> None:
            await anyio.lowlevel.checkpoint()
            await super().aclose()

    http = Slow(STATUS)
    kalshi = public(http)
    await kalshi.exchange.status()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await kalshi.aclose()
    assert http.closed


async def test_the_callers_own_httpx_client_stays_open() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"exchange_active": True, "trading_active": True})

    async with httpx.AsyncClient(transport=httpx.MockTransport(reply)) as own:
        async with public(own) as kalshi:
            assert (await kalshi.exchange.status()).trading_active
            assert "the caller's client" in repr(kalshi)
        assert kalshi.closed
        assert not own.is_closed
        assert (await own.get("https://example.com/")).status_code == 200


# ---------------------------------------------------------------------------- views


async def test_views_share_pool_limiter_and_counters() -> None:
    http = ScriptedHTTP(STATUS)
    kalshi = public(http, limits=RateLimits.per_second(1000))
    view = kalshi.with_options(timeout=3.0).with_options(deadline=60.0)
    await kalshi.exchange.status()
    await view.exchange.status()
    assert http.timeouts == [10.0, 3.0]
    assert view.stats is kalshi.stats
    assert kalshi.stats.calls == 2
    assert view.limits.current is kalshi.limits.current
    assert view._limiter is kalshi._limiter
    assert type(view) is type(kalshi)
    async with view:
        pass
    await view.aclose()
    assert not http.closed
    assert not view.closed
    await kalshi.exchange.status()
    await kalshi.aclose()
    assert http.closed
    assert view.closed
    with pytest.raises(ClientClosedError):
        await view.exchange.status()


async def test_views_change_only_what_is_given() -> None:
    http = ScriptedHTTP(STATUS)
    async with public(http, timeout=7.0) as kalshi:
        await kalshi.with_options().exchange.status()
        await kalshi.with_options(timeout=None).exchange.status()
        await kalshi.with_options(timeout=2.0).exchange.status(timeout=1.0)
        await kalshi.with_options(timeout=2.0).with_options(timeout=INHERIT).exchange.status()
        assert http.timeouts == [7.0, None, 1.0, 2.0]


async def test_a_views_retry_priority_and_hooks_are_its_own() -> None:
    http = ScriptedHTTP(answer({"error": "busy"}, 503))
    seen: list[object] = []
    more: list[object] = []
    async with public(http, hooks=[seen.append], retry=RetryPolicy(2, 0.0, 0.0)) as kalshi:
        view = kalshi.with_options(
            retry=RetryPolicy(max_attempts=1), priority=Priority.CANCEL, hooks=[more.append]
        )
        for client, attempts in ((view, 1), (kalshi, 2)):
            with pytest.raises(KalshiError) as caught:
                await client.exchange.status()
            assert caught.value.attempts == attempts
    assert sum(isinstance(event, RequestSent) for event in seen) == 3
    assert sum(isinstance(event, RequestSent) for event in more) == 1


# ---------------------------------------------------------------------------- the account's limits


def route(request: Request) -> Response:
    if request.path.endswith("/account/limits"):
        return answer(LIMITS)
    if request.path.endswith("/account/endpoint_costs"):
        return answer(COSTS)
    return STATUS


def paths(http: ScriptedHTTP) -> list[str]:
    return [request.path.removeprefix("/trade-api/v2") for request in http.requests]


async def test_account_limits_are_adopted_once_under_concurrent_first_calls() -> None:
    http = ScriptedHTTP(route, latency=0.001)
    async with account(http) as kalshi:
        async with anyio.create_task_group() as tasks:
            for client in (kalshi, kalshi.with_options(timeout=3.0)) * 10:
                tasks.start_soon(client.exchange.status)
        asked = paths(http)
        assert sorted(asked[:2]) == ["/account/endpoint_costs", "/account/limits"]
        assert asked[2:] == ["/exchange/status"] * 20
        current = kalshi.limits.current
        assert current is not None
        assert current.tier == "premier"
        assert current.read == BucketLimits(1200, 3600)
        assert current.write == BucketLimits(1100, 2200)
        assert current.costs["GetExchangeStatus"] == 2
        await kalshi.exchange.status()
        assert paths(http)[22:] == ["/exchange/status"]


async def test_a_refusal_is_raised_and_the_next_call_asks_again() -> None:
    refusal = answer({"error": {"code": "authentication_error", "details": "NOT_FOUND"}}, 401)
    http = ScriptedHTTP(refusal, route)
    async with account(http) as kalshi:
        with pytest.raises(AuthenticationError, match="NOT_FOUND"):
            await kalshi.exchange.status()
        assert kalshi.limits.current == RateLimits()
        assert (await kalshi.exchange.status()).exchange_active
        assert kalshi.limits.current is not None
        assert kalshi.limits.current.tier == "premier"


async def test_concurrent_first_calls_all_hear_of_a_refusal() -> None:
    http = ScriptedHTTP(answer({"error": {"code": "authentication_error"}}, 401), latency=0.001)
    refused: list[KalshiError] = []

    async def call(client: KalshiClient) -> None:
        try:
            await client.exchange.status()
        except AuthenticationError as error:
            refused.append(error)

    async with account(http) as kalshi:
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(call, kalshi)
    assert len(refused) == 5
    assert set(paths(http)) <= {"/account/limits", "/account/endpoint_costs"}


async def test_nothing_is_asked_before_the_first_call() -> None:
    http = ScriptedHTTP(route)
    async with account(http) as kalshi:
        assert kalshi.limits.current == RateLimits()
    assert http.requests == []


async def test_limits_off_and_given() -> None:
    own = RateLimits(read=BucketLimits(50, 70))
    async with public(ScriptedHTTP(STATUS)) as off, public(ScriptedHTTP(STATUS), limits=own) as on:
        assert off.limits.current is None
        assert on.limits.current is own
        assert "<Limiter off>" in repr(off)
        for _ in range(100):
            await off.exchange.status()
        assert off.stats.throttled == 0
    async with KalshiClient(base_url=BASE, http=ScriptedHTTP(STATUS)) as default:
        assert default.limits.current == RateLimits()


async def test_sync_adopts_on_demand() -> None:
    async with account(ScriptedHTTP(route), limits=INHERIT) as kalshi:
        adopted = await kalshi.limits.sync()
        assert adopted.tier == "premier"
        assert kalshi.limits.current == adopted


# ---------------------------------------------------------------------------- wrong options


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"limits": "acount"}, "limits is 'acount'; expected a RateLimits, 'account', None"),
        ({"limits": 10}, "limits is 10; expected"),
        ({"limits": "account"}, "limits='account' asks the exchange for them: that needs a key"),
        ({"max_in_flight": 0}, "max_in_flight is 0; expected 1 or more"),
        ({"max_in_flight": True}, "max_in_flight is True"),
        ({"max_in_flight": "8"}, "max_in_flight is '8'"),
        ({"max_in_flight": 1.5}, "max_in_flight is 1.5"),
        ({"timeout": 0}, "timeout is 0; expected seconds above 0, or None"),
        ({"timeout": "10"}, "timeout is '10'"),
        ({"deadline": -1.0}, "deadline is -1.0"),
        ({"deadline": float("nan")}, "deadline is nan"),
        ({"http": "curl"}, "http is 'curl'; expected 'auto', 'httpx', 'aiohttp'"),
        ({"http": None}, "http is None"),
        ({"http": httpx.AsyncClient}, "http is <class"),
        ({"hooks": LoggingHook()}, "hooks is <.*expected a list of callables"),
        ({"hooks": [1]}, "expected a list of callables"),
        ({"environment": "prod"}, "did you mean 'production'"),
        ({"api_key_id": KEY_ID}, "api_key_id without a private key"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_sent(
    options: dict[str, object], says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        KalshiClient(**options)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=says):
        KalshiClient.from_env(env={}, **options)  # type: ignore[arg-type]


async def test_wrong_options_of_calls_and_views_are_refused() -> None:
    http = ScriptedHTTP(STATUS)
    async with public(http) as kalshi:
        with pytest.raises(ConfigurationError, match="timeout is -1"):
            await kalshi.exchange.status(timeout=-1)
        with pytest.raises(ConfigurationError, match="deadline is 0"):
            await kalshi.with_options(deadline=0).exchange.status()
        with pytest.raises(ConfigurationError, match="expected a list of callables"):
            kalshi.with_options(hooks=LoggingHook())  # type: ignore[arg-type]
    assert http.requests == []


async def test_a_call_that_needs_a_key_says_so() -> None:
    http = ScriptedHTTP(STATUS)
    async with public(http) as kalshi:
        with pytest.raises(ConfigurationError, match=r"GetAccountApiLimits: .*give api_key_id="):
            await kalshi.account.limits()
    assert http.requests == []


@pytest.mark.parametrize("choice", ["auto", "httpx", "aiohttp"])
async def test_an_exchange_that_is_not_there(choice: str) -> None:
    async with public(choice, retry=RetryPolicy(max_attempts=1)) as kalshi:
        with pytest.raises(KalshiError, match="not sent") as caught:
            await kalshi.exchange.status()
    assert not caught.value.may_have_reached_server
    assert not isinstance(caught.value, RequestTimeoutError)
