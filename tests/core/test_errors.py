"""Error bodies in every shape, and what the errors tell."""

from __future__ import annotations

import copy
import pickle

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kalshi_async
from kalshi_async import (
    APIError,
    ConfigurationError,
    DeadlineExceededError,
    DecodeError,
    KalshiClient,
    KalshiError,
    NotFoundError,
    Operation,
    RequestTimeoutError,
    Response,
    RetryPolicy,
    ServerError,
)
from kalshi_async._decode import object_decoder
from kalshi_async._errors import ErrorBody, api_error
from kalshi_async._wire import parse_error, raise_for_error
from tests.support import ScriptedHTTP, answer

from .keys import BASE

GET = Operation("GetThing", "GET", "/thing")
UTF8_BOM = b"\xef\xbb\xbf"

SHAPES: list[tuple[bytes, str | None, str | None, str | None]] = [
    # body, code, message, details
    (
        b'{"error":{"code":"authentication_error","message":"authentication_error",'
        b'"details":"INCORRECT_API_KEY_SIGNATURE"}}',
        "authentication_error",
        "authentication_error",
        "INCORRECT_API_KEY_SIGNATURE",
    ),
    (
        b'{"code":"bad_request","message":"bad request","details":"json: cannot unmarshal"}',
        "bad_request",
        "bad request",
        "json: cannot unmarshal",
    ),
    (b'{"msg":"Parameter validation failed"}', None, "Parameter validation failed", None),
    (b'{"error":"too many requests"}', None, "too many requests", None),
    (b'{"error":"no","code":"c"}', "c", "no", None),
    (b'{"error":{"code":"c"}}', "c", None, None),
    (b'{"error":{"code":7,"message":null,"details":{"a":[1]}}}', "7", None, '{"a":[1]}'),
    (b'"Invalid ticker"', None, "Invalid ticker", None),
    (b'""', None, "empty text", None),
    (b'["first","second"]', None, "first; second", None),
    (b'[{"code":"c","message":"m"}]', "c", "m", None),
    (b'[{"code":"c","message":"m"},"x"]', None, "c: m; x", None),
    (b"[]", None, "empty list", None),
    (b"{}", None, "empty object", None),
    (b'{"error":{}}', None, "empty object", None),
    (b'{"error":null}', None, '{"error":null}', None),
    (b'{"error":["a"]}', None, '{"error":["a"]}', None),
    (b"null", None, "body is None", None),
    (b"42", None, "body is 42", None),
    (b"", None, "empty body", None),
    (b" \r\n\t", None, "empty body", None),
    (b"upstream connect error\nor reset", None, "upstream connect error or reset", None),
    (b"<html><title>502 Bad\n Gateway</title></html>", None, "HTML page: 502 Bad Gateway", None),
    (b"<!DOCTYPE html><p>x", None, "HTML page", None),
    (b"\xff\xfe\x00", None, "\ufffd\ufffd\x00", None),
    (b'{"message":123456789012345678901234567890}', None, "123456789012345678901234567890", None),
]


@pytest.mark.parametrize(("body", "code", "message", "details"), SHAPES)
def test_every_shape(
    body: bytes, code: str | None, message: str | None, details: str | None
) -> None:
    assert parse_error(body) == ErrorBody(code, message, details, None)


def test_service_is_kept() -> None:
    body = b'{"error":{"code":"c","message":"m","service":"orders"}}'
    assert parse_error(body).service == "orders"


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"message":"caf\xe9"}}',
        b'"\xff"',
        b"[" * 5000 + b"]" * 5000,
        b"[" * 900 + b"]" * 900,
        b"[0," * 900 + b"1" + b"]" * 900,
        b'{"error":' * 3000,
        b'{"message":' + b'{"a":' * 900 + b"1" + b"}" * 901,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b"1" * 6000,
        b'{"code":' + b"9" * 6000 + b"}",
        b'"\\ud800"',
        b"<title" * 100_000,
        UTF8_BOM + b'{"error":"x"}',
        b"\x00" * 10,
    ],
    ids=lambda body: body[:12],
)
def test_nonsense_is_read_without_complaint(body: bytes) -> None:
    read = parse_error(body)
    assert read.message or read.code
    error = api_error(500, read)
    assert "\n" not in str(error)
    assert len(str(error)) < 1100


@given(st.binary())
def test_parse_error_never_raises_on_bytes(body: bytes) -> None:
    read = parse_error(body)
    assert read.message or read.code


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
KEYS = st.sampled_from(["error", "code", "message", "msg", "details", "service"]) | st.text()
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=12
)


@given(JSON)
def test_parse_error_never_raises_on_json(value: object) -> None:
    try:
        body = msgspec.json.encode(value)
    except (UnicodeEncodeError, OverflowError):
        return
    read = parse_error(body)
    assert read.message or read.code
    assert all(part is None or isinstance(part, str) for part in (read.details, read.service))
    assert "HTTP 400" in str(api_error(400, read))


# ---------------------------------------------------------------------------- under a 2xx


def test_an_error_key_under_a_success_is_an_error() -> None:
    for body in (b'{"error":{"code":"late","message":"m"}}', b'{"error":"late"}'):
        with pytest.raises(APIError, match="HTTP 200, late") as caught:
            raise_for_error(GET, Response(200, {}, body))
        assert caught.value.status == 200
        assert type(caught.value) is APIError


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{}}',
        b'{"error":null,"market":{}}',
        b'{"error":"","market":{}}',
        b'{"error":[],"market":{}}',
        b'{"market":{"title":"error"}}',
        b'{"market":{"error":"inside"}}',
        b'{"title":"\\"error\\": {}"}',
        b'[{"error":"of one item"}]',
        b'"error"',
        b'{"error"',
        b'{"error":"\xff"}',
        b'{"error":' + b"[" * 3000,
        b"",
    ],
)
def test_a_success_stays_one(body: bytes) -> None:
    raise_for_error(GET, Response(200, {}, body))


async def test_a_market_that_talks_of_errors_is_read() -> None:
    body = {"exchange_active": True, "trading_active": True, "note": '"error"', "why": "error"}
    async with KalshiClient(base_url=BASE, http=ScriptedHTTP(answer(body)), limits=None) as kalshi:
        assert (await kalshi.exchange.status()).exchange_active


@pytest.mark.parametrize("body", [b"\xff", b'{"\xff', b"[" * 5000, b"", b"5"])
async def test_unreadable_successes_are_decode_errors(body: bytes) -> None:
    http = ScriptedHTTP(answer(body))
    async with KalshiClient(base_url=BASE, http=http, limits=None) as kalshi:
        with pytest.raises(DecodeError, match="GetExchangeStatus") as caught:
            await kalshi.exchange.status()
    assert caught.value.may_have_reached_server
    assert caught.value.status == 200
    assert caught.value.body == body[:500]


def test_invalid_utf8_inside_an_object_is_a_decode_error() -> None:
    class Named(msgspec.Struct):
        name: str

    with pytest.raises(DecodeError, match="unexpected answer"):
        object_decoder(Named).decode(b'{"name":"\xff"}')


# ---------------------------------------------------------------------------- what errors tell


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (409, "ConflictError"),
        (410, "DeprecatedError"),
        (429, "RateLimitError"),
        (500, "ServerError"),
        (503, "ServerError"),
        (599, "ServerError"),
        (418, "APIError"),
    ],
)
def test_a_class_for_each_status(status: int, name: str) -> None:
    with pytest.raises(APIError) as caught:
        raise_for_error(GET, Response(status, {}, b'{"code":"c","message":"m","details":"d"}'))
    error = caught.value
    assert type(error) is getattr(kalshi_async, name)
    assert (error.status, error.code, error.message, error.details) == (status, "c", "m", "d")
    assert error.may_have_reached_server


async def test_str_tells_operation_status_code_and_attempts() -> None:
    body = {"error": {"code": "not_found", "message": "no such thing", "details": "KXNONE"}}
    http = ScriptedHTTP(answer(body, 503), answer(body, 404))
    policy = RetryPolicy(first=0.0, longest=0.0)
    async with KalshiClient(base_url=BASE, http=http, limits=None, retry=policy) as kalshi:
        with pytest.raises(NotFoundError) as caught:
            await kalshi.exchange.status()
    text = str(caught.value)
    assert text.startswith("GetExchangeStatus: HTTP 404, not_found: no such thing; KXNONE (")
    assert "2 attempts" in text
    assert caught.value.operation == "GetExchangeStatus"
    assert caught.value.elapsed >= 0


def test_str_with_all_facts() -> None:
    error = KalshiError("broke")
    assert str(error) == "broke"
    error.operation, error.attempts, error.elapsed, error.cursor = "GetMarkets", 1, 1.234, "abc"
    assert str(error) == "GetMarkets: broke (1 attempt, 1.23 s, not sent, resume from cursor 'abc')"
    error.may_have_reached_server = True
    assert "not sent" not in str(error)


def test_messages_of_the_exchange_stay_one_line() -> None:
    body = ErrorBody("c", "first\n\x1b\tsecond " + "x" * 5000)
    error = api_error(400, body)
    assert str(error).startswith("HTTP 400, c: first second xxx")
    assert str(error).isprintable()
    assert len(str(error)) < 1100
    assert error.message == body.message


def test_builtin_parents() -> None:
    assert issubclass(RequestTimeoutError, TimeoutError)
    assert issubclass(DeadlineExceededError, TimeoutError)
    assert issubclass(ConfigurationError, ValueError)


def error_classes(root: type[KalshiError] = KalshiError) -> list[type[KalshiError]]:
    return [root, *(leaf for kind in root.__subclasses__() for leaf in error_classes(kind))]


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.__name__)
def test_every_error_can_be_copied_and_pickled(kind: type[KalshiError]) -> None:
    error = kind(503, ErrorBody("c", "m", "d")) if issubclass(kind, APIError) else kind("why")  # type: ignore[call-arg, arg-type]
    error.operation, error.attempts = "GetThing", 3
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is kind
        assert str(twin) == str(error)
        assert vars(twin) == vars(error)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    from kalshi_async import _errors

    assert _errors.__doc__ is not None
    for kind in error_classes():
        assert kind.__name__ in _errors.__doc__
        assert kind.__name__ in kalshi_async.__all__
    assert issubclass(ServerError, APIError)
