"""Changes of forwarding and schedules in tests, through the real road."""

from typing import Any

from users import road
from users.company.sheets import department_sheet
from users.models import Customer, User
from users.people.sections import user_sheet
from users.tests.factories import FACTS


def planned(actor: User, person: User, **values: Any) -> road.RowPlan:
    """What a change of a person's columns would do; `available__ring_mobile` is the column available.ring_mobile."""
    row = road.Row(person.pk, {name.replace("__", "."): value for name, value in values.items()})
    return road.plan(actor, person.customer, user_sheet(), [row]).rows[0]


def change(actor: User, person: User, **values: Any) -> road.RowPlan:
    """Change a person's columns."""
    row = road.Row(person.pk, {name.replace("__", "."): value for name, value in values.items()})
    plan = road.plan(actor, person.customer, user_sheet(), [row])
    assert not plan.refused, plan.rows[0].errors or plan.rows[0].refusal
    road.apply(plan, FACTS)
    return plan.rows[0]


def department_hours(actor: User, customer: Customer, name: str, **values: Any) -> None:
    """Change a department's hours or holidays."""
    department = customer.departments.get(name=name)
    plan = road.plan(actor, customer, department_sheet(), [road.Row(department.pk, values)])
    assert not plan.refused, plan.rows[0].errors or plan.rows[0].refusal
    road.apply(plan, FACTS)


def values(person: User, *names: str) -> list[Any]:
    """What the database says of some columns."""
    columns = user_sheet().columns
    found = []
    for name in names:
        store = getattr(columns[name], "store", None)
        now = User.objects.get(pk=person.pk)
        found.append(store.load([now])[person.pk][name] if store else columns[name].read(now))
    return found
