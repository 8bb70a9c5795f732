"""Structs made from structs: a caller's schema with the names of the wire."""

from __future__ import annotations

import types
import typing
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from ._errors import InvalidRequestError
from ._repair import nested_models

S = TypeVar("S", bound=msgspec.Struct)


def bind_schema(schema: type[S], model: type[msgspec.Struct]) -> type[S]:
    """``schema`` with the wire names of ``model``: the struct that decodes in its place.

    A field of the schema may have the model's name (``yes_bid``) or the wire's
    (``yes_bid_dollars``); a field unknown to the model needs a default. Structs inside it are bound
    to the models in their place.

    Raises:
        InvalidRequestError: The schema is no msgspec struct, or names a field that the model lacks.
    """
    if not (isinstance(schema, type) and issubclass(schema, msgspec.Struct)):
        raise InvalidRequestError(f"schema is {schema!r}; expected a subclass of msgspec.Struct")
    if issubclass(schema, model):
        return schema
    return cast("type[S]", _bound(schema, model))


@lru_cache(maxsize=256)
def _bound(schema: Hashable, model: Hashable) -> type[msgspec.Struct]:
    mine, its = cast("type[msgspec.Struct]", schema), cast("type[msgspec.Struct]", model)
    wire = dict(zip(its.__struct_fields__, its.__struct_encode_fields__, strict=True))
    nested = nested_models(its)
    renames: dict[str, str] = {}
    fields: list[Any] = []
    for info in msgspec.structs.fields(mine):
        name = info.encode_name
        if name == info.name and name not in wire.values():
            if name not in wire and info.required:
                raise InvalidRequestError(
                    f"{mine.__name__}.{name} is no field of {its.__name__}; "
                    f"use one of its names, or give the field a default"
                )
            name = wire.get(name, name)
        kind = _bind_inside(info.type, nested[name]) if name in nested else info.type
        if name != info.encode_name or kind is not info.type:
            renames[info.name] = name
            fields.append(field_of(info, kind))
    if not renames:
        return mine
    return derived(mine, fields, renames)


def _bind_inside(kind: Any, model: type[msgspec.Struct]) -> Any:
    """A type with the structs in its unions and lists bound to ``model``; itself if none is."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return bind_schema(kind, model)
    inner = typing.get_args(kind)
    bound = tuple(_bind_inside(each, model) for each in inner)
    if all(new is old for new, old in zip(bound, inner, strict=True)):
        return kind
    if typing.get_origin(kind) is list:
        return list[bound[0]]  # type: ignore[valid-type]
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return typing.Union[bound]  # noqa: UP007 - a tuple of types known at run time only
    return kind


def derived(
    struct: type[msgspec.Struct], fields: Sequence[tuple[Any, ...]], renames: Mapping[str, str]
) -> type[msgspec.Struct]:
    """A subclass of the same name and kind in which some fields are declared anew."""
    return msgspec.defstruct(
        struct.__name__,
        fields,
        bases=(struct,),
        rename=dict(renames),
        module=struct.__module__,
        kw_only=True,
        frozen=struct.__struct_config__.frozen,
        gc=struct.__struct_config__.gc,
    )


def field_of(info: msgspec.structs.FieldInfo, kind: Any) -> tuple[Any, ...]:
    """A field as it is, but of another type, for ``derived``."""
    if info.default is not msgspec.NODEFAULT:
        return (info.name, kind, info.default)
    if info.default_factory is not msgspec.NODEFAULT:
        return (info.name, kind, msgspec.field(default_factory=info.default_factory))
    return (info.name, kind)
