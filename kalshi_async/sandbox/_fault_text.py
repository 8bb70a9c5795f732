"""Faults as one writes them on a command line."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from ._fault_script import EVERY, checked_name
from ._faults import CHANNELS, Faults

_CONNECT, _FRAMES = "connect", "frames"
_TARGETS = CHANNELS | {_CONNECT, _FRAMES}
# A truth value is written as its name alone.
Reader = type[bool] | type[int] | type[float]
_AIM: dict[str, Reader] = {"nth": int, "times": int, "rate": float}
_REQUEST_OPTIONS: dict[str, Reader] = _AIM | {
    "status": int,
    "drop": bool,
    "reset": bool,
    "refuse": float,
    "processed": bool,
    "delay": float,
    "delay_answer": float,
    "slow": float,
    "truncate": bool,
    "stale": float,
}
_FRAME_OPTIONS: dict[str, Reader] = _AIM | {
    "drop": bool,
    "duplicate": bool,
    "delay": float,
    "reset": bool,
    "close": int,
}
_CONNECT_OPTIONS: dict[str, Reader] = _AIM | {"status": int}


def parse_fault(text: str, faults: Faults) -> Faults:
    """Add the fault that `text` describes to `faults`, which is returned.

    ``CreateOrderV2:nth=2,drop,processed`` aims at an operation (``*``: any),
    ``orderbook_delta:nth=5,drop`` at frames of a channel (``frames``: any),
    ``connect:status=502`` at opening a WebSocket; the options are those of `Faults.on`,
    `Faults.on_frame` and `Faults.on_connect`. Raises ValueError that names the text and what is
    wrong with it.
    """
    target, colon, rest = text.partition(":")
    target = target.strip()
    if not target or not colon:
        raise ValueError(
            f"fault {text!r} is not NAME:OPTION,…: write it like "
            "'CreateOrderV2:nth=2,drop,processed'"
        )
    try:
        return _add(faults, target, rest)
    except ValueError as error:
        raise ValueError(f"fault {text!r}: {error}") from None


def _add(faults: Faults, target: str, rest: str) -> Faults:
    if target == _CONNECT:
        return faults.on_connect(**_options(rest, _CONNECT_OPTIONS))
    # Operations are written in capitals and small letters, channels in small letters.
    if not target.islower():
        return faults.on(target, **_options(rest, _REQUEST_OPTIONS))
    checked_name("channel", target, _TARGETS, f"there are {', '.join(sorted(_TARGETS))}")
    channel = EVERY if target == _FRAMES else target
    return faults.on_frame(channel, **_options(rest, _FRAME_OPTIONS))


def _options(text: str, known: Mapping[str, Reader]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
            raise ValueError(f"unknown option {name!r}: {hint}")
        if name in found:
            raise ValueError(f"option {name!r} is given twice")
        found[name] = _read(name, bool(equals), value, known[name])
    return found


def _read(name: str, given: bool, value: str, reader: Reader) -> bool | int | float:
    if reader is bool:
        if given:
            raise ValueError(f"{name!r} takes no value: leave out '={value}'")
        return True
    kind = "a whole number" if reader is int else "a number"
    if not given:
        raise ValueError(f"{name!r} needs {kind}: write {name}=…")
    try:
        return reader(value)
    except ValueError:
        raise ValueError(f"{name}={value} is not {kind}") from None
