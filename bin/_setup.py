"""What `bin/demo` and `bin/test` need before anything else: a virtual environment and generated secrets.

Runs on a bare Python with nothing installed, and does nothing at all when everything is in place.
"""

import base64
import fcntl
import hashlib
import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
NO_VENV = (
    "Python's venv module is missing, so no virtual environment can be made. "
    "Install it (on Debian or Ubuntu: apt install python3-venv) or install uv (https://docs.astral.sh/uv/)."
)
REQUIREMENTS = {"demo": ["requirements.txt"], "test": ["requirements.txt", "requirements-dev.txt"]}


class SetupFailed(Exception):
    """Its text is the sentence for the person."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def fingerprint(files: Sequence[Path], *, python: str) -> str:
    digest = hashlib.sha256(python.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def run(command: Sequence[str], *, failed: str) -> None:
    """What a tool prints goes to standard error; standard output belongs to the command that follows."""
    try:
        subprocess.run(command, cwd=PROJECT, check=True, stdout=sys.stderr)
    except (subprocess.CalledProcessError, OSError) as error:
        raise SetupFailed(f"{failed} ({error})") from error


def python_of(venv: Path) -> Path:
    return venv / "bin" / "python"


def works(python: Path) -> bool:
    """A virtual environment breaks when the Python it was made from goes away."""
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    return python.exists() and subprocess.run([python, "-c", check], check=False).returncode == 0


def make_venv(venv: Path, *, uv: str | None) -> None:
    say(f"Making a virtual environment in {venv} ...")
    if uv:
        run(
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)],
            failed="uv made no environment",
        )
        return
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        raise SetupFailed(NO_VENV)
    run([sys.executable, "-m", "venv", "--clear", str(venv)], failed=NO_VENV)


def install(files: Sequence[Path], *, venv: Path, uv: str | None) -> None:
    say(f"Installing {', '.join(file.name for file in files)} ...")
    python = str(python_of(venv))
    pip = [uv, "pip", "install", "--quiet", "--python", python] if uv else [python, "-m", "pip", "install", "--quiet"]
    listed = [part for file in files for part in ("-r", str(file))]
    run(
        [*pip, "--require-hashes", *listed],
        failed="The requirements could not be installed. Is there a connection to the package index?",
    )


def ensure_installed(files: Sequence[Path], *, venv: Path, uv: str | None) -> None:
    """Installs only what changed since the last time; the stamp is written last, so a failure is repeated."""
    if not works(python_of(venv)):
        make_venv(venv, uv=uv)
    stamp = venv / f".installed-{files[-1].stem}"
    wanted = fingerprint(files, python=str(python_of(venv).resolve()))
    if stamp.exists() and stamp.read_text() == wanted:
        return
    install(files, venv=venv, uv=uv)
    stamp.write_text(wanted)


def generated_secrets() -> str:
    lines = {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "CREDENTIAL_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "INSTALLATION_ID": str(uuid.uuid4()),
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def ensure_secrets(file: Path) -> None:
    """Readable by its owner only, from the first moment; a file that exists is never touched."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as opened:
        opened.write(generated_secrets())
    say(f"Wrote generated secrets to {file}.")


def main(purpose: str) -> None:
    files = [PROJECT / name for name in REQUIREMENTS[purpose]]
    with (PROJECT / "requirements.txt").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two commands started together set up one after the other
        ensure_installed(files, venv=PROJECT / ".venv", uv=shutil.which("uv"))
    if purpose == "demo":
        ensure_secrets(Path(os.environ.get("DAYBOOK_ENV_FILE") or PROJECT / ".env"))


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except SetupFailed as failure:
        sys.exit(str(failure))
