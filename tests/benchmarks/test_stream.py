"""The stream benchmarks: what the server sends, the relay, and short runs from the outside."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import connect

from benchmarks._stream_feed import (
    LEVELS,
    SIDES,
    Change,
    Feed,
    blocks,
    count_text,
    frame,
    price_text,
    ticker,
)
from benchmarks._stream_server import WS_PATH, Programme, streaming, unmasked
from benchmarks._stream_wire import Wire, relaying
from benchmarks.contenders.stream_latency import percentile
from benchmarks.contenders.stream_takers import right_books
from kalshi_async.stream._frames import decode_frame
from kalshi_async.stream.orderbook import OrderBook

from .short_runs import quick

# What the server sends


def kept(feed: Feed) -> dict[str, dict[Decimal, Decimal]]:
    return {
        side: {Decimal(price_text(p)): Decimal(count_text(c)) for p, c in levels.items()}
        for side, levels in feed.books[0].items()
    }


def test_snapshot_and_changes_add_up_to_the_book_of_the_feed() -> None:
    feed, book = Feed(seed=3), OrderBook(ticker(0))
    first: Any = decode_frame(feed.snapshot(0, 1))
    assert not first.msg.extra
    assert len(first.msg.yes) == len(first.msg.no) == LEVELS
    assert first.msg.yes[-1].price + first.msg.no[-1].price < 1
    book.apply_snapshot(first.msg.yes, first.msg.no)
    for seq, change in enumerate(islice(feed.changes(), 3_000), start=2):
        read: Any = decode_frame(change.payload(seq, seq))
        assert (read.seq, read.msg.clock, read.msg.extra) == (seq, seq, None)
        book.apply_delta(read.msg.side, read.msg.price, read.msg.delta)
    assert {"yes": dict(book.yes), "no": dict(book.no)} == kept(feed)
    assert LEVELS - 20 < len(book.yes) <= LEVELS


def test_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    first, again, other = (Programme(Feed(seed=seed), deltas=50) for seed in (1, 1, 2))
    assert (first.blocks, first.snapshots, first.books()) == (
        again.blocks,
        again.snapshots,
        again.books(),
    )
    assert first.blocks != other.blocks


@pytest.mark.parametrize(("count", "text"), [(-1_200, "-12.00"), (5, "0.05"), (-5, "-0.05")])
def test_counts_have_two_decimals_and_their_sign(count: int, text: str) -> None:
    assert count_text(count) == text


@given(st.lists(st.binary(min_size=1, max_size=40)), st.integers(1, 60))
def test_blocks_are_as_large_as_they_may_be(frames: list[bytes], size: int) -> None:
    made = list(blocks(iter(frames), size))
    assert b"".join(made) == b"".join(frames)
    assert all(len(block) <= max(size, *map(len, frames)) for block in made)


@given(st.integers(0, 400) | st.sampled_from([65_535, 65_536, 70_000]), st.binary(min_size=4))
def test_a_frame_of_a_client_is_unmasked_once_it_is_there(size: int, mask: bytes) -> None:
    mask, payload = mask[:4], bytes(at % 251 for at in range(size))
    head = frame(payload)[: len(frame(payload)) - size]
    body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    sent = bytearray(head[:1] + bytes((head[1] | 0x80,)) + head[2:] + mask + body)
    assert unmasked(sent[:-1]) is None
    assert unmasked(sent + b"more") == (1, payload, len(sent))


def test_stamps_take_the_place_of_the_clock() -> None:
    programme = Programme(Feed(), deltas=3, rate=100)
    assert not programme.blocks
    sent = programme.burst(0, 3)
    read = [json.loads(part[part.index(b"{") :]) for part in sent.split(b"\x81\x7e")[1:]]
    stamps = [each["msg"]["clock"] for each in read]
    assert stamps == sorted(stamps)
    assert [each["seq"] for each in read] == [2, 3, 4]
    change = Change(0, "yes", 50, -100)
    assert change.payload(9, 8) == b"8".join(change.around_clock(9))


async def test_over_a_socket_everything_comes_in_order_and_ends_with_the_right_books() -> None:
    with streaming(sys.executable, markets=3, deltas=40) as address:
        right = await right_books(address)
        async with connect(f"ws://{address}{WS_PATH}", proxy=None) as connection:
            wanted = {"channels": ["orderbook_delta"], "market_tickers": list(right)}
            await connection.send(json.dumps({"id": 7, "cmd": "subscribe", "params": wanted}))
            told = json.loads(await connection.recv())
            assert (told["type"], told["id"]) == ("subscribed", 7)
            books = {name: OrderBook(name) for name in right}
            for seq in range(1, 44):
                read: Any = decode_frame(await connection.recv(decode=False))
                assert read.seq == seq
                book = books[read.msg.market_ticker]
                if seq <= 3:
                    book.apply_snapshot(read.msg.yes, read.msg.no)
                else:
                    book.apply_delta(read.msg.side, read.msg.price, read.msg.delta)
        assert right == {
            name: {side: dict(getattr(book, side)) for side in SIDES}
            for name, book in books.items()
        }


def test_percentiles_are_values_that_so_many_do_not_exceed() -> None:
    values = list(range(1, 101))
    assert [percentile(values, share) for share in (0.5, 0.99, 1.0)] == [51, 100, 100]
    assert percentile([4], 0.5) == 4


# The relay


@asynccontextmanager
async def echoing() -> AsyncIterator[tuple[Wire, asyncio.StreamReader, asyncio.StreamWriter]]:
    """A relay to a server that sends back what it gets, and a connection to it."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with relaying(f"ws://127.0.0.1:{port}/path") as wire:
        assert wire.url == f"ws://127.0.0.1:{wire.port}/path"
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        yield wire, reader, writer
        writer.close()
    server.close()


async def test_the_relay_hangs_up() -> None:
    async with echoing() as (wire, reader, _):
        wire.hang_up()
        assert await reader.read() == b""


async def test_the_relay_breaks_off_where_it_is_told_to() -> None:
    async with echoing() as (wire, reader, writer):
        wire.cut(7)
        writer.write(b"0123")
        assert await reader.readexactly(4) == b"0123"
        writer.write(b"456789")
        assert await reader.read() == b"456"


async def test_the_relay_is_silent_until_the_client_leaves() -> None:
    async with echoing() as (wire, reader, writer):
        wire.silence()
        writer.write(b"anybody there?")
        again, sender = await asyncio.open_connection("127.0.0.1", wire.port)
        sender.write(b"yes")
        assert await again.readexactly(3) == b"yes"
        writer.write_eof()
        assert await reader.read() == b""
        sender.close()


# All of it


def test_a_short_run_measures_every_part() -> None:
    report = quick("stream")
    measured = {
        (row["measurement"], row["contender"], row["unit"]): row["median"] for row in report["rows"]
    }
    for key in (
        ("2,000 deltas", "floor", "CPU us/message"),
        ("2,000 deltas", "ours", "CPU us/message"),
        ("2,000 deltas", "ours, conflate", "messages/s"),
        ("latency, 2,000/s", "ours", "p50 ms"),
        ("latency, 2,000/s", "ours", "p99.9 ms"),
        ("100 markets", "ours", "kB/market"),
    ):
        assert measured[key] > 0
    assert measured["100 markets", "ours", "books equal"] == 100
    targets = {target["name"]: target["met"] for target in report["targets"]}
    assert targets["100 markets: connections"]
    assert targets["100 markets: stale when entered"]
    assert {"deltas: ours / floor", "latency: p99 ms", "100 markets: kB a market"} <= targets.keys()


def test_a_short_run_of_the_chaos_counts_and_judges() -> None:
    report = quick("stream-chaos")
    counts = {row[""]: row["count"] for row in report["rows"]}
    assert counts["disconnects"] >= 3
    assert counts["gaps noticed"] >= 1
    assert counts["fills told"] > 0
    assert counts["consumer beside them: messages afterwards"] == 50
    targets = {target["name"]: target["met"] for target in report["targets"]}
    assert targets["consumer that stops: told"]
    for name in ("books wrong", "fills missing", "fills told twice", "fills out of order"):
        assert targets[name]
