"""The state of the exchange and the few ways in which it changes, each of them an event."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappush

from ._errors import bad_request, not_found
from ._events import (
    BookChanged,
    CashMoved,
    Event,
    GroupChanged,
    MarketChanged,
    OrderChanged,
    PositionChanged,
    Traded,
)
from ._fees import UNIT, align
from ._groups import matched
from ._holdings import Trader
from ._levels import LiveBook
from ._records import (
    ACTIVE,
    CANCELED,
    EXECUTED,
    GTC,
    INACTIVE,
    MAKER,
    Fill,
    Group,
    Listing,
    MarketState,
    Order,
    Payment,
    Reason,
    Trade,
    Wallet,
)
from ._units import DOLLAR

HOUSE = "house"
# What a house trader that runs out of cash is given at a time.
_HOUSE_LOAN = 10_000 * DOLLAR
# Expirations that are kept before those of ended orders are looked for.
_FEW = 1024


class Floor:
    """Traders, markets and books. Holds no clock and no randomness: every call is told the time in
    Unix microseconds, and identifiers come from `new_id`.
    """

    def __init__(
        self, *, new_id: Callable[[], str], listing: Callable[[str], Listing | None]
    ) -> None:
        self.new_id, self._listing = new_id, listing
        self.traders: dict[str, Trader] = {}
        self.markets: dict[str, MarketState] = {}
        self.books: dict[str, LiveBook] = {}
        self.trading = True
        self.priority = 0
        self.fees = 0
        self.paid_in = 0
        self.expiring: list[tuple[int, str, str]] = []
        self.closing: list[tuple[int, str]] = []
        self._crowded = _FEW
        self._events: list[Event] = []

    def drain(self) -> list[Event]:
        """The events since the last call."""
        events, self._events = self._events, []
        return events

    def emit(self, event: Event) -> None:
        """Append to the log."""
        self._events.append(event)

    # Look-ups

    def trader(self, user_id: str) -> Trader:
        """The trader, else 404."""
        found = self.traders.get(user_id)
        if found is None:
            raise not_found()
        return found

    def book(self, ticker: str) -> LiveBook | None:
        """The book of a market that was activated."""
        return self.books.get(ticker)

    def market(self, ticker: str, now: int) -> MarketState | None:
        """A market by its ticker; the first look puts its catalog quotes into the book."""
        found = self.markets.get(ticker)
        if found is not None:
            return found
        listing = self._listing(ticker)
        if listing is None:
            return None
        market = listing.market
        self.add_market(market)
        self.emit(MarketChanged(market, "created", now))
        if market.status in (ACTIVE, INACTIVE):
            for bid, price, count in listing.quotes:
                self._quote(market, bid, price, count, now)
        return market

    def known_market(self, ticker: str, now: int) -> MarketState:
        """A market by its ticker, else 404."""
        found = self.market(ticker, now)
        if found is None:
            raise not_found()
        return found

    def add_market(self, market: MarketState) -> None:
        """Let a market trade."""
        self.markets[market.ticker] = market
        self.books[market.ticker] = LiveBook()
        if market.status in (ACTIVE, INACTIVE) and market.closes:
            heappush(self.closing, (market.closes, market.ticker))

    def _quote(self, market: MarketState, bid: bool, price: int, count: int, now: int) -> None:
        """A quote of the catalog, as an order of the house."""
        trader = self.open_account(HOUSE, house=True)
        order = self.new_order(
            trader, market, now, bid=bid, price=price, count=count, self_trade=MAKER
        )
        trader.remember(order)
        self.rest(trader, order, now)
        self.emit(OrderChanged(order, now, True))

    def open_account(self, user_id: str, *, house: bool = False) -> Trader:
        """The trader with this id, new with its primary subaccount if there was none."""
        found = self.traders.get(user_id)
        if found is None:
            found = self.traders[user_id] = Trader(user_id, house=house)
            found.wallet(0, 0)
        return found

    # Money

    def move_cash(self, wallet: Wallet, amount: int, kind: str, now: int, fees: int = 0) -> None:
        """Change the cash of a wallet."""
        wallet.cash += amount
        if kind in ("deposit", "withdrawal"):
            self.paid_in += amount
        self.emit(
            CashMoved(wallet.user_id, wallet.subaccount, wallet.shard, amount, kind, now, fees)  # type: ignore[arg-type]
        )

    def deposit(self, user_id: str, amount: int, now: int, *, shard: int = 0) -> Payment:
        """Money from outside into the primary subaccount."""
        trader = self.trader(user_id)
        if amount < 0:
            raise bad_request("the amount must not be below zero")
        payment = Payment(payment_id=self.new_id(), user_id=user_id, amount=amount, time=now)
        trader.payments.append(payment)
        self.move_cash(trader.wallet(0, shard), amount, "deposit", now)
        return payment

    # Orders

    def new_order(
        self,
        trader: Trader,
        market: MarketState,
        now: int,
        *,
        bid: bool,
        price: int,
        count: int,
        self_trade: str,
        subaccount: int = 0,
        client_order_id: str = "",
        time_in_force: str = GTC,
    ) -> Order:
        """An order that nothing knows of yet."""
        self.priority += 1
        return Order(
            order_id=self.new_id(),
            user_id=trader.user_id,
            subaccount=subaccount,
            ticker=market.ticker,
            shard=market.shard,
            client_order_id=client_order_id,
            bid=bid,
            price=price,
            initial=count,
            remaining=count,
            time_in_force=time_in_force,
            self_trade=self_trade,
            created=now,
            updated=now,
            priority=self.priority,
        )

    def back(self, trader: Trader, order: Order, count: int) -> None:
        """Back `count` more of an order (below zero: fewer); the house needs no backing."""
        interest = trader.interest(order.subaccount, self.markets[order.ticker])
        if not trader.house:
            interest.add(order.bid, order.price, count)

    def rest(self, trader: Trader, order: Order, now: int) -> None:
        """Put an order, which is backed, into its book."""
        self.books[order.ticker].side(order.bid).add(order)
        trader.resting[order.order_id] = order
        self.expires(order)
        self.book_moved(order, order.remaining, now)

    def expires(self, order: Order) -> None:
        """See to it that a resting order ends at its expiration."""
        if order.expiration:
            if len(self.expiring) >= self._crowded:
                self._forget_expirations()
            heappush(self.expiring, (order.expiration, order.order_id, order.user_id))

    def _forget_expirations(self) -> None:
        """Drop those of orders that ended or were amended; each of the others is kept once."""
        self.expiring = list(
            {
                entry
                for entry in self.expiring
                if (order := self.traders[entry[2]].resting.get(entry[1])) is not None
                and order.expiration == entry[0]
            }
        )
        heapify(self.expiring)
        self._crowded = max(_FEW, 2 * len(self.expiring))

    def book_moved(self, order: Order, delta: int, now: int) -> None:
        """The book changed by what an order added or lost."""
        market = self.markets[order.ticker]
        market.clock += 1
        self.emit(
            BookChanged(
                order.ticker,
                order.bid,
                order.price,
                delta,
                market.clock,
                now,
                order.user_id,
                order.subaccount,
                order.client_order_id,
            )
        )

    def withdraw_from_book(self, trader: Trader, order: Order, now: int) -> None:
        """Take a resting order out of its book; it stays backed."""
        self.books[order.ticker].side(order.bid).remove(order)
        trader.resting.pop(order.order_id, None)
        self.book_moved(order, -order.remaining, now)

    def reduce(self, trader: Trader, order: Order, count: int, now: int, reason: Reason) -> None:
        """Cancel `count` of a resting order, which keeps its place; all of it ends the order."""
        self.shrink(trader, order, count, now, reason)
        self.emit(OrderChanged(order, now))

    def cancel_orders(self, orders: Iterable[Order], now: int, reason: Reason) -> None:
        """Cancel resting orders whole; not a view of those that rest, which changes meanwhile."""
        for order in orders:
            self.reduce(self.traders[order.user_id], order, order.remaining, now, reason)

    def shrink(self, trader: Trader, order: Order, count: int, now: int, reason: Reason) -> None:
        """The same, for a caller that changes more of the order and tells of it."""
        self.books[order.ticker].side(order.bid).reduce(order, count)
        self.back(trader, order, -count)
        self.book_moved(order, -count, now)
        order.updated, order.reason = now, reason
        if not order.remaining:
            order.status = CANCELED
            trader.forget(order)

    def drop(self, trader: Trader, order: Order, now: int, reason: Reason) -> None:
        """Cancel what is left of an order that is backed but not in the book."""
        if order.remaining:
            self.back(trader, order, -order.remaining)
        order.remaining = 0
        order.status, order.updated, order.reason = CANCELED, now, reason
        trader.forget(order)

    # Trades

    def trade(
        self,
        taker: Order,
        maker: Order,
        price: int,
        count: int,
        now: int,
        *,
        booked: bool = True,
        block: bool = False,
    ) -> None:
        """Match two backed orders; the maker's rests in the book if `booked`."""
        market = self.markets[taker.ticker]
        trade = Trade(
            trade_id=self.new_id(),
            ticker=market.ticker,
            price=price,
            count=count,
            taker_bid=taker.bid,
            time=now,
            block=block,
        )
        taking, making = self.traders[taker.user_id], self.traders[maker.user_id]
        if booked:
            self.books[market.ticker].side(maker.bid).reduce(maker, count)
            self.book_moved(maker, -count, now)
        else:
            maker.remaining -= count
        taker.remaining -= count
        bought = taking.interest(taker.subaccount, market).position
        sold = making.interest(maker.subaccount, market).position
        before = max(bought.count, 0) + max(sold.count, 0)
        first = self._fill(taking, taker, market, trade, is_taker=True)
        second = self._fill(making, maker, market, trade, is_taker=False)
        market.open_interest += max(bought.count, 0) + max(sold.count, 0) - before
        market.last, market.last_count, market.updated = price, count, now
        market.volume += count
        market.dollar_volume += count * price
        self.emit(Traded(trade, first, second))
        if not maker.remaining:
            maker.status = EXECUTED
            making.forget(maker)
        self.emit(OrderChanged(maker, now, not booked))
        for trader, order in ((making, maker), (taking, taker)):
            if order.group_id:
                self._group_matched(trader, order, count, now)

    def _fill(
        self, trader: Trader, order: Order, market: MarketState, trade: Trade, *, is_taker: bool
    ) -> Fill:
        price, count, now = trade.price, trade.count, trade.time
        interest = trader.interest(order.subaccount, market)
        position, wallet = interest.position, interest.wallet
        change = interest.fill(order.bid, price, count, now)
        fee = interest.fee(price, count, taking=is_taker)
        if trader.house:
            spare = UNIT
        else:
            interest.add(order.bid, order.price, -count)
            spare = wallet.free + change - fee
            if is_taker and order.remaining:
                # The fills to come may need all that was asked for them.
                spare -= interest.taking_fee(order.bid, order.price, order.remaining)
            trader.positions.setdefault((order.subaccount, market.ticker), position)
        moved, fee, order.rounding = align(change, fee, order.rounding, spare)
        if trader.house:
            self._lend(wallet, moved, now)
        self.move_cash(wallet, moved, "trade", now, fee)
        self.fees += fee
        position.fees += fee
        order.filled += count
        order.updated, order.reason = now, "Trade"
        if is_taker:
            order.taker_filled += count
            order.taker_value += count * price
            order.taker_fees += fee
        else:
            order.maker_value += count * price
            order.maker_fees += fee
        fill = Fill(
            trade_id=trade.trade_id,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            user_id=order.user_id,
            subaccount=order.subaccount,
            ticker=market.ticker,
            shard=market.shard,
            bid=order.bid,
            price=price,
            count=count,
            is_taker=is_taker,
            fee=fee,
            position=position.count,
            time=now,
        )
        if not trader.house:
            trader.fills.append(fill)
        self.emit(PositionChanged(position, now))
        return fill

    def _lend(self, wallet: Wallet, moved: int, now: int) -> None:
        """The house never runs out of cash."""
        short = -(wallet.cash + moved)
        if short > 0:
            self.move_cash(wallet, -(-short // _HOUSE_LOAN) * _HOUSE_LOAN, "deposit", now)

    # Order groups

    def cancel_group(self, trader: Trader, group: Group, now: int) -> None:
        """Cancel the resting orders of a group."""
        resting = trader.resting.values()
        self.cancel_orders(
            [order for order in resting if order.group_id == group.group_id], now, ""
        )

    def _group_matched(self, trader: Trader, order: Order, count: int, now: int) -> None:
        group = trader.groups.get(order.group_id)
        if group is not None and matched(group, count, now):
            self.trigger(trader, group, now)

    def trigger(self, trader: Trader, group: Group, now: int) -> None:
        """Cancel the orders of a group and accept no more until it is reset."""
        group.triggered, group.updated = True, now
        self.cancel_group(trader, group, now)
        self.emit(GroupChanged(group, "triggered", now))
