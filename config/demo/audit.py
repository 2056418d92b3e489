"""The result of a run: our own counts, and the books as the independent auditor reads them at the vendors."""

import json
import subprocess
import sys
from typing import Any

from django.db.models import Count

from config.demo.answer import COUNTED
from config.demo.places import PROJECT, Places
from ledger.models import FinancialEvent, Posting
from ledger.terms import Outcome, SyncState

AUDIT_SECONDS = 600
REALM = "9130000000000001"


def result(where: Places, *, cruel: bool, seconds: float) -> dict[str, Any]:
    """What `bin/demo --check` prints."""
    counts, audited = _counts(), _audited(where, cruel=cruel)
    counts |= {key: audited.get(key) for key in ("entries", "debits", "credits", "differences")}
    problems = _problems(counts, audited)
    return {
        "ok": not problems,
        **{key: counts[key] for key in COUNTED},
        "seconds": seconds,
        "sandbox_url": where.sandbox_url,
        "admin_url": f"{where.url}/admin/",
        "realm": REALM,
        "by_vendor": {"quickbooks": {key: counts[key] for key in COUNTED}},
        **({"problems": problems} if problems else {}),
    }


def _counts() -> dict[str, Any]:
    states = dict(Posting.objects.values_list("state").annotate(n=Count("pk")))
    nothing = Posting.objects.filter(outcome__in=[Outcome.NOTHING_TO_POST, Outcome.VOIDED_BEFORE_SYNC])
    synced, errors = states.pop(SyncState.SYNCED, 0), states.pop(SyncState.ERROR, 0)
    return {
        "events": synced + errors,
        "synced": synced,
        "nothing_to_post": nothing.count(),
        "errors": errors,
        "unfinished": states,
    }


def _audited(where: Places, *, cruel: bool) -> dict[str, Any]:
    """The auditor's verdict; one that gives none has found no agreement either."""
    command = [sys.executable, "-m", "sandbox.auditor", "--url", where.sandbox_url, *(["--cruel"] if cruel else [])]
    try:
        ran = subprocess.run(
            command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=False, timeout=AUDIT_SECONDS
        )
        verdict: dict[str, Any] = json.loads(ran.stdout)
    except (subprocess.TimeoutExpired, ValueError) as problem:
        return {"ok": False, "examples": [f"The auditor gave no verdict ({problem}); see the messages above."]}
    return verdict


def _problems(counts: dict[str, Any], audited: dict[str, Any]) -> list[str]:
    """Why the result is not ok, in words; empty when it is."""
    problems = list(audited.get("examples", []))
    if "differences" not in audited:
        return problems
    if not audited.get("ok"):
        problems.append(f"The auditor found {audited.get('differences')} differences.")
    if counts["unfinished"]:
        problems.append(f"Not every event is finished: {counts['unfinished']}.")
    failed = FinancialEvent.objects.filter(postings__state=SyncState.ERROR).values_list("external_id", flat=True)
    if set(failed) != {str(number) for number in audited.get("expected_errors", [])}:
        problems.append(f"Errors {sorted(failed)} instead of {audited.get('expected_errors')}.")
    if counts["events"] != audited.get("events"):
        problems.append(f"The till holds {audited.get('events')} events, Daybook {counts['events']}.")
    return problems
