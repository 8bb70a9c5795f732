"""Several lines of one subscription, and lines that are only partly out of order."""

from __future__ import annotations

import asyncio

from kalshi_async.stream import (
    StreamBackfill,
    StreamDisconnected,
    StreamSlow,
    StreamUnreadable,
)

from .exchanges import floor
from .hostile import Peer, delta, snapshot, streaming, until


async def test_markets_removed_from_a_dead_line_do_not_hold_the_others_up() -> None:
    async with floor(markets=2, max_markets=1) as at:
        a, b = at.tickers
        events = at.stream.events()
        async with at.stream.fills(a, b) as fills:
            at.exchange.faults.on_connect(status=502, times=10_000)
            at.reset("fill")
            await at.fill(b)
            await until(events, StreamDisconnected)
            await fills.remove(b)
            await at.fill(a)
            assert (await anext(fills)).ticker == a


async def test_a_market_without_a_book_does_not_make_the_others_stale() -> None:
    asked = asyncio.Event()

    async def silent_about_b(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(snapshot("A", 1))
        seq = 1
        for _ in range(4):
            command = await peer.command()
            assert command["params"]["action"] == "get_snapshot"
            if "A" in command["params"]["market_tickers"]:
                seq += 1
                await peer.say(snapshot("A", seq))
        asked.set()
        await peer.say(delta("A", seq + 1))
        await peer.listen()

    async with streaming(silent_about_b, patience=0.05) as (server, stream):
        async with stream.orderbook("A", "B") as found:
            assert found.stale == ("B",)
            await asked.wait()
            while found.book("A").size_at("yes", "0.40") != 11:
                await anext(found)
            assert found.stale == ("B",)
        assert [each["cmd"] for each in server.peers[0].commands].count("subscribe") == 1


async def test_a_consumer_stays_paused_when_one_of_its_two_subscriptions_is_dropped() -> None:
    async with floor(markets=2, max_queue=2) as at:
        a, b = at.tickers
        async with at.stream.trades(a) as trades:
            (connection,) = at.stream._session.connections
            await trades._subscribe(trades._make_leg((b,)))
            events = at.stream.events()
            for _ in range(3):
                await at.fill(a)
            await until(events, StreamSlow)
            await trades.remove(b)
            assert "paused" in repr(connection)
            assert [(await anext(trades)).ticker for _ in range(3)] == [a, a, a]
            assert "paused" not in repr(connection)


async def test_unreadable_fills_without_end_do_not_hold_the_good_ones_back() -> None:
    async with floor(markets=1) as at:
        (a,) = at.tickers
        events = at.stream.events()
        async with at.stream.fills() as fills:
            connection, leg = at.only_leg()
            over = asyncio.Event()

            async def go_on() -> None:
                while not over.is_set():
                    connection.frame(b'{"type":"fill","sid":%d,"msg":{"trade_id":7}}' % leg.sid)
                    await asyncio.sleep(0.05)

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(go_on())
                await until(events, StreamUnreadable)
                await at.fill(a)
                assert (await anext(fills)).ticker == a
                over.set()


async def test_reading_what_was_missed_waits_for_the_last_line_to_stand() -> None:
    async with floor(markets=2, max_markets=1) as at:
        a, b = at.tickers
        events = at.stream.events()
        async with at.stream.fills(a, b) as fills:
            first, second = fills._legs
            lines = [(leg, leg.line, leg.sid) for leg in (first, second)]
            for leg in (first, second):
                leg.closed("the line is down")
            at.exchange.faults.on_frame("fill", nth=1, drop=True)
            await at.fill(b)
            for leg, line, sid in lines:
                assert line is not None
                assert fills._catching_up == -1, "what the other one misses would not be read"
                leg.opened(line, sid)
            assert (await until(events, StreamBackfill)).messages == 1
            assert (await anext(fills)).ticker == b
