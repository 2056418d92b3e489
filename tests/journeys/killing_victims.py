"""Whom to kill: the processes of a queue's cluster, and which of them talks to a vendor at this moment.

Reads /proc. A worker has a connection to the vendor only while it is in the middle of its work.
"""

import os
from collections.abc import Iterable
from pathlib import Path

ESTABLISHED = "01"


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def members_of(cluster: int) -> list[int]:
    """Workers, monitor and pusher of a cluster, by the number of its first process."""
    return [member for sentinel in children_of(cluster) for member in children_of(sentinel)]


def talking_to(port: int, *, among: Iterable[int]) -> list[int]:
    """Those processes that have a connection to this port on this machine."""
    connections = _connections_to(port)
    return [pid for pid in among if connections & _sockets_of(pid)]


def _connections_to(port: int) -> set[str]:
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    wanted = f":{port:04X}"
    return {f"socket:[{row[9]}]" for row in rows if row[2].endswith(wanted) and row[3] == ESTABLISHED}


def _sockets_of(pid: int) -> set[str]:
    folder = f"/proc/{pid}/fd"
    try:
        return {os.readlink(f"{folder}/{name}") for name in os.listdir(folder)}
    except (FileNotFoundError, ProcessLookupError):
        return set()


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""
