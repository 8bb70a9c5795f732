"""Handlers of live data: games, events and city temperatures."""

from __future__ import annotations

from .._call import Call
from .._catalog.milestones import Milestone, milestone_of
from .._errors import bad_request, not_found
from .._text import DAY, SECOND, digest

_CITIES = {"nyc": 48.0, "chi": 41.0, "mia": 80.0, "lax": 66.0}
_STATIONS = {
    "nyc": ("KNYC", "KLGA"),
    "chi": ("KMDW", "KORD"),
    "mia": ("KMIA", "KTMB"),
    "lax": ("KLAX", "KCQT"),
}
_CONFIG = "v1"
_MOST_POINTS = 1440
_MOST_SPAN = 7 * 86_400
_RANGES = ("1H", "1D", "1W")


def _milestone(call: Call) -> Milestone:
    found = call.catalog.milestones.get(call.path["milestone_id"])
    if found is None:
        raise not_found()
    return found


async def get_live_data(call: Call) -> object:
    milestone = _milestone(call)
    if call.path.get("type", milestone.type) != milestone.type:
        raise not_found()
    return {"live_data": _live(call, milestone)}


async def get_live_datas(call: Call) -> object:
    ids = call.params.repeated("milestone_ids", most=100, required=True)
    found = [call.catalog.milestones.get(milestone_id) for milestone_id in dict.fromkeys(ids)]
    return {"live_datas": [_live(call, milestone) for milestone in found if milestone]}


def _live(call: Call, milestone: Milestone) -> dict[str, object]:
    shown = milestone.live(call.catalog.now)
    if call.params.flag("include_player_stats"):
        shown["details"] = {**_details(shown), "player_stats": []}
    return shown


def _details(shown: dict[str, object]) -> dict[str, object]:
    details = shown["details"]
    return dict(details) if isinstance(details, dict) else {}


async def get_game_stats(call: Call) -> object:
    return {"pbp": {"periods": _milestone(call).plays(call.catalog.now)}}


async def get_event_live_data(call: Call) -> object:
    event = call.catalog.event(call.path["event_ticker"])
    if event is None:
        raise not_found()
    chosen = call.params.text("range") or "1D"
    if chosen not in _RANGES:
        raise bad_request(f"range must be one of {', '.join(_RANGES)}")
    milestone = milestone_of(event.generated) if event.generated else None
    details = _details(milestone.live(call.catalog.now)) if milestone else {"range": chosen}
    return {
        "live_data": {
            "default_range": "1D",
            "details": details,
            "is_historical": event.close <= call.catalog.now,
            "range_options": list(_RANGES),
            "type": milestone.type if milestone else "event",
        }
    }


def _city(call: Call) -> str:
    city = call.path["city"].lower()
    if city not in _CITIES:
        raise bad_request(f"unknown city; choose one of {', '.join(_CITIES)}")
    return city


async def get_weather_index(call: Call) -> object:
    city, params = _city(call), call.params
    now = call.catalog.now // SECOND
    last = params.number("last_sec")
    end = params.number("to") or now
    start = params.number("from")
    if last is not None and (start is not None or last <= 0):
        raise bad_request("last_sec must be positive and excludes from")
    if start is None:
        start = end - (last or 3_600)
    if not 0 <= end - start <= _MOST_SPAN:
        raise bad_request(f"the range must be between 0 and {_MOST_SPAN} seconds")
    # Long ranges are thinned, so an answer stays small.
    step = 60 * max(1, -(-(end - start) // 60 // _MOST_POINTS))
    times = range(-(-start // step) * step, min(end, now) + 1, step)
    detailed = bool(params.flag("detailed"))
    return {
        "city": city,
        "config_version": _CONFIG,
        "timeseries": [_point(city, second, detailed=detailed) for second in times],
        "units": "F",
    }


def _temperature(city: str, second: int, station: int = 0) -> float:
    raw = digest(
        int.from_bytes(city.encode(), "little"), (second // 60 + station * 7919) & 0xFFFFFFFF, 2
    )
    hour = second % 86_400 / 3_600
    # Coldest at 11:00 UTC, warmest half a day later, with a little noise.
    return round(_CITIES[city] - abs(hour - 23 if hour > 11 else hour + 1) * 1.1 + raw[0] / 256, 2)


def _point(city: str, second: int, *, detailed: bool) -> dict[str, object]:
    point: dict[str, object] = {
        "contributors": 2,
        "status": "final",
        "t": second,
        "v": _temperature(city, second),
    }
    if detailed:
        point["stations"] = [
            {
                "code": "ok",
                "obs_time_ms": second * 1000,
                "received_at_ms": second * 1000 + 900,
                "source": "asos",
                "station_id": station,
                "temp_f": _temperature(city, second, number),
            }
            for number, station in enumerate(_STATIONS[city])
        ]
    return point


async def get_weather_calibrations(call: Call) -> object:
    city = _city(call)
    effective = (call.catalog.now - 30 * DAY) // DAY * DAY // 1000
    return {
        "calibrations": [
            {
                "change_reason": "initial",
                "city_reference_c": round((_CITIES[city] - 32) / 1.8, 2),
                "config_version": _CONFIG,
                "effective_at_ms": effective,
                "published_at_ms": effective - 86_400_000,
                "stations": [
                    {"offset_c": 0.1 * number, "station_id": station, "weight": 0.5}
                    for number, station in enumerate(_STATIONS[city])
                ],
            }
        ],
        "city": city,
        "units": "F",
    }
