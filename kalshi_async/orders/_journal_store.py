"""The journal as tables: writing one batch in one transaction, and the questions asked of it.

Plain functions of a connection; they know no threads and no event loops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from .._errors import InvalidRequestError
from ._journal_records import Entry, Intent, Outcome

if TYPE_CHECKING:
    import sqlite3

IntentRow = tuple[str, str, bytes, str, str, float]
OutcomeRow = tuple[str, str, str | None, str, float]
Row = TypeVar("Row", IntentRow, OutcomeRow)

_INSERT = "INSERT INTO intents(client_order_id, ticker, body, exchange, api_key_id, created)"
_REOPEN = (
    "ON CONFLICT(client_order_id) DO UPDATE SET status = NULL, order_id = NULL, detail = NULL, "
    "settled = NULL, repeated = 1 WHERE ticker = excluded.ticker AND body = excluded.body "
    "AND exchange = excluded.exchange AND api_key_id = excluded.api_key_id"
)
# Columns of VALUES have no names of their own, and a WITH that gave them some would hide from the
# driver that rows are changed.
_SETTLE = (
    "UPDATE intents SET status = column2, order_id = column3, detail = column4, settled = column5"
)
_SELECT = (
    "SELECT number, client_order_id, ticker, body, exchange, api_key_id, created, "
    "status, order_id, detail, settled FROM intents WHERE"
)
_BOUNDS = (
    "SELECT max(number), count(*) "
    "FROM (SELECT number FROM intents WHERE number > ? ORDER BY number LIMIT ?)"
)
# SQLite allows 32,766 parameters in a statement.
_MOST_ROWS = 1024
PAGE = 1000
# Rows that one step of pruning looks at, so that placements get in between.
PRUNE_STEP = 5000


@dataclass(slots=True)
class Writing:
    """What one call asked to be written: either intents, all or none of them, or outcomes.

    Attributes:
        refusal: After `write`: why nothing of it was written.
    """

    intents: Sequence[IntentRow] = ()
    outcomes: Sequence[OutcomeRow] = ()
    refusal: InvalidRequestError | None = None


@dataclass(slots=True)
class _Round:
    """Writings whose intents may all be written before all of their outcomes."""

    intents: list[IntentRow] = field(default_factory=list)
    # By client_order_id: the last outcome counts.
    outcomes: dict[str, OutcomeRow] = field(default_factory=dict)


def intent_row(intent: Intent) -> IntentRow:
    """An intent as a row."""
    return (
        intent.client_order_id,
        intent.ticker,
        intent.body,
        intent.exchange,
        intent.api_key_id,
        intent.created,
    )


def outcome_row(outcome: Outcome) -> OutcomeRow:
    """An outcome as a row."""
    return (
        outcome.client_order_id,
        outcome.status,
        outcome.order_id,
        outcome.detail,
        outcome.at,
    )


def write(connection: sqlite3.Connection, writings: Sequence[Writing]) -> int:
    """Write all in one transaction, in their order; durable when this returns.

    A writing whose intents contradict the journal gets a ``refusal``, and nothing of it is written.

    Returns:
        How many outcomes belonged to no intent of the journal.

    Raises:
        sqlite3.Error: The disk failed. Nothing was written.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        strays = _write_together(connection, writings)
        if strays is None:
            connection.execute("ROLLBACK")
            connection.execute("BEGIN IMMEDIATE")
            strays = _write_singly(connection, writings)
        connection.execute("COMMIT")
    except BaseException:
        # Some failures have ended the transaction already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return strays


def _write_together(connection: sqlite3.Connection, writings: Sequence[Writing]) -> int | None:
    """The usual case, in few statements; None if some intent contradicts the journal."""
    strays = 0
    for part in _rounds(writings):
        if _insert(connection, part.intents) != len(part.intents):
            return None
        strays += len(part.outcomes) - _update(connection, list(part.outcomes.values()))
    return strays


def _write_singly(connection: sqlite3.Connection, writings: Sequence[Writing]) -> int:
    strays = 0
    for writing in writings:
        strays += len(writing.outcomes)
        for outcome in writing.outcomes:
            strays -= _update(connection, [outcome])
        if not writing.intents:
            continue
        connection.execute("SAVEPOINT writing")
        for row in writing.intents:
            if not _insert(connection, [row]):
                writing.refusal = InvalidRequestError(
                    f"client_order_id {row[0]!r} is in the journal with another order: an id names "
                    "one order for good, give this one another"
                )
                connection.execute("ROLLBACK TO writing")
                break
        connection.execute("RELEASE writing")
    return strays


def _rounds(writings: Iterable[Writing]) -> Iterator[_Round]:
    """Cut where an order is intended again after its outcome; elsewhere the order is free."""
    part = _Round()
    for writing in writings:
        if part.outcomes and any(row[0] in part.outcomes for row in writing.intents):
            yield part
            part = _Round()
        part.intents += writing.intents
        for row in writing.outcomes:
            if row[1] != "unsent" or row[0] not in part.outcomes:
                part.outcomes[row[0]] = row
    yield part


def apply(open_ids: set[str], writings: Iterable[Writing]) -> None:
    """Keep the set of the ids without an outcome in step with what was written."""
    for writing in writings:
        if writing.refusal is None:
            open_ids.update(row[0] for row in writing.intents)
            open_ids.difference_update(row[0] for row in writing.outcomes)


def _insert(connection: sqlite3.Connection, rows: Sequence[IntentRow]) -> int:
    """Write intents, or open them again; returns how many did not contradict the journal."""
    return _in_chunks(connection, _insert_sql, rows)


def _update(connection: sqlite3.Connection, rows: Sequence[OutcomeRow]) -> int:
    """Write outcomes; returns how many had an intent that they could settle."""
    return _in_chunks(connection, _update_sql, rows)


def _in_chunks(
    connection: sqlite3.Connection, sql: Callable[[int], str], rows: Sequence[Row]
) -> int:
    # Many rows a statement, because after each statement the thread may have to wait until a busy
    # event loop lets go of the interpreter. In powers of two, so that statements are prepared once.
    changed = start = 0
    while start < len(rows):
        size = min(_MOST_ROWS, 1 << ((len(rows) - start).bit_length() - 1))
        values = [value for row in rows[start : start + size] for value in row]
        changed += connection.execute(sql(size), values).rowcount
        start += size
    return changed


@cache
def _insert_sql(rows: int) -> str:
    values = ",".join(["(?,?,?,?,?,?)"] * rows)
    return f"{_INSERT} VALUES {values} {_REOPEN}"


@cache
def _update_sql(rows: int) -> str:
    values = ",".join(["(?,?,?,?,?)"] * rows)
    # That a repeat was not sent says nothing of the time before.
    return (
        f"{_SETTLE} FROM (VALUES {values}) WHERE client_order_id = column1 "
        "AND (column2 <> 'unsent' OR (status IS NULL AND NOT repeated))"
    )


def open_ids(connection: sqlite3.Connection) -> set[str]:
    """Ids of all intents without an outcome."""
    found = connection.execute("SELECT client_order_id FROM intents WHERE status IS NULL")
    return {row[0] for row in found}


def entry(connection: sqlite3.Connection, client_order_id: str) -> Entry | None:
    """The entry of an id."""
    found = connection.execute(f"{_SELECT} client_order_id = ?", (client_order_id,)).fetchone()
    return None if found is None else _entry(found)


def entries(
    connection: sqlite3.Connection, after: int, status: str | None, since: float | None
) -> tuple[list[Entry], int | None]:
    """One page of the entries behind row ``after``, oldest first.

    Args:
        connection: The journal's.
        after: Number of a row; 0 begins.
        status: Only those of this status, ``"open"`` for those without an outcome.
        since: Only those created then or later.

    Returns:
        The page, and the row to go on after; None where that was the last page.
    """
    conditions = ["number > ?"]
    values: list[int | float | str] = [after]
    if status == "open":
        conditions.append("status IS NULL")
    elif status is not None:
        conditions.append("status = ?")
        values.append(status)
    if since is not None:
        conditions.append("created >= ?")
        values.append(since)
    sql = f"{_SELECT} {' AND '.join(conditions)} ORDER BY number LIMIT {PAGE}"
    rows = connection.execute(sql, values).fetchall()
    return [_entry(row) for row in rows], rows[-1][0] if len(rows) == PAGE else None


def prune(connection: sqlite3.Connection, after: int, before: float) -> tuple[int, int | None]:
    """One step of deleting what was settled, other than as unknown, before a time.

    Returns:
        How many were deleted, and the row to go on after; None at the end.
    """
    last, seen = connection.execute(_BOUNDS, (after, PRUNE_STEP)).fetchone()
    if not seen:
        return 0, None
    deleted = connection.execute(
        "DELETE FROM intents WHERE number > ? AND number <= ? AND status <> 'unknown' "
        "AND settled < ?",
        (after, last, before),
    ).rowcount
    return deleted, last if seen == PRUNE_STEP else None


def _entry(row: tuple[object, ...]) -> Entry:
    _, *intent, status, order_id, detail, settled = row
    told = Intent(*intent)  # type: ignore[arg-type]
    if status is None:
        return Entry(told, None)
    return Entry(told, Outcome(told.client_order_id, status, order_id, detail, settled))  # type: ignore[arg-type]
