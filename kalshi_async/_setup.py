"""What a client is given, checked and brought into form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, get_args

from ._errors import ConfigurationError
from ._hooks import Hook
from ._http import HttpChoice
from ._options import Inherit, is_positive
from ._ratelimit import RateLimits
from .orders import OrderJournal

if TYPE_CHECKING:
    import os

DEFAULT_TIMEOUT = 10.0


def check_options(timeout: object, deadline: object, http: object, max_in_flight: object) -> None:
    """Raise ConfigurationError for an option out of range."""
    for name, value in (("timeout", timeout), ("deadline", deadline)):
        if value is not None and not is_positive(value):
            raise ConfigurationError(f"{name} is {value!r}; expected seconds above 0, or None")
    if isinstance(max_in_flight, bool) or not isinstance(max_in_flight, int) or max_in_flight < 1:
        raise ConfigurationError(f"max_in_flight is {max_in_flight!r}; expected 1 or more")
    adapter = not isinstance(http, type) and all(hasattr(http, part) for part in ("send", "aclose"))
    if not (adapter or (isinstance(http, str) and http in get_args(HttpChoice))):
        raise ConfigurationError(
            f"http is {http!r}; expected {', '.join(map(repr, get_args(HttpChoice)))}, an "
            "httpx.AsyncClient, or an object with the methods of HTTPAdapter"
        )


def opened_journal(
    journal: str | os.PathLike[str] | OrderJournal | None,
) -> tuple[OrderJournal | None, bool]:
    """The journal, and whether the client has to close it."""
    if journal is None or isinstance(journal, OrderJournal):
        return journal, False
    return OrderJournal(journal), True


def list_timeout(timeout: float | None) -> float | None:
    """For the lists in which a lost order is looked for: they take longer than an order does."""
    return None if timeout is None else max(timeout, DEFAULT_TIMEOUT)


def checked_hooks(hooks: Iterable[Hook]) -> tuple[Hook, ...]:
    """The hooks, if they can be called."""
    checked = tuple(hooks) if isinstance(hooks, Iterable) else ()
    if not isinstance(hooks, Iterable) or not all(callable(hook) for hook in checked):
        raise ConfigurationError(f"hooks is {hooks!r}; expected a list of callables")
    return checked


def initial_limits(
    limits: RateLimits | Literal["account"] | Inherit | None, signed: bool
) -> RateLimits | None:
    """The limits to begin with."""
    if limits is None or isinstance(limits, RateLimits):
        return limits
    if isinstance(limits, Inherit):
        return RateLimits()
    if limits != "account":
        raise ConfigurationError(
            f"limits is {limits!r}; expected a RateLimits, 'account', None, or leave it out"
        )
    if not signed:
        raise ConfigurationError("limits='account' asks the exchange for them: that needs a key")
    return RateLimits()
