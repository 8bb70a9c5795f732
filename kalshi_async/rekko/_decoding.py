"""Bodies to models that keep everything: unknown fields, and values that do not fit.

Rekko's schemas are not published in a form to build on. So nothing is required here that is not
needed, every object is read field by field, and what finds no place in a model goes to its
``extra``. Numbers never pass through a float.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar, cast

import msgspec

from .._decode import Undecoded
from .._errors import DecodeError
from .._repair import UNREADABLE, Drift
from ..models.secret import Secret
from .models import Extra, Listing, RekkoModel

M = TypeVar("M", bound=RekkoModel)

Read = Callable[[bytes, str, list[Drift]], object]
"""Reads one value: its JSON, the path of the object it belongs to, where misfits are noted."""

_MISFIT = (*UNREADABLE, InvalidOperation, OverflowError)
_MOST_DIGITS = 40
"""A number with an exponent beyond this is no price, and would fill the memory when written out."""

_LIST_NAMES = ("data", "results", "items")
_TOTALS = ("total", "screened")

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_decimal = msgspec.json.Decoder(Decimal)
_time = msgspec.json.Decoder(datetime, strict=False)
_text = msgspec.json.Decoder(str)
_whole = msgspec.json.Decoder(int, strict=False)


def _exact(number: str) -> Decimal:
    value = Decimal(number)
    if not value.is_finite():  # in a context that traps nothing
        raise InvalidOperation(number)
    return value


_anything = msgspec.json.Decoder(float_hook=_exact)


class _Field(NamedTuple):
    name: str
    read: Read
    secret: bool
    required: bool


def decode_object(model: type[M], body: bytes) -> tuple[M, list[Drift]]:
    """The object that a body is, and the fields whose value did not fit.

    Raises:
        DecodeError: It is no JSON object, or lacks what the model cannot do without.
    """
    drift: list[Drift] = []
    try:
        return read_object(model, body, "", drift), drift
    except UNREADABLE as exc:
        raise DecodeError(f"unexpected answer: {exc}", status=200, body=body) from None


def decode_listing(model: type[M], key: str, body: bytes) -> Listing[M]:
    """The list that a body holds under ``key``, or that it is.

    An item that cannot be read is set aside and told of.

    Raises:
        DecodeError: There is no list in it.
    """
    drift: list[Drift] = []
    try:
        raws, around = _list_of(key, body)
    except UNREADABLE as exc:
        raise DecodeError(f"no list of {key!r}: {exc}", status=200, body=body) from None
    found: list[M] = []
    undecoded: list[Undecoded] = []
    for index, raw in enumerate(raws):
        noted: list[Drift] = []
        try:
            found.append(read_object(model, bytes(raw), "", noted))
        except UNREADABLE as exc:
            undecoded.append(Undecoded(index, bytes(raw), str(exc)))
        drift += [one.at(index) for one in noted]
    read = {
        "total": _fact(_read_whole, around, _TOTALS, drift),
        "as_of": _fact(_read_time, around, ("as_of",), drift),
        "period": _fact(_read_text, around, ("period",), drift),
    }
    return Listing(
        tuple(found),
        **cast("dict[str, Any]", read),
        extra={name: plain(bytes(raw)) for name, raw in around.items()},
        undecoded=tuple(undecoded),
        drift=tuple(drift),
    )


def _list_of(key: str, body: bytes) -> tuple[list[msgspec.Raw], dict[str, msgspec.Raw]]:
    """The raw items, and the fields beside the list."""
    if body.lstrip()[:1] == b"[":
        return _items.decode(body), {}
    around = _fields.decode(body)
    for name in (key, *_LIST_NAMES):
        if name in around:
            raw = bytes(around.pop(name))
            return ([] if raw == b"null" else _items.decode(raw)), around
    raise msgspec.ValidationError(f"fields are {', '.join(around) or 'none'}")


def _fact(
    read: Read, around: dict[str, msgspec.Raw], names: tuple[str, ...], drift: list[Drift]
) -> object:
    """The first of ``names`` that stands beside a list, taken out of ``around`` where it fits."""
    name = next((one for one in names if one in around), None)
    if name is None or bytes(around[name]) == b"null":
        return None
    try:
        value = read(bytes(around[name]), "", drift)
    except _MISFIT as exc:
        drift.append(Drift(name, str(exc)))
        return None
    del around[name]
    return value


def read_object(model: type[M], raw: bytes, path: str, drift: list[Drift]) -> M:
    """One object.

    Args:
        model: What it is.
        raw: Its JSON.
        path: What leads to it, ending in a dot; for the report.
        drift: Gains the fields whose value did not fit.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError, RecursionError: It is no JSON object, or lacks a
            field that the model requires.
    """
    values: dict[str, object] = {}
    extra: Extra = {}
    plan = _plan(model)
    has_secrets = any(one.secret for one in plan.values())
    for wire, value in _fields.decode(raw).items():
        text = bytes(value)
        known = plan.get(wire)
        if known is None:
            extra[wire] = _kept(text, hidden=has_secrets and "secret" in wire.lower())
        elif text != b"null":
            noted = len(drift)
            try:
                values[known.name] = known.read(text, f"{path}{wire}", drift)
            except _MISFIT as exc:
                if known.required:
                    raise msgspec.ValidationError(f"{wire}: {exc}") from None
                drift.append(Drift(f"{path}{wire}", str(exc) or "no such number"))
                extra[wire] = _kept(text, hidden=known.secret)
            else:
                if any(one.field.endswith("]") for one in drift[noted:]):  # elements were left out
                    extra[wire] = plain(text)
    missing = [one.name for one in plan.values() if one.required and one.name not in values]
    if missing:
        raise msgspec.ValidationError(f"no {missing[0]!r} in it")
    return model(**cast("dict[str, Any]", values), extra=extra)


def plain(raw: bytes) -> object:
    """JSON as plain Python values, fractions as ``Decimal``; as text where that is impossible."""
    try:
        return _anything.decode(raw)
    except _MISFIT:
        return raw.decode("utf-8", "replace")


def _kept(raw: bytes, *, hidden: bool) -> object:
    """JSON as ``extra`` holds it; what may be a secret is one, under whatever name it comes."""
    found = plain(raw)
    if not hidden:
        return found
    return Secret(found if isinstance(found, str) else raw.decode("utf-8", "replace"))


def filled(value: M, facts: Mapping[str, str]) -> M:
    """The object with ``facts`` in those of its fields that the answer left out."""
    missing = {name: fact for name, fact in facts.items() if getattr(value, name, fact) is None}
    return msgspec.structs.replace(value, **missing) if missing else value


@lru_cache(maxsize=256)
def _plan(model: type[RekkoModel]) -> dict[str, _Field]:
    """How each field of the wire is read."""
    return {
        info.encode_name: _Field(
            info.name, _reader(info.type), info.type == Secret | None, info.required
        )
        for info in msgspec.structs.fields(model)
        if info.name != "extra"
    }


def _reader(kind: Any) -> Read:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        (kind,) = (one for one in typing.get_args(kind) if one is not types.NoneType)
    if typing.get_origin(kind) is tuple:
        return _list_reader(_reader(typing.get_args(kind)[0]))
    if issubclass(kind, RekkoModel):
        return lambda raw, path, drift: read_object(kind, raw, f"{path}.", drift)
    known = _READERS.get(kind)
    if known is None:
        decoder = msgspec.json.Decoder(kind)
        return lambda raw, path, drift: decoder.decode(raw)
    return known


def _list_reader(read: Read) -> Read:
    def reader(raw: bytes, path: str, drift: list[Drift]) -> object:
        found = []
        for place, item in enumerate(_items.decode(raw)):
            at = f"{path}[{place}]"
            try:
                found.append(read(bytes(item), at, drift))
            except _MISFIT as exc:
                drift.append(Drift(at, str(exc)))
        return tuple(found)

    return reader


def _read_decimal(raw: bytes, path: str, drift: list[Drift]) -> Decimal:
    value = _decimal.decode(raw)
    if not value.is_finite() or abs(value.adjusted()) > _MOST_DIGITS:
        raise msgspec.ValidationError("expected a number that can be written out")
    return value


def _read_time(raw: bytes, path: str, drift: list[Drift]) -> datetime:
    value = _time.decode(raw)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _read_text(raw: bytes, path: str, drift: list[Drift]) -> str:
    # An id that is a number is an id all the same.
    return raw.decode() if raw.isdigit() else _text.decode(raw)


def _read_whole(raw: bytes, path: str, drift: list[Drift]) -> int:
    return _whole.decode(raw)


def _read_secret(raw: bytes, path: str, drift: list[Drift]) -> Secret:
    return Secret(_text.decode(raw))


_READERS: dict[object, Read] = {
    Decimal: _read_decimal,
    datetime: _read_time,
    str: _read_text,
    int: _read_whole,
    Secret: _read_secret,
}
