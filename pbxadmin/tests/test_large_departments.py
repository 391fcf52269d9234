"""A department of more people than a statement takes parameters is deleted like any other: by its page, and person by person in a job."""

import pytest

from phones.settings.sections import phone_sheet
from signin.tests.signing import sign_in_fully
from users import road
from users.company.views.company import DEPARTMENTS
from users.models import Department, Membership, Operation, User, Visibility
from users.people.sections import user_sheet
from users.tests.factories import FACTS

pytestmark = [
    pytest.mark.both_databases("lists of keys longer than a statement takes"),
    pytest.mark.slow("makes 1,100 people"),
]
MANY = 1_100


@pytest.fixture
def soins(boreale, staff) -> Department:
    """The department, with everybody in it."""
    boreale.extension_digits, boreale.included_extensions = 4, 2_000
    boreale.save()
    rows = [
        road.Row(
            None,
            {
                "number": str(2_000 + place),
                "first_name": f"P{place}",
                "primary_department": "Soins",
                "require_2fa": False,
            },
        )
        for place in range(MANY)
    ]
    road.apply(road.plan(staff, boreale, user_sheet(), rows), FACTS)
    keys = User.objects.of(boreale).values_list("pk", flat=True)
    phones = [
        road.Row(None, {"mac": f"805ec1{place:06x}", "model": "yealink-t54w", "user": key})
        for place, key in enumerate(keys)
    ]
    road.apply(road.plan(staff, boreale, phone_sheet(), phones), FACTS)
    soins = boreale.departments.get(name="Soins")
    Visibility.objects.bulk_create(Visibility(user_id=key, department=soins, see_calls=True) for key in keys)
    return soins


@pytest.mark.parametrize("whose", ["staff", "felix"])
def test_its_people_move_to_another_one_in_the_same_step(client, boreale, soins, whose, request):
    sign_in_fully(client, request.getfixturevalue(whose))
    address = f"{DEPARTMENTS.url(boreale, soins).rsplit('/', 1)[0]}/delete"
    other = boreale.departments.get(name="Accueil")
    page = client.get(address)
    assert page.status_code == 200
    operations = Operation.objects.count()
    done = client.post(address, {"confirm": "Soins", "replacement": str(other.pk)})
    assert done.status_code == 302, done.content.decode()[-3000:]
    assert not Department.objects.filter(name="Soins").exists()
    assert User.objects.of(boreale).filter(primary_department=other, number__gte="2000").count() == MANY
    assert Membership.objects.filter(department=other, user__number__gte="2000").count() == MANY
    assert Operation.objects.count() > operations
