"""The columns that the list of people may have: its own, those that the tabs add, and which of them somebody has chosen to see."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Case, CharField, Exists, F, Min, OuterRef, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import NullIf
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from pbxadmin.common.columns import Scope
from pbxadmin.common.contributions import ListColumn
from pbxadmin.common.fields import phone_number_national
from pbxadmin.common.keyset import Key
from pbxadmin.common.rendering import part
from pbxadmin.common.searching import Folded
from pbxadmin.common.templatetags.portal import address_parts, moment
from pbxadmin.common.values.signs import folded
from signin.models import TotpDevice
from users.models import Did, Membership, User
from users.people.sections import departments_of, user_sheet

# Two of one name stand in the order of their extensions, which nobody shares.
BY_NAME: tuple[str, ...] = ("sort_name", "number")
# Up to so many departments their names are said in the question, folded already: the database needs half a second to fold the
# names that 50,000 people's departments have.
SAID_IN_FULL = 100


def blank_last(name: str) -> Key:
    """A text of the person's row; whoever has none comes last."""
    return Key(NullIf(name, Value("")), blank=True)


def enrolled() -> Exists:
    """Whether a person has an authenticator app."""
    return Exists(TotpDevice.objects.filter(user=OuterRef("pk"), confirmed=True))


def _department_name(path: str, scope: Scope) -> Combinable:
    """The name of the department at `path`, without accents and capitals."""
    known = departments_of(scope)
    if len(known) > SAID_IN_FULL:
        return Folded(f"{path}__name")
    names = [When(**{path: each.pk}, then=Value(folded(each.name))) for each in known]
    return Case(*names, default=Value(""), output_field=CharField())


def _other_departments(people: Sequence[User]) -> Mapping[Any, str]:
    """The departments of each beside the primary one: one query."""
    found: dict[Any, list[str]] = {}
    for user, name in (
        Membership.objects.filter(user__in=[person.pk for person in people])
        .exclude(department=F("user__primary_department"))
        .values_list("user", "department__name")
    ):
        found.setdefault(user, []).append(name)
    return {user: ", ".join(sorted(names, key=folded)) for user, names in found.items()}


def _dids(people: Sequence[User]) -> Mapping[Any, str]:
    """The numbers that ring each directly: one query."""
    found: dict[Any, list[str]] = {}
    dids = Did.objects.filter(user__in=[person.pk for person in people]).order_by("number")
    for user, number in dids.values_list("user", "number"):
        found.setdefault(user, []).append(phone_number_national(number))
    return {user: ", ".join(numbers) for user, numbers in found.items()}


def own(scope: Scope) -> tuple[list[ListColumn], list[ListColumn]]:
    """What the list has of itself: the columns that begin it, and those that end it."""
    first = [
        ListColumn(
            "status",
            _("Status"),
            template="users/cells/status.html.j2",
            order=("status",),
            usual=True,
            css="state-cell",
        ),
        ListColumn(
            "department",
            _("Department"),
            lambda person: person.primary_department.name,
            order=(_department_name("primary_department", scope),),
            usual=True,
            gives_way="hide-3",
        ),
        ListColumn(
            "email",
            _("Email"),
            lambda person: address_parts(person.email),
            order=(blank_last("email"),),
            usual=True,
            css="mail-cell",
            gives_way="hide-1",
        ),
        ListColumn(
            "role",
            _("Role"),
            lambda person: str(person.role),
            order=("role__level", "role"),
            usual=True,
            gives_way="hide-4",
        ),
        ListColumn(
            "mobile",
            _("Mobile"),
            lambda person: person.national_mobile,
            order=(blank_last("mobile"),),
            css="digits",
        ),
        ListColumn(
            "did",
            pgettext_lazy("heading", "DID numbers"),
            facts=_dids,
            order=(Key(Min("dids__number"), blank=True),),
            css="digits",
        ),
        ListColumn(
            "caller_id",
            _("Outbound caller ID"),
            lambda person: (
                phone_number_national(person.outbound_caller_id) if person.outbound_caller_id else ""
            ),
            order=(blank_last("outbound_caller_id"),),
            css="digits",
        ),
        ListColumn(
            "departments",
            _("Other departments"),
            facts=_other_departments,
            order=(
                Key(
                    Min(
                        _department_name("memberships__department", scope),
                        filter=~Q(memberships__department=F("primary_department")),
                    ),
                    blank=True,
                ),
            ),
        ),
    ]
    last = [
        ListColumn(
            "2fa",
            _("2FA"),
            template="users/cells/second_factor.html.j2",
            order=(_second_factor(scope),),
            reads={"has_second_factor": enrolled()},
            usual=True,
            css="state-cell",
            gives_way="hide-2",
        ),
        ListColumn(
            "last_login",
            _("Last sign-in"),
            lambda person: moment(person.last_login) if person.last_login else "",
            order=(Key("last_login", blank=True),),
        ),
        ListColumn(
            "created",
            pgettext_lazy("column", "Created"),
            lambda person: moment(person.created_at),
            order=("created_at",),
        ),
    ]
    return first, last


def _second_factor(scope: Scope) -> Combinable:
    """Who still has to set it up comes first, then those who have, then those of whom nobody asks it."""
    required = Q() if scope.customer.require_2fa else Q(require_2fa=True)
    return Case(
        When(enrolled(), then=Value(1)),
        *([When(required, then=Value(0))] if required else []),
        default=Value(0 if scope.customer.require_2fa else 2),
    )


def offered(scope: Scope) -> list[ListColumn]:
    """All columns that this reader may have in the list of this customer, in their order; beside name and extension."""
    first, last = own(scope)
    columns = user_sheet().columns
    added = [
        column.completed(columns[column.name]) if column.of_tab else column
        for section in user_sheet().sections
        for column in section.adds.listed
    ]
    return [column for column in (*first, *added, *last) if column.offered(scope)]


def orders(columns: Sequence[ListColumn]) -> dict[str, Sequence[Any]]:
    """By what the list may be sorted: by each of its columns, shown or not, so that an address stays true when columns go."""
    found: dict[str, Sequence[Any]] = {"name": BY_NAME, "number": ("number",)}
    return found | {column.name: (*column.order, *BY_NAME) for column in columns if column.order}


def chosen(actor: User, columns: Sequence[ListColumn]) -> list[ListColumn]:
    """The columns that `actor` has chosen; those that are usual where they have chosen none."""
    if not actor.list_columns:
        return [column for column in columns if column.usual]
    names = set(actor.list_columns.split(","))
    return [column for column in columns if column.name in names]


LONGEST_CHOICE: int = User._meta.get_field("list_columns").max_length  # type: ignore[assignment]
# What is kept where somebody wants no column at all but name and extension: no column's name.
NONE = "-"


def remember(actor: User, names: Sequence[str], columns: Sequence[ListColumn]) -> None:
    """Keep which columns somebody wants to see, for all customers whose list they read; the usual ones are kept as no choice.

    What this customer doesn't offer stays as it was chosen elsewhere.
    """
    known = [column.name for column in columns]
    kept = [name for name in actor.list_columns.split(",") if name not in (*known, NONE, "")]
    wanted = [name for name in known if name in names]
    usual = [column.name for column in columns if column.usual]
    text = "" if wanted == usual and not kept else ",".join([*wanted, *kept]) or NONE
    if len(text) <= LONGEST_CHOICE:
        actor.list_columns = text
        User.objects.filter(pk=actor.pk).update(list_columns=text)


def chosen_at_desk(actor: User, of: str) -> Sequence[str] | None:
    """The columns that somebody has chosen for the desk's list of that name; None where they have chosen none."""
    found = actor.desk_columns.get(of) if isinstance(actor.desk_columns, dict) else None
    return [str(name) for name in found] if isinstance(found, list) else None


def remember_at_desk(actor: User, of: str, names: Sequence[str] | None) -> None:
    """Keep which columns somebody wants to see in that list of the desk; None: the usual ones again."""
    kept = {name: columns for name, columns in actor.desk_columns.items() if name != of}
    actor.desk_columns = kept if names is None else kept | {of: list(names)}
    User.objects.filter(pk=actor.pk).update(desk_columns=actor.desk_columns)


Cell = tuple[ListColumn, str, Any]  # with the column's label, and what stands in the cell


def cells(
    columns: Sequence[ListColumn], people: Sequence[User], **around: Any
) -> Callable[[User, str], list[Cell]]:
    """What each column shows of each of these people, who have their status changed at an address; as many queries as columns have facts.

    `around`: what the templates of cells take beside person and facts.
    """
    facts = {column.name: column.facts(people) for column in columns if column.facts}
    labels = [(column, str(column.label)) for column in columns]

    def shown(column: ListColumn, person: User, status_url: str) -> Any:
        known = facts[column.name].get(person.pk, "") if column.facts else ""
        if column.template:
            return part(column.template, person=person, facts=known, status_url=status_url, **around)
        return column.text(person) if column.text else known

    return lambda person, status_url: [
        (column, label, shown(column, person, status_url)) for column, label in labels
    ]
