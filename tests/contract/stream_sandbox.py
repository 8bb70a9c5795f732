"""Every message of the embedded exchange, made by its pure functions from made-up records."""

from __future__ import annotations

import json
from collections.abc import Iterator

from kalshi_async.sandbox._events import BookChanged
from kalshi_async.sandbox._records import Fill, Group, MarketState, Order, Position, Trade
from kalshi_async.sandbox._rfq import batch_views, views
from kalshi_async.sandbox._rfq.records import (
    Ask,
    Batch,
    BatchQuote,
    Leg,
    Notice,
    Offer,
    Quote,
    Rfq,
)
from kalshi_async.sandbox._text import SECOND, named_uuid
from kalshi_async.sandbox._ws import messages
from kalshi_async.sandbox._ws.reference import SOURCES, reference_message
from tests.sandbox.engines import market

NOW = 1_790_000_100 * SECOND
QUARTER_MS = 1_790_000_100_000 // 900_000 * 900_000
ME, YOU, TRADE, ORDER = (named_uuid(name) for name in ("me", "you", "trade", "order"))
LEGS = (Leg("E1", "E1-A", "yes"), Leg("E2", "E2-B", "no"))

MARKET: MarketState = market(
    "KX-1", opens=NOW, closes=NOW + 1, determined=NOW, settled=NOW, value=2_500, last=4_700
)
DESCRIBED: dict[str, object] = {
    "event_ticker": "KX",
    "exchange_index": 2,
    "title": "Will it rain?",
    "sub_title": "Today",
    "collateral_return_type": "MECNET",
    "series_ticker": "S",
    "strike_date": "2026-08-01T12:30:00Z",
    "strike_period": "daily",
    "yes_sub_title": "Rain",
    "price_level_structure": "linear_cent",
    "can_close_early": True,
    "expected_expiration_time": "2026-08-01T12:30:00Z",
    "strike_type": "between",
    "floor_strike": 0.25,
    "cap_strike": 3.5,
    "custom_strike": {"who": "me"},
}


def sandbox_messages() -> Iterator[tuple[str, bytes]]:
    """Type and ``msg`` of each, with all fields and with as few as there may be."""
    yield from _books()
    yield from _account()
    yield from _markets()
    yield from _references()
    for notice in (*_quotes(), *_batches()):
        yield notice.kind, messages.plain(notice.msg)


def _books() -> Iterator[tuple[str, bytes]]:
    levels = [(4_700, 300), (4_650, 12_345)]
    for bids, asks, yes_price in ((levels, levels, True), (levels, [], False), ([], [], False)):
        body = messages.orderbook_snapshot("KX-1", 3, bids, asks, yes_price=yes_price)
        yield "orderbook_snapshot", body
    changed = BookChanged("KX-1", False, 4_700, -250, 4, NOW + 7_000, ME, 5, "mine")
    for own in (True, False):
        yield "orderbook_delta", messages.orderbook_delta(changed, yes_price=False, own=own)
    for best in ((4_700, 300), None):
        yield "ticker", messages.ticker("KX-1", messages.Quote.of(MARKET, best, best), NOW)
    for bid in (True, False):
        done = Trade(trade_id=TRADE, ticker="KX-1", price=4_700, count=1, taker_bid=bid, time=NOW)
        yield "trade", messages.trade(done)


def order(**more: object) -> Order:
    """An order that rests."""
    fields: dict[str, object] = {
        "order_id": ORDER,
        "user_id": ME,
        "subaccount": 3,
        "ticker": "KX-1",
        "shard": 1,
        "client_order_id": "mine",
        "bid": False,
        "price": 4_700,
        "initial": 1_000,
        "remaining": 700,
        "time_in_force": "good_till_canceled",
        "self_trade": "maker",
        "created": NOW,
        "updated": NOW + 1_500_000,
        "priority": 1,
    }
    return Order(**{**fields, **more})


def _account() -> Iterator[tuple[str, bytes]]:
    for client_order_id in ("mine", ""):
        fill = Fill(
            trade_id=TRADE,
            order_id=ORDER,
            client_order_id=client_order_id,
            user_id=ME,
            subaccount=0,
            ticker="KX-1",
            shard=1,
            bid=False,
            price=4_700,
            count=150,
            is_taker=True,
            fee=175,
            position=-150,
            time=NOW,
        )
        yield "fill", messages.fill(fill)
    yield "user_order", messages.user_order(order())
    filled = order(
        group_id="g", expiration=NOW, reason="Trade", filled=300, taker_filled=100, bid=True
    )
    yield "user_order", messages.user_order(filled)
    position = Position(
        user_id=ME, subaccount=0, ticker="KX-1", event_ticker="KX", shard=0, count=-150, cost=99
    )
    yield "market_position", messages.market_position(position)
    group = Group(group_id="g", user_id=ME, subaccount=0, shard=0, limit=100)
    for kind in ("created", "triggered", "reset", "deleted", "limit_updated"):
        yield "order_group_updates", messages.order_group(group, kind, NOW)


def _markets() -> Iterator[tuple[str, bytes]]:
    kinds = ("created", "activated", "deactivated", "close_date_updated", "determined", "settled")
    for channel in ("market_lifecycle_v2", "multivariate_market_lifecycle"):
        for described in (DESCRIBED, {}):
            for kind in kinds:
                yield channel, messages.lifecycle(MARKET, kind, described)
    for described in (DESCRIBED, {}):
        yield "event_lifecycle", messages.event_lifecycle(described)
    yield "event_fee_update", messages.event_fee_update("KX", "quadratic", 0.5)
    yield "event_fee_update", messages.event_fee_update("KX", None, None)


def _references() -> Iterator[tuple[str, bytes]]:
    for channel, source in SOURCES.items():
        for instant in (QUARTER_MS, QUARTER_MS + 60_000):
            yield channel, reference_message(7, channel, source.names[0], instant)


def _asked() -> Iterator[Rfq]:
    """An RFQ of a combo in contracts, and one of a market in dollars."""
    for number, size in enumerate(({"contracts": 500}, {"target": 12_345})):
        ask = Ask(user_id=ME, ticker="KX-1", **size)
        combo = {"collection": "KXMVE-C", "legs": LEGS, "batch_id": "b"} if number == 0 else {}
        times = {"created": NOW, "updated": NOW, "expires": NOW, "closed": NOW + 1}
        yield Rfq(id=f"r-{number}", number=number, ask=ask, event_ticker="KX", **times, **combo)


def _quoted(rfq: Rfq) -> Quote:
    offer = Offer(user_id=YOU, rfq_id=rfq.id, yes_bid=4_000, no_bid=5_500)
    return Quote(
        id="q",
        number=1,
        offer=offer,
        yes_count=100,
        no_count=150,
        created=NOW,
        updated=NOW,
        side="yes",
        executed=NOW,
    )


def _quotes() -> Iterator[Notice]:
    for rfq in _asked():
        quote = _quoted(rfq)
        yield from (views.rfq_created(rfq), views.rfq_deleted(rfq))
        yield from views.quote_created(quote, rfq)
        yield from views.quote_accepted(quote, rfq)
        yield from views.quote_executed(quote, rfq, order(), order())


def _batches() -> Iterator[Notice]:
    rfqs = list(_asked())
    quotes = [_quoted(rfq) for rfq in rfqs]
    pairs = list(zip(quotes, rfqs, strict=True))
    for client_batch_id in ("mine", ""):
        batch = Batch(
            id="b",
            number=1,
            user_id=ME,
            subaccount=1,
            client_batch_id=client_batch_id,
            obscured=False,
            rfq_ids=["r-0", "r-1"],
            created=NOW,
            updated=NOW,
            closed=NOW,
            reason="accepted",
            version=1,
        )
        yield from (batch_views.batch_created(batch, rfqs), batch_views.batch_deleted(batch))
        best = [(rfqs[0], quotes[0], None), (rfqs[1], None, None)]
        yield batch_views.best_quotes_told(batch, best)
        yield batch_views.batch_executed(batch, quotes[:1], quotes[1:])
        quoted = BatchQuote(
            id="bq",
            number=1,
            batch_id="b",
            user_id=YOU,
            subaccount=0,
            rest_remainder=False,
            post_only=False,
            quote_ids=["q"],
            created=NOW,
            updated=NOW,
            side="yes",
            accepted=NOW,
        )
        yield from batch_views.batch_quote_created(quoted, batch, pairs)
        yield from batch_views.batch_quote_accepted(quoted, batch, pairs)
        yield batch_views.batch_quote_executed(quoted, batch, quotes[:1], quotes[1:], "accepted")


SANDBOX_MESSAGES = [(kind, json.loads(body)) for kind, body in sandbox_messages()]
