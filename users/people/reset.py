""" "Réinitialiser": new secrets for one person or many, with what each of the seven boxes means and what is to be done after it.

The apps that own the secrets renew them (`Contribution.resets`); here is decided who may, and here it is written into the history.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from pbxadmin.common.columns import Scope
from pbxadmin.common.contributions import Renewed
from pbxadmin.common.crypto import MASK, random_secret
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.proof import Takeover
from signin import single_sign_on
from users import rights, road
from users.mail import letters, links
from users.models import Change, Customer, Letter, Operation, PersonalLink, User
from users.people.sections import user_sheet
from users.signals import changed

WELCOME = "welcome_mail"


@dataclass(frozen=True)
class Box:
    """One box of the dialog: its name in the form, how it is called, what it does."""

    name: str
    label: str | Promise
    help: str | Promise


BOXES = (
    Box(
        "sip", gettext_lazy("SIP authentication (ID and password)"),
        gettext_lazy(
            "Phones and apps get new credentials. Phones are told at once; restart any phone that doesn't fetch them, and scan the "
            "QR code again in the apps."
        ),
    ),
    Box(
        "web_password", gettext_lazy("Portal password"),
        gettext_lazy(
            "The portal's password stops working, linked Microsoft and Google accounts are unlinked, and all sessions end. A new "
            "password is set through the link in the welcome email."
        ),
    ),
    Box("voicemail_pin", gettext_lazy("Voicemail PIN"), gettext_lazy("A new random PIN. Users see it on their own page.")),
    Box(
        "phone_web_password", gettext_lazy("Phone web password"),
        gettext_lazy("A new web console password for each of the user's phones; the phones receive it with their next configuration."),
    ),
    Box(
        "link", gettext_lazy("Configuration link"),
        gettext_lazy("The old link and the QR code stop working at once. Scan the new QR code in the apps, and give the phones "
                     "their new provisioning link."),
    ),
    Box(
        "rps", gettext_lazy("RPS key"),
        gettext_lazy("The key with which a manufacturer's redirection service sends new phones here. The old one stops working at "
                     "once: enter the new one there."),
    ),
    Box(
        WELCOME, gettext_lazy("Send the welcome email"),
        gettext_lazy("Tells the user how to sign in, with a one-time link to set a password. Passwords are never sent by email."),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Pressed:
    """What somebody pressed to come to the dialog: which boxes that means, and what it is called."""

    ticked: tuple[str, ...]
    title: str | Promise  # with %(name)s
    words: str | Promise


AFTER_PASSWORDS = gettext_lazy(
    "After a reset, restart the IP phones and set up again the apps that use what was reset."
)
# "Réinitialiser" of the list, which names nothing in particular.
ALL = Pressed(("sip", "link", WELCOME), gettext_lazy("Reset %(name)s"), AFTER_PASSWORDS)
PRESSED: Mapping[str, Pressed] = {
    "passwords": Pressed(
        ("sip", "web_password", WELCOME), gettext_lazy("Reset the passwords of %(name)s"), AFTER_PASSWORDS
    ),
    "link": Pressed(
        ("link",),
        gettext_lazy("Reset the configuration link of %(name)s"),
        gettext_lazy(
            "Only the link and its QR code become new; passwords stay. Whoever has the old link gets no configuration with it any more."
        ),
    ),
}
LABELS: Mapping[str, str | Promise] = {box.name: box.label for box in BOXES}


# --- What the users app renews itself -----------------------------------------------------------------------------
def renew_sip(people: Collection[User], scope: Scope) -> dict[Any, Renewed]:
    """A new authentication ID and password for each."""
    for user in people:
        user.sip_auth_id, user.sip_password = random_secret(10), random_secret(24)
    User.objects.bulk_update(people, ["sip_auth_id", "sip_password"], batch_size=200)
    return {user.pk: Renewed(rescan=True) for user in people}


def renew_web_password(people: Collection[User], scope: Scope) -> dict[Any, Renewed]:
    """No password at all until they set one by a link, and no linked account; every session and every older link ends."""
    for user in people:
        user.set_unusable_password()
    User.objects.bulk_update(people, ["password"], batch_size=500)
    User.objects.filter(pk__in=[user.pk for user in people]).update(sessions_epoch=F("sessions_epoch") + 1)
    single_sign_on.unlink_all(people)
    return {user.pk: Renewed() for user in people}


def renew_app_link(people: Collection[User], scope: Scope) -> dict[Any, Renewed]:
    """The address of the app's configuration is dead; the next QR code has a new one."""
    links.kill(PersonalLink.Kind.APP, people)
    return {user.pk: Renewed(rescan=True) for user in people}


def renew_rps_key(people: Collection[User], scope: Scope) -> dict[Any, Renewed]:
    """A new key for everybody who has one; whoever has none gets theirs when somebody asks for it."""
    links.kill(PersonalLink.Kind.RPS, people)
    return {user.pk: Renewed() for user in people}


OWN = {"sip": renew_sip, "web_password": renew_web_password, "link": renew_app_link, "rps": renew_rps_key}


def renewers(box: str) -> list[Any]:
    """Everything that a box sets going: this app's own, and what the other apps contribute with their tabs."""
    found: list[Any] = [OWN[box]] if box in OWN else []
    return [
        *found,
        *(section.adds.resets[box] for section in user_sheet().sections if box in section.adds.resets),
    ]


def boxes() -> list[Box]:
    """The boxes behind which something stands here."""
    return [box for box in BOXES if box.name == WELCOME or renewers(box.name)]


# --- Resetting ----------------------------------------------------------------------------------------------------
@dataclass
class Reset:
    """A planned reset: whom it would touch, and who can't be reset and why."""

    scope: Scope
    people: list[User]
    refusals: dict[Any, str] = field(default_factory=dict)


def plan_reset(actor: User, customer: Customer, keys: Iterable[Any]) -> Reset:
    """Who among `keys` may be reset by `actor`; nothing is written. Strangers' keys are left out, as if they weren't there."""
    people = list(
        User.objects.visible_to(actor)
        .of(customer)
        .filter(pk__in=list(keys))
        .select_related("role", "customer", "primary_department")
    )
    refusals = {
        user.pk: str(words)
        for user in people
        if (words := rights.why_not(actor, rights.Verb.EDIT, user, customer))
    }
    return Reset(Scope(actor, customer), people, refusals)


def reset(
    planned: Reset,
    names: Collection[str],
    facts: RequestFacts,
    reason: str = "",
    into: Operation | None = None,
) -> Operation | None:
    """Renew what the boxes `names` say, of all people of the plan or of none; None when nothing was ticked or nobody is meant.

    Raises `road.RefusedError` where somebody can't be reset, `ProofNeededError` where who asks hasn't proved lately who they
    are. One transaction: secrets, history, outbox and mails.
    """
    chosen = [box for box in boxes() if box.name in names]
    if planned.refusals:
        raise road.RefusedError
    if not chosen or not planned.people:
        return None
    facts.demand_proof(Takeover.RESET)
    scope = planned.scope
    with transaction.atomic():
        Customer.objects.select_for_update().only("pk").get(pk=scope.customer.pk)
        again = plan_reset(scope.actor, scope.customer, [user.pk for user in planned.people])
        if again.refusals or len(again.people) != len(planned.people):
            raise road.RefusedError
        people = again.people
        done: dict[Any, list[dict[str, Any]]] = {user.pk: [] for user in people}
        for box in chosen:
            results = [renew(people, scope) for renew in renewers(box.name)]
            for user in people:
                said = [result[user.pk] for result in results if user.pk in result]
                done[user.pk].append(_cell(box, user, said))
        User.objects.filter(pk__in=[user.pk for user in people]).update(version=F("version") + 1)
        for user in people:
            user.version += 1
        operation = road.record_operation(
            scope.actor,
            scope.customer,
            Operation.Kind.RESET,
            facts,
            reason,
            [road.change_of(user_sheet(), user, Operation.Kind.RESET, done[user.pk]) for user in people],
            into=into,
        )
        if "sip" in names:
            rows = [
                road.RowPlan(
                    user.pk,
                    "",
                    {},
                    user,
                    before=dict.fromkeys(("sip_auth_id", "sip_password"), ""),
                    after=dict.fromkeys(("sip_auth_id", "sip_password"), MASK),
                )
                for user in people
            ]
            changed.send(User, rows=rows, operation=operation)
        if WELCOME in names:
            letters.post(Letter.Kind.WELCOME, people)
    return operation  # fmt: skip


def _cell(box: Box, user: User, said: list[Renewed]) -> dict[str, Any]:
    """What the history keeps of one box: dots, the devices concerned, and where the mail went."""
    if box.name == WELCOME:
        return {"column": box.name, "old": "", "new": user.email if letters.has_an_address(user) else ""}
    return {
        "column": box.name, "old": MASK, "new": MASK,
        "devices": sorted({device for renewed in said for device in renewed.devices}),
        "rescan": any(renewed.rescan for renewed in said),
    }  # fmt: skip


# --- Afterwards ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Aftermath:
    """What a reset left to do, person by person: told from the history, so that the page can be opened again."""

    boxes: list[str | Promise]
    people: list[Any]
    restart: list[tuple[Any, list[str]]]
    rescan: list[Any]
    mailed: list[tuple[Any, str]]
    no_address: list[Any]


def aftermath(actor: User, customer: Customer, operation: Operation) -> Aftermath:
    """Who must restart a phone or scan the QR code again, whom the welcome mail went to and who has no address."""
    rows = list(Change.objects.filter(operation=operation, kind=Operation.Kind.RESET).order_by("object_name"))
    people = User.objects.visible_to(actor).of(customer).in_bulk([row.object_pk for row in rows])
    names = dict.fromkeys(cell["column"] for row in rows for cell in row.cells)
    restart, rescan, mailed, no_address = [], [], [], []
    for row in rows:
        person = people.get(row.object_pk) or row.object_name
        cells = {cell["column"]: cell for cell in row.cells}
        devices = sorted({device for cell in row.cells for device in cell.get("devices", ())})
        if devices:
            restart.append((person, devices))
        if any(cell.get("rescan") for cell in row.cells):
            rescan.append(person)
        if WELCOME in cells and cells[WELCOME]["new"]:
            mailed.append((person, cells[WELCOME]["new"]))
        elif WELCOME in cells:
            no_address.append(person)
    return Aftermath(
        [LABELS[name] for name in names if name in LABELS], [people.get(row.object_pk) or row.object_name for row in rows],
        restart, rescan, mailed, no_address,
    )  # fmt: skip


# --- The welcome mail alone ---------------------------------------------------------------------------------------
def send_welcome(
    planned: Reset, facts: RequestFacts, reason: str = "", into: Operation | None = None
) -> Operation | None:
    """Mail a welcome to all people of the plan who have an address; None where nobody has one. Raises as `reset`."""
    if planned.refusals:
        raise road.RefusedError
    people = [user for user in planned.people if letters.has_an_address(user)]
    if not people:
        return None
    facts.demand_proof(Takeover.MAIL)
    with transaction.atomic():
        operation = road.record_operation(
            planned.scope.actor,
            planned.scope.customer,
            Operation.Kind.MAIL,
            facts,
            reason,
            [
                road.change_of(
                    user_sheet(),
                    user,
                    Operation.Kind.MAIL,
                    [{"column": WELCOME, "old": "", "new": user.email}],
                )
                for user in people
            ],
            into=into,
        )
        letters.post(Letter.Kind.WELCOME, people)
    return operation
