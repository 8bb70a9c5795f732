"""Waiting for an analysis: start the run, ask with growing waits, read the result."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import anyio

from .._errors import (
    APIError,
    ConfigurationError,
    DeadlineExceededError,
    DecodeError,
    KalshiError,
    NotFoundError,
    RateLimitError,
    ServerError,
    TransportError,
)
from .._options import is_positive
from .._rekko_errors import AnalysisFailedError, AnalysisPendingError
from ..resources._base import CallOptions
from ._decoding import filled
from ._markets import Analyses
from .models import Analysis, AnalysisStatus

OnProgress = Callable[[AnalysisStatus], None]

DEFAULT_TIMEOUT = 180.0
_FIRST_WAIT = 2.0
_GROWTH = 1.5
_LONGEST_WAIT = 10.0
_JITTER = 0.1
_LAST_LOOK = 5.0
"""Seconds for what is asked at the very end: an answer under way is worth so much patience."""

_SETTLING = 30.0
"""Seconds for which Rekko may not find a run that it has told of, since its parts learn one by one,
or answer what nobody can read.
"""

_SHORTEST = 0.001
_PROXY_TIMEOUT = 408

_TRANSIENT = (TransportError, ServerError, DeadlineExceededError)


@dataclass(slots=True)
class _Run:
    """One run, and what is known of it."""

    platform: str
    market_id: str
    analysis_id: str
    began: float
    told_of: bool
    status: str | None = None
    complete: bool = False
    last_error: KalshiError | None = None
    missed_since: float | None = None

    @property
    def asked_wait(self) -> float:
        """Seconds for which Rekko wants to be left alone."""
        error = self.last_error
        return (error.retry_after or 0.0) if isinstance(error, APIError) else 0.0


class Runs:
    """Starts runs and waits for them.

    Args:
        analyses: The calls.
        until: When a call that begins now is over by the client's own deadline; None for never.
        rng: Draws the jitter of the waits.
    """

    def __init__(
        self, analyses: Analyses, until: Callable[[], float | None], rng: random.Random
    ) -> None:
        self._analyses = analyses
        self._until = until
        self._rng = rng

    async def analyze(
        self, platform: str, market_id: str, timeout: float | None, on_progress: OnProgress | None
    ) -> Analysis:
        """Start a run and wait for its analysis; see ``RekkoClient.analyze``."""
        began = anyio.current_time()
        end = _end(timeout)
        started = await self._analyses.start(platform, market_id, **self._bounds(end))
        told = AnalysisStatus(
            platform=platform,
            market_id=market_id,
            analysis_id=started.analysis_id,
            status=started.status,
        )
        run = _Run(platform, market_id, started.analysis_id, began, True, told.status)
        run.complete = told.complete
        if on_progress is not None:
            on_progress(told)
        return await self._wait(run, end, on_progress, at_once=run.complete)

    async def resume(
        self,
        platform: str,
        market_id: str,
        analysis_id: str,
        timeout: float | None,
        on_progress: OnProgress | None,
    ) -> Analysis:
        """Wait for a run that was started before; see ``RekkoClient.resume``."""
        end = _end(timeout)
        run = _Run(platform, market_id, analysis_id, anyio.current_time(), False)
        return await self._wait(run, end, on_progress, at_once=True)

    async def _wait(
        self, run: _Run, end: float | None, on_progress: OnProgress | None, *, at_once: bool
    ) -> Analysis:
        wait = _FIRST_WAIT
        if not at_once:
            await anyio.sleep(self._pause(wait, end))
        while True:
            # However late it is, there is time for one more look, and for no more than one.
            until = None if end is None else max(end, anyio.current_time() + _LAST_LOOK)
            analysis = await self._look(run, until, on_progress)
            if analysis is not None:
                return analysis
            if end is not None and anyio.current_time() >= end:
                raise self._pending(run) from run.last_error
            wait = min(_LONGEST_WAIT, wait * _GROWTH)
            await anyio.sleep(self._pause(wait, end, least=run.asked_wait))

    async def _look(
        self, run: _Run, until: float | None, on_progress: OnProgress | None
    ) -> Analysis | None:
        """Ask once; the analysis when it is there."""
        place = (run.platform, run.market_id)
        if not run.complete:
            status: AnalysisStatus | None = None
            with _Bearing(run):
                bounds = self._bounds(until)
                status = await self._analyses.status(*place, run.analysis_id, **bounds)
            if status is None:
                return None
            run.told_of, run.status, run.complete = True, status.status, status.complete
            if on_progress is not None:
                on_progress(status)
            if status.failed:
                raise AnalysisFailedError(
                    run.analysis_id,
                    platform=run.platform,
                    market_id=run.market_id,
                    status=status.status or "",
                    reason=status.error or _told(status),
                )
            if not run.complete:
                return None
        with _Bearing(run):
            analysis = await self._analyses.get(*place, **self._bounds(until))
            return filled(analysis, {"analysis_id": run.analysis_id})
        return None

    def _bounds(self, until: float | None) -> CallOptions:
        """How long a call may take: ``until`` then, and no longer than the client allows a call."""
        now, own = anyio.current_time(), self._until()
        left = [] if until is None else [max(_SHORTEST, until - now)]
        left += [] if own is None else [own - now]
        return {"deadline": min(left)} if left else {}

    def _pause(self, wait: float, end: float | None, *, least: float = 0.0) -> float:
        """Seconds until the next look: the last one is at the very end."""
        wait = max(least, wait * self._rng.uniform(1 - _JITTER, 1 + _JITTER))
        if end is None:
            return wait
        left = max(0.0, end - anyio.current_time())
        return left if wait > left - 1 else wait

    def _pending(self, run: _Run) -> AnalysisPendingError:
        async def go_on(timeout: float | None) -> Analysis:
            return await self.resume(run.platform, run.market_id, run.analysis_id, timeout, None)

        return AnalysisPendingError(
            run.analysis_id,
            platform=run.platform,
            market_id=run.market_id,
            status=run.status,
            waited=anyio.current_time() - run.began,
            go_on=go_on,
        )


class _Bearing:
    """Keeps a failure to itself where asking again may help; any other tells which run goes on."""

    def __init__(self, run: _Run) -> None:
        self._run = run

    def __enter__(self) -> None:
        self._run.last_error = None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        run = self._run
        if error is None:
            run.missed_since = None
        elif isinstance(error, KalshiError):
            if _passes(run, error):
                run.last_error = error
                return True
            error.add_note(
                f"this does not end the run {run.analysis_id} of {run.platform}/{run.market_id}; "
                "rekko.resume(...) goes on waiting for it"
            )
        return False


def _passes(run: _Run, error: KalshiError) -> bool:
    """Whether to ask again may help: Rekko is out of reach, or in two minds."""
    if isinstance(error, RateLimitError):
        return error.passing
    if isinstance(error, NotFoundError | DecodeError):
        now = anyio.current_time()
        run.missed_since = now if run.missed_since is None else run.missed_since
        settling = now - run.missed_since < _SETTLING
        return settling and (run.told_of or isinstance(error, DecodeError))
    if isinstance(error, APIError) and error.status == _PROXY_TIMEOUT:
        return True
    return isinstance(error, _TRANSIENT)


def _end(timeout: float | None) -> float | None:
    if timeout is None:
        return None
    if not is_positive(timeout):
        raise ConfigurationError(f"timeout is {timeout!r}; expected seconds above 0, or None")
    return anyio.current_time() + timeout


def _told(status: AnalysisStatus) -> str | None:
    """A reason in a form that has no field."""
    found = status.extra.get("error") or status.extra.get("reason") or status.extra.get("detail")
    return None if found is None else str(found)
