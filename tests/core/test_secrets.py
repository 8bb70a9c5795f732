"""No key, passphrase or signature anywhere: not in repr, messages, tracebacks, logs, events."""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from kalshi_async import ConfigurationError, KalshiClient, KalshiError, LoggingHook, RetryPolicy
from kalshi_async._config import config_from_env, make_config
from tests.support import ScriptedHTTP, answer

from .keys import BASE, KEY_ID, PASSPHRASE, key_of, pem, public_pem
from .servers import Serve, http_answer, listening

KINDS = pytest.mark.parametrize("kind", ["rsa", "ed25519"])
FORMS = pytest.mark.parametrize("passphrase", [None, PASSPHRASE], ids=["plain", "encrypted"])


BEHAVIOURS: dict[str, bytes | None] = {
    "success": http_answer("200 OK", b'{"exchange_active":true,"trading_active":false}'),
    "refused": http_answer("401 No", b'{"error":{"code":"authentication_error"}}'),
    "stale": http_answer(
        "401 No",
        b'{"error":{"code":"header_timestamp_expired"}}',
        "date: Sun, 22 Nov 2026 15:00:00 GMT",
    ),
    "unavailable": http_answer("503 Busy", b"busy"),
    "undecodable": http_answer("200 OK", b"[1,2]"),
    "redirect": http_answer("302 Found", b"", "location: https://evil.com/"),
    "bad-gzip": http_answer("200 OK", b"nope", "content-encoding: gzip"),
    "garbage": b"\x16\x03\x01 this is no HTTP\r\n\r\n",
    "bad-header": b"HTTP/1.1 200 OK\r\nbroken header\r\n\r\n",
    "bad-chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nnope\r\n",
    "truncated": b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n{}",
    "hang-up": b"",
    "timeout": None,
}


SIGNATURE = re.compile(r"[A-Za-z0-9+/]{80,}")


class Everything(logging.Handler):
    """Collects all that any logger says, as text, formatted and raw."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts += [logging.Formatter().format(record), repr(vars(record))]


@pytest.fixture
def heard() -> Iterator[Everything]:
    handler = Everything()
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.setLevel(before)
    root.removeHandler(handler)


def tell(error: BaseException) -> Iterator[str]:
    """All that an error shows, and all those behind it."""
    yield "".join(traceback.format_exception(error))
    seen: list[BaseException | None] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or one in seen:
            continue
        seen.append(one)
        yield f"{one}\n{one!r}\n{one.args!r}\n{getattr(one, '__notes__', '')}"
        waiting += [one.__cause__, one.__context__]


def secrets(key_text: bytes, passphrase: str | None) -> list[str]:
    """Each line of the PEM; what is inside it; the passphrase in the forms it could show in."""
    lines = key_text.decode().strip().splitlines()
    found = [line for line in lines if len(line) > 20 and not line.startswith("-----")]
    found += ["BEGIN PRIVATE", "BEGIN ENCRYPTED", "BEGIN RSA"]
    if passphrase is not None:
        found += [passphrase, repr(passphrase.encode()), passphrase.encode().hex()]
    return found


def assert_silent(texts: list[str], hidden: list[str]) -> None:
    assert texts
    assert len(hidden) >= 3
    for text in texts:
        for secret in hidden:
            assert secret not in text, f"{secret[:12]}… shows in: {text[:400]}"
        assert not SIGNATURE.search(text), f"a signature, or its like, shows in: {text[:400]}"


def replying(reply: bytes | None, signatures: list[str]) -> Serve:
    """Answers each connection's first request; None: leaves it unanswered."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        for line in head.split("\r\n"):
            name, _, value = line.partition(": ")
            if name.upper() == "KALSHI-ACCESS-SIGNATURE":
                signatures.append(value)
        if reply is None:
            await reader.read()  # until the client gives up
        else:
            writer.write(reply)
            await writer.drain()

    return serve


@pytest.mark.parametrize("http", ["httpx", "aiohttp"])
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
async def test_calls_over_real_sockets(http: str, behaviour: str, heard: Everything) -> None:
    key_text = pem(key_of("ed25519"), PASSPHRASE)
    signatures: list[str] = []
    events: list[object] = []
    texts: list[str] = []
    async with listening(replying(BEHAVIOURS[behaviour], signatures)) as base_url:
        kalshi = KalshiClient(
            base_url=base_url,
            api_key_id=KEY_ID,
            private_key=key_text,
            private_key_passphrase=PASSPHRASE,
            http=http,  # type: ignore[arg-type]
            timeout=0.3 if behaviour == "timeout" else 10.0,
            hooks=[events.append, LoggingHook()],
            retry=RetryPolicy(max_attempts=2, first=0.0, longest=0.0),
        )
        async with kalshi:
            try:
                await kalshi.exchange.status()
            except KalshiError as error:
                texts += tell(error)
            texts += [repr(kalshi), repr(kalshi._transport), repr(kalshi._transport._signer)]
            texts += [repr(kalshi._config), repr(kalshi._transport._shared.http), str(kalshi.stats)]
    assert signatures
    assert any("exchange" in text.lower() for text in heard.texts)
    assert (behaviour == "success") == (len(texts) == 6)
    texts += [f"{event!r} {event}" for event in events]
    texts += heard.texts
    assert_silent(texts, secrets(key_text, PASSPHRASE) + signatures)


@KINDS
@FORMS
async def test_scripted_calls(kind: str, passphrase: str | None, heard: Everything) -> None:
    key_text = pem(key_of(kind), passphrase)
    http = ScriptedHTTP(
        answer({"error": "busy"}, 503), answer({"error": {"code": "x"}}, 401), answer({})
    )
    events: list[object] = []
    texts: list[str] = []
    kalshi = KalshiClient(
        base_url=BASE,
        api_key_id=KEY_ID,
        private_key=key_text.decode(),
        private_key_passphrase=(lambda: passphrase) if passphrase else None,
        http=http,
        hooks=[events.append, LoggingHook()],
        retry=RetryPolicy(first=0.0, longest=0.0),
    )

    def failing_hook(event: object) -> None:
        raise RuntimeError(f"cannot take {event!r}")

    async with kalshi.with_options(hooks=[failing_hook]) as view:
        for _ in range(2):
            try:
                await view.exchange.status()
            except KalshiError as error:
                texts += tell(error)
    await kalshi.aclose()
    with pytest.raises(KalshiError) as closed:
        await kalshi.exchange.status()
    texts += tell(closed.value)
    texts += [repr(kalshi), repr(kalshi._config), repr(kalshi._transport._signer), repr(kalshi)]
    signatures = [headers["KALSHI-ACCESS-SIGNATURE"] for headers in http.headers]
    assert len(set(signatures)) >= 2
    texts += [repr(event) for event in events]
    assert any("failing_hook" in text for text in heard.texts)
    assert_silent(texts + heard.texts, secrets(key_text, passphrase) + signatures)


@KINDS
@FORMS
def test_configuration_errors(
    kind: str, passphrase: str | None, tmp_path: Path, heard: Everything
) -> None:
    key = key_of(kind)
    key_text = pem(key, passphrase)
    text = key_text.decode()
    lines = text.splitlines()
    damaged = "\n".join([*lines[:1], *lines[2:]]) if len(lines) > 3 else text.replace("M", "N")
    file = tmp_path / "damaged.pem"
    file.write_text(damaged)
    good = {"api_key_id": KEY_ID, "private_key": text, "private_key_passphrase": passphrase}
    wrong: list[dict[str, object]] = [
        {**good, "api_key_id": None},
        {**good, "api_key_id": text},
        {**good, "private_key": damaged},
        {**good, "private_key": lines[1]},
        {**good, "private_key": None, "private_key_path": text},
        {**good, "private_key": None, "private_key_path": lines[1]},
        {**good, "private_key": None, "private_key_path": file},
        {**good, "private_key": public_pem(key)},
        {**good, "private_key_path": file},
        {**good, "base_url": text},
        {**good, "ws_url": "".join(lines[1:-1])},
        {**good, "environment": text},
        {"private_key_passphrase": passphrase or "geheim"},
    ]
    if passphrase is not None:
        wrong += [{**good, "private_key_passphrase": other} for other in (None, "", "x", 5)]
    texts: list[str] = []
    for settings in wrong:
        with pytest.raises(ConfigurationError) as caught:
            make_config(**settings)  # type: ignore[arg-type]
        texts += tell(caught.value)
        with pytest.raises(ConfigurationError) as caught:
            KalshiClient(**settings)  # type: ignore[arg-type]
        texts += tell(caught.value)
    env = {"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY": damaged, "KALSHI_EVN": text}
    with pytest.raises(ConfigurationError) as caught:
        config_from_env(env)
    texts += tell(caught.value)
    config = make_config(**good)  # type: ignore[arg-type]
    texts += [repr(config), str(config), repr(config.credentials)]
    assert "private_key" not in repr(config)
    assert_silent(texts + heard.texts, secrets(key_text, passphrase))


def test_the_search_would_find_a_leak() -> None:
    key_text = pem(key_of("rsa"), PASSPHRASE)
    for secret in secrets(key_text, PASSPHRASE):
        with pytest.raises(AssertionError, match="shows in"):
            assert_silent([f"a log line with {secret} in it"], secrets(key_text, PASSPHRASE))
    with pytest.raises(AssertionError, match="shows in"):
        assert_silent(["sig: " + "Ab0+/" * 17 + "abc=="], secrets(key_text, PASSPHRASE))
