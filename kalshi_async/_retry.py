"""When a failed attempt is worth another, and how long to wait for it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio

from ._errors import (
    APIError,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    KalshiError,
    RateLimitError,
    TransportError,
)
from ._operations import Operation, Retry

T = TypeVar("T")

_PROXY_TIMEOUT = 408
_PASSING_STATUSES = frozenset({_PROXY_TIMEOUT, 500, 502, 503, 504})

PATIENCE = 60.0
"""Seconds: a server that asks for a longer wait is not called again by itself."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Full-jitter exponential back-off.

    The n-th wait is drawn evenly from 0 to ``min(longest, first * 2**(n-1))`` seconds.

    Attributes:
        max_attempts: Attempts in all, the first included; 1 never tries again.
        first: Upper bound of the first wait, in seconds.
        longest: Upper bound of any wait, in seconds.
    """

    max_attempts: int = 5
    first: float = 0.25
    longest: float = 8.0

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise ConfigurationError(f"max_attempts is {self.max_attempts}; expected 1 or more")
        if not 0 <= self.first <= self.longest:
            raise ConfigurationError(
                f"back-off from {self.first} to {self.longest} s; expected 0 <= first <= longest"
            )

    def bound(self, attempt: int) -> float:
        """The longest possible wait after ``attempt`` attempts, in seconds."""
        return min(self.longest, self.first * 2.0 ** min(attempt - 1, 60))


def worth_retrying(operation: Operation, error: BaseException) -> bool:
    """Whether an attempt that ended in ``error`` may be made again.

    What was certainly not carried out may always be sent again: no connection, or a 429. What may
    have been carried out is sent again only where that changes nothing, or nothing more. What the
    server wants to be left alone for longer than ``PATIENCE`` is not sent again at all.
    """
    if isinstance(error, APIError) and (error.retry_after or 0.0) > PATIENCE:
        return False
    if isinstance(error, RateLimitError):
        return error.passing
    if isinstance(error, ConnectionFailedError):
        return True
    if operation.retry is Retry.REFUSED:
        return False
    if isinstance(error, APIError):
        return error.status in _PASSING_STATUSES
    return isinstance(error, TransportError)


def leaves_doubt(error: BaseException) -> bool:
    """Whether a write that ended in ``error`` may have been carried out all the same.

    Only three things prove that it was not: no connection, a 429, and a refusal (a 4xx that the
    exchange itself made; 408 is what a proxy says that waited for it in vain).
    """
    if isinstance(error, APIError):
        return not 400 <= error.status < 500 or error.status == _PROXY_TIMEOUT
    return not isinstance(error, ConnectionFailedError | ConfigurationError | ClientClosedError)


async def retry_after(
    first_error: KalshiError,
    attempt: Callable[[], Awaitable[T]],
    *,
    operation: Operation,
    policy: RetryPolicy,
    rng: random.Random,
    on_retry: Callable[[float, KalshiError], None],
) -> T:
    """Go on after a first failed attempt, until one succeeds or the policy gives up.

    The first attempt is the caller's own, so that a call which just works never pays for this.

    Raises:
        KalshiError: The error of the last attempt.
    """
    from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

    pending: list[KalshiError] = [first_error]

    async def again() -> T:
        if pending:
            raise pending.pop()
        return await attempt()

    def wait(state: RetryCallState) -> float:
        drawn = rng.uniform(0.0, policy.bound(state.attempt_number))
        error = state.outcome.exception() if state.outcome is not None else None
        asked = error.retry_after if isinstance(error, APIError) else None
        # Later than asked by the jitter: all who were told the same would come together.
        return drawn if asked is None else asked + drawn

    def before_sleep(state: RetryCallState) -> None:
        outcome = state.outcome
        error = outcome.exception() if outcome is not None else None
        if isinstance(error, KalshiError):
            on_retry(state.upcoming_sleep, error)

    retrying = AsyncRetrying(
        sleep=anyio.sleep,
        stop=stop_after_attempt(policy.max_attempts),
        wait=wait,
        retry=retry_if_exception(lambda error: worth_retrying(operation, error)),
        before_sleep=before_sleep,
        reraise=True,
    )
    return await retrying(again)
