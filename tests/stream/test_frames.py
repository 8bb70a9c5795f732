"""Bytes to frames: what is known is typed, what is new is kept, and nothing makes it raise."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import force_setattr

from kalshi_async.stream._frames import (
    KINDS,
    BrokenFrame,
    CfBenchmarks5HzList,
    CfBenchmarksList,
    DataFrame,
    Done,
    Frame,
    PythList,
    Refused,
    Subscribed,
    UnknownFrame,
    Unsubscribed,
    decode_frame,
)
from kalshi_async.stream.messages import (
    MESSAGES,
    OrderbookDelta,
    StreamMessage,
    TickerUpdate,
)
from tests.contract.stream_samples import (
    KINDS as DATA_KINDS,
)
from tests.contract.stream_samples import (
    full_message,
    least_message,
    numbers_as_text,
    objects_inside,
)

EXACT = ("orderbook_delta", "orderbook_snapshot")
LENIENT = [kind for kind in DATA_KINDS if kind not in EXACT]
DELTA = {"market_ticker": "KX-1", "price_dollars": "0.47", "delta_fp": "-2.50", "side": "yes"}


def frame(kind: object, msg: object = None, **envelope: object) -> dict[str, Any]:
    return {"type": kind, "sid": 3, "seq": 9, "msg": msg, **envelope}


def read(made: object) -> Frame:
    return decode_frame(json.dumps(made).encode())


def message(made: object) -> StreamMessage:
    found = read(made)
    assert isinstance(found, DataFrame), found
    return found.msg


def tampered(text: str) -> Frame:
    """A good ticker frame into whose message this was written."""
    good = '{"type":"ticker","sid":3,"msg":{"market_ticker":"KX-1",%s}}'
    return decode_frame((good % text).encode())


# ---------------------------------------------------------------------------- what is known


@pytest.mark.parametrize("kind", DATA_KINDS)
@pytest.mark.parametrize("make", [full_message, least_message])
def test_every_kind_of_message_comes_as_its_struct(kind, make):
    found = read(frame(kind, make(kind), sending_ts_ms=1_785_000_000_123))
    assert isinstance(found, DataFrame)
    assert type(found.msg) is MESSAGES[kind]
    assert (found.sid, found.seq, found.id, found.sending_ts_ms) == (3, 9, 0, 1_785_000_000_123)
    assert found.msg.extra is None


def test_numbers_are_exact():
    found = message(frame("orderbook_delta", DELTA))
    assert isinstance(found, OrderbookDelta)
    assert (found.price, found.delta) == (Decimal("0.47"), Decimal("-2.50"))
    assert (found.received_at, found.seq, found.backfilled) == (0.0, None, False)


def test_a_frame_without_numbers_has_noughts():
    found = read({"type": "ticker", "msg": {"market_ticker": "KX-1"}})
    assert (found.sid, found.seq, found.id, found.sending_ts_ms) == (0, 0, 0, None)


@pytest.mark.parametrize("buffer", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("new", [{}, {"new": 1}])
def test_any_buffer_will_do(buffer, new):
    data = json.dumps(frame("orderbook_delta", DELTA | new)).encode()
    assert isinstance(decode_frame(buffer(data)), DataFrame)


@pytest.mark.parametrize(
    ("kind", "msg", "expected"),
    [
        ("ok", {"market_tickers": ["A"]}, Done),
        ("ok", [{"channel": "trade", "sid": 1}], Done),
        ("cfbenchmarks_value_indexlist", {"index_ids": ["BRTI"]}, CfBenchmarksList),
        ("cfbenchmarks_value_5hz_indexlist", {"index_ids": ["BRTI"]}, CfBenchmarks5HzList),
        ("pyth_value_underlying_list", {"underlying_tickers": ["x"]}, PythList),
    ],
)
def test_answers(kind, msg, expected):
    found = read(frame(kind, msg, id=7))
    assert type(found) is expected
    assert (found.id, found.sid, found.seq, isinstance(found, DataFrame)) == (7, 3, 9, False)
    assert json.loads(bytes(found.msg)) == msg


def test_subscribed():
    found = read({"type": "subscribed", "id": 1, "msg": {"channel": "trade", "sid": 4, "new": 1}})
    assert isinstance(found, Subscribed)
    assert (found.id, found.msg.channel, found.msg.sid) == (1, "trade", 4)


@pytest.mark.parametrize("made", [{"type": "ok", "id": 1}, {"type": "ok", "id": 1, "msg": None}])
def test_an_answer_may_say_nothing(made):
    assert isinstance(read(made), Done)


def test_unsubscribed():
    found = read({"type": "unsubscribed", "id": 1, "sid": 2, "seq": 8, "new": {}})
    assert isinstance(found, Unsubscribed)
    assert (found.id, found.sid, found.seq) == (1, 2, 8)


@pytest.mark.parametrize(
    ("names", "markets"),
    [
        ({}, ()),
        ({"market_ticker": "A"}, ("A",)),
        ({"market_tickers": ["B", "C"]}, ("B", "C")),
        ({"market_ticker": "A", "market_tickers": ["B"]}, ("A", "B")),
        ({"market_ticker": None, "market_tickers": None}, ()),
    ],
)
def test_refusals_name_markets(names, markets):
    found = read({"type": "error", "id": 1, "msg": {"code": 11, "msg": "no", **names}})
    assert isinstance(found, Refused)
    assert (found.msg.code, found.msg.msg, found.msg.markets) == (11, "no", markets)


def test_the_kinds_are_all_there():
    assert set(DATA_KINDS) | {"ok", "error", "subscribed", "unsubscribed"} <= KINDS


# ---------------------------------------------------------------------------- what is new


def test_a_new_type_is_kept_as_it_came():
    data = json.dumps(frame("halt", {"why": [1]}, id=5)).encode()
    found = decode_frame(data)
    assert isinstance(found, UnknownFrame)
    assert (found.type, found.raw, found.sid, found.seq, found.id) == ("halt", data, 3, 9, 5)


@pytest.mark.parametrize("kind", DATA_KINDS)
def test_new_fields_are_kept(kind):
    known = message(frame(kind, full_message(kind)))
    new = {"new": {"a": [1, "x", None]}, "other": 1.5}
    found = message(frame(kind, full_message(kind) | new, around=True))
    assert found.extra == new | {"around": True}
    fields = [name for name in known.__struct_fields__ if name != "extra"]
    assert [getattr(found, name) for name in fields] == [getattr(known, name) for name in fields]


@pytest.mark.parametrize(
    "kind", [kind for kind in DATA_KINDS if objects_inside(full_message(kind))]
)
def test_new_fields_of_objects_inside_are_kept(kind):
    made = numbers_as_text(full_message(kind))
    known = message(frame(kind, made))
    for inside in objects_inside(made):
        inside["new"] = "x"
    found = message(frame(kind, made))
    assert found.extra
    assert all(name.endswith(".new") and value == "x" for name, value in found.extra.items())
    fields = [name for name in known.__struct_fields__ if name != "extra"]
    assert [getattr(found, name) for name in fields] == [getattr(known, name) for name in fields]


@pytest.mark.parametrize("kind", LENIENT)
def test_a_field_of_a_wrong_type_is_set_aside(kind):
    least, full = least_message(kind), full_message(kind)
    for name in full:
        found = read(frame(kind, full | {name: True}))
        if isinstance(found, BrokenFrame):
            assert name in least, f"{name} could be done without"
            assert (found.sid, found.seq) == (3, 9)
        else:
            assert isinstance(found, DataFrame)
            # A field that is true or false takes it as it is.
            assert found.msg.extra == {name: True} or full[name] in (True, False)


def test_a_field_of_a_wrong_type_in_an_object_inside_is_set_aside():
    made = full_message("cfbenchmarks_value")
    made["avg_60s_data"] |= {"window_size": "x"}
    extra = message(frame("cfbenchmarks_value", made)).extra
    assert extra == {"avg_60s_data": made["avg_60s_data"]}


@pytest.mark.parametrize("kind", EXACT)
def test_a_book_is_not_made_of_what_does_not_fit(kind):
    full = full_message(kind)
    for name in full:
        found = read(frame(kind, full | {name: {"a": 1}}))
        assert isinstance(found, BrokenFrame), name
        assert (found.sid, found.seq) == (3, 9)


@pytest.mark.parametrize("kind", DATA_KINDS)
def test_a_message_without_its_name_is_broken(kind):
    found = read(frame(kind, {"ts_ms": 1}))
    assert isinstance(found, BrokenFrame)
    assert (found.sid, found.seq) == (3, 9)
    assert "missing required field" in found.problem


# ---------------------------------------------------------------------------- what is broken


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b"{}",
        b'{"type":7}',
        b'{"type":"ticker"}',
        b'{"type":"ticker","msg":null}',
        b'{"type":"ticker","msg":[]}',
        b'{"type":"error","id":1}',
        b'{"type":"error","id":1,"msg":"no"}',
        b'{"type":"error","id":1,"msg":{"code":"x"}}',
        b'{"type":"subscribed","id":1,"msg":{"channel":"trade"}}',
        b'{"type":"subscribed","id":1}',
        b'{"type":"ticker","sid":1,"msg":{"market_ticker":"\xff"}}',
        b'{"type":"ticker","sid":1,"msg":{"market_ticker":"A","\xff":1}}',
        b'{"type":"ticker","\xc3\x28":1,"msg":{"market_ticker":"A"}}',
        b'{"type":"ticker","sid":1,"msg":{"market_ticker":"\\ud800"}}',
        b'\xef\xbb\xbf{"type":"ok"}',
        b'{"type":"ok"} {"type":"ok"}',
        b"[" * 100_000,
        b'{"msg":' * 100_000,
        b'{"type":"ticker","msg":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"type":"ticker","sid":NaN,"msg":{"market_ticker":"A"}}',
        b'{"type":"ticker","type":"trade","msg":{"market_ticker":"A"}}',
    ],
)
def test_what_cannot_be_read_is_broken(data):
    found = decode_frame(data)
    assert isinstance(found, BrokenFrame)
    assert found.raw == data
    assert found.problem
    error = found.error()
    assert (error.size, error.head) == (len(data), data[:200])
    assert "\n" not in str(error)


@pytest.mark.parametrize("number", ["1e999999999", "9" * 5_000, '"1e9999999"', "-0", "0.1e-400"])
def test_huge_numbers_do_no_harm(number):
    found = tampered(f'"price_dollars":{number}')
    assert isinstance(found, DataFrame)
    assert isinstance(found.msg, TickerUpdate)
    assert found.msg.price == Decimal(number.strip('"'))


def test_of_keys_given_twice_the_last_counts():
    found = decode_frame(
        b'{"type":"ticker","sid":1,"sid":2,"msg":{"market_ticker":"A"},'
        b'"msg":{"market_ticker":"B","market_ticker":"C"}}'
    )
    assert isinstance(found, DataFrame)
    assert (found.sid, found.msg.ticker) == (2, "C")


@pytest.mark.parametrize(
    "text",
    [
        b'{"sid":3,"seq":9,"msg":{}}',
        b'{"type":null,"sid":3,"seq":9}',
        b'{"type":"ok","sid":3,"seq":9,"id":null}',
        b'{"type":"ticker","sid":3,"seq":9,"id":"x","msg":{}}',
    ],
)
def test_what_could_be_read_of_a_broken_frame_is_told(text):
    found = decode_frame(text)
    assert (found.sid, found.seq) == (3, 9)


@pytest.mark.parametrize("name", ["id", "seq"])
def test_a_number_that_is_null_is_absent(name):
    assert message(frame("ticker", {"market_ticker": "A"}, **{name: None})).ticker == "A"


@pytest.mark.parametrize("name", ["new", "ts_ms"])
@pytest.mark.parametrize("value", ["1e999", "9" * 5_000, '"\\u0000"'])
def test_an_unreadable_value_is_set_aside(name, value):
    found = tampered(f'"{name}":{value},"market_id":"m"')
    assert isinstance(found, DataFrame)
    assert found.msg.market_id == "m"
    assert found.msg.extra
    assert found.msg.extra.keys() == {name}


@pytest.mark.parametrize("number", ["1e400", "9" * 5_000, '"3"', "3.5", "[]"])
def test_an_unreadable_number_of_a_frame_is_set_aside(number):
    good = json.dumps(frame("ticker", {"market_ticker": "A"}))
    found = decode_frame(good.replace('"seq": 9', f'"seq": {number}').encode())
    assert isinstance(found, DataFrame)
    assert (found.sid, found.seq, found.msg.seq) == (3, 0, None)
    assert found.msg.extra
    assert found.msg.extra.keys() == {"seq"}


def test_a_type_that_is_no_text_at_all():
    found = decode_frame(b'{"type":"\xff","sid":3,"seq":9}')
    assert isinstance(found, UnknownFrame)
    assert (found.sid, found.seq) == (3, 9)


def test_a_new_field_does_not_hide_when_a_frame_was_sent():
    assert read(frame("orderbook_delta", DELTA | {"new": 1}, sending_ts_ms=5)).sending_ts_ms == 5


def test_a_time_of_sending_of_a_wrong_type_leaves_a_trace():
    extra = message(frame("orderbook_delta", DELTA, sending_ts_ms="x")).extra
    assert extra == {"sending_ts_ms": "x"}


def test_the_age_of_a_message_from_the_far_future():
    found = tampered(f'"ts_ms":{"9" * 400}')
    assert isinstance(found, DataFrame)
    force_setattr(found.msg, "received_at", 1.0)
    assert found.msg.age is None or found.msg.age < 0
