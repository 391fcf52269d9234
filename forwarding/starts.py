"""What the departments of a new customer may begin with: a week of hours, as it is usual or as another customer has it, and holidays."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from forwarding import hours
from forwarding.statutory import statutory_holidays
from forwarding.tabs.schedule import DEPARTMENT_HOURS
from pbxadmin.common.columns import Scope
from pbxadmin.common.contributions import Start
from users.models import Customer, Department

# Each by what its address says: how it is called, and the lines of its week, Monday first.
WEEKS: Mapping[str, tuple[Any, Sequence[str]]] = {
    "9-17": (gettext_lazy("Monday to Friday, 9:00 to 17:00"), ("9:00-17:00",) * 5 + ("", "")),
    "8-17": (gettext_lazy("Monday to Friday, 8:00 to 17:00"), ("8:00-17:00",) * 5 + ("", "")),
    "8-20": (gettext_lazy("Monday to Friday, 8:00 to 20:00"), ("8:00-20:00",) * 5 + ("", "")),
    "shop": (
        gettext_lazy("Shop: until 18:00, Thursday and Friday until 21:00, weekend until 17:00"),
        ("9:30-18:00",) * 3 + ("9:30-21:00",) * 2 + ("9:30-17:00", "10:00-17:00"),
    ),
    "always": (gettext_lazy("Always open, 24 hours a day"), ("24 h",) * 7),
}
AS = "as:"
QUEBEC = "quebec"


def weeks(scope: Scope) -> list[tuple[str, str]]:
    """The usual weeks, and those of other customers whose departments have hours."""
    usual = [(name, str(label)) for name, (label, _lines) in WEEKS.items()]
    others = (
        Customer.objects.visible_to(scope.actor)
        .filter(departments__periods__isnull=False)
        .distinct()
        .values_list("slug", "name")
    )
    as_theirs = [(f"{AS}{slug}", _("As at %(customer)s") % {"customer": name}) for slug, name in others]
    return [*usual, *as_theirs, ("", _("No hours: always closed"))]


def week_of(choice: str, scope: Scope) -> dict[str, Any]:
    """The hours of a usual week, or those of another customer's first department that has any; nothing for what isn't offered."""
    if choice in WEEKS:
        return {"office_hours": list(WEEKS[choice][1])}
    if not choice.startswith(AS):
        return {}
    department = (
        Department.objects.visible_to(scope.actor)
        .filter(customer__slug=choice.removeprefix(AS), periods__isnull=False)
        .order_by("pk")
        .first()
    )
    return dict(DEPARTMENT_HOURS.load([department])[department.pk]) if department else {}


def holidays(scope: Scope) -> list[tuple[str, str]]:
    """Québec's statutory ones, or none."""
    return [
        (QUEBEC, _("Statutory holidays of Québec, this year and the next")),
        ("", _("No holidays")),
    ]


def holidays_of(choice: str, scope: Scope) -> dict[str, Any]:
    """The statutory holidays of this year and the next, in the customer's language."""
    if choice != QUEBEC:
        return {}
    year = timezone.localdate().year
    return {
        "holidays": [
            hours.Holiday(day, day, name)
            for each in (year, year + 1)
            for day, name in statutory_holidays(each, scope.customer.language)
        ]
    }


HOURS = Start("hours", gettext_lazy("Office hours"), "9-17", weeks, week_of)
HOLIDAYS = Start("holidays", gettext_lazy("Holidays"), QUEBEC, holidays, holidays_of)
