"""Orders placed in one request: what becomes of each."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import anyio
import msgspec
import pytest

from kalshi_async import (
    ConnectionFailedError,
    ConnectionLostError,
    FillOrKillError,
    InsufficientBalanceError,
    KalshiClient,
    OrderExistsError,
    OrderStatusUnknown,
    PostOnlyCrossError,
    RateLimitError,
    Request,
    Response,
)
from kalshi_async.models.orders import PlacedOrder
from kalshi_async.orders import Certainty, OrderRequest
from kalshi_async.orders._desk import Result
from kalshi_async.orders._request import WireOrder, wire_order
from tests.orders.venue import (
    EXISTS,
    POOR,
    TICKER,
    Fields,
    Venue,
    accepted,
    failing,
    listing,
    receipt,
    row,
    sent_order,
)
from tests.pipeline.helpers import Stepped, both_backends
from tests.support import Answer, answer, in_virtual_time

LOST = failing(lambda: ConnectionLostError("reset"))
BAD = answer({"code": "bad_request", "message": "orders[1] is wrong"}, 400)
SHORT = Certainty(lag=0.5, grace=1.0, patience=10.0)


def orders(*names: str, **terms: Any) -> list[WireOrder]:
    made = []
    for name in names:
        request = OrderRequest(
            TICKER, book_side="bid", count=1, price="0.62", client_order_id=name, **terms
        )
        assert request.limit is not None
        made.append(wire_order(request, request.limit))
    return made


def items_of(request: Request) -> list[Fields]:
    assert request.body is not None
    items: list[Fields] = msgspec.json.decode(request.body)["orders"]
    return items


def told(**errors: Any) -> Answer:
    """An answer that has these errors, by name, and receipts for all others."""

    def step(request: Request) -> Response:
        rows = []
        for item in items_of(request):
            name = item["client_order_id"]
            refusal = {"client_order_id": name, "error": errors.get(name)}
            rows.append(refusal if name in errors else receipt(item))
        return answer({"orders": rows}, 201)

    return step


def listed(venue: Venue, *names: str, **changes: Any) -> Answer:
    """A page with those of the first batch."""

    def step(_: Request) -> Response:
        batch = items_of(venue.placing.requests[0])
        return listing(
            *(row(item, **changes) for item in batch if item["client_order_id"] in names)
        )

    return step


async def place_batch(kalshi: KalshiClient, batch: Sequence[WireOrder]) -> dict[str, Result]:
    results: dict[str, Result] = {}
    await kalshi.orders._placement.place_batch(batch, {}, results)
    return results


def kinds(results: dict[str, Result]) -> dict[str, object]:
    """What became of each; "found" for what was placed and looked up."""
    return {
        name: ("found" if result.recovered else "placed")
        if isinstance(result, PlacedOrder)
        else type(result)
        for name, result in results.items()
    }


def test_all_of_them_in_one_request() -> None:
    async def main() -> None:
        venue = Venue(told())
        batch = orders("A", "B", "C")
        async with venue.client() as kalshi:
            results = await place_batch(kalshi, batch)
        assert kinds(results) == dict.fromkeys("ABC", "placed")
        assert [item["client_order_id"] for item in items_of(venue.placing.requests[0])] == [*"ABC"]
        assert items_of(venue.placing.requests[0]) == msgspec.to_builtins(batch)
        assert {each.ticker for each in results.values() if isinstance(each, PlacedOrder)} == {
            TICKER
        }

    in_virtual_time(main)


def test_refused_items_come_back_as_themselves() -> None:
    async def main() -> None:
        cross = {"code": "invalid_order", "message": "invalid", "details": "post only cross"}
        killed = {"code": "fill_or_kill_insufficient_resting_volume", "message": "killed"}
        venue = Venue(told(B=POOR["error"], C=cross, D=killed))
        async with venue.client() as kalshi:
            results = await place_batch(kalshi, orders(*"ABCD"))
        assert kinds(results) == {
            "A": "placed",
            "B": InsufficientBalanceError,
            "C": PostOnlyCrossError,
            "D": FillOrKillError,
        }
        refused = results["B"]
        assert isinstance(refused, InsufficientBalanceError)
        assert not refused.outcome_unknown
        assert refused.operation == "BatchCreateOrdersV2"
        assert venue.looks.requests == []

    in_virtual_time(main)


def test_answers_without_names_go_by_their_place() -> None:
    async def main() -> None:
        def nameless(request: Request) -> Response:
            rows: list[Fields] = [receipt(item) for item in items_of(request)]
            for each in rows:
                del each["client_order_id"]
            rows[1] = {"error": POOR["error"]}
            return answer({"orders": rows}, 201)

        venue = Venue(nameless)
        async with venue.client() as kalshi:
            results = await place_batch(kalshi, orders("A", "B", "C"))
        assert kinds(results) == {"A": "placed", "B": InsufficientBalanceError, "C": "placed"}
        assert isinstance(results["C"], PlacedOrder)
        assert results["C"].order_id == "id-of-C"

    in_virtual_time(main)


def test_answers_in_another_order_go_by_their_names() -> None:
    async def main() -> None:
        def reversed_rows(request: Request) -> Response:
            rows = [receipt(item) for item in reversed(items_of(request))]
            return answer({"orders": rows}, 201)

        async with Venue(reversed_rows).client() as kalshi:
            results = await place_batch(kalshi, orders("A", "B", "C"))
        for name, result in results.items():
            assert isinstance(result, PlacedOrder)
            assert result.order_id == f"id-of-{name}"

    in_virtual_time(main)


@pytest.mark.parametrize("shown", [("B", "C"), ("B",), ()])
def test_an_item_that_the_answer_leaves_out_is_looked_for(shown: tuple[str, ...]) -> None:
    async def main() -> None:
        def partly(request: Request) -> Response:
            return answer({"orders": [receipt(items_of(request)[0]), {}]}, 201)

        venue = Venue(partly)
        venue.looks.script = [listed(venue, *shown)]
        async with venue.client() as kalshi:
            results = await place_batch(kalshi, orders("A", "B", "C"))
        left = {name: "found" if name in shown else OrderStatusUnknown for name in ("B", "C")}
        assert kinds(results) == {"A": "placed"} | left

    in_virtual_time(main)


def test_a_lost_answer_is_followed_by_the_same_batch() -> None:
    async def main() -> None:
        exists = EXISTS["error"]
        venue = Venue(LOST, told(A=exists, B=exists))
        venue.looks.script = [listed(venue, "A"), listed(venue, "A", "B")]
        async with venue.client() as kalshi:
            results = await place_batch(kalshi, orders("A", "B", "C"))
        assert kinds(results) == {"A": "found", "B": "found", "C": "placed"}
        first, second = venue.placing.requests
        assert first.body == second.body
        # One look for both, one more for the one that it did not show.
        assert len(venue.looks.requests) == 2

    in_virtual_time(main)


@pytest.mark.parametrize("unreadable", [b"", b"{", b'{"orders":7}'])
def test_an_answer_that_cannot_be_read(unreadable: bytes) -> None:
    async def main() -> None:
        venue = Venue(answer(unreadable, 201))
        venue.looks.script = [listed(venue, "A")]
        async with venue.client() as kalshi:
            results = await place_batch(kalshi, orders("A", "B"))
            assert kinds(results) == {"A": "found", "B": OrderStatusUnknown}
            unknown = results["B"]
            assert isinstance(unknown, OrderStatusUnknown)
            assert unknown.client_order_id == "B"
            assert await unknown.resolve() is None
        assert len(venue.placing.requests) == 1

    in_virtual_time(main)


def test_a_batch_that_stays_in_doubt_is_judged_item_by_item() -> None:
    async def main() -> None:
        venue = Venue(answer(status=503))
        venue.looks.script = [listed(venue, "B")]
        async with venue.client(certainty=SHORT) as kalshi:
            results = await place_batch(kalshi, orders("A", "B"))
        assert kinds(results)["B"] == "found"
        error = results["A"]
        assert not isinstance(error, PlacedOrder | OrderStatusUnknown)
        assert not error.outcome_unknown  # absence was proved within its patience

    in_virtual_time(main)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (failing(lambda: ConnectionFailedError("refused")), ConnectionFailedError),
        (answer(status=429), RateLimitError),
    ],
)
def test_a_batch_that_was_never_taken_is_certainly_not_placed(
    failure: Answer, kind: type[Exception]
) -> None:
    async def main() -> None:
        venue = Venue(failure)
        async with venue.client() as kalshi:
            results = await place_batch(kalshi, orders("A", "B"))
        assert kinds(results) == {"A": kind, "B": kind}
        assert venue.looks.requests == []

    in_virtual_time(main)


def test_a_batch_that_is_refused_whole_goes_out_one_by_one() -> None:
    async def main() -> None:
        def singly(request: Request) -> Response:
            name = sent_order(request)["client_order_id"]
            return answer(POOR, 400) if name == "B" else accepted(request)

        venue = Venue(BAD, singly)
        async with venue.client() as kalshi:
            results = await place_batch(kalshi, orders("A", "B", "C"))
        assert kinds(results) == {"A": "placed", "B": InsufficientBalanceError, "C": "placed"}
        paths = [each.path.rpartition("/")[2] for each in venue.placing.requests]
        assert paths == ["batched", "orders", "orders", "orders"]

    in_virtual_time(main)


def test_a_refusal_after_a_lost_answer_is_no_reason_to_place_again() -> None:
    async def main() -> None:
        venue = Venue(LOST, BAD)
        venue.looks.script = [listed(venue, "A")]
        async with venue.client() as kalshi:
            results = await place_batch(kalshi, orders("A", "B"))
        assert kinds(results) == {"A": "found", "B": OrderStatusUnknown}
        assert len(venue.placing.requests) == 2

    in_virtual_time(main)


def test_an_item_whose_id_another_order_has() -> None:
    async def main() -> None:
        venue = Venue(told(A=EXISTS["error"]))
        venue.looks.script = [listed(venue, "A", yes_price_dollars="0.1")]
        async with venue.client() as kalshi:
            results = await place_batch(kalshi, orders("A", "B"))
        error = results["A"]
        assert isinstance(error, OrderExistsError)
        assert error.existing is not None
        assert kinds(results)["B"] == "placed"

    in_virtual_time(main)


@both_backends
def test_cancelled_at_every_await(backend: str) -> None:
    """What was sent is placed, refused or unknown; what was not sent has no result."""

    async def main() -> set[object]:
        seen: set[object] = set()
        for step in range(1, 100):
            venue = Venue(LOST, told(A=POOR["error"], B=EXISTS["error"]))
            venue.looks.script = [listed(venue), listed(venue, "A", "B")]
            results: dict[str, Result] = {}
            async with venue.client() as kalshi:
                with anyio.CancelScope() as scope, contextlib.suppress(Exception):
                    batch = kalshi.orders._placement.place_batch(orders(*"ABC"), {}, results)
                    await Stepped(batch, step, scope.cancel)
                assert "0 active, 0 queued" in repr(kalshi)
                assert kalshi._desk.placing == set()
            sent = len(venue.placing.requests)
            assert results.keys() == (set("ABC") if sent else set())
            if sent == 1:  # lost, or still under way
                assert set(kinds(results).values()) == {OrderStatusUnknown}
            seen |= set(kinds(results).values())
            if not scope.cancel_called:
                assert kinds(results) == {"A": "found", "B": "found", "C": "placed"}
                return seen
        raise AssertionError("it never got through")

    assert anyio.run(main, backend=backend) == {"placed", "found", OrderStatusUnknown}
