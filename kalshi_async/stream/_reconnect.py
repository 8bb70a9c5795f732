"""When to connect again, and when to give up."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .._errors import (
    APIError,
    AuthenticationError,
    ConfigurationError,
    KalshiError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)

# A key that worked is not given up at the first refusal: servers restart in odd states.
_REFUSALS = 3


@dataclass(frozen=True, slots=True)
class Reconnect:
    """How patiently a lost connection is made again: full-jitter back-off.

    The n-th try in a row waits a random time of up to ``min(cap, base * 2**n)`` seconds.

    Attributes:
        base: Seconds; how long the first try waits at most.
        cap: Seconds; how long any try waits at most.
        tries: After so many failures in a row the stream gives up; None: never.
        stable: A connection that stood for so many seconds begins the count anew.
    """

    base: float = 0.25
    cap: float = 30.0
    tries: int | None = None
    stable: float = 10.0

    def __post_init__(self) -> None:
        for name in ("base", "cap", "stable"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
                raise ConfigurationError(f"Reconnect: {name} is {value!r}; expected seconds from 0")
        tries = self.tries
        if tries is not None and (isinstance(tries, bool) or not isinstance(tries, int)):
            raise ConfigurationError(f"Reconnect: tries is {tries!r}; expected a count, or None")

    def wait(self, failures: int, rng: random.Random) -> float:
        """Seconds to wait after so many failures in a row."""
        return rng.uniform(0, min(self.cap, self.base * 2.0 ** min(failures, 60)))

    def over(self, failures: int) -> bool:
        """Whether so many failures in a row are enough."""
        return self.tries is not None and failures > self.tries


def is_final(error: KalshiError, refusals: int, *, stood: bool, expired: bool) -> bool:
    """Whether trying again is of no use.

    Args:
        error: Why there is no connection.
        refusals: How many handshakes in a row the exchange has answered with an error, this one
            included where it is one.
        stood: Whether the stream had a connection before.
        expired: Whether it was the timestamp of the signature, which the next one corrects.
    """
    if isinstance(error, ConfigurationError):
        return True
    if not isinstance(error, APIError) or isinstance(error, RateLimitError | ServerError):
        return False
    if expired:
        return refusals > _REFUSALS
    if isinstance(error, AuthenticationError | PermissionDeniedError):
        return not stood or refusals > _REFUSALS
    return not stood
