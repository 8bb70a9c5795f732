"""Arguments checked before anything is sent: plain functions that return what goes on the wire.

Each raises ``InvalidRequestError`` with the argument's name, what was given, and what to do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from .._errors import InvalidRequestError

Timestamp = int | datetime
"""Unix seconds, or an aware datetime that is sent as Unix seconds."""

PERIODS = (1, 60, 1440)
MAX_ORDERBOOKS = 100
MAX_BATCH_MARKETS = 100
MAX_BATCH_MILESTONES = 100

_OBJECT_STATUS = {
    "initialized": "unopened",
    "active": "open",
    "inactive": "paused",
    "determined": "closed",
    "disputed": "closed",
    "amended": "closed",
    "finalized": "settled",
}
"""Status of an object → the word that filters for it."""


class Family(NamedTuple):
    """A pair of time filters, and the statuses they may be combined with."""

    name: str
    low: Timestamp | None
    high: Timestamp | None
    statuses: tuple[str, ...]

    @property
    def used(self) -> bool:
        return self.low is not None or self.high is not None

    @property
    def label(self) -> str:
        return f"min_{self.name}_ts/max_{self.name}_ts"


def identifier(name: str, value: str) -> str:
    """A ticker or id that is there.

    Raises:
        InvalidRequestError: It is empty, blank, or no text.
    """
    if not isinstance(value, str) or not value.strip():
        raise InvalidRequestError(f"{name} is {value!r}; expected a non-empty identifier")
    return value


def optional(name: str, value: str | None) -> str | None:
    """A text filter: None for none, but never empty, which would filter nothing."""
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise InvalidRequestError(f"{name} is {value!r}; expected text, or None for no filter")
    return value


def identifiers(
    name: str, values: str | Sequence[str], most: int | None = None, instead: str = "several calls"
) -> list[str]:
    """One identifier or several (also comma-separated in one text), as a list.

    Raises:
        InvalidRequestError: There are none, one is empty, or there are more than ``most``.
    """
    given = values.split(",") if isinstance(values, str) else list(values)
    if not given:
        raise InvalidRequestError(f"{name} is empty; expected at least one identifier")
    found = [identifier(name, value) for value in given]
    if most is not None and len(found) > most:
        raise InvalidRequestError(
            f"{name} has {len(found)} identifiers; the exchange takes {most} at most: "
            f"split them over {instead}"
        )
    return found


def comma(name: str, values: str | Sequence[str] | None) -> str | None:
    """Identifiers in one comma-separated text; None stays None."""
    return None if values is None else ",".join(identifiers(name, values))


def bounded(name: str, value: int | None, low: int, high: int | None) -> int | None:
    """An integer in the contract's range; None stays None.

    Raises:
        InvalidRequestError: It is no integer, or out of range.
    """
    if value is None:
        return None
    allowed = f"{low} to {high}" if high is not None else f"{low} or more"
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidRequestError(f"{name} is {value!r}; expected an integer, {allowed}")
    if value < low or (high is not None and value > high):
        raise InvalidRequestError(f"{name} is {value}; expected {allowed}")
    return value


def word(
    name: str, value: str | None, words: Collection[str], hints: Mapping[str, str] | None = None
) -> str | None:
    """One of the filter's words; None stays None.

    Raises:
        InvalidRequestError: Another word; the message names the right one where it is known.
    """
    if value is None or value in words:
        return value
    expected = ", ".join(f'"{each}"' for each in words)
    if isinstance(value, str) and "," in value:
        remedy = f"expected one of {expected}: make a call for each"
    elif hints and hints.get(value) in words:
        remedy = f'that is the status of an object; filter with "{hints[value]}"'
    else:
        remedy = f"expected one of {expected}, or None"
    raise InvalidRequestError(f"{name} is {value!r}; {remedy}")


def status_word(value: str | None, words: Collection[str]) -> str | None:
    """``word`` for statuses, with hints for those that objects have."""
    return word("status", value, words, _OBJECT_STATUS)


def timestamp(name: str, value: Timestamp | None) -> int | None:
    """Unix seconds; None stays None.

    Raises:
        InvalidRequestError: A naive datetime, or neither integer nor datetime.
    """
    if value is None:
        return None
    if isinstance(value, datetime):
        return int(_aware(name, value, "Unix seconds").timestamp())
    return _whole(name, value, "Unix seconds")


def milliseconds(name: str, value: Timestamp | None) -> int | None:
    """Unix milliseconds; None stays None. Raises as ``timestamp`` does."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return round(_aware(name, value, "Unix milliseconds").timestamp() * 1000)
    return _whole(name, value, "Unix milliseconds")


def rfc3339(name: str, value: str | datetime | None) -> str | None:
    """A date-time as text; a datetime is sent in UTC. None stays None.

    Raises:
        InvalidRequestError: A naive datetime, or an empty text.
    """
    if isinstance(value, datetime):
        aware = _aware(name, value, "RFC 3339 text")
        return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return optional(name, value)


def span(
    low_name: str, low: int | None, high_name: str, high: int | None
) -> tuple[int | None, int | None]:
    """Both ends of a span of time.

    Raises:
        InvalidRequestError: The start is later than the end.
    """
    if low is not None and high is not None and low > high:
        raise InvalidRequestError(
            f"{low_name} ({low}) is later than {high_name} ({high}); nothing lies between: "
            "swap them"
        )
    return low, high


def between(
    low_name: str, low: Timestamp | None, high_name: str, high: Timestamp | None
) -> dict[str, int | None]:
    """Two time filters in Unix seconds, by name. Raises as ``timestamp`` and ``span`` do."""
    start, end = span(low_name, timestamp(low_name, low), high_name, timestamp(high_name, high))
    return {low_name: start, high_name: end}


def candle_span(
    start_ts: Timestamp, end_ts: Timestamp, period_interval: int, periods: Collection[int] = PERIODS
) -> dict[str, int | None]:
    """The three parameters that all candlestick operations share.

    Raises:
        InvalidRequestError: A naive datetime, a start after the end, or no such period.
    """
    if isinstance(period_interval, bool) or period_interval not in periods:
        raise InvalidRequestError(
            f"period_interval is {period_interval!r}; expected 1 (a minute), 60 (an hour) "
            "or 1440 (a day)"
        )
    if start_ts is None or end_ts is None:
        raise InvalidRequestError("start_ts and end_ts are both needed for candlesticks")
    return {
        **between("start_ts", start_ts, "end_ts", end_ts),
        "period_interval": period_interval,
    }


def market_times(
    status: str | None,
    families: Sequence[Family],
    others: Mapping[str, object],
    mve_filter: str | None,
) -> dict[str, int | None]:
    """The time filters of ``GET /markets`` in Unix seconds, if their combination is legal.

    ``others`` are the remaining filters by name; the updated family stands no other.

    Raises:
        InvalidRequestError: Two families at once, a family with a status it does not go with, or
            another filter beside the updated family.
    """
    used = [family for family in families if family.used]
    if len(used) > 1:
        raise InvalidRequestError(
            f"{used[0].label} and {used[1].label} exclude each other; filter by one of them "
            "and compare the other yourself"
        )
    for family in used:
        if family.name == "updated":
            _check_updated_alone(status, others, mve_filter)
        elif status is not None and status not in family.statuses:
            words = " or ".join(f'status="{each}"' for each in family.statuses)
            raise InvalidRequestError(
                f'{family.label} cannot be combined with status="{status}"; use {words}, '
                "or no status"
            )
    times: dict[str, int | None] = {}
    for name, low, high, _ in families:
        times |= between(f"min_{name}_ts", low, f"max_{name}_ts", high)
    return times


def _check_updated_alone(
    status: str | None, others: Mapping[str, object], mve_filter: str | None
) -> None:
    clashing = {"status": status, **others}
    if mve_filter != "exclude":
        clashing["mve_filter"] = mve_filter
    for name, value in clashing.items():
        if value is not None:
            raise InvalidRequestError(
                f"min_updated_ts/max_updated_ts cannot be combined with {name}={value!r}; "
                'the only filter they stand is mve_filter="exclude"'
            )


def _aware(name: str, value: datetime, otherwise: str) -> datetime:
    if value.tzinfo is None:
        raise InvalidRequestError(
            f"{name}={value.isoformat()} has no time zone; expected an aware datetime "
            f"(tzinfo=UTC) or {otherwise}"
        )
    return value


def _whole(name: str, value: object, unit: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidRequestError(f"{name} is {value!r}; expected {unit} or an aware datetime")
    return value
