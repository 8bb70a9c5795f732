"""The matching engine: what traders may ask of the exchange.

Pure: no input or output, no clock, no randomness. Every command is told the time, decides, changes
the state or raises `ApiError` with the body of the exchange and changes nothing, and leaves what
happened in the event log (`drain`).
"""

from __future__ import annotations

from heapq import heappop

from . import _lifecycle as lifecycle
from ._errors import ApiError, nested, not_found
from ._events import GroupChanged, OrderChanged, TradingChanged
from ._fees import maker_fee, taker_fee
from ._floor import Floor
from ._groups import allowance
from ._holdings import Interest, Trader
from ._matching import match, volume
from ._records import (
    ACTIVE,
    EXECUTED,
    FOK,
    GTC,
    RESTING,
    Group,
    MarketState,
    NewOrder,
    Order,
    Payment,
    Transfer,
)
from ._units import ONE

MOST_SUBACCOUNTS = 63


class Engine(Floor):
    """A `Floor` with the commands of traders and of the exchange's own staff."""

    # Accounts

    def withdraw(self, user_id: str, amount: int, now: int, *, shard: int = 0) -> Payment:
        """Money out of the primary subaccount; 400 when it is not free."""
        trader = self.trader(user_id)
        wallet = trader.wallet(0, shard)
        if amount > wallet.free:
            raise insufficient_balance()
        payment = Payment(payment_id=self.new_id(), user_id=user_id, amount=-amount, time=now)
        trader.payments.append(payment)
        self.move_cash(wallet, -amount, "withdrawal", now)
        return payment

    def create_subaccount(self, user_id: str, now: int) -> int:
        """The number of a new subaccount, counted from 1."""
        trader = self.trader(user_id)
        number = max(trader.subaccounts) + 1
        if number > MOST_SUBACCOUNTS:
            raise nested(400, "max_subaccounts_reached", f"at most {MOST_SUBACCOUNTS}")
        trader.subaccounts.add(number)
        self.move_cash(trader.wallet(number, 0), 0, "transfer", now)
        return number

    def transfer(
        self,
        user_id: str,
        amount: int,
        now: int,
        *,
        from_subaccount: int = 0,
        to_subaccount: int = 0,
        from_shard: int = 0,
        to_shard: int = 0,
        client_transfer_id: str = "",
    ) -> Transfer:
        """Money from one wallet of an account to another."""
        trader = self.trader(user_id)
        if not {from_subaccount, to_subaccount} <= trader.subaccounts:
            raise not_found()
        if (from_subaccount, from_shard) == (to_subaccount, to_shard):
            raise nested(400, "bad_request", "source and destination are the same")
        if client_transfer_id and any(
            known.client_transfer_id == client_transfer_id for known in trader.transfers
        ):
            raise nested(409, "transfer_already_exists")
        source = trader.wallet(from_subaccount, from_shard)
        if amount <= 0:
            raise nested(400, "bad_request", "the amount must be above zero")
        if amount > source.free:
            raise insufficient_balance()
        made = Transfer(
            transfer_id=self.new_id(),
            user_id=user_id,
            client_transfer_id=client_transfer_id,
            amount=amount,
            from_subaccount=from_subaccount,
            to_subaccount=to_subaccount,
            from_shard=from_shard,
            to_shard=to_shard,
            time=now,
        )
        trader.transfers.append(made)
        self.move_cash(source, -amount, "transfer", now)
        self.move_cash(trader.wallet(to_subaccount, to_shard), amount, "transfer", now)
        return made

    # Orders

    def place(self, new: NewOrder, now: int) -> Order:
        """Place an order: it trades, rests, or is cancelled, as its time in force says."""
        trader = self.trader(new.user_id)
        if new.subaccount not in trader.subaccounts:
            raise nested(400, "invalid_subaccount", f"there is no subaccount {new.subaccount}")
        if new.client_order_id in trader.client_ids:
            raise nested(409, "order_already_exists")
        market = self.market(new.ticker, now)
        if market is None or new.shard not in (None, market.shard):
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
        self._fund(trader, interest, market, new, count, now)
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
        market: MarketState,
        new: NewOrder,
        count: int,
        now: int,
    ) -> None:
        """Back an order and its worst fees, or refuse it; without a shard it may draw on all."""
        if trader.house or not count:
            return
        extra = taking_fee(market, interest, new.bid, new.price, count)
        interest.add(new.bid, new.price, count)
        wallet = interest.wallet
        short = extra - wallet.free
        if short <= 0:
            return
        others = [
            other
            for (subaccount, shard), other in trader.wallets.items()
            if subaccount == new.subaccount and shard != market.shard and other.free > 0
        ]
        if new.shard is not None or sum(other.free for other in others) < short:
            interest.add(new.bid, new.price, -count)
            raise insufficient_balance()
        for other in others:
            amount = min(other.free, short)
            short -= amount
            self.transfer(
                trader.user_id,
                amount,
                now,
                from_subaccount=new.subaccount,
                to_subaccount=new.subaccount,
                from_shard=other.shard,
                to_shard=market.shard,
            )
            if not short:
                return

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
        for order in found:
            self.reduce(trader, order, order.remaining, now, "")
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
            raise nested(400, "bad_request", "give one of reduce_by and reduce_to")
        count = order.remaining - reduce_to if reduce_to is not None else reduce_by or 0
        if (reduce_to or 0) < 0 or not 0 < count <= order.remaining:
            raise nested(400, "invalid_order", f"only {order.remaining / 100:.2f} contracts remain")
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
                self.reduce(trader, order, order.remaining - wanted, now, "Amend")
            self._amended(trader, order, now, count, updated_client_order_id, expiration)
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
        extra = taking_fee(market, interest, order.bid, price, wanted)
        interest.add(order.bid, price, wanted)
        if interest.wallet.free < extra:
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
        if maker_user == taker_user:
            raise nested(400, "invalid_order", "both sides are the same account")
        market = self.market(ticker, now)
        if market is None:
            raise not_found()
        self._check_open(market)
        _check_size(market, price, count)
        parties = (
            (taker_user, taker_subaccount, taker_client_order_id, taker_bid),
            (maker_user, maker_subaccount, maker_client_order_id, not taker_bid),
        )
        funded: list[tuple[Trader, NewOrder]] = []
        for user_id, subaccount, client_order_id, bid in parties:
            trader = self.trader(user_id)
            new = NewOrder(
                user_id=user_id,
                ticker=ticker,
                bid=bid,
                price=price,
                count=count,
                subaccount=subaccount,
                client_order_id=client_order_id,
            )
            try:
                if subaccount not in trader.subaccounts:
                    raise nested(400, "invalid_subaccount", f"there is no subaccount {subaccount}")
                if client_order_id in trader.client_ids:
                    raise nested(409, "order_already_exists")
                interest = trader.interest(subaccount, market)
                self._fund(trader, interest, market, new, count, now)
            except ApiError:
                for other, funding in funded:
                    if not other.house:
                        other.interest(funding.subaccount, market).add(funding.bid, price, -count)
                raise
            funded.append((trader, new))
        orders = []
        for trader, new in funded:
            order = self.new_order(
                trader,
                market,
                now,
                bid=new.bid,
                price=price,
                count=count,
                self_trade="maker",
                subaccount=new.subaccount,
                client_order_id=new.client_order_id,
                time_in_force=FOK,
            )
            trader.remember(order)
            orders.append(order)
        taker, maker = orders
        self.trade(taker, maker, price, count, now, block=block, booked=False)
        for (trader, _), order in zip(funded, orders, strict=True):
            order.status = EXECUTED
            trader.forget(order)
        self.emit(OrderChanged(taker, now, True))
        return taker, maker

    # Order groups

    def create_group(
        self, user_id: str, limit: int, now: int, *, subaccount: int = 0, shard: int = 0
    ) -> Group:
        """A group of orders of which at most `limit` contracts match in 15 seconds."""
        trader = self.trader(user_id)
        if subaccount not in trader.subaccounts:
            raise nested(400, "invalid_subaccount", f"there is no subaccount {subaccount}")
        group = Group(
            group_id=self.new_id(),
            user_id=user_id,
            subaccount=subaccount,
            shard=shard,
            limit=limit,
            created=now,
            updated=now,
        )
        trader.groups[group.group_id] = group
        self.emit(GroupChanged(group, "created", now))
        return group

    def group(self, user_id: str, group_id: str) -> tuple[Trader, Group]:
        """A group of this trader, else 404."""
        trader = self.trader(user_id)
        if group_id not in trader.groups:
            raise not_found()
        return trader, trader.groups[group_id]

    def delete_group(self, user_id: str, group_id: str, now: int) -> Group:
        """Cancel the orders of a group and forget it."""
        trader, group = self.group(user_id, group_id)
        for order in [order for order in trader.resting.values() if order.group_id == group_id]:
            self.reduce(trader, order, order.remaining, now, "")
        del trader.groups[group_id]
        self.emit(GroupChanged(group, "deleted", now))
        return group

    def trigger_group(self, user_id: str, group_id: str, now: int) -> Group:
        """Cancel the orders of a group and accept no more until it is reset."""
        trader, group = self.group(user_id, group_id)
        self.trigger(trader, group, now)
        return group

    def reset_group(self, user_id: str, group_id: str, now: int) -> Group:
        """Start the count of a group anew and accept orders again."""
        _, group = self.group(user_id, group_id)
        group.triggered, group.recent, group.updated = False, [], now
        self.emit(GroupChanged(group, "reset", now))
        return group

    def limit_group(self, user_id: str, group_id: str, limit: int, now: int) -> Group:
        """Another limit; one that is reached already triggers the group."""
        trader, group = self.group(user_id, group_id)
        group.limit, group.updated = limit, now
        self.emit(GroupChanged(group, "limit_updated", now))
        if not group.triggered and allowance(group, now) <= 0:
            self.trigger(trader, group, now)
        return group

    # The exchange itself

    def pause(self, now: int) -> None:
        """Stop trading everywhere: nothing is placed, cancels work."""
        self.trading = False
        lifecycle.halt_orders(self, None, now)
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
        """Do what is due by now: expire orders, close markets whose time is up."""
        while self.expiring and self.expiring[0][0] <= now:
            due, order_id, user_id = heappop(self.expiring)
            trader = self.traders[user_id]
            order = trader.resting.get(order_id)
            if order is not None and order.expiration == due and order.status == RESTING:
                self.reduce(trader, order, order.remaining, now, "ExpiryCancel")
        while self.closing and self.closing[0][0] <= now:
            due, ticker = heappop(self.closing)
            if self.markets[ticker].closes == due:
                lifecycle.close(self, ticker, now)


def insufficient_balance() -> ApiError:
    """400 of an order, transfer or withdrawal that the free cash does not cover."""
    return nested(400, "insufficient_balance")


def taking_fee(market: MarketState, interest: Interest, bid: bool, price: int, count: int) -> int:
    """What an order needs beyond its backing should all of it take: no more than this, since price
    plus fee falls with every better price.
    """
    unit = taker_fee(market.fee_thousandths, 1, price) - maker_fee(
        market.fee_thousandths, market.maker_quarters, 1, price
    )
    return interest.uncovered(bid, count) * unit


def _check_size(market: MarketState, price: int, count: int) -> None:
    if not market.on_grid(price):
        raise nested(400, "invalid_price", f"${price / ONE:.4f} is not on the price grid")
    if count <= 0:
        raise nested(400, "invalid_order", "count must be above zero")
