"""The web service: one client for all requests, and what becomes of errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import httpx
import pytest

from kalshi_async import KalshiClient
from kalshi_async.orders import Certainty
from kalshi_async.sandbox import Faults, Sandbox

from .loading import load

service = load("web_service")
ORDER: dict[str, Any] = {
    "ticker": service.TICKER,
    "action": "buy",
    "side": "yes",
    "count": 10,
    "price": "0.10",
}


@asynccontextmanager
async def visiting(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """The service between its start and its end, and someone who asks it."""
    browser = httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://service", trust_env=False
    )
    async with app.router.lifespan_context(app), browser as web:
        yield web


@asynccontextmanager
async def served(
    faults: Faults | None = None, **options: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, Sandbox]]:
    async with Sandbox.serve(seed=7, tier=None, faults=faults) as exchange:
        chosen = {"limits": None} | options
        async with visiting(service.create_app(lambda: exchange.client(**chosen))) as web:
            yield web, exchange


async def test_the_app_reads_its_settings_from_the_environment_when_it_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Sandbox.serve(seed=7) as exchange:
        monkeypatch.setenv("KALSHI_ENV", "sandbox")
        monkeypatch.setenv("KALSHI_BASE_URL", exchange.base_url)
        monkeypatch.setenv("KALSHI_API_KEY_ID", exchange.api_key_id)
        monkeypatch.setenv("KALSHI_PRIVATE_KEY_PATH", str(exchange.private_key_path))
        async with visiting(service.app) as web:
            client: KalshiClient = service.app.state.kalshi
            seen = (await web.get(f"/markets/{service.TICKER}")).json()
            placed = await web.post("/orders", json=ORDER)
            assert service.app.state.kalshi is client
            assert not client.closed
        assert client.closed
        assert exchange.requests["CreateOrderV2", 201] == 1
    assert (seen["bid"], seen["ask"], seen["status"]) == ("0.6100", "0.6300", "active")
    assert seen["book"]["yes"][0] == ["0.6100", "1250.00"]
    assert placed.status_code == 201


async def test_an_order_lives_from_post_to_delete() -> None:
    async with served() as (web, exchange):
        placed = await web.post("/orders", json=ORDER)
        assert placed.status_code == 201
        path = f"/orders/{placed.json()['order_id']}"
        order = await web.get(path)
        assert (order.status_code, order.json()["status"]) == (200, "resting")
        assert (Decimal("0.10"), Decimal(10)) in exchange.book(service.TICKER)["yes"]
        gone = await web.delete(path)
        assert (gone.status_code, gone.json()["reduced_by"]) == (200, "10.00")
        assert (await web.get(path)).json()["status"] == "canceled"


async def test_numbers_of_json_are_exact() -> None:
    async with served() as (web, _):
        body = '{"ticker":"%s","action":"buy","side":"yes","count":1.10,"price":0.29}'
        placed = await web.post("/orders", content=body % service.TICKER)
        order = await web.get(f"/orders/{placed.json()['order_id']}")
    assert order.json()["yes_price_dollars"] == "0.2900"
    assert order.json()["remaining_count_fp"] == "1.10"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"price": "1.20"}, "price is 1.20"),
        ({"price": "NaN"}, "price"),
        ({"count": 0}, "count is 0"),
        ({"side": "maybe"}, "side"),
        ({"colour": "red"}, "colour"),
        ({"client_order_id": "no spaces"}, "client_order_id"),
    ],
)
async def test_a_wrong_order_is_refused_and_nothing_is_sent(
    change: dict[str, object], said: str
) -> None:
    async with served() as (web, exchange):
        refused = await web.post("/orders", json=ORDER | change)
        assert refused.status_code == 422
        assert said in refused.json()["error"]
        assert (await web.post("/orders", content=b"{")).status_code == 422
        assert exchange.requests.total() == 0


async def test_the_exchange_refuses() -> None:
    async with served() as (web, _):
        poor = await web.post("/orders", json=ORDER | {"count": 1_000_000})
        assert (poor.status_code, poor.json()["code"]) == (400, "insufficient_balance")
        named = ORDER | {"client_order_id": "mine"}
        assert (await web.post("/orders", json=named)).status_code == 201
        other = await web.post("/orders", json=named | {"count": 11})
        assert (other.status_code, other.json()["code"]) == (409, "order_already_exists")
        assert (await web.get("/markets/KXNONE")).status_code == 404


async def test_an_unknown_outcome_is_said_and_asking_again_places_nothing_twice() -> None:
    faults = Faults(seed=7)
    faults.on("CreateOrderV2", times=1000, drop=True, processed=True)
    faults.on("GetOrders", times=1000, status=503)
    async with served(faults, deadline=0.5, certainty=Certainty(patience=0.2)) as (web, exchange):
        lost = await web.post("/orders", json=ORDER)
        assert lost.status_code == 202
        assert lost.json()["status"] == "unknown"
        exchange.faults = Faults(seed=7)
        again = await web.post(
            "/orders", json=ORDER | {"client_order_id": lost.json()["client_order_id"]}
        )
        assert again.status_code == 201
        assert again.json()["recovered"] is True
        async with exchange.client() as kalshi:
            assert len(await kalshi.orders.list().collect()) == 1


async def test_a_rate_limit_becomes_503_and_an_unreachable_exchange_502() -> None:
    faults = Faults(seed=7).on("GetMarket", times=1000, status=429)
    async with served(faults, retry=None) as (web, exchange):
        throttled = await web.get(f"/markets/{service.TICKER}")
        assert (throttled.status_code, throttled.headers["Retry-After"]) == (503, "1")
        exchange.faults = Faults(seed=7).on("GetMarket", times=1000, drop=True)
        assert (await web.get(f"/markets/{service.TICKER}")).status_code == 502


async def test_a_cancellation_that_takes_too_long_is_504() -> None:
    faults = Faults(seed=7).on("CancelOrderV2", times=1000, drop=True, processed=False)
    async with served(faults, deadline=0.3) as (web, _):
        placed = await web.post("/orders", json=ORDER)
        late = await web.delete(f"/orders/{placed.json()['order_id']}")
        assert late.status_code == 504
        assert late.json()["outcome_unknown"] is True


async def test_all_requests_share_one_budget() -> None:
    """More visitors at once than the tier allows requests: they wait, none is turned away."""
    async with Sandbox.serve(seed=7, tier="basic") as exchange:
        app = service.create_app(lambda: exchange.client(limits="account"))
        async with visiting(app) as web:
            path = f"/markets/{service.TICKER}"
            pages = await asyncio.gather(*(web.get(path) for _ in range(16)))
        assert {page.status_code for page in pages} == {200}
        assert {status for _, status in exchange.requests} == {200}
