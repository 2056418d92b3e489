"""How Daybook logs: structlog for our own words and the libraries', with everything secret masked on the way.

Ids and states belong in a log; credentials, card numbers and whole payloads never do.
"""

import logging
import os
import re
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from ledger.masking import MASK, mask_cards

SECRET_NAME = re.compile(
    r"authorization|cookie|password|passwd|secret|token|api_?key|credential|private_?key|signature|access_key",
    re.IGNORECASE,
)
SECRET_IN_TEXT = re.compile(
    r"""(?ix)
    (?P<name>\b(?:bearer|basic)\s+
      |["']?(?:access_token|refresh_token|id_token|token|client_secret|secret|password|authorization|api_?key|code)["']?
       \s*[=:]\s*["']?(?:bearer\s+|basic\s+)?)
    (?P<value>[A-Za-z0-9._~+/=%-]{8,})
    """
)
PROCESS = "DAYBOOK_PROCESS"
"""The variable by which a supervisor tells its children what they are called in the log: web or worker."""

OUR_NAMES = frozenset({"request_id", "fingerprint", "owner", "batch", "message"})
OUR_HEX = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Ids and fingerprints that we made stand whole under their names, though one in two hundred looks like a card's."""


def clean_text(text: str) -> str:
    without_secrets = SECRET_IN_TEXT.sub(lambda found: found["name"] + MASK, text)
    return mask_cards(without_secrets)


def clean(value: Any, *, name: str = "") -> Any:
    """The same value with secrets masked, at any depth; what is no text, number or container becomes text."""
    if SECRET_NAME.search(name) and value not in (None, "", True, False):
        return MASK
    if isinstance(value, Mapping):
        return {key: clean(item, name=str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(item) for item in value]
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if clean_text(str(value)) == str(value) else MASK
    text = str(value)
    return text if name in OUR_NAMES and OUR_HEX.fullmatch(text) else clean_text(text)


def redact(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """The structlog processor: the last one before an event becomes a line of text."""
    return {key: item if key.startswith("_") else clean(item, name=key) for key, item in event.items()}


def shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def configure_structlog() -> None:
    structlog.configure(
        processors=[*shared_processors(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def whence(machine: str) -> Processor:
    """Adds where a line was written: of several machines the logs are read together."""
    process = os.environ.get(PROCESS, "command")

    def add(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        return {**event, "machine": machine, "process": process, "pid": os.getpid()}

    return add


def formatter(*, as_json: bool, machine: str = "") -> logging.Formatter:
    """Tracebacks become text before the masking, since an exception's words may quote a request."""
    last: Processor = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared_processors(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact,
            *([whence(machine)] if machine and as_json else []),
            last,
        ],
    )


def logging_settings(*, level: str, as_json: bool, machine: str = "") -> dict[str, Any]:
    """What goes into Django's LOGGING: one handler on standard error for everybody."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"daybook": {"()": formatter, "as_json": as_json, "machine": machine}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "daybook"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            # The queue says five lines per wake-up.
            "django-q": {"handlers": [], "level": "WARNING", "propagate": True},
            # Of each sign-in it says four lines; what failed and who is locked out are warnings.
            "axes": {"handlers": [], "level": "WARNING", "propagate": True},
            # It would say whole addresses; that of a chat is a secret.
            "urllib3": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }
