"""Milestones (scheduled games) and structured targets (competitors), derived from game events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .._text import HOUR, digest, time_text, uuid_text
from . import states
from .generated import Generated
from .market import Event
from .query import Key
from .series import SERIES, Kind, Series, competitor_id
from .strikes import matchup

_GAMES = [number for number, series in enumerate(SERIES) if series.kind is Kind.GAME]


@dataclass(frozen=True, slots=True)
class Milestone:
    """A scheduled game; times are Unix microseconds."""

    id: str
    event: Event

    @property
    def start(self) -> int:
        """When the game starts."""
        return self.event.close

    @property
    def updated(self) -> int:
        """When it last changed."""
        return self.event.updated

    @property
    def type(self) -> str:
        """The kind of milestone, such as ``baseball_game``."""
        return kind_of(self.event.series)

    @property
    def source_id(self) -> str:
        """Its name at the data provider."""
        return f"sr:match:{self.event.key % 100_000_000}"

    def json(self) -> dict[str, object]:
        """The object as the exchange sends it."""
        series = self.event.series
        first, second = matchup(series, self.event.key)
        return {
            "category": series.category,
            "details": {
                "away_id": competitor_id(series, first[0]),
                "home_id": competitor_id(series, second[0]),
                "league": series.competition,
            },
            "end_date": time_text(self.start + 3 * HOUR),
            "id": self.id,
            "last_updated_ts": time_text(self.updated),
            "notification_message": f"{first[1]} vs {second[1]} is starting",
            "primary_event_tickers": [self.event.ticker],
            "related_event_tickers": [self.event.ticker],
            "source_id": self.source_id,
            "source_ids": {"sportradar": self.source_id},
            "start_date": time_text(self.start),
            "title": f"{first[1]} vs {second[1]}",
            "type": self.type,
        }

    def live(self, now: int) -> dict[str, object]:
        """The state of the game at this time."""
        raw = digest(self.event.key, 0x11, 8)
        part = min(max(now - self.start, 0), 3 * HOUR) / (3 * HOUR)
        status = "scheduled" if part == 0 else "closed" if part == 1 else "inprogress"
        return {
            "details": {
                "away_points": int(raw[0] % 9 * part),
                "home_points": int(raw[1] % 9 * part),
                "status": status,
            },
            "milestone_id": self.id,
            "type": self.type,
        }

    def plays(self, now: int) -> list[dict[str, object]]:
        """Periods of play so far, with their events."""
        live = self.live(now)["details"]
        return [{"events": [{"description": "Start", "state": live}]}] if now >= self.start else []


def kind_of(series: Series) -> str:
    """The milestone type of a series of games."""
    return f"{series.tags[0].lower()}_game"


def milestone_of(event: Event) -> Milestone | None:
    """The milestone of an event; None for one that is not a game."""
    if event.series.kind is not Kind.GAME:
        return None
    return Milestone(uuid_text(digest(event.key, 0x12, 16)), event)


def milestones(generated: Generated, after: Key | None) -> Iterator[Milestone]:
    """Milestones of live games, newest first, from behind `after`."""
    columns = generated.columns
    games = frozenset(_GAMES)
    for position in range(len(generated)):
        if after is not None and columns.created[position] >= after[0]:
            continue
        if columns.series[position] in games and columns.state[position] != states.ARCHIVED:
            found = milestone_of(generated.event_at(position))
            if found is not None:
                yield found


class MilestoneIndex:
    """Milestones by id: the first look-up walks the games once."""

    def __init__(self, generated: Generated) -> None:
        self._generated = generated
        self._positions: dict[str, int] | None = None

    def get(self, milestone_id: str) -> Milestone | None:
        """The milestone with this id."""
        if self._positions is None:
            columns, games = self._generated.columns, frozenset(_GAMES)
            self._positions = {
                uuid_text(digest(columns.key[position], 0x12, 16)): position
                for position in range(len(columns.key))
                if columns.series[position] in games and columns.state[position] != states.ARCHIVED
            }
        position = self._positions.get(milestone_id)
        return None if position is None else milestone_of(self._generated.event_at(position))


@dataclass(frozen=True, slots=True)
class Target:
    """A structured target: a team, a player or a title."""

    id: str
    name: str
    type: str
    competition: str

    def json(self, updated: int) -> dict[str, object]:
        """The object as the exchange sends it."""
        return {
            "details": {"competition": self.competition} if self.competition else {},
            "id": self.id,
            "last_updated_ts": time_text(updated),
            "name": self.name,
            "source_id": f"sr:competitor:{int(self.id[:6], 16)}",
            "source_ids": {"sportradar": f"sr:competitor:{int(self.id[:6], 16)}"},
            "type": self.type,
        }


TARGETS: dict[str, Target] = {
    target.id: target
    for target in sorted(
        (
            Target(competitor_id(series, code), name, series.participant, series.competition)
            for series in SERIES
            for code, name in series.names
        ),
        key=lambda target: target.id,
    )
}
