"""Differences between what an operation takes by the contract and what its method takes."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from kalshi_async.resources._base import CallOptions

from .compare import Facts, members_of, python_name
from .faces import Faces

DOLLARS, COUNT = "$FixedPointDollars", "$FixedPointCount"
EXACT_SUFFIXES = ("_fp", "_dollars")

_OWN_ARGUMENTS = {"self", "schema", "max_pages", "options"}
_RENAMED = {"from": "from_"}
_TYPES: dict[str, set[Any]] = {
    DOLLARS: {str, Decimal},
    COUNT: {int, str, Decimal},
    "string/date-time": {str, datetime},
}
_SCALARS = {"string": str, "integer": int, "boolean": bool}


class Wanted(NamedTuple):
    """Something that an operation takes: its wire name, its facts, and where it goes."""

    name: str
    facts: Facts
    place: str


def body_fields(facts: Facts, schemas: Mapping[str, Facts]) -> dict[str, Facts]:
    """The fields of an operation's body, but for those with an exact twin.

    Of ``contracts`` and ``contracts_fp``, say, only the exact one is sent.
    """
    if "body" not in facts:
        return {}
    return exact_fields(schemas[facts["body"].removeprefix("$")].get("fields", {}))


def exact_fields(fields: Mapping[str, Facts]) -> dict[str, Facts]:
    """Fields without those that are there a second time, exactly."""
    return {
        name: facts
        for name, facts in fields.items()
        if not any(name + suffix in fields for suffix in EXACT_SUFFIXES)
    }


def wanted_of(facts: Facts, schemas: Mapping[str, Facts]) -> Iterator[Wanted]:
    """The parameters and the body fields of an operation."""
    for name, wanted in facts["parameters"].items():
        yield Wanted(name, wanted, wanted["in"])
    for name, wanted in body_fields(facts, schemas).items():
        yield Wanted(name, wanted, "body")


def argument_name(operation: str, wanted: Wanted, faces: Faces) -> str:
    """The argument that stands for a parameter or a body field."""
    where = f"{operation}.{wanted.name}"
    if where in faces.renamed:
        return faces.renamed[where][0]
    if wanted.place == "body":
        return python_name(wanted.name)
    return _RENAMED.get(wanted.name, wanted.name)


def argument_differences(
    name: str,
    method: Callable[..., object],
    facts: Facts,
    schemas: Mapping[str, Facts],
    faces: Faces,
) -> list[str]:
    """Where a method's arguments are not what the operation takes."""
    arguments, hints = arguments_of(method)
    found = []
    for wanted in wanted_of(facts, schemas):
        where = f"{name}.{wanted.name}"
        if where in faces.not_offered:
            continue
        key = argument_name(name, wanted, faces)
        argument = arguments.pop(key, None)
        if argument is None:
            kind = "body field" if wanted.place == "body" else "parameter"
            found.append(f"{name}: {kind} {wanted.name} is not offered")
            continue
        found += _standing(where, argument, wanted, faces)
        if where not in faces.own_types:
            found += type_differences(where, hints[key], wanted.facts, schemas, faces)
    found += [
        f"{name}: argument {key} is nothing of the contract"
        for key in arguments
        if f"{name}.{key}" not in faces.own_arguments
    ]
    return found


def arguments_of(
    method: Callable[..., object],
) -> tuple[dict[str, inspect.Parameter], dict[str, Any]]:
    """What a method takes, and the annotations; keywords behind ``Unpack`` are keywords too."""
    hints = typing.get_type_hints(method)
    arguments = dict(inspect.signature(method).parameters)
    (options,) = typing.get_args(hints["options"]) if "options" in arguments else (CallOptions,)
    for key, hint in typing.get_type_hints(options).items():
        if key not in CallOptions.__annotations__:
            optional = key in options.__optional_keys__
            arguments[key] = inspect.Parameter(
                key,
                inspect.Parameter.KEYWORD_ONLY,
                default=None if optional else inspect.Parameter.empty,
            )
            hints[key] = hint
    return {key: value for key, value in arguments.items() if key not in _OWN_ARGUMENTS}, hints


def _standing(where: str, argument: inspect.Parameter, wanted: Wanted, faces: Faces) -> list[str]:
    """How it may be given, and whether it must."""
    found = []
    positional = argument.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    if positional != (wanted.place == "path") and where not in faces.positional:
        found.append(f"{where}: path parameters are positional, all else keyword-only")
    needed = argument.default is inspect.Parameter.empty
    required = wanted.facts.get("required", False)
    if needed != required and where not in faces.defaulted and where not in faces.needed:
        found.append(f"{where}: required is {needed}, in the contract {required}")
    return found


def body_class_differences(
    schema: str, operations: Mapping[str, Facts], schemas: Mapping[str, Facts], faces: Faces
) -> list[str]:
    """Where a class that stands for a body does not take what its operation takes."""
    kind, operation = faces.bodies[schema]
    facts = operations[operation]
    found = argument_differences(operation, kind, facts, schemas, faces)
    if facts["body"] != f"${schema}":
        found.append(f"{operation}: the body is {facts['body']}")
    return [f"{kind.__name__}: {line}" for line in found]


def request_struct_differences(name: str, schemas: Mapping[str, Facts], faces: Faces) -> list[str]:
    """Where a struct that arguments hold does not have what its schema has."""
    struct = faces.structs[name]
    hints = typing.get_type_hints(struct)
    infos = {info.name: info for info in msgspec.structs.fields(struct)}
    found = []
    for wire_name, wanted in exact_fields(schemas[name]["fields"]).items():
        where = f"{name}.{wire_name}"
        if where in faces.not_offered:
            continue
        info = infos.pop(faces.renamed.get(where, (python_name(wire_name), ""))[0], None)
        if info is None:
            found.append(f"{where} has no field in {struct.__name__}")
            continue
        required = wanted.get("required", False)
        if info.required != required:
            found.append(f"{where}: required is {info.required}, in the contract {required}")
        found += type_differences(where, hints[info.name], wanted, schemas, faces)
    if name in faces.wider:
        return found
    return found + [f"{name}.{key} is no field of the contract" for key in infos]


def resolved(facts: Facts, schemas: Mapping[str, Facts]) -> Facts:
    """Facts in which a reference to anything but an object or an exact number is followed."""
    kind = facts["type"]
    while kind.startswith("$") and kind not in _TYPES and "fields" not in schemas[kind[1:]]:
        facts = {**facts, **schemas[kind[1:]]}
        kind = facts["type"]
    return facts


def type_differences(
    where: str, hint: Any, wanted: Facts, schemas: Mapping[str, Facts], faces: Faces
) -> list[str]:
    """Where an annotation does not take what the contract takes."""
    wanted = resolved(wanted, schemas)
    kind = wanted["type"]
    choices = set(members_of(hint)) - {type(None)}
    if "enum" in wanted:
        words = {word for choice in choices for word in typing.get_args(choice)}
        expected = set(wanted["enum"])
        return [] if words == expected else [f"{where}: words {words}, in the contract {expected}"]
    if kind.startswith("["):
        items = {typing.get_args(choice)[0] for choice in choices if _is_list(choice)}
        if not items:
            return [f"{where}: type {hint}, in the contract {kind}"]
        inner = {"type": kind[1:-1]}
        return [
            line
            for item in items
            for line in type_differences(f"{where}[]", item, inner, schemas, faces)
        ]
    if kind in _TYPES:
        fits = _TYPES[kind] <= choices and float not in choices
    elif kind.startswith("$"):
        fits = faces.holder(kind[1:]) in choices
    else:
        exact = Decimal in choices  # and then sent as text with so many decimals
        fits = not exact and any(_scalar(choice) is _SCALARS[kind] for choice in choices)
    return [] if fits else [f"{where}: type {hint}, in the contract {kind}"]


def _is_list(choice: Any) -> bool:
    return len(typing.get_args(choice)) == 1 and typing.get_origin(choice) is not typing.Literal


def _scalar(choice: Any) -> Any:
    """The type of a choice; that of its words, where it is a ``Literal`` of one type."""
    if typing.get_origin(choice) is not typing.Literal:
        return choice
    kinds = {type(word) for word in typing.get_args(choice)}
    return kinds.pop() if len(kinds) == 1 else None
