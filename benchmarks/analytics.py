"""`analytics`: what the arithmetic of prices costs: fees and Kelly shares of many orders, arbitrage
over the books of many events.
"""

from __future__ import annotations

from ._report import Report, Target
from ._runs import Setting, best, contend, interleave, middle

PAIRS = 1_000_000
EVENTS = 10_000
SHARES = (0.0, 0.05, 0.5)
_COLUMNS = ("work", "items", "s", "median s", "us/item", "found")


def run(setting: Setting) -> Report:
    """Seconds for so many items on one core, against the figures to reach."""
    report = Report("analytics", _COLUMNS, setting.interpreter)
    _fees(setting, report)
    _arbitrage(setting, report)
    return report


def _fees(setting: Setting, report: Report) -> None:
    pairs = PAIRS // 50 if setting.quick else PAIRS
    taken = interleave(
        ["fees"],
        setting.rounds(3),
        lambda _: contend(setting.python, "fees", "--pairs", str(pairs)),
    )
    runs = taken["fees"]
    seconds, staked = best(runs, "seconds"), int(middle(runs, "staked"))
    report.add(
        "fee and Kelly share",
        pairs,
        seconds,
        middle(runs, "seconds"),
        seconds / pairs * 1e6,
        staked,
    )
    report.targets.append(
        Target(
            "fee and Kelly share of 1,000,000 pairs, s",
            middle(runs, "seconds") * PAIRS / pairs,
            3.0,
            at_least=False,
        )
    )
    report.method.append(
        f"fee and Kelly share: {pairs:,} (price, count) pairs, prices of $0.001 to $0.999, a call"
        " of taker_fee and one of kelly for each; processor seconds of one process"
    )


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
        "found: pairs with a stake, events with packages",
        "mispriced: the share of events in which one market is 35 cents too dear; find looks"
        " through the books, promising through the best prices of a list",
    ]
