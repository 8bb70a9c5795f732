"""Block trades: one party proposes a trade of a size and price, and both accept it.

A proposal executes when buyer and seller have accepted; whoever proposes it as one of the two has
accepted with that. The handlers are at the end of the file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from .._call import Call, Handler
from .._errors import forbidden, nested, not_found
from .._fcm import FcmMembers
from .._handlers import cursor as _cursor
from .._handlers.bodies import Body, BodyError
from .._handlers.rfq import own_subaccount
from .._records import ACTIVE, Order
from .._text import named_uuid, parse_time, time_text
from .._units import ONE
from .book import invalid

if TYPE_CHECKING:
    from .._exchange import Exchange

PENDING, EXECUTED, EXPIRED, FAILED = "pending", "executed", "expired", "failed"
# Ended proposals that are still listed, and those one account may have pending.
_MOST_ENDED = 2_000
_MOST_PENDING = 100


class Party(msgspec.Struct, kw_only=True):
    """Buyer or seller of a proposal; the subaccount may stay open until it accepts."""

    user_id: str
    subtrader_id: str = ""
    subaccount: int | None = None
    accepted: int = 0
    order_id: str = ""


class Proposal(msgspec.Struct, kw_only=True):
    """A proposed block trade. `price` is the YES price, the buyer buys YES; times are Unix
    microseconds.
    """

    id: str
    number: int
    proposer: str
    buyer: Party
    seller: Party
    ticker: str
    price: int
    count: int
    maker_side: str
    expires: int
    created: int
    updated: int
    status: str = PENDING
    executed: int = 0

    def party(self, user_id: str) -> Party | None:
        """The side this account is on."""
        for party in (self.buyer, self.seller):
            if party.user_id == user_id:
                return party
        return None

    def json(self) -> dict[str, object]:
        """The object, as both parties see it."""
        shown: dict[str, object] = {
            "id": self.id,
            "proposer_user_id": self.proposer,
            "buyer_user_id": self.buyer.user_id,
            "seller_user_id": self.seller.user_id,
            "market_ticker": self.ticker,
            "price_centi_cents": self.price,
            "centicount": self.count,
            "maker_side": self.maker_side,
            "expiration_ts": time_text(self.expires),
            "status": self.status,
            "created_ts": time_text(self.created),
            "updated_ts": time_text(self.updated),
            "buyer_accepted": bool(self.buyer.accepted),
            "seller_accepted": bool(self.seller.accepted),
        }
        for name, party in (("buyer", self.buyer), ("seller", self.seller)):
            if party.subtrader_id:
                shown[f"{name}_subtrader_id"] = party.subtrader_id
            if party.accepted:
                shown[f"{name}_accepted_ts"] = time_text(party.accepted)
            if party.order_id:
                shown[f"{name}_order_id"] = party.order_id
        if self.executed:
            shown["executed_ts"] = time_text(self.executed)
        return shown


Execute = Callable[[Proposal], tuple[Order, Order]]
"""Trades a proposal: (buyer's order, seller's order); an ApiError changes nothing."""


class BlockTrades:
    """Every proposal. No clock: each call is told the time."""

    def __init__(
        self,
        *,
        execute: Execute,
        keep: Callable[[str, str, msgspec.Struct | None], None],
        new_id: Callable[[int], str],
    ) -> None:
        self._execute, self._keep, self._new_id = execute, keep, new_id
        self.proposals: dict[str, Proposal] = {}
        self._number = 0

    def restore(self, proposals: list[Proposal]) -> None:
        """Take up what was kept before a restart."""
        for proposal in sorted(proposals, key=lambda one: one.number):
            self.proposals[proposal.id] = proposal
            self._number = max(self._number, proposal.number)

    def propose(
        self,
        proposer: str,
        *,
        buyer: Party,
        seller: Party,
        ticker: str,
        price: int,
        count: int,
        maker_side: str,
        expires: int,
        now: int,
    ) -> Proposal:
        """A new proposal.

        Raises:
            ApiError: 403 when the proposer is neither buyer nor seller, 400 when the two are the
                same or it has expired already.
        """
        if buyer.user_id == seller.user_id:
            raise invalid("buyer and seller are the same account")
        if proposer not in (buyer.user_id, seller.user_id):
            raise forbidden("a block trade is proposed by its buyer or its seller")
        if expires <= now:
            raise invalid("expiration_ts is not in the future")
        pending = [one for one in self.proposals.values() if one.status == PENDING]
        if sum(one.proposer == proposer for one in pending) >= _MOST_PENDING:
            raise invalid(f"at most {_MOST_PENDING} proposals of an account can be pending")
        self._number += 1
        proposal = Proposal(
            id=self._new_id(self._number),
            number=self._number,
            proposer=proposer,
            buyer=buyer,
            seller=seller,
            ticker=ticker,
            price=price,
            count=count,
            maker_side=maker_side,
            expires=expires,
            created=now,
            updated=now,
        )
        own = proposal.party(proposer)
        if own is not None:
            own.accepted = now
        self.proposals[proposal.id] = proposal
        self._save(proposal)
        self._prune()
        return proposal

    def of(self, user_id: str, proposal_id: str) -> Proposal:
        """A proposal its parties look at; 404 for everybody else."""
        found = self.proposals.get(proposal_id)
        if found is None or found.party(user_id) is None:
            raise not_found()
        return found

    def accept(
        self,
        user_id: str,
        proposal_id: str,
        now: int,
        *,
        subaccount: int | None = None,
        subtrader_id: str = "",
    ) -> Proposal:
        """Accept as one of the two parties; the second acceptance executes the trade.

        Raises:
            ApiError: 404 for a proposal of others, 400 when it ended or was accepted already, and
                what the trade itself is refused for.
        """
        proposal = self.of(user_id, proposal_id)
        party = proposal.party(user_id)
        if proposal.status != PENDING or party is None:
            raise invalid(f"the proposal is {proposal.status}")
        if party.accepted:
            raise invalid("the proposal is accepted by this account already")
        if subaccount is not None:
            party.subaccount, party.subtrader_id = subaccount, subtrader_id
        # What the trade is refused for leaves the proposal open to another try.
        buyer, seller = self._execute(proposal)
        party.accepted = now
        proposal.buyer.order_id, proposal.seller.order_id = buyer.order_id, seller.order_id
        proposal.status, proposal.executed, proposal.updated = EXECUTED, now, now
        self._save(proposal)
        return proposal

    def advance(self, now: int) -> None:
        """Expire proposals."""
        for proposal in self.proposals.values():
            if proposal.status == PENDING and proposal.expires <= now:
                proposal.status, proposal.updated = EXPIRED, proposal.expires
                self._save(proposal)

    def _save(self, proposal: Proposal) -> None:
        self._keep("block_trade", proposal.id, proposal)

    def _prune(self) -> None:
        ended = [one for one in self.proposals.values() if one.status != PENDING]
        for proposal in ended[: max(0, len(ended) - _MOST_ENDED)]:
            del self.proposals[proposal.id]
            self._keep("block_trade", proposal.id, None)


class BlockRoom:
    """The block trades of one exchange, on its clock."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._trades = BlockTrades(
            execute=self._execute,
            keep=exchange.keep,
            new_id=lambda number: named_uuid(f"block_trade/{exchange.seed}/{number}"),
        )
        self._trades.restore(exchange.kept("block_trade", Proposal))

    @property
    def trades(self) -> BlockTrades:
        """Every proposal, after those whose time is over have expired."""
        self._trades.advance(self._exchange.now())
        return self._trades

    def _execute(self, proposal: Proposal) -> tuple[Order, Order]:
        yes_makes = proposal.maker_side == "yes"
        maker, taker = proposal.buyer, proposal.seller
        if not yes_makes:
            maker, taker = taker, maker
        taken, made = self._exchange.do(
            lambda engine, now: engine.cross(
                maker_user=maker.user_id,
                taker_user=taker.user_id,
                ticker=proposal.ticker,
                taker_bid=not yes_makes,
                price=proposal.price,
                count=proposal.count,
                now=now,
                maker_subaccount=maker.subaccount or 0,
                taker_subaccount=taker.subaccount or 0,
                maker_client_order_id=proposal.id,
                taker_client_order_id=proposal.id,
                block=True,
            )
        )
        return (made, taken) if yes_makes else (taken, made)


def _party(call: Call, body: Body, name: str) -> Party:
    """Buyer or seller of a new proposal; only one's own side can be named in detail."""
    user_id = body.needed(f"{name}_user_id", body.text)
    subtrader_id = body.text(f"{name}_subtrader_id") or ""
    subaccount = body.subaccount(f"{name}_subaccount")
    if subtrader_id and subaccount is not None:
        raise invalid(f"give one of {name}_subtrader_id and {name}_subaccount")
    if user_id not in call.exchange.directory.accounts:
        raise invalid(f"{name}_user_id is not a member of the exchange")
    if subtrader_id:
        subaccount = call.exchange.room(FcmMembers).subaccount_of(user_id, subtrader_id)
    elif user_id == call.user_id:
        subaccount = own_subaccount(call, subaccount)
    return Party(user_id=user_id, subtrader_id=subtrader_id, subaccount=subaccount)


async def propose(call: Call) -> object:
    body = Body.read(call.body, "ProposeBlockTradeRequest")
    buyer, seller = _party(call, body, "buyer"), _party(call, body, "seller")
    ticker = body.needed("market_ticker", body.text)
    price = body.needed("price_centi_cents", lambda name: body.integer(name, least=1))
    count = body.needed("centicount", lambda name: body.integer(name, least=1))
    maker_side = body.needed("maker_side", body.choice("yes", "no"))
    expires = parse_time(body.needed("expiration_ts", body.text))
    if not expires:
        raise BodyError("expiration_ts must be an RFC 3339 time")
    market = call.exchange.do(lambda engine, now: engine.market(ticker, now))
    if market is None:
        raise invalid(f"market {ticker[:80]!r} not found")
    if market.status != ACTIVE:
        raise nested(400, "MARKET_NOT_ACTIVE")
    if price >= ONE or not market.on_grid(price):
        raise nested(400, "invalid_price", f"{price} is not on the price grid")
    proposal = call.exchange.room(BlockRoom).trades.propose(
        call.user_id,
        buyer=buyer,
        seller=seller,
        ticker=ticker,
        price=price,
        count=count,
        maker_side=maker_side,
        expires=expires,
        now=call.exchange.now(),
    )
    return {"block_trade_proposal_id": proposal.id}


async def get_proposals(call: Call) -> object:
    params = call.params
    limit, after = params.limit(100, 100, least=1), params.after()
    ticker, status = params.text("market_ticker"), params.text("status")
    last = int(after[1]) if after is not None and after[1].isdecimal() else None
    found = [
        proposal
        for proposal in call.exchange.room(BlockRoom).trades.proposals.values()
        if proposal.party(call.user_id) is not None
        and ticker in (None, proposal.ticker)
        and status in (None, proposal.status)
        and (last is None or proposal.number < last)
    ]
    found.sort(key=lambda proposal: -proposal.number)
    cursor = ""
    if len(found) > limit:
        cursor = _cursor.encode(found[limit - 1].created, str(found[limit - 1].number))
    shown = [proposal.json() for proposal in found[:limit]]
    return {"block_trade_proposals": shown, "cursor": cursor}


async def accept(call: Call) -> object:
    body = Body.read(call.body, "AcceptBlockTradeProposalRequest", optional=True)
    subtrader_id, subaccount = body.text("subtrader_id") or "", body.subaccount()
    if subtrader_id and subaccount is not None:
        raise invalid("give one of subtrader_id and subaccount")
    trades = call.exchange.room(BlockRoom).trades
    party = trades.of(call.user_id, call.path["block_trade_proposal_id"]).party(call.user_id)
    if subtrader_id:
        subaccount = call.exchange.room(FcmMembers).subaccount_of(call.user_id, subtrader_id)
    elif party is None or not party.subtrader_id:
        named = None if party is None else party.subaccount
        subaccount = own_subaccount(call, named if subaccount is None else subaccount)
    trades.accept(
        call.user_id,
        call.path["block_trade_proposal_id"],
        call.exchange.now(),
        subaccount=subaccount,
        subtrader_id=subtrader_id,
    )
    return None


HANDLERS: dict[str, Handler] = {
    "AcceptBlockTradeProposal": accept,
    "GetBlockTradeProposals": get_proposals,
    "ProposeBlockTrade": propose,
}
