"""The protocol of the WebSocket without a socket: commands in, frames out.

A `Session` is what one connection has subscribed to. Each of its subscriptions numbers its own
frames: `seq` counts data on the channels that carry it, and the answers to commands on all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from .._text import SECOND
from .commands import (
    Code,
    Command,
    CommandError,
    decode_command,
    flag,
    market_choice,
    names,
    numbers,
    shard_of,
)
from .subscription import (
    CHANNELS,
    CONTROL,
    INDEX_ACTIONS,
    INDEX_LISTS,
    Board,
    Channel,
    Frame,
    Outlet,
    Subscription,
)

# How many markets, or indices, one subscription may name.
MOST_MARKETS = 10_000
COMMANDS_PER_SECOND = 10_000
_ALL = "all"
_encode = msgspec.json.Encoder().encode


class Session:
    """The subscriptions of one connection. `private`: whether its key may see its account."""

    def __init__(
        self,
        board: Board,
        outlet: Outlet,
        user_id: str,
        *,
        subaccount: int | None = None,
        private: bool = True,
    ) -> None:
        self._board, self._outlet = board, outlet
        self._user_id, self._subaccount, self._private = user_id, subaccount, private
        self.subscriptions: dict[int, Subscription] = {}
        self._last_sid = 0
        self._second, self._commands = 0, 0

    def __repr__(self) -> str:
        return f"<Session of {self._user_id}: {len(self.subscriptions)} subscriptions>"

    def receive(self, text: str | bytes, now: int) -> list[Frame]:
        """What answers one text frame, in the order it is to be sent; `now` is in Unix
        microseconds. Nothing it is sent makes it raise.
        """
        command = Command()
        try:
            decode_command(text, command)
            self._count(now)
            return self._answer(command)
        except CommandError as refused:
            return [self._refusal(command.id, refused)]

    def overflow(self) -> list[Frame]:
        """The frames that tell each subscription it ended because nobody read it."""
        refused = CommandError(Code.BUFFER_OVERFLOW)
        found = []
        for subscription in self.subscriptions.values():
            refused.subscription = subscription
            found.append(self._refusal(0, refused))
        return found

    def close(self) -> None:
        """Forget every subscription."""
        for subscription in self.subscriptions.values():
            self._board.unwatch(subscription)
        self.subscriptions.clear()

    def _count(self, now: int) -> None:
        second = now // SECOND
        if second != self._second:
            self._second, self._commands = second, 0
        self._commands += 1
        if self._commands > COMMANDS_PER_SECOND:
            raise CommandError(Code.TOO_MANY_REQUESTS)

    def _answer(self, command: Command) -> list[Frame]:
        if command.name == "list_subscriptions":
            listed = [{"channel": sub.name, "sid": sid} for sid, sub in self.subscriptions.items()]
            return [_control({"type": "ok", **command.mark(), "msg": listed})]
        if command.params is None:
            raise CommandError(Code.PARAMS_REQUIRED)
        if command.name == "subscribe":
            return self._subscribe(command, command.params)
        if command.name == "unsubscribe":
            return self._unsubscribe(command, command.params)
        return self._update(command, command.params)

    # Subscribing

    def _subscribe(self, command: Command, params: dict[str, object]) -> list[Frame]:
        channels = self._channels(params)
        chosen = self._chosen(params)
        yes_price, initial = flag(params, "use_yes_price"), flag(params, "send_initial_snapshot")
        quiet = flag(params, "skip_ticker_ack")
        own_only = params.get("user_filter") == "self"
        if params.get("user_filter", "") not in ("", "self"):
            raise CommandError(Code.INVALID_PARAMETER, "user_filter must be '' or 'self'")
        shard = (
            shard_of(params) if any(each.name == "communications" for each in channels) else (1, 0)
        )
        indices = {each.indices: names(params, each.indices) for each in channels if each.indices}
        if any(len(listed) > MOST_MARKETS for listed in indices.values()):
            raise CommandError(Code.MARKET_LIMIT, f"at most {MOST_MARKETS}")
        for channel in channels:
            self._permit(channel, chosen)
        if any(channel.markets != "ignored" for channel in channels):
            self._check_markets(chosen, 0)
        answers, opening = [], []
        for channel in channels:
            self._last_sid += 1
            sub = Subscription(
                channel, self._last_sid, self._user_id, self._subaccount, self._outlet
            )
            sub.yes_price, sub.quiet, sub.own_only, sub.shard = yes_price, quiet, own_only, shard
            if channel.markets != "ignored" and chosen:
                sub.markets = dict(chosen)
            _follow(sub, indices.get(channel.indices, []))
            self.subscriptions[sub.sid] = sub
            self._board.watch(sub, sub.markets or ())
            shown = {"channel": channel.name, "sid": sub.sid}
            answers.append(_control({"type": "subscribed", **command.mark(), "msg": shown}))
            opening += self._opening(sub, sub.markets or (), initial)
        return answers + opening

    def _channels(self, params: dict[str, object]) -> list[Channel]:
        asked = names(params, "channels")
        if not asked:
            raise CommandError(Code.CHANNELS_REQUIRED)
        unknown = [name for name in asked if name not in CHANNELS]
        if unknown:
            raise CommandError(Code.UNKNOWN_CHANNEL, unknown[0])
        return [CHANNELS[name] for name in dict.fromkeys(asked)]

    def _permit(self, channel: Channel, chosen: dict[str, str | None]) -> None:
        if channel.private and not self._private:
            raise CommandError(Code.AUTHENTICATION_REQUIRED, channel.name)
        by_id = any(market_id is not None for market_id in chosen.values())
        if channel.markets == "required" and (not chosen or by_id):
            raise CommandError(Code.MARKET_TICKER_REQUIRED)
        if channel.markets == "optional" and by_id and channel.name != "ticker":
            raise CommandError(
                Code.INVALID_PARAMETER, f"{channel.name} takes market_tickers, not market_ids"
            )

    def _chosen(self, params: dict[str, object]) -> dict[str, str | None]:
        """The markets a command names, each with the id it was named by."""
        tickers, ids = market_choice(params)
        chosen: dict[str, str | None] = dict.fromkeys(tickers)
        for market_id in ids:
            ticker = self._board.named(market_id)
            if ticker is None:
                raise CommandError(
                    Code.INVALID_PARAMETER, f"no market has the id {market_id[:80]!r}"
                )
            chosen[ticker] = market_id
        return chosen

    def _check_markets(self, chosen: dict[str, str | None], held: int) -> None:
        if held + len(chosen) > MOST_MARKETS:
            raise CommandError(Code.MARKET_LIMIT, f"at most {MOST_MARKETS}")
        missing = self._board.missing(tuple(chosen))
        if missing:
            raise CommandError(Code.INVALID_PARAMETER, "market not found", markets=missing)

    def _opening(self, sub: Subscription, tickers: Iterable[str], initial: bool) -> list[Frame]:
        """What a subscription starts with: books, and prices if asked for."""
        if sub.name == "orderbook_delta":
            return [self._snapshot(sub, ticker) for ticker in tickers]
        if sub.name == "ticker" and initial:
            bodies = (self._board.ticker(ticker) for ticker in tickers)
            return [Frame(sub.name, sub.frame(b"ticker", body)) for body in bodies]
        return []

    def _snapshot(self, sub: Subscription, ticker: str, command_id: int = 0) -> Frame:
        body = self._board.snapshot(ticker, yes_price=sub.yes_price)
        return Frame(sub.name, sub.frame(b"orderbook_snapshot", body, command_id))

    # Ending and changing

    def _unsubscribe(self, command: Command, params: dict[str, object]) -> list[Frame]:
        sids = numbers(params, "sids")
        if not sids:
            raise CommandError(Code.SIDS_REQUIRED)
        answers = []
        for sid in dict.fromkeys(sids):
            sub = self.subscriptions.pop(sid, None)
            if sub is None:
                answers.append(self._refusal(command.id, CommandError(Code.UNKNOWN_SID, str(sid))))
                continue
            self._board.unwatch(sub)
            answers.append(
                _control(
                    {"type": "unsubscribed", **command.mark(), "sid": sid, "seq": sub.numbered()}
                )
            )
        return answers

    def _update(self, command: Command, params: dict[str, object]) -> list[Frame]:
        sub = self._target(params)
        try:
            action = params.get("action")
            if not action:
                raise CommandError(Code.ACTION_REQUIRED)
            if action in ("add_markets", "delete_markets") and sub.channel.markets != "ignored":
                return self._change_markets(command, params, sub, add=action == "add_markets")
            if action == "get_snapshot" and sub.name == "orderbook_delta":
                return self._resend(command, params, sub)
            if action in INDEX_ACTIONS.get(sub.channel.indices, ()):
                return self._change_indices(command, params, sub, str(action))
            raise CommandError(Code.UNSUPPORTED_ACTION)
        except CommandError as refused:
            refused.subscription = sub
            raise

    def _target(self, params: dict[str, object]) -> Subscription:
        sids = numbers(params, "sids") + numbers(params, "sid")
        if len(sids) != 1:
            raise CommandError(Code.ONE_SID_REQUIRED)
        sub = self.subscriptions.get(sids[0])
        if sub is None:
            raise CommandError(Code.UNKNOWN_SID, str(sids[0]))
        return sub

    def _change_markets(
        self, command: Command, params: dict[str, object], sub: Subscription, *, add: bool
    ) -> list[Frame]:
        chosen = self._chosen(params)
        if not chosen:
            raise CommandError(Code.MARKET_TICKER_REQUIRED)
        self._permit(sub.channel, chosen)
        initial = flag(params, "send_initial_snapshot")
        if not add:
            if sub.markets is None:
                raise CommandError(Code.INVALID_PARAMETER, "this subscription is to every market")
            gone = [ticker for ticker in chosen if ticker in sub.markets]
            for ticker in gone:
                del sub.markets[ticker]
            self._board.unwatch(sub, gone)
            return [self._updated(command, sub)]
        held = sub.markets or {}
        new = {ticker: chosen[ticker] for ticker in chosen if ticker not in held}
        self._check_markets(new, len(held))
        if sub.markets is not None:
            sub.markets.update(new)
            self._board.watch(sub, new)
        return [self._updated(command, sub), *self._opening(sub, new, initial)]

    def _updated(self, command: Command, sub: Subscription) -> Frame:
        """All the markets of a subscription, unless it does not want to hear of them."""
        shown: dict[str, object] = {"type": "ok", **command.mark()}
        shown |= {"sid": sub.sid, "seq": sub.numbered()}
        if not sub.quiet:
            held = sub.markets or {}
            ids = [market_id for market_id in held.values() if market_id is not None]
            listed: dict[str, object] = {
                "market_tickers": [ticker for ticker, named in held.items() if named is None]
            }
            shown["msg"] = listed | {"market_ids": ids} if ids else listed
        return _control(shown)

    def _resend(
        self, command: Command, params: dict[str, object], sub: Subscription
    ) -> list[Frame]:
        chosen = self._chosen(params)
        self._permit(sub.channel, chosen)
        self._check_markets(chosen, 0)
        return [self._snapshot(sub, ticker, command.id) for ticker in chosen]

    def _change_indices(
        self, command: Command, params: dict[str, object], sub: Subscription, action: str
    ) -> list[Frame]:
        field = sub.channel.indices
        subscribe, _, listing = INDEX_ACTIONS[field]
        shown: dict[str, object] = {"type": "ok", **command.mark()}
        if action == listing:
            shown["type"] = INDEX_LISTS[sub.name]
            listed = list(self._board.indices(sub.name))
        else:
            asked = names(params, field)
            if not asked:
                underlying = field == "underlying_tickers"
                raise CommandError(
                    Code.UNDERLYINGS_REQUIRED if underlying else Code.INDEX_IDS_REQUIRED
                )
            if action == subscribe:
                _follow(sub, asked)
            else:
                sub.every_index = sub.every_index and _ALL not in asked
                for name in asked:
                    sub.indices.pop(name, None)
            listed = [_ALL] * sub.every_index + list(sub.indices)
        shown |= {"sid": sub.sid, "seq": sub.numbered(), "msg": {field: listed}}
        return [_control(shown)]

    def _refusal(self, command_id: int, refused: CommandError) -> Frame:
        shown: dict[str, object] = {"type": "error"}
        if command_id:
            shown["id"] = command_id
        if refused.subscription is not None:
            shown |= {"sid": refused.subscription.sid, "seq": refused.subscription.numbered()}
        return _control(shown | {"msg": refused.message()})


def _follow(sub: Subscription, indices: Sequence[str]) -> None:
    if len(sub.indices) + len(indices) > MOST_MARKETS:
        raise CommandError(Code.MARKET_LIMIT, f"at most {MOST_MARKETS}")
    sub.every_index = sub.every_index or _ALL in indices
    sub.indices.update(dict.fromkeys(name for name in indices if name != _ALL))


def _control(shown: dict[str, object]) -> Frame:
    return Frame(CONTROL, _encode(shown))
