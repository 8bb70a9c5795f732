"""A stand-in of the Rekko intelligence API, for programs that use it to be tried offline.

Everything it thinks is made up from the seed and says so; prices of the exchange's own markets are
those of its live books. The shapes follow what is known of the real API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Context, Decimal, InvalidOperation
from hashlib import blake2b
from typing import TYPE_CHECKING

from .._text import DAY, SECOND, named_uuid, time_text
from .._units import ONE
from .drawn import Opinion, analysis_json, opinion_of
from .given import refusal
from .markets import KALSHI, VenueMarket, Venues
from .runs import Run, Runs
from .webhooks import ANALYSIS_COMPLETE, EVENTS, PRICE_SHIFT, Delivery, Webhook, delivery

if TYPE_CHECKING:
    from .._exchange import Exchange

FREE, PRO = "free", "pro"
# Seconds of the timer for which an analysis is good for a signal.
_FRESH = 600.0
# What is remembered for tests to look at, of an exchange that may run for weeks.
_REMEMBERED = 10_000
_EXACT = Context(prec=60, traps=[])


class RekkoDesk:
    """The stand-in of one exchange, and what tests may do to it. Runs, webhooks and reported trades
    are not kept in a state file: a restart begins without any.

    Attributes:
        deliveries: What was sent to webhooks, oldest first, with the answers; the last 10,000.
        reports: Trades that were reported, as they came; the last 10,000.
        webhooks: Those registered, by id.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        timer: Callable[[], float],
        seconds: tuple[float, float],
    ) -> None:
        self.exchange, self.seed, self.timer = exchange, exchange.seed, timer
        self.venues = Venues(exchange)
        self.runs = Runs(self.seed, seconds)
        self.webhooks: dict[str, Webhook] = {}
        self.deliveries: list[Delivery] = []
        self.reports: list[Mapping[str, object]] = []
        self._due: list[Delivery] = []
        self._plan, self._quota = PRO, -1
        self._used: tuple[int, int] = (0, 0)
        self._made = 0

    def __repr__(self) -> str:
        over = sum(run.over for run in self.runs.by_id.values())
        return (
            f"<RekkoDesk: plan {self._plan}, {over} analyses over, "
            f"{len(self.runs.by_id) - over} under way, {len(self.webhooks)} webhooks>"
        )

    @property
    def api_key(self) -> str:
        """The only key that is let in, the same for the same seed: it protects nothing."""
        digest = blake2b(f"rekko/{self.seed}".encode(), digest_size=12).hexdigest()
        return f"rk_sandbox_{digest}"

    # What tests turn

    @property
    def plan(self) -> str:
        """What the key has paid for: "pro", or "free" which has neither analyses nor signals nor
        webhooks (402); assignable.

        Raises ValueError for any other.
        """
        return self._plan

    @plan.setter
    def plan(self, plan: str) -> None:
        if plan not in (FREE, PRO):
            raise ValueError(f"unknown plan {plan!r}: choose {FREE!r} or {PRO!r}")
        self._plan = plan

    @property
    def quota(self) -> int | None:
        """Analyses that may be started in a day of the exchange, None for any number; assignable.
        Beyond it they are refused with 429 ``quota_exceeded``. Raises ValueError below 0.
        """
        return None if self._quota < 0 else self._quota

    @quota.setter
    def quota(self, analyses: int | None) -> None:
        if analyses is not None and analyses < 0:
            raise ValueError(f"quota={analyses!r} must be 0 or more, or None for any number")
        self._quota = -1 if analyses is None else analyses

    def hold(self, market_id: str) -> None:
        """Runs of this market that start from now on never end, until it is released.

        Raises ValueError for a market that is on no platform.
        """
        self.runs.held.add(self._known(market_id))

    def fail(self, market_id: str, reason: str = "the sources could not be read") -> None:
        """Runs of this market that start from now on fail for this reason, until it is released.

        Raises ValueError for a market that is on no platform.
        """
        self.runs.failing[self._known(market_id)] = reason

    def release(self, market_id: str) -> None:
        """Take `hold` and `fail` back: runs that were held end at once."""
        self.runs.release(market_id, self.timer())
        self.advance()

    def _known(self, market_id: str) -> str:
        if self.venues.anywhere(market_id) is None:
            raise ValueError(f"there is no market {market_id!r} on any platform")
        return market_id

    def shift_price(self, platform: str, market_id: str, dollars: str | Decimal) -> None:
        """Move the price of a market that is made up by so many dollars, such as "-0.03", and tell
        the webhooks. Prices stay between 0 and 1 however far they are moved.

        Raises ValueError for a market of the exchange itself, where orders move prices, for an
        unknown one, and for what is no whole number of $0.0001 between -1 and 1.
        """
        moved = _shift(dollars)
        before = None if platform == KALSHI else self.venues.find(platform, market_id)
        if before is None:
            raise ValueError(
                f"there is no made-up market {market_id!r} on {platform!r}; prices of {KALSHI!r} "
                "are moved by orders"
            )
        shifts = self.venues.shifts
        shifts[before.key] = min(max(shifts.get(before.key, 0) + moved, -ONE), ONE)
        after = self.venues.market(platform, market_id)
        told = {"platform": platform, "market_id": market_id, "title": after.title}
        prices = {"from_price": _dollars(before), "to_price": _dollars(after)}
        self.announce(PRICE_SHIFT, {**told, **prices})

    def announce(self, event: str, data: Mapping[str, object]) -> None:
        """Tell the webhooks that asked for this type of event, with real requests.

        Raises ValueError for an unknown type.
        """
        if event not in EVENTS:
            raise ValueError(f"unknown event {event!r}: there are {', '.join(EVENTS)}")
        created_at, stamp = self.now_text(), self.exchange.wall_ms() // 1000
        event_id = self.new_id("event")
        for webhook in self.webhooks.values():
            if event in webhook.events:
                self._due.append(delivery(webhook, event, event_id, created_at, data, stamp))

    # What the edge works with

    def advance(self) -> None:
        """End what is due by now."""
        for run in self.runs.advance(self.timer(), self._conclude):
            if run.opinion is not None:
                self.announce(ANALYSIS_COMPLETE, analysis_json(self.seed, run.opinion))

    def take_deliveries(self) -> list[Delivery]:
        """What is to be posted, each once."""
        due, self._due = self._due, []
        self.deliveries += due
        del self.deliveries[:-_REMEMBERED]
        return due

    # What calls work with

    def report(self, trade: Mapping[str, object]) -> None:
        """Take a trade down."""
        self.reports.append(trade)
        del self.reports[:-_REMEMBERED]

    def now_text(self) -> str:
        """The time of the exchange as objects show it."""
        return time_text(self.exchange.now())

    def new_id(self, kind: str) -> str:
        """An identifier, the same ones in the same order for the same seed."""
        self._made += 1
        return named_uuid(f"rekko/{self.seed}/{kind}/{self._made}")

    def need_plan(self) -> None:
        """402 for what only a paid plan has."""
        if self._plan == FREE:
            raise refusal(
                402,
                "plan_required",
                f"the plan {FREE!r} does not cover this call: it needs {PRO!r}",
                plan=FREE,
                required_plan=PRO,
            )

    def start(self, market: VenueMarket) -> Run:
        """Begin an analysis; 422 for a market that has ended or has no price, 429 beyond the
        quota.
        """
        if market.status != "open" or market.price is None:
            why = f"is {market.status}" if market.status != "open" else "has no price yet"
            raise refusal(
                422,
                "invalid_parameter",
                f"market {market.market_id!r} {why}: there is nothing to analyze",
                parameter="market_id",
            )
        self._use_quota()
        return self.runs.start(*market.key, self.timer(), self.now_text())

    def _use_quota(self) -> None:
        now = self.exchange.now()
        today = now // DAY
        used = self._used[1] if self._used[0] == today else 0
        if self.quota is not None and used >= self.quota:
            raise refusal(
                429,
                "quota_exceeded",
                f"{self.quota} analyses a day are used up",
                quota=self.quota,
                resets_at=time_text((today + 1) * DAY),
            )
        self._used = today, used + 1

    def run_for_signal(self, market: VenueMarket) -> Run:
        """The analysis a signal rests on: a fresh one, else the one under way, else a new one."""
        latest = self.runs.latest.get(market.key)
        if latest is not None and self.timer() - latest.ended <= _FRESH:
            return latest
        return self.runs.running(*market.key) or self.start(market)

    def _conclude(self, run: Run) -> Opinion | None:
        market = self.venues.find(*run.key)
        if market is None:
            return None
        own = self.venues.find(KALSHI, market.ticker)
        anchor = own.price if own is not None and own.price is not None else ONE // 2
        return opinion_of(self.seed, market, anchor, run.analysis_id, self.now_text())


def seconds_of(analysis_seconds: float | tuple[float, float]) -> tuple[float, float]:
    """The shortest and longest time of a run; ValueError for what cannot be."""
    low, high = (
        analysis_seconds
        if isinstance(analysis_seconds, tuple)
        else (analysis_seconds, analysis_seconds)
    )
    if not 0 <= low <= high <= DAY / SECOND:
        raise ValueError(
            f"analysis_seconds={analysis_seconds!r} must be seconds, 0 or more, or the least and "
            "the most of them"
        )
    return float(low), float(high)


def _dollars(market: VenueMarket) -> float | None:
    return None if market.price is None else market.price / ONE


def _shift(dollars: object) -> int:
    """A move in $0.0001."""
    try:
        if not isinstance(dollars, str | Decimal):
            raise InvalidOperation
        moved = Decimal(dollars)
        steps = _EXACT.multiply(moved, ONE)
        if not -ONE <= steps <= ONE or steps != int(steps):
            raise InvalidOperation
    except InvalidOperation:
        raise ValueError(
            f"dollars={dollars!r} must be text or a Decimal from -1 to 1 in steps of 0.0001, such "
            'as "-0.03"'
        ) from None
    return int(steps)
