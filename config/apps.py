"""The shell as a Django app, last in the list: checks, the groups that come with Daybook, what the admin hides."""

from django.apps import AppConfig, apps
from django.contrib import admin
from django.db.models.signals import post_migrate
from django.utils.module_loading import import_string

from config import checks


class ShellConfig(AppConfig):
    name = "config"
    label = "shell"
    verbose_name = "Daybook"

    def ready(self) -> None:
        checks.register_all()
        hide_inner_tables()
        # After the last room's tables, and so after its permissions; this app has no tables of its own to wait for.
        last = apps.get_app_config("integrations")
        post_migrate.connect(import_string("config.groups.install"), sender=last, dispatch_uid="shell.groups.install")


INNER_WORKINGS = ("axes", "django_q", "knox", "otp_static", "otp_totp")
"""Apps whose tables say nothing to a reader, or hold what nobody may read: screens of our own stand for them."""


def hide_inner_tables() -> None:
    for label in INNER_WORKINGS:
        for model in apps.get_app_config(label).get_models():
            if admin.site.is_registered(model):
                admin.site.unregister(model)
