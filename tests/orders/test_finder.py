"""Finding orders by their client_order_id: shared looks, and what an empty look is worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest

from kalshi_async import (
    AuthenticationError,
    KalshiClient,
    KalshiError,
    PermissionDeniedError,
    Request,
    Response,
    ServerError,
)
from kalshi_async._auth import Signer
from kalshi_async.models.orders import Order
from kalshi_async.orders import Certainty
from kalshi_async.orders._finder import Finder, Found, Wanted
from kalshi_async.orders._lists import OrderLists
from tests.orders.venue import EMPTY, KEY, TICKER, listing, row
from tests.pipeline.helpers import NEVER, make_transport
from tests.support import Answer, ScriptedHTTP, answer, in_virtual_time

CERTAIN = Certainty(lag=0.5, grace=10.0, patience=5.0)


def shown(*names: str, cursor: str = "") -> Answer:
    def page(_: Request) -> Response:
        return listing(*map(listed, names), cursor=cursor)

    return page


def listed(name: str) -> dict[str, Any]:
    body = {"client_order_id": name, "ticker": TICKER, "side": "bid", "price": "0.5", "count": "1"}
    return row(body)


def finder(http: ScriptedHTTP, offset: Callable[[], float] = lambda: 0.0) -> Finder:
    transport = make_transport(http, signer=Signer("key", KEY), retry=NEVER)
    return Finder(OrderLists(transport), CERTAIN, offset)


def wanted(name: str = "A", **facts: Any) -> Wanted:
    terms: dict[str, Any] = {"client_order_id": name, "ticker": TICKER, "since": 1_000}
    return Wanted(**terms | facts)


def query(request: Request) -> dict[str, list[str]]:
    return parse_qs(urlsplit(request.url).query)


class Lookers:
    """Tasks that each take one look, begun in order at given moments."""

    def __init__(self, finder: Finder) -> None:
        self.finder = finder
        self.found: dict[str, Order | KalshiError | None] = {}
        self.scopes: dict[str, anyio.CancelScope] = {}

    async def look(self, who: str, what: Wanted, after: float) -> None:
        await anyio.sleep(after)
        with anyio.CancelScope() as scope:
            self.scopes[who] = scope
            try:
                self.found[who] = await self.finder.look(what)
            except KalshiError as exc:
                self.found[who] = exc

    def names(self) -> dict[str, str | None]:
        assert not any(isinstance(found, KalshiError) for found in self.found.values())
        return {
            who: found.client_order_id if isinstance(found, Order) else None
            for who, found in self.found.items()
        }


async def looking(
    http: ScriptedHTTP, *plan: tuple[str, Wanted, float], cancel: tuple[str, float] | None = None
) -> Lookers:
    lookers = Lookers(finder(http))
    async with anyio.create_task_group() as tasks:
        for who, what, after in plan:
            tasks.start_soon(lookers.look, who, what, after)
        if cancel is not None:
            await anyio.sleep(cancel[1])
            lookers.scopes[cancel[0]].cancel()
    assert lookers.finder._looks == {}
    return lookers


# -- sharing


def test_whoever_asked_before_a_look_began_shares_it() -> None:
    async def main() -> None:
        http = ScriptedHTTP(shown("A"), shown("B", "C"), latency=1.0)
        plan = [(name, wanted(name), 0.1 * place) for place, name in enumerate("ABCD")]
        lookers = await looking(http, *plan)
        # A's look had begun when the others asked; B's serves C, and D too, who is not there.
        assert lookers.names() == {"A": "A", "B": "B", "C": "C", "D": None}
        assert http.times == [0.0, 1.0]

    in_virtual_time(main)


def test_a_look_that_had_begun_is_no_proof_for_who_came_later() -> None:
    async def main() -> None:
        http = ScriptedHTTP(EMPTY, shown("B"), latency=1.0)
        lookers = await looking(http, ("A", wanted("A"), 0.0), ("B", wanted("B"), 0.5))
        assert lookers.names() == {"A": None, "B": "B"}
        assert len(http.requests) == 2

    in_virtual_time(main)


def test_a_look_that_failed_serves_nobody() -> None:
    async def main() -> None:
        http = ScriptedHTTP(EMPTY, answer(status=503), shown("C"), latency=1.0)
        plan = [("A", wanted("A"), 0.0), ("B", wanted("B"), 0.1), ("C", wanted("C"), 0.2)]
        lookers = await looking(http, *plan)
        assert isinstance(lookers.found["B"], ServerError)
        del lookers.found["B"]
        assert lookers.names() == {"A": None, "C": "C"}

    in_virtual_time(main)


def test_a_look_that_was_cancelled_serves_nobody() -> None:
    async def main() -> None:
        http = ScriptedHTTP(EMPTY, EMPTY, shown("C"), latency=1.0)
        plan = [("A", wanted("A"), 0.0), ("B", wanted("B"), 0.1), ("C", wanted("C"), 0.2)]
        lookers = await looking(http, *plan, cancel=("B", 1.5))
        assert lookers.names() == {"A": None, "C": "C"}
        assert http.times == [0.0, 1.0, 1.5]

    in_virtual_time(main)


def test_a_look_that_failed_on_its_second_page_serves_nobody() -> None:
    async def main() -> None:
        http = ScriptedHTTP(EMPTY, shown("X", cursor="next"), answer(status=500), shown("C"))
        http.latency = 1.0
        plan = [("A", wanted("A"), 0.0), ("B", wanted("B"), 0.1), ("C", wanted("C"), 0.2)]
        lookers = await looking(http, *plan)
        assert isinstance(lookers.found.pop("B"), ServerError)
        assert lookers.names() == {"A": None, "C": "C"}

    in_virtual_time(main)


@pytest.mark.parametrize("later", [0.0, 0.5])
def test_several_who_look_for_the_same_order_all_see_it(later: float) -> None:
    async def main() -> None:
        http = ScriptedHTTP(shown("A"), latency=1.0)
        plan = [(str(who), wanted("A"), later * who) for who in range(4)]
        lookers = await looking(http, *plan)
        assert set(lookers.names().values()) == {"A"}
        assert len(lookers.found) == 4

    in_virtual_time(main)


def test_who_leaves_takes_nothing_away_from_who_stays() -> None:
    async def main() -> None:
        http = ScriptedHTTP(EMPTY, shown("A"), latency=1.0)
        plan = [("X", wanted("X"), 0.0), ("one", wanted("A"), 0.1), ("two", wanted("A"), 0.2)]
        lookers = await looking(http, *plan, cancel=("one", 0.5))
        assert lookers.names() == {"X": None, "two": "A"}

    in_virtual_time(main)


def test_markets_and_subaccounts_are_looked_at_apart() -> None:
    async def main() -> None:
        http = ScriptedHTTP(EMPTY, latency=1.0)
        plan = [
            ("A", wanted("A"), 0.0),
            ("B", wanted("B", ticker="KX-OTHER"), 0.0),
            ("C", wanted("C", subaccount=3), 0.0),
        ]
        await looking(http, *plan)
        asked = sorted(
            (query(each)["ticker"][0], query(each).get("subaccount", ["all"])[0])
            for each in http.requests
        )
        assert asked == [("KX-OTHER", "all"), (TICKER, "3"), (TICKER, "all")]
        assert http.most_in_flight == 3

    in_virtual_time(main)


# -- how far a look reads


def test_a_look_reads_until_it_has_seen_all_or_to_the_end() -> None:
    async def main() -> None:
        http = ScriptedHTTP(shown("X", cursor="2"), shown("A", cursor="3"), EMPTY)
        assert await finder(http).look(wanted("A")) is not None
        assert [query(each).get("cursor") for each in http.requests] == [None, ["2"]]
        assert query(http.requests[0])["limit"] == ["1000"]
        http = ScriptedHTTP(shown("X", cursor="2"), shown("Y"))
        assert await finder(http).look(wanted("A")) is None
        assert len(http.requests) == 2

    in_virtual_time(main)


def test_a_look_goes_as_far_back_as_the_first_of_those_who_share_it() -> None:
    async def main() -> None:
        http = ScriptedHTTP(EMPTY, latency=1.0)
        plan = [("X", wanted("X"), 0.0)]
        plan += [(name, wanted(name, since=since), 0.1) for name, since in (("A", 90), ("B", 80))]
        await looking(http, *plan)
        plan.append(("C", wanted("C", since=None), 0.1))
        await looking(http, *plan)
        bounds = [query(each).get("min_ts") for each in http.requests]
        assert bounds == [["1000"], ["80"], ["1000"], None]

    in_virtual_time(main)


def test_bounds_in_time_follow_the_clock_of_the_exchange() -> None:
    async def main() -> None:
        http = ScriptedHTTP(EMPTY)
        offsets = iter([0.0, -300.0])
        looks = finder(http, lambda: next(offsets))
        for _ in range(2):
            await looks.look(wanted("A"))
        assert [query(each)["min_ts"] for each in http.requests] == [["1000"], ["700"]]

    in_virtual_time(main)


# -- again and again


def test_a_search_pauses_longer_and_longer() -> None:
    async def main() -> None:
        http = ScriptedHTTP(EMPTY)
        found = await finder(http).search(wanted(), sent=0.0, until=9.0)
        assert found == Found()
        assert http.times == pytest.approx([0, 0.1, 0.3, 0.7, 1.5, 3.1, 5.1, 7.1])
        assert anyio.current_time() == pytest.approx(9.0)

    in_virtual_time(main)


def test_only_a_look_that_began_late_enough_is_proof() -> None:
    async def main() -> None:
        http = ScriptedHTTP(EMPTY, latency=3.0)
        looks = finder(http)
        await anyio.sleep(8.0)
        # The look of 8 to 11 ends late enough, but began too early.
        found = await looks.search(wanted(), sent=0.0, until=None)
        assert found == Found(absent=True)
        assert http.times == pytest.approx([8.0, 11.1])

    in_virtual_time(main)


def test_a_look_that_began_when_another_asked_does_not_prove_the_others_absence() -> None:
    async def main() -> None:
        http = ScriptedHTTP(EMPTY, shown("B"), latency=2.0)
        looks, found = finder(http), []

        async def search(name: str, sent: float) -> None:
            found.append(await looks.search(wanted(name), sent=sent, until=None))

        await anyio.sleep(20.0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(search, "A", 0.0)
            await anyio.sleep(1.0)
            tasks.start_soon(search, "B", 0.0)
        assert found[0] == Found(absent=True)
        assert found[1].order is not None

    in_virtual_time(main)


@pytest.mark.parametrize(
    ("status", "kind"), [(401, AuthenticationError), (403, PermissionDeniedError)]
)
def test_who_may_not_look_does_not_look_twice(status: int, kind: type[KalshiError]) -> None:
    async def main() -> None:
        http = ScriptedHTTP(answer({"error": {"code": "no", "message": "no"}}, status))
        found = await finder(http).search(wanted(), sent=0.0, until=100.0)
        assert isinstance(found.trouble, kind)
        assert len(http.requests) == 1

    in_virtual_time(main)


def test_a_look_that_fails_proves_nothing_however_late() -> None:
    async def main() -> None:
        http = ScriptedHTTP(answer(status=503), answer(status=503), EMPTY)
        looks = finder(http)
        await anyio.sleep(100.0)
        assert await looks.search(wanted(), sent=0.0, until=None) == Found(absent=True)
        assert len(http.requests) == 3
        http.script[-1] = answer(status=503)
        found = await looks.search(wanted(), sent=0.0, until=anyio.current_time() + 4)
        assert isinstance(found.trouble, ServerError)
        assert not found.absent

    in_virtual_time(main)


def test_an_order_that_is_said_to_exist_is_never_proved_absent() -> None:
    async def main() -> None:
        http = ScriptedHTTP(EMPTY)
        await anyio.sleep(100.0)
        with anyio.fail_after(60):
            found = await finder(http).search(wanted(), sent=0.0, until=None, exists=True)
        assert found == Found()
        bounds = [query(each).get("min_ts") for each in http.requests]
        assert bounds == [["1000"], ["1000"], ["1000"], None]

    in_virtual_time(main)


def test_a_client_in_a_hurry_gives_lists_the_time_they_take() -> None:
    async def main() -> None:
        http = ScriptedHTTP(answer({"orders": [], "cursor": ""}))
        for given, wanted in ((0.3, 10.0), (30.0, 30.0), (None, None)):
            async with KalshiClient(
                api_key_id="id", private_key=KEY, limits=None, http=http, timeout=given
            ) as kalshi:
                assert await kalshi._desk.finder.look(Wanted("mine", "MARKET")) is None
            assert http.timeouts[-1] == wanted

    in_virtual_time(main)
