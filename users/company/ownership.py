"""The owner of a customer's phone system hands it over: somebody else becomes system owner, and they step down, by one operation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.proof import Takeover
from users import rights, road
from users.mail import letters
from users.mail.letters import Mail
from users.models import Customer, Letter, Operation, Role, User
from users.people import access
from users.people.sections import user_sheet
from users.road import Outcome

# What an owner becomes unless something else is chosen.
USUALLY = "system_admins"
# How the history notes it: who it was, and who it is.
REASON, ARROW = "ownership ", " → "


@dataclass
class Transfer:
    """A planned one: who hands over to whom, what becomes of who did, and what stands against it."""

    owner: User
    heir: User
    plan: road.Plan
    problems: list[Text]

    @property
    def refusals(self) -> list[str]:
        """Why it can't be done; empty where it can be."""
        return [*map(str, self.problems), *self.plan.sentences]

    @property
    def told(self) -> list[tuple[str, Sequence[Mapping[str, str]]]]:
        """Who becomes what: of each of the two what changes, in words."""
        columns, scope = self.plan.sheet.columns, self.plan.scope
        return [
            (
                str(row.record),
                [
                    {
                        "label": str(columns[name].label),
                        "old": columns[name].show(old, scope),
                        "new": columns[name].show(new, scope),
                    }
                    for name, (old, new) in row.changes.items()
                ],
            )
            for row in (self.plan.rows[1], self.plan.rows[0])
            if row.record is not None and row.changes
        ]

    @property
    def seen(self) -> str:
        """What a page has shown, as a short text: where it is another one by now, it is shown anew."""
        return ".".join(
            map(
                str,
                (
                    self.owner.pk, self.owner.version, self.heir.pk, self.heir.version,
                    self.plan.rows[0].raw["role"],
                ),
            )
        )  # fmt: skip


def owners(actor: User, customer: Customer) -> QuerySet[User]:
    """The customer's system owners, also those who are disabled: whoever is gone is to be replaced as well."""
    found: QuerySet[User] = User.objects.visible_to(actor).of(customer)
    return found.filter(role=rights.OWNERS).select_related("role", "customer").order_by("disabled", "number")


def may_hand_over(actor: User, customer: Customer) -> list[User]:
    """The owners for whom `actor` may do it: all of them for support staff, an owner for themself. One query."""
    return [
        owner
        for owner in owners(actor, customer)
        if rights.can(actor, rights.Verb.OWNERSHIP, owner, customer)
    ]


def roles_after() -> list[Role]:
    """What an owner may become: every lower role, the highest first."""
    return list(Role.objects.exclude(pk=rights.OWNERS).order_by("-level", "pk"))


def plan(actor: User, customer: Customer, owner: User, heir: User, role: str) -> Transfer:
    """What it would do; nothing is written. `role`: what the owner becomes."""
    problems: list[Text] = []
    if refusal := rights.why_not(actor, rights.Verb.OWNERSHIP, owner, customer):
        problems.append(refusal)
    elif owner.role_id != rights.OWNERS:
        problems.append(_("%(owner)s is no system owner any more.") % {"owner": owner})
    if role not in {each.pk for each in roles_after()}:
        problems.append(_("Choose what the owner becomes."))
    if reason := why_not_heir(owner, heir):
        problems.append(reason)
    rows = [
        road.Row(owner.pk, {"role": role}, str(owner), seen=owner.version, steps_down=True),
        # As the first owner of a customer: the password alone doesn't open what belongs to everybody.
        road.Row(heir.pk, {"role": rights.OWNERS, "require_2fa": True}, str(heir), seen=heir.version),
    ]
    return Transfer(
        owner, heir, road.plan(actor, customer, user_sheet(), rows if owner != heir else rows[:1]), problems
    )


def why_not_heir(owner: User, heir: User) -> Text | None:
    """Why somebody can't become the owner now: whoever can't sign in would leave the company without anybody who administers it."""
    name = {"name": heir}
    if heir.pk == owner.pk:
        return _("Choose somebody else: %(name)s is the owner who hands over.") % name
    if heir.disabled:
        return _("%(name)s is disabled and can't sign in: enable the extension first.") % name
    standing = access.standing_of(heir)
    if not standing.has_password and not standing.accounts:
        return _("%(name)s has never set a password and can't sign in: send a link first.") % name
    if standing.is_blocked:
        return _("The sign-in of %(name)s is blocked after failed tries: unblock it first.") % name
    return None


def transfer(made: Transfer, facts: RequestFacts) -> Outcome:
    """Do it, both or neither, and mail it to both. Raises `ProofNeededError` where who asks hasn't proved lately who they are."""
    if made.refusals:
        return Outcome.REFUSED
    facts.demand_proof(Takeover.OWNERSHIP)

    def write() -> Operation | None:
        with transaction.atomic():
            operation = road.apply(made.plan, facts, f"{REASON}{made.owner}{ARROW}{made.heir}"[:200])
            if operation is not None:
                both = [made.owner, made.heir]
                letters.post(Letter.Kind.OWNER, both, {person.pk: operation.pk for person in both})
            return operation

    return road.ended(write)[0]


def names_in(reason: str) -> tuple[str, str] | None:
    """Who handed over to whom, as the history noted it; None where a reason says something else."""
    if not reason.startswith(REASON):
        return None
    owner, arrow, heir = reason.removeprefix(REASON).partition(ARROW)
    return (owner, heir) if arrow else None


# --- What both are told -------------------------------------------------------------------------------------------
def told(letter: Letter, user: User) -> Mail | None:
    """The mail to who handed over and to who is the owner now."""
    operation = Operation.objects.filter(pk=letter.about or 0).first()
    names = names_in(operation.reason) if operation else None
    if operation is None or names is None:
        return None
    column = user_sheet().columns["role"]
    scope = Scope(user, user.customer or Customer())
    roles = [
        (change.object_name, column.show(cell["new"], scope))
        for change in operation.changes.order_by("-pk")
        for cell in change.cells
        if cell["column"] == "role"
    ]
    facts: dict[str, Any] = {
        "owner": names[0], "heir": names[1], "roles": roles, "at": operation.at, "who": operation.actor_name,
        "company": user.customer,
    }  # fmt: skip
    return Mail(_("The ownership of your phone system was transferred"), "users/mail/ownership", facts)


def register() -> None:
    """Say what writes this mail."""
    letters.register(Letter.Kind.OWNER, told)
