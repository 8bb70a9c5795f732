"""The journal's thread: it alone touches the file, and commits in groups."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TypeVar

from .._errors import ClientClosedError, JournalError, KalshiError
from .._threads import Waiter, wake
from . import _journal_store as store
from ._journal_file import JournalFile, why
from ._journal_store import Writing

T = TypeVar("T")

# Rows between checkpoints, some three pages of 4 KiB each.
_CHECKPOINT_ROWS = 500


@dataclass(slots=True)
class _Item:
    """Something for the thread to do: write, then answer a question, then wake who waits."""

    writing: Writing | None = None
    question: Callable[[sqlite3.Connection], None] | None = None
    waiter: Waiter | None = None
    # Fails when outcomes given before it could not be written.
    needs_outcomes: bool = False


_STOP = _Item()


@dataclass(slots=True)
class Counters:
    """What the journal has done since it was opened.

    Attributes:
        commits: Transactions, of which each had one fsync.
        intents: Intents written.
        outcomes: Outcomes written.
        failures: Transactions that failed.
        unwritten: Outcomes that could not be written yet; the next commit tries again.
        strays: Outcomes that belonged to no intent of the journal.
    """

    commits: int = 0
    intents: int = 0
    outcomes: int = 0
    failures: int = 0
    unwritten: int = 0
    strays: int = 0


@dataclass(slots=True)
class _Batch:
    """All that lay in the queue at one moment."""

    items: list[_Item] = field(default_factory=list)
    stops: bool = False

    def writings(self) -> list[Writing]:
        return [item.writing for item in self.items if item.writing is not None]


class Writer:
    """Owner of the journal's connection. The thread starts with the first thing to do."""

    def __init__(self, file: JournalFile) -> None:
        self.file = file
        self.counters = Counters()
        self.open_ids = store.open_ids(file.connection)
        self._queue: SimpleQueue[_Item] = SimpleQueue()
        # Reentrant: the collector may end a journal while its own thread holds it.
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._process = os.getpid()
        self._closed = False
        self._death: BaseException | None = None
        self._unwritten: list[Writing] = []
        self._recount = False
        self._since_checkpoint = 0

    async def write(self, writing: Writing) -> None:
        """Write intents; returns when they are durable.

        Raises:
            JournalError: The disk failed, or the thread ended.
            InvalidRequestError: They contradict the journal.
            ClientClosedError: The journal was closed.
        """
        waiter = Waiter()
        self._submit(_Item(writing, waiter=waiter))
        await waiter.wait()

    def note(self, writing: Writing) -> None:
        """Queue outcomes.

        Raises:
            ClientClosedError: The journal was closed.
            JournalError: This process is a fork of the one that opened it.
        """
        self._submit(_Item(writing))

    async def flush(self) -> None:
        """Until all that was queued is durable; raises JournalError where it cannot be."""
        waiter = Waiter()
        self._submit(_Item(waiter=waiter, needs_outcomes=True))
        await waiter.wait()

    async def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Ask the journal something, after all that was queued; raises JournalError."""
        answers: list[T] = []
        waiter = Waiter()
        self._submit(_Item(question=lambda c: answers.append(question(c)), waiter=waiter))
        await waiter.wait()
        return answers[0]

    def stop(self) -> None:
        """Take nothing more; the thread ends when the queue is done, and closes the file."""
        if os.getpid() != self._process:
            return
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._thread is None or self._death is not None:
                self.file.close()
            else:
                self._queue.put(_STOP)

    def join(self) -> None:
        """Wait for the end of the thread, after `stop`."""
        thread = self._thread
        if (
            thread is not None
            and thread is not threading.current_thread()
            and os.getpid() == self._process
        ):
            thread.join()

    def stop_and_join(self) -> None:
        """`stop`, then `join`."""
        self.stop()
        self.join()

    @property
    def closed(self) -> bool:
        """Whether `stop` was called."""
        return self._closed

    def _submit(self, item: _Item) -> None:
        if os.getpid() != self._process:
            raise JournalError(
                f"the journal {self.file.path} belongs to the process that opened it, "
                f"{self._process}; this one is a fork of it: open another journal here"
            )
        with self._lock:
            if self._closed:
                raise ClientClosedError(f"the journal {self.file.path} was closed")
            problem = self._death or self._start()
            if problem is None:
                self._queue.put(item)
            elif item.waiter is not None:
                raise self._failure(problem)
            elif item.writing is not None:
                self.counters.unwritten += len(item.writing.outcomes)

    def _start(self) -> BaseException | None:
        """Have the thread run; what keeps it from starting."""
        if self._thread is not None:
            return None
        # A daemon, since an unclosed journal must not keep the program from ending; what is queued
        # then is written at exit all the same.
        thread = threading.Thread(
            target=self._run, name=f"journal {self.file.path.name}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:
            return error
        self._thread = thread
        return None

    def _run(self) -> None:
        batch = _Batch()
        try:
            while not batch.stops:
                batch = self._take()
                self._serve(batch)
            self.file.close()
        except BaseException as death:  # noqa: BLE001 - whoever waits must hear of it
            with self._lock:
                self._death = death
                left = self._take(wait=False)
                if self._closed:
                    self.file.close()
            self._fail(batch.items + left.items, death)

    def _take(self, *, wait: bool = True) -> _Batch:
        batch = _Batch()
        try:
            item = self._queue.get(block=wait)
            while True:
                if item is _STOP:
                    batch.stops = True
                else:
                    batch.items.append(item)
                item = self._queue.get_nowait()
        except Empty:
            return batch

    def _serve(self, batch: _Batch) -> None:
        writings = self._unwritten + batch.writings()
        error = self._commit(writings) if writings else None
        for item in batch.items:
            waiter = item.waiter
            if waiter is None:
                continue
            if item.writing is not None:
                waiter.error = self._failure(error) if error else item.writing.refusal
            elif item.question is not None:
                waiter.error = self._answer(item.question)
            elif item.needs_outcomes and error:
                waiter.error = self._failure(error)
        _wake(batch.items)
        self._checkpoint()

    def _commit(self, writings: list[Writing]) -> Exception | None:
        """Write; the error, if the disk failed. What intents then lose is told, outcomes stay."""
        counters, connection = self.counters, self.file.connection
        try:
            strays = store.write(connection, writings)
            self.file.check_in_place()
        except Exception as error:  # noqa: BLE001 - one bad batch must not end the thread
            counters.failures += 1
            self._unwritten = [writing for writing in writings if writing.outcomes]
            counters.unwritten = sum(len(writing.outcomes) for writing in self._unwritten)
            # A log written back may be begun anew, in the space it has.
            self._since_checkpoint = _CHECKPOINT_ROWS
            self._recount = True
            return error
        self._unwritten = []
        self._recount = self._recount or strays > 0  # what was not settled may still be open
        self._count(writings)
        intents = sum(len(w.intents) for w in writings if w.refusal is None)
        outcomes = sum(len(w.outcomes) for w in writings)
        counters.commits += 1
        counters.intents += intents
        counters.outcomes += outcomes
        counters.strays += strays
        counters.unwritten = 0
        self._since_checkpoint += intents + outcomes
        return None

    def _count(self, writings: list[Writing]) -> None:
        if self._recount:
            # A commit that failed may have been written all the same.
            with contextlib.suppress(sqlite3.Error):
                self.open_ids = store.open_ids(self.file.connection)
                self._recount = False
        else:
            store.apply(self.open_ids, writings)

    def _answer(self, question: Callable[[sqlite3.Connection], None]) -> KalshiError | None:
        try:
            question(self.file.connection)
        except Exception as error:  # noqa: BLE001 - it is raised where the question was asked
            return self._failure(error, "use")
        return None

    def _checkpoint(self) -> None:
        """Write the log back, after all who waited were woken; a failure leaves it for later."""
        if self._since_checkpoint < _CHECKPOINT_ROWS:
            return
        self._since_checkpoint = 0
        try:
            self.file.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error:
            self.counters.failures += 1

    def _fail(self, items: list[_Item], death: BaseException) -> None:
        for item in items:
            if item.waiter is not None:
                item.waiter.error = self._failure(death)
        _wake(items)

    def _failure(self, error: BaseException, verb: str = "write") -> JournalError:
        # One for each that waits: a traceback belongs to one task.
        if isinstance(error, JournalError):
            return JournalError(error.summary)
        if isinstance(error, Exception):
            said = f"cannot {verb} the journal {self.file.path} ({why(error)})"
        else:
            said = f"the journal {self.file.path} ended by {type(error).__name__}: open it anew"
        failure = JournalError(said)
        failure.__cause__ = error
        return failure


def _wake(items: list[_Item]) -> None:
    wake(item.waiter for item in items if item.waiter is not None)
