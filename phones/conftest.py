"""What the tests of the phones share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from pbxadmin.common import throttle
from phones.models import Phone
from phones.push import telling
from phones.serving import fetches
from phones.tests import factories
from users.models import Customer, User


@pytest.fixture(autouse=True)
def _no_memory_of_other_tests() -> Iterator[None]:
    """Blocked addresses, a resting cache and a resting broker belong to one test."""
    cache.clear()
    throttle._resting_until = 0.0
    telling.rest(0)
    fetches.gathered.forget()
    yield
    fetches.gathered.forget()
    cache.clear()


@pytest.fixture
def phone(boreale: Customer, amelie: User) -> Phone:
    """Amélie's T54W, which has fetched its file and is up to date."""
    return factories.fetched(factories.make_phone(boreale, amelie, factories.MAC))


@pytest.fixture
def enterprise(boreale: Customer, settings: Any, tmp_path: Path) -> Path:
    """Boréale with the Enterprise licence, and the folder where its pictures go."""
    Customer.objects.filter(pk=boreale.pk).update(edition=Customer.Edition.ENTERPRISE)
    boreale.refresh_from_db()
    settings.MEDIA_ROOT = tmp_path
    return tmp_path / "phones" / "logos"
