"""The messages of all live channels, one struct for each type of the wire."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from ..models._base import ABSENT, wire_names
from ..models.orderbook import Level
from ._lifecycle_messages import (
    EventFeeUpdate,
    EventLifecycle,
    LifecycleMetadata,
    LifecyclePriceRange,
    MarketLifecycle,
    MultivariateMarketLifecycle,
)
from ._message import MarketMessage, Part, StreamMessage
from ._rfq_messages import (
    BatchAcceptedQuote,
    BatchBestQuote,
    BatchQuote,
    BatchQuoteAccepted,
    BatchQuoteCreated,
    BatchQuoteExecuted,
    BatchRfq,
    QuoteAccepted,
    QuoteCreated,
    QuoteExecuted,
    RfqBatchBestQuotes,
    RfqBatchCreated,
    RfqBatchDeleted,
    RfqBatchExecuted,
    RfqCreated,
    RfqDeleted,
    RfqLeg,
)

__all__ = [
    "MESSAGES",
    "BatchAcceptedQuote",
    "BatchBestQuote",
    "BatchQuote",
    "BatchQuoteAccepted",
    "BatchQuoteCreated",
    "BatchQuoteExecuted",
    "BatchRfq",
    "CfBenchmarksAverage",
    "CfBenchmarksValue",
    "CfBenchmarksValue5Hz",
    "CommunicationsMessage",
    "EventFeeUpdate",
    "EventLifecycle",
    "FillUpdate",
    "LifecycleMessage",
    "LifecycleMetadata",
    "LifecyclePriceRange",
    "MarketLifecycle",
    "MarketMessage",
    "MarketPositionUpdate",
    "MultivariateMarketLifecycle",
    "MultivariateMessage",
    "OrderGroupUpdate",
    "OrderbookDelta",
    "OrderbookSnapshot",
    "PythValue",
    "QuoteAccepted",
    "QuoteCreated",
    "QuoteExecuted",
    "RfqBatchBestQuotes",
    "RfqBatchCreated",
    "RfqBatchDeleted",
    "RfqBatchExecuted",
    "RfqCreated",
    "RfqDeleted",
    "RfqLeg",
    "StreamMessage",
    "TickerUpdate",
    "TradeUpdate",
    "UserOrderUpdate",
]


# Books


class OrderbookSnapshot(
    MarketMessage, kw_only=True, rename={"yes": "yes_dollars_fp", "no": "no_dollars_fp"}
):
    """A whole book: the bids of both sides as (price, size).

    A side without bids is None. Bids for NO have NO prices, unless the subscription asked for YES
    prices. ``clock`` counts the changes of the book.
    """

    market_ticker: str
    market_id: str = ABSENT
    clock: int | None = None
    yes: list[Level] | None = None
    no: list[Level] | None = None


class OrderbookDelta(
    MarketMessage, kw_only=True, rename=wire_names(dollars=["price"], counts=["delta"])
):
    """``delta`` contracts more (below 0: fewer) are bid for ``side`` at ``price``.

    ``client_order_id`` and ``subaccount`` are told only to the owner of the order that did it.
    """

    __times__: ClassVar[tuple[str, ...]] = ("ts_ms", "ts")

    market_ticker: str
    market_id: str = ABSENT
    clock: int | None = None
    price: Decimal
    delta: Decimal
    side: str
    client_order_id: str | None = None
    ts: datetime | None = None
    ts_ms: int | None = None
    subaccount: int | None = None


# Prices and trades


class TickerUpdate(
    MarketMessage,
    kw_only=True,
    rename=wire_names(
        dollars=["price", "yes_bid", "yes_ask"],
        counts=["volume", "open_interest", "yes_bid_size", "yes_ask_size", "last_trade_size"],
    ),
):
    """Prices and volumes of a market; ``price`` is that of the last trade.

    ``dollar_volume`` and ``dollar_open_interest`` are whole dollars. A side without bids has size
    0, and 0 or 1 dollars as its price.
    """

    __times__: ClassVar[tuple[str, ...]] = ("ts_ms", "time", "ts")

    market_id: str = ABSENT
    market_ticker: str
    price: Decimal = ABSENT
    yes_bid: Decimal = ABSENT
    yes_ask: Decimal = ABSENT
    volume: Decimal = ABSENT
    open_interest: Decimal = ABSENT
    dollar_volume: int = ABSENT
    dollar_open_interest: int = ABSENT
    yes_bid_size: Decimal = ABSENT
    yes_ask_size: Decimal = ABSENT
    last_trade_size: Decimal = ABSENT
    ts: int | None = None
    ts_ms: int = ABSENT
    time: datetime | None = None


class TradeUpdate(
    MarketMessage,
    kw_only=True,
    rename=wire_names(dollars=["yes_price", "no_price"], counts=["count"]),
):
    """A public trade; ``yes_price`` and ``no_price`` add up to 1 dollar.

    ``taker_outcome_side`` is what the taker gained exposure to, ``taker_book_side`` where the
    taker's order stood.
    """

    __times__: ClassVar[tuple[str, ...]] = ("ts_ms", "ts")

    trade_id: str
    market_ticker: str
    yes_price: Decimal = ABSENT
    no_price: Decimal = ABSENT
    count: Decimal = ABSENT
    taker_side: str | None = None
    taker_outcome_side: str = ABSENT
    taker_book_side: str = ABSENT
    is_block_trade: bool = ABSENT
    ts: int | None = None
    ts_ms: int = ABSENT


# The account


class FillUpdate(
    MarketMessage,
    kw_only=True,
    rename=wire_names(dollars=["yes_price"], counts=["count", "post_position"]),
):
    """A match of one of the account's orders; a trade with oneself is two fills of one
    ``trade_id``.

    ``book_side`` is where the order stood, ``outcome_side`` what it gained exposure to;
    ``fee_cost`` is dollars. ``post_position`` is the holding after it, above 0 YES and below 0 NO
    contracts. That, ``purchased_side`` and ``client_order_id`` are None when ``backfilled``.
    """

    __times__: ClassVar[tuple[str, ...]] = ("ts_ms", "ts")

    trade_id: str
    order_id: str
    client_order_id: str | None = None
    market_ticker: str
    exchange_index: int = ABSENT
    is_taker: bool = ABSENT
    side: str | None = None
    ts: int | None = None
    ts_ms: int = ABSENT
    yes_price: Decimal = ABSENT
    count: Decimal = ABSENT
    fee_cost: Decimal = ABSENT
    action: str | None = None
    post_position: Decimal | None = None
    purchased_side: str | None = None
    outcome_side: str = ABSENT
    book_side: str = ABSENT
    subaccount: int | None = None


class UserOrderUpdate(
    StreamMessage,
    kw_only=True,
    rename=wire_names(
        dollars=["yes_price", "taker_fill_cost", "maker_fill_cost", "taker_fees", "maker_fees"],
        counts=["fill_count", "remaining_count", "initial_count"],
    ),
):
    """An order of the account as it is now.

    ``status`` is ``resting``, ``canceled`` or ``executed``; ``last_update_reason`` says what
    changed it. Costs and fees are dollars, counts contracts. ``is_yes`` and
    ``last_update_reason`` are None when ``backfilled``.
    """

    __times__: ClassVar[tuple[str, ...]] = (
        "last_updated_ts_ms",
        "last_update_time",
        "created_ts_ms",
        "created_time",
    )

    order_id: str
    user_id: str = ABSENT
    ticker: str
    exchange_index: int | None = None
    status: str = ABSENT
    side: str | None = None
    is_yes: bool | None = None
    outcome_side: str = ABSENT
    book_side: str = ABSENT
    yes_price: Decimal = ABSENT
    fill_count: Decimal = ABSENT
    remaining_count: Decimal = ABSENT
    initial_count: Decimal = ABSENT
    taker_fill_cost: Decimal = ABSENT
    maker_fill_cost: Decimal = ABSENT
    taker_fees: Decimal = ABSENT
    maker_fees: Decimal = ABSENT
    client_order_id: str = ABSENT
    order_group_id: str | None = None
    self_trade_prevention_type: str | None = None
    created_time: datetime | None = None
    last_update_time: datetime | None = None
    expiration_time: datetime | None = None
    expiration_ts_ms: int | None = None
    created_ts_ms: int | None = None
    last_updated_ts_ms: int | None = None
    last_update_reason: str | None = None
    subaccount_number: int | None = None


class MarketPositionUpdate(
    MarketMessage,
    kw_only=True,
    rename=wire_names(
        dollars=["position_cost", "realized_pnl", "fees_paid", "position_fee_cost"],
        counts=["position", "volume"],
    ),
):
    """What the account holds of a market: ``position`` above 0 is YES contracts, below 0 is NO.

    ``position_cost`` is what the holding cost and ``position_fee_cost`` what it cost in fees,
    ``volume`` all contracts ever traded; amounts are dollars. These three and ``user_id`` may be
    None when ``backfilled``.
    """

    user_id: str | None = None
    market_ticker: str
    position: Decimal = ABSENT
    position_cost: Decimal | None = None
    realized_pnl: Decimal = ABSENT
    fees_paid: Decimal = ABSENT
    position_fee_cost: Decimal | None = None
    volume: Decimal | None = None
    subaccount: int | None = None


class OrderGroupUpdate(StreamMessage, kw_only=True, rename=wire_names(counts=["contracts_limit"])):
    """What became of an order group.

    ``event_type`` is ``created``, ``triggered``, ``reset``, ``deleted`` or ``limit_updated``;
    ``contracts_limit`` comes when it is set.
    """

    __times__: ClassVar[tuple[str, ...]] = ("ts_ms",)

    event_type: str
    order_group_id: str
    contracts_limit: Decimal | None = None
    ts_ms: int = ABSENT


# Reference prices


class CfBenchmarksAverage(Part, kw_only=True):
    """The mean of an index over a window: ``window_size`` values from ``window_start_ts_ms`` to
    before ``window_end_ts_exclusive``, both Unix milliseconds.
    """

    value: Decimal = ABSENT
    window_size: int = ABSENT
    window_start_ts_ms: int = ABSENT
    window_end_ts_exclusive: int = ABSENT


class CfBenchmarksValue(StreamMessage, kw_only=True, rename={"source_received_ms": "received_at"}):
    """A crypto index, every second; ``data`` is the provider's own message, as JSON text.

    ``source_received_ms`` is when Kalshi had it. The average over the last minute of a quarter of
    an hour comes only in that minute.
    """

    __times__: ClassVar[tuple[str, ...]] = ("source_received_ms",)

    index_id: str
    source_received_ms: int = ABSENT
    data: str = ABSENT
    avg_60s_data: CfBenchmarksAverage = ABSENT
    last_60s_windowed_average_15min: CfBenchmarksAverage | None = None


class CfBenchmarksValue5Hz(
    StreamMessage, kw_only=True, rename={"source_received_ms": "received_at"}
):
    """A crypto index in dollars, five times a second; see ``CfBenchmarksValue``.

    ``source_ts_ms`` is the provider's own time.
    """

    __times__: ClassVar[tuple[str, ...]] = ("source_ts_ms", "source_received_ms")

    index_id: str
    value_usd: Decimal = ABSENT
    source_ts_ms: int = ABSENT
    source_received_ms: int = ABSENT
    data: str = ABSENT


class PythValue(StreamMessage, kw_only=True, rename={"source_received_ms": "received_at"}):
    """The price of a commodity or metal in dollars.

    ``source_ts_ms`` is the provider's own time, ``source_received_ms`` when Kalshi had it.
    """

    __times__: ClassVar[tuple[str, ...]] = ("source_ts_ms", "source_received_ms")

    underlying_ticker: str
    value_usd: Decimal = ABSENT
    source_ts_ms: int = ABSENT
    source_received_ms: int = ABSENT


MESSAGES: dict[str, type[StreamMessage]] = {
    "batch_quote_accepted": BatchQuoteAccepted,
    "batch_quote_created": BatchQuoteCreated,
    "batch_quote_executed": BatchQuoteExecuted,
    "cfbenchmarks_value": CfBenchmarksValue,
    "cfbenchmarks_value_5hz": CfBenchmarksValue5Hz,
    "event_fee_update": EventFeeUpdate,
    "event_lifecycle": EventLifecycle,
    "fill": FillUpdate,
    "market_lifecycle_v2": MarketLifecycle,
    "market_position": MarketPositionUpdate,
    "multivariate_market_lifecycle": MultivariateMarketLifecycle,
    "order_group_updates": OrderGroupUpdate,
    "orderbook_delta": OrderbookDelta,
    "orderbook_snapshot": OrderbookSnapshot,
    "pyth_value": PythValue,
    "quote_accepted": QuoteAccepted,
    "quote_created": QuoteCreated,
    "quote_executed": QuoteExecuted,
    "rfq_batch_best_quotes": RfqBatchBestQuotes,
    "rfq_batch_created": RfqBatchCreated,
    "rfq_batch_deleted": RfqBatchDeleted,
    "rfq_batch_executed": RfqBatchExecuted,
    "rfq_created": RfqCreated,
    "rfq_deleted": RfqDeleted,
    "ticker": TickerUpdate,
    "trade": TradeUpdate,
    "user_order": UserOrderUpdate,
}
"""The ``type`` of a frame, and the struct of its ``msg``."""

LifecycleMessage = MarketLifecycle | EventLifecycle | EventFeeUpdate
"""What the channel ``market_lifecycle_v2`` sends."""

MultivariateMessage = MultivariateMarketLifecycle | EventLifecycle
"""What the channel ``multivariate_market_lifecycle`` sends."""

CommunicationsMessage = (
    RfqCreated
    | RfqDeleted
    | QuoteCreated
    | QuoteAccepted
    | QuoteExecuted
    | RfqBatchCreated
    | RfqBatchDeleted
    | BatchQuoteCreated
    | RfqBatchBestQuotes
    | BatchQuoteAccepted
    | RfqBatchExecuted
    | BatchQuoteExecuted
)
"""What the channel ``communications`` sends."""
