"""One kill run: whatever its plan names dies or is restarted while the vendor loses answers.

Started by `tests.journeys.killing_ground` on a fresh database; writes what it does as it goes to standard error, and
prints its figures as one line of JSON.
"""

import json
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django_q.brokers import get_broker  # noqa: E402
from django_q.tasks import async_task  # noqa: E402

from config.pulse import reachable  # noqa: E402
from config.watchdog import PulseUnavailable  # noqa: E402
from tests.journeys.killing_machines import Machine  # noqa: E402
from tests.journeys.killing_plan import ENOUGH, Trial, draw  # noqa: E402
from tests.journeys.killing_run import Run  # noqa: E402
from tests.journeys.killing_servers import Postgres, Redis  # noqa: E402
from tests.journeys.killing_shop import Shop, open_shop  # noqa: E402
from tests.journeys.killing_till import fill  # noqa: E402
from tests.journeys.killing_vendor import Vendor  # noqa: E402

MOST_WAKE_UPS = 6


def wake_again_and_again(stopped: threading.Event, shop: Shop) -> None:
    """What the schedules do each minute, here each second; not while the workers do not get through what lies there."""
    while not stopped.wait(1.0):
        try:
            with reachable():
                if get_broker().queue_size() >= MOST_WAKE_UPS:
                    continue
                if not shop.captured():
                    async_task("integrations.tasks.capture_all")
                async_task("integrations.tasks.sweep")
        except PulseUnavailable as error:
            print(f"nobody could be woken: {error}", file=sys.stderr)
    connections.close_all()


@contextmanager
def house(machines: Sequence[Machine], shop: Shop) -> Iterator[None]:
    """The product as it runs, on one machine or several, and somebody who wakes the workers."""
    stopped = threading.Event()
    waker = threading.Thread(target=wake_again_and_again, args=(stopped, shop), daemon=True)
    for machine in machines:
        machine.start()
        machine.keeper.start()
    waker.start()
    try:
        yield
    finally:
        stopped.set()
        waker.join()
        for machine in machines:
            machine.stop()
        get_broker().delete_queue()


@contextmanager
def running(vendor: Vendor) -> Iterator[Vendor]:
    vendor.start()
    try:
        yield vendor
    finally:
        vendor.kill()


@contextmanager
def own_redis() -> Iterator[Redis | None]:
    port = os.environ.get("KILL_REDIS_PORT")
    redis = Redis(int(port)) if port else None
    if redis:
        redis.start()
    try:
        yield redis
    finally:
        if redis:
            redis.stop()


def main() -> None:
    trial = Trial(**json.loads(sys.argv[1]))
    address, folder = os.environ.get("KILL_POSTGRES"), Path(os.environ["KILL_FOLDER"])
    database = Postgres.at(address) if address else None
    with ExitStack() as stack:
        redis = stack.enter_context(own_redis())
        call_command("migrate", verbosity=0)
        vendor = stack.enter_context(running(Vendor(seed=trial.seed)))
        if trial.events > ENOUGH:
            fill(vendor.sandbox, trial.events)
        shop = open_shop(vendor.sandbox, events=trial.events)
        machines = [Machine(number, folder) for number in range(trial.machines)]
        plan = draw(trial, restarts=database is not None)
        run = Run(trial, plan, vendor=vendor, shop=shop, machines=machines, database=database, redis=redis)
        with house(machines, shop):
            run.carry_out()
        print(json.dumps(run.figures()))


if __name__ == "__main__":
    main()
