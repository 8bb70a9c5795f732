"""Faults on order: random ones from a seeded generator, scripted ones aimed at the n-th call of
an operation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from difflib import get_close_matches
from random import Random

from ._operations import NAMES

EVERY = "*"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request: wait `delay` seconds, then answer `status` or close the
    connection.

    `processed`: the request takes effect before its connection is closed.
    """

    delay: float = 0.0
    status: int | None = None
    drop: bool = False
    processed: bool = False


NO_FAULT = Fault()


@dataclass(slots=True)
class _Rule:
    operation: str
    nth: int
    times: int
    fault: Fault
    calls: int = 0

    def hit(self, operation: str) -> bool:
        if self.operation not in (EVERY, operation):
            return False
        self.calls += 1
        return self.nth <= self.calls < self.nth + self.times


class Faults:
    """Decides what goes wrong. The same seed and the same order of requests give the same faults.

    `latency` and `jitter` are seconds (a request waits latency + up to jitter); the rates are
    probabilities of answering one of `errors`, of a closed connection (half of them after the
    request was processed) and of a 429. Raises ValueError for a value out of range.
    """

    def __init__(
        self,
        *,
        latency: float = 0.0,
        jitter: float = 0.0,
        error_rate: float = 0.0,
        errors: tuple[int, ...] = (500, 502, 503, 504),
        drop_rate: float = 0.0,
        rate_limit_rate: float = 0.0,
        seed: int = 0,
    ) -> None:
        for name, seconds in (("latency", latency), ("jitter", jitter)):
            if not (seconds >= 0 and math.isfinite(seconds)):
                raise ValueError(f"{name}={seconds!r} must be a number of seconds, 0 or more")
        rates = {
            "error_rate": error_rate,
            "drop_rate": drop_rate,
            "rate_limit_rate": rate_limit_rate,
        }
        for name, rate in rates.items():
            if not 0 <= rate <= 1:
                raise ValueError(f"{name}={rate!r} must be a probability between 0 and 1")
        if sum(rates.values()) > 1:
            raise ValueError(
                f"error_rate + drop_rate + rate_limit_rate is {sum(rates.values())}: at most 1 fits"
            )
        if not errors or not all(500 <= status <= 599 for status in errors):
            raise ValueError(f"errors={errors!r} must name HTTP statuses from 500 to 599")
        self.latency, self.jitter = latency, jitter
        self.error_rate, self.drop_rate, self.rate_limit_rate = (
            error_rate,
            drop_rate,
            rate_limit_rate,
        )
        self.errors = tuple(errors)
        self.seed = seed
        self._random = Random(seed)  # noqa: S311 - reproducible, not secret
        self._rules: list[_Rule] = []
        self.injected = 0

    def __repr__(self) -> str:
        return (
            f"Faults(latency={self.latency}, jitter={self.jitter}, error_rate={self.error_rate}, "
            f"drop_rate={self.drop_rate}, rate_limit_rate={self.rate_limit_rate}, "
            f"seed={self.seed}) <{len(self._rules)} scripted, {self.injected} injected>"
        )

    def on(
        self,
        operation: str,
        *,
        nth: int = 1,
        times: int = 1,
        status: int | None = None,
        drop: bool = False,
        processed: bool = False,
        delay: float = 0.0,
    ) -> Faults:
        """Aim a fault at calls nth … nth+times-1 of an operation, counted from now ("*": of any
        operation).

        `status` answers that status, `drop` closes the connection (`processed`: after the
        request took effect), `delay` waits that many seconds, alone or before either. Returns
        self, so calls chain.
        """
        if operation != EVERY and operation not in NAMES:
            close = get_close_matches(operation, NAMES, 1)
            hint = (
                f"did you mean {close[0]!r}?"
                if close
                else "names are operation ids, such as 'GetMarkets', or '*'"
            )
            raise ValueError(f"unknown operation {operation!r}: {hint}")
        if nth < 1 or times < 1:
            raise ValueError(f"nth={nth} and times={times} count calls and must be 1 or more")
        if status is not None and (drop or not 400 <= status <= 599):
            raise ValueError(f"status={status!r} must be from 400 to 599, and without drop")
        if processed and not drop:
            raise ValueError("processed=True needs drop=True")
        if not (delay >= 0 and math.isfinite(delay)):
            raise ValueError(f"delay={delay!r} must be a number of seconds, 0 or more")
        if status is None and not drop and not delay:
            raise ValueError("give the fault: status=, drop=True or delay=")
        self._rules.append(_Rule(operation, nth, times, Fault(delay, status, drop, processed)))
        return self

    def decide(self, operation: str) -> Fault:
        """What happens to the next request of this operation; each call moves the generator on
        by as much.
        """
        draw, pick, wait = self._random.random(), self._random.random(), self._random.random()
        delay = self.latency + self.jitter * wait
        scripted = [rule.fault for rule in self._rules if rule.hit(operation)]
        if scripted:
            fault = scripted[0]
            self.injected += 1
            return Fault(delay + fault.delay, fault.status, fault.drop, fault.processed)
        fault = self._at_random(delay, draw, pick)
        self.injected += fault.status is not None or fault.drop
        return fault

    def _at_random(self, delay: float, draw: float, pick: float) -> Fault:
        if draw < self.error_rate:
            return Fault(delay, self.errors[int(pick * len(self.errors))])
        draw -= self.error_rate
        if draw < self.drop_rate:
            return Fault(delay, drop=True, processed=pick < 0.5)
        draw -= self.drop_rate
        if draw < self.rate_limit_rate:
            return Fault(delay, 429)
        return Fault(delay) if delay else NO_FAULT
