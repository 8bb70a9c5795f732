"""Trade on an exchange with the kalshi-python-async client and print a report.

That client has no WebSocket: the order book is read over REST.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

from kalshi_python_async import Configuration, KalshiClient
from kalshi_python_async.exceptions import (
    BadRequestException,
    ConflictException,
    ForbiddenException,
    NotFoundException,
    UnauthorizedException,
)
from kalshi_python_async.models.user_filter import UserFilter
from report import Report, Setting, run

_NOTES = ("status", "body")
_MAKER_ID, _TAKER_ID = "official-maker-1", "official-taker-1"
_GOOD_TILL_CANCELED = {
    "time_in_force": "good_till_canceled",
    "self_trade_prevention_type": "taker_at_cross",
}


async def drive(report: Report, setting: Setting) -> None:
    client = _client(setting, Path(setting.private_key_path).read_text())
    try:
        await _read(report, client, setting)
        await _trade(report, client, setting)
        await _manage(report, client, setting)
        await _account(report, client, setting)
        await _request_quotes(report, client, setting)
        await _sweep(report, client, setting)
        await _strangers(report, client, setting)
        report.facts["balance at the end"] = await _balance(report, client)
    finally:
        await client.close()


def _client(setting: Setting, pem: str, key_id: str | None = None) -> KalshiClient:
    configuration = Configuration(host=setting.base_url)
    configuration.api_key_id = key_id or setting.api_key_id
    configuration.private_key_pem = pem
    return KalshiClient(configuration)


async def _read(report: Report, client: KalshiClient, setting: Setting) -> None:
    first = await report.step("markets", client.get_markets(limit=50, status="open"))
    second = await report.step(
        "markets, second page", client.get_markets(limit=50, status="open", cursor=first.cursor)
    )
    report.facts["tickers"] = [market.ticker for market in [*first.markets, *second.markets]]
    market = (await report.step("market", client.get_market(setting.market))).market
    report.facts["market"] = {
        "ticker": market.ticker,
        "status": market.status,
        "yes_bid": market.yes_bid_dollars,
        "yes_ask": market.yes_ask_dollars,
    }
    report.facts["book before"] = await _book(report, client, setting)
    report.facts["balance before"] = await _balance(report, client)


async def _book(report: Report, client: KalshiClient, setting: Setting) -> dict[str, object]:
    answer = await report.step("order book", client.get_market_orderbook(setting.market))
    book = answer.orderbook_fp
    return {"yes": book.yes_dollars, "no": book.no_dollars}


async def _balance(report: Report, client: KalshiClient) -> str:
    balance = await report.step("balance", client.get_balance())
    return balance.balance_dollars


async def _trade(report: Report, client: KalshiClient, setting: Setting) -> None:
    resting = {
        "ticker": setting.market,
        "side": "bid",
        "count": "10",
        "price": "0.60",
        "client_order_id": _MAKER_ID,
        **_GOOD_TILL_CANCELED,
    }
    maker = await report.step("place", client.create_order_v2(**resting))
    report.facts["placed"] = maker.model_dump(mode="json")
    await report.refused("duplicate", client.create_order_v2(**resting), ConflictException, *_NOTES)
    await report.refused(
        "off the grid",
        client.create_order_v2(**resting | {"price": "0.6005", "client_order_id": "official-grid"}),
        BadRequestException,
        *_NOTES,
    )
    report.facts["book with order"] = await _book(report, client, setting)
    shown = (await report.step("order", client.get_order(maker.order_id))).order
    report.facts["order"] = shown.model_dump(mode="json")
    listed = await report.step(
        "orders", client.get_orders(ticker=setting.market, status="resting", limit=100)
    )
    report.facts["resting"] = [order.order_id for order in listed.orders]
    queue = await report.step("queue position", client.get_order_queue_position(maker.order_id))
    report.facts["queue position"] = queue.queue_position_fp
    taken = await report.step(
        "take",
        client.create_order_v2(
            ticker=setting.market,
            side="bid",
            count="3.00",
            price="0.63",
            time_in_force="immediate_or_cancel",
            self_trade_prevention_type="taker_at_cross",
            client_order_id=_TAKER_ID,
        ),
    )
    report.facts["taken"] = taken.model_dump(mode="json")
    fills = await report.step("fills", client.get_fills(order_id=taken.order_id))
    report.facts["fills"] = [fill.model_dump(mode="json") for fill in fills.fills]
    positions = await report.step("positions", client.get_positions(ticker=setting.market))
    report.facts["positions"] = [
        position.model_dump(mode="json") for position in positions.market_positions
    ]
    report.facts["balance after"] = await _balance(report, client)


async def _manage(report: Report, client: KalshiClient, setting: Setting) -> None:
    order_id = report.facts["placed"]["order_id"]
    decreased = await report.step("decrease", client.decrease_order_v2(order_id, reduce_to="6.00"))
    report.facts["decreased"] = decreased.model_dump(mode="json")
    amended = await report.step(
        "amend",
        client.amend_order_v2(
            order_id,
            ticker=setting.market,
            side="bid",
            price="0.5900",
            count="5.00",
            client_order_id=_MAKER_ID,
            updated_client_order_id="official-maker-2",
        ),
    )
    report.facts["amended"] = amended.model_dump(mode="json")
    cancelled = await report.step(
        "cancel", client.cancel_order_v2(order_id, market_ticker=setting.market)
    )
    report.facts["cancelled"] = cancelled.model_dump(mode="json")
    await report.refused(
        "cancel again",
        client.cancel_order_v2(order_id, market_ticker=setting.market),
        NotFoundException,
        *_NOTES,
    )
    item = {
        "ticker": setting.market,
        "side": "ask",
        "count": "2.00",
        "price": "0.9000",
        **_GOOD_TILL_CANCELED,
    }
    batch = await report.step(
        "batch",
        client.batch_create_orders_v2(
            orders=[item | {"client_order_id": name} for name in ("official-b1", _MAKER_ID)]
        ),
    )
    report.facts["batch"] = [entry.model_dump(mode="json") for entry in batch.orders]
    ended = await report.step(
        "batch cancel",
        client.batch_cancel_orders_v2(
            orders=[{"order_id": batch.orders[0].order_id, "market_ticker": setting.market}]
        ),
    )
    report.facts["batch cancelled"] = [entry.model_dump(mode="json") for entry in ended.orders]
    group = await report.step("group", client.create_order_group(contracts_limit_fp="50.00"))
    grouped = await report.step(
        "order in group",
        client.create_order_v2(
            **item, client_order_id="official-g1", order_group_id=group.order_group_id
        ),
    )
    held = await report.step("read group", client.get_order_group(group.order_group_id))
    report.facts["group"] = {"id": group.order_group_id, "orders": held.orders}
    report.facts["grouped"] = grouped.order_id
    await report.step("delete group", client.delete_order_group(group.order_group_id))
    await report.step("cancel all", client.cancel_all_orders())


async def _account(report: Report, client: KalshiClient, setting: Setting) -> None:
    """Settlements, a subaccount with money of its own, and a key that this client trades with."""
    paid = await report.step("settlements", client.get_settlements())
    report.facts["settlements"] = [
        settlement.model_dump(mode="json") for settlement in paid.settlements
    ]
    made = await report.step("subaccount", client.create_subaccount())
    await report.step(
        "transfer",
        client.apply_subaccount_transfer(
            client_transfer_id=uuid4(),
            from_subaccount=0,
            to_subaccount=made.subaccount_number,
            amount_cents=2_500,
        ),
    )
    balances = await report.step("subaccount balances", client.get_subaccount_balances())
    report.facts["subaccounts"] = [
        balance.model_dump(mode="json") for balance in balances.subaccount_balances
    ]
    key = await report.step("key", client.generate_api_key(name="reader", scopes=["read"]))
    reader = _client(setting, key.private_key, key.api_key_id)
    try:
        report.facts["reader balance"] = await _balance(report, reader)
        await report.refused(
            "write without the scope", reader.cancel_all_orders(), ForbiddenException, *_NOTES
        )
        await report.step("delete key", client.delete_api_key(key.api_key_id))
        await report.refused("deleted key", reader.get_balance(), UnauthorizedException, *_NOTES)
    finally:
        await reader.close()


async def _request_quotes(report: Report, client: KalshiClient, setting: Setting) -> None:
    """Trade with the second account by request, quote, acceptance and confirmation."""
    pem = Path(setting.other_private_key_path).read_text()
    maker = _client(setting, pem, setting.other_api_key_id)
    try:
        asked = await report.step(
            "request",
            client.create_rfq(
                market_ticker=setting.market, contracts_fp="5.00", rest_remainder=False
            ),
        )
        quote = await report.step(
            "quote",
            maker.create_quote(
                rfq_id=asked.id, yes_bid="0.6100", no_bid="0.3700", rest_remainder=False
            ),
        )
        await report.step("accept", client.accept_quote(quote.id, accepted_side="yes"))
        await report.step("confirm", maker.confirm_quote(quote.id))
        shown = await report.step("quote state", client.get_quote(quote.id))
        report.facts["quote"] = shown.quote.status
    finally:
        await maker.close()


async def _sweep(report: Report, client: KalshiClient, setting: Setting) -> None:
    """Every read whose answer the client can decode or not."""
    series = setting.market.partition("-")[0]
    market = (await client.get_market(setting.market)).market
    event = market.event_ticker
    end = int(market.updated_time.timestamp())
    span = {"start_ts": end - 86_400, "end_ts": end, "period_interval": 60}
    plain = (
        "get_exchange_status get_exchange_schedule get_user_data_timestamp get_account_api_limits"
        " get_account_endpoint_costs get_account_api_usage_level_volume_progress get_series_list"
        " get_series_fee_changes get_event_fee_changes get_multivariate_events get_trades"
        " get_historical_cutoff get_trades_historical get_historical_markets get_historical_orders"
        " get_fills_historical get_historical_positions get_structured_targets"
        " get_incentive_programs get_multivariate_event_collections"
        " get_tags_for_series_categories get_filters_for_sports get_orders get_fills get_positions"
        " get_settlements get_deposits get_withdrawals get_subaccount_balances"
        " get_subaccount_netting get_subaccount_transfers get_target_balance_allocation"
        " get_intra_exchange_instance_transfers get_portfolio_resting_order_total_value"
        " get_order_groups get_api_keys get_communications_id get_rfqs"
        " get_block_trade_proposals"
    )
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        name: getattr(client, name) for name in plain.split()
    }
    for status in ("unopened", "paused", "closed", "settled"):
        calls[f"get_markets {status}"] = lambda status=status: client.get_markets(
            status=status, limit=200
        )
    calls |= {
        "get_events": lambda: client.get_events(limit=50, with_nested_markets=True),
        "get_event": lambda: client.get_event(event, with_nested_markets=True),
        "get_event_metadata": lambda: client.get_event_metadata(event),
        "get_series": lambda: client.get_series(series),
        "get_market_orderbooks": lambda: client.get_market_orderbooks([setting.market]),
        "get_market_candlesticks": lambda: client.get_market_candlesticks(
            series, setting.market, **span
        ),
        "batch_get_market_candlesticks": lambda: client.batch_get_market_candlesticks(
            setting.market, **span
        ),
        "get_market_candlesticks_by_event": lambda: client.get_market_candlesticks_by_event(
            event, series, **span
        ),
        "get_milestones": lambda: client.get_milestones(limit=20),
        "get_order_queue_positions": lambda: client.get_order_queue_positions(
            market_tickers=setting.market
        ),
        "get_quotes": lambda: client.get_quotes(user_filter=UserFilter("self")),
    }
    for name, call in calls.items():
        await report.look(name, call)


async def _strangers(report: Report, client: KalshiClient, setting: Setting) -> None:
    """Refusals an error class of the client stands for."""
    await report.refused(
        "unknown market", client.get_market("KXNOSUCH-1"), NotFoundException, *_NOTES
    )
    pem = Path(setting.private_key_path).read_text()
    stranger = _client(setting, pem, "00000000-0000-4000-8000-000000000000")
    try:
        await report.refused("unknown key", stranger.get_balance(), UnauthorizedException, *_NOTES)
    finally:
        await stranger.close()


if __name__ == "__main__":
    run(drive)
