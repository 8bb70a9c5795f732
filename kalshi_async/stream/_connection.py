"""One connection of a stream, kept up: connect, subscribe, read, watch, connect again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

import anyio
from anyio.abc import TaskGroup

from .._errors import APIError, KalshiError
from .._stream_errors import (
    StreamClosedError,
    StreamError,
    StreamLostError,
    SubscriptionRefusedError,
)
from .._stream_events import (
    StreamConnected,
    StreamDisconnected,
    StreamResumed,
    StreamRetrying,
    StreamStale,
)
from ._leg import BookLeg, Consumer, Leg
from ._protocol import FINAL, INVALID_PARAMETER, Ended, Interrupted
from ._protocol import Protocol as Commands
from ._reconnect import is_final
from ._route import Host, Route, Tape
from ._socket import Socket, failure, open_socket, refused_with

logger = logging.getLogger("kalshi_async.stream")

# Seconds before a refused or ended subscription is asked for again.
_AGAIN = 1.0


class Connection:
    """One WebSocket after the other, as long as the stream lives.

    Args:
        number: From 1.
        route: Where to.
        host: The stream.
    """

    def __init__(self, number: int, route: Route, host: Host) -> None:
        self.number, self._route, self._host = number, route, host
        self.legs: list[Leg] = []
        self.opening: list[Leg] = []
        self.reserved = 0
        # The exchange lets it carry no more.
        self.full = False
        self.commands: Commands | None = None
        self._alive = monotonic()
        self.stood = False
        self.ready = anyio.Event()
        self.error: KalshiError | None = None
        self.failure: KalshiError | None = None
        self.tries = 0
        self._socket: Socket | None = None
        self.tape: Tape | None = None
        self._received_at, self._frames = 0.0, 0
        self._wake = asyncio.Event()
        self._paused_by: set[Consumer] = set()
        # When reading stood still for a consumer last.
        self._held_up: dict[Consumer, float] = {}

    def __repr__(self) -> str:
        state = "connected" if self.commands else "ended" if self.error else "connecting"
        paused = ", paused" if self._paused_by else ""
        if self.failure is not None and not self.commands:
            state += f" ({self.tries} tries: {self.failure})"
        return f"<Connection {self.number}: {state}{paused}, {len(self.legs)} subscriptions>"

    @property
    def silence(self) -> float:
        """Seconds since the last sign of life."""
        return monotonic() - self._alive

    @property
    def load(self) -> int:
        """How many markets it carries."""
        carried = sum(len(leg.subjects) for leg in (*self.legs, *self.opening))
        return carried + self.reserved

    # Reading: called by the socket, in the turn in which the bytes came

    def reading(self, size: int) -> None:
        """Bytes came."""
        self._received_at = self._host.now()
        self._alive = monotonic()
        self._host.stats.bytes += size

    def frame(self, data: bytes | bytearray) -> None:
        """A message came."""
        self._frames += 1
        if self.tape is not None:
            self.tape.frame(self.number, data, self._received_at)
        if self.commands is not None:
            try:
                self.commands.receive(data, self._received_at)
            except Exception:
                # A defect here must not take the socket down: the frame counts as missing.
                logger.exception("a frame could not be taken: %r", bytes(data[:200]))
                self._host.stats.unreadable += 1
                for leg in list(self.commands.legs.values()):
                    leg.doubt("a frame could not be taken")

    def read(self) -> None:
        """All that came was handed on."""
        self._host.stats.frames += self._frames
        self._frames = 0
        commands = self.commands
        if commands is None:
            return
        if commands.last_data is not None:
            self._host.stats.saw_age(commands.last_data.msg.age)
            commands.last_data = None
        if commands.outgoing or commands.ended or commands.unfinished:
            self._wake.set()

    # Backpressure

    def pause(self, whom: Consumer) -> None:
        """Read nothing more until `resume` for the same."""
        self._held_up[whom] = monotonic()
        if not self._paused_by:
            self._host.stats.pauses += 1
            if self._socket is not None:
                self._socket.pause()
        self._paused_by.add(whom)

    def resume(self, whom: Consumer) -> None:
        """Read on, unless somebody else is still to be waited for."""
        if self._paused_by:
            if whom in self._paused_by:
                self._held_up[whom] = monotonic()
            self._paused_by.discard(whom)
            if not self._paused_by and self._socket is not None:
                self._socket.resume()

    # Commands: called by subscriptions

    async def command(
        self,
        do: Callable[[Commands, Ended], None],
        leg: Leg | None = None,
    ) -> None:
        """Carry a command out, on a later connection where this one is lost before its answer.

        Args:
            do: Sends it.
            leg: The leg that it is about, which must be subscribed to before.

        Raises:
            StreamError: It was refused, or the connection was given up.

        Cancelling is safe; the exchange may carry the command out all the same.
        """
        while True:
            while self.commands is None:
                if self.error is not None:
                    raise self.error.with_traceback(None)
                await self.ready.wait()
            if leg is not None:
                if leg.dropped:
                    raise StreamClosedError(f"this subscription to {leg.channel.name} was closed")
                if leg.line is not self.commands:
                    await leg.up.wait()
                    continue
            answer: asyncio.Future[StreamError | Interrupted | None]
            answer = asyncio.get_running_loop().create_future()

            def ended(
                error: StreamError | Interrupted | None,
                answer: asyncio.Future[StreamError | Interrupted | None] = answer,
            ) -> None:
                if not answer.done():
                    answer.set_result(error)

            do(self.commands, ended)
            self._wake.set()
            outcome = await answer
            if outcome is None:
                return
            if isinstance(outcome, StreamError):
                raise outcome

    async def subscribe(self, leg: Leg) -> None:
        """Carry a leg from now on; see ``command``."""
        self.opening.append(leg)
        try:
            await self.command(lambda commands, ended: commands.subscribe(leg, ended))
        finally:
            self.opening.remove(leg)
        if not leg.dropped:
            self.legs.append(leg)

    def drop(self, leg: Leg) -> None:
        """Carry a leg no longer."""
        if leg.dropped:
            return
        leg.drop()
        if leg in self.legs:
            self.legs.remove(leg)
        if all(each.consumer is not leg.consumer for each in (*self.legs, *self.opening)):
            self.resume(leg.consumer)
            self._held_up.pop(leg.consumer, None)
        if self.commands is not None and leg.line is self.commands:
            self.commands.unsubscribe(leg, lambda _: None)
            self._wake.set()

    # The life of it

    async def run(self) -> None:
        """Keep the connection up until it is cancelled or given up."""
        failures = refusals = 0
        while True:
            self.tries += 1
            outcome = await self._connect(refusals + 1)
            if isinstance(outcome, Socket):
                refusals = 0
                began = monotonic()
                self._announce(self.tries)
                self.tries = 0
                reason = await self._serve(outcome)
                if monotonic() - began >= self._route.reconnect.stable:
                    failures = 0
                self._host.tell(StreamDisconnected(self.number, reason))
                error: KalshiError = StreamError(reason)
            else:
                error, final = outcome
                self.failure = error
                refusals += isinstance(error, APIError)
                self._host.stats.failures += 1
                if final:
                    self._give_up(error)
                    return
            failures += 1
            if self._route.reconnect.over(failures):
                lost = StreamLostError(f"the connection was lost for good: {error}", tries=failures)
                lost.__cause__ = error
                self._give_up(lost)
                return
            wait = self._host.jitter(failures - 1)
            if self.tries:
                self._host.tell(StreamRetrying(self.number, self.tries, error, wait))
            await anyio.sleep(wait)

    async def _connect(self, refusals: int) -> Socket | tuple[KalshiError, bool]:
        """An open socket, or why there is none and whether that is final."""
        route = self._route
        signer = route.signer
        sent_at = signer.wall_clock()
        try:
            headers = await signer.headers_async("GET", route.path)
            socket = await open_socket(
                route.url,
                self,
                headers=headers,
                user_agent=route.user_agent,
                timeout=route.timeout,
                heartbeat=route.heartbeat,
                direct=route.direct,
            )
        except Exception as exc:
            error = failure(exc)
            if error is None:
                raise
            error.__cause__ = exc
            code = getattr(error, "code", None)
            expired = code == "header_timestamp_expired" and (
                signer.learn_clock(refused_with(exc), sent_at, signer.wall_clock()) is not None
            )
            return error, is_final(error, refusals, stood=self.stood, expired=expired)
        self._host.learn_clock(socket.date, sent_at, signer.wall_clock())
        return socket

    def _announce(self, tries: int) -> None:
        stats = self._host.stats
        stats.connects += 1
        if self.stood:
            stats.reconnects += 1
            self._host.tell(StreamResumed(self.number, tries, self.silence))
        else:
            self._host.tell(StreamConnected(self.number, tries))
        self.stood, self._alive = True, monotonic()

    def _give_up(self, error: KalshiError) -> None:
        self.error = error
        self._host.tell(StreamDisconnected(self.number, str(error), final=True))
        self._host.lost(self, error)
        self.ready.set()

    async def _serve(self, socket: Socket) -> str:
        """Use a connection until it ends; returns why it did."""
        host = self._host
        commands = Commands(self.number, host.stats, host.tell)
        self._socket, self.commands, self._wake = socket, commands, asyncio.Event()
        if self._paused_by:
            socket.pause()
        for leg in list(self.legs):
            self._resubscribe(commands, leg)
        self.ready.set()
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._write, socket, commands, group)
                group.start_soon(self._watch, socket, commands)
                self._wake.set()
                await socket.ended.wait()
                group.cancel_scope.cancel()
            return socket.why_closed()
        finally:
            self._socket = self.commands = None
            self.ready = anyio.Event()
            commands.close("the connection was lost")
            if socket.timed_out:
                self._blame()
            if socket.ended.is_set():
                socket.hang_up()
            else:
                with anyio.CancelScope(shield=True):
                    await socket.close()

    def _blame(self) -> None:
        """The peer's answer to a ping was not read in time. Where reading stood still shortly
        before, that is why, and what the exchange had sent by then is gone.
        """
        now = monotonic()
        for consumer, at in list(self._held_up.items()):
            recent = now - at < 2 * self._route.heartbeat
            # Bytes that stopped while reading was going on are the fault of the line.
            if consumer in self._paused_by or (recent and self.silence < self._route.heartbeat / 2):
                consumer.too_slow(now - at)
        self._held_up.clear()

    def _resubscribe(self, commands: Commands, leg: Leg) -> None:
        """Subscribe to what a leg carries; what the exchange no longer has is left out."""

        def ended(error: StreamError | Interrupted | None) -> None:
            if leg.dropped or not isinstance(error, StreamError):
                return
            if isinstance(error, SubscriptionRefusedError):
                gone = tuple(name for name in error.markets if name in leg.subjects)
                if error.code == INVALID_PARAMETER and gone and len(gone) < len(leg.subjects):
                    leg.removed(gone)
                    reason = f"the exchange refuses it: {error.summary}"
                    self._host.tell(StreamStale(leg.channel.name, gone, reason))
                    self._resubscribe(commands, leg)
                    return
                if error.code not in FINAL:
                    commands.ended.append(leg)
                    return
            if leg in self.legs:
                self.legs.remove(leg)
            leg.consumer.failed(error)

        if leg.names_some and not leg.subjects:  # without any it would be subscribed to all
            ended(StreamError(f"{leg.channel.name}: none of its markets is left"))
        else:
            commands.subscribe(leg, ended)

    async def _write(self, socket: Socket, commands: Commands, group: TaskGroup) -> None:
        """Send what piles up."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if commands.ended or commands.unfinished:
                group.start_soon(self._renew, commands)
            while commands.outgoing:
                waiting, commands.outgoing = commands.outgoing, []
                for text in waiting:
                    try:
                        await socket.send(text.decode())
                    except Exception as exc:
                        if failure(exc) is None:
                            raise
                        return  # the connection is gone, which others notice
                    if self.tape is not None:
                        self.tape.command(self.number, text, self._host.now())

    async def _renew(self, commands: Commands) -> None:
        """Ask again for what the exchange ended, or refused for now."""
        legs, commands.ended = commands.ended, []
        unfinished, commands.unfinished = commands.unfinished, []
        await anyio.sleep(_AGAIN)
        for leg, sid in unfinished:
            commands.unsubscribe(leg, lambda _: None, sid)
        for leg in legs:
            if leg in self.legs:
                self._resubscribe(commands, leg)
        self._wake.set()

    async def _watch(self, socket: Socket, commands: Commands) -> None:
        """Notice what does not come: answers, snapshots, the last frame before a silence."""
        patience, verify = self._route.patience, self._route.verify
        paused = False
        while True:
            await anyio.sleep(patience / 10)
            if self._paused_by or paused:  # what came meanwhile is read first
                paused = bool(self._paused_by)
                continue
            if commands.overdue() > patience:
                logger.warning("stream connection %d: a command was not answered", self.number)
                socket.transport.abort()
                return
            for leg in list(commands.legs.values()):
                if not isinstance(leg, BookLeg):
                    continue
                if leg.ask_again(patience):
                    commands.renew(leg, "the exchange does not answer", there=True)
                elif verify is not None:
                    leg.probe(verify, patience)
            if commands.outgoing or commands.ended:
                self._wake.set()
