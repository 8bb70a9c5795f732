"""Live streams: market data and the account's own events over the exchange's WebSocket.

    async with client.stream() as stream, stream.orderbook("KXFED-26MAR19-T3.75") as books:
        async for update in books:
            print(update.ticker, books.book(update.ticker).best_yes_bid)

``KalshiClient.stream()`` opens one. Messages are the structs of ``kalshi_async.stream.messages``.
"""

from .._stream_errors import (
    BookError,
    FrameError,
    SlowConsumer,
    StaleBookError,
    StreamClosedError,
    StreamError,
    StreamLostError,
    SubscriptionRefusedError,
)
from .._stream_events import (
    StreamBackfill,
    StreamConnected,
    StreamDisconnected,
    StreamEvent,
    StreamFresh,
    StreamGap,
    StreamResumed,
    StreamRetrying,
    StreamSlow,
    StreamStale,
    StreamUnknown,
    StreamUnreadable,
)
from . import messages
from ._audit import Audit
from ._books import BookUpdate, OrderBooks
from ._private import FillStream, OrderStream, PositionStream, PrivateSubscription
from ._reconnect import Reconnect
from ._session import Events
from ._stats import StreamStats
from ._stream import Stream
from ._subscription import Subscription
from .messages import *  # noqa: F403 - the messages are part of this package's face
from .orderbook import BookView, LevelDifference, OrderBook
from .recording import Recording, Replay

__all__ = [
    "Audit",
    "BookError",
    "BookUpdate",
    "BookView",
    "Events",
    "FillStream",
    "FrameError",
    "LevelDifference",
    "OrderBook",
    "OrderBooks",
    "OrderStream",
    "PositionStream",
    "PrivateSubscription",
    "Reconnect",
    "Recording",
    "Replay",
    "SlowConsumer",
    "StaleBookError",
    "Stream",
    "StreamBackfill",
    "StreamClosedError",
    "StreamConnected",
    "StreamDisconnected",
    "StreamError",
    "StreamEvent",
    "StreamFresh",
    "StreamGap",
    "StreamLostError",
    "StreamResumed",
    "StreamRetrying",
    "StreamSlow",
    "StreamStale",
    "StreamStats",
    "StreamUnknown",
    "StreamUnreadable",
    "Subscription",
    "SubscriptionRefusedError",
    "messages",
]
__all__ += messages.__all__
