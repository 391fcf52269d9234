"""What is stored and offered no more stays when another field of its page is saved: a menu shows it as chosen."""

import pytest

from pbxadmin.common.forms import with_stored
from signin.tests.signing import sign_in_fully
from users.models import Department
from users.tests.browser import posted

GROUPED = [("Canada", [("a", "A")]), ("b", "B")]


@pytest.mark.parametrize(("stored", "added"), [("a", False), ("b", False), ("c", True), ("Canada", True)])
def test_a_menu_offers_what_is_stored_once(stored, added):
    found = with_stored(GROUPED, stored, lambda: "C")()
    assert (found != GROUPED) is added
    assert not added or found[-1] == (stored, "C")


@pytest.mark.parametrize("zone", ["America/Montreal", "America/Hermosillo"])
def test_saving_a_departments_name_leaves_its_time_zone(client, staff, boreale, zone):
    soins = boreale.departments.get(name="Soins")
    Department.objects.filter(pk=soins.pk).update(time_zone=zone)
    sign_in_fully(client, staff)
    url = f"/c/boreale/departments/{soins.pk}/general"
    form = posted(client.get(url).content.decode())
    assert form["time_zone"] == zone
    assert client.post(url, form | {"name": "Soins à domicile"}).status_code == 302
    soins.refresh_from_db()
    assert (soins.name, soins.time_zone) == ("Soins à domicile", zone)
    # Chosen anew it is refused.
    Department.objects.filter(pk=soins.pk).update(time_zone="America/Toronto")
    form = posted(client.get(url).content.decode())
    assert client.post(url, form | {"time_zone": zone}).status_code == 422
