"""Streams against servers that send more than a consumer takes."""

from __future__ import annotations

import asyncio

import pytest

from kalshi_async.stream import (
    SlowConsumer,
    StreamDisconnected,
    StreamResumed,
    StreamSlow,
    StreamUnknown,
    Subscription,
    TradeUpdate,
)

from .hostile import Peer, delta, snapshot, streaming, trade, until


async def take(trades: Subscription[TradeUpdate], many: int) -> list[int]:
    """The numbers of the next trades."""
    return [int((await anext(trades)).trade_id.removeprefix("t-")) for _ in range(many)]


def some(first: int, last: int, sid: int = 1) -> list[object]:
    return [trade(number, number, sid=sid) for number in range(first, last + 1)]


async def test_a_consumer_that_is_slow_now_and_then_loses_nothing():
    async def flood(peer: Peer) -> None:
        await peer.accept()
        await peer.agree()
        for first in range(1, 20_001, 100):
            await peer.say(*some(first, first + 99))
        await peer.listen()

    async with streaming(flood) as (_, stream):
        async with stream.trades(max_queue=10) as trades:
            found: list[int] = []
            while len(found) < 20_000:
                found += await take(trades, min(50, 20_000 - len(found)))
                await asyncio.sleep(0)
            assert found == list(range(1, 20_001))
        assert (stream.stats.gaps, stream.stats.connects) == (0, 1)
        assert stream.stats.pauses > 1


async def test_what_came_before_a_loss_is_taken_before_what_comes_after_it():
    async def leave(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(*some(1, 500))
        await peer.hang_up()

    async def go_on(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(trade(501, 1))
        await peer.listen()

    async with streaming(leave, go_on) as (_, stream):
        events = stream.events()
        async with stream.trades(max_queue=5) as trades:
            assert isinstance(await until(events, StreamSlow), StreamSlow)
            assert await take(trades, 501) == list(range(1, 502))


async def test_a_consumer_that_takes_nothing_is_left_so_that_the_others_go_on():
    taken = asyncio.Event()

    async def flood(peer: Peer) -> None:
        await peer.accept()
        await peer.agree()
        await peer.agree(*some(1, 100))
        await peer.say(*some(1, 10, sid=2))
        await taken.wait()
        await peer.say(*some(11, 20, sid=2))
        await peer.listen()

    async with streaming(flood, heartbeat=0.5) as (server, stream):
        events = stream.events()
        async with stream.trades("A", max_queue=5) as idle, stream.trades("B") as busy:
            assert (await until(events, StreamSlow)).dropped == 0
            told = await until(events, StreamSlow)
            assert (told.channel, told.dropped) == ("trade", told.waiting)
            assert 5 <= told.dropped <= 100
            with pytest.raises(SlowConsumer) as raised:
                await anext(idle)
            assert (raised.value.channel, raised.value.dropped) == ("trade", told.dropped)
            assert await take(busy, 10) == list(range(1, 11))
            taken.set()
            assert await take(busy, 10) == list(range(11, 21))
        assert stream.stats.dropped == {"trade": told.dropped}
        assert (len(server.peers), stream.stats.reconnects) == (1, 0)
    commands = server.peers[0].commands
    ended = [each["params"]["sids"] for each in commands if each["cmd"] == "unsubscribe"]
    assert ended == [[1], [2]]


async def test_only_the_newest_of_each_market_waits():
    async def flood(peer: Peer) -> None:
        await peer.accept()
        await peer.agree()
        for number in range(1, 5_001):
            for name in ("A", "B"):
                msg = {"market_ticker": name, "price_dollars": f"{number / 10_000}"}
                await peer.say({"type": "ticker", "sid": 1, "msg": msg})
        await peer.say({"type": "halt", "sid": 1})
        await peer.listen()

    async with streaming(flood) as (_, stream):
        events = stream.events()
        async with stream.ticker(conflate=True, max_queue=3) as prices:
            await until(events, StreamUnknown)
            assert prices.waiting == 2
            found = [await anext(prices) for _ in range(2)]
        assert [(each.ticker, str(each.price)) for each in found] == [("A", "0.5"), ("B", "0.5")]
        assert (stream.stats.replaced, stream.stats.pauses) == (9_998, 0)


async def test_books_are_right_although_nobody_iterates():
    async def flood(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(snapshot("A", 1))
        await peer.say(*(delta("A", seq) for seq in range(2, 2_002)))
        await peer.say({"type": "halt", "sid": 1, "seq": 2_002})
        await peer.listen()

    async with streaming(flood) as (_, stream):
        events = stream.events()
        async with stream.orderbook("A", conflate=True, max_queue=5) as books:
            await until(events, StreamUnknown)
            assert books.book("A").size_at("yes", "0.40") == 2_010
            assert (await anext(books)).yes[0].size == 2_010
        assert stream.stats.pauses == 0


async def test_a_stream_is_closed_while_reading_stands_still():
    async def flood(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(*some(1, 100))
        await peer.listen()

    async with streaming(flood) as (_, stream):
        events = stream.events()
        trades = stream.trades(max_queue=5)
        await trades.open()
        await until(events, StreamSlow)
    assert stream.state == "closed"


async def test_a_silent_server_is_left_while_reading_stood_still_before():
    async def flood(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(*some(1, 100))
        peer.answers_pings = False
        await peer.listen()

    async def go_on(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(trade(101, 1))
        await peer.listen()

    async with streaming(flood, go_on, heartbeat=0.5) as (_, stream):
        events = stream.events()
        async with stream.trades(max_queue=5) as trades:
            await until(events, StreamSlow)
            assert await take(trades, 100) == list(range(1, 101))
            await until(events, StreamDisconnected)
            await until(events, StreamResumed)
            assert await take(trades, 1) == [101]
