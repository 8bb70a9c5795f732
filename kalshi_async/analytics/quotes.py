"""A market of any venue in one form, and what one question costs on several venues.

    quotes = [Quote.from_market(market, fees=schedule), Quote.from_rekko(elsewhere)]
    for each in compare(quotes, fees={"polymarket": Decimal(0)}):
        print(each.yes.venue, each.no.venue, each.net)

Whether two markets ask the same question is for the caller to know: titles that look alike may
settle by other rules, at another time. Nothing here guesses it; see ``group``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Final, Protocol, TypeAlias, TypeVar

from .._amounts import MOST, shown
from .._errors import InvalidRequestError
from ..models.markets import Market
from ..models.orderbook import OrderBook
from ._exact import EXACT, ONE, ZERO
from .fees import FeeSchedule

KALSHI: Final = "kalshi"

VenueFees: TypeAlias = Decimal | FeeSchedule | Callable[[Decimal], Decimal]
"""What a taker pays at a venue: dollars a contract, the same at every price; a schedule; or a
function of the price that is paid, in dollars a contract. ``Decimal(0)`` where it is free.
"""

_HALF: Final = Decimal("0.5")
K = TypeVar("K", bound=Hashable)


class RekkoMarket(Protocol):
    """What ``Quote.from_rekko`` needs of a market: ``rekko.Market`` has it."""

    @property
    def platform(self) -> str | None:
        """The venue, such as ``"polymarket"``."""

    @property
    def market_id(self) -> str | None:
        """The market's name there."""

    @property
    def title(self) -> str | None:
        """The question."""

    @property
    def yes_price(self) -> Decimal | None:
        """The price of YES, 0 to 1."""

    @property
    def yes_bid(self) -> Decimal | None:
        """The best bid for YES."""

    @property
    def yes_ask(self) -> Decimal | None:
        """The best ask for YES."""

    @property
    def volume_24h(self) -> Decimal | None:
        """Dollars traded in 24 hours."""

    @property
    def close_time(self) -> datetime | None:
        """When trading ends."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A binary market of a venue, now. Prices are those of YES, in dollars: probabilities.

    Attributes:
        venue: ``"kalshi"``, ``"polymarket"``, ``"robinhood"``, ...
        id: The market's name there; a ticker on Kalshi.
        title: The question.
        probability: The price of YES, 0 to 1: the middle of bid and ask where both are there, else
            the last price; None where there is neither.
        bid: The best bid, above 0 and below 1; None where there is none.
        ask: The best ask, likewise.
        volume: Dollars traded in 24 hours; None where it is not known.
        volume_estimated: Whether ``volume`` is contracts x last price: Kalshi tells contracts, not
            what was paid for them.
        close_time: When trading ends, aware; None where it is not known.
        fees: What a taker pays in this very market; None where it is not known.

    Raises:
        InvalidRequestError: A value that is no exact amount, out of range, or a naive time.
    """

    venue: str
    id: str
    title: str = ""
    probability: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    volume: Decimal | None = None
    volume_estimated: bool = False
    close_time: datetime | None = None
    fees: FeeSchedule | None = None

    def __post_init__(self) -> None:
        for name, text in (("venue", self.venue), ("id", self.id)):
            if not isinstance(text, str) or not text:
                raise InvalidRequestError(f"{name} of a quote is {shown(text)}; expected text")
        whose = f"of {self.venue} {self.id}"
        _amount(f"probability {whose}", self.probability, most=ONE)
        _amount(f"volume {whose}", self.volume)
        for name, price in (("bid", self.bid), ("ask", self.ask)):
            if _amount(f"{name} {whose}", price, most=ONE) in (ZERO, ONE):
                raise InvalidRequestError(
                    f"{name} {whose} is {price}; expected dollars above 0 and below 1, or None "
                    "where there is none"
                )
        if self.close_time is not None and (
            not isinstance(self.close_time, datetime) or self.close_time.utcoffset() is None
        ):
            raise InvalidRequestError(
                f"close_time {whose} is {shown(self.close_time)}; expected a datetime with a time "
                "zone, such as datetime(..., tzinfo=UTC)"
            )

    @classmethod
    def from_market(cls, market: Market, *, fees: FeeSchedule | None = None) -> Quote:
        """A Kalshi market as a quote.

        A market that does not trade now has neither bid nor ask, whatever it shows. ``volume`` is
        an estimate: contracts of 24 hours x last price.

        Args:
            market: The market.
            fees: Its fees, see ``schedules``; without them a comparison does not know them.

        Raises:
            InvalidRequestError: A price of it is out of range.
        """
        trades_now = market.status is None or market.is_open
        whose = f"of {KALSHI} {market.ticker}"
        bid = _offered(f"yes_bid {whose}", market.yes_bid) if trades_now else None
        ask = _offered(f"yes_ask {whose}", market.yes_ask) if trades_now else None
        last = _offered(f"last_price {whose}", market.last_price)
        contracts = _amount(f"volume_24h {whose}", market.volume_24h)
        volume = None
        if contracts is not None and (last is not None or not contracts):
            volume = EXACT.multiply(contracts, last or ZERO)
        return cls(
            venue=KALSHI,
            id=market.ticker,
            title=market.title or "",
            probability=_middle(bid, ask, last),
            bid=bid,
            ask=ask,
            volume=volume,
            volume_estimated=volume is not None,
            close_time=market.close_time,
            fees=fees,
        )

    @classmethod
    def from_orderbook(
        cls,
        book: OrderBook,
        *,
        title: str = "",
        close_time: datetime | None = None,
        fees: FeeSchedule | None = None,
    ) -> Quote:
        """A Kalshi order book as a quote: fresher than the market, without volume or last price.

        Raises:
            InvalidRequestError: The book does not say whose it is, or a price is out of range.
        """
        if not book.ticker:
            raise InvalidRequestError("the order book has no ticker; expected that of a market")
        bid = _offered(f"bid of {KALSHI} {book.ticker}", book.best_yes_bid)
        no_bid = _offered(f"NO bid of {KALSHI} {book.ticker}", book.best_no_bid)
        ask = None if no_bid is None else EXACT.subtract(ONE, no_bid)
        return cls(
            venue=KALSHI,
            id=book.ticker,
            title=title,
            probability=_middle(bid, ask, None),
            bid=bid,
            ask=ask,
            close_time=close_time,
            fees=fees,
        )

    @classmethod
    def from_rekko(cls, market: RekkoMarket, *, fees: FeeSchedule | None = None) -> Quote:
        """A market of any venue, as Rekko tells it.

        Whether it trades now is not looked at: statuses are each venue's own words.

        Raises:
            InvalidRequestError: It names no platform or market, or a value is out of range.
        """
        whose = f"of {market.platform} {market.market_id}"
        bid = _offered(f"yes_bid {whose}", market.yes_bid)
        ask = _offered(f"yes_ask {whose}", market.yes_ask)
        return cls(
            venue=market.platform or "",
            id=market.market_id or "",
            title=market.title or "",
            probability=_middle(bid, ask, market.yes_price),
            bid=bid,
            ask=ask,
            volume=market.volume_24h,
            close_time=market.close_time,
            fees=fees,
        )

    @property
    def spread(self) -> Decimal | None:
        """Ask minus bid in dollars; 0 where locked, negative where crossed, None one-sided."""
        if self.bid is None or self.ask is None:
            return None
        return EXACT.subtract(self.ask, self.bid)

    @property
    def mid(self) -> Decimal | None:
        """The middle between bid and ask, exactly; None where one is missing."""
        return _middle(self.bid, self.ask, None)

    @property
    def crossed(self) -> bool:
        """Whether the bid is above the ask.

        No venue leaves it so: the two are of different moments, and one of them is gone.
        """
        return self.bid is not None and self.ask is not None and self.bid > self.ask


@dataclass(frozen=True, slots=True)
class Comparison:
    """One contract of YES bought on one venue, one of NO on another: together they pay 1 dollar.

    Per contract, by the best prices, in dollars. Fees are rates, before the rounding of fills
    (``FeeSchedule.worst`` bounds it). How many contracts the prices are good for, and what moving
    money between venues costs, is not in it.

    Attributes:
        yes: Where YES is bought, at its ask.
        no: Where NO is bought, at 1 minus its bid.
        gross: What is left of the dollar: bid of ``no`` less ask of ``yes``.
        fees: Those that are known, of both venues.
        fees_known: Whether these are all.
    """

    yes: Quote
    no: Quote
    gross: Decimal
    fees: Decimal
    fees_known: bool

    @property
    def net(self) -> Decimal | None:
        """``gross - fees``; None where the fees of a venue are not known."""
        return self.at_most if self.fees_known else None

    @property
    def at_most(self) -> Decimal:
        """``gross`` less the fees that are known: net is this or less."""
        return EXACT.subtract(self.gross, self.fees)

    @property
    def cost(self) -> Decimal:
        """What both contracts cost, without fees."""
        return EXACT.subtract(ONE, self.gross)

    @property
    def closes_apart(self) -> timedelta | None:
        """How far apart the two markets close; None where one does not say.

        Anything but a short time says that they may not ask the same question.
        """
        if self.yes.close_time is None or self.no.close_time is None:
            return None
        return abs(self.yes.close_time - self.no.close_time)

    @property
    def crossed(self) -> bool:
        """Whether a quote of the two is crossed in itself: its prices are out of date."""
        return self.yes.crossed or self.no.crossed

    @property
    def pays(self) -> bool:
        """Whether ``net`` is above 0 and can be believed: all fees known, no quote crossed."""
        return self.fees_known and not self.crossed and self.at_most > 0


def compare(
    quotes: Iterable[Quote], *, fees: Mapping[str, VenueFees] | None = None
) -> list[Comparison]:
    """All ways to buy YES of one market and NO of another, best first.

    Pairs of which one lacks the ask or the other the bid cannot be bought and are left out.

    Args:
        quotes: Markets that ask ONE question, each once.
        fees: What a taker pays, by venue; a quote's own ``fees`` come before it. A venue in
            neither has unknown fees, Kalshi too.

    Returns:
        By ``net``, descending; those with unknown fees or crossed quotes come last.

    Raises:
        InvalidRequestError: A market is there twice, or a venue's fees are no exact amount from
            0 to 1.
    """
    given = _distinct(quotes)
    found = []
    for yes, no in permutations(given, 2):
        if yes.ask is not None and no.bid is not None:
            paid = (
                _fee(yes, yes.ask, fees or {}),
                _fee(no, EXACT.subtract(ONE, no.bid), fees or {}),
            )
            gross = EXACT.subtract(no.bid, yes.ask)
            total = EXACT.add(paid[0] or ZERO, paid[1] or ZERO)
            found.append(Comparison(yes, no, gross, total, None not in paid))
    return sorted(found, key=_rank)


def rank(
    groups: Iterable[Iterable[Quote]], *, fees: Mapping[str, VenueFees] | None = None
) -> list[Comparison]:
    """``compare`` for many questions: all their comparisons in one list, best first.

    Args:
        groups: The quotes of one question each, such as the values of ``group``.
        fees: As in ``compare``.

    Raises:
        InvalidRequestError: As ``compare``.
    """
    return sorted((each for group in groups for each in compare(group, fees=fees)), key=_rank)


def group(quotes: Iterable[Quote], key: Callable[[Quote], K | None]) -> dict[K, list[Quote]]:
    """Quotes by the question they ask, as the caller knows it.

    Args:
        quotes: Of any markets.
        key: What tells questions apart, such as a table of market ids; None leaves a quote out.
    """
    found: dict[K, list[Quote]] = {}
    for quote in quotes:
        question = key(quote)
        if question is not None:
            found.setdefault(question, []).append(quote)
    return found


def _amount(where: str, value: object, most: Decimal = MOST) -> Decimal | None:
    """An amount from 0 on, checked; None stays None."""
    if value is None:
        return None
    if not isinstance(value, Decimal):
        told = value if isinstance(value, str | float) else "0.62"
        raise InvalidRequestError(
            f"{where} is {shown(value)}, a {type(value).__name__}; expected a Decimal, such as "
            f"Decimal({shown(str(told))})"
        )
    if not value.is_finite() or not 0 <= value <= most:
        raise InvalidRequestError(f"{where} is {shown(value)}; expected 0 to {most:,}")
    return value


def _offered(where: str, value: object) -> Decimal | None:
    """A price at which somebody trades: 0 stands for no bid, 1 for no ask."""
    price = _amount(where, value, most=ONE)
    return None if price in (ZERO, ONE) else price


def _middle(bid: Decimal | None, ask: Decimal | None, last: Decimal | None) -> Decimal | None:
    if bid is None or ask is None:
        return last
    return EXACT.multiply(EXACT.add(bid, ask), _HALF)


def _distinct(quotes: Iterable[Quote]) -> list[Quote]:
    if not isinstance(quotes, Iterable):
        raise InvalidRequestError(f"quotes is {shown(quotes)}; expected an iterable of Quote")
    given = list(quotes)
    seen: set[tuple[str, str]] = set()
    for index, quote in enumerate(given):
        if not isinstance(quote, Quote):
            raise InvalidRequestError(
                f"quotes[{index}] is a {type(quote).__name__}; expected a Quote, see "
                "Quote.from_market"
            )
        name = quote.venue, quote.id
        if name in seen:
            raise InvalidRequestError(
                f"quotes hold {quote.venue} {quote.id} twice; expected each market once"
            )
        seen.add(name)
    return given


def _fee(quote: Quote, price: Decimal, fees: Mapping[str, VenueFees]) -> Decimal | None:
    """Dollars a contract that a taker pays; None where that is not known."""
    charged = quote.fees if quote.fees is not None else fees.get(quote.venue)
    if charged is None:
        return None
    if isinstance(charged, FeeSchedule):
        return charged.taker_rate(price)
    fee = charged(price) if callable(charged) else charged
    if not isinstance(fee, Decimal) or not fee.is_finite() or not 0 <= fee <= ONE:
        raise InvalidRequestError(
            f"fees of {quote.venue} at {price:f} are {shown(fee)}; expected a Decimal from 0 to 1: "
            "dollars a contract"
        )
    return fee


def _rank(each: Comparison) -> tuple[bool, Decimal, str, str, str, str]:
    doubtful = not each.fees_known or each.crossed
    names = each.yes.venue, each.yes.id, each.no.venue, each.no.id
    return (doubtful, EXACT.minus(each.at_most), *names)
