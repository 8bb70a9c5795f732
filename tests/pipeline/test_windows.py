"""The arithmetic of windows and seams."""

from __future__ import annotations

import itertools
import math

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kalshi_async._windows import EPOCH, LONG, Seams, Window, cut, estimate_pages

SECONDS = st.integers(EPOCH, EPOCH + 10**8)
OPEN = st.none() | SECONDS


@given(OPEN, OPEN, SECONDS, st.floats(0, 10**6), st.integers(1, 64), SECONDS)
@settings(max_examples=300, deadline=None)
def test_pieces_cover_the_window(
    start: int | None,
    end: int | None,
    oldest: int,
    span: float,
    most: int,
    moment: int,
) -> None:
    assume(start is None or end is None or start <= end)
    window = Window(start, end)
    pieces = cut(window, oldest, oldest + span, most)
    assert 1 <= len(pieces) <= most
    assert pieces[0].end == end
    assert pieces[-1].start == start
    assert all(piece.cursor is None for piece in pieces)
    for newer, older in itertools.pairwise(pieces):
        assert newer.start is not None
        assert older.end == newer.start + 1, "neighbours overlap by a second"
        assert older.start is None or older.start < newer.start
    inside = (start is None or start <= moment) and (end is None or moment <= end)
    if inside:
        holders = [
            piece
            for piece in pieces
            if (piece.start is None or piece.start <= moment)
            and (piece.end is None or moment <= piece.end)
        ]
        assert 1 <= len(holders) <= 2


@given(OPEN, OPEN, SECONDS, st.floats(0, 10**6))
@settings(max_examples=200, deadline=None)
def test_short_windows_stay_whole_and_long_ones_shrink(
    start: int | None, end: int | None, oldest: int, span: float
) -> None:
    window = Window(start, end)
    pieces = cut(window, oldest, oldest + span, 32)
    if estimate_pages(window, oldest, oldest + span) <= LONG:
        assert pieces == [window]
    low = EPOCH if start is None else start
    high = math.ceil(oldest + span) if end is None else end
    if len(pieces) > 1:
        for piece in pieces:
            begin = low if piece.start is None else piece.start
            finish = high if piece.end is None else piece.end
            assert finish - begin < high - low


def test_the_newest_piece_has_the_density_of_the_first_page() -> None:
    pieces = cut(Window(0 + EPOCH, EPOCH + 100_000), EPOCH + 99_000, EPOCH + 100_000, 8)
    widths = [(p.end or 0) - (p.start or 0) for p in pieces]
    assert len(pieces) == 8
    assert abs(widths[0] - 4000) <= 2
    assert widths == sorted(widths)


def test_a_window_of_a_few_seconds_is_not_cut() -> None:
    for width in range(5):
        window = Window(EPOCH, EPOCH + width)
        assert cut(window, EPOCH, EPOCH, 32) == [window]


def test_a_seam_remembers_only_its_neighbourhood() -> None:
    seams = Seams()
    assert seams.first_time("A", 1.0)
    assert seams.first_time("A", 1.0), "without seams nothing can come twice"
    seams.add([Window(100, None), Window(50, 101), Window(None, 51)])
    assert seams.bounds == {100, 50}
    for created in (99.0, 100.0, 100.999999, 101.5, 102.0, 49.5, 52.0):
        ticker = f"T{created}"
        assert seams.first_time(ticker, created)
        assert not seams.first_time(ticker, created)
    assert seams.first_time("FAR", 75.0)
    assert "FAR" not in seams.delivered
    assert seams.first_time("UNKNOWN", None)
    assert not seams.first_time("UNKNOWN", None), "no time: it may lie at any seam"


def test_seams_go_on_from_a_checkpoint() -> None:
    seams = Seams([100], ["A", "FAR"])
    assert not seams.first_time("A", 100.5)
    assert not seams.first_time("FAR", 9.0)
    assert seams.first_time("B", 100.5)
    assert not seams.first_time("B", 100.5)
