"""Error answers in the three shapes the exchange uses."""

from __future__ import annotations

Body = dict[str, object]


class ApiError(Exception):
    """A refusal: HTTP status and JSON body."""

    def __init__(self, status: int, body: Body) -> None:
        super().__init__(f"{status} {body}")
        self.status, self.body = status, body


def nested(
    status: int, code: str, details: str | None = None, message: str | None = None
) -> ApiError:
    """``{"error": {"code", "message", "details"?}}``; the message is the code in words."""
    error = {"code": code, "message": message or code.replace("_", " ")}
    if details is not None:
        error["details"] = details
    return ApiError(status, {"error": error})


def bad_request(details: str) -> ApiError:
    """400 with what was wrong."""
    return nested(400, "bad_request", details)


def forbidden(details: str) -> ApiError:
    """403 of what a key or an account may not do."""
    return nested(403, "forbidden", details)


def unknown_subaccount(number: int) -> ApiError:
    """400 of a subaccount that the account does not have."""
    return nested(400, "invalid_subaccount", f"there is no subaccount {number}")


def not_found() -> ApiError:
    """404, the same for every kind of object."""
    return nested(404, "not_found")


def too_many_requests() -> ApiError:
    """429; the exchange sends no Retry-After."""
    return nested(429, "too_many_requests")


def invalid_field(operation: str, name: str, tag: str) -> ApiError:
    """400 of a parameter that breaks a rule (lte, gte, required, oneof, max) of its operation."""
    field = "".join(part.capitalize() for part in name.split("_"))
    return ApiError(
        400,
        {
            "msg": f"Parameter validation failed for {operation}: Key: '{operation}Params.{field}' "
            f"Error:Field validation for '{field}' failed on the '{tag}' tag"
        },
    )


def unreadable_field(operation: str, name: str, value: str, expected: str) -> ApiError:
    """400 of a parameter that is not of its type."""
    return ApiError(
        400,
        {
            "msg": f"Parameter validation failed for {operation}: '{name}' must be {expected}, "
            f"got {value[:80]!r}"
        },
    )
