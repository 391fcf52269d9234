"""What every app's tests share."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection

from users import append_only, first_roles
from users.models import Customer, Role, User
from users.tests import factories


def _has_real_transactions(request: pytest.FixtureRequest) -> bool:
    mark = request.node.get_closest_marker("django_db")
    return bool(
        {"transactional_db", "live_server"} & set(request.fixturenames)
        or (mark and mark.kwargs.get("transaction"))
    )


@pytest.fixture(autouse=True)
def _tables_that_can_be_emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests with real transactions empty every table afterwards: the roles must come back, the history must let go."""
    if not _has_real_transactions(request):
        yield
        return
    request.getfixturevalue("transactional_db")
    if not Role.objects.exists():
        first_roles.add_roles(apps, None)
    with connection.schema_editor() as editor:
        append_only.remove(editor)
        append_only.install(editor)
    yield
    with connection.schema_editor() as editor:
        append_only.remove(editor)


@pytest.fixture
def boreale(db: None) -> Customer:
    """The customer Clinique Boréale."""
    return factories.make_customer()


@pytest.fixture
def laurier(db: None) -> Customer:
    """Another customer, whose things nobody of Boréale may see."""
    return factories.make_customer("laurier", name="Librairie Laurier")


@pytest.fixture
def amelie(boreale: Customer) -> User:
    """Amélie Tremblay, 101, receptionist in Accueil."""
    return factories.make_user(boreale, "101", role="receptionists", password=factories.PASSWORD)


@pytest.fixture
def felix(boreale: Customer) -> User:
    """Félix Gagnon, 102, system owner."""
    return factories.make_user(
        boreale, "102", "Félix", "Gagnon", role="system_owners", password=factories.PASSWORD
    )


@pytest.fixture
def ines(boreale: Customer) -> User:
    """Inès Roy, 103, administrator of the department Soins."""
    return factories.make_user(
        boreale, "103", "Inès", "Roy", role="group_admins", department="Soins", password=factories.PASSWORD
    )


@pytest.fixture
def staff(db: None) -> User:
    """Somebody of the provider's support."""
    return factories.make_staff()


# Marks that say why: a test that is left out of the inner loop, or that costs a second run, has a reason.
REASONED = ("slow", "both_databases")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a mark that gives no reason."""
    for item in items:
        for name in REASONED:
            for mark in item.iter_markers(name):
                if not (mark.args and isinstance(mark.args[0], str)):
                    raise pytest.UsageError(f"{item.nodeid}: the mark `{name}` says why")
