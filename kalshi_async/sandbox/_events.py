"""What happened: the engine appends an event for every change of its state.

Objects inside an event are the engine's own and go on changing: whoever keeps an event keeps a copy
of what it needs.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ._records import Fill, Group, MarketState, Order, Position, Settlement, Trade


class BookChanged(msgspec.Struct, frozen=True, gc=False):
    """The count at one price of a book moved by `delta`; the last three name whose order did it."""

    ticker: str
    bid: bool
    price: int
    delta: int
    clock: int
    time: int
    user_id: str
    subaccount: int
    client_order_id: str


class OrderChanged(msgspec.Struct, frozen=True):
    """An order is new, or its status, size, price or expiration changed."""

    order: Order
    time: int
    new: bool = False


class Traded(msgspec.Struct, frozen=True):
    """A match, with the fill of each side."""

    trade: Trade
    taker: Fill
    maker: Fill


class CashMoved(msgspec.Struct, frozen=True, gc=False):
    """The cash of a wallet changed. Trades include their fees; `fees` says how much of `amount`."""

    user_id: str
    subaccount: int
    shard: int
    amount: int
    kind: Literal["deposit", "withdrawal", "transfer", "trade", "settlement"]
    time: int
    fees: int = 0


class PositionChanged(msgspec.Struct, frozen=True):
    """A holding changed."""

    position: Position
    time: int


class Settled(msgspec.Struct, frozen=True):
    """A holding was paid out."""

    settlement: Settlement


class MarketChanged(msgspec.Struct, frozen=True):
    """A market came into being or changed its state, in the words of the lifecycle channel
    (`closed` is not among them: its subscribers hear of a close when the market is determined).
    """

    market: MarketState
    kind: Literal[
        "created",
        "activated",
        "deactivated",
        "close_date_updated",
        "closed",
        "determined",
        "settled",
    ]
    time: int


class GroupChanged(msgspec.Struct, frozen=True):
    """An order group changed, in the words of its channel."""

    group: Group
    kind: Literal["created", "triggered", "reset", "deleted", "limit_updated"]
    time: int


class TradingChanged(msgspec.Struct, frozen=True):
    """Trading on the whole exchange was paused or resumed."""

    active: bool
    time: int


Event = (
    BookChanged
    | OrderChanged
    | Traded
    | CashMoved
    | PositionChanged
    | Settled
    | MarketChanged
    | GroupChanged
    | TradingChanged
)
