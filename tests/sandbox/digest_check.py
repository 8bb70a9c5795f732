"""Answers held against the facts of the REST contract: status, body, and the form of errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from kalshi_async.sandbox._operations import API_ROOT

Facts = dict[str, Any]

DIGEST_FILE = Path(__file__).parents[1] / "contract" / "digest.json"
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}
_FORMS = {
    "$FixedPointDollars": re.compile(r"-?\d+\.\d{4,6}"),
    "$FixedPointCount": re.compile(r"-?\d+\.\d{2}"),
}

# Errors that any operation may answer with, documented or not: who asks is looked at before what
# is asked, and so are the size of a request and the rate of them.
EVERYWHERE = frozenset({401, 403, 413, 429})
# Errors of the exchange that its contract does not list, and why they are right.
BEYOND = {
    ("ApplySubaccountTransfer", 404): "no such subaccount",
    ("ApplySubaccountTransfer", 409): "the client_transfer_id is spent",
    ("CreateMarketInMultivariateEventCollection", 404): "no such collection",
    ("CreateOrderV2", 404): "no such market, or no such order group",
    ("CreateQuote", 404): "no such RFQ",
    ("GetEventForecastPercentilesHistory", 404): "no such event",
    ("GetMarketCandlesticksByEvent", 404): "no such event",
    ("GetSeries", 404): "no such series",
}

# Fields that the exchange sends although its contract does not have them.
BESIDES = {"Market": {"liquidity_dollars"}, "EventData": {"available_on_brokers"}}


class Contract:
    """The operations and schemas of a digest, as `tests/contract/make_digest.py` writes it."""

    def __init__(self, digest: Facts) -> None:
        self.operations: dict[str, Facts] = digest["operations"]
        self.schemas: dict[str, Facts] = digest["schemas"]
        # A path with fixed words wins over one with a placeholder in the same place.
        ordered = sorted(self.operations.items(), key=lambda item: _openness(item[1]["path"]))
        self._routes: list[tuple[str, re.Pattern[str], str]] = [
            (facts["method"], re.compile(re.sub(r"\{\w+\}", "[^/]+", facts["path"])), name)
            for name, facts in ordered
        ]

    def operation_of(self, method: str, path: str) -> str | None:
        """The operation a request is for, by its full path as sent; None where there is none."""
        below = path.partition("?")[0].removeprefix(API_ROOT)
        for verb, pattern, name in self._routes:
            if verb == method and pattern.fullmatch(below):
                return name
        return None

    def problems(self, operation: str, body: object, status: int | None = None) -> list[str]:
        """What is wrong with a success; None stands for no body, and for the status of success."""
        facts = self.operations[operation]
        if status not in (None, facts["status"]):
            return [f"{operation}: succeeded with {status}, not {facts['status']}"]
        kind = facts["response"]
        if kind is None:
            return [] if body is None else [f"{operation}: {facts['status']} has a body"]
        return list(self._check({"type": kind}, body, operation))

    def refusal_problems(self, operation: str, body: object, status: int) -> list[str]:
        """What is wrong with an error: a status that is neither documented nor possible everywhere,
        or a body in none of the three recorded forms.
        """
        found = []
        documented = EVERYWHERE.union(self.operations[operation]["errors"])
        possible = (operation, status) in BEYOND or (status == 400 and is_unreadable(body))
        if status not in documented and not possible:
            found.append(f"{operation}: {status} is not documented ({body})")
        if not is_error(body):
            found.append(f"{operation}: {status} with a body that is no error: {body!r}")
        return found

    def schema_problems(self, name: str, value: object) -> list[str]:
        """What is wrong with one object."""
        return list(self._check({"type": f"${name}"}, value, name))

    def _check(self, facts: Facts, value: object, where: str) -> Iterator[str]:
        if value is None:
            if not facts.get("null"):
                yield f"{where}: null"
            return
        kind = facts["type"]
        if kind.startswith("["):
            yield from self._list(facts, value, where)
        elif kind.startswith("{"):
            if not isinstance(value, dict):
                yield f"{where}: {value!r} is not a map"
                return
            for name, item in value.items():
                yield from self._check({"type": kind[1:-1]}, item, f"{where}.{name}")
        elif kind.startswith("$"):
            form = _FORMS.get(kind)
            if form and not (isinstance(value, str) and form.fullmatch(value)):
                yield f"{where}: {value!r} is not a {kind[1:]}"
            schema = self.schemas[kind[1:]]
            if "fields" in schema:
                yield from self._object(kind[1:], value, where)
            else:
                yield from self._check(schema, value, where)
        else:
            yield from _scalar(facts, kind, value, where)

    def _list(self, facts: Facts, value: object, where: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{where}: {value!r} is not a list"
            return
        if not facts.get("min_items", 0) <= len(value) <= facts.get("max_items", len(value)):
            yield f"{where}: {len(value)} items"
        for number, item in enumerate(value):
            yield from self._check({"type": facts["type"][1:-1]}, item, f"{where}[{number}]")

    def _object(self, schema: str, value: object, where: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where}: {value!r} is not an object"
            return
        fields = self.schemas[schema]["fields"]
        for name, facts in fields.items():
            if name in value:
                yield from self._check(facts, value[name], f"{where}.{name}")
            elif facts.get("required"):
                yield f"{where}: {name} is missing"
        for name in value.keys() - fields.keys() - BESIDES.get(schema, set()):
            yield f"{where}.{name} is no field"


def _scalar(facts: Facts, kind: str, value: object, where: str) -> Iterator[str]:
    kind, _, form = kind.partition("/")
    fits = isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
    if not fits:
        yield f"{where}: {value!r} is not {kind}"
        return
    if "enum" in facts and value not in facts["enum"]:
        yield f"{where}: {value!r} is none of {facts['enum']}"
    if isinstance(value, int | float):
        if not facts.get("min", value) <= value <= facts.get("max", value):
            yield f"{where}: {value} is out of range"
    elif isinstance(value, str) and len(value) > facts.get("max_length", len(value)):
        yield f"{where}: {len(value)} characters"
    if form == "date-time" and isinstance(value, str):
        try:
            datetime.fromisoformat(value)
        except ValueError:
            yield f"{where}: {value!r} is not a time"


def is_error(body: object) -> bool:
    """Whether a body is an error in one of the forms of the exchange: nested, flat or bare."""
    if not isinstance(body, dict):
        return False
    inner = body.get("error")
    if inner is not None:
        return set(body) == {"error"} and _coded(inner)
    return _coded(body) or (set(body) == {"msg"} and isinstance(body["msg"], str))


def is_unreadable(body: object) -> bool:
    """Whether an error says that a parameter or a body could not be read as what it is to be."""
    if not isinstance(body, dict):
        return False
    named = str(body.get("msg", "")).startswith("Parameter validation failed for ")
    return named or body.get("code") == "bad_request"


def _coded(body: object) -> bool:
    return (
        isinstance(body, dict)
        and {"code", "message"} <= set(body) <= {"code", "message", "details"}
        and all(isinstance(text, str) and text for text in body.values())
    )


def _openness(path: str) -> list[bool]:
    return [part.startswith("{") for part in path.split("/")]


CONTRACT = Contract(json.loads(DIGEST_FILE.read_text()))
