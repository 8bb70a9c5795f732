"""Whatever is asked of the exchange, in any order: no money appears or vanishes, nobody owes any,
and the event log tells all of it.
"""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from kalshi_async.sandbox._engine import Engine
from kalshi_async.sandbox._errors import ApiError
from kalshi_async.sandbox._events import BookChanged, CashMoved, Event, PositionChanged, Traded
from kalshi_async.sandbox._holdings import Interest
from kalshi_async.sandbox._records import Listing, Wallet

from .engines import TENTHS, engine, market, place, there

SECOND = 1_000_000
users = st.sampled_from("abc")
sides = st.sampled_from(["bid", "ask"])
tickers = st.sampled_from(["M", "N"])
picks = st.integers(0, 1_000_000)
# Few prices, so that orders meet; some of them fine, so that cents have to be rounded.
prices = st.sampled_from([100, 3000, 4900, 4950, 5000, 5000, 5010, 5100, 7000, 9990])
sizes = st.one_of(st.integers(1, 30), st.sampled_from([0.01, 0.37, 2.5, 400]))

placements = st.tuples(
    st.just("place"),
    users,
    sides,
    prices,
    sizes,
    tickers,
    st.fixed_dictionaries(
        {
            "time_in_force": st.sampled_from(
                ["good_till_canceled"] * 3 + ["immediate_or_cancel", "fill_or_kill"]
            ),
            "self_trade": st.sampled_from(["taker_at_cross", "maker"]),
            "post_only": st.sampled_from([False, False, True]),
            "reduce_only": st.sampled_from([False, False, True]),
            "subaccount": st.sampled_from([0, 0, 1]),
            "grouped": st.booleans(),
            "shard": st.sampled_from([None, None, 0, 2]),
            "expires": st.sampled_from([0, 0, 20]),
        }
    ),
)
others = st.one_of(
    st.tuples(st.just("cancel"), users, picks),
    st.tuples(st.just("decrease"), users, picks, st.integers(1, 2000)),
    st.tuples(st.just("amend"), users, picks, prices, st.integers(1, 3000)),
    st.tuples(st.just("transfer"), users, st.integers(1, 30), st.booleans()),
    st.tuples(st.just("withdraw"), users, st.integers(1, 5)),
    st.tuples(st.just("cross"), users, users, prices, st.integers(1, 2000), tickers),
    st.tuples(st.just("reset"), users),
    st.tuples(st.just("wait"), st.integers(1, 20)),
    st.tuples(st.just("settle"), tickers, st.sampled_from([0, 10_000, 3333])),
)
commands = st.lists(st.one_of(placements, placements, placements, others), max_size=60)


def build() -> Engine:
    """Two markets, one with fees for makers, on different shards; small purses, so that money runs
    out.
    """
    quotes = ((True, 4900, 700), (True, 3000, 250), (False, 5100, 333), (False, 9990, 5))
    exchange = engine(
        Listing(market=market("M", grid=TENTHS, maker_quarters=1), quotes=quotes),
        market("N", shard=2, grid=TENTHS, fee_thousandths=500),
        dollars=25,
    )
    for user_id in "abc":
        exchange.create_subaccount(user_id, 0)
        exchange.transfer(user_id, 5 * SECOND, 0, to_subaccount=1)
        exchange.create_group(user_id, 1500, 0)
    for ticker in "MN":
        exchange.market(ticker, 0)
    return exchange


def run(exchange: Engine, command: tuple, now: int) -> None:
    kind, *args = command
    if kind == "place":
        user_id, side, price, size, ticker, options = args
        options = dict(options)
        group = next(iter(exchange.traders[user_id].groups))
        options["group_id"] = group if options.pop("grouped") and not options["subaccount"] else ""
        expires = options.pop("expires")
        options["expiration"] = now + expires * SECOND if expires else 0
        place(exchange, user_id, side, price, size, now=now, ticker=ticker, **options)
    elif kind in ("cancel", "decrease", "amend"):
        user_id, pick, *rest = args
        resting = list(exchange.traders[user_id].resting.values())
        if not resting:
            return
        order = resting[pick % len(resting)]
        if kind == "cancel":
            exchange.cancel(user_id, order.order_id, now)
        elif kind == "decrease":
            exchange.decrease(user_id, order.order_id, now, reduce_by=rest[0])
        else:
            exchange.amend(
                user_id,
                order.order_id,
                now,
                ticker=order.ticker,
                bid=order.bid,
                price=rest[0],
                count=rest[1],
            )
    elif kind == "transfer":
        user_id, dollars, back = args
        ends = {"from_subaccount": 1, "to_subaccount": 0} if back else {"to_subaccount": 1}
        exchange.transfer(user_id, dollars * SECOND, now, **ends)
    elif kind == "withdraw":
        exchange.withdraw(args[0], args[1] * SECOND, now)
    elif kind == "cross":
        maker, taker, price, count, ticker = args
        exchange.cross(
            maker_user=maker,
            taker_user=taker,
            ticker=ticker,
            taker_bid=True,
            price=price,
            count=count,
            now=now,
        )
    elif kind == "reset":
        exchange.reset_group(args[0], next(iter(exchange.traders[args[0]].groups)), now)
    elif kind == "settle":
        exchange.determine(args[0], args[1], now)
        exchange.settle(args[0], now)


def check(exchange: Engine) -> None:
    """What always holds."""
    assert there(exchange) == exchange.paid_in
    for trader in exchange.traders.values():
        for wallet in trader.wallets.values():
            assert wallet.cash >= 0
            assert trader.house or 0 <= wallet.reserved <= wallet.cash
        for (subaccount, ticker), interest in trader.interests.items():
            if not trader.house:
                assert reserve(exchange, trader.user_id, subaccount, ticker) == interest.reserved
    for ticker, book in exchange.books.items():
        held = sum(
            interest.position.count
            for trader in exchange.traders.values()
            for (_, name), interest in trader.interests.items()
            if name == ticker
        )
        assert held == 0
        bid, ask = book.best(True), book.best(False)
        assert bid is None or ask is None or bid[0] < ask[0]


def reserve(exchange: Engine, user_id: str, subaccount: int, ticker: str) -> int:
    """The reserve of one interest, worked out anew from the orders in the book."""
    trader, listed = exchange.traders[user_id], exchange.markets[ticker]
    fresh = Interest(
        listed,
        trader.interests[subaccount, ticker].position,
        Wallet(user_id=user_id, subaccount=subaccount, shard=listed.shard),
    )
    for order in trader.resting.values():
        if (order.subaccount, order.ticker) == (subaccount, ticker):
            fresh.add(order.bid, order.price, order.remaining)
    return fresh.reserved


class Ledger:
    """Books, cash and positions as somebody knows them who has only read the event log."""

    def __init__(self) -> None:
        self.books: dict[str, Counter[tuple[bool, int]]] = defaultdict(Counter)
        self.cash: Counter[tuple[str, int, int]] = Counter()
        self.fees = 0
        self.positions: dict[tuple[str, int, str], int] = {}
        self.volume: Counter[str] = Counter()

    def read(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, BookChanged):
                self.books[event.ticker][event.bid, event.price] += event.delta
            elif isinstance(event, CashMoved):
                self.cash[event.user_id, event.subaccount, event.shard] += event.amount
                self.fees += event.fees
            elif isinstance(event, PositionChanged):
                held = event.position
                self.positions[held.user_id, held.subaccount, held.ticker] = held.count
            elif isinstance(event, Traded):
                self.volume[event.trade.ticker] += event.trade.count
                assert event.taker.count == event.maker.count == event.trade.count

    def check(self, exchange: Engine) -> None:
        for ticker, book in exchange.books.items():
            told = {place: count for place, count in self.books[ticker].items() if count}
            bids = {(True, price): count for price, count in book.levels(True)}
            assert told == bids | {(False, price): count for price, count in book.levels(False)}
            assert exchange.markets[ticker].volume == self.volume[ticker]
        for trader in exchange.traders.values():
            for (subaccount, shard), wallet in trader.wallets.items():
                assert self.cash[trader.user_id, subaccount, shard] == wallet.cash
            for (subaccount, ticker), held in trader.positions.items():
                assert self.positions[trader.user_id, subaccount, ticker] == held.count
        assert self.fees == exchange.fees


@settings(max_examples=300)
@given(commands)
def test_money_is_conserved_and_nobody_owes_any(script: list[tuple]) -> None:
    exchange, ledger, now = build(), Ledger(), SECOND
    for command in script:
        now += command[1] * SECOND if command[0] == "wait" else 1000
        exchange.advance(now)
        with contextlib.suppress(ApiError):
            run(exchange, command, now)
        check(exchange)
        ledger.read(exchange.drain())
        ledger.check(exchange)


@settings(max_examples=100)
@given(commands)
def test_a_refused_command_changes_nothing(script: list[tuple]) -> None:
    """Apart from an id that a fill-or-kill order spent, and money that moved between shards."""
    exchange, now = build(), SECOND
    for command in script:
        now += 1000
        exchange.drain()
        exchange.advance(now)
        before = picture(exchange)
        try:
            run(exchange, command, now)
        except ApiError as error:
            if command[0] != "settle" and "fill_or_kill" not in str(error):
                assert picture(exchange) == before


def picture(exchange: Engine) -> object:
    return (
        {
            ticker: (book.levels(True), book.levels(False))
            for ticker, book in exchange.books.items()
        },
        {
            user_id: (
                sum(wallet.cash for wallet in trader.wallets.values()),
                sum(wallet.reserved for wallet in trader.wallets.values()),
                list(trader.orders),
                len(trader.fills),
            )
            for user_id, trader in exchange.traders.items()
            if not trader.house
        },
    )


@settings(max_examples=100)
@given(commands)
def test_the_same_commands_give_the_same_history(script: list[tuple]) -> None:
    histories = []
    for _ in range(2):
        exchange, now = build(), SECOND
        for command in script:
            now += 1000
            exchange.advance(now)
            with contextlib.suppress(ApiError):
                run(exchange, command, now)
        histories.append(repr(exchange.drain()))
    assert histories[0] == histories[1]
