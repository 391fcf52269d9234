"""Visitors of the Talk and Meet links of people and places, and the meetings that let them in."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.fields import OneLineField, PhoneNumberField, phone_number_national
from pbxadmin.common.scoping import ScopedManager


class Visitor(models.Model):
    """Somebody who asked for a person through a Talk or Meet link, with what they told of themselves. Kept for a day.

    Whoever asks through the link of a department or a group asks for several people: each of them has a visitor of their own.
    """

    class Kind(models.TextChoices):
        """Which of the two addresses."""

        TALK = "talk", _("Talk")
        MEET = "meet", _("Meet")

    class State(models.TextChoices):
        """How far a participant of a meeting is; a Talk visitor waits for nothing."""

        WAITING = "waiting", _("Waiting")
        ADMITTED = "admitted", _("Let in")
        DECLINED = "declined", _("Declined")

    customer_path = "user__customer"

    user = models.ForeignKey("users.User", models.CASCADE, related_name="visitors")
    kind = models.CharField(max_length=4, choices=Kind.choices)
    place = OneLineField(
        max_length=80, blank=True
    )  # whose link it was, by name; "" where it was the person's own
    name = OneLineField(max_length=80, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    number = PhoneNumberField(blank=True)  # where to call back; a participant of a meeting is asked for none
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("visitor")
        verbose_name_plural = _("visitors")
        indexes = [models.Index(fields=["user", "-id"], name="visitor_latest")]

    def __str__(self) -> str:
        return f"{self.kind} visitor of {self.user_id}"

    @property
    def national_number(self) -> str:
        """The number to call back, as people write it."""
        return phone_number_national(self.number)


class Meeting(models.Model):
    """A person's meeting under their Meet link, while they have it open: participants come in only then."""

    user = models.OneToOneField("users.User", models.CASCADE, related_name="meeting")
    open_until = models.DateTimeField()

    class Meta:
        verbose_name = _("meeting")

    def __str__(self) -> str:
        return f"meeting of {self.user_id}"
