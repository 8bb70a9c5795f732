"""Tables, targets and the order of runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import _peers
from benchmarks._process import BenchmarkError, captured, child_environment
from benchmarks._report import Report, Target, table
from benchmarks._runs import Setting, best, interleave, middle


def test_a_table_is_aligned_and_absent_cells_are_dashes() -> None:
    lines = table(["who", "rate"], [["ours", 123_456.7], ["a longer name", None], ["x", 1.5]])
    assert lines == [
        "who               rate",
        "-------------  -------",
        "ours           123,457",
        "a longer name        -",
        "x                  1.5",
    ]


def test_targets_hold_from_below_and_from_above() -> None:
    assert Target("ratio", 5.0, 5).met
    assert not Target("ratio", 4.9, 5).met
    assert Target("stop", 8.0, 8, at_least=False).met
    assert "MISSED" in str(Target("stop", 8.1, 8, at_least=False))


def test_a_report_prints_and_dumps_the_same_figures() -> None:
    report = Report("scan", ["contender", "rate"], "CPython 3.13.0", ["how"])
    report.add("ours", 12.5)
    report.targets = [Target("ratio", 4.0, 5)]
    assert not report.met
    dumped = json.loads(report.as_json())
    assert dumped["rows"] == [{"contender": "ours", "rate": 12.5}]
    assert dumped["targets"][0]["met"] is False
    text = report.as_text()
    assert "ours" in text
    assert "12.5" in text
    assert "- how" in text
    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        report.add("short")


def test_rounds_take_turns_and_each_starts_one_further_on() -> None:
    order: list[str] = []

    def run(name: str) -> dict[str, float]:
        order.append(name)
        return {"wall": float(len(order))}

    taken = interleave(["a", "b", "c"], 3, run)
    assert order == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]
    assert best(taken["a"], "wall") == 1
    assert middle(taken["a"], "wall") == 6


def test_children_inherit_neither_proxies_nor_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid")
    monkeypatch.setenv("KALSHI_PRIVATE_KEY", "secret")
    inherited = child_environment()
    assert "secret" not in inherited.values()
    assert "HTTPS_PROXY" not in inherited
    assert Path(inherited["PYTHONPATH"], "benchmarks").is_dir()


def test_a_failing_child_is_an_error_with_its_last_words() -> None:
    with pytest.raises(BenchmarkError, match="ZeroDivisionError"):
        captured([sys.executable, "-c", "1 / 0"])


def test_without_a_new_enough_python_the_peers_say_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_peers, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert _peers.environment() is None
    with pytest.raises(BenchmarkError, match=r"Python 3\.13 or newer"):
        _peers.install()
    assert not (tmp_path / "cache").exists()


def test_quick_runs_are_single_rounds() -> None:
    assert Setting(sys.executable, peers=False, quick=True).rounds(5) == 1
    assert Setting(sys.executable, peers=False, quick=False).rounds(5) == 5
    assert Setting(sys.executable, peers=False, quick=True).interpreter.startswith(
        ("CPython 3.", "PyPy 3.")
    )
