"""Packages bought on the embedded exchange, and paid out in every way the event can end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from kalshi_async import KalshiClient
from kalshi_async.analytics import arbitrage
from kalshi_async.analytics.arbitrage import Package
from kalshi_async.analytics.schedules import FeeSchedules
from kalshi_async.models import Event
from kalshi_async.orders import OrderRequest, Placed
from kalshi_async.sandbox import Sandbox

HALF = Decimal("0.5")


@pytest.fixture
async def exchange() -> AsyncIterator[Sandbox]:
    async with Sandbox.serve(seed=7, markets=120, tier=None, deposit="1000000") as serving:
        yield serving


async def open_events(kalshi: KalshiClient, *, exclusive: bool, least: int) -> list[Event]:
    """Events of the exchange all of whose markets trade; ladders come with the lowest first."""
    found = []
    async for event in kalshi.events.list(with_nested_markets=True, status="open"):
        markets = event.markets or []
        alike = len({market.strike_type for market in markets}) == 1
        trading = len(markets) >= least and all(market.is_open for market in markets)
        if event.mutually_exclusive is exclusive and alike and trading:
            found.append(event)
    return found


async def rest(maker: KalshiClient, ticker: str, side: str, price: str, exchange: Sandbox) -> None:
    """Take whatever is offered up to a price, and bid it for 20 contracts more."""
    there = exchange.book(ticker)
    other = there["no" if side == "yes" else "yes"]
    crossing = sum((size for bid, size in other if 1 - bid <= Decimal(price)), Decimal(0))
    await maker.orders.create(
        ticker,
        action="buy",
        side="yes" if side == "yes" else "no",
        count=crossing + 20,
        price=price,
    )


async def find(kalshi: KalshiClient, ticker: str) -> list[Package]:
    event = await kalshi.events.get(ticker)
    tickers = [market.ticker for market in event.markets or ()]
    books = {book.ticker or "": book for book in await kalshi.markets.orderbooks(tickers=tickers)}
    fees = await FeeSchedules(kalshi).of(event)
    return arbitrage.find(event, books, fees=fees)


async def buy(kalshi: KalshiClient, package: Package) -> Decimal:
    """Place all legs; the money that there was before."""
    before = (await kalshi.portfolio.balance()).balance_dollars
    outcomes = await kalshi.orders.place_many(package.requests())
    assert len(outcomes) == len(package.legs)
    for outcome in outcomes:
        assert isinstance(outcome, Placed)
        assert isinstance(outcome.request, OrderRequest)
        assert outcome.order.fill_count == package.count
    assert (await kalshi.portfolio.balance()).balance_dollars >= before - package.capital
    return before


@asynccontextmanager
async def two_accounts(exchange: Sandbox) -> AsyncIterator[tuple[KalshiClient, KalshiClient]]:
    """A client of the first account, and one of another."""
    other = exchange.add_account()
    keys = {"api_key_id": other.api_key_id, "private_key": other.private_key_pem}
    async with (
        exchange.client(limits=None) as kalshi,
        exchange.client(limits=None, **keys) as maker,
    ):
        yield kalshi, maker


@pytest.mark.parametrize("values", [("yes", "no"), ("no", "yes"), ("no", "no"), (HALF, HALF)])
async def test_no_of_outcomes_that_exclude_each_other(
    exchange: Sandbox, values: tuple[str | Decimal, ...]
) -> None:
    async with two_accounts(exchange) as (kalshi, maker):
        event = (await open_events(kalshi, exclusive=True, least=2))[0]
        first, second = (market.ticker for market in (event.markets or [])[:2])
        await rest(maker, first, "yes", "0.70", exchange)
        await rest(maker, second, "yes", "0.65", exchange)
        package = (await find(kalshi, event.event_ticker))[0]
        assert package.kind == "all_no"
        assert {first, second} <= {leg.market for leg in package.legs}
        before = await buy(kalshi, package)
        for ticker, value in zip((first, second), values, strict=True):
            exchange.settle(ticker, value)
        for market in (event.markets or [])[2:]:
            exchange.settle(market.ticker, "no")
        after = (await kalshi.portfolio.balance()).balance_dollars
        assert after >= before + package.profit


@pytest.mark.parametrize("values", [("yes", "yes"), ("yes", "no"), ("no", "no")])
async def test_a_ladder_out_of_order(exchange: Sandbox, values: tuple[str, str]) -> None:
    async with two_accounts(exchange) as (kalshi, maker):
        events = await open_events(kalshi, exclusive=False, least=2)
        ladder = next(
            event for event in events if (event.markets or [])[0].strike_type == "greater"
        )
        ranked = sorted(ladder.markets or [], key=lambda market: market.floor_strike or 0)
        wide, narrow = ranked[0].ticker, ranked[-1].ticker
        await rest(maker, wide, "no", "0.70", exchange)
        await rest(maker, narrow, "yes", "0.80", exchange)
        found = await find(kalshi, ladder.event_ticker)
        package = next(
            each for each in found if {leg.market for leg in each.legs} == {wide, narrow}
        )
        assert [(leg.market, leg.side) for leg in package.legs] == [(wide, "yes"), (narrow, "no")]
        assert package.kind == "monotone"
        before = await buy(kalshi, package)
        for ticker, value in zip((wide, narrow), values, strict=True):
            exchange.settle(ticker, value)
        after = (await kalshi.portfolio.balance()).balance_dollars
        assert after >= before + package.profit


async def test_many_makers_of_a_hundredth_charge_no_more_than_the_worst_fees(
    exchange: Sandbox,
) -> None:
    async with two_accounts(exchange) as (kalshi, maker):
        event = (await open_events(kalshi, exclusive=True, least=2))[0]
        pair = [market.ticker for market in (event.markets or [])[:2]]
        for ticker in pair:
            there = exchange.book(ticker)["no"]
            crossing = sum((size for bid, size in there if 1 - bid <= Decimal("0.97")), Decimal(0))
            if crossing:
                await maker.orders.create(
                    ticker, action="buy", side="yes", count=crossing, price="0.97"
                )
            makers = [
                OrderRequest(ticker, action="buy", side="yes", count="0.01", price="0.97")
                for _ in range(250)
            ]
            assert all(isinstance(each, Placed) for each in await maker.orders.place_many(makers))
        package = (await find(kalshi, event.event_ticker))[0]
        assert {leg.market for leg in package.legs} >= set(pair)
        assert package.count == Decimal("2.50")
        before = await buy(kalshi, package)
        charged = {ticker: Decimal(0) for ticker in pair}
        async for fill in kalshi.portfolio.fills():
            if fill.ticker in charged:
                charged[fill.ticker] += fill.fee_cost
        for leg in package.legs:
            if leg.market in charged:
                assert leg.fees <= charged[leg.market] <= leg.worst_fees
        for number, market in enumerate(event.markets or []):
            exchange.settle(market.ticker, "no" if number else "yes")
        after = (await kalshi.portfolio.balance()).balance_dollars
        assert after >= before + package.profit
