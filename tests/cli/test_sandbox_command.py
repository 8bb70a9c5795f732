"""``kalshi-async sandbox``: another process, used through what it prints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from kalshi_async import KalshiClient
from kalshi_async.cli import main
from kalshi_async.sandbox import Credentials

from ..sandbox.conftest import signed
from .runner import clean_environment, command, kalshi

NAMES = [
    "KALSHI_ENV",
    "KALSHI_BASE_URL",
    "KALSHI_WS_URL",
    "KALSHI_API_KEY_ID",
    "KALSHI_PRIVATE_KEY_PATH",
]


@contextmanager
def sandbox(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The command, once it has printed its settings."""
    process = subprocess.Popen(
        command("sandbox", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    )
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in NAMES]
        yield process, dict(line.split("=", 1) for line in lines)
    finally:
        process.terminate()
        process.communicate(timeout=20)


async def test_prints_settings_that_from_env_reads_and_ends_on_sigterm() -> None:
    with sandbox("--markets", "200") as (process, settings):
        assert list(settings) == NAMES
        key = Path(settings["KALSHI_PRIVATE_KEY_PATH"])
        assert key.stat().st_mode & 0o077 == 0
        async with KalshiClient.from_env(env=settings) as kalshi_client:
            assert (await kalshi_client.account.limits()).usage_tier == "basic"
            assert len(await kalshi_client.markets.list(limit=1000).collect()) == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert not key.exists()
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_other_commands_find_a_running_sandbox() -> None:
    with sandbox("--markets", "120", "--tier", "unlimited", "--latency", "0.001") as (_, settings):
        done = kalshi("scan", "--json", **settings)
        assert done.code == 0, done.err
        assert json.loads(done.out)["markets"] == 120
        port = settings["KALSHI_BASE_URL"].split(":")[2].split("/")[0]
        taken = kalshi("sandbox", "--port", port)
        assert taken.code == 1
        assert f"port {port}" in taken.err
        assert taken.err.count("\n") == 1


ORDER = {
    "ticker": "KXFED-26MAR19",
    "side": "bid",
    "count": "10.00",
    "price": "0.6000",
    "time_in_force": "good_till_canceled",
    "self_trade_prevention_type": "taker_at_cross",
    "client_order_id": "kept",
}


def call(settings: dict[str, str], method: str, path: str, body: object = None) -> httpx.Response:
    """A signed request with nothing but what the command printed."""
    root = httpx.URL(settings["KALSHI_BASE_URL"])
    pem = Path(settings["KALSHI_PRIVATE_KEY_PATH"]).read_bytes()
    credentials = Credentials(settings["KALSHI_API_KEY_ID"], pem)
    headers = signed(credentials, method, f"{root.path}{path.partition('?')[0]}")
    with httpx.Client(trust_env=False) as http:
        return http.request(method, f"{root}{path}", headers=headers, json=body)


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    named = os.path.relpath(tmp_path / "paper.db")
    options = ("--markets", "50", "--state", named, "--key-type", "rsa")
    with sandbox(*options) as (process, first):
        assert Path(first["KALSHI_PRIVATE_KEY_PATH"]).is_absolute()
        placed = call(first, "POST", "/portfolio/events/orders", ORDER)
        assert placed.status_code == 201
        process.kill()
        process.wait(timeout=20)
    with sandbox(*options) as (_, second):
        same = {name for name in NAMES if first[name] == second[name]}
        assert same >= {"KALSHI_API_KEY_ID", "KALSHI_PRIVATE_KEY_PATH"}
        (order,) = call(second, "GET", "/portfolio/orders").json()["orders"]
        assert order["order_id"] == placed.json()["order_id"]
        assert order["status"] == "resting"
        again = call(second, "POST", "/portfolio/events/orders", ORDER)
        assert again.status_code == 409
        busy = kalshi("sandbox", *options)
        assert busy.code == 1
        assert busy.err.count("\n") == 1
        assert "paper.db" in busy.err


def test_activity_makes_trades() -> None:
    with sandbox("--markets", "50", "--activity", "--tier", "unlimited") as (_, settings):
        trades: list[Any] = []
        newest = "/markets/trades?limit=1"
        while len({trade["trade_id"] for trade in trades}) < 3:
            trades += call(settings, "GET", newest).json()["trades"]


def test_the_older_dialect_and_a_fault_on_order() -> None:
    options = ("--markets", "50", "--dialect", "seed", "--fault", "GetMarket:nth=2,status=503")
    with sandbox(*options, "--deposit", "250.50") as (_, settings):
        market = call(settings, "GET", "/markets/KXFED-26MAR19").json()["market"]
        assert market["yes_bid"] == 61
        assert call(settings, "GET", "/markets/KXFED-26MAR19").status_code == 503
        assert call(settings, "GET", "/portfolio/balance").json()["balance"] == 25_050


def test_the_listing_is_of_today_or_of_the_day_asked_for(tmp_path: Path) -> None:
    def close(*options: str) -> datetime:
        with sandbox("--markets", "50", "--tier", "unlimited", *options) as (_, settings):
            market = call(settings, "GET", "/markets/KXFED-26MAR19").json()["market"]
            return datetime.fromisoformat(market["close_time"])

    assert close() > datetime.now(UTC)
    state = ("--state", str(tmp_path / "paper.db"))
    assert close("--now", "2026-03-05", *state) == datetime(2026, 3, 19, 18, tzinfo=UTC)
    assert close(*state) == datetime(2026, 3, 19, 18, tzinfo=UTC)
    assert close("--now", "seed") == datetime(2026, 3, 19, 18, tzinfo=UTC)


def test_it_says_so_when_others_can_reach_it() -> None:
    with sandbox("--host", "0.0.0.0", "--markets", "5") as (process, settings):
        assert call(settings, "GET", "/exchange/status").status_code == 200
        process.terminate()
        assert process.stderr is not None
        said = process.stderr.read()
    assert said.count("\n") == 1, said
    assert "0.0.0.0: other machines can reach it" in said


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--fault", "GetMarket:nth=0,status=503"), "GetMarket:nth=0,status=503"),
        (("--fault", "GetMarkt:status=503"), "GetMarket"),
        (("--deposit", "ten"), "deposit='ten'"),
        (("--dialect", "klingon"), "klingon"),
        (("--now", "soon"), "--now 'soon'"),
        (("--state", "/nowhere/paper.db"), "/nowhere/paper.db"),
    ],
)
def test_options_that_cannot_be_are_one_line(
    options: tuple[str, ...],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["kalshi-async", "sandbox", *options])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    assert named in said
