"""Whatever bytes come, they are a frame, and nothing raises."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st

from kalshi_async.stream._frames import (
    KINDS,
    BrokenFrame,
    DataFrame,
    Frame,
    UnknownFrame,
    decode_frame,
)
from kalshi_async.stream.messages import MESSAGES, OrderbookDelta, OrderbookSnapshot
from tests.contract.stream_samples import KINDS as DATA_KINDS
from tests.contract.stream_samples import full_message, least_message

from .test_frames import DELTA, frame

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["KX-1", "yes", "0.47", "1e9", "NaN", "-1"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=4)
            | st.sampled_from([*DELTA, "market_ticker", "code", "msg", "channel", "sid", "~extra"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)
GOOD = [
    json.dumps(frame(kind, make(kind)), separators=(",", ":")).encode()
    for kind in DATA_KINDS
    for make in (full_message, least_message)
]


def check(data: bytes) -> Frame:
    """Whatever it is, it is a frame, and the numbers in its head are numbers."""
    found = decode_frame(data)
    assert isinstance(found, Frame)
    assert all(type(number) is int for number in (found.sid, found.seq, found.id))
    if isinstance(found, BrokenFrame | UnknownFrame):
        assert found.raw == data
    elif isinstance(found, DataFrame):
        assert type(found.msg) in MESSAGES.values()
    assert repr(found)
    return found


@given(st.binary(max_size=200))
def test_any_bytes(data):
    check(data)


@given(JSON)
def test_any_json(value):
    check(json.dumps(value).encode("utf-8", "surrogatepass"))


@given(st.sampled_from(sorted(KINDS)) | st.text(max_size=5), JSON, JSON, JSON, JSON)
@example("ticker", 1, 0, 0, {"market_ticker": "A", "~extra": {"a": 1}, "~received_at": "x"})
def test_any_envelope(kind, sid, seq, number, msg):
    made = {"type": kind, "sid": sid, "seq": seq, "id": number, "msg": msg}
    found = check(json.dumps(made).encode())
    if isinstance(found, DataFrame):
        assert (found.sid, found.seq, found.id) == (sid, seq, number)


@given(st.sampled_from(GOOD), st.data())
def test_truncated_frames(data, draw):
    end = draw.draw(st.integers(0, len(data) - 1))
    assert isinstance(check(data[:end]), BrokenFrame)


@given(st.sampled_from(GOOD), st.lists(st.tuples(st.floats(0, 0.999), st.binary(max_size=3))))
def test_mutated_frames(data, changes):
    changed = bytearray(data)
    for place, new in changes:
        at = int(place * len(changed))
        changed[at : at + len(new)] = new
    check(bytes(changed))


@given(st.sampled_from(DATA_KINDS), st.data())
def test_any_value_in_any_field(kind, draw):
    made = full_message(kind)
    name = draw.draw(st.sampled_from(sorted(made)))
    found = check(json.dumps(frame(kind, made | {name: draw.draw(JSON)})).encode())
    assert found.sid in (0, 3)
    if isinstance(found, DataFrame) and isinstance(found.msg, OrderbookDelta | OrderbookSnapshot):
        assert not found.msg.extra or name not in found.msg.extra
