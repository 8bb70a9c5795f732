"""RFQs, quotes and batches: what is sent, and what is refused before."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kalshi_async import InvalidRequestError
from kalshi_async.models import RfqBatchChild, RfqBatchQuoteEntry, TickerPair
from kalshi_async.resources.communications import Communications

from .fake import FakeTransport

LEG = TickerPair(event_ticker="E", market_ticker="M", side="yes")
CHILDREN = [RfqBatchChild(market_ticker="A"), RfqBatchChild(market_ticker="B")]
ENTRIES = [
    RfqBatchQuoteEntry(rfq_id="x", yes_bid="0.40", no_bid="0.55"),
    RfqBatchQuoteEntry(rfq_id="y", yes_bid="0", no_bid=Decimal("0.5")),
]
ANSWER = {
    "id": "made",
    "communications_id": "me",
    "rfq_batch": {"id": "made", "rfqs": []},
    "accepted_side": "yes",
    "quotes": [],
}


def room() -> tuple[FakeTransport, Communications]:
    transport = FakeTransport.answering(ANSWER)
    return transport, Communications(transport)


async def test_an_rfq_on_the_wire():
    transport, room_ = room()
    made = await room_.rfqs.create(market_ticker="A", contracts=10, rest_remainder=False)
    assert made.id == "made"
    await room_.rfqs.create(
        market_ticker="A",
        target_cost="12.345678",
        target_cost_excludes_fees=False,
        obscure_creator_id=True,
        replace_existing=True,
        rest_remainder=True,
        subtrader_id="t",
    )
    assert [call.body for call in transport.calls] == [
        {"market_ticker": "A", "contracts_fp": "10.00", "rest_remainder": False},
        {
            "market_ticker": "A",
            "target_cost_dollars": "12.345678",
            "target_cost_excludes_fees": False,
            "obscure_creator_id": True,
            "replace_existing": True,
            "rest_remainder": True,
            "subtrader_id": "t",
        },
    ]


async def test_a_quote_and_its_two_steps_on_the_wire():
    transport, room_ = room()
    quotes = room_.quotes
    await quotes.create(
        rfq_id="x", yes_bid="0.4", no_bid="0", rest_remainder=True, post_only=False, subaccount=3
    )
    await quotes.accept("r/1", "q", accepted_side="no")
    await quotes.confirm("r", "q")
    await quotes.delete("r", "q")
    made, *steps = transport.calls
    assert made.body == {
        "rfq_id": "x",
        "yes_bid": "0.4000",
        "no_bid": "0.0000",
        "rest_remainder": True,
        "post_only": False,
        "subaccount": 3,
    }
    assert [(call.operation.name, call.path, call.body) for call in steps] == [
        (
            "AcceptRFQQuote",
            "/communications/rfqs/r%2F1/quotes/q/accept",
            {"accepted_side": "no"},
        ),
        ("ConfirmRFQQuote", "/communications/rfqs/r/quotes/q/confirm", {}),
        ("DeleteRFQQuote", "/communications/rfqs/r/quotes/q", None),
    ]


async def test_a_batch_on_the_wire():
    transport, room_ = room()
    await room_.batches.create(
        children=[
            RfqBatchChild(market_ticker="A", target_cost=5),
            RfqBatchChild(selected_markets=[LEG]),
        ],
        mve_collection_ticker="KXMVE",
        contracts="2.5",
        client_batch_id="c" * 64,
        subaccount=0,
    )
    await room_.batches.quote("b", quotes=ENTRIES, rest_remainder=False, post_only=True)
    await room_.batches.accept(
        "b", accepted_side="yes", min_bids={"x": "0.40", "y": Decimal("0.123")}, client_order_id="o"
    )
    created, quoted, accepted = transport.calls
    leg = {"event_ticker": "E", "market_ticker": "M", "side": "yes"}
    assert created.body == {
        "children": [
            {"market_ticker": "A", "target_cost_dollars": "5.00"},
            {"selected_markets": [leg]},
        ],
        "mve_collection_ticker": "KXMVE",
        "contracts_fp": "2.50",
        "client_batch_id": "c" * 64,
        "subaccount": 0,
    }
    assert quoted.body == {
        "quotes": [
            {"rfq_id": "x", "yes_bid": "0.4000", "no_bid": "0.5500"},
            {"rfq_id": "y", "yes_bid": "0.0000", "no_bid": "0.5000"},
        ],
        "rest_remainder": False,
        "post_only": True,
    }
    assert accepted.body == {
        "accepted_side": "yes",
        "min_bids": [
            {"rfq_id": "x", "bid_dollars": "0.4000"},
            {"rfq_id": "y", "bid_dollars": "0.1230"},
        ],
        "client_order_id": "o",
    }


async def test_filters_on_the_wire():
    transport = FakeTransport.answering({"quotes": []})
    room_ = Communications(transport)
    await room_.quotes.list(
        min_ts=datetime(1970, 1, 1, 0, 1, tzinfo=UTC),
        max_ts=61,
        limit=500,
        status="open",
        user_filter="self",
        rfq_user_filter="self",
        rfq_creator_subtrader_id="t",
        rfq_id="r",
    )
    assert transport.calls[0].query == (
        "min_ts=60&max_ts=61&limit=500&status=open&user_filter=self&rfq_user_filter=self"
        "&rfq_creator_subtrader_id=t&rfq_id=r"
    )


async def test_the_id_of_the_account():
    _, room_ = room()
    assert await room_.id() == "me"


RFQ = {"market_ticker": "A", "rest_remainder": False, "contracts": 1}


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"contracts": None}, "neither contracts nor target_cost"),
        ({"target_cost": "5"}, "contracts and target_cost are both given"),
        ({"contracts": 0}, "contracts is 0"),
        ({"contracts": 1.5}, "contracts is 1.5, a float; pass text: '1.5'"),
        ({"contracts": "1.001"}, "multiple of 0.01"),
        ({"contracts": None, "target_cost": "-1"}, "target_cost is -1"),
        ({"contracts": None, "target_cost": 2.5}, "target_cost is 2.5, a float"),
        ({"market_ticker": ""}, "market_ticker"),
        ({"rest_remainder": None}, "rest_remainder is None"),
        ({"rest_remainder": "false"}, "rest_remainder is 'false'"),
        ({"replace_existing": 1}, "replace_existing is 1"),
        ({"obscure_creator_id": "no"}, "obscure_creator_id"),
        ({"target_cost_excludes_fees": "no"}, "target_cost_excludes_fees"),
        ({"subaccount": -1}, "subaccount is -1"),
        ({"subtrader_id": ""}, "subtrader_id"),
        ({"subtrader_id": "t", "subaccount": 0}, "subtrader_id and subaccount both name"),
    ],
)
async def test_rfqs_that_are_not_sent(wrong, problem):
    transport, room_ = room()
    with pytest.raises(InvalidRequestError, match=problem):
        await room_.rfqs.create(**RFQ | wrong)
    assert transport.calls == []


QUOTE = {"rfq_id": "x", "yes_bid": "0.40", "no_bid": "0.55", "rest_remainder": False}


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"rfq_id": " "}, "rfq_id"),
        ({"yes_bid": 0.4}, "a float is not exact: pass dollars as text"),
        ({"yes_bid": 40}, "dollars or cents"),
        ({"no_bid": "55"}, 'for 55 cents pass "0.55"'),
        ({"no_bid": "1"}, "no_bid is 1"),
        ({"no_bid": "-0.1"}, "no_bid is -0.1"),
        ({"yes_bid": "0.40001"}, "multiple of"),
        ({"yes_bid": "0", "no_bid": "0.0000"}, "both 0"),
        ({"yes_bid": None}, "yes_bid"),
        ({"post_only": "yes"}, "post_only"),
        ({"rest_remainder": 0}, "rest_remainder"),
        ({"subaccount": True}, "subaccount"),
    ],
)
async def test_quotes_that_are_not_sent(wrong, problem):
    transport, room_ = room()
    with pytest.raises(InvalidRequestError, match=problem):
        await room_.quotes.create(**QUOTE | wrong)
    assert transport.calls == []


@pytest.mark.parametrize("side", ["maybe", "", None, "YES", 1])
async def test_sides_that_are_no_sides(side):
    transport, room_ = room()
    bids = {"x": "0.1", "y": "0.1"}
    for call in (
        room_.quotes.accept("r", "q", accepted_side=side),
        room_.batches.accept("b", accepted_side=side, min_bids=bids),
    ):
        with pytest.raises(InvalidRequestError, match="side"):
            await call
    warned = pytest.warns(DeprecationWarning, match="accept_unscoped")
    with warned, pytest.raises(InvalidRequestError, match="side"):
        await room_.quotes.accept_unscoped("q", accepted_side=side)
    assert transport.calls == []


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"children": []}, "children has 0 items; expected 2 to 57"),
        ({"children": CHILDREN[:1]}, "has 1 items"),
        ({"children": CHILDREN * 29}, "has 58 items"),
        ({"children": "AB"}, "expected a list"),
        ({"children": None}, "children is None"),
        ({"children": [CHILDREN[0], {"market_ticker": "B"}]}, r"children\[1\] is .* RfqBatchChild"),
        ({"children": [CHILDREN[0]] * 2}, "names 'A' twice"),
        ({"children": [CHILDREN[0], RfqBatchChild()]}, r"children\[1\] needs one of"),
        (
            {"children": [CHILDREN[0], RfqBatchChild(market_ticker="B", selected_markets=[LEG])]},
            r"children\[1\] needs one of",
        ),
        (
            {"children": [CHILDREN[0], RfqBatchChild(selected_markets=[LEG])]},
            "needs mve_collection_ticker",
        ),
        (
            {"children": [CHILDREN[0], RfqBatchChild(market_ticker="B", contracts=1.5)]},
            r"children\[1\]\.contracts is 1.5",
        ),
        (
            {
                "children": [CHILDREN[0], RfqBatchChild(selected_markets=[LEG] * 7)],
                "mve_collection_ticker": "C",
            },
            r"children\[1\]\.selected_markets has 7 items; expected 1 to 6",
        ),
        ({"children": [RfqBatchChild(market_ticker=["A"])] * 2}, r"children\[0\]\.market_ticker"),
        ({"contracts": None}, r"neither children\[0\]\.contracts nor"),
        ({"target_cost": 1}, "both given"),
        ({"client_batch_id": "x" * 65}, "client_batch_id has 65 characters"),
        ({"client_batch_id": ""}, "client_batch_id"),
        ({"mve_collection_ticker": ""}, "mve_collection_ticker"),
        ({"rest_remainder": "no"}, "rest_remainder"),
        ({"subtrader_id": "t", "subaccount": 1}, "both name a subaccount"),
    ],
)
async def test_batches_that_are_not_sent(wrong, problem):
    transport, room_ = room()
    with pytest.raises(InvalidRequestError, match=problem):
        await room_.batches.create(**{"children": CHILDREN, "contracts": 1} | wrong)
    assert transport.calls == []


@pytest.mark.parametrize(
    ("quotes", "problem"),
    [
        (ENTRIES[:1], "quotes has 1 items"),
        ([ENTRIES[0]] * 2, "names 'x' twice"),
        ([ENTRIES[0], ("y", "0.1", "0.2")], r"quotes\[1\] is .* expected RfqBatchQuoteEntry"),
        (
            [ENTRIES[0], RfqBatchQuoteEntry(rfq_id="y", yes_bid="0", no_bid="0")],
            r"quotes\[1\]\.yes_bid and quotes\[1\]\.no_bid are both 0",
        ),
        (
            [ENTRIES[0], RfqBatchQuoteEntry(rfq_id="", yes_bid="0.1", no_bid="0")],
            r"quotes\[1\]\.rfq_id",
        ),
    ],
)
async def test_batch_quotes_that_are_not_sent(quotes, problem):
    transport, room_ = room()
    with pytest.raises(InvalidRequestError, match=problem):
        await room_.batches.quote("b", quotes=quotes, rest_remainder=False)
    assert transport.calls == []


@pytest.mark.parametrize(
    ("min_bids", "problem"),
    [
        ({"x": "0.1"}, "min_bids has 1 items"),
        ({str(n): "0.1" for n in range(58)}, "min_bids has 58 items"),
        ([("x", "0.1"), ("y", "0.1")], "expected a mapping"),
        ({"x": "0.1", "y": "0"}, r"min_bids\['y'\] is 0"),
        ({"x": "0.1", "y": 0.1}, "float"),
        ({"x": "0.1", "": "0.1"}, "min_bids is ''"),
    ],
)
async def test_acceptances_that_are_not_sent(min_bids, problem):
    transport, room_ = room()
    with pytest.raises(InvalidRequestError, match=problem):
        await room_.batches.accept("b", accepted_side="yes", min_bids=min_bids)
    with pytest.raises(InvalidRequestError, match="client_order_id"):
        bids = {"x": "0.1", "y": "0.1"}
        await room_.batches.accept("b", accepted_side="yes", min_bids=bids, client_order_id="")
    assert transport.calls == []


async def test_empty_ids_are_not_sent():
    transport, room_ = room()
    rfqs, quotes, batches = room_.rfqs, room_.quotes, room_.batches
    for call in (
        rfqs.get(""),
        rfqs.delete(" "),
        quotes.get("", "q"),
        quotes.get("r", ""),
        quotes.delete("r", ""),
        quotes.confirm("", "q"),
        quotes.accept("r", "", accepted_side="yes"),
        batches.get(""),
        batches.delete(""),
        batches.best_quotes(""),
        batches.quotes(""),
        batches.delete_quote("b", ""),
        batches.confirm_quote("", "q"),
    ):
        with pytest.raises(InvalidRequestError, match="expected a non-empty identifier"):
            await call
    assert transport.calls == []


@pytest.mark.parametrize(
    ("method", "wrong"),
    [
        ("rfqs", {"user_filter": "others"}),
        ("rfqs", {"status": ""}),
        ("rfqs", {"limit": 101}),
        ("rfqs", {"subaccount": -1}),
        ("quotes", {"rfq_user_filter": "me"}),
        ("quotes", {"limit": 501}),
        ("quotes", {"min_ts": 5, "max_ts": 4}),
        ("quotes", {"rfq_id": ""}),
        ("batches", {"limit": 21}),
        ("batches", {"status": "executed"}),
    ],
)
def test_filters_that_are_refused(method, wrong):
    transport, room_ = room()
    with pytest.raises(InvalidRequestError, match=next(iter(wrong))):
        getattr(room_, method).list(**wrong)
    assert transport.calls == []
