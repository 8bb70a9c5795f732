"""Requests by verb and path, for what this version does not know by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from ._config import API_PREFIX
from ._errors import InvalidRequestError
from ._operations import OPERATIONS, Bucket, Operation, Priority, Retry

_VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH")
_PLACEHOLDER = re.compile(r"\\\{\w+\\\}")
# What may stand in a path as it is sent; all else has to be percent-encoded by the caller.
_PATH = re.compile(r"/[\w\-.~%!$&'()*+,;=:@/]*", re.ASCII)


def raw_operation(method: str, path: str) -> Operation:
    """The operation of a verb and a path.

    One of the contract's is found by its path, and is paced as such. Any other costs the default.
    A GET is a read that may be repeated, all else a write that may not: what makes some repeatable
    is in the methods that know them.

    Args:
        method: HTTP verb.
        path: Below ``/trade-api/v2``, or with it; percent-encoded as it is to be sent.

    Raises:
        InvalidRequestError: No verb, or no such path.
    """
    verb = method.upper() if isinstance(method, str) else ""
    if verb not in _VERBS:
        raise InvalidRequestError(f"method is {method!r}; expected one of {', '.join(_VERBS)}")
    below = _below_prefix(path)
    for pattern, operation in _patterns():
        if operation.method == verb and pattern.fullmatch(below):
            retry = Retry.REFUSED if operation.bucket is Bucket.WRITE else operation.retry
            return replace(operation, path=below, retry=retry)
    read = verb == "GET"
    return Operation(
        f"{verb} {below}",
        verb,
        below,
        bucket=Bucket.READ if read else Bucket.WRITE,
        priority=Priority.READ if read else Priority.ORDER,
        retry=Retry.SAFE if read else Retry.REFUSED,
    )


def _below_prefix(path: str) -> str:
    if not isinstance(path, str) or not path.startswith("/"):
        raise InvalidRequestError(
            f'path is {path!r}; expected one that begins with "/", such as "/portfolio/balance"'
        )
    if "?" in path or "#" in path:
        raise InvalidRequestError(f"path is {path!r}; give the query as params=")
    if not _PATH.fullmatch(path) or path.startswith("//"):
        raise InvalidRequestError(
            f"path is {path!r}; characters that no path may hold must be percent-encoded"
        )
    below = path.removeprefix(API_PREFIX) if path.startswith(f"{API_PREFIX}/") else path
    if any(segment in (".", "..") for segment in below.split("/")):
        raise InvalidRequestError(f"path is {path!r}; it must not hold the segments . and ..")
    return below


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[re.Pattern[str], Operation], ...]:
    """Operations with their paths as patterns; those of fixed words before those with any."""
    ordered = sorted(OPERATIONS, key=lambda operation: operation.path.count("{"))
    return tuple(
        (re.compile(_PLACEHOLDER.sub("[^/]+", re.escape(operation.path))), operation)
        for operation in ordered
    )


def billed_items(operation: Operation, body: object) -> int:
    """As how many requests a body is billed: a batch by its items."""
    if not operation.path.endswith("/batched") or not isinstance(body, Mapping):
        return 1
    orders = body.get("orders")
    return max(1, len(orders)) if isinstance(orders, Sequence) else 1
