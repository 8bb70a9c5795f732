"""Batches of RFQs without a network: all at once or not at all, each at its best bid."""

from __future__ import annotations

from typing import Any

import pytest

from kalshi_async.sandbox._rfq.records import Ask, Batch, BatchQuote, Offer, Timing
from kalshi_async.sandbox._text import HOUR
from kalshi_async.sandbox._units import CONTRACT, DOLLAR

from .engines import free
from .rfq_desks import SECOND, Floor, refused


def asked(floor: Floor, *tickers: str, user_id: str = "a", **more: Any) -> Batch:
    asks = [
        Ask(user_id=user_id, ticker=ticker, contracts=10 * CONTRACT)
        for ticker in tickers or ("M", "N")
    ]
    return floor.batches.create(asks, floor.now, **more)


def quoted(floor: Floor, batch: Batch, user_id: str, *prices: tuple[int, int]) -> BatchQuote:
    offers = [
        Offer(user_id=user_id, rfq_id=rfq_id, yes_bid=yes, no_bid=no)
        for rfq_id, (yes, no) in zip(batch.rfq_ids, prices, strict=True)
    ]
    return floor.batches.create_quote(batch.id, offers, floor.now)


def limits(batch: Batch, *prices: int) -> dict[str, int]:
    return dict(zip(batch.rfq_ids, prices or (100, 100), strict=True))


def test_a_batch_trades_each_rfq_at_the_best_bid() -> None:
    floor = Floor()
    batch = asked(floor)
    first = quoted(floor, batch, "b", (4000, 5000), (3000, 6000))
    second = quoted(floor, batch, "c", (3900, 5100), (3200, 6100))
    accepted = floor.batches.accept("a", batch.id, "yes", limits(batch, 4000, 3200), floor.now)
    assert [(quote.offer.user_id, quote.bid("yes")) for quote in accepted] == [
        ("b", 4000),
        ("c", 3200),
    ]
    assert (batch.status, first.status, second.status) == ("accepted", "accepted", "accepted")
    floor.batches.confirm("b", batch.id, first.id, floor.now)
    assert (batch.status, first.status) == ("accepted", "executed")
    floor.batches.confirm("c", batch.id, second.id, floor.now)
    assert (batch.status, batch.reason, second.status) == ("closed", "executed", "executed")
    positions = floor.engine.traders["a"].positions
    assert {key: held.count for key, held in positions.items()} == {
        (0, "M"): -10 * CONTRACT,
        (0, "N"): -10 * CONTRACT,
    }
    fills = floor.engine.traders["a"].fills
    assert [(fill.ticker, fill.price) for fill in fills] == [("M", 4000), ("N", 3200)]


def test_a_limit_that_no_bid_reaches_accepts_nothing() -> None:
    floor = Floor()
    batch = asked(floor)
    quoted(floor, batch, "b", (4000, 5000), (3000, 0))
    with refused(409, "conflict"):
        floor.batches.accept("a", batch.id, "yes", limits(batch, 4000, 3100), floor.now)
    with refused(409, "conflict"):
        floor.batches.accept("a", batch.id, "no", limits(batch), floor.now)
    with refused(400, "invalid_parameters"):
        floor.batches.accept("a", batch.id, "yes", {batch.rfq_ids[0]: 100}, floor.now)
    with refused(403, "forbidden"):
        floor.batches.accept("b", batch.id, "yes", limits(batch), floor.now)
    assert batch.status == "open"
    assert all(quote.status == "open" for quote in floor.desk.quotes.values())
    floor.batches.accept("a", batch.id, "yes", limits(batch), floor.now)
    with refused(409, "conflict"):
        floor.batches.accept("a", batch.id, "yes", limits(batch), floor.now)


def test_a_batch_is_made_whole_or_not_at_all() -> None:
    floor = Floor()
    for tickers, word in (
        (("M", "UNKNOWN"), "invalid_parameters"),
        (("M", "M"), "invalid_parameters"),
    ):
        with refused(400, word):
            asked(floor, *tickers)
    single = floor.ask("a", "N")
    with refused(409, "conflict"):
        asked(floor)
    assert [rfq.id for rfq in floor.desk.open_of("a")] == [single.id]
    batch = asked(floor, replace=True)
    assert (single.status, batch.status) == ("closed", "open")
    again = asked(floor, replace=True)
    assert (batch.status, batch.reason, again.status) == ("closed", "replaced", "open")


def test_a_client_batch_id_is_used_once() -> None:
    floor = Floor()
    batch = asked(floor, client_batch_id="mine")
    floor.batches.delete("a", batch.id, floor.now)
    with refused(409, "conflict"):
        asked(floor, client_batch_id="mine")
    asked(floor, user_id="b", client_batch_id="mine")


def test_members_of_a_batch_are_not_handled_alone() -> None:
    floor = Floor()
    batch = asked(floor)
    answer = quoted(floor, batch, "b", (4000, 5000), (3000, 6000))
    quote = floor.desk.quotes[answer.quote_ids[0]]
    with refused(400, "invalid_parameters"):
        floor.desk.accept("a", quote.id, "yes", floor.now)
    with refused(400, "invalid_parameters"):
        floor.desk.delete_rfq("a", batch.rfq_ids[0], floor.now)
    with refused(400, "invalid_parameters"):
        floor.desk.delete_quote("b", quote.id, floor.now)
    floor.batches.accept("a", batch.id, "yes", limits(batch), floor.now)
    with refused(400, "invalid_parameters"):
        floor.desk.confirm("b", quote.id, floor.now)


def test_a_batch_quote_names_every_rfq_once() -> None:
    floor = Floor()
    batch = asked(floor)
    for rfq_ids in (batch.rfq_ids[:1] * 2, [*batch.rfq_ids, "other"], batch.rfq_ids[:1]):
        offers = [Offer(user_id="b", rfq_id=one, yes_bid=4000, no_bid=0) for one in rfq_ids]
        with refused(400, "invalid_parameters"):
            floor.batches.create_quote(batch.id, offers, floor.now)
    with refused(400, "invalid_parameters"):
        quoted(floor, batch, "a", (4000, 0), (4000, 0))
    with refused(400, "invalid_parameters"):
        quoted(floor, batch, "b", (4000, 0), (4050, 0))
    assert not floor.desk.quotes


def test_a_quoter_sees_its_own_answers_only() -> None:
    floor = Floor()
    batch = asked(floor)
    first = quoted(floor, batch, "b", (4000, 5000), (3000, 6000))
    second = quoted(floor, batch, "c", (3900, 5100), (3200, 6100))
    assert floor.batches.quotes("a", batch.id) == [first, second]
    assert floor.batches.quotes("c", batch.id) == [second]
    with refused(404, "not_found"):
        floor.batches.delete_quote("c", batch.id, first.id, floor.now)
    with refused(400, "invalid_parameters"):
        floor.batches.delete_quote("a", batch.id, first.id, floor.now)
    floor.batches.delete_quote("b", batch.id, first.id, floor.now)
    assert first.status == "cancelled"
    best = floor.batches.best_quotes(batch)
    assert [yes and yes.offer.user_id for _, yes, _ in best] == ["c", "c"]


def test_a_quoter_that_does_not_confirm_fails_its_part() -> None:
    floor = Floor()
    batch = asked(floor)
    first = quoted(floor, batch, "b", (4000, 5000), (3000, 6000))
    second = quoted(floor, batch, "c", (3900, 5100), (3200, 6100))
    floor.batches.accept("a", batch.id, "yes", limits(batch), floor.now)
    floor.batches.confirm("b", batch.id, first.id, floor.now)
    floor.pass_time(30 * SECOND)
    assert (batch.status, batch.reason) == ("closed", "partially_executed")
    assert (first.status, second.status) == ("executed", "cancelled")
    with refused(400, "invalid_parameters"):
        floor.batches.confirm("c", batch.id, second.id, floor.now)


def test_nobody_confirms() -> None:
    floor = Floor()
    batch = asked(floor)
    answer = quoted(floor, batch, "b", (4000, 5000), (3000, 6000))
    floor.batches.accept("a", batch.id, "no", limits(batch), floor.now)
    floor.pass_time(30 * SECOND)
    assert (batch.status, batch.reason) == ("closed", "confirmation_window_expired")
    assert answer.status == "cancelled"
    assert all(floor.desk.rfqs[rfq_id].status == "closed" for rfq_id in batch.rfq_ids)


def test_a_quoter_that_can_pay_one_of_two_executes_partially() -> None:
    floor = Floor(dollars=12)
    batch = asked(floor)
    answer = quoted(floor, batch, "b", (9000, 0), (9000, 0))
    floor.batches.accept("a", batch.id, "yes", limits(batch), floor.now)
    floor.batches.confirm("b", batch.id, answer.id, floor.now)
    assert (answer.status, batch.reason) == ("partially_executed", "partially_executed")
    assert free(floor.engine, "b") == 3 * DOLLAR
    poor = Floor(dollars=5)
    batch = asked(poor)
    answer = quoted(poor, batch, "b", (9000, 0), (9000, 0))
    poor.batches.accept("a", batch.id, "yes", limits(batch), poor.now)
    with refused(400, "insufficient_balance"):
        poor.batches.confirm("b", batch.id, answer.id, poor.now)
    assert (answer.status, batch.reason) == ("cancelled", "insufficient_balance")


def test_a_new_answer_replaces_the_one_before() -> None:
    floor = Floor()
    batch = asked(floor)
    first = quoted(floor, batch, "b", (4000, 5000), (3000, 6000))
    version = batch.version
    second = quoted(floor, batch, "b", (4100, 5000), (3000, 6000))
    assert (first.status, second.status, batch.version) == ("cancelled", "open", version + 1)
    floor.batches.accept("a", batch.id, "yes", limits(batch), floor.now)
    assert (first.status, second.status) == ("cancelled", "accepted")


@pytest.mark.parametrize("end", ["deleted", "expired", "market_closed"])
def test_how_an_open_batch_ends(end: str) -> None:
    floor = Floor()
    batch = asked(floor)
    answer = quoted(floor, batch, "b", (4000, 5000), (3000, 6000))
    if end == "deleted":
        with refused(404, "not_found"):
            floor.batches.delete("b", batch.id, floor.now)
        floor.batches.delete("a", batch.id, floor.now)
        with refused(400, "RFQ_CLOSED"):
            floor.batches.delete("a", batch.id, floor.now)
    elif end == "expired":
        floor.pass_time(24 * HOUR)
    else:
        floor.batches.market_closed("N", floor.now)
    assert (batch.status, batch.reason, answer.status) == ("closed", end, "cancelled")
    assert floor.told()[-1] == ("rfq_batch_deleted", None)
    with refused(409, "conflict"):
        quoted(floor, batch, "b", (4000, 5000), (3000, 6000))


def test_a_confirmed_batch_cannot_be_withdrawn() -> None:
    floor = Floor(Timing(execute=15 * SECOND))
    batch = asked(floor)
    answer = quoted(floor, batch, "b", (4000, 5000), (3000, 6000))
    floor.batches.accept("a", batch.id, "yes", limits(batch), floor.now)
    floor.batches.confirm("b", batch.id, answer.id, floor.now)
    assert answer.status == "confirmed"
    with refused(400, "invalid_parameters"):
        floor.batches.delete("a", batch.id, floor.now)
    with refused(400, "invalid_parameters"):
        floor.batches.delete_quote("b", batch.id, answer.id, floor.now)
    floor.pass_time(15 * SECOND)
    assert (batch.reason, answer.status) == ("executed", "executed")


def test_what_the_channel_hears() -> None:
    floor = Floor()
    batch = asked(floor, "M", "K")
    (created,) = floor.desk.drain()
    assert (created.kind, created.users) == ("rfq_batch_created", None)
    rfqs = created.msg["rfqs"]
    assert isinstance(rfqs, list)
    assert [rfq["leg_indices"] for rfq in rfqs] == [[], [0, 1]]
    answer = quoted(floor, batch, "b", (4000, 0), (3000, 6000))
    kinds = [kind for kind, _ in floor.told()]
    assert kinds == ["batch_quote_created", "batch_quote_created", "rfq_batch_best_quotes"]
    floor.batches.accept("a", batch.id, "yes", limits(batch), floor.now)
    assert [kind for kind, _ in floor.told()] == ["batch_quote_accepted"] * 2
    floor.batches.confirm("b", batch.id, answer.id, floor.now)
    kinds = [kind for kind, _ in floor.told()]
    assert kinds == ["quote_executed"] * 4 + ["batch_quote_executed", "rfq_batch_executed"]


def test_best_quotes_are_told_to_the_requester() -> None:
    floor = Floor()
    batch = asked(floor)
    floor.desk.drain()
    quoted(floor, batch, "b", (4000, 0), (3000, 6000))
    best = floor.desk.drain()[-1]
    assert (best.kind, best.users) == ("rfq_batch_best_quotes", frozenset("a"))
    assert (best.msg["version"], best.msg["yes_complete"], best.msg["no_complete"]) == (
        1,
        True,
        False,
    )


def test_a_restart_goes_on_where_the_batch_was() -> None:
    floor = Floor()
    batch = asked(floor, client_batch_id="mine")
    answer = quoted(floor, batch, "b", (4000, 5000), (3000, 6000))
    floor.batches.accept("a", batch.id, "yes", limits(batch), floor.now)
    floor.reopen()
    assert floor.batches.batches[batch.id] == batch
    floor.batches.confirm("b", batch.id, answer.id, floor.now)
    assert floor.batches.batches[batch.id].reason == "executed"
    with refused(409, "conflict"):
        asked(floor, client_batch_id="mine")


def test_ended_records_do_not_pile_up() -> None:
    floor = Floor()
    batch = asked(floor)
    for _ in range(150):
        quoted(floor, batch, "b", (4000, 5000), (3000, 6000))
    assert (len(floor.batches.batch_quotes), len(floor.desk.quotes)) == (100, 200)
    for _ in range(520):
        batch = asked(floor, replace=True)
    assert len(floor.batches.batches) == 501
    assert len(floor.desk.rfqs) == 2 * 501
    assert batch.status == "open"


def test_an_answer_that_is_refused_leaves_the_one_before() -> None:
    floor = Floor()
    asks = [
        Ask(user_id="a", ticker="M", contracts=10 * CONTRACT),
        Ask(user_id="a", ticker="N", target=9_000),
    ]
    batch = floor.batches.create(asks, floor.now)
    first = quoted(floor, batch, "b", (4000, 5000), (9900, 0))
    with refused(400, "invalid_parameters"):
        quoted(floor, batch, "b", (4000, 5000), (100, 0))
    assert first.status == "open"
    assert all(floor.desk.quotes[one].status == "open" for one in first.quote_ids)


def test_a_batch_that_finds_no_room_ends_nothing() -> None:
    floor = Floor()
    for number in range(98):
        floor.ask("a", subaccount=number + 1)
    batch = asked(floor)
    with refused(400, "invalid_parameters"):
        asked(floor, "M", "N", "K", replace=True)
    assert (batch.status, len(floor.desk.open_of("a"))) == ("open", 100)
    again = asked(floor, "N", "M", replace=True)
    assert (batch.status, again.status, len(floor.desk.open_of("a"))) == ("closed", "open", 100)
