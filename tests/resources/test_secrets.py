"""Private keys that the exchange hands out: they work, and they show nowhere."""

from __future__ import annotations

import contextlib
import copy
import json
import logging
import pickle
import traceback
from collections.abc import AsyncIterator

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import AuthenticationError, DecodeError, InvalidRequestError
from kalshi_async.models import GeneratedApiKey, Secret
from kalshi_async.resources.api_keys import ApiKeys
from kalshi_async.resources.portfolio import Portfolio
from kalshi_async.sandbox import Sandbox
from tests.support import ScriptedHTTP, answer

from .accounts import Account, account_on
from .fake import FakeTransport

KEY = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHushHush\n-----END PRIVATE KEY-----\n"
TELLTALE = "HushHush"
ANSWER = {"api_key_id": "k", "key_type": "ed25519", "private_key": KEY}


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    async with Sandbox.serve(seed=7, markets=20, tier=None) as exchange:
        async with account_on(exchange) as found:
            yield found


# The type


def test_a_secret_shows_only_when_asked():
    secret = Secret(KEY)
    assert secret.reveal() == KEY
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>10}", f"{secret!r}"]
    assert {text.strip() for text in shown} == {"<secret>"}
    assert TELLTALE not in repr([secret, {"key": secret}])
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize(
    "encode",
    [
        msgspec.json.encode,
        msgspec.msgpack.encode,
        msgspec.to_builtins,
        json.dumps,
        pickle.dumps,
        lambda value: pickle.dumps(value, protocol=0),
    ],
)
@pytest.mark.parametrize("wrap", [lambda secret: secret, lambda secret: {"a": [secret]}])
def test_a_secret_is_not_encoded(encode, wrap):
    with pytest.raises(TypeError) as caught:
        encode(wrap(Secret(KEY)))
    assert TELLTALE not in str(caught.value)


@given(st.text(st.characters(exclude_categories=[])), st.text())
def test_secrets_are_equal_when_their_texts_are(one, other):
    assert (Secret(one) == Secret(other)) is (one == other)
    assert (Secret(one) != Secret(other)) is (one != other)
    assert Secret(one) == Secret(one)
    assert Secret(one) != one


def test_a_secret_is_copied_and_not_hashed():
    secret = Secret(KEY)
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] == secret
    with pytest.raises(TypeError, match="unhashable"):
        hash(secret)


def test_a_key_that_was_generated_prints_without_its_secret():
    key = GeneratedApiKey(api_key_id="k", private_key=Secret(KEY))
    assert TELLTALE not in f"{key} {key!r} {msgspec.structs.asdict(key)}"
    assert "<secret>" in repr(key)
    for encode in (msgspec.json.encode, pickle.dumps):
        with pytest.raises(TypeError):
            encode(key)


# The call


async def test_a_generated_key_signs(account: Account) -> None:
    keys = ApiKeys(account.transport)
    made = await keys.generate(name="bot", key_type="ed25519", scopes=["read"])
    assert made.key_type == "ed25519"
    (_, listed) = (await keys.list()).api_keys
    assert (listed.name, listed.scopes) == ("bot", ["read"])
    async with account.with_key(made.api_key_id, made.private_key.reveal()) as client:
        assert (await Portfolio(client._transport).balance()).balance == 1_000_000
        await keys.delete(made.api_key_id)
        with pytest.raises(AuthenticationError):
            await Portfolio(client._transport).balance()


@pytest.mark.parametrize("http", ["httpx", "aiohttp"])
async def test_nothing_of_the_call_shows_the_key(http, caplog) -> None:
    """Not the log at its chattiest, not the events, not what is printed of the result."""
    events: list[object] = []
    async with Sandbox.serve(seed=7, markets=20, tier=None) as exchange:
        async with account_on(exchange, http=http, hooks=[events.append]) as account:
            with caplog.at_level(logging.DEBUG):
                made = await ApiKeys(account.transport).generate(name="bot", key_type="ed25519")
            text = made.private_key.reveal()
            telltale = text.splitlines()[1]
            assert text.startswith("-----BEGIN PRIVATE KEY-----")
            assert len(events) >= 2
            seen = [*map(repr, events), *map(str, events), caplog.text, repr(made), str(made)]
            seen += [repr(vars(record)) for record in caplog.records]
            seen += [repr(account.client), repr(account.client.stats)]
            assert not any(telltale in each or "PRIVATE KEY" in each for each in seen)


BROKEN = {
    "not whole": msgspec.json.encode(ANSWER)[:-1],
    "no id": msgspec.json.encode({"private_key": KEY}),
    "no key": msgspec.json.encode({"api_key_id": "k", "key": KEY}),
    "a list": msgspec.json.encode([KEY]),
    "a text": msgspec.json.encode(KEY),
    "no UTF-8": msgspec.json.encode(ANSWER).replace(b"Hush\\n", b"Hush\xff\\n"),
    "nested": msgspec.json.encode({"api_key_id": "k", "private_key": {"pem": KEY}}),
    "PEM alone": KEY.encode(),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_an_answer_that_cannot_be_read_does_not_show_the_key(name, caplog) -> None:
    """Not even to what prints the variables of a traceback, or walks the chain of causes."""
    assert TELLTALE.encode() in BROKEN[name]
    events: list[object] = []
    http = ScriptedHTTP(answer(BROKEN[name], 201))
    async with signing_client(http, events) as client:
        with caplog.at_level(logging.DEBUG), pytest.raises(DecodeError) as caught:
            await ApiKeys(client._transport).generate(name="bot")
    error = caught.value
    assert error.operation == "GenerateApiKey"
    assert error.may_have_reached_server
    assert error.body == b""
    assert (error.__cause__, error.__context__) == (None, None)
    assert "api_keys.list()" in str(error)
    library = [
        frame
        for frame in traceback.TracebackException.from_exception(error, capture_locals=True).stack
        if "kalshi_async" in frame.filename
    ]
    assert library
    seen = [repr(error), str(error), repr(vars(error)), caplog.text, *map(repr, events)]
    seen += [repr(frame.locals) for frame in library]
    seen += ["".join(traceback.format_exception(error))]
    assert not any(TELLTALE in each for each in seen)


@contextlib.asynccontextmanager
async def signing_client(http, events):
    async with Sandbox.serve(seed=7, markets=0, tier=None) as exchange:
        async with account_on(exchange, http=http, hooks=[events.append]) as account:
            yield account.client


@pytest.mark.parametrize("field", ["key_type", "warning"])
async def test_a_field_that_misfits_does_not_lose_the_key(field) -> None:
    transport = FakeTransport.answering(ANSWER | {field: {"odd": KEY}})
    made = await ApiKeys(transport).generate(name="bot")
    assert made.private_key.reveal() == KEY
    assert getattr(made, field) is None
    (drift,) = transport.drift
    assert drift.field == field
    assert TELLTALE not in repr(drift)


# What callers put in


@pytest.mark.parametrize("wrong", [KEY, KEY.encode(), Secret(KEY), KEY.replace("-----", "")])
async def test_a_private_key_is_not_sent_as_a_public_one(wrong) -> None:
    transport = FakeTransport.answering({"api_key_id": "k"})
    with pytest.raises(InvalidRequestError, match="public_key") as caught:
        await ApiKeys(transport).create(name="mine", public_key=wrong)
    assert TELLTALE not in str(caught.value)
    assert transport.calls == []


async def test_a_key_of_ones_own_is_made(account: Account) -> None:
    own = Ed25519PrivateKey.generate()
    private = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    half = own.public_key()
    public = half.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    keys = ApiKeys(account.transport)
    made = await keys.create(name="mine", public_key=public, scopes=["read", "write"])
    async with account.with_key(made.api_key_id, private) as client:
        assert (await Portfolio(client._transport).balance()).balance == 1_000_000
