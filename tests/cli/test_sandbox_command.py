"""``kalshi-async sandbox``: another process, used through what it prints."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kalshi_async import KalshiClient

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
