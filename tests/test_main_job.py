"""The main job on real input: every recorded market through the exchange and the client, exact."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kalshi_async.models import Market
from kalshi_async.sandbox import Sandbox

from .cli.runner import clean_environment, command

Wire = dict[str, Any]


def market_objects(value: object) -> Iterator[Wire]:
    """Every market object at any depth of a decoded JSON value."""
    if isinstance(value, dict):
        if "ticker" in value and "close_time" in value and "market_type" in value:
            yield value
            return
        for inner in value.values():
            yield from market_objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from market_objects(inner)


@pytest.fixture(scope="module")
def recorded(shared: Path) -> dict[str, Wire]:
    """The recorded markets by ticker, numbers as their exact text; the first of a ticker counts."""
    found: dict[str, Wire] = {}
    for file in sorted((shared / "recorded").rglob("*.json")):
        body = json.loads(file.read_text(), parse_float=Decimal, parse_int=Decimal)
        for market in market_objects(body):
            found.setdefault(market["ticker"], market)
    return found


PRICES = [
    "yes_bid",
    "yes_ask",
    "no_bid",
    "no_ask",
    "last_price",
    "previous_yes_bid",
    "previous_yes_ask",
    "previous_price",
    "notional_value",
    "settlement_value",
    "liquidity",
]
COUNTS = ["volume", "volume_24h", "open_interest", "yes_bid_size", "yes_ask_size"]
TIMES = [
    "open_time",
    "close_time",
    "created_time",
    "updated_time",
    "expected_expiration_time",
    "expiration_time",
    "latest_expiration_time",
    "occurrence_datetime",
    "settlement_ts",
]
TEXTS = ["ticker", "event_ticker", "status", "result", "market_type", "price_level_structure"]


def assert_same(market: Market, wire: Wire) -> tuple[int, int]:
    """Compare each price, size, time and status digit for digit; how many had which form."""
    cents = dollars = 0
    for name in PRICES:
        if f"{name}_dollars" in wire:
            assert str(getattr(market, name)) == wire[f"{name}_dollars"], (market.ticker, name)
            dollars += 1
        elif name in wire:
            assert getattr(market, name) == wire[name] / 100, (market.ticker, name)
            cents += 1
        else:
            assert getattr(market, name) is None
    for name in COUNTS:
        if f"{name}_fp" in wire:
            assert str(getattr(market, name)) == wire[f"{name}_fp"], (market.ticker, name)
            dollars += 1
        elif name in wire:
            assert str(getattr(market, name)) == f"{wire[name]}.00", (market.ticker, name)
            cents += 1
        else:
            assert getattr(market, name) is None
    for name in TIMES:
        text = wire.get(name)
        expected = None if text is None else datetime.fromisoformat(text)
        assert getattr(market, name) == expected, (market.ticker, name)
    for name in TEXTS:
        assert getattr(market, name) == wire[name], (market.ticker, name)
    for name in ("floor_strike", "cap_strike"):
        assert getattr(market, name) == wire.get(name), (market.ticker, name)
    grid = [(str(step.start), str(step.end), str(step.step)) for step in market.price_ranges]
    assert grid == [(step["start"], step["end"], step["step"]) for step in wire["price_ranges"]]
    return cents, dollars


@pytest.mark.parametrize("http", ["aiohttp", "httpx"])
async def test_every_recorded_market_comes_back_digit_for_digit(
    http: str, recorded: dict[str, Wire], shared: Path
) -> None:
    seen: dict[str, Market] = {}
    async with Sandbox.serve(markets=0, load=[shared / "recorded"], tier="premier") as exchange:
        async with exchange.client(http=http) as kalshi, kalshi.markets.scan() as scan:
            async for market in scan:
                assert market.ticker not in seen
                seen[market.ticker] = market
        assert kalshi.stats.undecoded_items == kalshi.stats.drifted_fields == 0
    assert seen.keys() == recorded.keys()
    assert len(seen) > 100
    forms = [assert_same(market, recorded[ticker]) for ticker, market in seen.items()]
    assert sum(cents for cents, _ in forms) > 0, "no market in the old cents form was compared"
    assert sum(dollars for _, dollars in forms) > 1000


async def test_a_market_in_cents_alone_is_the_same_market(recorded: dict[str, Wire]) -> None:
    from kalshi_async._decode import page_decoder

    modern = next(wire for wire in recorded.values() if "volume_fp" in wire and "yes_bid_dollars")
    old = dict(modern)
    for name in PRICES:
        if f"{name}_dollars" in old:
            old[name] = int(Decimal(old.pop(f"{name}_dollars")) * 100)
    for name in COUNTS:
        if f"{name}_fp" in old:
            old[name] = int(Decimal(old.pop(f"{name}_fp")))
    for name in ("floor_strike", "cap_strike", "settlement_timer_seconds", "exchange_index"):
        old.pop(name, None)
    body = json.dumps({"markets": [old]}, default=str).encode()
    (market,) = page_decoder(Market, "markets").decode(body)
    for name in PRICES:
        if f"{name}_dollars" in modern:
            assert str(getattr(market, name)) == modern[f"{name}_dollars"]
    for name in COUNTS:
        if f"{name}_fp" in modern:
            assert getattr(market, name) == int(Decimal(modern[f"{name}_fp"]))


def test_the_command_scans_the_recorded_markets(
    recorded: dict[str, Wire], shared: Path, tmp_path: Path
) -> None:
    out = tmp_path / "recorded.jsonl"
    done = subprocess.run(
        command("scan", "--load", str(shared / "recorded"), "--out", str(out), "--json"),
        capture_output=True,
        text=True,
        env=clean_environment(),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["markets"] == len(recorded)
    markets = [msgspec.json.decode(line, type=Market) for line in out.read_bytes().splitlines()]
    assert {market.ticker for market in markets} == recorded.keys()
    for market in markets:
        assert_same(market, recorded[market.ticker])


def test_the_command_runs_as_a_module_without_warnings() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "kalshi_async", "--version"],
        capture_output=True,
        text=True,
        env=clean_environment(),
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
