"""Questions about phones: whose token it is, where one fetches, and how it is doing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pbxadmin.common.crypto import Reader, fingerprint
from phones import build
from phones.models import Phone
from phones.vendors import Command, Model, UnknownModelError, Vendor, find_model, vendor_of
from users.models import Customer, User

# Secrets of a phone, which no list and no status needs.
SECRETS = ("token", "web_password", "fetched_text")

# How long a phone that said yes may take to fetch before it counts as silent.
FETCH_EXPECTED = timedelta(minutes=2)
# How long a phone may take to start anew and fetch.
RESTART_EXPECTED = timedelta(minutes=5)
# How long the sending of a restart may take: without an outcome by then, its worker died on the way.
SENDING_LASTS = timedelta(seconds=16)
# How long a page goes on asking about something that doesn't move.
LOOKED_AT_FOR = timedelta(minutes=10)


def light(phones: "QuerySet[Phone]") -> "QuerySet[Phone]":
    """The same phones for a list or a status, without any secret: of the phone or of its user."""
    return phones.select_related("user", "user__customer", "sbc").defer(
        *SECRETS, "user__password", "user__sip_password", "user__search_text"
    )


def phone_by_token(token: str) -> Phone | None:
    """The phone whose present or previous token this is, with all that its file needs: one query."""
    return build.phone_by_token_hash(fingerprint(token))


def phone_by_mac(mac: str) -> Phone | None:
    """The phone with this MAC (twelve hex digits, lower case), with all that its file needs."""
    return build.loaded(Phone.objects.filter(mac=mac)).first()


def provisioning_address(mac: str) -> tuple[str, int] | None:
    """The secret address and the SIP port of a phone, by its MAC however it is written; None for an unknown
    one."""
    canonical = "".join(sign for sign in mac.lower() if sign not in ":-. ")
    phone = Phone.objects.filter(mac=canonical).only("token", "sip_port").first()
    return (build.provisioning_url(phone, Reader.TECHNICIAN), phone.sip_port) if phone else None


def template_of(phone: Phone) -> str:
    """What 3CX's files call the way in which it configures this model; it follows from the model, and isn't kept."""
    return template_called(phone.model)


def template_called(slug: str) -> str:
    """The same by the model's slug."""
    return model_called(slug).template


def what_its_router_lacks(phone: Phone) -> str:
    """What keeps a phone from going through the router phone that is chosen for it, in a sentence; "" where nothing does."""
    router = build.router_of(phone)
    if router is None or router.address:
        return ""
    return _(
        "The local address of %(router)s isn't known: until it is entered, the phone is configured as on the local network."
    ) % {"router": router}


def phones_of(actor: User, customer: Customer, person: User) -> "QuerySet[Phone]":
    """The phones of a person, as far as `actor` sees them, without secrets."""
    return light(Phone.objects.visible_to(actor).of(customer).filter(user=person)).order_by("pk")


def phones_in_stock(actor: User, customer: Customer) -> "QuerySet[Phone]":
    """The customer's phones that nobody uses."""
    return light(Phone.objects.visible_to(actor).of(customer).filter(user=None)).order_by("pk")


# --- How a phone is doing ---
@dataclass(frozen=True)
class PhoneState:
    """How one phone is doing, for people.

    `kind` is "unassigned", "disabled", "never", "up_to_date", "waiting", "notified" or "silent"; `tone` "ok",
    "wait", "bad" or "off"; `live` while something is under way, so that a page goes on asking. `aloud` is the sentence without what
    changes by itself every second: what a screen reader is told.
    """

    kind: str
    tone: str
    sentence: str
    live: bool = False
    lasting: str = ""  # the sentence without its time, where it has one

    @property
    def aloud(self) -> str:
        """What is announced: another text is another state."""
        return self.lasting or self.sentence

    @property
    def settled(self) -> bool:
        """Whether a page may stop asking."""
        return not self.live


@dataclass(frozen=True)
class Told:
    """What became of the last command, for people; `text` is empty where there was none. `aloud`: as `PhoneState`'s."""

    text: str = ""
    tone: str = "off"
    live: bool = False
    lasting: str = ""

    @property
    def aloud(self) -> str:
        """What is announced: another text is another state."""
        return self.lasting or self.text

    @property
    def settled(self) -> bool:
        """Whether a page may stop asking."""
        return not self.live


def state(phone: Phone, now: datetime | None = None) -> PhoneState:
    """How a phone (from `light`) is doing at `now`; no secret is read and no query made."""
    now = now or timezone.now()
    if phone.user is None:
        return PhoneState("unassigned", "off", _("in stock"))
    if phone.user.customer is not None and phone.user.customer.suspended:
        return PhoneState("disabled", "off", _("gets no configuration: the company is suspended"))
    if not phone.user.is_active:
        return PhoneState("disabled", "off", _("gets no configuration: the extension is disabled"))
    if phone.fetched_at is None:
        # Somebody is plugging it in and looks at the page, or it lies in its box for weeks.
        return PhoneState("never", "wait", _("never connected"), _recent(phone.created_at, now))
    if phone.command_at is not None:
        return _waiting_state(phone.command_at, now)
    if phone.stale_since is not None:
        return _stale(phone, phone.stale_since, now)
    if _is_restarting(phone) and phone.notified_at:
        return _restarting(phone, phone.notified_at, now)
    return PhoneState("up_to_date", "ok", _("up to date"))


def _stale(phone: Phone, since: datetime, now: datetime) -> PhoneState:
    """The phone may hold an older file than we would serve."""
    # A new change starts the counting of attempts again: what came of earlier ones isn't about it.
    if phone.attempts == 0 or phone.notified_at is None:
        return _waiting_state(since, now)
    if phone.outcome == Phone.Outcome.ACCEPTED and now - phone.notified_at < FETCH_EXPECTED:
        return PhoneState(
            "notified",
            "wait",
            _("notified %(time)s ago") % {"time": duration(now - phone.notified_at)},
            live=True,
            lasting=_("notified"),
        )
    if phone.outcome == Phone.Outcome.ACCEPTED:
        sentence = _("was notified but hasn't fetched for %(time)s") % {"time": duration(now - since)}
        lasting = _("was notified but hasn't fetched")
    else:
        sentence = lasting = outcome_in_words(phone)
    # It is tried again by itself, and may come back while somebody looks at the page.
    return PhoneState("silent", "bad", sentence, _recent(since, now), lasting)


def _is_restarting(phone: Phone) -> bool:
    """Whether the last command was a restart after which the phone hasn't fetched yet, as it does when it
    starts."""
    return bool(
        phone.notified_command == Phone.Command.RESTART
        and phone.notified_at
        and (not phone.fetched_at or phone.fetched_at < phone.notified_at)
    )


def perhaps_restarted(phone: Phone, now: datetime) -> bool:
    """Whether nobody knows if the phone heard its last command, a restart: no answer came, or the worker died on the way.

    It isn't sent again by itself; whoever looks at the page is told, and may press again.
    """
    if phone.notified_command != Phone.Command.RESTART or phone.notified_at is None:
        return False
    died = phone.outcome == Phone.Outcome.WAITING and now - phone.notified_at > SENDING_LASTS
    return died or phone.outcome == Phone.Outcome.SILENT


def _restarting(phone: Phone, since: datetime, now: datetime) -> PhoneState:
    if perhaps_restarted(phone, now):
        return PhoneState("silent", "bad", _("has perhaps restarted"))
    if phone.outcome == Phone.Outcome.WAITING:
        return _waiting_state(since, now)
    if phone.outcome != Phone.Outcome.ACCEPTED:
        return PhoneState("silent", "bad", outcome_in_words(phone))
    if now - since < RESTART_EXPECTED:
        return PhoneState(
            "notified",
            "wait",
            _("has been restarting for %(time)s") % {"time": duration(now - since)},
            live=True,
            lasting=_("restarts"),
        )
    return PhoneState("silent", "bad", _("hasn't come back after its restart"))


def command_in_words(phone: Phone, now: datetime | None = None) -> Told:
    """The last command given to a phone, by hand or by a change, and what became of it."""
    now = now or timezone.now()
    if phone.command_at is not None:
        label = Phone.Command(phone.command).label
        return Told(
            _("%(command)s: %(outcome)s") % {"command": label, "outcome": _waiting(phone.command_at, now)},
            "wait",
            _recent(phone.command_at, now),
            _("%(command)s: %(outcome)s") % {"command": label, "outcome": _("waits")},
        )
    if not phone.notified_at or not phone.notified_command:
        return Told()
    label = Phone.Command(phone.notified_command).label
    if perhaps_restarted(phone, now):
        if _is_restarting(phone):
            words, tone = _("perhaps received, no answer came; restart it again if it didn't restart"), "bad"
        else:
            words, tone = _("perhaps received; it has fetched its configuration since"), "ok"
        return Told(_("%(command)s: %(outcome)s") % {"command": label, "outcome": words}, tone)
    words = _("%(command)s: %(outcome)s") % {"command": label, "outcome": outcome_in_words(phone)}
    if phone.outcome == Phone.Outcome.WAITING:
        return Told(words, "wait", _recent(phone.notified_at, now))
    if phone.outcome == Phone.Outcome.ACCEPTED:
        return Told(words, "ok")
    return Told(words, "bad")


def model_of(phone: Phone) -> Model:
    """The phone's record in the catalogue; one that offers nothing for a model that isn't in it any more."""
    return model_called(phone.model)


def model_called(slug: str) -> Model:
    """The same by its slug ("yealink-t54w")."""
    try:
        return find_model(slug)
    except UnknownModelError:
        return Model(vendor="", name=slug, lines=1, keys=0)


def maker_of(phone: Phone) -> Vendor | None:
    """The phone's vendor; None for a model that isn't in the catalogue any more."""
    try:
        return vendor_of(phone.model)
    except UnknownModelError:
        return None


def knows(phone: Phone, command: Phone.Command) -> bool:
    """Whether phones of its make can be told this."""
    vendor = maker_of(phone)
    return vendor is not None and vendor.notify_event(Command(command.value)) is not None


def why_no_command(phone: Phone, command: Phone.Command) -> str:
    """Why a phone can't be told this, whoever asks; "" where it can."""
    if phone.user is None or not phone.user.is_active:
        return _("Nobody uses this phone, or its user is disabled: it gets no configuration.")
    if phone.fetched_from is None:
        return _(
            "This phone has never fetched its configuration, so it can't be reached. Switch it on, or enter its provisioning link."
        )
    if not knows(phone, command):
        return _("The %(model)s doesn't offer this.") % {"model": model_of(phone).display_name}
    return ""


def _waiting(since: datetime, now: datetime) -> str:
    return _("waiting for %(time)s") % {"time": duration(now - since)}


def _waiting_state(since: datetime, now: datetime) -> PhoneState:
    return PhoneState("waiting", "wait", _waiting(since, now), _recent(since, now), _("waits"))


def _recent(moment: datetime, now: datetime) -> bool:
    """Whether a page should still ask by itself: somebody who comes later than that loads it anew."""
    return now - moment < LOOKED_AT_FOR


# A file that can't be written is no answer of the phone, but the reader wants to know all the same.
UNWRITABLE = "configuration"

OUTCOMES = {
    Phone.Outcome.WAITING: gettext_lazy("is being sent"),
    Phone.Outcome.ACCEPTED: gettext_lazy("received by the phone"),
    Phone.Outcome.REFUSED: gettext_lazy("refused by the phone"),
    Phone.Outcome.SILENT: gettext_lazy("did not answer"),
    Phone.Outcome.UNREACHABLE: gettext_lazy("is not reachable"),
}


def outcome_in_words(phone: Phone) -> str:
    """What became of the last NOTIFY."""
    if phone.outcome == Phone.Outcome.REFUSED and phone.outcome_detail == UNWRITABLE:
        return _("its configuration can't be generated: see the file")
    return str(OUTCOMES[Phone.Outcome(phone.outcome)]) if phone.outcome else ""


def duration(time: timedelta) -> str:
    """A length of time in its largest unit: "12 s", "3 min", "2 h", "4 d"."""
    seconds = max(0, int(time.total_seconds()))
    if seconds < 60:
        return _("%(count)s s") % {"count": seconds}
    if seconds < 3600:
        return _("%(count)s min") % {"count": seconds // 60}
    if seconds < 2 * 86400:
        return _("%(count)s h") % {"count": seconds // 3600}
    return _("%(count)s d") % {"count": seconds // 86400}
