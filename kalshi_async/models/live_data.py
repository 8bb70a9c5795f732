"""Live data: scores, play-by-play, and the city temperature index."""

from __future__ import annotations

from decimal import Decimal

from ._base import ABSENT, JsonObject, Model


class LiveData(Model):
    """What is known now about a milestone; ``type`` says which keys ``details`` has."""

    type: str = ABSENT
    details: JsonObject = ABSENT
    milestone_id: str = ABSENT


class EventLiveData(Model):
    """What is known now about an event, with the ranges that ``range=`` may ask for."""

    type: str = ABSENT
    details: JsonObject = ABSENT
    is_historical: bool | None = None
    default_range: str | None = None
    range_options: list[str] | None = None


class PlayByPlayPeriod(Model):
    """One period of a game."""

    events: list[JsonObject] | None = None


class PlayByPlay(Model):
    """A game, play by play."""

    periods: list[PlayByPlayPeriod] | None = None


class GameStats(Model):
    """Statistics of a game; ``pbp`` is None where none are kept."""

    pbp: PlayByPlay | None = None


class WeatherIndexStationReading(Model):
    """What one station reported for a minute: degrees Fahrenheit, times in Unix milliseconds."""

    station_id: str
    code: str = ABSENT
    source: str | None = None
    temp_f: Decimal | None = None
    obs_time_ms: int | None = None
    received_at_ms: int | None = None
    primary_code: str | None = None


class WeatherIndexPoint(Model):
    """The index at minute ``t`` (Unix milliseconds): ``v`` in the ``units`` of its index."""

    t: int
    v: Decimal | None = None
    status: str = ABSENT
    contributors: int | None = None
    receipt_basis: str | None = None
    stations: list[WeatherIndexStationReading] | None = None


class WeatherIndex(Model):
    """A city's temperature index, minute by minute; a gap is a minute without a value."""

    city: str
    config_version: str | None = None
    units: str = ABSENT
    timeseries: list[WeatherIndexPoint] = ABSENT


class WeatherIndexCalibrationStation(Model):
    """Weight and offset (degrees Celsius) of one station."""

    station_id: str
    weight: Decimal = ABSENT
    offset_c: Decimal = ABSENT
    update_note: str | None = None


class WeatherIndexCalibration(Model):
    """How the index is computed from ``effective_at_ms`` (Unix milliseconds) on."""

    config_version: str = ABSENT
    published_at_ms: int | None = None
    effective_at_ms: int = ABSENT
    change_reason: str | None = None
    calibration_window_start_ms: int | None = None
    calibration_window_end_ms: int | None = None
    city_reference_c: Decimal = ABSENT
    stations: list[WeatherIndexCalibrationStation] = ABSENT


class WeatherIndexCalibrations(Model):
    """All calibrations of a city's index, oldest first."""

    city: str
    units: str = ABSENT
    calibrations: list[WeatherIndexCalibration] = ABSENT
