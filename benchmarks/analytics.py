"""`analytics`: what the arithmetic of prices costs: arbitrage over the books of many events."""

from __future__ import annotations

from ._report import Report, Target
from ._runs import Setting, best, contend, interleave, middle

EVENTS = 10_000
SHARES = (0.0, 0.05, 0.5)
_COLUMNS = ("work", "items", "s", "median s", "us/item", "with packages")


def run(setting: Setting) -> Report:
    """Seconds for so many items on one core, against the figures to reach."""
    report = Report("analytics", _COLUMNS, setting.interpreter)
    _arbitrage(setting, report)
    return report


def _arbitrage(setting: Setting, report: Report) -> None:
    events = EVENTS // 50 if setting.quick else EVENTS
    words = {f"{share:.0%}": ["--events", str(events), "--share", str(share)] for share in SHARES}
    taken = interleave(
        list(words),
        setting.rounds(3),
        lambda name: contend(setting.python, "arbitrage", *words[name]),
    )
    for name, runs in taken.items():
        for work in ("find", "promising"):
            seconds = best(runs, work)
            found = middle(runs, "found" if work == "find" else "screened")
            report.add(
                f"arbitrage, {name} of events mispriced: {work}",
                events,
                seconds,
                middle(runs, work),
                seconds / events * 1e6,
                int(found),
            )
    levels = middle(taken["5%"], "levels") / events
    # The figure to reach is for 10,000 events; a quick run is taken up to it.
    report.targets += [
        Target(
            f"arbitrage, 10,000 events, {name} mispriced, s",
            middle(runs, "find") * EVENTS / events,
            10.0,
            at_least=False,
        )
        for name, runs in taken.items()
    ]
    report.method += [
        f"arbitrage: {events:,} events of 10 markets each, ladders and exclusive outcomes by turns,"
        f" {levels:.0f} levels of book an event; processor seconds of one process, "
        f"{setting.rounds(3)} interleaved rounds, the best and the median; decoding is not in it",
        "mispriced: the share of events in which one market is 35 cents too dear; find looks"
        " through the books, promising through the best prices of a list",
    ]
