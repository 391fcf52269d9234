"""A new customer in one go: the contract, departments, numbers and the first owner, all of it or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from pbxadmin.common.http import RequestFacts
from pbxadmin.common.sections import Sheet
from users import road
from users.company.sheets import customer_sheet, department_sheet, did_sheet
from users.models import Customer, User
from users.people.sections import user_sheet

Values = Mapping[str, Any]


class NotCreatedError(Exception):
    """Something was refused, and nothing was written. `part` is "customer", "departments", "numbers" or "owner"."""

    def __init__(self, part: str, rows: Sequence[road.RowPlan]) -> None:
        super().__init__(part)
        self.part = part
        self.rows = rows


@dataclass(frozen=True)
class Created:
    """What was made."""

    customer: Customer
    owner: User


def customer_create(
    actor: User,
    contract: Values,
    departments: Sequence[Values],
    numbers: Sequence[Values],
    owner: Values,
    facts: RequestFacts,
) -> Created:
    """Make a customer with everything it needs on its first day; raises `NotCreatedError` with the rows that say why not.

    Raw values by column, as the pages of each part take them. Departments speak the customer's language and keep its time
    unless they say otherwise; the owner is put into the first one, and gets a second factor at their first sign-in.
    """
    with transaction.atomic():
        customer: Customer = _written(actor, Customer(), customer_sheet(), "customer", [contract], facts)[0]
        own = {"language": customer.language, "time_zone": customer.time_zone}
        places = _written(
            actor,
            customer,
            department_sheet(),
            "departments",
            [own | dict(values) for values in departments],
            facts,
        )
        _written(actor, customer, did_sheet(), "numbers", numbers, facts)
        person = {"role": "system_owners", "require_2fa": True, "primary_department": places[0].pk} | dict(
            owner
        )
        first: User = _written(actor, customer, user_sheet(), "owner", [person], facts)[0]
    return Created(customer, first)


def _written(
    actor: User, customer: Customer, sheet: Sheet, part: str, rows: Sequence[Values], facts: RequestFacts
) -> list[Any]:
    plan = road.plan(actor, customer, sheet, [road.Row(None, values) for values in rows])
    try:
        road.apply(plan, facts, "new customer")
    except road.RefusedError:
        raise NotCreatedError(part, plan.rows) from None
    return [row.record for row in plan.rows]
