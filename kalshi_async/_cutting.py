"""Cutting the text of a page into pieces that decode one by one. Pure.

A page of two megabytes takes longer to decode than an event loop should stand still. Walking it
once just to find its items would cost a sixth more; here only the places around each cut are looked
at. A cut is a guess: the pieces are JSON only if it is right, and the caller decodes them strictly,
so that a wrong guess is noticed and cannot give a wrong page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_HEAD = 4096
"""Where in the body the list must begin; a cursor comes before it, nothing long does."""


@dataclass(frozen=True, slots=True)
class CutPage:
    """A page in pieces.

    Attributes:
        envelope: The body with an empty list in place of its items.
        pieces: JSON lists that hold the items, in order.
    """

    envelope: bytes
    pieces: Iterator[bytes]


def cut_page(body: bytes, key: str, size: int) -> CutPage | None:
    """Cut a page into pieces of about ``size`` bytes, between items.

    An item begins with ``{`` and the name of its first field, which items of one page have in
    common. Inside a JSON string that sequence cannot stand, for its quote would be escaped; inside
    an item it could only begin a nested object, and then the pieces are not JSON.

    Args:
        body: The answer.
        key: The name of its list.
        size: Bytes a piece.

    Returns:
        None where the body does not look as expected.
    """
    opening = b'"%s":[' % key.encode()
    found = body.find(opening, 0, _HEAD)
    end = body.rfind(b"}]") + 1
    start = found + len(opening)
    if found < 0 or end <= start or body[start : start + 2] != b'{"':
        return None
    name_end = body.find(b'"', start + 2, start + _HEAD)
    if name_end < 0:
        return None
    between = b"}," + body[start : name_end + 1]
    return CutPage(body[:start] + body[end:], _pieces(body, between, start, end, size))


def _pieces(body: bytes, between: bytes, start: int, end: int, size: int) -> Iterator[bytes]:
    view = memoryview(body)
    while True:
        cut = body.find(between, start + size, end)
        if cut < 0:
            yield b"".join((b"[", view[start:end], b"]"))
            return
        yield b"".join((b"[", view[start : cut + 1], b"]"))
        start = cut + 2
