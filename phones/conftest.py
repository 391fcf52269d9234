"""What the tests of the phones share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from phones.models import Phone
from phones.push import telling
from phones.serving import fetches
from phones.tests import factories
from users.models import Customer, User


@pytest.fixture(autouse=True)
def _no_memory_of_other_tests() -> Iterator[None]:
    """A resting broker and gathered times belong to one test."""
    telling.rest(0)
    fetches.gathered.forget()
    yield
    fetches.gathered.forget()


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
