"""Bytes of a WebSocket to frames: once, straight to type, and nothing is lost to what is new.

The fast path is one decoder for all frames, strict about unknown fields. What it refuses is looked
at again, slowly: fields that this version does not know are kept as plain values in
``message.extra``, a field of a wrong type is set aside where its message can do without, and a type
that is new comes as an ``UnknownFrame``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Union, cast

import msgspec
from msgspec.structs import force_setattr

from .._interning import price_twin
from .._repair import UNREADABLE, nested_models, repair
from .._stream_errors import FrameError
from .messages import (
    MESSAGES,
    FillUpdate,
    MarketPositionUpdate,
    OrderbookDelta,
    OrderbookSnapshot,
    StreamMessage,
    UserOrderUpdate,
)

Buffer = bytes | bytearray | memoryview


class Frame(msgspec.Struct, kw_only=True, gc=False):
    """What all frames have in common; 0 stands for an ``id``, ``sid`` or ``seq`` that is absent."""

    sid: int = 0
    seq: int = 0
    id: int = 0
    sending_ts_ms: int | None = None


class DataFrame(Frame, kw_only=True):
    """A frame around a message."""

    msg: StreamMessage


class _Named(msgspec.Struct, gc=False):
    channel: str
    sid: int


class Subscribed(Frame, kw_only=True, tag="subscribed"):
    """A channel was subscribed to; from now on its frames carry this sid."""

    msg: _Named


class Done(Frame, kw_only=True, tag="ok"):
    """A command was carried out; ``msg`` depends on which."""

    msg: msgspec.Raw = msgspec.Raw(b"")


class Unsubscribed(Frame, kw_only=True, tag="unsubscribed"):
    """A subscription ended, as asked for."""


class _Reason(msgspec.Struct, gc=False):
    code: int = 0
    msg: str = ""
    market_ticker: str | None = None
    market_tickers: list[str] | None = None

    @property
    def markets(self) -> tuple[str, ...]:
        named = (self.market_ticker,) if self.market_ticker else ()
        return named + tuple(self.market_tickers or ())


class Refused(Frame, kw_only=True, tag="error"):
    """A command was refused, or a subscription (``sid``) ended."""

    msg: _Reason


class CfBenchmarksList(Frame, kw_only=True, tag="cfbenchmarks_value_indexlist"):
    """The indices there are: an answer."""

    msg: msgspec.Raw = msgspec.Raw(b"")


class CfBenchmarks5HzList(Frame, kw_only=True, tag="cfbenchmarks_value_5hz_indexlist"):
    """The fast indices there are: an answer."""

    msg: msgspec.Raw = msgspec.Raw(b"")


class PythList(Frame, kw_only=True, tag="pyth_value_underlying_list"):
    """The underlyings there are: an answer."""

    msg: msgspec.Raw = msgspec.Raw(b"")


class UnknownFrame(Frame, kw_only=True):
    """A frame of a type that this version does not know, as it came."""

    type: str = ""
    raw: bytes = b""


class BrokenFrame(Frame, kw_only=True):
    """A frame that cannot be read; ``sid`` and ``seq`` where those could be."""

    problem: str = ""
    raw: bytes = b""

    def error(self) -> FrameError:
        """The same as an error."""
        return FrameError(self.problem, self.raw)


_CONTROL = (
    Subscribed, Done, Unsubscribed, Refused, CfBenchmarksList, CfBenchmarks5HzList, PythList
)  # fmt: skip


def _framed(kind: str, message: type[msgspec.Struct]) -> type[DataFrame]:
    made = msgspec.defstruct(
        f"{message.__name__}Frame",
        [("msg", message)],
        bases=(DataFrame,),
        tag=kind,
        kw_only=True,
        gc=False,
        forbid_unknown_fields=True,
    )
    return cast("type[DataFrame]", made)


_SAMPLE = b'{"market_ticker":"A","price_dollars":"0.5000","delta_fp":"1.00","side":"yes"}'
# Changes of books are most of all frames, and a book finds a price by its hash: it is much cheaper
# to find each price ready-made, with its hash, than to make it.
_DELTA = price_twin(OrderbookDelta, _SAMPLE)
_DATA = {
    kind: _framed(kind, _DELTA if message is OrderbookDelta else message)
    for kind, message in MESSAGES.items()
}
_DeltaFrame = _DATA["orderbook_delta"]
_Any = Union[(*_DATA.values(), *_CONTROL)]  # type: ignore[valid-type]
_decode: Callable[[Buffer], Frame] = msgspec.json.Decoder(_Any).decode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_objects = msgspec.json.Decoder(list[msgspec.Raw]).decode
_NUMBERS = ("sid", "seq", "id")
_ENVELOPE = frozenset((*_NUMBERS, "type", "msg", "sending_ts_ms"))
_NULL = msgspec.Raw(b"null")
_OUTERMOST = re.compile(r"[.\[]")
# What a message must not be told without: a book that lacks a side, or a fill without its count, is
# worse than none. (REST is asked for what happened to the account.)
_EXACT: dict[type[StreamMessage], frozenset[str]] = {
    OrderbookDelta: frozenset(OrderbookDelta.__struct_encode_fields__),
    OrderbookSnapshot: frozenset(OrderbookSnapshot.__struct_encode_fields__),
    FillUpdate: frozenset(("book_side", "count_fp", "yes_price_dollars")),
    UserOrderUpdate: frozenset(
        ("fill_count_fp", "remaining_count_fp", "status", "yes_price_dollars")
    ),
    MarketPositionUpdate: frozenset(("position_fp",)),
}


def decode_frame(data: Buffer) -> Frame:
    """The frame that these bytes are. Nothing makes it raise: what cannot be read at all comes as a
    ``BrokenFrame``.
    """
    try:
        frame = _decode(data)
    except UNREADABLE as exc:
        return _read_slowly(bytes(data), str(exc))
    if type(frame) is _DeltaFrame:
        force_setattr(frame.msg, "__class__", OrderbookDelta)
    return frame


def _read_slowly(data: bytes, problem: str) -> Frame:
    try:
        fields = _fields(data)
    except UNREADABLE as exc:
        return BrokenFrame(problem=str(exc) or problem, raw=data)
    extra = {name: raw for name, raw in fields.items() if name not in _ENVELOPE}
    head: dict[str, Any] = {}
    for name in _NUMBERS:
        head[name] = number = _number(fields.get(name))
        if number is None:
            head[name], extra[name] = 0, fields[name]
    sent = _number(fields.get("sending_ts_ms"))
    if sent is None:
        extra["sending_ts_ms"] = fields["sending_ts_ms"]
    kind = _plain(fields.get("type", _NULL))
    if not isinstance(kind, str):
        return BrokenFrame(problem=problem, raw=data, **head)
    if kind not in KINDS:
        return UnknownFrame(type=kind, raw=data, **head)
    message = MESSAGES.get(kind)
    if message is None or "msg" not in fields:
        return BrokenFrame(problem=problem, raw=data, **head)
    try:
        read = _message(message, fields["msg"], extra)
    except UNREADABLE as exc:
        return BrokenFrame(problem=str(exc), raw=data, **head)
    if extra:
        force_setattr(read, "extra", {name: _plain(raw) for name, raw in extra.items()})
    return _DATA[kind](msg=read, sending_ts_ms=sent or None, **head)


def _message(
    kind: type[StreamMessage], raw: msgspec.Raw, extra: dict[str, msgspec.Raw]
) -> StreamMessage:
    """A message without what it does not know; that goes into ``extra``, as do fields of a wrong
    type that it can do without.
    """
    known = _known_part(kind, raw, "", extra)
    try:
        return msgspec.json.decode(known, type=kind)
    except msgspec.ValidationError:
        repaired, drift = repair(kind, known)
        values = _fields(known)
        for each in drift:
            # What is wrong inside of something is kept with all of that.
            name = _OUTERMOST.split(each.field, maxsplit=1)[0]
            extra[name] = values[name]
            if name in _EXACT.get(kind, ()):
                raise
    return msgspec.json.decode(repaired, type=kind)


def _known_part(
    kind: type[msgspec.Struct], raw: msgspec.Raw, prefix: str, extra: dict[str, msgspec.Raw]
) -> bytes:
    text = bytes(raw)
    if text.startswith(b"["):
        items = [_known_part(kind, item, prefix, extra) for item in _objects(text)]
        return b"[%b]" % b",".join(items)
    if not text.startswith(b"{"):
        return text
    values = _fields(text)
    nested, names = nested_models(kind), kind.__struct_encode_fields__
    for name in list(values):
        if name not in names:
            extra[prefix + name] = values.pop(name)
        elif name in nested:
            part = _known_part(nested[name], values[name], f"{prefix}{name}.", extra)
            values[name] = msgspec.Raw(part)
    return msgspec.json.encode(values)


def _number(raw: msgspec.Raw | None) -> int | None:
    """A number of the envelope: 0 where it is absent or null, None where it is something else."""
    try:
        return 0 if raw is None else msgspec.json.decode(raw, type=int | None) or 0
    except UNREADABLE:
        return None


def _plain(raw: msgspec.Raw) -> object:
    """A value in plain Python, or its text where it is too large for that."""
    try:
        value: object = msgspec.json.decode(raw)
    except UNREADABLE:
        return bytes(raw).decode("utf-8", "replace")
    return value


KINDS = frozenset((*MESSAGES, *(frame.__struct_config__.tag for frame in _CONTROL)))
"""Every type of frame that this version knows."""
