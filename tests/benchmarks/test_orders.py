"""The orders benchmark: the server that takes orders, and a short run from the outside."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from benchmarks._servers import BASE_PATH, order_answer, running

from .short_runs import ROOT, quick

ORDERS = f"{BASE_PATH}/portfolio/events/orders"


def spoken(method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, Any]]:
    """Status and decoded body of the answer to a request, checking what its head says of it."""
    answer = order_answer(f"{method} {path} HTTP/1.1\r\n\r\n".encode(), body)
    head, _, content = answer.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(content)}".encode() in head.split(b"\r\n")
    return int(head.split(b" ")[1]), json.loads(content)


def test_an_order_is_taken_and_cancelled() -> None:
    status, placed = spoken("POST", ORDERS, b'{"ticker":"A"}')
    assert status == 201
    assert placed["remaining_count"] == "10.00"
    status, canceled = spoken("DELETE", f"{ORDERS}/abc?market_ticker=A")
    assert (status, canceled["order_id"]) == (200, placed["order_id"])


@pytest.mark.parametrize("items", [1, 3, 300])
def test_a_batch_is_answered_item_by_item(items: int) -> None:
    orders = [{"ticker": "A", "client_order_id": str(at)} for at in range(items)]
    status, placed = spoken("POST", f"{ORDERS}/batched", json.dumps({"orders": orders}).encode())
    assert (status, len(placed["orders"])) == (201, items)
    ids = [{"order_id": f"id-{at}"} for at in range(items)]
    status, gone = spoken("DELETE", f"{ORDERS}/batched", json.dumps({"orders": ids}).encode())
    assert status == 200
    assert [{"order_id": item["order_id"]} for item in gone["orders"]] == ids


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ORDERS), ("DELETE", ORDERS), ("POST", f"{BASE_PATH}/markets")]
)
def test_nothing_else_is_answered(method: str, path: str) -> None:
    assert spoken(method, path)[0] == 404


def test_over_a_socket_a_body_may_come_in_pieces_and_the_connection_is_kept() -> None:
    with running(sys.executable, orders=True) as url:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        for pieces in ([b'{"ticker":', b'"A"}'], [b'{"ticker":"A"}']):
            connection.putrequest("POST", ORDERS)
            connection.putheader("content-length", str(sum(map(len, pieces))))
            connection.endheaders()
            for piece in pieces:
                connection.send(piece)
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())["fill_count"]) == (201, "0.00")
            socket = connection.sock
        connection.request("DELETE", f"{ORDERS}/abc")
        assert connection.getresponse().read().startswith(b'{"order_id"')
        assert connection.sock is socket
        connection.close()


def test_a_short_run_measures_every_way_to_place() -> None:
    report = quick("orders")
    measured: dict[str, set[str]] = {}
    for row in report["rows"]:
        assert row["CPU us/order"] > 0
        assert (row["orders/s"] or row["us/order, one by one"]) > 0
        measured.setdefault(row["measurement"], set()).add(row["contender"])
    assert measured.keys() == {
        "100 at once, RSA-2048",
        "100 at once, Ed25519",
        "in flight, Ed25519",
        "one core, Ed25519",
        "our own part",
        "journal, Ed25519",
    }
    assert measured["100 at once, RSA-2048"] == {"floor", "ours [fast]"}
    assert measured["one core, Ed25519"] == {"creates", "cancels"}
    assert {"ours [fast], 100", "ours, httpx, 200"} <= measured["in flight, Ed25519"]
    assert {target["name"] for target in report["targets"]} >= {
        "one core: creates/s",
        "one core: cancels/s",
        "our own part of a placement, CPU us, best",
        "journal: ms added to a lone order",
    }


def test_a_contender_that_cannot_sign_ends_with_an_error(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("no key")
    words = ["--url", "http://127.0.0.1:9", "--key", str(key), "--orders", "1"]
    command = [sys.executable, "-m", "benchmarks.contenders.placing", "ours [fast]", "create"]
    done = subprocess.run(
        [*command, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "not a PEM private key" in done.stderr
