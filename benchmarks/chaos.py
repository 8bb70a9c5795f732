"""`chaos`: orders through an exchange that fails in every way; none may be placed twice or lost."""

from __future__ import annotations

from ._chaos import DELAY, READ_LAG, TIMEOUT
from ._report import Report, Target
from ._runs import Figures, Setting, contend

_RUNS = (
    ("create", "orders.create, 64 tasks"),
    ("singles", "place_many, one by one"),
    ("place_many", "place_many, in batches"),
    ("killed", "killed again and again"),
)
_FAULTS = ("duplicates", "lost", "denied", "strangers", "left_unknown")


def run(setting: Setting) -> Report:
    """Orders by one client in three ways, and by one that is killed twenty times."""
    orders, kills = (300, 2) if setting.quick else (10_000, 20)
    taken = {
        name: contend(
            setting.python, "chaos", name, f"--orders={orders}", f"--kills={kills}", timeout=3_600
        )
        for name, _ in _RUNS
    }
    report = Report("chaos", ["", *(title for _, title in _RUNS)], setting.interpreter)
    for figure, title in (
        ("orders", "orders"),
        ("there", "on the exchange"),
        ("ambiguous", "answers in doubt"),
        ("fault 429", "429"),
        ("unknown", "unknown at first"),
        ("resolved", "of which resolved"),
        ("kills", "times killed"),
        ("duplicates", "placed twice"),
        ("lost", "lost"),
        ("denied", "placed, but given up"),
        ("strangers", "not asked for"),
        ("left_unknown", "unknown at last"),
        ("seconds", "seconds"),
    ):
        report.add(title, *(_cell(taken[name], figure) for name, _ in _RUNS))
    for kind in sorted(name for name in taken["create"] if name.startswith("fault ")):
        cells = [_cell(taken[name], kind) for name, _ in _RUNS]
        report.add(f"  {kind.removeprefix('fault ')}", *cells)
    for name, title in _RUNS:
        wrong = sum(taken[name][figure] for figure in _FAULTS)
        report.targets.append(Target(f"{title}: orders gone wrong", wrong, 0, at_least=False))
    killed = taken["killed"]["kills"]
    report.targets.append(Target("times killed", killed, kills))
    report.method = [
        "the embedded exchange on loopback; a fifth of the requests that place end in doubt, evenly"
        " in fifteen ways: connection dropped or reset before or after the order took effect,"
        f" request or answer later than the client waits ({DELAY} s against {TIMEOUT} s), answer"
        " cut off, 500, 502, 503 and 504 before or after; one in twenty gets a 429; reads of the"
        f" account lag by {READ_LAG} s, and one in twelve fails",
        "one order in ten is killed or refused, some trade at once; with orders.create one in 25 is"
        f" given up by its caller within {TIMEOUT} s, and one in 25 has a deadline within that",
        "unknown orders are resolved by error.resolve(); the patience is short, so that there are"
        " many",
        "killed: the client is a process with a journal, ended by SIGKILL when a seeded number of"
        " placements has arrived, by orders.create and place_many in turns; the next one calls"
        " orders.recover() and goes on; what the journal says in the end is what is judged",
        "the judge is the exchange's own record of the account: each order exactly once, as wanted"
        " and with the same id, or not at all where the client says so",
    ]
    return report


def _cell(figures: Figures, name: str) -> float:
    if name == "ambiguous":
        return sum(
            count
            for fault, count in figures.items()
            if fault.startswith("fault ") and fault != "fault 429"
        )
    value = figures.get(name, 0)
    return value if name == "seconds" else int(value)
