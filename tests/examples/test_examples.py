"""Every example runs and says what it promises."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from .loading import FOLDER, run

Lines = list[str]


def market_data(lines: Lines, folder: Path) -> None:
    assert lines[0] == "trading active: True"
    assert sum(line.startswith("KXFED-") and " / " in line for line in lines) == 23
    assert "KXFED-26MAR19: bid 0.6100, ask 0.6300, spread 0.0200" in lines
    assert "buying 100 YES now would cost $63.0000" in lines


def bulk_scan(lines: Lines, folder: Path) -> None:
    assert lines[0] == "stopped after 2,500 markets; the checkpoint is at 2,000"
    (out,) = folder.rglob("markets.jsonl")
    tickers = [json.loads(line)["ticker"] for line in out.read_bytes().splitlines()]
    assert len(tickers) == len(set(tickers)) > 2_500
    assert lines[1] == f"went on and wrote the other {len(tickers) - 2_000:,}"
    assert [file.name for file in out.parent.iterdir()] == [out.name], (
        "the checkpoint is still there"
    )


def web_service(lines: Lines, folder: Path) -> None:
    assert "50 visitors see 0.6100 / 0.6300" in lines
    assert "placed 201 and resting" in lines
    assert "canceled 10.00" in lines
    assert "canceled again 404" in lines
    assert "the answer was lost: 201 recovered True" in lines
    assert [line[:4] for line in lines[5:8]] == ["422 "] * 3


def place_many(lines: Lines, folder: Path) -> None:
    runs = [
        re.fullmatch(r"(\w+) run: 90 orders are there, (\d+) of them were before", line)
        for line in lines
    ]
    (first, second) = (run for run in runs if run)
    assert 0 < int(first[2]) < 90
    assert int(second[2]) == 90
    assert lines[-1] == "the exchange has 90 orders, 90 different ones"
    refused = [line for line in lines if line.startswith("ladder-greedy: not placed: ")]
    assert len(refused) == 2
    assert "insufficient_balance" in refused[0]


def live_books(lines: Lines, folder: Path) -> None:
    assert {"first StreamDisconnected", "first StreamResumed", "first StreamGap"} <= {*lines}
    heard = re.fullmatch(r"(\d+) fills heard, (\d+) different ones", lines[-3])
    assert heard is not None
    assert int(heard[1]) == int(heard[2]) >= 30
    assert lines[-2] == "the book equals the exchange's: True"
    counts = re.fullmatch(r"(\d+) reconnects, (\d+) gaps, (\d+) backfilled", lines[-1])
    assert counts is not None
    assert int(counts[1]) > 0 < int(counts[2])


def market_maker(lines: Lines, folder: Path) -> None:
    fills = [
        line for line in lines if re.match(r"(bought|sold) +[\d.]+ YES at 0\.\d{4}, fee", line)
    ]
    counts = re.fullmatch(r"(\d+) fills, inventory (-?[\d.]+)", lines[-2])
    assert counts is not None
    assert int(counts[1]) == len(fills) > 0
    assert abs(float(counts[2])) <= 30
    signed = [float(line.split()[1]) * (1 if line.startswith("bought") else -1) for line in fills]
    assert sum(signed) == pytest.approx(float(counts[2]))
    assert lines[-1] == "0 orders resting"


def sandbox_trading(lines: Lines, folder: Path) -> None:
    assert "alice bought 10.00 at 0.6200" in lines
    assert "the same order again: 409 order_already_exists" in lines
    assert "bob's order is executed" in lines
    assert lines[-1] == "paid in 10100.000000 there 10100.000000"


def signal_bot(lines: Lines, folder: Path) -> None:
    assert lines[0] == "scanned: 25 busy markets with two narrow sides"
    assert lines[1] == "screened: 3 of them worth an analysis"
    signals = [line for line in lines if ", risk " in line]
    assert len(signals) == 3
    bought: dict[str, float] = {}
    for line in lines:
        told = re.fullmatch(r"(\S+): ([\d.]+) (yes|no) (?:bought|taken) at .*", line)
        if told:
            bought[told[1]] = float(told[2]) * (1 if told[3] == "yes" else -1)
    held = [re.fullmatch(r"holds (\S+) of (\S+) \(fees \S+\)", line) for line in lines]
    assert {told[2]: float(told[1]) for told in held if told} == bought != {}
    for ticker, count in bought.items():
        (signal,) = (line for line in signals if line.startswith(f"{ticker}: "))
        assert ("buy_yes" if count > 0 else "buy_no") in signal
    assert any(" wait at " in line for line in lines), "resting comes first"
    assert lines[-1] == "0 orders resting"


CHECKS: dict[str, Callable[[Lines, Path], None]] = {
    check.__name__: check
    for check in (
        bulk_scan,
        live_books,
        market_data,
        market_maker,
        place_many,
        sandbox_trading,
        signal_bot,
        web_service,
    )
}


@pytest.mark.parametrize("name", sorted(file.stem for file in FOLDER.glob("*.py")))
def test_the_example_runs(name: str, tmp_path: Path) -> None:
    CHECKS[name](run(name, tmp_path), tmp_path)
