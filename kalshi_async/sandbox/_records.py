"""What the exchange keeps: orders, fills, positions, money, markets. Plain values, each of which
can be written to a file and read back.

Prices, counts and amounts are in the units of `_units`, times are Unix microseconds (0: never). A
subaccount is 0 (the primary one) to 63, a shard is an ``exchange_index``.
"""

from __future__ import annotations

from typing import Literal

import msgspec

# Shards of the exchange, by ``exchange_index``.
SHARDS = 4
# Subaccounts are numbered from 0, the primary one.
LAST_SUBACCOUNT = 63
RESTING, CANCELED, EXECUTED = "resting", "canceled", "executed"
GTC, IOC, FOK = "good_till_canceled", "immediate_or_cancel", "fill_or_kill"
TAKER_AT_CROSS, MAKER = "taker_at_cross", "maker"
# States of a market object, as its `status` shows them.
INITIALIZED, ACTIVE, INACTIVE, CLOSED = "initialized", "active", "inactive", "closed"
DETERMINED, FINALIZED = "determined", "finalized"

# Why an order changed last, in the words of the `user_order` message.
Reason = Literal[
    "",
    "Decrease",
    "Amend",
    "MarginCancel",
    "SelfTradeCancel",
    "ExpiryCancel",
    "CloseCancel",
    "HaltCancel",
    "Trade",
    "PostOnlyCrossCancel",
    "ReduceOnlyCancel",
    "SettlementBoundsCancel",
]


class NewOrder(msgspec.Struct, kw_only=True, frozen=True):
    """What a trader asks for. `price` is the YES price; a bid buys YES, an ask sells it."""

    user_id: str
    ticker: str
    bid: bool
    price: int
    count: int
    client_order_id: str = ""
    subaccount: int = 0
    time_in_force: str = GTC
    self_trade: str = TAKER_AT_CROSS
    post_only: bool = False
    reduce_only: bool = False
    cancel_on_pause: bool = False
    expiration: int = 0
    group_id: str = ""
    shard: int | None = None


class Order(msgspec.Struct, kw_only=True):
    """An order, resting or ended. `initial` is filled + remaining + what was cancelled of it.

    `taker_value` and `maker_value` add up YES price x count of the fills; `priority` orders it
    within its price; `rounding` is the accumulator of its rounding fees.
    """

    order_id: str
    user_id: str
    subaccount: int
    ticker: str
    shard: int
    client_order_id: str
    bid: bool
    price: int
    initial: int
    remaining: int
    time_in_force: str
    self_trade: str
    created: int
    updated: int
    priority: int
    status: str = RESTING
    post_only: bool = False
    reduce_only: bool = False
    cancel_on_pause: bool = False
    expiration: int = 0
    group_id: str = ""
    filled: int = 0
    taker_filled: int = 0
    taker_value: int = 0
    maker_value: int = 0
    taker_fees: int = 0
    maker_fees: int = 0
    rounding: int = 0
    reason: Reason = ""


class Fill(msgspec.Struct, kw_only=True, frozen=True):
    """One side of a trade. `fee` is what it cost beside the price; `position` the holding after."""

    trade_id: str
    order_id: str
    client_order_id: str
    user_id: str
    subaccount: int
    ticker: str
    shard: int
    bid: bool
    price: int
    count: int
    is_taker: bool
    fee: int
    position: int
    time: int


class Trade(msgspec.Struct, kw_only=True, frozen=True):
    """One match as everyone sees it; `price` is the YES price."""

    trade_id: str
    ticker: str
    price: int
    count: int
    taker_bid: bool
    time: int
    block: bool = False


class Position(msgspec.Struct, kw_only=True):
    """What one subaccount holds of one market: `count` is positive for YES, negative for NO.

    `cost` is what the holding was bought for, `traded` all that was ever paid or received at the
    price of the fills, `realized` the profit of what was closed (fees apart).
    """

    user_id: str
    subaccount: int
    ticker: str
    event_ticker: str
    shard: int
    count: int = 0
    cost: int = 0
    traded: int = 0
    realized: int = 0
    fees: int = 0
    volume: int = 0
    updated: int = 0
    settled: bool = False


class Wallet(msgspec.Struct, kw_only=True):
    """The money of one subaccount on one shard. `reserved` backs resting orders and is part of
    `cash`.
    """

    user_id: str
    subaccount: int
    shard: int
    cash: int = 0
    reserved: int = 0

    @property
    def free(self) -> int:
        """What a new order may use."""
        return self.cash - self.reserved


class Settlement(msgspec.Struct, kw_only=True, frozen=True):
    """The payout of one holding. `value` is the YES price it settled at."""

    user_id: str
    subaccount: int
    ticker: str
    event_ticker: str
    shard: int
    value: int
    count: int
    cost: int
    fees: int
    revenue: int
    time: int


class Payment(msgspec.Struct, kw_only=True, frozen=True):
    """A deposit (amount above 0) or a withdrawal."""

    payment_id: str
    user_id: str
    amount: int
    time: int


class Transfer(msgspec.Struct, kw_only=True, frozen=True):
    """Money moved between two wallets of one account."""

    transfer_id: str
    user_id: str
    client_transfer_id: str
    amount: int
    from_subaccount: int
    to_subaccount: int
    from_shard: int
    to_shard: int
    time: int


class Group(msgspec.Struct, kw_only=True):
    """An order group: at most `limit` contracts match in any 15 seconds, then it is triggered: its
    orders are cancelled and no further ones accepted until it is reset.

    `recent` holds (time, count) of the matches of the last 15 seconds, `used` what they add up to.
    """

    group_id: str
    user_id: str
    subaccount: int
    shard: int
    limit: int
    triggered: bool = False
    created: int = 0
    updated: int = 0
    recent: list[tuple[int, int]] = []
    used: int = 0


class MarketState(msgspec.Struct, kw_only=True):
    """A market that trades. `value` is the YES price it was determined at, -1 before.

    `grid` lists (start, end, step) of valid prices; the taker fee is `fee_thousandths` / 1000 x
    0.07 x count x price x (1 - price), the maker fee `maker_quarters` / 4 of that. `volume` and
    `open_interest` count what happened here, the `base_*` fields what the catalog says happened
    before. `clock` counts the changes of its book.
    """

    ticker: str
    event_ticker: str
    series_ticker: str
    shard: int
    status: str
    grid: tuple[tuple[int, int, int], ...]
    opens: int
    closes: int
    fee_thousandths: int = 1000
    maker_quarters: int = 0
    value: int = -1
    last: int = 0
    last_count: int = 0
    volume: int = 0
    dollar_volume: int = 0
    open_interest: int = 0
    base_volume: int = 0
    base_volume_24h: int = 0
    base_open_interest: int = 0
    clock: int = 0
    updated: int = 0
    determined: int = 0
    settled: int = 0

    def on_grid(self, price: int) -> bool:
        """Whether an order may have this price."""
        if not 0 < price < 10_000:
            return False
        return any(
            start <= price <= end and not (price - start) % step for start, end, step in self.grid
        )


class Listing(msgspec.Struct, kw_only=True, frozen=True):
    """A market as the catalog lists it: its state at first, and the quotes that rest in its book:
    (bid?, YES price, count), best first.
    """

    market: MarketState
    quotes: tuple[tuple[bool, int, int], ...] = ()
