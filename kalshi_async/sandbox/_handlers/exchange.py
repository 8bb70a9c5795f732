"""Handlers of the exchange itself and of the account's limits."""

from __future__ import annotations

from .._call import Call
from .._errors import nested
from .._limits import DEFAULT_COST, ENDPOINT_COSTS
from .._operations import API_ROOT
from .._text import DAY, time_text

_SHARDS = ("Default", "Combos", "Crypto and commodities", "Sports")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def exchange_status(*, active: bool, trading: bool = True) -> dict[str, object]:
    """The status body; error statuses of the same operation carry it too. While only trading is
    paused, everything else works.
    """
    trading = trading and active
    return {
        "exchange_active": active,
        "exchange_index_statuses": [
            {
                "description": description,
                "exchange_active": active,
                "exchange_index": index,
                "intra_exchange_transfers_active": active,
                "trading_active": trading,
            }
            for index, description in enumerate(_SHARDS)
        ],
        "intra_exchange_transfers_active": active,
        "trading_active": trading,
    }


async def get_exchange_status(call: Call) -> object:
    return exchange_status(active=True, trading=call.exchange.engine.trading)


async def get_exchange_schedule(call: Call) -> object:
    """Trading all week but Thursday 03:00-05:00 Eastern."""
    start = call.catalog.now // DAY * DAY - 180 * DAY
    hours: dict[str, object] = {
        day: [{"close_time": "00:00", "open_time": "00:00"}] for day in _DAYS
    }
    hours["thursday"] = [
        {"close_time": "03:00", "open_time": "00:00"},
        {"close_time": "00:00", "open_time": "05:00"},
    ]
    hours |= {"start_time": time_text(start), "end_time": time_text(start + 3650 * DAY)}
    return {"schedule": {"maintenance_windows": [], "standard_hours": [hours]}}


async def get_user_data_timestamp(call: Call) -> object:
    """The instant that reads of portfolios show: everything until then is in them."""
    return {"as_of_time": time_text(call.as_of)}


async def get_account_limits(call: Call) -> object:
    if call.account is None:
        raise nested(401, "token_authentication_failure")
    return call.account.limits.json()


async def get_endpoint_costs(call: Call) -> object:
    return {
        "default_cost": DEFAULT_COST,
        "endpoint_costs": [
            {"cost": cost, "method": method, "path": API_ROOT + path}
            for method, path, cost in ENDPOINT_COSTS
        ],
    }


async def get_historical_cutoff(call: Call) -> object:
    text = time_text(call.catalog.cutoff)
    return {
        "market_positions_last_updated_ts": text,
        "market_settled_ts": text,
        "orders_updated_ts": text,
        "trades_created_ts": text,
    }
