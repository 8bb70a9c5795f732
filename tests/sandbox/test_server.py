"""The server as a whole: signing, limits, faults, bad requests, its clock and its life."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import stat
import subprocess
import sys
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from kalshi_async.sandbox import Faults, LoadError, Sandbox, SandboxError
from kalshi_async.sandbox._call import rendered
from kalshi_async.sandbox._handlers import table as handlers

from .conftest import Api, signed

LIMITS = "/trade-api/v2/account/limits"


@pytest.mark.parametrize("key_type", ["ed25519", "rsa"])
async def test_keys_of_both_kinds_sign_in(api: Api, key_type: str) -> None:
    credentials = api.exchange.add_account(key_type=key_type)
    headers = signed(credentials, "GET", LIMITS)
    response = await api.http.get(api.exchange.base_url + "/account/limits", headers=headers)
    assert response.status_code == 200


async def test_the_path_is_signed_as_sent_without_the_query(api: Api) -> None:
    first = api.exchange.add_account()
    path = "/trade-api/v2/markets/KX%20FED"
    url = api.exchange.base_url + "/markets/KX%20FED?x=1"
    response = await api.http.get(url, headers=signed(first, "GET", path))
    assert response.status_code == 404
    wrong = await api.http.get(url, headers=signed(first, "GET", path.replace("%20", " ")))
    assert wrong.status_code == 401


async def test_public_operations_check_a_key_that_is_there(api: Api) -> None:
    headers = signed(api.exchange.add_account(), "GET", "/trade-api/v2/elsewhere")
    response = await api.http.get(api.exchange.base_url + "/exchange/status", headers=headers)
    assert response.status_code == 401
    assert response.json()["error"]["details"] == "INCORRECT_API_KEY_SIGNATURE"


async def test_a_skewed_clock_shows_in_the_date_and_in_the_window(api: Api) -> None:
    exchange = api.exchange
    exchange.clock_skew = 300
    credentials = exchange.add_account()
    url = exchange.base_url + "/account/limits"
    stale = await api.http.get(url, headers=signed(credentials, "GET", LIMITS))
    assert stale.json()["error"]["code"] == "header_timestamp_expired"
    ahead = parsedate_to_datetime(stale.headers["Date"]).timestamp() - time.time()
    assert 290 < ahead < 310
    corrected = await api.http.get(url, headers=signed(credentials, "GET", LIMITS, offset=ahead))
    assert corrected.status_code == 200


async def test_buckets_belong_to_accounts_and_to_addresses() -> None:
    now = [0.0]
    serving = Sandbox.serve(markets=50, tier="basic", timer=lambda: now[0])
    async with serving as exchange, httpx.AsyncClient(trust_env=False, verify=False) as http:
        url, path = exchange.base_url + "/markets", "/trade-api/v2/markets"
        other = exchange.add_account(tier="expert")
        statuses = [(await http.get(url)).status_code for _ in range(25)]
        assert statuses == [200] * 20 + [429] * 5
        refused = await http.get(url)
        assert refused.json() == {
            "error": {"code": "too_many_requests", "message": "too many requests"}
        }
        assert "Retry-After" not in refused.headers
        signed_in = await http.get(url, headers=signed(other, "GET", path))
        assert signed_in.status_code == 200
        now[0] += 0.05
        assert [(await http.get(url)).status_code for _ in range(2)] == [200, 429]
        assert exchange.requests["GetMarkets", 200] == 22
        assert exchange.requests["GetMarkets", 429] == 7
        assert "2 accounts, 29 requests answered" in repr(exchange)


async def test_scripted_faults_over_http(api: Api) -> None:
    exchange = api.exchange
    exchange.faults = (
        Faults().on("GetMarkets", nth=2, status=503).on("GetMarkets", nth=3, drop=True)
    )
    exchange.faults.on("GetMarkets", nth=4, drop=True, processed=True)
    exchange.faults.on("GetMarkets", nth=5, status=502).on("GetExchangeStatus", status=503)
    exchange.faults.on("GetMarkets", nth=6, status=429)
    await api.get("/markets")
    unavailable = await api.refused("/markets", 503)
    assert unavailable["error"]["code"] == "service_unavailable"
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            await api.raw("/markets")
    gateway = await api.raw("/markets")
    assert gateway.status_code == 502
    assert gateway.headers["Content-Type"].startswith("text/html")
    limited = await api.refused("/markets", 429)
    assert limited["error"]["code"] == "too_many_requests"
    down = await api.refused("/exchange/status", 503)
    assert down["exchange_active"] is False
    await api.get("/markets")
    assert exchange.requests["GetMarkets", 0] == 2
    assert exchange.requests["GetMarkets", 200] == 2


async def test_random_faults_repeat_with_their_seed(api: Api) -> None:
    async def statuses() -> list[int]:
        api.exchange.faults = Faults(error_rate=0.4, seed=11)
        return [(await api.raw("/exchange/schedule")).status_code for _ in range(40)]

    first = await statuses()
    assert first == await statuses()
    assert {200, 500, 503} <= set(first)


async def test_a_delayed_answer_holds_up_nobody_else(api: Api) -> None:
    api.exchange.faults = Faults().on("GetMarkets", delay=3600)
    delayed = asyncio.create_task(api.raw("/markets"))
    while not api.exchange.faults.injected:
        await api.get("/exchange/status")
    await api.get("/exchange/status")
    assert not delayed.done()
    delayed.cancel()


async def test_wrong_methods_and_paths_answer_in_the_shape_of_the_exchange(api: Api) -> None:
    root = api.exchange.base_url
    wrong = await api.http.post(root + "/markets")
    assert wrong.status_code == 405
    assert wrong.headers["Allow"] == "GET"
    assert wrong.json()["error"]["code"] == "method_not_allowed"
    for path in ("/nothing", "/markets/A/B/C", "/../../etc/passwd", "/markets/%2e%2e%2f"):
        found = await api.http.get(root + path)
        assert found.status_code == 404
        assert found.json()["error"]["code"] == "not_found"


async def test_bodies_over_a_mebibyte_are_refused(api: Api) -> None:
    async def chunks() -> object:
        for _ in range(20):
            yield b"x" * 65_536 * 2

    url = api.exchange.base_url + "/markets"
    for content in (b"x" * ((1 << 20) + 1), chunks()):
        try:
            response = await api.http.request("GET", url, content=content)
        except (httpx.WriteError, httpx.ReadError):
            # The connection may be closed before the rest of the body was sent.
            continue
        assert response.status_code == 413
        assert response.json()["error"]["code"] == "request_entity_too_large"
    await api.get("/exchange/status")


async def test_an_unexpected_failure_is_logged_and_answered_without_a_traceback(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: object) -> object:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setitem(handlers.HANDLERS, "GetMarkets", broken)
    with caplog.at_level(logging.ERROR, "kalshi_async.sandbox"):
        response = await api.raw("/markets")
    assert response.status_code == 500
    assert response.json() == {
        "error": {"code": "internal_server_error", "message": "internal server error"}
    }
    assert "secret detail" in caplog.text


@pytest.mark.parametrize(
    "sent", [b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
async def test_what_is_not_http_is_refused_in_one_line(
    exchange: Sandbox, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = exchange.base_url.split("/")[2].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    assert (await reader.readline()).startswith(b"HTTP/1.0 400")
    writer.close()
    await writer.wait_closed()
    assert "Traceback" not in caplog.text
    assert len(caplog.messages) <= 1


async def test_a_taken_port_is_named(exchange: Sandbox) -> None:
    port = int(exchange.base_url.split(":")[2].split("/")[0])
    with pytest.raises(SandboxError, match=rf"port {port} on 127\.0\.0\.1 is taken"):
        async with Sandbox.serve(markets=0, port=port):
            pass


async def test_the_client_of_an_exchange_talks_to_it(exchange: Sandbox) -> None:
    async with exchange.client(limits=None) as kalshi:
        market = await kalshi.markets.get("KXFED-26MAR19")
    assert str(market.yes_bid) == "0.6100"
    assert exchange.requests["GetMarket", 200] == 1


async def test_another_host_is_announced(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "kalshi_async.sandbox"):
        async with Sandbox.serve(markets=0):
            assert not caplog.records
        async with Sandbox.serve(markets=0, host="0.0.0.0") as exchange:
            assert "other machines can reach it" in caplog.text
            assert exchange.base_url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"markets": -1}, "markets=-1"),
        ({"markets": 1_000_001}, "1,000,000"),
        ({"port": 70_000}, "port=70000"),
        ({"tier": "gold"}, "unknown tier"),
    ],
)
def test_bad_options_are_refused_before_anything_starts(
    options: dict[str, object], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Sandbox.serve(**options)


async def test_the_key_file_is_private_and_goes_away() -> None:
    async with Sandbox.serve(seed=3, markets=0) as exchange:
        path = exchange.private_key_path
        assert path == exchange.private_key_path
        assert path.read_bytes() == exchange.private_key_pem
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "PRIVATE" not in repr(exchange)
        assert exchange.base_url in repr(exchange)
    assert not path.exists()
    async with Sandbox.serve(seed=3, markets=0) as again:
        assert again.api_key_id == exchange.api_key_id
        assert again.private_key_pem != exchange.private_key_pem


async def test_a_file_that_is_missing_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"absent\.json: No such file"):
        async with Sandbox.serve(load=[tmp_path / "absent.json"]):
            pass


async def test_rendering_a_long_page_lets_the_loop_go_on() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counter = asyncio.create_task(count())
    shown = await rendered(list(range(1000)), str)
    counter.cancel()
    assert shown == [str(number) for number in range(1000)]
    assert turns >= 10


SCRIPT = """
import asyncio, sys
from kalshi_async.sandbox import run
asyncio.run(run(port=0, seed=7, markets=60, announce=lambda line: print(line, flush=True)))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_announces_itself_and_ends_cleanly(number: signal.Signals) -> None:
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(root)},
    ) as process:
        assert process.stdout is not None
        announced = dict(process.stdout.readline().strip().split("=", 1) for _ in range(7))
        key = Path(announced["KALSHI_PRIVATE_KEY_PATH"])
        assert key.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
        response = httpx.get(announced["KALSHI_BASE_URL"] + "/exchange/status", trust_env=False)
        assert response.status_code == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")
    assert not key.exists()
    assert list(announced) == [
        "KALSHI_ENV",
        "KALSHI_BASE_URL",
        "KALSHI_WS_URL",
        "KALSHI_API_KEY_ID",
        "KALSHI_PRIVATE_KEY_PATH",
        "REKKO_API_URL",
        "REKKO_API_KEY",
    ]
    assert announced["KALSHI_ENV"] == "sandbox"
