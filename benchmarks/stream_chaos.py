"""`stream-chaos`: a stream that loses its connection and its frames all the time; it may lose
nothing else.
"""

from __future__ import annotations

from ._report import Report, Target
from ._runs import Figures, Setting, contend
from ._stream_chaos import DROP_RATE, READ_LAG

# What is wrong, and what it is called.
_WRONG = (
    ("wrong books", "books wrong"),
    ("gaps unnoticed", "gaps in books unnoticed"),
    ("wrong missing", "fills missing"),
    ("wrong double", "fills told twice"),
    ("wrong disordered", "fills out of order"),
    ("wrong strangers", "fills that never were"),
    ("wrong orders", "orders whose last state is another one"),
    ("told backwards", "orders told backwards"),
    ("wrong positions", "positions whose last state is another one"),
    ("trades told twice", "trades told twice"),
)
_DONE = (
    ("disconnects", "disconnects"),
    ("failures to connect", "attempts to connect that failed"),
    ("frames", "frames"),
    ("frames dropped", "frames left out"),
    ("frames duplicated", "frames sent twice"),
    ("frames delayed", "frames held up"),
    ("frames reads failed", "reads of the account that failed"),
    ("gaps", "gaps noticed"),
    ("resyncs", "snapshots asked for"),
    ("repeats", "repeats dropped"),
    ("backfilled", "messages backfilled"),
    ("told fill", "fills told"),
    ("told user_orders", "changes of orders told"),
    ("told market_positions", "changes of positions told"),
    ("told orderbook_delta", "changes of books told"),
    ("told trade", "trades told"),
    ("checkpoints", "checkpoints"),
    ("seconds", "seconds"),
)
_SLOW = (
    ("told after", "consumer that stops: s until SlowConsumer"),
    ("dropped", "consumer that stops: messages dropped"),
    ("newest waiting", "consumer that stops, conflate: messages waiting"),
    ("replaced", "consumer that stops, conflate: messages replaced"),
    ("trades afterwards", "consumer beside them: messages afterwards"),
)


def run(setting: Setting) -> Report:
    """A thousand disconnects and five hundred gaps, in about ten minutes; a consumer that stops."""
    disconnects, gaps, pace = (3, 1, 0.2) if setting.quick else (1_000, 500, 1.0)
    words = [f"--disconnects={disconnects}", f"--gaps={gaps}", f"--pace={pace}"]
    taken = contend(setting.python, "stream_chaos", *words, timeout=7_200)
    heartbeat = 0.5 if setting.quick else 2.0
    slow = contend(setting.python, "stream_slow", f"--heartbeat={heartbeat}")
    report = Report("stream-chaos", ["", "count"], setting.interpreter)
    for figures, titles in ((taken, _DONE), (taken, _WRONG), (slow, _SLOW)):
        for figure, title in titles:
            report.add(title, _cell(figures, figure))
    for kind in sorted(name for name in taken if name.startswith("kind ")):
        report.add(f"  {kind.removeprefix('kind ')}", int(taken[kind]))
    _aim(report, taken, slow, disconnects, gaps)
    report.method = [
        "the embedded exchange in the client's process, 50 markets with activity, an account that"
        " trades a hundred times a second, its client by way of a relay on loopback; one stream:"
        " books, trades, prices, fills, orders, positions",
        "each end of the connection is one of the ways listed, evenly, 0 to 2.5 s after the last;"
        " cut off: amid a frame; hung up: without a close frame; silence: bytes no longer pass;"
        " clock: the client's, which is 20 s ahead from the start, set 25 s back or 40 s ahead",
        f"of the frames of books {DROP_RATE * 100:g} % are left out although they are numbered, of"
        f" all 1 % sent twice and 0.3 % held up; reads of the account lag by {READ_LAG} s, and 3 %"
        " of them fail",
        "every 50 disconnects all rest, and what was told is held against the exchange's own record"
        " once it has arrived; gaps unnoticed: a change of a book was told that does not follow the"
        " one told before",
        f"consumers that stop: a heartbeat of {heartbeat:g} s, at most 100 messages waiting, with"
        " another consumer and one that wants the newest only on the same connection",
    ]
    if setting.quick:
        report.method.append("a quick run: its figures are worth nothing")
    return report


def _aim(report: Report, taken: Figures, slow: Figures, disconnects: int, gaps: int) -> None:
    for figure, title in _WRONG:
        report.targets.append(Target(title, taken[figure], 0, at_least=False))
    report.targets += [
        Target("disconnects", taken["disconnects"], disconnects),
        Target("gaps noticed", taken["gaps"], gaps),
        Target("consumer that stops: told", slow["told"], 1),
        Target(
            "consumer that stops: heartbeats until it is told",
            slow["told after"] / slow["heartbeat"],
            2,
            at_least=False,
        ),
        Target(
            "conflate: messages waiting for a market",
            slow["newest waiting"] / slow["markets"],
            1,
            at_least=False,
        ),
        Target("consumer beside them: gaps", slow["gaps"], 0, at_least=False),
        Target("consumer beside them: connections lost", slow["reconnects"], 0, at_least=False),
    ]


def _cell(figures: Figures, name: str) -> float:
    value = figures.get(name, 0)
    return value if name in ("seconds", "told after") else int(value)
