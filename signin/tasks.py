"""What signing in does in the background, and the mails that let people in; arguments are primary keys, never secrets."""

from importlib import import_module
from smtplib import SMTPException

from celery import shared_task
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from signin import credentials
from users.mail.letters import Mail, language_of
from users.models import Letter, User


@shared_task(autoretry_for=(OSError, SMTPException), retry_backoff=10, max_retries=5)
def send_set_password_mail(user_id: int) -> None:
    """Mail a one-time link for setting a password. Does nothing for whoever isn't there, is disabled or has no
    address.

    The link is made here and is nowhere but in the mail: neither in the queue nor in a log.
    """
    user = credentials.people().filter(pk=user_id).first()
    if user is None or not user.is_active or not user.email:
        return
    with translation.override(language_of(user)):
        facts = {
            "user": user,
            "link": credentials.set_password_link(user),
            "portal": settings.PUBLIC_URL.rstrip("/"),
            "days": days_of_a_link(),
        }
        # No name in the subject or the address: what people call themselves stays out of mail headers.
        mail = EmailMultiAlternatives(
            _("Set your password"), render_to_string("signin/mail/set_password.txt", facts), to=[user.email]
        )
        mail.attach_alternative(render_to_string("signin/mail/set_password.html", facts), "text/html")
        mail.send()


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
