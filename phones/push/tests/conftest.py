"""What the tests of the push share."""

from collections.abc import Iterator

import pytest

from phones.models import Key, Phone
from phones.push.tests.steps import place
from phones.tests import factories
from phones.tests.desk import Desk
from phones.tests.factories import fetched
from users.models import Customer


@pytest.fixture
def desk(phone: Phone) -> Iterator[Desk]:
    """Amélie's phone on her desk: takes what it is told and does nothing by itself."""
    with Desk() as desk:
        place(phone, desk)
        yield desk


@pytest.fixture
def office(boreale: Customer) -> list[Phone]:
    """Thirty people with a phone each, who all watch each other's neighbour."""
    Customer.objects.filter(pk=boreale.pk).update(included_extensions=100)
    boreale.refresh_from_db()
    people = factories.make_people(boreale, 30)
    Key.objects.bulk_create(
        Key(user=person, position=2, kind="blf", target=people[number - 1])
        for number, person in enumerate(people)
    )
    return [fetched(phone) for phone in factories.make_phones(boreale, people)]
