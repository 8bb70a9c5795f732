"""Place a plan of orders, many at once, each exactly once: whatever the network does.

The plan names each order by a client_order_id of its own, so that running it again places nothing
twice. The journal knows of every order before the exchange does: at the start, what an earlier run
left open is settled.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from kalshi_async import KalshiClient
from kalshi_async.models.orders import PlacedOrder
from kalshi_async.orders import OrderRequest, Placed, Rejected, Unknown
from kalshi_async.sandbox import Faults, Sandbox

TICKERS = ["KXFED-26MAR19", "KXFED-26MAR19-T4.25", "KXFED-26MAR19-T4.00"]


async def settle(kalshi: KalshiClient) -> None:
    """What became of the orders that an earlier run was placing when it ended."""
    recovery = await kalshi.orders.recover(deadline=90)
    for order in recovery.placed:
        print(f"from the last run: {order.client_order_id} was placed as {order.order_id}")
    for intent in recovery.absent:
        print(f"from the last run: {intent.client_order_id} was not placed")
    for error in recovery.unknown:
        print(f"from the last run: {error}")


def plan(name: str, tickers: list[str]) -> list[OrderRequest]:
    """A ladder of small bids in each market, and one that no account could pay for."""
    ladder = [
        OrderRequest(
            ticker,
            action="buy",
            side="yes",
            count=5,
            yes_price=cents,
            client_order_id=f"{name}-{number}-{cents}",
        )
        for number, ticker in enumerate(tickers)
        for cents in range(1, 31)
    ]
    greedy = OrderRequest(
        tickers[0],
        action="buy",
        side="no",
        count=1_000_000,
        price="0.50",
        client_order_id=f"{name}-greedy",
    )
    return [*ladder, greedy]


async def carry_out(kalshi: KalshiClient, requests: list[OrderRequest]) -> list[PlacedOrder]:
    """Place them all; the orders that the exchange has now."""
    there: list[PlacedOrder] = []
    async with kalshi.orders.place_many(requests, max_in_flight=16) as outcomes:
        async for outcome in outcomes:
            match outcome:
                case Placed(order=order):
                    there.append(order)
                case Rejected(request=request, error=error):
                    print(f"{request.client_order_id}: not placed: {error}")
                case Unknown(request=request, error=error):
                    found = await error.resolve()
                    print(f"{request.client_order_id}: {'placed' if found else 'not placed'}")
                    there += [found] if found else []
    return there


async def main() -> None:
    # The second batch is placed, but its answer never comes.
    faults = Faults(seed=7).on("BatchCreateOrdersV2", nth=2, times=1, drop=True, processed=True)
    journal = Path(tempfile.mkdtemp()) / "orders.db"
    async with Sandbox.serve(seed=7, tier="premier", faults=faults) as exchange:
        for run in ("first", "second"):
            async with exchange.client(limits="account", journal=journal) as kalshi:
                await settle(kalshi)
                there = await carry_out(kalshi, plan("ladder", TICKERS))
                found = sum(order.recovered for order in there)
                print(f"{run} run: {len(there)} orders are there, {found} of them were before")
        async with exchange.client() as kalshi:
            orders = await kalshi.orders.list(status="resting").collect()
        names = {order.client_order_id for order in orders}
        print(f"the exchange has {len(orders)} orders, {len(names)} different ones")


if __name__ == "__main__":
    asyncio.run(main())
