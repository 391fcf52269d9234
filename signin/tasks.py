"""What signing in does in the background, and the mails that let people in; arguments are primary keys, never secrets."""

from importlib import import_module

from celery import shared_task
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from signin import credentials
from users.mail.letters import Mail
from users.models import Letter, User


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


def password_link(letter: Letter, user: User) -> Mail:
    """The mail with a one-time link for setting a password. The link is made here and is nowhere but in the mail."""
    facts = {"link": credentials.set_password_link(user), "days": days_of_a_link()}
    return Mail(_("Set your password"), "signin/mail/set_password", facts)
