"""The state file as a file: making, checking and locking it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

_MAGIC = b"SQLite format 3\0"
# "Klsh": marks the file as ours among SQLite databases.
_APPLICATION = 0x4B6C7368
_FORMAT = 1
_SCHEMA = (
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    # The number is the order of first writing, which is the order things are restored in. Bodies
    # lie in that order too: keys are random, and rows kept by key would dirty a page each.
    "CREATE TABLE objects(number INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, "
    "body BLOB NOT NULL, UNIQUE(kind, key))",
    "CREATE TABLE history(number INTEGER PRIMARY KEY, kind TEXT NOT NULL, body BLOB NOT NULL)",
    f"PRAGMA application_id={_APPLICATION}",
    f"PRAGMA user_version={_FORMAT}",
)
_TABLES = "SELECT count(*) FROM sqlite_master"
# Seconds the file of an exchange that was just killed may take to be let go.
_PATIENCE = 1.0

# Files this process has open, by device and number. Another descriptor of such a file must not even
# be opened: closing it would end the lock that keeps other processes out.
_ours: set[tuple[int, int]] = set()
_opening = Lock()


class StateError(ValueError):
    """A state file cannot be used or written: the message says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class StateFile:
    """An open state file: the connection has it alone, `runs` counts how often it was opened."""

    path: Path
    connection: sqlite3.Connection
    runs: int
    identity: tuple[int, int]

    def close(self) -> None:
        """Let the file go."""
        with _opening:
            self.connection.close()
            _ours.discard(self.identity)


def open_file(file: Path, meta: Mapping[str, str]) -> StateFile:
    """Open or make a state file, and lock it; raises StateError as `Store.open` does."""
    with _opening:
        if file.exists() and _identity(file) in _ours:
            raise StateError(_in_use(file))
        _touch(file)
        connection = sqlite3.connect(
            file, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            opened = StateFile(file, connection, _prepare(connection, file, meta), _identity(file))
        except sqlite3.Error as error:
            connection.close()
            raise StateError(_cannot_open(file, error)) from error
        except BaseException:
            connection.close()
            raise
        _ours.add(opened.identity)
        return opened


def made_with(file: Path, name: str) -> str | None:
    """One value of the `meta` that a state file was made with; None for a file that is none, or is
    in use: opening it will say so.
    """
    if not file.is_file():
        return None
    try:
        with contextlib.closing(
            sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=0)
        ) as connection:
            found = connection.execute(
                "SELECT value FROM meta WHERE name = 'made with ' || ?", (name,)
            ).fetchone()
    except sqlite3.Error:
        return None
    return None if found is None else str(found[0])


def _identity(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_dev, found.st_ino


def _in_use(file: Path) -> str:
    return f"{file} is in use by another running exchange: stop that, or name another file"


def _touch(file: Path) -> None:
    """Make the file if need be, for its owner only (it holds accounts and keys); look into it."""
    try:
        with os.fdopen(os.open(file, os.O_CREAT | os.O_RDWR, 0o600), "rb") as opened:
            start = opened.read(len(_MAGIC))
    except IsADirectoryError as error:
        raise StateError(f"{file} is a folder: name a file in it") from error
    except FileNotFoundError as error:
        raise StateError(
            f"cannot make {file}: the folder {file.parent} does not exist; make it first"
        ) from error
    except OSError as error:
        raise StateError(
            f"cannot open {file} for reading and writing: {error.strerror or error}; name another "
            "file, or change its rights"
        ) from error
    # SQLite itself takes a short file of something else for an empty database, and overwrites it.
    if start not in (b"", _MAGIC):
        raise StateError(f"{file} is not a state file (not an SQLite database): name another file")


def _prepare(connection: sqlite3.Connection, file: Path, meta: Mapping[str, str]) -> int:
    """Lock, check or make the tables; returns how often the file was opened, this time included."""
    # Set before the first access, the lock lasts for the connection and needs no shared memory.
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    application, tables = _row(connection, "PRAGMA application_id"), _row(connection, _TABLES)
    if tables and application != _APPLICATION:
        raise StateError(f"{file} is a database of something else: name another file")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("BEGIN IMMEDIATE")
    if not tables:
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.executemany("INSERT INTO meta VALUES ('made with ' || ?, ?)", meta.items())
    version = _row(connection, "PRAGMA user_version")
    if version != _FORMAT:
        raise StateError(
            f"{file} has format {version}, this version of kalshi-async reads format {_FORMAT}: "
            "use the version it was made with, or name another file"
        )
    _compare(connection, file, meta)
    connection.execute(
        "INSERT INTO meta VALUES ('runs', '1') "
        "ON CONFLICT(name) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
    )
    connection.execute("COMMIT")
    return _row(connection, "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'runs'")


def _row(connection: sqlite3.Connection, sql: str) -> int:
    return int(connection.execute(sql).fetchone()[0])


def _compare(connection: sqlite3.Connection, file: Path, meta: Mapping[str, str]) -> None:
    made = dict(
        connection.execute("SELECT substr(name, 11), value FROM meta WHERE name LIKE 'made with %'")
    )
    others = [
        f"{name} {made.get(name, '(none)')[:200]} and not {meta.get(name, '(none)')[:200]}"
        for name in sorted(made.keys() | meta.keys())
        if made.get(name) != meta.get(name)
    ]
    if others:
        raise StateError(
            f"{file} keeps an exchange with {', '.join(others)}: start it with the same, or name "
            "another file"
        )


def _cannot_open(file: Path, error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return _in_use(file)
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return f"{file} is damaged ({error}): name another file"
    return f"cannot open {file} ({error}): name another file, or see to its folder and rights"
