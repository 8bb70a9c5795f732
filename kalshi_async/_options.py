"""Options of a call, and what stands for one that is left out."""

from __future__ import annotations

from dataclasses import dataclass

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
