"""What goes into request bodies, checked: plain functions beside those of ``_checks``.

Each raises ``InvalidRequestError`` with the argument's name, what was given, and what to do. Unlike
a filter of a list, a field that a body needs cannot be None.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import get_args
from uuid import UUID

from .._errors import InvalidRequestError
from ..models.collections import TickerPair
from ..models.orderbook import Side
from ._checks import bounded, identifier, word

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def given(fields: Mapping[str, object]) -> dict[str, object]:
    """A body of the fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


def whole(name: str, value: int, low: int, high: int | None = None) -> int:
    """An integer in a range, which must be there.

    Raises:
        InvalidRequestError: It is no integer, or out of range.
    """
    found = bounded(name, value, low, high)
    if found is None:
        raise InvalidRequestError(f"{name} is None; expected an integer")
    return found


def flag(name: str, value: bool | None) -> bool | None:
    """True or False; None stays None.

    Raises:
        InvalidRequestError: Neither; a word such as ``"false"`` would count as true.
    """
    if value is None or isinstance(value, bool):
        return value
    raise InvalidRequestError(f"{name} is {value!r}; expected True or False")


def needed_flag(name: str, value: bool) -> bool:
    """``flag`` for one that must be there."""
    if flag(name, value) is None:
        raise InvalidRequestError(f"{name} is None; expected True or False")
    return value


def needed_word(name: str, value: str, words: Collection[str]) -> str:
    """``word`` for one that must be there."""
    found = word(name, value, words)
    if found is None:
        expected = ", ".join(f'"{each}"' for each in words)
        raise InvalidRequestError(f"{name} is None; expected one of {expected}")
    return found


def check_list(name: str, values: object, items: str) -> None:
    """That values are a list of something; a text is a sequence too, and not meant.

    Raises:
        InvalidRequestError: They are no list.
    """
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise InvalidRequestError(f"{name} is {values!r}; expected a list of {items}")


def check_number(name: str, number: int, least: int, most: int | None) -> None:
    """That there are as many of something as the contract allows.

    Raises:
        InvalidRequestError: There are fewer or more.
    """
    if number < least or (most is not None and number > most):
        expected = f"{least} or more" if most is None else f"{least} to {most}"
        raise InvalidRequestError(f"{name} has {number} items; expected {expected}")


def check_items(
    name: str, items: Sequence[object], kind: type, least: int, most: int | None
) -> None:
    """That items are a list of as many objects of a kind as the contract allows.

    Raises:
        InvalidRequestError: They are no list, too few, too many, or one is something else.
    """
    check_list(name, items, kind.__name__)
    check_number(name, len(items), least, most)
    for place, item in enumerate(items):
        if not isinstance(item, kind):
            raise InvalidRequestError(f"{name}[{place}] is {item!r}; expected {kind.__name__}(...)")


def legs(name: str, pairs: Sequence[TickerPair], most: int | None = None) -> list[dict[str, str]]:
    """The legs of a combo: one at least.

    Raises:
        InvalidRequestError: There are none, too many, or one is not a whole ``TickerPair``.
    """
    check_items(name, pairs, TickerPair, 1, most)
    return [_leg(f"{name}[{place}]", pair) for place, pair in enumerate(pairs)]


def _leg(where: str, pair: TickerPair) -> dict[str, str]:
    return {
        "event_ticker": identifier(f"{where}.event_ticker", pair.event_ticker),
        "market_ticker": identifier(f"{where}.market_ticker", pair.market_ticker),
        "side": needed_word(f"{where}.side", pair.side, get_args(Side)),
    }


def words_of(
    name: str, values: str | Sequence[str] | None, words: Collection[str]
) -> list[str] | None:
    """Some of a list of words; None stays None.

    Raises:
        InvalidRequestError: There are none, or one is another word.
    """
    if values is None:
        return None
    chosen = [values] if isinstance(values, str) else values
    if not isinstance(chosen, Sequence) or not chosen:
        raise InvalidRequestError(
            f"{name} is {values!r}; expected some of {', '.join(words)}, or None"
        )
    return [needed_word(name, value, words) for value in chosen]


def subaccount(name: str, value: int | None, high: int | None = None) -> int | None:
    """The number of a subaccount, 0 for the primary one; None stays None."""
    return bounded(name, value, 0, high)


def uuid_text(name: str, value: str | UUID | None) -> str | None:
    """A UUID as text; None stays None.

    Raises:
        InvalidRequestError: It is no UUID.
    """
    if value is None or isinstance(value, UUID):
        return None if value is None else str(value)
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise InvalidRequestError(f"{name} is {value!r}; expected a UUID, such as uuid.uuid4()")
    return value
