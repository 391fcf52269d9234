#!/usr/bin/env python3
"""Django's command line for pbxadmin, in development settings unless told otherwise."""

import os
import sys


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pbxadmin.settings.development")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"pbxadmin: {error}")


if __name__ == "__main__":
    main()
