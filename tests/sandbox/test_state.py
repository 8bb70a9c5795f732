"""The state file: what was waited for is in it, as a whole, whatever happens next."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_async.sandbox import _state
from kalshi_async.sandbox._records import Wallet
from kalshi_async.sandbox._state import StateError, Store

META = {"seed": "7", "markets": "20"}


class Note(msgspec.Struct):
    text: str


def wallet(cash: int, subaccount: int = 0) -> Wallet:
    return Wallet(user_id="u", subaccount=subaccount, shard=0, cash=cash)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "exchange.db"


def reopened(path: Path) -> Store:
    return Store.open(path, META)


async def test_what_was_waited_for_is_committed_while_the_file_is_open(path: Path) -> None:
    store = Store.open(path, META)
    store.put("wallet", "u", wallet(5))
    store.append("note", Note("first"))
    await store.durable()
    # A copy of the files is what a crash at this instant leaves behind.
    copy = path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    Path(f"{copy}-wal").write_bytes(Path(f"{path}-wal").read_bytes())
    crashed = reopened(copy)
    assert crashed.load("wallet", Wallet) == [wallet(5)]
    assert crashed.load_history("note", Note) == [Note("first")]
    crashed.close()
    store.close()


async def test_objects_are_kept_as_they_were_when_put(path: Path) -> None:
    store = Store.open(path, META)
    changing = wallet(5)
    store.put("wallet", "u", changing)
    changing.cash = 9
    await store.durable()
    assert store.load("wallet", Wallet) == [wallet(5)]
    store.put("wallet", "u", changing)
    store.close()
    store = reopened(path)
    assert store.runs == 2
    assert store.load("wallet", Wallet) == [wallet(9)]
    store.close()


async def test_changes_reach_the_disk_though_nobody_waits(path: Path) -> None:
    store = Store.open(path, META)
    store.put("note", "a", Note("a"))
    await asyncio.sleep(0)

    def committed() -> bool:
        with store._changed:
            return store._changed.wait_for(lambda: store.commits == 1, timeout=10)

    assert await asyncio.to_thread(committed)
    store.close()


async def test_a_command_that_does_not_await_is_committed_as_a_whole(path: Path) -> None:
    """Another task waits for its own changes all the time: no commit may hold half a transfer."""
    store = Store.open(path, META)
    sums = []
    commit = store._commit

    def watched(batch: _state._Batch) -> str | None:
        failure = commit(batch)
        rows = store._connection.execute("SELECT body FROM objects WHERE kind = 'wallet'")
        sums.append(sum(msgspec.msgpack.decode(body, type=Wallet).cash for (body,) in rows))
        return failure

    store._commit = watched  # type: ignore[method-assign]

    async def move() -> None:
        for amount in range(100):
            store.put("wallet", "a", wallet(100 - amount))
            store.put("wallet", "b", wallet(amount, 1))
            await asyncio.sleep(0)

    async def note() -> None:
        for number in range(100):
            store.put("note", str(number), Note(""))
            await store.durable()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(move())
        tasks.create_task(note())
    store.close()
    assert len(sums) > 1
    assert set(sums) == {100}


def test_objects_come_back_in_the_order_of_their_first_writing(path: Path) -> None:
    store = Store.open(path, META)
    for key in ("m", "z", "a"):
        store.put("note", key, Note(key))
    assert [note.text for note in store.load("note", Note)] == ["m", "z", "a"]
    store.put("note", "m", Note("m2"))
    store.delete("note", "z")
    store.put("note", "z", Note("z2"))
    assert [note.text for note in store.load("note", Note)] == ["m2", "a", "z2"]
    store.close()


STEPS = st.lists(
    st.tuples(st.sampled_from("pppda f"), st.sampled_from("abcd"), st.integers(0, 9)), max_size=40
)


@settings(max_examples=25)
@given(STEPS)
def test_the_file_is_the_dict_and_the_list_it_was_told_to_be(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, int]]
) -> None:
    path = tmp_path_factory.mktemp("state") / "x.db"
    store = Store.open(path, META)
    objects: dict[str, Note] = {}
    history: list[Note] = []
    for step, key, number in steps:
        note = Note(str(number))
        if step == "p":
            store.put("note", key, note)
            objects[key] = note
        elif step == "d":
            store.delete("note", key)
            objects.pop(key, None)
        elif step == "a":
            store.append("note", note)
            history.append(note)
        elif step == "f":
            store.close()
            store = reopened(path)
        else:
            assert store.load("note", Note) == list(objects.values())
    store.close()
    store = reopened(path)
    assert store.load("note", Note) == list(objects.values())
    assert store.load_history("note", Note) == history
    store.close()


async def test_more_changes_than_one_statement_holds(path: Path) -> None:
    store = Store.open(path, META)
    for number in range(2_500):
        store.put("note", str(number), Note(str(number)))
        store.append("note", Note(str(number)))
    await store.durable()
    expected = [Note(str(number)) for number in range(2_500)]
    assert store.load("note", Note) == expected
    assert store.load_history("note", Note) == expected
    for number in range(2_400):
        store.delete("note", str(number))
    store.close()
    store = reopened(path)
    assert store.load("note", Note) == expected[2_400:]
    store.close()


async def test_a_crowd_that_waits_shares_commits(path: Path) -> None:
    store = Store.open(path, META)

    async def write(number: int) -> None:
        store.put("note", str(number), Note(str(number)))
        await store.durable()

    async with asyncio.TaskGroup() as tasks:
        for number in range(500):
            tasks.create_task(write(number))
    assert len(store.load("note", Note)) == 500
    assert store.commits < 100
    store.close()


async def test_cancelling_a_wait_loses_no_change_and_no_other_wait(path: Path) -> None:
    store = Store.open(path, META)
    store.put("note", "a", Note("a"))
    given_up = asyncio.create_task(store.durable())
    patient = asyncio.create_task(store.durable())
    await asyncio.sleep(0)
    given_up.cancel()
    await patient
    assert store.load("note", Note) == [Note("a")]
    store.close()


def test_a_loop_that_ended_early_does_not_hold_up_the_next(path: Path) -> None:
    store = Store.open(path, META)

    async def write(key: str, *, wait: bool) -> None:
        store.put("note", key, Note(key))
        if wait:
            await asyncio.wait_for(store.durable(), 10)

    ended = asyncio.new_event_loop()
    writing = ended.create_task(write("a", wait=False))
    writing.add_done_callback(lambda _: ended.stop())
    ended.run_forever()
    ended.close()
    asyncio.run(write("b", wait=True))
    assert store.load("note", Note) == [Note("a"), Note("b")]
    store.close()


async def test_a_full_disk_reaches_every_waiter_and_ends_acknowledgement(path: Path) -> None:
    store = Store.open(path, META)
    store.put("note", "kept", Note("kept"))
    await store.durable()
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count={pages}")
    store.put("note", "big", Note("x" * 100_000))
    store.put("note", "small", Note("of the same commit"))
    outcomes = await asyncio.gather(*(store.durable() for _ in range(3)), return_exceptions=True)
    assert [*map(type, outcomes)] == [StateError] * 3
    assert "full" in str(outcomes[0])
    assert store.failure
    store.put("note", "later", Note("would fit"))
    with pytest.raises(StateError, match=r"nothing is acknowledged any more"):
        await store.durable()
    with pytest.raises(StateError, match="full"):
        store.close()
    store = reopened(path)
    assert store.load("note", Note) == [Note("kept")]
    store.close()


async def test_pending_changes_are_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_state, "MOST_PENDING", 10_000)
    store = Store.open(path, META)
    largest = 0
    for _ in range(200):
        store.make_room()
        store.append("note", Note("x" * 1_000))
        largest = max(largest, store._open.size + store._sealed.size)
    await store.durable()
    assert largest < 2 * 10_000 + 3_000
    assert len(store.load_history("note", Note)) == 200
    store.close()


def test_no_commit_reads_a_whole_table(path: Path) -> None:
    batch = _state._Batch()
    batch.put(("note", "a"), b"")
    batch.delete(("note", "b"))
    batch.history.append(("note", b""))
    store = Store.open(path, META)
    kinds = set()
    for sql, rows in _state._statements(batch):
        values = [value for row in rows for value in row]
        plan = store._connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        assert not [step for *_, step in plan if step in ("SCAN objects", "SCAN history")]
        kinds.add(sql.split(" ")[0])
    assert kinds == {"WITH", "INSERT"}
    store.close()


def test_sizes_of_pending_changes_add_up() -> None:
    batch = _state._Batch()
    batch.put(("note", "a"), b"12345")
    batch.put(("note", "a"), b"123")
    assert batch.size == len("a") + 3
    batch.delete(("note", "a"))
    later = _state._Batch()
    later.put(("note", "bb"), b"12")
    later.history.append(("note", b"1234"))
    batch.take(later)
    assert batch.size == 1 + 1 + 2 + 2 + 4
    assert list(batch.objects) == [("note", "bb")]
    assert batch.deleted == {("note", "a")}


# Files that cannot be used


def test_another_seed_or_catalog_is_refused(path: Path) -> None:
    Store.open(path, META).close()
    with pytest.raises(StateError, match=r"seed 7 and not 8: start it with the same"):
        Store.open(path, META | {"seed": "8"})
    with pytest.raises(StateError, match=r"load \(none\) and not a\.json"):
        Store.open(path, META | {"load": "a.json"})
    reopened(path).close()


OPEN = "import sys; from kalshi_async.sandbox._state import *; Store.open(sys.argv[1], {})"


def test_a_file_in_use_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "exchange.db"
    store = Store.open(path, {})
    with pytest.raises(StateError, match="in use by another running exchange"):
        Store.open(path, {})
    # The refusal must not have cost the first one its lock against other processes.
    child = subprocess.run(
        [sys.executable, "-c", OPEN, path], capture_output=True, text=True, check=False
    )
    assert child.returncode == 1
    assert "StateError" in child.stderr
    assert "in use by another running exchange" in child.stderr
    store.close()
    Store.open(path, {}).close()


def test_a_file_that_was_deleted_meanwhile_can_be_made_again(path: Path) -> None:
    store = Store.open(path, META)
    path.unlink()
    store.close()
    again = reopened(path)
    assert again.runs == 1
    again.close()


@pytest.mark.parametrize("content", [b"not a database, " * 100, b"notes"])
def test_a_file_of_something_else_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StateError, match="not an SQLite database"):
        reopened(path)
    assert path.read_bytes() == content


def test_a_database_of_something_else_is_refused_and_left_alone(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE mine(x)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(StateError, match="database of something else"):
        reopened(path)
    assert path.read_bytes() == before


def test_a_damaged_file_is_refused(path: Path) -> None:
    Store.open(path, META).close()
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\xff" * (len(content) - 100))
    with pytest.raises(StateError, match="is damaged"):
        reopened(path)


def test_a_later_format_is_refused(path: Path) -> None:
    Store.open(path, META).close()
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version=99")
    other.close()
    with pytest.raises(StateError, match=r"format 99.*reads format 1"):
        reopened(path)


def test_places_where_no_file_can_be(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="is a folder"):
        Store.open(tmp_path, META)
    with pytest.raises(StateError, match="does not exist; make it first"):
        Store.open(tmp_path / "none" / "x.db", META)


def test_the_file_is_for_its_owner_only(path: Path) -> None:
    store = Store.open(path, META)
    assert path.stat().st_mode & 0o077 == 0
    assert Path(f"{path}-wal").stat().st_mode & 0o077 == 0
    store.close()


def test_an_object_of_another_shape_is_a_state_error(path: Path) -> None:
    store = Store.open(path, META)
    store.put("wallet", "u", Note("not a wallet"))
    with pytest.raises(StateError, match="a wallet cannot be read"):
        store.load("wallet", Wallet)
    store.close()


async def test_a_closed_store_acknowledges_nothing(path: Path) -> None:
    store = Store.open(path, META)
    store.close()
    store.close()
    store.put("note", "a", Note("late"))
    with pytest.raises(StateError, match="is closed"):
        await store.durable()
    assert "is closed" in repr(store)
