"""Tests: the database that `DATABASE_URL` names, else SQLite; quick password hashing; mails kept in memory."""

from pbxadmin.settings import addresses, base
from pbxadmin.settings.base import *  # noqa: F403 - a settings module is its base plus a few lines

DEBUG = False
SECRET_KEY = "only-for-tests-" + "x" * 40
FIELD_KEYS = ["only-for-tests-first-key", "only-for-tests-older-key"]
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
DATABASES = {"default": addresses.database(base.env, "sqlite:///:memory:")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = base.SQLITE_OPTIONS
elif template := base.env.str("TEST_DATABASE_TEMPLATE", default=""):
    # `./test` has one on which every migration was done.
    DATABASES["default"]["TEST"] = {"TEMPLATE": template}
# The same algorithm as in production at its smallest cost: hundreds of people are made in the tests.
PASSWORD_HASHERS = ["users.tests.hashers.QuickArgon2", "django.contrib.auth.hashers.Argon2PasswordHasher"]
STORAGES = base.STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
NOTIFY_EXTRA_NETWORKS = ["127.0.0.0/8"]
CELERY_BROKER_URL = base.env.str("CELERY_BROKER_URL", default="memory://")
