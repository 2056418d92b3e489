"""`python -m benchmarks.latency --sales 100`: how long a sale takes from the till into the books.

The real supervisor with its worker and web server, and the sandbox behind HTTP, on a fresh SQLite file or beside
DATABASE_URL (and REDIS_URL). A sale comes every few seconds, at an irregular time; measured is from the moment at which
the till's API shows it until the entry stands in the accounting system's journal. `benchmarks.selling` does it, in the
environment that is made here; the figures are left for `benchmarks.report`.
"""

import argparse
import os
import subprocess
import sys
import tempfile

from tests.journeys.killing_ground import fresh_database
from tests.sandbox_fixture import ROOT, Sandbox, running_sandbox
from tests.settings import TEST_ENVIRONMENT


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--sales", type=int, default=100)
    parser.add_argument("--every", type=float, default=2.5, help="seconds between two sales, on average")
    given = parser.parse_args()
    if given.sales < 1 or given.every <= 0:
        parser.error("Sell at least once, and with some time in between.")
    command = [sys.executable, "-m", "benchmarks.selling", "--sales", str(given.sales), "--every", str(given.every)]
    with tempfile.TemporaryDirectory() as folder, fresh_database(folder) as database, running_sandbox() as sandbox:
        return subprocess.run(command, env=_environment(database, sandbox)).returncode


def _environment(database: str, sandbox: Sandbox) -> dict[str, str]:
    """The product's own settings, but for the addresses of the vendors."""
    return {
        **os.environ,
        **TEST_ENVIRONMENT,
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(ROOT),
        "HEARTLAND_RETAIL_URL": f"{sandbox.heartland_retail}/api",
        "QUICKBOOKS_URL": sandbox.quickbooks,
        "SANDBOX_URL": sandbox.url,
        "LOG_LEVEL": "ERROR",
    }


if __name__ == "__main__":
    sys.exit(main())
