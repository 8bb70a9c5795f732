"""What the stand-in of the intelligence API claims to think, drawn from a seed and a market. All of
it is made up, and says so; the same seed and market give the same opinion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from .._units import ONE
from .markets import KALSHI, VenueMarket

JsonObject = dict[str, object]

# An edge below two cents is none.
HOLD_BELOW = 200
# No more of a bankroll than this, however good a bet looks.
MOST_SIZE = 0.25
HOLD, BUY_YES, BUY_NO = "hold", "buy_yes", "buy_no"
_FACTORS = (
    "recent releases of the underlying figure",
    "what forecasters agreed on last week",
    "flow of orders in neighbouring markets",
    "how often such questions came true before",
    "statements of the people who decide",
    "news that the price does not seem to know yet",
    "the calendar until the market closes",
)
_RISKS = (
    "the outcome may be decided by a revision or a postponement",
    "little is resting in the book: leaving early can cost the edge",
    "other markets of the event say something else",
    "the estimate rests on few comparable cases",
    "one announcement can move the price through any limit",
)
_STORIES = (
    ("expected course", "yes", "things go as the market of today suggests"),
    ("late surprise", "yes", "it comes true after looking unlikely for a while"),
    ("does not happen", "no", "the question resolves to No"),
)
# Of what comes true, the part that comes as a surprise.
_LATE = 0.28


def dice(seed: int, *about: object) -> Random:
    """A generator that always throws the same for the same seed and subject."""
    return Random("/".join(["rekko", str(seed), *map(str, about)]))  # noqa: S311 - not secret


def model_name(seed: int) -> str:
    """What stands for the name of a model in everything made up."""
    return f"sandbox (made up from seed {seed})"


def dollars(price: int | None) -> float | None:
    """A price as the API writes it: 6200 is 0.62."""
    return None if price is None else price / ONE


def round4(value: float) -> float:
    """A figure with as many decimals as the API shows."""
    return round(value, 4)


def estimate(seed: int, market: VenueMarket, anchor: int) -> int:
    """The probability, in $0.0001, of a question whose price on the exchange is `anchor`: some way
    off for most questions, near it for some.
    """
    die = dice(seed, "edge", market.ticker)
    edge = die.randint(300, 1200) * die.choice((1, -1))
    if die.random() < 0.25:
        edge = die.randint(-150, 150)
    return min(max(anchor + edge, 100), ONE - 100)


def recommendation(edge: int) -> str:
    """What an edge (probability - price) says to do."""
    if abs(edge) < HOLD_BELOW:
        return HOLD
    return BUY_YES if edge > 0 else BUY_NO


@dataclass(frozen=True, slots=True)
class Opinion:
    """An analysis: the market as it was when it was made, the probability, and when that was."""

    market: VenueMarket
    probability: int
    price: int
    created_at: str
    analysis_id: str
    confidence: float

    @property
    def edge(self) -> int:
        """Probability less price, in $0.0001."""
        return self.probability - self.price


def opinion_of(
    seed: int, market: VenueMarket, anchor: int, analysis_id: str, created_at: str
) -> Opinion:
    """The opinion about a market with a price; `anchor` is the price of the same question on the
    exchange, so that all venues are told the same probability.
    """
    price = anchor if market.price is None else market.price
    confidence = round(dice(seed, "confidence", market.ticker).uniform(0.45, 0.9), 2)
    return Opinion(
        market, estimate(seed, market, anchor), price, created_at, analysis_id, confidence
    )


def analysis_json(seed: int, opinion: Opinion) -> JsonObject:
    """An analysis as the API sends it."""
    market, die = opinion.market, dice(seed, "analysis", opinion.market.ticker)
    sign = 1 if opinion.edge >= 0 else -1
    weights = _shares([die.uniform(0.5, 2.0) for _ in range(3)])
    return {
        "analysis_id": opinion.analysis_id,
        "platform": market.platform,
        "market_id": market.market_id,
        "title": market.title,
        "probability": dollars(opinion.probability),
        "market_price": dollars(opinion.price),
        "edge": dollars(opinion.edge),
        "recommendation": recommendation(opinion.edge),
        "confidence": opinion.confidence,
        "summary": (
            f"Made up by the sandbox from seed {seed}: {opinion.probability / ONE:.0%} instead of "
            f"the {opinion.price / ONE:.0%} of the market. Nobody looked into this question."
        ),
        "scenarios": _scenarios(opinion.probability),
        "key_factors": [
            {"factor": factor, "direction": _direction(sign, number), "weight": weight / ONE}
            for number, (factor, weight) in enumerate(
                zip(die.sample(_FACTORS, 3), weights, strict=True)
            )
        ],
        "risks": die.sample(_RISKS, 2),
        "created_at": opinion.created_at,
        "model": model_name(seed),
        "made_up": True,
    }


def _direction(sign: int, number: int) -> str:
    # The last factor speaks against the rest.
    up = sign > 0 if number < 2 else sign < 0
    return "up" if up else "down"


def _scenarios(probability: int) -> list[JsonObject]:
    """Courses of events whose probabilities add up to one, those of YES to the estimate."""
    late = round(probability * _LATE)
    shares = (probability - late, late, ONE - probability)
    return [
        {"name": name, "outcome": outcome, "probability": share / ONE, "description": text}
        for (name, outcome, text), share in zip(_STORIES, shares, strict=True)
    ]


def _shares(weights: Sequence[float]) -> list[int]:
    """Ten-thousandths that add up to exactly one."""
    total = sum(weights)
    found = [round(weight / total * ONE) for weight in weights[:-1]]
    return [*found, ONE - sum(found)]


# Signals


def kelly(probability: float, cost: float) -> float:
    """The share of a bankroll for a contract that pays a dollar and costs `cost` with its fee."""
    edge = probability - cost
    return min(edge / (1 - cost), MOST_SIZE) if edge > 0 and cost < 1 else 0.0


def taker_fee(price: float, thousandths: int) -> float:
    """Dollars a contract; `thousandths` is the multiplier."""
    return thousandths / 1000 * 0.07 * price * (1 - price)


def bet(opinion: Opinion) -> tuple[str, float]:
    """(what to do, the share of a bankroll): holds where spread and fees eat the edge."""
    market, word = opinion.market, recommendation(opinion.edge)
    if word == BUY_YES and market.ask is not None:
        price, chance = market.ask / ONE, opinion.probability / ONE
    elif word == BUY_NO and market.bid is not None:
        price, chance = 1 - market.bid / ONE, 1 - opinion.probability / ONE
    else:
        return HOLD, 0.0
    share = round4(kelly(chance, price + taker_fee(price, market.fee_thousandths)))
    return (word, share) if share else (HOLD, 0.0)


def risk_rating(market: VenueMarket, size: float) -> str:
    """low, medium or high: by the size of a bet, what rests in the book and the time left."""
    score = (size > 0.05) + (size > 0.15) + (market.liquidity < 100_000)
    score += market.closes_in is not None and market.closes_in < 24
    return "low" if score == 0 else "medium" if score <= 2 else "high"


def signal_json(seed: int, opinion: Opinion, signal_id: str, most: float) -> JsonObject:
    """A signal as the API sends it, of no more than `most` of the bankroll."""
    word, share = bet(opinion)
    size = min(share, most)
    rating = risk_rating(opinion.market, size)
    return {
        "signal_id": signal_id,
        "analysis_id": opinion.analysis_id,
        "platform": opinion.market.platform,
        "market_id": opinion.market.market_id,
        "title": opinion.market.title,
        "recommendation": word,
        "probability": dollars(opinion.probability),
        "market_price": dollars(opinion.price),
        "edge": dollars(opinion.edge),
        "size_pct": round4(size),
        "risk_rating": rating,
        "confidence": opinion.confidence,
        "reasoning": _reasoning(seed, opinion, word, size),
        "created_at": opinion.created_at,
        "model": model_name(seed),
        "made_up": True,
    }


def _reasoning(seed: int, opinion: Opinion, word: str, size: float) -> str:
    edge = f"an edge of {opinion.edge / ONE:+.1%}"
    if word == HOLD:
        told = f"{edge} does not pay for spread and fees"
    else:
        told = f"{edge} is worth {size:.1%} of the bankroll after taker fees"
    return f"Made up by the sandbox from seed {seed}: {told}."


# Figures about many markets


def screened(market: VenueMarket) -> tuple[float, str, list[str]]:
    """(score from 0 to 1, what to do, why) of a market worth looking at or not."""
    spread, price = market.spread, market.price
    reasons = []
    tight = 0.0 if spread is None else max(0.0, 1 - spread / 1000)
    reasons.append("no two-sided market" if spread is None else f"spread {spread / 100:g} cents")
    open_ended = 0.0 if price is None else 4 * (price / ONE) * (1 - price / ONE)
    reasons.append("no price" if price is None else f"price {price / ONE:.2f}")
    busy = min(market.volume_24h / 1_000_000, 1.0)
    reasons.append(f"${market.volume_24h / 100:,.0f} traded in 24 hours")
    score = round4(0.4 * tight + 0.3 * open_ended + 0.3 * busy)
    return score, "analyze" if score >= 0.6 else "watch" if score >= 0.35 else "skip", reasons


def correlation(seed: int, one: VenueMarket, other: VenueMarket) -> float:
    """How much two markets move together, from -1 to 1, the same both ways."""
    if one.ticker == other.ticker:
        return 0.97
    first, second = sorted((one.ticker, other.ticker))
    die = dice(seed, "correlation", first, second)
    if one.event_ticker == other.event_ticker:
        return round(die.uniform(-0.9, -0.2), 2)
    return round(die.uniform(0.2, 0.8) if one.series == other.series else die.gauss(0, 0.1), 2)


def calibration_json(seed: int, period: str, category: str | None) -> JsonObject:
    """How often made-up estimates came true, by the estimate."""
    die = dice(seed, "calibration", period, category)
    buckets: list[JsonObject] = []
    brier = total = 0.0
    for tenth in range(10):
        predicted, count = 0.05 + tenth / 10, die.randint(20, 200)
        observed = min(max(predicted + die.gauss(0, 0.03), 0.0), 1.0)
        brier += count * (observed * (1 - predicted) ** 2 + (1 - observed) * predicted**2)
        total += count
        figures = {"predicted": round4(predicted), "observed": round4(observed)}
        buckets.append({**figures, "count": count})
    shown = {"buckets": buckets, "brier_score": round4(brier / total), "period": period}
    return {**shown, "category": category, "made_up": True, "model": model_name(seed)}


def performance_json(seed: int, period: str, category: str | None) -> JsonObject:
    """How made-up signals would have done."""
    die = dice(seed, "performance", period, category)
    return {
        "signals": die.randint(40, 900),
        "hit_rate": round4(die.uniform(0.5, 0.62)),
        "mean_edge": round4(die.uniform(0.02, 0.06)),
        "roi": round4(die.uniform(-0.02, 0.12)),
        "period": period,
        "category": category,
        "made_up": True,
        "model": model_name(seed),
    }


def market_json(market: VenueMarket) -> JsonObject:
    """A market as the API sends it. Its `question` is the ticker on the exchange, whichever venue
    it is on; volume is in dollars, one a contract.
    """
    price = market.price
    shown: JsonObject = {
        "platform": market.platform,
        "market_id": market.market_id,
        "title": market.title,
        "outcome": market.outcome,
        "yes_price": dollars(price),
        "no_price": None if price is None else dollars(ONE - price),
        "yes_bid": dollars(market.bid),
        "yes_ask": dollars(market.ask),
        "volume_24h": market.volume_24h / 100,
        "volume": market.volume / 100,
        "liquidity": market.liquidity / 100,
        "status": market.status,
        "close_time": market.close_time,
        "category": market.category,
        "question": market.ticker,
    }
    if market.url is not None:
        shown["url"] = market.url
    if market.platform != KALSHI:
        shown["made_up"] = True
    return shown
