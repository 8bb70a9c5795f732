"""The floor: raw asyncio streams and msgspec structs, nothing in between and nothing checked."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit

import msgspec


class PriceRange(msgspec.Struct):
    start: Decimal
    end: Decimal
    step: Decimal


class Leg(msgspec.Struct):
    event_ticker: str = ""
    market_ticker: str = ""
    side: str = ""
    yes_settlement_value_dollars: Decimal | None = None


class Market(msgspec.Struct, kw_only=True):
    """Every field of the contract; prices and counts exact, times as datetime.

    In alphabetical order, as the exchange writes them: msgspec looks for a key first where the last
    one left off, and any other order costs a fifth more.
    """

    can_close_early: bool
    cap_strike: float | None = None
    close_time: datetime
    created_time: datetime
    custom_strike: dict[str, object] | None = None
    early_close_condition: str | None = None
    event_ticker: str
    exchange_index: int = 0
    expected_expiration_time: datetime | None = None
    expiration_time: datetime | None = None
    expiration_value: str
    fee_waiver_expiration_time: datetime | None = None
    floor_strike: float | None = None
    functional_strike: str | None = None
    is_provisional: bool = False
    last_price_dollars: Decimal
    latest_expiration_time: datetime
    market_type: str
    mve_collection_ticker: str = ""
    mve_selected_legs: list[Leg] | None = None
    no_ask_dollars: Decimal
    no_bid_dollars: Decimal
    no_sub_title: str
    notional_value_dollars: Decimal
    occurrence_datetime: datetime | None = None
    open_interest_fp: Decimal
    open_time: datetime
    previous_price_dollars: Decimal
    previous_yes_ask_dollars: Decimal
    previous_yes_bid_dollars: Decimal
    price_level_structure: str
    price_ranges: list[PriceRange]
    primary_participant_key: str | None = None
    result: str
    rules_primary: str
    rules_secondary: str
    settlement_bounds_type: str
    settlement_floor_dollars: Decimal | None = None
    settlement_timer_seconds: int
    settlement_ts: datetime | None = None
    settlement_value_dollars: Decimal | None = None
    status: str
    strike_type: str = ""
    subtitle: str = ""
    ticker: str
    title: str = ""
    updated_time: datetime
    volume_24h_fp: Decimal
    volume_fp: Decimal
    yes_ask_dollars: Decimal
    yes_ask_size_fp: Decimal
    yes_bid_dollars: Decimal
    yes_bid_size_fp: Decimal
    yes_sub_title: str


class Markets(msgspec.Struct):
    cursor: str
    markets: list[Market]


class Quote(msgspec.Struct):
    """Five fields of a market, by the names of the wire."""

    close_time: datetime
    ticker: str
    volume_fp: Decimal
    yes_ask_dollars: Decimal
    yes_bid_dollars: Decimal


class Quotes(msgspec.Struct):
    cursor: str
    markets: list[Quote]


decode_markets = msgspec.json.Decoder(Markets).decode
decode_quotes = msgspec.json.Decoder(Quotes).decode


class Connection:
    """One keep-alive connection; a request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str) -> Connection:
        """Connect to `http://host:port`. The read buffer holds a whole page."""
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 23))

    async def get(self, target: str) -> bytes:
        """The body of the answer to a GET."""
        self._writer.write(b"GET %s HTTP/1.1\r\nHost: floor\r\n\r\n" % target.encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        at = head.index(b"Content-Length: ") + 16
        return await self._reader.readexactly(int(head[at : head.index(b"\r", at)]))

    async def aclose(self) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()
