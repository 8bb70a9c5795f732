"""Requests that are wrong, made for every operation out of the facts of the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .desk import FIRST, UNKNOWN
from .digest_check import CONTRACT, Facts

UNKNOWNS = (UNKNOWN, "%00", "a%2F..%2Fb", "%0D%0AX-Evil:%201")
UNREADABLE = (b"", b"{", b"[]", b"null", b'{"a":NaN}', b"\xff\xfe")
"""What is no object in JSON."""
INTEGERS = ("x", "1.5", "99999999999999999999")
# Parameters and fields that mean the same market wherever they stand.
KNOWN = {"ticker": FIRST, "market_ticker": FIRST, "count": "1.00"}


@dataclass
class Mistake:
    """One wrong request: what goes into the path, the query and the body."""

    what: str
    names: dict[str, str] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    body: object = None
    content: bytes | None = None

    def options(self) -> dict[str, Any]:
        body = {"content": self.content} if self.body is None else {"body": self.body}
        return {"names": self.names, **body, **self.params}


def mistakes(name: str) -> Iterator[Mistake]:
    """Every kind of wrong request that the operation can get, each wrong in one place."""
    facts = CONTRACT.operations[name]
    in_path = [key for key, known in facts["parameters"].items() if known["in"] == "path"]
    names = dict.fromkeys(in_path, UNKNOWN)
    body = _sample(facts["body"]) if facts.get("body") else None
    for key in in_path:
        for unknown in UNKNOWNS:
            wrong = {**names, key: unknown}
            yield Mistake(f"{key} is {unknown[:20]}", wrong, _needed(facts), body)
    for key, known in facts["parameters"].items():
        if known["in"] == "query":
            for value in _wrong_values(known):
                params = {**_needed(facts), key: value}
                yield Mistake(f"{key} is {str(value)[:20]!r}", names, params, body)
            if known.get("required"):
                left = {other: value for other, value in _needed(facts).items() if other != key}
                yield Mistake(f"{key} is left out", names, left, body)
    if body is None:
        return
    schema = facts["body"][1:]
    for content in UNREADABLE:
        if content or any(known.get("required") for known in _fields(schema).values()):
            yield Mistake(f"the body is {content[:10]!r}", names, _needed(facts), content=content)
    for wrong_body in _wrong_bodies(schema, body):
        yield Mistake("a field is wrong", names, _needed(facts), wrong_body)
    for key, known in _fields(schema).items():
        inner = known["type"].strip("[]$")
        if known["type"].startswith("[$") and _fields(inner):
            for item in _wrong_bodies(inner, _sample(f"${inner}"), most=3):
                items = [item, *_sample_field(known)[1:]]
                yield Mistake(f"in {key}", names, _needed(facts), {**body, key: items})


def _fields(schema: str) -> dict[str, Facts]:
    fields: dict[str, Facts] = CONTRACT.schemas[schema].get("fields", {})
    return fields


def _wrong_bodies(schema: str, body: dict[str, Any], most: int = 99) -> Iterator[dict[str, Any]]:
    """The body with one field after the other wrong, each in at most so many ways."""
    for key, known in _fields(schema).items():
        for value in _wrong_fields(key, known)[:most]:
            yield {**body, key: value}


def _needed(facts: Facts) -> dict[str, Any]:
    """Values for the parameters that must be there."""
    return {
        key: _sample(known["type"]) if known["type"] != "string/date-time" else "2026-01-01"
        for key, known in facts["parameters"].items()
        if known["in"] == "query" and known.get("required")
    }


def _wrong_values(known: Facts) -> list[Any]:
    """Values of a query parameter that it cannot have."""
    kind = CONTRACT.schemas[known["type"][1:]] if known["type"].startswith("$") else known
    if "enum" in kind:
        return ["nonsense"]
    if kind["type"] == "integer":
        outside = [known["max"] + 1] if "max" in known else []
        outside += [known["min"] - 1] if "min" in known else []
        return [*INTEGERS, *outside]
    if kind["type"] == "boolean":
        return ["maybe", "2"]
    if kind["type"] == "[integer]":
        return [["x"], [-1]]
    return ["soon"] if kind["type"] == "string/date-time" else []


def _wrong_fields(key: str, known: Facts) -> list[object]:
    """Values of a field of a body that it cannot have."""
    kind = known["type"]
    if kind == "$FixedPointDollars":
        return [0.5, "x", 1, "-0.50", "1e-1", "9" * 400, True, [], "0.123456789"]
    if kind == "$FixedPointCount":
        return [5, "1.005", "-1", "NaN", "1e3", "9" * 400, False, {}]
    resolved = CONTRACT.schemas[kind[1:]] if kind.startswith("$") else known
    kind = resolved["type"]
    if kind == "integer":
        outside = [known["max"] + 1] if "max" in known else []
        outside += [known["min"] - 1] if "min" in known else []
        return ["5", 1.5, True, [], 2**63, -(2**63) - 1, *outside]
    if kind == "boolean":
        return ["true", 1, []]
    if kind.startswith("["):
        long = [_sample(kind[1:-1])] * (known["max_items"] + 1) if "max_items" in known else 5
        return [{}, "x", 5, [5], [None], long]
    missing: list[object] = [None, ""] if known.get("required") else []
    words: list[object] = ["nonsense"] if "enum" in resolved else []
    unknown: list[object] = ["KXNOWHERE-1"] if "ticker" in key and missing else []
    return [5, *words, *unknown, *missing, True, {}, [], "x" * 20_001]


def _sample(kind: str) -> Any:
    """A value of a type, in which nothing is wrong by itself."""
    if kind.startswith("["):
        return [_sample(kind[1:-1])]
    if kind == "$FixedPointDollars":
        return "0.50"
    if kind == "$FixedPointCount":
        return "1.00"
    if kind.startswith("$"):
        schema = CONTRACT.schemas[kind[1:]]
        if "fields" in schema:
            return {
                key: KNOWN.get(key, _sample_field(known))
                for key, known in schema["fields"].items()
                if known.get("required")
            }
        return _sample_field(schema)
    values: dict[str, Any] = {"integer": 1, "boolean": False, "object": {}}
    return values.get(kind, "x")


def _sample_field(known: Facts) -> Any:
    if "enum" in known:
        return known["enum"][0]
    if "min_items" in known:
        return _sample(known["type"]) * known["min_items"]
    return _sample(known["type"])


def shown(mistake: Mistake) -> str:
    """What was sent, for a message."""
    body = json.dumps(mistake.body, default=str)[:200]
    return f"{mistake.what}: {mistake.params} {body}"
