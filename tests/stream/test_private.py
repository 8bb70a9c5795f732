"""The account's own channels over lost connections: nothing missing, nothing twice."""

from __future__ import annotations

import pytest

from kalshi_async import PermissionDeniedError, StreamError
from kalshi_async.sandbox import Faults, Sandbox
from kalshi_async.stream import FillUpdate, StreamBackfill, StreamDisconnected, StreamResumed

from .exchanges import Floor, floor
from .test_stream import event


async def lose_the_line(at: Floor, ticker: str) -> None:
    """Break the connection; returns when nothing arrives any more."""
    events = at.stream.events()
    at.exchange.faults.on_connect(status=502)
    at.reset("trade")
    async with at.stream.trades(ticker):
        await at.fill(ticker)
        await event(events, StreamDisconnected)
    events.close()


async def ids(at: Floor) -> list[str]:
    """The account's fills by REST, oldest first."""
    found = await at.kalshi.portfolio.fills(limit=1000).collect()
    return [fill.trade_id for fill in reversed(found)]


async def test_fills_of_the_time_between_are_read_and_come_in_order() -> None:
    async with floor(markets=1, faults=Faults(seed=1, read_lag=0.1)) as at:
        (a,) = at.tickers
        events = at.stream.events()
        async with at.stream.fills() as fills:
            await at.fill(a)
            first = await anext(fills)
            assert (first.backfilled, first.is_taker) == (False, False)
            await lose_the_line(at, a)
            await at.fill(a)
            await at.fill(a)
            await event(events, StreamResumed)
            await at.fill(a)
            told = [first, *[await anext(fills) for _ in range(4)]]
            caught_up = await event(events, StreamBackfill)
            assert caught_up.error is None  # type: ignore[attr-defined]
            while (known := await ids(at)) and len(known) < 5:
                pass
            assert [fill.trade_id for fill in told] == known
            assert [fill.ts_ms for fill in told] == sorted(fill.ts_ms for fill in told)
            assert any(fill.backfilled for fill in told)
            assert at.stream.stats.backfilled == sum(fill.backfilled for fill in told)
            await at.fill(a)
            assert not (await anext(fills)).backfilled


async def test_while_rest_fails_messages_wait_and_then_come_in_order() -> None:
    async with floor(markets=1) as at:
        (a,) = at.tickers
        events = at.stream.events()
        async with at.stream.fills(a) as fills:
            # More than the client tries again by itself.
            at.exchange.faults.on("GetFills", times=8, status=503)
            await lose_the_line(at, a)
            await event(events, StreamResumed)
            await at.fill(a)
            failed = await event(events, StreamBackfill)
            assert failed.error is not None  # type: ignore[attr-defined]
            told: list[FillUpdate] = [await anext(fills) for _ in range(2)]
            assert [fill.trade_id for fill in told] == await ids(at)


async def test_more_than_the_queue_holds_does_not_wait_for_ever() -> None:
    async with floor(markets=1) as at:
        (a,) = at.tickers
        events = at.stream.events()
        async with at.stream.fills(a, max_queue=2) as fills:
            at.exchange.faults.on("GetFills", times=100, status=503)
            await lose_the_line(at, a)
            await event(events, StreamResumed)
            for _ in range(3):
                await at.fill(a)
            with pytest.raises(StreamError, match="could not be read over REST"):
                await anext(fills)


async def test_the_end_of_an_order_is_told_though_it_was_not_seen() -> None:
    async with floor(markets=2) as at:
        a, b = at.tickers
        before = await at.rest(a)
        events = at.stream.events()
        async with at.stream.orders() as orders:
            seen = await at.rest(a, cents=2)
            assert (await anext(orders)).order_id == seen
            await lose_the_line(at, b)
            for order_id in (before, seen):
                await at.kalshi.orders.cancel(order_id)
            new = await at.rest(b)
            await event(events, StreamResumed)
            told: dict[str, str] = {}
            while {before, seen, new} - told.keys():
                update = await anext(orders)
                assert told.get(update.order_id) != update.status, "told twice"
                told[update.order_id] = update.status
            assert [told[each] for each in (before, seen, new)] == [
                "canceled", "canceled", "resting"
            ]  # fmt: skip


async def test_positions_are_as_they_became() -> None:
    async with floor(markets=2) as at:
        a, b = at.tickers
        events = at.stream.events()
        async with at.stream.positions() as positions:
            await at.fill(a)
            assert ((await anext(positions)).ticker, at.stream.stats.backfilled) == (a, 0)
            await lose_the_line(at, b)
            await at.fill(a)
            await event(events, StreamResumed)
            told = {}
            while told.get(a) != 2 or told.get(b) != 1:
                update = await anext(positions)
                assert told.get(update.ticker) != update.position, "told twice"
                told[update.ticker] = update.position


async def test_markets_named_later_are_known_as_they_are() -> None:
    async with floor(markets=2) as at:
        a, b = at.tickers
        resting = await at.rest(b)
        async with at.stream.orders(a) as orders:
            await orders.add(b)
            events = at.stream.events()
            await lose_the_line(at, a)
            await at.kalshi.orders.cancel(resting)
            await event(events, StreamResumed)
            told = await anext(orders)
            while told.order_id != resting:
                told = await anext(orders)
            assert (told.status, told.backfilled) == ("canceled", True)


async def test_a_key_that_may_not_read_is_told_so() -> None:
    async with Sandbox.serve(seed=7, markets=20) as exchange:
        known = exchange.add_account(scopes=("write",))
        async with (
            exchange.client(
                api_key_id=known.api_key_id, private_key=known.private_key_pem
            ) as kalshi,
            kalshi.stream() as stream,
        ):
            with pytest.raises(PermissionDeniedError):
                await stream.positions().open()
            assert "0 subscriptions" in repr(stream)
