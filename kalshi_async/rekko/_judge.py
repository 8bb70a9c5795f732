"""Rekko's answers: which are errors, and what they say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from .._auth import exchange_time
from .._errors import APIError, ErrorBody, api_error
from .._operations import Operation
from .._rekko_errors import InvalidParametersError, PlanRequiredError, QuotaExceededError
from .._repair import UNREADABLE
from .._wire import Response, parse_error, raise_for_error
from ..models.secret import Secret

_PLACE_HOLDER = b"<key>"
_SHORTEST_KEY = 8
"""What is shorter is no key of Rekko's, and taking it out would spoil other words."""

_MOST_PROBLEMS = 10
_NEVER_A_FIELD = ("body", "query", "path", "header")


class Judge:
    """Tells successes from errors.

    Args:
        key: Taken out of each body, should the server repeat it.
    """

    def __init__(self, key: Secret) -> None:
        self._key = key

    def __call__(self, operation: Operation, response: Response) -> None:
        """Return quietly when the answer is a success, else raise what it says.

        Raises:
            APIError: Rekko reports an error.
            DecodeError: A redirect: none is followed.
        """
        self._take_key_out(response)
        status = response.status
        if 200 <= status < 300:
            if b'"error"' in response.body and _is_error(response.body):
                raise rekko_error(status, response)
            return
        if status < 400:
            raise_for_error(operation, response)
        raise rekko_error(status, response)

    def _take_key_out(self, response: Response) -> None:
        key = self._key.reveal().encode()
        if len(key) >= _SHORTEST_KEY and key in response.body:
            response.body = response.body.replace(key, _PLACE_HOLDER)


def _is_error(body: bytes) -> bool:
    """Whether a body under a 2xx status is an error all the same.

    A run that failed says ``error`` as well, beside its ``status``; and that is an answer.
    """
    said = _object(body)
    return bool(said.get("error")) and "status" not in said


def rekko_error(status: int, response: Response) -> APIError:
    """The error of an answer with this status."""
    said = _said(response.body)
    body = _error_body(said) if said else parse_error(response.body)
    code = (body.code or "").lower()
    error: APIError
    if status == 402:
        error = plan = PlanRequiredError(status, body)
        plan.plan, plan.required_plan = _text(said.get("plan")), _text(said.get("required_plan"))
    elif status == 422:
        error = refused = InvalidParametersError(status, body)
        refused.problems = tuple(_problems(said.get("detail")))
    elif status == 429 and _is_quota(code, said.get("quota")):
        error = spent = QuotaExceededError(status, body)
        quota = said.get("quota")
        if isinstance(quota, int | str) and not isinstance(quota, bool):
            spent.quota = quota
        spent.resets_at = _time(said.get("resets_at"))
    else:
        # By the status alone: the exchange's codes mean something else.
        error = type(api_error(status, ErrorBody()))(status, body)
    error.retry_after = retry_after(response.headers)
    return error


def _is_quota(code: str, quota: object) -> bool:
    """Whether a 429 says that a quota is used up; a mere rate limit may name the quota as well."""
    return "quota" in code or (quota is not None and not code.startswith("rate"))


def _object(body: bytes) -> dict[str, object]:
    try:
        decoded: object = msgspec.json.decode(body)
    except UNREADABLE:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _said(body: bytes) -> dict[str, object]:
    """All that an error body says, in one mapping; empty where it is no object."""
    said = _object(body)
    for name in ("error", "detail"):
        inner = said.get(name)
        if isinstance(inner, dict):
            said = {**said, name: None, **inner}
    return said


def _error_body(said: Mapping[str, object]) -> ErrorBody:
    """Code and message of a body in any of the forms of its kind of server."""
    detail, short = said.get("detail"), _text(said.get("error"))
    if isinstance(detail, list):
        listed = [f"{name}: {what}" if name else what for name, what in _problems(detail)]
        detail = "; ".join(listed)
    message = _text(said.get("message")) or _text(said.get("msg")) or _text(detail)
    code = _text(said.get("code")) or (short if message else None)
    message = message or short
    if message is None and code is None:
        message = _text(dict(said)) or "empty object"
    return ErrorBody(code, message)


def _problems(detail: object) -> list[tuple[str, str]]:
    """Parameter and problem, from the list that validation gives."""
    found = []
    for one in detail[:_MOST_PROBLEMS] if isinstance(detail, list) else []:
        if isinstance(one, dict):
            where = one.get("loc")
            parts = where if isinstance(where, list) else [where]
            name = ".".join(str(part) for part in parts if part not in (*_NEVER_A_FIELD, None))
            found.append((name, _text(one.get("msg")) or _text(one.get("message")) or "refused"))
        else:
            found.append(("", _text(one) or "refused"))
    return found


def _text(value: object) -> str | None:
    if value is None or value in ("", [], {}):
        return None
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value).decode()[:500]
    except (RecursionError, OverflowError):  # nothing that anybody would want to read
        return None


def _time(value: object) -> datetime | None:
    """A time as text or in Unix seconds; None for anything else."""
    try:
        found = msgspec.convert(value, datetime, strict=False)
    except (msgspec.ValidationError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a ``Retry-After`` asks for: a number, or a date beside the answer's own.

    None where there is none that can be read, or no ``Date`` to compare it with.
    """
    asked = headers.get("retry-after", "").strip()
    if not asked:
        return None
    try:
        seconds = float(asked)
    except ValueError:
        until, now = exchange_time(asked), exchange_time(headers.get("date"))
        if until is None or now is None:
            return None
        seconds = until - now
    return max(0.0, seconds) if math.isfinite(seconds) else None
