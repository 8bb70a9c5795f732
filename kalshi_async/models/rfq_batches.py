"""Batches: RFQs that are asked, quoted and accepted together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from .._amounts import Count, Money, Price
from ._base import ABSENT, Model, wire_names
from .collections import TickerPair
from .communications import Quote, Rfq

RfqBatchStatus = Literal["open", "accepted", "closed"]
"""What ``communications.batches.list(status=…)`` takes."""


class RfqBatchChild(Model):
    """One RFQ of a new batch.

    Either the market, or the legs of a combo that is made for it (``mve_collection_ticker`` of the
    batch says of which collection). ``contracts`` or ``target_cost`` (dollars) goes before what
    the batch asks for.
    """

    market_ticker: str | None = None
    selected_markets: Sequence[TickerPair] | None = None
    contracts: Count | None = None
    target_cost: Money | None = None


class RfqBatchQuoteEntry(Model):
    """What a batch quote bids for one RFQ, in dollars a contract; ``"0"`` declines a side."""

    rfq_id: str
    yes_bid: Price
    no_bid: Price


class RfqBatch(Model, kw_only=True):
    """A batch of RFQs.

    ``creator_id`` is the requester's public identifier; ``creator_user_id``,
    ``creator_subaccount`` and ``client_batch_id`` are told to the requester alone. ``status`` is
    ``open``, ``accepted`` or ``closed``; ``close_reason`` says why it closed.
    """

    accepted_ts: datetime | None = None
    client_batch_id: str | None = None
    close_reason: str | None = None
    closed_ts: datetime | None = None
    created_ts: datetime = ABSENT
    creator_id: str = ABSENT
    creator_subaccount: int | None = None
    creator_user_id: str | None = None
    id: str
    rfqs: list[Rfq] = ABSENT
    status: str = ABSENT
    updated_ts: datetime | None = None


class RfqBatchQuote(Model, kw_only=True):
    """One maker's quotes for all RFQs of a batch.

    ``status`` is as that of a ``Quote``, or ``partially_executed``. Account and subaccount of a
    party are told to that party alone.
    """

    accepted_side: str | None = None
    accepted_ts: datetime | None = None
    confirmed_ts: datetime | None = None
    created_ts: datetime = ABSENT
    creator_id: str = ABSENT
    creator_subaccount: int | None = None
    creator_user_id: str | None = None
    id: str
    post_only: bool | None = None
    quotes: list[Quote] = ABSENT
    rest_remainder: bool | None = None
    rfq_batch_id: str = ABSENT
    rfq_creator_id: str = ABSENT
    rfq_creator_subaccount: int | None = None
    rfq_creator_user_id: str | None = None
    status: str = ABSENT
    updated_ts: datetime = ABSENT


class CreatedRfqBatchQuote(Model):
    """The id of a new batch quote."""

    id: str


class RfqBatchBestQuote(
    Model,
    kw_only=True,
    rename=wire_names(
        dollars=["yes_bid", "no_bid"], counts=["yes_contracts_offered", "no_contracts_offered"]
    ),
):
    """The best bids for one RFQ of a batch, in dollars a contract; None where nobody bids."""

    market_ticker: str = ABSENT
    no_bid: Decimal | None = None
    no_contracts_offered: Decimal | None = None
    rfq_id: str
    yes_bid: Decimal | None = None
    yes_contracts_offered: Decimal | None = None


class RfqBatchBestQuotes(Model, kw_only=True):
    """The best bids for all RFQs of a batch.

    ``yes_complete`` and ``no_complete`` say whether every RFQ has a bid for that side, so that the
    batch can be accepted. ``version`` counts changes.
    """

    no_complete: bool = ABSENT
    rfq_batch_id: str
    rfqs: list[RfqBatchBestQuote] = ABSENT
    status: str = ABSENT
    updated_ts: datetime | None = None
    version: int = ABSENT
    yes_complete: bool = ABSENT

    def min_bids(self, accepted_side: Literal["yes", "no"]) -> dict[str, Decimal]:
        """The best bids for a side by RFQ: what ``batches.accept(min_bids=…)`` takes.

        RFQs without a bid for the side are left out; the exchange refuses such an acceptance.
        """
        bids = {
            quote.rfq_id: quote.yes_bid if accepted_side == "yes" else quote.no_bid
            for quote in self.rfqs or ()
        }
        return {rfq_id: bid for rfq_id, bid in bids.items() if bid is not None}


class AcceptedRfqBatch(Model):
    """The quotes that were accepted with a batch."""

    accepted_side: str = ABSENT
    quotes: list[Quote] = ABSENT
