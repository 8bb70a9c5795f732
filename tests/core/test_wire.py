"""Requests on the wire: encoded whole, signed as sent, no redirect followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import parse_qsl, unquote

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import DecodeError, InvalidRequestError, KalshiClient, Operation
from kalshi_async._wire import (
    RequestBuilder,
    Response,
    encode_query,
    encode_scalar,
    expand_path,
    raise_for_error,
)

from .keys import KEY_ID, ed_key, verify
from .servers import http_answer, listening

GET = Operation("GetThing", "GET", "/things/{name}")
POST = Operation("MakeThing", "POST", "/things")
BUILDER = RequestBuilder("https://host.example/trade-api/v2", "test/1")
ODD = [
    "A/B",
    "A?B",
    "A#B",
    "A%2FB",
    "%",
    "a b",
    "..\\x",
    "a/../b",
    "é日本\U0001f600",
    "+&=",
    "~._-",
]

# ---------------------------------------------------------------------------- paths


@pytest.mark.parametrize("value", ODD)
def test_path_values_are_encoded_whole(value: str) -> None:
    path = expand_path("/things/{name}/end", {"name": value})
    head, encoded, tail = path[1:].split("/")
    assert (head, tail) == ("things", "end")
    assert unquote(encoded) == value
    assert encoded.isascii()
    assert not set(encoded) & set("?#/ \\")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_survives_a_path(value: str) -> None:
    if value in (".", ".."):
        return
    request = BUILDER.build(GET, {"name": value})
    assert request.path.startswith("/trade-api/v2/things/")
    assert request.url == f"https://host.example{request.path}"
    assert unquote(request.path.rpartition("/")[2]) == value


@pytest.mark.parametrize("value", ["", ".", "..", None, True, 1.5, b"A", "\ud800"])
def test_values_that_are_no_segment_are_refused(value: object) -> None:
    with pytest.raises(InvalidRequestError, match="name is "):
        expand_path("/things/{name}", {"name": value})  # type: ignore[dict-item]


def test_a_missing_value_is_refused_and_integers_are_fine() -> None:
    with pytest.raises(InvalidRequestError, match="name is ''; expected a non-empty identifier"):
        expand_path("/things/{name}", {})
    assert expand_path("/things/{name}", {"name": 17}) == "/things/17"


# ---------------------------------------------------------------------------- queries


def test_query_values_in_their_wire_forms() -> None:
    noon = datetime(2026, 11, 22, 12, 0, 0, 999_999, UTC)
    query = encode_query(
        {
            "limit": 100,
            "nested": True,
            "off": False,
            "none": None,
            "empty": "",
            "at": noon,
            "there": noon.astimezone(timezone(timedelta(hours=5, minutes=30))),
            "price": Decimal("0.6200"),
            "tiny": Decimal("1E-7"),
            "big": Decimal("1E+3"),
            "tickers": ["A,B", "C&D"],
            "numbers": (1, 2),
            "nobody": [],
        }
    )
    assert query.split("&") == [
        "limit=100",
        "nested=true",
        "off=false",
        "empty=",
        f"at={int(noon.timestamp())}",
        f"there={int(noon.timestamp())}",
        "price=0.6200",
        "tiny=0.0000001",
        "big=1000",
        "tickers=A%2CB",
        "tickers=C%26D",
        "numbers=1",
        "numbers=2",
    ]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_any_texts_survive_a_query(values: list[str]) -> None:
    decoded = parse_qsl(encode_query({"x": values}), keep_blank_values=True, strict_parsing=False)
    assert decoded == [("x", value) for value in values]


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_keep_every_digit_and_no_exponent(value: Decimal) -> None:
    if abs(value.adjusted()) > 400:
        return
    text = encode_scalar("x", value)
    assert Decimal(text) == value
    assert set(text) <= set("-.0123456789")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (0.5, "is 0.5, a float; expected text"),
        ([0.5], "a float; expected"),
        ([None], "a NoneType; expected"),
        (b"AB", "a bytes; expected"),
        ({"a": 1}, "a dict; expected"),
        (date(2026, 1, 1), "a date; expected"),
        (object(), "expected text, an integer"),
        (Decimal("NaN"), "a Decimal that is a number"),
        (Decimal("-Infinity"), "a Decimal that is a number"),
        ("\udcff", "no Unicode text"),
        (datetime(2026, 1, 1), "no time zone; expected an aware datetime"),  # noqa: DTZ001
        ([datetime(2026, 1, 1)], "no time zone"),  # noqa: DTZ001
    ],
)
def test_values_without_a_wire_form_are_refused(value: object, says: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"^when.*{says}"):
        encode_query({"when": value})  # type: ignore[dict-item]


def test_bodies_are_json_with_their_type() -> None:
    request = BUILDER.build(POST, body={"price": Decimal("0.6200"), "count": 3})
    assert msgspec.json.decode(request.body or b"") == {"price": "0.6200", "count": 3}
    assert request.headers["content-type"] == "application/json"
    plain = BUILDER.build(POST)
    assert plain.body is None
    assert "content-type" not in plain.headers
    assert plain.headers["user-agent"] == "test/1"


# ---------------------------------------------------------------------------- a real socket


@dataclass
class Recorder:
    """What a server was sent, byte for byte."""

    answer: bytes
    base_url: str = ""
    lines: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            self.lines.append(head[0])
            pairs = (line.split(": ", 1) for line in head[1:] if line)
            self.headers.append({name.lower(): value for name, value in pairs})
            writer.write(self.answer)
            await writer.drain()


@asynccontextmanager
async def recorder(status: str, body: bytes, *headers: str) -> AsyncIterator[Recorder]:
    record = Recorder(http_answer(status, body, *headers))
    async with listening(record.serve) as record.base_url:
        yield record


def signed_client(record: Recorder, http: str | httpx.AsyncClient) -> KalshiClient:
    return KalshiClient(
        base_url=record.base_url,
        api_key_id=KEY_ID,
        private_key=ed_key(),
        http=http,  # type: ignore[arg-type]
        limits=None,
    )


@pytest.mark.parametrize("http", ["httpx", "aiohttp"])
async def test_what_is_signed_is_what_is_sent(http: str) -> None:
    query = {"q": "a b&c=d/é%20#?+", "tickers": ["A,1", "B%2C", "'\"(!*~"], "limit": 5, "on": True}
    async with recorder("200 OK", b"{}") as record:
        async with signed_client(record, http) as kalshi:
            for value in ODD:
                await kalshi._transport.call(GET, path={"name": value}, query=query)
        assert len(record.lines) == len(ODD)
        for value, line, headers in zip(ODD, record.lines, record.headers, strict=True):
            method, target, version = line.split(" ")
            assert (method, version) == ("GET", "HTTP/1.1")
            path, _, sent_query = target.partition("?")
            assert unquote(path.removeprefix("/trade-api/v2/things/")) == value
            assert sent_query == encode_query(query)
            assert headers["host"] == record.base_url.split("/")[2]
            signed = {name.upper(): text for name, text in headers.items()}
            verify(ed_key(), signed, "GET", path)


@pytest.mark.parametrize("http", ["httpx", "aiohttp", "own"])
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temp", "308 Perm"])
async def test_redirects_raise_and_are_not_followed(http: str, status: str) -> None:
    async with (
        recorder("200 OK", b"{}") as elsewhere,
        recorder(status, b"gone", f"location: {elsewhere.base_url}/things/A") as record,
        httpx.AsyncClient(follow_redirects=True) as own,
        signed_client(record, own if http == "own" else http) as kalshi,
    ):
        with pytest.raises(DecodeError, match=r"redirect to 127.0.0.1 is not") as caught:
            await kalshi._transport.call(GET, path={"name": "A"})
    assert caught.value.status == int(status[:3])
    assert caught.value.may_have_reached_server
    assert len(record.lines) == 1
    assert elsewhere.lines == []


@pytest.mark.parametrize("http", ["httpx", "aiohttp"])
async def test_signed_requests_for_loopback_do_not_go_to_a_proxy(
    http: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with recorder("200 OK", b"{}") as record, recorder("200 OK", b"{}") as proxy:
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.base_url.removesuffix("/trade-api/v2"))
        async with signed_client(record, http) as kalshi:
            await kalshi._transport.call(GET, path={"name": "A"})
    assert proxy.lines == []
    assert len(record.lines) == 1


@pytest.mark.parametrize(
    ("location", "says"),
    [
        (None, "a redirect is not followed; check base_url"),
        ("/elsewhere", "a redirect to the same host is not"),
        ("https://me:geheim@evil.com/x", "a redirect to evil.com is not"),
        ("http://[broken", "a redirect is not"),
    ],
)
def test_redirects_name_the_host_only(location: str | None, says: str) -> None:
    headers = {} if location is None else {"location": location}
    with pytest.raises(DecodeError, match=says) as caught:
        raise_for_error(GET, Response(302, headers, b"<html>"))
    assert "geheim" not in str(caught.value)
