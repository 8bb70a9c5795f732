"""Every method called with what the digest makes up: the request, the answer, the refusals."""

from __future__ import annotations

import contextlib
import inspect
from urllib.parse import parse_qs

import msgspec
import pytest

from kalshi_async._decode import Page
from kalshi_async._errors import InvalidRequestError
from kalshi_async._operations import BY_NAME
from kalshi_async._pagination import Paginator
from kalshi_async.orders import Certainty, Orders
from kalshi_async.orders._desk import Desk
from kalshi_async.orders._finder import Finder
from kalshi_async.orders._lists import OrderLists
from kalshi_async.resources._base import Resource
from tests.resources.fake import FakeTransport

from .compare_arguments import body_fields, resolved, wanted_of
from .faces import BY_HAND, FACES, ITEMS, SAMPLES
from .facts import OPERATIONS, SCHEMAS
from .methods import METHODS
from .samples import (
    answer,
    argument,
    full_bodies,
    keywords,
    least_arguments,
    misfits,
    path_values,
    same,
)
from .structs import EXTRA_FIELDS, STRUCTS

NAMES = sorted(METHODS.keys() - BY_HAND.keys())
WITH_BODY = [name for name in NAMES if body_fields(OPERATIONS[name], SCHEMAS)]


def sample_body(name: str) -> object:
    """An answer in the contract's form; no body at all where it has none."""
    body = answer(OPERATIONS[name]["response"], SCHEMAS)
    if body is None:
        return b""
    return body | {key: "" for key in body if key in ("cursor", "next_cursor")}


def says_something(name: str) -> bool:
    """Whether an operation's answer has fields."""
    return isinstance(sample_body(name), dict) and "any" not in sample_body(name)


def warns(name: str) -> contextlib.AbstractContextManager[object]:
    """Deprecated operations warn, and no others do."""
    if OPERATIONS[name].get("deprecated"):
        return pytest.warns(DeprecationWarning, match="the exchange has deprecated")
    return contextlib.nullcontext()


def made(resource: type[Resource], transport: FakeTransport) -> Resource:
    """A resource on the transport; that of orders needs a desk beside it."""
    if resource is not Orders:
        return resource(transport)
    finder = Finder(OrderLists(transport), Certainty())
    desk = Desk(finder=finder, journal=None, exchange="", api_key_id="", wall_clock=lambda: 0.0)
    return Orders(transport, desk)


async def call(name: str, transport: FakeTransport, /, **more: object) -> object:
    """The operation through its method, with the arguments that it requires and ``more``."""
    facts = OPERATIONS[name]
    values = least_arguments(name, facts, SCHEMAS) | more
    resource, method = METHODS[name]
    given = keywords(name, facts, SCHEMAS, values)
    with warns(name):
        result = getattr(made(resource, transport), method)(*path_values(facts), **given)
        if inspect.isawaitable(result):
            return await result
    raise AssertionError(f"{name} returned {result!r}")


@pytest.mark.parametrize("name", NAMES)
async def test_an_answer_in_the_contracts_form_is_read_whole(name):
    transport = FakeTransport.answering(sample_body(name))
    result = await call(name, transport)
    assert transport.drift == []
    assert transport.undecoded == []
    if not says_something(name):
        assert result is None
        return
    items = list(result) if isinstance(result, Page) else [result]
    assert len(items) >= 1
    items += getattr(result, "event_positions", ())
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
async def test_the_least_request_is_the_contracts(name):
    transport = FakeTransport.answering(sample_body(name))
    await call(name, transport)
    (sent,) = transport.calls
    facts = OPERATIONS[name]
    assert sent.operation is BY_NAME[name]
    expected = facts["path"]
    for value in path_values(facts):
        expected = expected.replace(f"{{{value.removeprefix('a ')}}}", value.replace(" ", "%20"))
    assert sent.path == expected
    names = {pair.partition("=")[0] for pair in sent.query.split("&") if pair}
    assert names == {
        wanted.name
        for wanted in wanted_of(facts, SCHEMAS)
        if wanted.place == "query" and wanted.facts.get("required")
    }
    if "body" not in facts:
        assert sent.body is None
        return
    fields = body_fields(facts, SCHEMAS)
    assert sent.body.keys() == {
        field
        for field, wanted in fields.items()
        if wanted.get("required") or f"{name}.{field}" in FACES.needed
    }
    assert misfits(sent.body, {"type": facts["body"]}, SCHEMAS, name) == []


@pytest.mark.parametrize("name", WITH_BODY)
async def test_the_fullest_request_is_the_contracts(name):
    transport = FakeTransport.answering(sample_body(name))
    facts = OPERATIONS[name]
    sets = full_bodies(name, facts, SCHEMAS)
    fields = body_fields(facts, SCHEMAS)
    for values in sets:
        leave_out = {key: None for key in least_arguments(name, facts, SCHEMAS) if key in fields}
        await call(name, transport, **leave_out | values)
        sent = transport.calls[-1].body
        assert sent.keys() == values.keys()
        assert misfits(sent, {"type": facts["body"]}, SCHEMAS, name) == []
        for key, value in values.items():
            if f"{name}.{key}" not in SAMPLES:
                assert same(value, sent[key]), f"{key}: {value!r} was sent as {sent[key]!r}"
    offered = {field for field in fields if f"{name}.{field}" not in FACES.not_offered}
    assert {key for values in sets for key in values} == offered


QUERIED = [
    (name, wanted.name, wanted.facts)
    for name in NAMES
    for wanted in wanted_of(OPERATIONS[name], SCHEMAS)
    if wanted.place == "query" and not wanted.facts.get("required")
]


@pytest.mark.parametrize(
    ("name", "key", "facts"), QUERIED, ids=[f"{name}.{key}" for name, key, _ in QUERIED]
)
async def test_each_filter_goes_by_its_own_name(name, key, facts):
    """One at a time, so that none is sent as another."""
    transport = FakeTransport.answering(sample_body(name))
    value = argument(name, key, facts, SCHEMAS)
    await call(name, transport, **{key: value})
    (sent,) = transport.calls
    pairs = parse_qs(sent.query, strict_parsing=True)
    required = least_arguments(name, OPERATIONS[name], SCHEMAS)
    assert pairs.keys() == {key, *required} - body_fields(OPERATIONS[name], SCHEMAS).keys()
    items = value if isinstance(value, list) else [value]
    expected = ["true" if item is True else str(item) for item in items]
    assert pairs[key] == expected


def limited(name: str):
    """What an operation takes within limits, with its facts."""
    for wanted in wanted_of(OPERATIONS[name], SCHEMAS):
        where = f"{name}.{wanted.name}"
        facts = resolved(wanted.facts, SCHEMAS)
        own = where in {*FACES.own_types, *FACES.not_offered, *FACES.narrower}
        if not own and facts.keys() & {"min", "max", "min_items", "max_items"}:
            yield wanted.name, facts


LIMITED = [(name, key, facts) for name in NAMES for key, facts in limited(name)]


@pytest.mark.parametrize(
    ("name", "key", "facts"), LIMITED, ids=[f"{name}.{key}" for name, key, _ in LIMITED]
)
async def test_limits_are_the_contracts(name, key, facts):
    transport = FakeTransport.answering(sample_body(name))
    legal, illegal = numbers_of_items(name, key, facts) or numbers(facts)
    for value in legal:
        await call(name, transport, **{key: value})
    assert len(transport.calls) == len(legal)
    for value in illegal:
        with pytest.raises(InvalidRequestError, match=key):
            await call(name, transport, **{key: value})
    assert len(transport.calls) == len(legal), "an illegal value was sent"


def numbers(facts):
    """Numbers at the limits, and those just beyond them."""
    edges = [(facts.get("min"), -1), (facts.get("max"), 1)]
    legal = [edge for edge, _ in edges if edge is not None]
    return legal, [edge + beyond for edge, beyond in edges if edge is not None] + [True]


def numbers_of_items(name, key, facts):
    """Lists of as many items as may be, and of too many and too few."""
    if not facts.keys() & {"min_items", "max_items"}:
        return None
    most, least = facts["max_items"], facts.get("min_items", 1)
    kind = {"type": facts["type"][1:-1]}

    def items(number):
        item = ITEMS.get(f"{name}.{key}") or (lambda _: argument(name, key, kind, SCHEMAS))
        return [item(at) for at in range(number)]

    return [items(least), items(most)], [items(most + 1), items(least - 1), []]


def worded(name: str):
    """What an operation takes in words, with the words."""
    for wanted in wanted_of(OPERATIONS[name], SCHEMAS):
        facts = resolved(wanted.facts, SCHEMAS)
        listed = facts["type"].startswith("[")
        if listed:
            facts = resolved({"type": facts["type"][1:-1]}, SCHEMAS)
        if "enum" in facts:
            yield wanted.name, facts["enum"], wanted.place, listed


CHOICES = [(name, *choice) for name in NAMES for choice in worded(name)]


@pytest.mark.parametrize(
    ("name", "key", "words", "place", "listed"), CHOICES, ids=[f"{n}.{k}" for n, k, *_ in CHOICES]
)
async def test_words_are_the_contracts(name, key, words, place, listed):
    transport = FakeTransport.answering(sample_body(name))
    for each in words:
        value = [each] if listed else each
        await call(name, transport, **{key: value})
        sent = transport.calls[-1]
        if place == "body":
            assert sent.body[key] == value
        else:
            assert f"{key}={each}" in sent.query
    for wrong in ("nonsense", "", 7):
        with pytest.raises(InvalidRequestError, match=key):
            await call(name, transport, **{key: [wrong] if listed else wrong})
    assert len(transport.calls) == len(words)


@pytest.mark.parametrize("name", WITH_BODY)
async def test_what_a_body_needs_cannot_be_none(name):
    transport = FakeTransport.answering(sample_body(name))
    for key, facts in body_fields(OPERATIONS[name], SCHEMAS).items():
        if facts.get("required"):
            with pytest.raises(InvalidRequestError):
                await call(name, transport, **{key: None})
    assert transport.calls == []


NUMBERS = {"integer", "$FixedPointCount", "$FixedPointDollars"}


@pytest.mark.parametrize("name", WITH_BODY)
async def test_no_float_and_no_wrong_type_gets_into_a_body(name):
    transport = FakeTransport.answering(sample_body(name))
    for key, facts in body_fields(OPERATIONS[name], SCHEMAS).items():
        kind = resolved(facts, SCHEMAS)["type"]
        if f"{name}.{key}" in FACES.not_offered:
            continue
        wrong: list[object] = [0.5, b"1", object()]
        wrong += [True] if kind in NUMBERS else []
        wrong += ["yes", 1, 0] if kind == "boolean" else []
        wrong += ["", "  ", 5] if kind == "string" else []
        for value in wrong:
            with pytest.raises(InvalidRequestError):
                await call(name, transport, **{key: value})
    assert transport.calls == []


@pytest.mark.parametrize("name", [n for n in NAMES if "cursor" in OPERATIONS[n]["parameters"]])
async def test_paginated_operations_follow_their_cursor(name):
    first = sample_body(name)
    key = "next_cursor" if "next_cursor" in first else "cursor"
    transport = FakeTransport.answering(first | {key: "onward"}, first)
    facts = OPERATIONS[name]
    resource, method = METHODS[name]
    given = keywords(name, facts, SCHEMAS, least_arguments(name, facts, SCHEMAS))
    paginator = getattr(made(resource, transport), method)(*path_values(facts), **given)
    assert isinstance(paginator, Paginator)
    items = await paginator.collect()
    assert len(items) == 2
    assert [("cursor=onward" in sent.query) for sent in transport.calls] == [False, True]
