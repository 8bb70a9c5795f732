"""Lists in pages, and pages in slices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kalshi_async import (
    ConnectionLostError,
    DecodeError,
    InvalidRequestError,
    KalshiError,
    Page,
    PaginationError,
    Paginator,
    Response,
)
from kalshi_async._cutting import cut_page
from kalshi_async._decode import SLICE_BYTES, PageDecoder, page_decoder
from kalshi_async._pagination import decode_paced
from tests.pipeline.helpers import LIST, NEVER, make_transport
from tests.support import ScriptedHTTP, answer


class Item(msgspec.Struct):
    ticker: str
    note: str | None = None


ITEMS = page_decoder(Item, "markets")


def body(tickers: Sequence[str], cursor: object = "absent") -> dict[str, object]:
    made: dict[str, object] = {"markets": [{"ticker": ticker} for ticker in tickers]}
    if cursor != "absent":
        made["cursor"] = cursor
    return made


def listing(*script: Any, **options: Any) -> tuple[Paginator[Item], ScriptedHTTP]:
    """A paginator over prepared answers, through the whole pipeline."""
    http = ScriptedHTTP(*(answer(step) if isinstance(step, dict) else step for step in script))
    transport = make_transport(http, retry=NEVER)

    async def fetch(cursor: str | None) -> Page[Item]:
        response: Response = await transport.call(LIST, query={"cursor": cursor})
        return await decode_paced(ITEMS, response.body)

    return Paginator(fetch, **options), http


def cursors(http: ScriptedHTTP) -> list[str | None]:
    return [request.url.partition("cursor=")[2] or None for request in http.requests]


THREE = (body("ab", "c1"), body("cd", "c2"), body("e", ""))


async def test_async_for_runs_over_all_items() -> None:
    paginator, http = listing(*THREE)
    assert [item.ticker async for item in paginator] == list("abcde")
    assert cursors(http) == [None, "c1", "c2"]
    assert paginator.finished
    assert paginator.cursor is None
    assert paginator.pages_read == 3
    assert [item async for item in paginator] == []
    assert len(http.requests) == 3


async def test_await_fetches_one_page() -> None:
    paginator, http = listing(*THREE)
    page = await paginator
    assert [item.ticker for item in page] == ["a", "b"]
    assert (page.cursor, len(page), page[1].ticker, page[:1]) == ("c1", 2, "b", page.items[:1])
    assert len(http.requests) == 1


async def test_await_at_a_cursor() -> None:
    paginator, http = listing(*THREE, cursor="c9")
    await paginator
    assert cursors(http) == ["c9"]


async def test_pages() -> None:
    paginator, _ = listing(*THREE)
    pages = [page async for page in paginator.pages()]
    assert [[item.ticker for item in page] for page in pages] == [["a", "b"], ["c", "d"], ["e"]]
    assert [page.cursor for page in pages] == ["c1", "c2", None]


@pytest.mark.parametrize("end", ["", None, "absent"])
async def test_the_end_is_an_empty_cursor(end: object) -> None:
    paginator, http = listing(body("a", "c1"), body("b", end))
    assert len(await paginator.collect()) == 2
    assert len(http.requests) == 2


async def test_an_empty_page_with_a_cursor_is_not_the_end() -> None:
    paginator, _ = listing(body("", "c1"), body("", "c2"), body("a", ""))
    assert [item.ticker async for item in paginator] == ["a"]


async def test_null_for_the_list_is_an_empty_page() -> None:
    paginator, _ = listing({"markets": None, "cursor": "c1"}, body("a", ""))
    assert [item.ticker async for item in paginator] == ["a"]


@pytest.mark.parametrize(
    ("most", "expected", "requests"), [(None, 5, 3), (5, 5, 3), (3, 3, 2), (2, 2, 1), (0, 0, 0)]
)
async def test_collect(most: int | None, expected: int, requests: int) -> None:
    paginator, http = listing(*THREE)
    assert len(await paginator.collect(max_items=most)) == expected
    assert len(http.requests) == requests


async def test_max_pages_then_on_from_the_cursor() -> None:
    first, http = listing(*THREE, max_pages=2)
    assert [item.ticker async for item in first] == list("abcd")
    assert len(http.requests) == 2
    assert (first.finished, first.cursor) == (False, "c2")
    rest, http = listing(THREE[2], cursor=first.cursor)
    assert [item.ticker async for item in rest] == ["e"]
    assert cursors(http) == ["c2"]


async def test_breaking_out_and_going_on() -> None:
    paginator, http = listing(*THREE)
    async for page in paginator.pages():
        assert page.cursor == "c1"
        break
    assert (paginator.cursor, len(http.requests)) == ("c1", 1)
    assert [item.ticker async for item in paginator] == ["c", "d", "e"]


async def test_stopping_in_mid_page_loses_nothing() -> None:
    paginator, http = listing(*THREE)
    async for item in paginator:
        assert item.ticker == "a"
        break
    assert [item.ticker for item in await paginator.collect(max_items=2)] == ["b", "c"]
    assert [item.ticker async for item in paginator] == ["d", "e"]
    assert cursors(http) == [None, "c1", "c2"]


@pytest.mark.parametrize("wrong", [{"max_pages": 0}, {"max_pages": -1}])
async def test_impossible_page_counts_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidRequestError, match="expected 1 or more"):
        listing(*THREE, **wrong)


async def test_a_negative_item_count_is_refused() -> None:
    paginator, http = listing(*THREE)
    with pytest.raises(InvalidRequestError, match="expected 0 or more"):
        await paginator.collect(max_items=-1)
    assert not http.requests


@pytest.mark.parametrize(
    "failure", [ConnectionLostError("cut"), answer(b"<html>"), answer(status=400)]
)
async def test_a_failure_keeps_what_was_read_and_where_to_go_on(failure: object) -> None:
    paginator, _ = listing(THREE[0], failure, THREE[1], THREE[2])
    with pytest.raises(KalshiError) as caught:
        await paginator.collect()
    assert [item.ticker for item in caught.value.items] == ["a", "b"]  # type: ignore[attr-defined]
    assert caught.value.cursor == paginator.cursor == "c1"
    assert "c1" in str(caught.value)
    assert (paginator.pages_read, paginator.finished) == (1, False)
    assert [item.ticker for item in await paginator.collect()] == ["c", "d", "e"]


async def test_a_failed_await_says_its_cursor() -> None:
    paginator, _ = listing(ConnectionLostError("cut"), cursor="c7")
    with pytest.raises(ConnectionLostError) as caught:
        await paginator
    assert caught.value.cursor == "c7"


@pytest.mark.parametrize("loop", [["c1", "c1"], ["c1", "c2", "c1"], ["c1", "c2", "c3", "c2"]])
async def test_a_repeated_cursor_is_an_error(loop: list[str]) -> None:
    paginator, http = listing(*(body("x", cursor) for cursor in loop))
    with pytest.raises(PaginationError, match=f"'{loop[-1]}' a second time"):
        async for _ in paginator.pages():
            assert len(http.requests) <= len(loop)
    assert len(http.requests) == len(loop)


async def test_the_cursor_that_it_began_with_counts_as_seen() -> None:
    paginator, _ = listing(body("a", "c5"), cursor="c5")
    with pytest.raises(PaginationError):
        await paginator.collect()


async def test_repr_shows_where_it_is() -> None:
    paginator, _ = listing(*THREE)
    await anext(paginator.pages())
    assert repr(paginator) == "<Paginator 1 pages read, next cursor 'c1'>"


# -- items that cannot be read


@pytest.mark.parametrize(
    "bad", [b'{"ticker": 7}', b"{}", b"[]", b"null", b"3", b'{"ticker": "\xff"}']
)
@pytest.mark.parametrize("filler", [0, SLICE_BYTES])
async def test_an_unreadable_item_does_not_lose_its_page(bad: bytes, filler: int) -> None:
    good = b'{"ticker":"%s"}'
    raw = b'{"markets":[%s,%s,%s,%s],"cursor":"c"}' % (
        good % b"a",
        good % (b"x" * filler),
        bad,
        good % b"d",
    )
    page = await decode_paced(ITEMS, raw)
    assert [item.ticker[:1] for item in page] == ["a", "x" * bool(filler), "d"]
    (undecoded,) = page.undecoded
    assert (undecoded.index, undecoded.raw, bool(undecoded.problem)) == (2, bad, True)
    assert page.cursor == "c"


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[]", b'{"markets": 1}', b'{"markets": [', b'{"events": []}', b"\xff", b'"x"'],
)
async def test_what_is_no_page(raw: bytes) -> None:
    with pytest.raises(DecodeError):
        await decode_paced(ITEMS, raw)
    with pytest.raises(DecodeError):
        await decode_paced(ITEMS, raw + b" " * (SLICE_BYTES + 1))


# -- slices

TEXTS = st.sampled_from(["", '"cursor":', '},{"ticker"', '{"markets":[', "}]", "\\", '"', "é\n"])
NOTES = st.lists(TEXTS, max_size=3).map("".join)


@given(
    st.lists(st.tuples(NOTES, st.none() | NOTES), max_size=12),
    st.none() | NOTES,
    st.sampled_from(["last", "first", "between"]),
    st.integers(1, 60),
)
@example([("a", None)], "c1", "between", 5)
@settings(max_examples=150, deadline=None)
def test_pieces_hold_the_same_items(
    items: list[tuple[str, str | None]], cursor: str | None, place: str, size: int
) -> None:
    """Cutting the text is a guess; what comes of it is right or refused, never wrong."""
    fields: dict[str, object] = {"markets": [{"ticker": t, "note": n} for t, n in items]}
    others: dict[str, object] = {"milestones": [{"id": 1}, {"id": 2}]}
    parts = {
        "last": [fields, {"cursor": cursor}],
        "first": [{"cursor": cursor}, fields, others],
        "between": [fields, {"cursor": cursor}, others],
    }[place]
    raw = msgspec.json.encode({name: value for part in parts for name, value in part.items()})
    whole = ITEMS.decode(raw)
    sliced = PageDecoder(Item, "markets").slices(raw)
    before = sliced.cursor
    for _ in sliced:
        pass
    assert before == sliced.page.cursor == whole.cursor == (cursor or None)
    assert sliced.page.items == whole.items

    cut = cut_page(raw, "markets", size)
    if cut is not None:
        found: list[Item] = []
        try:
            for piece in cut.pieces:
                found += msgspec.json.decode(piece, type=list[Item])
        except msgspec.DecodeError:
            assert place != "last" or "}]" in (cursor or ""), "a plain page is cut rightly"
        else:
            assert found == whole.items


@pytest.mark.parametrize("last", [True, False])
async def test_a_large_page_in_slices_lets_others_run(last: bool) -> None:
    note = '},{"ticker":' * 20
    raw = msgspec.json.encode(
        {
            "markets": [{"ticker": f"T{n}", "note": note} for n in range(5000)],
            "cursor": "" if last else "c",
        }
    )
    assert len(raw) > 4 * SLICE_BYTES
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(other)
        page = await decode_paced(ITEMS, raw)
        tasks.cancel_scope.cancel()
    assert page.items == ITEMS.decode(raw).items
    assert page.cursor == (None if last else "c")
    assert turns >= len(raw) // SLICE_BYTES
