"""What nobody answers any more: subscriptions that the exchange has forgotten, REST that stays
shut, one of two connections; and consumers who are slow but not asleep.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kalshi_async import PermissionDeniedError, SlowConsumer, StreamClosedError
from kalshi_async.stream import (
    StreamBackfill,
    StreamDisconnected,
    StreamResumed,
    StreamRetrying,
    StreamStale,
    StreamUnreadable,
)

from .exchanges import floor
from .hostile import Peer, delta, snapshot, streaming, trade, until


async def fresh_again(found: Any, ticker: str = "A") -> None:
    """Until its book stands."""
    while found.stale:
        await anext(found)
    assert found.book(ticker).best_yes_bid is not None


@pytest.mark.parametrize("how", ["nothing", "error 7", "error 7 with sid", "error 25"])
async def test_a_book_of_a_forgotten_subscription_is_found_out_and_made_again(how: str) -> None:
    async def forget(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(snapshot("A", 1))
        while (command := await peer.command())["cmd"] != "subscribe":
            if how != "nothing":
                msg = {"code": 25 if "25" in how else 7, "msg": "gone"}
                sid = {"sid": 1, "seq": 2} if "sid" in how else {}
                await peer.say({"type": "error", "id": command["id"], "msg": msg, **sid})
        await peer.say(
            {"type": "subscribed", "id": command["id"], "msg": {"channel": "x", "sid": 2}},
            snapshot("A", 1, sid=2, yes="7.00"),
        )
        await peer.listen()

    async with streaming(forget, verify=0.05, patience=0.2) as (server, stream):
        events = stream.events()
        async with stream.orderbook("A") as found:
            assert (await until(events, StreamStale)).tickers == ("A",)
            await fresh_again(found)
            assert found.book("A").size_at("yes", "0.40") == 7
        assert len(server.peers) == 1, "the connection itself was all right"


async def test_an_end_without_a_number_puts_everything_in_doubt() -> None:
    async def end(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(snapshot("A", 1))
        await peer.say({"type": "error", "msg": {"code": 25, "msg": "overflow"}})
        command = await peer.command()
        assert command["params"]["action"] == "get_snapshot"
        await peer.say(snapshot("A", 2, yes="8.00"))
        await peer.listen()

    async with streaming(end) as (_, stream):
        events = stream.events()
        async with stream.orderbook("A") as found:
            await until(events, StreamStale)
            await fresh_again(found)
            assert found.book("A").size_at("yes", "0.40") == 8


async def test_a_refusal_that_may_pass_is_asked_again_when_the_line_is_back() -> None:
    async def first(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(trade(1, 1))
        await peer.hang_up()

    async def second(peer: Peer) -> None:
        await peer.accept()
        command = await peer.command()
        await peer.say(
            {"type": "error", "id": command["id"], "msg": {"code": 10, "msg": "starting"}}
        )
        await peer.agree(trade(2, 1))
        await peer.listen()

    async with streaming(first, second) as (_, stream), stream.trades("A") as trades:
        assert [(await anext(trades)).trade_id for _ in range(2)] == ["t-1", "t-2"]


async def test_a_subscription_that_is_too_large_becomes_two() -> None:
    async def small(peer: Peer) -> None:
        await peer.accept()
        sid = 0
        while True:
            command = await peer.command()
            named = command["params"].get("market_tickers", [])
            if command["cmd"] == "subscribe" and len(named) > 2:
                await peer.say(
                    {"type": "error", "id": command["id"], "msg": {"code": 26, "msg": "limit"}}
                )
            elif command["cmd"] == "subscribe":
                sid += 1
                msg = {"channel": "orderbook_delta", "sid": sid}
                books = [snapshot(name, at, sid=sid) for at, name in enumerate(named, 1)]
                await peer.say({"type": "subscribed", "id": command["id"], "msg": msg}, *books)

    async with streaming(small) as (server, stream):
        async with stream.orderbook(*"ABCDE") as found:
            assert found.subjects == tuple("ABCDE")
            assert found.stale == ()
        assert len(server.peers) == 1


async def test_books_that_come_before_the_answer_are_taken() -> None:
    async def hasty(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(snapshot("A", 1))
        command = await peer.command()
        await peer.say(snapshot("B", 2))
        await peer.ok(command, 3, delta("B", 4))
        await peer.listen()

    async with streaming(hasty) as (_, stream), stream.orderbook("A") as found:
        await found.add("B")
        assert found.book("B").best_yes_bid is not None


async def test_every_failed_try_is_told() -> None:
    async def shut(peer: Peer) -> None:
        if peer.number in (2, 3):
            await peer.refuse("503 Busy")
            return
        await peer.accept()
        await peer.agree(trade(peer.number, 1))
        await (peer.hang_up() if peer.number == 1 else peer.listen())

    async with streaming(shut) as (_, stream):
        events = stream.events()
        async with stream.trades("A") as trades:
            tries = [await until(events, StreamRetrying) for _ in range(2)]
            assert [each.tries for each in tries] == [1, 2]
            assert "503" in str(tries[0].error)
            await until(events, StreamResumed)
            assert [(await anext(trades)).trade_id for _ in range(2)] == ["t-1", "t-4"]


async def test_two_audits_at_once_leave_nothing_behind() -> None:
    async with floor(markets=1) as at, at.stream.orderbook(*at.tickers) as books:
        held = books.book(at.tickers[0])
        both = await asyncio.gather(books.audit(), books.audit())
        assert all(audit.equal for (audit,) in both)
        assert books.book(at.tickers[0]) is held


# ---------------------------------------------------------------------------- the account


async def test_what_was_missed_is_read_when_the_last_of_two_connections_is_back() -> None:
    async with floor(markets=2, max_markets=1) as at:
        a, b = at.tickers
        events = at.stream.events()
        async with at.stream.fills(a, b) as fills:
            assert repr(at.stream).count("<Connection") == 2
            at.exchange.faults.on_connect(status=502, times=30)
            for ticker in (a, b):
                at.reset("fill")
                await at.fill(ticker)
                await until(events, StreamDisconnected)
            await at.fill(b)
            told = [await anext(fills) for _ in range(3)]
            assert [fill.ticker for fill in told] == [a, b, b]
            assert all(fill.backfilled for fill in told)
            caught_up = await until(events, StreamBackfill)
            assert caught_up.messages == 3


async def test_a_fill_that_cannot_be_read_is_read_over_rest() -> None:
    async with floor(markets=1) as at:
        (a,) = at.tickers
        events = at.stream.events()
        async with at.stream.fills() as fills:
            connection, leg = at.only_leg()
            at.exchange.faults.on_frame("fill", nth=1, drop=True)
            await at.fill(a)
            broken = b'{"type":"fill","sid":%d,"msg":{"trade_id":"t","order_id":"o",' % leg.sid
            connection.frame(broken + b'"market_ticker":"A","count_fp":"1x"}}')
            assert "count_fp" in str((await until(events, StreamUnreadable)).error)
            fill = await anext(fills)
            assert (fill.ticker, fill.backfilled) == (a, True)


async def test_a_key_that_lost_its_rights_ends_the_subscription() -> None:
    async with floor(markets=1) as at:
        async with at.stream.fills() as fills:
            at.exchange.faults.on("GetFills", times=100, status=403)
            at.reset("fill")
            await at.fill(at.tickers[0])
            with pytest.raises(PermissionDeniedError):
                await anext(fills)


async def test_closed_while_it_opens_nothing_stays_behind() -> None:
    async with floor(markets=1) as at:
        orders = at.stream.orders()
        opening = asyncio.create_task(orders.open())
        await asyncio.sleep(0)
        await orders.aclose()
        with pytest.raises(StreamClosedError):
            await opening
        assert [connection.load for connection in at.stream._session.connections] == [0]
        assert not at.stream._session.connections[0].legs


async def test_who_is_slow_but_steady_is_not_taken_for_asleep() -> None:
    async def flood(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(*(trade(number, number) for number in range(1, 401)))
        await peer.listen()

    async with streaming(flood, heartbeat=0.4, max_queue=100) as (_, stream):
        async with stream.trades("A") as trades:
            for number in range(1, 401):
                assert (await anext(trades)).trade_id == f"t-{number}"
                await asyncio.sleep(0.001)
            assert stream.stats.pauses > 0
        assert stream.stats.connects == 1


async def test_who_takes_nothing_is_told() -> None:
    async def flood(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(*(trade(number, number) for number in range(1, 401)))
        await peer.listen()

    async with streaming(flood, heartbeat=0.2, max_queue=100) as (_, stream):
        events = stream.events()
        async with stream.trades("A") as trades:
            async for event in events:
                if getattr(event, "dropped", 0):
                    break
            with pytest.raises(SlowConsumer):
                await anext(trades)
