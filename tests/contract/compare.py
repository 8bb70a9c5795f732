"""Differences between the digest of the contract and the code, as lines of text."""

from __future__ import annotations

import types
import typing
from collections.abc import Container, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from kalshi_async._operations import Operation

Facts = dict[str, Any]

_DECIMALS = {"$FixedPointDollars", "$FixedPointCount"}
_SCALARS = {
    str: "string",
    int: "integer",
    bool: "boolean",
    Decimal: "decimal",
    datetime: "datetime",
}


def operation_differences(operation: Operation, facts: Facts) -> list[str]:
    """Where an operation's method, path or signing is not the contract's."""
    ours = {"method": operation.method, "path": operation.path, "auth": operation.auth}
    return [
        f"{operation.name}: {name} is {value!r}, in the contract {facts[name]!r}"
        for name, value in ours.items()
        if value != facts[name]
    ]


def struct_differences(
    name: str,
    struct: type[msgspec.Struct],
    schemas: Mapping[str, Facts],
    structs: Mapping[str, type[msgspec.Struct]],
    extra: Mapping[str, str],
    other_types: Mapping[str, tuple[str, str]],
) -> list[str]:
    """Where a struct's fields are not the schema's."""
    hints = typing.get_type_hints(struct)
    infos = {info.encode_name: info for info in msgspec.structs.fields(struct)}
    found = []
    for wire_name, wanted in schemas[name]["fields"].items():
        where = f"{name}.{wire_name}"
        info = infos.pop(wire_name, None)
        if info is None:
            found.append(f"{where} has no field in {struct.__name__}")
            continue
        expected = python_name(wire_name, schemas[name]["fields"])
        if info.name != expected:
            found.append(f"{where} is called {info.name}, should be {expected}")
        kind = other_types[where][0] if where in other_types else None
        kind = kind or contract_family(wanted["type"], schemas, structs)
        ours = struct_family(hints[info.name])
        if ours != kind:
            found.append(f"{where} is {ours}, in the contract {kind}")
        found += _optionality(where, hints[info.name], info, wanted)
    found += [
        f"{name}.{wire_name} is no field of the contract"
        for wire_name in infos
        if f"{name}.{wire_name}" not in extra
    ]
    return found


def _optionality(
    where: str, hint: Any, info: msgspec.structs.FieldInfo, wanted: Facts
) -> list[str]:
    required = wanted.get("required", False)
    may_be_none = type(None) in members_of(hint)
    should = wanted.get("null", False) or not required
    found = []
    if may_be_none != should:
        found.append(f"{where}: may be None is {may_be_none}, by the contract {should}")
    if info.required and not required:
        found.append(f"{where}: cannot be left out, by the contract it can")
    return found


def python_name(wire_name: str, beside: Container[str] = ()) -> str:
    """The field's name in Python: without the suffixes of the wire, unless it has a twin."""
    name = wire_name.removesuffix("_dollars").removesuffix("_fp")
    return wire_name if name in beside else name


def contract_family(
    kind: str, schemas: Mapping[str, Facts], structs: Mapping[str, type[msgspec.Struct]]
) -> str:
    """What a type of the digest is in Python, as text that ``struct_family`` also makes."""
    if kind in _DECIMALS or kind == "number":
        return "decimal"
    if kind.startswith("["):
        return f"[{contract_family(kind[1:-1], schemas, structs)}]"
    if kind.startswith("{"):
        return f"{{{contract_family(kind[1:-1], schemas, structs)}}}"
    if kind.startswith("$"):
        target = schemas[kind[1:]]
        if "fields" not in target:
            return contract_family(target["type"], schemas, structs)
        known = structs.get(kind[1:])
        return known.__name__ if known else f"{kind} (no struct)"
    return "datetime" if kind == "string/date-time" else kind


def struct_family(hint: Any) -> str:
    """What an annotation is, None aside."""
    members = [member for member in members_of(hint) if member is not type(None)]
    if len(members) != 1:
        return " or ".join(sorted(struct_family(member) for member in members))
    kind = members[0]
    if kind in _SCALARS:
        return _SCALARS[kind]
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is list:
        return f"[{struct_family(arguments[0])}]"
    if typing.get_origin(kind) is dict:
        return "object" if arguments[1] is Any else f"{{{struct_family(arguments[1])}}}"
    return getattr(kind, "__name__", str(kind))


def members_of(hint: Any) -> list[Any]:
    """The members of a union, or the type itself."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return [inner for member in typing.get_args(hint) for inner in members_of(member)]
    return [hint]
