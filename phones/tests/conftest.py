"""What the tests of the phones share."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from phones import fetches, provisioning, push
from phones.models import Phone
from phones.tests import factories
from users.models import Customer, User


@pytest.fixture(autouse=True)
def _no_memory_of_other_tests() -> Iterator[None]:
    """Blocked addresses, a resting cache and a resting broker belong to one test."""
    cache.clear()
    provisioning.throttle = provisioning.Throttle()
    push.rest(0)
    fetches.gathered.forget()
    yield
    fetches.gathered.forget()
    cache.clear()


@pytest.fixture
def phone(boreale: Customer, amelie: User) -> Phone:
    """Amélie's T54W, which has fetched its file and is up to date."""
    return factories.fetched(factories.make_phone(boreale, amelie, factories.MAC))
