"""The client against the exchange's stand-in: the whole way from market to signal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from kalshi_async import (
    AnalysisFailedError,
    AnalysisPendingError,
    AuthenticationError,
    InvalidParametersError,
    NotFoundError,
    PlanRequiredError,
    QuotaExceededError,
)
from kalshi_async.analytics.quotes import Quote
from kalshi_async.rekko import Analysis, Holding, Listing, RekkoClient, WebhookEvent, verify
from kalshi_async.sandbox import Sandbox

MARKET = ("kalshi", "KXFED-26MAR19")


@pytest.fixture
async def exchange() -> AsyncIterator[Sandbox]:
    async with Sandbox.serve(seed=7, markets=200, analysis_seconds=0.0) as served:
        yield served


@pytest.fixture
async def rekko(exchange: Sandbox) -> AsyncIterator[RekkoClient]:
    async with exchange.rekko(limits=None) as client:
        yield client


async def analyzed(rekko: RekkoClient) -> Analysis:
    """An analysis without the wait before the first look, which is for runs that take time."""
    run = await rekko.analyses.start(*MARKET)
    return await rekko.resume(*MARKET, run.analysis_id)


async def test_from_market_to_signal(rekko: RekkoClient) -> None:
    market = await rekko.markets.get(*MARKET)
    assert (market.platform, market.market_id) == MARKET
    assert market.title
    assert market.yes_price is not None
    assert Quote.from_rekko(market).venue == "kalshi"
    analysis = await rekko.analyze(*MARKET)
    assert analysis.probability is not None
    assert analysis.market_price is not None
    assert analysis.edge == analysis.probability - analysis.market_price
    assert sum(one.probability or 0 for one in analysis.scenarios) == 1
    assert analysis.extra["made_up"] is True
    signal = await rekko.signals.get(platform=MARKET[0], market_id=MARKET[1])
    assert signal.recommendation == analysis.recommendation
    assert signal.size_pct is not None
    assert 0 <= signal.size_pct <= 1
    assert rekko.stats.drifted_fields == rekko.stats.undecoded_items == 0


async def test_every_call_is_answered_and_understood(rekko: RekkoClient) -> None:
    await analyzed(rekko)
    listed = await rekko.markets.list(source="kalshi", limit=5)
    assert len(listed) == 5
    assert listed.total is not None
    ids = [one.market_id for one in listed]
    found: list[Any] = [
        await rekko.markets.history(*MARKET, period="48h", max_points=5),
        await rekko.markets.resolution(*MARKET),
        await rekko.markets.execution(*MARKET),
        await rekko.markets.consensus(*MARKET),
        await rekko.analyses.list(limit=5),
        await rekko.signals.portfolio(
            market_query=MARKET[1],
            bankroll_usd=1000,
            max_position_pct="0.05",
            portfolio=[Holding(ids[0], "yes", "25.00")],
        ),
        await rekko.screen(platform="kalshi", limit=5),
        await rekko.arbitrage(),
        await rekko.arbitrage(live=True, min_spread="0.01"),
        await rekko.correlation(ids[:3], platform="kalshi", period="7d"),
        await rekko.events.list(limit=3),
        await rekko.events.trending(limit=3),
        await rekko.calibration(),
        await rekko.performance(),
        await rekko.trades.report(
            market_id=MARKET[1], platform="kalshi", side="yes", size_usd="12.40", price="0.62"
        ),
    ]
    for one in found:
        assert one if isinstance(one, Listing) else one.extra is not None, one
    slug = found[10][0].slug
    assert (await rekko.events.get(slug)).slug == slug
    assert await rekko.events.markets(slug, limit=5)
    assert await rekko.events.search((await rekko.events.get(slug)).title or "")
    assert rekko.stats.drifted_fields == rekko.stats.undecoded_items == 0
    assert rekko.stats.failures == 0


async def test_errors_have_their_types(exchange: Sandbox, rekko: RekkoClient) -> None:
    with pytest.raises(NotFoundError):
        await rekko.markets.get("kalshi", "NOSUCH")
    with pytest.raises(NotFoundError):
        await rekko.analyses.get(*MARKET)
    with pytest.raises(InvalidParametersError):
        await rekko.request("GET", "/markets", params={"limit": 1000})
    async with RekkoClient("another-key", base_url=exchange.rekko_url) as stranger:
        with pytest.raises(AuthenticationError):
            await stranger.markets.list()
    exchange.rekko_desk.plan = "free"
    with pytest.raises(PlanRequiredError) as plan:
        await rekko.analyze(*MARKET)
    assert (plan.value.plan, plan.value.required_plan) == ("free", "pro")
    exchange.rekko_desk.plan = "pro"
    exchange.rekko_desk.quota = 0
    with pytest.raises(QuotaExceededError) as quota:
        await rekko.analyze(*MARKET)
    assert quota.value.resets_at is not None
    assert quota.value.attempts == 1


async def test_runs_that_hang_and_runs_that_fail(exchange: Sandbox, rekko: RekkoClient) -> None:
    desk = exchange.rekko_desk
    desk.hold(MARKET[1])
    with pytest.raises(AnalysisPendingError) as pending:
        await rekko.analyze(*MARKET, timeout=0.05)
    desk.release(MARKET[1])
    analysis = await pending.value.resume()
    assert analysis.analysis_id == pending.value.analysis_id
    desk.fail(MARKET[1], "the sources are shut")
    with pytest.raises(AnalysisFailedError, match="the sources are shut"):
        await analyzed(rekko)


async def test_a_delivery_is_verified(rekko: RekkoClient) -> None:
    received: list[WebhookEvent] = []
    arrived = anyio.Event()
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        hook = await rekko.webhooks.create(
            f"http://127.0.0.1:{port}/hook", events=["analysis_complete"]
        )
        assert hook.secret is not None
        secret = hook.secret

        async def receive(stream: SocketStream) -> None:
            async with stream:
                buffered = BufferedByteReceiveStream(stream)
                head = (await buffered.receive_until(b"\r\n\r\n", 65536)).decode()
                fields = dict(
                    line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line
                )
                body = await buffered.receive_exactly(int(fields["content-length"]))
                await stream.send(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
                received.append(verify(body, fields["x-rekko-signature"], secret, tolerance=None))
                arrived.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, receive)
            analysis = await analyzed(rekko)
            with anyio.fail_after(10):
                await arrived.wait()
            tasks.cancel_scope.cancel()
    (event,) = received
    assert event.type == "analysis_complete"
    assert isinstance(event.data, Analysis)
    assert event.data.probability == analysis.probability != Decimal(0)
    assert [one.id for one in await rekko.webhooks.list()] == [hook.id]
    assert hook.id is not None
    await rekko.webhooks.delete(hook.id)
    assert not await rekko.webhooks.list()
