"""Reading and checking query parameters of one request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from multidict import MultiMapping

from .._catalog.query import Key, Window
from .._errors import invalid_field, unreadable_field
from .._records import LAST_SUBACCOUNT
from .._text import parse_time
from . import cursor as _cursor

_INT64 = 1 << 63


class Params:
    """Typed access to query parameters; a wrong one raises the 400 of the operation."""

    def __init__(self, operation: str, query: MultiMapping[str]) -> None:
        self.operation = operation
        self._query = query

    def text(self, name: str, *, longest: int = 20_000) -> str | None:
        """A text, None when absent or empty."""
        value = self._query.get(name) or None
        if value is not None and len(value) > longest:
            raise invalid_field(self.operation, name, "max")
        return value

    def number(self, name: str, *, required: bool = False) -> int | None:
        """A 64-bit integer."""
        value = self.text(name)
        if value is None:
            if required:
                raise invalid_field(self.operation, name, "required")
            return None
        digits = value[1:] if value[0] in "+-" else value
        if not digits.isascii() or not digits.isdecimal() or len(digits) > 19:
            raise unreadable_field(self.operation, name, value, "an integer")
        number = int(value)
        if not -_INT64 <= number < _INT64:
            raise unreadable_field(self.operation, name, value, "a 64-bit integer")
        return number

    def needed(self, name: str) -> int:
        """A 64-bit integer that must be given."""
        value = self.number(name, required=True)
        return 0 if value is None else value

    def flag(self, name: str) -> bool | None:
        """true or false."""
        value = self.text(name)
        if value is None:
            return None
        if value.lower() not in ("true", "false", "1", "0", "t", "f"):
            raise unreadable_field(self.operation, name, value, "true or false")
        return value.lower() in ("true", "1", "t")

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """One of a few words."""
        value = self.text(name)
        if value is not None and value not in choices:
            raise invalid_field(self.operation, name, "oneof")
        return value

    def comma(self, name: str, *, most: int = 1000) -> tuple[str, ...] | None:
        """A comma-separated list."""
        value = self.text(name, longest=200_000)
        if value is None:
            return None
        items = tuple(item.strip() for item in value.split(",") if item.strip())
        if len(items) > most:
            raise invalid_field(self.operation, name, "max")
        return items

    def repeated(self, name: str, *, most: int, required: bool = False) -> tuple[str, ...]:
        """A parameter given several times."""
        items = tuple(islice((item for item in self._query.getall(name, []) if item), most + 1))
        if len(items) > most:
            raise invalid_field(self.operation, name, "max")
        if required and not items:
            raise invalid_field(self.operation, name, "required")
        return items

    def limit(self, default: int, most: int, *, least: int = 0, name: str = "limit") -> int:
        """A page size; 0 means the default, as absent does."""
        number = self.number(name)
        if number is None:
            return default
        if number > most:
            raise invalid_field(self.operation, name, "lte")
        if number < least:
            raise invalid_field(self.operation, name, "gte")
        return number or default

    def subaccount(self) -> int | None:
        """The number of a subaccount."""
        number = self.number("subaccount")
        if number is not None and not 0 <= number <= LAST_SUBACCOUNT:
            raise invalid_field(self.operation, "subaccount", "gte" if number < 0 else "lte")
        return number

    def window(self, low: str, high: str) -> Window:
        """An inclusive time window in Unix seconds."""
        return Window.seconds(self.number(low), self.number(high))

    def instant(self, name: str) -> int | None:
        """An RFC 3339 time, in microseconds."""
        value = self.text(name)
        if value is None:
            return None
        try:
            datetime.fromisoformat(value)
        except ValueError:
            raise unreadable_field(self.operation, name, value, "an RFC 3339 time") from None
        return parse_time(value)

    def after(self) -> Key | None:
        """The place a cursor stands for; None restarts, also for a cursor that means nothing."""
        return _cursor.decode(self.text("cursor"))
