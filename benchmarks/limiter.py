"""`limiter`: how much of a request budget is used, against a server that forgives nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ._report import Report, Target
from ._runs import Figures, Setting, contend
from ._servers import REQUEST_COST, running


@dataclass(frozen=True)
class Budget:
    """What a server allows: `rate` tokens a second on top of `capacity` tokens at the start."""

    rate: int
    capacity: int

    def tokens(self, elapsed: float) -> float:
        """The most that could be spent in `elapsed` seconds."""
        return self.capacity + self.rate * elapsed


BASIC = Budget(200, 200)
PREMIER = Budget(1_200, 3_600)
EXPERT = Budget(600, 600)

_LATENCY = {"latency_low": 0.005, "latency_high": 0.1}
_SCAN_LATENCY = {"latency_low": 0.08, "latency_high": 0.08}
_CONCURRENCY = 12
_JOBS = {"scan": "sharded scan", "cursor": "one cursor"}


def run(setting: Setting) -> Report:
    """Paced calls under two budgets, then a sharded scan beside one cursor under a third."""
    report = Report(
        "limiter",
        ["job", "tokens/s", "capacity", "seconds", "requests", "429", "budget used %", "useful %"],
        setting.interpreter,
    )
    _paced(setting, report)
    _scans(setting, report)
    report.method = [
        "strict continuous token bucket in a server process of its own, starting full, 10 tokens a"
        " request; a request too many is refused with 429 and pays nothing",
        "budget: capacity + rate x seconds, from before the first request to the end of the run;"
        " useful: the part of it that brought new markets",
        "paced: 32 workers that each list one market again and again, 5-100 ms of latency drawn"
        " from a seeded generator, half of it before the bucket; kalshi-sdk has no limiter",
        f"scans: 80 ms of latency, {_CONCURRENCY} cursors at once for the sharded ones, each"
        " market counted once; a page of 1,000 is 1.85 MB, so that sixty a second are also a test"
        " of the processor; the single cursor reads the first tenth only",
    ]
    return report


def _paced(setting: Setting, report: Report) -> None:
    seconds = 0.5 if setting.quick else 30.0
    jobs = [("ours", BASIC)] if setting.quick else [("ours", BASIC), ("ours", PREMIER)]
    if setting.peers:
        jobs.append(("kalshi-sdk", BASIC))
    for name, budget in jobs:
        figures = _contend(setting, name, budget, 100, {"seconds": seconds}, _LATENCY)
        used = _used(report, f"paced {budget.rate}/s, {name}", budget, figures, useful=None)
        if name == "ours":
            what = f"paced at {budget.rate:g} tokens/s"
            report.targets += [
                Target(f"{what}: % of the budget", used, 97),
                Target(f"{what}: 429", figures["refused"], 0, at_least=False),
            ]


def _scans(setting: Setting, report: Report) -> None:
    pages = 10 if setting.quick else 1_000
    jobs = [("scan", 200, pages), ("cursor", 200, pages // 10)]
    if not setting.quick:
        jobs.append(("scan", 1_000, pages))
    for name, size, count in jobs:
        options = {"markets": count * size, "page-size": size, "concurrency": _CONCURRENCY}
        figures = _contend(setting, name, EXPERT, count * size, options, _SCAN_LATENCY)
        job = f"{_JOBS[name]}, pages of {size:,}"
        used = _used(report, job, EXPERT, figures, useful=count)
        if name == "scan":
            report.targets += [
                Target(f"{job}: % of the budget", used, 90),
                Target(f"{job}: 429", figures["refused"], 0, at_least=False),
            ]


def _contend(
    setting: Setting,
    name: str,
    budget: Budget,
    markets: int,
    options: Mapping[str, float],
    latency: Mapping[str, float],
) -> Figures:
    words = [f"--{option}={value}" for option, value in options.items()]
    words += [f"--rate={budget.rate}", f"--capacity={budget.capacity}"]
    with running(
        setting.python,
        markets=markets,
        template=2_000,
        rate=budget.rate,
        capacity=budget.capacity,
        **latency,
    ) as url:
        return contend(setting.python, "limiter", name, "--url", url, *words)


def _used(
    report: Report, job: str, budget: Budget, figures: Figures, *, useful: float | None
) -> float:
    whole = budget.tokens(figures["elapsed"])
    used = 100 * figures["spent"] / whole
    report.add(
        job,
        budget.rate,
        budget.capacity,
        figures["elapsed"],
        int(figures["requests"]),
        int(figures["refused"]),
        used,
        None if useful is None else 100 * useful * REQUEST_COST / whole,
    )
    return used
