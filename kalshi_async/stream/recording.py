"""Recordings of streams: made with ``Stream.record``, played again with ``Replay``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import anyio
import anyio.lowlevel
import msgspec
from anyio import to_thread

from .._errors import InvalidRequestError
from .._stream_errors import StreamError
from ._connection import Connection
from ._leg import BookLeg
from ._recorded.lines import (
    RecordedBook,
    RecordedCommand,
    RecordedEvent,
    RecordedFrame,
    RecordedLoss,
    RecordedOpen,
    RecordingReader,
)
from ._recorded.recorder import MOST_PENDING, Recorder
from ._recorded.replay import Messages, Replay
from ._route import Tape
from ._stream import Stream

__all__ = [
    "Messages",
    "RecordedBook",
    "RecordedCommand",
    "RecordedEvent",
    "RecordedFrame",
    "RecordedLoss",
    "RecordedOpen",
    "Recorder",
    "Recording",
    "RecordingReader",
    "Replay",
    "record",
]

# Seconds for which the books that stand are written down in one go.
_AT_ONCE = 0.005


class Recorded(Protocol):
    """A stream, as far as a recording is made of it."""

    tape: Tape | None
    connections: list[Connection]

    def now(self) -> float: ...


class Recording:
    """Everything that a stream receives while this is entered, in a file: ``async with``.

    Subscriptions and books that stand by then are written down first, so that the file can be
    replayed from its first moment. When the disk fails, the block is cancelled and ``StreamError``
    raised in its place; frames that were lost otherwise raise it at the end of the block.

    Args:
        session: The stream's.
        path: The file, ``….jsonl`` or, compressed, ``….jsonl.gz``.
        overwrite: Whether a file of that name may be replaced.
        max_pending: Bytes that may wait to be written before frames are lost.
    """

    def __init__(
        self,
        session: Recorded,
        path: str | Path,
        *,
        overwrite: bool = False,
        max_pending: int = MOST_PENDING,
    ) -> None:
        self._session, self._path = session, path
        self._overwrite, self._most = overwrite, max_pending
        self._recorder: Recorder | None = None
        self._scope = anyio.CancelScope()

    def __repr__(self) -> str:
        return f"<Recording {self._recorder!r}>" if self._recorder else "<Recording: not entered>"

    @property
    def frames(self) -> int:
        """Frames recorded so far."""
        return self._recorder.frames if self._recorder else 0

    @property
    def size(self) -> int:
        """Bytes of them, before compression."""
        return self._recorder.size if self._recorder else 0

    @property
    def lost(self) -> int:
        """Frames that could not be recorded."""
        return self._recorder.lost if self._recorder else 0

    async def __aenter__(self) -> Self:
        """Begin.

        Raises:
            ConfigurationError: The file exists, cannot be made, or its name has another ending.
            InvalidRequestError: The stream is being recorded already.
        """
        if self._session.tape is not None or self._recorder is not None:
            raise InvalidRequestError("this stream is being recorded already")
        loop = asyncio.get_running_loop()

        def failed() -> None:
            with suppress(RuntimeError):  # the loop may be gone by then
                loop.call_soon_threadsafe(self._scope.cancel)

        recorder = self._recorder = Recorder(
            self._path,
            overwrite=self._overwrite,
            max_pending=self._most,
            clock=self._session.now,
            on_failure=failed,
        )
        self._session.tape = recorder
        try:
            await self._write_what_stands(recorder)
        except BaseException:
            await self._close(recorder)
            raise
        self._scope.__enter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        recorder = self._recorder
        if recorder is None:
            return None
        caught = self._scope.__exit__(exc_type, exc, traceback)
        try:
            await self._close(recorder)
        except StreamError:
            # The block's own error says more than that its recording has holes.
            if exc is None or caught:
                raise
        return caught

    async def _close(self, recorder: Recorder) -> None:
        self._session.tape = None
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(recorder.close)

    async def _write_what_stands(self, recorder: Recorder) -> None:
        standing = [
            (connection, leg)
            for connection in self._session.connections
            if connection.commands is not None
            for leg in connection.commands.legs.values()
        ]
        now = self._session.now()
        for connection, leg in standing:
            subjects = tuple(leg.subjects)
            recorder.stood(
                RecordedOpen(
                    now, connection.number, leg.sid, leg.channel.name, leg.next_seq, subjects
                )
            )
        began = time.monotonic()
        for connection, leg in standing:
            if not isinstance(leg, BookLeg):
                continue
            for ticker in list(leg.books):
                self._write_book(recorder, connection, leg, ticker)
                if time.monotonic() - began >= _AT_ONCE:
                    # Frames that come meanwhile are in the file before the book that holds them.
                    await anyio.lowlevel.checkpoint()
                    began = time.monotonic()

    def _write_book(
        self, recorder: Recorder, connection: Connection, leg: BookLeg, ticker: str
    ) -> None:
        book = leg.books.get(ticker)
        if book is None or book.stale or leg.line is None:
            return
        msg = {
            "market_ticker": ticker,
            "clock": book.clock,
            "yes_dollars_fp": _pairs(book.yes),
            "no_dollars_fp": _pairs(book.no),
        }
        text = msgspec.json.encode(msg)
        recorder.book(RecordedBook(self._session.now(), connection.number, leg.sid, text))


def _pairs(levels: Sequence[tuple[object, object]]) -> list[tuple[str, str]]:
    return [(str(price), str(size)) for price, size in levels]


def record(
    stream: Stream, path: str | Path, *, overwrite: bool = False, max_pending: int = MOST_PENDING
) -> Recording:
    """Write down everything that a stream receives; see ``Recording``."""
    return Recording(stream._session, path, overwrite=overwrite, max_pending=max_pending)
