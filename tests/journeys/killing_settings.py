"""The product's settings for a kill run: the same, with `tests.journeys.killing_app` among the apps."""

from config.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.journeys.killing_app.KillingConfig"]  # noqa: F405
