"""Text that must not be shown by accident."""

from __future__ import annotations

import hmac
from typing import NoReturn, Self

_SHOWN = "<secret>"


class Secret:
    """A text, such as a private key, that is read with ``reveal()`` and in no other way.

    ``repr``, ``str`` and formatting give ``<secret>``. It cannot be pickled, and msgspec and
    ``json`` refuse to encode it, so that it gets into no log, cache or file unless its owner puts
    it there. Two are equal when their texts are; the comparison takes the same time wherever they
    differ.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself."""
        return self.__text

    def __repr__(self) -> str:
        return _SHOWN

    def __format__(self, spec: str) -> str:
        return format(_SHOWN, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        ours, theirs = (each.__text.encode("utf-8", "surrogatepass") for each in (self, other))
        return hmac.compare_digest(ours, theirs)

    __hash__ = None  # type: ignore[assignment]

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled; keep what reveal() gives in a safe place")
