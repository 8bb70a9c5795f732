"""The client: its settings, its key, its connections, its pace."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
import traceback
import types
from pathlib import Path
from typing import Any

import anyio
import pytest

import kalshi_async.rekko
from kalshi_async import (
    INHERIT,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    ConnectionLostError,
    DecodeError,
    KalshiError,
    LoggingHook,
    RateLimits,
    RequestTimeoutError,
)
from kalshi_async.rekko import RekkoClient, RekkoOptions, Secret, models
from kalshi_async.rekko._base import Calls
from kalshi_async.rekko._settings import Bearer
from tests.pipeline.helpers import RawServer, answers, both_backends, http, once, raw_server
from tests.rekko.scripts import AT_ONCE, KEY, TELLTALE, asking, scripted
from tests.support import answer, in_virtual_time

ROOT = Path(kalshi_async.rekko.__file__).parents[2]
HOME = "https://api.rekko.ai"
ENV = {"REKKO_API_KEY": KEY}


def url_of(server: RawServer) -> str:
    return f"http://127.0.0.1:{server.port}"


# ---------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (HOME, HOME),
        (f"{HOME}/v1", HOME),
        (f"{HOME}/v1/", HOME),
        (f"{HOME}//", HOME),
        ("HTTPS://api.rekko.ai", "HTTPS://api.rekko.ai"),
        ("https://proxy.example:8443/rekko/v1", "https://proxy.example:8443/rekko"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000/v1", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_addresses(given: str, url: str) -> None:
    rekko = RekkoClient(KEY, base_url=given)
    assert rekko.base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://api.rekko.ai", "http://example.com", "ftp://api.rekko.ai", "api.rekko.ai", "", " ",
        "https://", "https://u:hush@api.rekko.ai", "https://a/?x=1", "https://a/#x", "https://a/..",
        "https://a/b c", "https://a:0", "https://a:99999", "https://a\\b", "https://a/\n", 7,
        "http://127.0.0.1.evil.example", "http://localhost@evil.example", "https://\u00e9.example",
    ],
)  # fmt: skip
def test_addresses_that_the_key_is_not_sent_to(url: Any) -> None:
    with pytest.raises(ConfigurationError, match="base_url") as caught:
        RekkoClient(KEY, base_url=url)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("key", [None, "", " ", "two words", "a\nb", "caf\u00e9", "a\x00", 7, b"k"])
def test_a_key_that_is_none(key: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RekkoClient(key)
    assert not (isinstance(key, str) and key.strip() and key in str(caught.value))


def test_a_missing_key_says_what_to_do() -> None:
    said = r"REKKO_API_KEY.*from_env.*api_key="
    with pytest.raises(ConfigurationError, match=said):
        RekkoClient()
    with pytest.raises(ConfigurationError, match=said):
        RekkoClient.from_env(env={})


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("timeout", 0), ("timeout", True), ("deadline", -1), ("http", "curl"), ("http", None),
        ("hooks", [1]), ("max_in_flight", 0), ("limits", "account"), ("limits", 5),
    ],
)  # fmt: skip
def test_options_out_of_range(option: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=option):
        RekkoClient(KEY, **{option: value})


def test_the_environment_holds_key_and_address() -> None:
    assert RekkoClient.from_env(env=ENV).base_url == HOME
    there = ENV | {"REKKO_API_URL": " http://127.0.0.1:9/v1 ", "OTHER": "x"}
    assert RekkoClient.from_env(env=there).base_url == "http://127.0.0.1:9"
    assert RekkoClient.from_env(env=there, base_url=HOME).base_url == HOME
    assert RekkoClient.from_env(env={}, api_key=KEY, timeout=3).base_url == HOME
    assert RekkoClient.from_env(env=ENV | {"REKKO_API_URL": ""}).base_url == HOME


def test_an_environment_may_not_send_the_key_anywhere() -> None:
    for url in ("https://example.com", "https://rekko.ai.example", "https://notrekko.ai"):
        with pytest.raises(ConfigurationError, match=r"REKKO_API_URL.*base_url= in code"):
            RekkoClient.from_env(env=ENV | {"REKKO_API_URL": url})
        assert RekkoClient(KEY, base_url=url).base_url == url


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("REKKO_KEY", "REKKO_API_KEY"),
        ("REKKO_APIKEY", "REKKO_API_KEY"),
        ("REKKO_API_TOKEN", "REKKO_API_KEY"),
        ("REKKO_TOKEN", "REKKO_API_KEY"),
        ("rekko_api_key", "REKKO_API_KEY"),
        ("REKO_API_KEY", "REKKO_API_KEY"),
        ("REKKO_URL", "REKKO_API_URL"),
        ("REKKO_BASE_URL", "REKKO_API_URL"),
        ("REKKO_HOST", "REKKO_API_URL"),
    ],
)
def test_misspelt_variables_are_found(name: str, meant: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}; did you mean {meant}"):
        RekkoClient.from_env(env=ENV | {name: KEY})


def test_variables_of_others_are_left_alone() -> None:
    others = {"REKKO_COLOUR": "x", "MY_REKKO_API_KEY": "x", "GECKO_ID": "x", "KALSHI_API_KEY": "x"}
    assert RekkoClient.from_env(env=ENV | others).base_url == HOME


def test_from_env_takes_what_the_constructor_takes() -> None:
    taken = set(inspect.signature(RekkoClient).parameters)
    assert set(RekkoOptions.__annotations__) == taken
    for name in taken:
        assert f"    {name}: " in inspect.cleandoc(RekkoClient.__doc__ or ""), name


# ---------------------------------------------------------------------------- the key


async def in_every_way(rekko: RekkoClient) -> list[KalshiError]:
    """The errors of calls of several kinds."""
    found = []
    for call in (
        lambda: rekko.markets.get("kalshi", "A"),
        lambda: rekko.analyses.start("kalshi", "A"),
        lambda: rekko.request("DELETE", "/webhooks/x"),
        lambda: rekko.webhooks.create("https://a.example", events=["x"], secret=f"s-{TELLTALE}"),
    ):
        try:
            await call()
        except KalshiError as exc:
            found.append(exc)
    return found


BEHAVIOURS = {
    "refused": answers(http(b'{"detail":"bad key %s"}' % KEY.encode(), "401 No")),
    "unavailable": answers(http(b"", "503 Busy")),
    "undecodable": answers(http(b"[1,2]")),
    "redirect": answers(http(b"", "302 Found", "location: http://127.0.0.1:1/")),
    "garbage": once(b"\x16\x03\x01 this is no HTTP\r\n\r\n"),
    "bad-header": once(b"HTTP/1.1 200 OK\r\nbroken header\r\n\r\n"),
    "truncated": once(b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n{}"),
    "closed": once(b""),
}


@pytest.mark.parametrize("adapter", ["httpx", "aiohttp"])
@pytest.mark.parametrize("name", sorted(BEHAVIOURS))
async def test_the_key_shows_nowhere(
    adapter: Any, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    events: list[object] = []
    async with raw_server(BEHAVIOURS[name]) as server:
        async with RekkoClient(
            KEY, base_url=url_of(server), http=adapter, hooks=[events.append, LoggingHook()],
            retry=AT_ONCE, timeout=5, limits=None,
        ) as rekko:  # fmt: skip
            errors = await in_every_way(rekko)
            shown = [repr(rekko), repr(vars(rekko)), repr(events), caplog.text]
    assert errors
    assert f"authorization: bearer {KEY}".lower() in server.requests[0].decode().lower()
    for error in errors:
        while True:
            shown += ["".join(traceback.format_exception(error)), repr(vars(error))]
            if not isinstance(error.__cause__, KalshiError):
                break
            error = error.__cause__
        pickle.loads(pickle.dumps(error))
    assert TELLTALE not in "".join(shown)


async def test_an_answer_that_may_hold_a_secret_is_not_kept() -> None:
    rekko, _ = scripted(answer(b'{"secret":"s-TELLTALE","id":'))
    with pytest.raises(DecodeError) as caught:
        await rekko.webhooks.create("https://a.example", events=["x"])
    assert TELLTALE not in f"{caught.value} {vars(caught.value)}"


def test_neither_client_nor_bearer_can_be_stored() -> None:
    rekko = RekkoClient(Secret(KEY))
    for thing in (rekko, Bearer(Secret(KEY))):
        assert TELLTALE not in repr(thing)
        with pytest.raises(TypeError):
            pickle.dumps(thing)
    with pytest.raises(TypeError):
        copy.copy(rekko)


# ---------------------------------------------------------------------------- connections


@both_backends
@pytest.mark.parametrize("adapter", ["httpx", "auto"])
def test_on_a_real_connection(backend: str, adapter: Any) -> None:
    async def main() -> None:
        body = b'{"title":"Fed","yes_price":0.62}'
        done = http(b"", "204 No Content")
        async with raw_server(answers(http(body), http(body), done)) as server:
            rekko = RekkoClient(KEY, base_url=url_of(server), http=adapter)
            async with rekko:
                assert "not connected" in repr(rekko)
                market = await rekko.markets.get("kalshi", "A")
                assert (market.title, str(market.yes_price)) == ("Fed", "0.62")
                raw = await rekko.request("GET", "/v1/markets/kalshi/A")
                assert raw.json() == {"title": "Fed", "yes_price": 0.62}
                await rekko.webhooks.delete("w1")
                assert (rekko.stats.calls, rekko.stats.failures) == (3, 0)
                assert server.connections == 1
            assert rekko.closed
            await rekko.aclose()
            with pytest.raises(ClientClosedError):
                await rekko.markets.list()
            assert server.requests[2].startswith(b"DELETE /v1/webhooks/w1 HTTP/1.1\r\n")

    anyio.run(main, backend=backend)


@both_backends
def test_lost_connections(backend: str) -> None:
    async def silent(connection: Any) -> None:
        await connection.request()
        await anyio.sleep_forever()

    async def main() -> None:
        async with raw_server(once(b""), silent) as server:
            async with RekkoClient(
                KEY, base_url=url_of(server), http="httpx", retry=None, timeout=0.2
            ) as rekko:
                with pytest.raises(ConnectionLostError) as lost:
                    await rekko.analyses.start("kalshi", "A", timeout=10)
                assert lost.value.outcome_unknown
                with pytest.raises(RequestTimeoutError):
                    await rekko.markets.list()
        async with RekkoClient(KEY, base_url=url_of(server), http="httpx", retry=None) as rekko:
            with pytest.raises(ConnectionFailedError) as refused:
                await rekko.analyses.start("kalshi", "A")
            assert not refused.value.outcome_unknown

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("adapter", ["httpx", "aiohttp"])
async def test_a_proxy_does_not_see_the_key_that_is_for_loopback(
    adapter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with raw_server(answers(http(b"{}"))) as server, raw_server(answers()) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, url_of(proxy))
        async with RekkoClient(KEY, base_url=url_of(server), http=adapter) as rekko:
            await rekko.markets.get("kalshi", "A")
        assert proxy.connections == 0


# ---------------------------------------------------------------------------- pace


def test_five_requests_a_second_whatever_they_are() -> None:
    async def main(limits: Any) -> list[float]:
        rekko, sent = scripted(answer({"analysis_id": "a"}), limits=limits)
        async with rekko, anyio.create_task_group() as tasks:
            for number in range(20):
                call: Any = rekko.analyses.start if number % 2 else rekko.markets.get
                tasks.start_soon(call, "kalshi", "A")
        return sent.times

    ours = in_virtual_time(lambda: main(INHERIT))
    assert sum(at < 0.001 for at in ours) == 4, "one burst, less some headroom"
    assert ours[-1] == pytest.approx((20 - 4.5) / 5, abs=0.05)
    slow = in_virtual_time(lambda: main(RateLimits.per_second(2)))
    assert slow[-1] > 2 * ours[-1]
    assert set(in_virtual_time(lambda: main(None))) == {0.0}


def test_what_is_asked_is_seen_by_hooks() -> None:
    events: list[Any] = []
    asking(lambda r: r.markets.get("kalshi", "A"), answer({}), hooks=[events.append])
    assert [(type(one).__name__, one.operation) for one in events] == [
        ("RequestSent", "RekkoGetMarket"),
        ("ResponseReceived", "RekkoGetMarket"),
    ]


# ---------------------------------------------------------------------------- the public face


def test_everything_public_says_what_it_is() -> None:
    names = kalshi_async.rekko.__all__
    shown = {
        name
        for name, value in vars(kalshi_async.rekko).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert shown == set(names)
    public = [getattr(kalshi_async.rekko, name) for name in names]
    rekko = RekkoClient(KEY)
    public += [type(value) for value in vars(rekko).values() if isinstance(value, Calls)]
    public += [
        one for one in vars(models).values() if getattr(one, "__module__", "") == models.__name__
    ]
    silent = []
    for one in public:
        if not inspect.isclass(one) and not inspect.isfunction(one):
            continue
        if not one.__doc__ or one.__doc__.startswith(f"{one.__name__}("):
            silent.append(one.__name__)
        for name, member in vars(one).items() if inspect.isclass(one) else ():
            plain = getattr(member, "__func__", member)
            if inspect.isfunction(plain) and not name.startswith("_") and not plain.__doc__:
                silent.append(f"{one.__name__}.{name}")
    assert silent == []


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = ("httpx", "aiohttp", "cryptography", "tenacity", "typer", "rich", "polars", "sqlite3")
    code = f"import sys, kalshi_async.rekko; print([n for n in {heavy!r} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
