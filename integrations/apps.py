"""The integrations room as a Django application; it installs the schedules after a migration."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class IntegrationsConfig(AppConfig):
    name = "integrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from integrations import schedules  # noqa: PLC0415  its models exist only now

        post_migrate.connect(schedules.install, sender=self, dispatch_uid="integrations.schedules")
