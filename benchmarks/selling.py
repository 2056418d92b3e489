"""The inside of `benchmarks.latency`: sell at the till, and look when each entry stands in the books.

Runs where the environment names a fresh database and the running sandbox.
"""

# ruff: noqa: E402
import argparse
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from benchmarks import results
from integrations.models import Lease
from ledger.models import FinancialEvent
from tests.integrations.at_the_till import LAMP, sold
from tests.journeys.killing_plan import ENOUGH
from tests.journeys.killing_servers import free_port
from tests.journeys.killing_shop import open_shop
from tests.sandbox_fixture import ROOT, Sandbox

TARGET = 5.0
LOOK = 0.1
"""Seconds between two looks into the journal: by so much at most a wait is told too long."""

PATIENCE = 60.0


@dataclass
class Watch:
    """When the till showed each sale, and when its entry was first seen in the books; by the sale's id."""

    sandbox: Sandbox
    sold: dict[str, float] = field(default_factory=dict)
    stood: dict[str, float] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Until it is over: what stands there now."""
        while not self.over.wait(LOOK):
            entries = self.sandbox.control("quickbooks/journal")["entries"]
            now = time.monotonic()
            for entry in entries:
                self.stood.setdefault(str(entry.get("DocNumber", "")).removeprefix("HR-T"), now)

    def waits(self) -> list[float]:
        return sorted(self.stood[name] - at for name, at in self.sold.items() if name in self.stood)


def measured(sandbox: Sandbox, *, sales: int, every: float) -> results.Row:
    """Sell, wait until the last one stands in the books, and add up."""
    lamp = {"id": LAMP, "description": "Lamp", "financial_class_id": 3, "track_inventory?": True}
    sandbox.control("heartland/items", lamp)
    watch = Watch(sandbox)
    looking = threading.Thread(target=watch.look, daemon=True)
    looking.start()
    for _ in range(sales):
        time.sleep(random.uniform(0.5, 1.5) * every)
        watch.sold[sold(sandbox)] = time.monotonic()
    until = time.monotonic() + PATIENCE
    while len(watch.waits()) < sales and time.monotonic() < until:
        time.sleep(LOOK)
    watch.over.set()
    looking.join()
    return _figures(watch)


def _figures(watch: Watch) -> results.Row:
    waits = watch.waits()
    if not waits:
        sys.exit("No sale came into the books; see what the supervisor said above.")
    seen = FinancialEvent.objects.filter(external_id__in=watch.sold, completed_at__isnull=False)
    captured = [(at - done).total_seconds() for at, done in seen.values_list("captured_at", "completed_at") if done]
    return {
        "database": connection.vendor,
        "queue in": "Redis" if settings.REDIS_URL else "the database",
        "till asked every s": settings.TILL_POLL_SECONDS,
        "sales": len(watch.sold),
        "in the books": len(waits),
        "median s": statistics.median(waits),
        "95th percentile s": waits[-(-95 * len(waits) // 100) - 1],
        "slowest s": waits[-1],
        "of it until captured, median s": statistics.median(captured),
        "load of the machine": os.getloadavg()[1],
    }


@contextmanager
def company(sandbox: Sandbox) -> Iterator[None]:
    """An installation that is connected, mapped and started, under its supervisor, with its history read."""
    call_command("migrate", verbosity=0)
    shop = open_shop(sandbox, events=ENOUGH)
    command = [sys.executable, "-m", "config.supervisor", "--port", str(free_port()), "--web-workers", "1"]
    supervisor = subprocess.Popen(command, cwd=ROOT)
    try:
        until = time.monotonic() + 4 * PATIENCE
        # The turns in which the till is asked begin within a minute after its history was read.
        while not (shop.captured() and Lease.objects.filter(name="listen").exclude(owner="").exists()):
            if supervisor.poll() is not None or time.monotonic() > until:
                sys.exit("The till is not listened to yet; see what the supervisor said above.")
            time.sleep(0.2)
        time.sleep(PATIENCE / 10)
        yield
    finally:
        supervisor.terminate()
        supervisor.wait(timeout=PATIENCE)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.selling", description=__doc__)
    parser.add_argument("--sales", type=int, required=True)
    parser.add_argument("--every", type=float, required=True)
    given = parser.parse_args()
    sandbox = Sandbox(os.environ["SANDBOX_URL"])
    with company(sandbox):
        row = measured(sandbox, sales=given.sales, every=given.every)
    met = row["95th percentile s"] < TARGET and row["in the books"] == row["sales"]
    said = (
        f"95th percentile {row['95th percentile s']:.1f} s, target under {TARGET:.0f} s: {'met' if met else 'missed'}."
    )
    results.note("latency", title="From the till into the books", rows=[row], notes=[said], program="latency")
    print(results.markdown([row]), said, sep="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
