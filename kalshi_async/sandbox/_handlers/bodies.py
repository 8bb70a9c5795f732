"""Reading and checking the JSON body of a request.

A handler reads its fields from a `Body`; whatever is wrong raises the 400 of the exchange:

    body = Body.read(call.body, "CreateOrderV2Request")
    ticker = body.needed("ticker", body.text)           # str: absent, null or "" is a 400
    note = body.text("client_order_id")                 # str | None
    price = body.needed("price", body.price)            # int, units of $0.0001; JSON number: 400
    count = body.count("count")                         # int | None, units of 0.01 contracts
    side = body.needed("side", body.choice("bid", "ask"))
    until = body.integer("expiration_time", least=0)    # int | None
    post_only = body.flag("post_only") or False         # bool | None
    legs = body.objects("legs")                         # list[Body] | None; .inner: one Body
    body = Body.read(call.body, "EmptyResponse", optional=True)     # an empty body is {}

The names of schemas and fields are those of the contract: they show in the errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from .._errors import ApiError, bad_request, forbidden
from .._records import LAST_SUBACCOUNT
from .._units import parse_count, parse_money, parse_price

T = TypeVar("T")

_INT64 = 1 << 63
_PRICE = re.compile(r"-?[0-9]{1,9}\.[0-9]{2,4}")
_COUNT = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,2})?")
_MONEY = re.compile(r"-?[0-9]{1,11}(\.[0-9]{1,6})?")
_AT_BYTE = re.compile(r"byte ([0-9]+)")
_ANYTHING = msgspec.json.Decoder()


class _Batch(msgspec.Struct):
    orders: list[msgspec.Raw] = []


class _Routed(msgspec.Struct):
    exchange_index: int | None = None
    ticker: str | None = None
    market_ticker: str | None = None


_BATCH = msgspec.json.Decoder(_Batch)
_ROUTED = msgspec.json.Decoder(_Routed)
_ROUTED_BY_BODY = frozenset(("CreateOrderV2", "AmendOrderV2", "DecreaseOrderV2"))
_BATCHES = frozenset(("BatchCreateOrdersV2", "BatchCancelOrdersV2"))


class BodyError(ApiError):
    """400: the body as a whole is not what the operation takes (a batch has no results then)."""

    def __init__(self, details: str) -> None:
        body = {"code": "bad_request", "message": "bad request", "details": details}
        super().__init__(400, dict(body))


class Body:
    """The fields of one JSON object. As for the exchange, null means absent and fields it does not
    know are passed over.

    Raises (every method): BodyError for a field that is absent but needed, of another type,
    not one of its words or out of its range; ApiError 400 for a text that is no price, count or
    amount.
    """

    __slots__ = ("_fields", "_path", "_schema")

    def __init__(self, schema: str, fields: dict[str, object], path: str = "") -> None:
        self._schema, self._fields, self._path = schema, fields, path

    @classmethod
    def read(cls, raw: bytes, schema: str, *, optional: bool = False) -> Body:
        """The object in `raw`; `schema` is its name in the contract. With `optional` an empty body
        counts as an empty object.
        """
        if optional and not raw.strip():
            return cls(schema, {})
        try:
            found = _ANYTHING.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BodyError(_malformed(raw, error)) from None
        if not isinstance(found, dict):
            raise BodyError(f"json: cannot unmarshal {_kind(found)} into Go value of type {schema}")
        return cls(schema, found)

    def has(self, name: str) -> bool:
        """Whether the field is given, null apart."""
        return self._fields.get(name) is not None

    def needed(self, name: str, read: Callable[[str], T | None]) -> T:
        """What `read` finds, which must be there and not an empty text."""
        value = read(name)
        if value is None or value == "":
            raise self._broken(name, "required")
        return value

    def text(self, name: str, *, longest: int = 20_000) -> str | None:
        """A text."""
        value = self._typed(name, str, "string")
        if value is not None and len(value) > longest:
            raise self._broken(name, "max")
        return value

    def flag(self, name: str) -> bool | None:
        """true or false."""
        return self._typed(name, bool, "bool")

    def integer(
        self, name: str, *, least: int = -_INT64, most: int = _INT64 - 1, go: str = "int64"
    ) -> int | None:
        """A whole number; text and fractions are of the wrong type."""
        value = self._fields.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._mistyped(name, value, go)
        if not -_INT64 <= value < _INT64:
            raise self._mistyped(name, value, go)
        if value < least:
            raise self._broken(name, "gte")
        if value > most:
            raise self._broken(name, "lte")
        return value

    def subaccount(self, name: str = "subaccount") -> int | None:
        """The number of a subaccount, 0 for the primary one."""
        return self.integer(name, least=0, most=LAST_SUBACCOUNT, go="int")

    def shard(self, name: str = "exchange_index") -> int | None:
        """An exchange index."""
        return self.integer(name, least=0, most=255, go="int32")

    def choice(self, *words: str) -> Callable[[str], str | None]:
        """A reader of a field with one of a few words: ``body.choice("bid", "ask")("side")``."""

        def read(name: str) -> str | None:
            value = self.text(name)
            if value and value not in words:
                raise self._broken(name, "oneof")
            return value or None

        return read

    def price(self, name: str) -> int | None:
        """A price in units of $0.0001, from a text with two to four decimals. Its range is not
        checked.
        """
        return self._fixed(name, _PRICE, parse_price, "a price with 2 to 4 decimals, as 0.4700")

    def count(self, name: str) -> int | None:
        """A count in units of 0.01 contracts, from a text with up to two decimals; may be 0 or
        less.
        """
        return self._fixed(name, _COUNT, parse_count, "a count with up to 2 decimals, as 10.00")

    def money(self, name: str) -> int | None:
        """An amount in micro-dollars, from a text with up to six decimals; may be 0 or less."""
        return self._fixed(name, _MONEY, parse_money, "dollars with up to 6 decimals, as 12.50")

    def texts(self, name: str) -> list[str] | None:
        """A list of texts."""
        found = self._typed(name, list, "[]string")
        for item in found or ():
            if not isinstance(item, str):
                raise self._mistyped(name, item, "string")
        return found

    def inner(self, name: str) -> Body | None:
        """An object inside this one."""
        found = self._typed(name, dict, "struct")
        return None if found is None else Body(self._schema, found, f"{self._path}{name}.")

    def objects(self, name: str) -> list[Body] | None:
        """A list of objects."""
        found = self._typed(name, list, "[]struct")
        for item in found or ():
            if not isinstance(item, dict):
                raise self._mistyped(name, item, "struct")
        path = f"{self._path}{name}."
        return None if found is None else [Body(self._schema, item, path) for item in found]

    def _typed(self, name: str, type_: type[T], go: str) -> T | None:
        value = self._fields.get(name)
        if value is None or isinstance(value, type_):
            return value
        raise self._mistyped(name, value, go)

    def _fixed(
        self, name: str, form: re.Pattern[str], parse: Callable[[str], int | None], expected: str
    ) -> int | None:
        text = self._typed(name, str, "string")
        if not text:
            return None
        number = parse(text) if form.fullmatch(text) else None
        if number is None:
            raise bad_request(f"{self._path}{name}: {text[:80]!r} is not {expected}")
        return number

    def _mistyped(self, name: str, value: object, go: str) -> BodyError:
        kind = _kind(value)
        if kind == "number" and go.startswith("int"):
            kind = f"number {value}"[:60]
        return BodyError(
            f"json: cannot unmarshal {kind} into Go struct field "
            f"{self._schema}.{self._path}{name} of type {go}"
        )

    def _broken(self, name: str, tag: str) -> BodyError:
        field = "".join(part.capitalize() for part in name.split("_"))
        return BodyError(
            f"Key: '{self._schema}.{self._path}{field}' "
            f"Error:Field validation for '{field}' failed on the '{tag}' tag"
        )


def acting_subaccount(locked: int | None, asked: int | None, default: int | None) -> int | None:
    """The subaccount a request acts on; None for all of them. `locked` is the only one its key may
    use (None: any), `default` what leaving it out means to the operation.

    Raises:
        ApiError: 403 when the key is locked to another one.
    """
    if locked is None:
        return default if asked is None else asked
    if asked not in (None, locked):
        raise forbidden(f"this API key is restricted to subaccount {locked}")
    return locked


def billed_items(operation: str, raw: bytes) -> int:
    """How many times the cost of the operation a request pays: the items of a batch, else 1. A body
    that cannot be read counts once.
    """
    if operation not in _BATCHES:
        return 1
    try:
        return max(1, len(_BATCH.decode(raw).orders))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return 1


def billed_shard(operation: str, raw: bytes, query: Mapping[str, str]) -> int | None:
    """The exchange index whose bucket a request bills: the one that an order names; None for an
    order that its market routes; 0 for everything else, and for what cannot be read.
    """
    if operation == "CancelOrderV2":
        index = query.get("exchange_index") or ""
        if index.isascii() and index.isdecimal() and len(index) < 4:
            return int(index)
        return 0 if index or not query.get("market_ticker") else None
    if operation not in _ROUTED_BY_BODY:
        return 0
    try:
        named = _ROUTED.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return 0
    if named.exchange_index is not None:
        return max(0, named.exchange_index)
    return None if named.ticker or named.market_ticker else 0


def _kind(value: object) -> str:
    """The JSON name of a decoded value."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return "array"
    if isinstance(value, dict):
        return "object"
    return "null" if value is None else "number"


def _malformed(raw: bytes, error: Exception) -> str:
    """What is wrong with bytes that are no JSON."""
    if not raw.strip():
        return "EOF"
    if isinstance(error, UnicodeDecodeError):
        return "invalid JSON: the text is not UTF-8"
    if "truncated" in str(error):
        return "unexpected EOF"
    found = _AT_BYTE.search(str(error))
    if found is None or int(found[1]) >= len(raw):
        return "invalid JSON"
    at = int(found[1])
    return f"invalid character {chr(raw[at])!r} at byte {at}"
