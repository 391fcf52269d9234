"""What tests of calls save: by the road, as the pages do, so that stamps and errands are made by the real receivers."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from asterisk.models import Trunk
from asterisk.tests import phones
from asterisk.trunks.sheet import trunk_sheet
from forwarding.tests.road import department_hours
from phones.tests.factories import provider
from users import road
from users.company.sheets import customer_sheet, did_sheet, system_extension_sheet
from users.models import Customer, User
from users.people.sections import user_sheet
from users.tests.factories import FACTS, details, make_users

__all__ = ["contract", "did", "hours", "long_closed", "people", "save", "system", "trunk", "trunk_at"]


def save(who: User | Sequence[User], **values: Any) -> None:
    """Columns of somebody's tabs, or of several people's at once; `lunch__ring_mobile` is `lunch.ring_mobile`."""
    people = [who] if isinstance(who, User) else who
    columns = {name.replace("__", "."): value for name, value in values.items()}
    _made(
        user_sheet(),
        Customer.objects.get(pk=people[0].customer_id),
        *(road.Row(person.pk, columns) for person in people),
    )


def people(customer: Customer, *numbers: str, **values: Any) -> list[User]:
    """People with these extensions: Poste 110, Poste 111, …"""
    return make_users(customer, *(details(number, "Poste", number, **values) for number in numbers))


def contract(customer: Customer, **values: Any) -> None:
    """Columns of the customer."""
    _made(customer_sheet(), customer, road.Row(customer.pk, values))


def hours(customer: Customer, department: str = "Accueil", **values: Any) -> None:
    """Hours and holidays of a department, or other columns of it."""
    department_hours(provider(), customer, department, **values)


def long_closed(customer: Customer) -> str:
    """A quarter of an hour in which nobody tests: it is half a day away, by the customer's clocks."""
    hour = (timezone.now().astimezone(ZoneInfo(customer.time_zone)).hour + 12) % 24
    return f"{hour}:00-{hour}:15"


def did(customer: Customer, number: str, person: User | None = None, **values: Any) -> str:
    """A number of the customer, which rings `person`."""
    _made(did_sheet(), customer, road.Row(None, {"number": number, "name": number} | values))
    if person is not None:
        save(person, dids=number)
    return number


def system(customer: Customer, number: str, kind: str, *members: str) -> None:
    """A ring group, queue or digital receptionist."""
    values = {"number": number, "name": f"Groupe {number}", "kind": kind, "members": ",".join(members)}
    _made(system_extension_sheet(), customer, road.Row(None, values))


def trunk(other_side: "phones.Trunk", customer: Customer | None = None, **values: Any) -> Trunk:
    """A SIP trunk to `other_side`, which calls from its address alone."""
    return trunk_at(other_side.account.address, other_side.port, customer, **values)


def trunk_at(address: str, port: int, customer: Customer | None = None, /, **values: Any) -> Trunk:
    """The same to an address, whoever is there."""
    facts = {"name": f"Liaison {address}:{port}", "host": address, "port": str(port), "networks": address}
    return _made(trunk_sheet(), customer, road.Row(None, facts | values))


def change_trunk(line: Trunk, **values: Any) -> None:
    """Columns of a SIP trunk."""
    _made(trunk_sheet(), line.customer, road.Row(line.pk, values))


def _made(sheet: Any, customer: Customer | None, *rows: road.Row) -> Any:
    plan = road.plan(provider(), customer, sheet, rows)
    assert not plan.refused, [each.errors or each.refusal for each in plan.refused]
    road.apply(plan, FACTS)
    return plan.rows[0].record
