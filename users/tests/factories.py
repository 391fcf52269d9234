"""Known people for the tests, made through the real road of changes."""

from typing import Any

from pbxadmin.common.http import RequestFacts
from users import road
from users.models import Customer, Department, Did, User
from users.people.sections import user_sheet

FACTS = RequestFacts("test", "127.0.0.1", "test")
PASSWORD = "Boréale-2026-matin"


def make_staff(email: str = "soutien@tic.example", **facts: Any) -> User:
    """A person of the provider's support, with a password: a technician, unless told otherwise."""
    values: dict[str, Any] = {"first_name": "Solange", "last_name": "Soutien", "staff_level": "technician"}
    user = User(email=email, is_staff=True, role_id="users", **values | facts)
    user.set_password(PASSWORD)
    user.save()
    return user


def make_customer(slug: str = "boreale", **facts: Any) -> Customer:
    """A customer with two departments, Accueil and Soins, and two DID numbers."""
    settings = {
        "name": "Clinique Boréale",
        "slug": slug,
        "fqdn": f"{slug}.example.com",
        "included_extensions": 25,
    } | facts
    customer = Customer.objects.create(**settings)
    Department.objects.bulk_create(
        Department(customer=customer, name=name, outbound_caller_id="+15145550100")
        for name in ("Accueil", "Soins")
    )
    last = 100 + Customer.objects.count() * 10
    Did.objects.bulk_create(
        Did(customer=customer, number=f"+1514555{last + number:04}", name=f"Ligne {number}")
        for number in range(2)
    )
    return customer


def make_user(
    customer: Customer, number: str = "", *names: str, password: str | None = None, **values: Any
) -> User:
    """A person of a customer, through plan and apply, as support staff would make them: Amélie Tremblay in Accueil, unless told otherwise."""
    [user] = make_users(customer, details(number, *names, **values))
    if password:
        user.set_password(password)
        user.save(update_fields=["password"])
    return user


def details(
    number: str, first_name: str = "Amélie", last_name: str = "Tremblay", **values: Any
) -> dict[str, Any]:
    """The values of somebody for `make_users`; `role` and `department` by their names."""
    facts = {"role": "users", "department": "Accueil", "require_2fa": False} | values
    department = facts.pop("department")
    return {
        "number": number,
        "first_name": first_name,
        "last_name": last_name,
        "primary_department": department,
    } | facts


def make_users(customer: Customer, *people: dict[str, Any]) -> list[User]:
    """Several people at once, in their order: as one operation, which costs little more than one person."""
    actor = User(is_staff=True, staff_level="technician", role_id="users", email="factory@tic.example")
    plan = road.plan(actor, customer, user_sheet(), [road.Row(None, values) for values in people])
    assert not plan.refused, [row.errors or row.refusal for row in plan.refused]
    road.apply(plan, FACTS)
    made = User.objects.select_related("customer", "role", "primary_department").in_bulk(
        row.key for row in plan.rows
    )
    return [made[row.key] for row in plan.rows]
