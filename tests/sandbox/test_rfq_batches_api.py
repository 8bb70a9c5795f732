"""RFQ batches over HTTP, and combos that members make."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kalshi_async.sandbox import Sandbox
from kalshi_async.sandbox._handlers.rfq import Communications

from .desk import FIRST, SECOND, UNKNOWN, Desk, desk_on, order
from .members import Member
from .ws_contract import WsContract


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_on(tmp_path) as found:
        yield found


def of(batch_id: str, quote_id: str | None = None) -> dict[str, Any]:
    found = {"rfq_batch_id": batch_id}
    return {"names": found if quote_id is None else found | {"batch_quote_id": quote_id}}


async def asked(member: Member, **fields: Any) -> Any:
    children = [{"market_ticker": FIRST}, {"market_ticker": SECOND, "contracts_fp": "4.00"}]
    body = {"children": children, "contracts_fp": "10.00"} | fields
    return (await member.ok("CreateRFQBatch", body))["rfq_batch"]


async def quoted(member: Member, batch: Any, *prices: tuple[str, str]) -> str:
    quotes = [
        {"rfq_id": rfq["id"], "yes_bid": yes, "no_bid": no}
        for rfq, (yes, no) in zip(batch["rfqs"], prices, strict=True)
    ]
    body = {"quotes": quotes, "rest_remainder": False}
    return str((await member.ok("CreateRFQBatchQuote", body, **of(batch["id"])))["id"])


def accept(batch: Any, side: str = "yes", least: str = "0.01", **fields: Any) -> dict[str, Any]:
    limits = [{"rfq_id": rfq["id"], "bid_dollars": least} for rfq in batch["rfqs"]]
    return {"accepted_side": side, "min_bids": limits} | fields


async def test_a_batch_from_the_question_to_the_fills(desk: Desk, shared: Path) -> None:
    heard: list[tuple[str, dict[str, Any]]] = []
    room = desk.exchange._exchange.room(Communications)
    room.listen(lambda kind, msg, users: heard.append((kind, msg)))
    requester, quoter = desk.taker, desk.maker
    batch = await asked(requester, client_batch_id="mine")
    assert [rfq["contracts_fp"] for rfq in batch["rfqs"]] == ["10.00", "4.00"]
    quote_id = await quoted(quoter, batch, ("0.40", "0.55"), ("0.30", "0"))
    best = (await requester.ok("GetRFQBatchBestQuotes", **of(batch["id"])))["best_quotes"]
    assert (best["yes_complete"], best["no_complete"], best["version"]) == (True, False, 1)
    await requester.refused("AcceptRFQBatch", 409, accept(batch, least="0.35"), **of(batch["id"]))
    await requester.refused("AcceptRFQBatch", 409, accept(batch, "no"), **of(batch["id"]))
    answer = await requester.ok(
        "AcceptRFQBatch", accept(batch, client_order_id="all"), **of(batch["id"])
    )
    assert [quote["status"] for quote in answer["quotes"]] == ["accepted", "accepted"]
    await requester.refused("AcceptRFQBatch", 409, accept(batch), **of(batch["id"]))
    (shown,) = (await quoter.ok("GetRFQBatchQuotes", **of(batch["id"])))["batch_quotes"]
    assert (shown["id"], shown["status"]) == (quote_id, "accepted")
    await quoter.ok("ConfirmRFQBatchQuote", **of(batch["id"], quote_id))
    await quoter.refused("ConfirmRFQBatchQuote", 400, **of(batch["id"], quote_id))
    done = (await requester.ok("GetRFQBatch", **of(batch["id"])))["rfq_batch"]
    assert (done["status"], done["close_reason"]) == ("closed", "executed")
    fills = (await requester.ok("GetFills"))["fills"]
    assert {(fill["ticker"], fill["count_fp"], fill["yes_price_dollars"]) for fill in fills} == {
        (FIRST, "10.00", "0.4000"),
        (SECOND, "4.00", "0.3000"),
    }
    orders = (await requester.ok("GetOrders"))["orders"]
    assert {placed["client_order_id"] for placed in orders} == {"all:1", "all:2"}
    for member in (requester, quoter):
        member.check()
    frames = WsContract(shared / "contract" / "websocket-2.0.0.json")
    for kind, msg in heard:
        assert frames.problems({"type": kind, "sid": 1, "seq": 1, "msg": msg}) == []
    assert {kind for kind, _ in heard} == {
        "rfq_batch_created",
        "batch_quote_created",
        "rfq_batch_best_quotes",
        "batch_quote_accepted",
        "quote_executed",
        "batch_quote_executed",
        "rfq_batch_executed",
    }


async def test_lists_and_withdrawals(desk: Desk) -> None:
    requester, quoter = desk.taker, desk.maker
    batches = [await asked(requester, replace_existing=True) for _ in range(3)]
    listed = await quoter.pages("GetRFQBatches", "rfq_batches", limit=2)
    assert [batch["id"] for batch in listed] == [batch["id"] for batch in reversed(batches)]
    (open_,) = (await requester.ok("GetRFQBatches", status="open", user_filter="self"))[
        "rfq_batches"
    ]
    assert open_["creator_user_id"] == requester.credentials.user_id
    assert (await quoter.ok("GetRFQBatches", user_filter="self"))["rfq_batches"] == []
    path = of(batches[2]["id"])
    quote_id = await quoted(quoter, batches[2], ("0.40", "0.55"), ("0.30", "0.60"))
    await quoter.ok("DeleteRFQBatchQuote", **of(batches[2]["id"], quote_id))
    await quoter.refused("DeleteRFQBatch", 404, **path)
    await quoter.refused("GetRFQBatchBestQuotes", 403, **path)
    await requester.ok("DeleteRFQBatch", **path)
    await requester.refused("GetRFQBatch", 404, **of(UNKNOWN))
    (shown,) = (await requester.ok("GetRFQBatchQuotes", **path))["batch_quotes"]
    assert shown["status"] == "cancelled"


@pytest.mark.parametrize(
    "fields",
    [
        {"children": []},
        {"children": [{"market_ticker": FIRST}]},
        {"children": [{"market_ticker": FIRST}, {"market_ticker": FIRST}]},
        {"children": [{"market_ticker": FIRST}, {}]},
        {"children": [{"market_ticker": FIRST}, {"selected_markets": [{}]}]},
        {"children": [{"market_ticker": FIRST}, {"market_ticker": "UNKNOWN"}]},
        {"children": [{"market_ticker": FIRST}, 5]},
        {"contracts_fp": None},
        {"contracts_fp": 10},
        {"client_batch_id": "x" * 65},
    ],
)
async def test_batches_that_are_refused(desk: Desk, fields: dict[str, Any]) -> None:
    children = [{"market_ticker": FIRST}, {"market_ticker": SECOND}]
    body = {"children": children, "contracts_fp": "10.00"} | fields
    await desk.taker.refused("CreateRFQBatch", 400, body)
    assert (await desk.taker.ok("GetRFQs"))["rfqs"] == []


# Combos


@pytest.fixture
async def member() -> AsyncIterator[Member]:
    serving = Sandbox.serve(seed=7, markets=600, tier=None)
    async with serving as exchange, httpx.AsyncClient(trust_env=False, verify=False) as http:
        found = exchange.add_account(tier=None)
        exchange.deposit(found.user_id, "1000.00", exchange_index=1)
        yield Member(exchange, http, found)


def legs_of(member: Member) -> tuple[str, list[dict[str, str]]]:
    """A collection and two legs it takes."""
    collection = member.exchange.catalog.generated.collections[0]
    legs = [
        {
            "event_ticker": event.ticker,
            "market_ticker": event.markets[0].ticker,
            "side": side,
        }
        for event, side in zip(collection.events, ("yes", "no"), strict=False)
    ]
    return collection.ticker, legs


async def test_a_combo_is_made_once_and_can_be_traded(member: Member) -> None:
    collection, legs = legs_of(member)
    path = {"names": {"collection_ticker": collection}}
    name = "CreateMarketInMultivariateEventCollection"
    body = {"selected_markets": legs, "with_market_payload": True}
    made = await member.ok(name, body, **path)
    again = await member.ok(name, {"selected_markets": legs[::-1]}, **path)
    assert again == {key: made[key] for key in ("event_ticker", "market_ticker")}
    ticker = made["market_ticker"]
    assert made["market"]["mve_selected_legs"] == legs
    market = (await member.ok("GetMarket", names={"ticker": ticker}))["market"]
    assert (market["status"], market["yes_bid_dollars"]) == ("active", "0.0000")
    await member.ok("CreateOrderV2", order(price="0.30", ticker=ticker))
    book = await member.ok("GetMarketOrderbook", names={"ticker": ticker})
    assert book["orderbook_fp"]["yes_dollars"] == [["0.3000", "10.00"]]
    event = await member.ok("GetEvent", names={"event_ticker": made["event_ticker"]})
    assert event["event"]["event_ticker"] == made["event_ticker"]
    rfq = {"market_ticker": ticker, "contracts_fp": "5.00", "rest_remainder": False}
    rfq_id = (await member.ok("CreateRFQ", rfq))["id"]
    shown = (await member.ok("GetRFQ", names={"rfq_id": rfq_id}))["rfq"]
    assert (shown["mve_collection_ticker"], shown["mve_selected_legs"]) == (collection, legs)
    member.check()


async def test_a_batch_may_make_its_combos(member: Member) -> None:
    collection, legs = legs_of(member)
    other = [legs[0], {**legs[1], "side": "yes"}]
    body = {
        "children": [{"selected_markets": legs}, {"selected_markets": other}],
        "mve_collection_ticker": collection,
        "target_cost_dollars": "20.00",
    }
    batch = (await member.ok("CreateRFQBatch", body))["rfq_batch"]
    assert [rfq["mve_selected_legs"] for rfq in batch["rfqs"]] == [legs, other]
    assert len({rfq["market_ticker"] for rfq in batch["rfqs"]}) == 2


async def test_legs_a_collection_does_not_take(member: Member) -> None:
    collection, legs = legs_of(member)
    path = {"names": {"collection_ticker": collection}}
    name = "CreateMarketInMultivariateEventCollection"
    for selected in (
        None,
        [],
        legs[:1],
        [legs[0], legs[0]],
        [legs[0], {**legs[1], "side": "maybe"}],
        [legs[0], {**legs[1], "market_ticker": legs[0]["market_ticker"]}],
        [legs[0], {**legs[1], "event_ticker": "UNKNOWN"}],
        [legs[0], "leg"],
    ):
        await member.refused(name, 400, {"selected_markets": selected}, **path)
    member.exchange.close(legs[1]["market_ticker"])
    await member.refused(name, 400, {"selected_markets": legs}, **path)
    unknown = {"names": {"collection_ticker": "KXMVE-UNKNOWN"}}
    await member.refused(name, 404, {"selected_markets": legs}, **unknown)
