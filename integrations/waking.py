"""Waking the workers: a message says "go and look", never what is to be done. The truth is the row."""

from collections.abc import Sequence

from django.db import transaction
from django_q.tasks import async_task

from integrations import telling

REREAD_AT_ONCE = 50


def _wake(task: str, *arguments: int | list[int], module: str = "tasks") -> None:
    """After the commit. A queue that is away spoils no click: the sweep finds in the rows what it lost."""

    def put() -> None:  # a function by name: Django logs it by that when the queue is away
        async_task(f"integrations.{module}.{task}", *arguments)

    transaction.on_commit(put, robust=True)


def wake(connection_id: int) -> None:
    """Let a worker book and post what is due in this book."""
    _wake("work", connection_id)


def wake_capture(connection_id: int) -> None:
    _wake("capture", connection_id)


def wake_import(import_id: int) -> None:
    _wake("import_accounts", import_id)


def wake_creation(creation_id: int) -> None:
    _wake("create_accounts", creation_id)


def wake_deed(deed_id: int) -> None:
    _wake("deed", deed_id)


def wake_telling() -> None:
    """Let a worker send the messages that are due, if there are any."""
    if telling.are_due():
        _wake("tell")


def wake_reread(connection_id: int, event_ids: Sequence[int]) -> None:
    """A message for each block of documents, so that none of them outlasts its time."""
    for start in range(0, len(event_ids), REREAD_AT_ONCE):
        _wake("reread", connection_id, list(event_ids[start : start + REREAD_AT_ONCE]))


def wake_listening() -> None:
    """The next turn of asking the tills."""
    _wake("listen", module="listening")


def wake_housekeeping() -> None:
    """What was not tidied up in the time that there was."""
    _wake("tidy", module="housekeeping")
