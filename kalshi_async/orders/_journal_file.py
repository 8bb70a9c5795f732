"""The journal as a file: making, checking, locking and closing it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from .._errors import ConfigurationError
from ._journal_records import STATUSES, JournalError, one_line

_MAGIC = b"SQLite format 3\0"
# "KlOJ": marks the file as an order journal among SQLite databases.
APPLICATION = 0x4B6C4F4A
FORMAT = 1
# The first SQLite with STRICT tables.
_OLDEST_SQLITE = (3, 37, 0)
_SCHEMA = (
    "CREATE TABLE intents(number INTEGER PRIMARY KEY, client_order_id TEXT NOT NULL UNIQUE, "
    "ticker TEXT NOT NULL, body BLOB NOT NULL, exchange TEXT NOT NULL, api_key_id TEXT NOT NULL, "
    "created REAL NOT NULL, repeated INTEGER NOT NULL DEFAULT 0, status TEXT, order_id TEXT, "
    "detail TEXT, settled REAL, "
    f"CHECK(status IN ({', '.join(repr(status) for status in STATUSES)}))) STRICT",
    "CREATE INDEX open_intents ON intents(number) WHERE status IS NULL",
    # `clean` is 0 in the main file from opening to closing: then what was written is in the -wal
    # file, and a main file that lost it would pass for an older, sound journal.
    "CREATE TABLE state(clean INTEGER NOT NULL) STRICT",
    "INSERT INTO state VALUES (1)",
    f"PRAGMA application_id={APPLICATION}",
    f"PRAGMA user_version={FORMAT}",
)
_TABLES = "SELECT count(*) FROM sqlite_master"
# Seconds the file of a process that was just killed may take to be let go.
_PATIENCE = 0.5

Identity = tuple[int, int]

# Files this process has open, by device and number. Another descriptor of such a file must not even
# be opened: closing it would end the lock that keeps other processes out.
_ours: dict[Identity, sqlite3.Connection] = {}
_opening = Lock()


@dataclass(frozen=True, slots=True)
class JournalFile:
    """An open journal file; the connection has it alone."""

    path: Path
    connection: sqlite3.Connection
    identity: Identity
    wal_identity: Identity

    def check_in_place(self) -> None:
        """Raise JournalError if what is written no longer lands in the file of this name.

        SQLite goes on writing to a deleted file, and would call it durable.
        """
        for file, expected in (
            (self.path, self.identity),
            (_wal(self.path), self.wal_identity),
        ):
            try:
                found = _identity(file)
            except FileNotFoundError:
                raise JournalError(
                    f"{file} was deleted or moved while in use: put it back, or open a new journal"
                ) from None
            if found != expected:
                raise JournalError(
                    f"{file} was replaced while in use: put the journal's own file back, or open "
                    "the journal anew"
                )

    def close(self) -> None:
        """Let the file go. A disk that fails leaves the -wal file, from which it opens again."""
        with _opening:
            with contextlib.suppress(sqlite3.Error):
                self.connection.execute("UPDATE state SET clean = 1")
            self.connection.close()
            _ours.pop(self.identity, None)


def open_file(path: str | os.PathLike[str]) -> JournalFile:
    """Open or make a journal file, check it all, and lock it.

    Raises:
        ConfigurationError: It cannot be made, read or written, is in use, is something else, was
            made by a newer version, is damaged, or came without its -wal file.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise ConfigurationError(
            f"an order journal needs SQLite 3.37 or newer, this Python has {sqlite3.sqlite_version}"
        )
    file = _resolved(path)
    with _opening:
        with _refusing(file):
            if file.exists() and _identity(file) in _ours:
                raise ConfigurationError(_in_use(file, "by another OrderJournal of this process"))
            _touch(file)
        connection = sqlite3.connect(
            file, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            with _refusing(file):
                _prepare(connection, file)
                opened = JournalFile(file, connection, _identity(file), _identity(_wal(file)))
        except BaseException:
            connection.close()
            raise
        _ours[opened.identity] = connection
        return opened


def why(error: Exception) -> str:
    """An error of the disk in words, with what to do about it."""
    if not isinstance(error, sqlite3.Error):
        return str(error)
    match _code(error):
        case sqlite3.SQLITE_FULL:
            return f"{error}: free some space"
        case sqlite3.SQLITE_READONLY:
            return f"{error}: make the file and its folder writable"
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return f"damaged, {error}: {_DAMAGED}"
        case _:
            return f"{error}: see to the disk, its space and its rights"


_DAMAGED = (
    "put it back from a copy, or move it away and start a new one after comparing the orders on "
    "the exchange"
)


def _resolved(path: str | os.PathLike[str]) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise ConfigurationError(f"journal must be a path, not {type(path).__name__}")
    try:
        # Absolute, since the program may change its folder; SQLite too follows links.
        return Path(path).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigurationError(
            f"journal {os.fspath(path)!r} is not a usable path ({error})"
        ) from error


@contextlib.contextmanager
def _refusing(file: Path) -> Iterator[None]:
    try:
        yield
    except IsADirectoryError as error:
        raise ConfigurationError(f"journal {file} is a folder: name a file in it") from error
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"cannot make the journal {file}: the folder {file.parent} does not exist; "
            "make it first"
        ) from error
    except NotADirectoryError as error:
        raise ConfigurationError(
            f"cannot make the journal {file}: {file.parent} is not a folder; name another file"
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"cannot open the journal {file} for reading and writing "
            f"({error.strerror or error}): change its rights, or name another file"
        ) from error
    except sqlite3.Error as error:
        if _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise ConfigurationError(_in_use(file, "by another process")) from error
        raise ConfigurationError(f"cannot open the journal {file} ({why(error)})") from error


def _touch(file: Path) -> None:
    """Make the file if need be, for its owner only; look at how it begins."""
    made = not file.exists()
    with os.fdopen(os.open(file, os.O_CREAT | os.O_RDWR, 0o600), "rb") as opened:
        start = opened.read(len(_MAGIC))
    if made:
        _sync_folder(file.parent)
    if start not in (b"", _MAGIC):
        raise ConfigurationError(
            f"{file} is not an order journal (not an SQLite database): name another file"
        )
    if not start and _size(_wal(file)):
        raise ConfigurationError(f"the journal {file} is empty beside its -wal file: {_DAMAGED}")


def _sync_folder(folder: Path) -> None:
    """Make the name of a new file as durable as what will be in it; folders open on POSIX only."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _prepare(connection: sqlite3.Connection, file: Path) -> None:
    """Lock the file, check it or make its tables, and have it say that it is open."""
    has_wal = _size(_wal(file)) > 0
    # Set before the first access, the lock lasts for the connection and needs no shared memory.
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    application, tables = _number(connection, "PRAGMA application_id"), _number(connection, _TABLES)
    if application != APPLICATION and (application or tables):
        raise ConfigurationError(
            f"{file} is not an order journal but a database of something else: name another file"
        )
    mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if mode != "wal":
        raise ConfigurationError(
            f"the journal {file} cannot keep a write-ahead log (mode {mode}): name a file on a "
            "local disk"
        )
    connection.execute("PRAGMA synchronous=FULL")
    # Where an ordinary fsync stops at the disk's cache (macOS); elsewhere it changes nothing.
    connection.execute("PRAGMA fullfsync=ON")
    # Checkpoints are the writer's, when nobody waits for it.
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("BEGIN IMMEDIATE")
    if application == APPLICATION:
        _check(connection, file, has_wal=has_wal)
    else:
        for statement in _SCHEMA:
            connection.execute(statement)
    connection.execute("UPDATE state SET clean = 0")
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(FULL)")


def _check(connection: sqlite3.Connection, file: Path, *, has_wal: bool) -> None:
    version = _number(connection, "PRAGMA user_version")
    if version > FORMAT:
        raise ConfigurationError(
            f"the journal {file} has format {version}, this version of kalshi-async reads up to "
            f"{FORMAT}: use the version that made it, or name another file"
        )
    found = one_line(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if found == "ok" and not has_wal and _size(file) % _number(connection, "PRAGMA page_size"):
        found = "cut off"
    if found != "ok" or version != FORMAT or _number(connection, "SELECT count(*) FROM state") != 1:
        raise ConfigurationError(f"the journal {file} is damaged ({found}): {_DAMAGED}")
    if not has_wal and not _number(connection, "SELECT clean FROM state"):
        raise ConfigurationError(
            f"the journal {file} was not closed, and {_wal(file).name} with what it wrote last is "
            "missing: put it beside the journal; if it is lost, compare the orders on the exchange "
            "and start a new journal"
        )


def _number(connection: sqlite3.Connection, sql: str) -> int:
    return int(connection.execute(sql).fetchone()[0])


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def _wal(file: Path) -> Path:
    return file.with_name(f"{file.name}-wal")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _identity(file: Path) -> Identity:
    found = file.stat()
    return found.st_dev, found.st_ino


def _in_use(file: Path, owner: str) -> str:
    return f"the journal {file} is in use {owner}: close it there, or name another file"


def _leave_to_parent() -> None:
    """In a forked child: see to it that nothing of the parent's journals is ever closed.

    Closing a connection writes its log back and deletes it, under the parent's feet.
    """
    import ctypes

    for connection in _ours.values():
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
