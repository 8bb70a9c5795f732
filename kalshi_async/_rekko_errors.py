"""Errors of the intelligence API, Rekko; their tree is in ``_errors``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING

from ._errors import (
    APIError,
    ConfigurationError,
    KalshiError,
    RateLimitError,
    _restored,
    one_line,
)

if TYPE_CHECKING:
    from .rekko.models import Analysis

_LONGEST_REASON = 300

GoOn = Callable[[float | None], Awaitable["Analysis"]]


class RekkoError(KalshiError):
    """Something about Rekko that is not an answer of its API; the message says what."""


class AnalysisPendingError(RekkoError, TimeoutError):
    """A run of an analysis had not ended when the time was up. It goes on at Rekko.

    ``__cause__`` is the last failure to ask for its status, where asking failed at the end.

    Attributes:
        analysis_id: The run: ``rekko.resume(platform, market_id, analysis_id)`` goes on waiting.
        platform: The market's platform.
        market_id: The market.
        status: What Rekko last said of the run; None where it never answered.
        waited: For how many seconds it was waited.
    """

    may_have_reached_server = True

    def __init__(
        self,
        analysis_id: str,
        *,
        platform: str = "",
        market_id: str = "",
        status: str | None = None,
        waited: float = 0.0,
        go_on: GoOn | None = None,
    ) -> None:
        said = one_line(status) if status else "unknown"
        super().__init__(
            f"the analysis {one_line(analysis_id)} of {platform}/{market_id} is not complete after "
            f"{waited:.0f} s (status: {said}); it goes on: wait for it with error.resume() or "
            "rekko.resume(platform, market_id, analysis_id)"
        )
        self.analysis_id = analysis_id
        self.platform, self.market_id = platform, market_id
        self.status = status
        self.waited = waited
        self._go_on = go_on

    async def resume(self, *, timeout: float | None = 180.0) -> Analysis:
        """Go on waiting for the same run; nothing is started anew. Safe to cancel.

        Args:
            timeout: Seconds; None waits until the run ends.

        Raises:
            AnalysisPendingError: Still not complete.
            AnalysisFailedError: The run failed.
            ConfigurationError: This error came from another process; use ``rekko.resume``.
        """
        if self._go_on is None:
            raise ConfigurationError(
                "this error came from another process; use rekko.resume("
                f"{self.platform!r}, {self.market_id!r}, {self.analysis_id!r})"
            )
        return await self._go_on(timeout)

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (type(self), self.args, {**self.__dict__, "_go_on": None})


class AnalysisFailedError(RekkoError):
    """A run of an analysis ended without one; a new one may be started.

    Attributes:
        analysis_id: The run.
        platform: The market's platform.
        market_id: The market.
        status: What Rekko calls its end.
        reason: Why, in Rekko's words; None where it gave none.
    """

    may_have_reached_server = True

    def __init__(
        self,
        analysis_id: str,
        *,
        platform: str = "",
        market_id: str = "",
        status: str = "failed",
        reason: str | None = None,
    ) -> None:
        why = one_line(reason)[:_LONGEST_REASON] if reason else "no reason given"
        super().__init__(
            f"the analysis {one_line(analysis_id)} of {platform}/{market_id} ended as "
            f"{one_line(status)}: {why}"
        )
        self.analysis_id = analysis_id
        self.platform, self.market_id = platform, market_id
        self.status = status
        self.reason = reason


class WebhookSignatureError(RekkoError, ValueError):
    """A delivery that was not signed with the webhook's secret, or was signed too long ago.

    Answer it with 401 and do nothing else: anybody may have sent it. The message holds neither the
    secret nor the signature that would have been right.
    """


class PlanRequiredError(APIError):
    """402: the plan of the key does not cover the call.

    Attributes:
        plan: The plan of the key, where named.
        required_plan: The plan that covers the call, where named.
    """

    plan: str | None = None
    required_plan: str | None = None


class InvalidParametersError(APIError):
    """422: Rekko refuses a parameter.

    Attributes:
        problems: Parameter and problem, for each that Rekko listed; a name may be ``""``.
    """

    problems: tuple[tuple[str, str], ...] = ()


class QuotaExceededError(RateLimitError):
    """429: the quota of the plan is used up; trying again before ``resets_at`` is of no use.

    Attributes:
        quota: How much the plan allows, as Rekko put it; None where not named.
        resets_at: When it begins anew; None where not named.
    """

    passing = False
    quota: int | str | None = None
    resets_at: datetime | None = None
