"""Price grids: the tick sizes of each price level structure, in ticks of $0.001."""

from __future__ import annotations

from .._text import PRICE

LINEAR_CENT = "linear_cent"
DECI_CENT = "deci_cent"
TAPERED_DECI_CENT = "tapered_deci_cent"

# (start, end, step) of each range, in ticks of $0.001.
GRIDS: dict[str, tuple[tuple[int, int, int], ...]] = {
    LINEAR_CENT: ((0, 1000, 10),),
    DECI_CENT: ((0, 1000, 1),),
    TAPERED_DECI_CENT: ((0, 100, 1), (100, 900, 10), (900, 1000, 1)),
}


def price_ranges(structure: str) -> list[dict[str, str]]:
    """The grid as market objects show it."""
    return [
        {"end": PRICE[end], "start": PRICE[start], "step": PRICE[step]}
        for start, end, step in GRIDS[structure]
    ]


def _table(structure: str) -> tuple[int, ...]:
    """For every tick 0..1000 the highest grid price at or below it."""
    floor = [0] * 1001
    for start, end, step in GRIDS[structure]:
        for tick in range(start, end + 1):
            floor[tick] = start + (tick - start) // step * step
    return tuple(floor)


FLOOR = {structure: _table(structure) for structure in GRIDS}


def on_grid(structure: str, tick: int) -> bool:
    """Whether a price strictly between $0 and $1 may be quoted on this grid."""
    return 0 < tick < 1000 and FLOOR[structure][tick] == tick


def step_below(structure: str, tick: int) -> int:
    """The next grid price under `tick`; 0 when there is none."""
    return FLOOR[structure][tick - 1] if tick > 0 else 0


def step_above(structure: str, tick: int) -> int:
    """The next grid price over `tick`; 1000 when there is none."""
    # The grids are symmetric about $0.50, so stepping up is stepping down from the other side.
    return 1000 - step_below(structure, 1000 - tick)
