"""The page that deletes one record, the same for every kind: asks for the name, says what stands against it, deletes."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from phones.models import Phone, Sbc
from phones.tests.factories import make_phone
from signin.tests.signing import sign_in_fully
from users.models import Department, Did, SystemExtension, User
from users.road import Outcome
from users.road.replacements import Departure
from users.tests.factories import make_staff

pytestmark = pytest.mark.slow("pages of those who leave, with everything that leads to them")

KINDS = ["user", "phone", "department", "did", "system_extension", "sbc"]


@pytest.fixture
def things(boreale, amelie) -> dict[str, tuple[Any, str, str]]:
    """One record of each kind, where it is deleted, and what is to be typed."""
    phone = make_phone(boreale, amelie, "805ec0aabb01")
    department = Department.objects.create(customer=boreale, name="Archives")
    did = Did.objects.of(boreale).first()
    group = SystemExtension.objects.create(customer=boreale, number="180", name="Groupe", kind="ring_group")
    site = Sbc.objects.create(customer=boreale, name="Rive-Sud", address="192.168.1.20")

    def at(name: str, pk: int) -> str:
        return reverse(f"{name}_delete", args=["boreale", pk])

    return {
        "user": (amelie, reverse("user_delete", args=["boreale", "101"]), " 101 "),
        "phone": (phone, reverse("phone_delete", args=["boreale", "101", phone.mac]), "80:5E:C0:AA:BB:01"),
        "department": (department, at("department", department.pk), "Archives"),
        "did": (did, at("did", did.pk), ""),
        "system_extension": (group, at("system_extension", group.pk), ""),
        "sbc": (site, at("sbc", site.pk), "Rive-Sud"),
    }


@pytest.fixture
def support(db: None, client: Client) -> Client:
    """Signed in as somebody who may delete all of it."""
    return sign_in_fully(client, make_staff())


def gone(record: Any) -> bool:
    return not type(record)._default_manager.filter(pk=record.pk).exists()


@pytest.mark.parametrize("kind", KINDS)
def test_it_asks_for_the_name_and_deletes_nothing_before(support, things, kind):
    record, address, typed = things[kind]
    page = support.get(address)
    asked = page.context["typed"]
    assert page.context["losses"]
    assert asked in page.content.decode()
    wrong = support.post(address, {"confirm": "something else"})
    assert wrong.status_code == 422
    assert wrong.context["error"]
    assert not gone(record)
    answer = support.post(address, {"confirm": typed or asked}, follow=True)
    assert answer.status_code == 200
    assert "notice success" in answer.content.decode()
    assert gone(record)


@pytest.mark.parametrize("kind", KINDS)
def test_who_was_forestalled_is_told_so_and_nothing_is_gone(support, things, kind, monkeypatch):
    record, address, typed = things[kind]
    asked = typed or support.get(address).context["typed"]
    monkeypatch.setattr(Departure, "commit", lambda self, *facts: Outcome.CONFLICT)
    answer = support.post(address, {"confirm": asked})
    assert answer.status_code == 422
    assert "entre-temps" in answer.context["error"]
    assert not gone(record)


def test_what_stands_against_it_is_said_before_anybody_types(support, boreale, felix):
    assert User.objects.of(boreale).filter(role="system_owners").count() == 1
    page = support.get(reverse("user_delete", args=["boreale", "102"]))
    assert page.context["refusal"]
    assert 'name="confirm"' not in page.content.decode()
    answer = support.post(reverse("user_delete", args=["boreale", "102"]), {"confirm": "102"})
    assert answer.status_code == 422
    assert not gone(felix)


def test_a_deleted_phone_says_which_one_as_people_write_it(support, things):
    _record, address, typed = things["phone"]
    answer = support.post(address, {"confirm": typed}, follow=True)
    assert "80:5E:C0:AA:BB:01".lower() in answer.content.decode().lower()
    assert not Phone.objects.exists()


# --- What stays, and who takes the numbers ------------------------------------------------------------------------
@pytest.fixture
def main_number(boreale, amelie) -> Did:
    return Did.objects.create(customer=boreale, number="+15145550177", name="Ligne principale", user=amelie)


def test_the_page_names_the_numbers_that_fall_silent_and_the_phones_that_stay(
    support, boreale, amelie, main_number
):
    make_phone(boreale, amelie, "805ec0aabb01")
    page = support.get(reverse("user_delete", args=["boreale", "101"]))
    assert any("514 555-0177 (Ligne principale)" in sentence for sentence in page.context["losses"])
    assert any("80:5E:C0:AA:BB:01" in sentence for sentence in page.context["staying"])
    assert not any("80:5E:C0:AA:BB:01" in sentence for sentence in page.context["losses"])
    assert 'name="instead"' in page.content.decode()


def test_whoever_takes_the_calls_takes_the_numbers_too(support, boreale, amelie, felix, main_number):
    own = Did.objects.create(customer=boreale, number="+15145550178", user=felix)
    address = reverse("user_delete", args=["boreale", "101"])
    assert support.post(address, {"confirm": "101", "instead": "999"}).status_code == 422
    assert support.post(address, {"confirm": "101", "instead": "102"}).status_code == 302
    assert set(Did.objects.filter(user=felix)) == {own, main_number}
    assert gone(amelie)


def test_a_ring_group_takes_the_numbers_as_well(support, boreale, amelie, main_number):
    group = SystemExtension.objects.create(customer=boreale, number="180", name="Groupe", kind="ring_group")
    address = reverse("user_delete", args=["boreale", "101"])
    assert support.post(address, {"confirm": "101", "instead": "180"}).status_code == 302
    main_number.refresh_from_db()
    assert (main_number.user, main_number.system_extension) == (None, group)


def test_without_an_heir_numbers_ring_nobody_and_phones_are_in_stock(support, boreale, amelie, main_number):
    phone = make_phone(boreale, amelie, "805ec0aabb01")
    old = phone.token_hash
    address = reverse("user_delete", args=["boreale", "101"])
    assert support.post(address, {"confirm": "101"}).status_code == 302
    main_number.refresh_from_db()
    phone.refresh_from_db()
    assert (main_number.user, phone.user, phone.customer) == (None, None, boreale)
    assert phone.token_hash != old


def test_the_box_deletes_the_phones_as_well(support, boreale, amelie):
    make_phone(boreale, amelie, "805ec0aabb01")
    address = reverse("user_delete", args=["boreale", "101"])
    assert support.post(address, {"confirm": "101", "along": "phones"}).status_code == 302
    assert not Phone.objects.exists()


def test_of_several_the_phones_go_to_stock_and_the_numbers_to_one_heir(
    support, boreale, amelie, ines, felix, main_number
):
    make_phone(boreale, amelie, "805ec0aabb01")
    make_phone(boreale, ines, "805ec0aabb02")
    address = reverse("chosen_delete", args=["boreale"])
    chosen = {"chosen": f"{amelie.pk},{ines.pk}"}
    page = support.post(address, chosen).content.decode()
    assert "514 555-0177 (Ligne principale)" in page
    assert "80:5E:C0:AA:BB:02" in page
    assert "Clinique Boréale</strong> seront supprimés" in page
    sure = chosen | {"confirmed": "1", "expected": "2", "instead": "102"}
    assert support.post(address, sure).status_code == 422, "the number of people wasn't typed"
    assert support.post(address, sure | {"confirm": "2"}).status_code == 302
    assert set(Phone.objects.values_list("user", flat=True)) == {None}
    assert list(Did.objects.filter(user=felix)) == [main_number]
    assert gone(amelie)
    assert gone(ines)
