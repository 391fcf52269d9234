"""Calls that somebody missed: noted, and told once by mail to whoever wants that (`User.missed_call_email`)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from asterisk.calls.became import Became, became
from asterisk.calls.naming import Names, caller_of, names_of, said
from asterisk.calls.taken import Ending
from asterisk.models import CallParty, CallRecord
from pbxadmin.common.clock import date_said
from users import rights
from users.mail import letters
from users.models import Letter, User

# A call of which a node tells later than this is on the page, and no news for a mail any more.
TOLD_WITHIN = timedelta(hours=1)
# What happened then, of a call that went on.
THEN: Mapping[str, Promise] = {
    Ending.ANSWERED: gettext_lazy("The call was then answered elsewhere."),
    Ending.VOICEMAIL: gettext_lazy("The call then went to voicemail."),
    Ending.GIVEN_UP: gettext_lazy("The caller hung up."),
    Ending.NO_ANSWER: gettext_lazy("Nobody answered."),
    Ending.BUSY: gettext_lazy("The caller then heard the busy tone."),
    Ending.UNREACHABLE: gettext_lazy("The number to which the call was forwarded couldn't be reached."),
    Ending.FULL: gettext_lazy("The call couldn't be forwarded: all channels were in use."),
    Ending.DEFLECTED: gettext_lazy("The call was then forwarded to an outside number."),
}


def register() -> None:
    """Say what writes the mail."""
    letters.register(Letter.Kind.MISSED, told)


def note(parties: Sequence[CallParty]) -> None:
    """These people missed these calls: a letter to each of them for each, unless that was noted before. In the caller's transaction, which
    holds the calls."""
    fresh = [party for party in parties if not party.missed]
    if not fresh:
        return
    CallParty.objects.filter(pk__in=[party.pk for party in fresh]).update(missed=True)
    waiting: dict[int, list[CallParty]] = defaultdict(list)
    for party in fresh:
        if _is_told(party):
            waiting[party.user_id].append(party)
    # Who missed several is told of each.
    while now := [several.pop(0) for several in waiting.values() if several]:
        letters.post(
            Letter.Kind.MISSED, [party.user for party in now], {party.user_id: party.pk for party in now}
        )


def _is_told(party: CallParty) -> bool:
    ended = party.call.ended_at
    return party.user.missed_call_email and ended is not None and timezone.now() - ended < TOLD_WITHIN


def told(letter: Letter, user: User) -> letters.Mail | None:
    """The mail about a missed call; None once the call is erased."""
    party = CallParty.objects.filter(pk=letter.about or 0, user=user).select_related("call").first()
    if party is None:
        return None
    call = party.call
    known = became(call).seen({user.number} if rights.sees_own_forwarding(user) else ())
    named = names_of([call], call.customer_id, [known.taker, known.mailbox])
    at = call.at.astimezone(ZoneInfo(user.time_zone))
    return letters.Mail(
        _("Missed call"),
        "asterisk/mail/missed",
        {
            "caller": said(caller_of(call), named),
            "extension": call.from_extension if call.from_extension in named else "",
            "when": date_said(at, pgettext("date and time format", "M j, Y, P")),
            "dialled": "" if call.dialled == user.number else said(call.dialled, named),
            "then": _then(call, user, known, named),
            "link": settings.PUBLIC_URL.rstrip("/") + reverse("own_call", args=[call.pk]),
        },
    )


def _then(call: CallRecord, user: User, known: Became, named: Names) -> str:
    """What happened next, with who that was where it was somebody else."""
    if known.taker and known.taker != user.number:
        return _("%(who)s then answered the call.") % {"who": said(known.taker, named)}
    if known.mailbox and known.mailbox != user.number:
        return _("The call then went to voicemail: %(who)s.") % {"who": said(known.mailbox, named)}
    return str(THEN.get(call.outcome, ""))
