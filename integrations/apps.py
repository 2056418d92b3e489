"""The integrations room as a Django application: its schedules after a migration, its part of the core's pages."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class IntegrationsConfig(AppConfig):
    name = "integrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from integrations import audit_story, downgrading, posting_story, schedules  # noqa: PLC0415  their models exist only now

        # From no one application, or the guards of the core would be away by then.
        pre_migrate.connect(downgrading.refuse_without_keys, dispatch_uid="integrations.downgrading")
        post_migrate.connect(schedules.install, sender=self, dispatch_uid="integrations.schedules")
        posting_story.install()
        audit_story.install()
