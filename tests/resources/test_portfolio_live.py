"""Balance, positions, histories, subaccounts and transfers of two accounts, over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from kalshi_async import BadRequestError, ConflictError, NotFoundError, PermissionDeniedError
from kalshi_async.models import TickerPair
from kalshi_async.resources.account import Account as AccountResource
from kalshi_async.resources.collections import Collections
from kalshi_async.resources.events import Events
from kalshi_async.resources.historical import Historical
from kalshi_async.resources.portfolio import Portfolio
from kalshi_async.resources.subaccounts import Subaccounts
from kalshi_async.sandbox import Sandbox
from kalshi_async.sandbox._catalog.series import Kind
from tests.sandbox.members import quiet_events

from .accounts import Account, account_on, trade

START = Decimal(10_000)


@dataclass
class Floor:
    """Two accounts, and two markets of one event with room inside their spreads."""

    exchange: Sandbox
    alice: Account
    bob: Account
    event: str
    markets: list[tuple[str, str]]

    @property
    def portfolio(self) -> Portfolio:
        return Portfolio(self.alice.transport)

    @property
    def subaccounts(self) -> Subaccounts:
        return Subaccounts(self.alice.transport)


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    async with AsyncExitStack() as stack:
        exchange = await stack.enter_async_context(Sandbox.serve(seed=7, markets=600, tier=None))
        alice, bob = [await stack.enter_async_context(account_on(exchange)) for _ in "ab"]
        event, markets = next(iter(quiet_events(exchange).items()))
        yield Floor(exchange, alice, bob, event, sorted(markets)[:2])


async def test_a_trade_shows_in_balance_positions_and_fills(floor: Floor) -> None:
    (ticker, price), _ = floor.markets
    await trade(floor.alice, floor.bob, ticker, "10.00", price)
    cost = Decimal(price) * 10
    (fill,) = await floor.portfolio.fills(ticker=ticker)
    assert (fill.count, fill.yes_price) == (Decimal(10), Decimal(price))
    assert fill.outcome_side == "yes"
    assert fill.order_id == floor.alice.placed[0]
    assert not fill.is_taker
    page = await floor.portfolio.positions()
    (position,) = page.items
    assert (position.ticker, position.position) == (ticker, Decimal(10))
    assert position.market_exposure == cost
    (event,) = page.event_positions
    assert (event.event_ticker, event.total_cost_shares) == (floor.event, Decimal(10))
    balance = await floor.portfolio.balance()
    assert balance.balance_dollars == START - cost - fill.fee_cost
    assert balance.balance == int(balance.balance_dollars * 100)
    assert balance.balance_breakdown is not None
    assert sum(each.balance for each in balance.balance_breakdown) == balance.balance_dollars
    (short,) = await Portfolio(floor.bob.transport).positions()
    assert short.position == -10


async def test_positions_go_on_from_page_to_page_with_their_events(floor: Floor) -> None:
    for ticker, price in floor.markets:
        await trade(floor.alice, floor.bob, ticker, "2.00", price)
    pages = [page async for page in floor.portfolio.positions(limit=1).pages()]
    assert [position.ticker for page in pages for position in page] == [
        ticker for ticker, _ in floor.markets
    ]
    assert [len(page.event_positions) for page in pages] == [1, 0]
    assert len(await floor.portfolio.positions(count_filter=["position"]).collect()) == 2
    assert await floor.portfolio.positions(settlement_status="settled").collect() == []
    assert await floor.portfolio.positions(event_ticker="UNKNOWN").collect() == []


async def test_a_settled_market_pays_and_is_told(floor: Floor) -> None:
    (ticker, price), _ = floor.markets
    await trade(floor.alice, floor.bob, ticker, "10.00", price)
    floor.exchange.settle(ticker, "yes")
    (settlement,) = await floor.portfolio.settlements(event_ticker=floor.event)
    assert (settlement.ticker, settlement.market_result) == (ticker, "yes")
    assert (settlement.yes_count, settlement.revenue) == (Decimal(10), 1000)
    assert settlement.yes_total_cost == Decimal(price) * 10
    assert [each.ticker for each in await floor.portfolio.positions(settlement_status="settled")]
    assert (await floor.portfolio.fills(max_ts=1)).items == []
    later = datetime.now(UTC) + timedelta(hours=1)
    assert (await floor.portfolio.settlements(min_ts=later)).items == []


async def test_resting_orders_have_a_value(floor: Floor) -> None:
    (ticker, price), _ = floor.markets
    await floor.alice.place(ticker, "bid", "10.00", price)
    value = await floor.portfolio.resting_order_value()
    assert value.total_resting_order_value == Decimal(price) * 1000
    shares = {each.exchange_index: each.balance for each in value.resting_order_value_breakdown}
    assert shares[0] == Decimal(price) * 10


async def test_payments(floor: Floor) -> None:
    (first,) = await floor.portfolio.deposits()
    assert (first.amount_cents, first.status) == (1_000_000, "applied")
    assert await floor.portfolio.withdrawals().collect() == []


async def test_money_goes_over_subaccounts_once_an_id(floor: Floor) -> None:
    subaccounts = floor.subaccounts
    number = await subaccounts.create()
    transfer_id = uuid4()
    facts = {"from_subaccount": 0, "to_subaccount": number, "amount_cents": 2_500}
    await subaccounts.transfer(client_transfer_id=transfer_id, **facts)
    with pytest.raises(ConflictError, match="transfer_already_exists"):
        await subaccounts.transfer(client_transfer_id=str(transfer_id), **facts)
    (moved,) = await subaccounts.transfers(limit=10)
    assert (moved.amount_cents, moved.to_subaccount) == (2_500, number)
    held = {
        each.subaccount_number: each.balance
        for each in await subaccounts.balances()
        if each.exchange_index == 0
    }
    assert held == {0: START - 25, number: Decimal(25)}
    assert (await floor.portfolio.balance(subaccount=number)).balance == 2_500
    await subaccounts.set_netting(subaccount_number=number, enabled=False)
    netting = {each.subaccount_number: each.enabled for each in await subaccounts.netting()}
    assert netting == {0: True, number: False}


async def test_money_goes_over_shards(floor: Floor) -> None:
    portfolio = floor.portfolio
    transfer_id = await portfolio.transfer_between_shards(
        source="event_contract",
        destination="event_contract",
        amount=30_000,
        destination_exchange_shard=1,
        client_transfer_id=uuid4(),
    )
    transfer = await portfolio.shard_transfer(transfer_id)
    assert (transfer.amount, transfer.destination_exchange_shard) == (Decimal(3), 1)
    assert [each.transfer_id for each in await portfolio.shard_transfers()] == [transfer_id]
    assert (await portfolio.balance(exchange_index=1)).balance == 300
    with pytest.raises(PermissionDeniedError, match="margin"):
        await portfolio.transfer_between_shards(
            source="event_contract", destination="margined", amount=1
        )
    with pytest.raises(NotFoundError):
        await portfolio.shard_transfer(str(uuid4()))


async def test_free_money_is_spread_as_asked(floor: Floor) -> None:
    portfolio = floor.portfolio
    await portfolio.set_target_allocation(
        allocations={0: 60, 2: 40}, resting_margin_reservation="max"
    )
    found = await portfolio.target_allocation()
    assert found.percents == {0: 60, 2: 40}
    assert found.resting_margin_reservation == "max"
    assert (await portfolio.balance(exchange_index=2)).balance == 400_000
    await portfolio.set_target_allocation(allocations={})
    assert (await portfolio.target_allocation()).percents == {}


async def test_an_account_that_trades_earns_a_level(floor: Floor) -> None:
    account = AccountResource(floor.alice.transport)
    with pytest.raises(PermissionDeniedError):
        await account.upgrade()
    (ticker, price), _ = floor.markets
    await trade(floor.alice, floor.bob, ticker, "10.00", price)
    await account.upgrade()
    assert [grant.level for grant in (await account.limits()).grants] == ["advanced"]
    (progress,) = await account.volume_progress()
    assert progress.trailing_30d_volume == 10
    assert progress.goals[0].earn_volume_goal > progress.goals[0].keep_volume_goal


async def test_nothing_of_a_new_account_is_historical(floor: Floor) -> None:
    (ticker, price), _ = floor.markets
    await trade(floor.alice, floor.bob, ticker, "1.00", price)
    historical = Historical(floor.alice.transport)
    assert await historical.fills(ticker=ticker).collect() == []
    assert await historical.orders(min_ts=0).collect() == []
    page = await historical.positions()
    assert (page.items, page.event_positions) == ([], ())


async def test_a_combo_is_made_once(floor: Floor) -> None:
    collections = Collections(floor.alice.transport)
    collection, legs = await combo_of(floor.alice)
    made = await collections.create_market(
        collection, selected_markets=legs, with_market_payload=True
    )
    assert made.market is not None
    assert made.market.ticker == made.market_ticker
    selected = {leg.market_ticker for leg in made.market.mve_selected_legs or ()}
    assert selected == {leg.market_ticker for leg in legs}
    again = await collections.create_market(collection, selected_markets=legs)
    assert (again.market_ticker, again.market) == (made.market_ticker, None)
    with pytest.raises(BadRequestError):
        await collections.create_market(collection, selected_markets=legs[:1])


async def combo_of(account: Account) -> tuple[str, list[TickerPair]]:
    """A collection, and two legs that it allows."""
    async for collection in account.client.collections.list(status="open"):
        legs = []
        for event_ticker in collection.associated_event_tickers:
            event = await account.client.events.get(event_ticker)
            active = [market for market in event.markets or () if market.status == "active"]
            legs += [
                TickerPair(event_ticker=event_ticker, market_ticker=market.ticker, side="yes")
                for market in active[:1]
            ]
            if len(legs) == 2:
                return collection.collection_ticker, legs
    raise AssertionError("no collection with two open events")


async def test_prices_forecast(floor: Floor) -> None:
    events = Events(floor.alice.transport)
    generated = floor.exchange.catalog.generated
    found = (generated.event_at(at) for at in generated.by_word["open"])
    event = next(each for each in found if each.series.kind is Kind.LADDER)
    end = event.now // 1_000_000
    points = await events.forecast_percentiles(
        event.series.ticker,
        event.ticker,
        percentiles=[1000, 5000, 9000],
        start_ts=end - 6 * 3600,
        end_ts=end,
        period_interval=60,
    )
    assert len(points) > 0
    for point in points:
        assert [each.percentile for each in point.percentile_points] == [1000, 5000, 9000]
        values = [each.raw_numerical_forecast for each in point.percentile_points]
        assert values == sorted(values)
