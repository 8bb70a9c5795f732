"""The people of a trading day, and what they do between the opening and the settlement."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kalshi_async.sandbox import Activity, Credentials, Sandbox
from kalshi_async.sandbox._catalog.catalog import Catalog
from kalshi_async.sandbox._catalog.draw import default_now
from kalshi_async.sandbox._fcm import FcmMembers

from .conftest import Api
from .desk import FAR, FIRST, SECOND, named, order, quiet_markets
from .members import Member
from .test_operations import requests
from .witness import Witness

FED = "KXFED-26MAR19"
LATE = "2027-01-01T00:00:00Z"
START = 1_790_000_000.0
CAP = "FCMEventContractDailyCap"


@dataclass
class Day:
    """Two members (Ed25519 and RSA), an FCM, a key locked to a subaccount, keys that only read and
    only write, and an account whose buckets never fill again.
    """

    exchange: Sandbox
    witness: Witness
    alice: Member
    bob: Member
    fcm: Member
    reader: Member
    writer: Member
    slow: Member

    def with_key(self, member: Member, key_id: str, pem: bytes) -> Member:
        """The same account by another of its keys."""
        credentials = Credentials(key_id, pem, member.credentials.user_id)
        return Member(self.exchange, self.witness.client, credentials, clock=member.clock)

    def user_id(self, member: Member) -> str:
        return member.credentials.user_id


def empty_markets(folder: Path) -> Path:
    """A file of markets with nothing in them, and with every field that a market has."""
    market = Catalog(seed=7, markets=1, now=default_now(7)).market(FED)
    assert market is not None
    template = json.loads(market.json())
    closed = {"close_time": LATE, "expiration_time": LATE, "latest_expiration_time": LATE}
    quotes = {"yes_bid_dollars": "0.0000", "yes_ask_dollars": "1.0000"}
    quotes |= {"no_bid_dollars": "0.0000", "no_ask_dollars": "1.0000"}
    markets = [
        {**template, **closed, **quotes, **quiet}
        for quiet in json.loads(quiet_markets(folder).read_text())["markets"]
    ]
    path = folder / "empty.json"
    path.write_text(json.dumps({"markets": markets}))
    return path


@asynccontextmanager
async def opening(folder: Path) -> AsyncIterator[Day]:
    """An exchange on a clock that stands still unless it is advanced, with some life of its own."""
    witness = Witness()
    serving = Sandbox.serve(
        markets=600,
        load=[empty_markets(folder)],
        tier=None,
        activity=Activity(speed=0.02, markets=5),
        clock=lambda: START,
        timer=lambda: 0.0,
    )
    async with serving as exchange, witness.client as http:

        def member(**options: Any) -> Member:
            found = exchange.add_account(**options)
            for shard in (1, 2):
                exchange.deposit(found.user_id, "2000.00", exchange_index=shard)
            return Member(exchange, http, found, clock=lambda: START)

        yield Day(
            exchange,
            witness,
            alice=member(),
            bob=member(key_type="rsa"),
            fcm=member(),
            reader=member(scopes=("read",)),
            writer=member(scopes=("write",)),
            slow=member(tier="basic"),
        )


def transfer(number: int, source: int, target: int, cents: int) -> dict[str, Any]:
    return {
        "client_transfer_id": str(UUID(int=number)),
        "from_subaccount": source,
        "to_subaccount": target,
        "amount_cents": cents,
    }


# What happens in the day, in this order


async def look_around(day: Day) -> None:
    """Everything that needs no key."""
    api = Api(day.exchange, day.witness.client)
    for _, path, params in await requests(api):
        await api.get(path, **params)


async def watch(day: Day) -> None:
    """What somebody reads all day long, of markets that move."""
    for name, params in (
        ("GetMarkets", {"limit": 20}),
        ("GetTrades", {"limit": 50}),
        ("GetMarket", {}),
        ("GetMarketOrderbook", {}),
        ("GetExchangeStatus", {}),
        ("GetPositions", {}),
    ):
        await day.alice.ok(name, names={"ticker": FED}, **params)


async def set_up_accounts(day: Day) -> None:
    alice = day.alice
    await alice.ok("CreateSubaccount", {})
    await alice.ok("ApplySubaccountTransfer", transfer(1, 0, 1, 100_000))
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    made = await alice.ok("CreateApiKey", {"name": "own", "public_key": pem})
    await alice.ok("DeleteApiKey", names={"api_key": made["api_key_id"]})
    for key_type in ("rsa", "ed25519"):
        wanted = {"name": key_type, "key_type": key_type, "subaccount": 1}
        made = await alice.ok("GenerateApiKey", wanted)
        locked = day.with_key(alice, made["api_key_id"], made["private_key"].encode())
        placed = await locked.ok("CreateOrderV2", order(price="0.11", subaccount=1))
        await locked.refused("CreateOrderV2", 403, order(subaccount=0))
        await alice.ok("CancelOrderV2", subaccount=1, **named(placed["order_id"]))
    await alice.ok("GetApiKeys")
    await alice.ok("UpgradeAccountApiUsageLevel")
    await alice.ok("GetAccountApiLimits")
    await alice.ok("GetAccountApiUsageLevelVolumeProgress")
    await alice.ok("UpdateSubaccountNetting", {"subaccount_number": 1, "enabled": False})
    await alice.ok("GetSubaccountNetting")


async def move_money(day: Day) -> None:
    alice = day.alice
    day.exchange.deposit(day.user_id(alice), "-25.50")
    between = {"source": "event_contract", "destination": "event_contract", "amount": 50_000}
    made = await alice.ok(
        "IntraExchangeInstanceTransfer", {**between, "destination_exchange_shard": 2}
    )
    await alice.ok("GetIntraExchangeInstanceTransfer", names=made)
    shares = [{"exchange_index": shard, "percent": 50} for shard in (0, 2)]
    await day.bob.ok("SetTargetBalanceAllocation", {"allocations": shares})
    await day.bob.ok("GetTargetBalanceAllocation")
    for name in (
        *("GetBalance", "GetDeposits", "GetWithdrawals", "GetIntraExchangeInstanceTransfers"),
        *("GetSubaccountBalances", "GetSubaccountTransfers", "GetPortfolioRestingOrderTotalValue"),
    ):
        await alice.ok(name)


async def trade(day: Day) -> None:
    """A book is quoted, taken from, amended and cancelled."""
    alice, bob = day.alice, day.bob
    group = (await alice.ok("CreateOrderGroup", {"contracts_limit_fp": "40.00"}))["order_group_id"]
    bids = [
        (await alice.ok("CreateOrderV2", order(price=f"0.4{tick}", order_group_id=group)))
        for tick in range(5)
    ]
    asks = {"orders": [order("ask", f"0.5{tick}", "2.50") for tick in range(3)] + [order("x")]}
    await bob.refused("BatchCreateOrdersV2", 400, asks)
    asks["orders"][-1] = order("ask", "0.505")
    placed = (await bob.ok("BatchCreateOrdersV2", asks))["orders"]
    assert "error" in placed[-1]
    await bob.ok("CreateOrderV2", order("ask", "0.43", "12", time_in_force="immediate_or_cancel"))
    await bob.refused("CreateOrderV2", 400, order("bid", "0.51", post_only=True))
    await bob.refused(
        "CreateOrderV2", 409, order("ask", "0.42", "900", time_in_force="fill_or_kill")
    )
    far = await alice.ok("CreateOrderV2", order(ticker=FAR))
    await alice.refused("CancelOrderV2", 404, **named(far["order_id"]))
    change = {"ticker": FIRST, "side": "bid", "price": "0.45", "count": "8"}
    await alice.ok("AmendOrderV2", change, **named(bids[1]["order_id"]))
    await alice.ok("DecreaseOrderV2", {"reduce_by": "1.25"}, **named(bids[0]["order_id"]))
    await alice.ok("GetOrder", **named(bids[4]["order_id"]))
    await alice.ok("GetOrderQueuePosition", **named(bids[0]["order_id"]))
    await alice.ok("GetOrderQueuePositions", event_ticker=FIRST[:-2])
    await alice.ok("GetOrders", limit=3)
    await alice.ok("CancelOrderV2", **named(bids[0]["order_id"]))
    await run_group(alice, group)
    wanted = [{"order_id": each["order_id"]} for each in placed[:2]] + [{"order_id": "unknown"}]
    await bob.ok("BatchCancelOrdersV2", {"orders": wanted})
    for name in ("GetFills", "GetPositions", "GetFillsHistorical", "GetHistoricalOrders"):
        await alice.ok(name)
    await alice.ok("GetHistoricalPositions")
    await alice.ok("CancelAllOrders")


async def run_group(member: Member, group: str) -> None:
    path = {"names": {"order_group_id": group}}
    await member.ok("GetOrderGroups")
    await member.ok("GetOrderGroup", **path)
    await member.ok("UpdateOrderGroupLimit", {"contracts_limit": 5}, **path)
    await member.ok("TriggerOrderGroup", {}, **path)
    await member.refused("CreateOrderV2", 400, order(order_group_id=group))
    await member.ok("ResetOrderGroup", {}, **path)
    await member.ok("CreateOrderV2", order(price="0.40", order_group_id=group))
    await member.ok("DeleteOrderGroup", **path)


async def talk(day: Day) -> None:
    """RFQs by both families of paths, a block trade, a batch of RFQs, a combo."""
    alice, bob = day.alice, day.bob
    await alice.ok("GetCommunicationsID")
    for scope in ("", "RFQ"):
        body = {"market_ticker": SECOND, "contracts_fp": "10.00", "rest_remainder": False}
        rfq = {"rfq_id": (await alice.ok("CreateRFQ", body))["id"]}
        prices = {**rfq, "yes_bid": "0.40", "no_bid": "0.55", "rest_remainder": False}
        first, second = [(await bob.ok("CreateQuote", prices))["id"] for _ in range(2)]
        gone, kept = (
            {"names": {"quote_id": quote} | (rfq if scope else {})} for quote in (first, second)
        )
        await bob.refused(f"Delete{scope}Quote", 400, **gone)
        await alice.ok(f"Accept{scope}Quote", {"accepted_side": "no"}, **kept)
        await bob.ok(f"Confirm{scope}Quote", **kept)
        await alice.ok(f"Get{scope}Quote", **kept)
        await alice.ok("GetRFQ", names=rfq)
        rfq = {"rfq_id": (await alice.ok("CreateRFQ", body))["id"]}
        quote = (await bob.ok("CreateQuote", prices | rfq))["id"]
        names = {"quote_id": quote} | (rfq if scope else {})
        await bob.ok(f"Delete{scope}Quote", names=names)
        await alice.ok("GetQuotes", user_filter="self")
        await alice.ok("GetRFQs")
        await alice.ok("DeleteRFQ", names=rfq)
    await block_trade(day)
    await talk_in_batches(day)
    await make_combo(day)


async def block_trade(day: Day) -> None:
    wanted = {
        "buyer_user_id": day.user_id(day.alice),
        "seller_user_id": day.user_id(day.bob),
        "market_ticker": SECOND,
        "price_centi_cents": 4000,
        "centicount": 2500,
        "maker_side": "no",
        "expiration_ts": "2026-12-31T00:00:00Z",
    }
    made = await day.alice.ok("ProposeBlockTrade", wanted)
    await day.bob.ok("AcceptBlockTradeProposal", names=made)
    await day.bob.ok("GetBlockTradeProposals")


async def talk_in_batches(day: Day) -> None:
    alice, bob = day.alice, day.bob
    children = [{"market_ticker": FIRST}, {"market_ticker": SECOND}]
    for accepted in (True, False):
        wanted = {"children": children, "contracts_fp": "2.00"}
        batch = (await alice.ok("CreateRFQBatch", wanted))["rfq_batch"]
        path = {"rfq_batch_id": batch["id"]}
        ids = [rfq["id"] for rfq in batch["rfqs"]]
        quotes = [{"rfq_id": rfq, "yes_bid": "0.40", "no_bid": "0.50"} for rfq in ids]
        body = {"quotes": quotes, "rest_remainder": False}
        quote = (await bob.ok("CreateRFQBatchQuote", body, names=path))["id"]
        await alice.ok("GetRFQBatch", names=path)
        await alice.ok("GetRFQBatches")
        await alice.ok("GetRFQBatchBestQuotes", names=path)
        await alice.ok("GetRFQBatchQuotes", names=path)
        if accepted:
            limits = [{"rfq_id": rfq, "bid_dollars": "0.01"} for rfq in ids]
            chosen = {"accepted_side": "yes", "min_bids": limits}
            await alice.ok("AcceptRFQBatch", chosen, names=path)
            await bob.ok("ConfirmRFQBatchQuote", names=path | {"batch_quote_id": quote})
        else:
            await bob.ok("DeleteRFQBatchQuote", names=path | {"batch_quote_id": quote})
            await alice.ok("DeleteRFQBatch", names=path)


async def make_combo(day: Day) -> None:
    collection = day.exchange.catalog.generated.collections[0]
    legs = [
        {"event_ticker": event.ticker, "market_ticker": event.markets[0].ticker, "side": side}
        for event, side in zip(collection.events, ("yes", "no"), strict=False)
    ]
    made = await day.alice.ok(
        "CreateMarketInMultivariateEventCollection",
        {"selected_markets": legs, "with_market_payload": True},
        names={"collection_ticker": collection.ticker},
    )
    await day.alice.ok("CreateOrderV2", order(price="0.30", ticker=made["market_ticker"]))
    await day.alice.ok("GetMarket", names={"ticker": made["market_ticker"]})


async def clear_for_customers(day: Day) -> None:
    """What an FCM does for its subtraders."""
    fcm = day.fcm
    members = day.exchange._exchange.room(FcmMembers)
    error_account = members.add(day.user_id(fcm)).error_account
    made = await fcm.ok("CreateFCMSubtrader", {"subtrader_suffix": "ALPHA"})
    who = {"subtrader_id": made["subtrader_id"]}
    subaccount = members.subaccount_of(day.user_id(fcm), who["subtrader_id"])
    await fcm.ok("ApplySubaccountTransfer", transfer(2, 0, subaccount, 10_000))
    await fcm.ok(f"Update{CAP}", who | {"limit": "50.00"})
    await day.bob.ok("CreateOrderV2", order("ask", "0.40", ticker=SECOND))
    own = order("bid", "0.40", ticker=SECOND, subaccount=subaccount)
    await fcm.ok("CreateOrderV2", own)
    blocked = who | {"category": "Crypto", "blocked": True}
    await fcm.ok("UpdateFCMSubtraderBlockedCategories", blocked)
    moved = {
        "source_subtrader_id": who["subtrader_id"],
        "target_subtrader_id": f"{error_account}_ERR1",
        "market_ticker": SECOND,
        "position_centicount": 100,
        "price_centicents": 0,
    }
    await fcm.ok("CreateFCMPositionTransfer", moved)
    for name in ("ListFCMSubtraders", "GetFCMOrders", "GetFCMFills", "GetFCMPositions"):
        await fcm.ok(name)
    await fcm.ok("GetFCMSubtraderBlockedCategories", **who)
    await fcm.ok(f"Get{CAP}", **who)
    await fcm.ok(f"Delete{CAP}", **who)


async def ask_forecasters(day: Day) -> None:
    now = day.exchange.catalog.now // 1_000_000
    await day.alice.ok(
        "GetEventForecastPercentilesHistory",
        names={"series_ticker": "KXFED", "ticker": "KXFED-26MAR19"},
        percentiles=[2500, 5000],
        start_ts=now - 86_400,
        end_ts=now,
        period_interval=60,
    )


async def settle(day: Day) -> None:
    """One market ends, and what it paid is there to be read."""
    day.exchange.settle(SECOND, "yes")
    for member in (day.alice, day.bob, day.fcm):
        paid = (await member.ok("GetSettlements"))["settlements"]
        assert {each["ticker"] for each in paid} == {SECOND}
        await member.ok("GetPositions", settlement_status="all")
    await day.bob.refused("CreateOrderV2", 400, order(ticker=SECOND))
