"""What can go wrong with a request and with a frame of the WebSocket, and what goes together."""

from __future__ import annotations

from dataclasses import dataclass

from ._fault_script import checked_seconds, is_whole

# A gateway gives up on an exchange that goes on working: only these can follow a request that took
# effect.
_GATEWAY = (502, 504)
# What a server may close a WebSocket with: 1005, 1006 and 1015 never go over the wire.
_CLOSE_CODES = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)})


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request, in this order.

    It waits `delay` seconds. Unless `processed`, it gets `status` without taking effect, or its
    connection is closed (`drop`) or reset (`reset`: RST, as when a process dies). `refuse` resets
    it and lets nobody connect for that many seconds. Otherwise it takes effect, reading an account
    as it was `stale` seconds ago, and waits `delay_answer` seconds; then its connection is lost all
    the same (`drop`, `reset`), or a gateway's `status` stands for its answer, or the answer comes,
    its body spread over `slow` seconds, and broken off in the middle if `truncate`.
    """

    delay: float = 0.0
    status: int | None = None
    drop: bool = False
    processed: bool = False
    reset: bool = False
    refuse: float = 0.0
    delay_answer: float = 0.0
    slow: float = 0.0
    truncate: bool = False
    stale: float = 0.0

    @property
    def lost(self) -> bool:
        """Whether no answer arrives."""
        return self.drop or self.reset or self.refuse > 0

    @property
    def takes_effect(self) -> bool:
        """Whether the request does what it asks for."""
        return self.processed or not (self.lost or self.status is not None)


NO_FAULT = Fault()


@dataclass(frozen=True, slots=True)
class FrameFault:
    """What happens to one frame of a subscription: it is left out though it was counted (`drop`: a
    gap in `seq`), sent twice, or sent `delay` seconds late; or, instead of it, the connection ends
    without a close frame (`reset`) or with this close code.
    """

    drop: bool = False
    duplicate: bool = False
    delay: float = 0.0
    reset: bool = False
    close: int | None = None


NO_FRAME_FAULT = FrameFault()


def check_fault(fault: Fault) -> None:
    """Raise ValueError for a scripted fault that is out of range or contradicts itself."""
    for name in ("delay", "delay_answer", "slow", "stale", "refuse"):
        checked_seconds(name, getattr(fault, name))
    _check_status(fault)
    endings = [name for name in ("drop", "reset", "refuse") if getattr(fault, name)]
    if len(endings) > 1:
        raise ValueError(f"{' and '.join(endings)} exclude each other: choose one")
    if fault.processed and not fault.drop and not fault.reset and fault.status not in _GATEWAY:
        raise ValueError(
            "processed=True needs drop=True, reset=True or the status 502 or 504 of a gateway"
        )
    if (fault.slow or fault.truncate) and fault.lost:
        raise ValueError(f"slow= and truncate= need an answer, and {endings[0]} lets none arrive")
    if (fault.delay_answer or fault.stale) and not fault.takes_effect:
        raise ValueError(
            "delay_answer= and stale= need a request that takes effect: use delay= or "
            "processed=True"
        )
    if fault == NO_FAULT:
        raise ValueError(
            "give the fault: status=, drop=True, reset=True, refuse=, delay=, delay_answer=, "
            "slow=, truncate=True or stale="
        )


def _check_status(fault: Fault) -> None:
    if fault.status is None:
        return
    if fault.lost or not (is_whole(fault.status) and 400 <= fault.status <= 599):
        raise ValueError(
            f"status={fault.status!r} must be from 400 to 599, and without drop, reset and refuse"
        )


def check_frame_fault(fault: FrameFault) -> None:
    """Raise ValueError for a scripted fault that is out of range or contradicts itself."""
    checked_seconds("delay", fault.delay)
    if fault.close is not None and not (is_whole(fault.close) and fault.close in _CLOSE_CODES):
        raise ValueError(
            f"close={fault.close!r} is not a code a server can close with: use 1000 to 1003, 1007 "
            "to 1014 or 3000 to 4999"
        )
    endings = {
        "drop": fault.drop,
        "duplicate": fault.duplicate,
        "reset": fault.reset,
        "close": fault.close is not None,
    }
    chosen = [name for name, given in endings.items() if given]
    if len(chosen) > 1:
        raise ValueError(f"{' and '.join(chosen)} exclude each other: choose one")
    if fault.drop and fault.delay:
        raise ValueError("a dropped frame cannot be delayed: choose drop or delay")
    if not chosen and not fault.delay:
        raise ValueError("give the fault: drop=True, duplicate=True, delay=, reset=True or close=")
