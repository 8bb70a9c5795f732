"""What all tests of streams share."""

from __future__ import annotations

import pytest

from kalshi_async.stream import _connection, _leg, _private, _socket

SHORTER = 0.2


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses that are there for a real exchange, a second or two each, are shorter here."""
    monkeypatch.setattr(_connection, "_AGAIN", SHORTER)
    monkeypatch.setattr(_leg, "_BREATH", SHORTER)
    monkeypatch.setattr(_private, "LAG", SHORTER)
    monkeypatch.setattr(_socket, "_CLOSE_WAIT", 2 * SHORTER)
