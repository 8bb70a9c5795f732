"""Bodies to models: once, straight to type, and never losing a page to one bad item.

The fast path decodes a body strictly in one go. Where that fails, or where an object is in the
form of before April 2026 (integer cents, whole counts), the objects are looked at one by one:
``_repair`` translates, and sets aside what cannot be read, and the page says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar, cast, overload

import msgspec

from ._errors import DecodeError, InvalidRequestError
from ._repair import Drift, Probes, legacy_probes, repair

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)

SLICE_BYTES = 256 * 1024
"""JSON decoded between two looks at the event loop: 1 to 2 ms on an ordinary machine."""


@dataclass(frozen=True, slots=True)
class Undecoded:
    """An item of a page that could not be read even with repairs.

    Attributes:
        index: Its place on the page, from 0.
        raw: Its JSON as received.
        problem: What is wrong with it.
    """

    index: int
    raw: bytes
    problem: str


@dataclass(frozen=True, slots=True)
class Page(Sequence[T]):
    """One page of a list; also a sequence of its items.

    Attributes:
        items: The decoded items, in the order of the exchange.
        cursor: Where the next page starts; None at the end of the list.
        undecoded: Items that could not be read (rare; the exchange changed something).
        drift: Fields that were set aside so that their item could be read.
    """

    items: list[T]
    cursor: str | None = None
    undecoded: tuple[Undecoded, ...] = ()
    drift: tuple[Drift, ...] = ()

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)


class _Whole(Protocol[T]):
    """A page decoded in one go."""

    items: list[T]
    cursor: str | None


class _Split(Protocol):
    """A page cut into its items."""

    items: list[msgspec.Raw] | None
    cursor: str | None


class PageDecoder(Generic[T]):
    """Decodes the pages of one list operation.

    Args:
        item: The struct of an item.
        key: The wire name of the list.
        cursor_key: The wire name of the cursor.
    """

    def __init__(self, item: type[T], key: str, cursor_key: str = "cursor") -> None:
        self.item = item
        self.key = key
        names = {"items": key, "cursor": cursor_key}
        cursor: tuple[str, Any, Any] = ("cursor", str | None, None)
        self._whole: msgspec.json.Decoder[_Whole[T]] = _struct_decoder(
            "WholePage",
            [("items", list[item]), cursor],  # type: ignore[valid-type]
            names,
        )
        self._split: msgspec.json.Decoder[_Split] = _struct_decoder(
            "SplitPage", [("items", list[msgspec.Raw] | None, None), cursor], names
        )
        self._one = msgspec.json.Decoder(item)
        self._probes = legacy_probes(item)

    def decode(self, body: bytes) -> Page[T]:
        """A whole page in one go.

        Raises:
            DecodeError: The body is not a page of this list at all.
        """
        try:
            whole = self._whole.decode(body)
        except (msgspec.ValidationError, msgspec.DecodeError):
            return self._item_by_item(body)
        if self._has_legacy(whole.items):
            return self._item_by_item(body)
        return Page(whole.items, whole.cursor or None)

    def slices(self, body: bytes) -> PageSlices[T]:
        """The same page in pieces, so that the caller can give way to others in between."""
        return PageSlices(self, *self.split(body))

    def split(self, body: bytes) -> tuple[list[msgspec.Raw], str | None]:
        """The raw items and the cursor.

        Raises:
            DecodeError: The body is not a page of this list at all.
        """
        try:
            page = self._split.decode(body)
        except (msgspec.ValidationError, msgspec.DecodeError) as exc:
            raise DecodeError(f"not a page of {self.key!r}: {exc}", status=200, body=body) from exc
        if page.items is None and f'"{self.key}"'.encode() not in body:
            raise DecodeError(f"the answer has no {self.key!r}", status=200, body=body)
        return page.items or [], page.cursor or None

    def decode_items(
        self, raws: Sequence[msgspec.Raw], start: int = 0
    ) -> tuple[list[T], list[Undecoded], list[Drift]]:
        """Some raw items of a page; ``start`` is the index of the first."""
        one = self._one.decode
        try:
            items = [one(raw) for raw in raws]
        except (msgspec.ValidationError, msgspec.DecodeError):
            return self._with_repairs(raws, start)
        if self._has_legacy(items):
            return self._with_repairs(raws, start)
        return items, [], []

    def _has_legacy(self, items: list[T]) -> bool:
        old_form = self._probes.old_form
        return any(old_form(item) for item in items)

    def _item_by_item(self, body: bytes) -> Page[T]:
        raws, cursor = self.split(body)
        items, undecoded, drift = self._with_repairs(raws, 0)
        return Page(items, cursor, tuple(undecoded), tuple(drift))

    def _with_repairs(
        self, raws: Sequence[msgspec.Raw], start: int
    ) -> tuple[list[T], list[Undecoded], list[Drift]]:
        items: list[T] = []
        undecoded: list[Undecoded] = []
        drift: list[Drift] = []
        for index, raw in enumerate(raws, start):
            try:
                item, changes = decode_one(self._one, bytes(raw), self._probes)
            except msgspec.ValidationError as exc:
                undecoded.append(Undecoded(index, bytes(raw), str(exc)))
                continue
            items.append(item)
            drift.extend(change.at(index) for change in changes)
        return items, undecoded, drift


def _struct_decoder(
    name: str, fields: list[tuple[Any, ...]], rename: dict[str, str]
) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(msgspec.defstruct(name, fields, rename=rename, gc=False))


class PageSlices(Generic[T]):
    """A page on its way to being decoded: iterate to the end, then read ``page``.

    The cursor is known before the first item is decoded.
    """

    def __init__(
        self, decoder: PageDecoder[T], raws: list[msgspec.Raw], cursor: str | None
    ) -> None:
        self._decoder = decoder
        self._raws = raws
        self.cursor = cursor
        self._items: list[T] = []
        self._undecoded: list[Undecoded] = []
        self._drift: list[Drift] = []

    def __iter__(self) -> Iterator[int]:
        """Decode about ``SLICE_BYTES`` a step; yields how many items are done."""
        start = size = 0
        raws = self._raws
        for end, raw in enumerate(raws, 1):
            size += len(memoryview(raw))
            if size < SLICE_BYTES and end < len(raws):
                continue
            items, undecoded, drift = self._decoder.decode_items(raws[start:end], start)
            self._items += items
            self._undecoded += undecoded
            self._drift += drift
            start, size = end, 0
            yield end

    @property
    def page(self) -> Page[T]:
        return Page(self._items, self.cursor, tuple(self._undecoded), tuple(self._drift))


class ObjectDecoder(Generic[T]):
    """Decodes the answer of an operation that returns one object.

    Args:
        model: The struct of the object.
        key: The wire name that holds it; None when the body is the object itself.
    """

    def __init__(self, model: type[T], key: str | None = None) -> None:
        self._key = key
        self._one = msgspec.json.Decoder(model)
        self._probes = legacy_probes(model)
        self._envelope = msgspec.json.Decoder(dict[str, msgspec.Raw])

    def decode(self, body: bytes) -> tuple[T, list[Drift]]:
        """The object, and the fields that had to be set aside.

        Raises:
            DecodeError: The body does not hold the object.
        """
        try:
            raw = body if self._key is None else self._inner(body, self._key)
            return decode_one(self._one, raw, self._probes)
        except (msgspec.ValidationError, msgspec.DecodeError) as exc:
            raise DecodeError(f"unexpected answer: {exc}", status=200, body=body) from exc

    def _inner(self, body: bytes, key: str) -> bytes:
        envelope = self._envelope.decode(body)
        if key not in envelope:
            raise msgspec.ValidationError(f"no {key!r} in it")
        return bytes(envelope[key])


def decode_one(
    decoder: msgspec.json.Decoder[T], raw: bytes, probes: Probes
) -> tuple[T, list[Drift]]:
    """One object, repaired where the strict decoder refuses it or where it has the old form.

    Raises:
        msgspec.ValidationError: It cannot be read even so.
    """
    try:
        item = decoder.decode(raw)
    except msgspec.ValidationError:
        pass
    else:
        if not probes.old_form(item):
            return item, []
    repaired, drift = repair(cast("type[msgspec.Struct]", decoder.type), raw)
    return decoder.decode(repaired), drift


_page_decoders = lru_cache(maxsize=256)(PageDecoder)
_object_decoders = lru_cache(maxsize=256)(ObjectDecoder)


def page_decoder(item: type[T], key: str, cursor_key: str = "cursor") -> PageDecoder[T]:
    """The decoder of a list, made once."""
    return cast("PageDecoder[T]", _page_decoders(item, key, cursor_key))  # type: ignore[arg-type]


def object_decoder(model: type[T], key: str | None = None) -> ObjectDecoder[T]:
    """The decoder of an object, made once."""
    return cast("ObjectDecoder[T]", _object_decoders(model, key))  # type: ignore[arg-type]


@lru_cache(maxsize=256)
def bind_schema(schema: type[S], model: type[msgspec.Struct]) -> type[S]:
    """``schema`` with the wire names of ``model``: the struct that decodes in its place.

    A field of the schema may have the model's name (``yes_bid``) or the wire's
    (``yes_bid_dollars``); a field unknown to the model needs a default.

    Raises:
        InvalidRequestError: The schema is no msgspec struct, or names a field that the model lacks.
    """
    if not (isinstance(schema, type) and issubclass(schema, msgspec.Struct)):
        raise InvalidRequestError(f"schema is {schema!r}; expected a subclass of msgspec.Struct")
    wire = dict(zip(model.__struct_fields__, model.__struct_encode_fields__, strict=True))
    known = set(model.__struct_encode_fields__)
    renames: dict[str, str] = {}
    fields: list[Any] = []
    for info in msgspec.structs.fields(schema):
        if info.encode_name != info.name or info.encode_name in known:
            continue
        if info.name in wire:
            renames[info.name] = wire[info.name]
            fields.append(_field_of(info))
        elif info.required:
            raise InvalidRequestError(
                f"{schema.__name__}.{info.name} is no field of {model.__name__}; "
                f"use one of its names, or give the field a default"
            )
    if not renames:
        return schema
    return msgspec.defstruct(  # type: ignore[return-value]
        schema.__name__,
        fields,
        bases=(schema,),
        rename=renames,
        module=schema.__module__,
        kw_only=True,
        frozen=schema.__struct_config__.frozen,
        gc=schema.__struct_config__.gc,
    )


def _field_of(info: msgspec.structs.FieldInfo) -> tuple[Any, ...]:
    if info.default is not msgspec.NODEFAULT:
        return (info.name, info.type, info.default)
    if info.default_factory is not msgspec.NODEFAULT:
        return (info.name, info.type, msgspec.field(default_factory=info.default_factory))
    return (info.name, info.type)
