"""Running contenders: each in its own process, one after another, interleaved over the rounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

import msgspec

from ._process import captured, conversation

Figures = dict[str, float]


@dataclass(frozen=True)
class Setting:
    """How a benchmark is to be taken.

    Attributes:
        python: The interpreter that runs every contender.
        peers: Whether that interpreter has the peers.
        quick: A short run, for a look and for tests; its figures are worth nothing.
    """

    python: str
    peers: bool
    quick: bool

    def rounds(self, full: int) -> int:
        """`full` rounds, or one in a quick run."""
        return 1 if self.quick else full

    @property
    def interpreter(self) -> str:
        """`CPython 3.13.0`, as the interpreter itself says."""
        code = "import platform as p; print(p.python_implementation(), p.python_version())"
        return captured([self.python, "-c", code]).strip()


_figures = msgspec.json.Decoder(Figures)


def contend(python: str, module: str, *words: str, timeout: float = 600) -> Figures:
    """Run `python -m benchmarks.contenders.MODULE WORDS` and return the figures it prints last.

    Raises BenchmarkError, with the last line of its complaint, where it fails.
    """
    command = [python, "-m", f"benchmarks.contenders.{module}", *words]
    printed = captured(command, timeout=timeout)
    return _figures.decode(printed.strip().splitlines()[-1])


def in_turns(
    python: str, module: str, commands: Mapping[str, Sequence[str]], rounds: int
) -> dict[str, list[Figures]]:
    """Contenders that stay alive, each asked for one piece of work a round.

    All of a round happens within seconds, so that ratios taken round by round hold on a machine
    whose speed drifts. A contender prints a line when it is ready, then its figures for each line
    it reads.

    Raises BenchmarkError where one ends early.
    """
    taken: dict[str, list[Figures]] = {name: [] for name in commands}
    with ExitStack() as stack:
        alive = {
            name: stack.enter_context(
                conversation([python, "-m", f"benchmarks.contenders.{module}", *words])
            )
            for name, words in commands.items()
        }
        names = list(alive)
        for turn in range(rounds):
            first = turn % len(names)
            for name in [*names[first:], *names[:first]]:
                taken[name].append(_figures.decode(alive[name]()))
    return taken


def paired(runs: Mapping[str, Sequence[Figures]], name: str, other: str, figure: str) -> float:
    """How many times more of a figure `other` takes than `name`: the median over the rounds."""
    pairs = zip(runs[name], runs[other], strict=True)
    return median(theirs[figure] / ours[figure] for ours, theirs in pairs)


def interleave(
    names: Sequence[str], rounds: int, run: Callable[[str], Figures]
) -> dict[str, list[Figures]]:
    """`rounds` runs of each name, taking turns and starting each round one further on.

    A machine that slows down for a while then slows everybody down, not the unlucky one.
    """
    taken: dict[str, list[Figures]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in [*names[first:], *names[:first]]:
            taken[name].append(run(name))
    return taken


def middle(runs: Sequence[Figures], name: str) -> float:
    """The median of one figure over the runs."""
    return median(run[name] for run in runs)


def best(runs: Sequence[Figures], name: str) -> float:
    """The smallest of one figure over the runs."""
    return min(run[name] for run in runs)
