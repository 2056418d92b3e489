"""`bin/screenshots`: each named screen for each role, at two widths and in both themes, as a picture.

bin/screenshots                        all of them
bin/screenshots --role auditor         of one role (the name of its folder)
bin/screenshots --screen overview      of one screen
bin/screenshots --into /tmp/pictures   into another folder
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import django
from django.core.management import call_command
from django.utils.module_loading import import_string

PROJECT = Path(__file__).resolve().parent.parent.parent


def main() -> int:
    given = _arguments()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="daybook-screenshots.") as folder:
        _set_up(Path(folder))
        # Only now: what follows needs Django's settings.
        take = import_string("tests.screens.photographer.take")
        taken = take(given.into, roles=given.role, screens=given.screen)
    size = sum(file.stat().st_size for file in given.into.rglob("*.png"))
    print(f"{taken} pictures in {time.monotonic() - begun:.0f} s; {given.into} holds {size / 1e6:.1f} MB.")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/screenshots", description="Writes pictures of the named screens.")
    parser.add_argument("--role", action="append", help="only this role, for instance store-manager; may be repeated")
    parser.add_argument("--screen", action="append", help="only this screen, for instance overview; may be repeated")
    parser.add_argument("--into", type=Path, default=PROJECT / "docs" / "screenshots")
    return parser.parse_args()


def _set_up(folder: Path) -> None:
    """Settings as in the tests, but a database of our own; SQLite, for its clock is this process's."""
    os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'daybook.sqlite3'}"
    os.environ["REDIS_URL"] = ""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["LOG_LEVEL"] = "ERROR"  # the scene is full of warnings
    # Playwright keeps an event loop in this thread, which Django takes for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    django.setup()
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    if shutil.which(os.environ.get("CHROMIUM", "/usr/bin/chromium")) is None:
        sys.exit("bin/screenshots needs Chromium at /usr/bin/chromium, or CHROMIUM=/path/to/it.")
    sys.exit(main())
