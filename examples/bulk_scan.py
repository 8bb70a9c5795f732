"""Scan every open market into JSON lines, resuming after an interruption."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

import msgspec

from kalshi_async.sandbox import Sandbox


async def main() -> None:
    folder = Path(tempfile.mkdtemp())
    out = folder / "markets.jsonl"
    async with Sandbox.serve(markets=5_000, tier="premier") as exchange:
        async with exchange.client(limits="account") as kalshi:
            with out.open("wb") as file:
                async with kalshi.markets.scan(status="open", mve_filter="exclude") as scan:
                    async for market in scan:
                        file.write(msgspec.json.encode(market) + b"\n")
                        if scan.progress.items == 1_000:
                            break  # as if the process had been stopped here
                    saved = json.dumps(scan.checkpoint())
            print(f"stopped after 1,000 markets; the checkpoint has {len(saved):,} characters")

            with out.open("ab") as file:
                async with kalshi.markets.scan(
                    status="open", mve_filter="exclude", resume=json.loads(saved)
                ) as scan:
                    async for market in scan:
                        file.write(msgspec.json.encode(market) + b"\n")

    lines = out.read_bytes().splitlines()
    tickers = {msgspec.json.decode(line)["ticker"] for line in lines}
    print(f"{len(lines):,} lines, {len(tickers):,} distinct markets in {out.name}")
    assert len(lines) == len(tickers)


asyncio.run(main())
