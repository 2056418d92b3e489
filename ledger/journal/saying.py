"""What an error says on a posting: one translation for everything that can fail."""

import structlog

from ledger.errors import DaybookError
from ledger.models import Posting

log = structlog.get_logger(__name__)

NOTHING_SAID = {"error_code": "", "cause": "", "error": "", "error_detail": ""}
INTERNAL = "Daybook met a problem of its own with this event. Please report it to the developers of Daybook."


def put(posting: Posting, **columns: object) -> None:
    """Set columns of a posting by name; the caller saves it."""
    for column, value in columns.items():
        setattr(posting, column, value)


def said(error: Exception) -> dict[str, str]:
    """The columns of a posting in error. An exception outside our tree is a defect: it is logged and said as one."""
    if not isinstance(error, DaybookError):
        log.error("unexpected error", kind=type(error).__name__, exc_info=error)
        return {"error_code": "internal", "cause": "internal", "error": INTERNAL, "error_detail": type(error).__name__}
    return {
        "error_code": error.code,
        "cause": error.cause[:200],
        "error": error.sentence,
        "error_detail": error.detail,
    }
