"""`sign`: when it pays to sign in a worker thread; the measurement behind the signer's rule."""

from __future__ import annotations

from ._report import Report
from ._runs import Setting, contend, interleave, middle

KEYS = ("Ed25519", "RSA-2048", "RSA-4096")
_COLUMNS = (
    "key",
    "inline us",
    "thread us",
    "50 at once: inline us",
    "1 thread us",
    "2 threads us",
    "inline stop ms",
    "1 thread stop ms",
    "2 threads stop ms",
)


def run(setting: Setting) -> Report:
    """Microseconds a signature, and how long a burst of fifty keeps the event loop."""
    words = ["--seconds", "0.02", "--burst", "4"] if setting.quick else ["--seconds", "0.5"]
    taken = interleave(
        KEYS,
        setting.rounds(5),
        lambda key: contend(setting.python, "sign", key, *words),
    )
    report = Report("sign", _COLUMNS, setting.interpreter)
    for key in KEYS:
        runs = taken[key]
        micro = [middle(runs, name) * 1e6 for name in ("inline", "thread")]
        micro += [middle(runs, f"each_{threads}") * 1e6 for threads in (0, 1, 2)]
        milli = [middle(runs, f"stop_{threads}") * 1e3 for threads in (0, 1, 2)]
        report.add(key, *micro, *milli)
    report.method = [
        "cryptography's own sign() on fresh keys of one process each; medians of"
        f" {setting.rounds(5)} interleaved rounds",
        "thread: one signature handed to a worker thread and awaited, nothing else going on",
        "50 at once: fifty tasks that sign at the same moment, microseconds for each;"
        " stop: the longest turn of the event loop meanwhile",
    ]
    return report
