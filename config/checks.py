"""System checks with stable ids: what would go wrong later is said at the start."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from integrations.http import is_loopback
from ledger import guards

NETWORK_FILE_SYSTEMS = {
    *("9p", "afs", "ceph", "cifs", "fuse.sshfs", "glusterfs", "lustre"),
    *("nfs", "nfs4", "smb3", "smbfs", "vboxsf"),
}
NEW_KEY = "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
NEW_SECRET = "python -c 'import secrets; print(secrets.token_urlsafe(64))'"
Apps = Sequence[AppConfig] | None


def loopback_vendor_urls(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if settings.ALLOW_LOOPBACK_VENDORS:
        return []
    return [
        Error(
            f"The address of {vendor} is on this machine ({url}), which is where the sandbox lives.",
            hint="Give the vendor's own address, or set ALLOW_LOOPBACK_VENDORS=true for a demo or a test.",
            id="daybook.E001",
        )
        for vendor, url in settings.VENDOR_URLS.items()
        if is_loopback(url)
    ]


def credential_keys(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    hint = f"Make one with: {NEW_KEY}"
    if not settings.CREDENTIAL_KEYS:
        return [Error("CREDENTIAL_KEYS holds no key.", hint=hint, id="daybook.E002")]
    return [
        Error(f"Key {place} of CREDENTIAL_KEYS is not a Fernet key.", hint=hint, id="daybook.E002")
        for place, key in enumerate(settings.CREDENTIAL_KEYS, start=1)
        if not is_fernet_key(key)
    ]


def is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def sqlite_options(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """WAL or IMMEDIATE alone fails under two writers: hundreds of "database is locked" in seconds."""
    options = settings.DATABASES["default"].get("OPTIONS", {})
    together = "journal_mode=wal" in options.get("init_command", "").lower().replace(" ", "")
    if not uses_sqlite() or (together and options.get("transaction_mode") == "IMMEDIATE"):
        return []
    return [
        Error(
            "SQLite is not opened with journal_mode=WAL and transaction_mode=IMMEDIATE.",
            hint="Keep both in DATABASES['default']['OPTIONS'], as config/settings.py sets them.",
            id="daybook.E003",
        )
    ]


def one_transaction_a_request(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if not settings.DATABASES["default"].get("ATOMIC_REQUESTS"):
        return []
    return [
        Error(
            "ATOMIC_REQUESTS is on: a page that only reads would take the write lock.",
            hint="Switch it off; what must be one transaction says so itself.",
            id="daybook.E004",
        )
    ]


def uses_sqlite() -> bool:
    return bool(settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"))


def sqlite_on_a_local_disk(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    name = str(settings.DATABASES["default"]["NAME"])
    if not uses_sqlite() or "memory" in name:
        return []
    kind = file_system_of(Path(name), mounts=mounts())
    if kind not in NETWORK_FILE_SYSTEMS:
        return []
    return [
        Warning(
            f"The database {name} is on a network file system ({kind}), where SQLite's log is not safe.",
            hint="Keep it on a local disk, or use PostgreSQL (DATABASE_URL).",
            id="daybook.W005",
        )
    ]


def mounts() -> list[tuple[str, str]]:
    """(folder, kind of file system) of everything mounted; empty where the system does not tell."""
    try:
        rows = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [(row.split()[1].replace("\\040", " "), row.split()[2]) for row in rows if len(row.split()) > 2]


def file_system_of(path: Path, *, mounts: Iterable[tuple[str, str]]) -> str:
    """The kind of the innermost mount above the path; of two at one folder the later hides the earlier."""
    resolved = path.resolve()
    above = [(len(folder), kind) for folder, kind in mounts if resolved.is_relative_to(folder)]
    longest = max((length for length, _ in above), default=0)
    return next((kind for length, kind in reversed(above) if length == longest), "")


def secret_key_strength(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Whoever knows it and can write to the queue runs code here, so it matters on a demo machine as well."""
    key = settings.SECRET_KEY
    if len(key) >= 50 and len(set(key)) >= 10:
        return []
    return [
        Warning(
            "SECRET_KEY is short or repeats itself.",
            hint=f"Use at least 50 random characters: {NEW_SECRET}",
            id="daybook.W006",
        )
    ]


def sandbox_in_production(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    if not settings.ALLOW_LOOPBACK_VENDORS:
        return []
    return [
        Warning(
            "ALLOW_LOOPBACK_VENDORS is on: a connection to the sandbox would be taken for a vendor.",
            hint="Leave it out of a production environment.",
            id="daybook.W007",
        )
    ]


def guards_stand(app_configs: Apps, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A warning, because `migrate` runs this check before it puts missing guards back."""
    gone = {name for alias in databases or [] for name in missing_guards(alias)}
    if not gone:
        return []
    return [
        Warning(
            f"The database does not guard the journal: {', '.join(sorted(gone))} missing.",
            hint="Run `manage.py migrate`, which puts the guards back, and find out who took them away.",
            id="daybook.W008",
        )
    ]


def missing_guards(alias: str) -> set[str]:
    """Guards that should stand in a database whose tables exist."""
    connection = connections[alias]
    return guards.missing(connection) if guards.ENTRY in connection.introspection.table_names() else set()


def register_all() -> None:
    register(guards_stand, Tags.database)
    register(loopback_vendor_urls, Tags.security)
    register(credential_keys, Tags.security)
    register(secret_key_strength, Tags.security)
    register(sandbox_in_production, Tags.security, deploy=True)
    register(sqlite_options)
    register(one_transaction_a_request)
    register(sqlite_on_a_local_disk)
