"""Options of a call, and what stands for one that is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

from ._operations import Priority
from ._retry import RetryPolicy


class Inherit:
    """The kind of ``INHERIT``: an option left out, to be taken from the client."""

    def __repr__(self) -> str:
        return "INHERIT"


INHERIT = Inherit()


@dataclass(slots=True)
class Defaults:
    """What a call uses for an option that is left out."""

    timeout: float | None
    deadline: float | None
    policy: RetryPolicy | None
    priority: Priority | None = None


def is_positive(value: object) -> TypeGuard[float]:
    """Whether it is a number above 0, as seconds have to be."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
