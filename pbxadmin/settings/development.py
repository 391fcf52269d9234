"""Development and `./run`: an embedded database, and keys generated once into the git-ignored data folder."""

import os
import secrets

from pbxadmin.run import address
from pbxadmin.settings import addresses, base
from pbxadmin.settings.base import *  # noqa: F403 - a settings module is its base plus a few lines

DEBUG = base.env.bool("DEBUG", default=False)
ALLOWED_HOSTS = base.env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])


def generated_key(name: str, size: int) -> str:
    """The key `name` of this installation: from the environment, else from its file, made at the first start."""
    if os.environ.get(name):
        return os.environ[name]
    base.VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = base.VAR_DIR / f"{name.lower()}.key"
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(size))
    except FileExistsError:
        pass
    return path.read_text().strip()


SECRET_KEY = generated_key("SECRET_KEY", 50)
FIELD_KEYS = base.env.list("FIELD_KEYS", default=[]) or [generated_key("FIELD_KEY", 32)]

DATABASES = {"default": addresses.database(base.env, f"sqlite:///{base.VAR_DIR}/pbxadmin.sqlite3")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = base.SQLITE_OPTIONS
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# Static files straight from the sources, so that nothing has to be collected first.
WHITENOISE_USE_FINDERS = True
STORAGES = base.STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
NOTIFY_EXTRA_NETWORKS = base.env.list("NOTIFY_EXTRA_NETWORKS", default=["127.0.0.0/8"])
# Microsoft or Google played on this machine: SSO_LOOPBACK_ISSUERS=google=http://localhost:9400
SSO_LOOPBACK_ISSUERS = base.env.dict("SSO_LOOPBACK_ISSUERS", default={})

# A command at another terminal sends SIP where the `./run --calls` of this folder has its phone system.
_phone_system = address.phone_system(base.VAR_DIR)
SIP_SERVER = os.environ.get("SIP_SERVER") or _phone_system.get("SIP_SERVER", "")
SIP_PORT, SIP_TLS_PORT = (
    int(_phone_system[name]) if name in _phone_system and not os.environ.get(name) else getattr(base, name)
    for name in ("SIP_PORT", "SIP_TLS_PORT")
)
