"""The gate: never more inside than there are places, by priority and then in order."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async import Priority
from kalshi_async._gate import Gate
from tests.support import in_virtual_time


def test_cancels_pass_placements_and_placements_pass_reads() -> None:
    entered: list[str] = []

    async def main() -> None:
        gate = Gate(1)

        async def go(name: str, priority: Priority) -> None:
            await gate.enter(priority)
            entered.append(name)
            await anyio.sleep(1)
            gate.leave()

        async with anyio.create_task_group() as tasks:
            for name, priority in (
                ("first", Priority.SCAN),
                ("scan", Priority.SCAN),
                ("read", Priority.READ),
                ("order", Priority.ORDER),
                ("order 2", Priority.ORDER),
                ("cancel", Priority.CANCEL),
            ):
                tasks.start_soon(go, name, priority)
                await anyio.sleep(0.01)
        assert (gate.inside, gate.queued) == (0, 0)

    in_virtual_time(main)
    assert entered == ["first", "cancel", "order", "order 2", "read", "scan"]


Visits = st.lists(
    st.tuples(
        st.sampled_from(list(Priority)),
        st.integers(0, 5),  # when it comes
        st.integers(1, 4),  # how long it stays
        st.none() | st.integers(0, 6),  # after how long it is cancelled
    ),
    max_size=30,
)


@given(Visits, st.integers(1, 4))
def test_places_are_never_overdrawn_nor_lost(
    visits: list[tuple[Priority, int, int, int | None]], places: int
) -> None:
    inside = most = 0
    served: list[int] = []

    async def main() -> None:
        gate = Gate(places)

        async def visit(number: int, priority: Priority, stay: int) -> None:
            nonlocal inside, most
            await gate.enter(priority)
            try:
                inside += 1
                most = max(most, inside)
                assert gate.inside <= places
                await anyio.sleep(stay)
                served.append(number)
            finally:
                inside -= 1
                gate.leave()

        async def come(number: int) -> None:
            priority, start, stay, patience = visits[number]
            await anyio.sleep(start)
            with anyio.move_on_after(patience):
                await visit(number, priority, stay)

        async with anyio.create_task_group() as tasks:
            for number in range(len(visits)):
                tasks.start_soon(come, number)
        assert (gate.inside, gate.queued) == (0, 0)
        assert all(gate.try_enter() for _ in range(places))
        assert not gate.try_enter()

    in_virtual_time(main)
    assert most <= places
    patient = {number for number, visit in enumerate(visits) if visit[3] is None}
    assert patient <= set(served)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_place_handed_to_a_cancelled_task_goes_on_to_the_next(backend: str) -> None:
    async def main() -> None:
        gate = Gate(1)
        await gate.enter(Priority.READ)
        entered = anyio.Event()

        async def doomed(scope: anyio.CancelScope) -> None:
            with scope:
                await gate.enter(Priority.CANCEL)
                gate.leave()  # on asyncio it may have been let in before it was cancelled

        async def next_one() -> None:
            await gate.enter(Priority.READ)
            entered.set()

        scope = anyio.CancelScope()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(doomed, scope)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(next_one)
            await anyio.wait_all_tasks_blocked()
            gate.leave()  # to the doomed one, who is cancelled before it can run
            scope.cancel()
            await entered.wait()
        assert gate.inside == 1

    anyio.run(main, backend=backend)
