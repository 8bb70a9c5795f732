"""The channels there are, and what may be asked of them."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Channel(NamedTuple):
    """A channel.

    Attributes:
        name: Kalshi's name.
        markets: Whether a subscription names markets: it must, it may, or it cannot.
        sequenced: Whether its frames are numbered.
        indices: The parameter that says what it is about, where that is not markets.
        follow: The action that adds indices to a subscription; ``unfollow`` takes them out.
    """

    name: str
    markets: Literal["required", "optional", "none"] = "none"
    sequenced: bool = True
    indices: str = ""
    follow: str = "add_markets"
    unfollow: str = "delete_markets"

    @property
    def subjects(self) -> str:
        """The parameter that names what a subscription is about."""
        return self.indices or "market_tickers"


_INDICES = ("index_ids", "subscribe_indices", "unsubscribe_indices")
_UNDERLYINGS = ("underlying_tickers", "subscribe_underlyings", "unsubscribe_underlyings")

ORDERBOOK = Channel("orderbook_delta", "required")
TICKER = Channel("ticker", "optional", sequenced=False)
TRADE = Channel("trade", "optional")
FILL = Channel("fill", "optional", sequenced=False)
USER_ORDERS = Channel("user_orders", "optional", sequenced=False)
MARKET_POSITIONS = Channel("market_positions", "optional", sequenced=False)
MARKET_LIFECYCLE = Channel("market_lifecycle_v2")
MULTIVARIATE = Channel("multivariate_market_lifecycle")
ORDER_GROUPS = Channel("order_group_updates")
COMMUNICATIONS = Channel("communications")
CFBENCHMARKS = Channel("cfbenchmarks_value", "none", True, *_INDICES)
CFBENCHMARKS_5HZ = Channel("cfbenchmarks_value_5hz", "none", True, *_INDICES)
PYTH = Channel("pyth_value", "none", True, *_UNDERLYINGS)
