"""`exchange`: how fast the embedded exchange trades, tells of it, and how much memory it takes."""

from __future__ import annotations

from collections.abc import Sequence

from ._report import Report, Target
from ._runs import Figures, Setting, contend, in_turns, middle, paired

DEPTHS = (10, 100, 1_000, 10_000)
_SHALLOW, _DEEP = str(DEPTHS[0]), str(DEPTHS[-1])
# Orders over HTTP: name, words of the contender, whether the rate has a bound to keep to.
_LOADS = (
    ("Ed25519", ("ed25519",), True),
    ("RSA-2048", ("rsa",), True),
    ("Ed25519, state file", ("ed25519", "--durable"), False),
)
# What the tape of trades holds at most is reached after an hour and a half.
_HOURS = 3
_QUARTERS = 4
_MEGABYTE = 1e6


def run(setting: Setting) -> Report:
    """The engine, orders over HTTP, the depth of the book, subscribers, and hours of activity."""
    report = Report(
        "exchange", ["measurement", "unit", "median", "best", "worst"], setting.interpreter
    )
    _engine(setting, report)
    _http(setting, report)
    _depth(setting, report)
    _subscribers(setting, report)
    _activity(setting, report)
    report.method = [
        "mix: 65 % placed, 20 % cancelled, 15 % amended, by 16 accounts in ten markets; half of the"
        " orders trade at once; in one process, each command followed by reading its events;"
        " 'exchange': the same behind its clock, with tape, candlesticks and quotes",
        "HTTP: new orders of eight accounts in ten markets, each signed beforehand with a signature"
        " of its own, over 32 connections that each wait for their answer; the exchange in a"
        " process kept to one core, its load on the others; every order must be acknowledged and be"
        " there afterwards, and the money must add up",
        "orders/s of one core: orders by processor seconds of the exchange's process, which others"
        " on the machine disturb less; load: processor share of what sends the orders",
        "depth: processor time of an order that takes the best one whole, and of cancelling any,"
        " where so many orders of 15 makers rest at up to 800 prices; a process for each depth, all"
        " taking turns, ratios within a round; 'makers hold': takers only buy, so that the makers'"
        " holdings cover many of their own orders",
        "subscribers: connections of another process, half of which subscribe before orders are"
        " placed, cancelled and amended in the market, half meanwhile; each decodes every frame and"
        " keeps its own book; equal: the exchange's book at the end, no number missing before it",
        "activity: market makers and takers in 50 markets, the clock advanced in steps of 15 s;"
        " resident memory after a garbage collection",
    ]
    return report


def _engine(setting: Setting, report: Report) -> None:
    commands = 2_000 if setting.quick else 40_000
    kinds = (("alone", "engine alone"), ("whole", "exchange, one process"))
    for kind, name in kinds:
        runs = [
            contend(setting.python, "engine", kind, f"--commands={commands}")
            for _ in range(setting.rounds(5))
        ]
        for figure in ("placed", "commands"):
            for each in runs:
                each[f"{figure}/s"] = each[figure] / each["wall"]
        _row(report, f"{name}: orders placed", "/s", runs, "placed/s")
        _row(report, f"{name}: commands", "/s", runs, "commands/s")
        if kind == "alone":
            best = max(each["placed/s"] for each in runs)
            report.targets.append(Target("engine alone: orders placed/s", best, 20_000))


def _http(setting: Setting, report: Report) -> None:
    orders, members = (100, 2) if setting.quick else (8_000, 8)
    taken: dict[str, list[Figures]] = {name: [] for name, _, _ in _LOADS}
    for _ in range(setting.rounds(5)):
        for name, words, _ in _LOADS:
            options = (f"--orders={orders}", f"--members={members}")
            taken[name].append(contend(setting.python, "orders", *words, *options))
    for name, _, bound in _LOADS:
        runs, what = taken[name], f"HTTP, {name}"
        _row(report, f"{what}: orders", "/s", runs, "rate")
        _row(report, f"{what}: orders of one core", "/s", runs, "cpu_rate")
        for figure, title in (("p50", "p50"), ("p99", "p99")):
            _row(report, f"{what}: {title}, 32 at once", "ms", runs, figure, least=True)
        for figure, title in (("alone_p50", "p50"), ("alone_p99", "p99")):
            _row(report, f"{what}: {title}, one at a time", "ms", runs, figure, least=True)
        _row(report, f"{what}: load", "of a core", runs, "load_share", least=True)
        if bound:
            best = max(each["rate"] for each in runs)
            report.targets.append(Target(f"{what}: orders/s", best, 1_500))


def _depth(setting: Setting, report: Report) -> None:
    operations = 100 if setting.quick else 2_000
    depths = (DEPTHS[0], DEPTHS[-1]) if setting.quick else DEPTHS
    variants: list[tuple[str, list[str]]] = [("", [])]
    if not setting.quick:
        variants.append((", makers hold", ["--one-sided"]))
    for title, words in variants:
        commands = {
            str(depth): [str(depth), f"--operations={operations}", *words] for depth in depths
        }
        taken = in_turns(setting.python, "depth", commands, setting.rounds(9))
        for figure in ("match", "cancel"):
            for depth in depths:
                runs = taken[str(depth)]
                _row(report, f"{figure}{title}: {depth:,} resting", "us", runs, figure, least=True)
            ratio = paired(taken, _SHALLOW, _DEEP, figure)
            name = f"{figure}{title}: {DEPTHS[-1]:,} / {DEPTHS[0]} resting"
            report.add(name, "x", ratio, None, None)
            report.targets.append(Target(name, ratio, 2, at_least=False))


def _subscribers(setting: Setting, report: Report) -> None:
    number = 20 if setting.quick else 1_000
    commands = 100 if setting.quick else 2_000
    words = (f"--subscribers={number}", f"--commands={commands}")
    runs = [contend(setting.python, "subscribers", *words) for _ in range(setting.rounds(3))]
    name = f"{number:,} subscribers"
    _row(report, f"{name}: books equal", "", runs, "equal")
    _row(report, f"{name}: changes of the book", "", runs, "changes")
    _row(report, f"{name}: messages", "/s", runs, "rate")
    _row(report, f"{name}: to connect", "s", runs, "connect", least=True)
    _row(report, f"{name}: to drain", "s", runs, "drain", least=True)
    equal = min(each["equal"] for each in runs)
    report.targets.append(Target(f"{name}: books equal", equal, number))


def _activity(setting: Setting, report: Report) -> None:
    seconds = 120 if setting.quick else 3_600
    quarters = _QUARTERS if setting.quick else _QUARTERS * _HOURS
    words = (f"--seconds={seconds}", f"--quarters={quarters}")
    runs = [contend(setting.python, "hour", *words) for _ in range(setting.rounds(2))]
    name = "activity" if setting.quick else "hour of activity"
    for quarter in range(_QUARTERS + 1):
        for each in runs:
            each[f"MB_{quarter}"] = each[f"rss_{quarter}"] / _MEGABYTE
        _row(report, f"{name}: memory after {quarter}/4", "MB", runs, f"MB_{quarter}", least=True)
    _row(report, f"{name}: trades", "", runs, f"trades_{_QUARTERS}")
    _row(report, f"{name}: took", "s", runs, f"wall_{_QUARTERS}", least=True)
    for kept in ("prints", "minutes", "resting", "expiring"):
        _row(report, f"{name}: {kept} kept", "", runs, f"{kept}_{_QUARTERS}", least=True)
    _growth(report, f"{name}: last quarter", runs, _QUARTERS)
    if quarters > _QUARTERS:
        _growth(report, f"{_HOURS} hours of activity: last quarter", runs, quarters)


def _growth(report: Report, name: str, runs: Sequence[Figures], last: int) -> None:
    """How much of the memory before a quarter came in it."""
    for each in runs:
        each[f"growth_{last}"] = 100 * (each[f"rss_{last}"] / each[f"rss_{last - 1}"] - 1)
    _row(report, f"{name} added", "%", runs, f"growth_{last}", least=True)
    worst = max(each[f"growth_{last}"] for each in runs)
    report.targets.append(Target(f"{name}: % added", worst, 10, at_least=False))


def _row(
    report: Report,
    name: str,
    unit: str,
    runs: Sequence[Figures],
    figure: str,
    *,
    least: bool = False,
) -> None:
    """Median, best and worst over the runs; `least`: the smaller the better."""
    values = sorted((each[figure] for each in runs), reverse=not least)
    report.add(name, unit, middle(runs, figure), values[0], values[-1])
