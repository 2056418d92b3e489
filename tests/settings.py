"""The settings under test: fixed keys, no `.env`, the sandbox allowed, the databases as given."""

import os
import tempfile
import uuid

TEST_ENVIRONMENT = {
    "DAYBOOK_ENV_FILE": "",
    "SECRET_KEY": "for-tests-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ",
    "CREDENTIAL_KEYS": "Zm9yLXRlc3RzLW9ubHktMzItYnl0ZXMtbG9uZy1rZXk=",
    "INSTALLATION_ID": f"tests-{uuid.uuid4()}",
    "DATABASE_URL": f"sqlite:///{tempfile.gettempdir()}/daybook-tests.sqlite3",
    "ALLOW_LOOPBACK_VENDORS": "true",
    "VENDOR_SETTLE_SECONDS": "5",
}
for name, value in TEST_ENVIRONMENT.items():
    os.environ.setdefault(name, value)

from config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
