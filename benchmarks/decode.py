"""`decode`: one page of 1,000 markets from bytes to objects."""

from __future__ import annotations

from ._report import Report
from ._runs import Setting, best, contend, interleave, middle

_OWN = ["floor", "ours", "ours, in slices", "floor, five fields", "floor, split only"]
_PEERS = ["kalshi-sdk", "kalshi-python-async"]


def run(setting: Setting) -> Report:
    """Milliseconds a page for every decoder, with the ratios to the floor and to the peers."""
    names = _OWN + (_PEERS if setting.peers else [])
    seconds = "0.1" if setting.quick else "1.5"
    taken = interleave(
        names,
        setting.rounds(5),
        lambda name: contend(setting.python, "decode", name, "--seconds", seconds),
    )
    report = Report(
        "decode",
        ["decoder", "ms/page", "median ms/page", "x kalshi-sdk", "x official", "x floor"],
        setting.interpreter,
    )
    fastest = {name: best(runs, "best") for name, runs in taken.items()}
    for name in names:
        report.add(
            name,
            fastest[name] * 1e3,
            middle(taken[name], "median") * 1e3,
            *(
                fastest[other] / fastest[name] if other in fastest else None
                for other in (*_PEERS, "floor")
            ),
        )
    size = taken["floor"][0]["bytes"] / 1e6
    report.method = [
        f"one page of 1,000 markets, {size:.2f} MB; the event loop stands still for as long as the"
        " decoder takes, unless it works in slices",
        f"every decoder in a process of its own, {setting.rounds(5)} interleaved rounds of"
        f" {seconds} s; ms/page and ratios are of the best call, beside it the median of the"
        " rounds' medians",
    ]
    if not setting.peers:
        report.method.append("peers not measured: run once with --peers to install them")
    return report
