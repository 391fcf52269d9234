"""What signing in does in the background, and the mails that let people in; arguments are primary keys, never secrets."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from celery import shared_task
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from signin import credentials
from users.mail import letters
from users.mail.letters import Mail
from users.models import Change, Letter, Operation, User


@shared_task
def forget_sessions() -> None:
    """Delete sessions that are over: whoever begins a single sign-on leaves one behind, also without finishing it."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


def days_of_a_link() -> int:
    """How long a link for setting a password opens."""
    return settings.PASSWORD_RESET_TIMEOUT // 86_400


def welcome(letter: Letter, user: User) -> Mail:
    """The welcome mail, with a link for setting a password to whoever has none.

    The link is made here and nowhere else: neither a queue nor a log has it.
    """
    facts = {
        "link": "" if user.has_usable_password() else credentials.set_password_link(user),
        "sign_in": settings.PUBLIC_URL.rstrip("/") + reverse("sign_in"),
        "days": days_of_a_link(),
    }
    return Mail(_("Welcome to your phone system"), "signin/mail/welcome", facts)


def address_changed(letter: Letter, user: User) -> Mail | None:
    """The mail to the address that somebody had: it isn't theirs any more. It names neither who has it now nor the new one:
    whoever reads it may be somebody's predecessor."""
    change = Change.objects.filter(pk=letter.about or 0).select_related("operation").first()
    old = next((cell["old"] for cell in change.cells if cell["column"] == "email"), "") if change else ""
    if change is None or not old:
        return None
    facts = {"at": change.operation.at, "old": old}
    return Mail(_("Your address in the portal was changed"), "signin/mail/address_changed", facts, to=old)


def old_addresses_are_told(sender: type, rows: Sequence[Any], operation: Operation, **_rest: Any) -> None:
    """Whose address in the portal changes learns of it where they read their mail: it is the way to their password."""
    if sender is not User:
        return
    changed = [row.key for row in rows if not row.new and row.changes.get("email", ("", ""))[0]]
    if not changed:
        return
    label = User._meta.label_lower
    written = Change.objects.filter(operation=operation, model=label, object_pk__in=changed)
    # Of several rows of one person in one operation (an undone operation, a job) the last one is this change.
    keys = {
        person: key
        for key, person, cells in written.order_by("pk").values_list("pk", "object_pk", "cells")
        if any(cell["column"] == "email" and cell["old"] for cell in cells)
    }
    letters.post_about(Letter.Kind.ADDRESS, keys)


def password_link(letter: Letter, user: User) -> Mail:
    """The mail with a one-time link for setting a password. The link is made here and is nowhere but in the mail."""
    facts = {"link": credentials.set_password_link(user), "days": days_of_a_link()}
    return Mail(_("Set your password"), "signin/mail/set_password", facts)


def factor_taken(letter: Letter, user: User) -> Mail:
    """The mail to somebody whose second factor was taken away: whoever didn't ask for that is being attacked."""
    return Mail(_("Your second factor was taken away"), "signin/mail/factor_taken", {"at": letter.created_at})
