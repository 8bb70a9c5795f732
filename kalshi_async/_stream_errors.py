"""Errors of live streams; their tree is in ``_errors``."""

from __future__ import annotations

from ._errors import KalshiError, one_line

_HEAD = 200


class StreamError(KalshiError):
    """A live stream, or one of its subscriptions, cannot go on; the message says why."""


class StreamClosedError(StreamError):
    """The stream, or the subscription, was closed."""


class StreamLostError(StreamError):
    """No connection could be kept, and trying again was given up; ``__cause__`` is the last
    failure.

    Attributes:
        tries: How many connections failed one after another.
    """

    def __init__(self, message: str, *, tries: int = 0) -> None:
        super().__init__(message)
        self.tries = tries


class SubscriptionRefusedError(StreamError):
    """The exchange refused a command of a subscription, or ended it.

    Attributes:
        channel: The channel.
        code: Kalshi's code; 0 where it gave none.
        markets: The markets it named.
    """

    def __init__(
        self, channel: str, code: int = 0, message: str = "", markets: tuple[str, ...] = ()
    ) -> None:
        named = f" ({', '.join(markets[:5])}{', …' if len(markets) > 5 else ''})" if markets else ""
        super().__init__(f"{channel}: error {code}, {one_line(message)}{named}")
        self.channel, self.code, self.markets = channel, code, markets


class SlowConsumer(StreamError):  # noqa: N818 - the word of the field
    """A consumer did not keep pace: its subscription was ended so that the others live on.

    Attributes:
        channel: The channel.
        dropped: How many messages were waiting and are gone.
        waited: For how many seconds reading stood still for it.
    """

    def __init__(self, channel: str, dropped: int = 0, waited: float = 0.0) -> None:
        super().__init__(
            f"{channel}: {dropped} messages were not taken for {waited:.1f} s and are dropped; "
            "take them faster, or subscribe with conflate=True where the newest is enough"
        )
        self.channel, self.dropped, self.waited = channel, dropped, waited


class FrameError(StreamError):
    """A frame that is no message of the exchange.

    Attributes:
        head: Its first bytes, for the report.
        size: How many bytes it had.
    """

    def __init__(self, problem: str, frame: bytes = b"") -> None:
        self.head, self.size = bytes(frame[:_HEAD]), len(frame)
        super().__init__(f"{problem}: {one_line(repr(self.head))} ({self.size} bytes)")


class BookError(StreamError):
    """A change that does not fit an order book, which is therefore wrong.

    Attributes:
        ticker: The market.
    """

    def __init__(self, ticker: str, problem: str = "") -> None:
        super().__init__(f"{ticker}: {problem}")
        self.ticker = ticker


class StaleBookError(StreamError):
    """An order book may be out of date, and does not answer.

    Attributes:
        ticker: The market.
        reason: Why.
    """

    def __init__(self, ticker: str, reason: str = "") -> None:
        super().__init__(
            f"the book of {ticker} is stale: {reason}; wait for its next update, or read it with "
            "allow_stale=True"
        )
        self.ticker, self.reason = ticker, reason
