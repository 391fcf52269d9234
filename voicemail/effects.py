"""What a mailbox does at the PBX: the tab "Messagerie vocale" as data that it reads, and in words for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from pbxadmin.common.sections import Effects
from users.models import User
from users.models.customer import LANGUAGES
from voicemail.models import Mailbox


def effects(people: Sequence[User]) -> Mapping[Any, Effects]:
    """Of each of these people, in one query. A mailbox that is off does nothing; mails go nowhere without an address."""
    found = {
        box.user_id: box
        for box in Mailbox.objects.filter(user__in=people).select_related("default_greeting").defer("pin")
    }
    return {person.pk: _effects(person, found[person.pk]) for person in people}


def _effects(person: User, mailbox: Mailbox) -> Effects:
    if not mailbox.enabled or not person.is_active:
        return Effects({"enabled": False}, [(_("Voicemail"), _("off: callers hear the busy tone"))])
    department = person.primary_department
    language = mailbox.language or (department.language if department else "")
    mail = mailbox.email_option if person.email else Mailbox.EmailOption.NONE
    data = {
        "enabled": True,
        "language": language,
        "asks_pin": not mailbox.pin_disabled,
        "greeting": str(mailbox.default_greeting or ""),
        "says_when": mailbox.play_date_time,
        "says_caller": mailbox.play_caller_id,
        "mail": str(mail),
        "mail_to": person.email if mail != Mailbox.EmailOption.NONE else "",
    }
    said = {
        Mailbox.DateTime.NO: "",
        Mailbox.DateTime.H12: _("says when a message came (AM/PM)"),
        Mailbox.DateTime.H24: _("says when a message came (24 hours)"),
    }
    answers = [
        str(dict(LANGUAGES).get(language, language)),
        _("asks for the PIN") if data["asks_pin"] else _("asks for no PIN"),
        said[Mailbox.DateTime(mailbox.play_date_time)],
        _("says the caller's number") if mailbox.play_caller_id else "",
    ]
    sent = {
        Mailbox.EmailOption.NONE: _("no mail"),
        Mailbox.EmailOption.NOTIFY: _("notice to %(address)s"),
        Mailbox.EmailOption.ATTACH: _("recording to %(address)s"),
        Mailbox.EmailOption.ATTACH_DELETE: _("recording to %(address)s, then deleted from the mailbox"),
    }[Mailbox.EmailOption(mail)]
    return Effects(
        data,
        [
            (_("Voicemail"), " · ".join(filter(None, answers))),
            (_("Greeting"), str(mailbox.default_greeting or "") or _("the phone system's greeting")),
            (_("New messages"), sent % {"address": person.email} if "%" in sent else sent),
        ],
    )
