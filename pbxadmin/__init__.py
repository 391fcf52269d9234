"""The project: settings and wiring on top, the kit (`common`) at the bottom."""

import zoneinfo

from pbxadmin.run.starting import end_when_asked

end_when_asked()

# Python asks the system's tables first, which are as old as the system. Laws change clocks: what counts, in every process, is
# the data that `requirements.txt` pins. Everything passes here, and passes here first.
zoneinfo.reset_tzpath(())
zoneinfo.ZoneInfo.clear_cache()

from pbxadmin.celery import app as celery_app  # noqa: E402 - Celery reads zones

__all__ = ["celery_app"]
