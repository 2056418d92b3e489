"""`manage.py machines`: which worker machines give signs of life. A worker has no web server to be asked by."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations import machines


class Command(BaseCommand):
    help = "List the worker machines with their last sign of life."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--here", action="store_true", help="only this machine; fails while it is silent")

    def handle(self, *args: Any, here: bool, **options: Any) -> None:
        known = [one for one in machines.machines() if not here or one.name.startswith(f"{settings.MACHINE}:")]
        for machine in known:
            self.stdout.write(f"{machine.name}: {said_of(machine)} {machine.seconds_ago} s ago")
        if not known:
            raise CommandError("No worker machine is known. Start one: python -m config.supervisor worker")
        if here and not any(machine.works for machine in known):
            raise CommandError("The workers of this machine are silent. Their watchdog restarts them; see its log.")


def said_of(machine: machines.Machine) -> str:
    sign = "no sign of life yet, begun" if machine.starts else "last sign of life"
    return f"{'SILENT' if machine.is_silent else 'starts' if machine.starts else 'works'}, {sign}"
