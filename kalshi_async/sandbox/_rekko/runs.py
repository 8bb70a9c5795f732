"""Analyses under way: from pending over running to complete or failed, on a timer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from .._text import named_uuid
from .drawn import Opinion, dice

PENDING, RUNNING, COMPLETE, FAILED = "pending", "running", "complete", "failed"
# The part of a run that passes before it is taken up.
_QUEUED = 0.15
# Runs that are over are remembered, but no more than so many: an exchange may run for weeks.
_REMEMBERED = 5_000


@dataclass(slots=True, eq=False)
class Run:
    """One analysis under way. Times are those of the timer, in seconds; `due` is when it ends, None
    for one that is held.
    """

    analysis_id: str
    platform: str
    market_id: str
    started: float
    takes: float
    created_at: str
    due: float | None
    failure: str | None = None
    opinion: Opinion | None = None
    over: bool = False
    ended: float = 0.0

    @property
    def key(self) -> tuple[str, str]:
        """Platform and market."""
        return self.platform, self.market_id

    def progress(self, now: float) -> float:
        """From 0 to 1; a run that never ends comes close."""
        if self.over:
            return 1.0
        return round(min(max((now - self.started) / self.takes, 0.0), 0.99), 2)

    def status(self, now: float) -> str:
        """The word for where it is."""
        if self.over:
            return FAILED if self.opinion is None else COMPLETE
        return PENDING if self.progress(now) < _QUEUED else RUNNING


@dataclass(slots=True)
class Runs:
    """All runs of one exchange. `seconds` is the shortest and the longest time one takes; `held`
    and `failing` name markets whose runs never end, or fail with a reason.
    """

    seed: int
    seconds: tuple[float, float]
    held: set[str] = field(default_factory=set)
    failing: dict[str, str] = field(default_factory=dict)
    by_id: dict[str, Run] = field(default_factory=dict)
    latest: dict[tuple[str, str], Run] = field(default_factory=dict)
    _open: list[Run] = field(default_factory=list)
    _started: int = 0

    def start(self, platform: str, market_id: str, now: float, created_at: str) -> Run:
        """Begin another run."""
        number, self._started = self._started, self._started + 1
        takes = dice(self.seed, "takes", number).uniform(*self.seconds)
        run = Run(
            analysis_id=named_uuid(f"rekko/{self.seed}/analysis/{number}"),
            platform=platform,
            market_id=market_id,
            started=now,
            takes=max(takes, 1e-6),
            created_at=created_at,
            due=None if market_id in self.held else now + takes,
            failure=self.failing.get(market_id),
        )
        self.by_id[run.analysis_id] = run
        self._open.append(run)
        return run

    def release(self, market_id: str, now: float) -> None:
        """Let what was held go on: it ends now, and further runs are ordinary ones."""
        self.held.discard(market_id)
        self.failing.pop(market_id, None)
        for run in self._open:
            if run.market_id == market_id and run.due is None:
                run.due = now

    def advance(self, now: float, conclude: Callable[[Run], Opinion | None]) -> list[Run]:
        """End the runs that are due; those that ended now, in the order they were due in. What
        `conclude` has no opinion about has failed.
        """
        due = [run for run in self._open if run.due is not None and run.due <= now]
        due.sort(key=lambda run: (run.due or 0.0, run.started))
        for run in due:
            if run.failure is None:
                run.opinion = conclude(run)
                if run.opinion is None:
                    run.failure = "the market is no longer listed"
                else:
                    self.latest[run.key] = run
            run.over, run.ended = True, now
        if due:
            self._open = [run for run in self._open if not run.over]
            self._forget()
        return due

    def _forget(self) -> None:
        spare = len(self.by_id) - len(self._open) - _REMEMBERED
        if spare > 0:
            oldest = (run.analysis_id for run in self.by_id.values() if run.over)
            for analysis_id in list(islice(oldest, spare)):
                del self.by_id[analysis_id]

    def running(self, platform: str, market_id: str) -> Run | None:
        """The newest run of a market that is not over."""
        found = [run for run in self._open if run.key == (platform, market_id)]
        return found[-1] if found else None

    def newest(self) -> list[Run]:
        """Completed ones, newest first."""
        done = [run for run in self.by_id.values() if run.opinion is not None]
        return sorted(done, key=lambda run: run.ended, reverse=True)
