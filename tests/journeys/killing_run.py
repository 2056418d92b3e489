"""The course of a kill run: it follows its plan by the number of postings, and counts at the vendor in the end."""

import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, connections
from redis.exceptions import RedisError

from tests.journeys.killing_count import count
from tests.journeys.killing_machines import QUEUE, WEB, Machine, chosen, end, end_group, someone_at_work
from tests.journeys.killing_plan import DEATHS, Blow, Trial
from tests.journeys.killing_servers import Postgres, Redis
from tests.journeys.killing_shop import FIRST_DAY, Shop
from tests.journeys.killing_story import stories
from tests.journeys.killing_vendor import Vendor
from tests.journeys.killing_victims import talking_to

BACKLOG = 150
"""Below so many waiting events another day is ordered, so that no kill meets an idle house."""

PATIENCE = 240.0
"""Seconds without a step towards what is waited for: then something stands still for ever, and the run fails."""

TRIES = 3
"""How often a worker is looked for that is still at work when the moment of its death has come."""

T = TypeVar("T")


class Run:
    def __init__(
        self,
        trial: Trial,
        plan: Sequence[Blow],
        *,
        vendor: Vendor,
        shop: Shop,
        machines: Sequence[Machine],
        database: Postgres | None,
        redis: Redis | None,
    ) -> None:
        self.trial = trial
        self.plan = plan
        self.vendor = vendor
        self.shop = shop
        self.machines = machines
        self.database = database
        self.redis = redis
        self.kills: Counter[str] = Counter()
        self.at_work = self.idle = 0
        self.began = time.monotonic()
        self.seconds: dict[str, float] = {}
        self.written: list[str] = []

    def carry_out(self) -> None:
        """A few deaths while the till is captured, the others while its days are posted, then peace."""
        with self.timed("capturing"):
            for blow in self.plan:
                if blow.after < 0:
                    self.strike(blow)
            self.wait_for(self.shop.captured, what="the till is captured", step=lambda: self.shop.known())
        with self.timed("killing"):
            self.order(at_least=self.trial.events * 2 // 3)
            for blow in self.plan:
                if blow.after >= 0:
                    self.wait_for_posting(blow.after)
                    self.strike(blow)
        with self.timed("finishing"):
            self.order(at_least=self.trial.events)
            self.wait_for(lambda: self.shop.waiting() < BACKLOG, what="most of the backlog is Synced")
            self.vendor.be_kind()
            self.wait_for(lambda: not self.shop.waiting(), what="everything is Synced")
            for machine in self.machines:
                self.wait_for(machine.web_answers, what="the web server is back")

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 1)

    def order(self, *, at_least: int) -> None:
        patiently(lambda: self.shop.order_days(until=lambda: self.shop.ordered() >= at_least))

    def keep_busy(self) -> None:
        """Work lies there at every kill: one day of the till's history is ordered after the other."""
        if patiently(self.shop.waiting) < BACKLOG:
            ordered = patiently(self.shop.ordered)
            self.order(at_least=ordered + BACKLOG)

    def wait_for_posting(self, number: int) -> None:
        def there() -> bool:
            self.keep_busy()
            return self.shop.posted() >= number

        self.wait_for(there, what=f"{number} entries are marked")

    def strike(self, blow: Blow) -> None:
        time.sleep(blow.wait)
        if blow.victim in DEATHS and blow.after >= 0:
            self.keep_busy()
            self.idle += not patiently(self.shop.waiting)
        getattr(self, f"strike_{blow.victim}")(blow)
        self.kills[blow.victim] += 1
        self.written.append(f"{time.monotonic() - self.began:7.1f} s: {blow}")
        print(self.written[-1], file=sys.stderr, flush=True)
        if blow.victim in DEATHS:
            patiently(self.shop.shorten_leases)

    def strike_worker(self, blow: Blow) -> None:
        """One that is talking to a vendor, at any moment from its first word to its last mark.

        The one of that machine; when nobody there has work, the one that has it elsewhere.
        """
        machine, at_work = self.machines[blow.machine], False
        for attempt in range(TRIES):
            machine = self.machines[(blow.machine + attempt) % len(self.machines)]
            victim = someone_at_work(machine, self.vendor.port, pick=blow.pick, seconds=2.0)
            if victim is None:
                continue
            time.sleep(blow.delay)
            at_work = victim in talking_to(self.vendor.port, among=[victim])
            if at_work:
                break
        self.at_work += at_work
        end(victim if victim is not None else chosen(self.members(machine), blow.pick))

    def strike_member(self, blow: Blow) -> None:
        """Any process of the cluster; the death of an idle worker may leave it hanging."""
        end(chosen(self.members(self.machines[blow.machine]), blow.pick))

    def strike_parent(self, blow: Blow) -> None:
        """The first process alone: its orphans go on until the supervisor ends them."""
        end(self.child(blow, QUEUE))

    def strike_cluster(self, blow: Blow) -> None:
        end_group(self.child(blow, QUEUE))

    def strike_web(self, blow: Blow) -> None:
        machine = self.machines[blow.machine]
        self.wait_for(machine.web_answers, what="the web server is back")
        end_group(self.child(blow, WEB))

    def strike_supervisor(self, blow: Blow) -> None:
        """The supervisor alone: its last will ends the others."""
        self.child(blow, QUEUE)
        process = self.machines[blow.machine].process
        if process:
            process.send_signal(signal.SIGKILL)

    def strike_machine(self, blow: Blow) -> None:
        self.child(blow, QUEUE)
        self.machines[blow.machine].kill_tree()

    def strike_vendor(self, blow: Blow) -> None:
        self.vendor.kill()
        time.sleep(blow.delay)
        self.vendor.start()

    def strike_database(self, blow: Blow) -> None:
        if self.database:
            self.database.restart(blow.how)
            connections.close_all()

    def strike_redis(self, blow: Blow) -> None:
        if self.redis:
            self.redis.restart(blow.delay)

    def strike_mood(self, blow: Blow) -> None:
        self.vendor.be(blow.how)

    def child(self, blow: Blow, program: str) -> int:
        found: list[int | None] = [None]

        def look() -> bool:
            found[0] = self.machines[blow.machine].child(program)
            return found[0] is not None

        self.wait_for(look, what=f"{program} runs on machine {blow.machine + 1}")
        return found[0] or self.child(blow, program)

    def members(self, machine: Machine) -> list[int]:
        self.wait_for(machine.members, what="the cluster has processes")
        return machine.members() or self.members(machine)

    def wait_for(self, there: Callable[[], object], *, what: str, step: Callable[[], object] | None = None) -> None:
        """Until it is there; `step`: what moves on the way, the number of postings unless said otherwise."""
        last, since = None, time.monotonic()
        while not patiently(there):
            now = patiently(step or self.shop.posted)
            if now != last:
                last, since = now, time.monotonic()
            if time.monotonic() > since + PATIENCE:
                raise TimeoutError(f"nothing has moved for {PATIENCE:.0f} s, and not yet: {what}; {self.state()}")
            time.sleep(0.1)

    def state(self) -> str:
        return f"{patiently(self.shop.states)}, {patiently(self.shop.trouble)}"

    def figures(self) -> dict[str, Any]:
        first, last = FIRST_DAY, self.shop.ordered_to
        counted = count(self.vendor.sandbox.url, first=first, last=last, believed=self.shop.remote_ids())
        return {
            **self.trial.record,
            "database": connection.vendor,
            "broker": "redis" if "redis" in settings.Q_CLUSTER else "orm",
            "kills": sum(self.kills[victim] for victim in DEATHS),
            "by_kind": dict(self.kills),
            "at_work": self.at_work,
            "idle": self.idle,
            "hangs_ended": sum(machine.hangs_ended for machine in self.machines),
            "answers_lost": self.vendor.answers_lost,
            "struck": dict(self.vendor.struck),
            "ordered": self.shop.ordered(),
            "states": self.shop.states(),
            "trouble": self.shop.trouble(),
            "seconds": self.seconds,
            "schedule": self.written,
            "stories": stories([*counted.lost, *counted.doubled, *counted.strays, *counted.unbalanced]),
            **asdict(counted),
        }


def patiently(ask: Callable[[], T]) -> T:
    """What the database or the queue says, though one of them is just being restarted."""
    until = time.monotonic() + 60
    while True:
        try:
            return ask()
        except (DatabaseError, RedisError):
            if time.monotonic() > until:
                raise
            with suppress(DatabaseError):
                connections.close_all()
            time.sleep(0.2)
