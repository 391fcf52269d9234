"""The rules about departments, numbers, system extensions and contracts, and what deleting them would take away."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from pbxadmin.common.columns import Scope
from pbxadmin.common.destination_field import references_to
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.proof import Takeover
from pbxadmin.common.values.destinations import Kind
from pbxadmin.common.values.signs import folded
from users import road
from users.models import Customer, Department, Did, SingleSignOn, SystemExtension, User
from users.people.emergency import shown_instead
from users.people.sections.general_rules import (
    taken_extensions,
    talk_names_of_places,
    why_no_extension,
)
from users.people.sections.number_rules import LEAVING, no_caller_id

SIGN_ON = frozenset(field.name for field in SingleSignOn._meta.local_fields)


def what_lasts(row: road.RowPlan, scope: Scope) -> Takeover | None:
    """What somebody who found a session open could make of a customer's settings a way in of their own."""
    if row.new:
        return None
    if not SIGN_ON.isdisjoint(row.changes):
        return Takeover.SIGN_ON
    if "require_2fa" in row.changes and not row.value("require_2fa"):
        return Takeover.SECOND_FACTOR
    return None


def names_are_there_once(plan: road.Plan) -> None:
    """Two departments, or two system extensions, of a customer aren't called the same, however it is written."""
    rows = [row for row in plan.rows if row.changes.get("name", ("", ""))[1]]
    if not rows:
        return
    manager: Any = plan.sheet.model._default_manager
    others = manager.of(plan.scope.customer).exclude(pk__in=[row.key for row in rows if row.key])
    taken = {folded(name) for name in others.values_list("name", flat=True)}
    twice = plan.twice(rows, lambda row: [folded(row.value("name"))])
    for row in rows:
        name = row.value("name")
        if folded(name) in taken:
            row.refuse(
                "name",
                _("The name “%(name)s” is already taken: choose another one.") % {"name": name},
                "name_taken",
            )
        elif folded(name) in twice:
            row.refuse("name", road.is_there_twice(name, twice[folded(name)]), "name_twice")


def talk_links_are_free(plan: road.Plan) -> None:
    """A Talk link leads to one place: a person, a department, a queue or a ring group."""
    rows = [row for row in plan.rows if row.changes.get("talk_name", ("", ""))[1]]
    if not rows:
        return
    own = {row.before.get("talk_name", "").casefold() for row in rows if not row.new}
    taken = {name: who for name, who in talk_names_of_places(plan.scope.customer).items() if name not in own}
    for user in (
        User.objects.of(plan.scope.customer)
        .exclude(talk_name="")
        .only("pk", "number", "first_name", "last_name", "email", "talk_name")
    ):
        taken[user.talk_name.casefold()] = str(user)
    twice = plan.twice(rows, lambda row: [row.value("talk_name").casefold()])
    for row in rows:
        name = row.value("talk_name").casefold()
        if name in taken:
            row.refuse(
                "talk_name",
                _("“%(name)s” is already taken by %(who)s: choose another name.")
                % {"name": row.value("talk_name"), "who": taken[name]},
                "name_taken",
            )
        elif name in twice:
            row.refuse("talk_name", road.is_there_twice(row.value("talk_name"), twice[name]), "name_twice")


def caller_id_is_a_number_of_the_customer(plan: road.Plan) -> None:
    """Emergency calls show this number: that it isn't one of the customer's is told."""
    rows = [row for row in plan.rows if row.changes.get("outbound_caller_id", ("", ""))[1]]
    if not rows:
        return
    owned = set(
        Did.objects.of(plan.scope.customer)
        .filter(number__in=[row.value("outbound_caller_id") for row in rows])
        .values_list("number", flat=True)
    )
    for row in rows:
        if row.value("outbound_caller_id") in owned:
            continue
        if why := no_caller_id(row.value("outbound_caller_id")):
            row.refuse("outbound_caller_id", why, "not_the_companys")
        else:
            row.warn(
                "outbound_caller_id",
                _("%(number)s is not one of the customer's numbers, and emergency calls will show it.")
                % {"number": phone_number_national(row.value("outbound_caller_id"))},
                "not_the_companys",
            )


def emergency_calls_show_a_number(plan: road.Plan) -> None:
    """A department without a number of its own: what its emergency calls show instead is told loudly; nothing at all is refused."""
    without = [
        row
        for row in plan.rows
        if row.record is not None
        and (row.new or "outbound_caller_id" in row.changes)
        and not row.errors.get("outbound_caller_id")
        and not (row.after.get("outbound_caller_id") or "")
    ]
    if not without:
        return
    number, whose = shown_instead(plan.scope.customer, [row.key for row in without if row.key])
    for row in without:
        if number:
            row.warn(
                "outbound_caller_id",
                _(
                    "Emergency calls (911) of this department will show %(number)s (%(whose)s) instead: rescuers may be sent to another "
                    "address. Give the department its own number: your provider's support enters it."
                )
                % {"number": phone_number_national(number), "whose": whose or _("without a name")},
                "emergency_number",
            )
        elif row.new:
            row.warn(
                "outbound_caller_id",
                _(
                    "Emergency calls (911) of this department will show no number: enter one before anybody calls from here."
                ),
                "emergency_number",
            )
        else:
            row.refuse(
                "outbound_caller_id",
                _(
                    "Emergency calls (911) of this department would show no number, because the company has no other one: keep this number, "
                    "or enter another."
                ),
                "emergency_number",
            )


def numbers_in_use_are_told(plan: road.Plan) -> None:
    """A number that becomes the company's own was an outside one until now: who has it as a mobile, or forwards there, is told."""
    rows = {row.value("number"): row for row in plan.rows if row.changes.get("number", ("", ""))[1]}
    if not rows:
        return
    named = ("pk", "number", "first_name", "last_name", "email", "mobile")
    for user in User.objects.of(plan.scope.customer).filter(mobile__in=rows).only(*named):
        rows[user.mobile].warn(
            "number",
            _("%(number)s is the mobile of %(who)s: calls to that mobile will stay inside the company.")
            % {"number": phone_number_national(user.mobile), "who": user},
        )
    for reference in references_to(plan.scope.customer, Kind.EXTERNAL, list(rows)):
        rows[reference.target].warn(
            "number",
            _(
                "Calls are forwarded to %(number)s as an outside number (%(where)s): they will stay inside the company."
            )
            % {"number": phone_number_national(reference.target), "where": reference.words},
        )


def department_is_empty(records: Sequence[Any], scope: Scope) -> dict[Any, Any]:
    """A department is deleted when nobody is in it: whose it is the primary one must be said, and be moved first."""
    refusals: dict[Any, Any] = {}
    for record in records:
        primary = User.objects.of(scope.customer).filter(primary_department=record)
        count = primary.count()
        if count:
            names = ", ".join(str(user) for user in primary[:3]) + (" …" if count > 3 else "")
            refusals[record.pk] = ngettext(
                "It is the primary department of %(names)s: choose another one for this person first.",
                "It is the primary department of %(count)s people (%(names)s): choose another one for them first.",
                count,
            ) % {"names": names, "count": count}
        elif members := record.memberships.count():
            refusals[record.pk] = ngettext(
                "%(count)s person is a member of it.", "%(count)s people are members of it.", members
            ) % {"count": members}
    return refusals


def department_is_not_the_last(records: Sequence[Any], scope: Scope) -> dict[Any, Any]:
    """Nobody can be created without a department."""
    if Department.objects.of(scope.customer).exclude(pk__in=[record.pk for record in records]).exists():
        return {}
    return {
        record.pk: _("This is the customer's last department: create another one first.")
        for record in records
    }


def numbers_are_nobodys(plan: road.Plan) -> None:
    """A public number is there once in the whole portal. Whose it is elsewhere is told to support staff alone."""
    rows = [row for row in plan.rows if row.changes.get("number", ("", ""))[1]]
    if not rows:
        return
    twice = plan.twice(rows, lambda row: [row.value("number")])
    holders = {
        did.number: did.customer
        for part in road.chunks(list({row.value("number") for row in rows}))
        for did in Did.objects.filter(number__in=part)
        .exclude(pk__in=[row.key for row in rows if row.key])
        .select_related("customer")
    }
    for row in rows:
        number = row.value("number")
        if number in holders and plan.scope.actor.is_staff:
            row.refuse(
                "number",
                _(
                    "%(number)s already belongs to %(customer)s: enter another number, or remove it from that customer first."
                )
                % {"number": phone_number_national(number), "customer": holders[number]},
                "number_taken",
            )
        elif number in holders:
            row.refuse(
                "number",
                _("%(number)s already exists: enter another number.")
                % {"number": phone_number_national(number)},
                "number_taken",
            )
        elif number in twice:
            row.refuse(
                "number",
                road.is_there_twice(phone_number_national(number), twice[number]),
                "number_twice",
            )


def number_leads_to_one(plan: road.Plan) -> None:
    """A number rings a person or leads to a system extension, not both."""
    rows = {
        row.key: row for row in plan.rows if row.key and row.changes.get("system_extension", (None, None))[1]
    }
    if not rows:
        return
    leaving = plan.scope.found.get(LEAVING, ())
    for did in Did.objects.filter(pk__in=rows.keys() - leaving, user__isnull=False).select_related("user"):
        rows[did.pk].refuse(
            "system_extension",
            _("%(number)s already rings %(user)s: remove it from that user first.")
            % {"number": phone_number_national(did.number), "user": did.user},
            "did_taken",
        )


def numbers_that_ring_nobody_are_told(plan: road.Plan) -> None:
    """A number that leads to no ring group, queue or IVR any more is told where calls are forwarded to it as to an outside one."""
    left = {
        row.record.number: row
        for row in plan.rows
        if row.key and row.record is not None and row.changes.get("system_extension", (None, 0))[1] is None
    }
    found: dict[str, list[str]] = {}
    for reference in references_to(plan.scope.customer, Kind.EXTERNAL, list(left)):
        if reference.column:
            found.setdefault(reference.target, []).append(reference.words)
    for number, where in found.items():
        left[number].warn(
            "system_extension",
            _(
                "%(number)s will ring nobody, and calls are forwarded to it: %(where)s. These callers will hear the busy tone."
            )
            % {
                "number": phone_number_national(number),
                "where": "; ".join(where[:3]) + (" …" if len(where) > 3 else ""),
            },
        )


def stays_while_numbers_lead_there(records: Sequence[Any], scope: Scope) -> dict[Any, Any]:
    """A ring group, queue or IVR isn't deleted while callers from outside come to it by a number of their own."""
    leading: dict[Any, list[str]] = {}
    for key, number in Did.objects.filter(system_extension__in=records).values_list(
        "system_extension", "number"
    ):
        leading.setdefault(key, []).append(phone_number_national(number))
    return {
        key: _("%(numbers)s leads here. Let it ring somebody else first.")
        % {"numbers": ", ".join(numbers[:3]) + (" …" if len(numbers) > 3 else "")}
        for key, numbers in leading.items()
    }


def _uses_of(numbers: Sequence[str], customer: Customer) -> dict[str, list[str]]:
    """Where numbers of the company stand besides ringing somebody, in sentences: as caller IDs, and where calls are forwarded to."""
    found: dict[str, list[str]] = {number: [] for number in numbers}
    shown_by: dict[str, list[str]] = {number: [] for number in numbers}
    for department in Department.objects.of(customer).filter(outbound_caller_id__in=shown_by):
        shown_by[department.outbound_caller_id].append(department.name)
    people_showing = dict(
        User.objects.of(customer)
        .filter(outbound_caller_id__in=shown_by)
        .order_by()
        .values_list("outbound_caller_id")
        .annotate(count=Count("pk"))
    )
    forwarding: dict[str, list[str]] = {number: [] for number in numbers}
    for reference in references_to(customer, Kind.EXTERNAL, list(numbers)):
        if reference.column:
            forwarding[reference.target].append(reference.words)
    for number, sentences in found.items():
        if departments := shown_by[number]:
            sentences.append(
                _("It is the caller ID of %(departments)s, also for emergency calls.")
                % {"departments": ", ".join(departments)}
            )
        if count := people_showing.get(number):
            sentences.append(
                ngettext(
                    "%(count)s person shows it as caller ID.", "%(count)s people show it as caller ID.", count
                )
                % {"count": count}
            )
        if where := forwarding[number]:
            sentences.append(
                _("Calls are forwarded to it: %(where)s. They would leave the company.")
                % {"where": "; ".join(where[:3]) + (" …" if len(where) > 3 else "")}
            )
    return found


def numbers_that_change_are_told(plan: road.Plan) -> None:
    """A number that becomes another one is the company's no more: where it still stands is told, emergency calls first."""
    changed = {
        before: row for row in plan.rows if row.key and (before := row.changes.get("number", ("", ""))[0])
    }
    if not changed:
        return
    # Two that are exchanged stay the company's.
    kept = {row.value("number") for row in changed.values()}
    for number, uses in _uses_of([each for each in changed if each not in kept], plan.scope.customer).items():
        if uses:
            changed[number].warn(
                "number",
                _("%(number)s is no longer one of the company's numbers, and is still in use. %(uses)s")
                % {"number": phone_number_national(number), "uses": " ".join(map(str, uses))},
            )


def what_a_deleted_number_means(records: Sequence[Any], scope: Scope) -> dict[Any, list[str]]:
    """Whom it rang, and whose caller ID it is."""
    losses: dict[Any, list[str]] = {}
    uses = _uses_of([record.number for record in records], scope.customer)
    for record in records:
        sentences = [
            _("The number %(number)s: calls to it will no longer reach the customer.")
            % {"number": phone_number_national(record.number)}
        ]
        if record.answers:
            sentences.append(_("It rings %(user)s directly.") % {"user": record.answers})
        losses[record.pk] = [str(sentence) for sentence in (*sentences, *uses[record.number])]
    return losses


def system_number_is_possible(row: road.RowPlan, plan: road.Plan) -> None:
    """As many digits as the customer's extensions have, and no reserved one."""
    number = row.after.get("number")
    if row.new and number and (reason := why_no_extension(number, plan.scope.customer)):
        row.refuse("number", reason)


def system_numbers_are_free(plan: road.Plan) -> None:
    """People and system extensions share their numbers: none is there twice."""
    new = [row for row in plan.rows if row.new and row.after.get("number")]
    if not new:
        return
    twice = plan.twice(new, lambda row: [row.after["number"]])
    taken = taken_extensions(plan.scope.customer, list({row.after["number"] for row in new}))
    for row in new:
        number = row.after["number"]
        if number in taken:
            row.refuse(
                "number",
                _("Extension %(number)s is already taken: choose another one.") % {"number": number},
                "number_taken",
            )
        elif number in twice:
            row.refuse("number", road.is_there_twice(number, twice[number]), "number_twice")


def kind_fits(row: road.RowPlan, plan: road.Plan) -> None:
    """An IVR sends callers on: it has no members, and so nobody whom a Talk link could reach."""
    if not {"kind", "talk_name", "members"} & row.changes.keys():
        return
    plan.need("kind", "talk_name", "members")
    kind = row.value("kind")
    members = row.value("members") if "members" in row.after or not row.new else ()
    if row.value("talk_name") and kind == SystemExtension.Kind.IVR:
        row.refuse(
            "talk_name",
            _("An IVR has no Talk link, because it has no members to receive requests."),
            "option_value",
        )
    if members and kind == SystemExtension.Kind.IVR:
        row.refuse("members", _("An IVR has no members: callers choose where it sends them."), "option_value")


def what_a_deleted_system_extension_loses(records: Sequence[Any], scope: Scope) -> dict[Any, list[str]]:
    """How many people it rang."""
    losses: dict[Any, list[str]] = {}
    for key, count in (
        SystemExtension.objects.filter(pk__in=[record.pk for record in records])
        .annotate(count=Count("members"))
        .order_by()
        .values_list("pk", "count")
    ):
        losses[key] = (
            [ngettext("It rings %(count)s person.", "It rings %(count)s people.", count) % {"count": count}]
            if count
            else []
        )
    return losses


def addresses_are_nobodys(plan: road.Plan) -> None:
    """Host name and address in the portal lead to one customer."""
    for name in ("fqdn", "slug"):
        rows = [row for row in plan.rows if row.changes.get(name, ("", ""))[1]]
        values = [row.value(name) for row in rows]
        taken = (
            set(
                Customer.objects.filter(**{f"{name}__in": values})
                .exclude(pk__in=[row.key for row in rows if row.key])
                .values_list(name, flat=True)
            )
            if rows
            else set()
        )
        for row in rows:
            if row.value(name) in taken:
                row.refuse(name, _("“%(value)s” belongs to another customer.") % {"value": row.value(name)})


def extensions_keep_their_length(row: road.RowPlan, plan: road.Plan) -> None:
    """The length of extensions is chosen before there are any."""
    if row.new or "extension_digits" not in row.changes:
        return
    if taken_extensions(plan.scope.customer):
        row.refuse("extension_digits", _("Extensions already exist: their length can no longer be changed."))


def contract_is_wide_enough(row: road.RowPlan, plan: road.Plan) -> None:
    """A contract may be smaller than what is in use, and that is said."""
    included = row.changes.get("included_extensions", (0, None))[1]
    if row.new or included is None:
        return
    used = User.objects.of(plan.scope.customer).count()
    if used > included:
        row.warn(
            "included_extensions",
            ngettext(
                "%(used)s extension is in use: more than the contract now includes.",
                "%(used)s extensions are in use: more than the contract now includes.",
                used,
            )
            % {"used": used},
        )


def suspension_has_a_reason(row: road.RowPlan, plan: road.Plan) -> None:
    """Whoever suspends a customer says why; whoever lifts the suspension takes the reason with it."""
    if row.changes.keys().isdisjoint(("suspended", "suspended_reason")):
        return
    plan.need("suspended", "suspended_reason")
    if not row.value("suspended"):
        row.put("suspended_reason", "")
    elif not row.value("suspended_reason") and not row.errors.get("suspended_reason"):
        row.refuse(
            "suspended_reason",
            _("Enter why the customer is suspended: your colleagues will ask."),
            "required",
        )


def seats(scope: Scope, record: Customer, form: Any) -> dict[str, Any]:
    """What the contract's page says beside its form: the extensions in use."""
    used = User.objects.of(record).count() if record.pk else 0
    return {"seats": {"used": used, "free": max(0, record.included_extensions - used)}}
