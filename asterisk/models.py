"""Machines of the phone system, the trunks to the public network, what is to be told to the machines, and what they told of calls."""

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from forwarding.decisions import PlanEncoder
from pbxadmin.common.crypto import EncryptedBytesField, EncryptedTextField, Reader, random_secret
from pbxadmin.common.fields import OneLineField, YesNoField
from pbxadmin.common.scoping import ProvidersManager, ScopedManager
from users.models import Customer, User
from voicemail.models import Mailbox

# What stands in a SIP address before the @ without being escaped, and an @: some ask for the whole address.
USER_NAME = RegexValidator(
    r"^[A-Za-z0-9._~$&*+@-]*\Z",
    _("Letters, digits and the signs . _ ~ $ & * + @ - only, without blanks."),
    code="username",
)
PORT = [MinValueValidator(1), MaxValueValidator(65535)]


class Node(models.Model):
    """One Asterisk. It asks with its token; we reach its manager interface (AMI) and its recordings (ARI) with a password.

    Of the token only the fingerprint is kept. While it is being replaced both live, until the new one is used for the first time.
    """

    name = models.SlugField(_("name"), max_length=40, unique=True)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    previous_token_hash = models.CharField(
        max_length=64, blank=True, default="", db_index=True, editable=False
    )
    host = OneLineField(
        _("address"), max_length=253
    )  # `asterisk.sheets.PlaceColumn` says what may stand here
    ami_port = models.PositiveIntegerField(_("AMI port"), default=5038, validators=PORT)
    ari_port = models.PositiveIntegerField(_("ARI port"), default=8088, validators=PORT)
    node_password = EncryptedTextField(
        _("AMI and ARI password"),
        max_length=200,
        default=random_secret,
        editable=False,
        readers=(Reader.PHONE_SYSTEM, Reader.TECHNICIAN),
    )
    # Whose lines and calls it may ask for; none: everybody's.
    customers = models.ManyToManyField(Customer, related_name="nodes", editable=False)
    # The link to it: the worker that holds it and until when it may, since when it is connected, what was wrong the last time.
    held_by = models.CharField(max_length=80, blank=True, default="", editable=False)
    held_until = models.DateTimeField(null=True, editable=False)
    connected_at = models.DateTimeField(null=True, editable=False)
    heard_at = models.DateTimeField(null=True, editable=False)
    trouble = models.CharField(max_length=200, blank=True, default="", editable=False)
    # Why devices that are to be registered there no more still are.
    ari_trouble = models.CharField(max_length=20, blank=True, default="", editable=False)
    # What it says it runs.
    release = models.CharField(max_length=80, blank=True, default="", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ProvidersManager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("phone system node")
        verbose_name_plural = _("phone system nodes")

    def __str__(self) -> str:
        return self.name


class FormerCustomer(models.Model):
    """That a node served a customer until then: it may remember lines for as long as `REMEMBERED`, so it is told of their changes."""

    # `deploy/asterisk/sorcery.conf` says seven days.
    REMEMBERED = timedelta(days=8)

    node = models.ForeignKey(Node, models.CASCADE, related_name="former")
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "node"], name="former_customer_once")]

    def __str__(self) -> str:
        return f"{self.customer_id} at {self.node_id} until {self.until}"


class Trunk(models.Model):
    """A way to the public network: one customer's own, or the provider's, for every customer that has none."""

    class Transport(models.TextChoices):
        """How SIP goes there."""

        UDP = "udp", "UDP"
        TCP = "tcp", "TCP"
        TLS = "tls", "TLS"

    class Format(models.TextChoices):
        """How numbers are written there."""

        E164 = "e164", _("+15145550123 (E.164)")
        PLAIN = "plain", _("15145550123 (E.164 without +)")
        NATIONAL = "national", _("5145550123 (ten digits in North America)")

    customer = models.ForeignKey(
        Customer,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="trunks",
        verbose_name=_("customer"),
        editable=False,
    )
    name = OneLineField(_("name"), max_length=80, unique=True)
    host = OneLineField(_("address"), max_length=253)  # the same
    port = models.PositiveIntegerField(_("port"), default=5060, validators=PORT)
    transport = models.CharField(
        _("transport"), max_length=3, choices=Transport.choices, default=Transport.UDP
    )
    # Networks from which it sends calls; none: the addresses of `host`.
    networks = OneLineField(_("addresses that it calls from"), max_length=300, blank=True)
    username = OneLineField(_("user name"), max_length=80, blank=True, validators=[USER_NAME])
    trunk_password = EncryptedTextField(
        _("password"), max_length=200, blank=True, default="", readers=(Reader.PHONE_SYSTEM,)
    )
    registers = YesNoField(_("the phone system registers there"), default=False)
    number_format = models.CharField(_("numbers"), max_length=8, choices=Format.choices, default=Format.E164)
    channels = models.PositiveIntegerField(
        _("channels"), default=30, validators=[MinValueValidator(1), MaxValueValidator(10_000)]
    )
    position = models.PositiveSmallIntegerField(
        _("order"), default=1, validators=[MinValueValidator(1), MaxValueValidator(99)]
    )
    enabled = YesNoField(_("in use"), default=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ScopedManager()

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("SIP trunk")
        verbose_name_plural = _("SIP trunks")

    def __str__(self) -> str:
        return self.name


class TrunkState(models.Model):
    """What one node says of one trunk: whether the other side answers there."""

    node = models.ForeignKey(Node, models.CASCADE, related_name="trunk_states")
    trunk = models.ForeignKey(Trunk, models.CASCADE, related_name="states")
    answers = models.BooleanField()
    detail = models.CharField(max_length=100, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["node", "trunk"], name="trunk_state_once")]

    def __str__(self) -> str:
        return f"{self.trunk_id}: {self.answers}"


class ChannelsInUse(models.Model):
    """How many channels of a customer's contract are in use at one node now, as the link counted them a moment ago; none: no row.

    It counts for calls at the customer's other nodes for as long as this one is heard.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    node = models.ForeignKey(Node, models.CASCADE, related_name="+")
    channels = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "node"], name="channels_in_use_once")]

    def __str__(self) -> str:
        return f"{self.customer_id} at {self.node_id}: {self.channels}"


class Stamp(models.Model):
    """As what a customer's configuration stands, as far as calls are concerned: another number after every change of it.

    Whoever has worked something out of the tables keeps it as long as the number is the same. It is drawn, not counted: a database
    that was put back, or a change that was rolled back, never shows a number that stood for something else.
    """

    customer = models.OneToOneField(Customer, models.CASCADE, primary_key=True, related_name="stamp")
    number = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.number)


class Errand(models.Model):
    """Something that one node is to be told: written with the change, gone once the node has answered."""

    class Kind(models.TextChoices):
        """What is to be done there."""

        FORGET = "forget"  # what it remembers of the line `subject` ("101@fqdn", "trunk-4")
        DROP = "drop"  # whatever is registered on the line `subject`: who has that knows its secret no more
        LEFT = "left"  # a device that couldn't be dropped, tried again: its name there, and when it registered until
        LEARN = "learn"  # the line exists: follow its state
        TRUNKS = "trunks"  # the trunks are others
        MESSAGES = "messages"  # tell which messages lie in the mailbox `subject` ("102@u17")
        REMOVE = "remove"  # delete a message: `subject` is "102@u17/" and its number there
        EMPTY = "empty"  # delete the mailbox `subject`
        RECORD = (
            "record"  # ring phones to have a greeting recorded: `subject` is the key of the `PhoneRecording`
        )

    node = models.ForeignKey(Node, models.CASCADE, related_name="errands")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    subject = models.CharField(max_length=320, blank=True, default="")
    # The node is being told this moment: what it asks meanwhile is answered with this alone (`asterisk.link.learning`).
    doing = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["node", "id"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class Contact(models.Model):
    """A device that is registered at a node now, as the node tells it."""

    customer_path = "user__customer"

    node = models.ForeignKey(Node, models.CASCADE, related_name="contacts")
    user = models.ForeignKey(User, models.CASCADE, related_name="contacts")
    uri = models.CharField(max_length=400)
    address = models.CharField(max_length=60, blank=True)  # and port, as seen from the node
    user_agent = models.CharField(max_length=120, blank=True)
    since = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    objects = ScopedManager()

    class Meta:
        ordering = ["since", "id"]
        constraints = [
            models.UniqueConstraint(fields=["node", "user", "uri"], name="contact_once"),
        ]

    def __str__(self) -> str:
        return self.uri


class VoiceMessage(models.Model):
    """A message that lies in a mailbox at a node: known once, however often the node tells of it, so that one mail goes out about it.

    It is kept for as long as it lies there. The sound is there between its fetching and the mail.
    """

    customer_path = "user__customer"

    node = models.ForeignKey(Node, models.CASCADE, related_name="voice_messages")
    user = models.ForeignKey(User, models.CASCADE, related_name="voice_messages")
    number = models.CharField(max_length=40)  # the node's own of it, the same wherever it lies in the mailbox
    caller = models.CharField(max_length=40, blank=True)  # an extension, or a number as it was shown
    at = models.DateTimeField()
    seconds = models.PositiveIntegerField()
    # What its person wanted sent when it came.
    mail = models.CharField(max_length=13, choices=Mailbox.EmailOption.choices)
    # Whether the mail is still to be sent; and whether the sound is to be fetched before.
    due = models.BooleanField(default=False)
    wants_sound = models.BooleanField(default=False)
    sound = EncryptedBytesField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["node", "user", "number"], name="voice_message_once"),
        ]
        indexes = [
            models.Index(fields=["node"], condition=Q(wants_sound=True), name="voice_message_wanted"),
        ]

    def __str__(self) -> str:
        return self.number


class PhoneRecording(models.Model):
    """A greeting that is recorded by phone: from the moment on at which somebody asks for it, or has recorded it in the menu of their
    mailbox, until it is with the other recordings that came in (`voicemail.greetings.making`), or somebody has read why nothing came of it."""

    class State(models.TextChoices):
        """How far it is."""

        ASKED = "asked"
        RINGING = "ringing"
        RECORDING = "recording"  # the phone was answered
        RECORDED = "recorded"  # it lies at the node
        # Nothing came of it.
        BUSY = "busy"
        DECLINED = "declined"
        NO_ANSWER = "no_answer"
        UNREACHABLE = "unreachable"
        NOTHING = "nothing"
        LOST = "lost"
        REFUSED = "refused"
        CANCELLED = "cancelled"  # nobody wants it; the node is to end the call

    customer_path = "customer"

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    node = models.ForeignKey(Node, models.CASCADE, related_name="+")
    # Whose library (none: the company's), who asked, by which right, whose phones ring.
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="+")
    starter = models.ForeignKey(User, models.CASCADE, related_name="+")
    verb = models.CharField(max_length=10)
    phone = models.ForeignKey(User, models.CASCADE, related_name="+")
    # What it is called at the node; nobody can guess it.
    key = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=80)
    # The column of its person that is to name it as soon as it is there; blank: none.
    use = models.CharField(max_length=60, blank=True, default="")
    state = models.CharField(max_length=11, choices=State.choices, default=State.ASKED)
    # Why it was refused, to whoever asked.
    sentence = models.TextField(blank=True, default="")
    # From where it was asked for, as the history says it.
    source = models.CharField(max_length=12)
    address = models.CharField(max_length=45, blank=True)
    request_id = models.CharField(max_length=12, blank=True)
    note = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=10)  # of whoever asked
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["phone"],
                condition=Q(state__in=["asked", "ringing", "recording"]),
                name="phone_records_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PinEntry(models.Model):
    """When somebody last entered the PIN that opens outside calls."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="pin_entry")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.at)


class CallRecord(models.Model):
    """A call as it was planned and as it went: "Derniers appels". Kept for thirty days."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="calls")
    # The node's name and its own number of the call.
    unique_id = models.CharField(max_length=100, unique=True)
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    from_extension = models.CharField(max_length=5, blank=True)
    from_number = models.CharField(max_length=40, blank=True)
    dialled = models.CharField(max_length=40)
    # What was planned (a `PlannedCall` when it is written, `PlannedCall.as_data` when it is read), and how what rang of it ended, in order
    # (`calls.ended.WORDS`).
    planned = models.JSONField(default=dict, encoder=PlanEncoder)
    taken = models.JSONField(default=list)
    # Whom a group rang, and who of them answered: extensions, as the node tells.
    rang = models.JSONField(default=list)
    answered_by = models.CharField(max_length=5, blank=True)
    seconds = models.PositiveIntegerField(null=True)  # spoken; None while it goes on
    outcome = models.CharField(max_length=20, blank=True)  # `calls.taken.Ending`; blank while it goes on

    objects = ScopedManager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["customer", "-at"]), models.Index(fields=["at"])]

    def __str__(self) -> str:
        return self.unique_id


class CallParty(models.Model):
    """That a call concerned somebody, as caller or as one to whom it came."""

    customer_path = "user__customer"

    user = models.ForeignKey(User, models.CASCADE, related_name="call_parts")
    call = models.ForeignKey(CallRecord, models.CASCADE, related_name="parties")
    at = models.DateTimeField()
    calling = models.BooleanField(default=False)  # whether they made it
    missed = models.BooleanField(default=False)  # whether it rang them, and nobody answered there

    objects = ScopedManager()

    class Meta:
        indexes = [models.Index(fields=["user", "-at"])]
        constraints = [models.UniqueConstraint(fields=["call", "user"], name="call_party_once")]

    def __str__(self) -> str:
        return f"{self.call_id} {self.user_id}"
