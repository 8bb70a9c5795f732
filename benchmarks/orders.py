"""`orders`: placing and cancelling, from one order to ten thousand at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ._loops import cores
from ._process import captured
from ._report import Report, Target
from ._runs import Figures, Setting, best, in_turns, middle, paired
from ._servers import running

FLOOR = "floor"
FAST = "ours [fast]"
AIOHTTP = "ours, aiohttp on asyncio"
HTTPX = "ours, httpx"
PRESTIGE = "ours [fast], Prestige limits"
JOURNAL = "ours [fast], journal"
OWN = "ours, no network"
OWN_JOURNAL = "ours, no network, journal"
SDK = "kalshi-sdk"
OFFICIAL = "kalshi-python-async"
OFFICIAL_UVLOOP = "kalshi-python-async, uvloop"
OFFICIAL_RSA = "kalshi-python-async, RSA-2048"

RSA = "RSA-2048"
ED25519 = "Ed25519"

_IN_FLIGHT = (100, 200, 500, 1_000, 2_000, 5_000, 10_000)
# What a Prestige account may send in a second, and how much of what it saved up to spend first.
_CREATES, _CANCELS, _SAVED = 960, 4_800, 4_500
_COLUMNS = (
    "measurement",
    "contender",
    "orders/s",
    "best/s",
    "us/order, one by one",
    "CPU us/order",
    "core %",
    "x kalshi-sdk",
    "x official",
    "x floor",
)

Runs = Mapping[str, list[Figures]]


@dataclass(frozen=True)
class Work:
    """What one contender does when it is its turn.

    `orders` at once, `repeat` times; `drain` orders before that, which are not counted; `core` to
    keep to; `key` where it is another than that of the table.
    """

    contender: str
    job: str
    orders: int
    repeat: int = 1
    drain: int = 0
    core: int | None = None
    key: str = ""

    def words(self, url: str, key: Path) -> list[str]:
        """The command line of its process."""
        words = [self.contender, self.job, "--url", url, "--key", str(key)]
        words += ["--orders", str(self.orders), "--repeat", str(self.repeat)]
        words += ["--drain", str(self.drain)]
        return words if self.core is None else [*words, "--core", str(self.core)]


@dataclass
class Bench:
    """Runs the work of contenders in turns, and puts what they took into a report."""

    setting: Setting
    keys: Mapping[str, Path]
    report: Report = field(init=False)

    def __post_init__(self) -> None:
        self.report = Report("orders", _COLUMNS, self.setting.interpreter)

    def take(self, works: Mapping[str, Work], *, key: str, rounds: int) -> Runs:
        """Figures by name; a server of their own, kept to the last core, takes the orders.

        A quick run without peers takes the first two only.
        """
        if self.setting.quick and not self.setting.peers:
            works = dict(islice(works.items(), 2))
        own = {"core": cores()[-1]} if len(cores()) > 1 else {}
        with running(self.setting.python, orders=True, **own) as url:
            return in_turns(
                self.setting.python,
                "placing",
                {name: work.words(url, self.keys[work.key or key]) for name, work in works.items()},
                self.setting.rounds(rounds),
            )

    def rows(self, measurement: str, runs: Runs) -> None:
        """A row for each, with its ratios to peers and floor among them."""
        for name, taken in runs.items():
            alone = "p50" in taken[0]
            self.report.add(
                measurement,
                name,
                None if alone else 1 / middle(taken, "wall"),
                None if alone else 1 / best(taken, "wall"),
                middle(taken, "p50") * 1e6 if alone else None,
                middle(taken, "cpu") * 1e6,
                100 * median(run["cpu"] / run["wall"] for run in taken),
                *(
                    paired(runs, name, other, "wall") if other in runs else None
                    for other in (SDK, OFFICIAL, FLOOR)
                ),
            )

    def aim(self, name: str, value: float, bound: float, *, at_least: bool = True) -> None:
        """A figure to reach."""
        self.report.targets.append(Target(name, value, bound, at_least=at_least))


def run(setting: Setting) -> Report:
    """All of it, in about ten minutes."""
    with TemporaryDirectory() as folder:
        bench = Bench(setting, _keys(Path(folder)))
        _against_peers(bench)
        _in_flight(bench)
        _one_core(bench)
        _own_part(bench)
        _journal(bench)
    bench.report.method = _method(setting)
    return bench.report


def _against_peers(bench: Bench) -> None:
    number = 100 if bench.setting.quick else 1_000
    for key, rounds in ((RSA, 5), (ED25519, 9)):
        names = [FLOOR, FAST, HTTPX, AIOHTTP]
        if bench.setting.peers:
            # kalshi-sdk takes no Ed25519 key
            names += [OFFICIAL, OFFICIAL_UVLOOP] if key == ED25519 else [OFFICIAL, SDK]
        # kalshi-sdk takes long enough as it is
        works = {
            name: Work(name, "create", number, 1 if bench.setting.quick or name == SDK else 3)
            for name in names
        }
        if key == ED25519 and bench.setting.peers:
            works[OFFICIAL_RSA] = replace(works[OFFICIAL], key=RSA)
        runs = bench.take(works, key=key, rounds=rounds)
        bench.rows(f"{number:,} at once, {key}", runs)
        if not bench.setting.peers:
            continue
        if key == ED25519:
            for name, other in (("RSA-2048", OFFICIAL_RSA), ("Ed25519 too", OFFICIAL)):
                ratio = paired(runs, FAST, other, "wall")
                bench.aim(f"{key}: [fast] / official with {name}", ratio, 3.5)
            continue
        bench.aim(f"{key}: [fast] / kalshi-sdk", paired(runs, FAST, SDK, "wall"), 25)
        bench.aim(f"{key}: [fast] / official", paired(runs, FAST, OFFICIAL, "wall"), 1.8)
        bench.aim(f"{key}: httpx / kalshi-sdk", paired(runs, HTTPX, SDK, "wall"), 15)


def _in_flight(bench: Bench) -> None:
    """Rates must not fall as more orders are under way."""
    for name, largest, rounds in ((FAST, 10_000, 7), (HTTPX, 2_000, 5)):
        most = _IN_FLIGHT[1] if bench.setting.quick else largest
        works = {
            f"{name}, {number:,}": Work(name, "create", number, max(1, most // number // 2))
            for number in _IN_FLIGHT
            if number <= most
        }
        runs = bench.take(works, key=ED25519, rounds=rounds)
        bench.rows("in flight, Ed25519", runs)
        names = list(runs)
        steps = [paired(runs, more, fewer, "wall") for fewer, more in pairwise(names)]
        bench.aim(f"{name}: rate with twice as many in flight, the worst step", min(steps), 0.9)


def _one_core(bench: Bench) -> None:
    """What one process on one core sends, with and without the limits of a Prestige account."""
    own = next(iter(cores()), None)
    seconds = 0.1 if bench.setting.quick else 2
    jobs = (
        ("creates", "create", _CREATES),
        ("cancels", "cancel", _CANCELS),
        ("creates, place_many", "place_many", _CREATES),
        ("cancels, cancel_many", "cancel_many", _CANCELS),
    )
    works = {name: Work(FAST, job, int(rate * seconds), core=own) for name, job, rate in jobs} | {
        f"{name}, Prestige limits": Work(
            PRESTIGE, job, int(rate * seconds), drain=0 if bench.setting.quick else _SAVED, core=own
        )
        for name, job, rate in jobs
    }
    runs = bench.take(works, key=ED25519, rounds=5)
    bench.rows("one core, Ed25519", runs)
    bench.aim("one core: creates/s", 1 / middle(runs["creates"], "wall"), _CREATES)
    bench.aim("one core: cancels/s", 1 / middle(runs["cancels"], "wall"), _CANCELS)
    if not bench.setting.quick:
        for name, _, rate in jobs[2:]:
            spent = 1 / middle(runs[f"{name}, Prestige limits"], "wall") / rate
            bench.aim(f"one core: {name}, share of the Prestige budget spent", spent, 0.98)


def _own_part(bench: Bench) -> None:
    """Processor time of a placement that neither signs nor leaves the process."""
    number = 100 if bench.setting.quick else 5_000
    works = {
        "one by one": Work(OWN, "one by one", number),
        "one by one, journal": Work(OWN_JOURNAL, "one by one", min(number, 1_000)),
        "at once": Work(OWN, "create", min(number, 1_000), max(1, number // 1_000)),
        "at once, journal": Work(
            OWN_JOURNAL, "create", min(number, 1_000), max(1, number // 1_000)
        ),
    }
    runs = bench.take(works, key=ED25519, rounds=7)
    bench.rows("our own part", runs)
    spent = best(runs["one by one"], "cpu") * 1e6
    bench.aim("our own part of a placement, CPU us, best", spent, 60, at_least=False)


def _journal(bench: Bench) -> None:
    """What writing each order down first adds."""
    few, many = (20, 100) if bench.setting.quick else (300, 1_000)
    works = {
        name: Work(contender, job, number)
        for name, contender, job, number in (
            ("one by one", FAST, "one by one", few),
            ("one by one, journal", JOURNAL, "one by one", few),
            ("at once", FAST, "create", many),
            ("at once, journal", JOURNAL, "create", many),
        )
    }
    runs = bench.take(works, key=ED25519, rounds=7)
    bench.rows("journal, Ed25519", runs)
    pairs = zip(runs["one by one"], runs["one by one, journal"], strict=True)
    added = median(journaled["p50"] - plain["p50"] for plain, journaled in pairs)
    bench.aim("journal: ms added to a lone order", added * 1e3, 1, at_least=False)


def _keys(folder: Path) -> dict[str, Path]:
    """A new private key of each kind, as PEM files."""
    keys: dict[str, rsa.RSAPrivateKey | Ed25519PrivateKey] = {
        RSA: rsa.generate_private_key(65_537, 2_048),
        ED25519: Ed25519PrivateKey.generate(),
    }
    paths = {kind: folder / f"{kind}.pem" for kind in keys}
    for kind, key in keys.items():
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        paths[kind].write_bytes(pem)
    return paths


def _method(setting: Setting) -> list[str]:
    lines = [
        "a server in a process of its own, kept to one core, answers every order with the same"
        " bytes; keep-alive;"
        " every contender in a process that stays alive, all of a table in turns; medians of"
        " the rounds, ratios within each round",
        "at once: one `gather`, every answer an object; no limiter but where limits are named;"
        " waiting time-outs of 300 s, all else as installed; [fast] is aiohttp on uvloop",
        "the floor: 64 raw streams on uvloop, one signature, msgspec; kalshi-sdk takes no Ed25519"
        " key, so it has no row there",
        "CPU is processor time of all threads of the contender; core % is that by the clock",
        f"one core: the contender is kept to another one; Prestige limits after {_SAVED:,}"
        " orders that spend what had been saved up",
        "no network: an HTTP adapter that answers at once, a key that signs with constant bytes;"
        " best of the rounds",
        "journal: a file of the temporary directory; what it adds is the median of the rounds'"
        " differences between the medians",
    ]
    if not _has_uvloop(setting.python):
        lines.append("uvloop is not installed: everything ran on asyncio's own loop")
    if setting.quick:
        lines.append("a quick run: its figures are worth nothing")
    if not setting.peers:
        lines.append("peers not measured: run once with --peers to install them")
    return lines


def _has_uvloop(python: str) -> bool:
    code = "from importlib.util import find_spec as f; print(f('uvloop') is not None)"
    return captured([python, "-c", code]).strip() == "True"
