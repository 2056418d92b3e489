"""The shell as a Django app, last in the list: system checks, and what the admin does not show."""

from django.apps import AppConfig, apps
from django.contrib import admin

from config import checks


class ShellConfig(AppConfig):
    name = "config"
    label = "shell"
    verbose_name = "Daybook"

    def ready(self) -> None:
        checks.register_all()
        hide_queue_tables()


def hide_queue_tables() -> None:
    """The queue carries wake-ups only; its tables would show the reader nothing that is true."""
    for model in apps.get_app_config("django_q").get_models():
        if admin.site.is_registered(model):
            admin.site.unregister(model)
