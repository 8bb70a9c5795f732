"""Recordings: what is written is what came, whatever happens to the disk or the process."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import ConfigurationError, InvalidRequestError, StreamError
from kalshi_async.sandbox import Sandbox
from kalshi_async.stream import OrderbookDelta, Stream, StreamDisconnected, StreamUnknown
from kalshi_async.stream._recorded import recorder as recorder_module
from kalshi_async.stream._recorded.lines import Entry, frame_line
from kalshi_async.stream.recording import (
    RecordedBook,
    RecordedCommand,
    RecordedEvent,
    RecordedFrame,
    RecordedLoss,
    RecordedOpen,
    Recorder,
    RecordingReader,
    Replay,
    record,
)

from ..cli.runner import clean_environment
from ..sandbox.ws_client import place
from .recordings import A, delta, snapshot, subscribed

FRAMES = [
    subscribed(1, "orderbook_delta"),
    snapshot(1, 1, yes={"0.4000": "5.00"}) + b"\n",
    delta(1, 2, "1.50"),
    b'{"type": "later",\n "msg": {}}',
    b'  {"type":"ticker"}',
    b"not json \x00 \xff",
    b'{"type":"\xff"}',
    b"",
    b"[1, 2]\r\n",
    '{"type":"grün"}'.encode(),
    b'{"type":"nested","msg":' + b"[" * 5000 + b"]" * 5000 + b"}",
]
NAMES = ["day.jsonl", "day.jsonl.gz"]


def read(path: Path) -> tuple[list[Entry], bool]:
    with RecordingReader(path) as entries:
        return list(entries), entries.truncated


def written(path: Path, frames: list[bytes], **options: object) -> Recorder:
    recorder = Recorder(path, clock=lambda: 7.5, **options)  # type: ignore[arg-type]
    for number, data in enumerate(frames):
        recorder.frame(1 + number % 2, data, 1_781_159_387.354803 + number / 7)
    return recorder


@pytest.mark.parametrize("name", NAMES)
def test_frames_come_back_byte_for_byte_with_their_times(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    recorder = written(path, FRAMES)
    recorder.command(1, b'{"id":1,"cmd":"subscribe"}', 3.25)
    recorder.event(StreamDisconnected(2, "reset", final=False), 4.125)
    recorder.close()
    entries, truncated = read(path)
    frames = [entry for entry in entries if isinstance(entry, RecordedFrame)]
    assert [entry.data for entry in frames] == FRAMES
    assert [entry.at for entry in frames] == [
        1_781_159_387.354803 + number / 7 for number in range(len(FRAMES))
    ]
    assert [entry.connection for entry in frames] == [1 + n % 2 for n in range(len(FRAMES))]
    assert entries[-2] == RecordedCommand(3.25, 1, b'{"id":1,"cmd":"subscribe"}')
    event = entries[-1]
    assert isinstance(event, RecordedEvent)
    assert (event.at, event.name, event.fields["reason"]) == (4.125, "StreamDisconnected", "reset")
    assert not truncated
    assert recorder.frames == len(FRAMES)
    assert recorder.size == sum(map(len, FRAMES))


@given(st.lists(st.binary(max_size=40) | st.sampled_from(FRAMES)))
def test_any_bytes_are_one_line_each(frames: list[bytes]) -> None:
    for data in frames:
        line = frame_line(3, data, 1.5)
        assert line.count(b"\n") == 1
        assert json.loads(line)["connection"] == 3


def test_every_line_is_json_and_the_first_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl.gz"
    recorder = written(path, FRAMES[:3])
    recorder.event(StreamUnknown("later", b"\xff"), 9.0)
    recorder.close()
    with gzip.open(path) as file:
        first, *lines = [json.loads(line) for line in file]
    assert first["format"] == 1
    assert first["started_at"] == 7.5
    assert "kalshi_async" in first
    assert lines[0] == {"at": 1_781_159_387.354803, "connection": 1, "frame": json.loads(FRAMES[0])}
    assert lines[1]["tail"] == "\n"
    assert lines[3] == {"at": 9.0, "event": "StreamUnknown", "kind": "later"}
    assert lines[-1]["end"] == {"frames": 3, "lost": 0}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_cut_off_anywhere_gives_all_its_whole_lines(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "_MEMBER", 900)
    whole, cut = tmp_path / name, tmp_path / f"cut-{name}"
    frames = [delta(1, number, f"{number}.25") for number in range(1, 30)]
    written(whole, frames).close()
    data, (expected, _) = whole.read_bytes(), read(whole)
    lengths = []
    for size in range(0, len(data), 3):
        cut.write_bytes(data[:size])
        try:
            entries, truncated = read(cut)
        except ConfigurationError:
            continue  # not even the header is whole
        assert entries == expected[: len(entries)]
        assert truncated or entries == expected
        lengths.append(len(entries))
    assert lengths == sorted(lengths)
    assert lengths[-1] >= len(frames) - 1


_ENDLESS = """
import sys
from kalshi_async.stream.recording import Recorder
recorder = Recorder(sys.argv[1])
for number in range(500):
    recorder.frame(1, b'{"number":%d}' % number, float(number))
print("taken", flush=True)
sys.stdin.read()
"""


def test_a_killed_process_leaves_what_it_took_a_second_before(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl.gz"
    process = subprocess.Popen(
        [sys.executable, "-c", _ENDLESS, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=clean_environment(),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"taken\n"
    entries: list[Entry] = []
    while len(entries) < 500:
        if path.stat().st_size:
            entries, _ = read(path)
    process.kill()
    process.communicate()
    entries, truncated = read(path)
    assert [entry.at for entry in entries] == [float(number) for number in range(500)]
    assert truncated


def test_a_disk_that_is_too_slow_loses_frames_and_says_which_and_how_many(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, gate, stuck = tmp_path / "day.jsonl", threading.Event(), threading.Event()
    recorder = Recorder(path, max_pending=4_000)
    write = recorder._output.write

    def slowly(lines: bytes) -> None:
        stuck.set()
        gate.wait()
        write(lines)

    recorder._output.write = slowly  # type: ignore[method-assign]
    recorder.event(StreamDisconnected(1, "so that something is written"), 1.0)
    assert stuck.wait(20)
    sent = 0
    while recorder.lost < 5:
        recorder.frame(1, b'{"number":%d}' % sent, float(sent))
        sent += 1
    gate.set()
    before = recorder.frames
    while recorder.frames == before:  # until there is room again
        recorder.frame(1, b'{"number":%d}' % sent, float(sent))
        sent += 1
    with pytest.raises(StreamError, match=rf"{recorder.lost} of {sent} frames"):
        recorder.close()
    entries, truncated = read(path)
    frames = [entry for entry in entries if isinstance(entry, RecordedFrame)]
    losses = [entry.frames for entry in entries if isinstance(entry, RecordedLoss)]
    assert len(frames) == recorder.frames
    assert sum(losses) == recorder.lost == sent - recorder.frames
    assert not truncated
    place_of_loss = next(n for n, entry in enumerate(entries) if isinstance(entry, RecordedLoss))
    assert isinstance(entries[place_of_loss + 1], RecordedFrame)
    assert "frames are lost" in caplog.text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_is_an_error_and_counts_what_is_lost(tmp_path: Path, name: str) -> None:
    path, failed = tmp_path / name, threading.Event()
    path.symlink_to("/dev/full")
    recorder = Recorder(path, overwrite=True, on_failure=failed.set)
    large = b'"' + os.urandom(30_000).hex().encode() + b'"'
    while not failed.is_set():
        recorder.frame(1, large, 1.0)
    recorder.frame(1, large, 1.0)
    assert recorder.lost >= 1
    with pytest.raises(StreamError, match="No space left on device"):
        recorder.close()
    with pytest.raises(StreamError, match=f"{recorder.lost} frames are not in it"):
        recorder.close()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("there.jsonl", "overwrite=True"),
        ("day.json", r"\.jsonl\.gz"),
        ("no/such/folder.jsonl", "cannot be written: No such file"),
        ("folder.jsonl", "exists"),
    ],
)
def test_what_cannot_be_written_is_refused_at_once(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "there.jsonl").write_text("kept")
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(ConfigurationError, match=said):
        Recorder(tmp_path / name)
    assert (tmp_path / "there.jsonl").read_text() == "kept"


def test_what_comes_after_the_end_is_counted_not_written(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "day.jsonl")
    recorder.close()
    recorder.frame(1, b"{}", 1.0)
    recorder.event(StreamDisconnected(1, "late"), 1.0)
    assert recorder.lost == 1
    assert read(tmp_path / "day.jsonl") == ([], False)


# Streams

TICKER = "KXFED-26MAR19"


@asynccontextmanager
async def exchange_and_stream() -> AsyncIterator[tuple[Sandbox, Stream]]:
    async with Sandbox.serve(markets=20, tier=None) as exchange, exchange.client() as client:
        async with client.stream() as stream:
            yield exchange, stream


def bid(exchange: Sandbox, cents: int) -> None:
    """Change the book of the market."""
    place(exchange, exchange.user_id, TICKER, bid=True, price=cents * 100, count=100)


async def test_a_recording_replays_what_the_stream_gave(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl.gz"
    async with exchange_and_stream() as (exchange, stream), record(stream, path) as recording:
        async with stream.orderbook(TICKER) as books, stream.orders() as orders:
            for cents in range(10, 30):
                bid(exchange, cents)
            updates = [await anext(books) for _ in range(21)]
            told = [await anext(orders) for _ in range(20)]
            final = books.book(TICKER).snapshot()
        assert recording.frames == stream.stats.frames
    assert recording.lost == 0
    async with Replay(path) as replay:
        async with replay.orderbook(TICKER) as again, replay.orders() as orders_again:
            replayed = [await anext(again) for _ in range(21)]
            assert again.book(TICKER).snapshot() == final
            assert [await anext(orders_again) for _ in range(20)] == told
            # The first is made of the book when live, and is the frame itself here.
            assert replayed[1:] == updates[1:]
            assert all(isinstance(each, OrderbookDelta) for each in replayed[1:])


async def test_a_recording_that_begins_late_holds_the_books_that_stand(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    async with exchange_and_stream() as (exchange, stream), stream.orderbook(TICKER) as books:
        async with record(stream, path):
            bid(exchange, 11)
            while books.book(TICKER).size_at("yes", "0.11") == 0:
                await anext(books)
        final = books.book(TICKER).snapshot()
    entries, _ = read(path)
    assert isinstance(entries[0], RecordedOpen)
    assert (entries[0].channel, entries[0].subjects) == ("orderbook_delta", (TICKER,))
    assert isinstance(entries[1], RecordedBook)
    async with Replay(path) as replay:
        async for message in replay.messages():
            assert message.received_at > 0
        assert replay.books[TICKER].snapshot() == final
        assert replay.stats.gaps == 0


async def test_a_stream_is_recorded_once_at_a_time(tmp_path: Path) -> None:
    async with exchange_and_stream() as (_, stream):
        async with record(stream, tmp_path / "one.jsonl"):
            with pytest.raises(InvalidRequestError, match="already"):
                async with record(stream, tmp_path / "two.jsonl"):
                    raise AssertionError
        async with record(stream, tmp_path / "two.jsonl"):
            pass
    assert read(tmp_path / "two.jsonl")[1] is False


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
async def test_a_full_disk_ends_the_block(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    path.symlink_to("/dev/full")
    async with exchange_and_stream() as (_, stream):
        with pytest.raises(StreamError, match="No space left"):
            async with record(stream, path, overwrite=True):
                await anyio.sleep_forever()
        async with stream.orderbook(TICKER) as books:  # which lives on
            assert books.book(TICKER).best_yes_bid is not None


async def test_an_error_in_the_block_is_raised_as_it_is(tmp_path: Path) -> None:
    async with exchange_and_stream() as (_, stream):
        with pytest.raises(LookupError, match=A):
            async with record(stream, tmp_path / "day.jsonl"):
                raise LookupError(A)
    assert read(tmp_path / "day.jsonl")[1] is False
