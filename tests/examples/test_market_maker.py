"""The market maker: its prices, its limit, and that nothing of it stays behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import KalshiClient
from kalshi_async.models import Level
from kalshi_async.sandbox import Faults, Sandbox

from .loading import load

maker = load("market_maker")
TICKER = "KXFED-26MAR18-T5.25"  # 0.39 bid, 0.43 asked

cents = st.integers(1, 99).map(lambda number: Decimal(number) / 100)


@given(cents, cents, st.integers(-40, 40), st.integers(1, 20))
def test_quotes_never_cross_and_never_risk_more_than_the_limit(
    one: Decimal, other: Decimal, inventory: int, size: int
) -> None:
    bid, ask = min(one, other), max(one, other)
    if bid == ask:
        return
    found = maker.quotes(bid, ask, Decimal(inventory), size, 30)
    low, high = found.get("bid", Decimal(0)), found.get("ask", Decimal(1))
    assert low < ask
    assert high > bid
    assert low < high
    for price in found.values():
        assert 0 < price < 1
        assert price % maker.TICK == 0
    assert ("bid" in found) <= (inventory + size <= 30)
    assert ("ask" in found) <= (inventory - size >= -30)


def test_inventory_moves_both_quotes_against_itself() -> None:
    flat = maker.quotes(Decimal("0.40"), Decimal("0.46"), Decimal(0), 10, 30)
    long = maker.quotes(Decimal("0.40"), Decimal("0.46"), Decimal(20), 10, 30)
    assert flat == {"bid": Decimal("0.42"), "ask": Decimal("0.44")}
    assert long == {"bid": Decimal("0.41"), "ask": Decimal("0.44")}


def test_its_own_quote_is_not_taken_for_the_market() -> None:
    levels = [Level(Decimal("0.39"), Decimal(5)), Level(Decimal("0.40"), Decimal(10))]
    assert maker.best_of_others(levels, Decimal("0.40"), Decimal(10)) == Decimal("0.39")
    assert maker.best_of_others(levels, Decimal("0.40"), Decimal(4)) == Decimal("0.40")
    assert maker.best_of_others(levels, Decimal("0.38"), Decimal(10)) == Decimal("0.40")
    assert maker.best_of_others(levels[1:], Decimal("0.40"), Decimal(10)) is None


def resting(exchange: Sandbox) -> list[str]:
    """The maker's orders that are on the book of the exchange itself."""
    orders = exchange.engine.traders[exchange.user_id].orders.values()
    return [order.order_id for order in orders if order.status == "resting"]


@asynccontextmanager
async def market(faults: Faults | None = None) -> AsyncIterator[tuple[Sandbox, KalshiClient]]:
    async with Sandbox.serve(seed=7, tier=None, faults=faults) as exchange:
        async with exchange.client(limits=None, timeout=1.0) as kalshi:
            yield exchange, kalshi


async def test_it_trades_with_whoever_comes_and_stops_at_its_limit() -> None:
    async with market() as (exchange, kalshi):
        rival = exchange.add_account()
        inventories: list[Decimal] = []
        async with exchange.client(
            limits=None, api_key_id=rival.api_key_id, private_key=rival.private_key_pem
        ) as taker:

            async def sell_to_it() -> None:
                """Somebody sells through half of the book, the maker's bid included."""
                deep = sum(size for _, size in exchange.book(TICKER)["yes"]) // 2
                await taker.orders.sell(TICKER, "yes", count=deep, type="market", price="0.01")
                inventories.append(exchange.position(exchange.user_id, TICKER))
                assert len(resting(exchange)) <= 2

            await maker.MarketMaker(kalshi, TICKER).run(8, sell_to_it)
        assert inventories[:3] == [10, 20, 30]
        assert max(inventories) == 30
        assert resting(exchange) == []


async def test_it_follows_the_market() -> None:
    async with market() as (exchange, kalshi):
        seen: list[tuple[Decimal, Decimal]] = []
        rival = exchange.add_account()
        async with exchange.client(
            limits=None, api_key_id=rival.api_key_id, private_key=rival.private_key_pem
        ) as other:

            async def improve() -> None:
                book = exchange.book(TICKER)
                seen.append((book["yes"][0][0], 1 - book["no"][0][0]))
                if len(seen) == 1:  # everybody now bids 0.41: the maker's ask has to move up
                    await other.orders.buy(TICKER, "yes", count=50, price="0.41")

            await maker.MarketMaker(kalshi, TICKER).run(2, improve)
        assert seen == [
            (Decimal("0.40"), Decimal("0.42")),
            (Decimal("0.41"), Decimal("0.43")),
        ]
        assert resting(exchange) == []


async def test_nothing_rests_after_an_error() -> None:
    class StopError(Exception):
        pass

    async with market() as (exchange, kalshi):

        async def fail() -> None:
            assert len(resting(exchange)) == 2
            raise StopError

        with pytest.raises(StopError):
            await maker.MarketMaker(kalshi, TICKER).run(5, fail)
        assert resting(exchange) == []


async def test_nothing_rests_after_a_cancellation() -> None:
    async with market() as (exchange, kalshi):
        quoted = asyncio.Event()

        async def wait() -> None:
            quoted.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(maker.MarketMaker(kalshi, TICKER).run(5, wait))
        await quoted.wait()
        assert len(resting(exchange)) == 2
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert resting(exchange) == []


async def test_nothing_rests_where_answers_get_lost() -> None:
    faults = Faults(seed=3, drop_rate=0.2)
    async with market(faults) as (exchange, kalshi):

        async def no_pause() -> None:
            assert len(resting(exchange)) <= 2

        await maker.MarketMaker(kalshi, TICKER).run(5, no_pause)
        assert resting(exchange) == []
        assert exchange.requests["CreateOrderV2", 0] + exchange.requests["CancelOrderV2", 0] > 0
