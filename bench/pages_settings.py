"""The tests' settings with the addresses of `bench.serve_urls`."""

from pbxadmin.settings.test import *  # noqa: F403 - a settings module is its base plus a line

ROOT_URLCONF = "bench.serve_urls"
