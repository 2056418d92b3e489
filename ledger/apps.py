"""The ledger room as a Django application; it keeps the database's guards in place around migrations."""

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate

from ledger import guards, marks


def _drop_guards(*, using: str, **_: object) -> None:
    guards.drop(connections[using])


def _install_guards(*, using: str, **_: object) -> None:
    guards.install(connections[using])
    _mark_every_day(using)


def _mark_every_day(using: str) -> None:
    """What was written while the triggers were away, or before there were any, was not noted."""
    connection = connections[using]
    if {marks.POSTING, marks.STALE} <= set(connection.introspection.table_names()):
        with connection.cursor() as cursor:
            cursor.execute(marks.EVERY_DAY)


class LedgerConfig(AppConfig):
    name = "ledger"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        pre_migrate.connect(_drop_guards, sender=self, dispatch_uid="ledger.guards.drop")
        post_migrate.connect(_install_guards, sender=self, dispatch_uid="ledger.guards.install")
