"""Replays: a recording through the same checks as live, in an order that never changes."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from kalshi_async import (
    InvalidRequestError,
    SlowConsumer,
    StaleBookError,
    StreamClosedError,
    StreamDisconnected,
    StreamGap,
    StreamStale,
    StreamUnknown,
)
from kalshi_async.stream import OrderbookDelta, OrderbookSnapshot, Stream, TradeUpdate
from kalshi_async.stream._recorded.lines import command_line, event_line, loss_line
from kalshi_async.stream.recording import Replay

from .recordings import (
    START,
    A,
    B,
    delta,
    frame,
    snapshot,
    subscribed,
    trade,
    write,
)

FIVE = {"0.4000": "5.00"}


def day(tmp_path: Path) -> Path:
    """Two books and trades of both markets, each change a trade."""
    entries = [
        subscribed(1, "orderbook_delta"),
        subscribed(2, "trade"),
        snapshot(1, 1, A, yes=FIVE),
        snapshot(1, 2, B, no=FIVE),
    ]
    for number in range(1, 11):
        ticker = A if number % 2 else B
        entries.append(delta(1, number + 2, "1.00", ticker))
        entries.append(trade(2, number, number, ticker))
    return write(tmp_path / "day.jsonl", entries)


def size(stream: Stream, ticker: str = A) -> Decimal:
    assert isinstance(stream, Replay)
    return stream.books[ticker].size_at("yes", "0.40")


async def test_books_are_at_each_update_what_they_were_then(tmp_path: Path) -> None:
    async with Replay(day(tmp_path)) as replay, replay.orderbook(A) as books:
        book, seen = books.book(A), []
        with pytest.raises(StaleBookError):
            book.best_yes_bid  # noqa: B018 - nothing was read yet
        async for update in books:
            assert update.ticker == A
            seen.append((type(update), update.seq, book.size_at("yes", "0.40")))
            assert update.received_at == replay.now
        sizes = [Decimal(5 + n) for n in range(6)]
        assert seen[0] == (OrderbookSnapshot, 1, Decimal(5))
        assert seen == [
            (OrderbookDelta if n else OrderbookSnapshot, 2 * n + 1, s) for n, s in enumerate(sizes)
        ]
        assert replay.ended
        assert not replay.truncated
        assert [update async for update in books] == []


async def test_received_at_is_the_recorded_time(tmp_path: Path) -> None:
    async with Replay(day(tmp_path)) as replay, replay.trades(B) as trades:
        times = [each.received_at async for each in trades]
        assert times == [START + 4 + 2 * number for number in (2, 4, 6, 8, 10)]
        assert replay.started_at == START


async def test_all_messages_in_order_with_their_books(tmp_path: Path) -> None:
    async with Replay(day(tmp_path)) as replay:
        seen = [
            (message.trade_id, size(replay))
            async for message in replay.messages()
            if isinstance(message, TradeUpdate) and message.ticker == A
        ]
        assert seen == [(f"t{n}", Decimal(5 + (n + 1) // 2)) for n in (1, 3, 5, 7, 9)]
        assert replay.kinds == {
            "subscribed": 2,
            "orderbook_snapshot": 2,
            "orderbook_delta": 10,
            "trade": 10,
        }
        assert replay.stats.frames == 24
        assert replay.stats.messages == {"orderbook_delta": 12, "trade": 10}


async def consume_together(path: Path) -> list[tuple[str, object, Decimal]]:
    """Two tasks, one of which is slow: what they saw, and the book they saw it with."""
    log: list[tuple[str, object, Decimal]] = []

    async with Replay(path) as replay, replay.orderbook(A, B) as books, replay.trades() as trades:

        async def watch_books() -> None:
            log.extend([("book", update.seq, size(replay)) async for update in books])

        async def watch_trades() -> None:
            async for each in trades:
                log.append(("trade", each.trade_id, size(replay)))
                await asyncio.sleep(0)
                await asyncio.sleep(0)

        async with anyio.create_task_group() as group:
            group.start_soon(watch_books)
            group.start_soon(watch_trades)
    return log


async def test_two_consumers_get_everything_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = day(tmp_path)
    log = await consume_together(path)
    books = [entry for entry in log if entry[0] == "book"]
    trades = [entry for entry in log if entry[0] == "trade"]
    assert [seq for _, seq, _ in books] == list(range(1, 13))
    assert [name for _, name, _ in trades] == [f"t{n}" for n in range(1, 11)]
    # Each sees the book of its own message, and it is the same every time.
    assert [entry[2] for entry in trades] == [Decimal(5 + (n + 1) // 2) for n in range(1, 11)]
    assert [entry[2] for entry in books] == [
        Decimal(5 + n) for n in (0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5)
    ]
    assert log == await consume_together(path) == await consume_together(path)


async def test_one_task_may_take_from_one_and_leave_the_other(tmp_path: Path) -> None:
    async with Replay(day(tmp_path)) as replay:
        async with replay.orderbook(A) as books, replay.trades(A) as trades:
            first = await anext(trades)
            assert first.trade_id == "t1"
            assert books.waiting == 2
            rest = [each.trade_id async for each in trades]
            assert rest == ["t3", "t5", "t7", "t9"]
            assert [update.seq async for update in books] == [1, 3, 5, 7, 9, 11]


async def test_who_never_takes_anything_is_too_slow_or_conflates(tmp_path: Path) -> None:
    async with Replay(day(tmp_path)) as replay:
        async with (
            replay.orderbook(A, B, max_queue=3) as unread,
            replay.orderbook(A, B, conflate=True) as newest,
            replay.trades() as trades,
        ):
            assert len([each async for each in trades]) == 10
            with pytest.raises(SlowConsumer, match="3 messages"):
                await anext(unread)
            assert [update.seq async for update in newest] == [11, 12]
            assert newest.book(A).size_at("yes", "0.40") == 10
        assert replay.stats.dropped["orderbook_delta"] == 3


async def test_a_consumer_who_stays_away_does_not_hold_the_file_for_ever(tmp_path: Path) -> None:
    async with Replay(day(tmp_path), patience=0.01) as replay, replay.trades() as trades:
        async with replay.orderbook(A) as books:
            await anext(trades)
            taken: list[int | None] = []

            async def take() -> None:
                taken.extend([update.seq async for update in books])

            async with anyio.create_task_group() as group:
                group.start_soon(take)
                # This task waits for the other one, with a trade left to take.
        assert taken == [1, 3, 5, 7, 9, 11]
        assert len([each async for each in trades]) == 9


async def test_cancelling_a_consumer_loses_nothing(tmp_path: Path) -> None:
    async with Replay(day(tmp_path)) as replay:
        async with replay.orderbook(A) as books, replay.trades() as trades:
            task = asyncio.create_task(anext(books))  # type: ignore[arg-type]
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with anyio.CancelScope() as scope:
                scope.cancel()
                await asyncio.sleep(0)
            assert [update.seq async for update in books] == [1, 3, 5, 7, 9, 11]
            assert len([each async for each in trades]) == 10


async def test_a_gap_makes_books_stale_until_the_next_snapshot(tmp_path: Path) -> None:
    path = write(
        tmp_path / "day.jsonl",
        [
            subscribed(1, "orderbook_delta"),
            snapshot(1, 1, yes=FIVE),
            delta(1, 2, "1.00"),
            delta(1, 4, "1.00"),
            delta(1, 5, "1.00"),
            snapshot(1, 6, yes={"0.4000": "9.00"}),
            delta(1, 7, "0.50"),
            delta(1, 7, "0.50"),
        ],
    )
    async with Replay(path) as replay, replay.orderbook(A) as books:
        events = replay.events()
        seen = [(update.seq, books.book(A).size_at("yes", "0.40")) async for update in books]
        assert seen == [(1, 5), (2, 6), (6, 9), (7, Decimal("9.5"))]
        stats = replay.stats
        assert (stats.gaps, stats.missed, stats.skipped, stats.repeats) == (1, 1, 2, 1)
        assert stats.resyncs == 0
        told = [event async for event in events]
        assert told[0] == StreamGap(1, "orderbook_delta", 3, 4)
        assert told[1] == StreamStale("orderbook_delta", (A,), "frames 3 to 3 are missing")


async def test_a_lost_connection_makes_books_stale_with_the_recorded_reason(
    tmp_path: Path,
) -> None:
    lost = StreamDisconnected(1, "reset by peer")
    path = write(
        tmp_path / "day.jsonl",
        [
            subscribed(1, "orderbook_delta"),
            snapshot(1, 1, yes=FIVE),
            (2, subscribed(1, "trade")),
            event_line(lost, START + 4),
            (2, trade(1, 1, 1)),
            subscribed(1, "orderbook_delta"),
            snapshot(1, 1, yes={"0.4000": "7.00"}),
            delta(1, 2, "1.00"),
        ],
    )
    async with Replay(path) as replay, replay.orderbook(A) as books, replay.trades() as trades:
        events = replay.events()
        book = books.book(A)
        await anext(trades)
        with pytest.raises(StaleBookError, match="reset by peer"):
            book.best_yes_bid  # noqa: B018 - reading it is the test
        assert (await anext(books)).received_at == START + 2
        sizes = [(update.seq, book.size_at("yes", "0.40")) async for update in books]
        assert sizes == [(1, 7), (2, 8)]
        assert lost in [event async for event in events]


async def test_a_market_recorded_twice_comes_once(tmp_path: Path) -> None:
    path = write(
        tmp_path / "day.jsonl",
        [
            subscribed(1, "orderbook_delta"),
            snapshot(1, 1, A, yes=FIVE),
            subscribed(2, "orderbook_delta"),
            snapshot(2, 1, A, yes=FIVE),
            snapshot(2, 2, B, yes=FIVE),
            delta(1, 2, "1.00"),
            delta(2, 3, "1.00"),
            b'{"type":"unsubscribed","id":9,"sid":1,"seq":3}',
            delta(1, 4, "99.00"),
            delta(2, 4, "1.00"),
        ],
    )
    async with Replay(path) as replay, replay.orderbook(A) as books:
        book = books.book(A)
        seen = [(update.seq, book.size_at("yes", "0.40")) async for update in books]
        # The second subscription goes on where the first one ended.
        assert seen == [(1, 5), (2, 6), (4, 7)]
        assert replay.books[B].size_at("yes", "0.40") == 5
        assert replay.stats.repeats == 2
        assert replay.stats.dropped["nobody"] == 1


async def test_markets_that_were_removed_do_not_stand_for_ever(tmp_path: Path) -> None:
    params = b'"params":{"sid":1,"action":"delete_markets","market_tickers":["%b"]}' % A.encode()
    path = write(
        tmp_path / "day.jsonl",
        [
            command_line(1, b'{"id":1,"cmd":"subscribe","params":{}}', START),
            subscribed(1, "orderbook_delta"),
            snapshot(1, 1, A, yes=FIVE),
            snapshot(1, 2, B, yes=FIVE),
            command_line(1, b'{"id":2,"cmd":"update_subscription",%b}' % params, START + 4),
            b'{"type":"ok","id":2,"sid":1,"seq":3,"msg":{}}',
            delta(1, 4, "1.00", B),
        ],
    )
    async with Replay(path) as replay:
        assert [each.seq async for each in replay.messages()] == [1, 2, 4]
        assert replay.books[A].stale_reason == "it is no longer subscribed to"
        assert replay.books[B].size_at("yes", "0.40") == 6
        assert replay.stats.gaps == 0


@pytest.mark.parametrize(("next_seq", "stands"), [(3, True), (5, False)])
async def test_frames_that_were_not_recorded_put_books_in_question(
    tmp_path: Path, next_seq: int, stands: bool
) -> None:
    path = write(
        tmp_path / "day.jsonl",
        [
            subscribed(1, "orderbook_delta"),
            subscribed(2, "trade"),
            snapshot(1, 1, yes=FIVE),
            delta(1, 2, "1.00"),
            loss_line(2, START + 4),
            trade(2, 1, 1),
            delta(1, next_seq, "1.00"),
        ],
    )
    async with Replay(path) as replay, replay.orderbook(A) as books, replay.trades() as trades:
        await anext(trades)
        assert books.book(A).stale_reason == "frames were not recorded"
        assert replay.lost == 2
        seqs = [update.seq async for update in books]
        assert seqs == ([1, 2, 3] if stands else [1, 2])
        assert books.book(A).stale is not stands
        if stands:
            assert books.book(A).size_at("yes", "0.40") == 7


async def test_subscriptions_change_while_it_plays(tmp_path: Path) -> None:
    async with Replay(day(tmp_path)) as replay, replay.orderbook(A) as books:
        assert [(await anext(books)).seq for _ in range(3)] == [1, 3, 5]
        await books.add(B)
        added = await anext(books)
        assert (added.ticker, added.seq, added.received_at) == (B, None, replay.now)
        await books.remove(A)
        assert {update.ticker async for update in books} == {B}
        with pytest.raises(InvalidRequestError, match=A):
            books.book(A)
        assert size(replay, A) == 10


async def test_a_subscription_in_the_middle_begins_with_the_book_that_stands(
    tmp_path: Path,
) -> None:
    async with Replay(day(tmp_path)) as replay, replay.trades() as trades:
        for _ in range(5):
            await anext(trades)
        async with replay.orderbook(A) as books:
            first = await anext(books)
            assert isinstance(first, OrderbookSnapshot)
            assert first.yes == list(books.book(A).yes) == [(Decimal("0.4"), Decimal(8))]
            assert (await anext(books)).seq == 9


async def test_unknown_and_unreadable_frames_are_told_and_counted(tmp_path: Path) -> None:
    later = b'{"type":"later","sid":1,"seq":2,"msg":{}}'
    path = write(
        tmp_path / "day.jsonl",
        [
            subscribed(1, "orderbook_delta"),
            snapshot(1, 1, yes=FIVE),
            later,
            delta(1, 3, "1.00"),
            b"\x00 garbage",
            frame("trade", 7, 40, trade_id="t", market_ticker=A, mood="good"),
        ],
    )
    async with Replay(path) as replay:
        events = replay.events()
        messages = [message async for message in replay.messages()]
        assert messages[-1].extra == {"mood": "good"}
        assert StreamUnknown("later", later) in [event async for event in events]
        assert replay.stats.unknown == {"later": 1, "trade.mood": 1}
        assert replay.stats.unreadable == replay.kinds["unreadable"] == 1
        assert replay.books[A].stale_reason == "a frame could not be read"
        assert replay.stats.gaps == 0


async def test_a_replay_that_is_not_open_or_closed_says_so(tmp_path: Path) -> None:
    replay = Replay(day(tmp_path))
    with pytest.raises(StreamClosedError, match="async with"):
        await anext(replay.trades())
    with pytest.raises(InvalidRequestError, match="copy"):
        replay.record(tmp_path / "again.jsonl")
    async with replay:
        trades = replay.trades()
        await anext(trades)
        with pytest.raises(InvalidRequestError, match="REST"):
            async with replay.orderbook(A) as books:
                await books.audit()
    with pytest.raises(StreamClosedError, match="closed"):
        while True:
            await anext(trades)
    with pytest.raises(StreamClosedError):
        await anext(replay.trades())
