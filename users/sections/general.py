"""Tab "Général": who the person is, his role, his departments and numbers; and the rules about them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from pbxadmin.common.crypto import random_secret
from pbxadmin.common.fields import phone_number_national, without_accents
from pbxadmin.common.sections import (
    LinkedColumn,
    Option,
    ReferenceColumn,
    Scope,
    Section,
    Store,
    columns_of,
)
from users import changes, rights
from users.models import Department, Did, Identity, Membership, Role, SystemExtension, User

# Codes of the public network that look like three-digit extensions: dialling 911 must never reach a colleague.
RESERVED_NUMBERS = frozenset({"211", "311", "411", "511", "611", "711", "811", "911", "933", "988"})


# --- What may be chosen --------------------------------------------------------------------------------------
def roles(scope: Scope) -> list[Option]:
    """The seven roles. That some can't be granted by everybody is a rule, so that the reason can be told."""
    return [
        Option(role.pk, str(role), (role.name_fr, role.name_en, f'<role name="{role.pk}" />'))
        for role in scope.once("roles", lambda: list(Role.objects.all()))
    ]


def departments(scope: Scope) -> list[Option]:
    """The customer's departments."""
    return [Option(department.pk, department.name) for department in departments_of(scope)]


def departments_of(scope: Scope) -> list[Department]:
    """The customer's departments, looked up once in a scope."""
    return scope.once("departments", lambda: list(Department.objects.of(scope.customer)))


def dids(scope: Scope) -> list[Option]:
    """The customer's DID numbers, also those that somebody has: a rule says who."""
    named = ("number", "first_name", "last_name", "email")
    found = scope.once(
        "dids",
        lambda: list(
            Did.objects.of(scope.customer)
            .select_related("user")
            .only("customer", "number", "name", *(f"user__{name}" for name in named))
        ),
    )
    return [
        Option(
            did.pk,
            " · ".join(
                filter(None, [phone_number_national(did.number), did.name, str(did.user) if did.user else ""])
            ),
            (did.number,),
        )
        for did in found
    ]


# --- Where the facts are kept that aren't in the user's own row ------------------------------------------------
class MembershipStore(Store):
    """The departments of a user, as a sorted tuple of their keys. Leaving one forgets what "Visualiser" said for it."""

    def load(self, records: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """{user: {"departments": keys}}, in one query."""
        found: dict[Any, list[int]] = {record.pk: [] for record in records}
        for user, department in (
            Membership.objects.filter(user__in=found).order_by("department").values_list("user", "department")
        ):
            found[user].append(department)
        return {key: {"departments": tuple(keys)} for key, keys in found.items()}

    def save(self, rows: Sequence[Any], scope: Scope) -> None:
        """Add and remove memberships, for all rows together."""
        gone, added = Q(pk__in=[]), []
        for row in rows:
            before, after = row.changes["departments"]
            left = set(before or ()) - set(after)
            if left:
                gone |= Q(user=row.key, department__in=left)
            added += [
                Membership(user_id=row.key, department_id=key) for key in set(after) - set(before or ())
            ]
            row.record.__dict__.pop("department_ids", None)
        Membership.objects.filter(gone).delete()
        Membership.objects.bulk_create(added, batch_size=2_000)


class DidStore(Store):
    """The DID numbers that ring a user, as a sorted tuple of their keys."""

    def load(self, records: Sequence[Any]) -> Mapping[Any, Mapping[str, Any]]:
        """{user: {"dids": keys}}, in one query."""
        found: dict[Any, list[int]] = {record.pk: [] for record in records}
        for key, user in Did.objects.filter(user__in=found).order_by("pk").values_list("pk", "user"):
            found[user].append(key)
        return {key: {"dids": tuple(keys)} for key, keys in found.items()}

    def save(self, rows: Sequence[Any], scope: Scope) -> None:
        """Free the numbers that rows give up, then take what rows want: a number moves within one plan."""
        version = F("version") + 1
        given_up = [
            key for row in rows for key in set(row.changes["dids"][0] or ()) - set(row.changes["dids"][1])
        ]
        Did.objects.of(scope.customer).filter(pk__in=given_up).update(user=None, version=version)
        for row in rows:
            before, after = row.changes["dids"]
            wanted = set(after) - set(before or ())
            free = Did.objects.of(scope.customer).filter(pk__in=wanted, user=None)
            if wanted and free.update(user=row.key, version=version) != len(wanted):
                raise changes.ChangedMeanwhileError([row.key])


MEMBERSHIPS = MembershipStore()
DIDS = DidStore()


# --- Rules across a row -----------------------------------------------------------------------------------------
def extension_has_the_right_length(row: changes.RowPlan, plan: changes.Plan) -> None:
    """An extension has as many digits as the customer's plan, and isn't a code of the public network."""
    number = row.after.get("number")
    if not row.new or not number:
        return
    if reason := why_no_extension(number, plan.scope.customer):
        row.refuse("number", reason)


def why_no_extension(number: str, customer: Any) -> str | None:
    """Why a number can't be an extension at a customer, of a person or of the system; None when it can."""
    if len(number) != customer.extension_digits:
        return _("An extension of this customer has %(count)s digits.") % {"count": customer.extension_digits}
    if number in RESERVED_NUMBERS or number == customer.pin_protection_code or number.startswith("0"):
        return _("%(number)s is reserved and can't be an extension.") % {"number": number}
    return None


def person_has_a_name(row: changes.RowPlan, plan: changes.Plan) -> None:
    """A new person, and one whose name is changed, keeps at least a first or a last name."""
    if not (row.new or {"first_name", "last_name"} & row.after.keys()):
        return
    plan.need("first_name", "last_name")
    if not (row.value("first_name") or row.value("last_name")):
        row.refuse("first_name", _("Enter a first name or a last name."))


def primary_department_is_one_of_his(row: changes.RowPlan, plan: changes.Plan) -> None:
    """Exactly one primary department, and the person is a member of it."""
    if not (row.new or {"departments", "primary_department"} & row.after.keys()):
        return
    plan.need("departments", "primary_department")
    primary = row.value("primary_department")
    if primary is None:
        row.refuse("primary_department", _("Choose the primary department."))
    elif primary not in row.value("departments"):
        row.after["departments"] = tuple(sorted({*row.value("departments"), primary}))


def departments_are_within_reach(row: changes.RowPlan, plan: changes.Plan) -> None:
    """Who acts on some departments only moves people in and out of those, and keeps them his own to administer."""
    actor = plan.scope.actor
    if rights.acts_on_whole_customer(actor) or not {"departments", "primary_department"} & row.changes.keys():
        return
    plan.need("departments", "primary_department")
    before, after = set(row.before.get("departments", ())), set(row.value("departments"))
    if (before ^ after) - actor.department_ids:
        row.refuse("departments", _("You can only add and remove your own departments."))
    if row.value("primary_department") not in actor.department_ids:
        row.refuse("primary_department", _("The primary department must be one of yours."))


def role_may_be_granted(row: changes.RowPlan, plan: changes.Plan) -> None:
    """Nobody grants a role above his own, nor changes his own."""
    if "role" not in row.changes and not row.new:
        return
    actor = plan.scope.actor
    role = {role.pk: role for role in plan.scope.once("roles", lambda: list(Role.objects.all()))}[
        row.value("role")
    ]
    if not row.new and row.key == actor.pk:
        row.refuse("role", _("You can't change your own role."))
    elif not rights.can_grant(actor, role):
        row.refuse("role", _("You can't grant the role “%(role)s”: it is not below yours.") % {"role": role})


def nobody_locks_himself_out(row: changes.RowPlan, plan: changes.Plan) -> None:
    """Disabling one's own extension would end one's own session for good."""
    if row.key == plan.scope.actor.pk and row.changes.get("disabled") == (False, True):
        row.refuse("disabled", _("You can't disable your own extension."))


# --- Rules across the set: one query each, whatever the number of rows -----------------------------------------
def numbers_are_free(plan: changes.Plan) -> None:
    """Refuse extensions that another user, or another row, already has; give the first free one where none is asked."""
    new = [row for row in plan.rows if row.new and row.record is not None]
    if not new:
        return
    asked = Counter(row.after.get("number", "") for row in new if row.raw.get("number"))
    blank = [row for row in new if not str(row.raw.get("number") or "").strip()]
    taken = taken_extensions(plan.scope.customer, None if blank else list(asked))
    for row in new:
        number = row.after.get("number")
        if number and row not in blank and (number in taken or asked[number] > 1):
            row.refuse("number", _("Extension %(number)s is already taken.") % {"number": number})
    digits = plan.scope.customer.extension_digits
    reserved = RESERVED_NUMBERS | {plan.scope.customer.pin_protection_code}
    free = (
        number
        for number in map(str, range(10 ** (digits - 1), 10**digits))
        if number not in taken and number not in asked and number not in reserved
    )
    for row in blank:
        number = next(free, None)
        if number is None:
            row.refuse("number", _("There is no free extension left."))
        else:
            row.after["number"] = number


def taken_extensions(customer: Any, among: list[str] | None = None) -> set[str]:
    """The extensions that people or the system have at a customer: all of them, or those `among` some. One query."""
    people, system = User.objects.of(customer).order_by(), SystemExtension.objects.of(customer).order_by()
    if among is not None:
        people, system = people.filter(number__in=among), system.filter(number__in=among)
    return set(
        people.values_list("number", flat=True).union(system.values_list("number", flat=True), all=True)
    )


def seats_are_in_the_contract(plan: changes.Plan) -> None:
    """More people than the contract includes may only be created by support staff, who are told so."""
    new = [row for row in plan.rows if row.new and not row.errors]
    if not new:
        return
    customer = plan.scope.customer
    over = User.objects.of(customer).count() + len(new) - customer.included_extensions
    if over <= 0:
        return
    used = customer.included_extensions
    for row in new[-over:]:
        if plan.scope.actor.is_staff:
            row.warn("", _("This goes beyond the %(count)s extensions of the contract.") % {"count": used})
        else:
            row.refuse(
                "",
                _(
                    "The %(count)s extensions of your contract are all in use. Please ask your provider's support to add one."
                )
                % {"count": used},
            )


def dids_are_free(plan: changes.Plan) -> None:
    """Refuse DID numbers that already ring somebody else, naming him."""
    wanting = [row for row in plan.rows if "dids" in row.changes]
    if not wanting:
        return
    added = {
        row.key or id(row): set(row.changes["dids"][1]) - set(row.changes["dids"][0] or ()) for row in wanting
    }
    keys = set().union(*added.values())
    if not keys:
        return
    moving = {
        key for row in wanting for key in set(row.changes["dids"][0] or ()) - set(row.changes["dids"][1])
    }
    twice = {
        key for key, count in Counter(key for wanted in added.values() for key in wanted).items() if count > 1
    }
    holders = {
        did.pk: did for did in Did.objects.of(plan.scope.customer).filter(pk__in=keys).select_related("user")
    }
    for row in wanting:
        for key in sorted(added[row.key or id(row)]):
            did = holders[key]
            if key in twice or (did.user_id and did.user_id != row.key and key not in moving):
                row.refuse(
                    "dids",
                    _("%(number)s already rings %(user)s.")
                    % {"number": phone_number_national(did.number), "user": did.user or _("another row")},
                )


def names_are_unique(plan: changes.Plan) -> None:
    """A Talk link and a SIP ID lead to one person; the Talk link isn't a department's either."""
    for column in ("talk_name", "sip_id"):
        rows = [row for row in plan.rows if column in row.changes and row.changes[column][1]]
        if not rows:
            continue
        asked = Counter(row.value(column).casefold() for row in rows)
        condition = Q()
        for name in {row.value(column) for row in rows}:
            condition |= Q(**{f"{column}__iexact": name})
        holders = {
            getattr(user, column).casefold(): user
            for user in User.objects.of(plan.scope.customer)
            .filter(condition)
            .exclude(pk__in=[row.key for row in rows if row.key])
        }
        taken = talk_names_of_places(plan.scope.customer) if column == "talk_name" else {}
        for row in rows:
            name = row.value(column).casefold()
            if name in holders or name in taken or asked[name] > 1:
                row.refuse(
                    column,
                    _("“%(name)s” is already taken by %(who)s.")
                    % {
                        "name": row.value(column),
                        "who": holders.get(name) or taken.get(name) or _("somebody else"),
                    },
                )


def talk_names_of_places(customer: Any) -> dict[str, str]:
    """The Talk links that lead to no person, in small letters, with the department or queue whose they are."""
    found: dict[str, str] = {}
    for model in (Department, SystemExtension):
        found |= {
            place.talk_name.casefold(): str(place)
            for place in model.objects.of(customer).exclude(talk_name="")
        }
    return found


def a_system_owner_remains(plan: changes.Plan) -> None:
    """A customer that had a system owner who can sign in keeps one."""
    losing = [
        row
        for row in plan.rows
        if row.record is not None
        and not row.new
        and row.record.role_id == "system_owners"
        and not row.record.disabled
        and (row.changes.get("role") or row.changes.get("disabled"))
    ]
    if not losing:
        return
    owners = User.objects.of(plan.scope.customer).filter(role="system_owners", disabled=False)
    if not owners.exclude(pk__in=[row.key for row in losing]).exists():
        for row in losing:
            row.refuse("role", _("This is the customer's last system owner."))


def shared_addresses_are_told(plan: changes.Plan) -> None:
    """An e-mail address may repeat (shared mailboxes do); it then signs in nobody, and that is said."""
    rows = [row for row in plan.rows if row.changes.get("email", ("", ""))[1]]
    if not rows:
        return
    holders: dict[str, list[str]] = {}
    wanted = [row.value("email") for row in rows]
    for user in (
        User.objects.of(plan.scope.customer)
        .filter(email__in=wanted)
        .only("pk", "number", "first_name", "last_name", "email")
    ):
        holders.setdefault(user.email, []).append(f"{user.pk}|{user}")
    for row in rows:
        others = [
            name.partition("|")[2]
            for name in holders.get(row.value("email"), [])
            if name.partition("|")[0] != str(row.key)
        ]
        if others:
            row.warn(
                "email",
                _("%(who)s has this address too: it can't be used to sign in, extension@host name can.")
                % {"who": ", ".join(others[:3])},
            )


# --- Deleting ---------------------------------------------------------------------------------------------------
def what_a_deleted_user_loses(records: Sequence[Any], scope: Scope) -> dict[Any, list[str]]:
    """The numbers that will ring nobody any more, and the places in ring groups and queues."""
    losses: dict[Any, list[str]] = {}
    freed = Counter(Did.objects.filter(user__in=records).values_list("user", flat=True))
    for user, count in freed.items():
        losses[user] = [
            ngettext(
                "%(count)s DID number will ring nobody any more.",
                "%(count)s DID numbers will ring nobody any more.",
                count,
            )
            % {"count": count}
        ]
    for user, number, name in SystemExtension.objects.filter(members__in=records).values_list(
        "members", "number", "name"
    ):
        losses.setdefault(user, []).append(
            _("The place in %(extension)s.") % {"extension": f"{number} {name}"}
        )
    return losses


def last_owner_stays(records: Sequence[Any], scope: Scope) -> dict[Any, Any]:
    """A customer's last system owner can't be deleted."""
    leaving = [record for record in records if record.role_id == "system_owners" and not record.disabled]
    owners = User.objects.of(scope.customer).filter(role="system_owners", disabled=False)
    if leaving and not owners.exclude(pk__in=[record.pk for record in leaving]).exists():
        return {record.pk: _("This is the customer's last system owner.") for record in leaving}
    return {}


# --- Searching --------------------------------------------------------------------------------------------------
def search_people(text: str) -> Q:
    """Name, extension, e-mail and mobile by part; a DID by its digits. Every word must be found."""
    condition = Q()
    for word in without_accents(text).split()[:6]:
        condition &= Q(search_text__contains=word)
    digits = "".join(sign for sign in text if sign.isascii() and sign.isdigit())
    # A number however it is written, "(514) 555-0123"; beside a word the digits are a word among others.
    if len(digits) >= 4 and not any(sign.isalpha() for sign in text):
        condition |= Q(search_text__contains=digits) | Q(
            pk__in=Did.objects.filter(number__contains=digits, user__isnull=False).values("user")
        )
    return condition


def derived(user: User) -> dict[str, Any]:
    """What the row keeps ready for searching and sorting."""
    mobile = user.mobile.removeprefix("+1").removeprefix("+") if user.mobile else ""
    return {
        "search_text": without_accents(
            " ".join(filter(None, [user.first_name, user.last_name, user.number, user.email, mobile]))
        ),
        "sort_name": without_accents(f"{user.last_name} {user.first_name}").strip()[:120],
    }


def complete(user: User, scope: Scope) -> None:
    """The secrets of a new person, and no password: he sets one by a link."""
    user.sip_auth_id = random_secret(10)
    user.sip_password = random_secret(24)
    user.set_unusable_password()


GENERAL = Section(
    slug="general",
    title=_("General"),
    intro=_("General information about the user: name, role, primary department and second factor."),
    columns=(
        *columns_of(
            Identity,
            number={"at_creation_only": True, "bulk": False, "csv": "Number"},
            first_name={"bulk": False, "identity": True, "csv": "FirstName"},
            last_name={"bulk": False, "identity": True, "csv": "LastName"},
            email={
                "bulk": False,
                "identity": True,
                "csv": "EmailAddress",
                "more": _(
                    "With the Microsoft 365 integration, the association only works when this is the address of the Microsoft account."
                ),
            },
            mobile={"identity": True, "csv": "MobileNumber"},
            outbound_caller_id={
                "csv": "OutboundCallerID",
                "more": _(
                    "An emergency call is always identified by the department's own number. To change that number, call your provider's support."
                ),
            },
            role=ReferenceColumn(
                Identity._meta.get_field("role"),
                roles,
                csv="Role",
                help=_("What this person may do; the table of roles says it exactly."),
            ),
            primary_department=ReferenceColumn(
                Identity._meta.get_field("primary_department"),
                departments,
                csv="Department",
                bulk=True,
                more=_("Each department may have its own language, office hours, holidays and time zone."),
            ),
        )[:-1],
        LinkedColumn(
            "departments",
            MEMBERSHIPS,
            departments,
            label=_("Member of"),
            help=_("All departments of the person; the primary one is always among them."),
            csv="Departments",
        ),
        LinkedColumn(
            "dids",
            DIDS,
            dids,
            label=_("Assigned DID number(s)"),
            bulk=False,
            identity=True,
            csv="DID",
            help=_("Calls to these numbers ring this user directly."),
            more=_(
                "As a rule, numbers are not routed directly to a user, so that calls can be distributed better."
            ),
        ),
        columns_of(Identity)[-1],
    ),
    search=search_people,
    row_rules=(
        extension_has_the_right_length,
        person_has_a_name,
        primary_department_is_one_of_his,
        departments_are_within_reach,
        role_may_be_granted,
        nobody_locks_himself_out,
    ),
    set_rules=(
        numbers_are_free,
        seats_are_in_the_contract,
        dids_are_free,
        a_system_owner_remains,
        shared_addresses_are_told,
    ),
    losses=what_a_deleted_user_loses,
    removal_rules=(last_owner_stays,),
)
