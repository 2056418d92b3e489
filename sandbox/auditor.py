"""The independent judge: do the books at QuickBooks agree with the till to the cent?

Run as `python -m sandbox.auditor --url http://127.0.0.1:PORT`. It knows both vendors by their HTTP APIs only,
and the accounts by data/expected_accounts.json; it shares no code with the product or with the sandbox.
"""

import argparse
import datetime
import json
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.auditor_books import read_books
from sandbox.auditor_http import AuditFailed, Reader
from sandbox.auditor_rules import CREDIT, DEBIT, ZERO, Plan
from sandbox.auditor_till import read_till
from sandbox.auditor_verdict import Findings, Scope, judge

PURPOSE = "The independent judge: do the books at QuickBooks agree with the till to the cent?"
DATA = Path(__file__).parent / "data"
MOST_EXAMPLES = 20
STAYS_OUT = ("absent", "nothing_to_post")


def audit(
    url: str,
    *,
    first: datetime.date | None = None,
    last: datetime.date | None = None,
    cruel: bool = False,
    data: Path = DATA,
) -> dict[str, Any]:
    """Judge the tickets of these business dates (both ends included); AuditFailed when it cannot be done.

    Without dates, all tickets completed before this moment. `differences` is their number, amounts are text.
    """
    plan = Plan.read(data / "expected_accounts.json")
    outcomes = _outcomes(data / "cruel_documents.json") if cruel else {}
    scope = Scope(
        first=first,
        last=last,
        started=datetime.datetime.now(datetime.UTC),
        errors=frozenset(key for key, outcome in outcomes.items() if outcome == "error"),
        barred=frozenset(key for key, outcome in outcomes.items() if outcome in STAYS_OUT),
        accounts=plan.accounts(),
    )
    reader = Reader(url)
    try:
        return report(judge(read_till(reader, plan=plan), read_books(reader), scope=scope))
    finally:
        reader.close()


def report(findings: Findings) -> dict[str, Any]:
    """The findings as the line that is printed."""
    return {
        "ok": not findings.differences,
        "events": len(findings.tickets),
        "entries": len(findings.entries),
        "debits": _sum(findings, DEBIT),
        "credits": _sum(findings, CREDIT),
        "differences": len(findings.differences),
        "nothing_to_post": findings.nothing_to_post,
        "expected_errors": findings.errors,
        "examples": findings.differences[:MOST_EXAMPLES],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        result = audit(options.url, first=options.first, last=options.last, cruel=options.cruel)
    except AuditFailed as reason:
        result = _not_made(reason)
    for example in result["examples"]:
        print(example, file=sys.stderr)
    print(_summary(result), file=sys.stderr)
    print(json.dumps(result))
    return 0 if result["ok"] else 1


def _not_made(reason: AuditFailed) -> dict[str, Any]:
    """No audit is no agreement."""
    nothing = Findings(tickets=[], entries=[], differences=[str(reason)], errors=[], nothing_to_post=0)
    return report(nothing)


def _sum(findings: Findings, side: str) -> str:
    return str(sum((entry.sum_of(side) for entry in findings.entries), ZERO))


def _summary(result: dict[str, Any]) -> str:
    verdict = "The books agree with the till" if result["ok"] else f"{result['differences']} differences"
    return (
        f"{verdict}: {result['events']} events, {result['entries']} entries, "
        f"debits {result['debits']}, credits {result['credits']}."
    )


def _outcomes(path: Path) -> dict[int, str]:
    """What each cruel document is expected to become, by ticket id."""
    documents = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    return {int(one["id"]): str(one["outcome"]) for one in documents}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    day = datetime.date.fromisoformat
    parser = argparse.ArgumentParser(prog="python -m sandbox.auditor", description=PURPOSE)
    add = parser.add_argument
    add("--url", required=True, help="where the sandbox listens, e.g. http://127.0.0.1:8001")
    add("--from", dest="first", type=day, metavar="DATE", help="first business date (default: no limit)")
    add("--to", dest="last", type=day, metavar="DATE", help="last business date (default: no limit)")
    add("--cruel", action="store_true", help="the documents of data/cruel_documents.json are in the shop")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
