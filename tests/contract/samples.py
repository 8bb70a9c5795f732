"""Answers and arguments made up from the digest alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Facts = dict[str, Any]

TEXT = "0.50"
"""Every made-up text; it is also a price, as some texts are."""


def answer(kind: str, schemas: Mapping[str, Facts]) -> Any:
    """A JSON value of a type of the digest, with every field set."""
    if kind.startswith("["):
        return [answer(kind[1:-1], schemas)]
    if kind.startswith("{"):
        return {"key": answer(kind[1:-1], schemas)}
    if kind.startswith("$"):
        return _of_schema(schemas[kind[1:]], schemas)
    values = {
        "string": TEXT,
        "string/date-time": "2026-08-01T12:30:00.123456Z",
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


def arguments(facts: Facts) -> tuple[list[str], dict[str, Any]]:
    """Path values and required query arguments of an operation."""
    path, query = [], {}
    for name, parameter in facts["parameters"].items():
        if parameter["in"] == "path":
            path.append(name)
        elif parameter.get("required"):
            query[name] = parameter["enum"][0] if "enum" in parameter else _value(parameter)
    # the order in which the path names them
    path.sort(key=facts["path"].index)
    return [f"a {name}" for name in path], query


def _value(parameter: Facts) -> Any:
    return {"integer": 1, "string": "A", "[string]": ["A"], "boolean": True}[parameter["type"]]
