"""How an exchange was asked to be, and what follows from it before it is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from ._activity import Activity
from ._auth import KeyType
from ._catalog.catalog import Catalog
from ._catalog.draw import default_now
from ._faults import Faults
from ._recorder import Recorder
from ._state import Store
from ._state_file import made_with
from ._text import DAY, SECOND, to_micros

# The start of the present day, so that all of a day lists the same.
TODAY = "today"


@dataclass(frozen=True, slots=True)
class Options:
    """How an exchange was asked to be; `deposit` in millionths of a dollar."""

    seed: int
    markets: int
    paths: tuple[Path, ...]
    now: int
    tier: str | None
    faults: Faults
    key_type: KeyType
    clock: Callable[[], float]
    timer: Callable[[], float]
    deposit: int
    dialect: str | None
    activity: Activity | None
    state: Path | None
    analysis_seconds: tuple[float, float]


def instant_of(
    now: datetime | Literal["today"] | None,
    seed: int,
    clock: Callable[[], float],
    state: Path | None,
) -> int:
    """The instant of the catalog: the one asked for, else that of the state file."""
    if isinstance(now, datetime):
        return to_micros(now)
    if now not in (None, TODAY):
        raise ValueError(f"now={now!r} must be a datetime, {TODAY!r} or None")
    kept = None if state is None else made_with(state, "catalog")
    if kept is not None:
        return int(kept)
    return default_now(seed) if now is None else int(clock()) * SECOND // DAY * DAY


def recorder_of(catalog: Catalog, options: Options) -> Recorder | None:
    """What writes the state file, None without one."""
    if options.state is None:
        return None
    meta = {
        "seed": str(options.seed),
        "markets": str(options.markets),
        "load": "\n".join(str(path) for path in options.paths),
        "catalog": str(catalog.now),
    }
    return Recorder(Store.open(options.state, meta))
