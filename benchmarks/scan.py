"""`scan`: read a market list of 1,000-market pages to its end, as each contender does it."""

from __future__ import annotations

from ._report import Report, Target
from ._runs import Figures, Setting, contend, in_turns, interleave, middle, paired
from ._servers import running

FLOOR = "floor"
FLOOR_FIVE = "floor, five fields"
OURS = "ours"
OURS_FIVE = "ours, schema="
OURS_SCAN = "ours, scan()"
SDK = "kalshi-sdk"
OFFICIAL = "kalshi-python-async"
IDLE = "idle loop"

_OWN = [FLOOR, OURS, "ours, pages()", OURS_SCAN, "ours, httpx", FLOOR_FIVE, OURS_FIVE]
_PEERS = [SDK, OFFICIAL]
_MEGABYTE = 1_000_000
_ROUNDS = 25


def run(setting: Setting) -> Report:
    """Throughput, event-loop stops and memory of every contender, with the ratios asked for."""
    pages = 4 if setting.quick else 20
    names = _OWN + (_PEERS if setting.peers else [])
    with running(setting.python, markets=pages * 1_000) as url:
        common = ["--url", url, "--pages", str(pages)]
        speed = in_turns(
            setting.python,
            "scan",
            {name: ["turns", name, *common] for name in names},
            setting.rounds(_ROUNDS),
        )
        stops = interleave(
            [IDLE, OURS] if setting.quick else [IDLE, *names],
            setting.rounds(3),
            lambda name: contend(setting.python, "scan", "stops", name, *common),
        )
        growth = _memory(setting, [OURS], url, pages) if setting.quick else {}
    if not setting.quick:
        with running(setting.python, markets=1_000_000, template=5_000) as url:
            growth = _memory(setting, [FLOOR, OURS, OURS_SCAN], url, 1_000)
    return _report(setting, names, speed, stops, growth)


def _memory(setting: Setting, names: list[str], url: str, pages: int) -> dict[str, Figures]:
    words = ["--url", url, "--pages", str(pages)]
    return {name: contend(setting.python, "scan", "memory", name, *words) for name in names}


def _report(
    setting: Setting,
    names: list[str],
    speed: dict[str, list[Figures]],
    stops: dict[str, list[Figures]],
    growth: dict[str, Figures],
) -> Report:
    report = Report(
        "scan",
        [
            "contender",
            "markets/s",
            "ms/page",
            "CPU ms/page",
            "x kalshi-sdk",
            "x official",
            "x floor",
            "loop stop ms",
            "frozen heap",
            "RSS growth MB",
        ],
        setting.interpreter,
    )
    for name in names:
        runs = speed[name]
        grown = growth.get(name)
        report.add(
            name,
            1_000 / middle(runs, "wall"),
            middle(runs, "wall") * 1e3,
            middle(runs, "cpu") * 1e3,
            *(
                paired(speed, name, other, "wall") if other in speed else None
                for other in (SDK, OFFICIAL, FLOOR)
            ),
            middle(stops[name], "stop") * 1e3 if name in stops else None,
            middle(stops[name], "frozen") * 1e3 if name in stops else None,
            grown["growth"] / _MEGABYTE if grown else None,
        )
    idle = middle(stops[IDLE], "stop") * 1e3
    report.targets = _targets(speed, stops, growth)
    size = "4,000" if setting.quick else "1,000,000"
    report.method = [
        "pages of 1,000 markets, about 1.85 MB each, ready bytes from a server process on loopback;"
        " keep-alive; three pages of warm-up",
        f"every contender in a process that stays alive; {setting.rounds(_ROUNDS)} rounds in which"
        " each reads the list of 20 pages once, in turn; medians over the rounds, and ratios are"
        " taken within each round: the machine's speed drifts",
        "CPU is processor time of all threads of the contender",
        "loop stop: longest turn of the event loop in a pass of its own, median of"
        f" {setting.rounds(3)} rounds; an idle loop on this machine, as long: {idle:.2f} ms;"
        " 'frozen heap': the same after gc.freeze(), so that a full collection walks pages only",
        f"RSS growth: peak over {size} distinct markets, from before the first page",
    ]
    if not setting.peers:
        report.method.append("peers not measured: run once with --peers to install them")
    return report


def _targets(
    speed: dict[str, list[Figures]], stops: dict[str, list[Figures]], growth: dict[str, Figures]
) -> list[Target]:
    targets = [Target("ours / floor", paired(speed, OURS, FLOOR, "wall"), 0.75)]
    if SDK in speed and OFFICIAL in speed:
        targets += [
            Target("ours / kalshi-sdk", paired(speed, OURS, SDK, "wall"), 5),
            Target("ours / kalshi-python-async", paired(speed, OURS, OFFICIAL, "wall"), 4),
            Target("schema= / kalshi-sdk", paired(speed, OURS_FIVE, SDK, "wall"), 9),
        ]
    for name in [name for name in (OURS, OURS_SCAN) if name in growth]:
        stop = middle(stops[name], "frozen") * 1e3
        targets.append(Target(f"{name}: loop stop by pages, ms", stop, 8, at_least=False))
        grown = growth[name]["growth"] / _MEGABYTE
        targets.append(Target(f"{name}: RSS growth, MB", grown, 60, at_least=False))
    return targets
