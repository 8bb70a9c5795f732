"""The package against the facts of Kalshi's contract, and the comparison against tampering."""

from __future__ import annotations

import copy
import inspect
import json
from pathlib import Path

import msgspec
import pytest

from kalshi_async._decode import Page
from kalshi_async._errors import InvalidRequestError
from kalshi_async._operations import BY_NAME, OPERATIONS
from kalshi_async._pagination import Paginator
from tests.resources.fake import FakeTransport

from .compare import operation_differences, parameter_differences, struct_differences
from .make_digest import make_digest, render
from .samples import answer, arguments
from .surface import (
    BOOK_SCHEMAS,
    DEFAULTED,
    EXTRA_FIELDS,
    METHODS,
    OFFERED_WITH_KEY,
    OTHER_TYPES,
    STRUCTS,
)

DIGEST_FILE = Path(__file__).with_name("digest.json")
DIGEST = json.loads(DIGEST_FILE.read_text())
NAMES = sorted(METHODS)


def differences(digest) -> list[str]:
    """Everything in which the package is not what the digest says."""
    operations, schemas = digest["operations"], digest["schemas"]
    found = []
    for operation in OPERATIONS:
        if operation.name not in operations:
            found.append(f"{operation.name} is no operation of the contract")
            continue
        facts = operations[operation.name]
        resource, method = METHODS[operation.name]
        found += operation_differences(operation, facts)
        found += parameter_differences(operation.name, getattr(resource, method), facts, DEFAULTED)
    for name, struct in STRUCTS.items():
        if name not in schemas:
            found.append(f"{name} is no schema of the contract")
            continue
        found += struct_differences(name, struct, schemas, STRUCTS, EXTRA_FIELDS, OTHER_TYPES)
    found += [f"{name} has no struct" for name in sorted(reached(digest) - set(STRUCTS))]
    return found


def reached(digest) -> set[str]:
    """Schemas with fields that answers of offered operations reach, their envelopes aside."""
    found, waiting = set(), [digest["operations"][name]["response"] for name in METHODS]
    envelopes = {kind.strip("$") for kind in waiting}
    while waiting:
        name = waiting.pop().strip("[]{}")
        if not name.startswith("$") or name[1:] in found:
            continue
        schema = digest["schemas"][name[1:]]
        fields = schema.get("fields")
        found |= {name[1:]} if fields else set()
        waiting += [facts["type"] for facts in fields.values()] if fields else [schema["type"]]
    return found - BOOK_SCHEMAS - (envelopes - set(STRUCTS))


def test_the_package_is_what_the_contract_says():
    assert differences(DIGEST) == []


def test_every_operation_has_a_method_and_the_others_are_known():
    assert set(METHODS) == set(BY_NAME)
    needing_key = {name for name, facts in DIGEST["operations"].items() if facts["auth"]}
    not_offered = set(DIGEST["operations"]) - set(BY_NAME)
    assert not_offered == needing_key - OFFERED_WITH_KEY
    assert len(DIGEST["operations"]) == 128


def test_exceptions_to_the_contract_are_still_needed():
    """An entry that no longer excuses anything has to go."""
    for where in EXTRA_FIELDS:
        schema, _, field = where.partition(".")
        assert field in STRUCTS[schema].__struct_encode_fields__
        assert field not in DIGEST["schemas"][schema]["fields"]
    for where in OTHER_TYPES:
        schema, _, field = where.partition(".")
        assert DIGEST["schemas"][schema]["fields"][field]["type"] == "string"
    for where in DEFAULTED:
        operation, _, parameter = where.partition(".")
        assert DIGEST["operations"][operation]["parameters"][parameter]["required"]


def test_digest_is_that_of_the_contract_file(shared):
    document = json.loads((shared / "contract" / "rest-3.34.0.json").read_text())
    assert render(make_digest(document)) == DIGEST_FILE.read_text()


def _rename_field(digest):
    fields = digest["schemas"]["Market"]["fields"]
    fields["yes_bid_money"] = fields.pop("yes_bid_dollars")


def _flip_requiredness(digest):
    digest["schemas"]["Trade"]["fields"]["created_time"].pop("required")


def _allow_null(digest):
    digest["schemas"]["Series"]["fields"]["title"]["null"] = True


def _change_type(digest):
    digest["schemas"]["EventData"]["fields"]["mutually_exclusive"]["type"] = "string"


def _add_parameter(digest):
    parameters = digest["operations"]["GetTrades"]["parameters"]
    parameters["taker"] = {"in": "query", "type": "string"}


def _remove_parameter(digest):
    del digest["operations"]["GetMarkets"]["parameters"]["series_ticker"]


def _require_parameter(digest):
    digest["operations"]["GetEvents"]["parameters"]["status"]["required"] = True


def _add_word(digest):
    digest["operations"]["GetMarkets"]["parameters"]["status"]["enum"].append("halted")


def _move(digest):
    digest["operations"]["GetMarket"]["path"] = "/market/{ticker}"


def _require_key(digest):
    digest["operations"]["GetTrades"]["auth"] = True


def _change_verb(digest):
    digest["operations"]["GetSeries"]["method"] = "POST"


def _nest_new_schema(digest):
    digest["schemas"]["Fresh"] = {"fields": {"name": {"type": "string"}}}
    digest["schemas"]["Milestone"]["fields"]["details"]["type"] = "$Fresh"


TAMPERINGS = {
    _rename_field: ["yes_bid_money has no field", "yes_bid_dollars is no field of the contract"],
    _flip_requiredness: ["Trade.created_time: may be None is False"],
    _allow_null: ["Series.title: may be None is False"],
    _change_type: ["EventData.mutually_exclusive is boolean"],
    _add_parameter: ["GetTrades: parameter taker is not offered"],
    _remove_parameter: ["GetMarkets: argument series_ticker is no parameter"],
    _require_parameter: ["GetEvents.status: required is False"],
    _add_word: ["GetMarkets.status: words"],
    _move: ["GetMarket: path is"],
    _require_key: ["GetTrades: auth is False"],
    _change_verb: ["GetSeries: method is 'GET'"],
    _nest_new_schema: ["Milestone.details is object", "Fresh has no struct"],
}


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_drift_is_noticed(tamper):
    digest = copy.deepcopy(DIGEST)
    tamper(digest)
    found = differences(digest)
    expected = TAMPERINGS[tamper]
    assert len(found) == len(expected), found
    for text in expected:
        assert any(text in line for line in found), found


def sample_body(name: str) -> object:
    body = answer(DIGEST["operations"][name]["response"], DIGEST["schemas"])
    return body | {key: "" for key in body if key in ("cursor", "next_cursor")}


async def call(name: str, transport: FakeTransport, **more: object) -> object:
    """The operation through its method, with the arguments that it requires."""
    path, query = arguments(DIGEST["operations"][name])
    resource, method = METHODS[name]
    result = getattr(resource(transport), method)(*path, **(query | more))
    if inspect.isawaitable(result):
        return await result
    raise AssertionError(f"{name} returned {result!r}")


@pytest.mark.parametrize("name", NAMES)
async def test_an_answer_in_the_contracts_form_is_read_whole(name):
    transport = FakeTransport.answering(sample_body(name))
    result = await call(name, transport)
    assert transport.drift == []
    assert transport.undecoded == []
    items = list(result) if isinstance(result, Page) else [result]
    assert len(items) >= 1
    absent = [path for item in items for path in absent_fields(item, type(item).__name__)]
    assert absent == []


def absent_fields(value: object, path: str) -> list[str]:
    """Where None is though every field was sent."""
    if isinstance(value, msgspec.Struct):
        sent = {
            field: getattr(value, field)
            for field, wire in zip(
                value.__struct_fields__, value.__struct_encode_fields__, strict=True
            )
            if f"{_schema_of(value)}.{wire}" not in EXTRA_FIELDS
        }
        inner = [absent_fields(item, f"{path}.{field}") for field, item in sent.items()]
    elif isinstance(value, list | tuple):
        inner = [absent_fields(item, f"{path}[]") for item in value]
        inner += [] if value else [[f"{path} is empty"]]
    else:
        return [path] if value is None else []
    return [where for found in inner for where in found]


def _schema_of(value: msgspec.Struct) -> str:
    return next((name for name, struct in STRUCTS.items() if struct is type(value)), "")


@pytest.mark.parametrize("name", NAMES)
async def test_the_request_is_the_contracts(name):
    transport = FakeTransport.answering(sample_body(name))
    await call(name, transport)
    (sent,) = transport.calls
    facts = DIGEST["operations"][name]
    assert sent.operation is BY_NAME[name]
    path, query = arguments(facts)
    expected = facts["path"]
    for value in path:
        expected = expected.replace(f"{{{value.removeprefix('a ')}}}", value.replace(" ", "%20"))
    assert sent.path == expected
    names = {pair.partition("=")[0] for pair in sent.query.split("&") if pair}
    required = {
        key
        for key, parameter in facts["parameters"].items()
        if parameter["in"] == "query" and parameter.get("required")
    }
    assert names == required
    assert set(query) == required


LIMITED = [
    (name, key, parameter)
    for name in NAMES
    for key, parameter in DIGEST["operations"][name]["parameters"].items()
    if "max" in parameter or "max_items" in parameter
]


@pytest.mark.parametrize(
    ("name", "key", "parameter"), LIMITED, ids=[f"{name}.{key}" for name, key, _ in LIMITED]
)
async def test_limits_are_the_contracts(name, key, parameter):
    transport = FakeTransport.answering(sample_body(name))
    if "max_items" in parameter:
        most = parameter["max_items"]
        legal, illegal = [["A"] * most], [["A"] * (most + 1), []]
    else:
        low, high = parameter["min"], parameter["max"]
        legal, illegal = [low, high], [low - 1, high + 1, True]
    for value in legal:
        await call(name, transport, **{key: value})
    assert len(transport.calls) == len(legal)
    for value in illegal:
        with pytest.raises(InvalidRequestError, match=key):
            await call(name, transport, **{key: value})
    assert len(transport.calls) == len(legal), "an illegal value was sent"


CHOICES = [
    (name, key)
    for name in NAMES
    for key, parameter in DIGEST["operations"][name]["parameters"].items()
    if "enum" in parameter
]


@pytest.mark.parametrize(("name", "key"), CHOICES, ids=[f"{n}.{k}" for n, k in CHOICES])
async def test_words_are_the_contracts(name, key):
    transport = FakeTransport.answering(sample_body(name))
    words = DIGEST["operations"][name]["parameters"][key]["enum"]
    for value in words:
        await call(name, transport, **{key: value})
        assert f"{key}={value}" in transport.calls[-1].query
    for wrong in ("nonsense", "", 7):
        with pytest.raises(InvalidRequestError, match=key):
            await call(name, transport, **{key: wrong})
    assert len(transport.calls) == len(words)


@pytest.mark.parametrize(
    "name", [n for n in NAMES if "cursor" in DIGEST["operations"][n]["parameters"]]
)
async def test_paginated_operations_follow_their_cursor(name):
    first = sample_body(name)
    key = "next_cursor" if "next_cursor" in first else "cursor"
    transport = FakeTransport.answering(first | {key: "onward"}, first)
    path, query = arguments(DIGEST["operations"][name])
    resource, method = METHODS[name]
    paginator = getattr(resource(transport), method)(*path, **query)
    assert isinstance(paginator, Paginator)
    items = await paginator.collect()
    assert len(items) == 2
    assert [("cursor=onward" in sent.query) for sent in transport.calls] == [False, True]
