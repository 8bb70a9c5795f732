"""What of an exchange goes into its state file.

The recorder follows the events. It writes what is true after a command, not what happened in it:
the objects that events name, and whatever the traders they touched added to their histories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from ._engine import Engine
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
    TRADE,
    TRANSFER,
    WALLET,
    AccountRecord,
    ClientId,
    Progress,
)
from ._records import (
    Group,
    Order,
    Position,
    Wallet,
)
from ._restore import restore
from ._state import Store

S = TypeVar("S", bound=msgspec.Struct)

# The public tape is cut to this many trades whenever the file is opened.
MOST_TRADES = 100_000


class Counted(Protocol):
    """A source of identifiers that goes on from a number."""

    made: int


class Running(Protocol):
    """What the recorder needs of an exchange."""

    shift: int
    advanced: int

    @property
    def engine(self) -> Engine:
        """Its engine."""

    @property
    def ids(self) -> Counted:
        """Where the engine's identifiers come from."""

    def now(self) -> int:
        """Its time in Unix microseconds."""


@dataclass(slots=True)
class _Seen:
    """How much of what a trader only ever adds to is in the file."""

    subaccounts: int = 0
    wallets: int = 0
    client_ids: int = 0
    fills: int = 0
    settlements: int = 0
    payments: int = 0
    transfers: int = 0

    def all_of(self, trader: Trader) -> None:
        """Everything it has now."""
        self.subaccounts, self.wallets = len(trader.subaccounts), len(trader.wallets)
        self.client_ids, self.fills = len(trader.client_ids), len(trader.fills)
        self.settlements, self.payments = len(trader.settlements), len(trader.payments)
        self.transfers = len(trader.transfers)


class Recorder:
    """Keeps one exchange in a state file. `restore` comes first, and once.

    The file is closed by `close`, and when restoring fails.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._exchange: Running | None = None
        self._noted: Progress | None = None
        self._seen: dict[str, _Seen] = {}

    def restore(self, exchange: Running) -> None:
        """Bring a new exchange to where the one in the file ended, and follow it from now on.

        Time goes on from the wall clock, or from the latest time there was if that is later.
        Raises StateError for a file that cannot be read.
        """
        try:
            self._store.trim(TRADE, MOST_TRADES)
            progress = restore(self._store, exchange.engine)
        except BaseException:
            self._store.close()
            raise
        if progress is not None:
            exchange.ids.made, exchange.shift = progress.ids, progress.shift
            exchange.advanced = progress.advanced
            exchange.advanced += max(0, progress.latest - exchange.now())
        self._exchange = exchange
        for user_id, trader in exchange.engine.traders.items():
            self._seen[user_id] = _Seen()
            self._seen[user_id].all_of(trader)
        self._note_progress()

    def record(self, events: Sequence[Event]) -> None:
        """Write what the events of a command changed."""
        self._store.make_room()
        engine = self._running().engine
        changed: dict[tuple[str, str], msgspec.Struct] = {}
        touched: dict[str, None] = {}
        orders: dict[str, Order] = {}
        fresh: set[str] = set()
        for event in events:
            match event:
                case BookChanged(ticker=ticker):
                    changed[MARKET, ticker] = engine.markets[ticker]
                case OrderChanged(order=order):
                    orders[order.order_id] = order
                    touched[order.user_id] = None
                    if event.new:
                        fresh.add(order.order_id)
                case CashMoved(user_id=user_id, subaccount=subaccount, shard=shard):
                    wallet = engine.traders[user_id].wallets[subaccount, shard]
                    changed[WALLET, _wallet_key(wallet)] = wallet
                    touched[user_id] = None
                case PositionChanged(position=held):
                    changed[POSITION, _position_key(held)] = held
                case Traded(trade=trade):
                    changed[MARKET, trade.ticker] = engine.markets[trade.ticker]
                    self._store.append(TRADE, trade)
                case MarketChanged(market=market):
                    changed[MARKET, market.ticker] = market
                case GroupChanged(group=group):
                    changed[GROUP, group.group_id] = group
        self._add_traders(engine)
        for user_id in touched:
            self._add_history(engine.traders[user_id])
        for order_id, order in orders.items():
            self._put_order(engine.traders[order.user_id], order, order_id in fresh, changed)
        for (kind, key), value in changed.items():
            if _is_over(engine, value):
                self._store.delete(kind, key)
            else:
                self._store.put(kind, key, value)
        self._note_progress(always=True)

    def keep(self, kind: str, key: str, value: msgspec.Struct | None) -> None:
        """Write something that is not the engine's; None takes it out."""
        if value is None:
            self._store.delete(kind, key)
        else:
            self._store.put(kind, key, value)
        self._note_progress()

    def kept(self, kind: str, type_: type[S]) -> list[S]:
        """What the file holds of a kind, those first written first. The newest trades of all
        markets are of the kind ``trade``. Raises StateError for what cannot be read as `type_`.
        """
        if kind == TRADE:
            return self._store.load_history(kind, type_)
        return self._store.load(kind, type_)

    async def durable(self) -> None:
        """Return when everything so far is on disk; as `Store.durable`."""
        self._note_progress()
        await self._store.durable()

    def close(self) -> None:
        """Write what is pending and close the file; as `Store.close`."""
        if self._exchange is not None:
            self._note_progress()
        self._store.close()

    def _running(self) -> Running:
        if self._exchange is None:
            raise RuntimeError("restore an exchange before recording it")
        return self._exchange

    def _note_progress(self, *, always: bool = False) -> None:
        """Write how far the exchange has come, if more than its time has passed."""
        exchange = self._running()
        engine = exchange.engine
        progress = Progress(
            latest=exchange.now(),
            shift=exchange.shift,
            advanced=exchange.advanced,
            ids=exchange.ids.made,
            priority=engine.priority,
            fees=engine.fees,
            paid_in=engine.paid_in,
            trading=engine.trading,
        )
        noted = self._noted
        if always or noted is None or replace(noted, latest=progress.latest) != progress:
            self._store.put(PROGRESS, "", progress)
            self._noted = progress

    def _add_traders(self, engine: Engine) -> None:
        """Write the accounts that are new, in the order they were opened in."""
        if len(engine.traders) > len(self._seen):
            for trader in list(islice(engine.traders.values(), len(self._seen), None)):
                self._seen[trader.user_id] = _Seen()
                self._add_history(trader)

    def _add_history(self, trader: Trader) -> None:
        """Write what a trader added to what is never taken away."""
        store, seen = self._store, self._seen[trader.user_id]
        if len(trader.subaccounts) > seen.subaccounts:
            account = AccountRecord(
                user_id=trader.user_id,
                house=trader.house,
                subaccounts=sorted(trader.subaccounts),
            )
            store.put(ACCOUNT, trader.user_id, account)
        if len(trader.wallets) > seen.wallets:
            for wallet in islice(trader.wallets.values(), seen.wallets, None):
                store.put(WALLET, _wallet_key(wallet), wallet)
        if not trader.house:
            added = len(trader.client_ids) - seen.client_ids
            newest = list(islice(reversed(trader.client_ids.items()), added)) if added else []
            for name, order_id in reversed(newest):
                store.append(CLIENT_ID, ClientId(order_id, name))
            for kind, values, known in (
                (FILL, trader.fills, seen.fills),
                (SETTLEMENT, trader.settlements, seen.settlements),
                (PAYMENT, trader.payments, seen.payments),
                (TRANSFER, trader.transfers, seen.transfers),
            ):
                for value in values[known:]:
                    store.append(kind, value)
        seen.all_of(trader)

    def _put_order(
        self,
        trader: Trader,
        order: Order,
        new: bool,
        changed: dict[tuple[str, str], msgspec.Struct],
    ) -> None:
        """Write an order; with it change the money and the group behind it. The house's are written
        only while they rest.
        """
        if not trader.house:
            self._store.put(ORDER, order.order_id, order)
            wallet = trader.wallets[order.subaccount, order.shard]
            changed[WALLET, _wallet_key(wallet)] = wallet
            group = trader.groups.get(order.group_id)
            if group is not None:
                changed[GROUP, group.group_id] = group
        elif order.order_id in trader.resting:
            self._store.put(ORDER, order.order_id, order)
        elif not new:
            self._store.delete(ORDER, order.order_id)


def _wallet_key(wallet: Wallet) -> str:
    return f"{wallet.user_id}/{wallet.subaccount}/{wallet.shard}"


def _position_key(position: Position) -> str:
    return f"{position.user_id}/{position.subaccount}/{position.ticker}"


def _is_over(engine: Engine, value: msgspec.Struct) -> bool:
    """Whether a changed object is one that the engine forgets."""
    if isinstance(value, Group):
        return value.group_id not in engine.traders[value.user_id].groups
    if isinstance(value, Position):
        return value.settled and engine.traders[value.user_id].house
    return False
