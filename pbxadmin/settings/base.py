"""What every installation has in common; the rest comes from the environment."""

from pathlib import Path

import environ
from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _
from kombu import Queue
from whitenoise.compress import Compressor

from pbxadmin.settings import addresses

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()

# Data of this installation: the embedded database, generated keys, sockets, logs. Never in the repository.
VAR_DIR = Path(env.str("PBXADMIN_VAR", default=str(BASE_DIR / "var")))

INSTALLED_APPS = [
    "pbxadmin.common",
    "users",
    "signin",
    "talk",
    "forwarding",
    "phones",
    "voicemail",
    "files",
    "asterisk",
    "support",
    "pbxadmin.apps.PortalConfig",
    "pbxadmin.apps.SupportConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_otp",
    "django_htmx",
    "django_include_bootstrap",
    "import_export",
]

MIDDLEWARE = [
    "talk.hosts.CustomerHostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "pbxadmin.common.middleware.RequestFactsMiddleware",
    "phones.serving.middleware.DeviceMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "signin.middleware.SignedInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "pbxadmin.urls"
# What machines ask, by its first folder: answered before everything that only pages need.
DEVICE_ADDRESSES = {
    "/p": "phones.serving.urls_devices",
    "/r": "phones.serving.urls_devices",
    "/n": "asterisk.asked.urls",
}
WSGI_APPLICATION = "pbxadmin.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "pbxadmin.pages.context.portal_frame",
            ],
        },
    },
]

# One writer at a time, which waits for its turn from the first statement on: no "database is locked" in the middle.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=20000;",
}

# Widgets of our own have their templates beside the others; Django's have theirs in Jinja2.
FORM_RENDERER = "pbxadmin.common.rendering.WidgetRenderer"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- People and sessions -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["signin.credentials.PortalBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
# How many passwords one process looks at in the same moment, and how many more wait for their turn: together they must leave
# most of its threads to pages. One run takes 100 MB.
PASSWORD_HASHES_AT_ONCE = addresses.number(env, "PASSWORD_HASHES_AT_ONCE", 1)
PASSWORD_HASHES_WAITING = addresses.number(env, "PASSWORD_HASHES_WAITING", 1)
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("first_name", "last_name", "email", "number")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign_in"
SESSION_ENGINE = "signin.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "pbxadmin.pages.home.csrf_failure"
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
OTP_TOTP_ISSUER = "pbxadmin"

# Where Microsoft and Google are played by a server of this machine, for development and tests: {"google": "http://localhost:9400"},
# "{tenant}" in it stands for the directory's number. Only loopback addresses; production knows the real ones alone.
SSO_LOOPBACK_ISSUERS: dict[str, str] = {}

# How many reverse proxies of our own stand before the portal: only that many entries of X-Forwarded-For are believed.
TRUSTED_PROXY_COUNT = addresses.number(env, "TRUSTED_PROXY_COUNT", 0)

# --- Language: French first ----------------------------------------------------------------------------------
LANGUAGE_CODE = "fr-ca"
LANGUAGES = [("fr-ca", _("French")), ("en", _("English"))]
# The second one: what Django's admin says by itself, in the portal's words.
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "support" / "locale"]
FORMAT_MODULE_PATH = ["pbxadmin.formats"]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
USE_I18N = True
USE_TZ = True
TIME_ZONE = "America/Toronto"

# --- Files ---------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": addresses.storage(env),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Files are asked for under the name that says their content, and nobody waits for a source map: a quarter to collect and to compress.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
# Where greetings lie unless `STORAGE_URL` names an object store.
MEDIA_ROOT = VAR_DIR / "media"
# Room for the greetings of one customer, in bytes, those included that are kept for a month after they were deleted.
GREETINGS_QUOTA = addresses.number(env, "GREETINGS_QUOTA_MB", 512) * 1024 * 1024

# --- Headers -------------------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "media-src": ["'self'", "blob:"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: [] for name in ("camera", "microphone", "geolocation", "payment", "usb", "display-capture")
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

# --- The nine tabs, in order: how a lower layer reaches a higher one -----------------------------------------
USER_SECTIONS = [
    "users.people.sections.GENERAL",
    "users.people.sections.talk.TALK",
    "forwarding.tabs.sections.FORWARDING",
    "forwarding.tabs.sections.SCHEDULE",
    "phones.settings.sections.PHONES",
    "phones.keys.sections.BLF",
    "voicemail.sections.VOICEMAIL",
    "users.people.sections.visualiser.VISUALISER",
    "users.people.sections.options.OPTIONS",
]

# --- What belongs to a customer as a whole: the parts of its pages, in order -------------------------------------
CUSTOMER_SECTIONS = [
    "users.company.sheets.sections.SECURITY",
    "users.company.sheets.single_sign_on.SINGLE_SIGN_ON",
    "users.company.sheets.sections.CONTRACT",
    "phones.sites.sections.PHONES_OF_A_CUSTOMER",
]
DEPARTMENT_SECTIONS = [
    "users.company.sheets.sections.DEPARTMENT",
    "forwarding.tabs.sections.HOURS_OF_DEPARTMENT",
    "forwarding.tabs.sections.HOLIDAYS_OF_DEPARTMENT",
    "users.company.sheets.sections.DEPARTMENT_MEMBERS",
    "phones.sites.sections.PHONES_OF_A_DEPARTMENT",
]
SYSTEM_EXTENSION_SECTIONS = [
    "users.company.sheets.sections.SYSTEM_EXTENSION",
    "phones.sites.sections.PHONES_OF_A_SYSTEM_EXTENSION",
]

# --- Cache ---------------------------------------------------------------------------------------------------
# What may be forgotten at any time: failed look-ups of phone addresses by network address, names of roles. In the memory
# of each process, or shared through Redis or Valkey (CACHE_URL=redis://host:6379/1), which then counts for all processes.
CACHES = {"default": addresses.cache(env)}
CACHES["default"]["OPTIONS"] = {
    **CACHES["default"].get("OPTIONS", {}),
    **(
        {"MAX_ENTRIES": 50_000}
        if CACHES["default"]["BACKEND"].endswith("LocMemCache")
        else {"socket_timeout": 1, "socket_connect_timeout": 1}
    ),
}

# --- Jobs ----------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = addresses.broker(env)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 600
# What a large file took is given back to the machine: a worker's process that is larger than this, in KiB, is replaced after its task.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 300_000
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A worker killed in the middle gives its task back after this; what was lost is found in the rows before then.
    "visibility_timeout": 900,
    "socket_timeout": 5,
    "socket_connect_timeout": 1,
    # Twice, without a pause: whoever saves a page waits for this when the broker is down.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
# A change that was saved must not wait for a broker that is down: one try, then the rows are looked at.
CELERY_TASK_PUBLISH_RETRY = False
# What phones are told has a queue of its own (`celery worker -Q push`), so that letters, jobs and switches wait for no push, and
# no push for them; and so has what is done as a whole and takes long, a file of thousands of rows, and what takes seconds of a core,
# a recording. A worker that is given no queue takes all of them.
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in ("celery", "push", "files", "sounds")]
CELERY_TASK_ROUTES = {"phones.push.tasks.*": {"queue": "push"}}
CELERY_BEAT_SCHEDULE = {
    "jobs": {"task": "users.road.jobs.sweep", "schedule": 10.0, "options": {"expires": 10}},
    "old-jobs": {"task": "users.road.jobs.forget", "schedule": 3600.0, "options": {"expires": 3600}},
    "files": {"task": "files.tasks.forget_uploads", "schedule": 3600.0, "options": {"expires": 3600}},
    "sounds": {"task": "voicemail.tasks.sweep_sounds", "schedule": 3600.0, "options": {"expires": 3600}},
    # At night, when nobody waits for the database.
    "weak-pins": {
        "task": "voicemail.weak_pins.mark_all",
        "schedule": crontab(hour="7", minute="40"),
        "options": {"expires": 3600},
    },
    "letters": {"task": "users.mail.letters.send_letters", "schedule": 30.0, "options": {"expires": 30}},
    "sessions": {"task": "signin.tasks.forget_sessions", "schedule": 3600.0, "options": {"expires": 3600}},
    "visitors": {"task": "talk.tasks.forget_visitors", "schedule": 3600.0, "options": {"expires": 3600}},
    "calls": {
        "task": "asterisk.calls.keeping.forget_calls",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    # On the minute: office hours begin at one.
    "switch-statuses": {
        "task": "forwarding.tasks.switch_statuses",
        "schedule": crontab(),
        "options": {"expires": 55},
    },
}

# --- Phones --------------------------------------------------------------------------------------------------
# Where phones fetch their configuration and people open the portal, seen from outside.
PUBLIC_URL = addresses.of_web(env, "PUBLIC_URL", "http://127.0.0.1:8000")
PROVISIONING_URL = addresses.of_web(env, "PROVISIONING_URL", PUBLIC_URL)
# Where devices send SIP: a host of its own, or "" for the customer's host name, which is the domain in any case.
SIP_SERVER = env.str("SIP_SERVER", default="")
SIP_PORT = addresses.number(env, "SIP_PORT", 5060)  # UDP and TCP
SIP_TLS_PORT = addresses.number(env, "SIP_TLS_PORT", 5061)
# As what the phone system asks for a password: one word for all customers. Another one makes every stored digest another.
SIP_REALM = "pbxadmin"
# Networks from which devices register whose user blocks remote connections: the company's own, and what SBCs and tunnels come from.
SIP_LOCAL_NETWORKS: list[str] = env.list(
    "SIP_LOCAL_NETWORKS",
    default=[
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "100.64.0.0/10",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    ],
)
# The time servers of every device.
NTP_SERVERS: list[str] = env.list("NTP_SERVERS", default=["pool.ntp.org"])
# Networks in which a phone may live although they are not ordinary unicast (development: loopback).
NOTIFY_EXTRA_NETWORKS: list[str] = env.list("NOTIFY_EXTRA_NETWORKS", default=[])
# Phones that one worker tells to reload in a second at most: each of them then asks for its files. 0: as many as it can.
NOTIFY_RATE = addresses.number(env, "NOTIFY_RATE", 100)

# Where the virtual phone of the demo data listens for NOTIFY.
DEMO_SIP_PORT = addresses.number(env, "DEMO_SIP_PORT", 5071)

# --- Mail ----------------------------------------------------------------------------------------------------
# Seconds that a worker waits for each answer of the mail server: one that says nothing would hold it for good.
EMAIL_TIMEOUT = 10
EMAIL_CONFIG = addresses.mail(env)
if EMAIL_CONFIG:
    vars().update(EMAIL_CONFIG)
else:
    # No mail server set: mails are files in a folder, where a technician can read them.
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(VAR_DIR / "mail")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="pbxadmin <ne-pas-repondre@localhost>")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "refusals": {"()": "pbxadmin.common.logs.RefusalsFilter"},
        "one_line": {"()": "pbxadmin.common.logs.OneLineFilter"},
    },
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["refusals", "one_line"],
        }
    },
    # Django brings handlers of its own, one that mails traces among them: everything is written by the one above.
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
}
