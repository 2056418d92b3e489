"""Bodies are JSON, small and flat; whatever cannot be read is refused, never stumbled over."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

LARGEST_BODY = 256 * 1024
"""Bytes: some ten thousand ids."""


class SmallJSONParser(JSONParser):
    """JSON of a bounded size."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        request = (parser_context or {})["request"]
        length = str(request.META.get("CONTENT_LENGTH") or "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            raise ParseError(f"The body is larger than {LARGEST_BODY // 1024} kB. Send fewer ids at a time.")
        try:
            return super().parse(stream, media_type, parser_context)
        except ParseError:
            raise ParseError("The body cannot be read: it must be JSON in UTF-8.") from None
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
