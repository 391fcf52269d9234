"""Phones, their function keys, and the SBCs behind which they stand."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.crypto import EncryptedTextField, Reader, fingerprint, random_secret, random_token
from pbxadmin.common.fields import OneLineField, YesNoField
from pbxadmin.common.scoping import ScopedManager
from pbxadmin.common.searching import Folded
from phones import context
from phones.vendors import UnknownModelError, find_model
from users.models import Customer, SystemExtension, User

MAC = RegexValidator(
    r"^[0-9a-f]{12}\Z", _("Twelve hexadecimal digits, for example 80:5E:C0:12:34:56."), code="mac_form"
)
# What vendors read out of what a phone says of itself; sought as it stands.
VERSION = RegexValidator(r"^[0-9A-Za-z._-]*\Z")
PORT = [MinValueValidator(1), MaxValueValidator(65535)]
VLAN_ID = [MinValueValidator(1), MaxValueValidator(4094)]
VLAN_PRIORITY = [MinValueValidator(0), MaxValueValidator(7)]
DEFAULT_CODECS = "G722,PCMU,PCMA,G729"


def codecs_in_order(text: str) -> None:
    """Refuse a list of codecs with one that is unknown, twice there, or none at all."""
    names = text.split(",")
    if not set(names) <= {codec.value for codec in context.Codec} or len(set(names)) != len(names):
        raise ValidationError(_("Choose at least one codec, each only once."), code="codecs")


class Sbc(models.Model):
    """A session border controller or router phone at a site: phones behind it reach the PBX through it."""

    class Kind(models.TextChoices):
        """What plays the part."""

        SBC = "sbc", _("SBC")
        ROUTER_PHONE = "router", _("Router phone")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="sbcs", editable=False)
    name = OneLineField(_("name"), max_length=80)
    kind = models.CharField(_("type"), max_length=8, choices=Kind.choices, default=Kind.SBC)
    # By which files call it: the phone system's own ID of an SBC, the MAC of a router phone (in capitals).
    identifier = OneLineField(_("identifier"), max_length=40, blank=True)
    # A router phone comes out of a file without it.
    address = models.GenericIPAddressField(_("local address"), null=True, blank=True)
    port = models.PositiveIntegerField(_("SIP port"), default=5060, validators=PORT)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedManager()

    class Meta:
        ordering = [Folded("name")]
        verbose_name = _("SBC")
        verbose_name_plural = _("SBCs")
        constraints = [
            models.UniqueConstraint(fields=["customer", "name"], name="sbc_name_once"),
            models.UniqueConstraint(
                fields=["customer", "identifier"],
                name="sbc_identifier_once",
                condition=~models.Q(identifier=""),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Settings(models.Model):
    """Tab "Téléphone IP": what may be chosen for one phone; each choice is a line in its file."""

    class Connection(models.TextChoices):
        """How the phone reaches the PBX."""

        LAN = "lan", _("Local network")
        DIRECT = "direct", _("Direct")
        SBC = "sbc", _("Through an SBC or router phone")

    class Led(models.TextChoices):
        """What the power light tells."""

        VOICEMAIL = context.PowerLed.VOICEMAIL.value, _("Voicemail only")
        BOTH = context.PowerLed.VOICEMAIL_AND_MISSED.value, _("Voicemail and missed calls")

    class Transfer(models.TextChoices):
        """What a transfer does with the call in hand."""

        BLIND = context.TransferMode.BLIND.value, _("Blind")
        ATTENDED = context.TransferMode.ATTENDED.value, _("Attended")

    sidecars = models.PositiveSmallIntegerField(_("Key modules"), default=0)
    # A phone at the company's own site: what a person's option to block remote connections lets through from the start.
    connection = models.CharField(
        _("Connection"),
        max_length=6,
        choices=Connection.choices,
        default=Connection.LAN,
        help_text=_("How the phone reaches the phone system."),
    )
    sbc = models.ForeignKey(
        Sbc,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="phones",
        verbose_name=_("Router device (SBC)"),
        help_text=_("Phones outside the PBX's own network should ideally connect through an SBC."),
    )
    language = models.CharField(
        _("Language"),
        max_length=5,
        blank=True,
        help_text=_("Language of the phone's display. Blank: the department's."),
    )
    time_zone = models.CharField(
        _("Time zone"), max_length=50, blank=True, help_text=_("Blank: the department's.")
    )
    date_format = models.CharField(
        _("Date format"),
        max_length=12,
        default=context.DateFormat.ISO.value,
        help_text=_("How the date is written on the phone's screen."),
    )
    time_format = models.CharField(
        _("Time format"),
        max_length=2,
        default=context.TimeFormat.H24.value,
        help_text=_("Twenty-four hours, or twelve with AM and PM."),
    )
    transfer_mode = models.CharField(
        _("Transfer method"),
        max_length=8,
        choices=Transfer.choices,
        default=Transfer.ATTENDED,
        help_text=_(
            "“Blind” sends the call at once; “Attended” lets the user speak with the other person first."
        ),
    )
    power_led = models.CharField(
        _("Power LED notifications"),
        max_length=20,
        choices=Led.choices,
        default=Led.VOICEMAIL,
        help_text=_("Whether the light also signals missed calls."),
    )
    screensaver_seconds = models.PositiveIntegerField(
        _("Screensaver timeout"),
        default=600,
        help_text=_("How long the phone is idle before the screen saver starts."),
    )
    backlight_seconds = models.PositiveIntegerField(
        _("Backlight timeout"),
        default=600,
        help_text=_("How long the phone is idle before its screen goes dark."),
    )
    lldp = YesNoField(
        _("LLDP"),
        default=True,
        help_text=_("Link Layer Discovery Protocol, by which the network recognises devices."),
    )
    # The digest of the picture that is kept (`phones.settings.logos`); blank for none.
    logo = models.CharField(
        _("Logo of the phone"),
        max_length=64,
        blank=True,
        default="",
        help_text=_(
            "PNG, JPEG, GIF, BMP or WebP, up to 5 MB. The whole picture is fitted to the screen, on white."
        ),
    )
    ringtone = models.CharField(
        _("Call ringtone"),
        max_length=40,
        default=context.Ringtone.RING_1.value,
        help_text=_("The ringtone for every call that doesn't come from a queue."),
    )
    queue_ringtone = models.CharField(
        _("Queue ringtone"),
        max_length=40,
        default=context.Ringtone.RING_2.value,
        help_text=_("The ringtone for queue calls, to tell them from the others."),
    )
    codecs = models.CharField(
        _("Codecs"),
        max_length=40,
        default=DEFAULT_CODECS,
        validators=[codecs_in_order],
        help_text=_("The first one that both sides support is used."),
    )
    vlan_wan_enabled = YesNoField(
        _("Enable VLAN for the WAN port"),
        default=False,
        help_text=_("The phone's main network port: its calls then travel in this VLAN."),
    )
    vlan_wan_id = models.PositiveSmallIntegerField(_("VLAN ID (WAN)"), default=1, validators=VLAN_ID)
    vlan_wan_priority = models.PositiveSmallIntegerField(
        _("VLAN priority (WAN)"), default=0, validators=VLAN_PRIORITY
    )
    vlan_pc_enabled = YesNoField(
        _("Enable VLAN for the PC port"),
        default=False,
        help_text=_("The port to which a computer is connected behind the phone."),
    )
    vlan_pc_id = models.PositiveSmallIntegerField(_("VLAN ID (PC)"), default=1, validators=VLAN_ID)
    vlan_pc_priority = models.PositiveSmallIntegerField(
        _("VLAN priority (PC)"), default=0, validators=VLAN_PRIORITY
    )

    class Meta:
        abstract = True


def model_said(slug: str) -> str:
    """A model as people call it: "yealink-t54w" is "Yealink T54W"; one that left the catalogue is what was stored."""
    try:
        return find_model(slug).display_name
    except UnknownModelError:
        return slug


# What every phone that waits or is silent has, said of its own row alone: something was asked of it that it hasn't shown to have done, or may not
# have. Few have it, and of them there is an index: asked first, it spares the database the people and customers of all the others.
UNDER_WAY = (
    models.Q(command_at__isnull=False)
    | models.Q(stale_since__isnull=False)
    | models.Q(notified_command="restart")
)


class Phone(Settings):
    """A desk phone: known by its MAC in the whole portal, in use by at most one person, else in the customer's stock.

    The outbox is part of the row. `revision` counts every change that may matter to the phone's file; `stale_since` is
    set while the phone may hold an older file than we would serve. Nothing but a fetch with the phone's own token
    clears it (or finding that the file is the same after all).
    """

    class Command(models.TextChoices):
        """What may be sent to a phone by hand."""

        RESYNC = "resync", _("Reprovision")
        RESTART = "restart", _("Restart")

    class Outcome(models.TextChoices):
        """What became of the last NOTIFY."""

        WAITING = "waiting", _("waiting to be sent")
        ACCEPTED = "accepted", _("received by the phone")
        REFUSED = "refused", _("refused by the phone")
        SILENT = "silent", _("no answer")
        UNREACHABLE = "unreachable", _("not reachable")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="phones", editable=False)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="phones", editable=False)
    mac = models.CharField(_("MAC address"), max_length=12, unique=True, validators=[MAC])
    model = models.CharField(
        _("Phone model"),
        max_length=40,
        help_text=_("As it is printed on the back of the phone; it decides what can be chosen here."),
    )
    web_password = EncryptedTextField(
        _("Web console password"), editable=False, readers=(Reader.PERSON, Reader.PHONE)
    )

    token = EncryptedTextField(editable=False, readers=(Reader.PERSON, Reader.PHONE, Reader.TECHNICIAN))
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    # While a new token hasn't been used yet: the phone still asks with the old one, and learns the new one by that.
    previous_token_hash = models.CharField(max_length=64, blank=True, default="", editable=False)

    # Where a NOTIFY goes: the address of the last fetch with the phone's own token, at this port.
    sip_port = models.PositiveIntegerField(_("SIP port"), default=5060, validators=PORT, editable=False)
    sip_transport = models.CharField(
        max_length=3, choices=[("udp", "UDP"), ("tcp", "TCP")], default="udp", editable=False
    )

    revision = models.PositiveBigIntegerField(default=1, editable=False)
    stale_since = models.DateTimeField(null=True, db_index=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    next_attempt_at = models.DateTimeField(null=True, editable=False)

    command = models.CharField(max_length=8, choices=Command.choices, blank=True, editable=False)
    command_at = models.DateTimeField(null=True, editable=False)  # set while a command waits to be sent
    notified_at = models.DateTimeField(null=True, editable=False)
    notified_command = models.CharField(max_length=8, choices=Command.choices, blank=True, editable=False)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True, editable=False)
    outcome_detail = models.CharField(max_length=100, blank=True, editable=False)

    fetched_at = models.DateTimeField(null=True, editable=False)
    fetched_from = models.GenericIPAddressField(null=True, editable=False)
    fetched_digest = models.CharField(max_length=64, blank=True, editable=False)
    # The model whose file it was: a phone that becomes another make's keeps its old file in the old make's words.
    fetched_model = models.CharField(max_length=40, blank=True, default="", editable=False)
    fetched_text = EncryptedTextField(
        blank=True, default="", editable=False, readers=(Reader.COMPARISON,)
    )  # for the diff: it holds passwords
    # The last sign of life that was no fetch: an answer to a NOTIFY, a registration (`phones.presence`).
    heard_at = models.DateTimeField(null=True, editable=False)
    firmware = models.CharField(
        _("Firmware"), max_length=40, blank=True, editable=False, validators=[VERSION]
    )
    seen_model = models.CharField(max_length=40, blank=True, editable=False)

    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        ordering = ["id"]
        verbose_name = _("phone")
        verbose_name_plural = _("phones")
        indexes = [
            # Nearly every phone has none: only those that have one are in the index, so that a plan for any token uses it.
            models.Index(
                fields=["previous_token_hash"],
                name="phone_previous_token",
                condition=~models.Q(previous_token_hash=""),
            ),
            # The outbox, which is looked at every second: those that there may be something to tell.
            models.Index(
                fields=["next_attempt_at"],
                name="phone_outbox",
                condition=models.Q(fetched_from__isnull=False)
                & (models.Q(stale_since__isnull=False) | models.Q(command_at__isnull=False)),
            ),
            models.Index(fields=["id"], name="phone_under_way", condition=UNDER_WAY),
        ]

    def __str__(self) -> str:
        """Its model and its MAC, the same in every language: "Yealink T54W 80:5E:C0:12:34:56"."""
        return f"{self.model_name} {self.mac_with_colons}".strip()

    @property
    def model_name(self) -> str:
        """Its model as people call it: "Yealink T54W"."""
        return model_said(self.model)

    @property
    def seen_model_name(self) -> str:
        """What the phone itself says it is."""
        return model_said(self.seen_model)

    @property
    def mac_with_colons(self) -> str:
        """As it is printed on the phone: "80:5E:C0:12:34:56"."""
        return ":".join(self.mac[start : start + 2] for start in range(0, 12, 2)).upper()

    def new_token(self) -> None:
        """Give the phone a new secret address (not saved)."""
        token = random_token()
        self.token, self.token_hash = token, fingerprint(token)

    def complete(self) -> None:
        """The secrets of a new phone (not saved)."""
        self.web_password = random_secret(16)
        self.new_token()
        self.stale_since = timezone.now()


class Key(models.Model):
    """One function key of a person, at a position that is the same on every phone of theirs; gaps are blank keys."""

    class Kind(models.TextChoices):
        """The guide's eight kinds, and what another program's file brought that is none of them."""

        BLANK = context.KeyKind.BLANK.value, _("Blank")
        LINE = context.KeyKind.LINE.value, _("Line")
        BLF = context.KeyKind.BLF.value, _("BLF")
        SPEED_DIAL = context.KeyKind.SPEED_DIAL.value, _("Speed dial")
        CUSTOM_SPEED_DIAL = context.KeyKind.CUSTOM_SPEED_DIAL.value, _("Custom speed dial")
        SHARED_PARKING = context.KeyKind.SHARED_PARKING.value, _("Shared parking")
        AGENT = context.KeyKind.AGENT.value, _("Agent login/logout")
        STATUS = context.KeyKind.STATUS.value, _("Change status")
        # Kept with all that it says, so that it comes out again; blank on a phone.
        UNKNOWN = "unknown", _("Unknown type")

    customer_path = "user__customer"

    user = models.ForeignKey(User, models.CASCADE, related_name="keys")
    position = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(240)])
    kind = models.CharField(max_length=20, choices=Kind.choices)
    # The colleague that a BLF or a speed dial is about; whoever is deleted leaves a blank key behind.
    target = models.ForeignKey(User, models.CASCADE, null=True, related_name="watched_by")
    # The ring group, queue or digital receptionist that it is about instead; it leaves a blank key behind, too.
    system = models.ForeignKey(SystemExtension, models.CASCADE, null=True, related_name="watched_by")
    value = models.TextField(
        blank=True
    )  # number, slot, agent action, status; what a key of an unknown kind says
    first_name = OneLineField(max_length=50, blank=True)
    last_name = OneLineField(max_length=50, blank=True)

    objects = ScopedManager()

    class Meta:
        ordering = ["position"]
        verbose_name = _("function key")
        constraints = [models.UniqueConstraint(fields=["user", "position"], name="key_position_once")]

    def __str__(self) -> str:
        return f"{self.position} {self.kind} {self.value}"
