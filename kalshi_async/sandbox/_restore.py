"""An engine put together again from a state file."""

from __future__ import annotations

from operator import attrgetter

from ._engine import Engine
from ._holdings import Trader
from ._kept import (
    ACCOUNT,
    CLIENT_ID,
    FILL,
    GROUP,
    MARKET,
    ORDER,
    PAYMENT,
    POSITION,
    PROGRESS,
    SETTLEMENT,
    TRANSFER,
    WALLET,
    AccountRecord,
    ClientId,
    Progress,
)
from ._records import (
    RESTING,
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
from ._state import StateError, Store


def restore(store: Store, engine: Engine) -> Progress | None:
    """Fill a new engine with what a state file holds; None when it holds nothing yet.

    Raises StateError for a file whose objects do not belong together.
    """
    found = store.load(PROGRESS, Progress)
    if not found:
        return None
    try:
        _fill(store, engine)
    except KeyError as error:
        raise StateError(
            f"{store.path} is damaged: it names {error} and does not hold it; name another file"
        ) from error
    progress = found[0]
    engine.priority, engine.fees, engine.paid_in = (
        progress.priority,
        progress.fees,
        progress.paid_in,
    )
    engine.trading = progress.trading
    return progress


def _fill(store: Store, engine: Engine) -> None:
    for market in store.load(MARKET, MarketState):
        engine.add_market(market)
    traders = engine.traders
    for account in store.load(ACCOUNT, AccountRecord):
        trader = engine.open_account(account.user_id, house=account.house)
        trader.subaccounts = set(account.subaccounts)
    for wallet in store.load(WALLET, Wallet):
        # What is reserved follows from the orders that rest.
        wallet.reserved = 0
        traders[wallet.user_id].wallets[wallet.subaccount, wallet.shard] = wallet
    for position in store.load(POSITION, Position):
        _hold(engine, traders[position.user_id], position)
    orders = {order.order_id: order for order in store.load(ORDER, Order)}
    for order in orders.values():
        traders[order.user_id].orders[order.order_id] = order
    for used in store.load_history(CLIENT_ID, ClientId):
        owner = traders[orders[used.order_id].user_id]
        owner.client_ids[used.client_order_id] = used.order_id
    for group in store.load(GROUP, Group):
        traders[group.user_id].groups[group.group_id] = group
    for fill in store.load_history(FILL, Fill):
        traders[fill.user_id].fills.append(fill)
    for settlement in store.load_history(SETTLEMENT, Settlement):
        traders[settlement.user_id].settlements.append(settlement)
    for payment in store.load_history(PAYMENT, Payment):
        traders[payment.user_id].payments.append(payment)
    for transfer in store.load_history(TRANSFER, Transfer):
        traders[transfer.user_id].transfers.append(transfer)
    for order in sorted(orders.values(), key=attrgetter("priority")):
        if order.status == RESTING and order.remaining:
            _rest(engine, traders[order.user_id], order)


def _hold(engine: Engine, trader: Trader, position: Position) -> None:
    """Give a trader its position. The house keeps none of what was settled, and lists none."""
    if not trader.house:
        trader.positions[position.subaccount, position.ticker] = position
    if not position.settled:
        interest = trader.interest(position.subaccount, engine.markets[position.ticker])
        interest.position = position


def _rest(engine: Engine, trader: Trader, order: Order) -> None:
    """Queue a resting order behind those of its price, backed again and due when it was."""
    engine.back(trader, order, order.remaining)
    engine.books[order.ticker].side(order.bid).add(order)
    trader.resting[order.order_id] = order
    engine.expires(order)
    if trader.house and order.client_order_id:
        trader.client_ids[order.client_order_id] = order.order_id
