"""Signing and key loading: what comes out verifies, what cannot work says why."""

from __future__ import annotations

import base64
import struct
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import AuthenticationError, ClockCorrected, ConfigurationError, KalshiClient
from kalshi_async._auth import Signer, load_private_key, load_private_key_file, looks_like_key
from tests.support import ScriptedHTTP, answer

from .keys import BASE, KEY_ID, PASSPHRASE, ec_key, ed_key, key_of, pem, public_pem, rsa_key, verify

NOW = 1_795_359_600.25
STALE = {"error": {"code": "header_timestamp_expired", "message": "header timestamp expired"}}
STATUS = {"exchange_active": True, "trading_active": True}


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_signature_verifies_with_the_public_key(kind: str) -> None:
    key = key_of(kind)
    headers = Signer(KEY_ID, key, lambda: NOW).headers("GET", "/trade-api/v2/markets/A%2FB")
    assert headers["KALSHI-ACCESS-KEY"] == KEY_ID
    assert headers["KALSHI-ACCESS-TIMESTAMP"] == "1795359600250"
    verify(key, headers, "GET", "/trade-api/v2/markets/A%2FB")
    for method, path in (("POST", "/trade-api/v2/markets/A%2FB"), ("GET", "/trade-api/v2/markets")):
        with pytest.raises(InvalidSignature):
            verify(key, headers, method, path)


def test_rsa_salt_is_as_long_as_the_digest() -> None:
    key = rsa_key()
    headers = Signer(KEY_ID, key, lambda: NOW).headers("GET", "/x")
    signature = base64.b64decode(headers["KALSHI-ACCESS-SIGNATURE"])
    message = f"{headers['KALSHI-ACCESS-TIMESTAMP']}GET/x".encode()
    for length in (0, 31, 33, 222):
        with pytest.raises(InvalidSignature):
            key.public_key().verify(
                signature, message, PSS(MGF1(SHA256()), salt_length=length), SHA256()
            )
    verify(key, headers, "GET", "/x")


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.parametrize("passphrase", [None, PASSPHRASE], ids=["plain", "encrypted"])
def test_every_source_gives_the_same_key(kind: str, passphrase: str | None, tmp_path: Path) -> None:
    key = key_of(kind)
    data = pem(key, passphrase)
    file = tmp_path / "key.pem"
    file.write_bytes(data)
    loaded = [
        load_private_key(data, passphrase),
        load_private_key(data.decode(), passphrase),
        load_private_key(data.decode().replace("\n", "\\n"), passphrase),
        load_private_key(b"\n  " + data.replace(b"\n", b"\r\n"), passphrase),
        load_private_key_file(file, passphrase),
        load_private_key_file(str(file), passphrase),
        load_private_key(key),
    ]
    for one in loaded:
        verify(key, Signer(KEY_ID, one, lambda: NOW).headers("DELETE", "/y"), "DELETE", "/y")


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "key.pem").write_bytes(pem(ed_key()))
    assert load_private_key_file("~/key.pem")


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize(
    "passphrase",
    [PASSPHRASE, PASSPHRASE.encode(), lambda: PASSPHRASE, PASSPHRASE.encode],
    ids=["text", "bytes", "callable-text", "callable-bytes"],
)
def test_encrypted_rsa_forms(form: PrivateFormat, passphrase: object) -> None:
    key = load_private_key(pem(rsa_key(), PASSPHRASE, form), passphrase)  # type: ignore[arg-type]
    verify(rsa_key(), Signer(KEY_ID, key).headers("GET", "/x"), "GET", "/x")


def test_passphrase_for_a_plain_key_does_no_harm() -> None:
    for form in (PrivateFormat.PKCS8, PrivateFormat.OpenSSH):
        key = load_private_key(pem(ed_key(), form=form), "unneeded")
        verify(ed_key(), Signer(KEY_ID, key).headers("GET", "/x"), "GET", "/x")


def test_callable_passphrase_is_asked_once() -> None:
    asked: list[int] = []

    def ask() -> str:
        asked.append(1)
        return PASSPHRASE

    load_private_key(pem(ed_key(), PASSPHRASE), ask)
    assert asked == [1]


def test_passphrase_of_raw_bytes_survives_the_process_environment() -> None:
    secret = b"caf\xe9"
    data = pem(ed_key(), "x")
    with pytest.raises(ConfigurationError, match="wrong passphrase"):
        load_private_key(data, secret.decode("utf-8", "surrogateescape"))


def encrypted_openssh() -> bytes:
    """The head of an encrypted OpenSSH key; the body is of no use to anybody."""

    def text(value: bytes) -> bytes:
        return struct.pack(">I", len(value)) + value

    options = text(b"\x01" * 16) + struct.pack(">I", 16)
    head = b"openssh-key-v1\0" + text(b"aes256-ctr") + text(b"bcrypt") + text(options)
    public = text(b"ssh-ed25519") + text(b"\x02" * 32)
    raw = base64.b64encode(head + struct.pack(">I", 1) + text(public) + text(b"\x03" * 160))
    lines = b"\n".join(raw[at : at + 70] for at in range(0, len(raw), 70))
    word = b"OPENSSH PRIVATE" + b" KEY-----"
    return b"-----BEGIN " + word + b"\n" + lines + b"\n-----END " + word + b"\n"


def damaged() -> bytes:
    lines = pem(rsa_key()).splitlines(keepends=True)
    return b"".join(lines[:4] + lines[7:])


WRONG: dict[str, tuple[Callable[[], object], object, str]] = {
    "public": (lambda: public_pem(rsa_key()), None, "give the private key"),
    "public-ed25519": (lambda: public_pem(ed_key()), None, "give the private key"),
    "certificate": (
        lambda: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        None,
        "public key or a certificate; give the private key",
    ),
    "garbage": (lambda: "nonsense", None, "not a PEM private key; .*private_key_path"),
    "empty": (lambda: "", None, "not a PEM private key"),
    "path-as-key": (lambda: "/home/me/key.pem", None, "private_key_path="),
    "path-object": (lambda: Path("key.pem"), None, "Path cannot sign"),
    "ec": (lambda: pem(ec_key()), None, "RSA .* and Ed25519"),
    "ec-object": (ec_key, None, "RSA .* and Ed25519"),
    "public-object": (lambda: rsa_key().public_key(), None, "RSA .* and Ed25519"),
    "rsa-1024": (lambda: pem(rsa_key(1024)), None, "1024 bits; .*2048 bits or more"),
    "damaged": (damaged, None, "damaged PEM private key"),
    "truncated": (lambda: pem(rsa_key())[:700], None, "damaged PEM private key"),
    "no-passphrase": (lambda: pem(rsa_key(), PASSPHRASE), None, "give its passphrase"),
    "empty-passphrase": (lambda: pem(rsa_key(), PASSPHRASE), "", "give its passphrase"),
    "none-passphrase": (lambda: pem(ed_key(), PASSPHRASE), lambda: None, "give its passphrase"),
    "wrong-passphrase": (lambda: pem(rsa_key(), PASSPHRASE), "falsch", "wrong passphrase"),
    "wrong-traditional": (
        lambda: pem(rsa_key(), PASSPHRASE, PrivateFormat.TraditionalOpenSSL),
        b"falsch",
        "wrong passphrase",
    ),
    "odd-passphrase": (lambda: pem(ed_key(), PASSPHRASE), lambda: 7, "passphrase is a int"),
    "encrypted-openssh": (encrypted_openssh, "falsch", "ssh-keygen -p -m PKCS8"),
    "openssh-no-passphrase": (encrypted_openssh, None, "encrypted"),
    "lone-surrogate": (lambda: "\ud800" + pem(ed_key()).decode(), None, "invalid characters"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_keys_say_what_to_do_and_quote_nothing(name: str) -> None:
    make, passphrase, says = WRONG[name]
    source = make()
    with pytest.raises(ConfigurationError, match=says) as caught:
        load_private_key(source, passphrase, origin="KALSHI_PRIVATE_KEY")  # type: ignore[arg-type]
    message = str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    if isinstance(source, bytes):
        lines = source.decode().splitlines()
        assert not any(line in message for line in lines if len(line) > 40)
    assert "falsch" not in message
    assert PASSPHRASE not in message


def test_openssh_form_of_a_good_key_is_read() -> None:
    for key in (rsa_key(), ed_key()):
        loaded = load_private_key(pem(key, form=PrivateFormat.OpenSSH))
        verify(key, Signer(KEY_ID, loaded).headers("GET", "/x"), "GET", "/x")


def test_wrong_files(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    public = tmp_path / "public.pem"
    public.write_bytes(public_pem(rsa_key()))
    for path, says in (
        (tmp_path / "missing.pem", "there is no file .*missing.pem.*give the path"),
        (tmp_path, "cannot read .*directory.*give the path"),
        (public / "inside.pem", "cannot read .*give the path"),
        (loop, "cannot read .*give the path"),
        (public, "public.pem.*public key or a certificate"),
        ("", "cannot read"),
        ("nul\0byte", "cannot read"),
        ("~nobody-of-that-name/key.pem", "cannot read"),
        ("x" * 5000, "cannot read"),
    ):
        with pytest.raises(ConfigurationError, match=says):
            load_private_key_file(path)


def test_a_key_given_as_a_path_is_not_quoted() -> None:
    for key in (rsa_key(), ed_key()):
        text = pem(key).decode()
        body = "".join(text.splitlines()[1:-1])
        twice = base64.b64encode(text.encode()).decode()
        for wrong in (text, text.replace("\n", "\\n"), body, f" {body}\n", twice):
            assert looks_like_key(wrong)
            with pytest.raises(ConfigurationError, match="holds a key, not a path") as caught:
                load_private_key_file(wrong)
            assert body[:20] not in str(caught.value)
    assert not looks_like_key("/home/me/Kalshi/My-keys/production/of-a-rather-long/name.pem")


class Threads:
    """A key that notes in which thread it signs."""

    def __init__(self, bits: int) -> None:
        self.key_size = bits
        self.seen: list[int] = []

    def sign(self, *args: object) -> bytes:
        self.seen.append(threading.get_ident())
        return rsa_key().sign(*args)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize(("bits", "offloads"), [(2048, False), (3000, False), (4096, True)])
async def test_long_rsa_keys_sign_off_the_event_loop(bits: int, offloads: bool) -> None:
    key = Threads(bits)
    signer = Signer(KEY_ID, key, lambda: NOW)  # type: ignore[arg-type]
    headers = await signer.headers_async("GET", "/x")
    verify(rsa_key(), headers, "GET", "/x")
    here = threading.get_ident()
    assert signer.offloads is offloads
    assert [thread != here for thread in key.seen] == [offloads]


async def test_real_rsa_4096_and_ed25519() -> None:
    long = rsa_key(4096)
    signer = Signer(KEY_ID, long, lambda: NOW)
    assert signer.offloads
    verify(long, await signer.headers_async("GET", "/x"), "GET", "/x")
    short = Signer(KEY_ID, ed_key(), lambda: NOW)
    assert not short.offloads
    verify(ed_key(), await short.headers_async("GET", "/x"), "GET", "/x")


# ---------------------------------------------------------------------------- clock skew


def date_header(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(int(seconds), UTC), usegmt=True)


def skewed_client(http: ScriptedHTTP, events: list[object] | None = None) -> KalshiClient:
    return KalshiClient(
        base_url=BASE,
        api_key_id=KEY_ID,
        private_key=ed_key(),
        http=http,
        limits=None,
        wall_clock=lambda: NOW,
        hooks=[events.append] if events is not None else [],
    )


async def test_clock_is_learned_and_the_request_signed_anew_once() -> None:
    exchange_time = NOW + 90
    http = ScriptedHTTP(answer(STALE, 401, date=date_header(exchange_time)), answer(STATUS))
    events: list[object] = []
    async with skewed_client(http, events) as kalshi:
        assert (await kalshi.exchange.status()).trading_active
        assert len(http.requests) == 2
        first, second = (int(one["KALSHI-ACCESS-TIMESTAMP"]) for one in http.headers)
        assert first == int(NOW * 1000)
        assert abs(second - exchange_time * 1000) <= 1000
        for headers in http.headers:
            verify(ed_key(), headers, "GET", "/trade-api/v2/exchange/status")
        assert [event for event in events if isinstance(event, ClockCorrected)]
        await kalshi.exchange.status()
        assert int(http.headers[2]["KALSHI-ACCESS-TIMESTAMP"]) == second


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 99 Foo 2026 99:99:99 GMT"])
async def test_without_a_usable_date_nothing_is_retried(date: str | None) -> None:
    headers = {} if date is None else {"date": date}
    http = ScriptedHTTP(answer(STALE, 401, **headers), answer(STATUS))
    async with skewed_client(http) as kalshi:
        with pytest.raises(AuthenticationError, match="header_timestamp_expired") as caught:
            await kalshi.exchange.status()
    assert len(http.requests) == caught.value.attempts == 1


async def test_a_second_refusal_is_raised() -> None:
    http = ScriptedHTTP(answer(STALE, 401, date=date_header(NOW + 90)))
    async with skewed_client(http) as kalshi:
        with pytest.raises(AuthenticationError) as caught:
            await kalshi.exchange.status()
    assert len(http.requests) == caught.value.attempts == 2


async def test_other_401s_teach_no_clock() -> None:
    body = {"error": {"code": "authentication_error", "details": "INCORRECT_API_KEY_SIGNATURE"}}
    http = ScriptedHTTP(answer(body, 401, date=date_header(NOW + 90)))
    async with skewed_client(http) as kalshi:
        with pytest.raises(AuthenticationError, match="INCORRECT_API_KEY_SIGNATURE"):
            await kalshi.exchange.status()
    assert len(http.requests) == 1


def test_offset_is_measured_from_the_middle_of_the_round_trip() -> None:
    signer = Signer(KEY_ID, ed_key(), lambda: NOW)
    offset = signer.learn_clock(date_header(1_000_060), 1_000_000.0, 1_000_001.0)
    assert offset == pytest.approx(60.0)
    assert signer.offset == offset


@pytest.fixture
def new_york() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="needs a settable local time zone")
@pytest.mark.usefixtures("new_york")
@pytest.mark.parametrize("zone", ["GMT", "+0000", "-0000", ""])
def test_a_date_without_a_zone_is_not_local_time(zone: str) -> None:
    signer = Signer(KEY_ID, ed_key(), lambda: NOW)
    offset = signer.learn_clock(f"Mon, 12 Jan 1970 13:47:40 {zone}", 1_000_000.0, 1_000_001.0)
    assert offset == pytest.approx(60.0)


@given(st.text() | st.from_regex(r"\w{3}, \d+ \w{3} \d+ \d+:\d+:\d+ [-+]\d+", fullmatch=True))
def test_no_date_header_breaks_the_clock(date: str) -> None:
    signer = Signer(KEY_ID, ed_key(), lambda: NOW)
    offset = signer.learn_clock(date, NOW, NOW)
    assert offset is None or signer.offset == offset
