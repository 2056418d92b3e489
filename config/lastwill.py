"""`python -m config.lastwill`: ends what outlives the supervisor.

The supervisor names its children's process groups on standard input (`+123` begun, `-123` ended). When that
pipe closes, however the supervisor went, every group still named is killed. Linux's parent-death signal would
reach only the first process of a group; the queue's workers are its children and would go on working.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterable


def kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def still_named(lines: Iterable[str]) -> set[int]:
    """Reads to the end of the pipe; a line cut short by the supervisor's death is left out."""
    groups: set[int] = set()
    for line in lines:
        if not line.endswith("\n"):
            break
        group = int(line[1:])
        groups.add(group) if line.startswith("+") else groups.discard(group)
    return groups


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for group in still_named(sys.stdin):
        kill_group(group)


if __name__ == "__main__":
    main()
