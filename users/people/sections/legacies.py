"""What goes from a leaver to whoever takes their place: the numbers, the departments, and the seats in ring groups and queues."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext_lazy, pgettext_lazy

from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.contributions import Heir, Legacy
from users.models import SystemExtension, User


def both(column: str, value: Any, theirs: Any, leaver: User, heir: Heir) -> tuple[Any, Text]:
    """What the leaver has comes to what the heir has already."""
    return tuple(sorted({*value, *(theirs or ())})), ""


def in_departments(column: str, value: Any, theirs: Any, leaver: User, heir: Heir) -> tuple[Any, Text]:
    """The same of departments, and of what is forced there ("Visualiser"): what the heir has of a department stays."""
    if column == "departments":
        return both(column, value, theirs, leaver, heir)
    rows = {row[0]: row for row in (*value, *(theirs or ()))}
    return tuple(rows[key] for key in sorted(rows)), ""


def seats_of_the_leaver(
    leaver: User, heir: Heir, scope: Scope
) -> Mapping[type[Model], Mapping[Any, Mapping[str, Any]]]:
    """The heir takes the leaver's place in each ring group and queue."""
    links = SystemExtension.members.through.objects
    mine = links.filter(user=leaver, systemextension__customer=scope.customer).values("systemextension")
    members: dict[int, set[Any]] = {}
    for extension, user in (
        links.filter(systemextension__in=mine)
        .order_by("systemextension__number")
        .values_list("systemextension", "user")
    ):
        members.setdefault(extension, {heir.key}).add(user)
    return {
        SystemExtension: {
            extension: {"members": tuple(sorted(people - {leaver.pk}))}
            for extension, people in members.items()
        }
    }


LEGACIES = (
    Legacy(
        "numbers",
        pgettext_lazy("heading", "DID numbers"),
        columns=("dids",),
        fit=both,
        leaves={"dids": ()},
    ),
    Legacy(
        "seats",
        gettext_lazy("Seats in ring groups and queues"),
        beside=seats_of_the_leaver,
    ),
    Legacy(
        "departments",
        gettext_lazy("Departments, and what is seen of them"),
        columns=("departments", "visibility"),
        fit=in_departments,
    ),
)
