"""Whether this tree of processes is about to end: then a task finishes what is under way and begins nothing new.

What it leaves is waiting in the rows; whoever works next, on this machine or another, goes on with it.
"""

import mmap

_flag = mmap.mmap(-1, 1)
"""One byte that a cluster shares with the workers it forks. It has no lock that a killed process could keep."""


def begin() -> None:
    _flag[0] = 1


def stay() -> None:
    """Take it back, for tests: a process that leaves never comes back."""
    _flag[0] = 0


def is_leaving() -> bool:
    return _flag[0] == 1
