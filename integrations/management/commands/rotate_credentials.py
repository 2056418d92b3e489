"""Encrypts every stored credential with the newest of CREDENTIAL_KEYS, so that the old ones can be taken away."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from integrations.models import Connection
from ledger.locks import locked


class Command(BaseCommand):
    help = "Encrypt the credentials of all connections with the first key of CREDENTIAL_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            connections = list(locked(Connection.objects.all()).order_by("pk"))
            for connection in connections:
                connection.save(update_fields=["credentials"])
        self.stdout.write(f"The credentials of {len(connections)} connections are encrypted with the newest key.")
