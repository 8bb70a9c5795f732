"""``watch``, ``book --live``, ``record`` and ``replay``."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from kalshi_async.cli import main
from kalshi_async.cli._output import dollars
from kalshi_async.cli._watch import Quote, quotes_table
from kalshi_async.stream import TickerUpdate
from kalshi_async.stream.recording import RecordedFrame, RecordingReader

from ..stream.recordings import START, A, delta, snapshot, subscribed, trade, write
from .runner import Result, clean_environment, command, kalshi
from .test_sandbox_command import sandbox

TICKER = "KXFED-26MAR19"


@contextmanager
def running(*arguments: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(**env),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in this process, which takes a third of the time."""

    def run(*arguments: str) -> Result:
        monkeypatch.setattr("sys.argv", ["kalshi-async", *arguments])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return Result(code, said.out, said.err)

    for name in ("KALSHI_ENV", "KALSHI_BASE_URL", "KALSHI_API_KEY_ID", "KALSHI_PRIVATE_KEY_PATH"):
        monkeypatch.delenv(name, raising=False)
    return run


def interrupted(process: subprocess.Popen[str]) -> str:
    """What else it printed after Ctrl-C, which ended it cleanly."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert err == "error: interrupted\n"
    assert process.returncode == 130
    return out


def test_watch_chooses_markets_that_move_and_ends_on_ctrl_c() -> None:
    with running("watch") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(8)]
        lines += interrupted(process).splitlines()
    tickers = {line.split()[0] for line in lines}
    assert 1 <= len(tickers) <= 5
    assert all(" bid " in line and " ask " in line and " age " in line for line in lines)
    assert "\x1b" not in "".join(lines)


def test_book_live_follows_the_book() -> None:
    with running("book", TICKER, "--live", "--json", "--depth", "2") as process:
        assert process.stdout is not None
        first, second = (json.loads(process.stdout.readline()) for _ in range(2))
        interrupted(process)
    assert first["stale"] is second["stale"] is None
    assert len(first["yes"]) == len(first["no"]) == 2
    assert Decimal(first["best_yes_ask"]) == 1 - Decimal(first["no"][-1][0])
    assert first["received_at"] <= second["received_at"]


def test_a_closed_pipe_ends_it_without_a_word() -> None:
    with running("book", TICKER, "--live") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"{TICKER}  bid 0.")
        process.stdout.close()
        assert process.wait(30) == 1
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_seconds_end_a_command_with_success(run: Run) -> None:
    done = run("watch", TICKER, "--seconds", "0.2")
    assert done.code == 0, done.err
    assert done.err == ""


def test_watch_finds_a_running_sandbox_and_prints_an_object_for_each_update() -> None:
    with sandbox("--markets", "50", "--activity", "--speed", "40", "--tier", "unlimited") as (
        _,
        settings,
    ):
        with running("watch", TICKER, "--json", **settings) as process:
            assert process.stdout is not None
            told = [json.loads(process.stdout.readline()) for _ in range(2)]
            interrupted(process)
        needed = kalshi("watch", **settings)
    assert needed.code == 1
    assert "name the markets" in needed.err
    for each in told:
        assert each["ticker"] == TICKER
        assert Decimal(each["spread"]) == Decimal(each["ask"]) - Decimal(each["bid"])
        assert 0 <= each["age"] < 60
    assert told[1]["received_at"] > told[0]["received_at"]


def test_a_recording_is_complete_after_ctrl_c_and_replay_shows_it(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl.gz"
    with running("record", str(path), TICKER) as process:
        changes = 0
        while changes < 3:
            if path.exists() and path.stat().st_size:
                with RecordingReader(path) as entries:
                    frames = [each for each in entries if isinstance(each, RecordedFrame)]
                changes = sum(b'"orderbook_delta","sid"' in each.data for each in frames)
        said = interrupted(process)
    assert f"→ {path}" in said
    shown = run("replay", str(path), "--book", TICKER, "--depth", "3")
    assert shown.code == 0, shown.err
    assert "orderbook_delta" in shown.out
    assert "truncated" not in shown.out
    assert shown.out.count("█") > 3
    told = json.loads(run("replay", str(path), "--json").out)
    assert told["complete"] is True
    assert told["types"]["orderbook_delta"] >= 3
    assert told["gaps"] == told["lost"] == told["unreadable"] == 0


def test_record_takes_channels_and_seconds(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    done = run("record", str(path), TICKER, "--channels", "ticker", "--seconds", "0.2", "--json")
    assert done.code == 0, done.err
    summary = json.loads(done.out)
    with RecordingReader(path) as entries:
        frames = [each for each in entries if isinstance(each, RecordedFrame)]
    assert len(frames) == summary["frames"] >= 2
    assert b'"channel":"ticker"' in frames[0].data
    assert not any(b"orderbook" in each.data for each in frames)
    refused = run("record", str(path), TICKER)
    assert "--force" in refused.err
    assert refused.code == 1
    again = run("record", str(path), TICKER, "--seconds", "0", "--force")
    assert again.code == 0, again.err
    assert path.stat().st_size != summary["file_bytes"]


def test_replay_counts_gaps_and_what_is_stale(run: Run, tmp_path: Path) -> None:
    lines = [
        subscribed(1, "orderbook_delta"),
        snapshot(1, 1, yes={"0.4000": "5.00"}),
        delta(1, 4, "1.00"),
        trade(2, 1, 1),
        b"garbage",
    ]
    path = write(tmp_path / "day.jsonl", lines, ended=False)
    told = json.loads(run("replay", str(path), "--json").out)
    assert told["types"] == {
        "orderbook_delta": 1,
        "orderbook_snapshot": 1,
        "subscribed": 1,
        "trade": 1,
        "unreadable": 1,
    }
    assert (told["gaps"], told["missed"], told["skipped"]) == (1, 2, 1)
    assert told["stale_books"] == [A]
    assert told["complete"] is False
    assert told["started_at"].startswith("2026-06-11")
    assert told["seconds"] == START + 5 - (START + 2)
    stale = run("replay", str(path), "--book", A)
    assert stale.code == 1
    assert "is stale" in stale.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["watch", "NO-SUCH"], "there is no market NO-SUCH"),
        (["book", "NO-SUCH", "--live"], "there is no market NO-SUCH"),
        (["watch", "--env", "demo"], "name the markets"),
        (["watch", TICKER, "--env", "production"], "streams need a key"),
        (["record", "{folder}/x.jsonl", TICKER, "--env", "production"], "streams need a key"),
        (["record", "{folder}/x.txt", TICKER], ".jsonl.gz"),
        (["record", "{folder}/no/x.jsonl", TICKER], "cannot be written"),
        (["record", "{folder}/x.jsonl", "--channels", "trade,trades"], "'trades' is no channel"),
        (["record", "{folder}/x.jsonl", "--seconds", "-1"], "--seconds"),
        (["replay", "{folder}/none.jsonl"], "No such file"),
        (["replay", __file__], "no recording"),
        (["book", TICKER, "--seconds", "3"], "--live"),
    ],
)
def test_an_error_is_one_line(run: Run, arguments: list[str], said: str, tmp_path: Path) -> None:
    done = run(*(each.format(folder=tmp_path) for each in arguments))
    assert done.code == 1
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    assert said in done.err
    assert not list(tmp_path.iterdir())


def update(price: str, bid: str, ask: str, volume: str, ts_ms: int = 0) -> TickerUpdate:
    return TickerUpdate(
        market_ticker=A,
        price=Decimal(price),
        yes_bid=Decimal(bid),
        yes_ask=Decimal(ask),
        volume=Decimal(volume),
        ts_ms=ts_ms,
        received_at=50.0,
    )


def test_a_quote_lights_up_what_changed_for_a_moment() -> None:
    quote = Quote(A)
    quote.take(update("0.50", "0.49", "0.51", "10", 49_500), 100.0)
    assert not any(quote.flash(name, 100.0) for name in ("bid", "ask", "last", "volume"))
    assert quote.age(101.0) == 1.5
    quote.take(update("0.48", "0.49", "0.52", "10", 50_000), 102.0)
    assert "green" in quote.flash("ask", 102.5)
    assert "red" in quote.flash("last", 102.5)
    assert quote.flash("bid", 102.5) == quote.flash("ask", 103.0) == ""
    assert quote.values["spread"] == Decimal("0.03")
    quote.take(update("0", "0", "1", "10"), 103.0)
    assert [text for _, text in quote.shown()] == [dollars(None)] * 3 + ["10", dollars(None)]
    console = Console(width=100, force_terminal=True)
    with console.capture() as shown:
        console.print(quotes_table([quote, Quote("OTHER")], 103.1))
    assert A in shown.get()
    assert "OTHER" in shown.get()
    assert "\x1b[1;7;31m" in shown.get()
