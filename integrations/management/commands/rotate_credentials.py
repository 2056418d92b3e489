"""Encrypts every stored secret with the newest of CREDENTIAL_KEYS, so that the old ones can be taken away."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from integrations.models import AuthenticatorApp, Connection, Subscription
from integrations.secrets import Sealed
from ledger.locks import locked


class Command(BaseCommand):
    help = "Encrypt credentials, addresses of chats and second factors with the first of CREDENTIAL_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            connections = list(locked(Connection.objects.all()).order_by("pk"))
            Connection.objects.bulk_update(connections, ["credentials"])
            subscriptions = list(locked(Subscription.objects.exclude(chat_address="")).order_by("pk"))
            Subscription.objects.bulk_update(subscriptions, ["chat_address"], batch_size=500)
            apps = list(locked(AuthenticatorApp.objects.all()).order_by("pk"))
            AuthenticatorApp.objects.bulk_update(apps, ["secret"], batch_size=500)
        sealed = sum(isinstance(one.chat_address, Sealed) for one in subscriptions)
        lost = sum(isinstance(one.secret, Sealed) for one in apps)
        self.stdout.write(
            f"The credentials of {len(connections)} connections, the chat addresses of {len(subscriptions) - sealed} "
            f"people and the second factors of {len(apps) - lost} people are encrypted with the newest key."
        )
        if sealed:
            self.stdout.write(
                f"The chat addresses of {sealed} people were written with a key that CREDENTIAL_KEYS does not hold. "
                "They stay as they are: put that key back and run this again, or let their owners enter them anew."
            )
        if lost:
            self.stdout.write(
                f"The second factors of {lost} people were written with a key that CREDENTIAL_KEYS does not hold. They "
                "take no code: put that key back and run this again, or reset them on the pages of these people."
            )
