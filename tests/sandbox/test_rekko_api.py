"""The stand-in of the intelligence API over real sockets: its key, faults, waiting, webhooks."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiohttp import web

from kalshi_async.sandbox import Faults, Sandbox
from kalshi_async.sandbox._run import environment

FED = "KXFED-26MAR19"
MARKET = f"/v1/markets/kalshi/{FED}"


def caller(exchange: Sandbox) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {exchange.rekko_api_key}"}
    return httpx.AsyncClient(
        base_url=exchange.rekko_url, headers=headers, trust_env=False, verify=False
    )


@pytest.fixture
async def exchange() -> AsyncIterator[Sandbox]:
    async with Sandbox.serve(seed=7, markets=100, tier=None, analysis_seconds=0.0) as running:
        yield running


@pytest.fixture
async def http(exchange: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with caller(exchange) as client:
        yield client


async def until(happened: Callable[[], bool]) -> None:
    """Let the event loop go on until something has happened."""
    async with asyncio.timeout(20):
        while not happened():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0)


async def analyzed(http: httpx.AsyncClient) -> Any:
    started = await http.post(f"{MARKET}/analyze")
    assert started.status_code == 202
    path = f"{MARKET}/analyze/{started.json()['analysis_id']}/status"
    while (told := (await http.get(path)).json())["status"] != "complete":
        assert told["status"] in ("pending", "running")
    return (await http.get(f"{MARKET}/analysis")).json()


async def test_the_three_steps_of_the_guide(http: httpx.AsyncClient) -> None:
    market = (await http.get(MARKET)).json()
    analysis = await analyzed(http)
    asked = {"platform": "kalshi", "market_id": FED}
    signal = (await http.post("/v1/signals", params={"wait": "true"}, json=asked)).json()
    assert analysis["market_price"] == market["yes_price"]
    assert signal["edge"] == analysis["edge"]
    assert signal["made_up"] is analysis["made_up"] is True


@pytest.mark.parametrize("sent", [b"", b"Bearer", b"Bearer wrong", b"Bearer \xff\xfe", b"Basic a"])
async def test_only_its_key_is_let_in(exchange: Sandbox, sent: bytes) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        for headers in ({}, {b"Authorization": sent}):
            answer = await http.get(exchange.rekko_url + MARKET, headers=headers)
            assert answer.status_code == 401
            assert answer.json()["code"] == "invalid_api_key"
            assert exchange.rekko_api_key not in answer.text


async def test_the_key_comes_from_the_seed(exchange: Sandbox) -> None:
    async with Sandbox.serve(seed=7, markets=1) as same, Sandbox.serve(seed=8, markets=1) as other:
        assert same.rekko_api_key == exchange.rekko_api_key != other.rekko_api_key


async def test_what_no_call_answers_for_has_the_shape_of_this_api(http: httpx.AsyncClient) -> None:
    for method, path, status in (("GET", "/v1/nothing", 404), ("DELETE", MARKET, 405)):
        answer = await http.request(method, path)
        assert answer.status_code == status
        assert set(answer.json()) == {"detail", "code"}
    answer = await http.post("/v1/signals", content=b"{not json")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
    answer = await http.post("/v1/signals", content=b"[]")
    assert answer.status_code == 422
    # The exchange next door keeps its own shape.
    answer = await http.get("/trade-api/v2/nothing")
    assert "error" in answer.json()


async def test_prices_are_those_of_the_live_book(
    exchange: Sandbox, http: httpx.AsyncClient
) -> None:
    async with exchange.client() as kalshi:
        await kalshi.orders.create(FED, action="buy", side="yes", count=1, price="0.62")
    market = (await http.get(MARKET)).json()
    assert (market["yes_bid"], market["yes_ask"], market["yes_price"]) == (0.62, 0.63, 0.625)
    analysis = await analyzed(http)
    assert analysis["market_price"] == 0.625


async def test_faults_are_aimed_by_the_names_of_the_calls() -> None:
    faults = Faults().on("RekkoGetMarket", status=429).on("RekkoAnalyze", drop=True, processed=True)
    faults.on("RekkoListEvents", status=502)
    async with Sandbox.serve(seed=7, markets=50, faults=faults) as exchange:
        async with caller(exchange) as http:
            limited = await http.get(MARKET)
            assert (limited.status_code, limited.headers["Retry-After"]) == (429, "1")
            assert limited.json()["code"] == "rate_limited"
            assert (await http.get(MARKET)).status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                await http.post(f"{MARKET}/analyze")
            assert "under way" in repr(exchange.rekko_desk)
            assert len(exchange.rekko_desk.runs.by_id) == 1
            assert (await http.get("/v1/events")).headers["Content-Type"].startswith("text/html")
        assert exchange.requests["RekkoGetMarket", 429] == 1
        assert exchange.requests["RekkoGetMarket", 200] == 1
        assert exchange.requests["RekkoAnalyze", 0] == 1


# ---------------------------------------------------------------------------- waiting


async def test_a_signal_waits_until_the_run_is_over(
    exchange: Sandbox, http: httpx.AsyncClient
) -> None:
    exchange.rekko_desk.hold(FED)
    asked = http.post("/v1/signals?wait=true", json={"market_query": FED})
    waiting = asyncio.create_task(asked)
    await until(lambda: bool(exchange.rekko_desk.runs.by_id))
    status = f"{MARKET}/analyze/{next(iter(exchange.rekko_desk.runs.by_id))}/status"
    assert (await http.get(status)).json()["status"] in ("pending", "running")
    assert not waiting.done()
    exchange.rekko_desk.release(FED)
    assert (await waiting).json()["market_id"] == FED


async def test_the_exchange_stops_while_somebody_waits() -> None:
    async with Sandbox.serve(seed=7, markets=50) as exchange:
        exchange.rekko_desk.hold(FED)
        async with caller(exchange) as http:
            asked = http.post("/v1/signals?wait=true", json={"market_query": FED})
            waiting = asyncio.create_task(asked)
            await until(lambda: bool(exchange.rekko_desk.runs.by_id))
            await asyncio.wait_for(exchange._stop(), 10)
            answered = (await asyncio.gather(waiting, return_exceptions=True))[0]
    if isinstance(answered, httpx.Response):
        assert answered.status_code == 503
    else:
        assert isinstance(answered, httpx.TransportError)


async def test_who_gives_up_waiting_leaves_the_run_as_it_is(exchange: Sandbox) -> None:
    exchange.rekko_desk.hold(FED)
    async with caller(exchange) as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.post("/v1/signals?wait=true", json={"market_query": FED}, timeout=0.1)
    await until(lambda: bool(exchange.requests["RekkoSignal", 503]))
    (run,) = exchange.rekko_desk.runs.by_id.values()
    assert not run.over


async def test_others_are_served_while_the_first_list_is_made() -> None:
    async with Sandbox.serve(seed=7, markets=1500, tier=None) as exchange, caller(exchange) as http:
        await asyncio.gather(http.get(MARKET), http.get(MARKET))  # connections for both
        done: list[str] = []

        async def get(path: str) -> None:
            assert (await http.get(path)).status_code == 200
            done.append(path)

        async with asyncio.TaskGroup() as tasks:
            for path in ("/v1/markets", MARKET):
                tasks.create_task(get(path))
    assert done == [MARKET, "/v1/markets"]


# ---------------------------------------------------------------------------- webhooks


@asynccontextmanager
async def receiver(
    status: int = 200, **headers: str
) -> AsyncIterator[tuple[str, asyncio.Queue[Any]]]:
    """A server on loopback that keeps what is posted to it."""
    told: asyncio.Queue[Any] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        await told.put((await request.read(), dict(request.headers)))
        return web.Response(status=status, headers=headers)

    app = web.Application()
    app.router.add_post("/rekko", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/rekko", told
    finally:
        await runner.cleanup()


def genuine(body: bytes, headers: dict[str, str], secret: str) -> bool:
    stamp, digest = (part.split("=")[1] for part in headers["X-Rekko-Signature"].split(","))
    signed = f"{stamp}.".encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() == digest


async def test_webhooks_are_told_and_the_telling_is_signed(
    exchange: Sandbox, http: httpx.AsyncClient
) -> None:
    async with receiver() as (url, told):
        hook = {"url": url, "events": ["analysis_complete"], "secret": "s3cret"}
        made = await http.post("/v1/webhooks", json=hook)
        assert made.status_code == 201
        assert "secret" not in made.json()
        other = {"url": url, "events": ["price_shift", "whale_alert"]}
        second = (await http.post("/v1/webhooks", json=other)).json()
        assert second["secret"]
        shown = (await http.get("/v1/webhooks")).json()["webhooks"]
        assert [webhook["id"] for webhook in shown] == [made.json()["id"], second["id"]]
        assert not any("secret" in webhook for webhook in shown)

        analysis = await analyzed(http)
        body, headers = await asyncio.wait_for(told.get(), 10)
        assert genuine(body, headers, "s3cret")
        assert not genuine(body + b" ", headers, "s3cret")
        event = json.loads(body)
        assert (event["type"], event["data"]) == ("analysis_complete", analysis)

        twin = next(iter(exchange.rekko_desk.venues.open("polymarket")))
        exchange.rekko_desk.shift_price(*twin.key, "-0.03")
        body, headers = await asyncio.wait_for(told.get(), 10)
        assert genuine(body, headers, second["secret"])
        data = json.loads(body)["data"]
        assert data["to_price"] < data["from_price"]

        assert (await http.delete(f"/v1/webhooks/{second['id']}")).status_code == 204
        assert (await http.delete(f"/v1/webhooks/{second['id']}")).status_code == 404
        exchange.rekko_desk.announce("whale_alert", {"size_usd": 10**6})
        await analyzed(http)
        assert json.loads((await asyncio.wait_for(told.get(), 10))[0])["type"] == event["type"]
        assert told.empty()
    events = [delivery.event for delivery in exchange.rekko_desk.deliveries]
    assert events == ["analysis_complete", "price_shift", "analysis_complete"]
    assert exchange.rekko_desk.deliveries[0].status == 200
    assert "s3cret" not in repr(exchange.rekko_desk.webhooks) + repr(exchange.rekko_desk.deliveries)


async def test_a_receiver_cannot_send_a_delivery_elsewhere(
    exchange: Sandbox, http: httpx.AsyncClient
) -> None:
    async with receiver() as (elsewhere, taken), receiver(307, location=elsewhere) as (url, told):
        hook = {"url": url, "events": ["whale_alert"]}
        assert (await http.post("/v1/webhooks", json=hook)).status_code == 201
        exchange.rekko_desk.announce("whale_alert", {})
        await asyncio.wait_for(told.get(), 10)
        sent = exchange.rekko_desk.deliveries
        await until(lambda: sent[0].status is not None)
        assert sent[0].status == 307
        assert taken.empty()


async def test_the_exchange_stops_while_a_receiver_thinks() -> None:
    asked, over = asyncio.Event(), asyncio.Event()

    async def think(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await over.wait()
        writer.close()

    async with Sandbox.serve(seed=7, markets=50) as exchange, caller(exchange) as http:
        server = await asyncio.start_server(think, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        hook = {"url": f"http://127.0.0.1:{port}/", "events": ["whale_alert"]}
        assert (await http.post("/v1/webhooks", json=hook)).status_code == 201
        exchange.rekko_desk.announce("whale_alert", {})
        await asyncio.wait_for(asked.wait(), 10)
    (sent,) = exchange.rekko_desk.deliveries
    assert (sent.status, sent.error) == (None, None), "it was broken off, not waited for"
    over.set()
    server.close()
    await server.wait_closed()


async def test_a_receiver_that_is_gone_is_noted(
    exchange: Sandbox, http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiver() as (url, _):
        pass
    hook = {"url": url, "events": ["whale_alert"]}
    assert (await http.post("/v1/webhooks", json=hook)).status_code == 201
    exchange.rekko_desk.announce("whale_alert", {})
    sent = exchange.rekko_desk.deliveries
    await until(lambda: bool(sent) and sent[0].error is not None)
    assert sent[0].status is None
    assert "was not told of whale_alert" in caplog.text


# ---------------------------------------------------------------------------- beside the API


async def test_its_settings_follow_those_of_the_exchange(exchange: Sandbox) -> None:
    lines = environment(exchange)
    assert [line.split("=")[0] for line in lines[:5]] == [
        "KALSHI_ENV",
        "KALSHI_BASE_URL",
        "KALSHI_WS_URL",
        "KALSHI_API_KEY_ID",
        "KALSHI_PRIVATE_KEY_PATH",
    ]
    assert lines[5:] == [
        f"REKKO_API_URL={exchange.rekko_url}",
        f"REKKO_API_KEY={exchange.rekko_api_key}",
    ]
    assert exchange.base_url.startswith(exchange.rekko_url)
