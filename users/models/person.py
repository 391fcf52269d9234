"""A person with an extension: one wide row, in which each abstract model is the part of one tab."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.functional import cached_property
from django.utils.timezone import get_default_timezone_name, now
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.clock import moment_in_zone
from pbxadmin.common.crypto import EncryptedTextField, Reader
from pbxadmin.common.fields import (
    DIGITS,
    LETTERS_AND_DIGITS,
    OneLineField,
    PhoneNumberField,
    YesNoField,
    phone_number_national,
)
from pbxadmin.common.scoping import ScopedQuerySet
from pbxadmin.common.values import signalling
from pbxadmin.common.values.statuses import Status
from users.models.customer import AskedOfVisitors, Customer, Department, Role

if TYPE_CHECKING:
    from users.rights import Machine


class Identity(models.Model):
    """Tab "Général": who the person is, and to which departments they belong."""

    number = models.CharField(
        _("Extension"),
        max_length=5,
        blank=True,
        validators=[DIGITS],
        help_text=_(
            "The extension identifies the profile. To change it, delete the user and create a new one."
        ),
    )
    first_name = OneLineField(_("First name"), max_length=50, blank=True)
    last_name = OneLineField(_("Last name"), max_length=50, blank=True)
    email = models.EmailField(
        _("Email"),
        blank=True,
        max_length=254,
        help_text=_("Voicemail, missed calls, reports and the welcome email go here."),
    )
    mobile = PhoneNumberField(
        _("Mobile"),
        blank=True,
        help_text=_(
            "Visible only inside the company. Calls can be forwarded to it, or ring it together with the extension."
        ),
    )
    outbound_caller_id = PhoneNumberField(
        _("Outbound caller ID"),
        blank=True,
        help_text=_("Shown to the people who are called. Blank: the number of the primary department."),
    )
    role = models.ForeignKey(Role, models.PROTECT, verbose_name=_("Role"), default="users", related_name="+")
    primary_department = models.ForeignKey(
        Department,
        models.PROTECT,
        null=True,
        verbose_name=_("Primary department membership"),
        related_name="+",
        help_text=_("Sets the person's language, office hours, holidays, time zone and caller ID."),
    )
    require_2fa = YesNoField(
        _("Enable 2FA"),
        default=True,
        help_text=_("At the next sign-in, a second factor must be set up before anything else."),
    )

    class Meta:
        abstract = True


class Talk(models.Model):
    """Tab "Talk": being called from a link."""

    talk_enabled = YesNoField(_("Enable 3CX Talk and Meet"), default=False)
    talk_name = models.CharField(
        _("Name of your link"), max_length=50, blank=True, validators=[LETTERS_AND_DIGITS]
    )
    talk_ask = models.CharField(
        _("Ask the visitor"),
        max_length=12,
        choices=AskedOfVisitors.choices,
        default=AskedOfVisitors.NAME_AND_EMAIL,
    )
    meet_approve = YesNoField(_("Approve participants before they can connect"), default=False)

    class Meta:
        abstract = True


STATUS_CHOICES = [(str(status), _(status.record.label)) for status in Status]


class Presence(models.Model):
    """The status that decides what happens to calls; for a limited time, with the one that comes back after it."""

    status_choices: ClassVar = STATUS_CHOICES

    status = models.CharField(
        _("Status"), max_length=16, choices=STATUS_CHOICES, default=str(Status.AVAILABLE)
    )
    status_until = models.DateTimeField(_("Status until"), null=True, blank=True)
    status_after = models.CharField(_("Status afterwards"), max_length=16, choices=STATUS_CHOICES, blank=True)

    class Meta:
        abstract = True


class Planning(models.Model):
    """Tab "Planifier": whose hours count for the person, and what they switch by themselves."""

    class Hours(models.TextChoices):
        """Where the office hours come from."""

        DEPARTMENT = "department", _("Use default office hours")
        OWN = "own", _("Use specific office hours")

    hours_mode = models.CharField(
        _("Working hours"), max_length=10, choices=Hours.choices, default=Hours.DEPARTMENT
    )
    auto_switch_status = YesNoField(
        _("Automatically switch to 'Available' status during office hours"), default=False
    )
    block_outbound_out_of_hours = YesNoField(_("Disable outbound calls outside office hours"), default=False)

    class Meta:
        abstract = True


class Options(models.Model):
    """Tab "Options": recording, restrictions, SIP, integrations."""

    class Recording(models.TextChoices):
        """Which calls are recorded."""

        OFF = "off", _("Off")
        EXTERNAL = "external", _("External calls")
        ALL = "all", _("All calls")

    class Srtp(models.TextChoices):
        """Encryption of the voice between phone and PBX."""

        DISABLED = signalling.Srtp.DISABLED.value, _("Disabled")
        ENABLED = signalling.Srtp.ENABLED.value, _("Enabled")
        ENFORCED = signalling.Srtp.ENFORCED.value, _("Enforced")

    recording = models.CharField(
        _("Call recording"), max_length=8, choices=Recording.choices, default=Recording.OFF
    )
    recordings_visible = YesNoField(_("Show call recordings"), default=False)
    recordings_deletable = YesNoField(_("Allow deletion of recordings"), default=False)
    recordings_controllable = YesNoField(_("Can start and stop recordings"), default=True)
    disabled = YesNoField(_("Disable extension"), default=False)
    hide_forwarding = YesNoField(_("Hide call forwarding rules"), default=False)
    pin_protected = YesNoField(_("Enable PIN protection"), default=False)
    pin_protect_seconds = models.PositiveIntegerField(
        _("Outside calls stay open after the PIN (seconds)"),
        default=60,
        validators=[MinValueValidator(5), MaxValueValidator(86400)],
    )
    outbound_disabled = YesNoField(_("Disable external calls"), default=False)
    hidden = YesNoField(_("Hide contacts"), default=False)
    call_screening = YesNoField(_("Screen calls by asking the caller's name through an IVR"), default=False)
    block_remote = YesNoField(_("Block remote non-tunnelled connections"), default=True)
    pbx_delivers_audio = YesNoField(_("PBX delivers audio"), default=False)
    srtp = models.CharField(_("SRTP mode"), max_length=8, choices=Srtp.choices, default=Srtp.DISABLED)
    missed_call_email = YesNoField(_("Send an email notification for missed calls"), default=True)
    hot_desking = YesNoField(_("Enable Hot Desking"), default=False)
    sip_id = models.CharField(_("SIP ID"), max_length=50, blank=True, validators=[LETTERS_AND_DIGITS])
    ms365_teams = YesNoField(_("Enable MS Teams integration"), default=True)
    ms365_calendar = YesNoField(_("Sync Microsoft calendars and presence"), default=True)
    ms365_sso = YesNoField(_("Enable Microsoft SSO"), default=True)
    ms365_contacts = YesNoField(_("Sync personal Microsoft contacts"), default=True)
    google_sso = YesNoField(_("Enable Google SSO"), default=True)
    google_contacts = YesNoField(_("Sync personal Google contacts"), default=True)
    google_calendar = YesNoField(_("Sync Google calendars"), default=True)

    class Meta:
        abstract = True


class Kept(models.Model):
    """What 3CX's file says of a person and the portal doesn't offer: kept as it is, and written to files again."""

    # Transcription of voicemails, as 3CX counts them; blank is the department's.
    transcription = models.CharField(
        "Transcription", max_length=1, blank=True, choices=[(code, code) for code in "0123"]
    )
    record_notify = YesNoField("RecordNotify", default=False)

    class Meta:
        abstract = True


class StaffLevel(models.TextChoices):
    """What somebody of the provider's support may do; who is above may all that those below may (`users.rights`)."""

    READ_ONLY = "read_only", _("Read-only")
    TECHNICIAN = "technician", _("Technician")
    MANAGER = "manager", pgettext_lazy("support", "Manager")


class User(AbstractBaseUser, PermissionsMixin, Identity, Presence, Planning, Talk, Options, Kept):
    """A person with an extension at a customer, or (without a customer) one of the provider's support staff.

    Signs in with this same record. Written by `users.road` alone.
    """

    # What an actor is limited to who is no person (`users.rights.Machine`); never of a row.
    machine: "Machine | None" = None

    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="users", editable=False)
    # Support staff see every customer; what they may change says their level.
    is_staff = models.BooleanField(_("support staff"), default=False, editable=False)
    staff_level = models.CharField(
        _("Level"), max_length=10, choices=StaffLevel.choices, default="", blank=True, editable=False
    )
    # The language in which the portal writes to somebody of the support; to everybody else it is their primary department's.
    mail_language = models.CharField(max_length=5, blank=True, default="", editable=False)
    departments = models.ManyToManyField(
        Department, through="Membership", related_name="members", editable=False
    )

    # The address at which a one-time link was used: it is theirs, whoever else is given the same one.
    confirmed_email = models.EmailField(blank=True, default="", max_length=254, editable=False)
    sip_auth_id = models.CharField(_("Authentication ID"), max_length=32, editable=False)
    sip_password = EncryptedTextField(
        _("SIP password"),
        editable=False,
        readers=(
            Reader.PERSON,
            Reader.PHONE,
            Reader.APP,
            Reader.CHALLENGE,
            Reader.TECHNICIAN,
            Reader.PHONE_SYSTEM,
        ),
    )

    # Counts up with every change: whoever saves says which version they had before their eyes.
    version = models.PositiveIntegerField(default=1, editable=False)
    # Part of what a session is sealed with: counting it up signs the person out everywhere.
    sessions_epoch = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    # The columns that the person wants to see in lists of people, by their names; blank: the usual ones. No fact of the company's,
    # so neither a version nor the history knows of it.
    list_columns = models.CharField(max_length=500, default="", blank=True, editable=False)
    # The same of the lists of the support desk, for its staff: {list: [names]}.
    desk_columns = models.JSONField(default=dict, blank=True, editable=False)
    # Without accents and capitals, so that searching and sorting need no function of the database.
    search_text = models.TextField(default="", editable=False)
    sort_name = models.CharField(max_length=120, default="", editable=False)

    # Not the extension, which is unique in one customer only: `signin.credentials` finds people by extension@fqdn or e-mail.
    USERNAME_FIELD = "id"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    EMAIL_FIELD = "email"

    objects = models.Manager.from_queryset(ScopedQuerySet)()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["sort_name", "number"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "number"], name="extension_once_in_customer"),
            models.UniqueConstraint(
                fields=["customer", "talk_name"], condition=~Q(talk_name=""), name="talk_name_once"
            ),
            models.UniqueConstraint(
                fields=["customer", "sip_id"], condition=~Q(sip_id=""), name="sip_id_once"
            ),
            models.CheckConstraint(
                name="staff_has_no_customer",
                condition=Q(is_staff=True, customer=None, staff_level__in=StaffLevel.values)
                | Q(is_staff=False, staff_level="", customer__isnull=False, primary_department__isnull=False)
                & ~Q(number=""),
            ),
            # Their address is their only login.
            models.UniqueConstraint(Lower("email"), condition=Q(is_staff=True), name="staff_address_once"),
        ]
        indexes = [
            models.Index(fields=["customer", "sort_name", "number"], name="user_by_name"),
            models.Index(fields=["email"], name="user_by_email"),
            models.Index(Lower("email"), name="user_by_lower_email"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.full_name}".strip()

    @property
    def full_name(self) -> str:
        """First and last name, else the extension or address."""
        return f"{self.first_name} {self.last_name}".strip() or self.number or self.email

    @property
    def initials(self) -> str:
        """At most two letters for the little face."""
        return (self.first_name[:1] + self.last_name[:1]).upper() or self.number[:2]

    @property
    def status_tone(self) -> str:
        """How the status is drawn: "ok" rings, "wait" is away, "bad" must not be disturbed."""
        return Status(self.status).record.tone

    @property
    def time_zone(self) -> str:
        """The zone on whose clock the person's hours and statuses are meant: their primary department's."""
        return self.primary_department.time_zone if self.primary_department else get_default_timezone_name()

    @property
    def status_in_words(self) -> str:
        """The status, and until when it lasts where that is limited: "Away until 14:00"."""
        return status_in_words(self.status, self.status_until, self.time_zone)

    @property
    def own_state(self) -> dict[str, str]:
        """The status as a page draws it: shape, words, and the message that the person gave it (where it was read along)."""
        message = getattr(self, "status_message", "") or ""
        return {"kind": self.status_tone, "text": self.status_in_words, "message": message}

    @property
    def login(self) -> str:
        """What the person signs in with: extension@fqdn; the e-mail address for support staff."""
        return f"{self.number}@{self.customer.fqdn}" if self.customer else self.email

    @property
    def is_active(self) -> bool:  # type: ignore[override]  # a column in Django; here it follows from the Options tab
        """Whether the person may be signed in: not disabled, and neither is their customer."""
        return not self.disabled and not (self.customer_id and self.customer.suspended)  # type: ignore[union-attr]

    @property
    def needs_second_factor(self) -> bool:
        """Asked of all support staff, and of whoever has it on themselves or by their customer."""
        return self.is_staff or self.require_2fa or bool(self.customer and self.customer.require_2fa)

    @cached_property
    def department_ids(self) -> frozenset[int]:
        """The departments in which the person is a member, and so acts with their role."""
        return frozenset(self.memberships.values_list("department_id", flat=True))

    @property
    def national_mobile(self) -> str:
        """The mobile number as people write it."""
        return phone_number_national(self.mobile)

    def get_session_auth_hash(self) -> str:
        """Changes with the password and when the person signs out everywhere."""
        from django.utils.crypto import salted_hmac

        return salted_hmac(
            "users.session", f"{self.password}:{self.sessions_epoch}", algorithm="sha256"
        ).hexdigest()

    def get_full_name(self) -> str:
        """Django's name for `full_name`."""
        return self.full_name

    def natural_key(self) -> Any:
        """The login, for dumps."""
        return (self.login,)


class Membership(models.Model):
    """A person in a department: there they act with their role, and there others see them."""

    customer_path = "user__customer"

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    department = models.ForeignKey(Department, models.PROTECT, related_name="memberships")

    objects = models.Manager.from_queryset(ScopedQuerySet)()

    class Meta:
        verbose_name = _("department membership")
        constraints = [models.UniqueConstraint(fields=["user", "department"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.department_id}"


class Visibility(models.Model):
    """What the "Visualiser" tab forces on or off for a person and a department (NULL: as the role says).

    Apart from membership: a view can be granted of a department to which somebody doesn't belong, and must not make them a
    member of it. No row: everything as the role says.
    """

    customer_path = "user__customer"

    user = models.ForeignKey(User, models.CASCADE, related_name="visibilities")
    department = models.ForeignKey(Department, models.CASCADE, related_name="visibilities")
    show_my_calls = models.BooleanField(_("Show my calls"), null=True)
    see_presence = models.BooleanField(_("Presence"), null=True)
    see_calls = models.BooleanField(_("Calls"), null=True)
    perform_operations = models.BooleanField(_("Operations"), null=True)

    objects = models.Manager.from_queryset(ScopedQuerySet)()

    class Meta:
        verbose_name = _("what a person sees of a department")
        constraints = [models.UniqueConstraint(fields=["user", "department"], name="visibility_once")]

    def __str__(self) -> str:
        return f"{self.user_id} on {self.department_id}"


def status_in_words(status: str, until: datetime | None, zone: str) -> str:
    """A status, and until when it lasts (aware) on the clock of `zone`, where that is limited and not over."""
    label = gettext(Status(status).record.label)
    if until is None or until <= now():
        return label
    return _("%(status)s until %(until)s") % {"status": label, "until": moment_in_zone(until, zone)}
