"""The desk where RFQs are answered: quotes, and the two-step lock (accept, then confirm) that ends
in a trade.

No I/O and no clock: every call is told the time in Unix microseconds. Every refusal is an ApiError
with the exchange's body.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from .._errors import ApiError, not_found
from .._fees import UNIT, taker_fee
from .._records import MarketState, Order
from .._units import ONE
from .book import Keep, RfqBook, closed, invalid
from .records import (
    ACCEPTED,
    CONFIRMED,
    EXECUTED,
    LIVE,
    NO,
    OPEN,
    YES,
    Cross,
    Crossing,
    Offer,
    Quote,
    Rfq,
    Subject,
    Timing,
)
from .views import quote_accepted, quote_created, quote_executed


def affordable(target: int, market: MarketState, price: int, *, fees: bool) -> int:
    """The count that the amount `target` buys when the bid `price` is accepted: the requester then
    takes the other side at $1 less the bid, and with `fees` pays them out of it too.
    """
    pays = ONE - price
    low, high = 0, target // pays
    if not fees:
        return high
    while low < high:
        middle = (low + high + 1) // 2
        fee = taker_fee(market.fee_thousandths, middle, price)
        # Cash moves in whole units: what a fraction costs is rounded up.
        if -(-(middle * pays + fee) // UNIT) * UNIT <= target:
            low = middle
        else:
            high = middle - 1
    return low


class Desk(RfqBook):
    """Every RFQ and quote. `cross` executes what two parties agreed on."""

    def __init__(
        self,
        *,
        subject: Callable[[str], Subject | None],
        cross: Crossing,
        keep: Keep,
        new_id: Callable[[str, int], str],
        timing: Timing | None = None,
    ) -> None:
        super().__init__(subject=subject, keep=keep, new_id=new_id, timing=timing)
        self._cross = cross

    # Quotes

    def quote(self, user_id: str, quote_id: str, rfq_id: str | None = None) -> Quote:
        """A quote one of its two parties asks for, else 404. `rfq_id` is the RFQ a path names."""
        found = self.quotes.get(quote_id)
        if found is None or (rfq_id is not None and found.offer.rfq_id != rfq_id):
            raise not_found()
        if user_id not in (found.offer.user_id, self.rfq_of(found).ask.user_id):
            raise not_found()
        return found

    def check_offer(self, offer: Offer) -> Rfq:
        """The RFQ an offer may be made on.

        Raises:
            ApiError: 404 for an unknown RFQ, 400 for one's own, a closed one, or prices the market
                does not take.
        """
        rfq = self.rfq(offer.rfq_id)
        if rfq.status != OPEN:
            raise closed()
        if rfq.ask.user_id == offer.user_id:
            raise invalid("an RFQ cannot be quoted by the account that created it")
        market = self.tradable(rfq.ask.ticker).market
        for name, price in (("yes_bid", offer.yes_bid), ("no_bid", offer.no_bid)):
            on_grid = market.on_grid(price if name == "yes_bid" else ONE - price)
            if price and not on_grid:
                raise invalid(f"{name} is not a valid price of {market.ticker}: see price_ranges")
        if not offer.yes_bid and not offer.no_bid:
            raise invalid("yes_bid and no_bid cannot both be 0")
        if offer.yes_bid + offer.no_bid > ONE:
            raise invalid("yes_bid and no_bid add up to more than $1")
        if not any(self._count(rfq, side, bid) for side, bid in _bids(offer)):
            raise invalid("the target cost buys less than 0.01 contracts at these prices")
        return rfq

    def create_quote(
        self, offer: Offer, now: int, *, batch_quote_id: str = "", quiet: bool = False
    ) -> Quote:
        """Answer an RFQ, in place of the quoter's earlier answer."""
        rfq = self.check_offer(offer)
        counts = [self._count(rfq, side, bid) for side, bid in _bids(offer)]
        for earlier in self.quotes_of(rfq):
            if earlier.offer.user_id != offer.user_id or earlier.status not in LIVE:
                continue
            if earlier.status != OPEN:
                raise invalid(f"the earlier quote {earlier.id} is {earlier.status}")
            self.cancel_quote(earlier, now, "replaced")
        id_, number = self.next_id("quote")
        quote = Quote(
            id=id_,
            number=number,
            offer=offer,
            yes_count=counts[0],
            no_count=counts[1],
            created=now,
            updated=now,
            batch_quote_id=batch_quote_id,
        )
        self.quotes[id_] = quote
        self.by_rfq[rfq.id].append(id_)
        self.trim(rfq)
        self.keep("quote", id_, quote)
        if not quiet:
            self.notify(*quote_created(quote, rfq))
        self.quote_changed(quote, rfq, now)
        return quote

    def _count(self, rfq: Rfq, side: str, bid: int) -> int:
        if not bid:
            return 0
        if rfq.ask.contracts:
            return rfq.ask.contracts
        market = self.tradable(rfq.ask.ticker).market
        return affordable(rfq.ask.target, market, bid, fees=not rfq.ask.excludes_fees)

    def delete_quote(
        self, user_id: str, quote_id: str, now: int, *, rfq_id: str | None = None
    ) -> None:
        """Withdraw a quote that is not confirmed yet."""
        quote = self.quote(user_id, quote_id, rfq_id)
        if quote.offer.user_id != user_id:
            raise invalid("only the account that created the quote can delete it")
        if quote.batch_quote_id:
            raise invalid("the quote is part of a batch quote: delete the batch quote")
        if quote.status not in (OPEN, ACCEPTED):
            raise invalid(f"the quote is {quote.status}: it can no longer be withdrawn")
        self.cancel_quote(quote, now, "deleted")

    # The two-step lock

    def accept(
        self, user_id: str, quote_id: str, side: str, now: int, *, rfq_id: str | None = None
    ) -> None:
        """The requester accepts the bid for one side; the quoter has to confirm then."""
        quote = self.quote(user_id, quote_id, rfq_id)
        rfq = self.rfq_of(quote)
        if rfq.ask.user_id != user_id:
            raise invalid("only the account that created the RFQ can accept its quotes")
        if rfq.batch_id:
            raise invalid("the RFQ is part of a batch: accept the batch")
        self.accept_quote(quote, rfq, side, now)

    def accept_quote(
        self, quote: Quote, rfq: Rfq, side: str, now: int, *, client_order_id: str = ""
    ) -> None:
        """Lock a quote; who may do so has been checked."""
        if rfq.status != OPEN:
            raise closed()
        if quote.status != OPEN:
            raise invalid(f"the quote is {quote.status}, not open")
        if not quote.count(side):
            raise invalid(f"the quote has no bid for {side}")
        if any(other.status in (ACCEPTED, CONFIRMED) for other in self.quotes_of(rfq)):
            raise invalid("another quote of the RFQ is accepted already")
        found = self.tradable(rfq.ask.ticker)
        window = self.timing.confirm_combo if found.legs else self.timing.confirm
        quote.status, quote.side = ACCEPTED, side
        quote.accepted = quote.updated = now
        quote.due = now + window
        quote.client_order_id = client_order_id
        self.waiting[quote.id] = quote
        self.keep("quote", quote.id, quote)
        if not quote.batch_quote_id:
            self.notify(*quote_accepted(quote, rfq))
        self.quote_changed(quote, rfq, now)

    def confirm(self, user_id: str, quote_id: str, now: int, *, rfq_id: str | None = None) -> None:
        """The quoter confirms an accepted quote, which executes when the execution timer is over.

        Raises:
            ApiError: 400 when it is not accepted or, without a timer, when one of the two cannot
                pay: the quote is cancelled then.
        """
        quote = self.quote(user_id, quote_id, rfq_id)
        if quote.offer.user_id != user_id:
            raise invalid("only the account that created the quote can confirm it")
        if quote.batch_quote_id:
            raise invalid("the quote is part of a batch quote: confirm the batch quote")
        self.confirm_quote(quote, now)

    def confirm_quote(self, quote: Quote, now: int) -> None:
        """As `confirm`; who may do so has been checked."""
        if quote.status != ACCEPTED:
            raise invalid(f"the quote is {quote.status}, not accepted")
        timing = self.timing
        wait = timing.execute_combo if self.rfq_of(quote).legs else timing.execute
        quote.status = CONFIRMED
        quote.confirmed = quote.updated = now
        quote.due = now + wait
        self.keep("quote", quote.id, quote)
        if not wait:
            self._execute(quote, now)

    def _execute(self, quote: Quote, now: int) -> None:
        """Trade a confirmed quote; when that is refused, it is cancelled for the reason given."""
        rfq = self.rfq_of(quote)
        try:
            taker, maker = self._cross(_cross(quote, rfq))
        except ApiError as error:
            self.cancel_quote(quote, now, _code(error))
            raise
        self._executed(quote, rfq, taker, maker, now)

    def _executed(self, quote: Quote, rfq: Rfq, taker: Order, maker: Order, now: int) -> None:
        quote.status = EXECUTED
        quote.executed = quote.updated = now
        quote.taker_order_id, quote.maker_order_id = taker.order_id, maker.order_id
        self.waiting.pop(quote.id, None)
        self.keep("quote", quote.id, quote)
        self.notify(*quote_executed(quote, rfq, taker, maker))
        self.close_rfq(rfq, now, EXECUTED, quiet=bool(rfq.batch_id))
        self.quote_changed(quote, rfq, now)

    # Time

    def advance(self, now: int) -> None:
        """Void what was not confirmed in time, execute what is due, and expire old RFQs."""
        for quote in tuple(self.waiting.values()):
            if quote.due > now or quote.status not in (ACCEPTED, CONFIRMED):
                continue
            if quote.status == ACCEPTED:
                self.cancel_quote(quote, quote.due, "confirmation_window_expired")
                continue
            try:
                self._execute(quote, now)
            except ApiError:
                continue  # the quote says why
        for rfq in tuple(self.open.values()):
            if rfq.expires > now:
                break
            if not rfq.batch_id:
                self.close_rfq(rfq, rfq.expires, "expired")

    def next_due(self) -> int | None:
        """When `advance` has something to do next."""
        times = [quote.due for quote in self.waiting.values()]
        times += [rfq.expires for rfq in islice(self.open.values(), 1)]
        return min(times, default=None)

    def market_closed(self, ticker: str, now: int) -> None:
        """A market stopped trading for good: its RFQs end."""
        for rfq in tuple(self.open.values()):
            if rfq.ask.ticker == ticker and not rfq.batch_id:
                self.close_rfq(rfq, now, "market_closed")


def _bids(offer: Offer) -> tuple[tuple[str, int], tuple[str, int]]:
    return (YES, offer.yes_bid), (NO, offer.no_bid)


def _code(error: ApiError) -> str:
    """The code of a refusal."""
    inner = error.body.get("error")
    found = inner.get("code") if isinstance(inner, dict) else error.body.get("code")
    return str(found or "rejected")


def _cross(quote: Quote, rfq: Rfq) -> Cross:
    """The trade of an accepted quote: a YES bid is sold to, a NO bid is bought from."""
    taker_bid = quote.side == NO
    return Cross(
        maker_user=quote.offer.user_id,
        taker_user=rfq.ask.user_id,
        ticker=rfq.ask.ticker,
        taker_bid=taker_bid,
        price=ONE - quote.bid(NO) if taker_bid else quote.bid(YES),
        count=quote.count(quote.side),
        maker_subaccount=quote.offer.subaccount,
        taker_subaccount=rfq.ask.subaccount,
        maker_client_order_id=quote.id,
        taker_client_order_id=quote.client_order_id or quote.id,
    )
