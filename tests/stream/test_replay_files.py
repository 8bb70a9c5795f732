"""Replays of files that are not as they should be, in real time, and of any history."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_async import ConfigurationError, StreamError
from kalshi_async.stream._recorded.lines import frame_line, header_line
from kalshi_async.stream.recording import Recorder, Replay

from .recordings import START, A, B, delta, fill, snapshot, subscribed, trade, write

FIVE = {"0.4000": "5.00"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x00" * 200_000, "header"),
        (b'{"type":"trade"}\n', "header"),
        (b"\x1f\x8b not gzip at all", "no recording: Error"),
        (b'{"kalshi_async":"9.0","format":2,"later":1}\n', "format 2, written by kalshi_async 9.0"),
    ],
)
async def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "day.jsonl"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=said):
        async with Replay(path):
            raise AssertionError
    with pytest.raises(FileNotFoundError):
        async with Replay(tmp_path / "none.jsonl"):
            raise AssertionError


@pytest.mark.parametrize("line", [b"nonsense\n", b'{"at":"noon"}\n', b'{"at":1,"garbage":"!"}\n'])
async def test_a_corrupt_line_is_an_error_with_its_number(tmp_path: Path, line: bytes) -> None:
    path = write(tmp_path / "day.jsonl", [subscribed(1, "trade"), trade(1, 1, 1), line])
    async with Replay(path) as replay, replay.trades() as trades, replay.orderbook(A) as books:
        assert (await anext(trades)).trade_id == "t1"
        for subscription in (trades, books, trades):
            with pytest.raises(StreamError, match=r"day\.jsonl, line 4: "):
                await anext(subscription)


async def test_a_truncated_file_ends_and_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "day.jsonl", [trade(1, 1, 1), trade(1, 2, 2)], ended=False)
    path.write_bytes(path.read_bytes()[:-9])
    async with Replay(path) as replay, replay.trades() as trades:
        assert [each.trade_id async for each in trades] == ["t1"]
        assert replay.truncated


async def test_a_damaged_compressed_file_is_an_error_behind_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl.gz"
    recorder = Recorder(path)
    for number in range(1, 4000):
        recorder.frame(1, trade(1, number, number * 7919), START + number / 3)
    recorder.close()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    async with Replay(path) as replay, replay.trades() as trades:
        with pytest.raises(StreamError, match=r"line \d+"):
            async for _ in trades:
                pass


async def test_lines_of_later_versions_are_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "day.jsonl", [b'{"at":1.5,"mood":"good"}\n', trade(1, 1, 1)])
    async with Replay(path) as replay, replay.trades() as trades:
        assert [each.trade_id async for each in trades] == ["t1"]


async def test_a_market_that_is_not_in_it_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "day.jsonl", [trade(1, 1, 1)])
    async with Replay(path) as replay, replay.trades(A, B) as trades:
        assert len([each async for each in trades]) == 1
    assert [record.message for record in caplog.records] == [f"{path} has no trade of {B}"]


@pytest.mark.parametrize("speed", [0, -1.0, float("nan"), float("inf"), True, "fast"])
def test_a_speed_is_a_number_above_0(tmp_path: Path, speed: object) -> None:
    with pytest.raises(ConfigurationError, match="speed"):
        Replay(tmp_path / "day.jsonl", speed=speed)  # type: ignore[arg-type]


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, []  # type: ignore[var-annotated]

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        await anyio.lowlevel.checkpoint()


async def test_real_time_is_kept_times_the_speed(tmp_path: Path) -> None:
    lines = [subscribed(1, "trade"), trade(1, 1, 1), trade(1, 2, 2), trade(1, 3, 3)]
    path, clock = write(tmp_path / "day.jsonl", lines), Clock()
    async with Replay(path, speed=4.0, clock=clock, sleep=clock.sleep) as replay:
        async with replay.trades() as trades:
            seen = [(each.trade_id, each.received_at) async for each in trades]
    assert seen == [("t1", START + 2), ("t2", START + 3), ("t3", START + 4)]
    assert sum(clock.slept) == pytest.approx(0.75)


async def test_in_real_time_books_move_though_nobody_iterates(tmp_path: Path) -> None:
    lines = [snapshot(1, 1, yes=FIVE), *(delta(1, seq, "1.00") for seq in range(2, 6))]
    path, clock = write(tmp_path / "day.jsonl", lines), Clock()
    async with Replay(path, speed=1.0, clock=clock, sleep=clock.sleep) as replay:
        async with replay.orderbook(A, conflate=True) as books:
            while not replay.ended:
                await anyio.lowlevel.checkpoint()
            assert books.book(A).size_at("yes", "0.40") == 9
            assert [update.seq async for update in books] == [5]


async def test_in_real_time_the_file_waits_for_who_is_full(tmp_path: Path) -> None:
    lines = [trade(1, number, number) for number in range(1, 40)]
    path, clock = write(tmp_path / "day.jsonl", lines), Clock()
    async with Replay(path, speed=50.0, clock=clock, sleep=clock.sleep, patience=None) as replay:
        async with replay.trades(max_queue=2) as trades:
            seen = []
            async for each in trades:
                seen.append(each.trade_id)
                for _ in range(20):
                    await anyio.lowlevel.checkpoint()
            assert seen == [f"t{number}" for number in range(1, 40)]


async def test_fills_come_once_and_only_of_their_markets(tmp_path: Path) -> None:
    path = write(
        tmp_path / "day.jsonl",
        [subscribed(1, "fill"), fill(1, 1), fill(1, 2, B), fill(1, 1), fill(1, 3)],
    )
    async with Replay(path) as replay, replay.fills(A) as fills, replay.fills() as everything:
        assert [each.trade_id async for each in fills] == ["t1", "t3"]
        assert [each.trade_id async for each in everything] == ["t1", "t2", "t3"]


# Any history

Step = tuple[str, int, bool]
PRICES = ["0.1000", "0.4000", "0.9900"]
steps = st.lists(
    st.tuples(st.sampled_from(["delta", "snapshot"]), st.integers(0, 11), st.booleans()),
    max_size=40,
)


def history(told: list[Step]) -> tuple[list[bytes | None], list[dict[Decimal, Decimal]]]:
    """Frames of one book, None for those that were not recorded; and the book after each."""
    book: dict[Decimal, Decimal] = {}
    frames: list[bytes | None] = []
    books = []
    for seq, (kind, number, kept) in enumerate([("snapshot", 0, True), *told], 1):
        price = PRICES[number % 3]
        if kind == "delta":
            change = Decimal(number - 4)
            if book.get(Decimal(price), Decimal(0)) + change < 0 or not change:
                change = Decimal("2.5")
            data = delta(1, seq, str(change), price=price)
            book[Decimal(price)] = book.get(Decimal(price), Decimal(0)) + change
            book = {each: held for each, held in book.items() if held}
        else:
            data = snapshot(1, seq, yes={str(each): str(held) for each, held in book.items()})
        frames.append(data if kept else None)
        books.append(dict(book))
    return frames, books


@settings(max_examples=60)
@given(steps)
async def test_a_book_is_right_or_stale_whatever_is_missing(told: list[Step]) -> None:
    frames, books = history(told)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "day.jsonl"
        lines = [header_line(START)]
        lines += [frame_line(1, data, START) for data in frames if data is not None]
        path.write_bytes(b"".join(lines))
        whole_until = next((n for n, data in enumerate(frames) if data is None), len(frames))
        async with Replay(path) as replay, replay.orderbook(A) as updates:
            seen = []
            async for update in updates:
                assert update.seq is not None
                standing = updates.book(A)
                assert dict(standing.yes) == books[update.seq - 1]
                seen.append(update.seq)
            assert seen[:whole_until] == list(range(1, whole_until + 1))
            last = max(n for n, data in enumerate(frames) if data is not None)
            if not updates.book(A).stale:
                assert dict(updates.book(A).yes) == books[last]


async def test_recorded_traffic_of_the_exchange_replays(shared: Path, tmp_path: Path) -> None:
    (source,) = (shared / "recorded").glob("*/ws__*.jsonl")
    frames = [line for line in source.read_bytes().split(b"\n") if line]
    recorder = Recorder(tmp_path / "day.jsonl.gz")
    for number, data in enumerate(frames):
        recorder.frame(1, data + b"\n", START + number)
    recorder.close()
    async with Replay(tmp_path / "day.jsonl.gz") as replay:
        messages = [message async for message in replay.messages()]
        assert len(messages) == sum(b'"type":"orderbook_' in data for data in frames) > 0
        (book,) = replay.books.values()
        assert not book.stale
        assert replay.stats.unreadable == replay.stats.gaps == 0
