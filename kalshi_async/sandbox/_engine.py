"""The matching engine: what traders may ask of the exchange.

Pure: no input or output, no clock, no randomness. Every command is told the time, decides, changes
the state or raises `ApiError` with the body of the exchange and changes nothing, and leaves what
happened in the event log (`drain`).
"""

from __future__ import annotations

from heapq import heappop

from . import _crossing as crossing
from . import _lifecycle as lifecycle
from ._accounts import Accounts, insufficient_balance
from ._crossing import Party
from ._errors import bad_request, nested, not_found, unknown_subaccount
from ._events import OrderChanged, TradingChanged
from ._group_commands import Groups
from ._holdings import Interest, Trader
from ._matching import match, volume
from ._records import ACTIVE, FOK, GTC, Group, MarketState, NewOrder, Order
from ._units import ONE, count_text


class Engine(Accounts, Groups):
    """A `Floor` with the commands of traders and of the exchange's own staff."""

    # Orders

    def place(self, new: NewOrder, now: int) -> Order:
        """Place an order: it trades, rests, or is cancelled, as its time in force says."""
        trader = self.trader(new.user_id)
        if new.subaccount not in trader.subaccounts:
            raise unknown_subaccount(new.subaccount)
        if new.client_order_id in trader.client_ids:
            raise nested(409, "order_already_exists")
        market = self.known_market(new.ticker, now)
        if new.shard not in (None, market.shard):
            raise not_found()
        self._check_open(market)
        _check_size(market, new.price, new.count)
        if new.expiration and new.expiration <= now:
            raise nested(400, "invalid_order", "expiration_time is not in the future")
        group = self._open_group(trader, new)
        if new.post_only and self.books[market.ticker].crosses(new.bid, new.price):
            raise nested(400, "invalid_order", "post only cross")
        interest = trader.interest(new.subaccount, market)
        count = new.count
        if new.reduce_only:
            held = interest.position.count
            count = min(count, max(0, -held if new.bid else held))
        self._fund(trader, interest, new, count, now)
        order = self.new_order(
            trader,
            market,
            now,
            bid=new.bid,
            price=new.price,
            count=new.count,
            self_trade=new.self_trade,
            subaccount=new.subaccount,
            client_order_id=new.client_order_id,
            time_in_force=new.time_in_force,
        )
        order.post_only, order.reduce_only = new.post_only, new.reduce_only
        order.cancel_on_pause, order.expiration = new.cancel_on_pause, new.expiration
        order.group_id = "" if group is None else group.group_id
        order.remaining = count
        trader.remember(order)
        if new.time_in_force == FOK and volume(self, order, now) < count:
            self.drop(trader, order, now, "")
            self.emit(OrderChanged(order, now, True))
            raise nested(409, "fill_or_kill_insufficient_resting_volume")
        self._execute(trader, order, now, new=True)
        return order

    def _check_open(self, market: MarketState) -> None:
        if not self.trading:
            raise nested(409, "trading_is_paused")
        if market.status != ACTIVE:
            raise nested(400, "MARKET_NOT_ACTIVE")

    def _open_group(self, trader: Trader, new: NewOrder) -> Group | None:
        if not new.group_id:
            return None
        group = trader.groups.get(new.group_id)
        if group is None or group.subaccount != new.subaccount:
            raise nested(404, "order_group_not_found")
        if group.triggered:
            raise nested(400, "order_group_triggered", "reset the group to place orders in it")
        return group

    def _execute(self, trader: Trader, order: Order, now: int, *, new: bool) -> None:
        """Match a backed order, then rest what is left or cancel it."""
        reason = match(self, order, now)
        group = trader.groups.get(order.group_id)
        stopped = group is not None and group.triggered
        if order.remaining and (reason or stopped or order.time_in_force != GTC):
            self.drop(trader, order, now, reason)
        elif order.remaining:
            self.rest(trader, order, now)
        elif order.filled == order.initial:
            trader.forget(order)
        else:
            self.drop(trader, order, now, "ReduceOnlyCancel")
        self.emit(OrderChanged(order, now, new))

    def _fund(
        self,
        trader: Trader,
        interest: Interest,
        new: NewOrder,
        count: int,
        now: int,
    ) -> None:
        """Back an order and its worst fees, or refuse it; without a shard it may draw on all."""
        if trader.house or not count:
            return
        interest.add(new.bid, new.price, count)
        wallet = interest.wallet
        short = interest.taking_fee(new.bid, new.price, count) - wallet.free
        if self.lacks(trader, wallet, short, new.shard):
            interest.add(new.bid, new.price, -count)
            raise insufficient_balance()
        self.draw(trader, wallet, short, now)

    def own_order(
        self, user_id: str, order_id: str, subaccount: int | None
    ) -> tuple[Trader, Order]:
        """A resting order of this trader; ended, unknown and foreign ones are all 404."""
        trader = self.trader(user_id)
        order = trader.resting.get(order_id)
        if order is None or subaccount not in (None, order.subaccount):
            raise not_found()
        return trader, order

    def cancel(
        self, user_id: str, order_id: str, now: int, *, subaccount: int | None = None
    ) -> tuple[Order, int]:
        """Cancel a resting order: (the order, the count cancelled)."""
        trader, order = self.own_order(user_id, order_id, subaccount)
        count = order.remaining
        self.reduce(trader, order, count, now, "")
        return order, count

    def cancel_all(self, user_id: str, now: int, *, subaccount: int | None = None) -> list[Order]:
        """Cancel every resting order, of one subaccount or of all."""
        trader = self.trader(user_id)
        found = [
            order for order in trader.resting.values() if subaccount in (None, order.subaccount)
        ]
        self.cancel_orders(found, now, "")
        return found

    def decrease(
        self,
        user_id: str,
        order_id: str,
        now: int,
        *,
        reduce_by: int | None = None,
        reduce_to: int | None = None,
        subaccount: int | None = None,
    ) -> Order:
        """Make a resting order smaller; it keeps its place. Down to zero cancels it."""
        trader, order = self.own_order(user_id, order_id, subaccount)
        if (reduce_by is None) == (reduce_to is None):
            raise bad_request("give one of reduce_by and reduce_to")
        count = order.remaining - reduce_to if reduce_to is not None else reduce_by or 0
        if (reduce_to or 0) < 0 or not 0 < count <= order.remaining:
            raise nested(
                400,
                "invalid_order",
                f"{count_text(order.remaining)} contracts remain: reduce by more than zero and at "
                "most by that",
            )
        self.reduce(trader, order, count, now, "Decrease")
        return order

    def amend(
        self,
        user_id: str,
        order_id: str,
        now: int,
        *,
        ticker: str,
        bid: bool,
        price: int,
        count: int,
        client_order_id: str | None = None,
        updated_client_order_id: str | None = None,
        expiration: int | None = None,
        subaccount: int | None = None,
    ) -> Order:
        """Change price, size (`count`: filled + wanted remaining) or expiration of a resting order.

        A smaller size and another expiration keep its place in the queue; anything else loses it
        and may trade at once.
        """
        trader, order = self.own_order(user_id, order_id, subaccount)
        market = self.markets[order.ticker]
        self._check_open(market)
        if ticker != order.ticker or bid is not order.bid:
            raise nested(400, "invalid_order", "ticker and side of an order cannot be amended")
        if client_order_id and client_order_id != order.client_order_id:
            raise nested(400, "invalid_order", "client_order_id is not that of the order")
        _check_size(market, price, count)
        wanted = count - order.filled
        if wanted <= 0:
            raise nested(400, "invalid_order", "count must be above what is filled already")
        if expiration and expiration <= now:
            raise nested(400, "invalid_order", "expiration_time is not in the future")
        known = trader.client_ids.get(updated_client_order_id or "", order.order_id)
        if known != order.order_id:
            raise nested(409, "order_already_exists")
        if price == order.price and wanted <= order.remaining:
            if wanted < order.remaining:
                self.shrink(trader, order, order.remaining - wanted, now, "Amend")
            due = order.expiration
            self._amended(trader, order, now, count, updated_client_order_id, expiration)
            if order.expiration != due:
                self.expires(order)
            self.emit(OrderChanged(order, now))
            return order
        if order.post_only and self.books[ticker].crosses(bid, price):
            raise nested(400, "invalid_order", "post only cross")
        self._refund(trader, order, market, price, wanted)
        self.withdraw_from_book(trader, order, now)
        self.priority += 1
        order.price, order.remaining, order.priority = price, wanted, self.priority
        self._amended(trader, order, now, count, updated_client_order_id, expiration)
        self._execute(trader, order, now, new=False)
        return order

    def _amended(
        self,
        trader: Trader,
        order: Order,
        now: int,
        count: int,
        client_order_id: str | None,
        expiration: int | None,
    ) -> None:
        order.initial, order.updated, order.reason = count, now, "Amend"
        if client_order_id:
            order.client_order_id = client_order_id
            trader.remember(order)
        if expiration is not None:
            order.expiration = expiration

    def _refund(
        self, trader: Trader, order: Order, market: MarketState, price: int, wanted: int
    ) -> None:
        """Back an order at another price or size, or refuse and leave it as it is."""
        if trader.house:
            return
        interest = trader.interest(order.subaccount, market)
        interest.add(order.bid, order.price, -order.remaining)
        interest.add(order.bid, price, wanted)
        if interest.wallet.free < interest.taking_fee(order.bid, price, wanted):
            interest.add(order.bid, price, -wanted)
            interest.add(order.bid, order.price, order.remaining)
            raise insufficient_balance()

    def queue_position(self, order: Order) -> int:
        """The count that trades before a resting order does."""
        return self.books[order.ticker].ahead(order)

    def cross(
        self,
        *,
        maker_user: str,
        taker_user: str,
        ticker: str,
        taker_bid: bool,
        price: int,
        count: int,
        now: int,
        maker_subaccount: int = 0,
        taker_subaccount: int = 0,
        maker_client_order_id: str = "",
        taker_client_order_id: str = "",
        block: bool = False,
    ) -> tuple[Order, Order]:
        """A trade that two parties agreed on, beside the book: (the taker's order, the maker's)."""
        market = self.known_market(ticker, now)
        self._check_open(market)
        _check_size(market, price, count)
        taker = Party(taker_user, taker_subaccount, taker_client_order_id, taker_bid)
        maker = Party(maker_user, maker_subaccount, maker_client_order_id, not taker_bid)
        taken, made = crossing.cross(self, taker, maker, market, price, count, now, block=block)
        self.emit(OrderChanged(taken, now, True))
        return taken, made

    # The exchange itself

    def pause(self, now: int) -> None:
        """Stop trading everywhere: nothing is placed, cancels work."""
        self.trading = False
        lifecycle.halt_orders(self, now)
        self.emit(TradingChanged(False, now))

    def resume(self, now: int) -> None:
        """Trade again."""
        self.trading = True
        self.emit(TradingChanged(True, now))

    def pause_market(self, ticker: str, now: int) -> MarketState:
        """Stop trading in one market."""
        return lifecycle.pause(self, ticker, now)

    def resume_market(self, ticker: str, now: int) -> MarketState:
        """Open a market, or open it again."""
        return lifecycle.resume(self, ticker, now)

    def close_market(self, ticker: str, now: int) -> MarketState:
        """End trading in a market; its orders are cancelled."""
        return lifecycle.close(self, ticker, now)

    def determine(self, ticker: str, value: int, now: int) -> MarketState:
        """Say what a YES contract is worth, as a price from 0 to 10000; closes the market first."""
        return lifecycle.determine(self, ticker, value, now)

    def settle(self, ticker: str, now: int) -> MarketState:
        """Pay out a determined market."""
        return lifecycle.settle(self, ticker, now)

    def advance(self, now: int) -> None:
        """Do what is due by now, in the order of time and at the instant it was due: expire orders,
        close markets whose time is up.
        """
        while True:
            expires = self.expiring[0][0] if self.expiring else now + 1
            closes = self.closing[0][0] if self.closing else now + 1
            if min(expires, closes) > now:
                return
            if expires <= closes:
                due, order_id, user_id = heappop(self.expiring)
                trader = self.traders[user_id]
                order = trader.resting.get(order_id)
                if order is not None and order.expiration == due:
                    when = max(due, order.updated)
                    self.reduce(trader, order, order.remaining, when, "ExpiryCancel")
            else:
                due, ticker = heappop(self.closing)
                market = self.markets[ticker]
                if market.closes == due:
                    lifecycle.close(self, ticker, max(due, market.updated))


def _check_size(market: MarketState, price: int, count: int) -> None:
    if not market.on_grid(price):
        raise nested(400, "invalid_price", f"${price / ONE:.4f} is not on the price grid")
    if count <= 0:
        raise nested(400, "invalid_order", "count must be above zero")
