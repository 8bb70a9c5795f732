"""Objects that the strict decoder refuses, made readable without losing anything in silence.

Two things are mended. Objects of before April 2026 carry integer cents (``yes_bid: 61``) and whole
counts (``volume: 3``), with or without the dollar strings: they gain the strings of today. And a
field whose value does not fit its type is set aside, so that the rest of its object can be read;
each such field is reported as ``Drift``.

All work is on raw JSON text, so that no number passes through a float.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for JSON that is malformed, misfits, is no UTF-8, or is nested too deep."""

_DOLLARS = "_dollars"
_COUNT = "_fp"
_PATH = re.compile(r"`\$\.([^.\[`]+)")
_INTEGER = re.compile(rb"-?\d+")

_fields_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Drift:
    """A field set aside because its value does not fit its type.

    Attributes:
        field: Wire name, with the names of the objects around it.
        problem: What did not fit.
        index: Place of the item on its page, from 0; None for a single object.
    """

    field: str
    problem: str
    index: int | None = None

    def at(self, index: int) -> Drift:
        """The same, of the item at ``index``."""
        return replace(self, index=index)


@dataclass(frozen=True, slots=True)
class Probes:
    """How to tell from a decoded object that the wire had its old form.

    ``flat``: fields with their defaults; the default object itself, tested by identity, can only be
    there when the wire had no such field. ``nested``: fields that hold objects with probes of their
    own.
    """

    flat: tuple[tuple[str, object], ...] = ()
    nested: tuple[tuple[str, Probes], ...] = ()

    def old_form(self, item: object) -> bool:
        """Whether ``item``, or an object inside it, came in the old form."""
        return self.any_old_form((item,))

    def any_old_form(self, items: Sequence[object]) -> bool:
        """Whether one of ``items``, or an object inside one, came in the old form."""
        for name, default in self.flat:
            if any(getattr(item, name) is default for item in items):
                return True
        return any(
            probes._inside(getattr(item, name)) for name, probes in self.nested for item in items
        )

    def _inside(self, value: object) -> bool:
        if not isinstance(value, list):
            return value is not None and self.old_form(value)
        if value and isinstance(value[0], list):
            return any(self._inside(item) for item in value)
        return self.any_old_form(value)


def legacy_probes(model: type[Any]) -> Probes:
    """The probes of a model.

    A model names its own in ``__legacy_probes__``; a caller's struct is judged by its defaulted
    fields that have a suffixed wire name.
    """
    if not (isinstance(model, type) and issubclass(model, msgspec.Struct)):
        return Probes()
    infos = msgspec.structs.fields(model)
    named = getattr(model, "__legacy_probes__", None)
    flat = tuple(
        (info.name, info.default)
        for info in infos
        if info.default is not msgspec.NODEFAULT
        and (
            info.name in named
            if named is not None
            else info.encode_name.endswith((_DOLLARS, _COUNT))
        )
    )
    inside = nested_models(model)
    found = (
        (info.name, legacy_probes(inside[info.encode_name]))
        for info in infos
        if info.encode_name in inside
    )
    nested = tuple((name, probes) for name, probes in found if probes.flat or probes.nested)
    return Probes(flat, nested)


def repair(model: type[msgspec.Struct], raw: bytes) -> tuple[bytes, list[Drift]]:
    """JSON that ``model`` decodes, from JSON that it refused or that has the old form.

    Raises:
        msgspec.ValidationError: It is not an object, or lacks a field that nothing can replace.
    """
    drift: list[Drift] = []
    repaired = _repair_object(model, raw, "", drift)
    return repaired, drift


def _repair_object(
    model: type[msgspec.Struct], raw: bytes, prefix: str, drift: list[Drift]
) -> bytes:
    values = _fields_decoder.decode(raw)
    _add_modern_names(model, values)
    required = {info.encode_name for info in msgspec.structs.fields(model) if info.required}
    nested = nested_models(model)
    for name in list(values):
        if bytes(values[name]) == b"null" and name not in required:
            del values[name]
        elif name in nested:
            values[name] = _repair_nested(nested[name], values[name], f"{prefix}{name}", drift)
    return _drop_misfits(model, values, prefix, drift)


def _repair_nested(
    model: type[msgspec.Struct], raw: msgspec.Raw, path: str, drift: list[Drift]
) -> msgspec.Raw:
    """A nested object or list of objects; elements beyond repair are set aside."""
    text = bytes(raw)
    try:
        if text.startswith(b"["):
            parts = []
            for place, item in enumerate(_list_decoder.decode(text)):
                at = f"{path}[{place}]"
                try:
                    if bytes(item).startswith(b"["):
                        parts.append(bytes(_repair_nested(model, item, at, drift)))
                    else:
                        parts.append(_repair_object(model, bytes(item), f"{at}.", drift))
                except msgspec.ValidationError as exc:
                    drift.append(Drift(at, str(exc)))
            return msgspec.Raw(b"[" + b",".join(parts) + b"]")
        return msgspec.Raw(_repair_object(model, text, f"{path}.", drift))
    except msgspec.ValidationError:
        return raw  # not the shape expected: judged as a whole by _drop_misfits


def _drop_misfits(
    model: type[msgspec.Struct], values: dict[str, msgspec.Raw], prefix: str, drift: list[Drift]
) -> bytes:
    """Set aside one misfit after the other until the model decodes."""
    decoder = _decoder(model)
    while True:
        text = msgspec.json.encode(values)
        try:
            decoder.decode(text)
        except msgspec.ValidationError as exc:
            found = _PATH.search(str(exc))
            if found is None or found[1] not in values:
                raise
            del values[found[1]]
            drift.append(Drift(prefix + found[1], str(exc)))
        else:
            return text


def _add_modern_names(model: type[msgspec.Struct], values: dict[str, msgspec.Raw]) -> None:
    for name in model.__struct_encode_fields__:
        if name in values:
            continue
        if name.endswith(_DOLLARS):
            old = values.get(name.removesuffix(_DOLLARS))
            if old is not None and _INTEGER.fullmatch(bytes(old)):
                values[name] = msgspec.Raw(b'"%s"' % _cents_to_dollars(bytes(old)))
        elif name.endswith(_COUNT):
            old = values.get(name.removesuffix(_COUNT))
            if old is not None and _INTEGER.fullmatch(bytes(old)):
                values[name] = msgspec.Raw(b'"%s.00"' % bytes(old))


def _cents_to_dollars(cents: bytes) -> bytes:
    return str((Decimal(cents.decode()) / 100).quantize(Decimal("0.0001"))).encode()


@lru_cache(maxsize=256)
def _decoder(model: type[msgspec.Struct]) -> msgspec.json.Decoder[msgspec.Struct]:
    return msgspec.json.Decoder(model)


@lru_cache(maxsize=256)
def nested_models(model: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct]]:
    """Wire name → struct, for the fields that hold one or a list of them."""
    found: dict[str, type[msgspec.Struct]] = {}
    for info in msgspec.structs.fields(model):
        for candidate in _leaf_types(info.type):
            if isinstance(candidate, type) and issubclass(candidate, msgspec.Struct):
                found[info.encode_name] = candidate
    return found


def _leaf_types(kind: Any) -> Iterator[Any]:
    """The types inside unions and lists (dictionaries and tuples are left alone)."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType, list):
        for inner in typing.get_args(kind):
            yield from _leaf_types(inner)
    else:
        yield kind
