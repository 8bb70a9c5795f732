"""Handlers of subaccounts, of money moved between them and between shards, of its allocation."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from .._call import Call, Handler
from .._errors import bad_request, forbidden, not_found
from .._holdings import Trader
from .._records import SHARDS, Transfer
from .._text import SECOND
from .._units import CENT, cents, money_text
from .bodies import Body
from .portfolio import history_page, locked_subaccount

if TYPE_CHECKING:
    from .._engine import Engine
    from .._exchange import Exchange

EVENT_CONTRACT, MARGINED = "event_contract", "margined"
# A transfer between shards is told in units of $0.0001, and so is what an allocation moves.
CENTICENT = 100
LAST_SHARD = 100
SWEEP_EVERY = 10 * SECOND
_RESERVATIONS = ("none", "max", "sum")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _refuse_locked_key(call: Call) -> None:
    """Only a key of the whole account makes subaccounts and moves money."""
    locked = locked_subaccount(call)
    if locked is not None:
        raise forbidden(f"this API key is restricted to subaccount {locked}")


def _client_transfer_id(body: Body) -> str | None:
    found = body.text("client_transfer_id", longest=64)
    if found and not _UUID.fullmatch(found):
        raise bad_request(f"client_transfer_id: {found!r} is not a UUID")
    return found.lower() if found else None


# Subaccounts


async def create_subaccount(call: Call) -> object:
    _refuse_locked_key(call)
    Body.read(call.body, "CreateSubaccountRequest", optional=True).shard()
    user_id = call.user_id
    number = call.exchange.do(lambda engine, now: engine.create_subaccount(user_id, now))
    return {"subaccount_number": number}


async def get_subaccount_balances(call: Call) -> object:
    trader, locked = call.trader, locked_subaccount(call)
    free = {(subaccount, 0): 0 for subaccount in trader.subaccounts}
    free |= {place: wallet.free for place, wallet in trader.wallets.items()}
    return {
        "subaccount_balances": [
            {
                "balance": money_text(amount),
                "exchange_index": shard,
                "subaccount_number": subaccount,
                "updated_ts": call.now // SECOND,
            }
            for (subaccount, shard), amount in sorted(free.items())
            if locked in (None, subaccount)
        ]
    }


class NettingFlag(msgspec.Struct, kw_only=True, frozen=True):
    """Whether the positions of a subaccount net."""

    user_id: str
    subaccount: int
    enabled: bool


class Netting:
    """The netting settings that were changed; all others are on. The engine nets every market: the
    settings are kept for their owner to read.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._flags = {
            (flag.user_id, flag.subaccount): flag.enabled
            for flag in exchange.kept("netting", NettingFlag)
        }

    def enabled(self, user_id: str, subaccount: int) -> bool:
        """The setting of a subaccount."""
        return self._flags.get((user_id, subaccount), True)

    def change(self, flag: NettingFlag) -> None:
        """Change a setting."""
        self._flags[flag.user_id, flag.subaccount] = flag.enabled
        self._exchange.keep("netting", f"{flag.user_id}/{flag.subaccount}", flag)


async def get_netting(call: Call) -> object:
    netting, locked = call.exchange.room(Netting), locked_subaccount(call)
    return {
        "netting_configs": [
            {
                "enabled": netting.enabled(call.user_id, subaccount),
                "exchange_index": 0,
                "subaccount_number": subaccount,
            }
            for subaccount in sorted(call.exchange.engine.trader(call.user_id).subaccounts)
            if locked in (None, subaccount)
        ]
    }


async def update_netting(call: Call) -> object:
    _refuse_locked_key(call)
    body = Body.read(call.body, "UpdateSubaccountNettingRequest")
    subaccount = body.needed("subaccount_number", body.subaccount)
    enabled = body.needed("enabled", body.flag)
    if subaccount not in call.exchange.engine.trader(call.user_id).subaccounts:
        raise bad_request(f"subaccount_number: you have no subaccount {subaccount}")
    flag = NettingFlag(user_id=call.user_id, subaccount=subaccount, enabled=enabled)
    call.exchange.room(Netting).change(flag)
    return None


# Transfers


async def apply_subaccount_transfer(call: Call) -> object:
    _refuse_locked_key(call)
    body = Body.read(call.body, "ApplySubaccountTransferRequest")
    client_transfer_id = body.needed("client_transfer_id", lambda _: _client_transfer_id(body))
    source = body.needed("from_subaccount", body.subaccount)
    target = body.needed("to_subaccount", body.subaccount)
    amount = body.needed("amount_cents", partial(body.integer, least=1)) * CENT
    shard = body.shard() or 0
    _transfer(call, client_transfer_id, amount, source, target, shard, shard)
    return {}


async def apply_instance_transfer(call: Call) -> object:
    _refuse_locked_key(call)
    body = Body.read(call.body, "IntraExchangeInstanceTransferRequest")
    instance = body.choice(EVENT_CONTRACT, MARGINED)
    instances = (body.needed("source", instance), body.needed("destination", instance))
    amount = body.needed("amount", partial(body.integer, least=1)) * CENTICENT
    from_shard = body.integer("source_exchange_shard", least=0, most=LAST_SHARD) or 0
    to_shard = body.integer("destination_exchange_shard", least=0, most=LAST_SHARD) or 0
    source = body.subaccount("source_subaccount") or 0
    target = body.subaccount("destination_subaccount") or 0
    client_transfer_id = _client_transfer_id(body) or ""
    if MARGINED in instances:
        raise forbidden("margin trading is not enabled for this account")
    transfer = _transfer(call, client_transfer_id, amount, source, target, from_shard, to_shard)
    return {"transfer_id": transfer.transfer_id}


def _transfer(
    call: Call,
    client_transfer_id: str,
    amount: int,
    from_subaccount: int,
    to_subaccount: int,
    from_shard: int,
    to_shard: int,
) -> Transfer:
    user_id = call.user_id

    def move(engine: Engine, now: int) -> Transfer:
        return engine.transfer(
            user_id,
            amount,
            now,
            from_subaccount=from_subaccount,
            to_subaccount=to_subaccount,
            from_shard=from_shard,
            to_shard=to_shard,
            client_transfer_id=client_transfer_id,
        )

    return call.exchange.do(move)


async def get_subaccount_transfers(call: Call) -> object:
    """Those within one shard; the others are between exchange instances."""
    locked = locked_subaccount(call)

    def wanted(transfer: Transfer) -> bool:
        ends = (transfer.from_subaccount, transfer.to_subaccount)
        return transfer.from_shard == transfer.to_shard and (locked is None or locked in ends)

    limit, entries = call.params.limit(100, 1000, least=1), call.trader.transfers
    shown, cursor = await history_page(call, entries, wanted, _subaccount_transfer_shape, limit)
    return {"cursor": cursor, "transfers": shown}


def _subaccount_transfer_shape(transfer: Transfer) -> object:
    return {
        "amount_cents": cents(transfer.amount),
        "created_ts": transfer.time // SECOND,
        "exchange_index": transfer.from_shard,
        "from_subaccount": transfer.from_subaccount,
        "to_subaccount": transfer.to_subaccount,
        "transfer_id": transfer.transfer_id,
    }


async def get_instance_transfers(call: Call) -> object:
    _refuse_locked_key(call)
    limit, entries = call.params.limit(100, 500, least=1), call.trader.transfers
    shown, cursor = await history_page(
        call, entries, lambda each: each.from_shard != each.to_shard, _transfer_shape, limit
    )
    return {"cursor": cursor, "transfers": shown}


async def get_instance_transfer(call: Call) -> object:
    """Any transfer of the account, also one that stayed on its shard."""
    _refuse_locked_key(call)
    wanted = call.path["transfer_id"]
    for transfer in reversed(call.trader.transfers):
        if transfer.transfer_id == wanted:
            return {"transfer": _transfer_shape(transfer)}
    raise not_found()


def _transfer_shape(transfer: Transfer) -> dict[str, object]:
    """An `IntraExchangeInstanceTransfer`; here they complete at once."""
    shape: dict[str, object] = {
        "amount": money_text(transfer.amount),
        "created_ts": transfer.time // SECOND,
        "destination": EVENT_CONTRACT,
        "destination_exchange_shard": transfer.to_shard,
        "source": EVENT_CONTRACT,
        "source_exchange_shard": transfer.from_shard,
        "status": "complete",
        "transfer_id": transfer.transfer_id,
    }
    if transfer.client_transfer_id:
        shape["client_transfer_id"] = transfer.client_transfer_id
    return shape


# Target balance allocation


class Allocation(msgspec.Struct, kw_only=True, frozen=True):
    """How an account wants the free money of its primary subaccount spread over the shards:
    (exchange index, percent), 100 in all.
    """

    user_id: str
    percents: tuple[tuple[int, int], ...]
    reservation: str = "sum"


def rebalance(
    free: dict[int, int], percents: tuple[tuple[int, int], ...]
) -> list[tuple[int, int, int]]:
    """The moves (from shard, to shard, amount) that bring free money to its shares, in whole
    $0.0001. What division leaves over stays where it is.
    """
    total = sum(max(amount, 0) for amount in free.values())
    wanted = {shard: total * percent // 100 // CENTICENT * CENTICENT for shard, percent in percents}
    surplus: list[list[int]] = []
    short: list[list[int]] = []
    for shard in sorted(free.keys() | wanted.keys()):
        # A fraction of a unit that a shard holds already is nothing to move.
        difference = max(free.get(shard, 0), 0) - wanted.get(shard, 0)
        units = abs(difference) // CENTICENT * CENTICENT
        if units:
            (surplus if difference > 0 else short).append([shard, units])
    moves = []
    while surplus and short:
        amount = min(surplus[-1][1], short[-1][1])
        moves.append((surplus[-1][0], short[-1][0], amount))
        for side in (surplus, short):
            side[-1][1] -= amount
            if not side[-1][1]:
                side.pop()
    return moves


class Allocations:
    """The allocations of all accounts. `sweep` moves the money, when an allocation is made and
    whenever 10 seconds have passed since. What backs resting orders never moves: the stricter
    reservations hold already.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._swept = 0
        self._wanted = {
            allocation.user_id: allocation for allocation in exchange.kept("allocation", Allocation)
        }

    def get(self, user_id: str) -> Allocation:
        """The allocation of an account; one without percents moves nothing."""
        return self._wanted.get(user_id) or Allocation(user_id=user_id, percents=())

    def change(self, allocation: Allocation) -> None:
        """Replace the allocation of an account and bring its money in line."""
        self._wanted[allocation.user_id] = allocation
        self._exchange.keep("allocation", allocation.user_id, allocation)
        self._exchange.do(partial(self._apply, allocation))

    def sweep(self, now: int) -> None:
        """Bring the money of every account in line, at most once in 10 seconds."""
        if not self._wanted or now - self._swept < SWEEP_EVERY:
            return
        self._swept = now
        for allocation in self._wanted.values():
            self._exchange.do(partial(self._apply, allocation))

    def _apply(self, allocation: Allocation, engine: Engine, now: int) -> None:
        trader = engine.trader(allocation.user_id)
        for source, target, amount in rebalance(_free(trader), allocation.percents):
            engine.transfer(allocation.user_id, amount, now, from_shard=source, to_shard=target)


def _free(trader: Trader) -> dict[int, int]:
    """The free money of the primary subaccount by shard."""
    return {
        wallet.shard: wallet.free for wallet in trader.wallets.values() if not wallet.subaccount
    }


async def get_allocation(call: Call) -> object:
    _refuse_locked_key(call)
    allocation = call.exchange.room(Allocations).get(call.user_id)
    return {
        "allocations": [
            {"exchange_index": shard, "percent": percent} for shard, percent in allocation.percents
        ],
        "resting_margin_reservation": allocation.reservation,
    }


async def set_allocation(call: Call) -> object:
    _refuse_locked_key(call)
    body = Body.read(call.body, "SetTargetBalanceAllocationRequest")
    asked = body.needed("allocations", body.objects)
    if len(asked) > LAST_SHARD + 1:
        raise bad_request(f"allocations: at most {LAST_SHARD + 1} of them")
    percents: dict[int, int] = {}
    for item in asked:
        shard = item.needed("exchange_index", item.shard)
        if shard in percents:
            raise bad_request(f"allocations: exchange_index {shard} is there twice")
        if shard >= SHARDS:
            raise bad_request(f"allocations: there is no exchange_index {shard}")
        percent = item.needed("percent", partial(item.integer, least=0, most=100))
        percents[shard] = percent
    if percents and sum(percents.values()) != 100:
        raise bad_request(f"allocations: percents add up to {sum(percents.values())}, not to 100")
    allocation = Allocation(
        user_id=call.user_id,
        percents=tuple(percents.items()),
        reservation=body.choice(*_RESERVATIONS)("resting_margin_reservation") or "sum",
    )
    call.exchange.room(Allocations).change(allocation)
    return {}


HANDLERS: dict[str, Handler] = {
    "ApplySubaccountTransfer": apply_subaccount_transfer,
    "CreateSubaccount": create_subaccount,
    "GetIntraExchangeInstanceTransfer": get_instance_transfer,
    "GetIntraExchangeInstanceTransfers": get_instance_transfers,
    "GetSubaccountBalances": get_subaccount_balances,
    "GetSubaccountNetting": get_netting,
    "GetSubaccountTransfers": get_subaccount_transfers,
    "GetTargetBalanceAllocation": get_allocation,
    "IntraExchangeInstanceTransfer": apply_instance_transfer,
    "SetTargetBalanceAllocation": set_allocation,
    "UpdateSubaccountNetting": update_netting,
}
