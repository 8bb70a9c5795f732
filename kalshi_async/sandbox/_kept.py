"""The kinds of objects in a state file, and the ones that are there for its own sake."""

from __future__ import annotations

import msgspec

# Kinds in the file. What the exchange keeps beside the engine has names without the prefix.
PREFIX = "engine/"
PROGRESS, ACCOUNT, WALLET = PREFIX + "progress", PREFIX + "account", PREFIX + "wallet"
POSITION, ORDER, GROUP = PREFIX + "position", PREFIX + "order", PREFIX + "group"
MARKET, CLIENT_ID, FILL = PREFIX + "market", PREFIX + "client_id", PREFIX + "fill"
SETTLEMENT, PAYMENT = PREFIX + "settlement", PREFIX + "payment"
TRANSFER = PREFIX + "transfer"
TRADE = "trade"


class Progress(msgspec.Struct, kw_only=True, frozen=True):
    """How far the exchange has come. `latest` is the time it was last known to be, `shift` and
    `advanced` are those of the exchange (all microseconds), `ids` how many identifiers were made;
    the rest are the engine's own.
    """

    latest: int
    shift: int
    advanced: int
    ids: int
    priority: int
    fees: int
    paid_in: int
    trading: bool


class AccountRecord(msgspec.Struct, kw_only=True, frozen=True):
    """A trader, without what it has."""

    user_id: str
    house: bool
    subaccounts: list[int]


class ClientId(msgspec.Struct, frozen=True, array_like=True):
    """A client_order_id that was used, for ever; an amended order has several."""

    order_id: str
    client_order_id: str
