"""A new customer in one go: the contract, numbers, departments and the first owner, all of it or nothing, in one operation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction

from pbxadmin.common.columns import Scope, Text
from pbxadmin.common.contributions import Start
from pbxadmin.common.http import RequestFacts
from pbxadmin.common.sections import Sheet
from users import rights, road
from users.company.proposals import proposed
from users.company.sheets import customer_sheet, department_sheet, did_sheet
from users.models import Customer, Operation, User
from users.people import reset
from users.people.sections import user_sheet

Values = Mapping[str, Any]


class NotCreatedError(Exception):
    """Something was refused, and nothing was written. `part` is "customer", "numbers", "departments" or "owner"; "" where somebody else
    took an address or a number in the same moment."""

    def __init__(self, part: str, rows: Sequence[road.RowPlan] = ()) -> None:
        super().__init__(part)
        self.part = part
        self.rows = rows


@dataclass(frozen=True)
class Wanted:
    """What a new customer is to have, raw by column, as the pages of each part take it.

    Blank addresses are proposed from the name. Departments speak the customer's language, keep its time and show its first number
    unless they say otherwise, and begin with what `starts` chooses ({name of a `Start`: choice}); the owner is put into the first one.
    """

    contract: Values
    numbers: Sequence[Values]
    departments: Sequence[Values]
    owner: Values
    starts: Mapping[str, str] = field(default_factory=dict)
    welcome: bool = False  # whether the owner is mailed how to sign in


@dataclass(frozen=True)
class Created:
    """What was made, and what was to be told of it."""

    customer: Customer
    owner: User
    told: Sequence[Text] = ()


def starts() -> list[Start]:
    """What the departments of a new customer may begin with."""
    return [start for section in department_sheet().sections for start in section.adds.starts]


def customer_create(actor: User, wanted: Wanted, facts: RequestFacts) -> Created:
    """Make a customer with everything it needs on its first day; raises `NotCreatedError` with the rows that say why not.

    The owner gets a second factor at their first sign-in.
    """
    try:
        with transaction.atomic():
            return _created(actor, wanted, facts)
    except IntegrityError:
        raise NotCreatedError("") from None


def _created(actor: User, wanted: Wanted, facts: RequestFacts) -> Created:
    writing = _Writing(actor, facts)
    contract = dict(wanted.contract)
    proposal = proposed(str(contract.get("name") or ""))
    for column, value in (("slug", proposal.slug), ("fqdn", proposal.host)):
        contract[column] = str(contract.get(column) or "").strip() or value
    customer: Customer = writing.rows(Customer(), customer_sheet(), "customer", [contract])[0]
    numbers = writing.rows(customer, did_sheet(), "numbers", wanted.numbers)
    own: dict[str, Any] = {"language": customer.language, "time_zone": customer.time_zone}
    for start in starts():
        own |= start.values(wanted.starts.get(start.name, ""), Scope(actor, customer))
    first_number = {"outbound_caller_id": numbers[0].number} if numbers else {}
    places = writing.rows(
        customer,
        department_sheet(),
        "departments",
        [
            own | first_number | {name: value for name, value in each.items() if str(value or "").strip()}
            for each in wanted.departments
        ],
    )
    person = {"role": rights.OWNERS, "require_2fa": True, "primary_department": places[0].pk}
    owner: User = writing.rows(customer, user_sheet(), "owner", [person | dict(wanted.owner)])[0]
    if wanted.welcome:
        reset.send_welcome(reset.plan_reset(actor, customer, [owner.pk]), facts, into=writing.operation)
    return Created(customer, owner, writing.told)


class _Writing:
    """One operation, to which each part is added."""

    def __init__(self, actor: User, facts: RequestFacts) -> None:
        self.actor = actor
        self.facts = facts
        self.operation: Operation | None = None
        self.told: list[Text] = []

    def rows(self, customer: Customer, sheet: Sheet, part: str, rows: Sequence[Values]) -> list[Any]:
        """The new records of one part, or `NotCreatedError`."""
        plan = road.plan(self.actor, customer, sheet, [road.Row(None, values) for values in rows])
        try:
            written = road.apply(plan, self.facts, "new customer", into=self.operation)
        except road.RefusedError:
            raise NotCreatedError(part, plan.rows) from None
        self.operation = self.operation or written
        self.told += [text for row in plan.rows for texts in row.warnings.values() for text in texts]
        return [row.record for row in plan.rows]
