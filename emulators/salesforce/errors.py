"""How Salesforce says no: the REST error list and the OAuth error object, word for word."""

from __future__ import annotations

from collections.abc import Sequence

from emulators.http import Response


class RestError(Exception):
    """A REST call was refused; answered as `[{"message", "errorCode"[, "fields"]}]`."""

    def __init__(self, status: int, code: str, message: str, fields: Sequence[str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.fields = list(fields) if fields is not None else None

    def body(self) -> list[dict[str, object]]:
        """Return the error as the REST API prints it."""
        error: dict[str, object] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = self.fields
        return [error]

    def as_save_error(self) -> dict[str, object]:
        """Return the error as it stands inside the result of a collection call."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields or []}

    def response(self) -> Response:
        """Return the HTTP answer."""
        return Response.of_json(self.body(), self.status)


class UnknownResource(RestError):
    """A path that the emulator does not have, whether or not Salesforce has it: for the coverage table."""

    def __init__(self, message: str = "The requested resource does not exist") -> None:
        super().__init__(404, "NOT_FOUND", message)


class OAuthError(Exception):
    """A token was refused; answered as `{"error", "error_description"}`."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error, self.description, self.status = error, description, status

    def response(self) -> Response:
        """Return the HTTP answer."""
        return Response.of_json({"error": self.error, "error_description": self.description}, self.status)


def not_found() -> RestError:
    """Return the answer to an object, record or API version that the org does not have."""
    return RestError(404, "NOT_FOUND", "The requested resource does not exist")


def invalid_session() -> RestError:
    """Return the answer to a missing, unknown or expired access token."""
    return RestError(401, "INVALID_SESSION_ID", "Session expired or invalid")


def wrong_method(method: str, allowed: str) -> RestError:
    """Return the answer to an HTTP method that a resource does not have."""
    return RestError(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are {allowed}")


def bad_json(why: str) -> RestError:
    """Return the answer to a body that is not the JSON that the call takes."""
    return RestError(400, "JSON_PARSER_ERROR", why)
