"""A database server and a Redis of the run's own, which it may restart without disturbing anybody."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

STARTS_WITHIN = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Postgres:
    """A cluster in a folder of its own. It refuses to run as root, so root lends it an unprivileged user."""

    def __init__(self, programs: Path, folder: Path, port: int) -> None:
        self.programs = programs
        self.folder = folder
        self.port = port

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def address(self) -> str:
        """For another process: `at` makes the same of it."""
        return f"{self.programs}|{self.folder}|{self.port}"

    @classmethod
    def at(cls, address: str) -> "Postgres":
        programs, folder, port = address.split("|")
        return cls(Path(programs), Path(folder), int(port))

    def create(self) -> None:
        self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "-D", str(self.folder))
        with (self.folder / "postgresql.conf").open("a") as file:
            file.write(f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n")
        self._control("start")

    def restart(self, how: str) -> None:
        """`fast` ends its sessions and writes all down, `immediate` is a crash: the log is replayed."""
        self._control("restart", "-m", how)

    def stop(self) -> None:
        self._control("stop", "-m", "immediate")

    def _control(self, *words: str) -> None:
        log = str(self.folder / "server.log")
        self._run("pg_ctl", "-D", str(self.folder), "-l", log, "-w", "-t", str(int(STARTS_WITHIN)), *words)

    def _run(self, program: str, *words: str) -> None:
        command = [str(self.programs / program), *words]
        user = unprivileged().pw_name if os.getuid() == 0 else None
        done = subprocess.run(
            command, cwd="/", user=user, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.decode(errors='replace')}")


def programs_of_postgres() -> Path | None:
    """Where initdb and pg_ctl are: on the path, or where Debian keeps the newest."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name.zfill(4))
    found = shutil.which("initdb")
    places += [Path(found).resolve().parent] if found else []
    return next((place for place in reversed(places) if (place / "pg_ctl").exists()), None)


def unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("There is no user `postgres` or `nobody` to run a database server as.")


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """A new server, gone afterwards. Raises RuntimeError when PostgreSQL's programs are not installed."""
    programs = programs_of_postgres()
    if programs is None:
        raise RuntimeError("initdb was not found. Install PostgreSQL's server (on Debian or Ubuntu: postgresql).")
    with tempfile.TemporaryDirectory(prefix="daybook-kills-postgres-") as folder:
        data = Path(folder, "data")
        data.mkdir(mode=0o700)
        if os.getuid() == 0:
            user = unprivileged()
            os.chmod(folder, 0o755)
            os.chown(data, user.pw_uid, user.pw_gid)
        server = Postgres(programs, data, free_port())
        server.create()
        try:
            yield server
        finally:
            server.stop()


class Redis:
    """A server that keeps nothing: whatever lay in the queue is lost with it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command: Sequence[str] = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        command = [*command, "--save", "", "--appendonly", "no", "--daemonize", "no"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + STARTS_WITHIN
        while not answers(self.port):
            if time.monotonic() > until:
                raise RuntimeError("redis-server did not start. Is it installed?")
            time.sleep(0.05)

    def restart(self, pause: float) -> None:
        self.stop()
        time.sleep(pause)
        self.start()

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
