"""Streams against servers that break off, garble frames, or fall silent."""

from __future__ import annotations

import asyncio
import json
import random
from itertools import pairwise

import anyio
import pytest

from kalshi_async.stream import (
    Reconnect,
    StreamDisconnected,
    StreamFresh,
    StreamLostError,
    StreamResumed,
    StreamStale,
)

from .hostile import (
    BINARY,
    CONT,
    PING,
    TEXT,
    Peer,
    client_of,
    close_frame,
    delta,
    hostile,
    snapshot,
    streaming,
    text,
    trade,
    until,
    ws_frame,
)


class Draws(random.Random):
    """Draws no time at all, and remembers from what."""

    def __init__(self) -> None:
        super().__init__(0)
        self.bounds: list[tuple[float, float]] = []

    def uniform(self, a: float, b: float) -> float:
        self.bounds.append((a, b))
        return 0.0


async def books(peer: Peer) -> None:
    """An exchange with one book."""
    await peer.accept()
    await peer.agree(snapshot("A", 1))
    await peer.listen()


async def again(peer: Peer) -> None:
    """An exchange with one trade, the second of the test."""
    await peer.accept()
    await peer.agree(trade(2, 1))
    await peer.listen()


async def idle(peer: Peer) -> None:
    await peer.accept()
    await peer.listen()


# ---------------------------------------------------------------------------- lost connections


async def test_a_server_that_always_closes_is_not_run_down():
    async def close(peer: Peer) -> None:
        await peer.accept(close_frame(1001, "going away"))

    draws = Draws()
    async with hostile(close) as server, client_of(server, rng=draws) as client:
        async with client.stream(reconnect=Reconnect(base=0.25, cap=1.5, tries=5)) as stream:
            with pytest.raises(StreamLostError) as raised:
                async with stream.trades() as trades:
                    await anext(trades)
            assert stream.state == "lost"
        assert draws.bounds == [(0, 0.25), (0, 0.5), (0, 1.0), (0, 1.5), (0, 1.5)]
        assert (len(server.peers), raised.value.tries) == (6, 6)
        assert "1001" in str(raised.value)


async def test_a_reset_in_the_middle_of_a_frame():
    async def reset(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(snapshot("A", 1), delta("A", 2))
        await peer.raw(text(delta("A", 3))[:40])
        peer.reset()

    async with streaming(reset, books) as (_, stream):
        events = stream.events()
        async with stream.orderbook("A") as found:
            told = [type(await anext(events)) for _ in range(4)]
            assert told == [StreamStale, StreamDisconnected, StreamResumed, StreamFresh]
            assert found.book("A").size_at("yes", "0.40") == 10
        assert (stream.stats.gaps, stream.stats.unreadable) == (0, 0)
        assert stream.stats.messages == {"orderbook_delta": 3}


HEAD_OF_64_MIB = b"\x81\x7f" + (64 << 20).to_bytes(8, "big")
FATAL = {
    "hung up": b"",
    "closed": close_frame(1000, "bye"),
    "close without code": b"\x88\x00",
    "close with a nonsense code": close_frame(77),
    "close of one byte": b"\x88\x01\x03",
    "64 MiB announced": HEAD_OF_64_MIB + b"x" * 999,
    "17 MiB in parts": ws_frame(TEXT, bytes(1 << 20), fin=False)
    + ws_frame(CONT, bytes(1 << 20), fin=False) * 16,
    "compressed": ws_frame(TEXT, b"\x00" * 9, reserved=0x40),
    "reserved opcode": ws_frame(0x3, b"x"),
    "masked": b"\x81\x81abcdx",
    "continuation of nothing": ws_frame(CONT, b"x"),
    "text inside a text": ws_frame(TEXT, b"{", fin=False) + ws_frame(TEXT, b"}"),
    "long ping": ws_frame(PING, bytes(126)),
    "broken ping": ws_frame(PING, b"x", fin=False),
    "no frames": b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9,
}


@pytest.mark.parametrize("data", FATAL.values(), ids=FATAL)
async def test_a_broken_connection_is_made_again(data):
    async def break_off(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(trade(1, 1))
        await peer.raw(data)
        if data:
            await peer.listen()

    async with streaming(break_off, again) as (server, stream):
        async with stream.trades() as trades:
            assert [(await anext(trades)).trade_id for _ in range(2)] == ["t-1", "t-2"]
        assert (len(server.peers), stream.stats.reconnects) == (2, 1)
        assert stream.stats.messages == {"trade": 2}


async def test_a_close_that_is_not_followed_by_the_end_of_the_connection():
    async def linger(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(trade(1, 1))
        await peer.raw(close_frame())
        await asyncio.Event().wait()

    async with streaming(linger, again) as (_, stream):
        async with stream.trades() as trades:
            assert (await anext(trades)).trade_id == "t-1"
            with anyio.fail_after(1):
                assert (await anext(trades)).trade_id == "t-2"


@pytest.mark.parametrize("reads", [True, False])
async def test_a_silent_server_is_left(reads):
    async def fall_silent(peer: Peer) -> None:
        await peer.accept()
        await peer.agree(trade(1, 1))
        peer.answers_pings = False
        await (peer.listen() if reads else asyncio.Event().wait())

    async with streaming(fall_silent, again, heartbeat=0.1) as (server, stream):
        events = stream.events()
        async with stream.trades() as trades:
            assert [(await anext(trades)).trade_id for _ in range(2)] == ["t-1", "t-2"]
            assert "ping" in (await until(events, StreamDisconnected)).reason
            if reads:
                assert server.peers[0].pings == 1


async def test_a_server_that_answers_pings_is_kept():
    async with streaming(books, heartbeat=0.2) as (server, stream):
        async with stream.orderbook("A"):
            (peer,) = server.peers
            for _ in range(3):
                await peer.pinged.get()
        assert (len(server.peers), stream.stats.reconnects) == (1, 0)


async def test_a_server_that_never_says_goodbye_does_not_keep_a_stream_open():
    left = asyncio.Event()

    async def deaf(peer: Peer) -> None:
        await peer.accept()
        await left.wait()

    async with streaming(deaf) as (_, stream):
        assert stream.state == "connected"
    left.set()
    assert stream.state == "closed"


# ---------------------------------------------------------------------------- odd frames


def split(message: object, *places: int) -> bytes:
    """A message in several frames, with a ping between them."""
    data = json.dumps(message).encode()
    parts = [data[a:b] for a, b in pairwise([0, *places, len(data)])]
    frames = [ws_frame(TEXT, parts[0], fin=False)]
    frames += [ws_frame(CONT, part, fin=part is parts[-1]) for part in parts[1:]]
    return ws_frame(PING, b"p").join(frames)


async def test_messages_in_parts_and_in_binary_frames():
    async def odd(peer: Peer) -> None:
        await peer.accept()
        await peer.agree()
        await peer.raw(split(trade(1, 1), 0, 1, 17, 17, 50))
        await peer.raw(ws_frame(BINARY, json.dumps(trade(2, 2)).encode()))
        for byte in split(trade(3, 3), 8):
            await peer.raw(bytes([byte]))
            await asyncio.sleep(0)
        await peer.say(*(trade(number, number) for number in range(4, 400)))
        await peer.listen()

    async with streaming(odd) as (_, stream):
        async with stream.trades() as trades:
            found = [await anext(trades) for _ in range(399)]
    assert [(each.trade_id, each.seq) for each in found] == [(f"t-{n}", n) for n in range(1, 400)]
    assert (stream.stats.gaps, stream.stats.unreadable, stream.stats.frames) == (0, 0, 400)


async def test_a_message_of_15_mib_is_read():
    async def large(peer: Peer) -> None:
        await peer.accept()
        await peer.agree()
        await peer.raw(text(trade(1, 1) | {"new": "x" * (15 << 20)}))
        await peer.listen()

    async with streaming(large) as (_, stream):
        async with stream.trades() as trades:
            assert len((await anext(trades)).extra["new"]) == 15 << 20
