"""Balance, positions, fills, settlements and payments of an account, over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from kalshi_async.sandbox import Sandbox

from .members import Member, place, quiet_events, trade

START = Decimal(10_000)


class Floor:
    """Two members, and two markets of one event with room inside their spreads."""

    def __init__(self, exchange: Sandbox, http: httpx.AsyncClient) -> None:
        self.exchange = exchange
        self.alice = Member(exchange, http, exchange.add_account(deposit=START))
        self.bob = Member(exchange, http, exchange.add_account(deposit=START))
        self.event, markets = next(iter(quiet_events(exchange).items()))
        (self.ticker, self.price), (self.other, self.other_price) = sorted(markets)[:2]


@pytest.fixture
async def floor(exchange: Sandbox) -> AsyncIterator[Floor]:
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        yield Floor(exchange, http)


def dollars(amounts: list[dict[str, Any]], name: str) -> Decimal:
    return sum((Decimal(each[name]) for each in amounts), Decimal(0))


async def test_both_sides_of_a_trade_see_it_in_fills_positions_and_balance(floor: Floor) -> None:
    await trade(floor.alice, floor.bob, floor.ticker, "10.00", floor.price)
    paid = {"yes": Decimal(floor.price) * 10, "no": (1 - Decimal(floor.price)) * 10}
    seen = []
    for member, outcome, count in ((floor.alice, "yes", "10.00"), (floor.bob, "no", "-10.00")):
        (fill,) = (await member.ok("GetFills"))["fills"]
        (position,) = (await member.ok("GetPositions"))["market_positions"]
        balance = await member.ok("GetBalance")
        seen.append(fill)
        assert fill["outcome_side"] == outcome
        assert fill["count_fp"] == "10.00"
        assert fill["yes_price_dollars"] == floor.price
        assert position["ticker"] == floor.ticker
        assert position["position_fp"] == count
        assert Decimal(position["market_exposure_dollars"]) == paid[outcome]
        assert Decimal(position["fees_paid_dollars"]) == Decimal(fill["fee_cost"])
        left = START - paid[outcome] - Decimal(fill["fee_cost"])
        assert Decimal(balance["balance_dollars"]) == left
        assert balance["balance"] == int(left * 100)
    assert [fill["is_taker"] for fill in seen] == [False, True]
    assert len({fill["fill_id"] for fill in seen}) == 1
    assert len({fill["order_id"] for fill in seen}) == 2


async def test_what_backs_a_resting_order_cannot_be_spent_and_is_reported(floor: Floor) -> None:
    bid, ask = Decimal(floor.price) * 10, (1 - Decimal(floor.other_price)) * 4
    await place(floor.alice, floor.ticker, "bid", "10.00", floor.price)
    await place(floor.alice, floor.other, "ask", "4.00", floor.other_price)
    value = await floor.alice.ok("GetPortfolioRestingOrderTotalValue")
    assert value["total_resting_order_value"] == int((bid + ask) * 100)
    assert dollars(value["resting_order_value_breakdown"], "balance") == bid + ask
    balance = await floor.alice.ok("GetBalance")
    assert Decimal(balance["balance_dollars"]) <= START - bid - ask
    assert dollars(balance["balance_breakdown"], "balance") == Decimal(balance["balance_dollars"])
    await floor.alice.ok("CancelAllOrders")
    assert (await floor.alice.ok("GetBalance"))["balance"] == int(START * 100)
    value = await floor.alice.ok("GetPortfolioRestingOrderTotalValue")
    assert value["total_resting_order_value"] == 0


async def test_a_portfolio_is_worth_the_bids_for_it_and_after_the_result_what_it_pays(
    floor: Floor,
) -> None:
    await trade(floor.alice, floor.bob, floor.ticker, "10.00", floor.price)
    best = {side: levels[0][0] for side, levels in floor.exchange.book(floor.ticker).items()}
    for member, side in ((floor.alice, "yes"), (floor.bob, "no")):
        balance = await member.ok("GetBalance")
        assert balance["portfolio_value"] == int(best[side] * 1000)
    floor.exchange.determine(floor.ticker, Decimal("0.25"))
    assert (await floor.alice.ok("GetBalance"))["portfolio_value"] == 250
    assert (await floor.bob.ok("GetBalance"))["portfolio_value"] == 750


async def test_positions_page_by_market_and_name_each_event_once_and_as_a_whole(
    floor: Floor,
) -> None:
    await trade(floor.alice, floor.bob, floor.ticker, "10.00", floor.price)
    await trade(floor.bob, floor.alice, floor.other, "2.50", floor.other_price)
    found = await floor.alice.pages("GetPositions", "market_positions", limit=1)
    assert [each["ticker"] for each in found] == [floor.ticker, floor.other]
    assert [each["position_fp"] for each in found] == ["10.00", "-2.50"]
    (event,) = await floor.alice.pages("GetPositions", "event_positions", limit=1000)
    assert event["event_ticker"] == floor.event
    assert event["total_cost_shares_fp"] == "12.50"
    for ours, theirs in (
        ("event_exposure_dollars", "market_exposure_dollars"),
        ("total_cost_dollars", "total_traded_dollars"),
        ("fees_paid_dollars", "fees_paid_dollars"),
    ):
        assert Decimal(event[ours]) == dollars(found, theirs)
    first = await floor.alice.ok("GetPositions", limit=1)
    second = await floor.alice.ok("GetPositions", limit=1, cursor=first["cursor"])
    assert [len(page["event_positions"]) for page in (first, second)] == [1, 0]
    assert first["event_positions"] == [event]


async def test_positions_are_filtered(floor: Floor) -> None:
    await trade(floor.alice, floor.bob, floor.ticker, "10.00", floor.price)
    await trade(floor.alice, floor.bob, floor.other, "3.00", floor.other_price)
    await trade(floor.bob, floor.alice, floor.other, "3.00", floor.other_price)

    async def tickers(**params: Any) -> list[str]:
        found = (await floor.alice.ok("GetPositions", **params))["market_positions"]
        return [each["ticker"] for each in found]

    assert await tickers() == [floor.ticker, floor.other]
    assert await tickers(count_filter="position") == [floor.ticker]
    assert await tickers(count_filter="position,total_traded") == [floor.ticker, floor.other]
    assert await tickers(ticker=floor.other) == [floor.other]
    assert await tickers(event_ticker=floor.event) == [floor.ticker, floor.other]
    assert await tickers(event_ticker="UNKNOWN") == []
    assert await tickers(exchange_index=1) == []
    assert await tickers(settlement_status="settled") == []
    floor.exchange.settle(floor.ticker, "yes")
    floor.exchange.settle(floor.other, "no")
    assert await tickers() == []
    assert await tickers(settlement_status="settled") == [floor.ticker, floor.other]
    assert await tickers(settlement_status="all") == [floor.ticker, floor.other]
    historical = await floor.alice.ok("GetHistoricalPositions")
    assert historical["market_positions"] == []


@pytest.mark.parametrize(
    ("outcome", "result", "value"), [("yes", "yes", 100), ("no", "no", 0), ("0.37", "scalar", 37)]
)
async def test_a_settlement_pays_both_sides_a_dollar_together(
    floor: Floor, outcome: str, result: str, value: int
) -> None:
    await trade(floor.alice, floor.bob, floor.ticker, "10.00", floor.price)
    before = [(await each.ok("GetBalance"))["balance_dollars"] for each in (floor.alice, floor.bob)]
    floor.exchange.settle(floor.ticker, outcome)
    settled = []
    for member, side, had in ((floor.alice, "yes", before[0]), (floor.bob, "no", before[1])):
        (settlement,) = (await member.ok("GetSettlements"))["settlements"]
        settled.append(settlement)
        assert settlement["market_result"] == result
        assert settlement["value"] == value
        assert settlement[f"{side}_count_fp"] == "10.00"
        now = Decimal((await member.ok("GetBalance"))["balance_dollars"])
        assert now == Decimal(had) + Decimal(settlement["revenue"]) / 100
    assert sum(each["revenue"] for each in settled) == 1000
    assert settled[0]["revenue"] == value * 10
    assert Decimal(settled[0]["yes_total_cost_dollars"]) == Decimal(floor.price) * 10
    assert Decimal(settled[1]["no_total_cost_dollars"]) == (1 - Decimal(floor.price)) * 10


async def test_settlements_are_filtered_and_paged_newest_first(floor: Floor) -> None:
    await trade(floor.alice, floor.bob, floor.ticker, "10.00", floor.price)
    await trade(floor.alice, floor.bob, floor.other, "1.00", floor.other_price)
    floor.exchange.settle(floor.other, "no")
    floor.exchange.advance(100)
    floor.exchange.settle(floor.ticker, "yes")
    found = await floor.alice.pages("GetSettlements", "settlements", limit=1)
    assert [each["ticker"] for each in found] == [floor.ticker, floor.other]
    (one,) = (await floor.alice.ok("GetSettlements", ticker=floor.other))["settlements"]
    assert one == found[1]
    both = await floor.alice.ok("GetSettlements", event_ticker=floor.event)
    assert both["settlements"] == found
    as_of = await floor.alice.ok("GetBalance")
    late = await floor.alice.ok("GetSettlements", min_ts=as_of["updated_ts"] - 50)
    assert late["settlements"] == found[:1]


async def test_fills_page_newest_first_whatever_is_traded_meanwhile(floor: Floor) -> None:
    for count in ("1.00", "2.00", "3.00", "4.00", "5.00"):
        await trade(floor.alice, floor.bob, floor.ticker, count, floor.price)
    first = await floor.alice.ok("GetFills", limit=2)
    assert [fill["count_fp"] for fill in first["fills"]] == ["5.00", "4.00"]
    await trade(floor.alice, floor.bob, floor.ticker, "6.00", floor.price)
    second = await floor.alice.ok("GetFills", limit=2, cursor=first["cursor"])
    assert [fill["count_fp"] for fill in second["fills"]] == ["3.00", "2.00"]
    found = await floor.alice.pages("GetFills", "fills", limit=4)
    assert [fill["count_fp"] for fill in found] == [f"{count}.00" for count in range(6, 0, -1)]
    # As on the exchange, a cursor that means nothing starts again.
    for nonsense in ("garbage", "CgkIgOLPqgYQoB8SATE"):
        again = await floor.alice.ok("GetFills", limit=4, cursor=nonsense)
        assert again["fills"] == found[:4]


async def test_fills_are_filtered(floor: Floor) -> None:
    await trade(floor.alice, floor.bob, floor.ticker, "1.00", floor.price)
    floor.exchange.advance(1000)
    await floor.alice.ok("CreateSubaccount")
    await floor.alice.ok(
        "ApplySubaccountTransfer",
        {
            "client_transfer_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
            "from_subaccount": 0,
            "to_subaccount": 1,
            "amount_cents": 10_000,
        },
    )
    order = await place(floor.alice, floor.other, "bid", "2.00", floor.other_price, subaccount=1)
    await place(floor.bob, floor.other, "ask", "2.00", floor.other_price)
    new, old = (await floor.alice.ok("GetFills"))["fills"]
    assert [new["subaccount_number"], old["subaccount_number"]] == [1, 0]
    for params, expected in (
        ({"ticker": floor.ticker}, [old]),
        ({"order_id": order["order_id"]}, [new]),
        ({"order_id": "unknown"}, []),
        ({"subaccount": 0}, [old]),
        ({"subaccount": 1}, [new]),
        ({"exchange_index": 0}, [new, old]),
        ({"exchange_index": 2}, []),
        ({"min_ts": new["ts"]}, [new]),
        ({"max_ts": new["ts"] - 1}, [old]),
        ({"min_ts": old["ts"], "max_ts": new["ts"] + 1}, [new, old]),
    ):
        assert (await floor.alice.ok("GetFills", **params))["fills"] == expected, params
    assert (await floor.alice.ok("GetFillsHistorical"))["fills"] == []
    positions = await floor.alice.ok("GetPositions", subaccount=1)
    assert [each["position_fp"] for each in positions["market_positions"]] == ["2.00"]


async def test_deposits_and_withdrawals(floor: Floor) -> None:
    user_id = floor.alice.credentials.user_id
    floor.exchange.deposit(user_id, "12.34")
    floor.exchange.deposit(user_id, "-0.50")
    floor.exchange.deposit(user_id, "7")
    deposits = await floor.alice.pages("GetDeposits", "deposits", limit=1)
    assert [each["amount_cents"] for each in deposits] == [700, 1234, 1_000_000]
    (withdrawal,) = (await floor.alice.ok("GetWithdrawals"))["withdrawals"]
    assert withdrawal["amount_cents"] == 50
    assert (await floor.alice.ok("GetBalance"))["balance"] == 1_000_000 + 1234 + 700 - 50


async def test_one_member_sees_nothing_of_another(floor: Floor) -> None:
    await trade(floor.alice, floor.bob, floor.ticker, "10.00", floor.price)
    floor.exchange.settle(floor.ticker, "yes")
    stranger = Member(floor.exchange, floor.alice.http, floor.exchange.add_account())
    for name, items in (
        ("GetFills", "fills"),
        ("GetSettlements", "settlements"),
        ("GetWithdrawals", "withdrawals"),
    ):
        assert (await stranger.ok(name))[items] == []
    positions = await stranger.ok("GetPositions", settlement_status="all")
    assert positions["market_positions"] == positions["event_positions"] == []


@pytest.mark.parametrize(
    ("name", "params", "tag"),
    [
        ("GetFills", {"limit": 1001}, "'Limit' failed on the 'lte' tag"),
        ("GetSettlements", {"limit": -1}, "'Limit' failed on the 'gte' tag"),
        ("GetDeposits", {"limit": 501}, "'Limit' failed on the 'lte' tag"),
        ("GetBalance", {"subaccount": 64}, "'Subaccount' failed on the 'lte' tag"),
        ("GetPositions", {"subaccount": -1}, "'Subaccount' failed on the 'gte' tag"),
        ("GetPositions", {"exchange_index": -1}, "'ExchangeIndex' failed on the 'gte' tag"),
        ("GetPositions", {"count_filter": "position,x"}, "'CountFilter' failed on the 'oneof' tag"),
        ("GetPositions", {"settlement_status": "x"}, "'SettlementStatus' failed on the 'oneof'"),
        ("GetFills", {"min_ts": "yesterday"}, "'min_ts' must be an integer"),
    ],
)
async def test_wrong_parameters_are_named(
    floor: Floor, name: str, params: dict[str, Any], tag: str
) -> None:
    body = await floor.alice.refused(name, 400, **params)
    assert body["msg"].startswith(f"Parameter validation failed for {name}: ")
    assert tag in body["msg"]


async def test_every_body_is_as_the_contract_says(floor: Floor) -> None:
    await trade(floor.alice, floor.bob, floor.ticker, "10.00", floor.price)
    await trade(floor.alice, floor.bob, floor.other, "0.01", floor.other_price)
    await place(floor.alice, floor.other, "bid", "1.00", floor.other_price)
    floor.exchange.settle(floor.ticker, "0.10")
    floor.exchange.deposit(floor.alice.credentials.user_id, "-1")
    names = {
        "GetBalance",
        "GetDeposits",
        "GetFills",
        "GetFillsHistorical",
        "GetHistoricalPositions",
        "GetPortfolioRestingOrderTotalValue",
        "GetPositions",
        "GetSettlements",
        "GetWithdrawals",
    }
    for name in sorted(names):
        await floor.alice.ok(name)
    await floor.alice.ok("GetPositions", settlement_status="all")
    assert names <= floor.alice.check()
