"""The command line, from outside."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from kalshi_async.models import Market

from .runner import kalshi, kalshi_process

MARKETS = "1500"


def test_scan_reads_every_market_of_an_embedded_exchange(tmp_path: Path) -> None:
    out = tmp_path / "markets.jsonl"
    done = kalshi_process("scan", "--markets", MARKETS, "--out", str(out), "--json")
    assert done.code == 0, done.err
    summary = json.loads(done.out)
    lines = out.read_bytes().splitlines()
    markets = [msgspec.json.decode(line, type=Market) for line in lines]
    assert summary["markets"] == len(markets) == len({market.ticker for market in markets}) == 1500
    assert summary["retries"] == summary["rate_limited"] == summary["undecoded"] == 0
    assert len(summary["busiest"]) == 10
    busiest = max(markets, key=lambda market: market.volume_24h)
    assert summary["busiest"][0]["ticker"] == busiest.ticker
    assert not list(tmp_path.glob("*.part"))


def test_scan_shows_a_table_and_a_closing_line_without_escape_codes() -> None:
    done = kalshi("scan", "--markets", MARKETS, "--top", "3")
    assert done.code == 0, done.err
    assert "\x1b" not in done.out + done.err
    assert "Busiest markets" in done.out
    assert "1,500 markets in" in done.out.splitlines()[-1]
    assert "…" not in done.out.splitlines()[2].split()[0]


def test_scan_takes_filters_and_a_limit() -> None:
    done = kalshi(
        "scan",
        "--markets",
        MARKETS,
        "--status",
        "open",
        "--mve",
        "exclude",
        "--limit",
        "7",
        "--json",
    )
    summary = json.loads(done.out)
    assert summary["markets"] == 7
    assert all(market["status"] == "active" for market in summary["busiest"])
    assert not any(market["ticker"].startswith("KXMVE") for market in summary["busiest"])


def test_the_same_seed_scans_the_same_markets() -> None:
    first, second, other = (
        json.loads(kalshi("scan", "--markets", "300", "--seed", seed, "--json").out)["busiest"]
        for seed in ("1", "1", "2")
    )
    assert first == second != other


def test_market_shows_one_market() -> None:
    done = kalshi("market", "KXFED-26MAR19")
    assert done.code == 0, done.err
    assert "Will the Fed cut rates" in done.out
    market = msgspec.json.decode(kalshi("market", "KXFED-26MAR19", "--json").out, type=Market)
    assert market.ticker == "KXFED-26MAR19"
    assert market.yes_bid + market.no_ask == 1


def test_book_draws_depth_and_prints_json() -> None:
    drawn = kalshi("book", "KXFED-26MAR19", "--depth", "3")
    assert drawn.code == 0, drawn.err
    assert drawn.out.count("█") > 3
    assert drawn.out.count("ask") == drawn.out.count("bid") == 3
    book = json.loads(kalshi("book", "KXFED-26MAR19", "--json").out)
    assert Decimal(book["best_yes_ask"]) == 1 - Decimal(book["best_no_bid"])
    assert Decimal(book["spread"]) == Decimal(book["best_yes_ask"]) - Decimal(book["best_yes_bid"])


def test_status_says_whether_trading_is_on() -> None:
    done = kalshi("status", "--json")
    assert json.loads(done.out)["trading_active"] is True
    assert "trading active:  yes" in kalshi("status").out


def test_version_and_help() -> None:
    from kalshi_async import __version__

    assert kalshi_process("--version").out.strip() == f"kalshi-async {__version__}"
    assert "scan" in kalshi("--help").out


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (["market", "NO-SUCH"], {}, "not found"),
        (["book", "NO-SUCH"], {}, "not found"),
        (["scan", "--status", "active"], {}, "open"),
        (["scan", "--load", "/no/such/folder"], {}, "/no/such/folder"),
        (["scan", "--env", "prod"], {}, "production"),
        (["scan", "--env", "demo", "--markets", "5"], {}, "--load and --markets"),
        (["scan", "--limit", "0"], {}, "--limit"),
        (["scan", "--bogus"], {}, "--bogus"),
        (["scan", "--out", "/no/such/folder/x.jsonl", "--markets", "60"], {}, "/no/such/folder"),
        (["status"], {"KALSHI_ENV": "prodction"}, "did you mean 'production'"),
        (["status"], {"KALSHI_ENV": "sandbox"}, "KALSHI_BASE_URL"),
        (["status"], {"KALSHI_ENV": "demo", "KALSHI_API_KEY_ID": "x"}, "without a private key"),
        (["sandbox", "--tier", "platinum"], {}, "platinum"),
        (["sandbox", "--error-rate", "2"], {}, "--error-rate"),
    ],
)
def test_an_error_is_one_line_with_the_remedy(
    arguments: list[str], env: dict[str, str], said: str
) -> None:
    done = kalshi(*arguments, **env)
    assert done.code == 1
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_connection_that_is_refused_is_one_line() -> None:
    done = kalshi("status", KALSHI_ENV="sandbox", KALSHI_BASE_URL="http://127.0.0.1:9/trade-api/v2")
    assert done.code == 1
    assert "no connection to 127.0.0.1:9" in done.err
    assert done.err.count("\n") == 1
