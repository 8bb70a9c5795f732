"""What an order journal holds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from .._errors import InvalidRequestError, JournalError

__all__ = ["STATUSES", "Entry", "Intent", "JournalError", "Outcome", "Status", "one_line"]

Status = Literal["placed", "rejected", "unsent", "absent", "unknown"]
"""How a placement ended: ``placed``; ``rejected`` by the exchange; ``unsent``: given up before it
was sent, which settles only an open intent that was never repeated; ``absent``: looked for and not
there; ``unknown``: sent, and not to be found out.
"""

STATUSES: Final[tuple[Status, ...]] = get_args(Status)
_LONGEST_DETAIL = 1000


@dataclass(frozen=True, slots=True)
class Intent:
    """An order about to be sent.

    Attributes:
        client_order_id: The id that makes it one order however often it is sent.
        ticker: Its market.
        body: The exact JSON of the order as sent.
        exchange: Base URL of the exchange it goes to.
        api_key_id: Id of the key it is signed with.
        created: Wall clock, in seconds since 1970.

    Raises:
        InvalidRequestError: A value of another type, an empty one, or text that is not UTF-8.
    """

    client_order_id: str
    ticker: str
    body: bytes
    exchange: str
    api_key_id: str = field(repr=False)
    created: float

    def __post_init__(self) -> None:
        for name in ("client_order_id", "ticker", "exchange", "api_key_id"):
            _check_text(name, getattr(self, name))
        if not self.client_order_id:
            raise InvalidRequestError("an intent without a client_order_id: give it one")
        if not isinstance(self.body, bytes) or not self.body:
            what = "none" if self.body == b"" else type(self.body).__name__
            raise InvalidRequestError(f"body must be the bytes of the order's JSON, not {what}")
        _check_time("created", self.created)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the placement of an intent ended.

    Attributes:
        client_order_id: Which intent.
        status: See `Status`.
        order_id: The exchange's id of the order, where it is known.
        detail: The error's code or text, in one line; kept up to 1,000 characters.
        at: Wall clock, in seconds since 1970.

    Raises:
        InvalidRequestError: A value of another type, or a status that there is not.
    """

    client_order_id: str
    status: Status
    order_id: str | None
    detail: str
    at: float

    def __post_init__(self) -> None:
        _check_text("client_order_id", self.client_order_id)
        if self.status not in STATUSES:
            raise InvalidRequestError(
                f"status {self.status!r}: an outcome is one of {', '.join(STATUSES)}"
            )
        if self.order_id is not None:
            _check_text("order_id", self.order_id)
        if self.detail:
            object.__setattr__(self, "detail", one_line(self.detail))
        _check_time("at", self.at)


@dataclass(frozen=True, slots=True)
class Entry:
    """An intent of the journal, and its outcome where there is one yet."""

    intent: Intent
    outcome: Outcome | None


def _check_text(name: str, text: object) -> None:
    if not isinstance(text, str):
        raise InvalidRequestError(f"{name} must be a str, not {type(text).__name__}")
    # SQLite ends text at a NUL wherever it is shown, and takes no lone surrogates.
    if not text.isprintable():
        raise InvalidRequestError(f"{name} {text[:80]!a} has characters that cannot be printed")


def _check_time(name: str, seconds: object) -> None:
    if not isinstance(seconds, int | float) or not math.isfinite(seconds):
        raise InvalidRequestError(f"{name} must be seconds since 1970, not {seconds!r}")


def one_line(text: str) -> str:
    """Text for a terminal, a log or a table: no line breaks, no control characters, not long."""
    if len(text) <= _LONGEST_DETAIL and text.isprintable():
        return text
    cut = text[:_LONGEST_DETAIL]
    return " ".join("".join(c if c.isprintable() else " " for c in cut).split())
