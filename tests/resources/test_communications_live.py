"""RFQs, batches and block trades between two clients on the embedded exchange."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from kalshi_async import (
    BadRequestError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
)
from kalshi_async.models import RfqBatchChild, RfqBatchQuoteEntry, TickerPair
from tests.sandbox.desk import FIRST, SECOND, UNKNOWN

from .accounts import Room, room_on


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with room_on(tmp_path) as found:
        yield found


def entries(batch, *bids: tuple[str, str]) -> list[RfqBatchQuoteEntry]:
    return [
        RfqBatchQuoteEntry(rfq_id=rfq.id, yes_bid=yes, no_bid=no)
        for rfq, (yes, no) in zip(batch.rfqs, bids, strict=True)
    ]


async def test_an_rfq_from_the_question_to_the_fill(room: Room):
    requester, maker = room.one.communications, room.other.communications
    rfq_id = (
        await requester.rfqs.create(market_ticker=FIRST, contracts="10", rest_remainder=False)
    ).id
    (asked,) = await maker.rfqs.list(market_ticker=FIRST, status="open").collect()
    assert asked.id == rfq_id
    assert asked.is_open
    assert asked.creator_id == await requester.id()
    assert (asked.contracts, asked.target_cost) == (Decimal(10), None)
    quote_id = (
        await maker.quotes.create(
            rfq_id=rfq_id, yes_bid="0.40", no_bid="0.55", rest_remainder=False, post_only=False
        )
    ).id
    (offered,) = await requester.quotes.list(rfq_id=rfq_id, rfq_user_filter="self")
    assert (offered.id, offered.status) == (quote_id, "open")
    assert (offered.yes_bid, offered.no_bid) == (Decimal("0.4000"), Decimal("0.5500"))
    assert offered.creator_id == await maker.id()
    await requester.quotes.accept(rfq_id, quote_id, accepted_side="no")
    accepted = await maker.quotes.get(rfq_id, quote_id)
    assert (accepted.status, accepted.accepted_side) == ("accepted", "no")
    assert accepted.contracts == 10
    await maker.quotes.confirm(rfq_id, quote_id)
    done = await requester.quotes.get(rfq_id, quote_id)
    assert done.status == "executed"
    assert done.created_ts <= done.accepted_ts <= done.confirmed_ts <= done.executed_ts
    assert done.rfq_creator_order_id
    assert done.creator_order_id is None  # the maker's alone
    assert await room.one.fills() == {(FIRST, "bid", "0.4500", "10.00")}
    assert await room.other.fills() == {(FIRST, "ask", "0.4500", "10.00")}
    closed = await requester.rfqs.get(rfq_id)
    assert (closed.is_open, closed.creator_user_id) == (False, room.one.user_id)


async def test_a_second_acceptance_or_confirmation_trades_no_more(room: Room):
    requester, maker = room.one.communications, room.other.communications
    rfq = await requester.rfqs.create(market_ticker=FIRST, contracts=3, rest_remainder=False)
    quote = await maker.quotes.create(
        rfq_id=rfq.id, yes_bid="0.40", no_bid="0", rest_remainder=False
    )
    with pytest.raises(BadRequestError):
        await requester.quotes.accept(rfq.id, quote.id, accepted_side="no")
    await requester.quotes.accept(rfq.id, quote.id, accepted_side="yes")
    with pytest.raises(BadRequestError):
        await requester.quotes.accept(rfq.id, quote.id, accepted_side="yes")
    await maker.quotes.confirm(rfq.id, quote.id)
    with pytest.raises(BadRequestError):
        await maker.quotes.confirm(rfq.id, quote.id)
    assert await room.one.fills() == {(FIRST, "ask", "0.4000", "3.00")}


async def test_a_target_cost_and_withdrawals(room: Room):
    requester, maker = room.one.communications, room.other.communications
    rfq = await requester.rfqs.create(
        market_ticker=FIRST,
        target_cost="60",
        target_cost_excludes_fees=True,
        obscure_creator_id=True,
        rest_remainder=True,
        subaccount=0,
    )
    with pytest.raises(ConflictError):
        await requester.rfqs.create(market_ticker=FIRST, contracts=1, rest_remainder=False)
    quote = await maker.quotes.create(
        rfq_id=rfq.id, yes_bid=Decimal("0.40"), no_bid="0.50", rest_remainder=False
    )
    shown = await requester.quotes.get(rfq.id, quote.id)
    assert (shown.yes_contracts, shown.no_contracts) == (100, 120)
    assert (shown.rfq_target_cost, shown.target_cost_excludes_fees) == (60, True)
    assert shown.rfq_creator_id != await requester.id()
    await maker.quotes.delete(rfq.id, quote.id)
    cancelled = await maker.quotes.get(rfq.id, quote.id)
    assert (cancelled.status, cancelled.cancellation_reason) == ("cancelled", "deleted")
    again = await requester.rfqs.create(
        market_ticker=FIRST, contracts=1, rest_remainder=False, replace_existing=True
    )
    assert [one.id for one in await requester.rfqs.list(user_filter="self", limit=1)] == [again.id]
    listed = await requester.rfqs.list(user_filter="self", limit=1).collect()
    assert [one.id for one in listed] == [again.id, rfq.id]
    await requester.rfqs.delete(again.id)
    with pytest.raises(NotFoundError):
        await maker.quotes.get(rfq.id, UNKNOWN)


async def test_the_deprecated_forms_work_and_warn(room: Room):
    requester, maker = room.one.communications, room.other.communications
    rfq = await requester.rfqs.create(market_ticker=FIRST, contracts=2, rest_remainder=False)
    made = [
        await maker.quotes.create(rfq_id=rfq.id, yes_bid=bid, no_bid="0", rest_remainder=False)
        for bid in ("0.30", "0.40")
    ]
    with pytest.warns(DeprecationWarning, match=r"quotes\.get_unscoped; use .*quotes\.get$") as got:
        replaced = await maker.quotes.get_unscoped(made[0].id)
    assert got[0].filename == __file__
    assert replaced.cancellation_reason == "replaced"
    with pytest.warns(DeprecationWarning, match="accept_unscoped"):
        await requester.quotes.accept_unscoped(made[1].id, accepted_side="yes")
    with pytest.warns(DeprecationWarning, match="confirm_unscoped"):
        await maker.quotes.confirm_unscoped(made[1].id)
    with pytest.warns(DeprecationWarning, match="delete_unscoped"):
        with pytest.raises(BadRequestError):
            await maker.quotes.delete_unscoped(made[1].id)
    assert await room.other.fills() == {(FIRST, "bid", "0.4000", "2.00")}


async def test_a_batch_from_the_question_to_the_fills(room: Room):
    requester, maker = room.one.communications.batches, room.other.communications.batches
    batch = await requester.create(
        children=[
            RfqBatchChild(market_ticker=FIRST),
            RfqBatchChild(market_ticker=SECOND, contracts="4"),
        ],
        contracts=10,
        client_batch_id="mine",
    )
    assert [rfq.contracts for rfq in batch.rfqs] == [10, 4]
    assert (batch.client_batch_id, batch.creator_user_id) == ("mine", room.one.user_id)
    made = await maker.quote(
        batch.id, quotes=entries(batch, ("0.40", "0.55"), ("0.30", "0")), rest_remainder=False
    )
    best = await requester.best_quotes(batch.id)
    assert (best.yes_complete, best.no_complete, best.version) == (True, False, 1)
    assert best.rfqs[1].no_bid is None
    assert best.min_bids("no") == {batch.rfqs[0].id: Decimal("0.5500")}
    with pytest.raises(PermissionDeniedError):
        await maker.best_quotes(batch.id)
    too_much = dict.fromkeys(best.min_bids("yes"), "0.35")
    with pytest.raises(ConflictError):
        await requester.accept(batch.id, accepted_side="yes", min_bids=too_much)
    accepted = await requester.accept(
        batch.id, accepted_side="yes", min_bids=best.min_bids("yes"), client_order_id="all"
    )
    assert accepted.accepted_side == "yes"
    assert [quote.status for quote in accepted.quotes] == ["accepted", "accepted"]
    (shown,) = await maker.quotes(batch.id)
    assert (shown.id, shown.status, shown.accepted_side) == (made.id, "accepted", "yes")
    await maker.confirm_quote(batch.id, made.id)
    closed = await maker.get(batch.id)
    assert (closed.status, closed.close_reason) == ("closed", "executed")
    assert closed.client_batch_id is None  # the requester's alone
    assert await room.one.fills() == {
        (FIRST, "ask", "0.4000", "10.00"),
        (SECOND, "ask", "0.3000", "4.00"),
    }
    with pytest.raises(ConflictError):
        await requester.create(
            children=[RfqBatchChild(market_ticker=one) for one in (FIRST, SECOND)],
            target_cost="5",
            client_batch_id="mine",
        )


async def test_batches_are_listed_and_withdrawn(room: Room):
    requester, maker = room.one.communications.batches, room.other.communications.batches
    children = [RfqBatchChild(market_ticker=one, target_cost="20.50") for one in (FIRST, SECOND)]
    first, second = [
        await requester.create(children=children, replace_existing=True, rest_remainder=False)
        for _ in range(2)
    ]
    assert second.rfqs[0].target_cost == Decimal("20.50")
    assert [one.id for one in await maker.list(limit=1).collect()] == [second.id, first.id]
    assert [one.id for one in await requester.list(status="open", user_filter="self")] == [
        second.id
    ]
    assert list(await maker.list(user_filter="self")) == []
    made = await maker.quote(
        second.id,
        quotes=entries(second, ("0.40", "0.55"), ("0.30", "0.60")),
        rest_remainder=False,
        post_only=True,
    )
    await maker.delete_quote(second.id, made.id)
    (shown,) = await requester.quotes(second.id)
    assert shown.status == "cancelled"
    assert [quote.status for quote in shown.quotes] == ["cancelled", "cancelled"]
    await requester.delete(second.id)
    assert (await requester.get(second.id)).close_reason == "deleted"


async def test_a_batch_makes_its_combos(tmp_path: Path):
    async with room_on(tmp_path) as room:
        collection = room.exchange.catalog.generated.collections[0]
        legs = [
            TickerPair(event_ticker=event.ticker, market_ticker=event.markets[0].ticker, side="yes")
            for event in collection.events[:2]
        ]
        other = [
            legs[0],
            TickerPair(
                event_ticker=legs[1].event_ticker, market_ticker=legs[1].market_ticker, side="no"
            ),
        ]
        batch = await room.one.communications.batches.create(
            children=[RfqBatchChild(selected_markets=legs), RfqBatchChild(selected_markets=other)],
            mve_collection_ticker=collection.ticker,
            contracts=2,
        )
    assert [rfq.mve_collection_ticker for rfq in batch.rfqs] == [collection.ticker] * 2
    assert [[leg.side for leg in rfq.mve_selected_legs] for rfq in batch.rfqs] == [
        ["yes", "yes"],
        ["yes", "no"],
    ]


async def test_a_block_trade(room: Room):
    buyer, seller = room.one.communications.block_trades, room.other.communications.block_trades
    proposed = await buyer.propose(
        buyer_user_id=room.one.user_id,
        seller_user_id=room.other.user_id,
        market_ticker=FIRST,
        price_centi_cents=4_000,
        centicount=2_550,
        maker_side="no",
        expiration_ts=datetime.now(UTC) + timedelta(minutes=1),
        buyer_subaccount=0,
    )
    (seen,) = await seller.list(market_ticker=FIRST, limit=1)
    assert (seen.id, seen.price, seen.count) == (
        proposed.block_trade_proposal_id,
        Decimal("0.40"),
        Decimal("25.50"),
    )
    assert (seen.buyer_accepted, seen.seller_accepted) == (True, False)
    with pytest.raises(BadRequestError):
        await buyer.accept(proposed.block_trade_proposal_id)
    await seller.accept(proposed.block_trade_proposal_id)
    with pytest.raises(BadRequestError):
        await seller.accept(proposed.block_trade_proposal_id, subaccount=0)
    (done,) = await buyer.list(status="executed").collect()
    assert done.seller_accepted
    assert done.executed_ts == done.seller_accepted_ts
    assert await room.one.fills() == {(FIRST, "bid", "0.4000", "25.50")}
    assert await room.other.fills() == {(FIRST, "ask", "0.4000", "25.50")}


async def test_what_the_exchange_would_refuse_never_leaves(room: Room):
    before = room.exchange.requests.total()
    with pytest.raises(InvalidRequestError, match="float is not exact"):
        await room.other.communications.quotes.create(
            rfq_id="x", yes_bid=0.4, no_bid="0", rest_remainder=False
        )
    with pytest.raises(InvalidRequestError, match="contracts nor target_cost"):
        await room.one.communications.rfqs.create(market_ticker=FIRST, rest_remainder=False)
    assert room.exchange.requests.total() == before
