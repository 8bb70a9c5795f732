"""Disks that fail, processes that are killed: never an order unrecorded."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import anyio
import pytest

from kalshi_async.orders._journal import JournalError, OrderJournal

from .journals import both_backends, ids, intent, outcome, output, program, run

BURST = """
import sys, anyio
from kalshi_async.orders._journal import OrderJournal
from tests.orders.journals import intent, outcome

async def main(path, name):
    journal = OrderJournal(path)
    async def work(worker):
        for number in range(100_000):
            id = f"{name}-{worker}-{number}"
            await journal.intend([intent(id), intent(id + "+")])
            print(id, flush=True)
            if number % 3 == 0:
                journal.settle([outcome(id)])
    async with anyio.create_task_group() as tasks:
        for worker in range(16):
            tasks.start_soon(work, worker)

anyio.run(main, *sys.argv[1:])
"""
SMALL_DISK = """
import resource, sys, anyio
from kalshi_async.orders._journal import JournalError, OrderJournal
from tests.orders.journals import intent, outcome

def allow(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main(path):
    journal = OrderJournal(path)
    written, number, failed = set(), 0, []
    allow(400_000)
    # Now and then one fails and the next fits, in a log that was written back: until none does.
    while len(failed) < 3:
        number += 1
        names = [f"id-{number}-{part}" for part in range(10)]
        try:
            await journal.intend([intent(name, b"x" * 500) for name in names])
        except JournalError as error:
            failed.append(error.summary)
        else:
            written.update(names)
            failed.clear()
    print(*failed, sep="\\n")
    print(len(written))
    print(written == {intent.client_order_id for intent in await journal.open_intents()})
    allow(0)
    journal.settle([outcome("id-1-0")])
    try:
        await journal.flush()
    except JournalError as error:
        print(journal._writer.counters.unwritten, "outcome unwritten")
    allow(resource.RLIM_INFINITY)
    await journal.intend([intent("later")])
    left = {intent.client_order_id for intent in await journal.open_intents()}
    print(left == journal._writer.open_ids == written - {"id-1-0"} | {"later"})
    print(journal._writer.counters.unwritten, "outcomes unwritten")
    await journal.aclose()

anyio.run(main, *sys.argv[1:])
"""
FORK = """
import os, sys, anyio
from kalshi_async import ConfigurationError
from kalshi_async.orders._journal import JournalError, OrderJournal
from tests.orders.journals import intent

journal = OrderJournal(sys.argv[1])

async def main():
    await journal.intend([intent("before")])

async def child():
    try:
        await journal.intend([intent("child")])
    except JournalError as error:
        print(error, flush=True)
    try:
        OrderJournal(sys.argv[1])
    except ConfigurationError as error:
        print("refused", flush=True)

async def after():
    await journal.intend([intent("after")])
    print(os.path.exists(sys.argv[1] + "-wal"), flush=True)
    os._exit(0)

if sys.argv[2] == "used":
    anyio.run(main)
if os.fork() == 0:
    anyio.run(child)
    journal.close()
    del journal
    sys.exit()
os.wait()
anyio.run(after)
"""
UNCLOSED = """
import sys, anyio
from kalshi_async.orders._journal import OrderJournal
from tests.orders.journals import intent, outcome

journal = OrderJournal(sys.argv[1])

async def main():
    await journal.intend([intent("a"), intent("b")])
    journal.settle([outcome("a")])

anyio.run(main)
"""


async def opened(path: Path) -> set[str]:
    """All ids in a journal."""
    journal = OrderJournal(path)
    found = {entry.intent.client_order_id for entry in await journal.entries()}
    await journal.aclose()
    return found


async def test_killed_in_a_burst_it_has_all_that_was_acknowledged(tmp_path: Path) -> None:
    path, dice = tmp_path / "j", random.Random(20)
    promised: list[str] = []
    for life in range(5):
        with program(BURST, path, f"life-{life}") as child:
            assert child.stdout is not None
            promised += [child.stdout.readline().strip() for _ in range(dice.randint(1, 600))]
            child.kill()
            # What it printed before the end was acknowledged too; the last line may be half of one.
            promised += [line.strip() for line in child.stdout if line.endswith("\n")]
        found = await opened(path)
        assert {*promised, *(f"{name}+" for name in promised)} <= found


async def test_a_full_disk_stops_placement_and_no_more(tmp_path: Path) -> None:
    *failures, count, all_open, unwritten, all_right, rest = output(SMALL_DISK, tmp_path / "j")
    assert len(failures) == 3
    for failure in failures:
        assert failure.startswith(f"cannot write the journal {tmp_path / 'j'} (")
        assert "space" in failure
    assert int(count) > 100
    assert (all_open, unwritten) == ("True", "1 outcome unwritten")
    assert (all_right, rest) == ("True", "0 outcomes unwritten")
    assert len(await opened(tmp_path / "j")) == int(count) + 1


async def test_no_page_left(tmp_path: Path) -> None:
    journal = OrderJournal(tmp_path / "j")
    await journal.intend([intent("a")])

    def limit(pages: int) -> None:
        statement = f"PRAGMA max_page_count = {pages}"
        journal._writer.file.connection.execute(statement).fetchone()

    await journal._writer.ask(lambda _: limit(1))
    with pytest.raises(JournalError, match="full: free some space"):
        await journal.intend([intent(f"{number}", b"x" * 5000) for number in range(20)])
    journal.settle([outcome("a")])
    await journal._writer.ask(lambda _: limit(1_000_000))
    await journal.intend([intent("b")])
    assert ids(await journal.open_intents()) == ["b"]
    assert "1 failures" in repr(journal)
    await journal.aclose()


@both_backends
@pytest.mark.parametrize("which", ["j", "j-wal"])
def test_a_deleted_file_is_noticed(backend: str, which: str, tmp_path: Path) -> None:
    async def main() -> None:
        journal = OrderJournal(tmp_path / "j")
        await journal.intend([intent("a")])
        (tmp_path / which).rename(tmp_path / "away")
        for _ in range(2):
            with pytest.raises(JournalError, match=f"{which} was deleted or moved while in use"):
                await journal.intend([intent("b")])
        journal.settle([outcome("a")])
        (tmp_path / which).write_bytes(b"something else")
        with pytest.raises(JournalError, match=f"{which} was replaced while in use"):
            await journal.flush()
        (tmp_path / "away").rename(tmp_path / which)
        await journal.intend([intent("b")])
        assert ids(await journal.open_intents()) == ["b"]
        assert journal._writer.open_ids == {"b"}
        await journal.aclose()
        assert await opened(tmp_path / "j") == {"a", "b"}

    run(backend, main)


async def test_a_thread_that_ends_lets_nobody_wait(tmp_path: Path) -> None:
    journal = OrderJournal(tmp_path / "j")
    await journal.intend([intent("a")])

    def end(_: object) -> None:
        raise SystemExit

    with pytest.raises(JournalError, match="ended by SystemExit: open it anew"):
        await journal._writer.ask(end)
    with pytest.raises(JournalError, match="ended by SystemExit: open it anew"):
        await journal.intend([intent("b")])
    journal.settle([outcome("a")])
    assert "1 outcomes unwritten" in repr(journal)
    await journal.aclose()
    assert await opened(tmp_path / "j") == {"a"}


async def test_a_question_that_fails_harms_nobody_else(tmp_path: Path) -> None:
    journal = OrderJournal(tmp_path / "j")
    with pytest.raises(JournalError, match=r"cannot use the journal .*no such table"):
        await journal._writer.ask(lambda connection: connection.execute("SELECT * FROM nowhere"))
    await journal.intend([intent("a")])
    await journal.aclose()


async def test_a_program_that_does_not_close_ends_and_loses_nothing(tmp_path: Path) -> None:
    assert output(UNCLOSED, tmp_path / "j") == []
    journal = OrderJournal(tmp_path / "j")
    assert ids(await journal.open_intents()) == ["b"]
    await journal.aclose()


@pytest.mark.parametrize("before", ["used", "unused"])
async def test_a_fork_leaves_the_journal_to_its_parent(tmp_path: Path, before: str) -> None:
    with program(FORK, tmp_path / "j", before) as child:
        out, _ = child.communicate(timeout=60)
    said = out.splitlines()
    assert "this one is a fork of it: open another journal here" in said[0]
    assert said[1:] == ["refused", "True"]
    expected = {"before", "after"} if before == "used" else {"after"}
    assert await opened(tmp_path / "j") == expected


@both_backends
def test_an_event_loop_that_ended_does_not_stop_the_thread(backend: str, tmp_path: Path) -> None:
    journal = OrderJournal(tmp_path / "j")
    go = threading.Event()

    async def leave() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(journal._writer.ask, lambda _: go.wait())
            tasks.start_soon(journal.intend, [intent("a")])
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()

    async def come_back() -> None:
        await journal.intend([intent("b")])
        assert {*ids(await journal.open_intents())} == {"a", "b"}

    run(backend, leave)
    go.set()
    run(backend, come_back)
    journal.close()
