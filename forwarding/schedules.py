"""The hours of departments and people as the database has them: a constant number of queries for any number of people."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from forwarding import hours
from forwarding.models import DepartmentPeriod, Holiday, Period, UserPeriod
from users.models import Department, User

Rows = Iterable[tuple[Any, str, int, Any, Any]]
_COLUMNS = ("kind", "weekday", "start", "end")


def _sorted_out(rows: Rows) -> dict[Any, dict[str, tuple[hours.Period, ...]]]:
    """{owner: {kind: periods}}."""
    found: dict[Any, dict[str, list[hours.Period]]] = defaultdict(lambda: defaultdict(list))
    for owner, kind, weekday, start, end in rows:
        found[owner][kind].append(hours.Period(weekday, start, end))
    return {
        owner: {kind: tuple(periods) for kind, periods in kinds.items()} for owner, kinds in found.items()
    }


def of_departments(keys: Collection[int]) -> dict[int, hours.Schedule]:
    """The schedules of these departments, by key: three queries."""
    if not keys:
        return {}
    zones = dict(Department.objects.filter(pk__in=keys).order_by().values_list("pk", "time_zone"))
    rows = DepartmentPeriod.objects.filter(department__in=keys).order_by("weekday", "start")
    periods = _sorted_out(rows.values_list("department", *_COLUMNS))
    holidays: dict[int, list[hours.Holiday]] = defaultdict(list)
    named = Holiday.objects.filter(department__in=keys).order_by("first", "pk")
    for key, first, last, name, yearly in named.values_list("department", "first", "last", "name", "yearly"):
        holidays[key].append(hours.Holiday(first, last, name, yearly))
    return {
        key: hours.Schedule(
            zone, periods.get(key, {}).get(Period.Kind.OPEN, ()), periods.get(key, {}).get(Period.Kind.BREAK, ()),
            tuple(holidays.get(key, ())),
        )
        for key, zone in zones.items()
    }  # fmt: skip


def own_periods(keys: Collection[int]) -> dict[int, dict[str, tuple[hours.Period, ...]]]:
    """{person: {kind: periods}} of those who have some, in one query."""
    rows = UserPeriod.objects.filter(user__in=keys).order_by("weekday", "start")
    return _sorted_out(rows.values_list("user", *_COLUMNS))


def of_people(
    people: Sequence[User], known: dict[int, hours.Schedule] | None = None
) -> dict[int, hours.Schedule]:
    """The schedule that counts for each person: their own hours or their department's, in the department's zone and holidays.

    Four queries at most; `known` departments aren't asked for, and those that are become known. A person without a department
    (support staff) has none.
    """
    departments = known if known is not None else {}
    wanted = {person.primary_department_id for person in people if person.primary_department_id}
    departments |= of_departments(wanted - departments.keys())
    own = {person.pk for person in people if person.hours_mode == User.Hours.OWN}
    periods = own_periods(own) if own else {}
    return {
        person.pk: schedule_of(person.hours_mode, departments[person.primary_department_id], periods.get(person.pk, {}))
        for person in people if person.primary_department_id in departments
    }  # fmt: skip


def schedule_of(
    mode: str, department: hours.Schedule, own: Mapping[str, tuple[hours.Period, ...]]
) -> hours.Schedule:
    """A person's schedule: their own periods in the department's zone and with its holidays, or all of the department's."""
    if mode != User.Hours.OWN:
        return department
    return hours.Schedule(
        department.zone, own.get(Period.Kind.OPEN, ()), own.get(Period.Kind.BREAK, ()), department.holidays
    )
