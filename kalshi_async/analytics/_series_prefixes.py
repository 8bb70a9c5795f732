"""The well-known series and what they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class SeriesPrefix:
    """What a series is about, and the category it is listed in."""

    title: str
    category: str


SERIES_PREFIXES: Mapping[str, SeriesPrefix] = MappingProxyType(
    {
        "KXFED": SeriesPrefix("Federal Reserve rate decisions", "Economics"),
        "KXBTC": SeriesPrefix("Bitcoin price milestones", "Crypto"),
        "KXETH": SeriesPrefix("Ethereum price milestones", "Crypto"),
        "KXINFLATION": SeriesPrefix("CPI / inflation", "Economics"),
        "KXGDP": SeriesPrefix("GDP growth", "Economics"),
        "KXJOBLESS": SeriesPrefix("Weekly jobless claims", "Economics"),
        "KXNFLMVP": SeriesPrefix("NFL MVP", "Sports"),
        "KXUFC": SeriesPrefix("UFC fight outcomes", "Sports"),
        "KXNETFLIX": SeriesPrefix("Netflix Top 10", "Entertainment"),
        "KXOSCAR": SeriesPrefix("Academy Awards", "Entertainment"),
    }
)
"""Well-known series. The exchange has thousands more: ``client.series.list`` names them."""
