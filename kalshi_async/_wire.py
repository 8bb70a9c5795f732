"""Requests to bytes and answers to errors, without I/O.

``build_request`` turns an operation and its arguments into what goes over the network;
``parse_error`` finds what the exchange said in any body it is known to send.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from urllib.parse import quote, urlsplit

import msgspec

from ._errors import (
    APIError,
    DecodeError,
    ErrorBody,
    InvalidRequestError,
    KalshiError,
    api_error,
)
from ._operations import Operation
from ._repair import UNREADABLE

QueryScalar = str | int | bool | Decimal | datetime
QueryValue = QueryScalar | Iterable[str] | Iterable[int] | None

_NO_SEGMENT = ("", ".", "..")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_ERROR_KEY_WINDOW = 256
_PLAIN_WINDOW = 4096


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it goes over the network, all but the signature.

    Attributes:
        method: HTTP verb.
        url: Absolute URL with the query.
        path: The percent-encoded path alone: what is signed.
        headers: Headers without the signed ones.
        body: The encoded body, None for no body.
    """

    method: str
    url: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


class Authorizer(Protocol):
    """Proves who sends a request, by headers that are made when it leaves."""

    async def headers_async(
        self, method: str, path: str, *, busy: bool = False
    ) -> Mapping[str, str]:
        """The headers; ``busy`` says that other requests are under way. Safe to cancel."""
        ...

    def learn_clock(self, date: str | None, sent_at: float, received_at: float) -> float | None:
        """Take the server's time from a ``Date`` header; the offset in seconds, None for none."""
        ...

    def wall_clock(self) -> float:
        """This machine's time in Unix seconds."""
        ...

    def close(self) -> None:
        """Give back whatever it holds."""
        ...


Judge = Callable[[Operation, "Response"], None]
"""Returns quietly when an answer is a success, else raises what it says."""


@dataclass(slots=True)
class Response:
    """One answer: status, headers (names in lower case), whole body.

    The pipeline adds how many attempts it took and how many seconds.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    attempts: int = 1
    elapsed: float = 0.0

    def json(self) -> object:
        """The body as plain Python values; None where it is empty.

        Raises:
            DecodeError: It is no JSON.
        """
        if not self.body:
            return None
        try:
            decoded: object = msgspec.json.decode(self.body)
        except UNREADABLE as exc:
            raise DecodeError(f"no JSON: {exc}", status=self.status, body=self.body) from exc
        return decoded


def answered(error: KalshiError, operation: Operation, response: Response) -> None:
    """Complete an error that was found in an answer."""
    error.operation = operation.name
    error.attempts = response.attempts
    error.elapsed = response.elapsed
    error.may_have_reached_server = True


class RequestBuilder:
    """Builds requests for one base URL.

    Args:
        base_url: Host and path prefix, e.g. ``https://host/trade-api/v2``; no trailing slash.
        user_agent: Value of the ``User-Agent`` header.
    """

    def __init__(self, base_url: str, user_agent: str) -> None:
        parts = urlsplit(base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._prefix = parts.path.rstrip("/")
        self._headers = {"accept": "application/json", "user-agent": user_agent}
        self._json_headers = self._headers | {"content-type": "application/json"}

    def build(
        self,
        operation: Operation,
        path: Mapping[str, str | int] | None = None,
        query: Mapping[str, QueryValue] | None = None,
        body: object = None,
    ) -> Request:
        """The request of an operation.

        Args:
            operation: What to call.
            path: Values of the path placeholders; percent-encoded here.
            query: Query parameters; None values are left out, iterables repeat the parameter.
            body: Anything msgspec encodes to JSON, or None.

        Raises:
            InvalidRequestError: A path value is missing, or a query value has no wire form.
        """
        target = self._prefix + expand_path(operation.path, path or {})
        encoded = encode_query(query) if query else ""
        url = f"{self._origin}{target}?{encoded}" if encoded else self._origin + target
        if body is None:
            return Request(operation.method, url, target, self._headers)
        payload = msgspec.json.encode(body)
        return Request(operation.method, url, target, self._json_headers, payload)


def expand_path(template: str, values: Mapping[str, str | int]) -> str:
    """Fill ``{name}`` placeholders, percent-encoding every value whole.

    Raises:
        InvalidRequestError: A value is missing, empty, or one that a server would resolve away.
    """

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        value = values.get(name, "")
        if isinstance(value, bool) or not isinstance(value, str | int) or value in _NO_SEGMENT:
            raise InvalidRequestError(f"{name} is {value!r}; expected a non-empty identifier")
        return _quoted(name, str(value))

    return _PLACEHOLDER.sub(fill, template)


def encode_query(query: Mapping[str, QueryValue]) -> str:
    """``name=value`` pairs joined by ``&``; None is left out, iterables repeat their name."""
    pairs = []
    for name, value in query.items():
        if value is None:
            continue
        if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
            pairs += [f"{name}={encode_scalar(name, item)}" for item in value]
        else:
            pairs.append(f"{name}={encode_scalar(name, value)}")
    return "&".join(pairs)


def encode_scalar(name: str, value: object) -> str:
    """One query value as the exchange reads it: booleans in words, datetimes as Unix seconds.

    Raises:
        InvalidRequestError: No ``QueryScalar``, a datetime without a time zone, a Decimal that is
            no number.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidRequestError(
                f"{name}={value.isoformat()} has no time zone; expected an aware datetime "
                "or Unix seconds"
            )
        return str(int(value.timestamp()))
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if isinstance(value, str | int):
        return _quoted(name, str(value))
    raise InvalidRequestError(
        f"{name} is {value!r}, a {type(value).__name__}; expected text, an integer, a boolean, "
        "a Decimal that is a number, or a datetime"
    )


def _quoted(name: str, text: str) -> str:
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise InvalidRequestError(f"{name} is {text!r}, which is no Unicode text") from None


def raise_for_error(operation: Operation, response: Response) -> None:
    """Return quietly when the answer is a success, else raise what it says.

    An error body under a 2xx status is an error as well.

    Raises:
        APIError: The exchange reports an error.
        DecodeError: Neither success nor error (a redirect: none is followed).
    """
    status = response.status
    if 200 <= status < 300:
        if b'"error"' in response.body[:_ERROR_KEY_WINDOW]:
            hidden = _hidden_error(response)
            if hidden is not None:
                raise hidden
        return
    if status < 400:
        where = _target(response.headers.get("location"))
        raise DecodeError(
            f"HTTP {status}: a redirect{where} is not followed; check base_url",
            status=status,
            body=response.body,
        )
    raise api_error(status, parse_error(response.body))


def _target(location: str | None) -> str:
    """Where a redirect leads, for a message."""
    if not location:
        return ""
    try:
        host = urlsplit(location).hostname
    except ValueError:
        return ""
    return f" to {host or 'the same host'}"


def _hidden_error(response: Response) -> APIError | None:
    """The error of a 2xx body whose top-level ``error`` is set."""
    try:
        body = msgspec.json.decode(response.body)
    except UNREADABLE:
        return None
    if isinstance(body, dict) and body.get("error"):
        return api_error(response.status, parse_error(response.body))
    return None


def parse_error(body: bytes) -> ErrorBody:
    """What an error body says, in any of the exchange's shapes.

    Known shapes: ``{"error": {…}}``, ``{"error": "text"}``, ``{"code", "message", "details"}``,
    ``{"msg": "text"}``, a bare JSON string, a JSON list, plain text, HTML, nothing.
    """
    text = body.decode("utf-8", "replace").strip()
    if not text:
        return ErrorBody(message="empty body")
    try:
        decoded: object = msgspec.json.decode(body)
    except UNREADABLE:
        return ErrorBody(message=_plain(text))
    try:
        return _from_json(decoded)
    except (RecursionError, OverflowError):  # nothing that anybody would want to read
        return ErrorBody(message=_plain(text))


def _from_json(decoded: object) -> ErrorBody:
    if isinstance(decoded, str):
        return ErrorBody(message=decoded or "empty text")
    if isinstance(decoded, list):
        return _from_json(decoded[0]) if len(decoded) == 1 else ErrorBody(message=_joined(decoded))
    if not isinstance(decoded, dict):
        return ErrorBody(message=f"body is {decoded!r}")
    inner = decoded.get("error")
    if isinstance(inner, dict):
        return _from_mapping(inner)
    if isinstance(inner, str) and inner:
        return ErrorBody(code=_text(decoded.get("code")), message=inner)
    return _from_mapping(decoded)


def _from_mapping(said: Mapping[str, object]) -> ErrorBody:
    message = _text(said.get("message")) or _text(said.get("msg"))
    code = _text(said.get("code"))
    if message is None and code is None:
        message = _text(said) or "empty object"
    return ErrorBody(code, message, _text(said.get("details")), _text(said.get("service")))


def _text(value: object) -> str | None:
    """A value as text; structures as JSON; None for nothing."""
    if value is None or value in ("", [], {}):
        return None
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()[:500]


def _joined(items: list[object]) -> str:
    if not items:
        return "empty list"
    parts = []
    for item in items[:5]:
        body = _from_json(item)
        parts.append(": ".join(part for part in (body.code, body.message) if part))
    return "; ".join(parts)


def _plain(text: str) -> str:
    """Plain text or HTML cut to one readable line."""
    text = text[:_PLAIN_WINDOW]
    if text.startswith("<"):
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        return f"HTML page: {' '.join(title[1].split())}" if title else "HTML page"
    return " ".join(text.split())[:200]
