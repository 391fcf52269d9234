"""How calls ended, in words for people."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from asterisk.calls.became import Became
from asterisk.calls.naming import Names, said
from asterisk.calls.reading import UNREADABLE
from asterisk.calls.taken import Ending
from asterisk.models import CallParty, CallRecord
from forwarding import reasons
from forwarding.decisions import Reason
from pbxadmin.common.fields import phone_number_said

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


def outcome_for(party: CallParty, person: str, known: Became, named: Names, now: datetime) -> tuple[str, str]:
    """How a call ended for one of those whom it concerned, as (tone, words): who took it, whose mailbox it came to, why it was refused, as
    far as the reader may know (`known`); a missed one says so. `person`: the extension of the one whom it concerned."""
    tone, words = _outcome(party, person, known, named, now)
    if not party.missed:
        return tone, words
    if party.call.outcome in (Ending.GIVEN_UP, Ending.NO_ANSWER):
        return "bad", _("Missed")
    if party.call.outcome != Ending.ANSWERED:
        return "bad", _("Missed (%(what)s)") % {"what": words[:1].lower() + words[1:]}
    if not known.taker or known.taker == person:
        return "bad", _("Missed, answered elsewhere")
    return "bad", _("Missed, answered by %(who)s") % {"who": said(known.taker, named)}


def _outcome(party: CallParty, person: str, known: Became, named: Names, now: datetime) -> tuple[str, str]:
    call = party.call
    if call.ended_at is None:
        if now - call.at >= GOES_ON:
            return "off", _("End unknown")
        return ("off", _("In progress, as last known")) if known.unheard else ("wait", _("In progress"))
    tone, words = ENDINGS.get(call.outcome, ENDINGS[Ending.ENDED])
    if party.calling and call.outcome == Ending.GIVEN_UP:
        words = _("Hung up before an answer")
    expected = call.dialled if party.calling else person
    if (
        known.taker
        and known.taker != expected
        and phone_number_said(known.taker) != phone_number_said(expected)
    ):
        words = _("Answered by %(who)s") % {"who": said(known.taker, named)}
    elif known.mailbox and known.mailbox != person:
        words = _("Voicemail: %(who)s") % {"who": said(known.mailbox, named)}
    elif known.reason is not None:
        words = _because(call, str(words), known.reason)
    return tone, str(words)


def _because(call: CallRecord, words: str, reason: Reason) -> str:
    """A refusal, and what the phone system itself answered, are whole sentences; a busy tone says why."""
    try:
        why = reasons.phrase(reason)
    except UNREADABLE:
        return words
    if call.outcome != Ending.BUSY:
        return why
    return _("%(what)s: %(why)s") % {"what": words, "why": why[:1].lower() + why[1:]}


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
