"""Times and dates as people say them: "14 h", "9 h 40", "14 h on 24 November", « 1er décembre »."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _


def date_said(day: date, style: str) -> str:
    """A date (or aware instant, on its own clock) in `style`, a format of Django's or the name of one, in the reader's language.

    French says the first of a month as an ordinal, which no format can: « 1er décembre ».
    """
    text = date_format(day, style)
    if day.day == 1 and (get_language() or "").startswith("fr"):
        text = re.sub(r"\b1(?= [^\W\d])", "1er", text, count=1)
    return text


def moment_said(instant: datetime, *, today: bool) -> str:
    """A time on the clock of `instant`, with its date where that isn't today's: "14 h", "9 h 40"."""
    time = {"hour": str(instant.hour), "minute": f"{instant.minute:02d}"}
    clock = _("%(hour)s:%(minute)s") % time if instant.minute else _("%(hour)s:00") % time
    if today:
        return clock
    return _("%(time)s on %(date)s") % {"time": clock, "date": date_said(instant, "MONTH_DAY_FORMAT")}


def moment_in_zone(instant: datetime, zone: str, now: datetime | None = None) -> str:
    """An instant (aware) on a clock in `zone` (IANA name), its date only where it isn't today there."""
    where = ZoneInfo(zone)
    local = instant.astimezone(where)
    return moment_said(local, today=local.date() == (now or timezone.now()).astimezone(where).date())
