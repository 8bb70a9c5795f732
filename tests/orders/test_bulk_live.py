"""Many orders and guards against the embedded exchange, with faults; its own list is the judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from kalshi_async import KalshiClient, NotFoundError, OrderStatusUnknown, RetryPolicy
from kalshi_async.orders import Certainty, OrderRequest, Placed, Rejected
from kalshi_async.sandbox import Faults, Sandbox
from tests.orders.floor import kinds

TICKER = "KXFED-26MAR19"
QUICK = RetryPolicy(max_attempts=8, first=0.01, longest=0.05)
SURE = Certainty(lag=0.3, grace=1.0, patience=5.0)


@pytest.fixture
async def exchange() -> AsyncIterator[Sandbox]:
    async with Sandbox.serve(seed=7, markets=60, tier=None) as running:
        yield running


def bids(count: int, **terms: Any) -> list[OrderRequest]:
    facts: dict[str, Any] = {"book_side": "bid", "count": 1, "price": "0.02"}
    return [OrderRequest(TICKER, **facts | terms) for _ in range(count)]


async def on_the_book(kalshi: KalshiClient) -> Counter[str]:
    listed = kalshi.orders.list(status="resting", limit=1000)
    return Counter([order.client_order_id async for order in listed])


@pytest.mark.parametrize("batch", ["auto", None])
async def test_amid_faults_each_is_placed_once(exchange: Sandbox, batch: Any) -> None:
    exchange.faults = Faults(
        seed=3, drop_rate=0.1, rate_limit_rate=0.05, error_rate=0.1, read_lag=0.1
    )
    asked = [*bids(150), *bids(2, price="0.021"), *bids(40)]
    async with exchange.client(limits=None, retry=QUICK, certainty=SURE) as kalshi:
        results = await kalshi.orders.place_many(asked, max_in_flight=40, batch=batch)
        exchange.faults = Faults()
        await anyio.sleep(SURE.lag)
        book = await on_the_book(kalshi)
        assert [result.request for result in results] == asked
        taken = [result for result in results if isinstance(result, Placed)]
        placed = {result.request.client_order_id for result in taken}
        assert set(book) == placed
        assert set(book.values()) == {1}
        assert len(placed) >= 180
        wrong = results[150:152]
        assert not any(isinstance(result, Placed) for result in wrong)

        exchange.faults = Faults(seed=4, drop_rate=0.1, rate_limit_rate=0.05)
        orders = [result.order for result in taken]
        canceled = await kalshi.orders.cancel_many(orders, batch=batch)
        exchange.faults = Faults()
        await anyio.sleep(SURE.lag)
        assert await on_the_book(kalshi) == Counter()
        assert set(kinds(canceled)) == {"Canceled"}


async def test_within_the_limits_of_the_account() -> None:
    async with (
        Sandbox.serve(seed=7, markets=60, tier="premier") as exchange,
        exchange.client(limits="account") as kalshi,
    ):
        results = await kalshi.orders.place_many(bids(150), max_in_flight=100)
        assert kinds(results) == ["Placed"] * 150
        orders = [result.order for result in results if isinstance(result, Placed)]
        assert kinds(await kalshi.orders.cancel_many(orders)) == ["Canceled"] * 150
        assert kalshi.stats.rate_limited == 0
        assert exchange.requests["BatchCreateOrdersV2", 201] >= 1
        assert exchange.requests["BatchCreateOrdersV2", 201] < 40


async def test_prices_from_the_book(exchange: Sandbox) -> None:
    market: dict[str, Any] = {"type": "market", "price": None, "slippage": "0.02"}
    asked = [*bids(2), *bids(2, **market), *bids(1)]
    asked.append(OrderRequest("KXNOPE", book_side="bid", count=1, type="market", slippage="0.01"))
    async with exchange.client(limits=None) as kalshi:
        results = await kalshi.orders.place_many(asked)
        assert kinds(results) == ["Placed"] * 5 + ["Rejected"]
        for result in results[2:4]:
            assert isinstance(result, Placed)
            assert result.order.fill_count == 1
        last = results[-1]
        assert isinstance(last, Rejected)
        assert isinstance(last.error, NotFoundError)


@pytest.mark.parametrize("http", ["httpx", "aiohttp"])
async def test_a_guard_cleans_up(exchange: Sandbox, http: Any) -> None:
    async with exchange.client(limits=None, http=http, certainty=SURE) as kalshi:
        exchange.faults.on("CreateOrderV2", nth=2, times=1, delay_answer=5.0)
        scope = anyio.CancelScope()

        async def cancel_once_all_are_there() -> None:
            while (await on_the_book(kalshi)).total() < 32:  # noqa: ASYNC110 - it tells nobody
                await anyio.sleep(0.01)
            scope.cancel()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cancel_once_all_are_there)
            with pytest.raises(OrderStatusUnknown), scope:
                async with kalshi.orders.guard() as guard:
                    await guard.buy(TICKER, "yes", count=1, price="0.02")
                    await guard.place_many(bids(30))
                    assert len(guard.open) == 31
                    await guard.sell(TICKER, "no", count=1, price="0.98")
        assert await on_the_book(kalshi) == Counter()
        assert guard.uncancelled == []
        assert exchange.requests["CreateOrderV2", 201] >= 1


async def test_all_or_nothing(exchange: Sandbox) -> None:
    asked = [*bids(30), *bids(1, price="0.021"), *bids(30)]
    async with exchange.client(limits=None) as kalshi:
        many = kalshi.orders.place_many(asked, max_in_flight=10, on_error="cancel_placed")
        results = await many
        assert kinds(results)[:31] == ["Placed"] * 30 + ["Rejected"]
        assert kinds(results)[-10:] == ["Rejected"] * 10
        assert set(kinds(many.cancellations)) == {"Canceled"}
        assert await on_the_book(kalshi) == Counter()


async def test_orders_of_a_subaccount_are_cancelled_where_they_are(exchange: Sandbox) -> None:
    async with exchange.client(limits=None) as kalshi:
        number = await kalshi.subaccounts.create()
        await kalshi.subaccounts.transfer(
            client_transfer_id="5b3c4a53-3f0d-4a54-9c2c-1f5f0a4a7b11",
            from_subaccount=0,
            to_subaccount=number,
            amount_cents=10_000,
        )
        for batch in ("auto", None):
            placed = await kalshi.orders.place_many(bids(3, subaccount=number), batch=batch)
            orders = [each.order for each in placed if isinstance(each, Placed)]
            assert [order.subaccount for order in orders] == [number] * 3
            await kalshi.orders.cancel(orders.pop())
            assert kinds(await kalshi.orders.cancel_many(orders, batch=batch)) == ["Canceled"] * 2
            placed = await kalshi.orders.place_many(bids(2, subaccount=number), batch=batch)
            ids = [each.order.order_id for each in placed if isinstance(each, Placed)]
            assert kinds(await kalshi.orders.cancel_many(ids, subaccount=number)) == [
                "Canceled",
                "Canceled",
            ]
            listed = await kalshi.orders.list(status="resting", subaccount=number).collect()
            assert listed == []
