"""Requests for quotes (RFQs) and the quotes that answer them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from ._base import ABSENT, Model, wire_names
from .markets import MveSelectedLeg

UserFilter = Literal["self"]
"""``"self"``: only what this account made."""


class Rfq(Model, kw_only=True, rename=wire_names(dollars=["target_cost"], counts=["contracts"])):
    """A request for quotes on one market.

    Asks for ``contracts`` or, where ``target_cost`` is set, for what that many dollars buy
    (``contracts`` is 0 then). ``creator_id`` is the requester's public identifier (compare with
    ``communications.id()``); ``creator_user_id`` and ``creator_subaccount`` are told to the
    requester alone. ``status`` is ``open`` or ``closed``; ``cancellation_reason`` says what closed
    it. The ``mve_`` fields describe a combo.
    """

    cancellation_reason: str | None = None
    cancelled_ts: datetime | None = None
    contracts: Decimal = ABSENT
    created_ts: datetime = ABSENT
    creator_id: str = ABSENT
    creator_subaccount: int | None = None
    creator_user_id: str | None = None
    id: str
    market_ticker: str = ABSENT
    mve_collection_ticker: str | None = None
    mve_selected_legs: list[MveSelectedLeg] | None = None
    rest_remainder: bool | None = None
    status: str = ABSENT
    target_cost: Decimal | None = None
    target_cost_excludes_fees: bool | None = None
    updated_ts: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still takes quotes."""
        return self.status == "open"


class CreatedRfq(Model):
    """The id of a new RFQ."""

    id: str


class Quote(
    Model,
    kw_only=True,
    rename=wire_names(
        dollars=["yes_bid", "no_bid", "rfq_target_cost"],
        counts=["contracts", "yes_contracts", "no_contracts"],
    ),
):
    """An answer to an RFQ: what its maker bids for YES and for NO, in dollars a contract.

    A bid of 0 declines that side. ``yes_contracts`` and ``no_contracts`` are what trades when the
    bid for that side is accepted. ``status`` goes from ``open`` over ``accepted`` (by the
    requester, who chose ``accepted_side``) and ``confirmed`` (by the maker) to ``executed``, or
    ends as ``cancelled`` with a ``cancellation_reason``. ``creator_id`` is the maker's public
    identifier, ``rfq_creator_id`` the requester's. Account, subaccount and order of a party are
    told to that party alone.
    """

    accepted_side: str | None = None
    accepted_ts: datetime | None = None
    cancellation_reason: str | None = None
    cancelled_ts: datetime | None = None
    confirmed_ts: datetime | None = None
    contracts: Decimal = ABSENT
    created_ts: datetime = ABSENT
    creator_id: str = ABSENT
    creator_order_id: str | None = None
    creator_subaccount: int | None = None
    creator_user_id: str | None = None
    executed_ts: datetime | None = None
    id: str
    market_ticker: str = ABSENT
    no_bid: Decimal = ABSENT
    no_contracts: Decimal | None = None
    post_only: bool | None = None
    rest_remainder: bool | None = None
    rfq_creator_id: str = ABSENT
    rfq_creator_order_id: str | None = None
    rfq_creator_subaccount: int | None = None
    rfq_creator_user_id: str | None = None
    rfq_id: str = ABSENT
    rfq_target_cost: Decimal | None = None
    status: str = ABSENT
    target_cost_excludes_fees: bool | None = None
    updated_ts: datetime = ABSENT
    yes_bid: Decimal = ABSENT
    yes_contracts: Decimal | None = None


class CreatedQuote(Model):
    """The id of a new quote."""

    id: str


class CommunicationsId(Model):
    """How others see this account in RFQs and quotes."""

    communications_id: str
