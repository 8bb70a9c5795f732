"""Streams against servers that shake hands and then answer wrongly, late, twice, or never."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import anyio
import pytest

from kalshi_async import PermissionDeniedError
from kalshi_async.stream import (
    StaleBookError,
    StreamClosedError,
    StreamDisconnected,
    StreamFresh,
    StreamResumed,
    StreamStale,
    StreamUnreadable,
    SubscriptionRefusedError,
)

from .hostile import (
    TEXT,
    Peer,
    delta,
    snapshot,
    streaming,
    trade,
    until,
    ws_frame,
)


async def serve(peer: Peer, *frames: object) -> None:
    """An exchange that agrees to one subscription, says this, and listens."""
    await peer.accept()
    await peer.agree(*frames)
    await peer.listen()


def named(peer: Peer, command: str) -> list[Any]:
    return [each["params"] for each in peer.commands if each["cmd"] == command]


async def refuse(peer: Peer, command: dict[str, Any], code: int, *markets: str) -> None:
    msg = {"code": code, "msg": "no", "market_tickers": list(markets)}
    await peer.say({"type": "error", "id": command["id"], "msg": msg})


async def idle(peer: Peer) -> None:
    await peer.accept()
    await peer.listen()


# ---------------------------------------------------------------------------- frames


async def test_garbage_between_messages():
    async def garble(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(trade(1, 1))
        for data in (b"", b"\xff\xfe", b"{", b"[" * 99_999, b"null"):
            await peer.raw(ws_frame(TEXT, data))
        await peer.say({"type": "halt"}, trade(9, 9, sid=9), {"type": "ok", "id": 77}, trade(2, 2))
        await peer.listen()

    async with streaming(garble) as (_, stream):
        events = stream.events()
        async with stream.trades() as trades:
            assert [(await anext(trades)).trade_id for _ in range(2)] == ["t-1", "t-2"]
        told = await until(events, StreamUnreadable)
        assert told.error.size == 0
        stats = stream.stats
    assert (stats.unreadable, stats.unknown, stats.frames) == (5, {"halt": 1}, 11)
    assert (stats.dropped.total(), stats.gaps, stats.reconnects) == (1, 0, 0)


async def test_a_time_that_no_clock_shows():
    late = trade(1, 1)
    late["msg"]["ts_ms"] = int("9" * 400)
    async with streaming(lambda peer: serve(peer, late, trade(2, 2))) as (_, stream):
        async with stream.trades() as trades:
            assert [(await anext(trades)).trade_id for _ in range(2)] == ["t-1", "t-2"]
        assert stream.stats.connects == 1


async def test_books_in_doubt_are_asked_for_and_come_again():
    async def lose(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(snapshot("A", 1), snapshot("B", 2))
        await peer.command()
        await peer.say({"type": "ok", "id": 2, "sid": 1, "seq": 3}, delta("A", 5))
        tickers: list[str] = []
        while len(tickers) < 2:
            tickers += (await peer.command())["params"]["market_tickers"]
        await peer.say(*(snapshot(ticker, 6 + at) for at, ticker in enumerate(sorted(tickers)[:2])))
        await peer.listen()

    async with streaming(lose, patience=0.2) as (_, stream):
        events = stream.events()
        async with stream.orderbook("A", "B") as books:
            await books.add("C")
            assert set((await until(events, StreamStale)).tickers) == {"A", "B", "C"}
            with pytest.raises(StaleBookError):
                books.book("A").best_yes_bid  # noqa: B018
            for update in ("A", "B"):
                while books.book(update).stale:
                    await anext(books)
            assert stream.stats.resyncs >= 1
            assert books.stale == ("C",)


# ---------------------------------------------------------------------------- answers


async def test_a_subscribe_that_is_never_answered_makes_for_a_new_connection():
    async with streaming(idle, lambda peer: serve(peer, trade(1, 1)), patience=0.3) as (
        server,
        stream,
    ):
        events = stream.events()
        async with stream.trades() as trades:
            assert (await anext(trades)).trade_id == "t-1"
            await until(events, StreamDisconnected)
        assert [len(named(peer, "subscribe")) for peer in server.peers] == [1, 1]


async def test_a_subscribe_that_is_never_answered_can_be_given_up():
    async def answer_late(peer: Peer) -> None:
        await peer.accept()
        command = await peer.command()
        asked.set()
        await given_up.wait()
        await peer.say(
            {"type": "subscribed", "id": command["id"], "msg": {"channel": "trade", "sid": 5}},
            trade(1, 1, sid=5),
        )
        assert (await peer.command())["params"] == {"sids": [5]}
        ended.set()
        await peer.listen()

    asked, given_up, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
    async with streaming(answer_late) as (_, stream):
        trades = stream.trades()
        async with anyio.create_task_group() as group:
            group.start_soon(trades.open)
            await asked.wait()
            group.cancel_scope.cancel()
        given_up.set()
        await ended.wait()
        with pytest.raises(StreamClosedError):
            await anext(trades)
        assert trades.waiting == 0


async def test_answers_with_another_id_and_twice():
    async def confuse(peer: Peer) -> None:
        await peer.accept()
        command = await peer.command()
        msg = {"channel": "trade", "sid": 1}
        for number in (0, 99, None, "1", command["id"], command["id"]):
            await peer.say({"type": "subscribed", "id": number, "msg": msg})
        await peer.say(trade(1, 1))
        await peer.listen()

    async with streaming(confuse) as (server, stream):
        async with stream.trades() as trades:
            assert (await anext(trades)).trade_id == "t-1"
        assert len(server.peers) == 1


@pytest.mark.parametrize("code", [5, 9, 11, 25])
async def test_a_refused_subscription_leaves_the_others_alone(code):
    async def choose(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(trade(1, 1))
        await refuse(peer, await peer.command(), code, "X")
        await peer.say(trade(2, 2))
        await peer.listen()

    async with streaming(choose) as (_, stream):
        async with stream.trades() as trades:
            with pytest.raises(SubscriptionRefusedError) as raised:
                await stream.orderbook("X").open()
            assert (raised.value.code, raised.value.markets) == (code, ("X",))
            assert [(await anext(trades)).trade_id for _ in range(2)] == ["t-1", "t-2"]
        assert stream.state == "connected"


async def test_a_connection_that_carries_no_more_markets_is_left_for_another():
    async def full(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(trade(1, 1))
        await refuse(peer, await peer.command(), 26)
        await peer.listen()

    async with streaming(full, lambda peer: serve(peer, trade(2, 1, ticker="B"))) as (
        server,
        stream,
    ):
        async with stream.trades("A") as first, stream.trades("B") as second:
            assert (await anext(first)).trade_id == "t-1"
            assert (await anext(second)).trade_id == "t-2"
        assert len(server.peers) == 2


async def test_an_exchange_that_carries_no_markets_at_all_says_so():
    async def full(peer: Peer) -> None:
        await peer.accept()
        while True:
            await refuse(peer, await peer.command(), 26)

    async with streaming(full) as (server, stream):
        with pytest.raises(SubscriptionRefusedError, match="error 26"):
            await stream.trades("A").open()
        assert len(server.peers) <= 2


async def test_an_ended_subscription_is_made_again():
    async def overflow(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(snapshot("A", 1))
        await peer.say({"type": "error", "sid": 1, "seq": 2, "msg": {"code": 25, "msg": "slow"}})
        await peer.agree(snapshot("A", 1, sid=2, yes="3.00"))
        await peer.listen()

    async with streaming(overflow) as (server, stream):
        events = stream.events()
        async with stream.orderbook("A") as books:
            assert "error 25" in (await until(events, StreamStale)).reason
            await until(events, StreamFresh)
            assert books.book("A").size_at("yes", "0.40") == 3
        assert (len(server.peers), stream.stats.reconnects) == (1, 0)


# ---------------------------------------------------------------------------- after a loss


async def lose_at(peer: Peer, commands: int) -> None:
    """Agree to the first subscription, and break off at a later command."""
    await peer.accept()
    await peer.agree()
    for _ in range(commands):
        await peer.command()
    peer.reset()


async def agree_to_all(peer: Peer) -> None:
    """Agree to whatever comes; the numbers of each subscription are right."""
    await peer.accept()
    seqs: dict[int, int] = {}
    while True:
        command = await peer.command()
        if command["cmd"] == "subscribe":
            peer.sids += 1
            (channel,) = command["params"]["channels"]
            msg = {"channel": channel, "sid": peer.sids}
            await peer.say({"type": "subscribed", "id": command["id"], "msg": msg})
        elif command["cmd"] == "update_subscription":
            sid = command["params"]["sid"]
            assert 0 < sid <= peer.sids, command
            seqs[sid] = seqs.get(sid, 0) + 1
            await peer.ok(command, seqs[sid])


@pytest.mark.parametrize("change", ["add", "remove"])
async def test_a_change_whose_connection_is_lost_is_made_on_the_next(change):
    script = partial(lose_at, commands=1)
    async with streaming(script, agree_to_all) as (server, stream):
        async with stream.trades("A", "B") as trades:
            await getattr(trades, change)("C" if change == "add" else "B")
            assert trades.subjects == (("A", "B", "C") if change == "add" else ("A",))
        (update,) = named(server.peers[1], "update_subscription")
        assert (update["sid"], update["market_tickers"]) == (1, ["C" if change == "add" else "B"])


async def test_a_change_while_a_connection_is_made_again_waits_for_it():
    async def slow(peer: Peer) -> None:
        await go.wait()
        await agree_to_all(peer)

    go = asyncio.Event()
    async with streaming(partial(lose_at, commands=0), slow) as (server, stream):
        told = stream.events()
        async with stream.trades("A") as trades:
            await until(told, StreamDisconnected)
            async with anyio.create_task_group() as group:
                group.start_soon(trades.add, "B")
                await anyio.lowlevel.checkpoint()
                go.set()
            assert trades.subjects == ("A", "B")
        assert [each["sid"] for each in named(server.peers[1], "update_subscription")] == [1]


async def test_a_part_without_markets_is_not_subscribed_to_everything():
    async with streaming(agree_to_all, max_markets=1) as (server, stream):
        events = stream.events()
        async with stream.trades("A", "B") as trades:
            await trades.remove("B")
            assert trades.subjects == ("A",)
            for number in (1, 2):
                server.peers[number - 1].reset()
                await until(events, StreamResumed)
            await trades.add("C")
            assert sorted(trades.subjects) == ["A", "C"]
        for peer in server.peers:
            assert all(each.get("market_tickers") for each in named(peer, "subscribe"))


async def test_markets_that_are_removed_at_the_same_time():
    async with streaming(agree_to_all) as (server, stream):
        events = stream.events()
        async with stream.trades("A", "B") as trades:
            await asyncio.gather(trades.remove("A"), trades.remove("B"), return_exceptions=True)
            server.peers[0].reset()
            await until(events, StreamResumed)
            await stream.trades("Z").open()  # commands go in order: what was to be sent, was
        for peer in server.peers:
            assert all(each.get("market_tickers") for each in named(peer, "subscribe"))


async def test_changes_at_the_same_time():
    async with streaming(agree_to_all, max_markets=2) as (server, stream):
        async with stream.trades("A", "B") as trades:
            await asyncio.gather(
                trades.remove("A"), trades.add("C"), trades.add("D"), trades.add("D", "E", "E")
            )
            assert {*trades.subjects} == {"B", "C", "D", "E"}
        for peer in server.peers:
            for each in named(peer, "subscribe"):
                assert len(each["market_tickers"]) <= 2


async def test_a_market_that_is_gone_is_left_out_when_a_connection_is_made_again():
    async def gone(peer: Peer) -> None:
        await peer.accept()
        await refuse(peer, await peer.command(), 11, "B")
        await peer.agree(snapshot("A", 1))
        await peer.listen()

    async def whole(peer: Peer) -> None:
        await serve(peer, snapshot("A", 1), snapshot("B", 2))

    async with streaming(whole, gone) as (server, stream):
        events = stream.events()
        async with stream.orderbook("A", "B") as books:
            book = books.book("B")
            await server.peers[0].hang_up()
            await until(events, StreamFresh)
            assert (books.subjects, books.stale, book.stale) == (("A",), (), True)
        asked = [each["market_tickers"] for each in named(server.peers[1], "subscribe")]
        assert asked == [["A", "B"], ["A"]]


async def test_a_change_while_a_subscription_is_ended_waits_for_the_next():
    async def overflow(peer: Peer) -> None:
        await peer.accept()
        await peer.agree()
        await peer.say({"type": "error", "sid": 1, "seq": 1, "msg": {"code": 10, "msg": "slow"}})
        await peer.agree()
        command = await peer.command()
        assert (command["cmd"], command["params"]["sid"]) == ("update_subscription", 2)
        await peer.ok(command, 1, trade(1, 2, sid=2))
        await peer.listen()

    async with streaming(overflow) as (server, stream):
        async with stream.trades("A") as trades:
            await trades.add("B")
            assert trades.subjects == ("A", "B")
            assert (await anext(trades)).trade_id == "t-1"
        assert len(server.peers) == 1


async def test_a_change_fails_when_its_stream_is_given_up():
    async def forbid(peer: Peer) -> None:
        await peer.refuse("403 Forbidden")

    async with streaming(partial(lose_at, commands=1), forbid) as (_, stream):
        async with stream.trades("A") as trades:
            with pytest.raises(PermissionDeniedError):
                await trades.add("B")
            with pytest.raises(PermissionDeniedError):
                await anext(trades)
            with pytest.raises(PermissionDeniedError):
                await stream.ticker().open()
        assert stream.state == "lost"
