"""A transport that answers from memory and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from kalshi_async._decode import ObjectDecoder, Undecoded
from kalshi_async._operations import Operation
from kalshi_async._repair import Drift
from kalshi_async._wire import QueryValue, RequestBuilder, Response

T = TypeVar("T")

_BUILDER = RequestBuilder("https://exchange.test/trade-api/v2", "test")


@dataclass
class Call:
    """One call, with the path, query and body it would have on the wire."""

    operation: Operation
    path: str
    query: str
    options: dict[str, object]
    body: object = None


@dataclass
class FakeTransport:
    """Answers each call with the next of ``bodies``; the last one is repeated."""

    bodies: list[bytes] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    drift: list[Drift] = field(default_factory=list)
    undecoded: list[Undecoded] = field(default_factory=list)

    @classmethod
    def answering(cls, *bodies: object) -> FakeTransport:
        """Bodies as bytes, or anything else as JSON."""
        return cls([b if isinstance(b, bytes) else msgspec.json.encode(b) for b in bodies])

    async def call(
        self,
        operation: Operation,
        *,
        path: Mapping[str, str | int] | None = None,
        query: Mapping[str, QueryValue] | None = None,
        body: object = None,
        **options: object,
    ) -> Response:
        request = _BUILDER.build(operation, path, query, body)
        said = msgspec.json.decode(request.body) if request.body else None
        sent = request.url.partition("?")[2]
        self.calls.append(
            Call(operation, request.path.removeprefix("/trade-api/v2"), sent, options, said)
        )
        body = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
        return Response(200, {}, body)

    def until(self, deadline: object = None) -> None:
        """No call on it has a deadline."""

    def decode_object(
        self, operation: Operation, decoder: ObjectDecoder[T], response: Response
    ) -> T:
        value, drift = decoder.decode(response.body)
        self.note_drift(operation, tuple(drift), ())
        return value

    def note_drift(
        self, operation: Operation, drift: tuple[Drift, ...], undecoded: tuple[Undecoded, ...]
    ) -> None:
        self.drift += drift
        self.undecoded += undecoded
