"""Money and restarts: what RFQs, batches and moved positions leave behind adds up and lasts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from kalshi_async.sandbox import Sandbox
from kalshi_async.sandbox._errors import ApiError
from kalshi_async.sandbox._fcm import FcmMembers
from kalshi_async.sandbox._fcm_risk import move_position
from kalshi_async.sandbox._units import CONTRACT, ONE

from .engines import engine, place, there
from .members import Member
from .rfq_desks import Floor

PRICES = st.integers(0, 100).map(lambda cents: cents * 100)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from("abc"),
            st.integers(1, 300_000),
            PRICES,
            PRICES,
            st.sampled_from(("yes", "no")),
        ),
        max_size=12,
    )
)
def test_whatever_is_quoted_no_money_comes_or_goes(deals: list[Any]) -> None:
    floor = Floor(dollars=1_000)
    for requester, quoter, count, yes, no, side in deals:
        try:
            rfq = floor.ask(requester, contracts=count, replace=True)
            quote = floor.quote(rfq, quoter, yes=yes, no=no)
            floor.desk.accept(requester, quote.id, side, floor.now)
            floor.desk.confirm(quoter, quote.id, floor.now)
        except ApiError:
            pass
        assert there(floor.engine) == 3 * 1_000 * 1_000_000
        for trader in floor.engine.traders.values():
            assert all(wallet.free >= 0 for wallet in trader.wallets.values())
    held = [
        position.count
        for trader in floor.engine.traders.values()
        for position in trader.positions.values()
    ]
    assert sum(held) == 0


@given(
    moves=st.lists(
        st.tuples(
            st.integers(0, 2),
            st.integers(0, 2),
            st.integers(-500, 500).filter(bool),
            st.integers(0, ONE),
        ),
        max_size=10,
    ),
    resting=st.integers(0, 900),
)
def test_a_moved_position_takes_no_money_along(
    moves: list[tuple[int, int, int, int]], resting: int
) -> None:
    exchange = engine(dollars=20)
    trader = exchange.traders["a"]
    for _ in range(2):
        exchange.create_subaccount("a", 1)
    place(exchange, "b", "ask", 4000, 9)
    place(exchange, "a", "bid", 4000, 9)
    if resting:
        place(exchange, "a", "ask", 6000, resting / 100)
    market = exchange.markets["M"]
    total = there(exchange)
    for source, target, count, price in moves:
        if source == target:
            continue
        before = {key: position.count for key, position in trader.positions.items()}
        cash = sum(wallet.cash for wallet in trader.wallets.values())
        interest = market.open_interest
        try:
            move_position(
                exchange,
                trader,
                market,
                source=source,
                target=target,
                count=count,
                price=price,
                now=2,
            )
        except ApiError:
            assert {key: held.count for key, held in trader.positions.items()} == before
            assert (sum(one.cash for one in trader.wallets.values()), market.open_interest) == (
                cash,
                interest,
            )
        assert there(exchange) == total
        assert all(wallet.free >= 0 for wallet in trader.wallets.values())
    assert sum(held.count for held in trader.positions.values()) == 9 * CONTRACT


async def test_what_was_agreed_before_a_restart_holds_after_it(tmp_path: Path) -> None:
    options: dict[str, Any] = {"markets": 600, "tier": None, "state": tmp_path / "state.db"}
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        async with Sandbox.serve(**options) as exchange:
            members = [Member(exchange, http, exchange.add_account(tier=None)) for _ in range(2)]
            requester, quoter = members
            exchange._exchange.room(FcmMembers).add(requester.credentials.user_id)
            made = await requester.ok("CreateFCMSubtrader", {"subtrader_suffix": "ALPHA"})
            collection = exchange.catalog.generated.collections[0]
            legs = [
                {
                    "event_ticker": event.ticker,
                    "market_ticker": event.markets[0].ticker,
                    "side": "yes",
                }
                for event in collection.events[:2]
            ]
            combo = await requester.ok(
                "CreateMarketInMultivariateEventCollection",
                {"selected_markets": legs},
                names={"collection_ticker": collection.ticker},
            )
            ticker = legs[0]["market_ticker"]
            shard = exchange._exchange.engine.markets[ticker].shard
            for member in members:
                exchange.deposit(member.credentials.user_id, "500.00", exchange_index=shard)
            rfq = {"market_ticker": ticker, "contracts_fp": "10.00", "rest_remainder": False}
            rfq_id = (await requester.ok("CreateRFQ", rfq))["id"]
            prices = {"rfq_id": rfq_id, "yes_bid": "0.40", "no_bid": "0", "rest_remainder": False}
            quote = {"names": {"quote_id": (await quoter.ok("CreateQuote", prices))["id"]}}
            await requester.ok("AcceptQuote", {"accepted_side": "yes"}, **quote)
        async with Sandbox.serve(**options) as exchange:
            again = [Member(exchange, http, exchange.add_account(tier=None)) for _ in range(2)]
            assert [one.credentials for one in again] == [one.credentials for one in members]
            requester, quoter = again
            await quoter.ok("ConfirmQuote", **quote)
            shown = (await requester.ok("GetQuote", **quote))["quote"]
            assert shown["status"] == "executed"
            assert len((await quoter.ok("GetFills"))["fills"]) == 1
            listed = (await requester.ok("ListFCMSubtraders"))["subtraders"]
            assert [one["subtrader_id"] for one in listed] == [made["subtrader_id"]]
            market = await requester.ok("GetMarket", names={"ticker": combo["market_ticker"]})
            assert market["market"]["status"] == "active"
            assert market["market"]["mve_selected_legs"] == legs
