"""The provider's customers, and what each of them has: departments, numbers, and the roles their people may hold."""

from typing import TYPE_CHECKING

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from pbxadmin.common.crypto import EncryptedTextField, Reader, is_set
from pbxadmin.common.fields import (
    DIGITS,
    HOST_NAME,
    LETTERS_AND_DIGITS,
    PORTAL_ADDRESS,
    OneLineField,
    PhoneNumberField,
    YesNoField,
    phone_number_national,
)
from pbxadmin.common.scoping import ScopedManager
from pbxadmin.common.searching import Folded, FoldedField
from pbxadmin.common.values import dial_codes
from pbxadmin.common.values.clock import ZONES

if TYPE_CHECKING:
    from users.models.person import User

# The languages in which a department, its phones and its voicemail may speak.
LANGUAGES = [("fr-CA", _("French (Canada)")), ("en", _("English")), ("es", _("Spanish"))]


class AskedOfVisitors(models.TextChoices):
    """What a visitor of a public link tells of themselves first."""

    NAME_AND_EMAIL = "name_email", _("Name and email")
    NAME = "name", _("Name")
    EMAIL = "email", _("Email")
    NOTHING = "nothing", _("Nothing")


def known_time_zone(name: str) -> None:
    """Refuse what isn't a time zone that phones can be given."""
    if name not in ZONES:
        raise ValidationError(
            _(
                "“%(value)s” is not one of the time zones that phones can be given: choose one of the list, for example America/Toronto."
            ),
            params={"value": name[:40]},
        )


def known_countries(codes: str) -> None:
    """Refuse what isn't a country with telephone numbers (ISO 3166, two letters)."""
    for code in codes.split():
        if code not in phonenumbers.SUPPORTED_REGIONS:
            raise ValidationError(
                _("“%(value)s” is not a country. Example: Canada, United States."),
                params={"value": code[:40]},
            )


# A directory of Microsoft by its number. Never a word: "common" and "organizations" are everybody's directories.
TENANT_ID = RegexValidator(
    r"\A[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z",
    _(
        "Enter the directory (tenant) ID as Microsoft Entra shows it, for example 3f2504e0-4f89-41d3-9a0c-0305e82c3301."
    ),
)
# The directory of all personal Microsoft accounts: anybody opens an account in it.
PERSONAL_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"
CLIENT_ID = RegexValidator(
    r"\A[A-Za-z0-9._-]+\Z",
    _("Letters, digits, dots and dashes only: copy the client ID as it is shown there."),
)
CLIENT_SECRET = RegexValidator(
    r"\A[!-~]+\Z",
    _(
        "A client secret contains no spaces or accented letters: copy its value exactly as the provider shows it."
    ),
)


def no_personal_accounts(tenant: str) -> None:
    """Refuse the directory in which everybody can have an account."""
    if tenant.lower() == PERSONAL_ACCOUNTS:
        raise ValidationError(
            _("This is the directory of all personal Microsoft accounts. Enter your company's own.")
        )


class SingleSignOn(models.Model):
    """As what the portal is registered in a customer's own Microsoft 365 and Google Workspace: `signin.single_sign_on`."""

    microsoft_tenant_id = models.CharField(
        _("Directory (tenant) ID"), max_length=36, blank=True, validators=[TENANT_ID, no_personal_accounts]
    )
    microsoft_client_id = models.CharField(
        _("Application (client) ID of Microsoft"), max_length=200, blank=True, validators=[CLIENT_ID]
    )
    microsoft_client_secret = EncryptedTextField(
        _("Client secret of Microsoft"),
        max_length=500,
        blank=True,
        default="",
        validators=[CLIENT_SECRET],
        readers=(Reader.PROVIDER,),
    )
    google_client_id = models.CharField(
        _("Client ID of Google"), max_length=200, blank=True, validators=[CLIENT_ID]
    )
    google_client_secret = EncryptedTextField(
        _("Client secret of Google"),
        max_length=500,
        blank=True,
        default="",
        validators=[CLIENT_SECRET],
        readers=(Reader.PROVIDER,),
    )
    google_hosted_domain = models.CharField(
        _("Google Workspace domain"), max_length=253, blank=True, validators=[HOST_NAME]
    )

    class Meta:
        abstract = True


class Customer(SingleSignOn):
    """A client of the provider with its own phone system; its people, numbers and phones see no other customer's."""

    class Edition(models.TextChoices):
        """The licence of the phone system; some options need a higher one."""

        STANDARD = "standard", _("Standard")
        PRO = "pro", _("Pro")
        ENTERPRISE = "enterprise", _("Enterprise")

    customer_path = "id"

    name = OneLineField(_("name"), max_length=100)
    slug = models.SlugField(
        _("address in the portal"), max_length=50, unique=True, validators=[PORTAL_ADDRESS]
    )
    fqdn = models.CharField(
        _("host name"),
        max_length=253,
        unique=True,
        validators=[HOST_NAME],
        help_text=_("Base of the Talk, Meet, provisioning and SIP addresses."),
    )
    edition = models.CharField(_("licence"), max_length=12, choices=Edition.choices, default=Edition.PRO)
    extension_digits = models.PositiveSmallIntegerField(
        _("digits per extension"), default=3, validators=[MinValueValidator(2), MaxValueValidator(5)]
    )
    included_extensions = models.PositiveIntegerField(_("extensions in the contract"), default=10)
    language = models.CharField(_("language"), max_length=5, choices=LANGUAGES, default="fr-CA")
    time_zone = models.CharField(
        _("time zone"), max_length=50, default="America/Toronto", validators=[known_time_zone]
    )
    sip_trunk_channels = models.PositiveIntegerField(_("channels of the SIP trunk"), default=4)
    supports_deflection = YesNoField(_("the SIP trunk accepts call deflection (302)"), default=False)
    countries = models.CharField(
        _("countries that calls may be forwarded to"),
        max_length=200,
        default="CA US",
        validators=[known_countries],
    )
    require_2fa = YesNoField(_("2FA for all"), default=False)
    has_microsoft_365 = YesNoField(_("Microsoft 365 is set up"), default=False)
    has_google = YesNoField(_("Google Workspace is set up"), default=False)
    suspended = YesNoField(
        _("suspended"),
        default=False,
        help_text=_("Nobody at this customer can sign in, and its phones get no configuration."),
    )
    suspended_reason = OneLineField(
        _("reason for the suspension"),
        max_length=200,
        blank=True,
        help_text=_(
            "For support staff, and in the customer's history: for example unpaid invoices, ticket 4711."
        ),
    )
    # Since when and by whom: of the operation that suspended it, in the same transaction (`users.people.endings`).
    suspended_at = models.DateTimeField(null=True, editable=False)
    suspended_by = models.CharField(max_length=160, blank=True, editable=False)
    # Without accents and capitals: every list of the support desk is sorted by the customer's name, and searched by it.
    sort_name = FoldedField(max_length=110, texts=("name",))
    search_text = FoldedField(max_length=430, texts=("name", "slug", "fqdn"))
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedManager()

    class Meta:
        ordering = ["sort_name", "id"]
        verbose_name = _("customer")
        verbose_name_plural = _("customers")

    def __str__(self) -> str:
        return self.name

    @property
    def open_countries(self) -> frozenset[str]:
        """Where calls may be forwarded to."""
        return frozenset(self.countries.split())

    @property
    def pin_protection_code(self) -> str:
        """What a PIN-protected person dials before an outside call: 777 with three digits, 7777 with four."""
        return dial_codes.pin_code(self.extension_digits)

    @property
    def single_sign_on(self) -> tuple[str, ...]:
        """With whose accounts its people may sign in: the integration is on, and the portal is registered there."""
        found = []
        if self.has_microsoft_365 and all(
            (
                self.microsoft_tenant_id,
                self.microsoft_client_id,
                is_set(self, Customer.microsoft_client_secret),
            )
        ):
            found.append("microsoft")
        if self.has_google and self.google_client_id and is_set(self, Customer.google_client_secret):
            found.append("google")
        return tuple(found)


class Department(models.Model):
    """A group of a customer's people; the primary one gives a person language, time zone, hours and caller ID."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="departments", editable=False)
    name = OneLineField(_("name"), max_length=80)
    language = models.CharField(_("language"), max_length=5, choices=LANGUAGES, default="fr-CA")
    time_zone = models.CharField(
        _("time zone"), max_length=50, default="America/Toronto", validators=[known_time_zone]
    )
    outbound_caller_id = PhoneNumberField(
        _("default outbound caller ID"),
        blank=True,
        help_text=_("Also shown for emergency calls, whatever the user's own caller ID."),
    )
    talk_name = models.CharField(_("Talk link"), max_length=50, blank=True, validators=[LETTERS_AND_DIGITS])
    talk_ask = models.CharField(
        _("Ask the visitor"),
        max_length=12,
        choices=AskedOfVisitors.choices,
        default=AskedOfVisitors.NAME_AND_EMAIL,
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedManager()

    class Meta:
        ordering = [Folded("name")]
        verbose_name = _("department")
        verbose_name_plural = _("departments")
        constraints = [models.UniqueConstraint(fields=["customer", "name"], name="department_name_once")]

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """What a person may do: one of the seven roles of the guide, with its rights as data that support staff can edit."""

    slug = models.CharField(_("identifier"), max_length=20, primary_key=True)
    # As the history knows it, which keeps keys that are numbers.
    number = models.PositiveSmallIntegerField(unique=True, editable=False)
    name_fr = OneLineField(_("name in French"), max_length=50)
    name_en = OneLineField(_("name in English"), max_length=50)
    level = models.PositiveSmallIntegerField(
        _("level"),
        help_text=_(
            "Nobody can grant, edit or delete above their own level; roles of the same level can't grant each other."
        ),
    )
    whole_customer = models.BooleanField(_("acts on the whole customer"), default=False)

    see_members = models.BooleanField(_("Can see group members"), default=False)
    see_calls = models.BooleanField(_("Can see group calls"), default=False)
    pick_up = models.BooleanField(_("Call pickup and divert"), default=False)
    control_ivr = models.BooleanField(_("IVR control (digital receptionist)"), default=False)
    intercom = models.BooleanField(_("Intercom"), default=False)
    company_contacts = models.BooleanField(_("Company contact management"), default=False)
    barge_in = models.BooleanField(_("Barge in, whisper, listen"), default=False)
    chat_templates = models.BooleanField(_("Chat template management"), default=False)
    receptionist = models.BooleanField(_("Receptionist operations"), default=False)
    administer_users = models.BooleanField(_("User administration and configuration"), default=False)
    administer_hours = models.BooleanField(_("Can administer office hours"), default=False)
    call_handling = models.BooleanField(_("Call handling"), default=False)
    voice_and_chat = models.BooleanField(_("Voice and chat"), default=False)
    reports = models.BooleanField(_("Reports and recordings"), default=False)
    outbound_rules = models.BooleanField(_("Outbound rules"), default=False)
    event_log = models.BooleanField(_("Event log"), default=False)

    class Meta:
        ordering = ["level", "slug"]
        verbose_name = _("role")
        verbose_name_plural = _("roles")

    def __str__(self) -> str:
        from django.utils.translation import get_language

        return self.name_en if (get_language() or "").startswith("en") else self.name_fr


class Did(models.Model):
    """A number of the public network that leads to a customer's phone system: to a person, a system extension, or nobody directly.

    Whom it rings is written with the person (tab General), the system extension here.
    """

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="dids", editable=False)
    number = PhoneNumberField(pgettext_lazy("telephone", "number"), unique=True)
    name = OneLineField(_("name"), max_length=80, blank=True)
    user = models.ForeignKey(
        "users.User",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="dids",
        verbose_name=_("user"),
        editable=False,
    )
    # Not the person's way (SET_NULL): a main line that falls silent is no side effect of tidying up.
    system_extension = models.ForeignKey(
        "users.SystemExtension",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="dids",
        verbose_name=_("System extension"),
        help_text=_("The ring group, queue or IVR that answers, instead of a person."),
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedManager()

    class Meta:
        ordering = ["number"]
        verbose_name = _("DID number")
        verbose_name_plural = _("DID numbers")
        constraints = [
            models.CheckConstraint(
                name="did_leads_to_one", condition=models.Q(user=None) | models.Q(system_extension=None)
            )
        ]

    def __str__(self) -> str:
        return phone_number_national(self.number)

    @property
    def answers(self) -> "User | SystemExtension | None":
        """Whom, or what, it rings."""
        return self.user or self.system_extension


class SystemExtension(models.Model):
    """An extension that is no person ("Extension système"): it rings several people, or asks the caller to choose."""

    class Kind(models.TextChoices):
        """What answers there."""

        RING_GROUP = "ring_group", _("Ring group")
        QUEUE = "queue", _("Queue")
        IVR = "ivr", _("Digital receptionist (IVR)")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="system_extensions", editable=False)
    number = models.CharField(
        _("Extension"),
        max_length=5,
        validators=[DIGITS],
        help_text=_(
            "Forwarding rules and keys lead to it by its number. To change the number, delete it and create it again."
        ),
    )
    name = OneLineField(_("name"), max_length=80)
    kind = models.CharField(_("type"), max_length=12, choices=Kind.choices, default=Kind.RING_GROUP)
    talk_name = models.CharField(
        _("Talk link"),
        max_length=50,
        blank=True,
        validators=[LETTERS_AND_DIGITS],
        help_text=_(
            "Letters and digits. Requests made through the link are emailed to the members of the queue or ring group."
        ),
    )
    talk_ask = models.CharField(
        _("Ask the visitor"),
        max_length=12,
        choices=AskedOfVisitors.choices,
        default=AskedOfVisitors.NAME_AND_EMAIL,
    )
    members = models.ManyToManyField("users.User", related_name="system_extensions", editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedManager()

    class Meta:
        ordering = ["number"]
        verbose_name = _("system extension")
        verbose_name_plural = _("system extensions")
        constraints = [
            models.UniqueConstraint(fields=["customer", "number"], name="system_extension_once"),
            models.UniqueConstraint(fields=["customer", "name"], name="system_extension_name_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"
