"""The package against the facts of Kalshi's contract, and every exception for being needed."""

from __future__ import annotations

import inspect
import json
import typing

import pytest

from kalshi_async._operations import BY_NAME

from .compare import python_name
from .compare_arguments import (
    argument_name,
    arguments_of,
    body_fields,
    type_differences,
    wanted_of,
)
from .differences import differences
from .faces import BY_HAND, EXCLUSIVE, FACES, SAMPLES
from .facts import DIGEST, DIGEST_FILE, SCHEMAS
from .make_digest import make_digest, render
from .methods import METHODS
from .structs import EXTRA_FIELDS, OTHER_TYPES, STRUCTS


def test_the_package_is_what_the_contract_says():
    assert differences(DIGEST) == []


def test_every_operation_is_offered():
    assert len(DIGEST["operations"]) == 128
    assert set(BY_NAME) == set(DIGEST["operations"])
    assert set(METHODS) == set(BY_NAME)


def test_what_is_called_by_hand_is_offered():
    assert BY_HAND.keys() <= METHODS.keys()


def test_no_method_offers_two_operations():
    assert len(set(METHODS.values())) == len(METHODS)


def test_exceptions_for_structs_are_still_needed():
    """An entry that no longer excuses anything has to go."""
    for where in EXTRA_FIELDS:
        schema, _, field = where.partition(".")
        assert field in STRUCTS[schema].__struct_encode_fields__
        assert field not in SCHEMAS[schema]["fields"]
    for where in OTHER_TYPES:
        schema, _, field = where.partition(".")
        assert SCHEMAS[schema]["fields"][field]["type"] == "string"


def taken(operation):
    """What an operation takes by the contract, by wire name."""
    facts = DIGEST["operations"][operation]
    return {wanted.name: wanted for wanted in wanted_of(facts, SCHEMAS)}


def offered(operation):
    """What the method of an operation takes."""
    resource, method = METHODS[operation]
    return arguments_of(getattr(resource, method))[0]


def owner(where):
    """Whom an exception is for, an operation or a schema, and the name of what differs."""
    found, _, name = where.rpartition(".")
    return found, name


def of_operations(exceptions):
    """The exceptions that are for operations; the rest are for the structs of items."""
    found = [where for where in exceptions if owner(where)[0] in DIGEST["operations"]]
    left = [owner(where)[0] for where in exceptions if where not in found]
    assert set(left) <= FACES.structs.keys()
    return found


@pytest.mark.parametrize(
    "where",
    [
        *FACES.defaulted,
        *FACES.needed,
        *of_operations(FACES.renamed),
        *FACES.positional,
        *FACES.own_types,
        *FACES.narrower,
    ],
)
def test_exceptions_for_arguments_are_still_needed(where):
    operation, name = owner(where)
    wanted = taken(operation)[name]
    key = argument_name(operation, wanted, FACES)
    argument = offered(operation)[key]
    if where in FACES.defaulted:
        assert wanted.facts["required"]
        assert argument.default is not inspect.Parameter.empty
    if where in FACES.needed:
        assert not wanted.facts.get("required")
    if where in FACES.renamed:
        assert key != name.removesuffix("_dollars").removesuffix("_fp")
    if where in FACES.positional:
        assert argument.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    if where in FACES.narrower:
        assert wanted.facts.keys() & {"min", "max"}
    if where in FACES.own_types:
        hints = typing.get_type_hints(getattr(*METHODS[operation]))
        assert type_differences(where, hints[key], wanted.facts, SCHEMAS, FACES)


@pytest.mark.parametrize("schema", FACES.structs)
def test_exceptions_for_items_are_still_needed(schema):
    wire_names = SCHEMAS[schema]["fields"]
    own_names = FACES.structs[schema].__struct_fields__
    renamed = {
        owner(where)[1]: name
        for where, (name, _) in FACES.renamed.items()
        if owner(where)[0] == schema
    }
    for wire_name, name in renamed.items():
        assert wire_name in wire_names
        assert python_name(wire_name) not in own_names
        assert name in own_names
    left_out = {owner(where)[1] for where in FACES.not_offered if owner(where)[0] == schema}
    assert left_out <= wire_names.keys()
    stand_for = {renamed.get(name, python_name(name)) for name in wire_names}
    assert (set(own_names) > stand_for) is (schema in FACES.wider)


def test_other_exceptions_are_still_needed():
    for where in of_operations(FACES.not_offered):
        operation, name = owner(where)
        wanted = taken(operation)[name]
        assert argument_name(operation, wanted, FACES) not in offered(operation)
    for where in FACES.own_arguments:
        operation, key = owner(where)
        assert key in offered(operation)
        wanted = taken(operation).values()
        assert key not in {argument_name(operation, each, FACES) for each in wanted}
    for operation, groups in EXCLUSIVE.items():
        fields = body_fields(DIGEST["operations"][operation], SCHEMAS)
        assert {name for group in groups for name in group} <= fields.keys()
    for where in SAMPLES:
        operation, name = owner(where)
        assert name in taken(operation)
    bodies = [facts["type"] for name in METHODS for facts in body_of(name).values()]
    bodies += [
        facts["type"] for name in FACES.structs for facts in SCHEMAS[name]["fields"].values()
    ]
    for name in [*FACES.structs, *FACES.bodies]:
        assert f"[${name}]" in bodies


def body_of(operation):
    return body_fields(DIGEST["operations"][operation], SCHEMAS)


def test_digest_is_that_of_the_contract_file(shared):
    document = json.loads((shared / "contract" / "rest-3.34.0.json").read_text())
    assert render(make_digest(document)) == DIGEST_FILE.read_text()
