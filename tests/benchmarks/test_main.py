"""`python -m benchmarks` from the outside, in short runs."""

from __future__ import annotations

from typing import Any

from .short_runs import quick, run

SHARDED = "sharded scan, pages of 200"
ALONE = "one cursor, pages of 200"


def column(report: dict[str, Any], name: str) -> dict[str, Any]:
    first = next(iter(report["rows"][0]))
    return {row[first]: row[name] for row in report["rows"]}


def test_scan_measures_every_contender_and_the_targets_that_need_no_peer() -> None:
    report = quick("scan")
    rates = column(report, "markets/s")
    assert {"floor", "ours", "ours, scan()", "ours, httpx", "ours, schema="} <= set(rates)
    assert all(rate > 0 for rate in rates.values())
    assert {target["name"] for target in report["targets"]} >= {
        "ours / floor",
        "ours: loop stop by pages, ms",
        "ours: RSS growth, MB",
    }


def test_decode_measures_every_decoder() -> None:
    times = column(quick("decode"), "ms/page")
    assert {"floor", "ours", "ours, in slices"} <= set(times)
    assert all(time > 0 for time in times.values())


def test_limiter_counts_what_the_server_saw() -> None:
    report = quick("limiter")
    jobs = column(report, "requests")
    assert set(jobs) == {"paced 200/s, ours", SHARDED, ALONE}
    assert jobs[ALONE] == 1
    assert jobs[SHARDED] >= 10
    assert all(0 < used <= 100.5 for used in column(report, "budget used %").values())


def test_import_and_sign_measure_what_they_name() -> None:
    assert set(column(quick("import"), "ms")) >= {"pass", "import kalshi_async"}
    assert set(column(quick("sign"), "inline us")) == {"Ed25519", "RSA-2048", "RSA-4096"}


def test_an_unknown_benchmark_is_named_and_the_known_ones_listed() -> None:
    done = run("speed")
    assert done.returncode == 2
    assert "'speed'" in done.stderr
    assert "limiter" in done.stderr


def test_help_explains_each_benchmark() -> None:
    done = run("--help")
    assert done.returncode == 0
    for name in ("scan", "decode", "limiter", "import", "sign", "--peers", "--json"):
        assert name in done.stdout
