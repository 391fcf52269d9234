"""How calls ended, in words for people."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from asterisk.calls.taken import Ending
from asterisk.models import CallParty, CallRecord

# {ending: tone, words}.
ENDINGS: Mapping[str, tuple[str, str | Promise]] = {
    Ending.ANSWERED: ("ok", gettext_lazy("Answered")),
    Ending.VOICEMAIL: ("wait", gettext_lazy("Voicemail")),
    Ending.GIVEN_UP: ("off", gettext_lazy("The caller hung up")),
    Ending.NO_ANSWER: ("wait", gettext_lazy("Unanswered")),
    Ending.BUSY: ("bad", gettext_lazy("Busy tone")),
    Ending.UNREACHABLE: ("bad", gettext_lazy("The number couldn't be reached")),
    Ending.FULL: ("bad", gettext_lazy("All channels were in use")),
    Ending.DEFLECTED: ("ok", gettext_lazy("Deflected by the SIP trunk")),
    Ending.SERVICE: ("ok", gettext_lazy("Answered by the phone system")),
    Ending.REFUSED: ("bad", pgettext_lazy("a call", "Refused")),
    Ending.ENDED: ("off", gettext_lazy("Ended")),
}
# So long a call may go on before it is said that nobody knows how it ended.
GOES_ON = timedelta(hours=4)


def outcome(call: CallRecord, now: datetime) -> tuple[str, str]:
    """How a call ended, as (tone, words)."""
    if call.ended_at is None:
        return ("wait", _("In progress")) if now - call.at < GOES_ON else ("off", _("End unknown"))
    tone, words = ENDINGS.get(call.outcome, ENDINGS[Ending.ENDED])
    return tone, str(words)


def outcome_for(party: CallParty, now: datetime) -> tuple[str, str]:
    """The same for one of those whom it concerned: a missed call says so, and what became of it."""
    tone, words = outcome(party.call, now)
    if not party.missed:
        return tone, words
    if party.call.outcome in (Ending.GIVEN_UP, Ending.NO_ANSWER):
        return "bad", _("Missed")
    return "bad", _("Missed (%(what)s)") % {"what": words[:1].lower() + words[1:]}


def spoken(seconds: int | None) -> str:
    """A length of time: "45 s", "3 min 5 s", "1 h 2 min"; "" where nobody spoke."""
    if not seconds:
        return ""
    minutes, rest = divmod(seconds, 60)
    if minutes >= 60:
        return _("%(hours)s h %(minutes)s min") % {"hours": minutes // 60, "minutes": minutes % 60}
    if minutes:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}
    return _("%(seconds)s s") % {"seconds": rest}
