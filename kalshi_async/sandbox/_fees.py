"""Trading fees to the last millionth of a dollar.

The taker fee is M x 0.07 x C x P x (1 - P), the maker fee a share of it. Both are rounded up to
$0.000001; cash then moves in whole $0.0001, and what that takes beyond the fee is the rounding fee.
An accumulator per order gives whole units of it back, as far as the fee of the fill goes.
"""

from __future__ import annotations

from ._units import ONE

# Cash moves in steps of $0.0001.
UNIT = 100


def taker_fee(thousandths: int, count: int, price: int) -> int:
    """The fee of taking `count` at `price`, as an amount; `thousandths` is the multiplier."""
    return -(-7 * thousandths * count * price * (ONE - price) // 1_000_000_000)


def maker_fee(thousandths: int, quarters: int, count: int, price: int) -> int:
    """The fee of a resting order; `quarters` is its share of the taker fee in quarters."""
    if not quarters:
        return 0
    return -(-7 * thousandths * quarters * count * price * (ONE - price) // 4_000_000_000)


def align(change: int, fee: int, accumulated: int, spare: int) -> tuple[int, int, int]:
    """Rounding of one fill: (the change of cash, the fee in all, the accumulator after).

    `change` is what the fill moves before fees (negative: paid), `fee` its trading fee and
    `accumulated` the rounding fees of the order that were not given back yet. The rounding fee is
    never more than `spare`, what the wallet can bear; the fee in all is never negative.
    """
    before = change - fee
    rounding = min(before % UNIT, max(spare, 0))
    accumulated += rounding
    rebate = min(accumulated, fee + rounding) // UNIT * UNIT
    return before - rounding + rebate, fee + rounding - rebate, accumulated - rebate
