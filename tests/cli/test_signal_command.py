"""``kalshi-async signal``: on the embedded exchange, and on one that runs beside it."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from kalshi_async.cli._signal import SignalOptions, _progress
from kalshi_async.rekko import AnalysisStatus, _runs
from kalshi_async.sandbox import Sandbox
from kalshi_async.sandbox._rekko.desk import RekkoDesk
from kalshi_async.sandbox._run import environment

from .runner import Result, clean_environment, command, kalshi

FED = "KXFED-26MAR19"


@dataclass
class Beside:
    """An exchange on a thread of its own: its settings, and a way to turn its controls."""

    exchange: Sandbox
    loop: asyncio.AbstractEventLoop
    settings: dict[str, str]

    def do(self, what: Callable[[RekkoDesk], Any]) -> Any:
        """Do something where the exchange runs."""

        async def there() -> Any:
            return what(self.exchange.rekko_desk)

        return asyncio.run_coroutine_threadsafe(there(), self.loop).result(20)

    def signal(self, *arguments: str, **env: str) -> Result:
        return kalshi("signal", *arguments, cwd=None, **{**self.settings, **env})

    def finished(self) -> str:
        """A run of the Fed market that is over."""
        run: str = self.do(lambda desk: desk.start(desk.venues.market("kalshi", FED)).analysis_id)
        self.do(lambda desk: desk.advance())
        return run


@pytest.fixture(scope="module")
def beside() -> Iterator[Beside]:
    started: asyncio.Queue[Beside] = asyncio.Queue()
    ready, over = threading.Event(), asyncio.Event()

    async def main() -> None:
        serving = Sandbox.serve(seed=7, markets=100, tier=None, analysis_seconds=0.0)
        async with serving as exchange:
            settings = dict(line.split("=", 1) for line in environment(exchange))
            started.put_nowait(Beside(exchange, asyncio.get_running_loop(), settings))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(20)
    running = started.get_nowait()
    yield running
    running.loop.call_soon_threadsafe(over.set)
    thread.join(20)
    assert not thread.is_alive()


def one_line(done: Result) -> str:
    assert done.code == 1, done
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1, done.err
    return done.err


def test_the_steps_of_the_guide_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_runs, "_FIRST_WAIT", 0.2)
    done = kalshi("signal", FED, "--bankroll", "500", "--fraction", "0.5", "--json")
    assert (done.code, done.err) == (0, "")
    told = json.loads(done.out)
    assert told["made_up"] is True
    market, analysis, bet = told["market"], told["analysis"], told["sizing"]
    assert Decimal(market["yes_price"]) == Decimal("0.62")
    assert market["title"].startswith("Will the Fed cut rates")
    edge = Decimal(analysis["probability"]) - Decimal(analysis["market_price"])
    assert Decimal(analysis["edge"]) == edge
    assert told["signal"]["recommendation"] == analysis["recommendation"] == "buy_yes"
    outlay = Decimal(bet["cost"]) + Decimal(bet["fee"])
    assert 0 < outlay <= 500 * Decimal(bet["kelly"]) / 2 <= 250
    assert (bet["side"], Decimal(bet["limit"])) == ("yes", Decimal("0.63"))
    difference = Decimal(told["signal"]["size_pct"]) - Decimal(bet["kelly"])
    assert abs(difference) <= Decimal("0.00005")


def test_the_tables_say_that_it_is_made_up(beside: Beside) -> None:
    done = beside.signal(FED, "--resume", beside.finished())
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("made up by the sandbox")
    places = [done.out.index(f"\n{step}. ") for step in (1, 2, 3, 4)]
    assert places == sorted(places)
    for shown in ("$12,840", "probability", "Kelly fraction", "risk", "YES at 0.63 or better"):
        assert shown in done.out, shown


def test_other_platforms_have_no_book_to_size_from(beside: Beside) -> None:
    twin = beside.do(lambda desk: next(iter(desk.venues.open("polymarket"))))
    run = beside.do(lambda desk: desk.start(twin).analysis_id)
    asked = (twin.market_id, "--platform", "polymarket", "--resume", run)
    done = beside.signal(*asked)
    assert done.code == 0, done.err
    assert "not those of polymarket" in done.out
    assert json.loads(beside.signal(*asked, "--json").out)["sizing"] is None


def test_an_analysis_that_never_completes_can_be_waited_for_later(beside: Beside) -> None:
    beside.do(lambda desk: desk.hold(FED))
    said = one_line(beside.signal(FED, "--timeout", "0.2", "--bankroll", "77.50"))
    (run,) = re.findall(r"analysis ([0-9a-f-]{36}) ", said)
    assert "is not complete after 0 s" in said
    again = shlex.split(said[said.index("kalshi-async signal") :])
    assert again[-2:] == ["--resume", run]
    beside.do(lambda desk: desk.release(FED))
    done = beside.signal(*again[2:], "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["analysis"]["analysis_id"] == run
    assert "77.5" in " ".join(again)


def test_ctrl_c_says_how_to_go_on(beside: Beside) -> None:
    beside.do(lambda desk: desk.hold(FED))
    run = beside.do(lambda desk: desk.start(desk.venues.market("kalshi", FED)).analysis_id)
    asked = beside.exchange.requests["RekkoAnalysisStatus", 200]
    process = subprocess.Popen(
        command("signal", FED, "--resume", run),
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(**beside.settings),
    )
    while beside.do(lambda desk: beside.exchange.requests["RekkoAnalysisStatus", 200]) == asked:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    beside.do(lambda desk: desk.release(FED))
    assert process.returncode == 130
    assert f"--resume {run}" in said
    assert said.splitlines()[-1] == "error: interrupted"


def test_what_fails_after_the_analysis_says_how_to_go_on(beside: Beside) -> None:
    """It is paid for."""
    beside.do(lambda desk: beside.exchange.faults.on("RekkoSignal", status=500))
    run = beside.finished()
    said = one_line(beside.signal(FED, "--resume", run))
    assert "RekkoSignal: HTTP 500" in said
    again = shlex.split(said[said.index("kalshi-async signal") :])
    assert again[-2:] == ["--resume", run]
    assert beside.signal(*again[2:]).code == 0


def test_nothing_is_paid_for_a_market_that_cannot_be_sized(beside: Beside) -> None:
    started = beside.do(lambda desk: len(desk.runs.by_id))
    beside.do(lambda desk: beside.exchange.faults.on("GetMarket", status=404))
    assert "GetMarket: HTTP 404" in one_line(beside.signal(FED))
    assert beside.do(lambda desk: len(desk.runs.by_id)) == started


def test_a_run_that_nobody_knows_cannot_be_gone_on_with(beside: Beside) -> None:
    said = one_line(beside.signal(FED, "--resume", "some-run"))
    assert "RekkoAnalysisStatus: HTTP 404" in said
    assert "to go on" not in said


def test_the_way_back_is_known_as_soon_as_a_run_has_started() -> None:
    options = SignalOptions.of(
        FED, platform="kalshi", bankroll="1", fraction="1", timeout=9.0, resume=None, as_json=True
    )
    seen: list[str | None] = [None]
    with _progress(options, seen) as look:
        look(AnalysisStatus(analysis_id="a1", status="pending"))
        look(AnalysisStatus(status="running"))
    assert seen == ["a1"]


def test_a_run_that_fails_says_why(beside: Beside) -> None:
    beside.do(lambda desk: desk.fail(FED, "the sources are silent"))
    said = one_line(beside.signal(FED, "--resume", beside.finished()))
    beside.do(lambda desk: desk.release(FED))
    assert "the sources are silent" in said


def test_what_the_plan_does_not_cover_is_said(beside: Beside) -> None:
    beside.do(lambda desk: setattr(desk, "plan", "free"))
    said = one_line(beside.signal(FED))
    beside.do(lambda desk: setattr(desk, "plan", "pro"))
    assert "needs 'pro'" in said


def test_a_wrong_key_is_not_repeated(beside: Beside) -> None:
    said = one_line(beside.signal(FED, REKKO_API_KEY="rk_wrong_secret"))
    assert "401" in said
    assert "rk_wrong_secret" not in said


@pytest.mark.parametrize("env", ["production", "demo"])
def test_real_analyses_need_a_key(env: str) -> None:
    for done in (
        kalshi("signal", FED, "--env", env, REKKO_API_KEY=""),
        kalshi("signal", FED, KALSHI_ENV=env, REKKO_API_KEY=" "),
    ):
        said = one_line(done)
        assert "REKKO_API_KEY is not set" in said
        assert env in said


def test_a_misspelt_key_is_named() -> None:
    said = one_line(kalshi("signal", FED, "--env", "demo", REKKO_API_KEY="", REKO_API_KEY="x-hush"))
    assert "did you mean REKKO_API_KEY" in said
    assert "x-hush" not in said


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((FED, "--bankroll", "lots"), "--bankroll"),
        ((FED, "--bankroll", "-5"), "--bankroll"),
        ((FED, "--bankroll", "0"), "--bankroll"),
        ((FED, "--fraction", "0"), "--fraction"),
        ((FED, "--fraction", "1.5"), "--fraction"),
        ((FED, "--timeout", "0"), "--timeout"),
        ((FED, "--resume", "some-run"), "--resume"),
        (("KXNONE",), "KXNONE on kalshi"),
        ((FED, "--platform", "nyse"), "nyse"),
    ],
)
def test_what_cannot_be_is_one_line(arguments: tuple[str, ...], named: str) -> None:
    assert named in one_line(kalshi("signal", *arguments, REKKO_API_KEY=""))
