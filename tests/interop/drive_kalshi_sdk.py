"""Trade on an exchange with the kalshi-sdk client, follow its streams, and print a report.

That client signs with RSA keys only. It drops what arrives while it subscribes, so the order book
is subscribed last.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import Any
from uuid import uuid4

from kalshi import AsyncKalshiClient, KalshiConfig
from kalshi.errors import (
    KalshiAuthError,
    KalshiConflictError,
    KalshiNotFoundError,
    KalshiValidationError,
)
from kalshi.models.markets import Orderbook
from kalshi.models.orders import (
    AmendOrderV2Request,
    BatchCancelOrdersV2Request,
    BatchCancelOrdersV2RequestOrder,
    BatchCreateOrdersV2Request,
    CreateOrderV2Request,
    DecreaseOrderV2Request,
)
from report import Report, Setting, run

_MAKER_ID, _TAKER_ID = "sdk-maker-1", "sdk-taker-1"
_PATIENCE = 10.0


async def drive(report: Report, setting: Setting) -> None:
    config = KalshiConfig(base_url=setting.base_url, ws_base_url=setting.ws_url, max_retries=0)
    async with AsyncKalshiClient(
        key_id=setting.api_key_id, private_key_path=setting.private_key_path, config=config
    ) as client:
        await _read(report, client, setting)
        await _trade(report, client, setting)
        await _manage(report, client, setting)
        await _stream(report, client, setting)
        await _account(report, client, config)
        await _request_quotes(report, client, config, setting)
        await _sweep(report, client, setting)
        await _strangers(report, client, config, setting)
        balance = await report.step("balance", client.portfolio.balance())
        report.facts["balance at the end"] = str(balance.balance_dollars)


def _order(setting: Setting, client_order_id: str, **changes: Any) -> CreateOrderV2Request:
    fields = {
        "ticker": setting.market,
        "client_order_id": client_order_id,
        "side": "bid",
        "count": Decimal(10),
        "price": Decimal("0.60"),
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
    }
    return CreateOrderV2Request(**fields | changes)


def _levels(book: Orderbook) -> dict[str, list[list[str]]]:
    return {
        side: [[f"{level.price:.4f}", f"{level.quantity:.2f}"] for level in levels]
        for side, levels in (("yes", book.yes), ("no", book.no))
    }


async def _read(report: Report, client: AsyncKalshiClient, setting: Setting) -> None:
    first = await report.step("markets", client.markets.list(limit=50, status="open"))
    second = await report.step(
        "markets, second page", client.markets.list(limit=50, status="open", cursor=first.cursor)
    )
    report.facts["tickers"] = [market.ticker for page in (first, second) for market in page]
    market = await report.step("market", client.markets.get(setting.market))
    report.facts["market"] = {
        "ticker": market.ticker,
        "status": market.status,
        "yes_bid": f"{market.yes_bid:.4f}",
        "yes_ask": f"{market.yes_ask:.4f}",
    }
    book = await report.step("order book", client.markets.orderbook(setting.market))
    report.facts["book before"] = _levels(book)
    balance = await report.step("balance", client.portfolio.balance())
    report.facts["balance before"] = str(balance.balance_dollars)


async def _trade(report: Report, client: AsyncKalshiClient, setting: Setting) -> None:
    orders = client.orders
    maker = await report.step("place", orders.create_v2(request=_order(setting, _MAKER_ID)))
    report.facts["placed"] = maker.model_dump(mode="json")
    await report.refused(
        "duplicate",
        orders.create_v2(request=_order(setting, _MAKER_ID)),
        KalshiConflictError,
        "status_code",
    )
    await report.refused(
        "off the grid",
        orders.create_v2(request=_order(setting, "sdk-grid", price=Decimal("0.6005"))),
        KalshiValidationError,
        "status_code",
    )
    book = await report.step("order book", client.markets.orderbook(setting.market))
    report.facts["book with order"] = _levels(book)
    shown = await report.step("order", orders.get(maker.order_id))
    report.facts["order"] = shown.model_dump(mode="json")
    listed = await report.step(
        "orders", orders.list(ticker=setting.market, status="resting", limit=100)
    )
    report.facts["resting"] = [order.order_id for order in listed]
    queue = await report.step("queue position", orders.queue_position(maker.order_id))
    report.facts["queue position"] = f"{queue:.2f}"
    taker = _order(
        setting,
        _TAKER_ID,
        count=Decimal(3),
        price=Decimal("0.63"),
        time_in_force="immediate_or_cancel",
    )
    taken = await report.step("take", orders.create_v2(request=taker))
    report.facts["taken"] = taken.model_dump(mode="json")
    fills = await report.step("fills", client.portfolio.fills(order_id=taken.order_id))
    report.facts["fills"] = [fill.model_dump(mode="json") for fill in fills]
    positions = await report.step("positions", client.portfolio.positions(ticker=setting.market))
    report.facts["positions"] = [
        {
            "ticker": position.ticker,
            "position_fp": f"{position.position:.2f}",
            "market_exposure_dollars": f"{position.market_exposure:.6f}",
            "fees_paid_dollars": f"{position.fees_paid:.6f}",
        }
        for position in positions.market_positions
    ]
    balance = await report.step("balance", client.portfolio.balance())
    report.facts["balance after"] = str(balance.balance_dollars)


async def _manage(report: Report, client: AsyncKalshiClient, setting: Setting) -> None:
    orders, order_id = client.orders, report.facts["placed"]["order_id"]
    smaller = DecreaseOrderV2Request(reduce_to=Decimal(6))
    decreased = await report.step("decrease", orders.decrease_v2(order_id, request=smaller))
    report.facts["decreased"] = decreased.model_dump(mode="json")
    change = AmendOrderV2Request(
        ticker=setting.market,
        side="bid",
        price=Decimal("0.59"),
        count=Decimal(5),
        client_order_id=_MAKER_ID,
        updated_client_order_id="sdk-maker-2",
    )
    amended = await report.step("amend", orders.amend_v2(order_id, request=change))
    report.facts["amended"] = amended.model_dump(mode="json")
    cancelled = await report.step(
        "cancel", orders.cancel_v2(order_id, market_ticker=setting.market)
    )
    report.facts["cancelled"] = cancelled.model_dump(mode="json")
    await report.refused(
        "cancel again",
        orders.cancel_v2(order_id, market_ticker=setting.market),
        KalshiNotFoundError,
        "status_code",
    )
    asks = [
        _order(setting, name, side="ask", count=Decimal(2), price=Decimal("0.90"))
        for name in ("sdk-b1", _MAKER_ID)
    ]
    batch = await report.step(
        "batch", orders.batch_create_v2(request=BatchCreateOrdersV2Request(orders=asks))
    )
    report.facts["batch"] = [entry.model_dump(mode="json") for entry in batch.orders]
    item = BatchCancelOrdersV2RequestOrder(
        order_id=batch.orders[0].order_id or "", market_ticker=setting.market
    )
    ended = await report.step(
        "batch cancel", orders.batch_cancel_v2(request=BatchCancelOrdersV2Request(orders=[item]))
    )
    report.facts["batch cancelled"] = [entry.model_dump(mode="json") for entry in ended.orders]
    group = await report.step("group", client.order_groups.create(contracts_limit=50))
    grouped = await report.step(
        "order in group",
        orders.create_v2(
            request=_order(
                setting,
                "sdk-g1",
                side="ask",
                price=Decimal("0.90"),
                order_group_id=group.order_group_id,
            )
        ),
    )
    held = await report.step("read group", client.order_groups.get(group.order_group_id))
    report.facts["group"] = {"id": group.order_group_id, "orders": held.orders}
    report.facts["grouped"] = grouped.order_id
    await report.step("delete group", client.order_groups.delete(group.order_group_id))
    await report.step("cancel all", orders.cancel_all_v2())


async def _stream(report: Report, client: AsyncKalshiClient, setting: Setting) -> None:
    """Watch the own orders, fills and positions, and a book that this client changes."""
    async with client.ws.connect() as session:
        subscribe: dict[str, Callable[[], Awaitable[AsyncIterator[Any]]]] = {
            "user_orders": session.subscribe_user_orders,
            "fill": session.subscribe_fill,
            "market_positions": session.subscribe_market_positions,
            "trade": lambda: session.subscribe_trade(tickers=[setting.market]),
            "ticker": lambda: session.subscribe_ticker(tickers=[setting.market]),
        }
        streams = {
            name: await report.step(f"subscribe {name}", make()) for name, make in subscribe.items()
        }
        books = await report.step("subscribe order book", session.orderbook(setting.market))
        first = await report.step("snapshot", _next(books))
        report.facts["stream snapshot"] = _levels(first)
        placed = await client.orders.create_v2(
            request=_order(setting, "sdk-s1", count=Decimal(7), price=Decimal("0.58"))
        )
        grown = await report.step("delta of a new order", _next(books))
        report.facts["stream with order"] = _levels(grown)
        await client.orders.cancel_v2(placed.order_id, market_ticker=setting.market)
        await report.step("delta of a cancelled order", _next(books))
        taker = _order(
            setting,
            "sdk-s2",
            count=Decimal("1.50"),
            price=Decimal("0.63"),
            time_in_force="immediate_or_cancel",
        )
        await client.orders.create_v2(request=taker)
        last = await report.step("delta of a trade", _next(books))
        report.facts["stream end"] = _levels(last)
        for name, stream in streams.items():
            message = await report.step(f"message of {name}", _next(stream))
            report.facts[f"stream {name}"] = message.msg.model_dump(mode="json")


async def _next(stream: AsyncIterator[Any]) -> Any:
    async with asyncio.timeout(_PATIENCE):
        return await anext(stream)


async def _account(report: Report, client: AsyncKalshiClient, config: KalshiConfig) -> None:
    """Settlements, a subaccount with money of its own, and a key that this client trades with."""
    paid = await report.step("settlements", client.portfolio.settlements())
    report.facts["settlements"] = [settlement.model_dump(mode="json") for settlement in paid]
    made = await report.step("subaccount", client.subaccounts.create())
    await report.step(
        "transfer",
        client.subaccounts.transfer(
            client_transfer_id=uuid4(),
            from_subaccount=0,
            to_subaccount=made.subaccount_number,
            amount_cents=2_500,
        ),
    )
    balances = await report.step("subaccount balances", client.subaccounts.list_balances())
    report.facts["subaccounts"] = [
        balance.model_dump(mode="json") for balance in balances.subaccount_balances
    ]
    key = await report.step("key", client.api_keys.generate(name="reader", scopes=["read"]))
    async with AsyncKalshiClient(
        key_id=key.api_key_id, private_key=key.private_key.get_secret_value(), config=config
    ) as reader:
        balance = await report.step("balance of the key", reader.portfolio.balance())
        report.facts["reader balance"] = str(balance.balance_dollars)
        await report.refused(
            "write without the scope", reader.orders.cancel_all_v2(), KalshiAuthError, "status_code"
        )
        await report.step("delete key", client.api_keys.delete(key.api_key_id))
        await report.refused(
            "deleted key", reader.portfolio.balance(), KalshiAuthError, "status_code"
        )


async def _request_quotes(
    report: Report, client: AsyncKalshiClient, config: KalshiConfig, setting: Setting
) -> None:
    """Trade with the second account by request, quote, acceptance and confirmation."""
    desk = client.communications
    async with AsyncKalshiClient(
        key_id=setting.other_api_key_id,
        private_key_path=setting.other_private_key_path,
        config=config,
    ) as maker:
        asked = await report.step(
            "request",
            desk.rfqs.create(
                market_ticker=setting.market, contracts=Decimal(5), rest_remainder=False
            ),
        )
        quote = await report.step(
            "quote",
            maker.communications.quotes.create(
                rfq_id=asked.id,
                yes_bid=Decimal("0.61"),
                no_bid=Decimal("0.37"),
                rest_remainder=False,
            ),
        )
        await report.step("accept", desk.quotes.accept(quote.id, accepted_side="yes"))
        await report.step("confirm", maker.communications.quotes.confirm(quote.id))
        shown = await report.step("quote state", desk.quotes.get(quote.id))
        report.facts["quote"] = shown.quote.status


async def _sweep(report: Report, client: AsyncKalshiClient, setting: Setting) -> None:
    """Every read whose answer the client can decode or not."""
    series = setting.market.partition("-")[0]
    market = await client.markets.get(setting.market)
    end = int(market.updated_time.timestamp())
    span = {"start_ts": end - 86_400, "end_ts": end, "period_interval": 60}
    plain = (
        "exchange.status exchange.schedule exchange.user_data_timestamp account.limits"
        " account.endpoint_costs account.volume_progress series.list series.fee_changes"
        " events.list_multivariate events.fee_changes markets.list_trades historical.cutoff"
        " historical.markets historical.trades historical.orders historical.fills"
        " historical.positions structured_targets.list incentive_programs.list"
        " multivariate_collections.list search.tags_by_categories search.filters_by_sport"
        " orders.list portfolio.fills portfolio.positions portfolio.settlements"
        " portfolio.deposits portfolio.withdrawals portfolio.total_resting_order_value"
        " portfolio.intra_exchange_transfers portfolio.target_balance_allocation"
        " subaccounts.list_balances subaccounts.list_transfers subaccounts.get_netting"
        " order_groups.list api_keys.list communications.get_id communications.rfqs.list"
    )
    calls: dict[str, Callable[[], Awaitable[object]]] = {}
    for name in plain.split():
        calls[name] = attrgetter(name)(client)
    for status in ("unopened", "paused", "closed", "settled"):
        calls[f"markets.list {status}"] = lambda status=status: client.markets.list(
            status=status, limit=200
        )
    event = market.event_ticker
    calls |= {
        "events.list": lambda: client.events.list(limit=50, with_nested_markets=True),
        "events.get": lambda: client.events.get(event, with_nested_markets=True),
        "events.metadata": lambda: client.events.metadata(event),
        "series.get": lambda: client.series.get(series),
        "series.event_candlesticks": lambda: client.series.event_candlesticks(
            series, event, **span
        ),
        "markets.candlesticks": lambda: client.markets.candlesticks(series, setting.market, **span),
        "markets.bulk_candlesticks": lambda: client.markets.bulk_candlesticks(
            market_tickers=[setting.market], **span
        ),
        "markets.bulk_orderbooks": lambda: client.markets.bulk_orderbooks(tickers=[setting.market]),
        "milestones.list": lambda: client.milestones.list(limit=20),
        "orders.queue_positions": lambda: client.orders.queue_positions(
            market_tickers=[setting.market]
        ),
        "communications.quotes.list": lambda: client.communications.quotes.list(user_filter="self"),
    }
    for name, call in calls.items():
        await report.look(name, call)


async def _strangers(
    report: Report, client: AsyncKalshiClient, config: KalshiConfig, setting: Setting
) -> None:
    """Refusals an error class of the client stands for."""
    await report.refused(
        "unknown market", client.markets.get("KXNOSUCH-1"), KalshiNotFoundError, "status_code"
    )
    async with AsyncKalshiClient(
        key_id="00000000-0000-4000-8000-000000000000",
        private_key=Path(setting.private_key_path).read_text(),
        config=config,
    ) as stranger:
        await report.refused(
            "unknown key", stranger.portfolio.balance(), KalshiAuthError, "status_code"
        )


if __name__ == "__main__":
    run(drive)
