"""What waits for a consumer: in order, bounded, and never lost to one who was cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.stream._inbox import Inbox

from .hostile import GUARD


class Gate:
    """An inbox and what it calls."""

    def __init__(self, high: int = 100, **options: Any) -> None:
        self.full = self.drained = self.replaced = 0
        self.inbox: Inbox[Any] = Inbox(
            high,
            on_full=self._on_full,
            on_drained=self._on_drained,
            on_replaced=self._on_replaced,
            **options,
        )

    def _on_full(self) -> None:
        assert self.inbox.full
        self.full += 1

    def _on_drained(self) -> None:
        assert not self.inbox.full
        self.drained += 1

    def _on_replaced(self) -> None:
        self.replaced += 1

    @property
    def calls(self) -> tuple[int, int]:
        return self.full, self.drained


def of(*items: object, **options: Any) -> Inbox[Any]:
    inbox = Gate(**options).inbox
    for item in items:
        inbox.put(item)
    return inbox


def first(item: tuple[object, object]) -> object:
    return item[0]


@asynccontextmanager
async def takers(inbox: Inbox[Any], count: int) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Consumers who all wait, the first of them longest."""
    tasks = []
    for _ in range(count):
        tasks.append(asyncio.create_task(inbox.take()))
        await asyncio.sleep(0)
    try:
        with anyio.fail_after(GUARD):
            yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


# ---------------------------------------------------------------------------- order


async def test_messages_come_in_order():
    inbox = of(1, 2)
    assert await inbox.take() == 1
    inbox.put(3)
    assert [await inbox.take(), await inbox.take()] == [2, 3]
    assert len(inbox) == 0


async def test_who_waits_is_woken():
    inbox = of()
    async with takers(inbox, 1) as (task,):
        inbox.put("x")
        assert await task == "x"


async def test_falsy_messages_are_messages():
    inbox = of(None, 0, "")
    assert [await inbox.take() for _ in range(3)] == [None, 0, ""]


async def test_several_consumers_are_served_in_the_order_of_their_coming():
    inbox = of()
    async with takers(inbox, 3) as tasks:
        for item in "abc":
            inbox.put(item)
        assert await asyncio.gather(*tasks) == ["a", "b", "c"]


async def test_a_consumer_who_comes_between_takes_none_away_for_good():
    inbox = of()
    async with takers(inbox, 1) as (waiting,):
        inbox.put("a")
        assert await inbox.take() == "a"  # before the one that waits has run
        await asyncio.sleep(0)
        assert not waiting.done()
        inbox.put("b")
        assert await waiting == "b"


def test_it_tells_how_it_is():
    inbox = of(1, 2, high=2)
    assert repr(inbox) == "<Inbox: 2 waiting, full>"
    assert repr(of(1)) == "<Inbox: 1 waiting>"


# ---------------------------------------------------------------------------- cancelling


async def test_a_consumer_who_is_cancelled_while_it_waits_loses_nothing():
    inbox = of()
    async with takers(inbox, 2) as (gone, waiting):
        gone.cancel()
        await asyncio.wait([gone])
        inbox.put("a")
        assert await waiting == "a"


async def test_the_turn_of_a_consumer_who_is_cancelled_when_woken_goes_to_the_next():
    inbox = of()
    async with takers(inbox, 3) as (gone, also_gone, waiting):
        inbox.put("a")
        gone.cancel()
        also_gone.cancel()
        assert await waiting == "a"
        assert gone.cancelled()
        assert also_gone.cancelled()


async def test_a_message_stays_when_its_only_consumer_is_cancelled_when_woken():
    inbox = of()
    async with takers(inbox, 1) as (gone,):
        inbox.put("a")
        gone.cancel()
        await asyncio.wait([gone])
        assert len(inbox) == 1
    assert await inbox.take() == "a"


async def test_cancelling_before_the_message_comes_in_the_same_turn():
    inbox = of()
    async with takers(inbox, 2) as (gone, waiting):
        gone.cancel()
        inbox.put("a")
        assert await waiting == "a"


async def test_each_of_two_messages_finds_a_consumer_when_the_first_is_cancelled():
    inbox = of()
    async with takers(inbox, 3) as (gone, second, third):
        inbox.put("a")
        inbox.put("b")
        gone.cancel()
        assert await asyncio.gather(second, third) == ["a", "b"]


async def test_a_time_limit_takes_nothing():
    inbox = of()
    with anyio.move_on_after(0):
        await inbox.take()
    inbox.put("a")
    assert await inbox.take() == "a"


async def test_a_consumer_who_is_cancelled_when_the_inbox_fails_keeps_no_other_from_it():
    inbox = of()
    async with takers(inbox, 2) as (gone, waiting):
        inbox.fail(KeyError("x"))
        gone.cancel()
        with pytest.raises(KeyError):
            await waiting


@given(st.lists(st.sampled_from(["put", "put", "come", "cancel", "turn"]), max_size=60))
def test_nothing_is_lost_or_doubled_whoever_is_cancelled(steps: list[str]):
    async def main() -> None:
        inbox = of()
        tasks: list[asyncio.Task[Any]] = []
        put = 0
        for at, step in enumerate(steps):
            if step == "put":
                inbox.put(put)
                put += 1
            elif step == "come":
                tasks.append(asyncio.create_task(inbox.take()))
            elif step == "cancel" and tasks:
                tasks[at % len(tasks)].cancel()
            else:
                await asyncio.sleep(0)
        for _ in range(len(tasks) + 2):
            await asyncio.sleep(0)
        taken = [task.result() for task in tasks if task.done() and not task.cancelled()]
        left = len(inbox)
        waiting = [task for task in tasks if not task.done()]
        assert not (left and waiting), "somebody sleeps beside a message"
        rest = [await inbox.take() for _ in range(left)]
        assert sorted(taken + rest) == list(range(put))
        assert rest == sorted(rest)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(main())


# ---------------------------------------------------------------------------- water marks


async def test_it_is_full_once_and_drained_once():
    gate = Gate(8)
    for item in range(7):
        gate.inbox.put(item)
    assert gate.calls == (0, 0)
    for item in range(7, 12):
        gate.inbox.put(item)
    assert gate.calls == (1, 0)
    for left in range(11, 2, -1):
        await gate.inbox.take()
        assert (len(gate.inbox), *gate.calls) == (left, 1, 0)
    await gate.inbox.take()
    assert (len(gate.inbox), *gate.calls) == (2, 1, 1)
    for item in range(6):
        gate.inbox.put(item)
    assert gate.calls == (2, 1)


async def test_an_inbox_for_one_message():
    gate = Gate(1)
    for turn in (1, 2):
        gate.inbox.put("x")
        assert gate.calls == (turn, turn - 1)
        await gate.inbox.take()
        assert gate.calls == (turn, turn)


def test_clearing_drains():
    gate = Gate(2)
    gate.inbox.put(1)
    assert gate.inbox.clear() == 1
    assert gate.calls == (0, 0)
    for item in (1, 2, 3):
        gate.inbox.put(item)
    assert gate.inbox.clear() == 3
    assert (gate.inbox.clear(), *gate.calls) == (0, 1, 1)


@given(st.integers(1, 9), st.lists(st.sampled_from(["put", "put", "take", "clear"]), max_size=80))
def test_full_and_drained_alternate(high: int, steps: list[str]):
    async def main() -> None:
        gate = Gate(high)
        inbox = gate.inbox
        for step in steps:
            if step == "put":
                inbox.put(step)
            elif step == "clear":
                inbox.clear()
            elif len(inbox):
                await inbox.take()
            assert gate.full - gate.drained == inbox.full
            assert inbox.full or len(inbox) < high
            assert not inbox.full or len(inbox) > high // 4

    asyncio.run(main())


# ---------------------------------------------------------------------------- only the newest


async def test_a_newer_message_takes_the_place_of_an_older_one():
    gate = Gate(2, key=first)
    for item in [("a", 1), ("b", 1), ("a", 2), ("c", 1), ("a", 3)]:
        gate.inbox.put(item)
    assert (len(gate.inbox), gate.replaced, *gate.calls) == (3, 2, 0, 0)
    assert [await gate.inbox.take() for _ in range(3)] == [("a", 3), ("b", 1), ("c", 1)]


async def test_what_was_taken_is_replaced_no_more():
    gate = Gate(key=first)
    gate.inbox.put(("a", 1))
    assert await gate.inbox.take() == ("a", 1)
    gate.inbox.put(("a", 2))
    assert await gate.inbox.take() == ("a", 2)
    assert gate.replaced == 0


async def test_who_waits_for_the_newest_is_woken():
    inbox = of(key=first)
    async with takers(inbox, 2) as tasks:
        for item in [("a", 1), ("a", 2), ("b", 1)]:
            inbox.put(item)
        assert await asyncio.gather(*tasks) == [("a", 2), ("b", 1)]


async def test_clearing_forgets_the_newest():
    gate = Gate(key=first)
    gate.inbox.put(("a", 1))
    assert gate.inbox.clear() == 1
    gate.inbox.put(("a", 2))
    assert (await gate.inbox.take(), gate.replaced) == (("a", 2), 0)


@given(st.lists(st.none() | st.integers(0, 3), max_size=60))
def test_of_each_key_the_newest_comes(steps: list[int | None]):
    """None takes a message, a number puts one with that key."""

    async def main() -> None:
        gate = Gate(3, key=first)
        waiting: dict[int, int] = {}
        for at, key in enumerate(steps):
            if key is not None:
                gate.inbox.put((key, at))
                waiting[key] = at  # a key that is there already keeps its place
            elif waiting:
                oldest = next(iter(waiting))
                assert await gate.inbox.take() == (oldest, waiting.pop(oldest))
            assert len(gate.inbox) == len(waiting)

    asyncio.run(main())


# ---------------------------------------------------------------------------- failing


async def test_what_waits_is_taken_before_the_error():
    inbox = of(1, 2)
    inbox.fail(KeyError("why"))
    inbox.put(3)
    assert [await inbox.take(), await inbox.take()] == [1, 2]
    for _ in range(2):
        with pytest.raises(KeyError, match="why"):
            await inbox.take()


async def test_every_consumer_is_told():
    inbox = of()
    async with takers(inbox, 3) as tasks:
        inbox.fail(KeyError("why"))
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(each) for each in found] == [KeyError] * 3


async def test_the_first_error_stays():
    inbox = of()
    inbox.fail(KeyError("first"))
    inbox.fail(ValueError("second"))
    with pytest.raises(KeyError, match="first"):
        await inbox.take()


async def test_a_new_message_is_dropped_after_an_error():
    inbox = of(("a", 1), key=first)
    inbox.fail(KeyError("why"))
    inbox.put(("b", 1))
    assert await inbox.take() == ("a", 1)
    with pytest.raises(KeyError):
        await inbox.take()


async def test_a_newer_message_is_dropped_after_an_error():
    inbox = of(("a", 1), key=first)
    inbox.fail(KeyError("why"))
    inbox.put(("a", 2))
    assert await inbox.take() == ("a", 1)
