"""The structs of stream messages against the facts of Kalshi's contract and against real frames."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import force_setattr

from kalshi_async.models.orderbook import Level
from kalshi_async.stream import messages
from kalshi_async.stream.messages import MESSAGES, MarketMessage, StreamMessage
from tests.sandbox.ws_contract import WsContract

from .stream_differences import (
    ANSWERS,
    DIFFERENCES,
    OWN_FIELDS,
    WS_DIGEST,
    WS_DIGEST_FILE,
    differences,
)
from .stream_digest import make_ws_digest, render
from .stream_samples import (
    KINDS,
    SCHEMAS,
    full_message,
    least_message,
    numbers_as_text,
    objects_inside,
    required_fields,
)
from .stream_sandbox import SANDBOX_MESSAGES

SECOND = 1_785_587_400
RECEIVED = SECOND + 2.5

NEEDED = {
    "batch_quote_accepted": {"batch_quote_id", "rfq_batch_id"},
    "batch_quote_created": {"batch_quote_id", "rfq_batch_id"},
    "batch_quote_executed": {"batch_quote_id", "rfq_batch_id"},
    "cfbenchmarks_value": {"index_id"},
    "cfbenchmarks_value_5hz": {"index_id"},
    "event_fee_update": {"event_ticker"},
    "event_lifecycle": {"event_ticker"},
    "fill": {"trade_id", "order_id", "market_ticker"},
    "market_lifecycle_v2": {"market_ticker", "event_type"},
    "market_position": {"market_ticker"},
    "multivariate_market_lifecycle": {"market_ticker", "event_type"},
    "order_group_updates": {"order_group_id", "event_type"},
    "orderbook_delta": {"market_ticker", "price_dollars", "delta_fp", "side"},
    "orderbook_snapshot": {"market_ticker"},
    "pyth_value": {"underlying_ticker"},
    "quote_accepted": {"quote_id", "rfq_id", "market_ticker"},
    "quote_created": {"quote_id", "rfq_id", "market_ticker"},
    "quote_executed": {"quote_id", "rfq_id", "order_id", "market_ticker"},
    "rfq_batch_best_quotes": {"rfq_batch_id"},
    "rfq_batch_created": {"id"},
    "rfq_batch_deleted": {"id"},
    "rfq_batch_executed": {"rfq_batch_id"},
    "rfq_created": {"id", "market_ticker"},
    "rfq_deleted": {"id", "market_ticker"},
    "ticker": {"market_ticker"},
    "trade": {"trade_id", "market_ticker"},
    "user_order": {"order_id", "ticker"},
}
"""Fields without which nothing can be done with a message."""


def decode(kind: str, message: object) -> StreamMessage:
    return msgspec.json.decode(json.dumps(message), type=MESSAGES[kind])


# ---------------------------------------------------------------------------- the contract


def test_the_structs_are_what_the_contract_says():
    assert sorted(differences(WS_DIGEST)) == sorted(DIFFERENCES)


def test_every_type_that_carries_data_has_a_struct():
    assert len(KINDS) == 27
    assert list(MESSAGES) == KINDS
    assert WS_DIGEST["messages"].keys() >= ANSWERS
    assert len(set(MESSAGES.values())) == len(MESSAGES)


def test_every_struct_is_exported():
    structs = {
        value
        for value in vars(messages).values()
        if isinstance(value, type) and issubclass(value, StreamMessage)
    }
    public = {kind for kind in structs if not kind.__name__.startswith("_")}
    assert {kind.__name__ for kind in public} <= set(messages.__all__)
    assert public - {StreamMessage, MarketMessage} == set(MESSAGES.values())


def test_the_digest_is_that_of_the_contract_file(shared):
    path = shared / "contract" / "websocket-2.0.0.json"
    assert render(make_ws_digest(path)) == WS_DIGEST_FILE.read_text()


def _rename(digest):
    fields = digest["schemas"]["fillPayload.msg"]["fields"]
    fields["count_contracts"] = fields.pop("count_fp")


def _add_inside(digest):
    fields = digest["schemas"]["rfqBatchCreatedPayload.msg.rfqs"]["fields"]
    fields["note"] = {"type": "string"}


def _add_type(digest):
    digest["messages"]["halt"] = ["tickerPayload"]


def _change_type(digest):
    digest["schemas"]["tickerPayload.msg"]["fields"]["ts_ms"]["type"] = "string"


def _allow_null(digest):
    digest["schemas"]["tradePayload.msg"]["fields"]["trade_id"]["null"] = True


def _drop_type(digest):
    del digest["messages"]["pyth_value"]


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (
            _rename,
            {
                "fill.count_contracts has no field in FillUpdate",
                "fill.count_fp is no field of the contract",
            },
        ),
        (_add_inside, {"rfqBatchCreatedPayload.msg.rfqs.note has no field in BatchRfq"}),
        (_add_type, {"halt has no struct"}),
        (_change_type, {"ticker.ts_ms is integer, in the contract string"}),
        (_allow_null, {"trade.trade_id: may be None is False, by the contract True"}),
        (_drop_type, {"pyth_value is not in the contract"}),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_drift_of_the_contract_is_noticed(tamper, expected):
    digest = copy.deepcopy(WS_DIGEST)
    tamper(digest)
    assert set(differences(digest)) - set(DIFFERENCES) == expected


# ---------------------------------------------------------------------------- samples


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_with_all_fields_is_read_whole(kind):
    sample = full_message(kind)
    message = decode(kind, sample)
    assert type(message) is MESSAGES[kind]
    assert {
        wire_name
        for name, wire_name in zip(
            message.__struct_fields__, message.__struct_encode_fields__, strict=True
        )
        if getattr(message, name) is not None and wire_name not in OWN_FIELDS
    } == SCHEMAS[kind]["fields"].keys()
    assert json.loads(msgspec.json.encode(message)) == numbers_as_text(sample)


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_with_the_required_fields_only_is_read_whole(kind):
    sample = least_message(kind)
    message = decode(kind, sample)
    assert set(sample) == set(required_fields(SCHEMAS[kind]))
    assert json.loads(msgspec.json.encode(message)) == numbers_as_text(sample)


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_is_refused_only_without_what_it_is_about(kind):
    refused = set()
    for name in full_message(kind):
        sample = full_message(kind)
        del sample[name]
        try:
            message = decode(kind, sample)
        except msgspec.ValidationError:
            refused.add(name)
        else:
            names = dict(
                zip(message.__struct_encode_fields__, message.__struct_fields__, strict=True)
            )
            assert getattr(message, names[name]) is None
    assert refused == NEEDED[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_field_is_refused(kind):
    with pytest.raises(msgspec.ValidationError, match="unknown field `brand_new`"):
        decode(kind, full_message(kind) | {"brand_new": 1})
    for number in range(len(objects_inside(full_message(kind)))):
        sample = full_message(kind)
        objects_inside(sample)[number]["brand_new"] = 1
        with pytest.raises(msgspec.ValidationError, match="unknown field `brand_new`"):
            decode(kind, sample)


def test_objects_inside_messages_were_looked_at():
    assert sum(len(objects_inside(full_message(kind))) for kind in KINDS) == 11


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [True, [1], {"a": 1}])
def test_a_wrong_type_is_refused(kind, value):
    for name in NEEDED[kind]:
        with pytest.raises(msgspec.ValidationError):
            decode(kind, full_message(kind) | {name: value})


@pytest.mark.parametrize("levels", [[["0.5"]], [["0.5", "1", "2"]], [["half", "1"]], ["0.5"], 7])
def test_a_book_with_a_level_that_is_none_is_refused(levels):
    for side in ("yes_dollars_fp", "no_dollars_fp"):
        with pytest.raises(msgspec.ValidationError):
            decode("orderbook_snapshot", {"market_ticker": "KX", side: levels})


def test_a_side_of_a_book_may_be_absent_null_or_empty():
    absent = decode("orderbook_snapshot", {"market_ticker": "KX"})
    null = decode("orderbook_snapshot", {"market_ticker": "KX", "yes_dollars_fp": None})
    empty = decode("orderbook_snapshot", {"market_ticker": "KX", "yes_dollars_fp": []})
    assert (absent.yes, null.yes, empty.yes) == (None, None, [])


# ---------------------------------------------------------------------------- real frames


def test_recorded_frames_are_read_whole(shared):
    path = shared / "recorded" / "2026-06-demo" / "ws__orderbook_trade_yes.jsonl"
    frames = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    sent = [(frame["type"], frame["msg"]) for frame in frames if frame["type"] not in ANSWERS]
    assert [kind for kind, _ in sent] == [
        "orderbook_snapshot",
        "orderbook_delta",
        "orderbook_delta",
    ]
    snapshot, first, second = (decode(kind, msg) for kind, msg in sent)
    assert snapshot.yes == [Level(Decimal("0.47"), Decimal(3))]
    assert snapshot.no == [Level(Decimal("0.52"), Decimal(1))]
    assert (first.price, first.delta, first.side) == (Decimal("0.52"), Decimal(-1), "no")
    assert second.ts == datetime(2026, 6, 11, 6, 29, 47, 427840, UTC)
    assert {message.ticker for message in (snapshot, first, second)} == {
        sent[0][1]["market_ticker"]
    }
    assert json.loads(msgspec.json.encode(snapshot)) == sent[0][1]
    # The exchange writes no zeros at the end of a time; the value is looked at above.
    assert json.loads(msgspec.json.encode(second)) | {"ts": sent[2][1]["ts"]} == sent[2][1]


def test_fields_of_recorded_frames_are_declared_in_their_order(shared):
    path = shared / "recorded" / "2026-06-demo" / "ws__orderbook_trade_yes.jsonl"
    for line in path.read_text().splitlines():
        frame = json.loads(line) if line.strip() else {"type": "ok"}
        if frame["type"] not in ANSWERS:
            declared = MESSAGES[frame["type"]].__struct_encode_fields__
            assert [name for name in declared if name in frame["msg"]] == list(frame["msg"])


def test_the_embedded_exchange_sends_every_type():
    assert {kind for kind, _ in SANDBOX_MESSAGES} == MESSAGES.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_embedded_exchange_sends_is_read_whole(kind):
    for sent_kind, msg in SANDBOX_MESSAGES:
        if sent_kind == kind:
            message = decode(kind, msg)
            shown = {name: value for name, value in msg.items() if value is not None}
            assert json.loads(msgspec.json.encode(message)) == numbers_as_text(shown)


def payloads(kind: str) -> list[str]:
    return WS_DIGEST["messages"][kind]


def test_made_up_messages_of_the_embedded_exchange_fit_the_contract(shared):
    contract = WsContract(shared / "contract" / "websocket-2.0.0.json")
    found = []
    for kind, msg in SANDBOX_MESSAGES:
        (numbered,) = {"seq" in WS_DIGEST["schemas"][name]["fields"] for name in payloads(kind)}
        frame = {"type": kind, "sid": 1, "msg": msg} | ({"seq": 1} if numbered else {})
        found += contract.problems(frame)
    assert found == []


# ---------------------------------------------------------------------------- what is the client's


def received(kind: str, message: object) -> StreamMessage:
    read = decode(kind, message)
    force_setattr(read, "received_at", RECEIVED)
    return read


def test_fields_of_the_client_are_unset_at_first_and_can_be_set():
    for kind in KINDS:
        read = decode(kind, least_message(kind))
        own = (read.received_at, read.seq, read.backfilled, read.extra)
        assert own == (0.0, None, False, None)
        assert read.age is None
        force_setattr(read, "extra", {"brand_new": 1})
        assert json.loads(msgspec.json.encode(read))["~extra"] == {"brand_new": 1}


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_about_one_market_has_its_ticker(kind):
    sample = least_message(kind)
    read = decode(kind, sample)
    if "market_ticker" in sample:
        assert isinstance(read, MarketMessage)
        sample["market_ticker"] = "KX-1"
        assert decode(kind, sample).ticker == "KX-1"
    else:
        assert not isinstance(read, MarketMessage)
        assert hasattr(read, "ticker") is (kind == "user_order")


TIMELESS = {
    "event_fee_update",
    "event_lifecycle",
    "market_lifecycle_v2",
    "market_position",
    "multivariate_market_lifecycle",
    "orderbook_snapshot",
    "quote_accepted",
}
"""Types whose messages do not say when they were made."""


@pytest.mark.parametrize("kind", KINDS)
def test_age_is_told_by_whichever_time_there_is(kind):
    struct = MESSAGES[kind]
    assert bool(struct.__times__) is (kind not in TIMELESS)
    wire_names = dict(zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True))
    sample = {name: value for name, value in full_message(kind).items() if name in NEEDED[kind]}
    assert received(kind, sample).age is None
    for name in reversed(struct.__times__):
        # A less exact time, one second off, must not count beside this one.
        for other in struct.__times__[struct.__times__.index(name) + 1 :]:
            sample[wire_names[other]] = stamp(kind, wire_names[other], SECOND - 1)
        sample[wire_names[name]] = stamp(kind, wire_names[name], SECOND)
        assert received(kind, sample).age == 2.5


def stamp(kind: str, name: str, second: int) -> int | str:
    """A time in the form in which the wire has this field."""
    if SCHEMAS[kind]["fields"][name]["type"] == "string/date-time":
        return datetime.fromtimestamp(second, UTC).isoformat()
    return second if name == "ts" else second * 1000


def test_every_time_stamp_of_a_message_counts():
    """A field in milliseconds, or a plain `ts`, says when a message was made, unless listed."""
    other = {"expiration_ts_ms"}
    for kind in KINDS:
        stamps = {name for name in SCHEMAS[kind]["fields"] if name == "ts" or name.endswith("_ms")}
        assert stamps - set(MESSAGES[kind].__times__) <= other


def test_age_is_below_zero_where_the_clocks_disagree():
    assert received("order_group_updates", {
        "event_type": "reset", "order_group_id": "g", "ts_ms": (SECOND + 3) * 1000
    }).age == -0.5  # fmt: skip


def test_numbers_of_any_spelling_stay_exact():
    text = b'{"market_ticker":"A","event_type":"metadata_updated","floor_strike":%b}'
    for number in (b"3", b"0.1", b"98765432109876.54321"):
        read = msgspec.json.decode(text % number, type=messages.MarketLifecycle)
        assert read.floor_strike == Decimal(number.decode())
