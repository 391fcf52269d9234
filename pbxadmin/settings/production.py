"""Production: everything secret comes from the environment, and a missing one stops the start with its name."""

from django.core.exceptions import ImproperlyConfigured

from pbxadmin.settings import addresses, base
from pbxadmin.settings.base import *  # noqa: F403 - a settings module is its base plus a few lines


def required(name: str) -> str:
    """The value of the environment variable `name`; raises `ImproperlyConfigured` naming it when it is missing."""
    value = base.env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(f"Set {name} in the environment: production doesn't start without it.")
    return value


DEBUG = False
SECRET_KEY = required("SECRET_KEY")
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("SECRET_KEY is too short: at least 50 characters.")
# First key writes, all of them read: `manage.py rotate_secrets` after a new one was put in front.
FIELD_KEYS = [key for key in required("FIELD_KEYS").split(",") if key]
ALLOWED_HOSTS = required("ALLOWED_HOSTS").split(",")
CELERY_BROKER_URL = required("CELERY_BROKER_URL")
PUBLIC_URL = required("PUBLIC_URL").rstrip("/")
PROVISIONING_URL = base.env.str("PROVISIONING_URL", default=PUBLIC_URL).rstrip("/")
# Mails hold links that sign people in: without a mail server they would lie in a folder, or stand in the log, for days.
required("EMAIL_URL")
if not str((addresses.mail(base.env) or {}).get("EMAIL_BACKEND", "")).endswith("smtp.EmailBackend"):
    raise ImproperlyConfigured(
        "EMAIL_URL names no mail server, and production leaves no mails lying in files: write it like smtp+tls://user:password@host:587."
    )
CSRF_TRUSTED_ORIGINS = base.env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL])

required("DATABASE_URL")
DATABASES = {"default": addresses.database(base.env)}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = base.SQLITE_OPTIONS

# Single sign-on with the real Microsoft and Google, over HTTPS, whatever the environment says.
SSO_LOOPBACK_ISSUERS = {}

SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
LANGUAGE_COOKIE_SECURE = True
# Phones on old firmware fetch over HTTP where the provider says so; people are always sent to HTTPS.
SECURE_SSL_REDIRECT = base.env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^p/", r"^healthz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600
# The provider decides for the names below the portal's own, once all of them have TLS; customers' host names never take it on
# (`talk.hosts`). And no list that ships with browsers: it would bind a whole domain for years.
SECURE_HSTS_INCLUDE_SUBDOMAINS = base.env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = False
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# Only a proxy that we know may say that the visitor came over HTTPS.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if base.TRUSTED_PROXY_COUNT else None
