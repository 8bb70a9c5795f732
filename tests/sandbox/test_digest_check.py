"""The validator of answers notices what it is there to notice."""

from __future__ import annotations

from typing import Any

import pytest

from kalshi_async.sandbox._operations import API_ROOT, OPERATIONS
from tests.contract.samples import answer

from .digest_check import CONTRACT, is_error, is_unreadable

ORDER = {
    "order_id": "o",
    "fill_count": "0.00",
    "remaining_count": "10.00",
    "ts_ms": 1_790_000_000_000,
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"average_fill_price": "0.4700"}, []),
        ({"fill_count": 0}, ["fill_count: 0 is not a FixedPointCount", "0 is not string"]),
        ({"fill_count": "0"}, ["fill_count: '0' is not a FixedPointCount"]),
        ({"average_fill_price": "0.47"}, ["'0.47' is not a FixedPointDollars"]),
        ({"ts_ms": "now"}, ["ts_ms: 'now' is not integer"]),
        ({"ts_ms": True}, ["ts_ms: True is not integer"]),
        ({"order_id": None}, ["order_id: null"]),
        ({"status": "resting"}, ["status is no field"]),
    ],
)
def test_a_wrong_field_is_a_problem(change: dict[str, Any], expected: list[str]) -> None:
    found = CONTRACT.problems("CreateOrderV2", ORDER | change, 201)
    assert len(found) == len(expected), found
    for problem, text in zip(found, expected, strict=True):
        assert text in problem


def test_a_field_that_is_missing_is_a_problem() -> None:
    body = {name: value for name, value in ORDER.items() if name != "ts_ms"}
    assert CONTRACT.problems("CreateOrderV2", body) == ["CreateOrderV2: ts_ms is missing"]


def test_lists_maps_times_and_words_are_looked_into() -> None:
    facts = CONTRACT.operations["GetTrades"]
    trades = answer(facts["response"], CONTRACT.schemas)
    found = "\n".join(CONTRACT.problems("GetTrades", trades))
    assert "trades[0].count_fp: '0.50'" not in found
    trades["trades"][0] |= {"created_time": "noon", "taker_book_side": "up", "is_block_trade": 1}
    found = "\n".join(CONTRACT.problems("GetTrades", trades))
    assert "trades[0].created_time: 'noon' is not a time" in found
    assert "trades[0].taker_book_side: 'up' is none of" in found
    assert "trades[0].is_block_trade: 1 is not boolean" in found
    tags = {"tags_by_categories": {"Sports": ["a", 5]}}
    (problem,) = CONTRACT.problems("GetTagsForSeriesCategories", tags)
    assert problem.endswith("tags_by_categories.Sports[1]: 5 is not string")


def test_the_status_and_the_absence_of_a_body_are_facts_too() -> None:
    assert CONTRACT.problems("CreateOrderV2", ORDER, 200) == [
        "CreateOrderV2: succeeded with 200, not 201"
    ]
    assert CONTRACT.problems("CancelAllOrders", None, 204) == []
    assert CONTRACT.problems("CancelAllOrders", {}, 204) == ["CancelAllOrders: 204 has a body"]
    assert CONTRACT.problems("GetOrders", None, 200) == ["GetOrders: null"]


NESTED = {"error": {"code": "not_found", "message": "not found"}}


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        (NESTED, True),
        ({"error": {"code": "a", "message": "b", "details": "c"}}, True),
        ({"code": "a", "message": "b", "details": "c"}, True),
        ({"msg": "Parameter validation failed for GetMarkets: ..."}, True),
        ({"error": {"code": "a"}}, False),
        ({"error": {"code": "", "message": "b"}}, False),
        ({"error": {"code": "a", "message": "b", "traceback": "c"}}, False),
        ({**NESTED, "order_id": "o"}, False),
        ({"code": "a", "message": "b", "details": None}, False),
        ({"detail": "Not Found"}, False),
        ("error", False),
        (None, False),
    ],
)
def test_the_forms_of_an_error(body: object, fits: bool) -> None:
    assert is_error(body) is fits


def test_an_error_must_be_one_that_the_operation_documents() -> None:
    assert CONTRACT.refusal_problems("CancelOrderV2", NESTED, 404) == []
    assert CONTRACT.refusal_problems("CancelOrderV2", NESTED, 403) == []
    (problem,) = CONTRACT.refusal_problems("CancelOrderV2", NESTED, 409)
    assert "CancelOrderV2: 409 is not documented" in problem
    (problem,) = CONTRACT.refusal_problems("CancelOrderV2", {"oops": 1}, 404)
    assert "is no error" in problem
    # What cannot be read is a 400 anywhere, another 400 only where it is documented.
    unread = {"msg": "Parameter validation failed for CancelOrderV2: ..."}
    assert is_unreadable(unread)
    assert CONTRACT.refusal_problems("CancelOrderV2", unread, 400) == []
    assert CONTRACT.refusal_problems("CancelOrderV2", NESTED, 400) != []


def test_every_request_is_for_the_operation_of_its_path() -> None:
    for operation in OPERATIONS:
        path = API_ROOT + operation.path.replace("{", "x").replace("}", "")
        assert CONTRACT.operation_of(operation.method, f"{path}?limit=1") == operation.name
    assert CONTRACT.operation_of("PUT", f"{API_ROOT}/markets") is None
    assert CONTRACT.operation_of("GET", f"{API_ROOT}/nowhere") is None


def test_the_statuses_of_success_are_those_the_server_uses() -> None:
    assert {name: facts["status"] for name, facts in CONTRACT.operations.items()} == {
        operation.name: operation.status for operation in OPERATIONS
    }
