"""A client whose every answer is held against the contract at the moment it arrives."""

from __future__ import annotations

import json
from collections import Counter

import httpx

from .digest_check import CONTRACT, is_error

# What no operation answers for: unknown paths, wrong methods, orders of the API before this one,
# bodies that are too large.
UNROUTED = frozenset({404, 405, 410, 413})


class Witness:
    """Sees every answer to `client`: how often each (operation, status) came, and what was wrong.
    The operation None is a request for which there is none.
    """

    def __init__(self) -> None:
        self.seen: Counter[tuple[str | None, int]] = Counter()
        self.problems: list[str] = []
        self.client = httpx.AsyncClient(
            trust_env=False, verify=False, event_hooks={"response": [self._see]}
        )

    async def _see(self, response: httpx.Response) -> None:
        content = await response.aread()
        target = response.request.url.raw_path.decode()
        name = CONTRACT.operation_of(response.request.method, target)
        self.seen[name, response.status_code] += 1
        where = f"[{response.request.method} {target[:200]}]"
        self.problems += [f"{found} {where}" for found in _problems(name, response, content)]

    def answered(self) -> set[str]:
        """The operations that succeeded at least once."""
        return {name for name, status in self.seen if name and status < 300}

    def refused(self, *statuses: int) -> set[str]:
        """The operations that answered with one of these errors at least once."""
        return {name for name, status in self.seen if name and status in statuses}


def _problems(name: str | None, response: httpx.Response, content: bytes) -> list[str]:
    kind = response.headers.get("Content-Type", "")
    if content and kind.partition(";")[0] != "application/json":
        return [f"{name}: {response.status_code} in {kind}"]
    try:
        body = json.loads(content) if content else None
    except ValueError:
        return [f"{name}: {response.status_code} is no JSON: {content[:80]!r}"]
    if name is None:
        fits = response.status_code in UNROUTED and is_error(body)
        return [] if fits else [f"no operation: {response.status_code} {body!r}"]
    if response.is_success:
        return CONTRACT.problems(name, body, response.status_code)
    return CONTRACT.refusal_problems(name, body, response.status_code)
