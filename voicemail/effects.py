"""What a mailbox does at the PBX: the tab "Messagerie vocale" as data that it reads, and in words for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from pbxadmin.common.contributions import Effects
from users.models import User
from users.models.customer import LANGUAGES
from voicemail.models import Greeting, Mailbox


def of(people: Sequence[User]) -> Mapping[Any, dict[str, Any]]:
    """For each of these people, in one query. A mailbox that is off does nothing; mails go nowhere without an address."""
    boxes = Mailbox.objects.filter(user__in=[person.pk for person in people]).defer("pin")
    found = {box.user_id: box for box in boxes}
    return {person.pk: _data(person, found[person.pk]) for person in people}


def _data(person: User, mailbox: Mailbox) -> dict[str, Any]:
    if not mailbox.enabled or not person.is_active:
        return {"enabled": False}
    department = person.primary_department
    mail = mailbox.email_option if person.email else Mailbox.EmailOption.NONE
    return {
        "enabled": True,
        "language": mailbox.language or (department.language if department else ""),
        "asks_pin": not mailbox.pin_disabled,
        # Its key: what it is called depends on who reads.
        "greeting": str(mailbox.default_greeting_id or ""),
        "says_when": mailbox.play_date_time,
        "says_caller": mailbox.play_caller_id,
        "mail": str(mail),
        "mail_to": person.email if mail != Mailbox.EmailOption.NONE else "",
    }


def in_words(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What callers hear and where messages go; asks for the greeting's name where there is one."""
    if not data["enabled"]:
        return [(_("Voicemail"), _("off: callers hear the busy tone"))]
    said = {
        Mailbox.DateTime.NO: "",
        Mailbox.DateTime.H12: _("says when a message came (AM/PM)"),
        Mailbox.DateTime.H24: _("says when a message came (24 hours)"),
    }
    answers = [
        str(dict(LANGUAGES).get(data["language"], data["language"])),
        _("asks for the PIN") if data["asks_pin"] else _("asks for no PIN"),
        said[Mailbox.DateTime(data["says_when"])],
        _("says the caller's number") if data["says_caller"] else "",
    ]
    sent = {
        Mailbox.EmailOption.NONE: _("no email"),
        Mailbox.EmailOption.NOTIFY: _("notice to %(address)s"),
        Mailbox.EmailOption.ATTACH: _("recording to %(address)s"),
        Mailbox.EmailOption.ATTACH_DELETE: _("recording to %(address)s, then deleted from the mailbox"),
    }[Mailbox.EmailOption(data["mail"])]
    greeting = Greeting.objects.filter(pk=data["greeting"]).first() if data["greeting"] else None
    return [
        (_("Voicemail"), " · ".join(filter(None, answers))),
        (_("Greeting"), str(greeting or "") or _("the phone system's greeting")),
        (_("New messages"), sent % {"address": data["mail_to"]} if "%" in sent else sent),
    ]


EFFECTS = Effects(of, in_words)
