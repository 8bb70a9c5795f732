"""What every family of calls is made of: call an operation, decode its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from .._errors import KalshiError
from .._operations import Operation
from .._wire import QueryValue, Response, answered
from ..resources._base import CallOptions
from ._decoding import decode_listing, decode_object, filled
from .models import Listing, RekkoModel

if TYPE_CHECKING:
    from .._transport import Transport

M = TypeVar("M", bound=RekkoModel)


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
        response = await self._transport.call(
            operation, path=path, query=query, body=body, **options
        )
        try:
            empty = may_be_empty and not response.body.strip()
            value, drift = decode_object(model, b"{}" if empty else response.body)
        except KalshiError as exc:
            answered(exc, operation, response)
            raise
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
        response = await self._transport.call(
            operation, path=path, query=query, body=body, **options
        )
        try:
            listing = decode_listing(item, key, response.body)
        except KalshiError as exc:
            answered(exc, operation, response)
            raise
        self._transport.note_drift(operation, listing.drift, listing.undecoded)
        return listing

    async def _raw(
        self,
        operation: Operation,
        options: CallOptions,
        *,
        path: Mapping[str, str | int] | None = None,
        query: Mapping[str, QueryValue] | None = None,
        body: object = None,
    ) -> Response:
        """Call an operation whose answer is of no model."""
        return await self._transport.call(operation, path=path, query=query, body=body, **options)
