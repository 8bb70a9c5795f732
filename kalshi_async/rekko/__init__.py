"""Rekko, the intelligence layer: analyses, signals, screening and webhooks for markets.

    async with RekkoClient.from_env() as rekko:
        market = await rekko.markets.get("kalshi", "KXFED-26MAR19")
        analysis = await rekko.analyze("kalshi", "KXFED-26MAR19")
        signal = await rekko.signals.get(platform="kalshi", market_id="KXFED-26MAR19")
        print(market.yes_price, analysis.probability, signal.recommendation, signal.size_pct)

``RekkoClient`` is the client, ``models`` what it answers, ``verify`` checks deliveries of webhooks.
The errors are in ``kalshi_async`` itself. Prices and probabilities are shares of 1.
"""

from ..models.secret import Secret
from ._client import RekkoClient, RekkoOptions
from ._operations import REKKO_OPERATIONS
from .models import (
    Analysis,
    AnalysisRun,
    AnalysisStatus,
    ArbitrageLeg,
    Calibration,
    CalibrationBucket,
    Consensus,
    Correlation,
    Event,
    Execution,
    Holding,
    KeyFactor,
    Listing,
    Market,
    Opportunity,
    Performance,
    PlatformPrice,
    PortfolioSignal,
    PricePoint,
    PriceShift,
    Resolution,
    Scenario,
    ScreenedMarket,
    Signal,
    TradeReport,
    Webhook,
    WebhookEvent,
    WhaleAlert,
)
from .webhooks import SIGNATURE_HEADER, sign, verify

__all__ = [
    "REKKO_OPERATIONS",
    "SIGNATURE_HEADER",
    "Analysis",
    "AnalysisRun",
    "AnalysisStatus",
    "ArbitrageLeg",
    "Calibration",
    "CalibrationBucket",
    "Consensus",
    "Correlation",
    "Event",
    "Execution",
    "Holding",
    "KeyFactor",
    "Listing",
    "Market",
    "Opportunity",
    "Performance",
    "PlatformPrice",
    "PortfolioSignal",
    "PricePoint",
    "PriceShift",
    "RekkoClient",
    "RekkoOptions",
    "Resolution",
    "Scenario",
    "ScreenedMarket",
    "Secret",
    "Signal",
    "TradeReport",
    "Webhook",
    "WebhookEvent",
    "WhaleAlert",
    "sign",
    "verify",
]
