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

from ._cutting import CutPage, cut_page
from ._errors import DecodeError
from ._interning import InterningDecoder
from ._repair import UNREADABLE, Drift, Probes, legacy_probes, repair

T = TypeVar("T")

SLICE_BYTES = 128 * 1024
"""JSON decoded between two looks at the event loop: about half a millisecond."""


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


Decoded = tuple[list[T], list[Undecoded], list[Drift]]
_raw_list = msgspec.json.Decoder(list[msgspec.Raw])


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
        self._cursor_name = b'"%s"' % cursor_key.encode()
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
        self._list = InterningDecoder(item)
        self._probes = legacy_probes(item)

    def decode(self, body: bytes) -> Page[T]:
        """A whole page in one go.

        Raises:
            DecodeError: The body is not a page of this list at all.
        """
        try:
            whole = self._whole.decode(body)
        except UNREADABLE:
            return self._item_by_item(body)
        if self._has_legacy(whole.items):
            return self._item_by_item(body)
        return Page(whole.items, whole.cursor or None)

    def slices(self, body: bytes) -> PageSlices[T]:
        """The same page in pieces, so that the caller can give way to others in between.

        Raises:
            DecodeError: The body is not a page of this list at all.
        """
        return PageSlices(self, body)

    def cut(self, body: bytes) -> tuple[Iterator[bytes], str | None] | None:
        """The text of the page in pieces, and the cursor; None where it must be walked."""
        found = cut_page(body, self.key, SLICE_BYTES)
        if found is None:
            return None
        try:
            envelope = self._split.decode(found.envelope)
        except UNREADABLE:
            return None
        if envelope.items or (envelope.cursor is None and self._may_hide_cursor(body, found)):
            return None
        return found.pieces, envelope.cursor or None

    def _may_hide_cursor(self, body: bytes, found: CutPage) -> bool:
        """Whether the cursor may lie between the list and a later one, where the cut took it."""
        return self._cursor_name in body and self._cursor_name not in found.envelope

    def decode_piece(self, piece: bytes, start: int) -> Decoded[T]:
        """The items of a JSON list; ``start`` is the index of the first on its page.

        Raises:
            msgspec.DecodeError, UnicodeDecodeError: It is not a JSON list.
        """
        try:
            items = self._list.decode(piece)
        except UNREADABLE:
            return self._with_repairs(_raw_list.decode(piece), start)
        if self._has_legacy(items):
            return self._with_repairs(_raw_list.decode(piece), start)
        return items, [], []

    def split(self, body: bytes) -> tuple[list[msgspec.Raw], str | None]:
        """The raw items and the cursor.

        Raises:
            DecodeError: The body is not a page of this list at all.
        """
        try:
            page = self._split.decode(body)
        except UNREADABLE as exc:
            raise DecodeError(f"not a page of {self.key!r}: {exc}", status=200, body=body) from exc
        if page.items is None and f'"{self.key}"'.encode() not in body:
            raise DecodeError(f"the answer has no {self.key!r}", status=200, body=body)
        return page.items or [], page.cursor or None

    def decode_items(self, raws: Sequence[msgspec.Raw], start: int = 0) -> Decoded[T]:
        """Some raw items of a page; ``start`` is the index of the first."""
        one = self._one.decode
        try:
            items = [one(raw) for raw in raws]
        except UNREADABLE:
            return self._with_repairs(raws, start)
        if self._has_legacy(items):
            return self._with_repairs(raws, start)
        return items, [], []

    def _has_legacy(self, items: list[T]) -> bool:
        return self._probes.any_old_form(items)

    def _item_by_item(self, body: bytes) -> Page[T]:
        raws, cursor = self.split(body)
        items, undecoded, drift = self._with_repairs(raws, 0)
        return Page(items, cursor, tuple(undecoded), tuple(drift))

    def _with_repairs(self, raws: Sequence[msgspec.Raw], start: int) -> Decoded[T]:
        items: list[T] = []
        undecoded: list[Undecoded] = []
        drift: list[Drift] = []
        for index, raw in enumerate(raws, start):
            try:
                item, changes = decode_one(self._one, bytes(raw), self._probes)
            except UNREADABLE as exc:
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

    Raises:
        DecodeError: The body is not a page of the list at all.
    """

    def __init__(self, decoder: PageDecoder[T], body: bytes) -> None:
        self._decoder = decoder
        self._body = body
        self._start_over()
        cut = decoder.cut(body)
        self._pieces: Iterator[bytes] | None = None
        self._raws: list[msgspec.Raw] = []
        if cut is not None:
            self._pieces, self.cursor = cut
        else:
            self._raws, self.cursor = decoder.split(body)

    def __iter__(self) -> Iterator[int]:
        """Decode about ``SLICE_BYTES`` a step; yields how many items are done."""
        if self._pieces is not None:
            try:
                for piece in self._pieces:
                    yield self._add(self._decoder.decode_piece(piece, self._done))
            except UNREADABLE:  # cut in the wrong place: walk the page from item to item instead
                self._start_over()
                self._raws, self.cursor = self._decoder.split(self._body)
            else:
                return
        for start, end in _runs(self._raws):
            yield self._add(self._decoder.decode_items(self._raws[start:end], start))

    def _start_over(self) -> None:
        self._items: list[T] = []
        self._undecoded: list[Undecoded] = []
        self._drift: list[Drift] = []

    @property
    def _done(self) -> int:
        return len(self._items) + len(self._undecoded)

    def _add(self, decoded: Decoded[T]) -> int:
        items, undecoded, drift = decoded
        self._items += items
        self._undecoded += undecoded
        self._drift += drift
        return self._done

    @property
    def page(self) -> Page[T]:
        return Page(self._items, self.cursor, tuple(self._undecoded), tuple(self._drift))


def _runs(raws: Sequence[msgspec.Raw]) -> Iterator[tuple[int, int]]:
    """Consecutive ranges of about ``SLICE_BYTES`` each."""
    start = size = 0
    for end, raw in enumerate(raws, 1):
        size += len(memoryview(raw))
        if size >= SLICE_BYTES or end == len(raws):
            yield start, end
            start, size = end, 0


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
        except UNREADABLE as exc:
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
        msgspec.DecodeError, UnicodeDecodeError: It cannot be read even so.
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
