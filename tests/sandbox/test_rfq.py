"""RFQs and quotes without a network: sizes, the two-step lock, time, and who may do what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox._fees import taker_fee
from kalshi_async.sandbox._rfq.book import MOST_OPEN
from kalshi_async.sandbox._rfq.desk import affordable
from kalshi_async.sandbox._rfq.records import Timing
from kalshi_async.sandbox._text import HOUR
from kalshi_async.sandbox._units import CONTRACT, DOLLAR, ONE

from .engines import free, market
from .rfq_desks import SECOND, Floor, refused

TOGETHER = [("quote_accepted", frozenset("b")), ("quote_accepted", frozenset("a"))]


@given(
    target=st.integers(1, 1_000 * DOLLAR),
    price=st.integers(1, ONE - 1),
    thousandths=st.sampled_from((0, 500, 1000, 2000)),
)
def test_a_target_cost_buys_as_much_as_it_pays_for(
    target: int, price: int, thousandths: int
) -> None:
    state = market(fee_thousandths=thousandths)

    def cost(count: int) -> int:
        exact = count * (ONE - price) + taker_fee(thousandths, count, price)
        return -(-exact // 100) * 100

    count = affordable(target, state, price, fees=True)
    assert count == 0 or cost(count) <= target
    assert cost(count + 1) > target
    alone = affordable(target, state, price, fees=False)
    assert alone * (ONE - price) <= target < (alone + 1) * (ONE - price)
    assert count <= alone


@pytest.mark.parametrize(
    ("side", "price", "holding"), [("yes", 4000, -10 * CONTRACT), ("no", 4500, 10 * CONTRACT)]
)
def test_accept_and_confirm_trade_at_the_quoted_bid(side: str, price: int, holding: int) -> None:
    floor = Floor()
    rfq = floor.ask("a")
    quote = floor.quote(rfq, "b", yes=4000, no=5500)
    floor.desk.accept("a", quote.id, side, floor.now)
    assert (quote.status, rfq.status) == ("accepted", "open")
    floor.desk.confirm("b", quote.id, floor.now)
    assert (quote.status, rfq.status) == ("executed", "closed")
    taker = floor.engine.traders["a"].orders[quote.taker_order_id]
    maker = floor.engine.traders["b"].orders[quote.maker_order_id]
    assert (taker.status, taker.price, taker.filled) == ("executed", price, 10 * CONTRACT)
    assert (maker.status, maker.price, maker.bid) == ("executed", price, side == "yes")
    assert floor.engine.traders["a"].positions[0, "M"].count == holding
    assert floor.engine.traders["b"].positions[0, "M"].count == -holding
    pays = ONE - price if side == "yes" else price
    fee = -(-taker_fee(1000, 10 * CONTRACT, price) // 100) * 100
    assert free(floor.engine, "a") == 1_000 * DOLLAR - 10 * CONTRACT * pays - fee
    assert free(floor.engine, "b") == 1_000 * DOLLAR - 10 * CONTRACT * (ONE - pays)


def test_a_target_cost_is_what_the_requester_pays() -> None:
    floor = Floor()
    rfq = floor.ask("a", target=100 * DOLLAR)
    quote = floor.quote(rfq, "b", yes=4000, no=0)
    assert quote.no_count == 0
    floor.desk.accept("a", quote.id, "yes", floor.now)
    floor.desk.confirm("b", quote.id, floor.now)
    spent = 1_000 * DOLLAR - free(floor.engine, "a")
    # One more hundredth of a contract costs 0.6 cents and its fee.
    assert 100 * DOLLAR - 6_200 < spent <= 100 * DOLLAR


def test_a_target_cost_without_fees_leaves_the_fees_to_the_requester() -> None:
    floor = Floor()
    rfq = floor.ask("a", target=60 * DOLLAR, excludes_fees=True)
    quote = floor.quote(rfq, "b", yes=4000, no=5000)
    assert (quote.yes_count, quote.no_count) == (100 * CONTRACT, 120 * CONTRACT)


def test_who_may_accept_and_confirm() -> None:
    floor = Floor()
    rfq = floor.ask("a")
    quote = floor.quote(rfq, "b")
    with refused(400, "invalid_parameters"):
        floor.desk.accept("b", quote.id, "yes", floor.now)
    with refused(404, "not_found"):
        floor.desk.accept("c", quote.id, "yes", floor.now)
    with refused(400, "invalid_parameters"):
        floor.desk.confirm("b", quote.id, floor.now)
    floor.desk.accept("a", quote.id, "yes", floor.now)
    with refused(400, "invalid_parameters"):
        floor.desk.confirm("a", quote.id, floor.now)
    with refused(404, "not_found"):
        floor.desk.confirm("c", quote.id, floor.now)
    with refused(404, "not_found"):
        floor.desk.confirm("b", quote.id, floor.now, rfq_id="another")
    floor.desk.confirm("b", quote.id, floor.now)
    with refused(400, "invalid_parameters"):
        floor.desk.confirm("b", quote.id, floor.now)
    assert len(floor.engine.traders["a"].fills) == 1


def test_one_accepted_quote_at_a_time() -> None:
    floor = Floor()
    rfq = floor.ask("a")
    first, second = floor.quote(rfq, "b"), floor.quote(rfq, "c")
    floor.desk.accept("a", first.id, "yes", floor.now)
    for quote in (first, second):
        with refused(400, "invalid_parameters"):
            floor.desk.accept("a", quote.id, "no", floor.now)
    floor.desk.confirm("b", first.id, floor.now)
    assert (second.status, second.reason) == ("cancelled", "rfq_closed")
    with refused(400, "RFQ_CLOSED"):
        floor.desk.accept("a", second.id, "yes", floor.now)
    with refused(400, "RFQ_CLOSED"):
        floor.quote(rfq, "c")


@pytest.mark.parametrize(
    ("yes", "no"), [(0, 0), (4050, 5000), (5000, 4050), (6000, 5000), (ONE, 0)]
)
def test_prices_a_market_does_not_take(yes: int, no: int) -> None:
    floor = Floor()
    rfq = floor.ask("a")
    with refused(400, "invalid_parameters"):
        floor.quote(rfq, "b", yes=yes, no=no)
    assert floor.desk.quotes == {}


def test_a_declined_side_cannot_be_accepted() -> None:
    floor = Floor()
    quote = floor.quote(floor.ask("a"), "b", yes=0, no=5500)
    with refused(400, "invalid_parameters"):
        floor.desk.accept("a", quote.id, "yes", floor.now)
    floor.desk.accept("a", quote.id, "no", floor.now)


def test_a_new_quote_replaces_the_one_before() -> None:
    floor = Floor()
    rfq = floor.ask("a")
    first = floor.quote(rfq, "b", yes=4000)
    second = floor.quote(rfq, "b", yes=4100)
    assert (first.status, first.reason, second.status) == ("cancelled", "replaced", "open")
    floor.desk.accept("a", second.id, "yes", floor.now)
    with refused(400, "invalid_parameters"):
        floor.quote(rfq, "b", yes=4200)
    with refused(400, "invalid_parameters"):
        floor.quote(rfq, "a")


def test_one_open_rfq_a_market_unless_replaced() -> None:
    floor = Floor()
    first = floor.ask("a")
    with refused(409, "conflict"):
        floor.ask("a")
    floor.ask("b")
    second = floor.ask("a", replace=True)
    assert (first.status, first.reason, second.status) == ("closed", "replaced", "open")
    floor.desk.delete_rfq("a", second.id, floor.now)
    floor.ask("a")


@pytest.mark.parametrize("size", [{"contracts": 0}, {"contracts": -5}, {"target": -1}])
def test_an_rfq_has_one_positive_size(size: dict[str, int]) -> None:
    floor = Floor()
    with refused(400, "invalid_parameters"):
        floor.ask("a", **size)


def test_markets_that_do_not_trade() -> None:
    floor = Floor()
    with refused(400, "invalid_parameters"):
        floor.ask("a", "UNKNOWN")
    rfq = floor.ask("a")
    quote = floor.quote(rfq)
    floor.engine.pause_market("M", floor.now)
    with refused(400, "MARKET_NOT_ACTIVE"):
        floor.desk.accept("a", quote.id, "yes", floor.now)
    with refused(400, "MARKET_NOT_ACTIVE"):
        floor.quote(rfq, "c")
    floor.desk.market_closed("M", floor.now)
    assert (rfq.status, rfq.reason, quote.status) == ("closed", "market_closed", "cancelled")


def test_most_open_rfqs() -> None:
    floor = Floor()
    for number in range(MOST_OPEN):
        floor.ask("a", subaccount=number)
    with refused(400, "invalid_parameters"):
        floor.ask("a", "N")
    floor.ask("b")


def test_deleting_ends_an_rfq_with_its_quotes() -> None:
    floor = Floor()
    rfq = floor.ask("a")
    quote = floor.quote(rfq)
    with refused(404, "not_found"):
        floor.desk.delete_rfq("b", rfq.id, floor.now)
    floor.desk.delete_rfq("a", rfq.id, floor.now)
    assert (rfq.status, quote.status) == ("closed", "cancelled")
    with refused(400, "RFQ_CLOSED"):
        floor.desk.delete_rfq("a", rfq.id, floor.now)
    with refused(404, "not_found"):
        floor.desk.delete_rfq("a", "unknown", floor.now)


def test_a_quote_can_be_withdrawn_until_it_is_confirmed() -> None:
    floor = Floor(Timing(execute=15 * SECOND))
    rfq = floor.ask("a")
    quote = floor.quote(rfq)
    with refused(400, "invalid_parameters"):
        floor.desk.delete_quote("a", quote.id, floor.now)
    floor.desk.accept("a", quote.id, "yes", floor.now)
    floor.desk.delete_quote("b", quote.id, floor.now)
    assert (quote.status, quote.reason, rfq.status) == ("cancelled", "deleted", "open")
    other = floor.quote(rfq)
    floor.desk.accept("a", other.id, "yes", floor.now)
    floor.desk.confirm("b", other.id, floor.now)
    with refused(400, "invalid_parameters"):
        floor.desk.delete_quote("b", other.id, floor.now)
    with refused(400, "invalid_parameters"):
        floor.desk.delete_rfq("a", rfq.id, floor.now)


@pytest.mark.parametrize(("ticker", "window"), [("M", 30), ("K", 3)])
def test_the_window_to_confirm(ticker: str, window: int) -> None:
    floor = Floor()
    rfq = floor.ask("a", ticker)
    quote = floor.quote(rfq)
    floor.desk.accept("a", quote.id, "yes", floor.now)
    assert floor.desk.next_due() == floor.now + window * SECOND
    floor.pass_time(window * SECOND - 1)
    assert quote.status == "accepted"
    floor.pass_time(1)
    assert (quote.status, quote.reason) == ("cancelled", "confirmation_window_expired")
    with refused(400, "invalid_parameters"):
        floor.desk.confirm("b", quote.id, floor.now)
    assert rfq.status == "open"
    again = floor.quote(rfq)
    floor.desk.accept("a", again.id, "yes", floor.now)
    floor.desk.confirm("b", again.id, floor.now)
    assert rfq.status == "closed"


def test_the_execution_timer() -> None:
    floor = Floor(Timing(execute=15 * SECOND, execute_combo=SECOND))
    quotes = [floor.quote(floor.ask("a", ticker)) for ticker in ("M", "K")]
    for quote in quotes:
        floor.desk.accept("a", quote.id, "yes", floor.now)
        floor.desk.confirm("b", quote.id, floor.now)
    floor.pass_time(SECOND)
    assert [quote.status for quote in quotes] == ["confirmed", "executed"]
    floor.pass_time(14 * SECOND)
    assert [quote.status for quote in quotes] == ["executed", "executed"]
    assert quotes[0].executed == quotes[0].confirmed + 15 * SECOND


def test_an_rfq_expires() -> None:
    floor = Floor()
    rfq = floor.ask("a")
    quote = floor.quote(rfq)
    floor.pass_time(24 * HOUR)
    assert (rfq.status, rfq.reason, quote.status) == ("closed", "expired", "cancelled")


def test_a_trade_one_of_them_cannot_pay_is_refused_and_changes_nothing() -> None:
    floor = Floor(dollars=5)
    rfq = floor.ask("a")
    quote = floor.quote(rfq)
    floor.desk.accept("a", quote.id, "yes", floor.now)
    with refused(400, "insufficient_balance"):
        floor.desk.confirm("b", quote.id, floor.now)
    assert (quote.status, quote.reason) == ("cancelled", "insufficient_balance")
    assert rfq.status == "open"
    assert [free(floor.engine, user_id) for user_id in "ab"] == [5 * DOLLAR, 5 * DOLLAR]
    assert not floor.engine.traders["a"].fills


def test_what_the_channel_hears() -> None:
    floor = Floor()
    rfq = floor.ask("a")
    assert floor.told() == [("rfq_created", None)]
    quote = floor.quote(rfq)
    assert floor.told() == [("quote_created", frozenset("b")), ("quote_created", frozenset("a"))]
    floor.desk.accept("a", quote.id, "no", floor.now)
    assert floor.told() == TOGETHER
    floor.desk.confirm("b", quote.id, floor.now)
    notices = floor.desk.drain()
    assert [notice.kind for notice in notices] == [
        "quote_executed",
        "quote_executed",
        "rfq_deleted",
    ]
    assert notices[0].msg["order_id"] == quote.maker_order_id
    assert notices[1].msg["order_id"] == quote.taker_order_id
    assert notices[0].users == frozenset("b")


def test_a_restart_goes_on_where_the_desk_was() -> None:
    floor = Floor()
    accepted = floor.quote(floor.ask("a"))
    floor.desk.accept("a", accepted.id, "yes", floor.now)
    waiting = floor.ask("a", "N")
    floor.reopen()
    assert floor.desk.quotes[accepted.id] == accepted
    assert floor.desk.quotes[accepted.id] is not accepted
    floor.desk.confirm("b", accepted.id, floor.now)
    assert floor.desk.quotes[accepted.id].status == "executed"
    assert floor.quote(waiting, "b").id not in (accepted.id, waiting.id)
    floor.pass_time(24 * HOUR)
    assert floor.desk.rfqs[waiting.id].reason == "expired"


def test_ended_records_do_not_pile_up() -> None:
    floor = Floor()
    rfq = floor.ask("a")
    live = floor.quote(rfq, "c")
    for _ in range(600):
        latest = floor.quote(rfq, "b")
    assert len(floor.desk.quotes) == 500
    assert {live.id, latest.id} <= floor.desk.quotes.keys()
    for _ in range(5_100):
        rfq = floor.ask("a", replace=True)
    assert len(floor.desk.rfqs) == 5_001
    assert len(floor.kept) == len(floor.desk.rfqs) + len(floor.desk.quotes)
    assert rfq.status == "open"
