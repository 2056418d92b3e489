"""Compares what was posted in a range of posting dates with what the accounting system shows."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations import pipeline, vendors
from ledger.errors import DaybookError


class Command(BaseCommand):
    help = "Compare our entries with the accounting system's, for posting dates from FIRST to LAST."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("first", type=date.fromisoformat, help="YYYY-MM-DD")
        parser.add_argument("last", type=date.fromisoformat, help="YYYY-MM-DD")

    def handle(self, *args: Any, **options: Any) -> None:
        for connection in vendors.books_connections():
            try:
                run = pipeline.reconcile(connection, first=options["first"], last=options["last"])
            except DaybookError as problem:
                raise CommandError(f"{connection}: {problem.sentence}") from None
            self.stdout.write(f"{run}: {run.entries_ours} entries here, {run.entries_theirs} there.")
            for discrepancy in run.discrepancies.all():
                self.stdout.write(f"  {discrepancy.sentence}")
