"""A file that knows of every order before the exchange does."""

from __future__ import annotations

import math
import os
import weakref
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final, Literal

import anyio
import anyio.to_thread

from .._errors import InvalidRequestError
from . import _journal_store as store
from ._journal_records import STATUSES, Entry, Intent, JournalError, Outcome, Status

__all__ = ["Entry", "Intent", "JournalError", "OrderJournal", "Outcome", "Status"]

_FILTERS: Final = (*STATUSES, "open")


class OrderJournal:
    """Orders on disk: each intent before its request is sent, its outcome afterwards.

    An SQLite file in WAL mode with ``synchronous=FULL``, written by one thread that commits in
    groups: one fsync for all that came since the last one. Usable from asyncio and from trio, from
    several event loops at once. While it is open the file and its ``-wal`` belong together, and to
    this process alone; do not copy or read the file by other means in the same process, because
    closing a second descriptor of it would end its lock.

    Args:
        path: The file; it is made if need be, readable for its owner only.

    Raises:
        ConfigurationError: The file cannot be made, read or written, is in use, is something else,
            was made by a newer version, is damaged, or came without its ``-wal`` file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # Only who keeps a journal pays for loading SQLite.
        from ._journal_file import open_file
        from ._journal_writer import Writer

        file = open_file(path)
        try:
            self._writer = Writer(file)
        except BaseException:
            file.close()
            raise
        # Also at the end of the program: what is queued then is still written.
        self._end = weakref.finalize(self, self._writer.stop_and_join)

    async def intend(self, intents: Sequence[Intent]) -> None:
        """Write intents, all or none; they are durable when this returns.

        An intent that is there already, with the same order, is open again; its ``created`` stays.

        Safe to cancel: the intents may then be on disk; settle them as ``unsent``.

        Raises:
            JournalError: They could not be written: nothing may be sent. The next call tries again.
            InvalidRequestError: A ``client_order_id`` stands for another order in the journal, or
                earlier in ``intents``; nothing of this call was written.
            ClientClosedError: The journal was closed.
        """
        if not intents:
            await self._writer.flush()
            return
        await self._writer.write(store.Writing(intents=[*map(store.intent_row, intents)]))

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Queue outcomes for the next commit; never waits, callable from any thread.

        Of several for one intent the last counts. Where the disk fails they are kept and written
        with the next commit, or `intend` fails; an intent whose outcome was lost stays open.

        Raises:
            ClientClosedError: The journal was closed.
            JournalError: This process is a fork of the one that opened the journal.
        """
        if outcomes:
            self._writer.note(store.Writing(outcomes=[*map(store.outcome_row, outcomes)]))

    async def flush(self) -> None:
        """Wait until all that was given so far is durable. Safe to cancel.

        Raises:
            JournalError: It could not be written; it is kept, the next commit tries again.
            ClientClosedError: The journal was closed.
        """
        await self._writer.flush()

    async def open_intents(self) -> list[Intent]:
        """The intents without an outcome, oldest first. Safe to cancel.

        Raises:
            JournalError: The file could not be read.
            ClientClosedError: The journal was closed.
        """
        return [entry.intent for entry in await self.entries(status="open")]

    @property
    def open_ids(self) -> frozenset[str]:
        """Ids of the intents without an outcome, by the last commit."""
        return frozenset(self._writer.open_ids)

    async def get(self, client_order_id: str) -> Entry | None:
        """The entry of an id; None if it is not in the journal. Safe to cancel.

        Raises:
            JournalError: The file could not be read.
            ClientClosedError: The journal was closed.
        """
        return await self._writer.ask(partial(store.entry, client_order_id=client_order_id))

    async def entries(
        self,
        *,
        status: Status | Literal["open"] | None = None,
        since: datetime | float | None = None,
        limit: int | None = None,
    ) -> list[Entry]:
        """Entries, oldest first, in the order of their first writing. Safe to cancel.

        Read in pages, between which placements go on: what they write meanwhile may be in it.

        Args:
            status: Only those of this status; ``"open"`` for those without an outcome.
            since: Only those created then or later; a datetime with a timezone, or seconds.
            limit: At most so many.

        Raises:
            InvalidRequestError: A status that there is not, a datetime without a timezone.
            JournalError: The file could not be read.
            ClientClosedError: The journal was closed.
        """
        if status is not None and status not in _FILTERS:
            raise InvalidRequestError(f"status {status!r}: it is one of {', '.join(_FILTERS)}")
        if limit is not None and limit < 1:
            raise InvalidRequestError(f"limit {limit}: it must be 1 or more, or None")
        earliest = None if since is None else _seconds("since", since)
        found: list[Entry] = []
        after: int | None = 0
        while after is not None and (limit is None or len(found) < limit):
            page, after = await self._writer.ask(
                partial(store.entries, after=after, status=status, since=earliest)
            )
            found += page
        return found[:limit]

    async def prune(self, before: datetime | float) -> int:
        """Delete what was settled before a time, except as ``unknown``; returns how many.

        Safe to cancel: what is deleted by then is deleted. The file does not shrink, its space is
        used again.

        Args:
            before: A datetime with a timezone, or seconds since 1970.

        Raises:
            InvalidRequestError: A datetime without a timezone.
            JournalError: The file could not be written.
            ClientClosedError: The journal was closed.
        """
        seconds = _seconds("before", before)
        total = 0
        after: int | None = 0
        while after is not None:
            deleted, after = await self._writer.ask(
                partial(store.prune, after=after, before=seconds)
            )
            total += deleted
        return total

    def close(self) -> None:
        """Write what is queued, end the thread, let the file go; waits for the disk. Idempotent.

        Does not raise for a failed disk: an outcome that could not be written leaves its intent
        open.
        """
        self._end()
        self._writer.join()

    async def aclose(self) -> None:
        """`close` without blocking the event loop. When cancelled, the closing goes on."""
        self._writer.stop()
        await anyio.to_thread.run_sync(self._writer.join, abandon_on_cancel=True)
        self._end()

    def __repr__(self) -> str:
        counters = self._writer.counters
        facts = [
            f"{len(self._writer.open_ids)} open",
            f"{counters.intents} intents and {counters.outcomes} outcomes in "
            f"{counters.commits} commits",
        ]
        if counters.failures:
            facts.append(f"{counters.failures} failures")
        if counters.unwritten:
            facts.append(f"{counters.unwritten} outcomes unwritten")
        if counters.strays:
            facts.append(f"{counters.strays} outcomes without an intent")
        if self._writer.closed:
            facts.append("closed")
        return f"<OrderJournal {str(self._writer.file.path)!r}: {', '.join(facts)}>"


def _seconds(name: str, when: datetime | float) -> float:
    if isinstance(when, datetime):
        if when.tzinfo is None:
            raise InvalidRequestError(f"{name} is a datetime without a timezone: give it one")
        return when.timestamp()
    if not math.isfinite(when):
        raise InvalidRequestError(f"{name} must be seconds since 1970, not {when!r}")
    return when
