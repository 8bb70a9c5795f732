"""What all tests of streams share."""

from __future__ import annotations

import pytest

from kalshi_async.stream import _connection, _leg, _private

SHORTER = 0.2


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses that are there for a real exchange, a second each, are shorter here."""
    for module, name in ((_connection, "_AGAIN"), (_leg, "_BREATH"), (_private, "LAG")):
        monkeypatch.setattr(module, name, SHORTER)
