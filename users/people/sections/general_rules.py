"""The rules about who a person is: their extension, name, departments, role, numbers; and about deleting them."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from pbxadmin.common.columns import Scope
from pbxadmin.common.proof import Takeover
from pbxadmin.common.reasons import Reason
from pbxadmin.common.values.short_codes import RESERVED
from users import rights, road
from users.models import Department, Did, Role, SystemExtension, User


# --- Rules across a row -----------------------------------------------------------------------------------------
def extension_has_the_right_length(row: road.RowPlan, plan: road.Plan) -> None:
    """An extension has as many digits as the customer's plan, and isn't a code of the public network."""
    number = row.after.get("number")
    if not row.new or not number:
        return
    if reason := why_no_extension(number, plan.scope.customer):
        row.refuse("number", reason)


def why_no_extension(number: str, customer: Any) -> Reason | None:
    """Why a number can't be an extension at a customer, of a person or of the system; None when it can."""
    if len(number) != customer.extension_digits:
        return Reason(
            _("Extensions of this customer have %(count)s digits.") % {"count": customer.extension_digits},
            "number_length",
        )
    # Dialling 911 must never reach a colleague.
    if number in RESERVED or number == customer.pin_protection_code or number.startswith("0"):
        return Reason(
            _("%(number)s is reserved: choose another extension.") % {"number": number}, "number_reserved"
        )
    return None


def person_has_a_name(row: road.RowPlan, plan: road.Plan) -> None:
    """A new person, and one whose name is changed, keeps at least a first or a last name."""
    if not (row.new or {"first_name", "last_name"} & row.after.keys()):
        return
    plan.need("first_name", "last_name")
    if not (row.value("first_name") or row.value("last_name")):
        row.refuse("first_name", _("Enter a first name or a last name."), "name_missing")


def primary_department_is_one_of_his(row: road.RowPlan, plan: road.Plan) -> None:
    """Exactly one primary department, and the person is a member of it."""
    if not (row.new or {"departments", "primary_department"} & row.after.keys()):
        return
    plan.need("departments", "primary_department")
    primary = row.value("primary_department")
    if "primary_department" in row.errors:
        return  # what was asked for is no department: said already
    if primary is None:
        row.refuse("primary_department", _("Choose the primary department."), "required")
    elif primary not in row.value("departments"):
        row.put("departments", tuple(sorted({*row.value("departments"), primary})))


def departments_are_within_reach(row: road.RowPlan, plan: road.Plan) -> None:
    """Whoever acts on some departments only moves people in and out of those, and they stay theirs to administer."""
    actor = plan.scope.actor
    if rights.acts_on_whole_customer(actor) or not {"departments", "primary_department"} & row.changes.keys():
        return
    plan.need("departments", "primary_department")
    before, after = set(row.before.get("departments", ())), set(row.value("departments"))
    if (before ^ after) - actor.department_ids:
        row.refuse("departments", _("You can only add and remove your own departments."), "not_yours")
    if row.value("primary_department") not in actor.department_ids:
        row.refuse("primary_department", _("The primary department must be one of yours."), "not_yours")


def role_may_be_granted(row: road.RowPlan, plan: road.Plan) -> None:
    """Nobody grants a role above their own, nor changes their own, but for whoever steps down in favour of somebody else."""
    if "role" not in row.changes and not row.new:
        return
    actor = plan.scope.actor
    role = {role.pk: role for role in plan.scope.once("roles", lambda: list(Role.objects.all()))}[
        row.value("role")
    ]
    if not row.new and row.key == actor.pk and not (row.steps_down and role.level < actor.role.level):
        row.refuse(
            "role",
            _("You can't change your own role: ask another administrator of your company."),
            "own_role",
        )
    elif not rights.can_grant(actor, role):
        row.refuse(
            "role",
            _("You can't grant the role “%(role)s”: it is not below yours.") % {"role": role},
            "role_above",
        )
    elif not rights.acts_on_whole_customer(actor) and (row.new or role.level > row.record.role.level):
        # A role counts in all departments of a person, those that the actor doesn't administer included.
        plan.need("departments")
        if set(row.value("departments") or ()) - actor.department_ids:
            row.refuse(
                "role",
                _(
                    "This person belongs to departments that aren't yours, where the role would apply too: ask an administrator of "
                    "the whole company."
                ),
                "role_above",
            )


def what_lasts(row: road.RowPlan, scope: Scope) -> Takeover | None:
    """What somebody who found a session open could make of this row a way in of their own.

    Another address (the one of whoever is there, who then "forgot" the password), somebody who administers (also one who has left and
    is let in again, or who gets more departments than their own), an account that opens with the password alone.
    """
    changes = row.changes
    if "email" in changes and not row.new:
        return Takeover.ADDRESS
    if "role" in changes:
        roles = {role.pk: role for role in scope.once("roles", lambda: list(Role.objects.all()))}
        if roles[row.value("role")].administer_users:
            return Takeover.ROLE
    elif not row.new and row.record.role.administer_users:
        if changes.get("disabled") == (True, False):
            return Takeover.RETURN
        before, after = (set(keys or ()) for keys in changes.get("departments", ((), ())))
        if after - before and not row.record.role.whole_customer:
            return Takeover.REACH
    if "require_2fa" in changes and not row.new and not row.value("require_2fa"):
        return Takeover.SECOND_FACTOR
    return None


# What somebody above has decided about a person, for their own or the company's protection.
RESTRICTIONS = (
    "outbound_disabled",
    "pin_protected",
    "block_outbound_out_of_hours",
    "require_2fa",
    "hide_forwarding",
)


def nobody_lifts_what_restricts_himself(row: road.RowPlan, plan: road.Plan) -> None:
    """Whoever administers some departments is restricted by whoever administers the whole customer, and can't undo that."""
    actor = plan.scope.actor
    if row.new or row.key != actor.pk or rights.acts_on_whole_customer(actor):
        return
    for name in RESTRICTIONS:
        if row.changes.get(name) == (True, False):
            row.refuse(
                name,
                _("You can't lift this for yourself: ask an administrator of the whole company."),
                "not_yours",
            )


def nobody_locks_himself_out(row: road.RowPlan, plan: road.Plan) -> None:
    """Disabling one's own extension would end one's own session for good."""
    if row.key == plan.scope.actor.pk and row.changes.get("disabled") == (False, True):
        row.refuse(
            "disabled",
            _("You can't disable your own extension: ask another administrator of your company."),
            "not_yours",
        )


# --- Rules across the set: one query each, whatever the number of rows -----------------------------------------
def numbers_are_free(plan: road.Plan) -> None:
    """Refuse extensions that another user, or another row, already has; give the first free one where none is asked."""
    new = [row for row in plan.rows if row.new and row.record is not None]
    if not new:
        return
    asked = {row.after.get("number", "") for row in new if row.raw.get("number")}
    twice = plan.twice(
        new, lambda row: [number] if (number := row.after.get("number")) and row.raw.get("number") else []
    )
    blank = [row for row in new if not str(row.raw.get("number") or "").strip()]
    taken = taken_extensions(plan.scope.customer, None if blank else list(asked))
    for row in new:
        number = row.after.get("number")
        if not number or row in blank:
            continue
        if number in taken:
            row.refuse(
                "number",
                _("Extension %(number)s is already taken: choose another one.") % {"number": number},
                "number_taken",
            )
        elif number in twice:
            row.refuse("number", road.is_there_twice(number, twice[number]), "number_twice")
    digits = plan.scope.customer.extension_digits
    reserved = RESERVED | {plan.scope.customer.pin_protection_code}
    free = (
        number
        for number in map(str, range(10 ** (digits - 1), 10**digits))
        if number not in taken and number not in asked and number not in reserved
    )
    for row in blank:
        number = next(free, None)
        if number is None:
            row.refuse(
                "number",
                _(
                    "There is no free extension left: free one by deleting a user, or contact your provider's support."
                ),
                "seats",
            )
        else:
            row.put("number", number)


def taken_extensions(customer: Any, among: list[str] | None = None) -> set[str]:
    """The extensions that people or the system have at a customer: all of them, or those `among` some. One query."""
    people, system = User.objects.of(customer).order_by(), SystemExtension.objects.of(customer).order_by()
    if among is not None:
        people, system = people.filter(number__in=among), system.filter(number__in=among)
    return set(
        people.values_list("number", flat=True).union(system.values_list("number", flat=True), all=True)
    )


def seats_are_in_the_contract(plan: road.Plan) -> None:
    """More people than the contract includes may only be created by support staff, who are told so."""
    new = [row for row in plan.rows if row.new and not row.errors]
    if not new:
        return
    customer = plan.scope.customer
    leaving = sum(row.leaving for row in plan.rows)
    over = User.objects.of(customer).count() + len(new) - leaving - customer.included_extensions
    if over <= 0:
        return
    used = customer.included_extensions
    for row in new[-over:]:
        if rights.can(plan.scope.actor, rights.Verb.SUPPORT, customer=customer):
            row.warn(
                "",
                _("This exceeds the number of extensions in the contract (%(count)s).") % {"count": used},
                "seats",
            )
        else:
            row.refuse(
                "",
                _(
                    "All the extensions of your contract (%(count)s) are in use. Please ask your provider's support to add one."
                )
                % {"count": used},
                "seats",
            )


def names_are_unique(plan: road.Plan) -> None:
    """A Talk link and a SIP ID lead to one person; the Talk link isn't a department's either."""
    for column in ("talk_name", "sip_id"):
        rows = [row for row in plan.rows if column in row.changes and row.changes[column][1]]
        if not rows:
            continue
        twice = plan.twice(rows, lambda row: [row.value(column).casefold()])  # noqa: B023 - called at once
        asked = list({row.value(column).casefold() for row in rows})
        own = {row.key for row in rows if row.key}
        # Letters and digits of ASCII alone: small letters are the same to Python and to the database.
        holders = {
            getattr(user, column).casefold(): user
            for part in road.chunks(asked)
            for user in User.objects.of(plan.scope.customer)
            .annotate(small=Lower(column))
            .filter(small__in=part)
            .only("number", "first_name", "last_name", "email", column)
            if user.pk not in own
        }
        taken = talk_names_of_places(plan.scope.customer) if column == "talk_name" else {}
        for row in rows:
            name = row.value(column).casefold()
            if who := holders.get(name) or taken.get(name):
                row.refuse(
                    column,
                    _("“%(name)s” is already taken by %(who)s: choose another name.")
                    % {"name": row.value(column), "who": who},
                    "name_taken",
                )
            elif name in twice:
                row.refuse(column, road.is_there_twice(row.value(column), twice[name]), "name_twice")


def talk_names_of_places(customer: Any) -> dict[str, str]:
    """The Talk links that lead to no person, in small letters, with the department or system extension whose they are."""
    found: dict[str, str] = {}
    for model in (Department, SystemExtension):
        found |= {
            place.talk_name.casefold(): str(place)
            for place in model.objects.of(customer).exclude(talk_name="")
        }
    return found


def _becomes_an_owner(row: road.RowPlan) -> bool:
    """Whether a row makes somebody a system owner who can sign in: whoever was one goes in the same breath."""
    if row.record is None or row.leaving or not row.changes.keys() & {"role", "disabled"}:
        return False
    role, disabled = (
        row.after.get(name, getattr(row.record, attribute))
        for name, attribute in (("role", "role_id"), ("disabled", "disabled"))
    )
    return role == rights.OWNERS and not disabled


def a_system_owner_remains(plan: road.Plan) -> None:
    """A customer that had a system owner who can sign in keeps one."""
    losing = [
        row
        for row in plan.rows
        if row.record is not None
        and not row.new
        and row.record.role_id == rights.OWNERS
        and not row.record.disabled
        and (row.changes.get("role") or row.changes.get("disabled") or row.leaving)
    ]
    if not losing or any(_becomes_an_owner(row) for row in plan.rows):
        return
    owners = User.objects.of(plan.scope.customer).filter(role=rights.OWNERS, disabled=False)
    if not owners.exclude(pk__in=[row.key for row in losing]).exists():
        for row in losing:
            row.refuse(
                "role", _("This is the customer's last system owner: give that role to somebody else first.")
            )


# So many of those who share an address are named.
SHARING_NAMED = 3


def shared_addresses_are_told(plan: road.Plan) -> None:
    """An e-mail address may repeat (shared mailboxes do); it then signs in nobody, and that is said."""
    rows = [row for row in plan.rows if row.changes.get("email", ("", ""))[1]]
    if not rows:
        return
    # As signing in compares them: without capitals. What else changes in the same plan counts as it will be.
    changing = {row.key: row for row in plan.rows if row.key and "email" in row.changes}
    holders: dict[str, list[tuple[Any, str]]] = {}
    for row in rows:
        said = " ".join(str(row.after.get(name) or "") for name in ("number", "first_name", "last_name"))
        who = " ".join(said.split()) if row.new else str(row.record)
        holders.setdefault(row.value("email").casefold(), []).append(
            (("row", id(row)), who or str(_("another row")))
        )
    for part in road.chunks(list(holders)):
        for user in (
            User.objects.of(plan.scope.customer)
            .annotate(small=Lower("email"))
            .filter(small__in=part)
            .only("pk", "number", "first_name", "last_name", "email")
        ):
            if user.pk not in changing:
                holders[user.email.casefold()].append((user.pk, str(user)))
    for row in rows:
        same = holders[row.value("email").casefold()]
        others = list(
            islice(
                (name for holder, name in same if holder != ("row", id(row)) and holder != row.key),
                SHARING_NAMED,
            )
        )
        if others:
            row.warn(
                "email",
                _(
                    "%(who)s has this address too, so it can't be used to sign in: use extension@host name instead."
                )
                % {"who": ", ".join(others)},
                "address_shared",
            )


# So many numbers of one person are named on the page that asks.
NUMBERS_SHOWN = 8


# --- Deleting ---------------------------------------------------------------------------------------------------
def what_a_deleted_user_loses(records: Sequence[Any], scope: Scope) -> dict[Any, list[str]]:
    """The numbers that will ring nobody any more, and the places in ring groups and queues."""
    losses: dict[Any, list[str]] = {}
    freed: dict[Any, list[Did]] = {}
    for did in Did.objects.filter(user__in=records):
        freed.setdefault(did.user_id, []).append(did)
    for user, dids in freed.items():
        shown = ", ".join(f"{did} ({did.name})" if did.name else str(did) for did in dids[:NUMBERS_SHOWN])
        losses[user] = [
            ngettext(
                "The number %(numbers)s will ring nobody any more, unless somebody takes the calls.",
                "The numbers %(numbers)s will ring nobody any more, unless somebody takes the calls.",
                len(dids),
            )
            % {"numbers": shown + (" …" if len(dids) > NUMBERS_SHOWN else "")}
        ]
    for user, number, name in SystemExtension.objects.filter(members__in=records).values_list(
        "members", "number", "name"
    ):
        losses.setdefault(user, []).append(
            _("Its membership of %(extension)s.") % {"extension": f"{number} {name}"}
        )
    return losses


def last_owner_stays(records: Sequence[Any], scope: Scope) -> dict[Any, Any]:
    """A customer's last system owner can't be deleted."""
    leaving = [record for record in records if record.role_id == rights.OWNERS and not record.disabled]
    owners = User.objects.of(scope.customer).filter(role=rights.OWNERS, disabled=False)
    if leaving and not owners.exclude(pk__in=[record.pk for record in leaving]).exists():
        return {
            record.pk: _("This is the customer's last system owner: give that role to somebody else first.")
            for record in leaving
        }
    return {}
