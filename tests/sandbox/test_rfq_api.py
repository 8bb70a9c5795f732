"""RFQs, quotes and block trades over HTTP, between two members and a stranger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kalshi_async.sandbox._handlers.rfq import Communications

from .desk import FIRST, NOT_FOUND, SECOND, UNKNOWN, Desk, desk_on
from .members import Member
from .ws_contract import WsContract

Heard = tuple[str, dict[str, Any], frozenset[str] | None]


@dataclass
class Table:
    """A requester, a quoter, a stranger, and all that the communications channel tells."""

    desk: Desk
    requester: Member
    quoter: Member
    stranger: Member
    heard: list[Heard] = field(default_factory=list)

    async def ask(self, ticker: str = FIRST, count: str = "10.00", **fields: Any) -> str:
        body = {"market_ticker": ticker, "rest_remainder": False}
        size = {} if "target_cost_dollars" in fields else {"contracts_fp": count}
        made = await self.requester.ok("CreateRFQ", body | size | fields)
        return str(made["id"])

    async def quote(
        self, rfq_id: str, yes: str = "0.40", no: str = "0.55", by: Member | None = None
    ) -> str:
        body = {"rfq_id": rfq_id, "yes_bid": yes, "no_bid": no, "rest_remainder": False}
        return str((await (by or self.quoter).ok("CreateQuote", body))["id"])

    async def shown(self, quote_id: str, by: Member | None = None) -> Any:
        answer = await (by or self.requester).ok("GetQuote", names={"quote_id": quote_id})
        return answer["quote"]

    def kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.heard]


@pytest.fixture
async def table(tmp_path: Path) -> AsyncIterator[Table]:
    async with desk_on(tmp_path) as desk:
        stranger = Member(desk.exchange, desk.maker.http, desk.exchange.add_account(tier=None))
        found = Table(desk, desk.taker, desk.maker, stranger)
        room = desk.exchange._exchange.room(Communications)
        room.listen(lambda kind, msg, users: found.heard.append((kind, msg, users)))
        yield found


def of(quote_id: str, rfq_id: str | None = None) -> dict[str, Any]:
    return {"names": {"quote_id": quote_id} | ({"rfq_id": rfq_id} if rfq_id else {})}


async def cash(member: Member) -> Decimal:
    return Decimal((await member.ok("GetBalance"))["balance_dollars"])


@pytest.mark.parametrize("scoped", [True, False])
async def test_a_quote_is_accepted_confirmed_and_filled(table: Table, scoped: bool) -> None:
    accept, confirm, get = (
        ("AcceptRFQQuote", "ConfirmRFQQuote", "GetRFQQuote")
        if scoped
        else ("AcceptQuote", "ConfirmQuote", "GetQuote")
    )
    rfq_id = await table.ask()
    quote_id = await table.quote(rfq_id)
    path = of(quote_id, rfq_id if scoped else None)
    before = [await cash(member) for member in (table.requester, table.quoter)]
    await table.requester.ok(accept, {"accepted_side": "no"}, **path)
    await table.quoter.ok(confirm, **path)
    mine = (await table.requester.ok(get, **path))["quote"]
    theirs = (await table.quoter.ok(get, **path))["quote"]
    assert mine["status"] == theirs["status"] == "executed"
    for member, order_id, is_taker, side, fee in (
        (table.requester, mine["rfq_creator_order_id"], True, "bid", "0.173300"),
        (table.quoter, theirs["creator_order_id"], False, "ask", "0.000000"),
    ):
        (fill,) = (await member.ok("GetFills"))["fills"]
        order = (await member.ok("GetOrder", names={"order_id": order_id}))["order"]
        assert (fill["order_id"], fill["is_taker"], fill["book_side"]) == (order_id, is_taker, side)
        assert (fill["yes_price_dollars"], fill["count_fp"]) == ("0.4500", "10.00")
        assert (order["status"], order["fill_count_fp"], fill["fee_cost"]) == (
            "executed",
            "10.00",
            fee,
        )
    after = [await cash(member) for member in (table.requester, table.quoter)]
    assert before[0] - after[0] == Decimal("4.5") + Decimal("0.1733")
    assert before[1] - after[1] == Decimal("5.5")
    rfq = (await table.requester.ok("GetRFQ", names={"rfq_id": rfq_id}))["rfq"]
    assert rfq["status"] == "closed"


async def test_parties_see_their_own_private_fields_only(table: Table) -> None:
    rfq_id = await table.ask()
    quote_id = await table.quote(rfq_id)
    mine, theirs = await table.shown(quote_id), await table.shown(quote_id, table.quoter)
    requester, quoter = table.requester.credentials.user_id, table.quoter.credentials.user_id
    assert (mine["rfq_creator_user_id"], theirs["creator_user_id"]) == (requester, quoter)
    assert "creator_user_id" not in mine
    assert "rfq_creator_user_id" not in theirs
    ids = [
        (await member.ok("GetCommunicationsID"))["communications_id"]
        for member in (table.requester, table.quoter)
    ]
    assert [mine["rfq_creator_id"], mine["creator_id"]] == ids
    assert not {requester, quoter} & set(ids)
    rfq = (await table.stranger.ok("GetRFQ", names={"rfq_id": rfq_id}))["rfq"]
    assert rfq["creator_id"] == ids[0]
    assert "creator_user_id" not in rfq
    assert await table.stranger.refused("GetQuote", 404, **of(quote_id)) == NOT_FOUND
    assert (await table.stranger.ok("GetQuotes"))["quotes"] == []


async def test_a_requester_can_stay_unknown(table: Table) -> None:
    rfq_id = await table.ask(obscure_creator_id=True)
    rfq = (await table.quoter.ok("GetRFQ", names={"rfq_id": rfq_id}))["rfq"]
    own = (await table.requester.ok("GetCommunicationsID"))["communications_id"]
    assert rfq["creator_id"] not in (own, table.requester.credentials.user_id)


async def test_a_target_cost_becomes_a_count(table: Table) -> None:
    rfq_id = await table.ask(target_cost_dollars="60.00", target_cost_excludes_fees=True)
    shown = await table.shown(await table.quote(rfq_id, "0.40", "0.50"))
    assert (shown["yes_contracts_fp"], shown["no_contracts_fp"]) == ("100.00", "120.00")
    assert shown["rfq_target_cost_dollars"] == "60.000000"
    declined = await table.shown(await table.quote(rfq_id, "0", "0.50"))
    assert declined["yes_bid_dollars"] == "0.0000"
    assert "yes_contracts_fp" not in declined


async def test_lists_and_their_filters(table: Table) -> None:
    first, second = await table.ask(), await table.ask(SECOND)
    await table.quoter.ok(
        "CreateRFQ", {"market_ticker": FIRST, "contracts": 3, "rest_remainder": True}
    )
    quotes = [await table.quote(first), await table.quote(second)]
    await table.quote(first, by=table.stranger)
    listed = await table.requester.pages("GetRFQs", "rfqs", limit=1)
    assert len({rfq["id"] for rfq in listed}) == len(listed) == 3
    for filters, expected in (
        ({"user_filter": "self"}, [second, first]),
        ({"market_ticker": SECOND}, [second]),
        ({"event_ticker": FIRST[:-2], "user_filter": "self"}, [second, first]),
        ({"status": "closed"}, []),
        ({"subaccount": 0}, [second, first]),
        ({"subaccount": 5}, []),
    ):
        found = (await table.requester.ok("GetRFQs", **filters))["rfqs"]
        assert [rfq["id"] for rfq in found] == expected, filters
    for member, filters, count in (
        (table.requester, {}, 3),
        (table.requester, {"rfq_user_filter": "self"}, 3),
        (table.requester, {"user_filter": "self"}, 0),
        (table.quoter, {"user_filter": "self"}, 2),
        (table.quoter, {"rfq_id": first}, 1),
        (table.requester, {"status": "open", "rfq_id": first}, 2),
        (table.requester, {"max_ts": 1}, 0),
    ):
        found = await member.pages("GetQuotes", "quotes", limit=2, **filters)
        assert len(found) == count, filters
    assert await table.requester.pages("GetQuotes", "quotes", limit=1, rfq_id=second) == [
        await table.shown(quotes[1])
    ]
    await table.requester.refused("GetRFQs", 400, user_filter="others")
    await table.requester.refused("GetRFQs", 400, limit=101)


async def test_refusals(table: Table) -> None:
    rfq_id = await table.ask()
    quote_id = await table.quote(rfq_id)
    yes = {"accepted_side": "yes"}
    body = {"market_ticker": FIRST, "contracts_fp": "1", "rest_remainder": False}
    prices = {"rfq_id": rfq_id, "yes_bid": "0.4050", "no_bid": "0.50", "rest_remainder": False}
    own = prices | {"yes_bid": "0.40"}
    requester, quoter = table.requester, table.quoter
    for answer in (
        await requester.refused("CreateRFQ", 409, body),
        await requester.refused("CreateRFQ", 400, body | {"contracts_fp": "0"}),
        await requester.refused("CreateRFQ", 400, body | {"target_cost_dollars": "5.00"}),
        await requester.refused("CreateRFQ", 400, body | {"contracts": 2}),
        await requester.refused("CreateRFQ", 400, body | {"market_ticker": "UNKNOWN"}),
        await requester.refused("CreateRFQ", 400, body | {"subaccount": 7}),
        await requester.refused("CreateRFQ", 403, body | {"subtrader_id": "x"}),
        await quoter.refused("CreateQuote", 400, prices),
        await quoter.refused("CreateQuote", 404, own | {"rfq_id": UNKNOWN}),
        await requester.refused("CreateQuote", 400, own),
        await quoter.refused("AcceptQuote", 400, yes, **of(quote_id)),
        await requester.refused("AcceptQuote", 404, yes, **of(UNKNOWN)),
        await requester.refused("AcceptRFQQuote", 404, yes, **of(quote_id, UNKNOWN)),
        await quoter.refused("ConfirmQuote", 400, **of(quote_id)),
        await requester.refused("DeleteQuote", 400, **of(quote_id)),
        await quoter.refused("DeleteRFQ", 404, names={"rfq_id": rfq_id}),
    ):
        assert answer["error"]["code"]
    for name, content, member, path in (
        ("CreateRFQ", b'{"market_ticker": 5}', requester, {}),
        ("CreateRFQ", b"{", requester, {}),
        ("CreateQuote", b'{"rfq_id": "x", "yes_bid": 0.4}', quoter, {}),
        ("AcceptQuote", b'{"accepted_side": "maybe"}', requester, of(quote_id)),
        ("AcceptQuote", b"", requester, of(quote_id)),
    ):
        answer = await member.refused(name, 400, content=content, **path)
        assert answer["code"] == "bad_request", name
    await requester.ok("AcceptQuote", yes, **of(quote_id))
    await requester.refused("AcceptQuote", 400, yes, **of(quote_id))
    await requester.refused("ConfirmQuote", 400, **of(quote_id))
    assert (await table.shown(quote_id))["status"] == "accepted"
    assert not (await quoter.ok("GetFills"))["fills"]


async def test_withdrawing(table: Table) -> None:
    rfq_id = await table.ask()
    first = await table.quote(rfq_id)
    await table.quoter.ok("DeleteRFQQuote", **of(first, rfq_id))
    second = await table.quote(rfq_id)
    await table.quoter.ok("DeleteQuote", **of(second))
    third = await table.quote(rfq_id)
    await table.requester.ok("DeleteRFQ", names={"rfq_id": rfq_id})
    reasons = [(await table.shown(one))["cancellation_reason"] for one in (first, second, third)]
    assert reasons == ["deleted", "deleted", "rfq_closed"]
    answer = await table.requester.refused("DeleteRFQ", 400, names={"rfq_id": rfq_id})
    assert answer["error"]["code"] == "RFQ_CLOSED"


async def test_an_unconfirmed_quote_lapses(table: Table) -> None:
    rfq_id = await table.ask()
    quote_id = await table.quote(rfq_id)
    await table.requester.ok("AcceptQuote", {"accepted_side": "yes"}, **of(quote_id))
    table.desk.exchange.advance(31)
    await table.quoter.refused("ConfirmQuote", 400, **of(quote_id))
    shown = await table.shown(quote_id)
    assert (shown["status"], shown["cancellation_reason"]) == (
        "cancelled",
        "confirmation_window_expired",
    )


async def test_a_trade_without_the_money_for_it(table: Table) -> None:
    rfq_id = await table.ask(count="100000")
    quote_id = await table.quote(rfq_id)
    await table.requester.ok("AcceptQuote", {"accepted_side": "yes"}, **of(quote_id))
    answer = await table.quoter.refused("ConfirmQuote", 400, **of(quote_id))
    assert answer["error"]["code"] == "insufficient_balance"
    assert (await table.shown(quote_id))["status"] == "cancelled"
    assert (await table.requester.ok("GetPositions"))["market_positions"] == []


def in_a_minute() -> str:
    return (datetime.now(UTC) + timedelta(minutes=1)).isoformat().replace("+00:00", "Z")


def block(table: Table, **fields: Any) -> dict[str, Any]:
    return {
        "buyer_user_id": table.requester.credentials.user_id,
        "seller_user_id": table.quoter.credentials.user_id,
        "market_ticker": FIRST,
        "price_centi_cents": 4000,
        "centicount": 2500,
        "maker_side": "no",
        "expiration_ts": in_a_minute(),
        **fields,
    }


async def test_a_block_trade(table: Table) -> None:
    made = await table.requester.ok("ProposeBlockTrade", block(table))
    path = {"names": {"block_trade_proposal_id": made["block_trade_proposal_id"]}}
    await table.requester.refused("AcceptBlockTradeProposal", 400, **path)
    assert await table.stranger.refused("AcceptBlockTradeProposal", 404, **path) == NOT_FOUND
    assert (await table.stranger.ok("GetBlockTradeProposals"))["block_trade_proposals"] == []
    await table.quoter.ok("AcceptBlockTradeProposal", **path)
    await table.quoter.refused("AcceptBlockTradeProposal", 400, **path)
    (shown,) = (await table.quoter.ok("GetBlockTradeProposals"))["block_trade_proposals"]
    assert (shown["status"], shown["buyer_accepted"], shown["seller_accepted"]) == (
        "executed",
        True,
        True,
    )
    assert shown["created_ts"] == shown["buyer_accepted_ts"] < shown["seller_accepted_ts"]
    assert shown["executed_ts"] == shown["seller_accepted_ts"]
    (fill,) = (await table.requester.ok("GetFills"))["fills"]
    assert (fill["order_id"], fill["is_taker"]) == (shown["buyer_order_id"], True)
    assert (fill["count_fp"], fill["yes_price_dollars"]) == ("25.00", "0.4000")
    (trade,) = (await table.stranger.ok("GetTrades", ticker=FIRST))["trades"]
    assert trade["is_block_trade"] is True


async def test_block_trades_that_are_refused(table: Table) -> None:
    requester, stranger = table.requester, table.stranger
    await stranger.refused("ProposeBlockTrade", 403, block(table))
    for fields in (
        {"price_centi_cents": 4050},
        {"price_centi_cents": 10_000},
        {"price_centi_cents": 0},
        {"centicount": "5"},
        {"market_ticker": "UNKNOWN"},
        {"seller_user_id": UNKNOWN},
        {"seller_user_id": requester.credentials.user_id},
        {"expiration_ts": "soon"},
        {"expiration_ts": "2020-01-01T00:00:00Z"},
        {"maker_side": "maker"},
    ):
        await requester.refused("ProposeBlockTrade", 400, block(table, **fields))
    made = await requester.ok("ProposeBlockTrade", block(table))
    table.desk.exchange.advance(120)
    path = {"names": {"block_trade_proposal_id": made["block_trade_proposal_id"]}}
    await table.quoter.refused("AcceptBlockTradeProposal", 400, **path)
    (shown,) = (await requester.ok("GetBlockTradeProposals", status="expired"))[
        "block_trade_proposals"
    ]
    assert shown["id"] == made["block_trade_proposal_id"]


async def test_every_answer_and_message_fits_the_contract(table: Table, shared: Path) -> None:
    await test_lists_and_their_filters(table)
    await table.requester.ok(
        "DeleteRFQ", names={"rfq_id": (await table.ask(replace_existing=True))}
    )
    await test_a_target_cost_becomes_a_count(table)
    await test_a_block_trade(table)
    rfq_id = await table.ask(SECOND, replace_existing=True)
    quote_id = await table.quote(rfq_id)
    await table.requester.ok("AcceptQuote", {"accepted_side": "yes"}, **of(quote_id))
    await table.quoter.ok("ConfirmQuote", {}, **of(quote_id))
    await table.requester.ok("GetRFQ", names={"rfq_id": rfq_id})
    await table.shown(quote_id)
    for member in (table.requester, table.quoter, table.stranger):
        member.check()
    frames = WsContract(shared / "contract" / "websocket-2.0.0.json")
    for number, (kind, msg, _) in enumerate(table.heard, 1):
        assert frames.problems({"type": kind, "sid": 1, "seq": number, "msg": msg}) == []
    assert {"rfq_created", "rfq_deleted", "quote_created", "quote_accepted", "quote_executed"} <= (
        set(table.kinds())
    )
