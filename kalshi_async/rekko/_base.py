"""What every family of calls is made of: call an operation, decode its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from .._errors import KalshiError
from .._operations import Operation
from .._repair import Drift
from .._wire import QueryValue, answered
from ..resources._base import CallOptions
from ._decoding import decode_listing, decode_object, filled
from .models import Listing, RekkoModel

if TYPE_CHECKING:
    from .._transport import Transport

M = TypeVar("M", bound=RekkoModel)
T = TypeVar("T")


class Calls:
    """A family of calls; made by the client."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def _object(
        self,
        operation: Operation,
        model: type[M],
        options: CallOptions,
        *,
        path: Mapping[str, str | int] | None = None,
        query: Mapping[str, QueryValue] | None = None,
        body: object = None,
        facts: Mapping[str, str] | None = None,
        may_be_empty: bool = False,
    ) -> M:
        """Call an operation that returns one object.

        ``facts`` fill what it leaves out; with ``may_be_empty`` no body is an object as well.
        """

        def decode(answer: bytes) -> tuple[M, list[Drift]]:
            return decode_object(model, b"{}" if may_be_empty and not answer.strip() else answer)

        value, drift = await self._decoded(
            operation, decode, options, path=path, query=query, body=body
        )
        self._transport.note_drift(operation, tuple(drift), ())
        return filled(value, facts) if facts else value

    async def _listing(
        self,
        operation: Operation,
        item: type[M],
        key: str,
        options: CallOptions,
        *,
        path: Mapping[str, str | int] | None = None,
        query: Mapping[str, QueryValue] | None = None,
        body: object = None,
    ) -> Listing[M]:
        """Call an operation that returns a list, under ``key`` or bare."""
        listing = await self._decoded(
            operation,
            lambda answer: decode_listing(item, key, answer),
            options,
            path=path,
            query=query,
            body=body,
        )
        self._transport.note_drift(operation, listing.drift, listing.undecoded)
        return listing

    async def _decoded(
        self,
        operation: Operation,
        decode: Callable[[bytes], T],
        options: CallOptions,
        *,
        path: Mapping[str, str | int] | None,
        query: Mapping[str, QueryValue] | None,
        body: object,
    ) -> T:
        """Call an operation; what cannot be decoded tells which it was."""
        response = await self._transport.call(
            operation, path=path, query=query, body=body, **options
        )
        try:
            return decode(response.body)
        except KalshiError as exc:
            answered(exc, operation, response)
            raise
