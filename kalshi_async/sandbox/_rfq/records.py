"""What a request for quotes consists of: RFQs, quotes, batches of both, and the times they keep.

Prices, counts and amounts are in the units of `_units`, times are Unix microseconds (0: never).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from .._records import MarketState, Order
from .._text import HOUR, SECOND

OPEN, ACCEPTED, CONFIRMED, EXECUTED = "open", "accepted", "confirmed", "executed"
CANCELLED, CLOSED, PARTIALLY_EXECUTED = "cancelled", "closed", "partially_executed"
YES, NO = "yes", "no"
# Quotes in these states can still lead to a trade.
LIVE = frozenset((OPEN, ACCEPTED, CONFIRMED))


class Leg(msgspec.Struct, frozen=True):
    """One selected market of a combo."""

    event_ticker: str
    market_ticker: str
    side: str

    def json(self) -> dict[str, object]:
        """The object as the exchange shows it."""
        return {
            "event_ticker": self.event_ticker,
            "market_ticker": self.market_ticker,
            "side": self.side,
        }


class Subject(msgspec.Struct, frozen=True):
    """A market somebody asks quotes for; a combo has a collection and legs."""

    market: MarketState
    collection: str = ""
    legs: tuple[Leg, ...] = ()


class Ask(msgspec.Struct, kw_only=True, frozen=True):
    """What a requester wants: `contracts` or, where that is 0, what `target` dollars buy."""

    user_id: str
    ticker: str
    contracts: int = 0
    target: int = 0
    excludes_fees: bool = False
    rest_remainder: bool = False
    obscured: bool = False
    subaccount: int = 0


class Offer(msgspec.Struct, kw_only=True, frozen=True):
    """What a quoter bids for YES and for NO; 0 declines that side."""

    user_id: str
    rfq_id: str
    yes_bid: int
    no_bid: int
    rest_remainder: bool = False
    post_only: bool = False
    subaccount: int = 0


class Rfq(msgspec.Struct, kw_only=True):
    """A request for quotes."""

    id: str
    number: int
    ask: Ask
    event_ticker: str
    created: int
    updated: int
    expires: int
    status: str = OPEN
    reason: str = ""
    closed: int = 0
    batch_id: str = ""
    collection: str = ""
    legs: tuple[Leg, ...] = ()


class Quote(msgspec.Struct, kw_only=True):
    """An answer to an RFQ. `yes_count` is what trades when the YES bid is accepted; `due` ends the
    window to confirm while it is accepted, and the execution timer while it is confirmed.
    """

    id: str
    number: int
    offer: Offer
    yes_count: int
    no_count: int
    created: int
    updated: int
    status: str = OPEN
    side: str = ""
    reason: str = ""
    accepted: int = 0
    confirmed: int = 0
    executed: int = 0
    cancelled: int = 0
    due: int = 0
    batch_quote_id: str = ""
    client_order_id: str = ""
    taker_order_id: str = ""
    maker_order_id: str = ""

    def bid(self, side: str) -> int:
        """The price bid for a side."""
        return self.offer.yes_bid if side == YES else self.offer.no_bid

    def count(self, side: str) -> int:
        """What trades when the bid for this side is accepted."""
        return self.yes_count if side == YES else self.no_count


class Batch(msgspec.Struct, kw_only=True):
    """RFQs that are accepted together. `version` counts the changes of their best quotes."""

    id: str
    number: int
    user_id: str
    subaccount: int
    client_batch_id: str
    obscured: bool
    rfq_ids: list[str]
    created: int
    updated: int
    status: str = OPEN
    side: str = ""
    reason: str = ""
    accepted: int = 0
    closed: int = 0
    version: int = 0
    quote_ids: list[str] = []
    """The quotes that were accepted with the batch."""


class BatchQuote(msgspec.Struct, kw_only=True):
    """One quoter's quotes for the RFQs of a batch."""

    id: str
    number: int
    batch_id: str
    user_id: str
    subaccount: int
    rest_remainder: bool
    post_only: bool
    quote_ids: list[str]
    created: int
    updated: int
    status: str = OPEN
    side: str = ""
    accepted: int = 0
    confirmed: int = 0
    accepted_ids: list[str] = []


@dataclass(frozen=True, slots=True)
class Cross:
    """A trade two parties agreed on: the requester takes, the quoter makes."""

    maker_user: str
    taker_user: str
    ticker: str
    taker_bid: bool
    price: int
    count: int
    maker_subaccount: int
    taker_subaccount: int
    maker_client_order_id: str
    taker_client_order_id: str


Crossing = Callable[[Cross], tuple[Order, Order]]
"""Executes a cross, as (taker's order, maker's order); raises ApiError and changes nothing when
one of them cannot pay."""


class Notice(NamedTuple):
    """A message of the communications channel and who may see it (None: everybody)."""

    kind: str
    msg: dict[str, object]
    users: frozenset[str] | None


class Timing(NamedTuple):
    """How long things last, in microseconds. Combos move faster than other markets, so their
    windows are shorter.

    The exchange waits 15 s (combos: 1 s) between confirmation and execution; here a confirmed quote
    executes at once unless `execute` says otherwise.
    """

    confirm: int = 30 * SECOND
    confirm_combo: int = 3 * SECOND
    execute: int = 0
    execute_combo: int = 0
    lifetime: int = 24 * HOUR
