"""Lists that a page's body holds beside the items of the page."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from .._decode import page_decoder
from .._repair import Drift

M = TypeVar("M", bound=msgspec.Struct)


def listed_beside(model: type[M], key: str, body: bytes) -> tuple[tuple[M, ...], list[Drift]]:
    """The objects of the list ``key``, and what of it could not be read, as drift of the page.

    A body without such a list has none of them.
    """
    if b'"%s"' % key.encode() not in body:
        return (), []
    found = page_decoder(model, key).decode(body)
    drift = [
        Drift(f"{key}[{change.index}].{change.field}", change.problem) for change in found.drift
    ]
    drift += [Drift(f"{key}[{lost.index}]", lost.problem) for lost in found.undecoded]
    return tuple(found.items), drift
