"""Keys are changed as docs/deploy.md says: nobody is signed out, nothing pauses."""

import shutil
import subprocess
from collections.abc import Iterator

import pytest
import redis
from django.contrib.auth.models import User
from django.test import Client
from django_q.conf import Conf
from pytest_django import Settings

from config.queue import OwnAndSharedLists
from integrations import machines
from tests.journeys.killing_ground import free_port
from tests.journeys.worker_machines import wait_for

NEW = "another-key-for-tests-0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ-abcdefghij"


def test_whoever_is_signed_in_stays_so_while_the_old_key_is_a_fallback(
    client: Client, admin_user: User, settings: Settings
) -> None:
    client.force_login(admin_user)
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [old]
    assert client.get("/admin/").status_code == 200
    settings.SECRET_KEY_FALLBACKS = []  # the session was written anew with the new key
    assert client.get("/admin/").status_code == 200


def test_without_the_fallback_everybody_signs_in_again(client: Client, admin_user: User, settings: Settings) -> None:
    client.force_login(admin_user)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, []
    assert client.get("/admin/").status_code == 302


@pytest.fixture
def redis_port() -> Iterator[int]:
    """A Redis of its own, whose password can be changed without disturbing anybody."""
    server, port = shutil.which("redis-server"), free_port()
    if server is None:
        pytest.skip("needs redis-server")
    command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", "old"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        wait_for(lambda: answers(port, "old"), what="Redis answers")
        yield port
        process.terminate()


def address(port: int, password: str) -> str:
    return f"redis://:{password}@127.0.0.1:{port}/0"


def answers(port: int, password: str) -> bool:
    try:
        return bool(redis.from_url(address(port, password)).ping())
    except redis.exceptions.RedisError:
        return False


def test_redis_takes_both_passwords_while_the_machines_change_over(redis_port: int) -> None:
    with redis.from_url(address(redis_port, "old")) as operator:
        operator.execute_command("ACL", "SETUSER", "default", ">new")
        assert answers(redis_port, "old") and answers(redis_port, "new")
        operator.execute_command("ACL", "SETUSER", "default", "<old")
    assert not answers(redis_port, "old") and answers(redis_port, "new")


def test_a_cluster_takes_from_its_own_list_first_and_from_nobody_elses(
    redis_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Conf, "REDIS", address(redis_port, "old"))
    monkeypatch.setenv(machines.TREE, "one:1")
    shared = OwnAndSharedLists()
    shared.enqueue("for all")
    OwnAndSharedLists(list_key=machines.queue_of("two:1")).enqueue("for two")
    OwnAndSharedLists(list_key=machines.queue_of("one:1")).enqueue("for one")
    assert [shared.dequeue() for _ in range(3)] == [[(None, b"for one")], [(None, b"for all")], None]
