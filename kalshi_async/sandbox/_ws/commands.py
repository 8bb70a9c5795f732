"""Commands of the WebSocket: reading them, and what is wrong with them in the exchange's codes."""

from __future__ import annotations

from enum import IntEnum
from typing import Protocol, TypeGuard

import msgspec

_COMMANDS = ("subscribe", "unsubscribe", "update_subscription", "list_subscriptions")
_MOST_SHARDS = 100


class Code(IntEnum):
    """The codes of error frames. Reserved ones (6, 16, 17), those of a server that cannot keep up
    (10, 18) and those of channels that are gone (23) never arise here.
    """

    UNABLE_TO_PROCESS = 1
    PARAMS_REQUIRED = 2
    CHANNELS_REQUIRED = 3
    SIDS_REQUIRED = 4
    UNKNOWN_COMMAND = 5
    UNKNOWN_SID = 7
    UNKNOWN_CHANNEL = 8
    AUTHENTICATION_REQUIRED = 9
    INVALID_PARAMETER = 11
    ONE_SID_REQUIRED = 12
    UNSUPPORTED_ACTION = 13
    MARKET_TICKER_REQUIRED = 14
    ACTION_REQUIRED = 15
    SHARD_FACTOR_INVALID = 19
    SHARD_FACTOR_REQUIRED = 20
    SHARD_KEY_INVALID = 21
    SHARD_FACTOR_TOO_LARGE = 22
    INDEX_IDS_REQUIRED = 24
    BUFFER_OVERFLOW = 25
    MARKET_LIMIT = 26
    TOO_MANY_REQUESTS = 27
    UNDERLYINGS_REQUIRED = 28


_TEXTS = {
    Code.UNABLE_TO_PROCESS: "Unable to process message",
    Code.PARAMS_REQUIRED: "Params required",
    Code.CHANNELS_REQUIRED: "Channels required",
    Code.SIDS_REQUIRED: "Subscription IDs required",
    Code.UNKNOWN_COMMAND: "Unknown command",
    Code.UNKNOWN_SID: "Unknown subscription ID",
    Code.UNKNOWN_CHANNEL: "Unknown channel name",
    Code.AUTHENTICATION_REQUIRED: "Authentication required",
    Code.INVALID_PARAMETER: "Invalid parameter",
    Code.ONE_SID_REQUIRED: "Exactly one subscription ID is required",
    Code.UNSUPPORTED_ACTION: "Unsupported action",
    Code.MARKET_TICKER_REQUIRED: "Market Ticker required",
    Code.ACTION_REQUIRED: "Action required",
    Code.SHARD_FACTOR_INVALID: "shard_factor must be > 0",
    Code.SHARD_FACTOR_REQUIRED: "shard_factor is required when shard_key is set",
    Code.SHARD_KEY_INVALID: "shard_key must be >= 0 and < shard_factor",
    Code.SHARD_FACTOR_TOO_LARGE: "shard_factor must be <= 100",
    Code.INDEX_IDS_REQUIRED: "Index IDs required",
    Code.BUFFER_OVERFLOW: "Subscription buffer overflow",
    Code.MARKET_LIMIT: "Subscription market limit exceeded",
    Code.TOO_MANY_REQUESTS: "Too many requests",
    Code.UNDERLYINGS_REQUIRED: "Underlying tickers required",
}


class Numbered(Protocol):
    """The subscription an error is about."""

    @property
    def sid(self) -> int: ...
    def numbered(self) -> int: ...


class CommandError(Exception):
    """A command that is answered by an error frame."""

    def __init__(self, code: Code, detail: str = "", *, markets: list[str] | None = None) -> None:
        super().__init__(code, detail)
        self.code, self.detail, self.markets = code, detail, markets or []
        self.subscription: Numbered | None = None

    def message(self) -> dict[str, object]:
        """The `msg` of its frame."""
        text = _TEXTS[self.code]
        shown: dict[str, object] = {
            "code": int(self.code),
            "msg": f"{text}: {self.detail[:200]}" if self.detail else text,
        }
        if len(self.markets) == 1:
            shown["market_ticker"] = self.markets[0]
        elif self.markets:
            shown["market_tickers"] = self.markets
        return shown


class Command:
    """A command as far as it could be read; `id` 0 stands for none."""

    __slots__ = ("id", "name", "params")

    def __init__(self) -> None:
        self.id, self.name = 0, ""
        self.params: dict[str, object] | None = None

    def mark(self) -> dict[str, object]:
        """What its answers carry to be told apart."""
        return {"id": self.id} if self.id else {}


def decode_command(text: str | bytes, command: Command) -> None:
    """Read a text frame into `command`, as far as it goes; raises CommandError."""
    try:
        read = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise CommandError(Code.UNABLE_TO_PROCESS) from None
    if not isinstance(read, dict):
        raise CommandError(Code.UNABLE_TO_PROCESS)
    number = read.get("id", 0)
    if not _is_number(number):
        raise CommandError(Code.INVALID_PARAMETER, "id must be an integer, 0 or more")
    command.id = number
    name = read.get("cmd")
    if name not in _COMMANDS:
        raise CommandError(Code.UNKNOWN_COMMAND)
    command.name = str(name)
    params = read.get("params")
    if params is not None and not isinstance(params, dict):
        raise CommandError(Code.INVALID_PARAMETER, "params must be an object")
    command.params = params


def names(params: dict[str, object], field: str) -> list[str]:
    """A list of texts; empty when absent."""
    values = params.get(field)
    if values is None:
        return []
    if not isinstance(values, list) or not all(isinstance(each, str) and each for each in values):
        raise CommandError(Code.INVALID_PARAMETER, f"{field} must be a list of non-empty strings")
    return values


def numbers(params: dict[str, object], field: str) -> list[int]:
    """A list of positive integers, or one alone; empty when absent."""
    values = params.get(field)
    if values is None:
        return []
    if field == "sid":
        values = [values]
    if not isinstance(values, list) or not all(_is_number(each) and each for each in values):
        expected = "a positive integer" if field == "sid" else "a list of positive integers"
        raise CommandError(Code.INVALID_PARAMETER, f"{field} must be {expected}")
    return values


def flag(params: dict[str, object], field: str) -> bool:
    """true or false; false when absent."""
    value = params.get(field)
    if value is not None and not isinstance(value, bool):
        raise CommandError(Code.INVALID_PARAMETER, f"{field} must be true or false")
    return bool(value)


def market_choice(params: dict[str, object]) -> tuple[list[str], list[str]]:
    """The tickers, or the ids, of the markets a command names; both empty when it names none."""
    given = [
        field
        for field in ("market_ticker", "market_tickers", "market_id", "market_ids")
        if params.get(field)
    ]
    if len(given) > 1:
        raise CommandError(Code.INVALID_PARAMETER, f"{' and '.join(given)} exclude each other")
    if not given:
        return [], []
    field = given[0]
    listed = names(params, field) if field.endswith("s") else names({field: [params[field]]}, field)
    return (listed, []) if "ticker" in field else ([], listed)


def shard_of(params: dict[str, object]) -> tuple[int, int]:
    """(factor, key): which part of the messages a subscriber wants; (1, 0) is all of them."""
    factor, key = params.get("shard_factor"), params.get("shard_key")
    if factor is None:
        if key is not None:
            raise CommandError(Code.SHARD_FACTOR_REQUIRED)
        return 1, 0
    if not _is_number(factor) or not factor:
        raise CommandError(Code.SHARD_FACTOR_INVALID)
    if factor > _MOST_SHARDS:
        raise CommandError(Code.SHARD_FACTOR_TOO_LARGE)
    if key is None:
        return factor, 0
    if not _is_number(key) or key >= factor:
        raise CommandError(Code.SHARD_KEY_INVALID)
    return factor, key


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63
