"""`manage.py let_in NAME`: the last way in for somebody whom no administrator can help, for instance the only one."""

from argparse import ArgumentParser
from typing import Any

from axes.utils import reset
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from config.people import deeds


class Command(BaseCommand):
    help = "Unlock a user, forget the second factor, revoke the API tokens, and print a one-time password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the user name")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username=options["name"]).first()
        if person is None:
            raise CommandError(f"There is no user {options['name']!r}.")
        with transaction.atomic():
            reset(username=person.username)
            deeds.reset_second_factor(person, actor=None)
            password = deeds.give_password(person, actor=None)
        self.stdout.write(password)
