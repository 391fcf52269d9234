"""The invented customer, and whoever imports there."""

import pytest

from files.tests import pingris
from users.models import Customer, User
from users.tests.world import World


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On SQLite, where quick tests run, making the invented customer takes longer than most of its tests."""
    for item in items:
        if "files/tests" in str(item.path) and "customer" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow("the invented customer is made for it"))


@pytest.fixture
def customer(known: World, db: None) -> Customer:
    """Atelier Pin Gris, with its ten users."""
    return known.later("pingris", pingris.make)


@pytest.fixture
def actor(customer: Customer) -> User:
    """Its system owner, 110."""
    people = User.objects.select_related("role", "customer", "primary_department")
    return people.get(customer=customer, number=pingris.WORLD["actor"])
