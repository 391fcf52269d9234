"""Mails that are to be sent to people."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.scoping import ScopedManager


class Letter(models.Model):
    """A mail that is to be sent: written with the change that calls for it, so that no broker or mail server can lose it."""

    class Kind(models.TextChoices):
        """Which mail."""

        WELCOME = "welcome", _("Welcome")
        VISITOR = "visitor", _("Visitor's request")
        PASSWORD = "password", _("Set your password")
        ADDRESS = "address", _("Address changed")
        FACTOR = "factor", _("Second factor taken away")
        INVITED = "invited", _("Invitation to the support team")
        TEAM = "team", _("Account in the support team changed")
        OWNER = "owner", _("Ownership transferred")
        MISSED = "missed", _("Missed call")
        MESSAGE = "message", _("Voicemail message")

    customer_path = "user__customer"

    # NULL: to nobody. Whoever asks for a link of somebody who isn't there is answered after the same work.
    user = models.ForeignKey("users.User", models.CASCADE, null=True, related_name="letters")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    # The row that the mail is about (a visitor, a missed call), by its key: what kinds of mail are about is known further up.
    about = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    next_at = models.DateTimeField(
        null=True
    )  # not before; also the end of a worker's claim. NULL: sent, or given up
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)

    objects = ScopedManager()

    class Meta:
        verbose_name = _("outgoing email")
        indexes = [models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="letter_due")]

    def __str__(self) -> str:
        return f"{self.kind} to {self.user_id or 'nobody'}"
