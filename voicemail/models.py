"""Voicemail: a mailbox for everybody, and the greetings that callers hear there."""

import secrets
from collections.abc import Collection
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.columns import Scope
from pbxadmin.common.crypto import EncryptedTextField, Reader
from pbxadmin.common.fields import OneLineField, YesNoField
from pbxadmin.common.references import Option
from pbxadmin.common.scoping import ScopedManager, ScopedQuerySet
from pbxadmin.common.searching import Folded
from users.models import Customer, Job, User
from users.models.customer import LANGUAGES
from voicemail.pins import random_pin

# LUFS: what is as loud as all others has −23, within one.
QUIET = -24.5


def new_sound_key() -> str:
    """A name for a file that nobody can guess."""
    return secrets.token_hex(16)


def clock_of(seconds: float) -> str:
    """A length as players say it: "0:07", "10:55"."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02}"


class Made(models.TextChoices):
    """How a greeting came to be."""

    UPLOAD = "upload", _("Uploaded")
    BROWSER = "browser", _("Recorded in the browser")
    PHONE = "phone", _("Recorded by phone")
    STANDARD = "standard", _("By the provider")


class Sound(models.Model):
    """One stored sound file: WAV, PCM, 8 kHz, 16 bit, mono. Nothing ever changes it: another recording is another row.

    The row is there before the file and goes after it, each in a transaction of its own, so that no file lies in the storage that no
    row names. A sound that no greeting of a library has is kept for a while (`voicemail.greetings.sounds`), so that changes can be undone.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="sounds", editable=False)
    # Made here, so that nothing of what somebody called their file is in a path: 32 hexadecimal digits.
    key = models.CharField(max_length=32, unique=True, default=new_sound_key, editable=False)
    size = models.PositiveIntegerField()  # bytes
    samples = models.PositiveIntegerField()  # at 8,000 a second
    digest = models.CharField(max_length=64)  # SHA-256 of the file, in hexadecimal
    # The greatest level of each of equally long parts, 0 to 100, two hexadecimal digits each: what a waveform is drawn of.
    peaks = models.CharField(max_length=400, blank=True)
    loudness = models.FloatField(null=True)  # LUFS; None: not measured
    # Whether it is byte for byte what came in.
    as_it_came = models.BooleanField(default=False)
    made_at = models.DateTimeField(default=timezone.now)
    # Since when no greeting of a library has it; None: one has, or none had it yet.
    released_at = models.DateTimeField(null=True)

    objects = ScopedManager()

    class Meta:
        indexes = [models.Index(fields=["released_at"], name="sound_released")]

    def __str__(self) -> str:
        return self.length_said

    @property
    def path(self) -> str:
        """Where it lies in the storage."""
        return f"greetings/{self.customer_id}/{self.key}.wav"

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples / 8000

    @property
    def waveform(self) -> str:
        """The path of an SVG of 200 by 100 that draws it: a line for each part, as long as the part is loud."""
        levels = bytes.fromhex(self.peaks)
        step = 200 / max(1, len(levels))
        lines = ((place * step + step / 2, max(2, level) / 2) for place, level in enumerate(levels))
        return "".join(f"M{x:g} {50 - half:g}V{50 + half:g}" for x, half in lines)

    @property
    def told(self) -> str:
        """What its listeners should know of it: that it is silent, or quieter than the others; "" mostly."""
        if not any(bytes.fromhex(self.peaks)):
            return gettext("Nothing can be heard")
        if self.loudness is not None and self.loudness < QUIET:
            return gettext("Quieter than usual")
        return ""

    @property
    def length_said(self) -> str:
        """How long it is, as players say it: "0:12"."""
        return clock_of(self.seconds)


class Incoming(models.Model):
    """A recording that came in and that a worker makes a greeting of. Its file goes with it as soon as that is over, well or not."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", editable=False)
    # Whose library; None: the company's.
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="+", editable=False)
    starter = models.ForeignKey(User, models.CASCADE, related_name="+", editable=False)
    # The greeting that gets a new recording; None: a new greeting.
    greeting = models.ForeignKey("Greeting", models.CASCADE, null=True, related_name="+", editable=False)
    key = models.CharField(max_length=32, unique=True, default=new_sound_key, editable=False)
    name = OneLineField(max_length=80)
    made = models.CharField(max_length=8, choices=Made.choices)
    level = models.BooleanField(default=True)
    trim = models.BooleanField(default=True)
    job = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """Where it lies in the storage."""
        return f"greetings/incoming/{self.key}"


# Where a scope holds the greetings that a plan puts back (`users.road.undo.coming_back`).
BACK = ("back", "voicemail.greeting")


class Greetings(models.Manager.from_queryset(ScopedQuerySet)):  # type: ignore[misc]
    """Whose greetings there are: the provider's, a company's, a person's."""

    def in_library(self, back: Collection[Any] = ()) -> models.QuerySet["Greeting"]:
        """Those that nobody has deleted, and those that a plan which is written first puts `back`."""
        there = Q(deleted_at=None)
        return self.filter(there | Q(pk__in=back) if back else there)

    def shared(self, customer: Any, back: Collection[Any] = ()) -> models.QuerySet["Greeting"]:
        """What everybody of this customer may choose: the company's own, then the provider's."""
        found = self.in_library(back).filter(Q(customer=customer) | Q(customer=None), user=None)
        return found.order_by(F("customer").asc(nulls_last=True), *self.model._meta.ordering)

    def options(self, scope: Scope) -> list[Option]:
        """`shared`, for a column that names a greeting."""
        back = scope.found.get(BACK, ())
        found = scope.once("shared greetings", lambda: list(self.shared(scope.customer.pk, back)))
        return [greeting.option for greeting in found]

    def of_people(self, scope: Scope) -> list[Option]:
        """What the people of this customer have in libraries of their own, for a column that names a greeting."""
        own = self.in_library(scope.found.get(BACK, ())).filter(
            customer=scope.customer.pk, user__isnull=False
        )
        return [greeting.option for greeting in scope.once("greetings of people", lambda: list(own))]


class Greeting(models.Model):
    """An announcement: one of the provider's, which every customer has; one of a company's; or one of a person's own library."""

    # NULL: the provider's own, for everybody.
    customer = models.ForeignKey(
        Customer, models.CASCADE, null=True, blank=True, related_name="greetings", editable=False
    )
    # NULL: the company's, for all of its people.
    user = models.ForeignKey(
        User, models.CASCADE, null=True, blank=True, related_name="greetings", editable=False
    )
    name = OneLineField(_("name"), max_length=80)
    name_en = OneLineField(_("name in English"), max_length=80, blank=True, editable=False)
    # Which of the provider's own it is (`voicemail.standard_greetings`); blank: none of them.
    standard = models.CharField(max_length=20, blank=True, editable=False)
    # NULL: the provider's, whose sound comes with the portal (`voicemail.standard_greetings`).
    sound = models.ForeignKey(
        Sound, models.RESTRICT, null=True, related_name="greetings", verbose_name=_("Recording")
    )
    made = models.CharField(_("made"), max_length=8, choices=Made.choices, default=Made.UPLOAD)
    # When it was taken out of its library: it can be put back until it is erased.
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = Greetings()

    class Meta:
        verbose_name = _("greeting")
        verbose_name_plural = _("greetings")
        ordering = [Folded("name")]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"],
                condition=Q(user__isnull=False, deleted_at=None),
                name="greeting_name_once",
            ),
            models.UniqueConstraint(
                fields=["customer", "name"],
                condition=Q(user=None, deleted_at=None),
                name="company_greeting_once",
            ),
            models.UniqueConstraint(
                fields=["name"], condition=Q(customer=None), name="standard_greeting_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name_en if self.name_en and (get_language() or "").startswith("en") else self.name

    @property
    def option(self) -> Option:
        """This greeting as something to choose."""
        return Option(
            self.pk, str(self), tuple(filter(None, (self.name, self.name_en))), self.name, owner=self.user_id
        )


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
    # Why anybody would guess the PIN (`voicemail.weak_pins` alone writes it); blank: nobody would.
    pin_weakness = models.CharField(max_length=12, blank=True, editable=False)
    # New messages, as the phone system told last (`voicemail.messages`); None: it has told nothing.
    unread = models.PositiveSmallIntegerField(null=True, editable=False)
    unread_told_at = models.DateTimeField(null=True, editable=False)

    objects = ScopedManager()

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")
        indexes = [models.Index(fields=["user"], name="mailbox_weak_pin", condition=~Q(pin_weakness=""))]

    def __str__(self) -> str:
        return f"{self.user_id}"
