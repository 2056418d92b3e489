"""A program under the supervisor: its own process group, restarts with growing pauses, a stop that ends."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.lastwill import kill_group

BASE_DIR = Path(__file__).resolve().parent.parent
STANDARD_ERROR = 2
FIRST_PAUSE, LONGEST_PAUSE, STEADY_SECONDS = 0.5, 30.0, 60.0

log = logging.getLogger("daybook.supervisor")


@dataclass(frozen=True)
class Program:
    """`outlives`: it is stopped when the others have ended, for they talk to it."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    outlives: bool = False


class LastWill:
    """Our end of the pipe to `config.lastwill`; begun anew if somebody kills it."""

    def __init__(self) -> None:
        self.groups: set[int] = set()
        self.process: subprocess.Popen[str] | None = None

    def open(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.lastwill"],
            cwd=BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=STANDARD_ERROR,
            text=True,
            start_new_session=True,
        )
        for group in self.groups:
            self.write(f"+{group}\n")

    def write(self, line: str) -> None:
        if self.process and self.process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.write(line)
                self.process.stdin.flush()

    def keep(self) -> None:
        if self.process is None or self.process.poll() is not None:
            self.open()

    def add(self, group: int) -> None:
        self.keep()
        self.groups.add(group)
        self.write(f"+{group}\n")

    def drop(self, group: int) -> None:
        self.groups.discard(group)
        self.write(f"-{group}\n")

    def close(self) -> None:
        if self.process and self.process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
            self.process.wait()
            self.process = None


class Child:
    def __init__(self, program: Program, *, will: LastWill, clock: Callable[[], float] = time.monotonic) -> None:
        self.program = program
        self.will = will
        self.clock = clock
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self.started_at = self.start_after = clock()
        self.pause = FIRST_PAUSE

    @property
    def name(self) -> str:
        return self.program.name

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Its standard output goes to our standard error: ours belongs to whoever started us."""
        self.process = subprocess.Popen(
            list(self.program.command),
            cwd=BASE_DIR,
            env={**os.environ, **self.program.environment},
            stdin=subprocess.DEVNULL,
            stdout=STANDARD_ERROR,
            start_new_session=True,
        )
        self.will.add(self.process.pid)
        self.starts += 1
        self.started_at = self.clock()
        log.info("%s started, process %s", self.name, self.process.pid)

    def bury(self) -> None:
        """After a death: whatever is left of the group goes too, and the next start waits a little longer."""
        if self.process is None:
            return
        if self.clock() - self.started_at >= STEADY_SECONDS:
            self.pause = FIRST_PAUSE
        log.warning("%s ended by itself (%s), again in %.1f s", self.name, self.process.returncode, self.pause)
        self.kill()
        self.start_after = self.clock() + self.pause
        self.pause = min(self.pause * 2, LONGEST_PAUSE)

    def look(self) -> None:
        """Called again and again: buries the dead and starts them when their pause is over."""
        if self.alive():
            return
        self.bury()
        if self.clock() >= self.start_after:
            self.start()

    def ask_to_stop(self) -> None:
        """Tells the first process only, which drains its workers; told directly they drop what they hold."""
        if self.process is not None and self.alive():
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        if self.process is None:
            return
        kill_group(self.process.pid)
        self.process.wait()
        self.will.drop(self.process.pid)
        self.process = None

    def wait_for_end(self, *, until: float, hurried: Callable[[], bool] = lambda: False) -> None:
        """After it was asked; what does not end in time is killed."""
        while self.alive() and self.clock() < until and not hurried():
            time.sleep(0.05)
        if self.alive():
            log.warning("%s did not stop in time and is killed", self.name)
        self.kill()
