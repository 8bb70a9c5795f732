"""``client.live_data``: scores, play-by-play, and the city temperature index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from .._decode import Page
from .._errors import InvalidRequestError
from .._operations import (
    GET_EVENT_LIVE_DATA,
    GET_GAME_STATS,
    GET_LIVE_DATA,
    GET_LIVE_DATA_BY_MILESTONE,
    GET_LIVE_DATAS,
    GET_WEATHER_CALIBRATIONS,
    GET_WEATHER_INDEX,
)
from ..models import live_data as models
from ._base import CallOptions, Resource
from ._checks import (
    MAX_BATCH_MILESTONES,
    Timestamp,
    bounded,
    identifier,
    identifiers,
    milliseconds,
    optional,
    span,
)


class LiveData(Resource):
    """What is known now about milestones and events. Public; cancelling any call is safe."""

    async def get(
        self,
        milestone_id: str,
        *,
        include_player_stats: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> models.LiveData:
        """Live data of a milestone, with ``include_player_stats`` those of its players.

        Raises:
            NotFoundError: There is no such milestone, or it has no live data.
        """
        return await self._object(
            GET_LIVE_DATA_BY_MILESTONE,
            models.LiveData,
            options,
            key="live_data",
            path={"milestone_id": identifier("milestone_id", milestone_id)},
            query={"include_player_stats": include_player_stats},
        )

    async def get_typed(
        self,
        type: str,  # noqa: A002 - the exchange's own name
        milestone_id: str,
        *,
        include_player_stats: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> models.LiveData:
        """Live data of a milestone whose ``type`` is known, e.g. ``"football_game"``.

        Raises:
            NotFoundError: There is no such milestone of that type.
        """
        return await self._object(
            GET_LIVE_DATA,
            models.LiveData,
            options,
            key="live_data",
            path={
                "type": identifier("type", type),
                "milestone_id": identifier("milestone_id", milestone_id),
            },
            query={"include_player_stats": include_player_stats},
        )

    async def batch(
        self,
        *,
        milestone_ids: str | Sequence[str],
        include_player_stats: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> Page[models.LiveData]:
        """Live data of up to 100 milestones.

        Raises:
            InvalidRequestError: No id, an empty one, or more than 100; nothing is sent.
        """
        query = {
            "milestone_ids": identifiers("milestone_ids", milestone_ids, MAX_BATCH_MILESTONES),
            "include_player_stats": include_player_stats,
        }
        return await self._list(
            GET_LIVE_DATAS, models.LiveData, options, key="live_datas", query=query
        )

    async def game_stats(
        self, milestone_id: str, **options: Unpack[CallOptions]
    ) -> models.GameStats:
        """A game, play by play.

        Raises:
            NotFoundError: There is no such milestone.
        """
        return await self._object(
            GET_GAME_STATS,
            models.GameStats,
            options,
            path={"milestone_id": identifier("milestone_id", milestone_id)},
        )

    async def event(
        self,
        event_ticker: str,
        *,
        range: str | None = None,  # noqa: A002 - the exchange's own name
        **options: Unpack[CallOptions],
    ) -> models.EventLiveData:
        """Live data of an event; ``range`` is one of the answer's own ``range_options``.

        Raises:
            NotFoundError: There is no such event, or it has no live data.
        """
        return await self._object(
            GET_EVENT_LIVE_DATA,
            models.EventLiveData,
            options,
            key="live_data",
            path={"event_ticker": identifier("event_ticker", event_ticker)},
            query={"range": optional("range", range)},
        )

    async def weather(
        self,
        city: str,
        *,
        from_: Timestamp | None = None,
        to: Timestamp | None = None,
        last_sec: int | None = None,
        detailed: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> models.WeatherIndex:
        """A city's temperature index, minute by minute; by default of the last 24 hours.

        Args:
            city: The city's id, e.g. ``"miami"``.
            from_: Start, inclusive: Unix **milliseconds** or an aware datetime.
            to: End, inclusive: Unix **milliseconds** or an aware datetime.
            last_sec: The last so many seconds, instead of ``from_`` and ``to``.
            detailed: Add each station's reading to each point.
            options: ``timeout=`` and ``deadline=`` in seconds.

        Raises:
            InvalidRequestError: ``last_sec`` beside ``from_`` or ``to``, a start after the end, or
                a naive datetime; nothing is sent.
            NotFoundError: There is no index for that city.
        """
        if last_sec is not None and (from_ is not None or to is not None):
            raise InvalidRequestError("last_sec excludes from_ and to; give one or the other")
        start, end = span("from_", milliseconds("from_", from_), "to", milliseconds("to", to))
        return await self._object(
            GET_WEATHER_INDEX,
            models.WeatherIndex,
            options,
            path={"city": identifier("city", city)},
            query={
                "from": start,
                "to": end,
                "last_sec": bounded("last_sec", last_sec, 1, None),
                "detailed": detailed,
            },
        )

    async def weather_calibrations(
        self, city: str, **options: Unpack[CallOptions]
    ) -> models.WeatherIndexCalibrations:
        """How a city's index was computed, from its first day on.

        Raises:
            NotFoundError: There is no index for that city.
        """
        return await self._object(
            GET_WEATHER_CALIBRATIONS,
            models.WeatherIndexCalibrations,
            options,
            path={"city": identifier("city", city)},
        )
