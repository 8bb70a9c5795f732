"""Faults on order: random ones from a seeded generator, scripted ones aimed at the n-th call of
an operation, the n-th frame of a channel or the n-th handshake.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from ._fault_kinds import (
    NO_FAULT,
    NO_FRAME_FAULT,
    Fault,
    FrameFault,
    check_fault,
    check_frame_fault,
)
from ._fault_script import (
    EVERY,
    Script,
    checked_name,
    checked_probability,
    checked_seconds,
    checked_sum,
    is_whole,
)
from ._operations import NAMES
from ._rekko.operations import REKKO_NAMES

__all__ = ["CHANNELS", "CONTROL", "LAGGING", "Fault", "Faults", "FrameFault"]

# Reads of an account, which a real exchange answers from copies that lag behind its writes.
LAGGING = frozenset(
    {
        "GetBalance",
        "GetDeposits",
        "GetFills",
        "GetIntraExchangeInstanceTransfer",
        "GetIntraExchangeInstanceTransfers",
        "GetOrder",
        "GetOrders",
        "GetPortfolioRestingOrderTotalValue",
        "GetPositions",
        "GetSettlements",
        "GetSubaccountBalances",
        "GetSubaccountTransfers",
        "GetWithdrawals",
    }
)
# What `on_frame` calls the answers to commands.
CONTROL = "control"
CHANNELS = frozenset(
    {
        CONTROL,
        "cfbenchmarks_value",
        "cfbenchmarks_value_5hz",
        "communications",
        "fill",
        "market_lifecycle_v2",
        "market_positions",
        "multivariate_market_lifecycle",
        "order_group_updates",
        "orderbook_delta",
        "pyth_value",
        "ticker",
        "trade",
        "user_orders",
    }
)
_DROPPED, _DOUBLED = FrameFault(drop=True), FrameFault(duplicate=True)
# "Going away": what a server that is being replaced closes with.
_RESET, _CLOSED = FrameFault(reset=True), FrameFault(close=1001)
_HANDSHAKE = "connect"


class Faults:
    """Decides what goes wrong. The same seed and the same order of requests (of frames, of
    handshakes) give the same faults; each operation and each channel has dice of its own, so that
    none disturbs another.

    Seconds: `latency` and `jitter` (a request waits latency + up to jitter), `read_lag` (reads of
    an account show it as it was that long ago, but not before the lag was set), `frame_delay` (a
    late frame is up to that late). Probabilities: `error_rate` of an answer out of `errors`,
    `drop_rate` of a closed connection (half of them after the request was processed) and
    `rate_limit_rate` of a 429, for each request; `frame_drop_rate`, `frame_duplicate_rate`,
    `frame_delay_rate`, `reset_rate` and `close_rate` for each frame of a WebSocket;
    `handshake_error_rate`, of a status out of `errors`, for each attempt to open one.

    Raises ValueError for a value out of range.
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
        read_lag: float = 0.0,
        frame_drop_rate: float = 0.0,
        frame_duplicate_rate: float = 0.0,
        frame_delay_rate: float = 0.0,
        frame_delay: float = 0.25,
        reset_rate: float = 0.0,
        close_rate: float = 0.0,
        handshake_error_rate: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.latency = checked_seconds("latency", latency)
        self.jitter = checked_seconds("jitter", jitter)
        self.frame_delay = checked_seconds("frame_delay", frame_delay)
        self._read_lag = checked_seconds("read_lag", read_lag)
        if not frame_delay:
            raise ValueError("frame_delay=0 delays nothing: set frame_delay_rate=0 instead")
        checked_sum(
            {
                "error_rate": error_rate,
                "drop_rate": drop_rate,
                "rate_limit_rate": rate_limit_rate,
            }
        )
        checked_sum(
            {
                "frame_drop_rate": frame_drop_rate,
                "frame_duplicate_rate": frame_duplicate_rate,
                "frame_delay_rate": frame_delay_rate,
                "reset_rate": reset_rate,
                "close_rate": close_rate,
            }
        )
        if not errors or not all(is_whole(status) and 500 <= status <= 599 for status in errors):
            raise ValueError(f"errors={errors!r} must name HTTP statuses from 500 to 599")
        self.error_rate, self.errors = error_rate, tuple(errors)
        self.drop_rate, self.rate_limit_rate = drop_rate, rate_limit_rate
        self.frame_drop_rate, self.frame_duplicate_rate = frame_drop_rate, frame_duplicate_rate
        self.frame_delay_rate, self.reset_rate = frame_delay_rate, reset_rate
        self.close_rate = close_rate
        self.handshake_error_rate = checked_probability(
            "handshake_error_rate", handshake_error_rate
        )
        self.seed = seed
        self.injected = 0
        self._dice: dict[str, Random] = {}
        self._requests: Script[Fault] = Script(f"{seed}/requests")
        self._frames: Script[FrameFault] = Script(f"{seed}/frames")
        self._handshakes: Script[int] = Script(f"{seed}/handshakes")
        self._longest_stale = 0.0
        self._lag_listeners: list[Callable[[float], None]] = []

    def __repr__(self) -> str:
        settings = {
            "latency": self.latency,
            "jitter": self.jitter,
            "error_rate": self.error_rate,
            "drop_rate": self.drop_rate,
            "rate_limit_rate": self.rate_limit_rate,
            "read_lag": self.read_lag,
            "frame_drop_rate": self.frame_drop_rate,
            "frame_duplicate_rate": self.frame_duplicate_rate,
            "frame_delay_rate": self.frame_delay_rate,
            "reset_rate": self.reset_rate,
            "close_rate": self.close_rate,
            "handshake_error_rate": self.handshake_error_rate,
        }
        shown = [f"{name}={value}" for name, value in settings.items() if value]
        scripted = len(self._requests) + len(self._frames) + len(self._handshakes)
        return (
            f"Faults({', '.join([*shown, f'seed={self.seed}'])}) "
            f"<{scripted} scripted, {self.injected} injected>"
        )

    # Requests

    def on(
        self,
        operation: str,
        *,
        nth: int = 1,
        times: int | None = None,
        rate: float | None = None,
        status: int | None = None,
        drop: bool = False,
        reset: bool = False,
        refuse: float = 0.0,
        processed: bool = False,
        delay: float = 0.0,
        delay_answer: float = 0.0,
        slow: float = 0.0,
        truncate: bool = False,
        stale: float = 0.0,
    ) -> Faults:
        """Aim a fault at calls nth … nth+times-1 of an operation, counted from now ("*": of any
        operation); with `rate`, at each of them (of all, if `times` is left out) with that
        probability.

        `status` answers that status; `drop` closes the connection and `reset` resets it, before
        the request takes effect or after (`processed`); `refuse` resets it and closes the door for
        that many seconds. `delay` waits that many seconds before the request takes effect,
        `delay_answer` after it. `slow` spreads the body of the answer over that many seconds,
        `truncate` breaks it off half-way. `stale` shows an account as it was that many seconds ago
        (or at this call of `on`, if that is later). Of several rules that hit the same request the
        first one written counts.

        Returns self, so calls chain. Raises ValueError for what is out of range or contradicts
        itself.
        """
        known = NAMES | REKKO_NAMES
        checked_name("operation", operation, known, "names are operation ids, such as 'GetMarkets'")
        fault = Fault(
            delay=delay,
            status=status,
            drop=drop,
            processed=processed,
            reset=reset,
            refuse=refuse,
            delay_answer=delay_answer,
            slow=slow,
            truncate=truncate,
            stale=stale,
        )
        check_fault(fault)
        if stale and operation != EVERY and operation not in LAGGING:
            raise ValueError(
                f"stale= works on reads of an account, and {operation} is none: "
                f"{', '.join(sorted(LAGGING))}, or '*'"
            )
        self._requests.add(operation, fault, nth=nth, times=times, rate=rate)
        self._longest_stale = max(self._longest_stale, stale)
        self._tell_lag()
        return self

    def decide(self, operation: str) -> Fault:
        """What happens to the next request of this operation; each call moves its dice on by as
        much.
        """
        dice = self._dice_of(operation)
        draw, pick, wait = dice.random(), dice.random(), dice.random()
        delay = self.latency + self.jitter * wait
        lag = self._read_lag if operation in LAGGING else 0.0
        scripted = self._requests.next(operation)
        if scripted is not None:
            self.injected += 1
            stale = scripted.stale or lag if operation in LAGGING else 0.0
            return replace(scripted, delay=delay + scripted.delay, stale=stale)
        fault = self._at_random(delay, draw, pick, lag)
        self.injected += fault.status is not None or fault.drop
        return fault

    def _at_random(self, delay: float, draw: float, pick: float, lag: float) -> Fault:
        if draw < self.error_rate:
            return Fault(delay, self.errors[int(pick * len(self.errors))])
        draw -= self.error_rate
        if draw < self.drop_rate:
            return Fault(delay, drop=True, processed=pick < 0.5, stale=lag)
        draw -= self.drop_rate
        if draw < self.rate_limit_rate:
            return Fault(delay, 429)
        return Fault(delay, stale=lag) if delay or lag else NO_FAULT

    # Lag

    @property
    def read_lag(self) -> float:
        """Seconds that reads of an account lag behind; assignable."""
        return self._read_lag

    @read_lag.setter
    def read_lag(self, seconds: float) -> None:
        self._read_lag = checked_seconds("read_lag", seconds)
        self._tell_lag()

    @property
    def longest_lag(self) -> float:
        """The longest lag any read can have, scripted ones included."""
        return max(self._read_lag, self._longest_stale)

    def lag(self, fault: Fault) -> float:
        """Seconds that the read with this fault lags behind."""
        return fault.stale

    def follow_lag(self, listener: Callable[[float], None]) -> Callable[[], None]:
        """Tell `listener` the longest lag, now and whenever it changes; the result ends that."""
        if listener not in self._lag_listeners:
            self._lag_listeners.append(listener)
        listener(self.longest_lag)

        def stop() -> None:
            if listener in self._lag_listeners:
                self._lag_listeners.remove(listener)

        return stop

    def _tell_lag(self) -> None:
        for listener in self._lag_listeners:
            listener(self.longest_lag)

    # Frames and handshakes

    def on_frame(
        self,
        channel: str,
        *,
        nth: int = 1,
        times: int | None = None,
        rate: float | None = None,
        drop: bool = False,
        duplicate: bool = False,
        delay: float = 0.0,
        reset: bool = False,
        close: int | None = None,
    ) -> Faults:
        """Aim a fault at frames nth … nth+times-1 of a channel ("*": of any, "control": answers to
        commands), counted from now and over all connections; with `rate`, at each of them (of all,
        if `times` is left out) with that probability.

        The frame is left out (`drop`), sent twice (`duplicate`) or `delay` seconds late, or the
        connection ends instead: without a close frame (`reset`) or with the code `close`. Returns
        self. Raises ValueError for what is out of range or contradicts itself.
        """
        checked_name("channel", channel, CHANNELS, "channels are such as 'orderbook_delta'")
        fault = FrameFault(drop, duplicate, delay, reset, close)
        check_frame_fault(fault)
        self._frames.add(channel, fault, nth=nth, times=times, rate=rate)
        return self

    def on_connect(
        self,
        *,
        nth: int = 1,
        times: int | None = None,
        rate: float | None = None,
        status: int = 502,
    ) -> Faults:
        """Answer attempts nth … nth+times-1 to open a WebSocket with this HTTP status, counted from
        now; with `rate`, each of them (all, if `times` is left out) with that probability.

        Returns self. Raises ValueError for what is out of range.
        """
        if not (is_whole(status) and 400 <= status <= 599):
            raise ValueError(f"status={status!r} must be from 400 to 599")
        self._handshakes.add(_HANDSHAKE, status, nth=nth, times=times, rate=rate)
        return self

    @property
    def frames_quiet(self) -> bool:
        """Whether nothing can go wrong with any frame: no need to ask."""
        return self._frames.over and not (
            self.frame_drop_rate
            or self.frame_duplicate_rate
            or self.frame_delay_rate
            or self.reset_rate
            or self.close_rate
        )

    def frame(self, channel: str) -> FrameFault:
        """What happens to the next frame of this channel."""
        dice = self._dice_of(f"frames/{channel}")
        draw, wait = dice.random(), dice.random()
        fault = self._frames.next(channel) or self._frame_at_random(draw, wait)
        self.injected += fault is not NO_FRAME_FAULT
        return fault

    def _frame_at_random(self, draw: float, wait: float) -> FrameFault:
        for rate, fault in (
            (self.frame_drop_rate, _DROPPED),
            (self.frame_duplicate_rate, _DOUBLED),
            (self.reset_rate, _RESET),
            (self.close_rate, _CLOSED),
        ):
            if draw < rate:
                return fault
            draw -= rate
        if draw < self.frame_delay_rate:
            return FrameFault(delay=self.frame_delay * (1 - wait))
        return NO_FRAME_FAULT

    def handshake(self) -> int | None:
        """The HTTP status the next attempt to open a WebSocket is answered with; None: it opens."""
        dice = self._dice_of("handshakes")
        draw, pick = dice.random(), dice.random()
        status = self._handshakes.next(_HANDSHAKE)
        if status is None and draw < self.handshake_error_rate:
            status = self.errors[int(pick * len(self.errors))]
        self.injected += status is not None
        return status

    def _dice_of(self, name: str) -> Random:
        dice = self._dice.get(name)
        if dice is None:
            dice = Random(f"{self.seed}/{name}")  # noqa: S311 - reproducible, not secret
            self._dice[name] = dice
        return dice
