"""Messages made up from the digest of the contract alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .samples import answer
from .stream_differences import ANSWERS, WS_DIGEST, comparable

Facts = dict[str, Any]

SCHEMAS = comparable(WS_DIGEST)
KINDS = sorted(WS_DIGEST["messages"].keys() - ANSWERS)
"""The types of messages that carry data."""


def required_fields(schema: Facts) -> list[str]:
    """The fields that a schema requires."""
    return [name for name, facts in schema["fields"].items() if facts.get("required")]


def _least(schemas: Mapping[str, Facts]) -> dict[str, Facts]:
    """The same schemas without all that may be left out."""
    found = {}
    for name, schema in schemas.items():
        if "fields" in schema:
            kept = required_fields(schema)
            schema = {"fields": {field: schema["fields"][field] for field in kept}}
        found[name] = schema
    return found


_LEAST_SCHEMAS = _least(SCHEMAS)


def full_message(kind: str) -> Facts:
    """A message with every field of the contract set, inside objects as well."""
    return answer(f"${kind}", SCHEMAS)


def least_message(kind: str) -> Facts:
    """A message with the fields alone that the contract requires."""
    return answer(f"${kind}", _LEAST_SCHEMAS)


def objects_inside(message: Facts) -> list[Facts]:
    """The objects of known form inside a message; what is open to any key is none."""
    found = []
    for name, value in message.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict) and name != "custom_strike":
                found += [each, *objects_inside(each)]
    return found


def numbers_as_text(message: Facts) -> Facts:
    """The same, in the form in which exact numbers are written again."""
    return json.loads(json.dumps(message), parse_float=str)
