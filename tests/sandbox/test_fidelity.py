"""What the real exchange charges, refuses and tells, where a sandbox easily says something else."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox import Sandbox
from kalshi_async.sandbox._handlers.bodies import billed_shard
from kalshi_async.sandbox._handlers.orders import LEGACY
from kalshi_async.sandbox._limits import (
    ENDPOINT_COSTS,
    TIERS,
    UNLIMITED,
    Limits,
    cost_of,
)
from kalshi_async.sandbox._operations import OPERATIONS
from kalshi_async.sandbox._records import SHARDS

from .desk import FAR, FIRST, UNKNOWN, Desk, desk_on, named, order, place, quiet_markets
from .members import Member
from .ws_client import open_tickers, stream

TOO_MANY = {"error": {"code": "too_many_requests", "message": "too many requests"}}
# Prices of operations that the exchange lists and its contract does not have.
ELSEWHERE = {"/cfbenchmarks", "/margin", "/multivariate_event_collections"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_on(tmp_path) as found:
        yield found


@asynccontextmanager
async def metered(folder: Path) -> AsyncIterator[Member]:
    """A member of the basic tier whose buckets are full, and are never filled again."""
    serving = Sandbox.serve(markets=20, load=quiet_markets(folder), tier="basic", timer=lambda: 0.0)
    async with serving as exchange, httpx.AsyncClient(trust_env=False, verify=False) as http:
        credentials = exchange.add_account()
        exchange.deposit(credentials.user_id, "1000.00", exchange_index=2)
        yield Member(exchange, http, credentials)


async def admitted(member: Member, name: str, body: object = None, **options: Any) -> int:
    """How many requests pass until the first 429, which must be the recorded one."""
    for passed in range(1000):
        response = await member.send(name, body, **options)
        if response.status_code == 429:
            assert response.json() == TOO_MANY
            assert not {"retry-after", "x-ratelimit-limit"} & set(response.headers)
            return passed
    raise AssertionError(f"{name} is not metered")


# What a request costs


def test_every_cost_that_is_told_is_charged() -> None:
    known = {(operation.method, operation.path) for operation in OPERATIONS} | set(LEGACY)
    for method, path, cost in ENDPOINT_COSTS:
        if f"/{path.split('/')[1]}" not in ELSEWHERE:
            operation = (method, re.sub(r":(\w+)", r"{\1}", path))
            assert operation in known
            assert cost_of(*operation) == cost
    assert cost_of("GET", "/portfolio/orders") == 10


@pytest.mark.parametrize(
    ("name", "passes"),
    [
        ("CancelOrderV2", 50),
        ("CancelAllOrders", 50),
        ("DeleteQuote", 50),
        ("GetOrder", 100),
        ("GetOrders", 20),
        ("GetBalance", 1),
    ],
)
async def test_a_full_bucket_of_basic_is_worth(tmp_path: Path, name: str, passes: int) -> None:
    async with metered(tmp_path) as member:
        names = {"order_id": UNKNOWN, "quote_id": UNKNOWN}
        assert await admitted(member, name, names=names) == passes


async def test_a_batch_must_fit_whole_or_costs_nothing(tmp_path: Path) -> None:
    async with metered(tmp_path) as member:
        batch = [order(price="0.10", count="1") for _ in range(11)]
        assert await member.refused("BatchCreateOrdersV2", 429, {"orders": batch}) == TOO_MANY
        placed = await member.ok("BatchCreateOrdersV2", {"orders": batch[:9]})
        assert await member.refused("BatchCreateOrdersV2", 429, {"orders": batch[:2]}) == TOO_MANY
        cancels = [{"order_id": item["order_id"]} for item in placed["orders"]]
        # Ten tokens are left: five cancels of two.
        assert await member.refused("BatchCancelOrdersV2", 429, {"orders": cancels}) == TOO_MANY
        canceled = await member.ok("BatchCancelOrdersV2", {"orders": cancels[:5]})
        assert [item["reduced_by"] for item in canceled["orders"]] == ["1.00"] * 5
        assert await member.refused("CreateOrderV2", 429, order()) == TOO_MANY


# Which bucket an order is billed to


async def test_orders_of_another_shard_have_a_bucket_of_their_own(tmp_path: Path) -> None:
    async with metered(tmp_path) as member:
        far = order(ticker=FAR, count="1", price="0.10", exchange_index=2)
        assert await admitted(member, "CreateOrderV2", far) == 10
        # A routed order would bill that shard as well.
        assert await member.refused("CreateOrderV2", 429, order(ticker=FAR)) == TOO_MANY
        assert await member.refused("CreateOrderV2", 429, order()) == TOO_MANY
        assert await admitted(member, "CreateOrderV2", order(count="1", exchange_index=0)) == 10
        # Batches are not billed to a shard, whatever their items name.
        batch = {"orders": [order(exchange_index=3)]}
        assert await member.refused("BatchCreateOrdersV2", 429, batch) == TOO_MANY


async def test_routed_orders_bill_every_shard(tmp_path: Path) -> None:
    async with metered(tmp_path) as member:
        assert await admitted(member, "CreateOrderV2", order(count="1")) == 10
        for index in range(SHARDS):
            body = order(count="1", exchange_index=index)
            assert await member.refused("CreateOrderV2", 429, body) == TOO_MANY
        where = {"exchange_index": 2, **named(UNKNOWN)}
        assert await member.refused("CancelOrderV2", 429, **where) == TOO_MANY


@pytest.mark.parametrize(
    ("operation", "body", "query", "shard"),
    [
        ("CreateOrderV2", b'{"ticker":"A"}', {}, None),
        ("CreateOrderV2", b'{"ticker":"A","exchange_index":null}', {}, None),
        ("CreateOrderV2", b'{"ticker":"A","exchange_index":2}', {}, 2),
        ("CreateOrderV2", b'{"ticker":"A","exchange_index":-2}', {}, 0),
        ("AmendOrderV2", b'{"ticker":"A","exchange_index":0}', {}, 0),
        ("DecreaseOrderV2", b'{"reduce_to":"1"}', {}, 0),
        ("DecreaseOrderV2", b'{"reduce_to":"1","market_ticker":"A"}', {}, None),
        ("CreateOrderV2", b'{"ticker":', {}, 0),
        ("CancelOrderV2", b"", {}, 0),
        ("CancelOrderV2", b"", {"market_ticker": "A"}, None),
        ("CancelOrderV2", b"", {"market_ticker": "A", "exchange_index": "1"}, 1),
        ("CancelOrderV2", b"", {"exchange_index": "one"}, 0),
        ("BatchCreateOrdersV2", b'{"ticker":"A","exchange_index":2}', {}, 0),
        ("CreateOrderGroup", b'{"exchange_index":2}', {}, 0),
    ],
)
def test_the_shard_a_request_is_billed_to(
    operation: str, body: bytes, query: dict[str, str], shard: int | None
) -> None:
    assert billed_shard(operation, body, query) == shard


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(0, 300)),
            st.sampled_from([2, 10, 30]),
            st.floats(0, 0.5),
        ),
        max_size=60,
    )
)
def test_no_shard_gives_more_than_its_bucket(steps: list[tuple[int | None, int, float]]) -> None:
    now = 0.0
    tier = TIERS["basic"]
    limits = Limits(tier, lambda: now)
    taken = [0] * SHARDS
    for shard, cost, wait in steps:
        now += wait
        before = [bucket.available(now) for bucket in limits.writes]
        paying = range(SHARDS) if shard is None else [shard if shard < SHARDS else 0]
        passed = limits.admit("CreateOrderV2", "POST", cost, shard)
        assert passed is all(before[each] + 1e-9 >= cost for each in paying)
        for each in range(SHARDS):
            paid = cost if passed and each in paying else 0
            taken[each] += paid
            assert limits.writes[each].available(now) == pytest.approx(before[each] - paid)
            assert taken[each] <= tier.write_capacity + tier.write_rate * now + 1e-6


def test_another_tier_holds_for_the_buckets_of_all_shards() -> None:
    limits = Limits(TIERS["basic"], lambda: 0.0)
    limits.run_at(TIERS["expert"])
    assert {(bucket.rate, bucket.capacity) for bucket in limits.writes} == {(600, 1800)}
    assert [bucket.available(0.0) for bucket in limits.writes] == [100] * SHARDS
    assert Limits(UNLIMITED, lambda: 0.0).admit("CreateOrderV2", "POST", 10**9, None)


# What is told of a market that ends before its time


ENDS: list[tuple[Callable[[Sandbox], None], list[str]]] = [
    (lambda exchange: exchange.close(FIRST), ["close_date_updated"]),
    (lambda exchange: exchange.determine(FIRST, "no"), ["close_date_updated", "determined"]),
    (
        lambda exchange: exchange.settle(FIRST, "yes"),
        ["close_date_updated", "determined", "settled"],
    ),
]


@pytest.mark.parametrize("number", range(len(ENDS)))
async def test_an_early_close_is_told_with_its_date(desk: Desk, number: int) -> None:
    end, kinds = ENDS[number]
    await place(desk.maker)
    async with stream(desk.exchange) as line:
        await line.subscribe("market_lifecycle_v2")
        end(desk.exchange)
        frames = await line.settle()
    assert [frame["msg"]["event_type"] for frame in frames] == kinds
    assert [frame["seq"] for frame in frames] == list(range(1, len(kinds) + 1))
    shown = (await desk.maker.ok("GetMarket", names={"ticker": FIRST}))["market"]
    closed = datetime.fromisoformat(shown["close_time"])
    assert frames[0]["msg"]["close_ts"] == int(closed.timestamp())
    assert abs(closed - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_close_on_time_changes_no_date(desk: Desk) -> None:
    exchange = desk.exchange
    (ticker,) = open_tickers(exchange, 1)
    async with stream(exchange) as line:
        await line.subscribe("market_lifecycle_v2")
        exchange.advance(400 * 86_400)
        told = [frame["msg"] for frame in await line.settle()]
    kinds = [msg["event_type"] for msg in told if msg["market_ticker"] == ticker]
    assert kinds == ["determined", "settled"]


# The clock that clients can set theirs by


async def test_the_date_header_is_the_clock_that_signatures_are_held_against(desk: Desk) -> None:
    desk.exchange.advance(86_400)
    response = await desk.maker.send("GetOrders")
    date = parsedate_to_datetime(response.headers["Date"]).timestamp()
    assert abs(date - time.time()) < 60
    # Who learns the offset of its clock from there can sign.
    ahead = date - time.time()
    member = Member(
        desk.exchange,
        desk.maker.http,
        desk.maker.credentials,
        clock=lambda: time.time() + ahead,
    )
    await member.ok("GetOrders")
    # Orders are dated by the clock of trading all the same.
    placed = await place(member)
    assert placed["ts_ms"] / 1000 - time.time() > 86_000
