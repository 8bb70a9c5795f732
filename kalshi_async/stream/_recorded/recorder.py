"""Writing frames and events to a file, in a thread, without ever holding the event loop up."""

from __future__ import annotations

import logging
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO

from ..._errors import ConfigurationError
from ..._stream_errors import StreamError
from ..._stream_events import StreamEvent
from .lines import (
    RecordedBook,
    RecordedOpen,
    book_line,
    command_line,
    end_line,
    event_line,
    frame_line,
    header_line,
    loss_line,
    open_line,
)

logger = logging.getLogger("kalshi_async.stream")

SUFFIXES = (".jsonl", ".jsonl.gz")
MOST_PENDING = 64 << 20
# What an entry that waits takes beside its bytes.
_OVERHEAD = 400
# Seconds between two writes, and between two flushes.
_GATHER, _FLUSH = 0.05, 1.0
# Bytes of lines in one gzip member: damage reaches no further.
_MEMBER = 4 << 20
_LEVEL = 4

_Job = Callable[[], bytes]


class _Output:
    """A file of lines, plain or compressed; ``flush`` leaves it readable up to here."""

    def __init__(self, file: IO[bytes], *, compressed: bool) -> None:
        self._file, self._compressed = file, compressed
        self._packer = zlib.compressobj(_LEVEL, wbits=31) if compressed else None
        self._size = 0

    def write(self, lines: bytes) -> None:
        if self._packer is None:
            self._file.write(lines)
            return
        self._file.write(self._packer.compress(lines))
        self._size += len(lines)
        if self._size >= _MEMBER:
            self._file.write(self._packer.flush())
            self._packer, self._size = zlib.compressobj(_LEVEL, wbits=31), 0

    def flush(self) -> None:
        if self._packer is not None and self._size:
            self._file.write(self._packer.flush(zlib.Z_SYNC_FLUSH))
        self._file.flush()

    def close(self) -> None:
        with self._file:
            if self._packer is not None:
                self._file.write(self._packer.flush())


class Recorder:
    """A recording being written: takes frames and events without waiting, writes in a thread.

    What it takes is in the file about a second later, also should the process be killed. When the
    disk is slower than the stream for so long that ``max_pending`` bytes wait, frames are lost:
    counted, marked in the file where they are missing, and ``close`` raises. When writing fails,
    everything from then on is lost, and ``on_failure`` is called, in the thread.

    Args:
        path: The file, ``….jsonl`` or, compressed, ``….jsonl.gz``.
        overwrite: Whether a file of that name may be replaced.
        max_pending: Bytes that may wait to be written.
        clock: Unix seconds, for the first and the last line.
        on_failure: See above.

    Raises:
        ConfigurationError: The name has another ending, or the file exists or cannot be made.

    Attributes:
        path: The file.
        frames: Frames that were taken.
        size: Bytes of them.
        error: Why nothing can be written any more.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        overwrite: bool = False,
        max_pending: int = MOST_PENDING,
        clock: Callable[[], float] = time.time,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self.path = Path(path)
        self.frames = self.size = 0
        self.error: Exception | None = None
        self._clock, self._on_failure = clock, on_failure
        self._most, self._taken, self._written = max_pending, 0, 0
        self._refused = self._missing = self._frames_written = 0
        # Bytes, how many frames (0 or 1), and what makes the lines.
        self._jobs: deque[tuple[int, int, _Job]] = deque()
        self._output = _open(self.path, overwrite=overwrite)
        self._wake, self._stop = threading.Event(), threading.Event()
        self._closed = False
        self._add(0, partial(header_line, clock()))
        self._thread = threading.Thread(target=self._run, name=f"record {self.path.name}")
        self._thread.daemon = True
        self._thread.start()

    def __repr__(self) -> str:
        state = "failed" if self.error else "closed" if self._closed else "open"
        return f"<Recorder {self.path}: {state}, {self.frames} frames, {self.lost} lost>"

    @property
    def lost(self) -> int:
        """Frames that are not in the file."""
        unwritten = self.frames - self._frames_written if self.error else 0
        return self._refused + unwritten

    # What is received

    def frame(self, connection: int, data: bytes | bytearray, received_at: float) -> None:
        """Take a frame; ``received_at`` is Unix seconds. Never waits and never raises."""
        size = len(data)
        if self._closed or self.error or self._taken - self._written >= self._most:
            if not self._refused:
                logger.warning("%s: frames are lost, they cannot be written now", self.path)
            self._refused += 1
            self._missing += 1
            return
        if self._missing:
            self._mark_loss(received_at)
        self.frames += 1
        self.size += size
        self._add(size, partial(frame_line, connection, bytes(data), received_at), 1)

    def command(self, connection: int, data: bytes, at: float) -> None:
        """Take a command that was sent: what the frames that answer it are about."""
        self._add(len(data), partial(command_line, connection, data, at))

    def event(self, event: StreamEvent, at: float) -> None:
        """Take an event."""
        self._add(0, partial(event_line, event, at))

    def stood(self, entry: RecordedOpen) -> None:
        """Take a subscription that stood before."""
        self._add(0, partial(open_line, entry))

    def book(self, entry: RecordedBook) -> None:
        """Take a book that stood before."""
        self._add(len(entry.msg), partial(book_line, entry))

    def _mark_loss(self, at: float) -> None:
        missing, self._missing = self._missing, 0
        self._add(0, partial(loss_line, missing, at))

    def _add(self, size: int, job: _Job, frames: int = 0) -> None:
        if self._closed or self.error is not None:
            return
        # Each counter has one writer, and a deque is safe by itself: no lock.
        self._taken += size + _OVERHEAD
        self._jobs.append((size + _OVERHEAD, frames, job))
        if not self._wake.is_set():
            self._wake.set()

    # The end

    def close(self) -> None:
        """Write what waits and close the file; blocks meanwhile. May be called twice.

        Raises:
            StreamError: Not everything could be written.
        """
        if not self._closed:
            if self._missing:
                self._mark_loss(self._clock())
            self._closed = True
            self._stop.set()
            self._wake.set()
        self._thread.join()
        if self.error is not None:
            raise StreamError(
                f"{self.path} could not be written: {_why(self.error)}; {self.lost} frames are not "
                "in it"
            ) from self.error
        if self.lost:
            raise StreamError(
                f"{self.path}: {self.lost} of {self.frames + self.lost} frames came faster than "
                "they could be written, and are not in it"
            )

    # The thread

    def _run(self) -> None:
        try:
            self._write_all()
        except Exception as error:
            self.error = error
            logger.exception("%s cannot be written any more", self.path)
            with suppress(OSError):
                self._output.close()
            self._jobs.clear()
            self._on_failure()

    def _write_all(self) -> None:
        flushed, dirty = time.monotonic(), False
        while True:
            stopping = self._stop.is_set()
            self._wake.clear()
            dirty |= self._write_waiting()
            if stopping:
                self._output.write(end_line(self.frames, self.lost, self._clock()))
                self._output.close()
                return
            now = time.monotonic()
            if dirty and now - flushed >= _FLUSH:
                self._output.flush()
                flushed, dirty = now, False
            self._wake.wait(_FLUSH if dirty else None)
            self._stop.wait(_GATHER)

    def _write_waiting(self) -> bool:
        jobs, wrote = self._jobs, False
        while jobs:
            lines, size, frames = [], 0, 0
            while jobs and size < _MEMBER:
                cost, count, job = jobs.popleft()
                lines.append(job())
                size += cost
                frames += count
            self._output.write(b"".join(lines))
            self._written += size
            self._frames_written += frames
            wrote = True
        return wrote


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _open(path: Path, *, overwrite: bool) -> _Output:
    if not path.name.endswith(SUFFIXES):
        raise ConfigurationError(
            f"{path} is no name of a recording: it ends in {' or '.join(SUFFIXES)} (compressed)"
        )
    try:
        file = path.open("wb" if overwrite else "xb")
    except FileExistsError:
        raise ConfigurationError(
            f"{path} exists: give another name, or overwrite=True to replace it"
        ) from None
    except OSError as exc:
        raise ConfigurationError(f"{path} cannot be written: {_why(exc)}") from exc
    return _Output(file, compressed=path.name.endswith(".gz"))
