"""Prices of long lists, each made once.

A page of 1,000 markets holds some 15,000 prices, of which a few hundred differ. Making a
``Decimal`` for each costs more memory traffic than all other decoding, and on CPython 3.13 each is
work for the garbage collector as well. Here a page is decoded into a *twin* of its struct, whose
prices are found ready-made; then each object is given the struct's own class, so that nobody sees
a twin.
"""

from __future__ import annotations

import operator
import types
import typing
from collections import deque
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache, lru_cache
from itertools import chain, repeat
from typing import Any, Generic, TypeVar, cast

import msgspec
from msgspec.structs import force_setattr

from ._schema import derived, field_of

T = TypeVar("T")


TICKS = 1000
"""The exchange's finest grid has steps of $0.001."""


@cache
def _price_type() -> type[Enum] | None:
    """What stands for ``Decimal`` in a twin; None where msgspec does not play along.

    msgspec finds the member of an enumeration by the bytes of its value, without making a string.
    The "members" of this one are the prices on the finest grid; any other price is made anew.
    """

    class Price(Enum):
        @classmethod
        def _missing_(cls, value: object) -> Any:
            try:
                return Decimal(cast("str", value))
            except InvalidOperation:
                raise ValueError(f"{value!r} is no price") from None

    texts = [f"{tick / TICKS:.4f}" for tick in range(TICKS + 1)]
    Price._value2member_map_ = {text: Decimal(text) for text in texts}  # type: ignore[misc]
    try:
        found = msgspec.json.decode(b'["0.6100","0.61005"]', type=list[Price])
    except (msgspec.MsgspecError, TypeError):
        return None
    expected = [Decimal("0.6100"), Decimal("0.61005")]
    return Price if list(map(repr, found)) == list(map(repr, expected)) else None


@cache
def shared_prices() -> dict[Decimal, Decimal]:
    """Each ready-made price under itself: who looks up an equal one finds the object that all
    share, whose hash is known.
    """
    kind = _price_type()
    ready = {} if kind is None else cast("dict[str, Decimal]", kind._value2member_map_)
    return {price: price for price in ready.values()}


def price_twin(struct: type[msgspec.Struct], sample: bytes) -> type[msgspec.Struct]:
    """What to decode instead of a struct, so that its own prices are ready-made ones; to be given
    the struct's class with ``force_setattr(item, "__class__", struct)``.

    The struct itself where that is not possible, which ``sample``, JSON of one, shows.
    """
    if not _has_prices(struct) or _price_type() is None:
        return struct
    twin = _twin(struct)
    try:
        item = msgspec.json.decode(sample, type=twin)
        force_setattr(item, "__class__", struct)
    except (msgspec.MsgspecError, TypeError):
        return struct
    return twin


_exhaust = deque[object](maxlen=0).extend


class InterningDecoder(Generic[T]):
    """Decodes JSON lists of one struct, with each distinct price made once.

    Args:
        item: The struct.
    """

    def __init__(self, item: type[T]) -> None:
        self._item = item
        self._plain: msgspec.json.Decoder[list[T]] = msgspec.json.Decoder(list[item])  # type: ignore[valid-type]
        self._interning: msgspec.json.Decoder[list[T]] | None = None
        if _has_prices(item) and _price_type() is not None:
            twin = _twin(cast("type[msgspec.Struct]", item))
            self._interning = msgspec.json.Decoder(list[twin])  # type: ignore[valid-type]

    def decode(self, text: bytes) -> list[T]:
        """The objects of a JSON list.

        Raises:
            msgspec.DecodeError: It is not such a list.
        """
        if self._interning is None:
            return self._plain.decode(text)
        items = self._interning.decode(text)
        try:
            _unmask(items, cast("type[msgspec.Struct]", self._item))
        except TypeError:  # this struct, or this Python, does not let its class be set
            self._interning = None
            return self._plain.decode(text)
        return items


def _unmask(items: Sequence[object], struct: type[msgspec.Struct]) -> None:
    """Give objects of a twin the class that they stand for.

    Written as maps that run in C: a loop here would cost a twentieth of all decoding.
    """
    _exhaust(map(force_setattr, items, repeat("__class__"), repeat(struct)))  # type: ignore[arg-type]
    for name, nested in _nested(struct):
        lists = filter(None, map(operator.attrgetter(name), items))
        _unmask(list(chain.from_iterable(lists)), nested)


def _has_prices(kind: type[Any]) -> bool:
    return (
        isinstance(kind, type)
        and issubclass(kind, msgspec.Struct)
        and any(_is_price(kind, info) for info in msgspec.structs.fields(kind))
    )


def _is_price(struct: type[msgspec.Struct], info: msgspec.structs.FieldInfo) -> bool:
    """Whether a field holds dollars as text; numbers must keep the decoder's own exactness."""
    named = info.encode_name.endswith("_dollars") or info.name in getattr(struct, "__prices__", ())
    return named and Decimal in (info.type, *typing.get_args(info.type))


@lru_cache(maxsize=256)
def _nested(struct: type[msgspec.Struct]) -> tuple[tuple[str, type[msgspec.Struct]], ...]:
    """Fields that hold lists of structs with prices: name and struct."""
    return tuple(
        (info.name, typing.get_args(kind)[0])
        for info in msgspec.structs.fields(struct)
        for kind in (info.type, *typing.get_args(info.type))
        if typing.get_origin(kind) is list and _has_prices(typing.get_args(kind)[0])
    )


@lru_cache(maxsize=256)
def _twin(struct: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """A subclass that differs in the types of its prices only."""
    nested = dict(_nested(struct))
    fields: list[Any] = []
    renames = {}
    for info in msgspec.structs.fields(struct):
        if not (_is_price(struct, info) or info.name in nested):
            continue
        renames[info.name] = info.encode_name
        fields.append(field_of(info, _replaced(info.type)))
    return derived(struct, fields, renames)


def _replaced(kind: Any) -> Any:
    """A type with ready-made prices for ``Decimal`` and twins for structs."""
    if kind is Decimal:
        return _price_type()
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(map(_replaced, inner))]  # noqa: UP007 - built at run time
    if origin is list and _has_prices(inner[0]):
        return list[_twin(inner[0])]  # type: ignore[misc]
    return kind
