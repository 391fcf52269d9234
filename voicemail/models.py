"""Voicemail: a mailbox for everybody, and the greetings that callers hear there."""

import secrets

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.crypto import EncryptedTextField, Reader
from pbxadmin.common.fields import OneLineField, YesNoField
from pbxadmin.common.scoping import ScopedManager
from pbxadmin.common.searching import Folded
from users.models import Customer, User
from users.models.customer import LANGUAGES
from voicemail.pins import random_pin


class Greeting(models.Model):
    """An announcement: one of the provider's, which every customer has, or one of a person's own library."""

    # NULL: the provider's own, for everybody.
    customer = models.ForeignKey(
        Customer, models.CASCADE, null=True, blank=True, related_name="greetings", editable=False
    )
    user = models.ForeignKey(
        User, models.CASCADE, null=True, blank=True, related_name="greetings", editable=False
    )
    name = OneLineField(_("name"), max_length=80)
    name_en = OneLineField(_("name in English"), max_length=80, blank=True)

    objects = ScopedManager()

    class Meta:
        verbose_name = _("greeting")
        verbose_name_plural = _("greetings")
        ordering = [Folded("name")]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"], condition=Q(user__isnull=False), name="greeting_name_once"
            ),
            models.UniqueConstraint(
                fields=["name"], condition=Q(customer=None), name="standard_greeting_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name_en if self.name_en and (get_language() or "").startswith("en") else self.name


def new_pin() -> str:
    """The PIN of a mailbox that is made: six digits that keep the rules."""
    return random_pin(secrets.SystemRandom())


class Mailbox(models.Model):
    """A person's voicemail; everybody has one from their first moment, switched on or off."""

    class DateTime(models.TextChoices):
        """Whether, and how, a message begins with when it came."""

        NO = "no", _("Don't read")
        H12 = "h12", _("AM/PM")
        H24 = "h24", _("24 hours")

    class EmailOption(models.TextChoices):
        """What a new message sends to the person's address."""

        NONE = "none", _("No email")
        NOTIFY = "notify", _("Send a notification only")
        ATTACH = "attach", _("Send the message as an attachment")
        ATTACH_DELETE = "attach_delete", _("Send the message as an attachment and delete it from the mailbox")

    customer_path = "user__customer"

    user = models.OneToOneField(User, models.CASCADE, related_name="mailbox", editable=False)
    enabled = YesNoField(
        _("Enable voicemail"),
        default=True,
        help_text=_("Off: callers who would reach this voicemail hear the busy tone."),
    )
    language = models.CharField(
        _("Voicemail language"),
        max_length=5,
        choices=LANGUAGES,
        blank=True,
        help_text=_("Language of the prompts that callers and the user hear."),
    )
    pin = EncryptedTextField(_("PIN number"), default=new_pin, readers=(Reader.PERSON, Reader.CHECK))
    default_greeting = models.ForeignKey(
        Greeting,
        models.RESTRICT,
        null=True,
        blank=True,
        related_name="default_of",
        verbose_name=_("Choose the default greeting"),
        help_text=_("Callers hear it unless the status has a greeting of its own."),
    )
    play_date_time = models.CharField(
        _("Play date/time"), max_length=4, choices=DateTime.choices, default=DateTime.NO
    )
    email_option = models.CharField(
        _("Email options"), max_length=13, choices=EmailOption.choices, default=EmailOption.NOTIFY
    )
    pin_disabled = YesNoField(_("Disable PIN authentication for access to the mailbox"), default=False)
    play_caller_id = YesNoField(_("Play the caller ID (say the number)"), default=False)

    objects = ScopedManager()

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")

    def __str__(self) -> str:
        return f"{self.user_id}"
