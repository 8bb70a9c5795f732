"""Any sequence of calls, in any batches, against a dictionary."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_async import InvalidRequestError
from kalshi_async.orders._journal import Entry, Intent, OrderJournal, Outcome
from kalshi_async.orders._journal_records import STATUSES

from .journals import held, intent, outcome

IDS = st.sampled_from("abcde")
INTENTS = st.builds(
    intent,
    IDS,
    st.sampled_from([b"{}", b"{}", b"{}", b'{"count":"1.00"}']),
    created=st.integers(0, 99).map(float),
)
OUTCOMES = st.builds(outcome, IDS, st.sampled_from(STATUSES), at=st.integers(0, 99).map(float))
CALL = st.one_of(
    st.lists(INTENTS, min_size=1, max_size=6), st.lists(OUTCOMES, min_size=1, max_size=4)
)
BATCHES = st.lists(st.lists(CALL, min_size=1, max_size=12), min_size=1, max_size=4)


def expect(model: dict[str, Entry], repeated: set[str], call: list[Intent] | list[Outcome]) -> bool:
    """Carry a call out on the model; whether it is accepted."""
    changed, again = dict(model), set[str]()
    for item in call:
        known_id = item.client_order_id
        known = changed.get(known_id)
        if isinstance(item, Outcome):
            unsent = item.status == "unsent"
            stays = unsent and known is not None and (known.outcome or known_id in repeated)
            if known is not None and not stays:
                changed[item.client_order_id] = replace(known, outcome=item)
        elif known is None:
            changed[item.client_order_id] = Entry(item, None)
        elif known.intent.body != item.body:
            return False
        else:
            changed[item.client_order_id] = replace(known, outcome=None)
            again.add(known_id)
    repeated |= again
    model.clear()
    model.update(changed)
    return True


async def check(path: Path, batches: list[list[list[Intent] | list[Outcome]]]) -> None:
    model: dict[str, Entry] = {}
    repeated: set[str] = set()
    for batch in batches:
        journal = OrderJournal(path)
        accepted: dict[int, bool] = {}

        async def place(
            number: int,
            intents: list[Intent],
            journal: OrderJournal = journal,
            accepted: dict[int, bool] = accepted,
        ) -> None:
            try:
                await journal.intend(intents)
                accepted[number] = True
            except InvalidRequestError:
                accepted[number] = False

        expected: dict[int, bool] = {}
        async with anyio.create_task_group() as tasks:
            async with held(journal):
                for number, call in enumerate(batch):
                    accepts = expect(model, repeated, call)
                    if isinstance(call[0], Outcome):
                        journal.settle(call)
                    else:
                        expected[number] = accepts
                        tasks.start_soon(place, number, call)
                        await anyio.wait_all_tasks_blocked()
        assert accepted == expected
        assert await journal.entries() == list(model.values())
        still_open = {name for name, entry in model.items() if entry.outcome is None}
        assert journal._writer.open_ids == still_open
        journal.close()


@given(BATCHES)
@settings(max_examples=60)
def test_batches_are_as_if_one_by_one(batches: list[list[list[Intent] | list[Outcome]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        anyio.run(check, Path(folder) / "j", batches)
