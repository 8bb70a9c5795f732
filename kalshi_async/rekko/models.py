"""What Rekko answers, decoded.

Prices, probabilities and edges are shares of 1 (a price of 0.62 is 62 cents), money is US dollars:
all exact ``Decimal``. Times are aware ``datetime`` in UTC. Enumerations are plain text, since they
grow. Every field may be missing and is then None; what a field cannot hold, and what this version
does not know, is in ``extra`` under the name of the wire, with exact numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Generic, TypeVar, dataclass_transform, overload

import msgspec

from .._amounts import Money
from .._decode import Undecoded
from .._repair import Drift
from ..models._base import ABSENT
from ..models.secret import Secret

T = TypeVar("T")

Extra = dict[str, object]
"""Fields by their wire names: JSON as plain Python values, fractions as ``Decimal``."""


# Without this, type checkers take subclasses for mutable: they do not see that frozen is inherited.
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class RekkoModel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An immutable object of Rekko's. ``extra`` holds whatever has no field of its own."""

    extra: Extra = {}


class MarketModel(RekkoModel):
    """Something about one market.

    ``platform`` and ``market_id`` are those that were asked for where the answer names none; in a
    list whose items name none they are None.
    """

    platform: str = ABSENT
    market_id: str = ABSENT


@dataclass(frozen=True, slots=True)
class Listing(Sequence[T], Generic[T]):
    """A list that Rekko answered; also a sequence of its items.

    Attributes:
        items: In Rekko's order.
        total: How many there are in all (how many were screened, for ``screen``), where told.
        as_of: When it was true, where told.
        period: The period it covers, where told.
        extra: Whatever else came with the list.
        undecoded: Items that could not be read at all.
        drift: Fields whose value did not fit; they are in the ``extra`` of their item.
    """

    items: tuple[T, ...]
    total: int | None = None
    as_of: datetime | None = None
    period: str | None = None
    extra: Extra = field(default_factory=dict)
    undecoded: tuple[Undecoded, ...] = ()
    drift: tuple[Drift, ...] = ()

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)


# markets


class Market(MarketModel):
    """A market in Rekko's form, the same for every platform; volumes and liquidity in dollars."""

    title: str | None = None
    yes_price: Decimal | None = None
    no_price: Decimal | None = None
    yes_bid: Decimal | None = None
    yes_ask: Decimal | None = None
    volume_24h: Decimal | None = None
    volume: Decimal | None = None
    liquidity: Decimal | None = None
    status: str | None = None
    close_time: datetime | None = None
    category: str | None = None
    url: str | None = None


class PricePoint(RekkoModel):
    """The YES price at a time, and the dollars traded since the point before."""

    timestamp: datetime | None = None
    price: Decimal | None = None
    volume: Decimal | None = None


class Resolution(MarketModel):
    """How and when a market is decided. ``theta_per_day`` is what a day costs in price."""

    urgency: str | None = None
    mechanism: str | None = None
    theta_per_day: Decimal | None = None
    resolves_at: datetime | None = None
    hours_left: Decimal | None = None


class Execution(MarketModel):
    """How to trade a market: ``recommended_order`` is such as ``"limit"`` or ``"market"``."""

    spread: Decimal | None = None
    slippage_estimate: Decimal | None = None
    recommended_order: str | None = None
    recommended_price: Decimal | None = None
    liquidity_score: Decimal | None = None


class PlatformPrice(MarketModel):
    """What one platform contributes to a consensus."""

    yes_price: Decimal | None = None
    weight: Decimal | None = None


class Consensus(MarketModel):
    """The probability that several platforms together give."""

    probability: Decimal | None = None
    platforms: tuple[PlatformPrice, ...] = ()
    period: str | None = None


# analyses


class AnalysisRun(MarketModel, kw_only=True):
    """A run that has been started."""

    analysis_id: str
    status: str | None = None


_COMPLETE = frozenset({"complete", "completed", "succeeded"})
_FAILED = frozenset({"failed", "error", "cancelled", "canceled", "expired"})


class AnalysisStatus(MarketModel):
    """How far a run has got: ``status`` ends as ``"complete"`` or ``"failed"`` (with ``error``).

    ``progress`` goes from 0 to 1.
    """

    analysis_id: str | None = None
    status: str | None = None
    progress: Decimal | None = None
    error: str | None = None

    @property
    def complete(self) -> bool:
        """Whether the analysis is there to be read."""
        return (self.status or "").lower() in _COMPLETE

    @property
    def failed(self) -> bool:
        """Whether the run has ended without an analysis."""
        return (self.status or "").lower() in _FAILED


class Scenario(RekkoModel):
    """One way it may go."""

    name: str | None = None
    probability: Decimal | None = None
    description: str | None = None


class KeyFactor(RekkoModel):
    """What moves the probability, which way, and how much."""

    factor: str | None = None
    direction: str | None = None
    weight: Decimal | None = None


class Analysis(MarketModel):
    """An estimate of a market's probability, and why.

    ``edge`` is ``probability - market_price``; ``recommendation`` is such as ``"buy_yes"``,
    ``"buy_no"``, ``"hold"``.
    """

    analysis_id: str | None = None
    title: str | None = None
    probability: Decimal | None = None
    market_price: Decimal | None = None
    edge: Decimal | None = None
    recommendation: str | None = None
    confidence: Decimal | None = None
    summary: str | None = None
    scenarios: tuple[Scenario, ...] = ()
    key_factors: tuple[KeyFactor, ...] = ()
    risks: tuple[str, ...] = ()
    created_at: datetime | None = None
    model: str | None = None


# signals


class Signal(MarketModel):
    """A recommendation with its size: ``size_pct`` is a share of the bankroll (0.05 is 5 %)."""

    signal_id: str | None = None
    status: str | None = None
    title: str | None = None
    recommendation: str | None = None
    probability: Decimal | None = None
    market_price: Decimal | None = None
    edge: Decimal | None = None
    size_pct: Decimal | None = None
    risk_rating: str | None = None
    confidence: Decimal | None = None
    reasoning: str | None = None
    created_at: datetime | None = None


class PortfolioSignal(Signal):
    """A signal that knows what is held: ``correlated`` names the holdings that move with it."""

    size_usd: Decimal | None = None
    correlated: tuple[str, ...] = ()
    portfolio_exposure_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """A position that a portfolio signal is to reckon with.

    Attributes:
        ticker: The market.
        side: ``"yes"`` or ``"no"``.
        size_usd: Its value in dollars.
    """

    ticker: str
    side: str
    size_usd: Money


class TradeReport(RekkoModel):
    """Rekko's receipt for a trade that was reported to it."""

    trade_id: str | None = None
    accepted: bool | None = None


# comparing


class ScreenedMarket(MarketModel):
    """How promising a market is; ``action`` is ``"analyze"``, ``"watch"`` or ``"skip"``."""

    title: str | None = None
    score: Decimal | None = None
    action: str | None = None
    reasons: tuple[str, ...] = ()
    yes_price: Decimal | None = None
    volume_24h: Decimal | None = None


class ArbitrageLeg(MarketModel):
    """One purchase of an opportunity: ``side`` at ``price``."""

    side: str | None = None
    price: Decimal | None = None


class Opportunity(RekkoModel):
    """The same question at different prices, before any fee."""

    title: str | None = None
    spread: Decimal | None = None
    legs: tuple[ArbitrageLeg, ...] = ()


class Correlation(RekkoModel):
    """How two markets move together, from -1 to 1."""

    a: str | None = None
    b: str | None = None
    correlation: Decimal | None = None


class Event(RekkoModel):
    """A question with its markets, known by its ``slug``."""

    slug: str | None = None
    title: str | None = None
    category: str | None = None
    platform: str | None = None
    close_time: datetime | None = None
    volume_24h: Decimal | None = None
    market_count: int | None = None
    markets: tuple[Market, ...] = ()


# record


class CalibrationBucket(RekkoModel):
    """Of ``count`` predictions near ``predicted``, the share ``observed`` came true."""

    predicted: Decimal | None = None
    observed: Decimal | None = None
    count: int | None = None


class Calibration(RekkoModel):
    """How good past probabilities were."""

    buckets: tuple[CalibrationBucket, ...] = ()
    brier_score: Decimal | None = None
    period: str | None = None


class Performance(RekkoModel):
    """What following all signals would have brought; ``roi`` is a share of the stakes."""

    signals: int | None = None
    hit_rate: Decimal | None = None
    mean_edge: Decimal | None = None
    roi: Decimal | None = None
    period: str | None = None


class Webhook(RekkoModel):
    """Where deliveries go. ``secret`` comes once, when it is created, and only if Rekko chose it.

    ``verify`` takes it as it is; ``secret.reveal()`` is its text.
    """

    id: str | None = None
    url: str | None = None
    events: tuple[str, ...] = ()
    created_at: datetime | None = None
    active: bool | None = None
    secret: Secret | None = None


class WhaleAlert(MarketModel):
    """A large trade: ``size_usd`` dollars of ``side`` at ``price``."""

    title: str | None = None
    side: str | None = None
    size_usd: Decimal | None = None
    price: Decimal | None = None


class PriceShift(MarketModel):
    """A YES price that moved."""

    title: str | None = None
    from_price: Decimal | None = None
    to_price: Decimal | None = None


WebhookData = WhaleAlert | PriceShift | Analysis | Extra


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A delivery whose signature is right.

    Attributes:
        id: The same for a delivery that is repeated; None where it has none.
        type: ``"whale_alert"``, ``"price_shift"``, ``"analysis_complete"``, or one that this
            version does not know.
        created_at: When it happened.
        data: By type ``WhaleAlert``, ``PriceShift`` or ``Analysis``; plain values for any other
            type.
        extra: Whatever else was delivered.
    """

    id: str | None
    type: str
    created_at: datetime | None
    data: WebhookData
    extra: Extra = field(default_factory=dict)
