"""Development settings with the addresses of `bench.serve_urls`."""

from pbxadmin.settings import development
from pbxadmin.settings.development import *  # noqa: F403 - a settings module is its base plus a line

ROOT_URLCONF = "bench.serve_urls"
LOGGING = development.base.LOGGING | {"root": {"handlers": ["console"], "level": "WARNING"}}
