"""The parts of the `exchange` benchmark, and a short run of all of it."""

from __future__ import annotations

import asyncio
import json
from itertools import islice
from typing import Any

import pytest

from benchmarks._flow import Flow, draws
from benchmarks._lines import HOST, Load
from benchmarks.contenders.depth import TICKER, Deep
from benchmarks.contenders.engine import alone, bare, members
from benchmarks.contenders.subscribers import Audience, Subscriber, text_frame
from kalshi_async.sandbox._records import RESTING

from .short_runs import quick

# Orders


def test_the_same_seed_draws_the_same_commands_and_another_one_others() -> None:
    first, again, other = (list(islice(draws(seed), 200)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    kinds = [draw.kind for draw in islice(draws(1), 5_000)]
    assert kinds.count("cancel") / 5_000 == pytest.approx(0.20, abs=0.02)
    assert kinds.count("amend") / 5_000 == pytest.approx(0.15, abs=0.02)


def test_a_flow_trades_and_leaves_books_that_do_not_cross() -> None:
    engine = bare()
    flow = Flow(members(engine), [TICKER])
    for now, draw in enumerate(islice(draws(3), 600), start=1):
        flow.step(engine, draw, now)
        book = engine.books[TICKER]
        bid, ask = book.best(True), book.best(False)
        assert bid is None or ask is None or bid[0] < ask[0]
    assert flow.done.total() == 600
    assert min(flow.done.values()) > 50
    assert engine.markets[TICKER].volume > 0
    orders = [order for trader in engine.traders.values() for order in trader.orders.values()]
    assert len(orders) == flow.done["place"]
    assert any(order.status == RESTING for order in orders)


def test_the_engine_is_measured_over_the_commands_asked_for() -> None:
    figures = alone(400)
    assert figures["commands"] == 400
    assert 0 < figures["placed"] < 400
    assert figures["trades"] > 0
    assert figures["events"] > 400


@pytest.mark.parametrize("one_sided", [False, True])
@pytest.mark.parametrize("depth", [10, 300])
def test_a_deep_book_stays_as_deep_as_it_was(depth: int, one_sided: bool) -> None:
    engine = bare()
    deep = Deep(engine, depth, seed=1, one_sided=one_sided)
    for _ in range(30):
        assert deep.match() >= 0
        assert deep.cancel() >= 0
        assert deep.rested() == depth
    taker = list(engine.traders.values())[-1]
    assert len(taker.fills) == 30
    assert {fill.bid for fill in taker.fills} == ({True} if one_sided else {True, False})


# HTTP


async def answered(*answers: bytes, sent: int) -> tuple[Load, list[bytes]]:
    """A load of `sent` requests over one connection whose server sends these pieces, one for each
    request that it gets.
    """
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            got.append(await reader.readuntil(b"\r\n\r\n"))
            for cut in (answer[:20], answer[20:]):
                writer.write(cut)
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    load = Load([b"GET /%d HTTP/1.1\r\n\r\n" % at for at in range(sent)], wanted=201)
    await load.run(server.sockets[0].getsockname()[1], 1)
    server.close()
    return load, got


def answer(status: int, body: bytes = b"{}") -> bytes:
    return b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)


async def test_a_load_sends_the_next_request_when_one_is_answered_in_pieces() -> None:
    load, got = await answered(*[answer(201, b"x" * size) for size in (0, 5, 900)], sent=3)
    assert load.statuses == {201: 3}
    assert [request.split()[1] for request in got] == [b"/0", b"/1", b"/2"]
    assert len(load.latencies) == 3
    assert 0 < load.percentile(0.5) <= load.percentile(0.99) <= max(load.latencies) * 1e3


async def test_a_load_ends_with_the_first_answer_that_is_not_wanted() -> None:
    load, got = await answered(answer(201), answer(409), answer(201), sent=3)
    assert load.statuses == {201: 1, 409: 1}
    assert len(got) == 2


async def test_a_load_ends_when_its_server_goes_away() -> None:
    load, _ = await answered(answer(201), sent=3)
    assert load.statuses == {201: 1}


# Subscribers


def frame(**message: Any) -> bytes:
    payload = json.dumps(message).encode()
    size = len(payload)
    head = bytes((0x81, size)) if size < 126 else b"\x81\x7e" + size.to_bytes(2, "big")
    return head + payload


def opening(subscriber: Subscriber) -> None:
    subscriber.data_received(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    levels = [["0.4600", "12.50"], ["0.4700", "3.00"]]
    snapshot = {"clock": 7, "yes_dollars_fp": levels, "market_ticker": "M"}
    subscriber.data_received(frame(type="subscribed", msg={"channel": "x", "sid": 1}))
    subscriber.data_received(frame(type="orderbook_snapshot", seq=1, msg=snapshot))


def delta(seq: int, clock: int, side: str, price: str, count: str) -> bytes:
    msg = {"clock": clock, "side": side, "price_dollars": price, "delta_fp": count}
    return frame(type="orderbook_delta", seq=seq, msg=msg)


@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_a_subscriber_keeps_the_book_however_its_frames_are_cut(piece: int) -> None:
    subscriber = Subscriber(Audience(), b"")
    opening(subscriber)
    sent = delta(2, 8, "yes", "0.4700", "-3.00") + delta(3, 9, "no", "0.5000", "0.25")
    for at in range(0, len(sent), piece):
        subscriber.data_received(sent[at : at + piece])
    assert subscriber.book == {"yes": {4600: 1250}, "no": {5000: 25}}
    assert (subscriber.clock, subscriber.gaps, subscriber.frames) == (9, 0, 4)


@pytest.mark.parametrize(("seq", "clock"), [(3, 8), (2, 9), (1, 7)])
def test_a_subscriber_notices_what_is_missing_or_comes_twice(seq: int, clock: int) -> None:
    subscriber = Subscriber(Audience(), b"")
    opening(subscriber)
    subscriber.data_received(delta(seq, clock, "yes", "0.4700", "1.00"))
    assert subscriber.gaps > 0


def test_commands_are_masked_text_frames() -> None:
    assert text_frame(b"{}") == b"\x81\x82\0\0\0\0{}"


# All of it


def test_a_short_run_measures_every_part() -> None:
    report = quick("exchange")
    figures = {row["measurement"]: row["median"] for row in report["rows"]}
    for name in (
        "engine alone: orders placed",
        "HTTP, Ed25519: orders",
        "HTTP, RSA-2048: orders",
        "HTTP, Ed25519, state file: orders",
        "match: 10,000 resting",
        "cancel: 10 resting",
        "20 subscribers: messages",
        "activity: trades",
    ):
        assert figures[name] > 0
    assert figures["20 subscribers: books equal"] == 20
    assert figures["20 subscribers: changes of the book"] > 50
    targets = {target["name"]: target for target in report["targets"]}
    assert targets["20 subscribers: books equal"]["met"]
    assert {"engine alone: orders placed/s", "HTTP, Ed25519: orders/s"} <= targets.keys()
    assert {"match: 10,000 / 10 resting", "activity: last quarter: % added"} <= targets.keys()
