"""The RFQs of the exchange and the records that belong to them.

No I/O and no clock: every call is told the time in Unix microseconds. Every refusal is an ApiError
with the exchange's body.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import msgspec

from .._errors import ApiError, nested, not_found
from .._records import ACTIVE
from .records import (
    ACCEPTED,
    CANCELLED,
    CLOSED,
    CONFIRMED,
    EXECUTED,
    LIVE,
    OPEN,
    Ask,
    Notice,
    Quote,
    Rfq,
    Subject,
    Timing,
)
from .views import rfq_created, rfq_deleted

MOST_OPEN = 100
"""RFQs one account may have open at a time."""
# Ended RFQs that can still be looked up, and quotes that can be on one RFQ.
_MOST_CLOSED = 5_000
_MOST_QUOTES = 500

Keep = Callable[[str, str, msgspec.Struct | None], None]


def invalid(details: str) -> ApiError:
    """400 of a request that does not fit the state or the market."""
    return nested(400, "invalid_parameters", details)


def closed() -> ApiError:
    """400 of a request on an RFQ that was deleted, expired or executed."""
    return nested(400, "RFQ_CLOSED", "the RFQ was deleted, expired or executed")


class RfqBook:
    """Every RFQ and its quotes. What becomes of a quote is up to `_rfq.Desk`.

    `subject` looks up a market, `keep` is told of every record that changed (None: gone), `new_id`
    names the next record of a kind by its number.
    """

    def __init__(
        self,
        *,
        subject: Callable[[str], Subject | None],
        keep: Keep,
        new_id: Callable[[str, int], str],
        timing: Timing | None = None,
    ) -> None:
        self.subject, self.keep, self._new_id = subject, keep, new_id
        self.timing = timing or Timing()
        self.rfqs: dict[str, Rfq] = {}
        self.quotes: dict[str, Quote] = {}
        self.quote_changed: Callable[[Quote, Rfq, int], None] = lambda quote, rfq, now: None
        self.by_rfq: dict[str, list[str]] = {}
        self.waiting: dict[str, Quote] = {}
        # Oldest first, which is the order they expire in.
        self.open: dict[str, Rfq] = {}
        self._ended: deque[str] = deque()
        self._number = 0
        self._notices: list[Notice] = []

    def restore(self, rfqs: list[Rfq], quotes: list[Quote]) -> None:
        """Take up records that were kept before a restart."""
        for rfq in sorted(rfqs, key=lambda one: one.number):
            self.rfqs[rfq.id] = rfq
            self.by_rfq[rfq.id] = []
            if rfq.status == OPEN:
                self.open[rfq.id] = rfq
        for quote in sorted(quotes, key=lambda one: one.number):
            self.quotes[quote.id] = quote
            self.by_rfq.setdefault(quote.offer.rfq_id, []).append(quote.id)
            if quote.status in (ACCEPTED, CONFIRMED):
                self.waiting[quote.id] = quote
        ended = [rfq for rfq in self.rfqs.values() if rfq.status == CLOSED and not rfq.batch_id]
        self._ended.extend(rfq.id for rfq in sorted(ended, key=lambda one: one.closed))
        numbers = [rfq.number for rfq in rfqs] + [quote.number for quote in quotes]
        self.used(max(numbers, default=0))

    def used(self, number: int) -> None:
        """Numbers up to this one are taken."""
        self._number = max(self._number, number)

    def next_id(self, kind: str) -> tuple[str, int]:
        """The identifier and number of a new record."""
        self._number += 1
        return self._new_id(kind, self._number), self._number

    def notify(self, *notices: Notice) -> None:
        """Append messages for the communications channel."""
        self._notices += notices

    def drain(self) -> list[Notice]:
        """The messages since the last call."""
        notices, self._notices = self._notices, []
        return notices

    # RFQs

    def tradable(self, ticker: str) -> Subject:
        """A market that trades, else 400."""
        found = self.subject(ticker)
        if found is None:
            raise invalid(f"market {ticker[:80]!r} not found")
        if found.market.status != ACTIVE:
            raise nested(400, "MARKET_NOT_ACTIVE")
        return found

    def open_of(self, user_id: str) -> list[Rfq]:
        """The open RFQs of an account."""
        return [rfq for rfq in self.open.values() if rfq.ask.user_id == user_id]

    def create_rfq(
        self, ask: Ask, now: int, *, replace: bool = False, batch_id: str = "", quiet: bool = False
    ) -> Rfq:
        """A new RFQ. With `replace` it takes the place of an open one on the same market.

        Raises:
            ApiError: 400 without exactly one positive size, on a market that does not trade or with
                too many open ones, 409 while one is open on this market.
        """
        found = self.check_ask(ask)
        earlier = self.conflicting(ask)
        if earlier is not None:
            if not replace or earlier.batch_id or self.locked(earlier):
                raise nested(409, "conflict", f"an open RFQ on {ask.ticker} exists already")
            self.close_rfq(earlier, now, "replaced")
        self.check_room(ask.user_id, 1)
        id_, number = self.next_id("rfq")
        rfq = Rfq(
            id=id_,
            number=number,
            ask=ask,
            event_ticker=found.market.event_ticker,
            created=now,
            updated=now,
            expires=now + self.timing.lifetime,
            batch_id=batch_id,
            collection=found.collection,
            legs=found.legs,
        )
        self.rfqs[id_] = self.open[id_] = rfq
        self.by_rfq[id_] = []
        self.keep("rfq", id_, rfq)
        if not quiet:
            self.notify(rfq_created(rfq))
        return rfq

    def check_ask(self, ask: Ask) -> Subject:
        """The market somebody asks for, else 400."""
        if (ask.contracts > 0) == (ask.target > 0) or ask.contracts < 0 or ask.target < 0:
            raise invalid("exactly one of contracts_fp and target_cost_dollars must be above 0")
        return self.tradable(ask.ticker)

    def conflicting(self, ask: Ask) -> Rfq | None:
        """The open RFQ of the same account on the same market."""
        for rfq in self.open_of(ask.user_id):
            if rfq.ask.ticker == ask.ticker and rfq.ask.subaccount == ask.subaccount:
                return rfq
        return None

    def check_room(self, user_id: str, count: int) -> None:
        """400 when an account cannot open `count` more RFQs."""
        if len(self.open_of(user_id)) + count > MOST_OPEN:
            raise invalid(f"at most {MOST_OPEN} RFQs can be open at a time: delete some first")

    def rfq(self, rfq_id: str) -> Rfq:
        """An RFQ, else 404."""
        found = self.rfqs.get(rfq_id)
        if found is None:
            raise not_found()
        return found

    def delete_rfq(self, user_id: str, rfq_id: str, now: int) -> None:
        """Withdraw an RFQ and with it its quotes, unless one is confirmed already."""
        rfq = self.rfq(rfq_id)
        if rfq.ask.user_id != user_id:
            raise not_found()
        if rfq.batch_id:
            raise invalid("the RFQ is part of a batch: delete the batch")
        if rfq.status != OPEN:
            raise closed()
        if self.locked(rfq):
            raise invalid("a quote of the RFQ is confirmed: it can no longer be withdrawn")
        self.close_rfq(rfq, now, "deleted")

    def close_rfq(self, rfq: Rfq, now: int, reason: str, *, quiet: bool = False) -> None:
        """End an RFQ; quotes that did not lead to a trade are cancelled."""
        rfq.status, rfq.updated, rfq.closed = CLOSED, now, now
        rfq.reason = "" if reason == EXECUTED else reason
        self.open.pop(rfq.id, None)
        self.keep("rfq", rfq.id, rfq)
        for quote in self.quotes_of(rfq):
            if quote.status in LIVE:
                self.cancel_quote(quote, now, "rfq_closed")
        if not quiet:
            self.notify(rfq_deleted(rfq))
        if not rfq.batch_id:
            self._ended.append(rfq.id)
            while len(self._ended) > _MOST_CLOSED:
                self.forget(self._ended.popleft())

    def forget(self, rfq_id: str) -> None:
        """Drop an ended RFQ and its quotes."""
        for quote_id in self.by_rfq.pop(rfq_id, ()):
            self._drop(quote_id)
        self.rfqs.pop(rfq_id, None)
        self.keep("rfq", rfq_id, None)

    def locked(self, rfq: Rfq) -> bool:
        """Whether neither party can withdraw any more."""
        return any(quote.status == CONFIRMED for quote in self.quotes_of(rfq))

    # Their quotes

    def quotes_of(self, rfq: Rfq) -> Iterator[Quote]:
        """Every quote on an RFQ, oldest first."""
        return (self.quotes[quote_id] for quote_id in tuple(self.by_rfq.get(rfq.id, ())))

    def rfq_of(self, quote: Quote) -> Rfq:
        """The RFQ a quote answers."""
        return self.rfqs[quote.offer.rfq_id]

    def cancel_quote(self, quote: Quote, now: int, reason: str) -> None:
        """End a quote without a trade."""
        quote.status, quote.reason = CANCELLED, reason
        quote.updated = quote.cancelled = now
        self.waiting.pop(quote.id, None)
        self.keep("quote", quote.id, quote)
        self.quote_changed(quote, self.rfq_of(quote), now)

    def trim(self, rfq: Rfq) -> None:
        """Drop the oldest cancelled quotes of an RFQ that has too many; those of batch quotes stay
        as long as these do.
        """
        extra = len(self.by_rfq[rfq.id]) - _MOST_QUOTES
        for quote in tuple(self.quotes_of(rfq)) if extra > 0 else ():
            if extra > 0 and quote.status == CANCELLED and not quote.batch_quote_id:
                self.drop_quote(quote)
                extra -= 1

    def drop_quote(self, quote: Quote) -> None:
        """Forget a quote that has ended."""
        self.by_rfq[quote.offer.rfq_id].remove(quote.id)
        self._drop(quote.id)

    def _drop(self, quote_id: str) -> None:
        del self.quotes[quote_id]
        self.keep("quote", quote_id, None)
