"""What a kill run changes in the product's processes, from outside: a patience, and on demand a rule taken out.

The supervisor lets a program that dies again and again wait for up to 30 seconds; ours die by our own hand, and it is
not the pauses that are tested. KILL_WITHOUT=look-up makes every look-up find nothing: such a run must fail, or the
count could not see a double.
"""

import os

from django.apps import AppConfig

from config import children
from integrations.quickbooks.adapter import QuickBooksAdapter

LONGEST_PAUSE = 1.0
LOOK_UP = "look-up"


class KillingConfig(AppConfig):
    name = "tests.journeys"
    label = "killing"

    def ready(self) -> None:
        children.LONGEST_PAUSE = LONGEST_PAUSE
        if os.environ.get("KILL_WITHOUT") == LOOK_UP:
            QuickBooksAdapter.find = lambda self, references: {}  # type: ignore[method-assign]
