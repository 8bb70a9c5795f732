"""Which calls a scripted fault is meant for: those of a name, from the n-th on, so many of them,
each with a probability.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from random import Random
from typing import Generic, TypeVar

F = TypeVar("F")
EVERY = "*"


def checked_seconds(name: str, value: float) -> float:
    """The value, if it is a finite number of seconds, 0 or more; else a ValueError names it."""
    if not _is_number(value) or not (value >= 0 and math.isfinite(value)):
        raise ValueError(f"{name}={value!r} must be a number of seconds, 0 or more")
    return value


def checked_probability(name: str, value: float) -> float:
    """The value, if it lies between 0 and 1; else a ValueError names it."""
    if not _is_number(value) or not 0 <= value <= 1:
        raise ValueError(f"{name}={value!r} must be a probability between 0 and 1")
    return value


def checked_sum(rates: dict[str, float]) -> None:
    """Refuse probabilities that exclude each other and add up to more than 1."""
    for name, rate in rates.items():
        checked_probability(name, rate)
    if math.fsum(rates.values()) > 1:
        raise ValueError(f"{' + '.join(rates)} is {math.fsum(rates.values())}: at most 1 fits")


def checked_name(kind: str, name: str, known: Iterable[str], example: str) -> str:
    """The name, if it is known or ``*``; else a ValueError offers the nearest one."""
    names = frozenset(known)
    if name == EVERY or name in names:
        return name
    close = get_close_matches(name, names, 1) if isinstance(name, str) else []
    hint = f"did you mean {close[0]!r}?" if close else f"{example}, or '*'"
    raise ValueError(f"unknown {kind} {name!r}: {hint}")


def is_whole(value: object) -> bool:
    """Whether this is a whole number, and not a truth value."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(slots=True)
class _Rule(Generic[F]):
    name: str
    first: int
    last: float
    rate: float
    random: Random
    fault: F
    calls: int = 0

    def hit(self, name: str) -> bool:
        if self.name not in (EVERY, name):
            return False
        self.calls += 1
        if not self.first <= self.calls <= self.last:
            return False
        return self.rate >= 1 or self.random.random() < self.rate


class Script(Generic[F]):
    """Faults in the order they were written down. Each rule counts its calls, and throws dice of
    its own, so that no rule disturbs another.
    """

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._rules: list[_Rule[F]] = []
        self._written = 0

    def __len__(self) -> int:
        """How many were written down, the ones that are over included."""
        return self._written

    @property
    def over(self) -> bool:
        """Whether no call that is still to come can be hit."""
        return not self._rules

    def add(self, name: str, fault: F, *, nth: int, times: int | None, rate: float | None) -> None:
        """Aim a fault at calls nth … nth+times-1 of a name, counted from now.

        With `rate`, each of those calls is hit with that probability, and `times` None means all of
        them; without it, `times` None means one. Raises ValueError.
        """
        if not (is_whole(nth) and nth >= 1 and (times is None or (is_whole(times) and times >= 1))):
            raise ValueError(f"nth={nth!r} and times={times!r} count calls and must be 1 or more")
        if rate is not None and not checked_probability("rate", rate) > 0:
            raise ValueError("rate=0 never hits: leave the fault out")
        if times is None:
            times = 1 if rate is None else None
        last = math.inf if times is None else nth + times - 1
        dice = Random(f"{self._seed}/{self._written}")  # noqa: S311 - reproducible, not secret
        self._rules.append(_Rule(name, nth, last, 1.0 if rate is None else rate, dice, fault))
        self._written += 1

    def next(self, name: str) -> F | None:
        """The fault of the next call of this name: the first rule that hits. Every rule of the name
        counts the call.
        """
        if not self._rules:
            return None
        hits = [rule.fault for rule in self._rules if rule.hit(name)]
        self._rules = [rule for rule in self._rules if rule.calls < rule.last]
        return hits[0] if hits else None
