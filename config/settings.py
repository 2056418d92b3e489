"""Every setting of Daybook in one flat file: from the environment, else from `.env` (see `.env.example`)."""

import os
import socket
import sys
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from config import api_settings, logs
from config.look_settings import *  # noqa: F403
from config.sign_in_settings import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
ENV_FILE = os.environ.get("DAYBOOK_ENV_FILE", str(BASE_DIR / ".env"))
if ENV_FILE and Path(ENV_FILE).is_file():
    env.read_env(ENV_FILE)


def required(name: str, *, what: str, make: str) -> str:
    """The value of a setting that has no sensible default."""
    value = env.str(name, default="").strip()
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set: {what}. Run `bin/demo` once, which writes a `.env` with generated values, "
            f"or set it yourself, for example to the output of: {make}"
        )
    return value


# --- Who this installation is ---------------------------------------------------------------------

SECRET_KEY = required(
    "SECRET_KEY",
    what="it signs the sessions and the messages of the queue",
    make="python -c 'import secrets; print(secrets.token_urlsafe(64))'",
)
# Keys of before, so that nobody is signed out by a change of the key. The queue knows only the newest.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# The first key encrypts; all of them decrypt, so that keys can be rotated.
CREDENTIAL_KEYS = [
    key.strip()
    for key in required(
        "CREDENTIAL_KEYS",
        what="these keys (separated by commas, the newest first) encrypt the vendors' credentials",
        make="python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'",
    ).split(",")
    if key.strip()
]
# A copied database carries tokens of the first installation; it must not use them.
INSTALLATION_ID = required(
    "INSTALLATION_ID",
    what="it tells this installation from a copy of its database",
    make="python -c 'import uuid; print(uuid.uuid4())'",
)

DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# --- The vendors ----------------------------------------------------------------------------------

# Production talks to public hosts only; the demo and the tests talk to the sandbox on this machine.
ALLOW_LOOPBACK_VENDORS = env.bool("ALLOW_LOOPBACK_VENDORS", default=False)
# Empty: the vendor's own address. Set only where something else speaks for the vendor.
VENDOR_URLS = {
    "heartland_retail": env.str("HEARTLAND_RETAIL_URL", default=""),
    "quickbooks": env.str("QUICKBOOKS_URL", default=""),
}
# Seconds after which "not found" counts as "never booked". None: each connection's own value.
VENDOR_SETTLE_SECONDS: int | None = env.int("VENDOR_SETTLE_SECONDS", default=0) or None

# --- Apps -----------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",  # before the admin, whose templates it replaces
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "import_export",
    "django_q",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "ledger",
    "mappings",
    "integrations",
    "config.apps.ShellConfig",  # last: it looks at what the others have registered
]

MIDDLEWARE = [
    "config.tracing.TracingMiddleware",  # first: what the others log bears the request's id
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.csp.ContentSecurityPolicyMiddleware",
    "config.null_characters.NullCharacterMiddleware",  # before whatever asks the database
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.idle.IdleMiddleware",
    "config.second_factor.SecondFactorMiddleware",
    "config.first_password.FirstPasswordMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it answers for whoever is locked out
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: a locked-out name is not even tried
    "django.contrib.auth.backends.ModelBackend",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Database -------------------------------------------------------------------------------------

DEFAULT_DATABASE = BASE_DIR / "var" / "daybook.sqlite3"
DATABASES: dict[str, dict[str, Any]] = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{DEFAULT_DATABASE}")}
DATABASE = DATABASES["default"]
# Under IMMEDIATE every transaction takes the write lock, a page that only reads included.
DATABASE["ATOMIC_REQUESTS"] = False
if DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    # WAL and IMMEDIATE together, or writers fail with "database is locked".
    # FULL keeps the last commit on power loss.
    DATABASE["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON; "
            "PRAGMA cache_size=-20000; PRAGMA mmap_size=134217728; PRAGMA journal_size_limit=67108864;"
        ),
    }
    if Path(DATABASE["NAME"]) == DEFAULT_DATABASE:
        DEFAULT_DATABASE.parent.mkdir(exist_ok=True)
else:
    # The queue closes old connections around each message: without this, one connection a message.
    DATABASE["CONN_MAX_AGE"] = 600
    DATABASE["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- The queue: wake-ups only, so nothing is kept, repeated or caught up --------------------------

REDIS_URL = env.str("REDIS_URL", default="")
QUEUE_WORKERS = env.int("DAYBOOK_QUEUE_WORKERS", default=3)
QUEUE_LIMIT = QUEUE_WORKERS
QUEUE_TIMEOUT = env.int("DAYBOOK_QUEUE_TIMEOUT", default=300)
# The broker's clock starts when a message is fetched, not when it runs: it must outlast those in front of it.
QUEUE_RETRY = QUEUE_TIMEOUT * (QUEUE_LIMIT // QUEUE_WORKERS + 1) + 60
Q_CLUSTER: dict[str, Any] = {
    "name": f"daybook-{INSTALLATION_ID}"[:80],  # the queues of single machines add 17 characters, of at most 100
    "workers": QUEUE_WORKERS,
    "queue_limit": QUEUE_LIMIT,
    "timeout": QUEUE_TIMEOUT,
    "retry": env.int("DAYBOOK_QUEUE_RETRY", default=QUEUE_RETRY),
    "poll": env.float("DAYBOOK_QUEUE_POLL", default=0.2),
    "recycle": 500,
    "save_limit": -1,
    "ack_failures": True,
    "max_attempts": 1,
    "catch_up": False,
    "broker_class": "config.queue.OwnAndSharedLists" if REDIS_URL else "config.queue.OwnAndSharedRows",
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

# --- Supervisor -----------------------------------------------------------------------------------

# What this machine is called in heartbeats, metrics and logs.
MACHINE = env.str("DAYBOOK_MACHINE", default="") or socket.gethostname()
HEARTBEAT_SECONDS = env.int("DAYBOOK_HEARTBEAT_SECONDS", default=180)
STOP_GRACE_SECONDS = env.int("DAYBOOK_STOP_GRACE_SECONDS", default=30)
TILL_POLL_SECONDS = env.float("DAYBOOK_TILL_POLL_SECONDS", default=2.0)  # 0: once a minute
# Days that housekeeping keeps bodies and vendors' words, and what was told. 0: for ever.
KEEP_BODIES_DAYS = env.int("DAYBOOK_KEEP_BODIES_DAYS", default=90)
KEEP_NOTES_DAYS = env.int("DAYBOOK_KEEP_NOTES_DAYS", default=400)

# Whoever shows this token may read /metrics; empty: there is no such page.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="").strip()

# --- Messages: alerts by e-mail and chat ----------------------------------------------------------

# Where people reach this installation, for the links in messages, e.g. https://daybook.example.com
DAYBOOK_URL = env.str("DAYBOOK_URL", default="").rstrip("/")
# Without a mail server no e-mail is written, and the screens say so.
EMAIL_CONFIGURED = bool(env.str("EMAIL_URL", default=""))
globals().update(env.email_url("EMAIL_URL", default="dummymail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Daybook <daybook@localhost>")

# --- People and pages -----------------------------------------------------------------------------

LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AXES_FAILURE_LIMIT = env.int("DAYBOOK_SIGN_IN_FAILURES", default=5)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("DAYBOOK_SIGN_IN_LOCK_MINUTES", default=15))
REST_FRAMEWORK = api_settings.REST_FRAMEWORK
REST_KNOX = api_settings.REST_KNOX
SPECTACULAR_SETTINGS = api_settings.SPECTACULAR_SETTINGS
API_CALLS_PER_MINUTE = env.int("DAYBOOK_API_CALLS_PER_MINUTE", default=120)
KNOX_TOKEN_MODEL = "integrations.ApiToken"
MIGRATION_MODULES = {"knox": None}  # it would make a table of its own that nobody uses, and no flush could empty
IMPORT_EXPORT_USE_TRANSACTIONS = True

LANGUAGE_CODE = "en-us"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["config.formats"]

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("DAYBOOK_STATIC_ROOT", default=str(BASE_DIR / "var" / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
# Without `collectstatic` the files are served from where the packages keep them.
COLLECTED = (STATIC_ROOT / "staticfiles.json").is_file() or "collectstatic" in sys.argv
WHITENOISE_USE_FINDERS = not COLLECTED
if not COLLECTED:
    warnings.filterwarnings("ignore", message="No directory at: .*static")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "config.static_files.HashedStaticFiles"
        if COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- Security -------------------------------------------------------------------------------------

HTTPS = env.bool("DAYBOOK_HTTPS", default=False)
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]  # a probe asks from inside, without TLS
SECURE_HSTS_SECONDS = env.int("DAYBOOK_HSTS_SECONDS", default=31_536_000) if HTTPS else 0
BEHIND_PROXY = env.bool("DAYBOOK_BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# Lax, not Strict: the vendor's consent page leads back to us.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
# A role's own sign-in policy may ask for less; 0: only the 12 hours count.
IDLE_MINUTES = env.int("DAYBOOK_IDLE_MINUTES", default=120)
X_FRAME_OPTIONS = "DENY"
# Subdomains and the browsers' preload list are the domain owner's to decide, not this application's.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

SECURE_CSP = {
    "default-src": ["'self'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}
# The admin's Alpine.js evaluates its attributes as code.
SECURE_CSP_BY_PATH = {"/admin/": {"script-src": ["'self'", "'unsafe-eval'"]}}

# --- Logs -----------------------------------------------------------------------------------------

LOGGING = logs.logging_settings(
    level=env.str("LOG_LEVEL", default="INFO"),
    as_json=env.bool("LOG_JSON", default=bool(REDIS_URL)),
    machine=MACHINE,
)
logs.configure_structlog()
