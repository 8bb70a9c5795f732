"""Request bodies as the exchange reads them, and the objects it writes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox._errors import ApiError
from kalshi_async.sandbox._handlers.bodies import Body, BodyError, acting_subaccount, billed_items

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def body(**fields: Any) -> Body:
    return Body.read(json.dumps(fields).encode(), "CreateOrderV2Request")


def details(error: pytest.ExceptionInfo[BodyError]) -> str:
    assert error.value.status == 400
    assert set(error.value.body) == {"code", "message", "details"}
    assert error.value.body["code"] == "bad_request"
    return str(error.value.body["details"])


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "EOF"),
        (b" \n", "EOF"),
        (b'{"ticker":', "unexpected EOF"),
        (b'{"ticker":"A",}', "invalid character '}' at byte 14"),
        (b"{} {}", "invalid character"),
        (b'{"count":NaN}', "invalid character 'N' at byte 9"),
        (b'{"ticker":"\xff"}', "JSON"),
        (b'{"ticker":"\\ud800"}', "unexpected EOF"),
        (b'{"count":1e999}', "JSON"),
        (b"[" * 200_000, "JSON"),
        (b"[]", "json: cannot unmarshal array into Go value of type CreateOrderV2Request"),
        (b"null", "json: cannot unmarshal null into Go value of type CreateOrderV2Request"),
        (b'"{}"', "json: cannot unmarshal string into Go value of type CreateOrderV2Request"),
    ],
)
def test_what_is_no_json_object_is_refused_as_a_whole(raw: bytes, expected: str) -> None:
    with pytest.raises(BodyError) as error:
        Body.read(raw, "CreateOrderV2Request")
    assert expected in details(error)


def test_an_empty_body_is_an_object_where_it_is_optional() -> None:
    assert not Body.read(b" ", "EmptyResponse", optional=True).has("anything")
    with pytest.raises(BodyError):
        Body.read(b"{", "EmptyResponse", optional=True)


@pytest.mark.parametrize(
    ("read", "fields", "expected"),
    [
        ("count", {"x": 10}, "cannot unmarshal number into Go struct field {} of type string"),
        ("price", {"x": 0.5}, "cannot unmarshal number into Go struct field {} of type string"),
        ("text", {"x": True}, "cannot unmarshal bool into Go struct field {} of type string"),
        ("text", {"x": {}}, "cannot unmarshal object into Go struct field {} of type string"),
        ("flag", {"x": "true"}, "cannot unmarshal string into Go struct field {} of type bool"),
        ("flag", {"x": 1}, "cannot unmarshal number into Go struct field {} of type bool"),
        ("integer", {"x": "1"}, "cannot unmarshal string into Go struct field {} of type int64"),
        ("integer", {"x": True}, "cannot unmarshal bool into Go struct field {} of type int64"),
        ("integer", {"x": 1.5}, "unmarshal number 1.5 into Go struct field {} of type int64"),
        ("integer", {"x": 2**63}, f"number {2**63} into Go struct field {{}} of type int64"),
        ("texts", {"x": "A"}, "cannot unmarshal string into Go struct field {} of type []string"),
        ("texts", {"x": [1]}, "cannot unmarshal number into Go struct field {} of type string"),
        ("objects", {"x": {}}, "cannot unmarshal object into Go struct field {} of type []struct"),
        ("objects", {"x": [1]}, "cannot unmarshal number into Go struct field {} of type struct"),
        ("inner", {"x": []}, "cannot unmarshal array into Go struct field {} of type struct"),
        ("subaccount", {"x": 64}, "Field validation for 'X' failed on the 'lte' tag"),
        ("subaccount", {"x": -1}, "Field validation for 'X' failed on the 'gte' tag"),
    ],
)
def test_a_field_of_another_type_is_named_as_go_does(
    read: str, fields: dict[str, Any], expected: str
) -> None:
    with pytest.raises(BodyError) as error:
        getattr(body(**fields), read)("x")
    assert expected.format("CreateOrderV2Request.x") in details(error)


def test_the_recorded_answer_to_a_count_that_is_a_number() -> None:
    with pytest.raises(BodyError) as error:
        body(count=10).count("count")
    assert details(error) == (
        "json: cannot unmarshal number into Go struct field "
        "CreateOrderV2Request.count of type string"
    )


def test_a_field_inside_a_list_is_named_with_its_path() -> None:
    items = body(orders=[{"count": 1}]).objects("orders")
    assert items is not None
    with pytest.raises(BodyError) as error:
        items[0].count("count")
    assert "CreateOrderV2Request.orders.count of type string" in details(error)


@pytest.mark.parametrize("fields", [{}, {"ticker": None}, {"ticker": ""}])
def test_a_needed_field_must_be_there(fields: dict[str, Any]) -> None:
    found = body(**fields)
    with pytest.raises(BodyError) as error:
        found.needed("ticker", found.text)
    assert details(error) == (
        "Key: 'CreateOrderV2Request.Ticker' "
        "Error:Field validation for 'Ticker' failed on the 'required' tag"
    )


def test_a_word_must_be_one_of_its_field() -> None:
    side = body(side="bid").choice("bid", "ask")
    assert side("side") == "bid"
    with pytest.raises(BodyError) as error:
        body(side="yes").choice("bid", "ask")("side")
    assert "failed on the 'oneof' tag" in details(error)


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        ("price", "0.47", 4700),
        ("price", "0.475", 4750),
        ("price", "0.4751", 4751),
        ("price", "1.0000", 10_000),
        ("price", "-0.10", -1000),
        ("count", "10", 1000),
        ("count", "10.5", 1050),
        ("count", "0.01", 1),
        ("count", "-3.00", -300),
        ("money", "12.345678", 12_345_678),
        ("money", "5", 5_000_000),
    ],
)
def test_fixed_point_texts(read: str, text: str, expected: int) -> None:
    assert getattr(body(x=text), read)("x") == expected


@pytest.mark.parametrize(
    ("read", "text"),
    [
        ("price", "0.5"),
        ("price", "47"),
        ("price", "0.47001"),
        ("price", "abc"),
        ("price", "+0.47"),
        ("price", " 0.47"),
        ("price", "0.47\n"),
        ("price", "4e-1"),
        ("price", "\u0660.\u0664\u0667"),
        ("price", "9" * 400 + ".00"),
        ("count", "1.234"),
        ("count", "1."),
        ("count", ".5"),
        ("count", "0x10"),
        ("count", "1,000"),
        ("count", "NaN"),
        ("count", "9" * 5000),
        ("money", "1.2345678"),
    ],
)
def test_a_text_that_is_no_number_of_its_kind_is_a_400_of_the_item(read: str, text: str) -> None:
    with pytest.raises(ApiError) as error:
        getattr(body(x=text), read)("x")
    assert not isinstance(error.value, BodyError)
    assert error.value.status == 400
    assert error.value.body["error"]["code"] == "bad_request"  # type: ignore[index]
    assert len(json.dumps(error.value.body)) < 400


@given(JSON)
def test_whatever_is_sent_is_read_or_refused(value: object) -> None:
    raw = json.dumps({"x": value}).encode()
    readers = ("text", "flag", "integer", "price", "count", "money", "texts", "inner", "objects")
    refusals = set()
    for name in (*readers, "subaccount", "shard"):
        try:
            getattr(Body.read(raw, "Any"), name)("x")
        except ApiError as error:
            refusals.add(error.status)
    assert refusals <= {400}


@given(st.binary(max_size=60), st.sampled_from(["BatchCreateOrdersV2", "CreateOrderV2"]))
def test_billing_never_fails(raw: bytes, operation: str) -> None:
    assert billed_items(operation, raw) >= 1


def test_a_batch_is_billed_by_the_item() -> None:
    raw = json.dumps({"orders": [{"count": number} for number in range(7)]}).encode()
    assert billed_items("BatchCreateOrdersV2", raw) == 7
    assert billed_items("BatchCancelOrdersV2", raw) == 7
    assert billed_items("CreateOrderV2", raw) == 1
    for odd in (b'{"orders":[]}', b'{"orders":{}}', b"{", b"[" * 200_000, b'{"orders":' * 9999):
        assert billed_items("BatchCreateOrdersV2", odd) == 1


def test_a_locked_key_acts_on_its_own_subaccount_only() -> None:
    assert acting_subaccount(None, None, 0) == 0
    assert acting_subaccount(None, None, None) is None
    assert acting_subaccount(None, 5, 0) == 5
    assert acting_subaccount(3, None, None) == 3
    assert acting_subaccount(3, 3, 0) == 3
    for asked in (0, 4):
        with pytest.raises(ApiError) as error:
            acting_subaccount(3, asked, 0)
        assert error.value.status == 403
        assert error.value.body["error"]["code"] == "forbidden"  # type: ignore[index]
