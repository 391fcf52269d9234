"""Who may do what to whom: the only place that decides. Pages, forms, templates and tasks ask here.

The roles and their rights are data (`users.Role`). The rules between people are these: nobody acts on somebody whose role
is above their own; a role that doesn't act on the whole customer acts on people whose *primary* department is one of
theirs; support staff act everywhere, under their own name, as far as their level goes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from pbxadmin.common.columns import Column, Text
from users.models import Customer, Department, Membership, Role, StaffLevel, User, Visibility


class Verb(StrEnum):
    """What a person may want to do."""

    ADMINISTER = "administer"  # enter the administration pages
    SEE = "see"  # open another person's tabs
    EDIT = "edit"
    CREATE = "create"
    DELETE = "delete"
    COMMAND = "command"  # restart and reprovision phones
    REVEAL = "reveal"  # see a secret in plain text
    HISTORY = "history"  # read the customer's history, as far as one's departments reach
    WHOLE = "whole"  # see what belongs to the customer as a whole
    WORK = "work"  # begin, go on with or cancel what takes long: files that come in, what is done to many
    # Change what belongs to no person: departments, numbers (also giving one that rings nobody to somebody), phones in stock.
    CUSTOMER = "customer"
    HOURS = "hours"  # change a department's office hours and holidays
    SUPPORT = "support"  # change what the contract says: the provider's support staff alone
    STATUS = "status"  # give a colleague another status, and nothing else of theirs
    SELF = "self"  # change one's own, as far as `own_things` says
    FACTOR = "factor"  # take the second factor away from somebody who has lost it
    OWNERSHIP = "ownership"  # make somebody else a customer's system owner in the place of the one who is it
    ROLES = "roles"  # change what the roles may do, for all customers
    TEAM = "team"  # invite, disable and grade the provider's support staff
    NODES = "nodes"  # add, change and remove machines of the phone system, and give them another token


# The role of whom a customer's phone system belongs to.
OWNERS = "system_owners"
# What takes the right over the whole customer where there is no person whose thing it is.
ON_NOBODYS_THING = (Verb.EDIT, Verb.DELETE, Verb.COMMAND, Verb.REVEAL)
# What all of the provider's support may do, and what its managers alone may.
OF_ALL_STAFF = (Verb.ADMINISTER, Verb.SEE, Verb.WHOLE, Verb.HISTORY)
OF_MANAGERS = (Verb.ROLES, Verb.TEAM, Verb.NODES)


def administers(actor: User) -> bool:
    """Whether somebody has the administration pages at all; everybody else has their own page."""
    return actor.is_staff or actor.role.administer_users


def acts_on_whole_customer(actor: User) -> bool:
    """Whether departments don't limit what somebody acts on."""
    return actor.is_staff or actor.role.whole_customer


def why_not(
    actor: User,
    verb: Verb,
    subject: User | None = None,
    customer: Customer | None = None,
    department: int | None = None,
) -> Text | None:
    """Why `actor` may not do `verb` (to the person `subject`, in `customer`), as a sentence; None when they may.

    Without a subject it is about something of the customer as a whole: only whoever acts on the whole customer changes or
    deletes that. `department` is the key of the one whose hours are meant.

    Tenancy comes first and elsewhere: what isn't `visible_to(actor)` doesn't exist for them. It is checked again here
    because a mistake there must not become a right.
    """
    other = (
        subject.customer_id
        if subject is not None
        else customer.pk
        if customer is not None
        else actor.customer_id
    )
    if not actor.is_active:
        return _("Your account is disabled: contact an administrator of your company.")
    if actor.machine is not None:
        return _why_not_a_machine(actor, actor.machine, verb, subject)
    if verb is Verb.SELF:
        own = subject is not None and subject.pk is not None and subject.pk == actor.pk
        return None if own else _("You can do this for yourself only.")
    if actor.is_staff:
        return _why_not_of_staff(actor, verb, subject)
    if other != actor.customer_id:
        return _("This belongs to another customer.")
    if verb is Verb.STATUS:
        return _why_not_the_status(actor, subject)
    if not actor.role.administer_users:
        return _(
            "Your role doesn't include the administration of users: an administrator of your company can change your role."
        )
    if verb in (Verb.SUPPORT, *OF_MANAGERS):
        return _("Only your provider's support can change this.")
    if verb is Verb.OWNERSHIP:
        own = subject is not None and subject.pk == actor.pk and actor.role_id == OWNERS
        return None if own else _("Only the owner, or your provider's support, can transfer the ownership.")
    if verb is Verb.HOURS:
        return _why_not_the_hours(actor, department)
    if verb is Verb.HISTORY:
        return (
            None
            if actor.role.event_log
            else _(
                "Your role doesn't include the event log: an administrator of your company can change your role."
            )
        )
    of_whole = verb in (Verb.CUSTOMER, Verb.WHOLE, Verb.FACTOR)
    if (of_whole or (subject is None and verb in ON_NOBODYS_THING)) and not acts_on_whole_customer(actor):
        return _("Only an administrator of the whole company may do this.")
    if subject is None or verb in (Verb.CUSTOMER, Verb.WHOLE):
        return None
    if verb is Verb.DELETE and subject.pk == actor.pk:
        return _("You can't delete yourself: ask another administrator of your company.")
    if verb is Verb.FACTOR and subject.pk == actor.pk:
        return _(
            "You can't take away your own second factor here: use a backup code, or ask another administrator of your company."
        )
    if not acts_on_whole_customer(actor) and subject.primary_department_id not in actor.department_ids:
        return _("This person's primary department is not one of yours.")
    if subject.role.level > actor.role.level:
        return _("This person's role is above yours.")
    # Their role acts in all their departments: whoever takes them over, or acts through them, would act there too.
    if (
        subject.pk != actor.pk
        and subject.role.administer_users
        and not acts_on_whole_customer(actor)
        and subject.department_ids - actor.department_ids
    ):
        return _("This person administers departments that aren't yours.")
    return None


def _why_not_of_staff(actor: User, verb: Verb, subject: User | None) -> Text | None:
    """Support staff at any customer, and about their own colleagues, whom managers alone may change."""
    if verb not in OF_ALL_STAFF and actor.staff_level not in (StaffLevel.TECHNICIAN, StaffLevel.MANAGER):
        return _("Your account is read-only: a manager of the support team can change its level.")
    of_team = verb in OF_MANAGERS or (subject is not None and subject.is_staff)
    if of_team and actor.staff_level != StaffLevel.MANAGER:
        return _("Only a manager of the support team may do this.")
    if subject is not None and subject.is_staff and subject.pk == actor.pk:
        return _("You can't do this to your own account: ask another manager of the support team.")
    return None


def _why_not_the_status(actor: User, subject: User | None) -> Text | None:
    """ "Opérations réceptionniste (définir les statuts…)": of those colleagues whose presence they see."""
    if not actor.role.receptionist:
        return _(
            "Your role doesn't include receptionist operations: an administrator of your company can change your role."
        )
    if subject is None or subject.pk == actor.pk or not what_sees(actor, subject).presence:
        return _("You don't see this person's presence.")
    return None


def _why_not_the_hours(actor: User, department: int | None) -> Text | None:
    if not actor.role.administer_hours:
        return _(
            "Your role doesn't include the administration of office hours: an administrator of your company can change your role."
        )
    if acts_on_whole_customer(actor) or department in actor.department_ids:
        return None
    return _("This department is not one of yours.")


def can(actor: User, verb: Verb | str, subject: User | None = None, customer: Customer | None = None) -> bool:
    """Whether `actor` may do `verb`; the arguments are those of `why_not`."""
    return why_not(actor, Verb(verb), subject, customer) is None


def grantable_roles(actor: User) -> Q:
    """The roles that somebody may give to others: below their own level, or their own role itself."""
    if actor.is_staff:
        return Q() if can_grant(actor, actor.role) else Q(pk__in=())
    return Q(level__lt=actor.role.level) | Q(pk=actor.role_id)


def look_up_departments(actor: User, subjects: Iterable[Any]) -> None:
    """Read at once the departments of those people whom `why_not` will ask about, rather than one by one."""
    if acts_on_whole_customer(actor):
        return
    asked = {
        each.pk: each
        for each in subjects
        if isinstance(each, User) and "department_ids" not in each.__dict__ and each.role.administer_users
    }
    if len(asked) < 2:
        return
    found: dict[int, set[int]] = {key: set() for key in asked}
    for user, department in Membership.objects.filter(user__in=asked).values_list("user", "department"):
        found[user].add(department)
    for key, each in asked.items():
        each.__dict__["department_ids"] = frozenset(found[key])


def can_grant(actor: User, role: Role) -> bool:
    """Whether `actor` may give `role` to somebody: two roles of one level don't grant each other."""
    if actor.is_staff:
        return _why_not_of_staff(actor, Verb.EDIT, None) is None
    return role.level < actor.role.level or role.pk == actor.role_id


def role_names() -> list[tuple[str, str]]:
    """Identifier and name of every role, in the reader's language, for menus and the history; no right is decided by it.

    They hardly ever change: remembered for a minute.
    """
    key = f"roles:{get_language()}"
    if (found := cache.get(key)) is None:
        found = [(role.pk, str(role)) for role in Role.objects.all()]
        cache.set(key, found, 60)
    return found


def administered_by(actor: User) -> Q:
    """The people whom `actor` may administer, as a condition over users that are `visible_to` them already."""
    if acts_on_whole_customer(actor):
        condition = Q()
    else:
        elsewhere = Membership.objects.filter(user=OuterRef("pk")).exclude(
            department__in=actor.department_ids
        )
        condition = Q(primary_department__in=actor.department_ids) & (
            Q(pk=actor.pk) | Q(role__administer_users=False) | ~Q(Exists(elsewhere))
        )
    if not actor.is_staff:
        condition &= Q(role__level__lte=actor.role.level)
    return condition


def facts(actor: Any, customer: Customer | None) -> dict[str, bool]:
    """The rights that templates ask for, by name."""
    if not getattr(actor, "is_authenticated", False):
        return {}
    return {
        "administer": administers(actor),
        "create": administers(actor) and can(actor, Verb.CREATE, customer=customer),
        "customer": administers(actor) and can(actor, Verb.CUSTOMER, customer=customer),
        "work": administers(actor) and can(actor, Verb.WORK, customer=customer),
        "support": administers(actor) and can(actor, Verb.SUPPORT, customer=customer),
        "history": administers(actor) and can(actor, Verb.HISTORY, customer=customer),
        "staff": actor.is_staff,
    }


# --- What everybody may change of themselves --------------------------------------------------------------------
class Own(StrEnum):
    """What somebody changes without administering anybody. A column of the sheet of people says which of them it is (`Column.own`)."""

    STATUS = "status"  # one's own; a receptionist's right reaches those of colleagues
    STATUS_AFTER = "status_after"  # which one comes back: the schedule writes it, nobody types it in
    FORWARDING = "forwarding"  # one's own rules, unless they are hidden from oneself
    VOICEMAIL = "voicemail"


def own_things(actor: User, verb: Verb) -> frozenset[Own]:
    """What `actor` changes by a right that isn't the one over the whole record (`SELF`, `STATUS`).

    Whoever has their forwarding rules hidden neither sees nor changes them; the status stays theirs.
    """
    if actor.machine is not None:
        return actor.machine.things
    if verb is Verb.STATUS:
        return frozenset({Own.STATUS})
    hidden = frozenset() if sees_own_forwarding(actor) else frozenset({Own.FORWARDING})
    return frozenset({Own.STATUS, Own.VOICEMAIL, Own.FORWARDING}) - hidden


def own_columns(actor: User, verb: Verb, columns: Iterable[Column]) -> frozenset[str]:
    """Which of these columns `actor` changes by such a right."""
    things = own_things(actor, verb)
    return frozenset(column.name for column in columns if column.own in things)


# --- Who acts and is no person -----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Machine:
    """All that an actor may do who is no person: one verb, these things, in one customer; `only` these people, or all (None).

    It is nobody's row: nobody can sign in as it, and the history knows it by its name.
    """

    verb: Verb
    things: frozenset[Own]
    only: frozenset[int] | None = None


def schedule_actor(customer: Customer) -> User:
    """The actor when statuses change by themselves, "pbxadmin" in the history: gives people of this customer the status that is due."""
    return _machine("pbxadmin", customer, Machine(Verb.STATUS, frozenset({Own.STATUS, Own.STATUS_AFTER})))


def terminal_actor() -> User:
    """Whoever sits at the server's terminal and names nobody: as a manager of the support, because the keys and the tables are
    theirs already.

    For commands alone; no request ever has this actor.
    """
    return User(is_staff=True, staff_level=StaffLevel.MANAGER, role_id="users", email="terminal")


def pbx_actor(person: User) -> User:
    """The actor when somebody dials a code on their own phone, "PBX" in the history: changes this very person's status."""
    assert person.customer is not None, "support staff have no extension"
    return _machine(
        "PBX", person.customer, Machine(Verb.STATUS, frozenset({Own.STATUS}), frozenset({person.pk}))
    )


def _machine(name: str, customer: Customer, machine: Machine) -> User:
    actor = User(first_name=name, customer=customer, role_id="users")
    actor.machine = machine
    return actor


def _why_not_a_machine(actor: User, machine: Machine, verb: Verb, subject: User | None) -> Text | None:
    """A status isn't taken away from whoever is above or elsewhere: there is nobody whose right could be exceeded."""
    if verb is not machine.verb or subject is None:
        return _("Only a person may do this.")
    if subject.customer_id != actor.customer_id:
        return _("This belongs to another customer.")
    if machine.only is not None and subject.pk not in machine.only:
        return _("You can do this for yourself only.")
    return None


# --- What somebody sees of others --------------------------------------------------------------------------------
class Forced(NamedTuple):
    """What the tab "Visualiser" says of one person and one department: yes, no, or None for "as the role says"."""

    show_my_calls: bool | None = None
    see_presence: bool | None = None
    see_calls: bool | None = None
    perform_operations: bool | None = None


# A person's row for each department where anything is forced.
Forcings = Mapping[int, Forced]


@dataclass(frozen=True)
class Sight:
    """What somebody sees of others and may do with their calls: of one colleague, or of a whole department."""

    presence: bool = False
    calls: bool = False
    pick_up: bool = False
    control_ivr: bool = False
    intercom: bool = False
    barge_in: bool = False

    def __or__(self, other: "Sight") -> "Sight":
        return _both(self, other)

    @property
    def operations(self) -> bool:
        """Whether any of pickup, IVR control and intercom is theirs."""
        return self.pick_up or self.control_ivr or self.intercom


@lru_cache(4096)
def _both(one: Sight, other: Sight) -> Sight:
    """What either gives. Kept: there are few sights, and a company of thousands joins them for each of its people."""
    return Sight(*(getattr(one, field.name) or getattr(other, field.name) for field in fields(Sight)))


NOTHING = Sight()


def inherited(role: Role, acts_there: bool) -> Forced:
    """What the role gives in a department, as the four columns of "Visualiser": rows 1, 2 and 3 to 5 of the table of roles.

    `acts_there`: whether the role counts in that department (the person is a member, or it counts in the whole customer).
    """
    operations = role.pick_up or role.control_ivr or role.intercom
    return Forced(
        True, acts_there and role.see_members, acts_there and role.see_calls, acts_there and operations
    )


def acts_in(viewer: User, department: int) -> bool:
    """Whether somebody's role counts in a department."""
    return acts_on_whole_customer(viewer) or department in viewer.department_ids


def forcings_of(people: Iterable[User]) -> dict[int, dict[int, Forced]]:
    """What "Visualiser" forces for these people: {person: {department: …}}, in one query."""
    found: dict[int, dict[int, Forced]] = {person.pk: {} for person in people}
    rows = Visibility.objects.filter(user__in=found).values_list("user", "department", *Forced._fields)
    for user, department, *forced in rows:
        found[user][department] = Forced(*forced)
    return found


def view_of(viewer: User, forcings: Forcings | None = None) -> dict[int, Sight]:
    """What somebody sees and may do in each department of their customer: their role, where it counts, under what is forced.

    `forcings` instead of the saved ones: to show what a change would mean. Whoever is disabled, and support staff, who have no
    extension, see nothing of anybody. Barge-in, whisper and listen come with the role alone, for calls that are seen.
    """
    if viewer.customer_id is None or not viewer.is_active:
        return {}
    if forcings is None:
        forcings = forcings_of([viewer])[viewer.pk]
    return views_of([viewer], {viewer.pk: forcings})[viewer.pk]


def views_of(viewers: Sequence[User], forcings: Mapping[int, Forcings]) -> dict[int, dict[int, Sight]]:
    """The same for many, under what is forced for each: one query, and one more where their departments aren't known yet."""
    active = [viewer for viewer in viewers if viewer.customer_id is not None and viewer.is_active]
    departments: dict[int | None, list[int]] = defaultdict(list)
    owners = {viewer.customer_id for viewer in active}
    if owners:
        for key, customer in Department.objects.filter(customer__in=owners).values_list("pk", "customer"):
            departments[customer].append(key)
    learn_departments(viewer for viewer in active if not acts_on_whole_customer(viewer))
    found: dict[int, dict[int, Sight]] = {viewer.pk: {} for viewer in viewers}
    for viewer in active:
        forced = forcings.get(viewer.pk, {})
        found[viewer.pk] = {
            key: _sight_in(viewer, key, forced.get(key, Forced())) for key in departments[viewer.customer_id]
        }
    return found


def learn_departments(people: Iterable[User]) -> None:
    """Let each of these people know their departments (`User.department_ids`), in one query for those who don't yet."""
    wanted = {person.pk: person for person in people if "department_ids" not in person.__dict__}
    found: dict[int, set[int]] = {key: set() for key in wanted}
    if wanted:
        for user, department in Membership.objects.filter(user__in=wanted).values_list("user", "department"):
            found[user].add(department)
    for key, person in wanted.items():
        person.__dict__["department_ids"] = frozenset(found[key])


def _sight_in(viewer: User, department: int, forced: Forced) -> Sight:
    role, here = viewer.role, acts_in(viewer, department)
    base = inherited(role, here)

    def of(own: bool | None, given: bool | None) -> bool:
        return bool(given if own is None else own)

    def operation(right: bool) -> bool:
        return of(forced.perform_operations, here and right)

    calls = of(forced.see_calls, base.see_calls)
    return Sight(
        presence=of(forced.see_presence, base.see_presence),
        calls=calls,
        pick_up=operation(role.pick_up),
        control_ivr=operation(role.control_ivr),
        intercom=operation(role.intercom),
        barge_in=calls and here and role.barge_in,
    )


def in_directory() -> Q:
    """The people whom directories, pickers and views show, as a condition over users: neither hidden nor disabled."""
    return Q(hidden=False, disabled=False)


def sights(viewer: User, targets: Iterable[User], forcings: Forcings | None = None) -> dict[int, Sight]:
    """What `viewer` sees of each of these people and may do with their calls: `what_sees` for many, in four queries."""
    targets = list(targets)
    views = view_of(viewer, forcings)
    others = (
        [other for other in targets if other.customer_id == viewer.customer_id and other.pk != viewer.pk]
        if views
        else []
    )
    found = {other.pk: NOTHING for other in targets}
    if views and viewer.pk in found:
        found[viewer.pk] = Sight(presence=True, calls=True)
    shown = {other.pk for other in others if not other.hidden and other.is_active}
    forced = forcings_of(others) if shown else {}
    for user, department in (
        Membership.objects.filter(user__in=shown).values_list("user", "department") if shown else ()
    ):
        sight = views.get(department, NOTHING)
        if forced[user].get(department, Forced()).show_my_calls is False:
            # Others see that they are in a call, and no more of it.
            sight = Sight(sight.presence, False, sight.pick_up, sight.control_ivr, sight.intercom, False)
        found[user] = found[user] | sight
    return found


def what_sees(viewer: User, target: User) -> Sight:
    """What `viewer` sees of `target` and may do with their calls: in any of the target's departments.

    Nothing across customers, nothing of people who are hidden or disabled, nothing for whoever is disabled. The portal's tab and
    the PBX ask this one function.
    """
    return sights(viewer, [target])[target.pk]


def sees_own_forwarding(user: User) -> bool:
    """Whether a person sees their own forwarding rules: administrators always, others unless the Options tab hides them."""
    return administers(user) or not user.hide_forwarding
