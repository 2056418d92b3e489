"""manage.py verify_audit: whether the guards of the audit stand, and the fingerprint of its records."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from ledger import guards
from ledger.audit import fingerprint, newest_record


class Command(BaseCommand):
    help = (
        "Say whether the database guards the audit, and print a fingerprint of its records. Write it down elsewhere; "
        "later, give it back with --through and --fingerprint: a record that was changed or taken away shows."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--through", type=int, help="the last record to take in; without it, the newest")
        parser.add_argument("--fingerprint", default="", help="what was printed for the same record before")

    def handle(self, *args: Any, through: int | None, **options: Any) -> None:
        missing = sorted(name for name in guards.missing(connection) if "audit" in name)
        if missing:
            raise CommandError(
                f"The database does not guard the audit: {', '.join(missing)}. Run `manage.py migrate`, "
                "then find out who took the guards away."
            )
        through = newest_record() if through is None else through
        count, found = fingerprint(through=through)
        wanted = str(options["fingerprint"])
        if wanted and wanted != found:
            raise CommandError(
                f"The {count} records through #{through} do not have the fingerprint {wanted}, but {found}: "
                "a record was changed, taken away or put in between since it was written down."
            )
        same = " It is the one that was written down: nothing has changed." if wanted else ""
        self.stdout.write(f"The guards stand. {count} records, through #{through}, have the fingerprint {found}.{same}")
