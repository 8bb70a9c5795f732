"""Channels and subscriptions of the WebSocket, and what they need from both ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, Protocol

# The channel under which answers to commands are counted by whoever injects faults.
CONTROL = "control"


class Channel(NamedTuple):
    """What a channel is like. `indices` is the parameter that names what it is about, when that is
    not markets.
    """

    name: str
    sequenced: bool
    markets: Literal["required", "optional", "ignored"] = "ignored"
    private: bool = False
    indices: str = ""


CHANNELS = {
    channel.name: channel
    for channel in (
        Channel("orderbook_delta", True, "required"),
        Channel("ticker", False, "optional"),
        Channel("trade", True, "optional"),
        Channel("fill", False, "optional", private=True),
        Channel("user_orders", False, "optional", private=True),
        Channel("market_positions", False, "optional", private=True),
        Channel("market_lifecycle_v2", True),
        Channel("multivariate_market_lifecycle", True),
        Channel("order_group_updates", True, private=True),
        Channel("communications", True, private=True),
        Channel("cfbenchmarks_value", True, indices="index_ids"),
        Channel("cfbenchmarks_value_5hz", True, indices="index_ids"),
        Channel("pyth_value", True, indices="underlying_tickers"),
    )
}
# What changes the indices of a subscription, adding, removing and listing them.
INDEX_ACTIONS = {
    "index_ids": ("subscribe_indices", "unsubscribe_indices", "indexlist"),
    "underlying_tickers": ("subscribe_underlyings", "unsubscribe_underlyings", "underlying_list"),
}
INDEX_LISTS = {
    "cfbenchmarks_value": "cfbenchmarks_value_indexlist",
    "cfbenchmarks_value_5hz": "cfbenchmarks_value_5hz_indexlist",
    "pyth_value": "pyth_value_underlying_list",
}


class Frame(NamedTuple):
    """A text frame to send, and the channel it belongs to (`CONTROL`: an answer)."""

    channel: str
    payload: bytes


class Outlet(Protocol):
    """Where the frames of a connection go."""

    def put(self, channel: str, payload: bytes) -> None: ...


class Board(Protocol):
    """What a session needs to know of the exchange. None of it waits, and after `missing` nothing
    is sent to anybody before the command is answered: what it answers is of one instant.
    """

    def missing(self, tickers: Sequence[str]) -> list[str]:
        """The tickers no market has; the other markets have a live book from now on."""

    def named(self, market_id: str) -> str | None:
        """The ticker of the market with this id."""

    def snapshot(self, ticker: str, *, yes_price: bool) -> bytes:
        """The message with the whole book."""

    def ticker(self, ticker: str) -> bytes:
        """The message with the prices and volumes of now."""

    def indices(self, channel: str) -> Sequence[str]:
        """The indices a channel knows of."""

    def watch(self, subscription: Subscription, tickers: Iterable[str]) -> None:
        """Deliver to a subscription what concerns these markets; new subscriptions are told of
        with those they name, of which there may be none.
        """

    def unwatch(self, subscription: Subscription, tickers: Iterable[str] | None = None) -> None:
        """Deliver nothing any more of these markets, or (None) at all."""


class Subscription:
    """One channel as one connection follows it. `markets` maps each ticker to the id it was named
    by, if it was; None stands for every market.
    """

    __slots__ = (
        "channel",
        "every_index",
        "indices",
        "markets",
        "name",
        "own_only",
        "put",
        "quiet",
        "seq",
        "sequenced",
        "shard",
        "sid",
        "subaccount",
        "user_id",
        "yes_price",
    )

    def __init__(
        self, channel: Channel, sid: int, user_id: str, subaccount: int | None, outlet: Outlet
    ) -> None:
        self.channel, self.name, self.sequenced = channel, channel.name, channel.sequenced
        self.sid, self.seq = sid, 0
        self.user_id, self.subaccount = user_id, subaccount
        self.put = outlet.put
        self.markets: dict[str, str | None] | None = None
        self.yes_price = self.quiet = self.own_only = self.every_index = False
        self.shard = (1, 0)
        self.indices: dict[str, None] = {}

    def numbered(self) -> int:
        """The sequence number of the next frame."""
        self.seq += 1
        return self.seq

    def frame(self, kind: bytes, body: bytes, command_id: int = 0) -> bytes:
        """A data frame around a message that was encoded for all subscribers."""
        head = b'{"type":"%b",' % kind
        if command_id:
            head += b'"id":%d,' % command_id
        if self.sequenced:
            self.seq += 1
            return b'%b"sid":%d,"seq":%d,"msg":%b}' % (head, self.sid, self.seq, body)
        return b'%b"sid":%d,"msg":%b}' % (head, self.sid, body)

    def deliver(self, kind: bytes, body: bytes) -> None:
        """Send a message that was encoded for all subscribers."""
        if self.sequenced:
            self.seq = seq = self.seq + 1
            payload = b'{"type":"%b","sid":%d,"seq":%d,"msg":%b}' % (kind, self.sid, seq, body)
        else:
            payload = b'{"type":"%b","sid":%d,"msg":%b}' % (kind, self.sid, body)
        self.put(self.name, payload)

    def concerns(self, ticker: str, subaccount: int) -> bool:
        """Whether something of its account is for this subscription: a key may be locked to one
        subaccount.
        """
        return (self.markets is None or ticker in self.markets) and self.subaccount in (
            None,
            subaccount,
        )

    def follows(self, index: str) -> bool:
        """Whether it wants the values of an index."""
        return self.every_index or index in self.indices
