"""One kill run: workers, the cluster and the web process die at random while the vendor loses answers.

Started by `tests.journeys.killing_ground` on a fresh database; prints its figures as one line of JSON.
"""

import argparse
import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any

import django
import requests
from django.core.management import call_command

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django_q.brokers import get_broker  # noqa: E402
from django_q.tasks import async_task  # noqa: E402

from config.children import FIRST_PAUSE, Child  # noqa: E402
from config.pulse import QueuePulse, reachable  # noqa: E402
from config.supervisor import Supervisor, web, worker  # noqa: E402
from config.watchdog import PulseUnavailable, Watchdog  # noqa: E402
from tests.journeys.killing_count import count  # noqa: E402
from tests.journeys.killing_shop import FIRST_DAY, Shop, open_shop  # noqa: E402
from tests.journeys.killing_vendor import Vendor  # noqa: E402
from tests.journeys.killing_victims import members_of, talking_to  # noqa: E402

BACKLOG = 120
"""Below so many waiting events another day is ordered, so that no kill meets an idle house."""
PATIENCE = 150.0
TRIES = 3
"""How often a worker is looked for that is still at work when the moment of its death has come."""
KILLS_WHILE_CAPTURING = 4
AT_LEAST = 650
"""Events ordered at once; more follow when they run low."""


def plan(kills: int, *, chance: random.Random) -> list[str]:
    """What dies in which order: mostly workers at work; the vendor's own deaths are not among the kills."""
    shares = {"web": kills // 12, "cluster": kills // 7, "parent": kills // 18, "member": kills // 14}
    kinds = [kind for kind, times in shares.items() for _ in range(times)]
    kinds += ["worker"] * (kills - len(kinds))
    kinds += ["vendor"] * 3
    chance.shuffle(kinds)
    return kinds


class Run:
    def __init__(self, *, seed: int, vendor: Vendor, shop: Shop, supervisor: Supervisor) -> None:
        self.chance = random.Random(seed)
        self.vendor = vendor
        self.shop = shop
        self.supervisor = supervisor
        self.kills: Counter[str] = Counter()
        self.at_work = 0
        self.idle = 0
        self.seconds: dict[str, float] = {}

    def carry_out(self, kills: int) -> None:
        """A few deaths while the till is captured, the others while its days are posted, then peace."""
        with self.timed("capturing"):
            for _ in range(KILLS_WHILE_CAPTURING):
                self.strike("worker")
            wait_for(self.shop.captured, what="the till is captured")
        with self.timed("killing"):
            self.vendor.be_cruel()
            self.shop.order_days(until=lambda: self.shop.ordered >= AT_LEAST)
            for kind in plan(kills - KILLS_WHILE_CAPTURING, chance=self.chance):
                self.keep_busy()
                self.strike(kind)
        with self.timed("finishing"):
            wait_for(lambda: self.shop.waiting() < BACKLOG, what="most of the backlog is Synced")
            self.vendor.be_kind()
            wait_for(lambda: not self.shop.waiting(), what="everything is Synced")
            wait_for(self.web_answers, what="the web server is back")

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 1)

    def strike(self, kind: str) -> None:
        time.sleep(self.chance.uniform(0.1, 1.0))
        getattr(self, f"kill_{kind}")()
        self.kills[kind] += 1

    def keep_busy(self) -> None:
        """Work lies there at every kill: one day of the till's history is ordered after the other."""
        self.shop.order_days(until=lambda: self.shop.waiting() >= BACKLOG)
        self.idle += not self.shop.waiting()

    def kill_worker(self) -> None:
        """One that is talking to a vendor, at any moment from its first word to its last mark."""
        for _ in range(TRIES):
            victim = self.someone_at_work()
            time.sleep(self.chance.uniform(0.0, 0.5))
            at_work = victim in talking_to(self.vendor.port, among=[victim])
            if at_work:
                break
        self.at_work += at_work
        end(victim)
        self.shop.shorten_leases()

    def kill_member(self) -> None:
        """Any process of the cluster; the death of an idle worker may leave it hanging."""
        end(self.chance.choice(self.members()))

    def kill_parent(self) -> None:
        """The first process alone: its orphans go on until the supervisor ends them."""
        end(self.process_of("worker"))
        self.forgive("worker")

    def kill_cluster(self) -> None:
        os.killpg(self.process_of("worker"), signal.SIGKILL)
        self.forgive("worker")

    def kill_web(self) -> None:
        wait_for(self.web_answers, what="the web server is back")
        os.killpg(self.process_of("web"), signal.SIGKILL)
        self.forgive("web")

    def kill_vendor(self) -> None:
        self.vendor.kill()
        self.vendor.start()

    def someone_at_work(self) -> int:
        until = time.monotonic() + 4
        while time.monotonic() < until:
            talking = talking_to(self.vendor.port, among=self.members())
            if talking:
                return self.chance.choice(talking)
            time.sleep(0.02)
        return self.chance.choice(self.members())

    def members(self) -> list[int]:
        found: list[int] = []

        def look() -> bool:
            found[:] = members_of(self.process_of("worker"))
            return bool(found)

        wait_for(look, what="the cluster has processes")
        return found

    def process_of(self, name: str) -> int:
        child = self.supervisor.child(name)
        wait_for(child.alive, what=f"{name} runs")
        process = child.process
        return process.pid if process else self.process_of(name)

    def forgive(self, name: str) -> None:
        """A death by our hand is no crash loop: the pause before the next start does not grow."""
        child: Child = self.supervisor.child(name)
        child.pause = FIRST_PAUSE
        self.shop.shorten_leases()

    def web_answers(self) -> bool:
        try:
            url = f"http://127.0.0.1:{os.environ['PORT']}/"
            return requests.get(url, timeout=5, allow_redirects=False).status_code < 400
        except requests.exceptions.RequestException:
            return False

    def figures(self) -> dict[str, Any]:
        first, last = FIRST_DAY, self.shop.ordered_to
        believed = self.shop.remote_ids()
        counted = asdict(count(self.vendor.sandbox.url, first=first, last=last, believed=believed))
        own_deaths = self.kills["cluster"] + self.kills["parent"]
        return {
            "database": connection.vendor,
            "broker": "redis" if "redis" in settings.Q_CLUSTER else "orm",
            "kills": sum(self.kills.values()) - self.kills["vendor"],
            "by_kind": dict(self.kills),
            "at_work": self.at_work,
            "idle": self.idle,
            "hangs_ended": self.supervisor.child("worker").starts - 1 - own_deaths,
            "answers_lost": self.vendor.answers_lost,
            "struck": dict(self.vendor.struck),
            "ordered": self.shop.ordered,
            "states": self.shop.states(),
            "trouble": self.shop.trouble(),
            "seconds": self.seconds,
            **counted,
        }


def end(pid: int) -> None:
    with suppress(ProcessLookupError):  # it ended by itself in the meantime, as recycled workers do
        os.kill(pid, signal.SIGKILL)


def wait_for(value: Callable[[], object], *, what: str, seconds: float = PATIENCE) -> None:
    until = time.monotonic() + seconds
    while not value():
        if time.monotonic() > until:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)


def wake_again_and_again(stopped: threading.Event, shop: Shop) -> None:
    """What the schedules do each minute, here each second."""
    while not stopped.wait(1.0):
        try:
            with reachable():
                if not shop.captured():
                    async_task("integrations.tasks.capture_all")
                async_task("integrations.tasks.sweep")
        except PulseUnavailable as error:
            print(f"nobody could be woken: {error}", file=sys.stderr)


@contextmanager
def house(shop: Shop) -> Iterator[Supervisor]:
    """The product as it runs: web server and worker under the supervisor, and somebody who wakes the worker."""
    programs = [worker(), web(host="127.0.0.1", port=int(os.environ["PORT"]), workers=1)]
    watchdog = Watchdog(QueuePulse(), limit=settings.HEARTBEAT_SECONDS)
    supervisor, stopped = Supervisor(programs, watchdog=watchdog, grace=10.0), threading.Event()
    threads = [
        threading.Thread(target=supervisor.watch),
        threading.Thread(target=wake_again_and_again, args=(stopped, shop)),
    ]
    supervisor.start()
    try:
        for thread in threads:
            thread.start()
        yield supervisor
    finally:
        stopped.set()
        supervisor.request_stop()
        for thread in threads:
            thread.join()
        supervisor.stop()
        get_broker().delete_queue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--kills", type=int, required=True)
    given = parser.parse_args()
    call_command("migrate", verbosity=0)
    vendor = Vendor(seed=given.seed)
    vendor.start()
    shop = open_shop(vendor.sandbox)
    with house(shop) as supervisor:
        run = Run(seed=given.seed, vendor=vendor, shop=shop, supervisor=supervisor)
        run.carry_out(given.kills)
    print(json.dumps({"seed": given.seed, **run.figures()}))
    vendor.kill()


if __name__ == "__main__":
    main()
