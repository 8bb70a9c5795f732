"""The messages of the communications channel: RFQs, quotes, and batches of both.

Everybody hears of RFQs and RFQ batches; of a quote only its two parties hear, each with its own
``subaccount`` and order. ``creator_id`` and the like are public identifiers (compare with
``communications.id()``), ``*_ts`` are times.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from ..models._base import ABSENT, wire_names
from ._message import MarketMessage, Part, StreamMessage

_OFFERED = ("yes_contracts_offered", "no_contracts_offered")
_BIDS = ("yes_bid", "no_bid", "rfq_target_cost")
_SIZE = wire_names(dollars=["target_cost"], counts=["contracts"])


class RfqLeg(Part, kw_only=True, rename=wire_names(dollars=["yes_settlement_value"])):
    """One leg of a combo market."""

    event_ticker: str = ABSENT
    market_ticker: str = ABSENT
    side: str = ABSENT
    yes_settlement_value: Decimal | None = None


class RfqCreated(MarketMessage, kw_only=True, rename=_SIZE):
    """Somebody asks for quotes on ``contracts``, or on what ``target_cost`` dollars buy.

    The ``mve_`` fields describe a combo.
    """

    __times__: ClassVar[tuple[str, ...]] = ("created_ts",)

    id: str
    creator_id: str = ABSENT
    market_ticker: str
    event_ticker: str | None = None
    contracts: Decimal | None = None
    target_cost: Decimal | None = None
    created_ts: datetime = ABSENT
    mve_collection_ticker: str | None = None
    mve_selected_legs: list[RfqLeg] | None = None


class RfqDeleted(MarketMessage, kw_only=True, rename=_SIZE):
    """An RFQ takes no more quotes."""

    __times__: ClassVar[tuple[str, ...]] = ("deleted_ts",)

    id: str
    creator_id: str = ABSENT
    market_ticker: str
    event_ticker: str | None = None
    contracts: Decimal | None = None
    target_cost: Decimal | None = None
    deleted_ts: datetime = ABSENT


class QuoteCreated(MarketMessage, kw_only=True, rename=wire_names(dollars=_BIDS, counts=_OFFERED)):
    """A quote for an RFQ, in dollars a contract; a bid of 0 declines that side.

    ``*_contracts_offered`` is what trades when the bid for that side is accepted.
    """

    __times__: ClassVar[tuple[str, ...]] = ("created_ts",)

    quote_id: str
    rfq_id: str
    quote_creator_id: str = ABSENT
    rfq_creator_id: str = ABSENT
    market_ticker: str
    event_ticker: str | None = None
    yes_bid: Decimal = ABSENT
    no_bid: Decimal = ABSENT
    yes_contracts_offered: Decimal | None = None
    no_contracts_offered: Decimal | None = None
    rfq_target_cost: Decimal | None = None
    created_ts: datetime = ABSENT
    subaccount: int | None = None


class QuoteAccepted(
    MarketMessage,
    kw_only=True,
    rename=wire_names(dollars=_BIDS, counts=[*_OFFERED, "contracts_accepted"]),
):
    """The requester accepted ``accepted_side`` of a quote; its maker may now confirm it."""

    quote_id: str
    rfq_id: str
    quote_creator_id: str = ABSENT
    rfq_creator_id: str = ABSENT
    market_ticker: str
    event_ticker: str | None = None
    yes_bid: Decimal = ABSENT
    no_bid: Decimal = ABSENT
    accepted_side: str | None = None
    contracts_accepted: Decimal | None = None
    yes_contracts_offered: Decimal | None = None
    no_contracts_offered: Decimal | None = None
    rfq_target_cost: Decimal | None = None
    subaccount: int | None = None


class QuoteExecuted(MarketMessage, kw_only=True):
    """A quote traded; ``order_id`` and ``client_order_id`` are of one's own order."""

    __times__: ClassVar[tuple[str, ...]] = ("executed_ts",)

    quote_id: str
    rfq_id: str
    quote_creator_id: str = ABSENT
    rfq_creator_id: str = ABSENT
    order_id: str
    client_order_id: str = ABSENT
    market_ticker: str
    executed_ts: datetime = ABSENT
    subaccount: int | None = None
    rfq_batch_id: str | None = None


# Batches


class BatchRfq(Part, kw_only=True, rename=_SIZE):
    """One RFQ of a batch; ``leg_indices`` point into the ``legs`` of the batch, from 0."""

    id: str
    market_ticker: str = ABSENT
    event_ticker: str | None = None
    contracts: Decimal | None = None
    target_cost: Decimal | None = None
    mve_collection_ticker: str | None = None
    leg_indices: list[int] = ABSENT


class RfqBatchCreated(StreamMessage, kw_only=True):
    """Somebody asks for quotes on several markets at once."""

    __times__: ClassVar[tuple[str, ...]] = ("created_ts",)

    id: str
    creator_id: str = ABSENT
    created_ts: datetime = ABSENT
    legs: list[RfqLeg] = ABSENT
    rfqs: list[BatchRfq] = ABSENT


class RfqBatchDeleted(StreamMessage, kw_only=True):
    """A batch takes no more quotes."""

    __times__: ClassVar[tuple[str, ...]] = ("deleted_ts",)

    id: str
    creator_id: str = ABSENT
    rfq_ids: list[str] = ABSENT
    deleted_ts: datetime = ABSENT


class BatchQuote(Part, kw_only=True, rename=wire_names(dollars=_BIDS, counts=_OFFERED)):
    """One quote of a batch quote; see ``QuoteCreated``."""

    quote_id: str
    rfq_id: str
    market_ticker: str = ABSENT
    event_ticker: str | None = None
    yes_bid: Decimal = ABSENT
    no_bid: Decimal = ABSENT
    yes_contracts_offered: Decimal | None = None
    no_contracts_offered: Decimal | None = None
    rfq_target_cost: Decimal | None = None


class BatchQuoteCreated(StreamMessage, kw_only=True):
    """One maker's quotes for the RFQs of a batch."""

    __times__: ClassVar[tuple[str, ...]] = ("created_ts",)

    batch_quote_id: str
    rfq_batch_id: str
    quote_creator_id: str = ABSENT
    created_ts: datetime = ABSENT
    quotes: list[BatchQuote] = ABSENT
    subaccount: int | None = None


class BatchBestQuote(
    Part, kw_only=True, rename=wire_names(dollars=_BIDS, counts=[*_OFFERED, "contracts"])
):
    """The best bids for one RFQ of a batch, in dollars a contract; None where nobody bids."""

    rfq_id: str
    market_ticker: str = ABSENT
    event_ticker: str | None = None
    yes_bid: Decimal | None = None
    no_bid: Decimal | None = None
    contracts: Decimal | None = None
    yes_contracts_offered: Decimal | None = None
    no_contracts_offered: Decimal | None = None
    rfq_target_cost: Decimal | None = None


class RfqBatchBestQuotes(StreamMessage, kw_only=True):
    """The best bids for the RFQs of one's own batch; ``version`` counts their changes.

    ``yes_complete`` and ``no_complete`` say whether every RFQ has a bid for that side.
    """

    __times__: ClassVar[tuple[str, ...]] = ("updated_ts",)

    rfq_batch_id: str
    client_batch_id: str | None = None
    version: int = ABSENT
    updated_ts: datetime = ABSENT
    yes_complete: bool = ABSENT
    no_complete: bool = ABSENT
    rfqs: list[BatchBestQuote] = ABSENT
    subaccount: int | None = None


class BatchAcceptedQuote(
    Part, kw_only=True, rename=wire_names(dollars=_BIDS, counts=[*_OFFERED, "contracts_accepted"])
):
    """One accepted quote of a batch quote; see ``QuoteAccepted``."""

    quote_id: str
    rfq_id: str
    market_ticker: str = ABSENT
    event_ticker: str | None = None
    yes_bid: Decimal = ABSENT
    no_bid: Decimal = ABSENT
    contracts_accepted: Decimal | None = None
    yes_contracts_offered: Decimal | None = None
    no_contracts_offered: Decimal | None = None
    rfq_target_cost: Decimal | None = None


class BatchQuoteAccepted(StreamMessage, kw_only=True):
    """The requester accepted one side of a batch; the quotes of one maker that this took."""

    __times__: ClassVar[tuple[str, ...]] = ("accepted_ts",)

    batch_quote_id: str
    rfq_batch_id: str
    quote_creator_id: str = ABSENT
    rfq_creator_id: str = ABSENT
    accepted_side: str = ABSENT
    accepted_ts: datetime = ABSENT
    quotes: list[BatchAcceptedQuote] = ABSENT
    subaccount: int | None = None


class RfqBatchExecuted(StreamMessage, kw_only=True):
    """What became of one's own accepted batch; ``close_reason`` says why it closed."""

    __times__: ClassVar[tuple[str, ...]] = ("executed_ts",)

    rfq_batch_id: str
    client_batch_id: str | None = None
    rfq_creator_id: str = ABSENT
    executed_rfq_ids: list[str] = ABSENT
    failed_rfq_ids: list[str] = ABSENT
    executed_ts: datetime = ABSENT
    close_reason: str = ABSENT
    subaccount: int | None = None


class BatchQuoteExecuted(StreamMessage, kw_only=True):
    """What became of one's own quotes for an accepted batch."""

    __times__: ClassVar[tuple[str, ...]] = ("executed_ts",)

    batch_quote_id: str
    rfq_batch_id: str
    rfq_creator_id: str = ABSENT
    executed_rfq_ids: list[str] = ABSENT
    failed_rfq_ids: list[str] = ABSENT
    executed_ts: datetime = ABSENT
    close_reason: str = ABSENT
    subaccount: int | None = None
