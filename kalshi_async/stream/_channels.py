"""The channels there are, and what may be asked of them."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from . import messages as m


class Channel(NamedTuple):
    """A channel.

    Attributes:
        name: Kalshi's name.
        markets: Whether a subscription names markets: it must, it may, or it cannot.
        sequenced: Whether its frames are numbered.
        indices: The parameter that says what it is about, where that is not markets.
        follow: The action that adds subjects to a subscription; ``unfollow`` takes them out.
        kinds: What it sends.
    """

    name: str
    markets: Literal["required", "optional", "none"] = "none"
    sequenced: bool = True
    indices: str = ""
    follow: str = "add_markets"
    unfollow: str = "delete_markets"
    kinds: frozenset[type[m.StreamMessage]] = frozenset()

    @property
    def subjects(self) -> str:
        """The parameter that names what a subscription is about."""
        return self.indices or "market_tickers"


def _by_index(name: str, *kinds: type[m.StreamMessage]) -> Channel:
    return Channel(
        name,
        indices="index_ids",
        follow="subscribe_indices",
        unfollow="unsubscribe_indices",
        kinds=frozenset(kinds),
    )


ORDERBOOK = Channel(
    "orderbook_delta", "required", kinds=frozenset((m.OrderbookDelta, m.OrderbookSnapshot))
)
TICKER = Channel("ticker", "optional", sequenced=False, kinds=frozenset((m.TickerUpdate,)))
TRADE = Channel("trade", "optional", kinds=frozenset((m.TradeUpdate,)))
FILL = Channel("fill", "optional", sequenced=False, kinds=frozenset((m.FillUpdate,)))
USER_ORDERS = Channel(
    "user_orders", "optional", sequenced=False, kinds=frozenset((m.UserOrderUpdate,))
)
MARKET_POSITIONS = Channel(
    "market_positions", "optional", sequenced=False, kinds=frozenset((m.MarketPositionUpdate,))
)
MARKET_LIFECYCLE = Channel("market_lifecycle_v2", kinds=frozenset(get_args(m.LifecycleMessage)))
MULTIVARIATE = Channel(
    "multivariate_market_lifecycle", kinds=frozenset(get_args(m.MultivariateMessage))
)
ORDER_GROUPS = Channel("order_group_updates", kinds=frozenset((m.OrderGroupUpdate,)))
COMMUNICATIONS = Channel("communications", kinds=frozenset(get_args(m.CommunicationsMessage)))
CFBENCHMARKS = _by_index("cfbenchmarks_value", m.CfBenchmarksValue)
CFBENCHMARKS_5HZ = _by_index("cfbenchmarks_value_5hz", m.CfBenchmarksValue5Hz)
PYTH = Channel(
    "pyth_value",
    indices="underlying_tickers",
    follow="subscribe_underlyings",
    unfollow="unsubscribe_underlyings",
    kinds=frozenset((m.PythValue,)),
)
