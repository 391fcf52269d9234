"""The WSGI entrance that the web server loads; what keeps it from serving is said in one line, and ends it."""

import gc
import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pbxadmin.settings.production")


def check_static_files() -> None:
    """Raises `ImproperlyConfigured` where no page could name its style sheet."""
    from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage

    if isinstance(staticfiles_storage, ManifestFilesMixin) and not staticfiles_storage.hashed_files:
        raise ImproperlyConfigured(
            "The static files aren't collected: run `python manage.py collectstatic` once for each version (deploy/Procfile, `release`)."
        )


try:
    django.setup(set_prefix=False)
    check_static_files()
    # After the settings are there: Django's requests read some of them.
    from pbxadmin.common.http import Utf8Request

    class Handler(WSGIHandler):
        """Django's own, with requests that believe no codec that a stranger names."""

        request_class = Utf8Request

    application = Handler()
    # What is loaded by now stays for good, and needn't be looked through for garbage; nor is there much after each few hundred objects:
    # nearly all that an answer leaves goes by itself.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
except ImproperlyConfigured as error:
    sys.exit(f"pbxadmin: {error}")
