"""What the methods of the account's own data send, refuse and read, beyond the contract test."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qs
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async._errors import InvalidRequestError
from kalshi_async.models import TickerPair
from kalshi_async.resources.api_keys import ApiKeys
from kalshi_async.resources.collections import Collections
from kalshi_async.resources.events import Events
from kalshi_async.resources.fcm import Fcm
from kalshi_async.resources.historical import Historical
from kalshi_async.resources.portfolio import Portfolio
from kalshi_async.resources.subaccounts import Subaccounts

from .fake import FakeTransport

POSITION = {"ticker": "A", "position_fp": "3.00", "market_exposure_dollars": "1.2000"}
SUM = {"event_ticker": "E", "event_exposure_dollars": "1.2000", "total_cost_shares_fp": "3.00"}
BOTH = {"market_positions": [POSITION], "event_positions": [SUM], "cursor": ""}
CALLERS = [Portfolio, Historical, Fcm]


def refused(match):
    return pytest.raises(InvalidRequestError, match=match)


# Positions


@pytest.mark.parametrize("resource", CALLERS)
async def test_both_lists_of_positions_come_on_one_page(resource):
    transport = FakeTransport.answering(BOTH | {"cursor": "on"}, BOTH)
    page = await resource(transport).positions()
    assert [each.position for each in page.items] == [3]
    assert [each.event_exposure for each in page.event_positions] == [Decimal("1.2000")]
    assert page.cursor == "on"
    pages = [page async for page in resource(transport).positions(cursor="on").pages()]
    assert [len(page.event_positions) for page in pages] == [1]


async def test_an_event_position_that_cannot_be_read_is_told_and_loses_nothing_else():
    body = BOTH | {"event_positions": [SUM, {"no": "ticker"}, SUM | {"fees_paid_dollars": "?"}]}
    transport = FakeTransport.answering(body)
    page = await Portfolio(transport).positions()
    assert [each.event_ticker for each in page.event_positions] == ["E", "E"]
    assert {drift.field for drift in page.drift} == {
        "event_positions[1]",
        "event_positions[2].fees_paid_dollars",
    }
    assert len(transport.drift) == 2
    assert len(page) == 1


@pytest.mark.parametrize("events", [{}, {"event_positions": None}, {"event_positions": []}])
async def test_a_page_without_event_positions(events):
    transport = FakeTransport.answering({"market_positions": [POSITION], "cursor": ""} | events)
    assert (await Portfolio(transport).positions()).event_positions == ()


async def test_records_of_before_april_2026_are_read():
    """Cents and whole counts, without the exact texts of today."""
    old = {"ticker": "A", "position": -4, "market_exposure": 152, "fees_paid": 3}
    summed = {"event_ticker": "E", "event_exposure": 152, "total_cost": 152}
    body = {"market_positions": [old], "event_positions": [summed]}
    page = await Portfolio(FakeTransport.answering(body)).positions()
    assert (page[0].position, page[0].market_exposure) == (-4, Decimal("1.52"))
    assert page.event_positions[0].event_exposure == Decimal("1.52")
    fill = {"fill_id": "f", "count": 2, "yes_price": 38, "no_price": 62, "ticker": "A"}
    (found,) = await Historical(FakeTransport.answering({"fills": [fill]})).fills()
    assert (found.count, found.yes_price, found.no_price) == (2, Decimal("0.38"), Decimal("0.62"))
    settled = {"ticker": "A", "yes_count": 2, "no_count": 0, "yes_total_cost": 76, "revenue": 200}
    (paid,) = await Portfolio(FakeTransport.answering({"settlements": [settled]})).settlements()
    assert (paid.yes_count, paid.yes_total_cost, paid.revenue) == (2, Decimal("0.76"), 200)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("position", "position"),
        (["position", "total_traded"], "position,total_traded"),
        (("total_traded",), "total_traded"),
    ],
)
async def test_count_filters_are_joined(value, sent):
    transport = FakeTransport.answering(BOTH)
    await Portfolio(transport).positions(count_filter=value)
    assert parse_qs(transport.calls[0].query) == {"count_filter": [sent]}


@pytest.mark.parametrize("value", ["", [], "volume", ["position", "?"], 5, ["position", 5]])
def test_other_count_filters_are_refused(value):
    for resource in (Portfolio, Fcm):
        with refused("count_filter"):
            resource(FakeTransport()).positions(count_filter=value)


async def test_times_are_sent_in_seconds_and_must_not_be_naive():
    transport = FakeTransport.answering({"fills": []})
    start = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
    for portfolio in (Portfolio(transport), Historical(transport), Fcm(transport)):
        await portfolio.fills(min_ts=start, max_ts=61)
        assert parse_qs(transport.calls[-1].query) == {"min_ts": ["60"], "max_ts": ["61"]}
        with refused("has no time zone"):
            portfolio.fills(min_ts=datetime(2026, 1, 1))  # noqa: DTZ001
        with refused("later than"):
            portfolio.fills(min_ts=2, max_ts=1)
    assert len(transport.calls) == 3


# Money


def allocate(transport, allocations):
    return Portfolio(transport).set_target_allocation(allocations=allocations)


@given(st.lists(st.integers(0, 100), min_size=1, max_size=8))
async def test_allocations_are_sent_when_they_are_a_whole(percents):
    transport = FakeTransport.answering({})
    allocations = dict(enumerate(percents))
    if sum(percents) != 100:
        with refused(f"add up to {sum(percents)} percent"):
            await allocate(transport, allocations)
        assert transport.calls == []
        allocations[0] = max(100 - sum(percents[1:]), 0)
    if sum(allocations.values()) == 100:
        await allocate(transport, allocations)
        (sent,) = transport.calls
        shares = sent.body["allocations"]
        assert {each["exchange_index"]: each["percent"] for each in shares} == allocations


@pytest.mark.parametrize(
    ("allocations", "match"),
    [
        ({0: 101}, "percent of shard 0"),
        ({0: -1, 1: 101}, "percent of shard 0"),
        ({-1: 100}, "exchange_index"),
        ({"0": 100}, "exchange_index"),
        ({0: 100.0}, "percent of shard 0"),
        ({True: 100}, "exchange_index"),
        ([(0, 100)], "expected a mapping"),
        (None, "expected a mapping"),
        (dict.fromkeys(range(102), 0), "has 102 shards"),
    ],
)
async def test_impossible_allocations_are_not_sent(allocations, match):
    with refused(match):
        await allocate(FakeTransport(), allocations)


MOVE = {"client_transfer_id": UUID(int=1), "from_subaccount": 0, "to_subaccount": 2}


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"amount_cents": 0}, "amount_cents is 0"),
        ({"amount_cents": 12.5}, "amount_cents is 12.5"),
        ({"to_subaccount": 0}, "expected two subaccounts"),
        ({"from_subaccount": -1}, "from_subaccount is -1"),
        ({"client_transfer_id": "mine"}, "expected a UUID"),
        ({"client_transfer_id": None}, "client_transfer_id is None"),
        ({"client_transfer_id": "{00000000-0000-0000-0000-000000000001}"}, "expected a UUID"),
    ],
)
async def test_impossible_transfers_are_not_sent(wrong, match):
    with refused(match):
        await Subaccounts(FakeTransport()).transfer(**{"amount_cents": 5, **MOVE, **wrong})


async def test_a_transfer_says_nothing_more_than_it_was_told():
    transport = FakeTransport.answering({})
    await Subaccounts(transport).transfer(amount_cents=5, **MOVE)
    assert transport.calls[0].body == {
        "client_transfer_id": "00000000-0000-0000-0000-000000000001",
        "from_subaccount": 0,
        "to_subaccount": 2,
        "amount_cents": 5,
    }


async def test_a_balance_tells_cents_and_dollars_apart():
    body = {"balance": 1234, "balance_dollars": "12.345600", "portfolio_value": 50}
    balance = await Portfolio(FakeTransport.answering(body)).balance()
    assert (balance.balance, balance.balance_dollars) == (1234, Decimal("12.3456"))


@pytest.mark.parametrize(
    ("limit", "sent"), [("25", "25.00"), (0, "0.00"), ("0", "0.00"), (Decimal("7.125"), "7.125")]
)
async def test_a_daily_cap_is_sent_exactly(limit, sent):
    transport = FakeTransport.answering({})
    await Fcm(transport).set_daily_cap(subtrader_id="s", limit=limit)
    assert transport.calls[0].body == {"subtrader_id": "s", "limit": sent}


# Keys, combos, forecasts


@pytest.mark.parametrize("scopes", [[], ["read", "sing"], "sing", 5, [None]])
async def test_unknown_scopes_are_not_sent(scopes):
    for method in ("generate", "create"):
        more = {"public_key": "-----BEGIN PUBLIC KEY-----"} if method == "create" else {}
        with refused("scopes"):
            await getattr(ApiKeys(FakeTransport()), method)(name="n", scopes=scopes, **more)


@pytest.mark.parametrize(
    "legs",
    [
        [],
        None,
        "A",
        [{"event_ticker": "E", "market_ticker": "A", "side": "yes"}],
        [TickerPair(event_ticker="E", market_ticker="", side="yes")],
        [TickerPair(event_ticker="E", market_ticker="A", side="bid")],
    ],
)
async def test_legs_that_are_none_are_not_sent(legs):
    with refused("selected_markets"):
        await Collections(FakeTransport()).create_market("C", selected_markets=legs)


SPAN = {"start_ts": 1, "end_ts": 2, "period_interval": 60, "percentiles": [5000]}


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"percentiles": [10_000]}, "percentiles is 10000"),
        ({"percentiles": [0.5]}, "percentiles is 0.5"),
        ({"percentiles": "5000"}, "expected a list"),
        ({"period_interval": 5}, "period_interval is 5"),
        ({"period_interval": True}, "period_interval is True"),
        ({"start_ts": 3}, "later than"),
        ({"end_ts": None}, "both needed"),
    ],
)
async def test_impossible_forecasts_are_not_asked_for(wrong, match):
    with refused(match):
        await Events(FakeTransport()).forecast_percentiles("S", "E", **SPAN | wrong)


async def test_percentiles_are_repeated():
    transport = FakeTransport.answering({"forecast_history": []})
    more = {"percentiles": [100, 5000], "period_interval": 0}
    await Events(transport).forecast_percentiles("S", "E", **SPAN | more)
    assert transport.calls[0].query == (
        "percentiles=100&percentiles=5000&start_ts=1&end_ts=2&period_interval=0"
    )
