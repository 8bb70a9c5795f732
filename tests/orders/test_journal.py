"""The order journal: what is told to it is on disk, in order, once."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from kalshi_async import ClientClosedError, InvalidRequestError
from kalshi_async.orders import _journal_store as store
from kalshi_async.orders._journal import Entry, Intent, OrderJournal, Outcome

from .journals import both_backends, held, ids, intent, outcome, run


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[OrderJournal]:
    made = OrderJournal(tmp_path / "orders.journal")
    yield made
    made.close()


@both_backends
def test_what_was_told_is_there_after_opening_again(backend: str, tmp_path: Path) -> None:
    first, second, third = (
        Intent(f"id-{n}", f"KX-{n}", b'{"n":%d}' % n, f"http://127.0.0.1:{n}", f"k{n}", n + 0.25)
        for n in range(3)
    )
    rejected = Outcome("id-1", "rejected", None, "insufficient_balance", 7.5)

    async def tell() -> None:
        journal = OrderJournal(tmp_path / "j")
        await journal.intend([first, second])
        await journal.intend([third])
        journal.settle([rejected])
        await journal.aclose()

    async def look() -> None:
        journal = OrderJournal(str(tmp_path / "j"))
        assert await journal.open_intents() == [first, third]
        assert await journal.get("id-1") == Entry(second, rejected)
        assert await journal.get("id-2") == Entry(third, None)
        assert await journal.get("id-3") is None
        await journal.aclose()

    run(backend, tell)
    assert [file.name for file in tmp_path.iterdir()] == ["j"]
    run(backend, look)


@both_backends
def test_a_thousand_at_once_are_one_commit(backend: str, journal: OrderJournal) -> None:
    async def main() -> None:
        before = journal._writer.counters.commits
        async with anyio.create_task_group() as tasks:
            async with held(journal):
                for number in range(1000):
                    tasks.start_soon(journal.intend, [intent(f"id-{number}")])
                    if number % 3 == 0:
                        journal.settle([outcome(f"elsewhere-{number}")])
                await anyio.wait_all_tasks_blocked()
        counters = journal._writer.counters
        assert (counters.commits - before, counters.intents, counters.strays) == (1, 1000, 334)
        expected = {f"id-{number}" for number in range(1000)}
        assert set(ids(await journal.open_intents())) == expected

    run(backend, main)


async def test_one_journal_serves_several_event_loops(journal: OrderJournal) -> None:
    async def work(name: str) -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(50):
                tasks.start_soon(journal.intend, [intent(f"{name}-{number}")])

    threads = [
        threading.Thread(target=anyio.run, args=(work, name), kwargs={"backend": backend})
        for name, backend in [("a", "asyncio"), ("b", "trio"), ("c", "asyncio")]
    ]
    for thread in threads:
        thread.start()
    await work("d")
    for thread in threads:
        await anyio.to_thread.run_sync(thread.join)
    expected = {f"{name}-{number}" for name in "abcd" for number in range(50)}
    assert set(ids(await journal.open_intents())) == expected


async def test_the_same_order_again_is_open_again(journal: OrderJournal) -> None:
    await journal.intend([intent("a"), intent("b")])
    journal.settle([outcome("a"), outcome("b", "unknown")])
    assert await journal.open_intents() == []
    await journal.intend([intent("a", created=9999.0)])
    # The first time of sending is where a search for the order has to begin.
    assert await journal.open_intents() == [intent("a", created=1000.0)]
    assert (await journal.entries(status="unknown"))[0].intent == intent("b")
    assert len(await journal.entries()) == 2


@pytest.mark.parametrize(
    "other",
    [
        intent("b", b'{"count":"11.00"}'),
        intent("b", exchange="https://api.elections.kalshi.com/trade-api/v2"),
        intent("b", key="key-2"),
    ],
    ids=["body", "exchange", "key"],
)
async def test_another_order_under_the_same_id_is_refused(
    journal: OrderJournal, other: Intent
) -> None:
    await journal.intend([intent("b")])
    journal.settle([outcome("b")])
    with pytest.raises(InvalidRequestError, match="'b' is in the journal with another order"):
        await journal.intend([intent("a"), other, intent("c")])
    assert await journal.entries() == [Entry(intent("b"), outcome("b"))]


async def test_a_refusal_spares_the_others_of_its_batch(journal: OrderJournal) -> None:
    refused: list[str] = []

    async def place(*intents: Intent) -> None:
        try:
            await journal.intend(intents)
        except InvalidRequestError:
            refused.append(intents[0].client_order_id)

    await journal.intend([intent("old")])
    async with anyio.create_task_group() as tasks:
        async with held(journal):
            for call in (
                [intent("a")],
                [intent("b"), intent("old", b"{}")],
                [intent("c"), intent("d", b"{}"), intent("d")],
                [intent("a"), intent("e"), intent("e")],
            ):
                tasks.start_soon(place, *call)
                await anyio.wait_all_tasks_blocked()
            journal.settle([outcome("a"), outcome("nobody's")])
    assert refused == ["b", "c"]
    assert ids(await journal.open_intents()) == ["old", "e"]
    assert journal._writer.open_ids == {"old", "e"}
    assert journal._writer.counters.strays == 1


@both_backends
def test_cancelled_while_it_waits_it_is_settled_as_absent(
    backend: str, journal: OrderJournal
) -> None:
    async def main() -> None:
        async with held(journal):
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(journal.intend, [intent("a")])
                    await anyio.wait_all_tasks_blocked()
                    scope.cancel()
            assert scope.cancelled_caught
            journal.settle([outcome("a", "absent", order_id=None)])
        assert await journal.get("a") == Entry(intent("a"), outcome("a", "absent", order_id=None))
        await journal.intend([intent("b")])
        assert ids(await journal.open_intents()) == ["b"]

    run(backend, main)


async def test_the_last_outcome_counts(journal: OrderJournal) -> None:
    await journal.intend([intent("a")])
    async with held(journal):
        journal.settle([outcome("a", "unknown"), outcome("a", "absent")])
        journal.settle([outcome("a", "placed", order_id="found")])
    found = await journal.get("a")
    assert found is not None
    assert found.outcome == outcome("a", "placed", order_id="found")


async def test_entries_are_chosen_and_counted(journal: OrderJournal) -> None:
    count = 2 * store.PAGE + 1
    await journal.intend([intent(f"{n}", created=float(n)) for n in range(count)])
    journal.settle([outcome(f"{n}", "rejected") for n in range(0, count, 2)])

    async def chosen(**options: object) -> list[int]:
        return [int(e.intent.created) for e in await journal.entries(**options)]  # type: ignore[arg-type]

    assert await chosen() == list(range(count))
    assert await chosen(status="rejected") == list(range(0, count, 2))
    assert await chosen(status="open", since=20) == list(range(21, count, 2))
    assert await chosen(since=datetime.fromtimestamp(35, UTC)) == list(range(35, count))
    assert await chosen(limit=store.PAGE + 9) == list(range(store.PAGE + 9))
    assert await chosen(status="placed") == []


async def test_pruning_spares_what_is_not_settled(journal: OrderJournal) -> None:
    count = store.PRUNE_STEP + 1000
    await journal.intend([intent(f"{n}") for n in range(count)])
    journal.settle([outcome(f"{n}", "unknown", at=float(n)) for n in range(10)])
    journal.settle([outcome(f"{n}", at=float(n)) for n in range(10, count - 10)])
    assert await journal.prune(20.0) == 10
    assert await journal.prune(datetime.fromtimestamp(20, UTC)) == 0
    assert await journal.prune(count - 20) == count - 40
    left = [int(e.intent.client_order_id) for e in await journal.entries()]
    assert left == [*range(10), *range(count - 20, count)]


async def test_wrong_questions_say_what_is_right(journal: OrderJournal) -> None:
    with pytest.raises(InvalidRequestError, match="one of placed, rejected"):
        await journal.entries(status="filled")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match="limit 0"):
        await journal.entries(limit=0)
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the mistake itself
    with pytest.raises(InvalidRequestError, match="before is a datetime without a timezone"):
        await journal.prune(naive)
    with pytest.raises(InvalidRequestError, match="since must be seconds"):
        await journal.entries(since=float("nan"))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: intent(""), "without a client_order_id"),
        (lambda: intent("a\0b"), "cannot be printed"),
        (lambda: intent("a\ud800"), "cannot be printed"),
        (lambda: intent(5), "client_order_id must be a str, not int"),  # type: ignore[arg-type]
        (lambda: intent("a", b""), "not none"),
        (lambda: intent("a", "{}"), "not str"),  # type: ignore[arg-type]
        (lambda: intent("a", created=float("inf")), "created must be seconds"),
        (lambda: outcome("a", "filled"), "one of placed, rejected, unsent, absent, unknown"),  # type: ignore[arg-type]
        (lambda: outcome("a", order_id=5), "order_id must be a str"),  # type: ignore[arg-type]
        (lambda: outcome("a", at="now"), "at must be seconds"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_written_is_refused_where_it_is_made(
    make: Callable[[], object], says: str
) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        make()


async def test_details_are_one_line(journal: OrderJournal) -> None:
    await journal.intend([intent("a")])
    journal.settle([outcome("a", "rejected", detail="no\nway\0\ud800 " + "x" * 2000)])
    found = await journal.get("a")
    assert found is not None
    assert found.outcome is not None
    assert found.outcome.detail == "no way " + "x" * 991


@both_backends
def test_after_closing_everything_says_so(backend: str, tmp_path: Path) -> None:
    async def main() -> None:
        journal = OrderJournal(tmp_path / "j")
        async with anyio.create_task_group() as tasks:
            async with held(journal):
                tasks.start_soon(journal.intend, [intent("a")])
                await anyio.wait_all_tasks_blocked()
                journal.settle([outcome("a", "rejected")])
                # What was given before the end is still written.
                tasks.start_soon(journal.aclose)
                await anyio.wait_all_tasks_blocked()
        await journal.aclose()
        journal.close()
        for call in (
            journal.intend([intent("b")]),
            journal.intend([]),
            journal.flush(),
            journal.get("a"),
            journal.open_intents(),
            journal.prune(0),
        ):
            with pytest.raises(ClientClosedError, match="was closed"):
                await call
        with pytest.raises(ClientClosedError, match="was closed"):
            journal.settle([outcome("a")])
        assert "0 open" in repr(journal)
        assert repr(journal).endswith("closed>")
        again = OrderJournal(tmp_path / "j")
        assert await again.get("a") == Entry(intent("a"), outcome("a", "rejected"))
        again.close()

    run(backend, main)


async def test_its_repr_tells_its_state(journal: OrderJournal) -> None:
    await journal.intend([intent("a"), intent("b", b'{"secret":1}', key="key-9")])
    journal.settle([outcome("a")])
    await journal.flush()
    text = repr(journal)
    assert "orders.journal" in text
    assert "1 open, 2 intents and 1 outcomes in 2 commits" in text
    assert "key-9" not in text + repr(intent("b", key="key-9"))


def test_a_forgotten_journal_ends_its_thread(tmp_path: Path) -> None:
    async def main() -> None:
        journal = OrderJournal(tmp_path / "j")
        await journal.intend([intent("a")])
        journal.settle([outcome("a")])

    anyio.run(main)
    gc.collect()
    assert not [t for t in threading.enumerate() if t.name == "journal j"]
    with_outcome = OrderJournal(tmp_path / "j")
    assert with_outcome._writer.open_ids == set()
    with_outcome.close()


async def test_nothing_to_write_is_no_commit(journal: OrderJournal) -> None:
    await journal.intend([])
    journal.settle([])
    await journal.flush()
    assert journal._writer.counters.commits == 0
