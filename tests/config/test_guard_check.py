"""Missing guards are said by a system check, and the check is silent when they stand."""

import pytest
from django.core.checks import run_checks
from django.db import connection

from ledger import guards

pytestmark = pytest.mark.django_db


def said() -> list[str]:
    return [message.msg for message in run_checks(databases=["default"]) if message.id == "daybook.W008"]


def test_nothing_is_said_while_the_guards_stand() -> None:
    assert said() == []


def test_a_guard_that_was_taken_away_is_named() -> None:
    name = sorted(guards.present(connection))[0]
    guards.drop(connection)
    assert name in said()[0]
    guards.install(connection)
    assert said() == []
