"""What `--cruel` switches on at Heartland Retail from the start. A patient reader still gets everything.

`heartland.unauthorized` is not among them: without a refresh token it needs a person, and the demo has none.
"""

from collections.abc import Mapping
from typing import Any

HEARTLAND_CRUEL: Mapping[str, Mapping[str, Any]] = {
    # Asked once a request.
    "heartland.slow": {"probability": 0.05, "seed": 11, "seconds": 0.5},
    "heartland.throttle": {"probability": 0.04, "seed": 12, "retry_after": 1},
    "heartland.error_500": {"probability": 0.04, "seed": 13},
    "heartland.html_502": {"probability": 0.03, "seed": 14},
    "heartland.drop_answer": {"probability": 0.04, "seed": 15},
    "heartland.duplicate_rows": {"probability": 0.3, "seed": 16},
    "heartland.shuffled": {"probability": 0.3, "seed": 17},
    "heartland.amounts_as_text": {"probability": 0.2, "seed": 18},
    "heartland.capital_status": {"probability": 0.2, "seed": 19},
    "heartland.nulls": {"probability": 0.2, "seed": 20},
    "heartland.empty_pages_zero": {"always": True},
    "heartland.no_class_names": {"times": 1},
    # Asked once a document.
    "heartland.no_embedding": {"probability": 0.005, "seed": 21},
    "heartland.short_embedding": {"probability": 0.01, "seed": 22},
}
