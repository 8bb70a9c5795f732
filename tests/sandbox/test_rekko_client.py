"""The client of this package against the stand-in: every call is understood, nothing set aside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from aiohttp import web

from kalshi_async import (
    AnalysisFailedError,
    AnalysisPendingError,
    AuthenticationError,
    InvalidParametersError,
    NotFoundError,
    PlanRequiredError,
    QuotaExceededError,
    ServerError,
)
from kalshi_async.analytics.quotes import Quote
from kalshi_async.rekko import REKKO_OPERATIONS, Analysis, Holding, PriceShift, RekkoClient, verify
from kalshi_async.sandbox import Sandbox
from kalshi_async.sandbox._rekko.operations import REKKO_OPERATIONS as ANSWERED

FED = ("kalshi", "KXFED-26MAR19")


@pytest.fixture
async def exchange() -> AsyncIterator[Sandbox]:
    async with Sandbox.serve(seed=7, markets=100, tier=None, analysis_seconds=0.0) as running:
        yield running


@pytest.fixture
async def rekko(exchange: Sandbox) -> AsyncIterator[RekkoClient]:
    async with exchange.rekko(limits=None) as client:
        yield client
        assert client.stats.drifted_fields == 0
        assert client.stats.undecoded_items == 0


def test_the_client_and_the_stand_in_know_the_same_calls() -> None:
    ours = {(each.name, each.method, each.path) for each in REKKO_OPERATIONS}
    assert ours == {(each.name, each.method, each.path) for each in ANSWERED}


async def test_every_call_is_understood(exchange: Sandbox, rekko: RekkoClient) -> None:
    markets = await rekko.markets.list(limit=20)
    assert len(markets) == 20
    (own,) = await rekko.markets.list(source="kalshi", query="fed cut")
    assert (own.market_id, own.yes_price) == (FED[1], Decimal("0.62"))
    assert await rekko.markets.get(*FED) == own
    history = await rekko.markets.history(*FED, period="30d", max_points=10)
    assert history[-1].price == own.yes_price
    assert (await rekko.markets.resolution(*FED)).hours_left
    assert (await rekko.markets.execution(*FED)).spread == Decimal("0.02")
    consensus = await rekko.markets.consensus(*FED, period="48h")
    assert len(consensus.platforms) >= 2

    started = await rekko.analyses.start(*FED)
    analysis = await rekko.resume(*FED, started.analysis_id)
    assert (await rekko.analyses.status(*FED, started.analysis_id)).complete
    assert analysis.probability is not None
    assert analysis.market_price is not None
    assert analysis.edge == analysis.probability - analysis.market_price
    assert sum(scenario.probability or 0 for scenario in analysis.scenarios) == 1
    assert analysis.extra["made_up"] is True
    assert list(await rekko.analyses.list(limit=5)) == [analysis]

    assert Quote.from_rekko(own).venue == "kalshi"
    signal = await rekko.signals.get(platform=FED[0], market_id=FED[1], risk_limit="low")
    assert signal.recommendation == analysis.recommendation == "buy_yes"
    assert signal.size_pct == Decimal("0.05")
    exact = await rekko.signals.get(market_query=FED[1], risk_limit=Decimal("0.2"))
    assert exact.size_pct == Decimal("0.2")
    sized = await rekko.signals.portfolio(
        market_query=FED[1],
        bankroll_usd="1000",
        max_position_pct="0.1",
        portfolio=[Holding(FED[1], "yes", "25.50")],
    )
    assert (sized.size_usd, sized.correlated) == (Decimal("74.5"), (FED[1],))

    screened = await rekko.screen(platform="kalshi", min_volume_24h="1", min_score="0.1", limit=5)
    assert 0 < len(screened) <= 5
    for live in (False, True):
        found = await rekko.arbitrage(min_spread="0.005", live=live)
        assert found.as_of is not None
        assert all(len(opportunity.legs) == 2 for opportunity in found)
    pair = await rekko.correlation([FED[1], consensus.platforms[1].market_id])
    assert len(pair) == 1

    (event, *_) = await rekko.events.list(source="kalshi", category="Economics", limit=3)
    assert event.slug is not None
    assert len((await rekko.events.list(featured=True, expand="markets"))[0].markets) > 0
    assert await rekko.events.trending(limit=2)
    assert (await rekko.events.search("fed"))[0].slug == FED[1].lower()
    whole = await rekko.events.get(event.slug, expand="markets")
    assert whole.markets == tuple(await rekko.events.markets(event.slug))

    assert len((await rekko.calibration(period="30d")).buckets) == 10
    assert (await rekko.performance(category="Economics")).signals
    platform, market_id = FED
    told = await rekko.trades.report(
        market_id=market_id, platform=platform, side="yes", size_usd="10", price="0.62"
    )
    assert told.accepted is True
    assert exchange.rekko_desk.reports[0]["price"] == 0.62

    made = await rekko.webhooks.create("http://127.0.0.1:9/", events=["price_shift"])
    assert made.secret is not None
    assert made.id is not None
    assert [hook.id for hook in await rekko.webhooks.list()] == [made.id]
    await rekko.webhooks.delete(made.id)
    answered = {name for name, status in exchange.requests if status < 300}
    assert answered == {operation.name for operation in ANSWERED}


async def test_refusals_come_as_their_own_errors(exchange: Sandbox, rekko: RekkoClient) -> None:
    desk = exchange.rekko_desk
    with pytest.raises(NotFoundError):
        await rekko.markets.get("kalshi", "KXNONE")
    with pytest.raises(NotFoundError, match="not analyzed"):
        await rekko.analyses.get(*FED)
    with pytest.raises(InvalidParametersError, match="source"):
        await rekko.markets.list(source="nyse")
    async with exchange.rekko(api_key="rk_other") as stranger:
        with pytest.raises(AuthenticationError):
            await stranger.markets.list()
    desk.quota = 0
    with pytest.raises(QuotaExceededError) as spent:
        await rekko.analyze(*FED)
    assert spent.value.quota == 0
    assert spent.value.resets_at is not None
    desk.quota, desk.plan = None, "free"
    with pytest.raises(PlanRequiredError) as plan:
        await rekko.signals.get(market_query=FED[1])
    assert (plan.value.plan, plan.value.required_plan) == ("free", "pro")
    desk.plan = "pro"
    desk.fail(FED[1], "no sources")
    failing = await rekko.analyses.start(*FED)
    with pytest.raises(AnalysisFailedError, match="no sources"):
        await rekko.resume(*FED, failing.analysis_id)
    with pytest.raises(ServerError, match="no sources"):
        await rekko.signals.get(market_query=FED[1])
    desk.release(FED[1])
    desk.hold(FED[1])
    with pytest.raises(AnalysisPendingError) as pending:
        await rekko.analyze(*FED, timeout=0.1)
    desk.release(FED[1])
    assert (await pending.value.resume()).analysis_id == pending.value.analysis_id


async def test_webhooks_of_the_stand_in_are_found_genuine(
    exchange: Sandbox, rekko: RekkoClient
) -> None:
    told: asyncio.Queue[tuple[bytes, str]] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        await told.put((await request.read(), request.headers["X-Rekko-Signature"]))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        hook = await rekko.webhooks.create(url, events=["price_shift", "analysis_complete"])
        assert hook.secret is not None
        run = await rekko.analyses.start(*FED)
        event = verify(*await asyncio.wait_for(told.get(), 20), hook.secret)
        assert isinstance(event.data, Analysis)
        assert event.data == await rekko.resume(*FED, run.analysis_id)
        (twin, *_) = await rekko.markets.list(source="polymarket", limit=1)
        exchange.rekko_desk.shift_price(twin.platform, twin.market_id, "0.01")
        event = verify(*await asyncio.wait_for(told.get(), 20), hook.secret)
        assert isinstance(event.data, PriceShift)
        assert event.data.market_id == twin.market_id
        moved = (await rekko.markets.get(twin.platform, twin.market_id)).yes_price
        assert event.data.to_price == moved == (twin.yes_price or 0) + Decimal("0.01")
    finally:
        await runner.cleanup()
