"""The bulk scan against an exchange named by the environment, and interrupted anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import anyio.to_thread
import pytest

from kalshi_async.sandbox import Sandbox

from .loading import load, run_process

bulk_scan = load("bulk_scan")


def tickers(out: Path) -> list[str]:
    return [json.loads(line)["ticker"] for line in out.read_bytes().splitlines()]


def settings(exchange: Sandbox) -> dict[str, str]:
    return {
        "KALSHI_ENV": "sandbox",
        "KALSHI_BASE_URL": exchange.base_url,
        "KALSHI_API_KEY_ID": exchange.api_key_id,
        "KALSHI_PRIVATE_KEY_PATH": str(exchange.private_key_path),
    }


async def test_it_reads_the_exchange_that_the_environment_names(tmp_path: Path) -> None:
    async with Sandbox.serve(seed=11, markets=300) as exchange:
        env = settings(exchange)
        lines = await anyio.to_thread.run_sync(
            lambda: run_process("bulk_scan", tmp_path, str(tmp_path), **env)
        )
        async with exchange.client() as kalshi:
            listed = await kalshi.markets.list(status="open", mve_filter="exclude").collect()
    assert sorted(tickers(tmp_path / "markets.jsonl")) == sorted(one.ticker for one in listed)
    assert lines == [f"{len(listed)} markets written to {tmp_path / 'markets.jsonl'}"]


@pytest.mark.parametrize("stops", [[1], [250], [100, 1, 101], [30, 299]])
async def test_no_market_is_lost_or_doubled_wherever_it_stops(
    stops: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_scan, "SAVE_EVERY", 100)
    out = tmp_path / "markets.jsonl"
    async with Sandbox.serve(markets=600, tier=None) as exchange:
        async with exchange.client(limits=None) as kalshi:
            for stop in stops:
                assert await bulk_scan.scan_into(kalshi, out, stop_after=stop) == stop
            await bulk_scan.scan_into(kalshi, out)
            listed = await kalshi.markets.list(status="open", mve_filter="exclude").collect()
    assert len(listed) > 300
    assert sorted(tickers(out)) == sorted(one.ticker for one in listed)


async def test_half_a_line_of_a_killed_run_does_not_stay(tmp_path: Path) -> None:
    out = tmp_path / "markets.jsonl"
    async with Sandbox.serve(markets=100, tier=None) as exchange:
        async with exchange.client(limits=None) as kalshi:
            out.write_bytes(b'{"ticker": "KXHALF')
            written = await bulk_scan.scan_into(kalshi, out)
    assert len(tickers(out)) == written > 0
