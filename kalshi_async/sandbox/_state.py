"""The state file: everything the exchange keeps, in SQLite, committed before it is acknowledged.

Objects that change have a kind and a key, `put` replaces them; history that never changes is
appended. Both are encoded at once, because the structs go on changing, and collected in a batch. A
batch goes to one writer thread at the next turn of the event loop, so a command that does not
await is on disk as a whole or not at all; whatever gathers while the writer syncs is the next
commit. `durable` waits for that.

Every commit is synced (``synchronous=FULL``): WAL alone survives the end of the process, the sync
survives a power cut as well, and one sync serves all the requests that wait for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec

from ._state_file import StateError, StateFile, open_file

__all__ = ["MOST_PENDING", "StateError", "Store"]

S = TypeVar("S", bound=msgspec.Struct)
Rows = list[tuple[str | bytes, ...]]

# Rows of one statement: each statement takes the interpreter lock anew, which a busy loop gives up
# reluctantly, and SQLite allows 32,766 values.
_ROWS = 1_000
# Bytes that may wait while the writer is busy with another batch.
MOST_PENDING = 32 << 20


@dataclass(slots=True)
class _Batch:
    """Changes of one commit: deletions come first, then objects, then history."""

    deleted: set[tuple[str, str]] = field(default_factory=set)
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    history: list[tuple[str, bytes]] = field(default_factory=list)
    size: int = 0
    waiters: list[asyncio.Future[None]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.deleted or self.objects or self.history)

    def delete(self, name: tuple[str, str]) -> None:
        # A later object of this name goes to the end of the order, so the row must go first.
        body = self.objects.pop(name, None)
        self.size += len(name[1]) - len(body or b"")
        self.deleted.add(name)

    def put(self, name: tuple[str, str], body: bytes) -> None:
        known = self.objects.get(name)
        self.size += len(body) - len(known) if known is not None else len(body) + len(name[1])
        self.objects[name] = body

    def take(self, later: _Batch) -> None:
        """Add the changes of a later batch."""
        for name in later.deleted:
            self.delete(name)
        for name, body in later.objects.items():
            self.put(name, body)
        self.history.extend(later.history)
        self.waiters.extend(later.waiters)
        self.size += sum(len(body) for _, body in later.history)


class Store:
    """One open state file. Nobody else can open it until it is closed or the process ends.

    `put`, `delete`, `append` and `durable` belong to the thread of the event loop.
    """

    def __init__(self, file: StateFile) -> None:
        self.path, self.runs = file.path, file.runs
        self.commits = 0
        self._file, self._connection = file, file.connection
        self._encode = msgspec.msgpack.Encoder().encode
        self._open = _Batch()
        self._scheduled: asyncio.AbstractEventLoop | None = None
        # Guarded by `_changed`: what the writer takes next, what it is writing, and how it ended.
        self._changed = threading.Condition()
        self._sealed = _Batch()
        self._writing: _Batch | None = None
        self._failure: str | None = None
        self._closing = False
        self._writer = threading.Thread(target=self._write, name="sandbox-state", daemon=True)
        self._writer.start()

    @classmethod
    def open(cls, path: str | Path, meta: Mapping[str, str]) -> Store:
        """Open a state file, or make it; `meta` (seed, markets...) must be what it was made with.

        Raises StateError for another `meta`, a file that is not a state file or of another format,
        one that another exchange has open, and one that cannot be opened or written. Blocks up to
        a second for a file that is in use.
        """
        return cls(open_file(Path(path), meta))

    # Changes

    def put(self, kind: str, key: str, value: msgspec.Struct) -> None:
        """Keep `value` as it is now, in place of what had this kind and key."""
        self._open.put((kind, key), self._encode(value))
        if self._scheduled is None:
            self._schedule()

    def delete(self, kind: str, key: str) -> None:
        """Forget an object; nothing happens when there is none."""
        self._open.delete((kind, key))
        if self._scheduled is None:
            self._schedule()

    def append(self, kind: str, value: msgspec.Struct) -> None:
        """Add to the history of a kind."""
        body = self._encode(value)
        self._open.history.append((kind, body))
        self._open.size += len(body)
        if self._scheduled is None:
            self._schedule()

    def make_room(self) -> None:
        """Hand over what is pending when it has grown large, and block while the writer is that far
        behind. For callers that change much without awaiting; call it between commands.
        """
        if self._open.size > MOST_PENDING:
            self._seal()

    async def durable(self) -> None:
        """Return when every change made before the call is on disk, at once when there is none.

        Raises StateError when it could not be written; from then on every call raises, and nothing
        is written. Cancelling is safe: the changes are written all the same.
        """
        loop = asyncio.get_running_loop()
        if self._open and self._scheduled is not loop:
            self._schedule()
        with self._changed:
            self._refuse_failed()
            batch = self._open or self._sealed or self._writing
            if batch is None:
                return
            waiter: asyncio.Future[None] = loop.create_future()
            batch.waiters.append(waiter)
        await waiter

    @property
    def failure(self) -> str | None:
        """Why nothing is written any more; None while all is well."""
        return self._failure

    def close(self) -> None:
        """Write what is pending and let the file go; a second call does nothing.

        Raises StateError when something could not be written. Blocks until then.
        """
        if self._closing:
            return
        self._seal()
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._writer.join()
        self._file.close()
        failure, self._failure = self._failure, f"{self.path} is closed: nothing is kept any more"
        if failure is not None:
            raise StateError(failure)

    # What was kept

    def load(self, kind: str, type_: type[S]) -> list[S]:
        """The objects of a kind, those first written first. Blocks until pending ones are written.

        Raises StateError for objects that cannot be read as `type_`.
        """
        return self._load("objects", kind, type_)

    def load_history(self, kind: str, type_: type[S]) -> list[S]:
        """The history of a kind, oldest first; otherwise as `load`."""
        return self._load("history", kind, type_)

    def trim(self, kind: str, most: int) -> None:
        """Forget all but the last `most` of the history of a kind. Blocks until that is done."""
        self._flush()
        self._connection.execute(
            "DELETE FROM history WHERE kind = ?1 AND number <= "
            "(SELECT number FROM history WHERE kind = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)",
            (kind, most),
        )

    def __repr__(self) -> str:
        state = self._failure or f"{self.commits} commits"
        return f"<Store {self.path}: opened {self.runs} times, {state}>"

    def _load(self, table: str, kind: str, type_: type[S]) -> list[S]:
        self._flush()
        decode = msgspec.msgpack.Decoder(type_).decode
        # Only the writer writes, and it has nothing to do: the connection is free.
        rows = self._connection.execute(
            f"SELECT body FROM {table} WHERE kind = ? ORDER BY number",  # noqa: S608 - two names
            (kind,),
        )
        try:
            return [decode(body) for (body,) in rows]
        except (msgspec.DecodeError, sqlite3.Error) as error:
            raise StateError(
                f"{self.path} is damaged or of another version: a {kind} cannot be read ({error}); "
                "name another file to start anew"
            ) from error

    # Between the caller and the writer

    def _schedule(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # without a loop, whoever seals next takes these changes along
        loop.call_soon(self._seal)
        self._scheduled = loop

    def _seal(self) -> None:
        """Hand the open batch to the writer, waiting while too much is in front of it."""
        self._scheduled = None
        if not self._open:
            return
        batch, self._open = self._open, _Batch()
        with self._changed:
            while self._sealed.size > MOST_PENDING and self._failure is None:
                self._changed.wait()
            failure = self._failure
            if failure is None:
                self._sealed.take(batch)
                self._changed.notify_all()
        if failure is not None:
            _end(batch.waiters, failure)

    def _flush(self) -> None:
        self._seal()
        with self._changed:
            while (self._sealed or self._writing) and self._failure is None:
                self._changed.wait()
            self._refuse_failed()

    def _refuse_failed(self) -> None:
        if self._failure is not None:
            raise StateError(self._failure)

    # The writer's thread

    def _write(self) -> None:
        while self._failure is None:
            with self._changed:
                while not self._sealed and not self._closing:
                    self._changed.wait()
                if not self._sealed:
                    return
                batch, self._sealed = self._sealed, _Batch()
                self._writing = batch
                self._changed.notify_all()
            failure = self._commit(batch)
            with self._changed:
                self._writing, self._failure = None, failure
                waiters = batch.waiters
                if failure is None:
                    self.commits += 1
                else:
                    waiters, self._sealed = waiters + self._sealed.waiters, _Batch()
                self._changed.notify_all()
            _answer(waiters, failure)

    def _commit(self, batch: _Batch) -> str | None:
        """Write a batch as a whole; what went wrong otherwise."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for sql, rows in _statements(batch):
                self._connection.execute(sql, [value for row in rows for value in row])
            self._connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - nobody may wait for ever
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            return (
                f"cannot write {self.path} ({error}): nothing is acknowledged any more; make room "
                "or name another file, and start again: it goes on from what was acknowledged"
            )
        return None


def _statements(batch: _Batch) -> Iterator[tuple[str, Rows]]:
    """The statements of a commit with their rows."""
    for rows in _cut(list(batch.deleted)):
        # Row by row through the index: `(kind, key) IN (...)` would read the whole table.
        yield (
            f"WITH gone(a, b) AS (VALUES {_marks(rows)}) DELETE FROM objects WHERE number IN "  # noqa: S608
            "(SELECT number FROM gone CROSS JOIN objects ON kind = a AND key = b)",
            rows,
        )
    for rows in _cut([(kind, key, body) for (kind, key), body in batch.objects.items()]):
        yield (
            f"INSERT INTO objects(kind, key, body) VALUES {_marks(rows)} "  # noqa: S608
            "ON CONFLICT(kind, key) DO UPDATE SET body = excluded.body",
            rows,
        )
    for rows in _cut(batch.history):
        yield f"INSERT INTO history(kind, body) VALUES {_marks(rows)}", rows  # noqa: S608


def _cut(rows: Sequence[tuple[str | bytes, ...]]) -> Iterator[Rows]:
    rest = iter(rows)
    while part := list(islice(rest, _ROWS)):
        yield part


def _marks(rows: Rows) -> str:
    return ",".join([f"({','.join('?' * len(rows[0]))})"] * len(rows))


def _answer(waiters: list[asyncio.Future[None]], failure: str | None) -> None:
    """End the waiting in the loops it happens in."""
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for waiter in waiters:
        loops.setdefault(waiter.get_loop(), []).append(waiter)
    for loop, theirs in loops.items():
        with contextlib.suppress(RuntimeError):  # a loop that was closed waits for nothing
            loop.call_soon_threadsafe(_end, theirs, failure)


def _end(waiters: list[asyncio.Future[None]], failure: str | None) -> None:
    for waiter in waiters:
        if waiter.done():
            continue
        if failure is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(StateError(failure))
