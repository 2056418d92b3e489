"""The names of all fault switches, with what each does. The README's table is checked against this one."""

from __future__ import annotations

QUICKBOOKS: dict[str, str] = {
    "quickbooks.drop_request": "closes the connection before anything is done",
    "quickbooks.drop_answer": "does the work, then closes the connection without an answer",
    "quickbooks.duplicate_request": "the request arrives twice under its requestid; the second one is answered",
    "quickbooks.late_commit": "closes the connection at once and does the work `seconds` later (at most 3)",
    "quickbooks.error_500_before": "500 code 10000, nothing done",
    "quickbooks.error_500_after": "does the work, then 500 code 10000",
    "quickbooks.html_404": "404 with an HTML page, nothing done",
    "quickbooks.html_502": "502 with an HTML page, nothing done",
    "quickbooks.html_502_after": "does the work, then 502 with an HTML page",
    "quickbooks.throttle": "429 code 3001; Retry-After only when `retry_after` is given",
    "quickbooks.expire_token": "401 code 3200; the access token used is dead from then on",
    "quickbooks.not_authorized": "403 code 3100",
    "quickbooks.slow": "waits `seconds` before the work",
    "quickbooks.transient_6000_saved": "the entry is saved, 6000 'unexpected error' answered (per item)",
    "quickbooks.transient_6000_unsaved": "6000 'unexpected error', the entry is not saved (per item)",
    "quickbooks.lagging_query": "a query does not see entries younger than `seconds` (at most 3)",
    "quickbooks.forget_request_id": "a repeated requestid is not recognised: the work is done again",
    "quickbooks.replay_error": "a repeated requestid replays a stored 4xx too",
    "quickbooks.forget_batch_request_id": "a repeated batch gets 6000 for each item, nothing done",
    "quickbooks.unbalanced_as_6000": "an unbalanced entry gets 6000 instead of 2300",
    "quickbooks.inactive_as_2500": "an inactive account gets 2500 instead of 610",
    "quickbooks.closed_as_6000": "a closed period gets 6000 instead of 6210",
    "quickbooks.fault_in_200": "a validation fault comes with HTTP 200",
    "quickbooks.amounts_as_text": "amounts in answers are text",
    "quickbooks.nulls": "optional fields that are absent come as null",
    "quickbooks.capital_refs": "PostingType comes in capitals",
    "quickbooks.no_ref_names": "references in answers carry no name",
    "quickbooks.shuffled_batch": "the items of a batch's answer come in another order",
    "quickbooks.missing_batch_item": "the last item of a batch is done but missing in the answer",
    "quickbooks.drop_token_answer": "the token endpoint rotates the tokens, then closes the connection",
    "quickbooks.token_500": "the token endpoint answers 500, nothing done",
    "quickbooks.revoked": "a refresh gets invalid_grant",
    "quickbooks.user_not_in_realm": "a refresh gets invalid_grant with the reason user_not_in_realm",
}

HEARTLAND: dict[str, str] = {
    "heartland.drop_answer": "does the work, then closes the connection without an answer",
    "heartland.error_500": "500, nothing done",
    "heartland.throttle": "429; Retry-After only when `retry_after` is given",
    "heartland.slow": "waits `seconds` before the answer",
    "heartland.unauthorized": "401",
    "heartland.html_502": "502 with an HTML page",
    "heartland.duplicate_rows": "a page repeats one of its rows",
    "heartland.shuffled": "the rows of a page come in another order",
    "heartland.amounts_as_text": "amounts are text",
    "heartland.capital_status": "the status begins with a capital, as in `Complete`",
    "heartland.nulls": "optional fields are null",
    "heartland.no_embedding": "`_include[]` is ignored",
    "heartland.short_embedding": "embedded lines are cut short",
    "heartland.empty_pages_zero": "an empty collection says `pages: 0`",
    "heartland.no_class_names": "the financial classes answer 404",
}

SWITCHES: dict[str, str] = {**QUICKBOOKS, **HEARTLAND}
