"""Signatures in threads: RSA takes long, and OpenSSL lets the event loop go on meanwhile."""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue

from ._threads import Home, Waiter

MOST_THREADS = 2
"""Two keep up with what one event loop can send."""


@dataclass(slots=True, eq=False)
class _Job:
    message: bytes
    waiter: Waiter = field(default_factory=Waiter)
    signature: bytes = b""


class SigningThreads:
    """Signs what many tasks hand in, in a few threads that start when first needed.

    Args:
        sign: Signs bytes; called from any thread.
        threads: How many.
    """

    def __init__(self, sign: Callable[[bytes], bytes], threads: int = MOST_THREADS) -> None:
        self._sign = sign
        self._number = min(threads, os.cpu_count() or 1)
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._process = 0
        self._end: weakref.finalize[..., SigningThreads] | None = None

    async def sign(self, message: bytes) -> bytes:
        """The signature of a message. Safe to cancel."""
        # No threads come along into a fork.
        if self._process != os.getpid() and not self._start():
            return self._sign(message)
        job = _Job(message)
        self._jobs.put(job)
        await job.waiter.wait()
        return job.signature

    def close(self) -> None:
        """Let the threads end after what they have; the next signature starts new ones."""
        if self._end is not None and self._process == os.getpid():
            self._end()
        self._process = 0

    def _start(self) -> bool:
        """Start the threads; False where the system has none to give."""
        jobs: SimpleQueue[_Job | None] = SimpleQueue()
        started = 0
        for _ in range(self._number):
            # Daemons: a signature is worth nothing once the program ends.
            thread = threading.Thread(
                target=_work, args=(jobs, self._sign), name="kalshi-sign", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:
                break
            started += 1
        if not started:
            return False
        if self._end is not None:
            self._end.detach()
        self._jobs, self._process = jobs, os.getpid()
        self._end = weakref.finalize(self, _end, jobs, started)
        return True


def _end(jobs: SimpleQueue[_Job | None], threads: int) -> None:
    for _ in range(threads):
        jobs.put(None)


def _work(jobs: SimpleQueue[_Job | None], sign: Callable[[bytes], bytes]) -> None:
    inboxes: dict[Home, _Inbox] = {}
    while (job := jobs.get()) is not None:
        try:
            job.signature = sign(job.message)
        except Exception as exc:  # noqa: BLE001 - the task that waits raises it
            job.waiter.error = exc
        inbox = inboxes.get(job.waiter.home)
        if inbox is None:
            inbox = inboxes[job.waiter.home] = _Inbox(job.waiter.home)
        inbox.put(job.waiter)


class _Inbox:
    """Waiters of one event loop that may go on; the loop is called once for all there are."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._waiters: deque[Waiter] = deque()
        self._called = False

    def put(self, waiter: Waiter) -> None:
        self._waiters.append(waiter)
        if not self._called:
            self._called = True
            try:
                self._home(self._empty)
            except RuntimeError:  # the event loop has ended, and who waited with it
                self._waiters.clear()
                self._called = False

    def _empty(self) -> None:
        # Lowered first: what comes from now on calls again, rather than being forgotten.
        self._called = False
        while self._waiters:
            self._waiters.popleft().wake()
