"""`python -m config.qcluster`: the queue's workers, who are told when they shall leave.

The library alone waits until each task has ended by itself, which for a backlog may be most of a minute, then for the
next one that was fetched already.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django_q.cluster import Cluster  # noqa: E402  it reads the settings

from integrations import leaving  # noqa: E402


class LeavingCluster(Cluster):
    def stop(self) -> bool:
        """On SIGTERM or Ctrl-C, in the first process: the workers see it before they look for more."""
        leaving.begin()
        stopped: bool = super().stop()
        return stopped


if __name__ == "__main__":
    LeavingCluster().start()
