"""Cancelling, amending and decreasing amid faults: never a wrong answer, and doubt is said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kalshi_async import (
    ConnectionLostError,
    InvalidRequestError,
    KalshiClient,
    KalshiError,
    NotFoundError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
)
from kalshi_async.models.orders import Order, PlacedOrder
from kalshi_async.orders import Certainty
from kalshi_async.sandbox import Fault, Faults, Sandbox
from kalshi_async.sandbox._records import Order as Kept
from tests.sandbox.desk import FAR, FIRST, quiet_markets

TIMEOUT = 0.15
OPTIONS: dict[str, Any] = {
    "limits": None,
    "timeout": TIMEOUT,
    "retry": RetryPolicy(max_attempts=3, first=0, longest=0),
    "certainty": Certainty(lag=0.1, grace=0.5, patience=0.2),
}
# The answer is lost, and the request took effect, or did not.
AFTER: dict[str, dict[str, Any]] = {
    "drop": {"drop": True, "processed": True},
    "reset": {"reset": True, "processed": True},
    "late": {"delay_answer": 0.3},
    "truncated": {"truncate": True},
    "502": {"status": 502, "processed": True},
    "504": {"status": 504, "processed": True},
}
BEFORE: dict[str, dict[str, Any]] = {
    "drop": {"drop": True},
    "reset": {"reset": True},
    "500": {"status": 500},
    "503": {"status": 503},
}
after = pytest.mark.parametrize("fault", AFTER.values(), ids=AFTER)
before = pytest.mark.parametrize("fault", BEFORE.values(), ids=BEFORE)


class Desk:
    """One client of an exchange, and the exchange's own record of its orders."""

    def __init__(self, exchange: Sandbox, kalshi: KalshiClient) -> None:
        self.exchange, self.kalshi = exchange, kalshi

    async def rest(self, ticker: str = FIRST, **terms: Any) -> PlacedOrder:
        """Ten YES bid at 30 cents, resting."""
        facts: dict[str, Any] = {"count": 10, "price": "0.30", "action": "buy", "side": "yes"}
        return await self.kalshi.orders.create(ticker, **facts | terms)

    def fault(self, operation: str, **fault: Any) -> None:
        self.exchange.faults.on(operation, **fault)

    def kept(self, order: PlacedOrder) -> Kept:
        """The order as the exchange has it."""
        return self.exchange.engine.traders[self.exchange.user_id].orders[order.order_id]

    def calls(self, operation: str) -> int:
        asked = self.exchange.requests.items()
        return sum(count for (name, _), count in asked if name == operation)


@asynccontextmanager
async def open_desk(folder: Path) -> AsyncIterator[Desk]:
    serving = Sandbox.serve(markets=0, load=[quiet_markets(folder)], tier=None, faults=Faults())
    async with serving as exchange, exchange.client(**OPTIONS) as kalshi:
        yield Desk(exchange, kalshi)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


async def error_of(awaited: Awaitable[object]) -> KalshiError:
    with pytest.raises(KalshiError) as caught:
        await awaited
    return caught.value


# -- cancelling


@after
async def test_a_cancellation_whose_answer_was_lost(desk: Desk, fault: dict[str, Any]) -> None:
    order = await desk.rest()
    desk.fault("CancelOrderV2", **fault)
    canceled = await desk.kalshi.orders.cancel(order)
    assert canceled.recovered
    assert (canceled.order_id, canceled.reduced_by) == (order.order_id, Decimal(10))
    assert desk.kept(order).status == "canceled"


@before
async def test_a_cancellation_that_did_not_arrive_is_sent_again(
    desk: Desk, fault: dict[str, Any]
) -> None:
    order = await desk.rest()
    desk.fault("CancelOrderV2", **fault)
    canceled = await desk.kalshi.orders.cancel(order.order_id, market_ticker=FIRST)
    assert not canceled.recovered
    assert desk.kept(order).status == "canceled"
    assert desk.calls("CancelOrderV2") == 2


async def test_an_order_that_was_executed_meanwhile_is_not_taken_for_cancelled(desk: Desk) -> None:
    order = await desk.rest()
    desk.fault("CancelOrderV2", drop=True)
    rival = desk.exchange.add_account(tier=None)
    options = {"api_key_id": rival.api_key_id, "private_key": rival.private_key_pem}
    async with desk.exchange.client(limits=None, **options) as other:
        await other.orders.create(FIRST, book_side="ask", price="0.30", count=10)
    error = await error_of(desk.kalshi.orders.cancel(order))
    assert isinstance(error, NotFoundError)
    assert not error.outcome_unknown
    assert desk.kept(order).status == "executed"


async def test_an_order_that_is_gone_is_not_found_at_once(desk: Desk) -> None:
    order = await desk.rest()
    await desk.kalshi.orders.cancel(order)
    error = await error_of(desk.kalshi.orders.cancel(order))
    assert isinstance(error, NotFoundError)
    assert not error.outcome_unknown
    assert desk.calls("GetOrder") == 0


async def test_reads_that_lag_do_not_deny_a_cancellation(desk: Desk) -> None:
    order = await desk.rest()
    desk.exchange.faults.read_lag = 0.05
    desk.fault("CancelOrderV2", drop=True, processed=True)
    assert (await desk.kalshi.orders.cancel(order)).recovered


async def test_a_cancellation_that_cannot_be_settled_says_so(desk: Desk) -> None:
    order = await desk.rest()
    desk.fault("CancelOrderV2", times=3, status=503)
    error = await error_of(desk.kalshi.orders.cancel(order))
    assert isinstance(error, ServerError)
    assert error.outcome_unknown
    assert desk.kept(order).status == "resting"
    desk.fault("CancelOrderV2", drop=True, processed=True)
    desk.fault("GetOrder", times=100, status=503)
    error = await error_of(desk.kalshi.orders.cancel(order))
    assert isinstance(error, NotFoundError)
    assert error.outcome_unknown
    assert desk.kept(order).status == "canceled"


async def test_an_order_of_another_shard_is_found_by_its_market(desk: Desk) -> None:
    desk.exchange.deposit(desk.exchange.user_id, "100.00", exchange_index=2)
    order = await desk.rest(FAR)
    assert isinstance(await error_of(desk.kalshi.orders.cancel(order.order_id)), NotFoundError)
    assert desk.kept(order).status == "resting"
    await desk.kalshi.orders.cancel(order)
    assert desk.kept(order).status == "canceled"


@pytest.mark.parametrize("fault", [*AFTER.values(), *BEFORE.values()])
async def test_cancelling_all_is_sent_again_until_it_is_done(
    desk: Desk, fault: dict[str, Any]
) -> None:
    orders = [await desk.rest(), await desk.rest(price="0.20")]
    desk.fault("CancelAllOrders", **fault)
    await desk.kalshi.orders.cancel_all()
    assert [desk.kept(order).status for order in orders] == ["canceled"] * 2


async def test_cancelling_all_that_never_got_through(desk: Desk) -> None:
    order = await desk.rest()
    desk.fault("CancelAllOrders", times=3, drop=True)
    error = await error_of(desk.kalshi.orders.cancel_all())
    assert isinstance(error, ConnectionLostError)
    assert error.outcome_unknown
    assert desk.kept(order).status == "resting"


# -- amending

Change = Callable[[Desk, Order], Awaitable[Any]]


def amend(**terms: Any) -> Change:
    return lambda desk, order: desk.kalshi.orders.amend(order, **terms)


FUTURE = 4_000_000_000
AMENDMENTS: dict[str, tuple[Change, Callable[[Kept], bool]]] = {
    "price": (amend(price="0.25"), lambda kept: kept.price == 2_500),
    "cents": (amend(no_price=75), lambda kept: kept.price == 2_500),
    "smaller": (amend(count=4), lambda kept: kept.remaining == 400),
    "larger": (amend(count="12.50"), lambda kept: kept.remaining == 1_250),
    "expiration": (amend(expiration=FUTURE), lambda kept: kept.expiration == FUTURE * 10**6),
    "name": (
        amend(client_order_id="old", updated_client_order_id="new"),
        lambda kept: kept.client_order_id == "new",
    ),
}
amendments = pytest.mark.parametrize(("change", "done"), AMENDMENTS.values(), ids=AMENDMENTS)


@amendments
@pytest.mark.parametrize("kind", ["drop", "late"])
async def test_an_amendment_whose_answer_was_lost(
    desk: Desk, change: Change, done: Callable[[Kept], bool], kind: str
) -> None:
    placed = await desk.rest(client_order_id="old")
    order = await desk.kalshi.orders.get(placed.order_id)
    desk.fault("AmendOrderV2", **AFTER[kind])
    amended = await change(desk, order)
    assert done(desk.kept(placed))
    assert amended.order_id == placed.order_id
    # The second time there is nothing left to change, and sizes are then not told.
    assert amended.remaining_count in (None, Decimal(desk.kept(placed).remaining) / 100)


@amendments
@pytest.mark.parametrize("kind", ["reset", "503"])
async def test_an_amendment_that_did_not_arrive_is_never_taken_for_done(
    desk: Desk, change: Change, done: Callable[[Kept], bool], kind: str
) -> None:
    placed = await desk.rest(client_order_id="old")
    order = await desk.kalshi.orders.get(placed.order_id)
    desk.fault("AmendOrderV2", times=3, **BEFORE[kind])
    error = await error_of(change(desk, order))
    assert error.outcome_unknown
    assert not done(desk.kept(placed))
    # The next one arrives.
    await change(desk, order)
    assert done(desk.kept(placed))


async def test_an_amendment_that_is_refused_leaves_no_doubt(desk: Desk) -> None:
    placed = await desk.rest(post_only=True)
    order = await desk.kalshi.orders.get(placed.order_id)
    await desk.kalshi.orders.cancel(order)
    error = await error_of(desk.kalshi.orders.amend(order, price="0.25"))
    assert isinstance(error, NotFoundError)
    assert not error.outcome_unknown


# -- decreasing


@pytest.mark.parametrize("kind", ["drop", "late", "502"])
@pytest.mark.parametrize("target", [4, 0])
async def test_a_decrease_to_a_size_whose_answer_was_lost_is_never_wrong(
    desk: Desk, kind: str, target: int
) -> None:
    order = await desk.rest()
    desk.fault("DecreaseOrderV2", **AFTER[kind])
    decreased = await desk.kalshi.orders.decrease(order, reduce_to=target)
    assert decreased.remaining_count == target
    assert decreased.recovered
    assert desk.kept(order).remaining == target * 100


@before
async def test_a_decrease_to_a_size_is_sent_again(desk: Desk, fault: dict[str, Any]) -> None:
    order = await desk.rest()
    desk.fault("DecreaseOrderV2", **fault)
    decreased = await desk.kalshi.orders.decrease(order, reduce_to=4)
    assert decreased.remaining_count == 4
    assert not decreased.recovered
    assert desk.kept(order).remaining == 400


@pytest.mark.parametrize("fault", [*AFTER.values(), *BEFORE.values()])
async def test_a_decrease_by_an_amount_is_never_made_twice(
    desk: Desk, fault: dict[str, Any]
) -> None:
    order = await desk.rest()
    desk.fault("DecreaseOrderV2", **fault)
    error = await error_of(desk.kalshi.orders.decrease(order, reduce_by=4))
    assert isinstance(error, ConnectionLostError | RequestTimeoutError | ServerError)
    assert error.outcome_unknown
    assert desk.calls("DecreaseOrderV2") <= 1
    took_effect = Fault(**fault).takes_effect
    assert desk.kept(order).remaining == (600 if took_effect else 1_000)


async def test_a_decrease_that_was_refused_by_429_is_made_once(desk: Desk) -> None:
    order = await desk.rest()
    desk.fault("DecreaseOrderV2", times=2, status=429)
    assert (await desk.kalshi.orders.decrease(order, reduce_by=4)).remaining_count == 6


# -- what is refused before it is sent


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda orders: orders.decrease("id"), "either reduce_by or reduce_to"),
        (lambda orders: orders.decrease("id", reduce_by=1, reduce_to=1), "either"),
        (lambda orders: orders.decrease("id", reduce_by=1.5), "a float"),
        (lambda orders: orders.decrease("id", reduce_by=0), "more than 0"),
        (lambda orders: orders.decrease("", reduce_by=1), "order_id"),
        (lambda orders: orders.cancel(""), "order_id"),
        (lambda orders: orders.cancel("id", subaccount=-1), "subaccount"),
        (lambda orders: orders.amend("id", price="0.30"), "ticker, book_side, count missing"),
        (lambda orders: orders.amend("id", price=0.3), "a float"),
        (lambda orders: orders.amend("id", price="0.3", yes_price=30), "one price"),
        (lambda orders: orders.cancel_all(subaccount="all"), "subaccount"),
    ],
)
async def test_impossible_changes(desk: Desk, call: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        await call(desk.kalshi.orders)
    assert desk.exchange.requests.total() == 0
