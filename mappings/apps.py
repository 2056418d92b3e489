"""The mappings room as a Django application, and its part of the core's pages."""

from django.apps import AppConfig


class MappingsConfig(AppConfig):
    name = "mappings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from mappings import mapped_by  # noqa: PLC0415  its models exist only now

        mapped_by.install()
