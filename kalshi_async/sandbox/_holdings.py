"""What a trader has: money, positions, orders, and how much of the money backs the resting orders.

Collateral is full: a bid at p backs each contract with p, an ask with 1 - p. A holding backs
orders that close it: while +10 YES are held, the ten best-priced asks need no money, since by
price-time priority they trade first. Positions of one market net: buying YES while holding NO frees
the dollar of each pair.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from ._fees import maker_fee, taker_fee
from ._records import (
    Fill,
    Group,
    MarketState,
    Order,
    Payment,
    Position,
    Settlement,
    Transfer,
    Wallet,
)
from ._units import ONE


class Resting:
    """One trader's open count by price on one side of one market, and what it takes to back it.

    The levels a holding covers come first in `keys`: the lowest asks, or (`highest_first`) the
    highest bids. Where that ends is remembered, so that a change costs what it moves and not what
    there is.
    """

    __slots__ = ("_count", "_full", "_saved", "_sign", "backing", "counts", "keys", "unit")

    def __init__(self, *, highest_first: bool) -> None:
        self._sign = -1 if highest_first else 1
        self.counts: dict[int, int] = {}
        self.keys: list[int] = []  # prices, or negative ones, so that what is covered comes first
        self.unit: dict[int, int] = {}
        self.backing = 0
        # Levels covered in full, and what they add up to.
        self._full = self._count = self._saved = 0

    def add(self, price: int, count: int, unit: int) -> None:
        """Count more (or, below zero, fewer) at a price; `unit` is the backing of 0.01 contract."""
        key = price * self._sign
        held = self.counts.get(key)
        full = self._full
        if held is None:
            insort(self.keys, key)
            self.unit[key] = unit
            held = 0
            inside = full > 0 and self.keys[full] > key
            self._full = full = full + inside
        else:
            unit = self.unit[key]
            inside = full > 0 and self.keys[full - 1] >= key
        self.backing += count * unit
        if inside:
            self._count += count
            self._saved += count * unit
        if held + count:
            self.counts[key] = held + count
            return
        del self.counts[key]
        del self.unit[key]
        del self.keys[bisect_left(self.keys, key)]
        self._full -= inside

    def covered(self, holding: int) -> int:
        """The backing that a holding of this size takes the place of."""
        keys, counts, unit = self.keys, self.counts, self.unit
        full, count, saved = self._full, self._count, self._saved
        while count > holding:
            full -= 1
            key = keys[full]
            count -= counts[key]
            saved -= counts[key] * unit[key]
        while full < len(keys) and count + counts[keys[full]] <= holding:
            key = keys[full]
            full += 1
            count += counts[key]
            saved += counts[key] * unit[key]
        self._full, self._count, self._saved = full, count, saved
        return saved + (holding - count) * unit[keys[full]] if full < len(keys) else saved


class Interest:
    """One subaccount in one market: its position and its open orders. `reserved` is the share of
    its wallet's reserve.
    """

    __slots__ = ("_market", "asks", "bids", "position", "reserved", "wallet")

    def __init__(self, market: MarketState, position: Position, wallet: Wallet) -> None:
        self._market, self.position, self.wallet = market, position, wallet
        self.bids, self.asks = Resting(highest_first=True), Resting(highest_first=False)
        self.reserved = 0

    def add(self, bid: bool, price: int, count: int) -> None:
        """Back `count` more open contracts at this price; below zero: fewer."""
        unit = (price if bid else ONE - price) + self.fee(price, 1, taking=False)
        (self.bids if bid else self.asks).add(price, count, unit)
        self.rereserve()

    def rereserve(self) -> None:
        """Bring the wallet's reserve in line with orders and position."""
        needed = self._needed(self.position.count)
        if needed != self.reserved:
            self.wallet.reserved += needed - self.reserved
            self.reserved = needed

    def _needed(self, held: int) -> int:
        """The reserve of the open orders while so much is held."""
        needed = self.bids.backing + self.asks.backing
        if held > 0 and self.asks.keys:
            needed -= self.asks.covered(held)
        elif held < 0 and self.bids.keys:
            needed -= self.bids.covered(-held)
        return needed

    def _closing(self, bid: bool, count: int) -> int:
        """How many of `count` contracts would close what is held."""
        held = self.position.count
        return min(count, max(0, -held if bid else held))

    def fee(self, price: int, count: int, *, taking: bool) -> int:
        """The trading fee of a fill in this market."""
        market = self._market
        if taking:
            return taker_fee(market.fee_thousandths, count, price)
        return maker_fee(market.fee_thousandths, market.maker_quarters, count, price)

    def taking_fee(self, bid: bool, price: int, count: int) -> int:
        """What `count` of an order that crosses needs beyond its backing should all of it take: no
        more than this, since price plus fee falls with every better price. What closes a holding
        pays its fee out of what it brings in.
        """
        opening = count - self._closing(bid, count)
        if not opening:
            return 0
        return opening * (self.fee(price, 1, taking=True) - self.fee(price, 1, taking=False))

    def free_after(self, bid: bool, price: int, count: int) -> int:
        """The free cash after a fill beside the book, before its fee: open orders that the holding
        no longer covers have to be backed.
        """
        closing = self._closing(bid, count)
        pays = price if bid else ONE - price
        change = closing * (ONE - pays) - (count - closing) * pays
        needed = self._needed(self.position.count + (count if bid else -count))
        return self.wallet.free + change + self.reserved - needed

    def fill(self, bid: bool, price: int, count: int, now: int) -> int:
        """Book a fill into the position; the change of cash before fees."""
        position = self.position
        held = position.count
        closing = self._closing(bid, count)
        opening = count - closing
        pays = price if bid else ONE - price  # of a contract that opens
        change = closing * (ONE - pays) - opening * pays
        if closing:
            share = position.cost * closing // abs(held)
            position.cost -= share
            position.realized += closing * (ONE - pays) - share
        position.cost += opening * pays
        position.traded += closing * (ONE - pays) + opening * pays
        position.volume += count
        position.count += count if bid else -count
        position.updated = now
        return change


class Trader:
    """An account. A house trader is never short of money and keeps no history."""

    def __init__(self, user_id: str, *, house: bool = False) -> None:
        self.user_id, self.house = user_id, house
        self.subaccounts: set[int] = {0}
        self.wallets: dict[tuple[int, int], Wallet] = {}
        self.positions: dict[tuple[int, str], Position] = {}
        self.orders: dict[str, Order] = {}
        self.resting: dict[str, Order] = {}
        self.client_ids: dict[str, str] = {}
        self.fills: list[Fill] = []
        self.settlements: list[Settlement] = []
        self.payments: list[Payment] = []
        self.transfers: list[Transfer] = []
        self.groups: dict[str, Group] = {}
        self.interests: dict[tuple[int, str], Interest] = {}
        self._transfer_ids: set[str] = set()
        self._indexed = 0

    def __repr__(self) -> str:
        return (
            f"<Trader {self.user_id}: {len(self.resting)} resting orders, "
            f"{len(self.positions)} positions, {len(self.fills)} fills>"
        )

    def wallet(self, subaccount: int, shard: int) -> Wallet:
        """The wallet of a subaccount on a shard."""
        found = self.wallets.get((subaccount, shard))
        if found is None:
            found = self.wallets[subaccount, shard] = Wallet(
                user_id=self.user_id, subaccount=subaccount, shard=shard
            )
        return found

    def interest(self, subaccount: int, market: MarketState) -> Interest:
        """Its interest in a market."""
        key = (subaccount, market.ticker)
        found = self.interests.get(key)
        if found is None:
            position = self.positions.get(key) or Position(
                user_id=self.user_id,
                subaccount=subaccount,
                ticker=market.ticker,
                event_ticker=market.event_ticker,
                shard=market.shard,
            )
            found = Interest(market, position, self.wallet(subaccount, market.shard))
            self.interests[key] = found
        return found

    def transfer_ids(self) -> set[str]:
        """The client_transfer_ids that were used."""
        transfers = self.transfers
        self._transfer_ids.update(
            transfers[at].client_transfer_id for at in range(self._indexed, len(transfers))
        )
        self._indexed = len(transfers)
        return self._transfer_ids

    def remember(self, order: Order) -> None:
        """Keep an order and its client_order_id for ever."""
        self.orders[order.order_id] = order
        if order.client_order_id:
            self.client_ids[order.client_order_id] = order.order_id

    def forget(self, order: Order) -> None:
        """An order no longer rests; a house trader keeps nothing of it."""
        self.resting.pop(order.order_id, None)
        if self.house:
            self.orders.pop(order.order_id, None)
