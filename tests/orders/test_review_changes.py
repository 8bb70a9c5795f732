"""Changes that were, or were not, what their answers seem to say."""

from __future__ import annotations

from typing import Any

import pytest

from kalshi_async import InvalidRequestError, KalshiError, NotFoundError, Request, Response
from kalshi_async.orders import Certainty
from tests.orders.venue import NAME, TICKER, Venue, accepted, row
from tests.support import answer, in_virtual_time

SHORT = Certainty(lag=0.5, grace=20.0, patience=4.0)
GONE = answer({"error": {"code": "not_found", "message": "not found"}}, 404)


@pytest.mark.parametrize("size", ["", False, 0.0])
def test_nothing_is_no_size(size: Any) -> None:
    async def main() -> None:
        venue = Venue(accepted)
        async with venue.client() as kalshi:
            with pytest.raises(InvalidRequestError, match="reduce_to"):
                await kalshi.orders.decrease("id", reduce_to=size)
        assert venue.placing.requests == []

    in_virtual_time(main)


SHOWN: dict[str, Any] = {
    "client_order_id": NAME,
    "ticker": TICKER,
    "side": "bid",
    "count": "10.00",
    "price": "0.6200",
}


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("change", ["cancel", "amend", "decrease", "decrease by"])
def test_a_change_whose_answer_cannot_be_read_may_have_been_made(change: str, shown: bool) -> None:
    async def main() -> None:
        garbled = answer(b"{", 200)

        def looks(request: Request) -> Response:
            if request.method == "DELETE":
                return garbled
            fields = {"status": "canceled"} if change == "cancel" else {}
            fields = fields if shown else {"remaining_count_fp": "11.00"}
            return answer({"order": row(SHOWN, **fields)})

        venue = Venue(garbled, looks=(looks,))
        async with venue.client(certainty=SHORT, retry=None) as kalshi:
            orders = kalshi.orders
            calls: dict[str, Any] = {
                "cancel": lambda: orders.cancel("id", market_ticker=TICKER),
                "amend": lambda: orders.amend(
                    "id", count=10, price="0.62", ticker=TICKER, book_side="bid"
                ),
                "decrease": lambda: orders.decrease("id", reduce_to=10),
                "decrease by": lambda: orders.decrease("id", reduce_by=1),
            }
            if shown and change != "decrease by":
                assert (await calls[change]()).recovered
                return
            with pytest.raises(KalshiError) as caught:
                await calls[change]()
            assert caught.value.outcome_unknown

    in_virtual_time(main)


@pytest.mark.parametrize("wrong", [{}, {"market_ticker": TICKER}, {"subaccount": 0}])
def test_an_order_that_is_not_where_the_caller_says_may_rest(wrong: dict[str, Any]) -> None:
    """It is in another subaccount; a guard must not forget it."""

    async def main() -> None:
        venue = Venue(accepted, looks=(GONE,))
        async with venue.client() as kalshi, kalshi.orders.guard() as guard:
            placed = await guard.create(
                TICKER, book_side="bid", count=1, price="0.62", subaccount=3
            )
            with pytest.raises(NotFoundError):
                await guard.cancel(placed.order_id, **wrong)
            assert [each.order_id for each in guard.open] == [placed.order_id]
            with pytest.raises(NotFoundError):
                await guard.cancel(placed)  # the exchange itself told where it is
            assert guard.open == []

    in_virtual_time(main)
