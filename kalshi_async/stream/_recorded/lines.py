"""The lines of a recording: what each kind looks like, and files of them read back.

A recording is a file of JSON lines, compressed where its name ends in ``.gz``:

    {"kalshi_async": "1.0", "format": 1, "started_at": 1781159380.25}
    {"at": 1781159387.354803, "connection": 1, "frame": {…}, "tail": "\\n"}
    {"at": 1781159387.36, "connection": 1, "garbage": "base64 of what is no JSON"}
    {"at": 1781159387.4, "connection": 1, "command": {…}}
    {"at": 1781159388.1, "event": "StreamDisconnected", "connection": 1, "reason": "…"}
    {"at": 1781159388.2, "lost": 12}
    {"at": 1781159399.0, "end": {"frames": 5120, "lost": 12}}

Frames stand there byte for byte, ``tail`` being white space behind them. Where recording began in
the middle of a stream, what stood by then comes first, as ``open`` and ``book`` lines.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Generator, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import msgspec

from ..._errors import ConfigurationError
from ..._stream_errors import StreamError
from ..._stream_events import StreamEvent
from ..._version import __version__

FORMAT = 1
_BLOCK, _PIECE = 1 << 16, 1 << 12
_GZIP = b"\x1f\x8b"
_WHITE = b" \t\r\n"

_encode = msgspec.json.Encoder(enc_hook=str).encode
_check_json = msgspec.json.Decoder(msgspec.Raw).decode


class RecordedFrame(NamedTuple):
    """A frame as it came over a connection; ``at`` is Unix seconds."""

    at: float
    connection: int
    data: bytes


class RecordedCommand(NamedTuple):
    """A command that the stream sent."""

    at: float
    connection: int
    data: bytes


class RecordedEvent(NamedTuple):
    """What the stream told of itself: the name of a ``StreamEvent`` and its fields."""

    at: float
    name: str
    fields: Mapping[str, object]


class RecordedLoss(NamedTuple):
    """So many frames came here that could not be written."""

    at: float
    frames: int


class RecordedOpen(NamedTuple):
    """A subscription that stood when recording began; ``next_seq`` is the number it was at."""

    at: float
    connection: int
    sid: int
    channel: str
    next_seq: int
    subjects: tuple[str, ...]


class RecordedBook(NamedTuple):
    """A book that stood when recording began; ``msg`` is the text of a snapshot's message."""

    at: float
    connection: int
    sid: int
    msg: bytes


Entry = RecordedFrame | RecordedCommand | RecordedEvent | RecordedLoss | RecordedOpen | RecordedBook


# Writing


def header_line(started_at: float) -> bytes:
    """The first line."""
    head = {"kalshi_async": __version__, "format": FORMAT, "started_at": started_at}
    return _encode(head) + b"\n"


def frame_line(connection: int, data: bytes, at: float) -> bytes:
    """A frame; what cannot stand in a line of JSON as it is goes in as base64."""
    text = data.rstrip(_WHITE)
    white = data[len(text) :].decode()
    tail = b',"tail":%b' % _encode(white) if white else b""
    head = b'{"at":%b,"connection":%d,' % (repr(at).encode(), connection)
    if _fits_a_line(text):
        return b'%b"frame":%b%b}\n' % (head, text, tail)
    return b'%b"garbage":"%b"}\n' % (head, b64encode(data))


def _fits_a_line(text: bytes) -> bool:
    if b"\n" in text or b"\r" in text or text[:1] in _WHITE_STARTS:
        return False
    try:
        _check_json(text)
        if not text.isascii():
            text.decode()
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return True


_WHITE_STARTS = (b"", b" ", b"\t")


def command_line(connection: int, data: bytes, at: float) -> bytes:
    """A command; it is our own, and so one line of JSON."""
    return b'{"at":%b,"connection":%d,"command":%b}\n' % (repr(at).encode(), connection, data)


def event_line(event: StreamEvent, at: float) -> bytes:
    """An event; raw bytes in it are left out, they are in the frame before it."""
    told = {field.name: getattr(event, field.name) for field in fields(event)}
    plain = {name: value for name, value in told.items() if not isinstance(value, bytes)}
    return _encode({"at": at, "event": type(event).__name__, **plain}) + b"\n"


def loss_line(frames: int, at: float) -> bytes:
    """Frames that could not be written."""
    return _encode({"at": at, "lost": frames}) + b"\n"


def open_line(entry: RecordedOpen) -> bytes:
    """A subscription that stands."""
    told = {name: value for name, value in entry._asdict().items() if name not in _PLACE}
    return _encode({"at": entry.at, "connection": entry.connection, "open": told}) + b"\n"


def book_line(entry: RecordedBook) -> bytes:
    """A book that stands."""
    told = {"sid": entry.sid, "msg": msgspec.Raw(entry.msg)}
    return _encode({"at": entry.at, "connection": entry.connection, "book": told}) + b"\n"


def end_line(frames: int, lost: int, at: float) -> bytes:
    """The last line of a recording that was closed."""
    return _encode({"at": at, "end": {"frames": frames, "lost": lost}}) + b"\n"


_PLACE = ("at", "connection")


# Reading


class _Head(msgspec.Struct):
    kalshi_async: str
    format: int
    started_at: float = 0.0


class _Open(msgspec.Struct):
    sid: int
    channel: str
    next_seq: int
    subjects: tuple[str, ...] = ()


class _Book(msgspec.Struct):
    sid: int
    msg: msgspec.Raw


class _Line(msgspec.Struct, gc=False):
    at: float
    connection: int = 0
    frame: msgspec.Raw = msgspec.Raw(b"")
    tail: str = ""
    garbage: str | None = None
    command: msgspec.Raw = msgspec.Raw(b"")
    event: str | None = None
    lost: int | None = None
    open: _Open | None = None
    book: _Book | None = None
    end: dict[str, int] | None = None


_read_head = msgspec.json.Decoder(_Head).decode
_read_line = msgspec.json.Decoder(_Line).decode
_read_fields = msgspec.json.Decoder(dict[str, object]).decode


class RecordingReader:
    """A recording, entry by entry: ``with RecordingReader(path) as entries: for entry in entries``.

    All whole lines are read, also of a file whose writer was killed; ``truncated`` says so once
    they have been.

    Attributes:
        path: The file.
        version: The version of kalshi_async that wrote it.
        started_at: When recording began, in Unix seconds.
        line: The number of the line read last, from 1.
        truncated: Whether the file ends before its recording was closed.

    Raises:
        ConfigurationError: The file is no recording, or one of another format.
        OSError: It cannot be read.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.line, self.truncated = 0, False
        self._file = self.path.open("rb")
        try:
            self._lines = self._split()
            head = self._head()
        except BaseException:
            self._file.close()
            raise
        self.version, self.started_at = head.kalshi_async, head.started_at

    def __repr__(self) -> str:
        cut = ", truncated" if self.truncated else ""
        return f"<RecordingReader {self.path}: line {self.line}{cut}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._lines.close()
        self._file.close()

    def __iter__(self) -> Iterator[Entry]:
        """The entries that were not read yet.

        Raises:
            StreamError: A line is no line of a recording; the message has its number.
        """
        ended = False
        for text in self._lines:
            whole = text.endswith(b"\n")
            try:
                line = _read_line(text)
                entry = _entry(line, text)
            except (ValueError, RecursionError) as exc:
                # Only the last line may have been cut off; it is not counted.
                if not whole:
                    self.line -= 1
                    break
                raise self._corrupt(str(exc)) from exc
            if entry is not None:
                yield entry
            ended = line.end is not None
        self.truncated = not ended

    def _head(self) -> _Head:
        try:
            first = next(self._lines, b"")
        except StreamError as exc:
            raise ConfigurationError(f"{self.path} is no recording: {exc.__cause__}") from exc
        try:
            head = _read_head(first)
        except (ValueError, RecursionError):
            what = "is empty" if not first else "does not begin with the header of one"
            raise ConfigurationError(f"{self.path} is no recording: it {what}") from None
        if head.format != FORMAT:
            raise ConfigurationError(
                f"{self.path} has format {head.format}, written by kalshi_async "
                f"{head.kalshi_async}; this version ({__version__}) reads format {FORMAT}"
            )
        return head

    def _corrupt(self, problem: str) -> StreamError:
        return StreamError(f"{self.path}, line {self.line}: {problem}")

    def _split(self) -> Generator[bytes, None, None]:
        """Lines with their ends; the last may have none."""
        rest = b""
        for block in self._blocks():
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            if not self.line and not lines and len(rest) > _BLOCK:
                break  # a header is not that long
            for line in lines:
                self.line += 1
                yield line + b"\n"
        if rest:
            self.line += 1
            yield rest

    def _blocks(self) -> Iterator[bytes]:
        block = self._file.read(_BLOCK)
        if not block.startswith(_GZIP):
            while block:
                yield block
                block = self._file.read(_BLOCK)
            return
        member = zlib.decompressobj(wbits=31)
        try:
            while block:
                # In small pieces: what is in the same one before damage is lost with it.
                yield member.decompress(block[:_PIECE])
                block = member.unused_data + block[_PIECE:] or self._file.read(_BLOCK)
                if member.eof:
                    member = zlib.decompressobj(wbits=31)
        except zlib.error as exc:
            raise self._corrupt(f"the compressed file is damaged behind it ({exc})") from exc


def _entry(line: _Line, text: bytes) -> Entry | None:
    """What a line says; None for what later versions may add."""
    at, connection = line.at, line.connection
    if line.frame:
        data = bytes(line.frame)
        return RecordedFrame(at, connection, data + line.tail.encode() if line.tail else data)
    if line.garbage is not None:
        try:
            return RecordedFrame(at, connection, b64decode(line.garbage, validate=True))
        except Base64Error as exc:
            raise ValueError(f"garbage is no base64: {exc}") from exc
    if line.command:
        return RecordedCommand(at, connection, bytes(line.command))
    if line.event is not None:
        return RecordedEvent(at, line.event, _read_fields(text))
    if line.lost is not None:
        return RecordedLoss(at, line.lost)
    if line.open is not None:
        each = line.open
        return RecordedOpen(at, connection, each.sid, each.channel, each.next_seq, each.subjects)
    if line.book is not None:
        return RecordedBook(at, connection, line.book.sid, bytes(line.book.msg))
    return None
