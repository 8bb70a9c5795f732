"""The room of RFQs, quotes and batches: the desk of one exchange, on its clock, and who listens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .._combos import selected_legs
from .._events import Event, MarketChanged
from .._records import Order
from .._text import named_uuid
from .batches import BatchDesk
from .desk import Desk
from .records import Batch, BatchQuote, Cross, Quote, Rfq, Subject

if TYPE_CHECKING:
    from .._exchange import Exchange

Heard = Callable[[str, dict[str, object], frozenset[str] | None], None]


class Communications:
    """The desk of one exchange, on its clock, and those who listen to it."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._listeners: list[Heard] = []
        self._advancing = False
        self._desk = Desk(
            subject=self._subject, cross=self._cross, keep=exchange.keep, new_id=self._new_id
        )
        self._batches = BatchDesk(self._desk)
        self._desk.restore(exchange.kept("rfq", Rfq), exchange.kept("quote", Quote))
        self._batches.restore(
            exchange.kept("rfq_batch", Batch), exchange.kept("batch_quote", BatchQuote)
        )
        exchange.listen(self._events)

    @property
    def desk(self) -> Desk:
        """RFQs and quotes, after everything that was due by now."""
        self.advance()
        return self._desk

    @property
    def batches(self) -> BatchDesk:
        """Batches, after everything that was due by now."""
        self.advance()
        return self._batches

    def listen(self, heard: Heard) -> Callable[[], None]:
        """Have `heard` called with each message of the channel: its type, its fields, and the
        accounts that may see it (None: everybody). The result ends that.
        """
        self._listeners.append(heard)
        return lambda: self._listeners.remove(heard)

    def do(self, command: Callable[[int], object]) -> None:
        """Run a command at the present time, then deliver what it made known."""
        now = self._exchange.now()
        self.advance()
        # A trade is itself preceded by what is due: not by the quote that is being executed.
        self._advancing = True
        try:
            command(now)
        finally:
            self._advancing = False
            self._deliver()

    def advance(self, by: int | None = None) -> None:
        """Do what is due by an instant, by default the present: void unconfirmed quotes, execute
        confirmed ones, expire RFQs.
        """
        if self._advancing:
            return  # a trade that is due now may itself look at what is due
        self._advancing = True
        try:
            now = self._exchange.now() if by is None else by
            self._desk.advance(now)
            self._batches.advance(now)
        finally:
            self._advancing = False
        self._deliver()

    def next_due(self) -> int | None:
        """When `advance` has something to do next, in Unix microseconds."""
        return self._desk.next_due()

    def _deliver(self) -> None:
        for notice in self._desk.drain():
            for heard in tuple(self._listeners):
                heard(notice.kind, notice.msg, notice.users)

    def _events(self, events: Sequence[Event]) -> None:
        ended = [
            event
            for event in events
            if isinstance(event, MarketChanged) and event.kind in ("closed", "determined")
        ]
        for event in ended:
            self._desk.market_closed(event.market.ticker, event.time)
            self._batches.market_closed(event.market.ticker, event.time)
        if ended:
            self._deliver()

    def _subject(self, ticker: str) -> Subject | None:
        market = self._exchange.do(lambda engine, now: engine.market(ticker, now))
        return None if market is None else Subject(market, *selected_legs(self._exchange, ticker))

    def _cross(self, cross: Cross) -> tuple[Order, Order]:
        return self._exchange.do(
            lambda engine, now: engine.cross(
                maker_user=cross.maker_user,
                taker_user=cross.taker_user,
                ticker=cross.ticker,
                taker_bid=cross.taker_bid,
                price=cross.price,
                count=cross.count,
                now=now,
                maker_subaccount=cross.maker_subaccount,
                taker_subaccount=cross.taker_subaccount,
                maker_client_order_id=cross.maker_client_order_id,
                taker_client_order_id=cross.taker_client_order_id,
            )
        )

    def _new_id(self, kind: str, number: int) -> str:
        return named_uuid(f"{kind}/{self._exchange.seed}/{number}")
