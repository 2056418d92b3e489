"""How the pretend Heartland says no: one exception, written in the vendor's error shape."""

from sandbox.server import Answer, json_answer


class Refused(Exception):
    """Becomes an answer `{"error", "message", "details"}` with its HTTP status."""

    def __init__(self, status: int, *, code: str, message: str, details: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details or {}

    def answer(self) -> Answer:
        body = {"error": self.code, "message": self.message, "details": self.details}
        return json_answer(self.status, body)


def bad_query(message: str, *, field: str = "") -> Refused:
    return Refused(400, code="invalid_request", message=message, details={field: message} if field else None)


def invalid(field: str, *, message: str) -> Refused:
    return Refused(400, code="validation_error", message=f"{field} {message}", details={field: message})


def not_found(what: str) -> Refused:
    return Refused(404, code="not_found", message=f"{what} does not exist")
