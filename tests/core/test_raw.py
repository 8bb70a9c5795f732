"""`client.request`: for what has no name yet."""

from __future__ import annotations

import pytest

from kalshi_async import (
    OPERATIONS,
    Bucket,
    BucketLimits,
    DecodeError,
    InvalidRequestError,
    KalshiClient,
    NotFoundError,
    Operation,
    Priority,
    RateLimits,
    RequestTimeoutError,
    Response,
    Retry,
)
from kalshi_async._raw import raw_operation
from kalshi_async.sandbox import Sandbox
from tests.support import ScriptedHTTP, answer

from .keys import ed_key


def client(http: ScriptedHTTP, limits: RateLimits | None = None) -> KalshiClient:
    return KalshiClient(api_key_id="id", private_key=ed_key(), limits=limits, http=http)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_is_known_by_its_path(operation: Operation) -> None:
    path = operation.path.replace("{", "").replace("}", "")
    for given in (path, f"/trade-api/v2{path}"):
        found = raw_operation(operation.method.lower(), given)
        assert (found.name, found.path) == (operation.name, path)
        assert (found.cost, found.bucket) == (operation.cost, operation.bucket)
        assert found.retry is (Retry.SAFE if operation.method == "GET" else Retry.REFUSED)


def test_what_is_not_known_is_an_ordinary_read_or_write() -> None:
    read, write = raw_operation("GET", "/margin/balance"), raw_operation("PATCH", "/margin/x")
    assert (read.name, read.bucket, read.retry) == ("GET /margin/balance", Bucket.READ, Retry.SAFE)
    assert (write.bucket, write.retry, write.priority, write.cost) == (
        Bucket.WRITE,
        Retry.REFUSED,
        Priority.ORDER,
        10,
    )


@pytest.mark.parametrize(
    ("method", "path", "says"),
    [
        ("FETCH", "/x", "expected one of GET"),
        (None, "/x", "expected one of GET"),
        ("GET", "portfolio", 'begins with "/"'),
        ("GET", "https://elsewhere.test/x", 'begins with "/"'),
        ("GET", "//elsewhere.test/x", "percent-encoded"),
        ("GET", "/x?limit=5", "give the query as params="),
        ("GET", "/x#y", "give the query as params="),
        ("GET", "/a b", "percent-encoded"),
        ("GET", "/märkte", "percent-encoded"),
        ("GET", "/x\r\nHost: y", "percent-encoded"),
        ("GET", "/x\n", "percent-encoded"),
        ("GET", "/markets/../portfolio", "segments . and .."),
        ("GET", "", 'begins with "/"'),
    ],
)
async def test_what_is_no_request_is_refused_before_anything_is_sent(
    method: str, path: str, says: str
) -> None:
    http = ScriptedHTTP()
    async with client(http) as kalshi:
        with pytest.raises(InvalidRequestError) as caught:
            await kalshi.request(method, path)
    assert says in str(caught.value)
    assert http.requests == []


async def test_it_is_signed_and_carries_query_and_body() -> None:
    http = ScriptedHTTP(answer({"new": [1]}, status=202))
    async with client(http) as kalshi:
        response = await kalshi.request(
            "post", "/brand/new%20thing", params={"a": 1, "b": None, "c": ["x", "y"]}, json={"k": 1}
        )
    assert isinstance(response, Response)
    assert (response.status, response.json()) == (202, {"new": [1]})
    (request,) = http.requests
    assert request.method == "POST"
    assert request.path == "/trade-api/v2/brand/new%20thing"
    assert request.url.endswith("/brand/new%20thing?a=1&c=x&c=y")
    assert request.body == b'{"k":1}'
    assert "KALSHI-ACCESS-SIGNATURE" in http.headers[0]


async def test_without_a_key_it_goes_unsigned() -> None:
    http = ScriptedHTTP(answer({}))
    async with KalshiClient(http=http, limits=None) as kalshi:
        await kalshi.request("GET", "/brand/new")
    assert "KALSHI-ACCESS-SIGNATURE" not in http.headers[0]


async def test_reads_are_repeated_and_writes_only_where_nothing_was_done() -> None:
    http = ScriptedHTTP(answer(status=503), answer({}))
    async with client(http) as kalshi:
        assert (await kalshi.request("GET", "/brand/new")).attempts == 2
    http = ScriptedHTTP(answer(status=429), RequestTimeoutError("lost"), answer({}))
    async with client(http) as kalshi:
        with pytest.raises(RequestTimeoutError) as caught:
            await kalshi.request("POST", "/brand/new")
    assert (caught.value.attempts, caught.value.outcome_unknown) == (2, True)


async def test_it_is_paced_like_the_operation_it_is() -> None:
    stopped = [0.0]
    http = ScriptedHTTP(answer({"orders": []}))
    async with client(http, RateLimits(write=BucketLimits(100, 100))) as kalshi:
        kalshi._limiter._clock = lambda: stopped[0]
        kalshi._limiter._queues["write"]._clock = lambda: stopped[0]

        async def tokens_of(method: str, path: str, json: object = None) -> float:
            bucket = kalshi._limiter._queues["write"].bucket
            before = bucket.tokens(0.0)
            await kalshi.request(method, path, json=json)
            return before - bucket.tokens(0.0)

        assert await tokens_of("DELETE", "/portfolio/events/orders/some-id") == 2
        assert await tokens_of("DELETE", "/brand/new") == 10
        batch = {"orders": [{"order_id": str(number)} for number in range(20)]}
        assert await tokens_of("DELETE", "/portfolio/events/orders/batched", batch) == 40
        assert await tokens_of("DELETE", "/portfolio/events/orders/batched", {"orders": 3}) == 2


def test_a_body_that_is_no_json_says_so() -> None:
    assert Response(204, {}, b"").json() is None
    with pytest.raises(DecodeError, match="no JSON"):
        Response(200, {}, b"<html>").json()


async def test_on_the_exchange() -> None:
    async with Sandbox.serve(seed=3) as exchange, exchange.client() as kalshi:
        said = (await kalshi.request("GET", "/portfolio/balance")).json()
        assert isinstance(said, dict)
        assert said["balance"] == (await kalshi.portfolio.balance()).balance
        with pytest.raises(NotFoundError):
            await kalshi.request("GET", "/brand/new")
