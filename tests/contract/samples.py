"""Answers, arguments and bodies made up from the digest alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from .compare_arguments import (
    COUNT,
    DOLLARS,
    argument_name,
    exact_fields,
    resolved,
    wanted_of,
)
from .faces import EXCLUSIVE, FACES, SAMPLES

Facts = dict[str, Any]

TEXT = "0.50"
"""Every made-up text of an answer; it is also a price, as some texts are."""

INSTANT = "2026-08-01T12:30:00.123456Z"

_ON_THE_WIRE = {
    DOLLARS: re.compile(r"\d+\.\d{2,6}"),
    COUNT: re.compile(r"\d+\.\d{2}"),
    "string/date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
}
_KINDS = {"string": str, "integer": int, "boolean": bool}


def answer(kind: str | None, schemas: Mapping[str, Facts]) -> Any:
    """A JSON value of a type of the digest, with every field set; None for no body."""
    if kind is None:
        return None
    if kind.startswith("["):
        return [answer(kind[1:-1], schemas)]
    if kind.startswith("{"):
        return {"key": answer(kind[1:-1], schemas)}
    if kind.startswith("$"):
        return _of_schema(schemas[kind[1:]], schemas)
    values = {
        "string": TEXT,
        "string/date-time": INSTANT,
        "integer": 7,
        "number": 0.25,
        "boolean": True,
        "object": {"any": 1},
    }
    return values[kind]


def _of_schema(schema: Facts, schemas: Mapping[str, Facts]) -> Any:
    if "fields" not in schema:
        value = answer(schema["type"], schemas)
        return value * schema["min_items"] if "min_items" in schema else value
    return {name: answer(facts["type"], schemas) for name, facts in schema["fields"].items()}


def path_values(facts: Facts) -> list[str]:
    """Values for the placeholders of a path, in the order in which it names them."""
    names = [name for name, wanted in facts["parameters"].items() if wanted["in"] == "path"]
    return [f"a {name}" for name in sorted(names, key=facts["path"].index)]


def least_arguments(name: str, facts: Facts, schemas: Mapping[str, Facts]) -> dict[str, Any]:
    """The arguments that an operation requires, those of the path aside, by their wire names."""
    return {
        wanted.name: argument(name, wanted.name, wanted.facts, schemas)
        for wanted in wanted_of(facts, schemas)
        if wanted.place != "path"
        and (wanted.facts.get("required") or f"{name}.{wanted.name}" in FACES.needed)
    }


def full_bodies(name: str, facts: Facts, schemas: Mapping[str, Facts]) -> list[dict[str, Any]]:
    """Arguments, by their wire names, that fill the body: one set for each field of a group."""
    everything = {
        wanted.name: argument(name, wanted.name, wanted.facts, schemas)
        for wanted in wanted_of(facts, schemas)
        if wanted.place == "body" and f"{name}.{wanted.name}" not in FACES.not_offered
    }
    groups = EXCLUSIVE.get(name, ())
    rounds = max([len(group) for group in groups], default=1)
    sets = []
    for turn in range(rounds):
        left_out = {field for group in groups for field in group}
        left_out -= {group[min(turn, len(group) - 1)] for group in groups}
        sets.append({key: value for key, value in everything.items() if key not in left_out})
    return sets


def keywords(
    name: str, facts: Facts, schemas: Mapping[str, Facts], values: Mapping[str, Any]
) -> dict[str, Any]:
    """Values by wire name, by the names of the arguments."""
    names = {
        wanted.name: argument_name(name, wanted, FACES) for wanted in wanted_of(facts, schemas)
    }
    return {names[key]: value for key, value in values.items()}


def argument(operation: str, name: str, facts: Facts, schemas: Mapping[str, Facts]) -> Any:
    """A value that the operation takes for a parameter or a body field."""
    if f"{operation}.{name}" in SAMPLES:
        return SAMPLES[f"{operation}.{name}"]
    facts = resolved(facts, schemas)
    kind = facts["type"]
    if "enum" in facts:
        return facts["enum"][0]
    if kind.startswith("["):
        return [argument(operation, name, {"type": kind[1:-1]}, schemas)]
    if kind.startswith("$") and kind not in _ON_THE_WIRE:
        fields = exact_fields(schemas[kind[1:]]["fields"])
        filled = {key: argument(operation, key, value, schemas) for key, value in fields.items()}
        return FACES.structs[kind[1:]](**filled)
    if kind == "integer":
        return max(1, facts.get("min", 1))
    values = {
        DOLLARS: "0.5",
        COUNT: Decimal("2.5"),
        "string": f"a {name}",
        "string/date-time": INSTANT,
        "boolean": True,
    }
    return values[kind]


def misfits(value: Any, facts: Facts, schemas: Mapping[str, Facts], where: str) -> list[str]:
    """Where a value that was sent is not of the contract's form."""
    facts = resolved(facts, schemas)
    kind = facts["type"]
    if "enum" in facts:
        return [] if value in facts["enum"] else [f"{where} is {value!r}"]
    if kind in _ON_THE_WIRE:
        fits = isinstance(value, str) and bool(_ON_THE_WIRE[kind].fullmatch(value))
        return [] if fits else [f"{where} is {value!r}, should be {kind}"]
    if kind.startswith("["):
        if not isinstance(value, list):
            return [f"{where} is {value!r}, should be a list"]
        inner = {"type": kind[1:-1]}
        return [line for each in value for line in misfits(each, inner, schemas, f"{where}[]")]
    if kind == "object":
        return [] if value == {} else [f"{where} is {value!r}, should be empty"]
    if kind.startswith("$"):
        return _misfit_fields(value, schemas[kind[1:]]["fields"], schemas, where)
    fits = type(value) is _KINDS[kind]
    return [] if fits else [f"{where} is {value!r}, should be {kind}"]


def _misfit_fields(
    value: Any, fields: Mapping[str, Facts], schemas: Mapping[str, Facts], where: str
) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where} is {value!r}, should be an object"]
    found = [f"{where}.{key} is no field of the contract" for key in value.keys() - fields.keys()]
    for key, facts in fields.items():
        if key in value:
            found += misfits(value[key], facts, schemas, f"{where}.{key}")
        elif facts.get("required"):
            found.append(f"{where}.{key} is not sent")
    return found


def same(given: Any, sent: Any) -> bool:
    """Whether what was sent says what was given, a number of another spelling included."""
    given = msgspec.to_builtins(given)
    if isinstance(sent, str) and isinstance(given, str) and given != sent:
        try:
            return Decimal(given) == Decimal(sent)
        except ArithmeticError:
            return False
    return bool(given == sent)
