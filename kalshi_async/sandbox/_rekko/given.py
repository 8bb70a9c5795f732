"""What a request to the intelligence API was given, checked: parameters, bodies, and the errors of
both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from .._errors import ApiError

_LONGEST = 500
_MOST_ITEMS = 100
_YES, _NO = ("true", "1", "t", "yes"), ("false", "0", "f", "no")


def refusal(status: int, code: str, detail: str, **more: object) -> ApiError:
    """``{"detail", "code", …}``, as the intelligence API words its errors."""
    return ApiError(status, {"detail": detail, "code": code, **more})


def invalid(name: str, value: object, expected: str) -> ApiError:
    """422 of a parameter that is not what it has to be."""
    shown = repr(value) if len(repr(value)) <= 80 else f"{repr(value)[:77]}..."
    detail = f"{name}={shown} must be {expected}"
    return refusal(422, "invalid_parameter", detail, parameter=name)


def missing(name: str, expected: str) -> ApiError:
    """422 of a parameter that is not there."""
    detail = f"{name} is missing: give {expected}"
    return refusal(422, "invalid_parameter", detail, parameter=name)


def not_found(what: str) -> ApiError:
    """404 that says what there is none of."""
    return refusal(404, "not_found", f"there is no {what}")


def decoded(body: bytes) -> Mapping[str, object]:
    """The object in a body; an empty body has no fields. 422 for anything else."""
    if not body.strip():
        return {}
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refusal(422, "invalid_parameter", f"the body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise refusal(422, "invalid_parameter", "the body must be a JSON object")
    return found


class Given:
    """Fields of a query or of a body, each read as what it has to be; 422 for one that is not."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields

    def get(self, name: str) -> object:
        """A field as it came."""
        return self._fields.get(name)

    def text(self, name: str) -> str | None:
        """A text, None when absent or empty."""
        value = self._fields.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or len(value) > _LONGEST:
            raise invalid(name, value, f"a text of at most {_LONGEST} characters")
        return value

    def needed(self, name: str, expected: str) -> str:
        """A text that must be there."""
        value = self.text(name)
        if value is None:
            raise missing(name, expected)
        return value

    def choice(self, name: str, choices: Sequence[str], default: str | None = None) -> str | None:
        """One of a few words."""
        value = self.text(name)
        if value is not None and value not in choices:
            raise invalid(name, value, f"one of {', '.join(choices)}")
        return default if value is None else value

    def flag(self, name: str) -> bool:
        """Whether something was asked for; absent means no."""
        value = self._fields.get(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        word = str(value).lower()
        if word not in (*_YES, *_NO):
            raise invalid(name, value, "true or false")
        return word in _YES

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number between two others, both included."""
        value = self.number(name, low, high)
        if value is None:
            return default
        if not value.is_integer():
            raise invalid(name, self._fields[name], "a whole number")
        return int(value)

    def number(self, name: str, low: float = 0.0, high: float = math.inf) -> float | None:
        """A number between two others, both included; None when absent."""
        value = self._fields.get(name)
        if value is None or value == "":
            return None
        found = _number(value)
        if found is None or not low <= found <= high or math.isinf(found):
            most = "" if math.isinf(high) else f" and at most {high:g}"
            raise invalid(name, value, f"a number of at least {low:g}{most}")
        return found

    def texts(self, name: str, *, least: int = 0, most: int = _MOST_ITEMS) -> list[str]:
        """A list of texts, or one text with commas."""
        value = self._fields.get(name)
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        items = [] if value is None else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise invalid(name, value, "a list of texts")
        if not least <= len(items) <= most:
            raise invalid(name, f"{len(items)} items", f"{least} to {most} items")
        return list(dict.fromkeys(items))

    def objects(self, name: str) -> list[Given]:
        """A list of objects."""
        value = self._fields.get(name)
        items = [] if value is None else value
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise invalid(name, value, "a list of objects")
        if len(items) > _MOST_ITEMS:
            raise invalid(name, f"{len(items)} items", f"at most {_MOST_ITEMS} items")
        return [Given(item) for item in items]


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(found) else found


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the words of its path, its query, its body."""

    path: Mapping[str, str]
    query: Given
    body: Given
