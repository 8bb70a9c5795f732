"""`python -m benchmarks NAME [--json] [--quick] [--check] [--peers]`; the names in `BENCHMARKS`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from . import _peers
from ._process import BenchmarkError
from ._report import Report
from ._runs import Setting

BENCHMARKS = {
    "scan": "read a market list to its end: throughput, event-loop stops, memory",
    "decode": "one page from bytes to objects",
    "limiter": "how much of a request budget is used, and whether it is ever overrun",
    "import": "what importing the package costs",
    "sign": "signing inline and in worker threads",
    "orders": "placing and cancelling: rate, processor time, what a journal adds",
    "exchange": "the embedded exchange: orders, subscribers, memory",
    "chaos": "orders amid faults and kills: none twice, none lost",
    "stream": "live streams: cost and age of a message, thousands of books",
    "analytics": "arithmetic of prices: arbitrage over the books of many events",
    "stream-chaos": "a stream amid lost connections and frames: nothing lost, nothing wrong",
}
_MODULES = {"import": "imports", "stream-chaos": "stream_chaos"}


def main(words: Sequence[str] | None = None) -> int:
    """Take one benchmark and print it; returns the exit code."""
    given = _parser().parse_args(words)
    try:
        setting = _setting(given)
        report = _benchmark(given.benchmark)(setting)
    except BenchmarkError as exc:
        print(f"benchmarks: {exc}", file=sys.stderr)
        return 1
    print(report.as_json() if given.json else report.as_text())
    return 1 if given.check and not report.met else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure kalshi_async against a floor and against its peers.",
        epilog="\n".join(f"  {name:12} {text}" for name, text in BENCHMARKS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("benchmark", choices=BENCHMARKS)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="a short run, for a look only")
    parser.add_argument(
        "--peers",
        action=argparse.BooleanOptionalAction,
        help="install the peers into an environment of their own; without a word on it they are"
        " measured where they are installed",
    )
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 where a figure asked for is missed"
    )
    return parser


def _setting(given: argparse.Namespace) -> Setting:
    python = None
    if given.peers:
        python = _peers.install()
    elif given.peers is None:
        python = _peers.environment()
    return Setting(python or sys.executable, peers=python is not None, quick=given.quick)


def _benchmark(name: str) -> Callable[[Setting], Report]:
    run: Callable[[Setting], Report] = import_module(
        f".{_MODULES.get(name, name)}", __package__
    ).run
    return run


if __name__ == "__main__":
    sys.exit(main())
