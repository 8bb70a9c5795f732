"""What every resource is made of: call an operation, decode its answer."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypedDict, TypeVar, cast

import msgspec

from .._decode import ObjectDecoder, Page, object_decoder, page_decoder
from .._errors import KalshiError
from .._operations import Operation
from .._pagination import FetchPage, Paginator, decode_paced
from .._schema import bind_schema
from .._wire import QueryValue, answered

if TYPE_CHECKING:
    from .._transport import Transport

M = TypeVar("M", bound=msgspec.Struct)


class CallOptions(TypedDict, total=False):
    """Options that every call takes; left out, the client's own apply.

    ``timeout``: seconds for one attempt. ``deadline``: seconds for the whole call, waits and
    retries included. None switches either off.
    """

    timeout: float | None
    deadline: float | None


class Resource:
    """A family of operations; made by the client."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def _object(
        self,
        operation: Operation,
        model: type[M],
        options: CallOptions,
        *,
        key: str | None = None,
        path: Mapping[str, str | int] | None = None,
        query: Mapping[str, QueryValue] | None = None,
        body: object = None,
    ) -> M:
        """Call an operation that returns one object (under ``key``, or as the whole body)."""
        response = await self._transport.call(
            operation, path=path, query=query, body=body, **options
        )
        decoder: ObjectDecoder[M] = object_decoder(model, key)
        return self._transport.decode_object(operation, decoder, response)

    async def _done(
        self,
        operation: Operation,
        options: CallOptions,
        *,
        path: Mapping[str, str | int] | None = None,
        query: Mapping[str, QueryValue] | None = None,
        body: object = None,
    ) -> None:
        """Call an operation whose success says nothing more."""
        await self._transport.call(operation, path=path, query=query, body=body, **options)

    def _list(
        self,
        operation: Operation,
        item: type[M],
        options: CallOptions,
        *,
        key: str,
        cursor_key: str = "cursor",
        path: Mapping[str, str | int] | None = None,
        query: Mapping[str, QueryValue] | None = None,
        schema: type[msgspec.Struct] | None = None,
        cursor: str | None = None,
        max_pages: int | None = None,
    ) -> Paginator[M]:
        """A paginated operation; an operation without pages is a list of one page."""
        fetch = self._page_fetcher(
            operation,
            item,
            options,
            key=key,
            cursor_key=cursor_key,
            path=path,
            query=query,
            schema=schema,
        )
        return Paginator(fetch, cursor=cursor, max_pages=max_pages)

    def _page_fetcher(
        self,
        operation: Operation,
        item: type[M],
        options: CallOptions,
        *,
        key: str,
        cursor_key: str = "cursor",
        path: Mapping[str, str | int] | None = None,
        query: Mapping[str, QueryValue] | None = None,
        schema: type[msgspec.Struct] | None = None,
        finish: Callable[[Page[M], bytes], Page[M]] | None = None,
    ) -> FetchPage[M]:
        """What fetches the page at a cursor; ``finish`` may add what else the body holds."""
        kind = item if schema is None else cast("type[M]", bind_schema(schema, item))
        decoder = page_decoder(kind, key, cursor_key)

        async def fetch(at: str | None) -> Page[M]:
            parameters = dict(query or {})
            if at is not None:
                parameters["cursor"] = at
            response = await self._transport.call(operation, path=path, query=parameters, **options)
            try:
                page = await decode_paced(decoder, response.body)
                if finish is not None:
                    page = finish(page, response.body)
            except KalshiError as exc:
                answered(exc, operation, response)
                raise
            self._transport.note_drift(operation, page.drift, page.undecoded)
            return page

        return fetch


def deprecated(method: str, instead: str) -> None:
    """Warn the caller of a method that the exchange is about to retire."""
    warnings.warn(
        f"the exchange has deprecated {method}; use {instead}", DeprecationWarning, stacklevel=3
    )
