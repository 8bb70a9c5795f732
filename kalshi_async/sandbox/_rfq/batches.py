"""Batches: RFQs that are asked, quoted and accepted together, each of them at its own best bid.

A batch is accepted as a whole, which locks the best quote of every RFQ, perhaps of several quoters.
Each of them confirms its own part. As `_rfq`: no I/O, no clock, refusals are ApiErrors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .._errors import ApiError, forbidden, nested, not_found
from . import batch_views as views
from .book import closed, invalid
from .desk import Desk
from .records import (
    ACCEPTED,
    CANCELLED,
    CLOSED,
    CONFIRMED,
    EXECUTED,
    LIVE,
    NO,
    OPEN,
    PARTIALLY_EXECUTED,
    YES,
    Ask,
    Batch,
    BatchQuote,
    Offer,
    Quote,
    Rfq,
)

# Ended batches that can still be looked up, and answers that can be on one batch.
_MOST_CLOSED = 500
_MOST_QUOTES = 100


class BatchDesk:
    """Every batch and batch quote, on top of the desk that holds their RFQs and quotes."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        desk.quote_changed = self._quote_changed
        self.batches: dict[str, Batch] = {}
        self.batch_quotes: dict[str, BatchQuote] = {}
        self._open: dict[str, Batch] = {}
        self._quoted: dict[str, list[str]] = {}
        # Batches of which several quotes are changing at once: their best quotes are told after.
        self._muted: set[str] = set()

    def restore(self, batches: list[Batch], batch_quotes: list[BatchQuote]) -> None:
        """Take up records that were kept before a restart."""
        for batch in sorted(batches, key=lambda one: one.number):
            self.batches[batch.id] = batch
            self._quoted[batch.id] = []
            if batch.status != CLOSED:
                self._open[batch.id] = batch
        for quoted in sorted(batch_quotes, key=lambda one: one.number):
            self.batch_quotes[quoted.id] = quoted
            self._quoted.setdefault(quoted.batch_id, []).append(quoted.id)
        numbers = [one.number for one in batches] + [one.number for one in batch_quotes]
        self._desk.used(max(numbers, default=0))

    # Batches

    def rfqs_of(self, batch: Batch) -> list[Rfq]:
        """The RFQs of a batch, in the order they were asked."""
        return [self._desk.rfqs[rfq_id] for rfq_id in batch.rfq_ids]

    def quotes_of(self, quoted: BatchQuote) -> list[tuple[Quote, Rfq]]:
        """The quotes of a batch quote with their RFQs."""
        quotes = [self._desk.quotes[quote_id] for quote_id in quoted.quote_ids]
        return [(quote, self._desk.rfq_of(quote)) for quote in quotes]

    def create(
        self, asks: Sequence[Ask], now: int, *, client_batch_id: str = "", replace: bool = False
    ) -> Batch:
        """A new batch, whole or not at all. With `replace` it takes the place of open RFQs and
        batches on the same markets.

        Raises:
            ApiError: 400 for a market that is named twice or does not trade, 409 for a market with
                an open RFQ and for a client_batch_id that was used before.
        """
        desk, user_id = self._desk, asks[0].user_id
        if client_batch_id and any(
            one.user_id == user_id and one.client_batch_id == client_batch_id
            for one in self.batches.values()
        ):
            raise nested(409, "conflict", f"client_batch_id {client_batch_id} was used before")
        if len({ask.ticker for ask in asks}) < len(asks):
            raise invalid("a market is in the batch twice")
        for ask in asks:
            desk.check_ask(ask)
        earlier = [rfq for ask in asks if (rfq := desk.conflicting(ask))]
        self._check_clear(earlier, replace=replace)
        freed = {rfq.id for rfq in earlier}
        for rfq in earlier:
            freed.update(self.batches[rfq.batch_id].rfq_ids if rfq.batch_id else ())
        desk.check_room(user_id, len(asks) - len(freed))
        self._clear(earlier, now)
        id_, number = desk.next_id("rfq_batch")
        rfqs = [desk.create_rfq(ask, now, batch_id=id_, quiet=True) for ask in asks]
        batch = Batch(
            id=id_,
            number=number,
            user_id=user_id,
            subaccount=asks[0].subaccount,
            client_batch_id=client_batch_id,
            obscured=asks[0].obscured,
            rfq_ids=[rfq.id for rfq in rfqs],
            created=now,
            updated=now,
        )
        self.batches[id_] = self._open[id_] = batch
        self._quoted[id_] = []
        self._save(batch)
        desk.notify(views.batch_created(batch, rfqs))
        return batch

    def _check_clear(self, earlier: Sequence[Rfq], *, replace: bool) -> None:
        """409 unless the RFQs that stand in the way of a new batch can end."""
        for rfq in earlier:
            batch = self.batches.get(rfq.batch_id)
            locked = self._desk.locked(rfq) or (batch is not None and batch.status != OPEN)
            if not replace or locked:
                raise nested(409, "conflict", f"an open RFQ on {rfq.ask.ticker} exists already")

    def _clear(self, earlier: Sequence[Rfq], now: int) -> None:
        for rfq in earlier:
            batch = self.batches.get(rfq.batch_id)
            if rfq.status != OPEN:
                continue
            if batch is not None:
                self._withdraw(batch, now, "replaced")
            else:
                self._desk.close_rfq(rfq, now, "replaced")

    def batch(self, batch_id: str, user_id: str | None = None) -> Batch:
        """A batch, else 404; with `user_id` also 403 for everybody but its creator."""
        found = self.batches.get(batch_id)
        if found is None:
            raise not_found()
        if user_id not in (None, found.user_id):
            raise forbidden("only the account that created the batch may do this")
        return found

    def delete(self, user_id: str, batch_id: str, now: int) -> None:
        """Withdraw a batch and its RFQs, unless a quote is confirmed already."""
        batch = self.batch(batch_id)
        if batch.user_id != user_id:
            raise not_found()
        if batch.status == CLOSED:
            raise closed()
        if any(self._desk.quotes[one].status in (CONFIRMED, EXECUTED) for one in batch.quote_ids):
            raise invalid("a quote of the batch is confirmed: it can no longer be withdrawn")
        self._withdraw(batch, now, "deleted")

    def _withdraw(self, batch: Batch, now: int, reason: str) -> None:
        self._close(batch, now, reason)
        self._desk.notify(views.batch_deleted(batch))

    def _close(self, batch: Batch, now: int, reason: str) -> None:
        batch.status, batch.reason = CLOSED, reason
        batch.closed = batch.updated = now
        self._open.pop(batch.id, None)
        for rfq in self.rfqs_of(batch):
            if rfq.status == OPEN:
                self._desk.close_rfq(rfq, now, reason, quiet=True)
        for quoted in self._of(batch):
            self._end(quoted, now)
        self._save(batch)
        ended = [one for one in self.batches.values() if one.status == CLOSED]
        for old in ended[: max(0, len(ended) - _MOST_CLOSED)]:
            self._forget(old)

    def _forget(self, batch: Batch) -> None:
        for quote_id in self._quoted.pop(batch.id, ()):
            del self.batch_quotes[quote_id]
            self._desk.keep("batch_quote", quote_id, None)
        for rfq_id in batch.rfq_ids:
            self._desk.forget(rfq_id)
        del self.batches[batch.id]
        self._desk.keep("rfq_batch", batch.id, None)

    # Batch quotes

    def _of(self, batch: Batch) -> list[BatchQuote]:
        return [self.batch_quotes[quote_id] for quote_id in self._quoted[batch.id]]

    def quotes(self, user_id: str, batch_id: str) -> list[BatchQuote]:
        """The batch quotes an account may see: all for the requester, its own for a quoter."""
        batch = self.batch(batch_id)
        own = batch.user_id == user_id
        return [quoted for quoted in self._of(batch) if own or quoted.user_id == user_id]

    def create_quote(self, batch_id: str, offers: Sequence[Offer], now: int) -> BatchQuote:
        """Quote a batch, in place of the quoter's earlier answer. Every RFQ needs its prices.

        Raises:
            ApiError: 400 for one's own batch, RFQs of others or prices their markets do not take,
                409 for a batch that is no longer open.
        """
        desk, batch, first = self._desk, self.batch(batch_id), offers[0]
        if batch.status != OPEN:
            raise nested(409, "conflict", f"the batch is {batch.status}")
        if sorted(offer.rfq_id for offer in offers) != sorted(batch.rfq_ids):
            raise invalid("quotes must name every RFQ of the batch once")
        for offer in offers:
            desk.check_offer(offer)
        self._muted.add(batch.id)
        try:
            for earlier in self._of(batch):
                if earlier.user_id == first.user_id and earlier.status == OPEN:
                    self._cancel(earlier, now, "replaced")
            id_, number = desk.next_id("batch_quote")
            quotes = [
                desk.create_quote(offer, now, batch_quote_id=id_, quiet=True) for offer in offers
            ]
        finally:
            self._muted.discard(batch.id)
        quoted = BatchQuote(
            id=id_,
            number=number,
            batch_id=batch.id,
            user_id=first.user_id,
            subaccount=first.subaccount,
            rest_remainder=first.rest_remainder,
            post_only=first.post_only,
            quote_ids=[quote.id for quote in quotes],
            created=now,
            updated=now,
        )
        self.batch_quotes[id_] = quoted
        self._quoted[batch.id].append(id_)
        self._save(quoted)
        self._trim(batch)
        desk.notify(*views.batch_quote_created(quoted, batch, self.quotes_of(quoted)))
        self._tell_best(batch, now)
        return quoted

    def _trim(self, batch: Batch) -> None:
        """Drop the oldest cancelled answers of a batch that has too many."""
        extra = len(self._quoted[batch.id]) - _MOST_QUOTES
        cancelled = [quoted for quoted in self._of(batch) if quoted.status == CANCELLED]
        for quoted in cancelled[: max(extra, 0)]:
            for quote, _ in self.quotes_of(quoted):
                self._desk.drop_quote(quote)
            self._quoted[batch.id].remove(quoted.id)
            del self.batch_quotes[quoted.id]
            self._desk.keep("batch_quote", quoted.id, None)

    def batch_quote(self, user_id: str, batch_id: str, quote_id: str) -> BatchQuote:
        """A quoter's own batch quote, else 404; 400 for the requester, who only looks at it."""
        found = self.batch_quotes.get(quote_id)
        if found is None or found.batch_id != batch_id:
            raise not_found()
        if found.user_id != user_id:
            if self.batches[batch_id].user_id == user_id:
                raise invalid("only the account that created the batch quote may do this")
            raise not_found()
        return found

    def delete_quote(self, user_id: str, batch_id: str, quote_id: str, now: int) -> None:
        """Withdraw a batch quote that is not confirmed yet."""
        quoted = self.batch_quote(user_id, batch_id, quote_id)
        if quoted.status not in (OPEN, ACCEPTED):
            raise invalid(f"the batch quote is {quoted.status}: it can no longer be withdrawn")
        batch = self.batches[batch_id]
        self._muted.add(batch.id)
        try:
            self._cancel(quoted, now, "deleted")
        finally:
            self._muted.discard(batch.id)
        self._tell_best(batch, now)

    def _cancel(self, quoted: BatchQuote, now: int, reason: str) -> None:
        for quote, _ in self.quotes_of(quoted):
            if quote.status in LIVE:
                self._desk.cancel_quote(quote, now, reason)
        if quoted.status in LIVE:
            quoted.status, quoted.updated = CANCELLED, now
            self._save(quoted)

    # The two-step lock

    def best(self, rfq: Rfq, side: str) -> Quote | None:
        """The open quote with the highest bid for a side, the earliest of equals."""
        bids = [
            quote
            for quote in self._desk.quotes_of(rfq)
            if quote.status == OPEN and quote.bid(side) and quote.count(side)
        ]
        return max(bids, key=lambda quote: quote.bid(side), default=None)

    def best_quotes(self, batch: Batch) -> list[tuple[Rfq, Quote | None, Quote | None]]:
        """For each RFQ the best bids for YES and for NO."""
        return [(rfq, self.best(rfq, YES), self.best(rfq, NO)) for rfq in self.rfqs_of(batch)]

    def accept(
        self,
        user_id: str,
        batch_id: str,
        side: str,
        least: Mapping[str, int],
        now: int,
        *,
        client_order_id: str = "",
    ) -> list[Quote]:
        """Accept the best bid for one side of every RFQ, or none: `least` holds the lowest bid to
        accept by RFQ. The quotes that are locked then.

        Raises:
            ApiError: 403 for a batch of others, 400 for limits that do not fit the RFQs, 409 when
                the batch is no longer open or a best bid is below its limit.
        """
        batch = self.batch(batch_id, user_id)
        if batch.status != OPEN:
            raise nested(409, "conflict", f"the batch is {batch.status}")
        if least.keys() != set(batch.rfq_ids):
            raise invalid("min_bids must name every RFQ of the batch once")
        chosen: list[tuple[Quote, Rfq]] = []
        for rfq in self.rfqs_of(batch):
            quote = self.best(rfq, side)
            if quote is None or quote.bid(side) < least[rfq.id]:
                raise nested(409, "conflict", f"no bid for {side} of RFQ {rfq.id} is high enough")
            self._desk.tradable(rfq.ask.ticker)
            chosen.append((quote, rfq))
        batch.status, batch.side = ACCEPTED, side
        batch.accepted = batch.updated = now
        batch.quote_ids = [quote.id for quote, _ in chosen]
        for number, (quote, rfq) in enumerate(chosen, 1):
            own = f"{client_order_id}:{number}" if client_order_id else ""
            self._desk.accept_quote(quote, rfq, side, now, client_order_id=own)
        self._save(batch)
        for quoted in self._of(batch):
            won = [pair for pair in chosen if pair[0].batch_quote_id == quoted.id]
            if won:
                quoted.status, quoted.side = ACCEPTED, side
                quoted.accepted = quoted.updated = now
                quoted.accepted_ids = [quote.id for quote, _ in won]
                self._save(quoted)
                self._desk.notify(*views.batch_quote_accepted(quoted, batch, won))
        return [quote for quote, _ in chosen]

    def confirm(self, user_id: str, batch_id: str, quote_id: str, now: int) -> None:
        """The quoter confirms its accepted part of a batch.

        Raises:
            ApiError: 400 when it is not accepted, or when nothing of it could be executed.
        """
        quoted = self.batch_quote(user_id, batch_id, quote_id)
        if quoted.status != ACCEPTED:
            raise invalid(f"the batch quote is {quoted.status}, not accepted")
        quoted.status = CONFIRMED
        quoted.confirmed = quoted.updated = now
        self._save(quoted)
        refusal: ApiError | None = None
        for accepted_id in quoted.accepted_ids:
            try:
                self._desk.confirm_quote(self._desk.quotes[accepted_id], now)
            except ApiError as error:
                refusal = error
        if refusal is not None and quoted.status == CANCELLED:
            raise refusal

    # What follows from a change of a quote

    def _quote_changed(self, quote: Quote, rfq: Rfq, now: int) -> None:
        batch = self.batches.get(rfq.batch_id)
        if batch is None or batch.status == CLOSED:
            return
        if batch.status == OPEN:
            if batch.id not in self._muted:
                self._tell_best(batch, now)
            return
        quoted = self.batch_quotes.get(quote.batch_quote_id)
        if quoted is not None:
            self._end(quoted, now)
        results = [self._desk.quotes[one] for one in batch.quote_ids]
        if all(one.status in (EXECUTED, CANCELLED) for one in results):
            done = [one for one in results if one.status == EXECUTED]
            failed = [one for one in results if one.status == CANCELLED]
            reason = _outcome(len(done), len(failed), failed[0].reason if failed else "")
            self._close(batch, now, reason)
            self._desk.notify(views.batch_executed(batch, done, failed))

    def _end(self, quoted: BatchQuote, now: int) -> None:
        """Bring the state of a batch quote in line with its quotes."""
        if quoted.status not in LIVE:
            return
        watched = quoted.accepted_ids or quoted.quote_ids
        results = [self._desk.quotes[one] for one in watched]
        if any(one.status in LIVE for one in results):
            return
        done = [one for one in results if one.status == EXECUTED]
        failed = [one for one in results if one.status == CANCELLED]
        outcome = _outcome(len(done), len(failed), CANCELLED)
        quoted.status, quoted.updated = outcome, now
        self._save(quoted)
        if done:
            batch = self.batches[quoted.batch_id]
            self._desk.notify(views.batch_quote_executed(quoted, batch, done, failed, outcome))

    def _tell_best(self, batch: Batch, now: int) -> None:
        if batch.status != OPEN:
            return
        batch.version += 1
        batch.updated = now
        self._save(batch)
        self._desk.notify(views.best_quotes_told(batch, self.best_quotes(batch)))

    def advance(self, now: int) -> None:
        """Expire batches that nobody accepted in time."""
        lifetime = self._desk.timing.lifetime
        for batch in tuple(self._open.values()):
            if batch.status == OPEN and batch.created + lifetime <= now:
                self._withdraw(batch, batch.created + lifetime, "expired")

    def market_closed(self, ticker: str, now: int) -> None:
        """A market stopped trading for good: batches that ask for it end."""
        for batch in tuple(self._open.values()):
            if batch.status == OPEN and any(
                rfq.ask.ticker == ticker for rfq in self.rfqs_of(batch)
            ):
                self._withdraw(batch, now, "market_closed")

    def _save(self, record: Batch | BatchQuote) -> None:
        kind = "rfq_batch" if isinstance(record, Batch) else "batch_quote"
        self._desk.keep(kind, record.id, record)


def _outcome(done: int, failed: int, otherwise: str) -> str:
    """How something ended of which `done` quotes executed and `failed` did not."""
    if not done:
        return otherwise
    return PARTIALLY_EXECUTED if failed else EXECUTED
