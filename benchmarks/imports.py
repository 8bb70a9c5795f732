"""`import`: what importing the package costs a program that starts."""

from __future__ import annotations

from time import perf_counter

from ._process import captured
from ._report import Report, Target
from ._runs import Figures, Setting, best, interleave, middle

NOTHING = "pass"
OURS = "import kalshi_async"
SDK = "import kalshi"
OFFICIAL = "import kalshi_python_async"
OURS_USED = "from kalshi_async import KalshiClient"
SDK_USED = "from kalshi import AsyncKalshiClient"
OFFICIAL_USED = "from kalshi_python_async import KalshiClient"


def run(setting: Setting) -> Report:
    """Milliseconds from start to end of an interpreter that imports a package and nothing else."""
    names = [NOTHING, OURS, OURS_USED]
    if setting.peers:
        names += [SDK, SDK_USED, OFFICIAL, OFFICIAL_USED]
    for name in names:
        _once(setting.python, name)
    taken = interleave(names, setting.rounds(15), lambda name: _once(setting.python, name))
    report = Report(
        "import",
        ["statement", "ms", "median ms", "ms without start", "x kalshi-sdk"],
        setting.interpreter,
    )
    fastest = {name: best(runs, "wall") * 1e3 for name, runs in taken.items()}
    for name in names:
        report.add(
            name,
            fastest[name],
            middle(taken[name], "wall") * 1e3,
            fastest[name] - fastest[NOTHING],
            fastest[name] / fastest[SDK] if SDK in fastest else None,
        )
    if SDK in fastest:
        share = fastest[OURS] / fastest[SDK]
        used = fastest[OURS_USED] / fastest[SDK_USED]
        report.targets = [
            Target(f"{OURS} / {SDK}", share, 0.5, at_least=False),
            Target(f"{OURS_USED} / {SDK_USED}", used, 0.5, at_least=False),
        ]
    report.method = [
        f"`python -c STATEMENT` from start to end, {setting.rounds(15)} interleaved rounds after"
        " one that compiled everything; ms and ratios are of the best round, beside it the median",
        "the ratio counts the interpreter's own start on both sides, as a user feels it",
    ]
    if not setting.peers:
        report.method.append("peers not measured: run once with --peers to install them")
    return report


def _once(python: str, statement: str) -> Figures:
    begin = perf_counter()
    captured([python, "-c", statement])
    return {"wall": perf_counter() - begin}
