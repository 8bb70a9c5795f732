"""`stream`: what a message costs, how old it is when it is held, and thousands of books at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ._loops import ASYNCIO, UVLOOP, cores
from ._process import captured
from ._report import Report, Target
from ._runs import Figures, Setting, best, contend, in_turns, middle, paired
from ._stream_server import streaming

FLOOR, OURS, CONFLATE, SDK = "floor", "ours", "ours, conflate", "kalshi-sdk"
FLOOR_UVLOOP, OURS_UVLOOP, CONFLATE_UVLOOP = (
    f"{name}, {UVLOOP}" for name in (FLOOR, OURS, CONFLATE)
)
_COLUMNS = ("measurement", "contender", "unit", "median", "best", "x floor", "x kalshi-sdk")
_RATE = 20_000
_PERCENTILES = ("p50", "p99", "p99.9", "max")


@dataclass
class Bench:
    """What all parts share: the setting, a private key, the report."""

    setting: Setting
    key: Path
    uvloop: bool
    report: Report = field(init=False)

    def __post_init__(self) -> None:
        self.report = Report("stream", _COLUMNS, self.setting.interpreter)

    def words(self, address: str, **options: int) -> list[str]:
        """The command line of a contender, which keeps to the first core."""
        words = ["--address", address, "--key", str(self.key)]
        words += [f"--{name}={value}" for name, value in options.items()]
        return [*words, f"--core={cores()[0]}"] if len(cores()) > 1 else words

    def aim(self, name: str, value: float, bound: float, *, at_least: bool = True) -> None:
        """A figure to reach."""
        self.report.targets.append(Target(name, value, bound, at_least=at_least))


def run(setting: Setting) -> Report:
    """All of it, in about five minutes with the peer."""
    with TemporaryDirectory() as folder:
        key = Path(folder) / "key.pem"
        pem = rsa.generate_private_key(65_537, 2_048).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        key.write_bytes(pem)
        bench = Bench(setting, key, not setting.quick and _has_uvloop(setting.python))
        _deltas(bench)
        _latency(bench)
        _markets(bench)
    bench.report.method = _method(bench)
    return bench.report


def _other_core() -> dict[str, int]:
    return {"core": cores()[-1]} if len(cores()) > 1 else {}


def _deltas(bench: Bench) -> None:
    """Processor time of a change of a book, from the socket to the consumer."""
    setting = bench.setting
    deltas = 2_000 if setting.quick else 100_000
    names = [FLOOR, OURS, CONFLATE]
    if setting.peers:
        names.append(SDK)
    if bench.uvloop:
        names += [FLOOR_UVLOOP, OURS_UVLOOP, CONFLATE_UVLOOP]
    with streaming(setting.python, deltas=deltas, **_other_core()) as address:
        runs = in_turns(
            setting.python,
            "stream_deltas",
            {name: [name, *bench.words(address, deltas=deltas)] for name in names},
            setting.rounds(9),
        )
    for name, taken in runs.items():
        bench.report.add(
            f"{deltas:,} deltas",
            name,
            "CPU us/message",
            middle(taken, "cpu") * 1e6,
            best(taken, "cpu") * 1e6,
            _ratio(runs, name, FLOOR),
            _ratio(runs, name, SDK),
        )
        bench.report.add(
            f"{deltas:,} deltas",
            name,
            "messages/s",
            1 / middle(taken, "wall"),
            1 / best(taken, "wall"),
            None,
            None,
        )
    bench.aim("deltas: CPU us a message, best", best(runs[OURS], "cpu") * 1e6, 7.5, at_least=False)
    bench.aim("deltas: ours / floor", paired(runs, FLOOR, OURS, "cpu"), 1.36, at_least=False)
    if SDK in runs:
        bench.aim("deltas: kalshi-sdk / ours", paired(runs, OURS, SDK, "cpu"), 2.13)


def _ratio(runs: Mapping[str, list[Figures]], name: str, other: str) -> float | None:
    """How many times as fast as the other one."""
    return paired(runs, name, other, "cpu") if other in runs else None


def _latency(bench: Bench) -> None:
    """How old changes are when a consumer holds them, at a steady rate."""
    setting = bench.setting
    rate, deltas = (2_000, 1_000) if setting.quick else (_RATE, 10 * _RATE)
    what = f"latency, {rate:,}/s"
    worst: list[float] = []
    for loop in (ASYNCIO, UVLOOP) if bench.uvloop else (ASYNCIO,):
        runs = []
        for _ in range(setting.rounds(3)):
            # One server a run: its books have changed afterwards.
            with streaming(setting.python, deltas=deltas, rate=rate, **_other_core()) as address:
                words = [*bench.words(address, deltas=deltas), f"--loop={loop}"]
                runs.append(contend(setting.python, "stream_latency", *words))
        name = OURS if loop == ASYNCIO else f"{OURS}, {loop}"
        for figure in _PERCENTILES:
            middling, least = middle(runs, figure), best(runs, figure)
            bench.report.add(what, name, f"{figure} ms", middling, least, None, None)
        share = middle(runs, "core") * 100
        bench.report.add(what, name, "% of a core", share, best(runs, "core") * 100, None, None)
        worst.append(middle(runs, "p99"))
        undisturbed = min(run["undisturbed"] for run in runs)
    bench.aim("latency: p99 ms", worst[0], 1.0, at_least=False)
    if not undisturbed:
        bench.report.method.append("no real-time priority: latency includes what else ran")


def _markets(bench: Bench) -> None:
    """Whole books of many markets, subscribed to in one go."""
    setting = bench.setting
    markets = 100 if setting.quick else 10_000
    what = f"{markets:,} markets"
    runs = []
    with streaming(setting.python, markets=markets, **_other_core()) as address:
        for _ in range(setting.rounds(3)):
            words = bench.words(address, markets=markets)
            runs.append(contend(setting.python, "stream_markets", *words))
    for unit, figure, scale in (
        ("s until all stand", "seconds", 1.0),
        ("kB/market", "bytes", 1e-3),
        ("kB/market, none taken", "bytes, none taken", 1e-3),
        ("books equal", "equal", 1.0),
        ("stale when entered", "stale", 1.0),
        ("connections", "connections", 1.0),
    ):
        middling, least = middle(runs, figure) * scale, best(runs, figure) * scale
        bench.report.add(what, OURS, unit, middling, least, None, None)
    bench.aim(f"{what}: kB a market", middle(runs, "bytes") / 1e3, 40, at_least=False)
    bench.aim(f"{what}: connections", max(run["connections"] for run in runs), 1, at_least=False)
    bench.aim(f"{what}: books equal", best(runs, "equal"), markets)
    bench.aim(f"{what}: stale when entered", max(run["stale"] for run in runs), 0, at_least=False)


def _method(bench: Bench) -> list[str]:
    lines = [
        "a server in a process kept to one core, raw asyncio protocol, frames rendered beforehand"
        " in the shape of recorded ones, as many a write as fit 64 kB; a contender on another core",
        "deltas: one book of 99 levels a side; CPU is processor time of the contender from its"
        " subscription to the last message, connecting left out; contenders stay alive and take"
        " turns, medians of nine rounds, ratios within a round; a run counts only if the book is"
        " in the end the one that the server says is right",
        "the floor: websockets' `async for message in connection`, msgspec structs with Decimal and"
        " datetime, two dicts; nothing checked; kalshi-sdk: subscribe_orderbook_delta()",
        "conflate: the book is kept from every message, the consumer gets the newest of each",
        "latency: from the machine's clock in the message, read when it was made, to the update in"
        " the consumer's hand; bursts of a millisecond, ten seconds, the first left out; server and"
        " client have real-time priority where the system grants it, so that neighbours are not"
        " measured",
        "markets: distinct books of 99 levels a side over one subscription; resident memory after a"
        " garbage collection less that before the subscription, with all updates taken, and with"
        " none",
        *bench.report.method,
    ]
    if not bench.uvloop:
        lines.append("without uvloop: everything ran on asyncio's own loop")
    if bench.setting.quick:
        lines.append("a quick run: its figures are worth nothing")
    if not bench.setting.peers:
        lines.append("peer not measured: run once with --peers to install it")
    return lines


def _has_uvloop(python: str) -> bool:
    code = "from importlib.util import find_spec as f; print(f('uvloop') is not None)"
    return captured([python, "-c", code]).strip() == "True"
