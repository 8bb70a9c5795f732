"""Scan every open market into a file of JSON lines; stopped at any moment, it goes on from there.

    python bulk_scan.py [FOLDER]

It reads the exchange that the KALSHI_* variables name; where KALSHI_ENV is not set, an embedded one
with 5,000 markets, and is stopped half-way to show what happens then.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

import msgspec

from kalshi_async import KalshiClient, KalshiError
from kalshi_async.sandbox import Sandbox

SAVE_EVERY = 1_000


async def scan_into(kalshi: KalshiClient, out: Path, *, stop_after: int | None = None) -> int:
    """Write all open markets to ``out``, or those that an earlier run has not written.

    Returns how many markets this run wrote.
    """
    notes = out.with_suffix(".checkpoint")
    size, resume = load(notes)
    written = 0
    with out.open("ab") as file:
        file.truncate(size)  # what lies after the checkpoint comes again
        async with kalshi.markets.scan(status="open", mve_filter="exclude", resume=resume) as scan:
            async for market in scan:
                size += file.write(msgspec.json.encode(market) + b"\n")
                written += 1
                if written % SAVE_EVERY == 0:
                    save(notes, file, size, scan.checkpoint())
                if written == stop_after:
                    return written
    notes.unlink(missing_ok=True)
    return written


def load(notes: Path) -> tuple[int, dict[str, object] | None]:
    """How many bytes of the output count, and where the scan goes on."""
    if not notes.exists():
        return 0, None
    saved = json.loads(notes.read_text())
    return saved["size"], saved["scan"]


def save(notes: Path, file: BinaryIO, size: int, scan: dict[str, object]) -> None:
    """Keep the checkpoint: after the lines that it speaks of are on disk, and never half of it."""
    file.flush()
    os.fsync(file.fileno())
    fresh = notes.with_suffix(".new")
    fresh.write_text(json.dumps({"size": size, "scan": scan}))
    fresh.replace(notes)


async def main(folder: Path) -> None:
    out = folder / "markets.jsonl"
    if "KALSHI_ENV" in os.environ:
        async with KalshiClient.from_env() as kalshi:
            print(f"{await scan_into(kalshi, out):,} markets written to {out}")
        return
    async with Sandbox.serve(markets=5_000, tier="premier") as exchange:
        async with exchange.client(limits="account") as kalshi:
            first = await scan_into(kalshi, out, stop_after=2_500)
            print(f"stopped after {first:,} markets; the checkpoint is at 2,000")
            second = await scan_into(kalshi, out)
            print(f"went on and wrote the other {second:,}")
    lines = out.read_bytes().splitlines()
    tickers = {msgspec.json.decode(line)["ticker"] for line in lines}
    print(f"{len(lines):,} lines, {len(tickers):,} distinct markets in {out.name}")


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())))
    except KeyboardInterrupt:
        sys.exit("stopped; run it again with the same folder to go on")
    except (KalshiError, OSError) as error:
        sys.exit(str(error))
