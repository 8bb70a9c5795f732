"""Opening a journal: what is not one, is damaged, or is in use, is refused with a remedy."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from kalshi_async import ConfigurationError
from kalshi_async.orders._journal import OrderJournal

from .journals import ids, intent, outcome, output, program

HOLDER = """
import sys, anyio
from kalshi_async.orders._journal import OrderJournal
from tests.orders.journals import intent

async def main():
    journal = OrderJournal(sys.argv[1])
    await journal.intend([intent("from the child")])
    print("open", flush=True)
    sys.stdin.read()

anyio.run(main)
"""
UNPRIVILEGED = """
import os, sys
from kalshi_async import ConfigurationError
from kalshi_async.orders._journal import OrderJournal
from kalshi_async.orders import _journal_file, _journal_writer  # while modules can be read

if os.geteuid() == 0:
    os.seteuid(65534)
for path in sys.argv[1:]:
    try:
        OrderJournal(path)
    except ConfigurationError as error:
        print(error)
"""


def filled(path: Path, count: int = 200) -> Path:
    """A closed journal of several pages."""

    async def main() -> None:
        journal = OrderJournal(path)
        await journal.intend([intent(f"id-{number}") for number in range(count)])
        journal.settle([outcome(f"id-{number}") for number in range(0, count, 2)])
        await journal.aclose()

    anyio.run(main)
    return path


def unclosed(folder: Path) -> Path:
    """The files of a journal whose process was killed."""
    running = folder / "running"
    with program(HOLDER, running, stdin=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        child.kill()
    return running


def refused(path: Path | str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        OrderJournal(path)


def test_paths_that_are_none(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("text")
    refused(tmp_path, "is a folder: name a file in it")
    refused(tmp_path / "none" / "j", "none does not exist; make it first")
    refused(file / "j", "file is not a folder; name another file")
    refused(f"{tmp_path}/a\0b", "is not a usable path")
    refused(5, "must be a path, not int")  # type: ignore[arg-type]
    refused(f"{tmp_path}/{'x' * 300}", "change its rights, or name another file")


def test_rights_that_are_missing() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file, lone = filled(folder / "read-only"), filled(folder / "lone")
        file.chmod(0o444)
        lone.chmod(0o666)
        folder.chmod(0o555)
        said = output(UNPRIVILEGED, folder / "new", file, lone)
    assert len(said) == 3
    assert "Permission denied" in said[0]
    assert "change its rights" in said[1]
    assert "make the file and its folder writable" in said[2]


@pytest.mark.parametrize(
    "content",
    [b"x", b"SQLite format 3", random.Random(4).randbytes(5000), b"{}\n" * 4000],
    ids=["a letter", "half a start", "noise", "text"],
)
def test_other_files_are_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "other"
    file.write_bytes(content)
    refused(file, "not an order journal")
    assert file.read_bytes() == content


def test_other_databases_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE intents(x)")
    before = file.read_bytes()
    refused(file, "a database of something else: name another file")
    assert file.read_bytes() == before


def test_a_newer_journal_is_left_to_newer_versions(tmp_path: Path) -> None:
    file = filled(tmp_path / "j")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 2")
    refused(file, "has format 2, this version of kalshi-async reads up to 1")


def test_an_empty_file_is_a_new_journal(tmp_path: Path) -> None:
    file = tmp_path / "j"
    file.touch()
    journal = OrderJournal(file)
    assert "0 open" in repr(journal)
    journal.close()


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    journal = OrderJournal(tmp_path / "j")
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    journal.close()


@pytest.mark.parametrize("part", [0.001, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_journal_is_refused(tmp_path: Path, part: float) -> None:
    file = filled(tmp_path / "j")
    size = file.stat().st_size
    os.truncate(file, int(size * part))
    refused(file, "damaged|not an order journal")
    assert file.stat().st_size == int(size * part)


def test_a_journal_of_no_bytes_beside_its_log_is_refused(tmp_path: Path) -> None:
    file = unclosed(tmp_path)
    os.truncate(file, 0)
    refused(file, "is empty beside its -wal file")
    assert file.with_name("running-wal").stat().st_size


def test_a_page_of_garbage_is_found(tmp_path: Path) -> None:
    sound = filled(tmp_path / "sound").read_bytes()
    dice = random.Random(9)
    for page in range(len(sound) // 4096):
        file = tmp_path / f"page-{page}"
        start = page * 4096 + (100 if page == 0 else 0)
        garbage = dice.randbytes((page + 1) * 4096 - start)
        file.write_bytes(sound[:start] + garbage + sound[start + len(garbage) :])
        refused(file, "damaged.*put it back from a copy, or move it away")


def test_in_use_by_this_process(tmp_path: Path) -> None:
    file = tmp_path / "j"
    journal = OrderJournal(file)
    (tmp_path / "link").symlink_to(file)
    os.link(file, tmp_path / "second name")
    for name in ("j", "link", "second name"):
        refused(tmp_path / name, "in use by another OrderJournal of this process: close it there")
    journal.close()
    OrderJournal(tmp_path / "link").close()


def test_in_use_by_another_process_until_it_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "j"
    with program(HOLDER, file, stdin=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        for _ in range(2):
            refused(file, "in use by another process: close it there, or name another file")
        child.kill()
    journal = OrderJournal(file)
    assert journal._writer.open_ids == {"from the child"}
    journal.close()


def test_looking_at_a_journal_in_use_does_not_end_its_lock(tmp_path: Path) -> None:
    file = tmp_path / "j"
    journal = OrderJournal(file)
    refused(file, "in use by another OrderJournal")
    said = output(
        "import sys\n"
        "from kalshi_async.orders._journal import OrderJournal\n"
        "try: OrderJournal(sys.argv[1])\n"
        "except ValueError as error: print(error)",
        file,
    )
    assert len(said) == 1
    assert "in use by another process" in said[0]
    journal.close()


async def test_it_moves_together_with_its_log(tmp_path: Path) -> None:
    file = unclosed(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("running", "running-wal"):
        shutil.move(tmp_path / name, elsewhere / name)
    journal = OrderJournal(elsewhere / "running")
    assert ids(await journal.open_intents()) == ["from the child"]
    await journal.aclose()
    assert not file.exists()


async def test_without_its_log_an_unclosed_journal_is_refused(tmp_path: Path) -> None:
    file = unclosed(tmp_path)
    log = file.with_name("running-wal")
    log.rename(tmp_path / "lost")
    for _ in range(2):
        refused(file, "running-wal with what it wrote last is missing: put it beside the journal")
    (tmp_path / "lost").rename(log)
    journal = OrderJournal(file)
    assert ids(await journal.open_intents()) == ["from the child"]
    await journal.aclose()


def test_a_failure_of_opening_lets_the_file_go(tmp_path: Path) -> None:
    file = filled(tmp_path / "j")
    content = file.read_bytes()
    file.write_bytes(content[:6000])
    refused(file, "damaged")
    file.write_bytes(content)
    OrderJournal(file).close()


async def test_what_is_told_is_told_durably(tmp_path: Path) -> None:
    journal = OrderJournal(tmp_path / "j")

    def setting(name: str) -> Callable[[sqlite3.Connection], object]:
        return lambda connection: connection.execute(f"PRAGMA {name}").fetchone()[0]

    assert await journal._writer.ask(setting("journal_mode")) == "wal"
    assert await journal._writer.ask(setting("synchronous")) == 2
    assert await journal._writer.ask(setting("locking_mode")) == "exclusive"
    await journal.aclose()
